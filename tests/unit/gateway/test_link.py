"""How an answer of a peer is read: up to a bound, and what it answers instead as a problem of ours."""

from collections.abc import AsyncIterator

import pytest

from sluis.gateway import Answer, body_of, problem_from, read_answer
from sluis.kernel import NotFound, Problem, Text, Upstream, encode

UNUSABLE = Upstream(
    "unusable", Text("Geen.", "None."), Text("-", "-"), Text("-", "-"), peer="Gemeente Voorbeeld"
)
GONE = NotFound("gone", Text("Weg.", "Gone."), Text("-", "-"), Text("-", "-"), peer="somebody else")


def answer(status: int, *pieces: bytes) -> Answer:
    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    return Answer(status, {}, body())


async def test_what_was_asked_for_is_read_whole() -> None:
    assert await read_answer(answer(200, b"ab", b"c"), 3, UNUSABLE) == b"abc"
    assert await read_answer(answer(201, b"abc"), 3, UNUSABLE, fine=(200, 201)) == b"abc"


@pytest.mark.parametrize("read", [body_of, read_answer])
async def test_nothing_is_read_further_than_the_bound(read: object) -> None:
    with pytest.raises(Upstream) as caught:
        await read(answer(200, b"ab", b"cd"), 3, UNUSABLE)  # type: ignore[operator]
    assert caught.value is UNUSABLE


async def test_a_problem_keeps_its_words_and_kind_and_is_told_of_as_of_who_answered() -> None:
    with pytest.raises(NotFound) as caught:
        await read_answer(answer(404, encode(GONE.members())), 3, UNUSABLE)
    assert (caught.value.code, caught.value.what.en, caught.value.peer) == (
        "gone",
        "Gone.",
        "Gemeente Voorbeeld",
    )


async def test_a_status_that_was_not_asked_for_is_no_answer() -> None:
    with pytest.raises(Upstream):
        await read_answer(answer(201, b"abc"), 3, UNUSABLE)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"title":"no status"}'])
async def test_what_is_no_problem_is_told_of_as_no_answer(body: bytes) -> None:
    assert await problem_from(answer(404, body), UNUSABLE) is UNUSABLE


async def test_a_problem_is_not_read_without_end() -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1024
            yield b" " * 1024

    with pytest.raises(Problem) as caught:
        await problem_from(Answer(404, {}, endless()), UNUSABLE)
    assert caught.value is UNUSABLE
    assert read < 1024 * 1024

"""The link of a node without a group: itself in this process, and nobody else."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sluis.crypto import Peer
from sluis.gateway import OwnLink
from sluis.kernel import PeerId, Text, Unkept, Upstream
from sluis.web import CROSSED

OWN, OTHER = PeerId("00000001001000001000"), PeerId("00000001826002785000")
NAMES = {OTHER: "UWV (fictief)"}

App = Callable[[Any, Any, Any], Awaitable[None]]


def link(app: App) -> OwnLink:
    made = OwnLink(Peer(OWN, "Gemeente (fictief)"), NAMES)
    made.node = app
    return made


async def ask(
    to: OwnLink, path: str = "/v1/x", body: bytes = b"", seconds: float = 5, **more: Any
) -> tuple[Any, bytes]:
    async with to.send(OWN, "POST", path, {"X-Given": "seen"}, body, seconds, **more) as answer:
        return answer, b"".join([piece async for piece in answer.body])


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Says what it was asked."""
    message = await receive()
    told = (
        f"{scope['method']} {scope['path']} ? {scope['query_string'].decode()} : ".encode() + message["body"]
    )
    headers = [header for header in scope["headers"] if header[0] == b"x-given"]
    await send({"type": "http.response.start", "status": 201, "headers": [*headers, (b"X-Case", b"1")]})
    for piece in (told[:5], b"", told[5:]):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def never(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError("nobody was to be asked")


async def test_a_request_and_its_answer_go_through_whole() -> None:
    answer, body = await ask(link(echo), "/v1/x?a=b", b"question")
    assert (answer.status, answer.headers) == (201, {"x-given": "seen", "x-case": "1"})
    assert body == b"POST /v1/x ? a=b : question"


async def test_the_node_knows_its_caller_as_itself_and_not_as_a_person() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["extensions"])
        await echo(scope, receive, send)

    await ask(link(app))
    [extensions] = seen
    assert extensions[CROSSED].peer.id == OWN
    assert set(extensions) == {CROSSED}


async def test_another_is_not_reached_and_the_way_there_is_told() -> None:
    with pytest.raises(Upstream) as problem:
        async with link(never).send(OTHER, "GET", "/v1/node", {}, b"", 5):
            pass
    assert (problem.value.code, problem.value.peer, problem.value.retry) == (
        "in-no-group",
        NAMES[OTHER],
        False,
    )
    assert "sluis join" in problem.value.next.nl
    assert "sluis join" in problem.value.next.en


async def test_nothing_is_asked_before_what_must_be_done_is_done() -> None:
    order: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        order.append("asked")
        await echo(scope, receive, send)

    async def recorded() -> None:
        await asyncio.sleep(0)
        order.append("recorded")

    await ask(link(app), ready=recorded())
    assert order == ["recorded", "asked"]


async def test_what_could_not_be_done_first_comes_back_and_nothing_is_asked() -> None:
    async def full() -> None:
        text = Text("Vol.", "Full.")
        raise Unkept("disk-full", text, text, text)

    with pytest.raises(Unkept):
        await ask(link(never), ready=full())


async def test_an_answer_streams_while_it_is_made_and_waits_for_its_reader() -> None:
    made = 0

    async def app(scope: Any, receive: Any, send: Any) -> None:
        nonlocal made
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for made in range(1, 101):
            await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": made < 100})

    async with link(app).send(OWN, "GET", "/v1/x", {}, b"", 5) as answer:
        await asyncio.sleep(0.01)
        assert 0 < made < 10
        assert sum([len(piece) async for piece in answer.body]) == 100_000


@pytest.mark.parametrize("begun", [True, False])
@pytest.mark.parametrize("fails", [True, False])
async def test_an_answer_that_breaks_off_is_no_answer(begun: bool, fails: bool) -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if begun:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"half", "more_body": True})
        if fails:
            raise ValueError

    with pytest.raises(Upstream) as problem:
        await ask(link(app))
    assert (problem.value.code, problem.value.retry) == ("peer-broke-off", True)


@pytest.mark.parametrize("begun", [True, False])
async def test_what_takes_too_long_is_given_up_and_ended(begun: bool) -> None:
    ended = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            if begun:
                await send({"type": "http.response.start", "status": 200, "headers": []})
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(Upstream) as problem:
        await ask(link(app), seconds=0.02)
    assert (problem.value.code, problem.value.retry) == ("peer-too-slow", True)
    assert ended.is_set()


async def test_who_leaves_ends_the_work_and_keeps_what_it_raised() -> None:
    ended = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while True:
                await send({"type": "http.response.body", "body": b"x", "more_body": True})
        finally:
            ended.set()

    with pytest.raises(TimeoutError):
        async with link(app).send(OWN, "GET", "/v1/x", {}, b"", 5):
            raise TimeoutError
    assert ended.is_set()

"""Answers that are sent as they come."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from litestar import Response
from litestar.response import Stream

from sluis.web import streamed


async def chunks(*given: bytes, then: Exception | None = None) -> AsyncIterator[bytes]:
    for chunk in given:
        yield chunk
    if then is not None:
        raise then


async def sent(response: Response[Any]) -> list[bytes]:
    assert isinstance(response, Stream)
    iterator: Any = response.iterator
    return [chunk async for chunk in iterator]


@pytest.mark.parametrize("given", [(), (b"whole",)])
async def test_an_answer_of_one_chunk_is_no_stream(given: tuple[bytes, ...]) -> None:
    response = await streamed(chunks(*given), "text/plain")
    assert not isinstance(response, Stream)
    assert response.content == b"".join(given)


async def test_a_longer_answer_streams_every_chunk_in_order() -> None:
    response = await streamed(chunks(b"a", b"b", b"c"), "text/plain")
    assert await sent(response) == [b"a", b"b", b"c"]


async def test_what_goes_wrong_after_one_chunk_is_no_answer_at_all() -> None:
    with pytest.raises(OSError, match="source"):
        await streamed(chunks(b"a", then=OSError("source")), "text/plain")


async def test_what_goes_wrong_later_breaks_the_stream_off() -> None:
    response = await streamed(chunks(b"a", b"b", then=OSError("source")), "text/plain")
    with pytest.raises(OSError, match="source"):
        await sent(response)

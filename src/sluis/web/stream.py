"""Answers that are sent as they come."""

from collections.abc import AsyncIterator
from typing import Any

from litestar import Response
from litestar.response import Stream


async def streamed(chunks: AsyncIterator[bytes], media_type: str) -> Response[Any]:
    """A response of these chunks, sent one by one; when there is only one, at once and with its length.

    Streaming listens for a caller who goes away, in a task of its own, and writes each chunk by itself: half a
    millisecond that a small answer need not spend. One chunk is always held in hand.

    Raises what `chunks` raises before the second chunk: the caller then gets that problem instead of an answer.
    """
    first = await anext(chunks, b"")
    second = await anext(chunks, None)
    if second is None:
        return Response(first, media_type=media_type)
    return Stream(_joined(first, second, chunks), media_type=media_type)


async def _joined(first: bytes, second: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    yield second
    async for chunk in rest:
        yield chunk

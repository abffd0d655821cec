"""One request that is at hand whole, and its answer: what the node asks for itself, of inways and Managers.

What a general client does besides (redirects, cookies, compression, proxies, retries) nodes do not want.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from types import TracebackType

from sluis.gateway.forward import Target
from sluis.gateway.streams.kept import Streams
from sluis.gateway.streams.stream import Stream, head_of


class Exchange:
    """A connection held for one request. Entering finds one and sends nothing yet; leaving gives it back.

    Args:
        streams: connections.
        target: whom to ask.
        seconds: until the last byte of the answer, counted from entering.

    Attributes:
        status: of the answer.
        headers: of the answer, names in lower case; of what is there twice, the last.

    Entering raises `OSError` when nobody answers there, or not the one who should.
    """

    status: int
    headers: Mapping[str, str]

    def __init__(self, streams: Streams, target: Target, seconds: float) -> None:
        self._streams, self._target, self._seconds = streams, target, seconds
        self._stream: Stream

    async def __aenter__(self) -> "Exchange":
        self._by = asyncio.get_running_loop().time() + self._seconds
        self._stream = await self._streams.open(self._target, by=self._by)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._streams.release(self._target, self._stream)

    async def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> None:
        """Send the request and read the head of its answer. Raises `OSError`; `ValueError` for what is no request."""
        stream = self._stream
        request = _written(method, self._target.authority, path, headers, body)
        stream.begin(request, method == "HEAD", True, self._by)
        await stream.head()
        self.status = stream.status
        self.headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in stream.headers}

    async def body(self) -> AsyncIterator[bytes]:
        """The body of the answer as it comes in. Raises `OSError`."""
        while piece := await self._stream.read():
            yield piece


def _written(method: str, authority: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [f"{name}: {value}".encode("latin-1") for name, value in headers.items()]
    if body or method == "POST":
        lines.append(b"content-length: %d" % len(body))
    return head_of(method, path, authority, lines) + body

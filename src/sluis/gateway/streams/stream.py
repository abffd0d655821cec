"""A connection, and the request that is under way on it: one at a time, bodies streaming both ways.

The parser is llhttp, by way of httptools, as on the other end. Nothing waits for ever and nothing piles up: a connection
on which nothing moves is given up, the peer has to wait while its answer is not read, and whoever writes has to wait
while the peer does not read.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Sequence

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from sluis.gateway.streams.failures import Broken, OnlyHttp2

HEAD_LIMIT = 64 * 1024
"""Bytes of header names and values together; an answer with more is none."""

STALLED = 60.0
"""Seconds in which nothing comes and nothing goes."""

_BUFFER = 256 * 1024  # bytes of an answer that wait for their reader before the peer has to wait
_KEEP = 60.0  # seconds; below the 75 after which a node closes an idle connection, so that none is lost in between
_LOOK = 5.0  # seconds between two looks at what a connection does


class Stream(asyncio.Protocol):
    """A connection, and the request that is under way on it.

    Attributes:
        status: of the answer that is coming in.
        headers: of that answer, in their order, names in lower case.
        fresh: whether nothing was sent over it before this request.
        certificate: the one at the other end, DER; None without TLS.
        context: what TLS was set up with; None without TLS.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._failure: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._moved = self._loop.time()
        self._busy = False
        self._deadline: asyncio.TimerHandle | None = None
        self.fresh = True
        self.certificate: bytes | None = None
        self.context: ssl.SSLContext | None = None
        self._reset(bodiless=False)
        self._whole = self._sent = True

    def _reset(self, bodiless: bool) -> None:
        self._parser = HttpResponseParser(self)
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._head_size = 0
        self._begun = self._headed = self._whole = self._sent = self._paused = self._framed = False
        self._bodiless = bodiless
        self._chunks: deque[bytes] = deque()
        self._held = 0

    @property
    def reusable(self) -> bool:
        """Whether request and answer ended well and another request may follow."""
        return self._failure is None and self._whole and self._sent and not self._chunks

    @property
    def whole(self) -> bool:
        """Whether all of the answer is here or was read."""
        return self._whole

    def begin(self, head: bytes, bodiless: bool, ends: bool, by: float | None = None) -> None:
        """Send the head of a request.

        Args:
            head: request line and headers, with the empty line, and what is at hand of the body.
            bodiless: whether no answer to it has a body (HEAD).
            ends: whether nothing of the body is still to come.
            by: seconds of the loop's clock; the last byte of the answer must be there by then. Without, it takes as long
                as something moves.

        Raises `OSError` when the connection ended meanwhile; nothing was sent then.
        """
        if self._failure is not None:
            raise self._failure
        self._reset(bodiless)
        self._sent, self._busy = ends, True
        self._moved = self._loop.time()
        if by is not None:
            self._deadline = self._loop.call_at(by, self._fail, TimeoutError())
        self._transport.write(head)

    async def write(self, data: bytes, ends: bool) -> None:
        """Send a piece of the body, and wait while the other end does not read. Raises `OSError`."""
        if self._failure is not None:
            raise self._failure
        self._transport.write(data)
        self._moved = self._loop.time()
        self._sent = ends
        if self._drained is not None:
            await self._drained
            if self._failure is not None:
                raise self._failure

    async def head(self) -> None:
        """Wait for the head of the answer. Raises `OSError`."""
        while not self._headed:
            await self._news()

    async def read(self) -> bytes:
        """The next piece of the answer's body; empty at its end. Raises `OSError`."""
        while not self._chunks:
            if self._whole:
                return b""
            await self._news()
        piece = self._chunks.popleft() if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._held = 0
        if self._paused and self._failure is None:
            self._paused = False
            self._transport.resume_reading()
        return piece

    def end(self) -> bool:
        """The request is done with; gives whether the connection can take another, and closes it otherwise."""
        self._busy = False
        if self.reusable:
            self.fresh = False
            return True
        self.close()
        return False

    def close(self) -> None:
        """End the connection, whatever is going on."""
        self._fail(Broken("closed"))

    async def _news(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, failure: BaseException) -> None:
        if self._failure is None:
            self._failure = failure
            self._end_timers()
            self._transport.abort()
            self._wake()
            self.resume_writing()

    def _end_timers(self) -> None:
        self._timer.cancel()
        self._in_time()

    def _in_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _look(self) -> None:
        """Give up a connection on which nothing moves: one look each few seconds costs less than a timer a request."""
        still = self._loop.time() - self._moved
        if self._deadline is None and still > (STALLED if self._busy else _KEEP):
            self._fail(TimeoutError())
        else:
            self._timer = self._loop.call_later(_LOOK, self._look)

    # What the transport calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport
        tls = transport.get_extra_info("ssl_object")
        self.certificate = None if tls is None else tls.getpeercert(binary_form=True)
        self._timer = self._loop.call_later(_LOOK, self._look)

    def data_received(self, data: bytes) -> None:
        if self._whole:  # nobody asked
            self._fail(_no_answer(data, "unsolicited"))
            return
        self._moved = self._loop.time()
        # The parser skips empty lines in front. nginx, as an inway, passes on an answer that begins so as it is, and after
        # it takes more requests: what the service says next would be the answer to one of these.
        if not self._begun and not data.startswith(b"H"):
            self._fail(_no_answer(data, "not HTTP"))
            return
        self._begun = True
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._fail(Broken("not HTTP"))
        self._wake()

    def connection_lost(self, failure: Exception | None) -> None:
        if failure is None and self._headed and not self._framed and not self._whole:
            self._whole = True  # an answer without length ends with the connection
            self._failure = Broken("closed")
            self._end_timers()
            self._wake()
            self.resume_writing()
        else:
            self._fail(failure if isinstance(failure, ssl.SSLError) else Broken("lost"))

    def pause_writing(self) -> None:
        if self._drained is None:
            self._drained = self._loop.create_future()

    def resume_writing(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None and not drained.done():
            drained.set_result(None)

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._headed:
            raise Broken("two answers")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value)
        if self._head_size > HEAD_LIMIT:
            raise Broken("head too large")
        if not self._headed:  # behind the body it is a trailer, and no header (RFC 9110 §6.5.1)
            self.headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status >= 600:
            raise Broken("no status")
        self._headed = self.status >= 200  # those below announce another (RFC 9110 §15.2)
        if self._headed:
            self._framed = any(name in _FRAMING for name, _ in self.headers)
            if self._bodiless:
                self._end_answer()

    def on_body(self, chunk: bytes) -> None:
        if self._bodiless:
            raise Broken("a body that cannot be")
        self._chunks.append(chunk)
        self._held += len(chunk)
        if self._held > _BUFFER and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        if not self._headed:
            self.headers.clear()
        elif not self._whole:
            self._end_answer()

    def _end_answer(self) -> None:
        self._whole = True
        self._in_time()
        if not self._parser.should_keep_alive():
            self._failure = Broken("closed")
            self._timer.cancel()
            self._transport.close()


_FRAMING = frozenset({b"content-length", b"transfer-encoding"})


def head_of(method: str, path: str, authority: str, lines: Sequence[bytes]) -> bytes:
    """The head of a request, with the empty line.

    Args:
        method: HTTP method.
        path: the request target.
        authority: host and port, for `Host`.
        lines: the other headers, each `name: value`.

    Raises `ValueError` for what would end a line, or the path, before its end.
    """
    first = f"{method} {path} HTTP/1.1\r\nhost: {authority}".encode("latin-1")
    head = b"\r\n".join((first, *lines))
    ends = len(lines) + 1
    if (head.count(b"\r"), head.count(b"\n")) != (ends, ends) or b"\0" in head or path.count(" "):
        raise ValueError("a line of a request may not be broken")
    return head + b"\r\n\r\n"


def _no_answer(data: bytes, cause: str) -> Broken:
    """What came instead of an answer; a server that speaks HTTP/2 begins with SETTINGS (RFC 9113 §3.4)."""
    settings = data[3:4] == b"\4" and data[5:9] == bytes(4)
    return OnlyHttp2("SETTINGS") if settings else Broken(cause)

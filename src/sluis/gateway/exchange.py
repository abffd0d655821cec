"""One connection to a peer, and the exchanges over it, one at a time: HTTP/1.1 (RFC 9112) as nodes speak it.

The parser is llhttp, by way of httptools, as on the other end. What a general client does besides (redirects,
cookies, compression, proxies, retries) nodes do not want, and it would cost four times as much processor time as
the exchange itself.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator
from functools import cached_property

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

HEAD_LIMIT = 64 * 1024
"""Bytes of header names and values together; an answer with more is none."""

_BUFFER = 256 * 1024
"""Bytes of an answer that wait for their reader before the peer has to wait."""


class Broken(OSError):
    """The connection ended before the answer did, or what came over it is no HTTP."""


class Connection(asyncio.Protocol):
    """A connection to a peer.

    Attributes:
        status: of the answer that is coming in.
        idle_since: seconds of the loop's clock; when the last exchange ended.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._failure: BaseException | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._reset()
        self._whole = True
        self.idle_since = self._loop.time()

    def _reset(self) -> None:
        self._parser = HttpResponseParser(self)
        self.status = 0
        self._fields: list[tuple[bytes, bytes]] = []
        self._head_size = 0
        self._headed = self._whole = self._keep = self._paused = False
        self._chunks: deque[bytes] = deque()
        self._held = 0

    @property
    def headers(self) -> dict[str, str]:
        """Of the answer that is coming in, names in lower case; of what is there twice, the last."""
        return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in self._fields}

    @property
    def reusable(self) -> bool:
        """Whether the last exchange ended well and another may follow."""
        return self._failure is None and self._whole and not self._chunks

    @property
    def alive(self) -> bool:
        """Whether the connection is still there."""
        return self._failure is None

    @cached_property
    def certificate(self) -> bytes | None:
        """The peer's certificate, DER: one for as long as the connection lasts, for nodes do not renegotiate."""
        der: bytes | None = self._transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
        return der

    async def send(self, request: bytes, deadline: float) -> None:
        """Send a request and wait for the head of its answer.

        Args:
            request: head and body.
            deadline: seconds of the loop's clock; the answer's last byte must be there by then.

        Raises `OSError`: `TimeoutError`, `ssl.SSLError` when the peer does not trust this node, else `Broken`.
        """
        self._reset()
        self._timer = self._loop.call_at(deadline, self._fail, TimeoutError())
        self._transport.write(request)
        while not self._headed:
            await self._news()

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes in. Raises as `send`."""
        while True:
            if self._chunks:
                whole = b"".join(self._chunks)
                self._chunks.clear()
                self._held = 0
                self._resume()
                yield whole
            elif self._whole:
                return
            else:
                await self._news()

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

    def _resume(self) -> None:
        if self._paused and self._failure is None:
            self._paused = False
            self._transport.resume_reading()

    def _fail(self, failure: BaseException) -> None:
        if self._failure is None:
            self._failure = failure
            self._end_timer()
            self._transport.abort()
            self._wake()

    def _end_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # What the transport calls.

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._whole:  # nobody asked
            self._fail(Broken("unsolicited"))
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._fail(Broken("not HTTP"))
        self._wake()

    def connection_lost(self, failure: Exception | None) -> None:
        until_end = self._headed and not {"content-length", "transfer-encoding"} & self.headers.keys()
        if failure is None and until_end:
            self._whole, self._failure = True, Broken("closed")  # this answer is whole; another cannot follow
            self._end_timer()
            self._wake()
        else:
            self._fail(failure if isinstance(failure, ssl.SSLError) else Broken("lost"))

    # What the parser calls.

    def on_message_begin(self) -> None:
        if self._headed:
            raise Broken("two answers")

    def on_header(self, name: bytes, value: bytes) -> None:
        self._head_size += len(name) + len(value)
        if self._head_size > HEAD_LIMIT:
            raise Broken("head too large")
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self._headed = self.status >= 200  # those below announce another (RFC 9110 §15.2)

    def on_body(self, chunk: bytes) -> None:
        self._chunks.append(chunk)
        self._held += len(chunk)
        if self._held > _BUFFER and not self._paused:
            self._paused = True
            self._transport.pause_reading()

    def on_message_complete(self) -> None:
        if not self._headed:
            self._fields.clear()
            return
        self._whole = True
        self._end_timer()
        self.idle_since = self._loop.time()
        if not self._parser.should_keep_alive():
            self._failure = Broken("closed")
            self._transport.close()

"""Connections that a plane forwards over: HTTP/1.1 (RFC 9112), one request at a time, bodies streaming both ways.

`exchange` sends a request that it has whole and reads headers into a dict; a gateway has neither the body at hand nor
the right to merge headers. What both do alike is how the parser (llhttp, by way of httptools) is fed.

Nothing waits for ever and nothing piles up: a connection on which nothing moves is given up, the peer has to wait while
its answer is not read, and whoever writes has to wait while the peer does not read.
"""

import asyncio
import ssl
from collections import deque
from collections.abc import Callable

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from sluis.gateway.clientcerts import ClientContexts
from sluis.gateway.exchange import HEAD_LIMIT, Broken
from sluis.gateway.forward import Target
from sluis.gateway.pool import RevokedPeer, Unreachable, WrongPeer, speaks_for
from sluis.kernel import PeerId

FAILURES = (OSError,)
"""What a request, or reading its answer, can fail with; `TimeoutError` and `ssl.SSLError` are among them."""

_BUFFER = 256 * 1024  # bytes of an answer that wait for their reader before the peer has to wait
_STALLED = 60.0  # seconds in which nothing comes and nothing goes
_KEEP = 60.0  # seconds; below the 75 after which a node closes an idle connection, so that none is lost in between
_CONNECT = 5.0  # seconds
_LOOK = 5.0  # seconds between two looks at what a connection does
_PER_TARGET = 200  # connections; a node takes 256 of one certificate


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

    def begin(self, head: bytes, bodiless: bool, ends: bool) -> None:
        """Send the head of a request.

        Args:
            head: request line and headers, with the empty line.
            bodiless: whether no answer to it has a body (HEAD).
            ends: whether the request has no body.

        Raises `OSError` when the connection ended meanwhile; nothing was sent then.
        """
        if self._failure is not None:
            raise self._failure
        self._reset(bodiless)
        self._sent, self._busy = ends, True
        self._moved = self._loop.time()
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
            self._timer.cancel()
            self._transport.abort()
            self._wake()
            self.resume_writing()

    def _look(self) -> None:
        """Give up a connection on which nothing moves: one look each few seconds costs less than a timer a request."""
        if self._loop.time() - self._moved > (_STALLED if self._busy else _KEEP):
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
            self._fail(Broken("unsolicited"))
            return
        self._moved = self._loop.time()
        # The parser skips empty lines in front. nginx, as an inway, passes on an answer that begins so as it is, and after
        # it takes more requests: what the service says next would be the answer to one of these.
        if not self._begun and not data.startswith(b"H"):
            self._fail(Broken("not HTTP"))
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
            self._timer.cancel()
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
        if not self._parser.should_keep_alive():
            self._failure = Broken("closed")
            self._timer.cancel()
            self._transport.close()


class _Place:
    """The connections to one target: how many are under way, which are free, and who waits for one to end."""

    def __init__(self) -> None:
        self.free: list[Stream] = []
        self._busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def enter(self) -> None:
        """Wait until one more may be under way. Raises `TimeoutError`."""
        if self._busy < _PER_TARGET:
            self._busy += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(_STALLED):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # it was this one's turn, just too late
                self.leave()
            raise

    def leave(self) -> None:
        """One is no longer under way: whoever waits longest is next."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._busy -= 1


class Streams:
    """Connections to inways and services, kept open.

    Args:
        peers: for TLS to peers, with this node's certificate; None where none are reached.
        services: makes what TLS to services of our own needs, when the first is reached; None where none are.
        revoked: whether a certificate (DER) was revoked, also after it was connected to.
    """

    def __init__(
        self,
        peers: ssl.SSLContext | None = None,
        services: Callable[[], ssl.SSLContext] | None = None,
        revoked: Callable[[bytes], bool] = lambda certificate: False,
    ) -> None:
        self._peers, self._make_services, self._revoked = peers, services, revoked
        self._services: ssl.SSLContext | None = None
        self._clients = ClientContexts(services) if services is not None else None
        self._places: dict[Target, _Place] = {}
        self._all: set[Stream] = set()

    async def open(self, target: Target, fresh: bool = False) -> Stream:
        """A connection over which nothing is under way; give it back with `release`, whatever happens.

        Args:
            target: where to.
            fresh: whether one that was kept open will not do.

        Raises:
            OSError: nobody answers there, or not the one who should, or this side has nothing to show (`Unshown`).
                Nothing was sent.
        """
        place = self._places.get(target)
        if place is None:
            place = self._places[target] = _Place()
        await place.enter()
        try:
            return (None if fresh else self._free(place, target)) or await self._connected(target)
        except BaseException:
            place.leave()
            raise

    def release(self, target: Target, stream: Stream) -> None:
        """Give a connection back; one whose answer was not read to its end is closed."""
        place = self._places[target]
        if stream.end():
            place.free.append(stream)
        else:
            self._all.discard(stream)
        place.leave()

    def renew(self, peers: ssl.SSLContext) -> None:
        """Show this node's new certificate from now on: tokens are bound to it, so no connection that showed the one
        before takes another request. What is under way ends in its own time."""
        self._peers = peers

    def close(self) -> None:
        """Close every connection."""
        for stream in self._all:
            stream.close()
        self._all.clear()

    def _context(self, target: Target) -> ssl.SSLContext | None:
        if not target.tls:
            return None
        if target.peer is not None:
            return self._peers
        if target.shows and self._clients is not None:
            return self._clients.get(target.shows)
        if self._services is None and self._make_services is not None:
            self._services = (
                self._make_services()
            )  # every authority of this machine: long to read, seldom needed
        return self._services

    def _free(self, place: _Place, target: Target) -> Stream | None:
        """The free connection that was used last, if it is still good."""
        while place.free:
            stream = place.free.pop()
            if stream.reusable and stream.context is self._context(target):
                certificate = stream.certificate
                if certificate is None or not self._revoked(certificate):
                    return stream
            stream.close()
            self._all.discard(stream)
        return None

    async def _connected(self, target: Target) -> Stream:
        loop = asyncio.get_running_loop()
        context = self._context(target)
        name = target.host if context else None
        if target.tls and context is None:
            raise Unreachable("no TLS here")
        try:
            async with asyncio.timeout(_CONNECT):
                _, stream = await loop.create_connection(
                    Stream, target.host, target.port, ssl=context, server_hostname=name
                )
        except (TimeoutError, ssl.SSLError):
            raise
        except OSError as failure:
            raise Unreachable(*failure.args) from None
        stream.context = context
        self._all.add(stream)
        self._check(stream, target.peer)
        return stream

    def _check(self, stream: Stream, peer: PeerId | None) -> None:
        """Make sure who is at the other end, before a byte of a request leaves."""
        if peer is None:
            return
        certificate = stream.certificate
        if certificate is not None and speaks_for(certificate, peer) and not self._revoked(certificate):
            return
        stream.close()
        self._all.discard(stream)
        raise WrongPeer if certificate is None or not speaks_for(certificate, peer) else RevokedPeer


_FRAMING = frozenset({b"content-length", b"transfer-encoding"})

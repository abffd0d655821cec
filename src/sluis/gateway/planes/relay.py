"""One request of the in-process plane on its way: there, and its answer back, both as they come."""

import asyncio
import random
import ssl

from sluis.gateway.clientcerts import Unshown
from sluis.gateway.faults import OUTWAY
from sluis.gateway.forward import INSTEAD, Forward, Target
from sluis.gateway.meter import Meter
from sluis.gateway.planes.apps import Receive, Send
from sluis.gateway.planes.head import ASKED_TRANSACTION, CONNECTION, HARMLESS, Head
from sluis.gateway.streams import FAILURES, RevokedPeer, Stream, Streams, WrongPeer
from sluis.gateway.transactions import Write, durable
from sluis.kernel import PeerId

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})  # RFC 9110 §9.2.2
_PAUSE = 0.1  # seconds before the second attempt, at most; half of it by lot, and more before the third
_PATIENCE = 0.05  # seconds before somebody looks whether the caller is still there

_INSTEAD = INSTEAD.encode()
_BODILESS = frozenset({204, 304})
_NOT_BACK = CONNECTION | {ASKED_TRANSACTION, _INSTEAD, b"date"}  # the listener says the date itself
_LASTING = (WrongPeer, RevokedPeer, Unshown, ssl.SSLError)


class Relay:
    """One request on its way: there, and its answer back.

    Args:
        streams: connections.
        meter: counts.
        head: of the request.
        forward: what was decided.
        receive: from the caller, ASGI.
        send: to the caller, ASGI.
        write: writes its line, if that is still to be done: once there is a connection, so that what could not leave
            has none, and before anything is sent.

    Attributes:
        peer: whose inway it goes to.
        transaction_id: of the request.
        recorded: whether its line was written here.
        answered: whether the head of an answer came.
        code: its `Fsc-Error-Code`, of an inway that refused; else empty.
        harmless: after a failure, whether the request may go elsewhere: nothing of it was sent, or it may be repeated.
    """

    code = b""

    def __init__(
        self,
        streams: Streams,
        meter: Meter,
        head: Head,
        forward: Forward,
        receive: Receive,
        send: Send,
        write: Write | None = None,
    ) -> None:
        self._streams, self._meter, self._head, self._forward = streams, meter, head, forward
        self._receive, self._send, self._write = receive, send, write
        self._stream: Stream | None = None
        self._target = forward.target
        self._minder: asyncio.Task[None] | None = None
        self._gone = self._sent = self.recorded = self.answered = False

    async def run(self) -> int:
        """Carry the request over and the answer back; gives its status, 0 when the caller went away.

        Raises `OSError` when no answer came. One that breaks off half-way ends without being whole.
        """
        timer = None
        if self._head.bodiless:
            timer = asyncio.get_running_loop().call_later(_PATIENCE, self._mind)
        try:
            stream = await self._reach()
            self.answered = True
            await self._bring(stream)
            return stream.status
        except FAILURES:
            if self._gone or self.answered:
                return 0
            raise
        finally:
            if timer is not None:
                timer.cancel()
            if self._minder is not None:
                self._minder.cancel()
            self._let_go()

    async def _reach(self) -> Stream:
        """Send the request until an answer begins: again, or to the alternative, when that can do no harm."""
        others = [self._forward.alternative or self._forward.target, self._forward.target]
        fresh = False
        for attempt, other in enumerate(others, 1):
            try:
                return await self._try(fresh)
            except FAILURES as failure:
                stale = self._stream is not None and not self._stream.fresh
                self._let_go()
                if not self._may_try_again(failure, other):
                    raise
                self._target, fresh = other, stale
                if not stale:
                    await asyncio.sleep(_PAUSE * attempt * random.uniform(0.5, 1))  # noqa: S311
        return await self._try(fresh)

    @property
    def peer(self) -> PeerId | None:
        return self._forward.target.peer

    @property
    def transaction_id(self) -> str:
        return self._forward.transaction_id

    @property
    def harmless(self) -> bool:
        return not self._gone and (
            not self._sent or (self._head.bodiless and self._head.method in _REPEATABLE)
        )

    def _may_try_again(self, failure: BaseException, other: Target) -> bool:
        if not self.harmless or (isinstance(failure, _LASTING) and other is self._target):
            return False
        return not self._sent or not isinstance(failure, TimeoutError)

    async def _try(self, fresh: bool) -> Stream:
        stream = self._stream = await self._streams.open(self._target, fresh)
        bodiless = self._head.bodiless
        head = self._head.written(self._forward, self._target)
        if self._write is not None:
            write, self._write = self._write, None
            await durable(write(), OUTWAY)
            self.recorded = True
        stream.begin(head, self._head.method == "HEAD", bodiless)
        self._sent = True
        if not bodiless:
            self._mind()
        await stream.head()
        return stream

    async def _bring(self, stream: Stream) -> None:
        """The answer, as it comes."""
        headers = [header for header in stream.headers if header[0] not in _NOT_BACK]
        headers.append((ASKED_TRANSACTION, self._forward.transaction_id.encode()))
        named = {
            one.strip().lower()
            for name, value in stream.headers
            if name == b"connection"
            for one in value.split(b",")
        }
        if named - HARMLESS:
            headers = [header for header in headers if header[0] not in named]
        if stream.status in _BODILESS:  # such an answer may say a length that nothing comes of
            headers = [header for header in headers if header[0] != b"content-length"]
        if self._forward.instead:
            headers.append((_INSTEAD, self._forward.instead.encode()))
        if stream.status >= 400:
            self.code = dict(headers).get(b"fsc-error-code", b"")
        await self._send({"type": "http.response.start", "status": stream.status, "headers": headers})
        more = True
        while more:
            piece = await stream.read()
            more = not stream.whole
            self._meter.downward += len(piece)
            await self._send({"type": "http.response.body", "body": piece, "more_body": more})

    def _mind(self) -> None:
        if self._minder is None:
            self._minder = asyncio.get_running_loop().create_task(self._look_after_caller())

    async def _look_after_caller(self) -> None:
        """Send on what the caller still has to say, and end it all when the caller goes away."""
        more = True
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._gone = True
                if self._stream is not None:
                    self._stream.close()
                return
            if more and not self._head.bodiless:
                more = message.get("more_body", False)
                try:
                    await self._pass_on(message.get("body", b""), not more)
                except FAILURES:
                    return  # whoever reads the answer meets it too

    async def _pass_on(self, piece: bytes, ends: bool) -> None:
        self._meter.upward += len(piece)
        if self._head.chunked:
            piece = (b"%x\r\n%b\r\n" % (len(piece), piece) if piece else b"") + (
                b"0\r\n\r\n" if ends else b""
            )
        if self._stream is not None and (piece or ends):
            await self._stream.write(piece, ends)

    def _let_go(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            self._streams.release(self._target, stream)

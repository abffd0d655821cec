"""The data plane inside the node's own process: ASGI in, kept HTTP/1.1 connections out, bodies streaming both ways.

For a node that should need nothing else installed; the nginx plane costs a third of the processor time. Both ask the
same `Inway` and `Outway`. What a gateway may change of a message is little (RFC 9110 §7.6): headers about one connection
go no further, `Host` is that of the target, and those that the decision sets replace what came under their names.
"""

import asyncio
import random
import ssl
import time
from collections.abc import Awaitable, Callable
from typing import Any

from sluis.gateway.clientcerts import UNSHOWN, Unshown
from sluis.gateway.faults import FscProblem, inway_fault, outway_fault
from sluis.gateway.forward import (
    AUTHORIZATION,
    GRANT,
    INSTEAD,
    TRANSACTION,
    Forward,
    Incoming,
    Outgoing,
    Target,
)
from sluis.gateway.inway import Inway, Line, durable
from sluis.gateway.meter import Meter
from sluis.gateway.outway import Outway, Write
from sluis.gateway.outway import durable as recorded
from sluis.gateway.planes.apps import App, Callers, refuse
from sluis.gateway.planes.stream import FAILURES, Stream, Streams
from sluis.gateway.pool import RevokedPeer, Unreachable, WrongPeer
from sluis.gateway.tokens import Recent
from sluis.kernel import PeerId, Text
from sluis.web import CROSSED, LINE

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})  # RFC 9110 §9.2.2
_ATTEMPTS = 3
_PAUSE = 0.1  # seconds before the second attempt, at most; half of it by lot, and more before the third
_TOGETHER = 0.02  # seconds in which the node's own records come, as a rule
_PATIENCE = 0.05  # seconds before somebody looks whether the caller is still there

_AUTHORIZATION, _TRANSACTION, _GRANT = (name.encode() for name in (AUTHORIZATION, TRANSACTION, GRANT))
_ASKED = frozenset({_AUTHORIZATION, _TRANSACTION, _GRANT})
_CONNECTION = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization",
        b"te", b"trailer", b"transfer-encoding", b"upgrade",
    }
)  # fmt: skip
_NOT_ON = _CONNECTION | _ASKED | {b"host", b"content-length", b"expect"}
_INSTEAD = INSTEAD.encode()
_NOT_BACK = _CONNECTION | {_TRANSACTION, _INSTEAD, b"date"}  # the listener says the date itself


class _Head:
    """What a plane has to know of a request's head, and what of it goes on."""

    def __init__(self, scope: Scope) -> None:
        self.method: str = scope["method"]
        query = scope["query_string"]
        path = scope["raw_path"] + b"?" + query if query else scope["raw_path"]
        self.path: str = path.decode("latin-1")
        self.asked: dict[bytes, str] = {}
        self.length: bytes | None = None
        self.chunked = False
        self.lines: list[bytes] = []
        named = frozenset[bytes]()
        for name, value in scope["headers"]:
            if name not in _NOT_ON:
                if b"_" not in name or not _like_ours(name):
                    self.lines.append(name + b": " + value)
            elif name in _ASKED:  # said twice, it says neither
                text = value.decode("latin-1")
                self.asked[name] = f"{self.asked[name]}, {text}" if name in self.asked else text
            elif name == b"content-length":
                self.length = value
            elif name == b"transfer-encoding":
                self.chunked = True
            elif name == b"connection":
                named |= {one.strip().lower() for one in value.split(b",")}
        if named - _HARMLESS:
            self.lines = [line for line in self.lines if line.partition(b":")[0] not in named]

    @property
    def bodiless(self) -> bool:
        """Whether the request has no body."""
        return not self.chunked and self.length in (None, b"0")

    def written(self, forward: Forward, target: Target) -> bytes:
        """The head to send. Raises `ValueError` for what would end a line, or the path, before its end."""
        lines = [
            f"{self.method} {forward.path} HTTP/1.1\r\nhost: {target.authority}".encode("latin-1"),
            *self.lines,
        ]
        lines += [f"{name}: {value}".encode("latin-1") for name, value in forward.headers]
        if self.chunked:
            lines.append(b"transfer-encoding: chunked")
        elif self.length is not None:
            lines.append(b"content-length: " + self.length)
        head = b"\r\n".join(lines)
        if (head.count(b"\r"), head.count(b"\n")) != (len(lines), len(lines)) or b"\0" in head:
            raise ValueError("a line of a request may not be broken")
        if forward.path.count(" "):
            raise ValueError("a path may not be broken")
        return head + b"\r\n\r\n"


_BODILESS = frozenset({204, 304})
_HARMLESS = frozenset({b"close", b"keep-alive", b""})


def _like_ours(name: bytes) -> bool:
    """Whether a service might take this name for one of ours: many read `_` and `-` alike."""
    return name.replace(b"_", b"-") in _ASKED


class InwayPlane:
    """The inway as an ASGI app, for a listener that gives the client certificate in the TLS extension.

    Args:
        inway: decides.
        streams: to services.
        meter: counts.
        node: the API of the node itself, which is the service `sluis`; None when it is not offered.
    """

    def __init__(self, inway: Inway, streams: Streams, meter: Meter, node: App | None = None) -> None:
        self._inway, self._streams, self.meter = inway, streams, meter
        self._certificates = Recent[str, bytes]()
        self._callers = Callers()
        self._node = node

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI 3.0, HTTP."""
        await _counted(self._serve, self.meter, scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> int:
        head = _Head(scope)
        forward, line = self._inway.admit(
            Incoming(
                self._certificate(scope),
                head.method,
                head.path,
                head.asked.get(_AUTHORIZATION),
                head.asked.get(_TRANSACTION),
            )
        )
        if not forward.target.host and self._node is not None:
            return await self._here(self._node, scope, forward, line, receive, send)
        await durable(line())
        crossing = _Crossing(self._streams, self.meter, head, forward, receive, send)
        try:
            return await crossing.run()
        except FAILURES as failure:
            problem = inway_fault("ERROR_CODE_SERVICE_UNREACHABLE", _no_answer(failure))
            return await _refuse(problem, self.meter, send, forward.transaction_id)

    async def _here(
        self,
        node: App,
        scope: Scope,
        forward: Forward,
        line: Line,
        receive: Receive,
        send: Send,
    ) -> int:
        """A request for the node itself: nothing is sent, and who asks stands beside it.

        The line is written with the node's own records of the request, in one commit; without waiting for these when
        they take their time. Nothing of the answer leaves before it is there.
        """
        status = 0
        soon = asyncio.get_running_loop().call_later(_TOGETHER, line)

        async def passed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                await durable(line())
                status = message["status"]
                headers = (*message["headers"], (_TRANSACTION, forward.transaction_id.encode()))
                message = {**message, "headers": headers}
            await send(message)

        assert forward.grant is not None
        beside = {CROSSED: self._callers.of(forward.grant), LINE: line}
        try:
            await node({**scope, "extensions": beside}, receive, passed)
        finally:
            soon.cancel()
            written = line()
        if not status:
            await durable(written)  # says why nothing was answered
        return status

    def _certificate(self, scope: Scope) -> bytes:
        """The client certificate, DER; empty when there is none, which no peer has."""
        chain = scope["extensions"].get("tls", {}).get("client_cert_chain")
        if not chain:
            return b""
        pem = chain[0]
        return self._certificates.get(pem) or self._certificates.put(pem, ssl.PEM_cert_to_DER_cert(pem))


class OutwayPlane:
    """The outway as an ASGI app, for a listener that only programs of this organisation reach.

    Args:
        outway: decides.
        streams: to inways of peers.
        meter: counts.
    """

    def __init__(self, outway: Outway, streams: Streams, meter: Meter) -> None:
        self._outway, self._streams, self.meter = outway, streams, meter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI 3.0, HTTP."""
        await _counted(self._serve, self.meter, scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> int:
        head = _Head(scope)
        asked = Outgoing(head.method, head.path, head.asked.get(_GRANT), head.asked.get(_TRANSACTION))
        forward, write = await self._outway.admit(asked)
        while True:  # twice at most: an alternative has none
            crossing = _Crossing(self._streams, self.meter, head, forward, receive, send, write)
            try:
                status = await crossing.run()
                break
            except FAILURES as failure:
                self._outway.failed(forward.target.peer)
                other = await self._instead(forward, crossing)
                if other is None:
                    return await self._unreachable(forward, failure, send)
                forward, write = other
            finally:
                if crossing.recorded and (crossing.code or not crossing.answered):
                    self._outway.note(crossing.peer, crossing.transaction_id, crossing.code.decode("latin-1"))
        if crossing.answered:
            self._outway.answered(forward.target.peer)
        if status == 401 and crossing.code.startswith(b"ERROR_CODE_ACCESS_TOKEN_"):
            self._outway.refused(forward)
        return status

    async def _instead(self, forward: Forward, crossing: "_Crossing") -> tuple[Forward, Write] | None:
        """The alternative of a service that cannot be reached; None when that cannot be used either."""
        if not crossing.harmless:
            return None
        try:
            return await self._outway.admit_instead(forward, crossing.recorded)
        except FscProblem as problem:
            self.meter.refuse(problem.fsc_code)
            return None

    async def _unreachable(self, forward: Forward, failure: BaseException, send: Send) -> int:
        peer = str(forward.target.peer)
        problem = outway_fault("ERROR_CODE_PEER_UNREACHABLE", _no_answer(failure), peer=peer)
        return await _refuse(problem, self.meter, send, forward.transaction_id)


class _Crossing:
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
        head: _Head,
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
            await recorded(write())
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
        headers.append((_TRANSACTION, self._forward.transaction_id.encode()))
        named = {
            one.strip().lower()
            for name, value in stream.headers
            if name == b"connection"
            for one in value.split(b",")
        }
        if named - _HARMLESS:
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


async def _counted(
    serve: Callable[[Scope, Receive, Send], Awaitable[int]],
    meter: Meter,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    if scope["type"] != "http":
        return
    started, status = time.perf_counter(), 0
    try:
        status = await serve(scope, receive, send)
    except FscProblem as problem:
        status = await _refuse(problem, meter, send)
    finally:
        meter.count(status, time.perf_counter() - started)


async def _refuse(problem: FscProblem, meter: Meter, send: Send, transaction_id: str | None = None) -> int:
    """Answer with a problem; gives its status."""
    meter.refuse(problem.fsc_code)
    await refuse(problem, send, transaction_id)
    return problem.status


_LASTING = (WrongPeer, RevokedPeer, Unshown, ssl.SSLError)


def _no_answer(failure: BaseException) -> Text:
    if isinstance(failure, WrongPeer):
        return Text(
            "Op dat adres antwoordt een andere organisatie.", "Another organisation answers at that address."
        )
    if isinstance(failure, Unshown):
        return UNSHOWN
    if isinstance(failure, RevokedPeer | ssl.SSLError):
        return Text(
            "Een van beide certificaten wordt niet vertrouwd of is ingetrokken.",
            "One of the two certificates is not trusted, or was revoked.",
        )
    if isinstance(failure, TimeoutError):
        return Text("Het duurde te lang.", "It took too long.")
    if isinstance(failure, Unreachable):
        return Text("Daar antwoordt niemand.", "Nobody answers there.")
    return Text("De verbinding werd verbroken.", "The connection broke off.")

"""The data plane inside the node's own process: ASGI in, kept HTTP/1.1 connections out, bodies streaming both ways.

For a node that should need nothing else installed; the nginx plane costs a third of the processor time. Both ask the
same `Inway` and `Outway`. What a gateway may change of a message is little (RFC 9110 §7.6): headers about one connection
go no further, `Host` is that of the target, and those that the decision sets replace what came under their names.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable

from sluis.gateway.faults import INWAY, FscProblem, inway_fault, outway_fault
from sluis.gateway.forward import Forward, Incoming, Outgoing
from sluis.gateway.inway import Inway
from sluis.gateway.meter import Meter
from sluis.gateway.outway import Outway
from sluis.gateway.planes.apps import App, Callers, Message, Receive, Scope, Send, refuse
from sluis.gateway.planes.head import ASKED_AUTHORIZATION, ASKED_GRANT, ASKED_TRANSACTION, Head
from sluis.gateway.planes.hosts import FROM_A_PAGE, NOT_CALLED_SO, Hosts, from_other_site
from sluis.gateway.planes.relay import Relay
from sluis.gateway.streams import FAILURES, Streams, because
from sluis.gateway.tokens import Recent
from sluis.gateway.transactions import Write, durable
from sluis.web import CROSSED, LINE, shown_certificate

_TOGETHER = 0.02  # seconds in which the node's own records come, as a rule


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
        head = Head(scope)
        forward, write = self._inway.admit(
            Incoming(
                self._certificate(scope),
                head.method,
                head.path,
                head.asked.get(ASKED_AUTHORIZATION),
                head.asked.get(ASKED_TRANSACTION),
            )
        )
        if not forward.target.host and self._node is not None:
            return await self._here(self._node, scope, forward, write, receive, send)
        await durable(write(), INWAY)
        relay = Relay(self._streams, self.meter, head, forward, receive, send)
        try:
            return await relay.run()
        except FAILURES as failure:
            problem = inway_fault("ERROR_CODE_SERVICE_UNREACHABLE", because(failure))
            return await _refuse(problem, self.meter, send, forward.transaction_id)

    async def _here(
        self,
        node: App,
        scope: Scope,
        forward: Forward,
        write: Write,
        receive: Receive,
        send: Send,
    ) -> int:
        """A request for the node itself: nothing is sent, and who asks stands beside it.

        The line is written with the node's own records of the request, in one commit; without waiting for these when
        they take their time. Nothing of the answer leaves before it is there.
        """
        status = 0
        soon = asyncio.get_running_loop().call_later(_TOGETHER, write)

        async def passed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                await durable(write(), INWAY)
                status = message["status"]
                headers = (*message["headers"], (ASKED_TRANSACTION, forward.transaction_id.encode()))
                message = {**message, "headers": headers}
            await send(message)

        assert forward.grant is not None
        beside = {CROSSED: self._callers.of(forward.grant), LINE: write}
        try:
            await node({**scope, "extensions": beside}, receive, passed)
        finally:
            soon.cancel()
            written = write()
        if not status:
            await durable(written, INWAY)  # says why nothing was answered
        return status

    def _certificate(self, scope: Scope) -> bytes:
        """The client certificate, DER; empty when there is none, which no peer has."""
        pem = shown_certificate(scope["extensions"])
        if pem is None:
            return b""
        return self._certificates.get(pem) or self._certificates.put(pem, ssl.PEM_cert_to_DER_cert(pem))


class OutwayPlane:
    """The outway as an ASGI app, for a listener that only programs of this organisation reach.

    Args:
        outway: decides.
        streams: to inways of peers.
        meter: counts.
        names: by which programs call it, beside `localhost` and IP addresses.
    """

    def __init__(self, outway: Outway, streams: Streams, meter: Meter, names: Iterable[str] = ()) -> None:
        self._outway, self._streams, self.meter = outway, streams, meter
        self._hosts = Hosts(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI 3.0, HTTP."""
        await _counted(self._serve, self.meter, scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> int:
        head = Head(scope)
        # CONNECT has a refusal of its own.
        if head.method != "CONNECT" and not self._hosts.allow(scope["headers"]):
            raise outway_fault("ERROR_CODE_UNKNOWN_HOST", NOT_CALLED_SO)
        if from_other_site(scope["headers"]):
            raise outway_fault("ERROR_CODE_OTHER_SITE", FROM_A_PAGE)
        asked = Outgoing(
            head.method, head.path, head.asked.get(ASKED_GRANT), head.asked.get(ASKED_TRANSACTION)
        )
        forward, write = await self._outway.admit(asked)
        while True:  # twice at most: an alternative has none
            relay = Relay(self._streams, self.meter, head, forward, receive, send, write)
            try:
                status = await relay.run()
                break
            except FAILURES as failure:
                self._outway.failed(forward.target.peer)
                other = await self._instead(forward, relay)
                if other is None:
                    return await self._unreachable(forward, failure, send)
                forward, write = other
            finally:
                if relay.recorded and (relay.code or not relay.answered):
                    self._outway.note(relay.peer, relay.transaction_id, relay.code.decode("latin-1"))
        if relay.answered:
            self._outway.answered(forward.target.peer)
        if status == 401 and relay.code.startswith(b"ERROR_CODE_ACCESS_TOKEN_"):
            self._outway.refused(forward)
        return status

    async def _instead(self, forward: Forward, relay: "Relay") -> tuple[Forward, Write] | None:
        """The alternative of a service that cannot be reached; None when that cannot be used either."""
        if not relay.harmless:
            return None
        try:
            return await self._outway.admit_instead(forward, relay.recorded)
        except FscProblem as problem:
            self.meter.refuse(problem.fsc_code)
            return None

    async def _unreachable(self, forward: Forward, failure: OSError, send: Send) -> int:
        peer = str(forward.target.peer)
        problem = outway_fault("ERROR_CODE_PEER_UNREACHABLE", because(failure), peer=peer)
        return await _refuse(problem, self.meter, send, forward.transaction_id)


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

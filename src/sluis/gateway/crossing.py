"""A `Link` through the outway, and through the inway of the peer: under a contract, with a line in both logs.

Every node offers its own API as the service `sluis`. What any peer may ask (card, offers, log) crosses under a contract
without a purpose; data crosses under one whose purpose covers it, and there is no other way to it.
"""

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from types import TracebackType

from sluis.gateway.contracts import Grant
from sluis.gateway.faults import OUTWAY, FscProblem, outway_fault
from sluis.gateway.forward import TRANSACTION, Outgoing
from sluis.gateway.link import Answer, Covers, Ready, no_answer
from sluis.gateway.meter import Meter
from sluis.gateway.outway import Outway
from sluis.gateway.streams import BECAUSE, FAILURES, Exchange, Streams, why
from sluis.gateway.tokens import Recent
from sluis.gateway.transactions import durable
from sluis.grounds import Purpose, purpose_if_readable
from sluis.kernel import Clock, PeerId, Refused, Text, Upstream

SERVICE = "sluis"
"""The name under which a node offers its own API."""

_LARGEST = 16 * 1024  # bytes of a refusal

Connections = Callable[[PeerId, str, int], Sequence[Grant]]
"""The connection grants for a service that are in force at a time (seconds since the epoch), newest first."""


class GroupLink:
    """The link of a node in a group.

    Args:
        outway: lets requests leave.
        connections: of this node's contracts.
        streams: the node's connections.
        name: what a peer is called.
        clock: the node's clock.

    Attributes:
        meters: what was counted of these requests, by peer; there are no more peers than contracts name.
    """

    def __init__(
        self,
        outway: Outway,
        connections: Connections,
        streams: Streams,
        name: Callable[[PeerId], str],
        clock: Clock,
    ) -> None:
        self.outway, self._connections, self.streams = outway, connections, streams
        self.name, self._clock = name, clock
        self._purpose_of = _Purposes()
        self.meters: dict[PeerId, Meter] = {}

    def count(self, peer: PeerId, status: int, seconds: float) -> None:
        """A request of this node to a peer is over; `status` is 0 when nothing came back."""
        self.meters.setdefault(peer, Meter()).count(status, seconds)

    def send(
        self,
        peer: PeerId,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
        covers: Covers | None = None,
        ready: Ready | None = None,
    ) -> "_Crossing":
        """See `Link.send`."""
        return _Crossing(self, self._grant(peer, covers), peer, (method, path, headers, body, seconds), ready)

    def reach(
        self,
        peer: PeerId,
        service: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
    ) -> "_Crossing":
        """Send one request to another service of a peer than its node, under the newest connection that is in force for it.
        Raises `Refused` (`contract-missing`) where there is none; the rest as `send`."""
        found = self._connections(peer, service, int(self._clock().timestamp()))
        if service == SERVICE or not found:
            raise _no_contract(self.name(peer), False)
        return _Crossing(self, found[0], peer, (method, path, headers, body, seconds), None)

    def connected(self, peer: PeerId, service: str) -> bool:
        """Whether a connection for another service of a peer is in force."""
        return service != SERVICE and bool(self._connections(peer, service, int(self._clock().timestamp())))

    async def close(self) -> None:
        """See `Link.close`."""
        self.streams.close()

    def _grant(self, peer: PeerId, covers: Covers | None) -> Grant:
        found = self._connections(peer, SERVICE, int(self._clock().timestamp()))
        for grant in found:
            purpose = self._purpose_of(grant)
            if purpose is None if covers is None else purpose is not None and covers(purpose):
                return grant
        raise _no_contract(self.name(peer), covers is None)


class Agreed:
    """What contracts let peers use of this node's own API.

    Args:
        allowed: connection grants of others to services of this node.
        clock: the node's clock.
    """

    def __init__(self, allowed: Connections, clock: Clock) -> None:
        self._allowed, self._clock, self._purpose_of = allowed, clock, _Purposes()

    def purposes(self, peer: PeerId) -> list[Purpose]:
        """The purposes of the contracts under which a peer may reach this node now; from memory."""
        grants = self._allowed(peer, SERVICE, int(self._clock().timestamp()))
        return [one for one in map(self._purpose_of, grants) if one is not None]


class _Purposes:
    """The purposes of grants, each read once."""

    def __init__(self) -> None:
        self._known = Recent[str, tuple[Purpose | None]]()

    def __call__(self, grant: Grant) -> Purpose | None:
        found = self._known.get(grant.hash)
        if found is None:
            found = self._known.put(grant.hash, (purpose_if_readable(grant.properties),))
        return found[0]


class _Crossing:
    """One request and its answer. What the caller raises between the two ends goes through untouched."""

    def __init__(
        self,
        link: GroupLink,
        grant: Grant,
        peer: PeerId,
        request: tuple[str, str, Mapping[str, str], bytes, float],
        ready: Ready | None,
    ) -> None:
        self._link, self._grant, self._peer, self._request = link, grant, peer, request
        self._ready = ready
        self._line: str | None = None  # the transaction, once it is in the log
        self._held = AsyncExitStack()
        self._began, self._status = 0.0, 0

    async def __aenter__(self) -> Answer:
        outway, name, answer = self._link.outway, self._link.name(self._peer), None
        self._began = time.perf_counter()
        try:
            answer = await self._sent(outway, name)
        except FscProblem as problem:
            raise _not_let_out(problem, name) from problem
        except Upstream:
            outway.failed(self._peer)
            raise
        finally:
            code = "" if answer is None else answer.headers.get("fsc-error-code", "")
            if self._line is not None and (code or answer is None):
                outway.note(self._peer, self._line, code)
            if code or answer is None:
                self._link.count(
                    self._peer, answer.status if answer else 0, time.perf_counter() - self._began
                )
        outway.answered(self._peer)
        self._status = answer.status
        if code:
            try:
                await _drained(answer.body)
            finally:
                await self._held.aclose()
            raise _not_let_in(code, name)
        return answer

    async def _sent(self, outway: Outway, name: str) -> Answer:
        method, path, headers, body, seconds = self._request
        asked = Outgoing(method, path, self._grant.hash, headers.get(TRANSACTION))
        forward, write = await outway.admit(asked)
        if forward.instead:  # a question is for one peer, and what it holds is for nobody else
            raise outway_fault("ERROR_CODE_PEER_UNREACHABLE", BECAUSE["peer-unreachable"], peer=name)
        async with AsyncExitStack() as held:
            with _explained(name):
                exchange = Exchange(self._link.streams, forward.target, seconds)
                await held.enter_async_context(exchange)
            written = write()  # shares its commit with whatever else must be there first
            if self._ready is not None:
                await self._ready
            await durable(written, OUTWAY)
            self._line = forward.transaction_id
            with _explained(name):
                await exchange.send(method, forward.path, {**headers, **dict(forward.headers)}, body)
            self._held = held.pop_all()
        if exchange.headers.get("fsc-error-code", "").startswith("ERROR_CODE_ACCESS_TOKEN"):
            outway.refused(forward)
        return Answer(exchange.status, exchange.headers, _body(exchange, name))

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._link.count(self._peer, self._status, time.perf_counter() - self._began)
        await self._held.aclose()


@contextmanager
def _explained(name: str) -> Iterator[None]:
    """What fails becomes a problem that names the peer."""
    try:
        yield
    except FAILURES as failure:
        raise no_answer(name, why(failure)) from None


async def _body(exchange: Exchange, name: str) -> AsyncIterator[bytes]:
    with _explained(name):
        async for piece in exchange.body():
            yield piece


async def _drained(body: AsyncIterator[bytes]) -> None:
    """Read a refusal to its end, so that the connection may be used again; a long one is not."""
    read = 0
    async for chunk in body:
        read += len(chunk)
        if read > _LARGEST:
            return


def _no_contract(name: str, plain: bool) -> Refused:
    what = Text(f"Aan {name} kan dit niet worden gevraagd.", f"This cannot be asked of {name}.")
    if plain:
        return Refused(
            "not-connected", what,
            Text("Er is nog geen contract tussen beide knooppunten.", "There is no contract between the two nodes yet."),
            Text("Wacht tot de ander heeft getekend; `sluis fsc contracts` toont het.",
                 "Wait until the other has signed; `sluis fsc contracts` shows it."),
            rule="contract-required", peer=name, retry=True,
        )  # fmt: skip
    return Refused(
        "contract-missing", what,
        Text("Geen geldig contract opent deze gegevens voor deze verwerkingsactiviteit.",
             "No contract in force opens this data for this processing activity."),
        Text("Vraag het contract aan met `sluis fsc request`, en wacht tot de bronhouder tekent.",
             "Request the contract with `sluis fsc request`, and wait until the owner signs."),
        rule="contract-required", peer=name,
    )  # fmt: skip


def _not_let_out(problem: FscProblem, name: str) -> Upstream:
    return Upstream(
        problem.code, Text(f"{name} is niet bereikt.", f"{name} was not reached."), problem.why, problem.next,
        peer=name, retry=problem.retry,
    )  # fmt: skip


def _not_let_in(code: str, name: str) -> Upstream:
    return Upstream(
        "inway-refused",
        Text(
            f"De inway van {name} liet het verzoek niet door.",
            f"The inway of {name} did not let the request pass.",
        ),
        Text(f"Zijn antwoord: {code[:100]}.", f"Its answer: {code[:100]}."),
        Text("Loop de weg na met `sluis fsc doctor`.", "Walk the way with `sluis fsc doctor`."),
        peer=name,
        retry=code in ("ERROR_CODE_ACCESS_TOKEN_EXPIRED", "TRANSACTION_LOG_WRITE_ERROR"),
    )

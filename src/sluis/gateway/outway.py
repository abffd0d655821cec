"""The outway decides: under which grant a request of this organisation leaves, and where to (FSC Core 2.0.0, Outway).

No sockets here: both data planes ask the same `Outway`. How a program says which grant it means the standard leaves
open. Here there are three ways, and the first that is used counts:

1. header `Fsc-Grant-Hash`: the path goes on as it is;
2. a link: the first segment of the path is the name of one (`/personen/v1/people`); a name stands for a grant hash, so
   that programs need not change when a contract is renewed;
3. peer and service: the first two segments are a Peer ID and a service (`/00000001…/personen/v1/people`). Where
   contracts for different purposes fit, none is chosen: a purpose is said, not guessed.

In the last two, those segments are the outway's and do not go on; the rest of the path is never changed.

A grant may name an alternative (`properties`): the service that its provider has for when its own cannot be reached. It is
used only under a contract of its own, for the same purpose, and as a transaction of its own; who asked is told.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Protocol

import msgspec
from cryptography import x509

from sluis.gateway.breaker import Breaker, Standing
from sluis.gateway.contracts import Grant, fits_outway, plain_hash
from sluis.gateway.faults import FAULTS, INWAY, OUTWAY, FscProblem, outway_fault
from sluis.gateway.forward import AUTHORIZATION, TRANSACTION, Forward, Outgoing
from sluis.gateway.properties import alternative_of
from sluis.gateway.tokens import Recent, Token, Tokens
from sluis.gateway.transactions import (
    OUTGOING,
    Line,
    Outcome,
    Passage,
    TransactionLog,
    Write,
    crossing_of,
    durable,
    new_transaction,
    read_transaction_id,
)
from sluis.grounds import PROPERTY
from sluis.kernel import Clock, PeerId, Problem, Text, Unkept

log = logging.getLogger("sluis.gateway")

_BEFORE_ITS_LINE = frozenset(code for code, fault in FAULTS.items() if INWAY in fault.domains) - {
    "ERROR_CODE_SERVICE_UNREACHABLE"
}
"""What an inway refuses with before it writes a line."""


class Agreements(Protocol):
    """What the outway asks of the contracts; `contracts.Contracts` keeps it."""

    def in_force(self, grant_hash: str, now: int) -> Grant | None:
        """The grant of this hash, when its contract is in force at this time (seconds since the epoch)."""

    def connections(self, peer: PeerId, service: str, now: int) -> Sequence[Grant]:
        """The connection grants for a service that are in force at this time; of the newest contract first."""


class _Use(msgspec.Struct, frozen=True, gc=False):
    """A grant that this outway may use, what its lines are written with, and who offers the service."""

    grant: Grant
    passage: Passage
    peer: str


Judged = tuple[Forward, Line]
"""A request may leave once this line is durable."""


class Outway:
    """The deciding side of an outway.

    Args:
        own: this peer.
        certificates: those that this outway shows now; only grants for the key (or a name) of one are used.
        contracts: of this peer.
        links: names, and the grant hashes they stand for; asked at every request.
        tokens: of this outway.
        transactions: the log; nothing leaves without a line in it.
        clock: the node's clock.
    """

    def __init__(
        self,
        own: PeerId,
        certificates: Callable[[], Sequence[x509.Certificate]],
        contracts: Agreements,
        links: Mapping[str, str],
        tokens: Tokens,
        transactions: TransactionLog,
        clock: Clock,
    ) -> None:
        self._own, self._certificates, self._contracts, self._links = own, certificates, contracts, links
        self._tokens, self._transactions, self._clock = tokens, transactions, clock
        self._shown = certificates()
        self._uses = Recent[str, _Use]()
        self._breaker = Breaker()
        self._noting = set[asyncio.Task[None]]()

    async def decide(self, request: Outgoing) -> Forward:
        """Let a request leave, or not. When this returns, its line is durable.

        Raises:
            FscProblem: why it may not leave, in the domain of the outway.
        """
        forward, write = await self.admit(request)
        await durable(write(), OUTWAY)
        return forward

    async def admit(self, request: Outgoing) -> tuple[Forward, Write]:
        """As `decide`, but its line is not written yet: nothing may leave before `durable` of what `write` gives returns.

        For who connects first, so that what could not leave has no line; or has records of its own that share the
        line's commit.
        """
        judged = self.judge(request)
        return self._admitted(judged if isinstance(judged, tuple) else await judged)

    def judge(self, request: Outgoing) -> Judged | Coroutine[Any, Any, Judged]:
        """As `decide`, but the line has yet to be given to `write`, with others perhaps; nothing may leave before it is
        durable. When something comes before, a token that is fetched or an alternative that is looked for: what does
        so, to be awaited."""
        if request.method == "CONNECT":
            raise outway_fault("ERROR_CODE_METHOD_UNSUPPORTED", _NO_CONNECT)
        use, path = self._choose(request)
        transaction = _transaction(request.transaction_id)
        closed = self._closed(use)
        token = self._tokens.at_hand(use.grant) if closed else None
        if token is None:
            return self._judge_later(use, path, transaction, closed)
        return _judged(token, use, path, transaction)

    async def instead(self, forward: Forward, recorded: bool) -> Judged | None:
        """As `judge`, for where a request goes that did not reach its inway, when the service names an alternative. None
        when there is none that may be used, or this was the alternative.

        Args:
            forward: what did not reach its inway.
            recorded: whether its line was written; then it keeps its id for itself.

        Raises `FscProblem` when it cannot leave for there either.
        """
        other = None if forward.grant is None or forward.instead else self._alternative(forward.grant)
        if other is None:
            return None
        transaction = new_transaction() if recorded else _transaction(forward.transaction_id)
        return await self._leave(other, forward.path, transaction, self._closed(other), instead=True)

    async def admit_instead(self, forward: Forward, recorded: bool) -> tuple[Forward, Write] | None:
        """The same, as `admit`."""
        judged = await self.instead(forward, recorded)
        return None if judged is None else self._admitted(judged)

    def write(self, lines: Sequence[Line]) -> "asyncio.Future[None]":
        """Add lines that `judge` gave to the log: see `TransactionLog.write`."""
        return self._transactions.write(lines)

    def _admitted(self, judged: Judged) -> tuple[Forward, Write]:
        forward, line = judged
        return forward, self._transactions.once(line)

    async def _judge_later(
        self, use: _Use, path: str, transaction: tuple[bytes, str], closed: bool
    ) -> Judged:
        """When no token is at hand, or the peer is left alone."""
        try:
            return await self._leave(use, path, transaction, closed)
        except FscProblem as problem:
            other = self._alternative(use.grant) if problem.fsc_code in _ELSEWHERE else None
            if other is None:
                raise
            return await self._leave(other, path, transaction, self._closed(other), instead=True)

    async def _leave(
        self, use: _Use, path: str, transaction: tuple[bytes, str], closed: bool, instead: bool = False
    ) -> Judged:
        if not closed:
            raise outway_fault("ERROR_CODE_PEER_PAUSED", _PAUSED, peer=use.peer)
        return _judged(await self._token(use.grant, use.peer), use, path, transaction, instead)

    def _closed(self, use: _Use) -> bool:
        """Whether a request may leave under this grant now. After a pause this is its trial: ask once for each."""
        return self._breaker.closed(use.peer, _moment())

    def _alternative(self, grant: Grant) -> _Use | None:
        """What the contract of a service that cannot be reached names instead, under a contract for the same purpose."""
        named = alternative_of(grant.properties)
        if named is None:
            return None
        now = int(self._clock().timestamp())
        found = [
            use
            for use in map(self._use, self._contracts.connections(named.peer_id, named.service, now))
            if use and _same_purpose(use.grant, grant)
        ]
        return found[0] if found and all(_alike(found[0].grant, use.grant) for use in found[1:]) else None

    def answered(self, peer: PeerId | None) -> None:
        """The inway of a peer answered a request, whatever it said."""
        self._breaker.answered(str.__str__(peer))

    def failed(self, peer: PeerId | None) -> None:
        """The inway of a peer could not be reached, or did not answer a request."""
        self._breaker.failed(str.__str__(peer), _moment())
        if peer is not None:
            self._tokens.drop_of(peer)

    def paused(self) -> int:
        """How many peers are left alone for a while, because they did not answer."""
        return self._breaker.paused()

    def standing(self, peer: PeerId) -> Standing:
        """Whether requests go to a peer now."""
        return self._breaker.standing(str.__str__(peer), _moment())

    def end_pause(self, peer: PeerId) -> None:
        """The next request to a peer that is left alone may go now, as its trial."""
        self._breaker.end_pause(str.__str__(peer), _moment())

    def refused(self, forward: Forward) -> None:
        """The inway did not take the token of this request: another is fetched for the next."""
        self._tokens.drop(forward.headers[0][1])

    def note(self, peer: PeerId | None, transaction_id: str, code: str = "") -> None:
        """A request of which the inway may have no line: beside ours it is noted why, soon and durably.

        Args:
            peer: of the inway.
            transaction_id: of the request.
            code: what the answer bore as `Fsc-Error-Code`; empty when no answer came.
        """
        found = read_transaction_id(transaction_id)
        if found is None or peer is None or (code and code not in _BEFORE_ITS_LINE):
            return
        outcome: Outcome = "refused" if code else "no-answer"
        task = asyncio.get_running_loop().create_task(self._note(found, peer, outcome))
        self._noting.add(task)
        task.add_done_callback(self._noting.discard)

    async def settle(self) -> None:
        """Wait for what is still being noted."""
        await asyncio.gather(*self._noting)

    async def _note(self, transaction_id: bytes, peer: PeerId, outcome: Outcome) -> None:
        try:
            await self._transactions.note(transaction_id, peer, outcome)
        except Problem as problem:  # then the comparison tells of a line that has no other half
            log.warning("the outcome of a request is not noted: %s", problem.code)

    async def _token(self, grant: Grant, peer: str) -> Token:
        try:
            return await self._tokens.get(grant)
        except FscProblem:
            raise
        except Unkept as problem:
            raise outway_fault("TRANSACTION_LOG_WRITE_ERROR", problem.why, peer=peer) from problem
        except Problem as problem:
            code = "ERROR_CODE_PEER_UNREACHABLE" if problem.retry else "ERROR_CODE_TOKEN_REFUSED"
            raise outway_fault(code, problem.why, peer=peer) from problem

    def _choose(self, request: Outgoing) -> tuple[_Use, str]:
        """Under which grant a request leaves, and what of its path goes on."""
        now = int(self._clock().timestamp())
        if request.grant_hash is not None:
            return self._named(request.grant_hash, now), request.path
        first, rest = _segment(request.path)
        if first in self._links:
            return self._linked(self._links[first], now), rest
        service, beyond = _segment(rest)
        if PeerId.accepts(first) and service:
            return self._fitting(PeerId(first), service, now), beyond
        raise outway_fault("ERROR_CODE_NO_CONTRACT", _NOTHING_NAMED, code="unknown-link")

    def _named(self, grant_hash: str, now: int) -> _Use:
        grant = self._contracts.in_force(grant_hash, now) or self._contracts.in_force(
            plain_hash(grant_hash), now
        )
        use = None if grant is None else self._use(grant)
        if use is None:
            why = _HASH_OF_CONTRACT if grant_hash.startswith("$1$1$") else _UNKNOWN_HASH
            raise outway_fault("UNKNOWN_GRANT_HASH_IN_HEADER", why)
        return use

    def _linked(self, grant_hash: str, now: int) -> _Use:
        grant = self._contracts.in_force(grant_hash, now)
        use = None if grant is None else self._use(grant)
        if use is None:
            raise outway_fault("ERROR_CODE_NO_CONTRACT", _LINK_WITHOUT_CONTRACT, code="link-without-contract")
        return use

    def _fitting(self, peer: PeerId, service: str, now: int) -> _Use:
        found = [use for use in map(self._use, self._contracts.connections(peer, service, now)) if use]
        if not found:
            raise outway_fault("ERROR_CODE_NO_CONTRACT", _NO_CONTRACT, peer=str.__str__(peer))
        if any(not _alike(found[0].grant, use.grant) for use in found[1:]):
            raise outway_fault("ERROR_CODE_SEVERAL_CONTRACTS", _SEVERAL, peer=str.__str__(peer))
        return found[0]

    def _use(self, grant: Grant) -> _Use | None:
        """A grant as this outway may use it; None when it is not for this outway."""
        certificates = self._certificates()
        if certificates is not self._shown:
            self._shown, self._uses = certificates, Recent()
        use = self._uses.get(grant.hash)
        if use is not None:
            return use
        outway = grant.outway
        if outway is None or outway.peer_id != self._own:
            return None
        if not any(fits_outway(outway, one) for one in certificates):
            return None
        passage = self._transactions.passage(OUTGOING, crossing_of(grant))
        return self._uses.put(grant.hash, _Use(grant, passage, str.__str__(grant.service_peer)))


def _judged(
    token: Token, use: _Use, path: str, transaction: tuple[bytes, str], instead: bool = False
) -> Judged:
    transaction_id, text = transaction
    headers = (AUTHORIZATION, token.header), (TRANSACTION, text)
    told = f"{use.peer}/{use.grant.service_name}" if instead else ""
    forward = Forward(token.inway, path, headers, text, grant=use.grant, instead=told)
    return forward, (transaction_id, use.passage)


def _segment(path: str) -> tuple[str, str]:
    """The first segment of a path, and the path without it, query and all."""
    before, mark, query = path.partition("?")
    first, _, rest = before[1:].partition("/")
    return first, f"/{rest}{mark}{query}"


def _alike(one: Grant, other: Grant) -> bool:
    """Whether two grants that this outway may use agree on everything, but perhaps for which key of it they are: then one
    is the other renewed, and either will do."""
    return msgspec.structs.replace(one, hash=other.hash, outway=other.outway) == other


def _same_purpose(one: Grant, other: Grant) -> bool:
    """Whether data may move under both for the same reason, and on behalf of the same organisation."""
    reasons = [(grant.properties or {}).get(PROPERTY) for grant in (one, other)]
    return reasons[0] == reasons[1] and one.delegator == other.delegator


def _transaction(given: str | None) -> tuple[bytes, str]:
    """The transaction id of the one who asks, or a new one."""
    if given is None:
        return new_transaction()
    found = read_transaction_id(given)
    if found is None:
        raise outway_fault("INVALID_LOG_RECORD_ID", _WRONG_TRANSACTION)
    return found, given


def _moment() -> float:
    return asyncio.get_running_loop().time()


_ELSEWHERE = frozenset({"ERROR_CODE_PEER_PAUSED", "ERROR_CODE_PEER_UNREACHABLE"})
"""What keeps a request from leaving for a peer, and not for another."""

_NO_CONNECT = Text("Een outway maakt geen tunnel.", "An outway makes no tunnel.")
_PAUSED = Text(
    "Na enkele mislukte pogingen wacht deze outway even.",
    "After some attempts that failed this outway waits a while.",
)
_NOTHING_NAMED = Text(
    "Het pad begint niet met een link, en niet met een organisatie en haar dienst; Fsc-Grant-Hash ontbreekt.",
    "The path begins with no link, and with no organisation and its service; Fsc-Grant-Hash is missing.",
)
_HASH_OF_CONTRACT = Text(
    "Dit is de hash van een contract, niet van een grant.", "This is the hash of a contract, not of a grant."
)
_UNKNOWN_HASH = Text(
    "Geen contract dat van kracht is heeft deze grant voor deze outway.",
    "No contract in force has this grant for this outway.",
)
_LINK_WITHOUT_CONTRACT = Text(
    "Het contract achter deze link is niet van kracht.", "The contract behind this link is not in force."
)
_NO_CONTRACT = Text(
    "Geen contract dat van kracht is geeft deze outway die dienst.",
    "No contract in force gives this outway that service.",
)
_SEVERAL = Text(
    "Meer contracten passen, met verschillende voorwaarden.", "Several contracts fit, with different terms."
)
_WRONG_TRANSACTION = Text("Fsc-Transaction-Id is geen UUIDv7.", "Fsc-Transaction-Id is not a UUIDv7.")

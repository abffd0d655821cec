"""The contracts of this node as a list: where each stands, with whom, for what. What follows from a contract is decided here,
purely; and the newest of them are kept at hand, so that a page of the list reads no table (`Agreements`)."""

import asyncio
import time
from collections.abc import Callable, Iterable

import msgspec

from sluis.gateway.contracts import Action, Contract, Contracts, Kept, Signature, state, waiting_for
from sluis.gateway.operating import ContractView
from sluis.gateway.pages.model import Agreement, Role, Section
from sluis.grounds import purpose_if_readable
from sluis.kernel import PeerId

MOST = 2000
"""Contracts in the list, the newest; who has more finds the others with `sluis fsc contracts`."""

_FAR = 86_400  # seconds

_ANEW = 300.0  # seconds after which they are read again: a certificate may have been revoked, which no signature tells


def row_of(contract: Contract, own: PeerId, now: int) -> Agreement:
    """A contract as it stands in the list.

    Args:
        contract: of this node.
        own: this peer.
        now: seconds since the epoch.
    """
    content, found, waiting = contract.content, state(contract, now), waiting_for(contract, now)
    soon = found == "proposed" and not waiting
    accepted = [one.until for one in contract.signed("accept").values() if one.until]
    return Agreement(
        hash=content.hash,
        section=section_of(found, soon, own in waiting),
        state=found,
        soon=soon,
        others=tuple(sorted(content.parties - {own})),
        role=role_of(contract, own),
        services=tuple(dict.fromkeys(grant.service_name for grant in content.grants)),
        activity=activity_of(contract),
        since=content.not_before,
        until=min([content.not_after, *accepted]) if found == "valid" else content.not_after,
        made=content.created_at,
    )


def section_of(found: str, soon: bool, ours: bool) -> Section:
    """Where a contract in this state stands in the list; `ours`: whether our signature is lacking."""
    if found == "valid" or soon:
        return "valid"
    if found == "proposed":
        return "us" if ours else "them"
    return "ended"


def role_of(contract: Contract, own: PeerId) -> Role:
    """What this organisation is in a contract."""
    grants = contract.content.grants
    connections = [grant for grant in grants if grant.outway is not None]
    if not connections:
        return "listed"
    uses = any(grant.outway and own in (grant.outway.peer_id, grant.delegator) for grant in connections)
    offers = any(own in (grant.service_peer, grant.service_delegator) for grant in connections)
    if uses and offers:
        return "both"
    return "user" if uses else "provider"


def activity_of(contract: Contract) -> str:
    """The processing activity that a contract is for; empty when it names none that can be read."""
    for grant in contract.content.grants:
        purpose = purpose_if_readable(grant.properties)
        if purpose is not None:
            return purpose.activity
    return ""


def next_turn(contracts: Iterable[Contract], now: int) -> int:
    """When the next of these becomes another by time alone: it begins or ends, or a certificate that it was signed with does.
    Seconds since the epoch."""
    turns = [
        moment
        for one in contracts
        for moment in (
            one.content.not_before,
            one.content.not_after + 1,
            *(signature.until + 1 for signature in one.signatures),
        )
        if moment > now
    ]
    return min(turns, default=now + _FAR)


def acts_of(view: ContractView, soon: bool) -> tuple[Action, ...]:
    """What this organisation can do with a contract now: decide on a proposal, or take back what it signed itself."""
    if view.yours:
        return ("accept", "reject")
    return ("revoke",) if view.state == "valid" or view.state == "proposed" or soon else ()


class Agreements:
    """The newest contracts of a node, kept at hand; as they are now, also when one was signed a moment ago.

    Args:
        contracts: of this node.
        own: this peer.
        most: how many.
        moment: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        contracts: Contracts,
        own: PeerId,
        most: int = MOST,
        moment: Callable[[], float] = time.monotonic,
    ) -> None:
        self._contracts, self._own, self._most, self._moment = contracts, own, most, moment
        self._kept: dict[str, Contract] | None = None
        self._meanwhile: dict[str, Contract] | None = None  # what is signed while they are being read
        self._read = 0.0
        self._rows: list[Agreement] | None = None  # as they are from `_since` until `_turn`
        self._since = self._turn = 0
        self._reading = asyncio.Lock()
        contracts.on_change(self._hear)

    async def rows(self, now: int) -> list[Agreement]:
        """All of them, newest first; the same list as long as nothing changes. `now` in seconds since the epoch."""
        async with self._reading:
            if self._kept is None or self._moment() - self._read > _ANEW:
                self._meanwhile = {}
                found = await asyncio.to_thread(self._load)
                self._kept, self._read = {**found, **self._meanwhile}, self._moment()
                self._meanwhile = None
                self._rows = None
        if self._rows is None or not self._since <= now < self._turn:
            rows = [row_of(one, self._own, now) for one in self._kept.values()]
            self._rows = sorted(rows, key=lambda one: (one.made, one.hash), reverse=True)
            self._since, self._turn = now, next_turn(self._kept.values(), now)
        return self._rows

    def _load(self) -> dict[str, Contract]:
        found: dict[str, Contract] = {}
        for one in self._contracts.every(self._own):
            found[one.content.hash] = _light(one)
            if len(found) >= self._most:
                break
        return found

    def _hear(self, kept: Kept, signature: Signature) -> None:
        one, self._rows = _light(kept.contract), None
        if self._meanwhile is not None:
            self._meanwhile[one.content.hash] = one
        if self._kept is not None:
            self._kept[one.content.hash] = one
            while len(self._kept) > self._most:
                del self._kept[min(self._kept, key=lambda hash: self._kept[hash].content.created_at)]  # type: ignore[index]


def _light(contract: Contract) -> Contract:
    """Without what nobody reads from a list: the JSON, and the signatures themselves."""
    return msgspec.structs.replace(
        contract,
        content=msgspec.structs.replace(contract.content, json=b""),
        signatures=tuple(msgspec.structs.replace(one, jws="") for one in contract.signatures),
    )

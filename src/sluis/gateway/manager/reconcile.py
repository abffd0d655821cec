"""What two peers know of a contract is compared, and what either lacks is brought there: so a push that was lost, or a
database that was put back, heals by itself.

Contracts that still wait for somebody are compared often, all contracts seldom. What another Manager says of somebody
else's signature is believed no more than what it pushes: each signature is verified against its signer's certificate.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

from sluis.gateway.contracts import (
    Action,
    Content,
    Contract,
    Contracts,
    Signature,
    read_content,
)
from sluis.gateway.manager.client import Listed, Managers
from sluis.kernel import Clock, PeerId, Problem

log = logging.getLogger("sluis.manager")

_AT_ONCE = 8  # peers
_PER_REQUEST = 50  # contracts asked for by name; their hashes must fit into a URL
_MOST_PAGES = 10_000
_ACTIONS: tuple[Action, ...] = ("accept", "reject", "revoke")

Take = Callable[[PeerId, Content, Action, str], Awaitable[bool]]
"""Takes a signature as if its signer had pushed it; gives whether it was news. Raises `Problem`."""

Give = Callable[[PeerId, Contract, list[Signature]], Awaitable[None]]
"""Has this node's signatures under a contract delivered to a peer that lacks them. Raises `Unkept`."""


class Reconciler:
    """Compares contracts with the peers that are in them.

    Args:
        own: this peer.
        contracts: those of this node.
        managers: the way to the others.
        take: for what this node lacks.
        give: for what another lacks.
        clock: aware UTC.
    """

    def __init__(
        self, own: PeerId, contracts: Contracts, managers: Managers, take: Take, give: Give, clock: Clock
    ) -> None:
        self._own, self._contracts, self._managers = own, contracts, managers
        self._take, self._give, self._clock = take, give, clock

    async def unsettled(self) -> int:
        """Compare the contracts that wait for somebody; gives how many signatures were news. Raises `Unkept`."""
        now = int(self._clock().timestamp())
        wanted: dict[PeerId, list[str]] = {}
        for contract in await asyncio.to_thread(self._contracts.proposed, now):
            for peer in contract.content.parties - {self._own}:
                wanted.setdefault(peer, []).append(contract.content.grants[0].hash)
        return await self._with_each(wanted, lambda peer: self._named(peer, wanted[peer]))

    async def everything(self, peers: Iterable[PeerId]) -> int:
        """Compare all contracts with these peers; gives how many signatures were news. Raises `Unkept`."""
        return await self._with_each(set(peers) - {self._own}, self._all)

    async def _with_each(self, peers: Iterable[PeerId], work: Callable[[PeerId], Awaitable[int]]) -> int:
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(peer: PeerId) -> int:
            async with room:
                try:
                    return await work(peer)
                except Problem as problem:
                    log.info("contracts with %s are not compared: %s", str.__str__(peer), problem.code)
                    return 0

        return sum(await asyncio.gather(*map(one, peers)))

    async def _named(self, peer: PeerId, grants: list[str]) -> int:
        news = 0
        for at in range(0, len(grants), _PER_REQUEST):
            page = await self._managers.contracts(peer, grant_hashes=grants[at : at + _PER_REQUEST])
            for listed in page.contracts[:_PER_REQUEST]:
                news += await self._compare(peer, listed)
        return news

    async def _all(self, peer: PeerId) -> int:
        news, cursor, seen = 0, "", {""}
        for _ in range(_MOST_PAGES):
            page = await self._managers.contracts(peer, cursor)
            for listed in page.contracts:
                news += await self._compare(peer, listed)
            cursor = page.pagination.next_cursor
            if cursor in seen:
                break
            seen.add(cursor)
        return news

    async def _compare(self, peer: PeerId, listed: Listed) -> int:
        """Take what is missing here, give what is missing there; gives how many signatures were news."""
        try:
            content = read_content(bytes(listed.content))
        except Problem as problem:
            log.info("%s lists a contract that is none: %s", str.__str__(peer), problem.code)
            return 0
        if not {self._own, peer} <= content.parties:
            return 0
        known = await asyncio.to_thread(self._contracts.get, content.hash)
        news = 0
        for action in _ACTIONS:
            here = known.signed(action) if known else {}
            for signer, jws in _theirs(listed, action, content):
                if signer not in here or here[signer].jws != jws:
                    news += await self._taken(signer, content, action, jws)
        if known is not None:
            await self._bring(peer, known, listed)
        return news

    async def _taken(self, signer: PeerId, content: Content, action: Action, jws: str) -> bool:
        try:
            return await self._take(signer, content, action, jws)
        except Problem as problem:
            log.info(
                "a signature of %s that another lists is not taken: %s", str.__str__(signer), problem.code
            )
            return False

    async def _bring(self, peer: PeerId, known: Contract, listed: Listed) -> None:
        lacking = [
            known.signed(action)[self._own]
            for action in _ACTIONS
            if self._own in known.signed(action)
            and listed.signatures.get(action, {}).get(str.__str__(self._own))
            != known.signed(action)[self._own].jws
        ]
        if lacking:
            await self._give(peer, known, lacking)


def _theirs(listed: Listed, action: Action, content: Content) -> list[tuple[PeerId, str]]:
    given = listed.signatures.get(action, {})
    return [(peer, given[peer]) for peer in sorted(content.parties) if peer in given]

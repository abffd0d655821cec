"""What two peers know of a contract is compared, and what either lacks is brought there: so a push that was lost, or a
database that was put back, heals by itself.

Contracts that still wait for somebody are compared often, all contracts seldom. What another Manager says of somebody
else's signature is believed no more than what it pushes: each signature is verified against its signer's certificate.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

from sluis.gateway.contracts import (
    Action,
    Content,
    Contract,
    Contracts,
    proposers,
    read_content,
    said,
)
from sluis.gateway.manager.client import Answered, Listed, Managers
from sluis.gateway.manager.delivery import Letter
from sluis.kernel import Clock, PeerId, Problem, Upstream

log = logging.getLogger("sluis.manager")

_AT_ONCE = 8  # peers
_PER_REQUEST = 50  # contracts asked for by name; their hashes must fit into a URL
_BYTES_PER_REQUEST = 4 * 2**20  # of their content, which comes back with them
_PER_PAGE, _MOST_PAGES = 100, 2000
_LONGEST = 600.0  # seconds for one peer: one that lists slowly, or for ever, keeps no other waiting
_ACTIONS: tuple[Action, ...] = ("accept", "reject", "revoke")

Take = Callable[[PeerId, Content, Action, str], Awaitable[bool]]
"""Takes a signature as if its signer had pushed it; gives whether it was news. Raises `Problem`."""

Give = Callable[[PeerId, Contract, list[Letter]], Awaitable[None]]
"""Has this node's signatures under a contract delivered to a peer that lacks them. Raises `Unkept`."""


class Reconciler:
    """Compares contracts with the peers that are in them.

    Args:
        own: this peer.
        contracts: those of this node.
        managers: the way to the others.
        take: for what this node lacks.
        give: for what another lacks.
        locate: looks for another address of a peer that cannot be reached; gives whether there is one.
        clock: aware UTC.
    """

    def __init__(
        self,
        own: PeerId,
        contracts: Contracts,
        managers: Managers,
        take: Take,
        give: Give,
        locate: Callable[[PeerId], Awaitable[bool]],
        clock: Clock,
    ) -> None:
        self._own, self._contracts, self._managers = own, contracts, managers
        self._take, self._give, self._locate, self._clock = take, give, locate, clock

    async def unsettled(self) -> int:
        """Compare the contracts that wait for somebody; gives how many signatures were news. Raises `Unkept`."""
        news, last, now = 0, None, self._now()
        while page := await asyncio.to_thread(self._contracts.proposed, now, last):
            last = page[-1]
            news += await self._waiting(page)
        return news

    async def _waiting(self, contracts: Sequence[Contract]) -> int:
        wanted: dict[PeerId, list[Contract]] = {}
        for contract in contracts:
            for peer in self._concerned(contract):
                wanted.setdefault(peer, []).append(contract)
        return await self._with_each(wanted, lambda peer: self._named(peer, wanted[peer]))

    def _concerned(self, contract: Contract) -> frozenset[PeerId]:
        """Whom to ask about a contract. As long as this peer signed nothing, only who proved to have a part in it: others
        can be anybody whom one peer named, to have this node look for them."""
        signed = frozenset(one.peer for one in contract.signatures)
        return (contract.content.parties if self._own in signed else signed) - {self._own}

    async def everything(self, peers: Iterable[PeerId]) -> int:
        """Compare all contracts with these peers; gives how many signatures were news. Raises `Unkept`."""
        return await self._with_each(set(peers) - {self._own}, self._all)

    async def _with_each(self, peers: Iterable[PeerId], work: Callable[[PeerId], Awaitable[int]]) -> int:
        room = asyncio.Semaphore(_AT_ONCE)

        async def one(peer: PeerId) -> int:
            async with room:
                try:
                    async with asyncio.timeout(_LONGEST):
                        return await self._reached(peer, work)
                except Problem as problem:
                    log.info("contracts with %s are not compared: %s", str.__str__(peer), problem.code)
                except TimeoutError:
                    log.warning(
                        "contracts with %s are not all compared: it takes too long", str.__str__(peer)
                    )
                return 0

        return sum(await asyncio.gather(*map(one, peers)))

    async def _reached(self, peer: PeerId, work: Callable[[PeerId], Awaitable[int]]) -> int:
        """`work`, at another address when the peer is not at the one that is known."""
        try:
            return await work(peer)
        except Upstream as problem:
            if isinstance(problem, Answered) or not await self._locate(peer):
                raise
        return await work(peer)

    async def _named(self, peer: PeerId, contracts: Sequence[Contract]) -> int:
        news = 0
        for some in _in_requests(contracts):
            grants = [contract.content.grants[0].hash for contract in some]
            page = await self._managers.contracts(peer, grant_hashes=grants)
            found, hashes = await self._compare_page(peer, page.contracts[:_PER_REQUEST])
            await self._bring_unknown(peer, some, hashes)
            news += found
        return news

    async def _all(self, peer: PeerId) -> int:
        news, cursor, seen, hashes = 0, "", {""}, set[str]()
        for _ in range(_MOST_PAGES):
            page = await self._managers.contracts(peer, cursor, _PER_PAGE)
            found, listed = await self._compare_page(peer, page.contracts[:_PER_PAGE])
            news, hashes, cursor = news + found, hashes | listed, page.pagination.next_cursor
            if cursor in seen:
                break
            seen.add(cursor)
        if cursor:
            return news  # what it has beyond these pages is not known, so neither is what it lacks
        while True:
            contracts, cursor = await asyncio.to_thread(self._contracts.page, peer, cursor)
            await self._bring_unknown(peer, contracts, hashes)
            if not cursor:
                return news

    async def _compare_page(self, peer: PeerId, page: Iterable[Listed]) -> tuple[int, set[str]]:
        """How many signatures were news, and which contracts they were on."""
        news, hashes = 0, set[str]()
        for listed in page:
            try:
                content = await asyncio.to_thread(read_content, bytes(listed.content))
            except Problem as problem:
                log.info("%s lists a contract that is none: %s", str.__str__(peer), problem.code)
                continue
            hashes.add(content.hash)
            if {self._own, peer} <= content.parties and content.not_after >= self._now():
                news += await self._compare(peer, content, listed)
        return news, hashes

    async def _compare(self, peer: PeerId, content: Content, listed: Listed) -> int:
        """Take what is missing here, give what is missing there; gives how many signatures were news."""
        known = await asyncio.to_thread(self._contracts.get, content.hash)
        news = 0
        for action in _ACTIONS:
            here = known.signed(action) if known else {}
            for signer, jws in _theirs(listed, action, content):
                if signer not in here or said(here[signer].jws) != said(jws):
                    news += await self._taken(signer, content, action, jws)
        if known is not None:
            await self._bring(peer, known, lambda action: listed.signatures.get(action, {}))
        return news

    async def _taken(self, signer: PeerId, content: Content, action: Action, jws: str) -> bool:
        try:
            return await self._take(signer, content, action, jws)
        except Problem as problem:
            log.info(
                "a signature of %s that another lists is not taken: %s", str.__str__(signer), problem.code
            )
            return False

    async def _bring_unknown(self, peer: PeerId, contracts: Iterable[Contract], listed: set[str]) -> None:
        """Give a peer the contracts that it does not list, as far as this node signed them."""
        for contract in contracts:
            if contract.content.hash not in listed and contract.content.not_after >= self._now():
                await self._bring(peer, contract, lambda action: {})

    async def _bring(
        self, peer: PeerId, contract: Contract, there: Callable[[Action], Mapping[str, str]]
    ) -> None:
        own, letters = str.__str__(self._own), []
        for action in _ACTIONS:
            mine = contract.signed(action).get(self._own)
            if mine is not None and said(there(action).get(own, "")) != said(mine.jws):
                offers = action == "accept" and not there(action) and self._proposes(contract)
                letters.append(Letter("contract" if offers else action, contract.content.hash, mine.jws))
        if letters:
            await self._give(peer, contract, letters)

    def _proposes(self, contract: Contract) -> bool:
        return all(self._own in proposers(grant) for grant in contract.content.grants)

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _in_requests(contracts: Iterable[Contract]) -> Iterator[list[Contract]]:
    """Some at a time, as many as the other Manager can list in one answer."""
    some, size = list[Contract](), 0
    for contract in contracts:
        size += len(contract.content.json)
        if some and (len(some) == _PER_REQUEST or size > _BYTES_PER_REQUEST):
            yield some
            some, size = [], len(contract.content.json)
        some.append(contract)
    if some:
        yield some


def _theirs(listed: Listed, action: Action, content: Content) -> list[tuple[PeerId, str]]:
    given = listed.signatures.get(action, {})
    return [(peer, given[peer]) for peer in sorted(content.parties) if peer in given]

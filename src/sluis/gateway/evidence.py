"""What happens at the gateway, in the ledger: signatures under contracts, and the transaction log, sealed."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress

from sluis.gateway.contracts import Contract, Kept, Signature
from sluis.gateway.transactions import Sealing, read_transaction_id
from sluis.kernel import Clock, Problem, cause_of, milliseconds
from sluis.ledger import Agreement, Crossings, Ledger

log = logging.getLogger("sluis.gateway")

_TOGETHER = 500  # contracts in memory at once
_REST = 0.05  # seconds in which others go before the next of them
_MOST_WAITING, _LONGEST_WAITING = 1000, 3_600_000  # lines that may wait for their seal, and ms
_MOST_OVERLOOKED = 4 * _MOST_WAITING  # transactions that are remembered; who is forgotten is sealed at once

Pages = Callable[[str, int], tuple[Sequence[Contract], str]]
"""Contracts from a cursor on (empty to begin), at most so many, and where the next begin; empty at the end. Blocks."""


class Evidence:
    """Writes for one node.

    Args:
        ledger: of the node.
        sealing: of its transaction log.
        clock: aware UTC.
    """

    def __init__(self, ledger: Ledger, sealing: Sealing, clock: Clock) -> None:
        self._ledger, self._sealing, self._clock = ledger, sealing, clock
        self._overlooked: dict[bytes, None] = {}
        self._writing: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Lock()
        self._going_on: asyncio.Task[None] | None = None

    def signed(self, kept: Kept, signature: Signature) -> None:
        """A signature was kept: record it. What this misses when the node stops just now, `begin` makes good."""
        task = asyncio.get_running_loop().create_task(self._record(kept.contract, signature))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def all_signed(self, contracts: Iterable[Contract]) -> None:
        """Record every signature under these contracts that is not on record yet; they share commits. What cannot be
        recorded is said in the log, and holds up no other: it is tried again at the next start."""
        await asyncio.gather(
            *[self._record(contract, one) for contract in contracts for one in contract.signatures]
        )

    async def begin(self, pages: Pages) -> None:
        """Hold every signature that is kept against the ledger: those of the first contracts before this returns, which are
        those that a node missed when it stopped, nearly always; of all others meanwhile, some at a time.

        Args:
            pages: of all contracts, the newest first.
        """
        cursor = await self._page(pages, "")
        if cursor:
            self._going_on = asyncio.create_task(self._go_on(pages, cursor))

    async def _go_on(self, pages: Pages, cursor: str) -> None:
        try:
            while cursor:
                await asyncio.sleep(_REST)
                cursor = await self._page(pages, cursor)
        except Exception as failure:  # of a database too: a node that stops must not stumble over it
            log.error(
                "older signatures are not held against the ledger until the next start: %s", cause_of(failure)
            )

    async def _page(self, pages: Pages, cursor: str) -> str:
        contracts, following = await asyncio.to_thread(pages, cursor, _TOGETHER)
        await self.all_signed(contracts)
        return following

    async def seal(self) -> None:
        """Seal what was added to the transaction log. Raises `Unkept`."""
        async with self._one_at_a_time:  # a node that stops seals too, perhaps while this recurs
            while (seal := await asyncio.to_thread(self._sealing.next)) is not None:
                name = hashlib.sha256(f"{seal.first}-{seal.last}-{seal.digest}".encode()).hexdigest()
                record = Crossings(name[:32], name[32:48], seal.first, seal.last, seal.digest, seal.until)
                await self._ledger.append([record])
                await self._sealing.done(seal)

    async def seal_due(self) -> None:
        """`seal`, when there is more than what may wait (`overlook`)."""
        if await asyncio.to_thread(self.unsealed_since) is not None:
            await self.seal()

    def overlook(self, transaction_id: str) -> None:
        """A crossing by which a log is witnessed. Its line waits to be sealed with the next of something else; a thousand of
        them, or one that is an hour old, wait no longer.

        Sealed at once it would change the log, of which the checkpoint would then be witnessed, which is a crossing: nodes
        would keep each other writing for ever while nobody asks anything.
        """
        if (transaction := read_transaction_id(transaction_id)) is None:
            return  # no line has it
        self._overlooked[transaction] = None
        if len(self._overlooked) > _MOST_OVERLOOKED:
            del self._overlooked[next(iter(self._overlooked))]

    def unsealed_since(self) -> int | None:
        """When the oldest transaction that should be sealed by now was written (ms since the epoch), if any. Blocks."""
        waiting = self._sealing.waiting(_MOST_WAITING)
        old = milliseconds(self._clock()) - _LONGEST_WAITING
        if waiting and (len(waiting) == _MOST_WAITING or waiting[0][1] < old):
            return waiting[0][1]
        return next((written for one, written in waiting if one not in self._overlooked), None)

    async def stop(self) -> None:
        """Let what is under way finish; older signatures are looked at again after the next start."""
        if self._going_on is not None:
            self._going_on.cancel()
            with suppress(asyncio.CancelledError):
                await self._going_on
        await asyncio.gather(*self._writing, return_exceptions=True)

    def _agreement(self, contract: Contract, signature: Signature) -> Agreement:
        # The ids follow from what was signed, so that the same signature is the same record, however often it is told.
        jws = hashlib.sha256(signature.jws.encode()).hexdigest()
        trace = hashlib.sha256(contract.content.hash.encode()).hexdigest()[:32]
        return Agreement(
            trace, jws[:16], signature.action, contract.content.hash, jws, str.__str__(signature.peer),
            signature.signed_at * 1000,
        )  # fmt: skip

    async def _record(self, contract: Contract, signature: Signature) -> None:
        try:
            await self._ledger.append([self._agreement(contract, signature)])
        except Problem as problem:
            log.error("a signature under %s is not on record yet: %s", contract.content.hash, problem.code)

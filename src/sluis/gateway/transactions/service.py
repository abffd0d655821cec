"""The transaction log of a node: lines are durable before a request passes, and peers read those they have part in."""

import asyncio
from collections.abc import Callable, Sequence
from functools import cache, partial

from sluis.gateway.faults import Domain, FscProblem
from sluis.gateway.transactions import reading, sql
from sluis.gateway.transactions.model import (
    OUTGOING,
    Counted,
    Crossing,
    Direction,
    Line,
    Outcome,
    Page,
    Passage,
    Search,
    Stretched,
    TransactionRecord,
)
from sluis.gateway.transactions.rules import noted
from sluis.gateway.transactions.writing import Lines
from sluis.kernel import Clock, PeerId, Unkept
from sluis.store import Store, migrate

Write = Callable[[], "asyncio.Future[None]"]
"""Begins to write the line of one request; called again, it gives the same future."""


class TransactionLog:
    """One log, open for writing. Made by `open_transactions`; use it from one event loop."""

    def __init__(self, store: Store, lines: Lines) -> None:
        self._store, self._lines = store, lines
        self._passages: dict[tuple[Direction, Crossing], Passage] = {}

    def passage(self, direction: Direction, crossing: Crossing) -> Passage:
        """What lines under this grant are written with; the same object each time. Keep it with the grant."""
        return self._passages.setdefault((direction, crossing), Passage(direction, crossing))

    def write(self, lines: Sequence[Line]) -> "asyncio.Future[None]":
        """Add lines; what happens meanwhile need not wait for them, but nothing may leave before they are there.

        Args:
            lines: with passages of this log.

        Returns:
            A future that is done once all of them are durable; see `durable`.

        The future raises:
            Unkept: they could not be written, none of them; nothing may leave.
        """
        return self._store.submit(self._lines, lines, len(lines))

    def once(self, line: Line) -> Write:
        """To write this line later, when what must come before it is done: see `write`."""
        return cache(partial(self.write, (line,)))

    async def note(self, transaction_id: bytes, peer: PeerId, outcome: Outcome) -> None:
        """Note what became of a request that left for a peer, where that peer may have no line of it. It is durable and
        sealed as any line, and shown in the record of the request. Where no line says that it left, nothing is noted.

        Raises:
            Unkept: it could not be written.
        """
        crossing = await asyncio.to_thread(self._left_under, peer, transaction_id)
        if crossing is not None:
            await self.write([(transaction_id, self.passage(OUTGOING, noted(crossing, outcome)))])

    async def find(self, peer: PeerId, search: Search) -> Page:
        """The lines in which `peer` is outway, service or one of the delegators, a page at a time.

        Raises:
            Invalid: the limit or the cursor is none.
            Unkept: the database cannot be reached.
        """
        return await asyncio.to_thread(self._find, peer, search)

    async def find_transactions(
        self, peer: PeerId, transaction_ids: Sequence[bytes]
    ) -> tuple[TransactionRecord, ...]:
        """The same for these transactions (16 bytes each), all of them, in the order of the log.

        Raises:
            Invalid: more than 1000 at a time.
            Unkept: the database cannot be reached.
        """
        return await asyncio.to_thread(self._find_transactions, peer, transaction_ids)

    async def counted(
        self, after: int = -1, since: int = 0, span: int = 60_000, most: int = 200_000
    ) -> tuple[int, tuple[Counted, ...]]:
        """How many lines there are behind a place in the log, by crossing and span of time; and where the log ends. For
        charts, which need no line. Arguments as `reading.counted`.

        Raises:
            Unkept: the database cannot be reached.
        """
        return await asyncio.to_thread(self._counted, after, since, span, most)

    def _counted(self, after: int, since: int, span: int, most: int) -> tuple[int, tuple[Counted, ...]]:
        with self._store.read() as connection:
            return reading.counted(connection, after, since, span, most)

    def stretch(self, first: int, most: int) -> tuple[list[Stretched], int]:
        """How many lines came since a place, for who adds them up as they come. Blocks, for tens of milliseconds.

        Args:
            first: number of the first line that counts.
            most: lines at most.

        Returns: counts per crossing and day, and the number to go on from.
        """
        with self._store.read() as connection:
            return reading.stretch(connection, first, most)

    def _left_under(self, peer: PeerId, transaction_id: bytes) -> Crossing | None:
        with self._store.read() as connection:
            return reading.left_under(connection, peer, transaction_id)

    def _find(self, peer: PeerId, search: Search) -> Page:
        with self._store.read() as connection:
            return reading.find(connection, peer, search)

    def _find_transactions(
        self, peer: PeerId, transaction_ids: Sequence[bytes]
    ) -> tuple[TransactionRecord, ...]:
        with self._store.read() as connection:
            return reading.find_transactions(connection, peer, transaction_ids)


async def durable(written: "asyncio.Future[None]", domain: Domain) -> None:
    """Wait until lines are there. Raises `FscProblem` (TRANSACTION_LOG_WRITE_ERROR) when they could not be written."""
    try:
        await written
    except Unkept as problem:
        raise unwritten(problem, domain) from problem


def unwritten(problem: Unkept, domain: Domain) -> FscProblem:
    """Why a request does not pass when its line could not be written."""
    return FscProblem("TRANSACTION_LOG_WRITE_ERROR", domain, problem.why)


def open_transactions(store: Store, clock: Clock) -> TransactionLog:
    """Open the transaction log in a store; this process becomes its writer.

    Raises:
        Conflict: another process writes this database, or it is newer than the code.
        Unkept: it cannot be reached or written.
    """
    migrate(store, "transactions", sql.MIGRATIONS)
    lines = Lines(clock)
    store.register(lines)
    return TransactionLog(store, lines)

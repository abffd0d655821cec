"""Counting what is used: calls from the transaction log, answers with a price from the ledger (decisions 016, 017, 020).

Both logs are read on from where the last count ended, and what a stretch adds is kept in one commit with that place: a crash counts
nothing twice and leaves nothing out. Each side counts its own log; nobody asks the other.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, text

from sluis.gateway import TransactionLog
from sluis.kernel import PeerId
from sluis.ledger import ACTIVITY, Batch, Ledger, Processing, Records
from sluis.statement import CHARGE
from sluis.store import Store
from sluis.usage import sql
from sluis.usage.model import Side
from sluis.usage.rules import month_of

_LINES, _RECORDS = 65_536, 2000  # of one stretch: tens of milliseconds
_LITTLE = 4096  # records without a price after which it is worth a write to say so
_DAY = 86_400_000

_CallKey = tuple[str, Side, str, str, str]
_ChargeKey = tuple[str, Side, str, str]


class Metering:
    """Counts at one node. Made by `service.open_usage`.

    Args:
        store: where counts are kept.
        ledger: its log is counted.
        transactions: the transaction log; None where there is no group.
        own: this node.
    """

    def __init__(
        self, store: Store, ledger: Ledger, transactions: TransactionLog | None, own: PeerId
    ) -> None:
        self._store, self._transactions, self._own = store, transactions, own
        self._turn = asyncio.Lock()
        self._lane = ledger.following.add(self, _RECORDS)
        self._kept = 0

    async def count(self) -> None:
        """Count all that came since the last time. Raises `Unkept`."""
        await self._lane.catch_up()
        async with self._turn:
            while self._transactions is not None and not await asyncio.to_thread(
                self._calls, self._transactions
            ):
                pass

    def calls(self, month: date) -> list[Any]:
        """Calls of a month: side, peer, service, grant_hash, calls, failed. Blocks."""
        with self._store.read() as connection:
            return list(connection.execute(text(sql.CALLS), {"month": f"{month:%Y-%m}"}))

    def charges(self, month: date) -> list[Any]:
        """Answers with a price of a month: side, peer, activity, questions, persons, cents. Blocks."""
        with self._store.read() as connection:
            return list(connection.execute(text(sql.CHARGES), {"month": f"{month:%Y-%m}"}))

    def months(self) -> list[str]:
        """The months in which something was used, newest first. Blocks."""
        with self._store.read() as connection:
            return [str(row.month) for row in connection.execute(text(sql.MONTHS))]

    def _calls(self, log: TransactionLog) -> bool:
        first = self._place("calls")
        found, end = log.stretch(first, _LINES)
        sums: dict[_CallKey, list[int]] = {}
        for one in found:
            incoming = one.direction == "DIRECTION_INCOMING"
            peer = one.crossing.outway_peer if incoming else one.crossing.service_peer
            if peer == self._own:
                continue
            month = f"{month_of(one.day * _DAY):%Y-%m}"
            side: Side = "supply" if incoming else "use"
            key = month, side, str.__str__(peer), one.crossing.service_name, one.crossing.grant_hash
            of = sums.setdefault(key, [0, 0])
            of[one.failed] += one.number
        rows = [
            dict(
                zip(
                    ("month", "side", "peer", "service", "grant_hash", "calls", "failed"),
                    (*key, *of),
                    strict=True,
                )
            )
            for key, of in sums.items()
        ]
        if end > first:
            self._store.write_blocking(lambda connection: _add(connection, "calls", sql.ADD_CALLS, rows, end))
        return end - first < _LINES

    # Answers with a price: follows the log

    def place(self) -> int:
        """Index of the first record that was not counted. Blocks."""
        self._kept = self._place("charges")
        return self._kept

    async def take(self, batch: Batch) -> None:
        """Count the answers with a price in a stretch of the log. Raises `Unkept`."""
        rows = await asyncio.to_thread(self._charges, await batch.records())
        if rows or batch.end - self._kept >= _LITTLE:
            await self._store.write(
                lambda connection: _add(connection, "charges", sql.ADD_CHARGES, rows, batch.end)
            )
            self._kept = batch.end

    def _charges(self, records: Records) -> list[dict[str, Any]]:
        sums: dict[_ChargeKey, list[int]] = {}
        for _, record in records:
            if isinstance(record, Processing) and CHARGE in record.attributes:
                for key, added in self._charged(record):
                    of = sums.setdefault(key, [0, 0, 0])
                    for at, number in enumerate(added):
                        of[at] += number
        names = "month", "side", "peer", "activity", "questions", "persons", "cents"
        return [dict(zip(names, (*key, *of), strict=True)) for key, of in sums.items()]

    def _charged(self, record: Processing) -> Iterable[tuple[_ChargeKey, tuple[int, int, int]]]:
        charge = record.attributes.get(CHARGE)
        if not isinstance(charge, dict) or charge.get("payer") == charge.get("payee"):
            return
        own, month = str.__str__(self._own), f"{month_of(record.start_time):%Y-%m}"
        activity = str(record.attributes.get(ACTIVITY, ""))
        added = 1, int(charge.get("subjects", 0)), int(charge.get("cents", 0))
        if charge.get("payer") == own:
            yield (month, "use", str(charge.get("payee")), activity), added
        elif charge.get("payee") == own:
            yield (month, "supply", str(charge.get("payer")), activity), added

    def _place(self, what: str) -> int:
        with self._store.read() as connection:
            return int(connection.execute(text(sql.PLACE), {"what": what}).scalar_one())


def _add(
    connection: Connection, what: str, statement: str, rows: Sequence[Mapping[str, Any]], end: int
) -> None:
    if rows:
        connection.execute(text(statement), rows)
    connection.execute(text(sql.GO_ON), {"what": what, "place": end})

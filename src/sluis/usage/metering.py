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
from sluis.ledger import ACTIVITY, Processing, records_from
from sluis.statement import CHARGE
from sluis.store import Store
from sluis.usage import sql
from sluis.usage.model import Side
from sluis.usage.rules import month_of

_LINES, _RECORDS = 65_536, 4096  # of one stretch: tens of milliseconds
_DAY = 86_400_000

_CallKey = tuple[str, Side, str, str, str]
_ChargeKey = tuple[str, Side, str, str]


class Metering:
    """Counts at one node. Made by `service.open_usage`.

    Args:
        store: with the log; this process is its writer.
        transactions: the transaction log; None where there is no group.
        own: this node.
    """

    def __init__(self, store: Store, transactions: TransactionLog | None, own: PeerId) -> None:
        self._store, self._transactions, self._own = store, transactions, own
        self._turn = asyncio.Lock()

    async def count(self) -> None:
        """Count all that came since the last time. Raises `Unkept`."""
        async with self._turn:
            while not await asyncio.to_thread(self._charges):
                pass
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
        self._add("calls", sql.ADD_CALLS, rows, first, end)
        return end - first < _LINES

    def _charges(self) -> bool:
        first = self._place("charges")
        records, end = records_from(self._store, first, _RECORDS, CHARGE)
        sums: dict[_ChargeKey, list[int]] = {}
        for _, record in records:
            if isinstance(record, Processing):
                for key, added in self._charged(record):
                    of = sums.setdefault(key, [0, 0, 0])
                    for at, number in enumerate(added):
                        of[at] += number
        rows = [
            dict(
                zip(
                    ("month", "side", "peer", "activity", "questions", "persons", "cents"),
                    (*key, *of),
                    strict=True,
                )
            )
            for key, of in sums.items()
        ]
        self._add("charges", sql.ADD_CHARGES, rows, first, end)
        return end - first < _RECORDS

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
        self, what: str, statement: str, rows: Sequence[Mapping[str, Any]], first: int, end: int
    ) -> None:
        if end == first:
            return

        def work(connection: Connection) -> None:
            if rows:
                connection.execute(text(statement), rows)
            connection.execute(text(sql.GO_ON), {"what": what, "place": end})

        self._store.write_blocking(work)

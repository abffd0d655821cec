"""The summary of the log: follows it as it grows, a bounded stretch at a time, and keeps what that adds with the place in one
commit. After a restart it goes on where it was; what was read twice counts once."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from sluis.kernel import Clock, milliseconds
from sluis.ledger import Batch, Ledger
from sluis.oversight import sql
from sluis.oversight.summing import Row, Streak, Sums, day_and_hour, streak, summed
from sluis.store import Store

STEP = 400
"""Records in one step: some thirty milliseconds of the writer, who keeps others waiting meanwhile."""

_STEPS = 10  # in one turn: two thousand records a second, with turns for others in between

KEPT = timedelta(days=400)
"""How long what is about persons is kept in the summary."""


class Summary:
    """Keeps the summary up to date, and finds in it.

    Args:
        store: of the node.
        ledger: its log is summed up.
        clock: aware UTC.

    Attributes:
        changes: another number once something was added.
    """

    def __init__(self, store: Store, ledger: Ledger, clock: Clock) -> None:
        self._store, self._clock, self.changes = store, clock, 0
        self._lane = ledger.following.add(self, STEP, _STEPS)

    async def catch_up(self) -> None:
        """Sum up all that came into the log. Raises `Unkept`."""
        await self._lane.catch_up()

    async def take(self, batch: Batch) -> None:
        """Sum up a stretch of the log. Raises `Unkept`."""
        sums = await asyncio.to_thread(summed, await batch.records())
        at = milliseconds(self._clock())
        if await self._store.write(lambda connection: keep(connection, sums, batch.first, batch.end, at)):
            self.changes += 1

    async def tidy(self) -> None:
        """Take out what is too old. To be called now and then."""
        day = {"day": (self._clock() - KEPT).date().toordinal()}

        def work(connection: Connection) -> None:
            for statement in sql.FORGET:
                connection.execute(text(statement), day)

        await self._store.write(work)

    def place(self) -> int:
        """How far the log was read: the index of the next record."""
        with self._store.read() as connection:
            return int(connection.execute(text(sql.PLACE)).scalar() or 0)

    def decisions(self, filters: dict[str, Any], most: int) -> list[Row]:
        """Decisions that meet filters (`sql.WHERE`), newest first.

        Args:
            filters: values by name.
            most: at most so many.
        """
        statement = sql.decisions(frozenset(filters))
        with self._store.read() as connection:
            rows = connection.execute(text(statement), {**filters, "most": most}).all()
        found = [
            Row(row.idx, row.at, bool(row.permit), row.action, row.rule, row.peer, row.activity, row.resource)
            for row in rows
        ]
        return found[::-1] if "after" in filters else found

    def choices(self, kind: str) -> list[str]:
        """The values that decisions have: `rule`, `peer` or `activity`; those that occur most first."""
        with self._store.read() as connection:
            return [str(one) for one in connection.execute(text(sql.CHOICES), {"kind": kind}).scalars()]


def keep(connection: Connection, sums: Sums, place: int, end: int, at: int) -> bool:
    """Add to the summary what a stretch of the log comes down to, on the writer's thread.

    Args:
        connection: of the transaction.
        sums: of the stretch.
        place: index of its first record.
        end: index after its last.
        at: when it was read, in ms since the epoch.

    Returns:
        whether it was added: it is not when the summary does not end where it begins.
    """
    if int(connection.execute(text(sql.PLACE)).scalar() or 0) != place:
        return False
    _many(
        connection,
        sql.DECISION,
        [{**msgspec.structs.asdict(row), "permit": int(row.permit)} for row in sums.rows],
    )
    _many(connection, sql.CHOICE, _choices(sums.rows))
    _many(
        connection, sql.USE,
        [dict(zip(("day", "hour", "peer", "person", "activity", "permitted", "refused"), (*key, *counts), strict=True))
         for key, counts in sums.use.items()],
    )  # fmt: skip
    _many(
        connection, sql.PERSON,
        [{"day": day, "subject": subject, "activity": activity, "times": len(traces), "first": traces[0], "trace": traces[-1]}
         for (day, subject, activity), traces in sums.people.items()],
    )  # fmt: skip
    _many(
        connection, sql.ASKED,
        [{"activity": activity, "dataset": dataset, "times": times, "newest": newest}
         for (activity, dataset), (times, newest) in sums.asked.items()],
    )  # fmt: skip
    _streaks(connection, sums.outcomes)
    _many(connection, sql.DESTROYED, [{"first": first, "last": last} for first, last in sums.destroyed])
    connection.execute(text(sql.GO_ON), {"idx": end, "at": at})
    return True


def _choices(rows: Sequence[Row]) -> list[dict[str, Any]]:
    often: dict[tuple[str, str], int] = {}
    for row in rows:
        for kind in ("rule", "peer", "activity"):
            if value := getattr(row, kind):
                often[kind, value] = often.get((kind, value), 0) + 1
    return [{"kind": kind, "value": value, "times": times} for (kind, value), times in often.items()]


def _streaks(connection: Connection, outcomes: list[tuple[str, str, int, bool]]) -> None:
    """Most people are never refused: who is not now, and was not the last time, is passed over."""
    each: dict[tuple[str, str], list[tuple[int, bool]]] = {}
    for peer, person, day, permit in outcomes:
        each.setdefault((peer, person), []).append((day, permit))
    rows = connection.execute(text(sql.RUNNING)).all()
    running = {(row.peer, row.person): Streak(row.day, row.running, row.longest) for row in rows}
    for (peer, person), came in each.items():
        before = running.get((peer, person))
        if before is None and all(permit for _, permit in came):
            continue
        whose = {"peer": peer, "person": person}
        if before is None and (row := connection.execute(text(sql.STREAK_OF), whose).first()):
            before = Streak(*row)
        if (now := streak(before, came)) is not None:
            connection.execute(text(sql.STREAK), {**whose, **msgspec.structs.asdict(now)})


def _many(connection: Connection, statement: str, values: list[dict[str, Any]]) -> None:
    if values:
        connection.execute(text(statement), values)


__all__ = ["KEPT", "STEP", "Summary", "day_and_hour", "keep"]

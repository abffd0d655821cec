"""What the writer remembers of the log, so that it need not ask the database: which idempotency keys may occur in it, and of
the records after the last run, what the search terms of the next are made of."""

from array import array
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from typing import Any

import msgspec

from sluis.ledger import sql, terms
from sluis.ledger.rules import Columns

_PATTERNS = [sum(1 << bit for bit in bits) for bits in combinations(range(16), 4)]
_PATTERNS += _PATTERNS[: 2048 - len(_PATTERNS)]


class Seen:
    """Spots that were written: a Bloom filter, so that "not there" is certain and "there" has to be looked up.

    Four bits in one word of sixteen, two words or more per record: at most one record in 250 is looked up in vain.
    """

    def __init__(self, spots: Sequence[int]) -> None:
        words = 1 << 19
        while words < 4 * len(spots):
            words *= 2
        self._count, self._limit = 0, words // 2
        self._mask, self._words = words - 1, array("H", bytes(2 * words))
        self.add(spots)

    @property
    def is_full(self) -> bool:
        """Whether it no longer keeps its promise and must be made anew."""
        return self._count > self._limit

    def add(self, spots: Sequence[int]) -> None:
        """Add spots."""
        mask, words, patterns = self._mask, self._words, _PATTERNS
        for spot in spots:
            words[spot & mask] |= patterns[spot >> 52]
        self._count += len(spots)

    def among(self, spots: Sequence[int]) -> list[int]:
        """Which of the spots may be here."""
        mask, words, patterns = self._mask, self._words, _PATTERNS
        return [spot for spot in spots if not ~words[spot & mask] & patterns[spot >> 52]]


class Run(msgspec.Struct, frozen=True, gc=False):
    """What the records of a full run are found by, in their order: idempotency keys and search terms. What was destroyed has
    neither trace, subject nor activity."""

    spots: Sequence[int]
    traces: Sequence[int | None]
    subjects: Sequence[int | None]
    activities: Sequence[int | None]
    starts: Sequence[int]

    def rows(self, number: int) -> list[tuple[str, tuple[str, ...], Sequence[tuple[Any, ...]]]]:
        """What run `number` adds to which table, in which columns."""
        starts: defaultdict[int | None, list[int]] = defaultdict(list)
        for activity, start in zip(self.activities, self.starts, strict=True):
            starts[activity].append(start)
        activities = [(number, one, min(of), max(of)) for one, of in starts.items() if one is not None]
        parts = terms.by_part(self.traces, self.subjects).items()
        packed = [(number * sql.PARTS + part, entries.tobytes()) for part, entries in parts]
        return [
            ("ledger_terms", sql.TERM_COLUMNS, packed),
            ("ledger_activities", sql.ACTIVITY_COLUMNS, activities),
            ("ledger_runs", sql.RUN_COLUMNS, [(number, array("q", self.spots).tobytes())]),
        ]


_MISSING = (None,) * 6


class Tail:
    """The records after the last run.

    Args:
        first: index of the first of them.
        end: the one after the last.
        rows: of each, in their order: idx, spot, trace, subject, activity and start (`sql.TAIL`). One that is missing has its
            place all the same, and what is no such number is none: `audit` tells of both, and those after it are found.
    """

    def __init__(self, first: int, end: int, rows: Sequence[Any]) -> None:
        self._first = first
        there = {row[0]: row for row in rows}
        placed = [there.get(index, _MISSING) for index in range(first, end)]
        _, spots, traces, subjects, activities, starts = zip(*placed, strict=True) if placed else [()] * 6
        self._columns: list[list[Any]] = [
            [one if type(one) is int else 0 for one in spots],
            [one if terms.is_term(one) else None for one in traces],
            [one if terms.is_term(one) else None for one in subjects],
            [one if type(one) is int else None for one in activities],
            [one if type(one) is int else 0 for one in starts],
        ]

    @property
    def spots(self) -> Sequence[int]:
        """The idempotency key of each."""
        return self._columns[0]

    def add(self, new: Columns) -> None:
        """Remember records that come after these."""
        more: list[list[Any]] = [new.spots, new.traces, new.subjects, new.activities, new.starts]
        for column, values in zip(self._columns, more, strict=True):
            column.extend(values)

    @property
    def has_run(self) -> bool:
        """Whether the next run is full."""
        return len(self.spots) >= sql.RUN

    def take_run(self) -> Run:
        """Take the next run off."""
        run = Run(*[column[: sql.RUN] for column in self._columns])
        for column in self._columns:
            del column[: sql.RUN]
        self._first += sql.RUN
        return run

    def place(self, spot: int) -> int | None:
        """Where the record with this idempotency key stands, if it is here."""
        return self._first + self.spots.index(spot) if spot in self.spots else None

    def forget(self, index: int) -> None:
        """The record at this index was destroyed: it gets no search terms, and has no key that comes again."""
        spots, traces, subjects, activities, _ = self._columns
        spots[index - self._first] = 0
        for column in (traces, subjects, activities):
            column[index - self._first] = None

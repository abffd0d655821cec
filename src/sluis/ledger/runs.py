"""What the writer remembers of the log, so that it need not ask the database: which idempotency keys occur in the runs,
and of the records after the last run, what the search terms of the next are made of.
"""

from array import array
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations, islice
from typing import Any

from sluis.ledger import sql
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
        self.count, self.limit = 0, words // 2
        self._mask, self._words = words - 1, array("H", bytes(2 * words))
        self.add(spots)

    def add(self, spots: Sequence[int]) -> None:
        """Add spots. Beyond `limit` the filter no longer keeps its promise and must be made anew."""
        mask, words, patterns = self._mask, self._words, _PATTERNS
        for spot in spots:
            words[spot & mask] |= patterns[spot >> 52]
        self.count += len(spots)

    def among(self, spots: Sequence[int]) -> list[int]:
        """Which of the spots may be here."""
        mask, words, patterns = self._mask, self._words, _PATTERNS
        return [spot for spot in spots if not ~words[spot & mask] & patterns[spot >> 52]]


class Tail:
    """The records after the last run.

    Args:
        rows: of each, in their order: idx, spot, trace, subject, activity and start (`sql.TAIL`).

    Attributes:
        places: where each idempotency key stands.
    """

    def __init__(self, rows: Sequence[Any]) -> None:
        indices, *columns = list(zip(*rows, strict=True)) or [()] * 6
        self._spots: list[int]
        self._starts: list[int]
        self._traces: list[int | None]
        self._subjects: list[int | None]
        self._activities: list[int | None]
        self._spots, self._traces, self._subjects, self._activities, self._starts = map(list, columns)
        self.places: dict[int, int] = dict(zip(self._spots, indices, strict=True))

    def add(self, new: Columns) -> None:
        """Remember records that come after these. Their places were noted when they got them."""
        self._spots.extend(new.spots)
        self._traces.extend(new.traces)
        self._subjects.extend(new.subjects)
        self._activities.extend(new.activities)
        self._starts.extend(new.starts)

    def forget(self, place: int) -> None:
        """The record at this place from the start of the tail was destroyed: it gets no search terms."""
        self._traces[place] = self._subjects[place] = self._activities[place] = None

    def spots(self) -> list[int]:
        """The idempotency keys of the records that the next run is made of."""
        return self._spots[: sql.RUN]

    def terms(self, run: int) -> list[int]:
        """The entries of `ledger_terms` of the next run, in their order on disk."""
        first = run * sql.RUN_STEP
        return sorted(
            [
                first + term * sql.TERM_STEP + place
                for terms in (self._traces, self._subjects)
                for place, term in enumerate(islice(terms, sql.RUN))
                if term is not None
            ]
        )

    def activities(self) -> list[tuple[int, int, int]]:
        """The activities that occur in the next run: since when, until when."""
        starts: defaultdict[int | None, list[int]] = defaultdict(list)
        for activity, start in zip(self._activities[: sql.RUN], self._starts, strict=False):
            starts[activity].append(start)
        return [(one, min(of), max(of)) for one, of in starts.items() if one is not None]

    def drop(self, end: int) -> None:
        """The records before index `end` are in a run now."""
        for column in (self._spots, self._traces, self._subjects, self._activities, self._starts):
            del column[: sql.RUN]
        self.places = {spot: index for spot, index in self.places.items() if index >= end}

"""What the writer remembers of the log, so that it need not ask the database: which idempotency keys occur in the runs,
and of the records after the last run, what the search terms of the next are made of.

Adding a whole run at once would keep everybody waiting who writes meanwhile, some thirty milliseconds. So a run that is full
is added share by share, each together with records of the next.
"""

from array import array
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from sluis.ledger import sql
from sluis.ledger.rules import Columns

SHARES = 16
"""In how many shares a run is added: one for each 32nd part of a run that is written, so that it never falls behind."""

_PIECE = 1024  # records of which the terms are made and sorted together

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


class Run:
    """A run of which not all search terms have been added yet.

    Args:
        number: of the run, from 0.

    Attributes:
        spots: the idempotency keys of its records, in their order.
        held: the same, for finding them.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self.spots: list[int] = []
        self.held: set[int] = set()
        self._traces: list[int | None] = []
        self._subjects: list[int | None] = []
        self._activities: list[int | None] = []
        self._starts: list[int] = []
        self._gone: set[int] = set()
        self._by_trace: list[int] = []  # terms, in sorted pieces
        self._by_subject: list[int] = []
        self._sorted = 0  # records of which the terms stand there
        self._terms: list[int] = []
        self._added = self._share = 0

    @property
    def is_full(self) -> bool:
        """Whether it has all its records."""
        return len(self.spots) >= sql.RUN

    @property
    def is_closed(self) -> bool:
        """Whether its search terms are ready to be added."""
        return self._share > 0

    @property
    def is_added(self) -> bool:
        """Whether all its search terms were given out."""
        return self.is_closed and self._added >= len(self._terms)

    def add(
        self,
        spots: Sequence[int],
        traces: Sequence[int | None],
        subjects: Sequence[int | None],
        activities: Sequence[int | None],
        starts: Sequence[int],
    ) -> None:
        """Remember its next records, column by column; what was destroyed has neither trace, subject nor activity."""
        self.held.update(spots)
        self.spots.extend(spots)
        self._traces.extend(traces)
        self._subjects.extend(subjects)
        self._activities.extend(activities)
        self._starts.extend(starts)
        if len(self.spots) - self._sorted >= _PIECE:
            self._sort()

    def _sort(self) -> None:
        """Make terms of the records of which there are none yet."""
        first, place = self.number * sql.RUN_STEP, self._sorted
        self._sorted = len(self.spots)
        for columns, pieces in ((self._traces, self._by_trace), (self._subjects, self._by_subject)):
            terms = enumerate(columns[place:], place)
            pieces += sorted([first + term * sql.TERM_STEP + at for at, term in terms if term is not None])

    def forget(self, index: int) -> None:
        """The record at this index was destroyed: from now on it gets no search terms."""
        place = index - self.number * sql.RUN
        self._gone.add(place)
        self._activities[place] = None

    def close(self) -> None:
        """It is full: put its terms in their order on disk."""
        if not self.is_closed:
            self._sort()
            # The term of every trace is smaller than that of any subject.
            self._terms = sorted(self._by_trace) + sorted(self._by_subject)
            self._share = max(-(-len(self._terms) // SHARES), 1)

    def next_terms(self, shares: int) -> list[int]:
        """The entries of `ledger_terms` that come next, of so many shares."""
        first = self._added
        self._added += shares * self._share
        some = self._terms[first : self._added]
        return [one for one in some if one % sql.TERM_STEP not in self._gone] if self._gone else some

    def activities(self) -> list[tuple[int, int, int]]:
        """The activities that occur in it: since when, until when."""
        starts: defaultdict[int | None, list[int]] = defaultdict(list)
        for activity, start in zip(self._activities, self._starts, strict=True):
            starts[activity].append(start)
        return [(one, min(of), max(of)) for one, of in starts.items() if one is not None]


class Tail:
    """The records after the last run that was added.

    Args:
        number: how many runs were added.
        rows: of each record, in their order: idx, spot, trace, subject, activity and start (`sql.TAIL`).
    """

    def __init__(self, number: int, rows: Sequence[Any]) -> None:
        self._runs = [Run(number)]
        self._extend([[*column] for column in list(zip(*rows, strict=True))[1:]])
        self.close()

    @property
    def first(self) -> Run:
        """The run that comes next: it is full and being added, or it is filling."""
        return self._runs[0]

    @property
    def is_behind(self) -> bool:
        """Whether another full run waits behind the first."""
        return len(self._runs) > 2

    def add(self, new: Columns) -> None:
        """Remember records that come after these."""
        self._extend([new.spots, new.traces, new.subjects, new.activities, new.starts])

    def place(self, spot: int) -> int | None:
        """Where the record with this idempotency key stands, if it is here."""
        for run in self._runs:
            if spot in run.held:
                return run.number * sql.RUN + run.spots.index(spot)
        return None

    def has_none_of(self, spots: Sequence[int]) -> bool:
        """Whether no record here has one of these idempotency keys."""
        return all(run.held.isdisjoint(spots) for run in self._runs)

    def forget(self, index: int) -> None:
        """The record at this index was destroyed."""
        self._runs[index // sql.RUN - self.first.number].forget(index)

    def close(self) -> None:
        """Make the terms of the next run ready to be added, when it is full."""
        if self.first.is_full:
            self.first.close()

    def drop_first(self) -> None:
        """The first run was added."""
        del self._runs[0]

    def _extend(self, columns: list[Any]) -> None:
        """Share records out over the runs; the last is always one that is filling."""
        while columns and columns[0]:
            run = self._runs[-1]
            room = sql.RUN - len(run.spots)
            if len(columns[0]) < room:
                run.add(*columns)
                return
            run.add(*[column[:room] for column in columns])
            columns = [column[room:] for column in columns]
            self._runs.append(Run(run.number + 1))

"""Writing lines: the transaction log's lane in the store's group commit.

Every request of a gateway waits for one of these, so a line costs a tuple and a share of one INSERT, and nothing else:
what is long about it was written once, as its passage.
"""

from collections.abc import Iterable, Sequence
from itertools import chain

from sqlalchemy import Connection, text

from sluis.gateway.transactions import sql
from sluis.gateway.transactions.model import Line, Passage
from sluis.kernel import Clock, milliseconds
from sluis.store import Commit


class Lines:
    """The lane that adds lines. One per log; the store calls its methods from one thread at a time, but for `prepare`.

    Args:
        clock: the node's clock.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next = self._runs = self._now = 0
        self._known: dict[tuple[object, ...], int] = {}
        self._numbers: dict[Passage, int] = {}

    def load(self, connection: Connection) -> None:
        last = connection.execute(text(sql.LAST)).first()
        self._next, self._now = (last.number + 1, last.created_at) if last else (0, 0)
        self._runs = connection.execute(text(sql.RUNS)).scalar_one()
        self._known = {tuple(row[1:]): row.id for row in connection.execute(text(sql.PASSAGES))}
        self._numbers = {}

    def prepare(self, payloads: Sequence[Sequence[Line]]) -> Sequence[Sequence[Line]]:
        return payloads

    def is_brief(self, batch: Sequence[Sequence[Line]]) -> bool:
        return True

    def apply(self, commit: Commit, batch: Sequence[Sequence[Line]]) -> Sequence[None]:
        lines = batch[0] if len(batch) == 1 else list(chain.from_iterable(batch))
        now = self._now = max(self._now, milliseconds(self._clock()))
        numbers, first = self._numbers, self._next
        new = {passage for _, passage in lines}.difference(numbers)
        if new:
            self._number(commit, new)
        rows = [
            (place, numbers[passage], transaction_id, now)
            for place, (transaction_id, passage) in enumerate(lines, first)
        ]
        self._next += len(rows)
        commit.insert("gateway_transactions", sql.COLUMNS, rows)
        return [None] * len(batch)

    def committed(self, connection: Connection) -> bool:
        return self._run_is_full()

    def tidy(self, connection: Connection) -> None:
        while self._run_is_full():
            first = self._runs * sql.RUN
            with connection.begin():
                here = {"run": self._runs, "first": first, "end": first + sql.RUN}
                connection.execute(text(sql.ADD_RUN), here)
            self._runs += 1

    def _run_is_full(self) -> bool:
        return self._next - self._runs * sql.RUN >= sql.RUN

    def _number(self, commit: Commit, new: Iterable[Passage]) -> None:
        """Give a number to passages that have none here: that of an earlier run of the node, or a new one."""
        for passage in new:
            values = (passage.direction, *_columns(passage))
            if values not in self._known:
                self._known[values] = len(self._known)
                commit.insert("gateway_passages", sql.PASSAGE_COLUMNS, [(self._known[values], *values)])
            self._numbers[passage] = self._known[values]


def _columns(passage: Passage) -> tuple[str | None, ...]:
    """The columns of a passage's crossing, as plain text."""
    crossing = passage.crossing
    named = [getattr(crossing, name) for name in sql.PASSAGE_COLUMNS[2:]]
    return tuple(None if value is None else str.__str__(value) for value in named)

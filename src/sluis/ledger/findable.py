"""Whether what a record is found by is what the record says. The tree proves records, not the columns and the search
terms beside them; who changes those hides a record from everyone who searches, the data subject first.

This runs for each of a million records when a log is verified. So it works on a tile at a
time: that is right as a whole, or looked through for what is wrong in it.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from sluis.ledger import sql
from sluis.ledger.model import ACTIVITY, SUBJECT
from sluis.ledger.rules import SALT, activity_term, subject_terms, trace_terms

Fetch = Callable[[str], Sequence[Any]]
"""Gives the rows of a statement without parameters."""

COLUMNS = "idx, salted, leaf, entry, trace, subject, activity, start"
"""What is read of a record; `Findable` needs all but `leaf` and `entry`."""

_FIRST = COLUMNS.split(", ").index("trace")


class _Attributes(msgspec.Struct, frozen=True, gc=False):
    subject: Any = msgspec.field(name=SUBJECT, default=None)
    activity: Any = msgspec.field(name=ACTIVITY, default=None)


_NONE = _Attributes()


class _Said(msgspec.Struct, gc=False):
    """What a record, of any kind, says of itself that it is searched by."""

    trace_id: str
    start_time: int | None = None
    timestamp: int | None = None
    attributes: _Attributes = _NONE


_decode_lines = msgspec.json.Decoder(_Said).decode_lines


class Findable:
    """Follows the records of a log, in their order, and tells which of them a search would miss.

    Args:
        fetch: reads from the snapshot that is verified.
        told: called with the index of each.
    """

    def __init__(self, fetch: Fetch, told: Callable[[int], None]) -> None:
        self._fetch, self._told = fetch, told
        self._runs = int(
            fetch(sql.RUNS)[0][0]
        )  # these are searched by terms; what comes after them by columns
        self._run = 0

    def tile(self, rows: Sequence[Any], end: int) -> None:
        """Look at the rows (`COLUMNS`) of a tile, which ends before `end`.

        What was destroyed, or does not read as a record, is passed over: nothing finds the first any more, and the
        second does not fit its leaf.
        """
        kept = [row for row in rows if row[1]]
        try:
            # One line each: canonical JSON has no line ends.
            said = _searched(_decode_lines(b"\n".join([row[1][SALT:] for row in kept])))
        except (msgspec.MsgspecError, ValueError):
            said = []
        if list(map(list, zip(*kept, strict=True)))[_FIRST:] != said:
            for row, *one in zip(kept, *said, strict=False):
                if list(row[_FIRST:]) != one:
                    self._told(row[0])
        while (self._run + 1) * sql.RUN <= end:
            self._end_run()

    def end(self, size: int) -> None:
        """All was seen. A run that is said to be there, and is not full, hides what is in it."""
        if self._runs * sql.RUN > size:
            self._told(size // sql.RUN * sql.RUN)

    def _end_run(self) -> None:
        """Hold the search terms of a run against the columns of its records, which `tile` looked at."""
        if self._run < self._runs:
            for (index,) in self._fetch(sql.without_terms(self._run)):
                self._told(index)
        self._run += 1


def _searched(said: list[_Said]) -> list[list[Any]]:
    """The columns from `trace` on, as the writer makes them."""
    about = [one.attributes for one in said]
    return [
        trace_terms([one.trace_id for one in said]),
        subject_terms([one.subject for one in about]),
        [None if one.activity is None else activity_term(str(one.activity)) for one in about],
        [one.start_time if one.timestamp is None else one.timestamp for one in said],
    ]

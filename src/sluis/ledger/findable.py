"""Whether what a record is found by is what the record says. The tree proves records, not the columns and the search
terms beside them; who changes those hides a record from everyone who searches, the data subject first.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from sluis.ledger import sql, terms
from sluis.ledger.model import ACTIVITY, SUBJECT
from sluis.ledger.rules import SALT, activity_term, subject_terms, trace_terms

Fetch = Callable[[str], Sequence[Any]]
"""Gives the rows of a statement without parameters."""

_SALTED, _FIRST = sql.CHECKED.index("salted"), sql.CHECKED.index("trace")


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


def hidden(rows: Sequence[Any]) -> list[int]:
    """Which of some records (`sql.checked`) have other columns than they say themselves, by index.

    What was destroyed, or does not read as a record, is passed over: nothing finds the first any more, and the
    second does not fit its leaf.
    """
    kept = [row for row in rows if row[_SALTED]]
    try:
        # One line each: canonical JSON has no line ends.
        said = _searched(_decode_lines(b"\n".join([row[_SALTED][SALT:] for row in kept])))
    except (msgspec.MsgspecError, ValueError):
        said = []
    if list(map(list, zip(*kept, strict=True)))[_FIRST:] == said:
        return []
    return [row[0] for row, *one in zip(kept, *said, strict=False) if list(row[_FIRST:]) != one]


def not_led_to(fetch: Fetch, first: int, end: int, runs: int) -> list[int]:
    """The records that no search term leads to, of the runs that end in a stretch.

    Args:
        fetch: reads the log.
        first: where the stretch begins.
        end: where it ends.
        runs: how many runs are searched by terms; what comes after them is found by its columns.
    """
    ending = range(first // sql.RUN, min(end // sql.RUN, runs))
    return [index for run in ending for index in _not_led_to(fetch, run)]


def _not_led_to(fetch: Fetch, run: int) -> list[int]:
    rows, kept = fetch(sql.terms_of_run(run)), fetch(sql.parts_of_run(run))
    lost = {index for (index,) in fetch(sql.without_activity(run))}
    columns: list[list[int | None]] = [[None] * sql.RUN, [None] * sql.RUN]
    for index, *found_by in rows:
        for column, term in zip(columns, found_by, strict=True):
            if term is None or terms.is_term(term):
                column[index - run * sql.RUN] = term
            else:
                lost.add(index)
    wanted = terms.by_part(*columns)
    there = {part - run * sql.PARTS: terms.unpacked(packed) for part, packed in kept}
    if there != wanted:
        lost.update(run * sql.RUN + place for place in terms.not_among(there, wanted))
    return sorted(lost)


def _searched(said: list[_Said]) -> list[list[Any]]:
    """The columns from `trace` on, as the writer makes them."""
    about = [one.attributes for one in said]
    return [
        trace_terms([one.trace_id for one in said]),
        subject_terms([one.subject for one in about]),
        [None if one.activity is None else activity_term(str(one.activity)) for one in about],
        [one.start_time if one.timestamp is None else one.timestamp for one in said],
    ]

"""Search terms: what leads from a trace or a data subject to the records of a run that may be about it.

The entries of a run are sorted and cut into parts by the highest bits of the term; each part is one row of `ledger_terms`.
So a run costs 128 rows to write, and one row to look into for each term, whatever its records are. An entry is one number
of eight bytes: the term (30 bits) and the place in the run (13 bits).
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence, Set
from itertools import groupby, islice
from typing import Any

from sqlalchemy import Connection, bindparam, text

from sluis.ledger import sql
from sluis.ledger.rules import raw

LIMIT = sql.PARTS << sql.PART_BITS
"""Every term is smaller."""

_PLACE_BITS = 13  # the lowest of an entry
_PLACE = 2**_PLACE_BITS - 1
_TOGETHER = 500  # records that are fetched together


def by_part(traces: Sequence[int | None], subjects: Sequence[int | None]) -> "dict[int, array[int]]":
    """The entries of a run, by part; none for a part without entries.

    Args:
        traces: of each of its records the search term; None of what was destroyed.
        subjects: the same of the data subject; None also of what is about nobody.
    """
    parts: list[list[int]] = [[] for _ in range(sql.PARTS)]
    for terms in (traces, subjects):
        for at, term in enumerate(terms):
            if term is not None:
                parts[term >> sql.PART_BITS].append(term << _PLACE_BITS | at)
    return {part: array("q", sorted(found)) for part, found in enumerate(parts) if found}


def is_term(value: Any) -> bool:
    """Whether a column of search terms holds one, and not what somebody put there."""
    return type(value) is int and 0 <= value < LIMIT


def unpacked(value: Any) -> "array[int]":
    """The entries in a row (`entries`); none when there is no row, or somebody put something else there."""
    packed, found = raw(value), array("q")
    found.frombytes(packed[: len(packed) // 8 * 8])
    return found


def not_among(there: "Mapping[int, array[int]]", wanted: "Mapping[int, array[int]]") -> list[int]:
    """The places in a run that an entry of `wanted` leads to, and none of `there` does for who searches.

    Args:
        there: the entries that are kept, by part, in the order in which they are kept.
        wanted: those that should be, as `by_part` gives them.
    """
    lost: list[int] = []
    for part, entries in wanted.items():
        for term, some in groupby(entries, lambda entry: entry >> _PLACE_BITS):
            found = frozenset(_places(there.get(part, array("q")), term))
            lost += [place for entry in some if (place := entry & _PLACE) not in found]
    return lost


def _places(found: "array[int]", term: int) -> list[int]:
    first, end = bisect_left(found, term << _PLACE_BITS), bisect_left(found, term + 1 << _PLACE_BITS)
    return [entry & _PLACE for entry in found[first:end]]


def led_to(connection: Connection, low: int, high: int, terms: Sequence[int]) -> Iterator[int]:
    """The indexes of the records that terms lead to, newest first.

    Args:
        connection: in a snapshot.
        low: the first run to look into.
        high: the one after the last.
        terms: each once.
    """
    values = {f"term{number}": term for number, term in enumerate(terms)}
    by_run: dict[int, set[int]] = {}
    for run, term, packed in connection.execute(
        text(sql.parts_of(len(terms))), {**values, "low": low, "high": high}
    ):
        if found := _places(unpacked(packed), term):
            by_run.setdefault(run, set()).update(found)
    for run in sorted(by_run, reverse=True):
        yield from sorted([run * sql.RUN + place for place in by_run[run]], reverse=True)


def records(
    connection: Connection, statement: str, indexes: Iterator[int], values: dict[str, int]
) -> Iterator[Any]:
    """The rows that a statement gives of records (`:places`), some hundreds at a time: who has enough stops.

    Args:
        connection: in a snapshot.
        statement: `sql.FOUND` or `sql.SAME_SPOT`.
        indexes: of the records; what the statement gives comes in that order if it keeps it.
        values: of the statement besides.
    """
    prepared = text(statement).bindparams(bindparam("places", expanding=True))
    while some := list(islice(indexes, _TOGETHER)):
        yield from connection.execute(prepared, {**values, "places": some})


def take_out(connection: Connection, run: int, places: Set[int]) -> None:
    """Take out of a run every entry that leads to one of some records, whatever the term.

    Args:
        connection: in a transaction.
        run: its number.
        places: where in the run those records stand, from 0.
    """
    changed: list[dict[str, Any]] = []
    empty: list[dict[str, Any]] = []
    for part, packed in connection.execute(text(sql.parts_of_run(run))).all():
        found = unpacked(packed)
        kept = array("q", [entry for entry in found if entry & _PLACE not in places])
        if not kept:
            empty.append({"part": part})
        elif len(kept) < len(found):
            changed.append({"part": part, "entries": kept.tobytes()})
    for statement, parts in ((sql.CHANGE_PART, changed), (sql.DROP_PART, empty)):
        if parts:
            connection.execute(text(statement), parts)

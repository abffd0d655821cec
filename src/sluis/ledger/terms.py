"""Search terms: what leads from a trace or a data subject to the records of a run that may be about it.

The entries of a run are sorted and cut into parts by the highest bits of the term; each part is one row of `ledger_terms`.
So a run costs 128 rows to write, and one row to look into for each term, whatever its records are. An entry is one number
of eight bytes: the term (30 bits) and the place in the run (13 bits).
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Connection, bindparam, text

from sluis.ledger import sql

LIMIT = 2**30
"""Every term is smaller."""

_PLACE, _PLACES = 13, 2**13 - 1  # bits of an entry that are the place
_PART = 23  # bits of a term that its part leaves open
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
                parts[term >> _PART].append(term << _PLACE | at)
    return {part: array("q", sorted(found)) for part, found in enumerate(parts) if found}


def unpacked(value: Any) -> "array[int]":
    """The entries in a row; none when somebody put something else there."""
    found = array("q")
    if isinstance(value, bytes | memoryview):
        found.frombytes(bytes(value)[: len(value) // 8 * 8])
    return found


def not_among(there: "Mapping[int, array[int]]", wanted: "Mapping[int, array[int]]") -> list[int]:
    """The places of a run that some entry in `wanted` leads to, and none in `there`, where it is looked for; both by part."""
    none = array("q")
    return [
        place
        for part, entries in wanted.items()
        for entry in entries
        if (place := entry & _PLACES) not in _places(there.get(part, none), entry >> _PLACE)
    ]


def _places(found: "array[int]", term: int) -> list[int]:
    first, end = bisect_left(found, term << _PLACE), bisect_left(found, term + 1 << _PLACE)
    return [entry & _PLACES for entry in found[first:end]]


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


def take_out(connection: Connection, index: int, terms: Sequence[int]) -> None:
    """Take the entries that lead from terms to a record out of its run."""
    run, place = divmod(index, sql.RUN)
    for entry in [term << _PLACE | place for term in terms]:
        part = run * sql.PARTS + (entry >> _PLACE + _PART)
        kept = unpacked(connection.execute(text(sql.PART), {"part": part}).scalar())
        if entry in kept:
            kept.remove(entry)
            statement = sql.CHANGE_PART if kept else sql.DROP_PART
            connection.execute(text(statement), {"part": part, "entries": kept.tobytes()})

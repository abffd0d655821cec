"""Reading the log: its tiles and proofs, single records, and the processing records about someone.

Needs no writer, so that another process (`sluis ledger verify` beside a running node) can use it. Every method is
one snapshot of the database.
"""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, bindparam, text

from sluis.kernel import Invalid, NotFound, Text
from sluis.ledger import sql
from sluis.ledger.model import ACTIVITY, PROCESSOR, SUBJECT, Arrangement, Decision, Processing, Search, Stored
from sluis.ledger.rules import SALT, activity_term, raw, subject_term, trace_term
from sluis.ledger.terms import led_to, records
from sluis.ledger.tree import WIDTH, TreeAt
from sluis.store import Store

T = TypeVar("T")
K = TypeVar("K", Arrangement, Decision)

_PROCESSING = msgspec.json.Decoder(Processing)
_ARRANGEMENT = msgspec.json.Decoder(Arrangement)
_DECISION = msgspec.json.Decoder(Decision)
_LONGEST = 2**63 - 1
_FIRST_RUNS = 16
_TERMS = 50  # in one statement

MOST = 10_000
"""The most records that one search gives, whatever its limit."""


class Log:
    """The log in a store.

    Args:
        store: opened; the ledger's tables exist.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def size(self) -> int:
        """How many leaves are committed."""
        with self._store.read() as connection:
            return _size(connection)

    def checkpoint(self) -> str | None:
        """The newest checkpoint that was published, with its cosignatures; None before the first."""
        with self._store.read() as connection:
            epoch = connection.execute(text(sql.EPOCH)).first()
            return epoch.checkpoint if epoch else None

    def epochs(self) -> list[tuple[int, str, int, str | None]]:
        """Per epoch: its number, origin, the size it began at, and its newest checkpoint."""
        with self._store.read() as connection:
            return [
                (row.number, row.origin, row.since, row.checkpoint)
                for row in connection.execute(text(sql.EPOCHS))
            ]

    def root(self, size: int) -> bytes:
        """The root over the first `size` leaves. Raises `NotFound` when there are not so many."""
        with self._store.read() as connection:
            return _tree(connection, size).root()

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The audit path of a leaf in the tree of `size` leaves. Raises `NotFound`."""
        with self._store.read() as connection:
            if not 0 <= index < size:
                raise no_record(index)
            return _tree(connection, size).inclusion(index)

    def consistency(self, old: int, size: int) -> list[bytes]:
        """The proof that the tree of `old` leaves is the beginning of that of `size`. Raises `NotFound`."""
        with self._store.read() as connection:
            if not 0 <= old <= size:
                raise no_record(old)
            return _tree(connection, size).consistency(old)

    def stored(self, index: int) -> Stored:
        """One record as it is kept. Raises `NotFound`."""
        with self._store.read() as connection:
            row = connection.execute(text(sql.SPAN), {"first": index, "end": index + 1}).first()
        if row is None:
            raise no_record(index)
        if row.salted is None:
            return Stored(index, raw(row.entry))
        salted = raw(row.salted)
        return Stored(index, hashlib.sha256(salted).digest(), salted[SALT:], salted[:SALT])

    def bodies(self, first: int, end: int) -> list[tuple[int, bytes]]:
        """Index and canonical JSON of the records from `first` to before `end`, in order, but for what was destroyed."""
        with self._store.read() as connection:
            rows = _salted(connection.execute(text(sql.BODIES), {"first": first, "end": end}))
            return [(index, salted[SALT:]) for index, salted in rows]

    def tile(self, level: int | str, number: int, width: int = WIDTH) -> bytes:
        """A tile as tlog-tiles serves it; `level` may be `entries`: then what the leaves are hashes of, and no more.

        Raises:
            NotFound: the log is not that large.
        """
        if not (1 <= width <= WIDTH and 0 <= number < _LONGEST // WIDTH):
            raise _no_tile()
        with self._store.read() as connection:
            if level == "entries":
                tile = _entries(connection, number * WIDTH, width)
                whole = 34 * width
            else:
                tile = _fetch(connection, int(level), number, width)
                whole = 32 * width
        if len(tile) < whole:
            raise _no_tile()
        return tile[:whole]

    def processing(self, search: Search, now: int | None = None) -> list[Processing]:
        """The processing records that a search finds, newest first, at most `search.limit` and `MOST`.

        Args:
            search: what to look for.
            now: ms since the epoch; records that are withheld then are left out. None: they are shown, which is
                for the privacy officer, never for the subject.

        Raises:
            Invalid: the search names no trace, activity or subject.
        """
        found: list[Processing] = []
        with self._store.read() as connection:
            for _, salted in _candidates(connection, search):
                record = _read(salted, _PROCESSING)
                if (
                    record is not None
                    and _fits(record, search)
                    and not (now is not None and is_withheld(record, now))
                ):
                    found.append(record)
                    if len(found) >= min(search.limit, MOST):
                        break
        return found

    def arrangements(self, trace_id: str) -> list[tuple[int, Arrangement]]:
        """All that ever happened to one object, oldest first, each with the index by which it is proved.

        Args:
            trace_id: that of the object, 32 hex digits.
        """
        return self._of_trace(trace_id, _ARRANGEMENT)

    def decisions(self, trace_id: str) -> list[tuple[int, Decision]]:
        """The decisions of a trace, oldest first, each with its index.

        Args:
            trace_id: 32 hex digits.
        """
        return self._of_trace(trace_id, _DECISION)

    def decisions_of(self, traces: Sequence[str]) -> dict[str, list[Decision]]:
        """The decisions of several traces, of each oldest first. Costs little more than those of one.

        Args:
            traces: 32 hex digits each.
        """
        found: dict[str, list[tuple[int, Decision]]] = {one: [] for one in traces}
        terms = sorted(set(map(trace_term, traces)))
        with self._store.read() as connection:
            for at in range(0, len(terms), _TERMS):
                for index, salted in _with_traces(connection, terms[at : at + _TERMS]):
                    record = _read(salted, _DECISION)
                    if record is not None and record.trace_id in found:
                        found[record.trace_id].append((index, record))
        return {
            trace: [one for _, one in sorted(some, key=lambda at: at[0])] for trace, some in found.items()
        }

    def _of_trace(self, trace_id: str, decoder: msgspec.json.Decoder[K]) -> list[tuple[int, K]]:
        with self._store.read() as connection:
            read = [
                (index, _read(salted, decoder))
                for index, salted in _candidates(connection, Search(trace_id=trace_id))
            ]
        return sorted(
            ((index, one) for index, one in read if one is not None and one.trace_id == trace_id),
            key=lambda found: found[0],
        )


def tiles_of(size: int) -> Iterator[tuple[int | str, int, int]]:
    """Level (or `entries`), number and width of every tile of a tree of `size` leaves."""
    level, count = 0, size
    while count:
        for number in range(-(-count // WIDTH)):
            width = min(WIDTH, count - number * WIDTH)
            yield level, number, width
            if level == 0:
                yield "entries", number, width
        level, count = level + 1, count // WIDTH


def _size(connection: Connection) -> int:
    return int(connection.execute(text(sql.SIZE)).scalar_one())


def _tree(connection: Connection, size: int) -> TreeAt:
    if not 0 <= size <= _size(connection):
        raise no_record(size)
    return TreeAt(size, lambda level, number, width: _fetch(connection, level, number, width))


def _fetch(connection: Connection, level: int, number: int, width: int) -> bytes:
    full = connection.execute(text(sql.TILE), {"level": level, "number": number}).scalar()
    if full is not None:
        return raw(full)
    first, end = number * WIDTH, number * WIDTH + width
    if level == 0:
        hashes = connection.execute(text(sql.LEAVES), {"first": first, "end": end}).scalars()
    else:
        hashes = connection.execute(
            text(sql.ROOTS), {"level": level - 1, "first": first, "end": end}
        ).scalars()
    return b"".join(map(raw, hashes))


def _entries(connection: Connection, first: int, width: int) -> bytes:
    rows = connection.execute(text(sql.SPAN), {"first": first, "end": first + width})
    entries = [
        hashlib.sha256(raw(row.salted)).digest() if row.salted is not None else raw(row.entry) for row in rows
    ]
    return b"".join([len(entry).to_bytes(2, "big") + entry for entry in entries])


def _candidates(connection: Connection, search: Search) -> Iterator[tuple[int, bytes]]:
    """What may fit, with its index, newest first: from the tail, then from the runs."""
    runs = int(connection.execute(text(sql.RUNS)).scalar_one())
    period = {"since": search.since or 0, "until": _LONGEST if search.until is None else search.until}
    if search.trace_id is not None:
        by, terms = "trace", [trace_term(search.trace_id)]
    elif search.subjects is not None:
        # Two subjects may share a term, and who searches may name one twice; a record is found once all the same.
        by, terms = "subject", sorted({subject_term(subject) for subject in search.subjects})
    elif search.activity is not None:
        by, terms = "activity", [activity_term(search.activity)]
    else:
        raise _too_wide()
    if not terms:
        return
    tail = text(sql.FOUND_IN_TAIL[by]).bindparams(bindparam("terms", expanding=True))
    yield from _salted(connection.execute(tail, {"terms": terms, "first": runs * sql.RUN}))
    if by == "activity":
        yield from _of_activity(connection, runs, {"activity": terms[0], **period})
    else:
        yield from _with_terms(connection, runs, terms, period)


def _with_traces(connection: Connection, terms: list[int]) -> Iterator[tuple[int, bytes]]:
    """What may be of these traces, from the tail and from the runs."""
    runs = int(connection.execute(text(sql.RUNS)).scalar_one())
    tail = text(sql.FOUND_IN_TAIL["trace"]).bindparams(bindparam("terms", expanding=True))
    yield from _salted(connection.execute(tail, {"terms": terms, "first": runs * sql.RUN}))
    yield from _with_terms(connection, runs, terms, {"since": 0, "until": _LONGEST})


def _with_terms(
    connection: Connection, high: int, terms: list[int], period: dict[str, int]
) -> Iterator[tuple[int, bytes]]:
    """Through the search terms, of ever more runs at a time."""
    step = _FIRST_RUNS
    while high > 0:
        low = max(0, high - step)
        yield from _salted(records(connection, sql.FOUND, led_to(connection, low, high, terms), period))
        high, step = low, 2 * step


def _of_activity(connection: Connection, runs: int, values: dict[str, Any]) -> Iterator[tuple[int, bytes]]:
    """Run by run, of those in which the activity occurs."""
    for run in connection.execute(text(sql.RUNS_OF_ACTIVITY), values).scalars().all():
        if run not in range(runs):  # the tail has what comes after them
            continue
        stretch = {"first": run * sql.RUN, "end": (run + 1) * sql.RUN}
        yield from _salted(connection.execute(text(sql.FOUND_IN_RUN), {**values, **stretch}))


def _salted(rows: Any) -> Iterator[tuple[int, bytes]]:
    for row in rows:
        yield row.idx, raw(row.salted)


def _read(salted: bytes, decoder: msgspec.json.Decoder[T]) -> T | None:
    try:
        return decoder.decode(memoryview(salted)[SALT:])
    except msgspec.MsgspecError:  # of another kind; or tampered with, which must not hide all others
        return None


def _fits(record: Processing, search: Search) -> bool:
    attributes = record.attributes
    return (
        (search.trace_id is None or record.trace_id == search.trace_id)
        and (search.activity is None or attributes.get(ACTIVITY) == search.activity)
        and (search.subjects is None or attributes.get(SUBJECT) in search.subjects)
        and (search.processor is None or attributes.get(PROCESSOR) == search.processor)
        and (search.since is None or record.start_time >= search.since)
        and (search.until is None or record.end_time <= search.until)
    )


def is_withheld(record: Processing, now: int) -> bool:
    """Whether the subject may not be told of a record at a moment (ms since the epoch): neither shown it, nor sent word of it."""
    return record.withheld is not None and record.withheld.until > now


def _too_wide() -> Invalid:
    return Invalid(
        "search-too-wide",
        Text("Deze zoekvraag is te ruim.", "This search is too wide."),
        Text("Er staat geen trace, activiteit of betrokkene in.", "It names no trace, activity or subject."),
        Text("Noem er minstens één.", "Name at least one."),
    )


def no_record(index: int) -> NotFound:
    """The problem of an index that the log does not reach."""
    return NotFound(
        "unknown-record",
        Text(f"Het logboek heeft geen regel {index}.", f"The log has no record {index}."),
        Text("Zover is het nog niet.", "It does not go that far."),
        Text(
            "Kijk in het checkpoint hoe groot het logboek is.", "See the checkpoint for the size of the log."
        ),
    )


def _no_tile() -> NotFound:
    return NotFound(
        "unknown-tile",
        Text("Deze tegel is er niet.", "There is no such tile."),
        Text("Het logboek is niet zo groot.", "The log is not that large."),
        Text(
            "Kijk in het checkpoint hoe groot het logboek is.", "See the checkpoint for the size of the log."
        ),
    )

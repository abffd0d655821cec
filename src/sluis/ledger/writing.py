"""Writing records: the ledger's lane in the store's group commit. Owns their order, and says what is a duplicate.

This runs for every record of every consultation. So it works in lists, and batches what it can: one call for the
random salts, sixteen rows to an insert, tree hashing per full tile; and only when one of a batch is refused, or may
have been here before, are they looked at one by one.
"""

import hashlib
import os
from array import array
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any
from zlib import crc32

import msgspec
from sqlalchemy import Connection, text

from sluis.crypto import canonical_struct
from sluis.kernel import Conflict, Invalid, Problem, Text
from sluis.ledger import sql
from sluis.ledger.model import (
    ACTIVITY,
    SUBJECT,
    SUBJECT_TYPE,
    Act,
    Decision,
    Destruction,
    Epoch,
    Position,
    Processing,
    Record,
)
from sluis.ledger.tree import WIDTH, Tree
from sluis.store import insert_rows

SALT = 16  # bytes; as many as SD-JWT asks for (RFC 9901, section 9.3)

_STATUSES = frozenset({"Unset", "Ok", "Error"})
_TRACE, _SUBJECT, _ACTIVITY = 1 << 32, 2 << 32, 3 << 32
_SPOTS = 2**61 - 1

_Prepared = tuple[tuple[int, int, int | None, int | None, int], bytes]
_Sifted = tuple[list[_Prepared], list[int | Exception]]
"""The records to add; and per payload the index of its last record, or what refuses it."""


def trace_term(trace_id: str) -> int:
    """The search term of a trace: its last 32 bits, which W3C wants random. What is found is looked at again."""
    return _TRACE | int(trace_id[-8:], 16)


def subject_term(subject: str) -> int:
    """The search term of a data subject's pseudonym."""
    return _SUBJECT | crc32(subject.encode())


@lru_cache(1024)
def activity_term(activity: str) -> int:
    """The search term of a processing activity."""
    return _ACTIVITY | crc32(activity.encode())


def prepare(record: Record) -> _Prepared:
    """What is written of a record, but for its place: (trace, spot, subject, activity, start), canonical JSON.

    The spot is a number for the record's idempotency key: kind, trace, span, and for decisions the event name.

    Raises:
        Invalid: ids that are no W3C trace ids, an unknown status, a subject without its type or activity, or a
            value that has no canonical form.
    """
    if isinstance(record, Processing):
        attributes, start, kind = record.attributes, record.start_time, 0
        body = canonical_struct(record, attributes, record.resource)
    elif isinstance(record, Decision):
        attributes, start, kind = record.attributes, record.timestamp, crc32(record.event_name.encode())
        body = canonical_struct(record, attributes, record.resource, record.body)
    else:
        raise _malformed()
    number = _number(record.trace_id, record.span_id)
    if record.status not in _STATUSES:
        raise _malformed()
    subject, activity = attributes.get(SUBJECT), attributes.get(ACTIVITY)
    if subject is not None and kind == 0 and (activity is None or SUBJECT_TYPE not in attributes):
        raise _subject_alone()
    return (
        _TRACE | number >> 64 & 0xFFFF_FFFF,
        number % _SPOTS ^ kind,
        None if subject is None else _SUBJECT | crc32(str(subject).encode()),
        None if activity is None else activity_term(str(activity)),
        start,
    ), body


def _prepare_act(act: Act) -> _Prepared:
    number = _number(act.trace_id, act.span_id)
    terms = (_TRACE | number >> 64 & 0xFFFF_FFFF, number % _SPOTS ^ 1, None, None, act.timestamp)
    return terms, canonical_struct(act)


class OwnAct(list[Any]):
    """A payload of one `Epoch` or `Destruction`: recorded, and carried out in the same transaction."""


def _number(trace_id: str, span_id: str) -> int:
    """Both ids as one number, when they are lower-case hex digits of the right length and neither is zero."""
    ids = trace_id + span_id
    try:
        number = int(ids, 16)
    except ValueError:
        raise _malformed() from None
    if (
        f"{number:048x}" != ids
        or len(span_id) != 16
        or not number >> 64
        or not number & 0xFFFF_FFFF_FFFF_FFFF
    ):
        raise _malformed()
    return number


class _Seen:
    """Spots in the runs: a Bloom filter, so that "not there" is certain and "there" has to be looked up.

    Two bits of sixteen or more per record: at most one look-up in seventy is in vain.
    """

    def __init__(self, spots: "array[int]") -> None:
        bits = 1 << 23
        while bits < 32 * len(spots):
            bits *= 2
        self.count, self.limit = 0, bits // 16
        self.mask, self.bytes = bits - 1, bytearray(bits // 8)
        self.add(spots)

    def add(self, spots: "array[int]") -> None:
        mask, seen = self.mask, self.bytes
        for spot in spots:
            seen[(spot & mask) >> 3] |= 1 << (spot & 7)
            other = spot >> 31
            seen[(other & mask) >> 3] |= 1 << (other & 7)
        self.count += len(spots)

    def any(self, spots: list[int]) -> bool:
        """Whether one of the spots may be here."""
        mask, seen = self.mask, self.bytes
        for spot in spots:
            if seen[(spot & mask) >> 3] >> (spot & 7) & 1:
                other = spot >> 31
                if seen[(other & mask) >> 3] >> (other & 7) & 1:
                    return True
        return False


class Records:
    """The lane that appends records. One per log; only the store's writer thread calls its methods.

    Attributes:
        origin: of the epoch the log is in.
        epoch: its number, from 1.
        size: how many leaves are committed; other threads may read it.
        witnesses: how many peers have cosigned the newest checkpoint.
    """

    def __init__(self, origin: str) -> None:
        self._first_origin = origin
        self.origin = origin
        self.size = 0
        self.epoch = 1
        self.witnesses = 0
        self._gone = False
        self._tree = Tree()
        self._runs = 0
        self._tail: dict[int, int] = {}
        self._seen = _Seen(array("q"))

    def load(self, connection: Connection) -> None:
        def rows(statement: str, **values: int) -> Sequence[Any]:
            return connection.execute(text(statement), values).all()

        size = rows(sql.SIZE)[0][0]
        self._tree = Tree(size, _edges(size, rows))
        self._runs = rows(sql.RUNS)[0][0]
        self._seen = _Seen(_spots(connection))
        self._tail = {row.spot: row.idx for row in rows(sql.TAIL, first=self._runs * sql.RUN)}
        epoch = rows(sql.EPOCH)
        if not epoch:
            connection.execute(text(sql.NEW_EPOCH), {"number": 1, "origin": self._first_origin, "since": 0})
        self.origin, self.epoch = (epoch[0].origin, epoch[0].number) if epoch else (self._first_origin, 1)
        self.size = size

    def apply(
        self, connection: Connection, payloads: Sequence[Sequence[Record]]
    ) -> list[Position | Exception]:
        base = self._tree.size
        taken, last = self._all_new(base, payloads) or self._one_by_one(connection, base, payloads)
        if taken:
            self._insert(connection, base, taken)
        origin, size, witnesses = self.origin, self._tree.size, self.witnesses
        return [at if isinstance(at, Exception) else Position(origin, at, size, witnesses) for at in last]

    def committed(self, connection: Connection) -> None:
        self.size = self._tree.size
        if self._gone and _swept(connection):
            self._gone = False

    def tidy(self, connection: Connection) -> None:
        while self.size - self._runs * sql.RUN >= sql.RUN:
            self._add_run(connection)

    def _insert(self, connection: Connection, base: int, taken: list[_Prepared]) -> None:
        sha256, salts = hashlib.sha256, os.urandom(SALT * len(taken))
        cuts = range(0, len(salts), SALT)
        salted = [salts[cut : cut + SALT] + body for cut, (_, body) in zip(cuts, taken, strict=True)]
        leaves = [sha256(b"\x00" + sha256(kept).digest()).digest() for kept in salted]
        rows = [
            (index, *terms, kept, leaf)
            for index, (terms, _), kept, leaf in zip(
                range(base, base + len(taken)), taken, salted, leaves, strict=True
            )
        ]
        insert_rows(connection, "ledger_records", sql.RECORD_COLUMNS, rows)
        tiles = self._tree.extend(leaves)
        if tiles:
            insert_rows(
                connection,
                "ledger_tiles",
                sql.TILE_COLUMNS,
                [msgspec.structs.astuple(tile) for tile in tiles],
            )

    def _all_new(self, base: int, payloads: Sequence[Sequence[Record]]) -> _Sifted | None:
        """All records, when none is refused and none may have been here before; else None."""
        if OwnAct in map(type, payloads):
            return None
        try:
            taken = [prepare(record) for records in payloads for record in records]
        except Problem:
            return None
        spots = [terms[1] for terms, _ in taken]
        fresh = dict(zip(spots, range(base, base + len(spots)), strict=True))
        if len(fresh) < len(spots) or not self._tail.keys().isdisjoint(spots) or self._seen.any(spots):
            return None
        self._tail.update(fresh)
        return taken, [base - 1 + end for end in accumulate(map(len, payloads))]

    def _one_by_one(self, connection: Connection, base: int, payloads: Sequence[Sequence[Record]]) -> _Sifted:
        """The records that are new, payload by payload; of a payload that is refused, none."""
        taken: list[_Prepared] = []
        last: list[int | Exception] = []
        for records in payloads:
            start = len(taken)
            at = base + start - 1
            try:
                for record in records:
                    own = isinstance(records, OwnAct)
                    prepared = _prepare_act(record) if own else prepare(record)  # type: ignore[arg-type]
                    known = self._known(connection, base, taken, prepared)
                    at = base + len(taken) if known is None else known
                    if known is None:
                        self._tail[prepared[0][1]] = at
                        taken.append(prepared)
                        if own:
                            self._carry_out(connection, record)
                last.append(at)
            except Problem as problem:
                for terms, _ in taken[start:]:
                    self._tail.pop(terms[1], None)
                del taken[start:]
                last.append(problem)
        return taken, last

    def _known(
        self, connection: Connection, base: int, taken: list[_Prepared], prepared: _Prepared
    ) -> int | None:
        """The index of the same record, when it is there already. Raises `Conflict` when its content differs."""
        (trace, spot, *_), body = prepared
        index = self._tail.get(spot)
        if index is not None and index >= base:
            return _same_or_conflict([(index, taken[index - base][1])], body)
        if index is not None:
            found = connection.execute(text(sql.SALTED), {"idx": index}).all()
        elif self._seen.any([spot]):
            values = {"trace": trace, "spot": spot, "low": 0, "high": self._runs}
            found = connection.execute(text(sql.SAME_SPOT), values).all()
        else:
            return None
        return _same_or_conflict([(row.idx, bytes(row.salted)[SALT:]) for row in found if row.salted], body)

    def _carry_out(self, connection: Connection, act: Any) -> None:
        if isinstance(act, Epoch):
            values = {"number": act.number, "origin": act.origin, "since": act.found}
            connection.execute(text(sql.NEW_EPOCH), values)
            self.origin, self.epoch, self.witnesses = act.origin, act.number, 0
        elif isinstance(act, Destruction):
            for first, last in act.stretches:
                for row in connection.execute(text(sql.SPAN), {"first": first, "end": last + 1}).all():
                    if row.salted is not None:
                        self._destroy(connection, row.idx, bytes(row.salted))
            self._gone = True

    def _destroy(self, connection: Connection, index: int, salted: bytes) -> None:
        connection.execute(text(sql.DESTROY_TERMS), {"run": index // sql.RUN, "idx": index})
        connection.execute(text(sql.DESTROY), {"idx": index, "entry": hashlib.sha256(salted).digest()})

    def _add_run(self, connection: Connection) -> None:
        run, first = self._runs, self._runs * sql.RUN
        spots = array("q", [spot for spot, index in self._tail.items() if index < first + sql.RUN])
        with connection.begin():
            connection.execute(text(sql.ADD_TERMS), {"run": run, "first": first, "end": first + sql.RUN})
            connection.execute(text(sql.ADD_RUN), {"run": run, "spots": spots.tobytes()})
        self._runs += 1
        for spot in spots:
            del self._tail[spot]
        self._seen.add(spots)
        if self._seen.count > self._seen.limit:
            with connection.begin():
                self._seen = _Seen(_spots(connection))


def _swept(connection: Connection) -> bool:
    """Take what was destroyed out of the write-ahead log (SQLite) or out of the dead rows (PostgreSQL); whether that
    could be done now, with what others are reading."""
    driver: Any = connection.connection.driver_connection
    if connection.dialect.name == "sqlite":
        return bool(driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0)
    driver.autocommit = True  # VACUUM runs in no transaction
    try:
        driver.execute("VACUUM ledger_records, ledger_terms")
    finally:
        driver.autocommit = False
    return True


def _spots(connection: Connection) -> "array[int]":
    spots = array("q")
    for (packed,) in connection.execute(text(sql.SPOTS)):
        spots.frombytes(packed)
    return spots


def _edges(size: int, rows: Callable[..., Sequence[Any]]) -> list[list[bytes]]:
    """The unfinished tiles of a tree of `size` leaves: their own leaves, and the roots of the tiles below."""
    edges = [[bytes(row.leaf) for row in rows(sql.LEAVES, first=size // WIDTH * WIDTH, end=size)]]
    count = size // WIDTH
    while count:
        below = {"level": len(edges) - 1, "first": count // WIDTH * WIDTH, "end": count}
        edges.append([bytes(row.root) for row in rows(sql.ROOTS, **below)])
        count //= WIDTH
    return edges


def _same_or_conflict(found: list[tuple[int, bytes]], body: bytes) -> int | None:
    for index, kept in found:
        if kept == body:
            return index
        if _identity(kept) == _identity(body):
            raise _other_content()
    return None


def _identity(body: bytes) -> tuple[str | None, ...]:
    fields = msgspec.json.decode(body)
    return tuple(fields.get(name) for name in ("kind", "trace_id", "span_id", "event_name"))


def _malformed() -> Invalid:
    return Invalid(
        "invalid-record",
        Text("Deze logregel klopt niet.", "This log record is malformed."),
        Text(
            "trace_id heeft 32 en span_id 16 kleine hexadecimale cijfers, niet alleen nullen; status is Unset, Ok of Error.",
            "trace_id has 32 and span_id 16 lower-case hex digits, not all zero; status is Unset, Ok or Error.",
        ),
        Text("Verbeter de regel en schrijf hem opnieuw.", "Correct the record and write it again."),
    )


def _subject_alone() -> Invalid:
    return Invalid(
        "incomplete-subject",
        Text(
            "Deze logregel noemt een betrokkene zonder reden.",
            "This log record names a subject without a reason.",
        ),
        Text(
            "Bij een betrokkene horen altijd het soort nummer en de verwerkingsactiviteit.",
            "A subject always comes with the type of its key and the processing activity.",
        ),
        Text("Vul beide aan en schrijf de regel opnieuw.", "Add both and write the record again."),
    )


def _other_content() -> Conflict:
    return Conflict(
        "record-differs",
        Text("Deze logregel bestaat al met een andere inhoud.", "This log record exists with other content."),
        Text(
            "Dezelfde trace en span zijn eerder vastgelegd; wat vastligt verandert niet.",
            "The same trace and span were recorded before; what is recorded does not change.",
        ),
        Text("Geef de nieuwe handeling een eigen span.", "Give the new action a span of its own."),
    )

"""Writing records: the ledger's lane in the store's group commit. Owns their order, and says what is a duplicate.

The loop in `apply` runs for every record of every consultation, so it works on locals and batches what it can: one
call for the random salts, one insert for all rows, tree hashing per full tile.
"""

import hashlib
import os
import re
from array import array
from collections.abc import Callable, Sequence
from typing import Any
from zlib import crc32

import msgspec
from sqlalchemy import Connection, text

from sluis.crypto import canonical_struct
from sluis.kernel import Conflict, Invalid, Problem, Text
from sluis.ledger import sql
from sluis.ledger.model import ACTIVITY, SUBJECT, SUBJECT_TYPE, Decision, Position, Processing, Record
from sluis.ledger.tree import WIDTH, Tree
from sluis.store import insert_rows

SALT = 16  # bytes; as many as SD-JWT asks for (RFC 9901, section 9.3)

_IDS = re.compile(r"(?!0{32})[0-9a-f]{32}(?!0{16})[0-9a-f]{16}")
_STATUSES = frozenset({"Unset", "Ok", "Error"})
_TRACE, _SUBJECT, _ACTIVITY = 1 << 32, 2 << 32, 3 << 32
_SPOT = 2**63 - 1

_Prepared = tuple[str, int, int, int | None, int | None, int, bytes]


def trace_term(trace_id: str) -> int:
    """The search term of a trace. Terms are short, so what they find is looked at again."""
    return _TRACE | crc32(trace_id.encode())


def subject_term(subject: str) -> int:
    """The search term of a data subject's pseudonym."""
    return _SUBJECT | crc32(subject.encode())


def activity_term(activity: str) -> int:
    """The search term of a processing activity."""
    return _ACTIVITY | crc32(activity.encode())


def prepare(record: Record) -> _Prepared:
    """What is written of a record, but for its place: kind, trace, spot, subject, activity, start, canonical JSON.

    The spot stands for the record's idempotency key: kind, trace, span, and for decisions the event name.

    Raises:
        Invalid: ids that are no W3C trace ids, an unknown status, a subject without its type or activity, or a
            value that has no canonical form.
    """
    if isinstance(record, Processing):
        attributes, start, salt = record.attributes, record.start_time, 0
        body = canonical_struct(record, attributes, record.resource)
    elif isinstance(record, Decision):
        attributes, start, salt = record.attributes, record.timestamp, crc32(record.event_name.encode())
        body = canonical_struct(record, attributes, record.resource, record.body)
    else:
        attributes, start, salt = {}, record.timestamp, 1
        body = canonical_struct(record)
    trace_id, span_id = record.trace_id, record.span_id
    if len(trace_id) != 32 or _IDS.fullmatch(trace_id + span_id) is None or record.status not in _STATUSES:
        raise _malformed()
    subject, activity = attributes.get(SUBJECT), attributes.get(ACTIVITY)
    if subject is not None and salt == 0 and (activity is None or SUBJECT_TYPE not in attributes):
        raise _subject_alone()
    trace = _TRACE | crc32(trace_id.encode())
    return (
        record.__struct_config__.tag,
        trace,
        (int(span_id, 16) ^ (trace << 30) ^ salt) & _SPOT,
        None if subject is None else _SUBJECT | crc32(str(subject).encode()),
        None if activity is None else _ACTIVITY | crc32(str(activity).encode()),
        start,
        body,
    )


class _Seen:
    """Spots in the runs: a Bloom filter, so that "not there" is certain and "there" has to be looked up.

    Two bits of sixteen or more per record: at most one look-up in seventy is in vain.
    """

    def __init__(self, spots: "array[int]") -> None:
        bits = 1 << 23
        while bits < 32 * len(spots):
            bits *= 2
        self.count, self.limit = len(spots), bits // 16
        self.mask, self.bytes = bits - 1, bytearray(bits // 8)
        self.add(spots)

    def add(self, spots: "array[int]") -> None:
        mask, seen = self.mask, self.bytes
        for spot in spots:
            seen[(spot & mask) >> 3] |= 1 << (spot & 7)
            other = spot >> 31
            seen[(other & mask) >> 3] |= 1 << (other & 7)

    def maybe(self, spot: int) -> bool:
        other = spot >> 31
        return bool(self.bytes[(other & self.mask) >> 3] >> (other & 7) & 1)


class Records:
    """The lane that appends records. One per log; only the store's writer thread calls it.

    Attributes:
        tree: the tree over what is committed (and, during `apply`, over what is about to be).
        position: of the newest committed state: origin, size, witnesses. Replaced, never changed, so that any
            thread may read it.
    """

    def __init__(self, origin: str) -> None:
        self._first_origin = origin
        self.origin = origin
        self.witnesses = 0
        self.size = 0
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
        self._tail = {spot: index for index, spot in rows(sql.TAIL, first=self._runs * sql.RUN)}
        epoch = rows(sql.EPOCH)
        if epoch:
            self.origin = epoch[0].origin
        else:
            connection.execute(text(sql.NEW_EPOCH), {"number": 1, "origin": self._first_origin, "since": 0})
            self.origin = self._first_origin
        self.size = size

    def apply(
        self, connection: Connection, payloads: Sequence[Sequence[Record]]
    ) -> list[Position | Exception]:
        base = self._tree.size
        salts = os.urandom(SALT * sum(map(len, payloads)))
        rows: list[tuple[Any, ...]] = []
        leaves: list[bytes] = []
        last: list[int | Exception] = []
        tail, seen, mask, sha256 = self._tail, self._seen.bytes, self._seen.mask, hashlib.sha256
        for records in payloads:
            start = len(rows)
            index = start - 1
            try:
                for record in records:
                    kind, trace, spot, subject, activity, when, body = prepare(record)
                    if spot in tail or (
                        seen[(spot & mask) >> 3] >> (spot & 7) & 1 and self._seen.maybe(spot)
                    ):
                        known = self._known(connection, base, rows, trace, spot, body)
                        if known is not None:
                            index = known - base
                            continue
                    index = len(rows)
                    salt = salts[SALT * index : SALT * index + SALT]
                    leaf = sha256(b"\x00" + sha256(salt + body).digest()).digest()
                    leaves.append(leaf)
                    tail[spot] = base + index
                    rows.append((base + index, kind, trace, spot, subject, activity, when, body, salt, leaf))
                last.append(index)
            except Problem as problem:
                for row in rows[start:]:
                    tail.pop(row[3], None)
                del rows[start:], leaves[start:]
                last.append(problem)
        if rows:
            insert_rows(connection, "ledger_records", sql.RECORD_COLUMNS, rows)
            tiles = self._tree.extend(leaves)
            if tiles:
                insert_rows(
                    connection, "ledger_tiles", sql.TILE_COLUMNS, [msgspec.structs.astuple(t) for t in tiles]
                )
        origin, size, witnesses = self.origin, self._tree.size, self.witnesses
        return [
            index if isinstance(index, Exception) else Position(origin, base + index, size, witnesses)
            for index in last
        ]

    def committed(self, connection: Connection) -> None:
        self.size = self._tree.size
        while self.size - self._runs * sql.RUN >= sql.RUN:
            self._add_run(connection)

    def _known(
        self,
        connection: Connection,
        base: int,
        rows: list[tuple[Any, ...]],
        trace: int,
        spot: int,
        body: bytes,
    ) -> int | None:
        """The index of the same record, when it is there already. Raises `Conflict` when its content differs."""
        index = self._tail.get(spot)
        if index is None:
            found = connection.execute(text(sql.SAME_SPOT), {"trace": trace, "spot": spot}).all()
        elif index >= base:
            return _same_or_conflict([(index, rows[index - base][7])], body)
        else:
            found = connection.execute(text(sql.BODY), {"idx": index}).all()
        return _same_or_conflict([(row.idx, row.body) for row in found], body)

    def _add_run(self, connection: Connection) -> None:
        run, first = self._runs, self._runs * sql.RUN
        spots = array("q", [spot for spot, index in self._tail.items() if index < first + sql.RUN])
        with connection.begin():
            connection.execute(text(sql.ADD_TERMS), {"run": run, "first": first, "end": first + sql.RUN})
            connection.execute(text(sql.ADD_RUN), {"run": run, "spots": spots.tobytes()})
        self._runs += 1
        for spot in spots:
            del self._tail[spot]
        self._seen.count += len(spots)
        if self._seen.count > self._seen.limit:
            with connection.begin():
                self._seen = _Seen(_spots(connection))
        else:
            self._seen.add(spots)


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


def _same_or_conflict(found: list[tuple[int, bytes | None]], body: bytes) -> int | None:
    for index, kept in found:
        if kept is not None and bytes(kept) == body:
            return index
        if kept is not None and _identity(bytes(kept)) == _identity(body):
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

"""Checking a log from the inside: every record against its leaf and against what it is found by, every leaf and tile against the root, the root
against the checkpoints that were signed, and every destroyed record against the record that says so.

What somebody outside can check without these records is in `verifier`.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, text

from sluis.kernel import Text
from sluis.ledger import sql
from sluis.ledger.findable import COLUMNS, Findable
from sluis.ledger.model import Destruction
from sluis.ledger.reading import tiles_of
from sluis.ledger.rules import SALT
from sluis.ledger.tree import WIDTH, subtree_root
from sluis.ledger.verifier import LOG, Checkpoint, Key, Range, Rejected, open_checkpoint
from sluis.store import Store

_MARK = b'"kind":"destruction"'
_sha256 = hashlib.sha256

_TEXTS = {
    "altered": ("Regel {0} is veranderd.", "Record {0} was changed."),
    "hidden": (
        "Regel {0} is met zoeken niet te vinden: waarop hij gezocht wordt, is veranderd.",
        "Record {0} cannot be found by searching: what it is found by was changed.",
    ),
    "missing": ("Regel {0} is weg.", "Record {0} is gone."),
    "unaccounted": (
        "Regel {0} is vernietigd, en geen regel zegt waarom.",
        "Record {0} was destroyed, and no record says why.",
    ),
    "tile": (
        "De hashes van regel {0} en verder zijn veranderd.",
        "The hashes of record {0} and on were changed.",
    ),
    "forked": (
        "De eerste {0} regels zijn niet die van een eerder ondertekend checkpoint.",
        "The first {0} records are not those of a checkpoint that was signed earlier.",
    ),
    "truncated": (
        "Het logboek had eerder {0} regels; nu zijn het er minder.",
        "The log had {0} records before; now it has fewer.",
    ),
    "checkpoint": (
        "Een checkpoint is niet door dit logboek ondertekend.",
        "A checkpoint is not signed by this log.",
    ),
}


class Fault(msgspec.Struct, frozen=True):
    """Something that is not as it was written. `index` is a record, or for `forked` and `truncated` a size."""

    kind: Literal["altered", "hidden", "missing", "unaccounted", "tile", "forked", "truncated", "checkpoint"]
    index: int

    @property
    def text(self) -> Text:
        """The fault in a sentence."""
        nl, en = _TEXTS[self.kind]
        return Text(nl.format(self.index), en.format(self.index))


class Verification(msgspec.Struct, frozen=True):
    """What checking found. `destroyed` counts the records that were destroyed and accounted for; `checkpoints` the
    signed checkpoints that the log agrees with. Sound when there are no faults."""

    size: int
    root: bytes
    destroyed: int
    checkpoints: int
    faults: tuple[Fault, ...]


Progress = Callable[[int, int], None]
"""Told now and then how many records are done, of how many."""


def verify(
    store: Store, public: bytes, seen: Sequence[str] = (), progress: Progress | None = None
) -> Verification:
    """Check the log in a store, in one snapshot of it.

    Args:
        store: the node's database.
        public: the Ed25519 key that its checkpoints are signed with.
        seen: notes of checkpoints that somebody kept elsewhere.
        progress: told how far it is.

    Returns:
        What was found; each fault once, those of records first.
    """
    with store.read() as connection:
        size = int(connection.execute(text(sql.SIZE)).scalar_one())
        audit = _Audit(connection, size)
        audit.expect(_signed(connection, public, seen, audit.faults))
        for number in range(-(-size // WIDTH)):
            audit.tile(number)
            if progress is not None and number % 64 == 0:
                progress(number * WIDTH, size)
        return audit.finish()


def _signed(
    connection: Connection, public: bytes, seen: Sequence[str], faults: list[Fault]
) -> list[Checkpoint]:
    """The checkpoints that the log must agree with: its own, and those seen. Of an epoch that ended because records
    were lost, only what was still there when the next began."""
    epochs = connection.execute(text(sql.EPOCHS)).all()
    ends = {old.origin: new.since for old, new in pairwise(epochs)}
    signed = []
    for note in [*(row.checkpoint for row in epochs if row.checkpoint), *seen]:
        origin = note.partition("\n")[0] if isinstance(note, str) else ""
        try:
            checkpoint = open_checkpoint(note if origin else "", Key(origin, LOG, public))
        except Rejected:
            faults.append(Fault("checkpoint", 0))
            continue
        if checkpoint.size <= ends.get(origin, checkpoint.size):
            signed.append(checkpoint)
    return signed


def _raw(value: Any) -> bytes:
    """What a column of bytes holds; nothing when somebody put something else there, such as a number, of which
    `bytes` would make that many zeros."""
    return bytes(value) if isinstance(value, bytes | memoryview) else b""


def _is_as_written(rows: Sequence[Any]) -> bool:
    """Whether the columns of bytes hold bytes, as the ledger wrote them, or nothing where it may have."""
    kinds = [set(map(type, column)) for column in list(zip(*rows, strict=True))[1:4]]
    return all(kind <= {bytes, type(None)} for kind in kinds) and kinds[1:2] == [{bytes}]


def _readable(row: Any) -> tuple[Any, ...]:
    index, salted, leaf, entry, *rest = row
    return (index, _raw(salted), _raw(leaf), _raw(entry), *rest)


class _Audit:
    def __init__(self, connection: Connection, size: int) -> None:
        self._connection, self._size = connection, size
        self._cursor: Any = (
            connection.connection.cursor()
        )  # a million rows: SQLAlchemy's would double the time
        self._whole, self._roots = Range(), list[bytes]()
        self._expected: dict[int, list[bytes]] = {}
        self._gone: list[int] = []
        self._accounted: list[tuple[int, int]] = []
        self.faults: list[Fault] = []
        self._hidden = dict[int, Fault]()
        self._findable = Findable(
            self._fetched, lambda index: self._hidden.update({index: Fault("hidden", index)})
        )

    def expect(self, checkpoints: Sequence[Checkpoint]) -> None:
        for checkpoint in checkpoints:
            self._expected.setdefault(checkpoint.size, []).append(checkpoint.root)

    def tile(self, number: int) -> None:
        first = number * WIDTH
        end = min(first + WIDTH, self._size)
        fetched = self._fetched(
            f"SELECT {COLUMNS} FROM ledger_records WHERE idx >= {first} AND idx < {end} ORDER BY idx"
        )
        rows = fetched if _is_as_written(fetched) else [_readable(row) for row in fetched]
        leaves = [row[2] for row in rows]
        made = [
            _sha256(b"\x00" + _sha256(row[1]).digest()).digest() if row[1] else self._destroyed(row)
            for row in rows
        ]
        genuine = rows
        if made != leaves:
            wrong = {row[0] for row, a, b in zip(rows, made, leaves, strict=True) if a != b}
            self.faults += [Fault("altered", index) for index in sorted(wrong)]
            genuine = [row for row in rows if row[0] not in wrong]
        if _MARK in b"".join([row[1] for row in genuine if row[1]]):
            for row in genuine:
                if row[1] and _MARK in row[1]:
                    self._account(row[1])
        self._findable.tile(genuine, end)
        if len(rows) < end - first:
            leaves = self._missing(first, end, {row[0]: row[2] for row in rows})
        self._follow(number, leaves)

    def finish(self) -> Verification:
        self._findable.end(self._size)
        altered = {fault.index for fault in self.faults}
        self.faults += [fault for index, fault in self._hidden.items() if index not in altered]
        self._upper_tiles()
        self.faults += [Fault("unaccounted", index) for index in self._unaccounted()]
        for size, roots in self._expected.items():
            if size > self._size:
                self.faults.append(Fault("truncated", size))
            elif size == 0:
                self._compare(0, Range().root(), roots)
        unaccounted = sum(fault.kind == "unaccounted" for fault in self.faults)
        wrong = sum(fault.kind in ("forked", "truncated") for fault in self.faults)
        checkpoints = sum(map(len, self._expected.values())) - wrong
        destroyed = len(self._gone) - unaccounted
        return Verification(self._size, self._whole.root(), destroyed, checkpoints, tuple(self.faults))

    def _fetched(self, statement: str) -> Sequence[Any]:
        self._cursor.execute(statement)
        rows: Sequence[Any] = self._cursor.fetchall()
        return rows

    def _destroyed(self, row: Any) -> bytes:
        self._gone.append(row[0])
        return _sha256(b"\x00" + (row[3] or b"")).digest()

    def _account(self, salted: bytes) -> None:
        body = salted[SALT:]
        if msgspec.json.decode(body).get("kind") == "destruction":
            self._accounted += msgspec.json.decode(body, type=Destruction).stretches

    def _unaccounted(self) -> Iterator[int]:
        """The records that were destroyed and are in no stretch that a record of a destruction names."""
        stretches = sorted(self._accounted)
        firsts = [first for first, _ in stretches]
        reached = list(accumulate((last for _, last in stretches), max))
        for index in self._gone:
            before = bisect_right(firsts, index)
            if not before or reached[before - 1] < index:
                yield index

    def _missing(self, first: int, end: int, leaves: dict[int, bytes]) -> list[bytes]:
        """All leaves of a tile from which rows are missing; those from the tile itself, where it was full."""
        self.faults += [Fault("missing", index) for index in range(first, end) if index not in leaves]
        kept = self._kept(0, first // WIDTH)
        hashes = _raw(kept[0]).ljust(32 * WIDTH, b"\0") if kept else bytes(32 * WIDTH)
        return [
            leaves.get(first + place, hashes[32 * place : 32 * place + 32]) for place in range(end - first)
        ]

    def _follow(self, number: int, leaves: list[bytes]) -> None:
        """Add a tile's leaves to the tree, and look at the sizes inside it that checkpoints were signed for."""
        first, full = number * WIDTH, len(leaves) == WIDTH
        inside = [size for size in self._expected if first < size <= first + len(leaves)]
        if inside or not full:
            part = Range(list(self._whole.nodes))
            for size, leaf in enumerate(leaves, first + 1):
                part.push(leaf)
                if size in inside:
                    self._compare(size, part.root(), self._expected[size])
            if not full:
                self._whole = part
        if full:
            root = subtree_root(leaves)
            self._whole.push(root, 8)
            self._roots.append(root)
            self._check_kept(0, number, b"".join(leaves), root, first)

    def _compare(self, size: int, root: bytes, signed: list[bytes]) -> None:
        self.faults += [Fault("forked", size) for other in signed if other != root]

    def _check_kept(self, level: int, number: int, hashes: bytes, root: bytes, first: int) -> None:
        kept = self._kept(level, number)
        if kept is None or (_raw(kept[0]), _raw(kept[1])) != (hashes, root):
            self.faults.append(Fault("tile", first))

    def _kept(self, level: int, number: int) -> Any:
        self._cursor.execute(
            f"SELECT hashes, root FROM ledger_tiles WHERE level = {level} AND number = {number}"
        )
        return self._cursor.fetchone()

    def _upper_tiles(self) -> None:
        below = self._roots
        for level, number, width in tiles_of(self._size):
            if not isinstance(level, int) or level == 0 or width < WIDTH:
                continue
            if number == 0 and level > 1:
                below = [
                    subtree_root(below[at : at + WIDTH])
                    for at in range(0, len(below) // WIDTH * WIDTH, WIDTH)
                ]
            hashes = below[number * WIDTH : number * WIDTH + WIDTH]
            self._check_kept(
                level, number, b"".join(hashes), subtree_root(hashes), number * WIDTH ** (level + 1)
            )

"""What checking finds in a stretch of the log: each record against its leaf and against what it is found by, each full
tile against its leaves.

This runs for each of a million records when a log is verified. So it works on a tile at a time: that is right as a
whole, or looked through for what is wrong in it.
"""

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection

from sluis.kernel import Text, decode
from sluis.ledger import sql
from sluis.ledger.findable import Fetch, hidden, not_led_to
from sluis.ledger.model import Destruction
from sluis.ledger.rules import SALT, raw
from sluis.ledger.tree import WIDTH, subtree_root

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
    "unchecked": (
        "Er is zoveel mis dat regel {0} en verder niet zijn gecontroleerd.",
        "So much is wrong that record {0} and on were not checked.",
    ),
    "checkpoint": (
        "Een checkpoint is niet door dit logboek ondertekend.",
        "A checkpoint is not signed by this log.",
    ),
}


class Fault(msgspec.Struct, frozen=True):
    """Something that is not as it was written, or for `unchecked` may be. `index` is a record, or for `forked` and `truncated` a
    size."""

    kind: Literal[
        "altered", "hidden", "missing", "unaccounted", "tile", "forked", "truncated", "checkpoint", "unchecked"
    ]  # fmt: skip
    index: int

    @property
    def text(self) -> Text:
        """The fault in a sentence."""
        nl, en = _TEXTS[self.kind]
        return Text(nl.format(self.index), en.format(self.index))


class Stretch(msgspec.Struct, frozen=True, gc=False):
    """Whole tiles, and at the end of the log the unfinished one: from record `first` to before `end`.

    Attributes:
        runs: how many runs of search terms there are in the whole log.
        leaves: whether to give all leaves back.
    """

    first: int
    end: int
    runs: int
    leaves: bool


class Looked(msgspec.Struct, frozen=True, gc=False):
    """What was found in a tile that ends before record `end`.

    Attributes:
        faults: records that were altered or are missing, and the tile when it is not what its leaves make.
        hidden: records that are not found by what they say themselves.
        gone: records that were destroyed.
        accounted: first and last record of what records in this tile say was destroyed, in any tile.
        root: over the leaves of a full tile.
        leaves: where they were asked for.
    """

    end: int
    faults: list[Fault]
    hidden: list[int]
    gone: list[int]
    accounted: list[tuple[int, int]]
    root: bytes | None
    leaves: list[bytes]


def fetching(connection: Connection) -> Fetch:
    """Gives the rows of statements, without SQLAlchemy's own, that would double the time."""
    cursor: Any = connection.connection.cursor()

    def fetch(statement: str) -> Sequence[Any]:
        cursor.execute(statement)
        rows: Sequence[Any] = cursor.fetchall()
        return rows

    return fetch


def look_at(fetch: Fetch, stretch: Stretch) -> list[Looked]:
    """Look at each tile of a stretch, in their order."""
    return [_look_at_tile(fetch, stretch, first) for first in range(stretch.first, stretch.end, WIDTH)]


def is_as_kept(hashes: Sequence[bytes], root: bytes | None, kept: Sequence[Any]) -> bool:
    """Whether the log keeps these hashes, and this root over them, as a full tile (rows of `sql.kept_tile`)."""
    return [(raw(row[0]), raw(row[1])) for row in kept] == [(b"".join(hashes), root)]


def _look_at_tile(fetch: Fetch, stretch: Stretch, first: int) -> Looked:
    end = min(first + WIDTH, stretch.end)
    fetched = fetch(sql.checked(first, end))
    rows = fetched if _is_as_written(fetched) else [_readable(row) for row in fetched]
    kept = fetch(sql.kept_tile(0, first // WIDTH))
    faults, genuine = _altered(rows)
    leaves = [row[2] for row in rows]
    if len(rows) < end - first:
        there = {row[0]: row[2] for row in rows}
        faults += [Fault("missing", index) for index in range(first, end) if index not in there]
        leaves = _with_kept(range(first, end), there, raw(kept[0][0]) if kept else b"")
    root = subtree_root(leaves) if end - first == WIDTH else None
    if root is not None and not is_as_kept(leaves, root, kept):
        faults.append(Fault("tile", first))
    return Looked(
        end,
        faults,
        [*hidden(genuine), *not_led_to(fetch, first, end, stretch.runs)],
        [row[0] for row in rows if not row[1]],
        _accounted(genuine),
        root,
        leaves if stretch.leaves else [],
    )


def _readable(row: Sequence[Any]) -> tuple[Any, ...]:
    index, salted, leaf, entry, *rest = row
    return (index, raw(salted), raw(leaf), raw(entry), *rest)


def _is_as_written(rows: Sequence[Any]) -> bool:
    """Whether the columns of bytes hold bytes, as the ledger wrote them, or nothing where it may have."""
    kinds = [set(map(type, column)) for column in list(zip(*rows, strict=True))[1:4]]
    return all(kind <= {bytes, type(None)} for kind in kinds) and kinds[1:2] == [{bytes}]


def _altered(rows: Sequence[Any]) -> tuple[list[Fault], Sequence[Any]]:
    """The records that are not what their leaf is the hash of, and the others."""
    made = [
        _sha256(b"\x00" + (_sha256(row[1]).digest() if row[1] else row[3] or b"")).digest() for row in rows
    ]
    if made == [row[2] for row in rows]:
        return [], rows
    wrong = {row[0] for row, leaf in zip(rows, made, strict=True) if row[2] != leaf}
    return [Fault("altered", index) for index in sorted(wrong)], [row for row in rows if row[0] not in wrong]


def _with_kept(places: range, there: dict[int, bytes], kept: bytes) -> list[bytes]:
    """All leaves of a tile from which rows are missing; those from the tile that the log keeps, where it does."""
    hashes = kept.ljust(32 * WIDTH, b"\0")
    return [there.get(index, hashes[32 * place : 32 * place + 32]) for place, index in enumerate(places)]


def _accounted(rows: Sequence[Any]) -> list[tuple[int, int]]:
    stretches: list[tuple[int, int]] = []
    if _MARK in b"".join([row[1] for row in rows if row[1]]):
        for row in rows:
            if row[1] and _MARK in row[1]:
                with suppress(msgspec.MsgspecError):  # a record of another kind, that holds those words
                    stretches += decode(row[1][SALT:], Destruction).stretches
    return stretches

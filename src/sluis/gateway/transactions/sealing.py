"""Sealing the transaction log into the ledger: each second, what was added becomes one record there.

A line is durable before its request passes; that is for `writing`. Here it becomes evidence: the ledger's record of a
stretch holds a digest of its lines, and once a checkpoint over that record is published, nobody changes a line unseen.
Line by line that would cost more than the crossing itself, and prove nothing sooner: until a checkpoint is published,
a record of its own could be changed as well.
"""

import hashlib
import struct
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from sluis.crypto import canonical
from sluis.store import Migration, Store, migrate

MOST = 100_000
"""Lines in one seal."""

MIGRATIONS = (
    Migration(
        "seals",
        (
            """CREATE TABLE gateway_seals (
                first {int} PRIMARY KEY, last {int} NOT NULL, digest TEXT NOT NULL, until {int} NOT NULL)""",
        ),
    ),
)

UNTIL = "SELECT COALESCE(MAX(last) + 1, 0) FROM gateway_seals"
"""The first line that is not sealed."""

LINES = """SELECT number, passage, transaction_id, created_at FROM gateway_transactions
    WHERE number >= :first AND number <= :last ORDER BY number LIMIT :most"""
"""Lines of a stretch."""

WAITING = f"""SELECT transaction_id, created_at FROM gateway_transactions WHERE number >= ({UNTIL})
    ORDER BY number LIMIT :most"""
"""The first lines that are not sealed, and when they were written."""

PASSAGES = """SELECT id, direction, grant_hash, service_name, outway_peer, service_peer, outway_delegator,
    service_delegator, additional FROM gateway_passages ORDER BY id"""
"""What the lines of each grant have in common."""

ADD = "INSERT INTO gateway_seals (first, last, digest, until) VALUES (:first, :last, :digest, :until)"
"""Note what was sealed."""

_END = 2**62


class Seal(msgspec.Struct, frozen=True):
    """A stretch of lines, both ends included, its digest (SHA-256, hex), and when its last line was written (ms)."""

    first: int
    last: int
    digest: str
    until: int


class Sealing:
    """What was sealed of one transaction log. Made by `open_sealing`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def next(self) -> Seal | None:
        """The next stretch to seal; None when there is nothing. Blocks."""
        with self._store.read() as connection:
            first = connection.execute(text(UNTIL)).scalar_one()
            return _seal(connection, first, _END)

    def waiting(self, most: int) -> list[tuple[bytes, int]]:
        """The oldest lines that are not sealed, at most so many: the 16 bytes of their transaction, and when each was written
        (ms since the epoch). Blocks."""
        with self._store.read() as connection:
            rows = connection.execute(text(WAITING), {"most": most})
            return [(bytes(row.transaction_id), row.created_at) for row in rows]

    async def done(self, seal: Seal) -> None:
        """It is in the ledger, durably. Raises `Unkept`; then it is sealed once more, which is the same record."""
        values = msgspec.structs.asdict(seal)

        def note(connection: Connection) -> None:
            connection.execute(text(ADD), values)

        await self._store.write(note)


def open_sealing(store: Store) -> Sealing:
    """What was sealed in a store. Blocks. Raises `Conflict`, `Unkept`."""
    migrate(store, "sealing", MIGRATIONS)
    return Sealing(store)


def fits(store: Store, first: int, last: int, digest: str) -> bool:
    """Whether the lines of a stretch are those that were sealed. Blocks.

    Args:
        store: with the transaction log.
        first: number of its first line.
        last: number of its last line.
        digest: as the ledger holds it.
    """
    with store.read() as connection:
        found = _seal(connection, first, last, MOST + 1)
    return found is not None and (found.first, found.last, found.digest) == (first, last, digest)


def _seal(connection: Connection, first: int, last: int, most: int = MOST) -> Seal | None:
    rows = connection.execute(text(LINES), {"first": first, "last": last, "most": most}).all()
    if not rows:
        return None
    passages = {row.id: _written(row) for row in connection.execute(text(PASSAGES))}
    digest = hashlib.sha256()
    for row in rows:
        passage = passages.get(row.passage, b"")
        digest.update(struct.pack(">QQ", row.number, row.created_at) + bytes(row.transaction_id) + passage)
    return Seal(rows[0].number, rows[-1].number, digest.hexdigest(), rows[-1].created_at)


def _written(row: Any) -> bytes:
    """A passage as it goes into the digest: SHA-256 of its texts, so that a line is short."""
    return hashlib.sha256(canonical([None if one is None else str(one) for one in row[1:]])).digest()

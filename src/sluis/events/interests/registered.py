"""Whom this organisation registered at sources: sealed, and as long as an interest holds. Who has left its administration can be
ended by that alone; the source cannot tell who it was (docs/decisions/060)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import LargeBinary, bindparam, text

from sluis.crypto import KeyStore, Vault, canonical_texts
from sluis.events.interests.model import NewInterest, Whom
from sluis.kernel import Clock, PeerId, decode, encode, milliseconds
from sluis.store import Migration, Store, migrate

MIGRATIONS = (
    Migration(
        "registered",
        (
            """CREATE TABLE events_registered (
                source TEXT NOT NULL, notice TEXT NOT NULL, digest {bytes} NOT NULL, person {bytes} NOT NULL,
                renewed {int} NOT NULL, last {int} NOT NULL, PRIMARY KEY (source, notice, digest)){clustered}""",
            "CREATE INDEX events_registered_last ON events_registered (last)",
        ),
    ),
)

KEEP = """INSERT INTO events_registered (source, notice, digest, person, renewed, last)
    VALUES (:source, :notice, :digest, :person, :renewed, :last)
    ON CONFLICT (source, notice, digest) DO UPDATE SET person = :person, renewed = :renewed, last = :last"""
THERE = """SELECT digest, person FROM events_registered
    WHERE source = :source AND notice = :notice AND last >= :today AND digest IN :digests"""
BEFORE = """SELECT digest, person FROM events_registered
    WHERE source = :source AND notice = :notice AND renewed < :before ORDER BY digest LIMIT :most"""
END = "DELETE FROM events_registered WHERE source = :source AND notice = :notice AND digest = :digest"
SWEEP = "DELETE FROM events_registered WHERE last < :today"


class RegisteredThere:
    """Made by `open_registered`.

    Args:
        store: where they are kept.
        keys: make digests, and seal.
        clock: aware UTC.
    """

    def __init__(self, store: Store, keys: KeyStore, clock: Clock) -> None:
        self._store, self._keys, self._clock = store, keys, clock
        self._vault = Vault(keys, "registered")

    async def keep(self, source: PeerId, notice: str, some: Sequence[NewInterest]) -> None:
        """These are registered, or renewed, now; durable when this returns. Raises `Unkept`."""
        now, rows = milliseconds(self._clock()), list[dict[str, Any]]()
        for one in some:
            row = self._row(source, notice, one.subject)
            person = self._vault.seal(encode(one), row["digest"].hex())
            rows.append(row | {"person": person, "renewed": now, "last": one.until.toordinal()})
        await self._store.write(lambda connection: connection.execute(text(KEEP), rows) and None)

    async def ended(self, source: PeerId, notice: str, some: Sequence[Whom]) -> None:
        """These are over. Raises `Unkept`."""
        rows = [self._row(source, notice, one) for one in some]
        await self._store.write(lambda connection: connection.execute(text(END), rows) and None)

    def standing(self, source: PeerId, notice: str, some: Sequence[NewInterest]) -> set[NewInterest]:
        """Which of these were registered exactly so, and still hold. Blocks."""
        rows = [self._row(source, notice, one.subject) for one in some]
        values = {
            "source": str.__str__(source), "notice": notice, "today": self._clock().date().toordinal(),
            "digests": [row["digest"] for row in rows],
        }  # fmt: skip
        wanted = text(THERE).bindparams(bindparam("digests", expanding=True, type_=LargeBinary))
        with self._store.read() as connection:
            found = connection.execute(wanted, values).all()
        return {self._opened(row) for row in found} & {*some}

    def before(self, source: PeerId, notice: str, moment: datetime, most: int) -> list[Whom]:
        """Who was last registered or renewed before a moment, at most so many. Blocks."""
        values = {
            "source": str.__str__(source), "notice": notice, "before": milliseconds(moment), "most": most,
        }  # fmt: skip
        with self._store.read() as connection:
            rows = connection.execute(text(BEFORE), values).all()
        return [self._opened(row).subject for row in rows]

    async def sweep(self) -> None:
        """Let go of what is over. Raises `Unkept`."""
        values = {"today": self._clock().date().toordinal()}
        await self._store.write(lambda connection: connection.execute(text(SWEEP), values) and None)

    def _opened(self, row: Any) -> NewInterest:
        return decode(self._vault.open(bytes(row.person), bytes(row.digest).hex()), NewInterest)

    def _row(self, source: PeerId, notice: str, whom: Whom) -> dict[str, Any]:
        peer = str.__str__(source)
        digest = self._keys.mac("registered", canonical_texts(peer, notice, whom.kind, whom.value))
        return {"source": peer, "notice": notice, "digest": digest}


def open_registered(store: Store, keys: KeyStore, clock: Clock) -> RegisteredThere:
    """Those of a store, their table made when it is not there. Blocks. Raises as `migrate`."""
    migrate(store, "registered", MIGRATIONS)
    return RegisteredThere(store, keys, clock)

"""What this organisation calls the persons it registered elsewhere: by the reference that comes back in an event it finds the
pseudonym under which that person stands in its own log. The reference is kept as a keyed digest; no key of a person is kept.
"""

from collections.abc import Collection, Sequence
from datetime import date

import msgspec
from sqlalchemy import Connection, LargeBinary, bindparam, text

from sluis.crypto import KeyStore
from sluis.kernel import Clock, PeerId
from sluis.store import Migration, Store, migrate

MIGRATIONS = (
    Migration(
        "references",
        (
            """CREATE TABLE events_references (
                digest {bytes} PRIMARY KEY, kind TEXT NOT NULL, pseudonym TEXT NOT NULL, last {int} NOT NULL)""",
            "CREATE INDEX events_references_last ON events_references (last)",
        ),
    ),
)

KEEP = """INSERT INTO events_references (digest, kind, pseudonym, last) VALUES (:digest, :kind, :pseudonym, :last)
    ON CONFLICT (digest) DO UPDATE SET kind = :kind, pseudonym = :pseudonym, last = :last"""
FIND = text("SELECT digest, kind, pseudonym FROM events_references WHERE digest IN :digests").bindparams(
    bindparam("digests", expanding=True, type_=LargeBinary)
)
SWEEP = "DELETE FROM events_references WHERE last < :before"

_AFTER = 60
"""Days that a reference is known after its last day: events that were under way then may still come."""


Meant = tuple[PeerId, str, str]
"""A reference that came back: the source, the notice, and the reference."""


class Known(msgspec.Struct, frozen=True):
    """A person in this node's own log: kind of key, and pseudonym."""

    kind: str
    pseudonym: str


class Referred(msgspec.Struct, frozen=True):
    """A reference that this organisation gives: at which source, for which notice, for whom, and until when."""

    source: PeerId
    notice: str
    reference: str
    kind: str
    pseudonym: str
    until: date


class References:
    """References that this organisation gave. Made by `open_references`.

    Args:
        store: where they are kept.
        keys: make the digests.
        clock: aware UTC.
    """

    def __init__(self, store: Store, keys: KeyStore, clock: Clock) -> None:
        self._store, self._keys, self._clock = store, keys, clock

    async def keep(self, some: Sequence[Referred]) -> None:
        """Keep references, or what they mean from now on; durable when this returns. Raises `Unkept`."""
        rows = [
            {"digest": self._digest(one.source, one.notice, one.reference), "kind": one.kind,
             "pseudonym": one.pseudonym, "last": one.until.toordinal()}
            for one in some
        ]  # fmt: skip
        await self._store.write(lambda connection: connection.execute(text(KEEP), rows) and None)

    def find(self, connection: Connection, some: Collection[Meant]) -> dict[Meant, Known]:
        """Whom sources mean by references, as far as that is known; in one read of this store. Blocks."""
        if not some:
            return {}
        asked = {self._digest(*one): one for one in some}
        rows = connection.execute(FIND, {"digests": [*asked]})
        return {asked[bytes(row.digest)]: Known(row.kind, row.pseudonym) for row in rows}

    async def sweep(self) -> None:
        """Let go of what is over. Raises `Unkept`."""
        values = {"before": self._clock().date().toordinal() - _AFTER}
        await self._store.write(lambda connection: connection.execute(text(SWEEP), values) and None)

    def _digest(self, source: PeerId, notice: str, reference: str) -> bytes:
        return self._keys.mac("reference", f"{source!s}|{notice}|{reference}".encode())


def open_references(store: Store, keys: KeyStore, clock: Clock) -> References:
    """The references of a store, their table made when it is not there. Blocks. Raises as `migrate`."""
    migrate(store, "references", MIGRATIONS)
    return References(store, keys, clock)

"""Versions of the policies, kept so that a decision can be made again as it was made then."""

import zlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import text

from sluis.crypto import canonical
from sluis.kernel import Conflict, NotFound, Text, convert, milliseconds, plain
from sluis.policy import sql
from sluis.policy.engine import Engine, digest_of
from sluis.policy.model import Policies
from sluis.store import Store, migrate

_ENGINES = 8
"""Engines of earlier versions that are kept ready."""


class Version(msgspec.Struct, frozen=True):
    """A version, and when it was first used: milliseconds since the epoch."""

    digest: str
    since: int


class Versions:
    """The versions in a node's database.

    Args:
        store: the database; this process becomes its writer.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._engines: dict[str, Engine] = {}

    def keep(self, policies: Policies, moment: datetime) -> str:
        """Keep a version durably before anything is decided by it; gives its digest.

        Raises:
            Unkept: it could not be kept.
        """
        digest = digest_of(policies)
        body = zlib.compress(canonical(plain(policies)))
        values: dict[str, Any] = {"digest": digest, "since": milliseconds(moment), "body": body}
        self._store.write_blocking(lambda connection: connection.execute(text(sql.KEEP), values) and None)
        return digest

    def all(self) -> Sequence[Version]:
        """Every version, oldest first."""
        with self._store.read() as connection:
            return [Version(row.digest, row.since) for row in connection.execute(text(sql.ALL))]

    def engine(self, digest: str) -> Engine:
        """What decides as that version did.

        Raises:
            NotFound: no such version was ever used here.
            Conflict: what is kept is not what was used.
        """
        found = self._engines.get(digest)
        if found is None:
            found = Engine(self._read(digest))
            while len(self._engines) >= _ENGINES:
                del self._engines[next(iter(self._engines))]
            self._engines[digest] = found
        return found

    def _read(self, digest: str) -> Policies:
        with self._store.read() as connection:
            row = connection.execute(text(sql.BODY), {"digest": digest}).first()
        if row is None:
            raise NotFound(
                "unknown-policy-version",
                Text("Deze versie van de regels is er niet.", "There is no such version of the policies."),
                Text(f"{digest} is hier nooit gebruikt.", f"{digest} was never used here."),
                Text("Kijk of de regel van dit knooppunt is.", "Check that the record is of this node."),
            )
        raw = zlib.decompress(bytes(row.body))
        policies = convert(msgspec.json.decode(raw), Policies)
        if digest_of(policies) != digest:
            raise Conflict(
                "policy-version-changed",
                Text("Deze versie van de regels is veranderd.", "This version of the policies was changed."),
                Text("De tekst in de database heeft een andere controlesom.",
                     "The text in the database has another digest."),
                Text("Zet een reservekopie van de database terug.", "Restore the database from a backup."),
            )  # fmt: skip
        return policies


def open_versions(store: Store) -> Versions:
    """Open the versions in a database. Raises what `store.migrate` raises."""
    migrate(store, "policy", sql.MIGRATIONS)
    return Versions(store)

"""What may be used one time only, and stays used after a restart: the `jti` of an assertion, a nonce.

Only a SHA-256 of it is kept, until it would be refused for its age anyway.
"""

import hashlib

from sqlalchemy import Connection, text

from sluis.store.engine import Store
from sluis.store.migrations import Migration, migrate

MIGRATIONS = (
    Migration(
        "once",
        (
            "CREATE TABLE once (digest {bytes} NOT NULL PRIMARY KEY, until {int} NOT NULL)",
            "CREATE INDEX once_until ON once (until)",
        ),
    ),
)

SPEND = "INSERT INTO once (digest, until) VALUES (:digest, :until) ON CONFLICT (digest) DO NOTHING"
"""Note that it was used; no row when it was noted before."""

SWEEP = "DELETE FROM once WHERE until < :now"
"""Let go of what is too old to be used at all."""


class Once:
    """What was used, in one store. Made by `open_once`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def spend(self, kind: str, value: str, until: int) -> bool:
        """Use it; durable when this returns.

        Args:
            kind: within which no two values are alike, such as the name of who made it.
            value: what is used.
            until: seconds since the epoch after which it is refused for its age.

        Returns: whether this was the first time. Raises `Unkept`.
        """
        digest = hashlib.sha256(f"{len(kind)}:{kind}{value}".encode()).digest()
        row = {"digest": digest, "until": until}
        return await self._store.write(lambda connection: _spend(connection, row))

    async def sweep(self, now: int) -> None:
        """Let go of what ended before `now`, seconds since the epoch. Raises `Unkept`."""
        await self._store.write(lambda connection: connection.execute(text(SWEEP), {"now": now}) and None)


def open_once(store: Store) -> Once:
    """What was used in this store, its table made when it is not there. Blocks. Raises as `migrate`."""
    migrate(store, "once", MIGRATIONS)
    return Once(store)


def _spend(connection: Connection, row: dict[str, object]) -> bool:
    return connection.execute(text(SPEND), row).rowcount == 1

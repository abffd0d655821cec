"""The ledger of a node: append records, and know where they stand."""

from collections.abc import Sequence
from datetime import datetime

from sluis.crypto import KeyStore, Pseudonymiser
from sluis.kernel import Clock
from sluis.ledger import sql
from sluis.ledger.model import Position, Record
from sluis.ledger.writing import Records
from sluis.store import Store, migrate


class Ledger:
    """One log. Made by `open_ledger`."""

    def __init__(self, store: Store, keys: KeyStore, records: Records, clock: Clock) -> None:
        self._store, self._keys, self._records, self._clock = store, keys, records, clock
        self._pseudonyms = Pseudonymiser(keys)

    async def append(self, records: Sequence[Record]) -> Position:
        """Keep records, all of them or none, in one group commit.

        Args:
            records: in their order; what this ledger already holds with the same content is not added again.

        Returns:
            Where the last one stands, once all are durable.

        Raises:
            Unkept: they could not be kept; nothing may leave.
            Conflict: one has the key of an earlier record and other content.
            Invalid: one is malformed.
        """
        position: Position = await self._store.submit(self._records, records, len(records))
        return position

    def append_blocking(self, records: Sequence[Record]) -> Position:
        """`append` for a thread without an event loop."""
        position: Position = self._store.submit_blocking(self._records, records, len(records))
        return position

    def subject(self, kind: str, value: str, moment: datetime) -> str:
        """The pseudonym under which a data subject stands in records of the year of `moment`."""
        return self._pseudonyms.of(kind, value, moment)


def open_ledger(store: Store, keys: KeyStore, origin: str, clock: Clock) -> Ledger:
    """Open the log of a node for writing.

    Args:
        store: the node's database.
        keys: signs checkpoints, makes pseudonyms.
        origin: name of the log, such as `sluis.example/log/<oin>`.
        clock: aware UTC.

    Raises:
        Conflict: another process writes this log, or the database is newer than the code.
        Unkept: the database cannot be written.
    """
    migrate(store, "ledger", sql.MIGRATIONS)
    records = Records(origin)
    store.register(records)
    return Ledger(store, keys, records, clock)

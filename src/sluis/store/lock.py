"""One writer per database: a lock file beside an SQLite file, an advisory lock in PostgreSQL.

Both go away by themselves with the process or the connection that holds them, however that ends.
"""

import fcntl
import os
import time
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, text

from sluis.kernel import Conflict, Text

_ADVISORY = 0x736C756973  # "sluis"; within one database there is one log
_PATIENCE = 3.0  # seconds: the server takes a moment to notice that a connection, with its lock, is gone


class WriterLock:
    """Held by the process that may write.

    Args:
        dialect: which kind of lock.
        path: the SQLite file; the lock stands beside it as `NAME.writer`.
    """

    def __init__(self, dialect: Literal["sqlite", "postgresql"], path: Path | None) -> None:
        self._dialect = dialect
        self._file = None if path is None else path.with_name(path.name + ".writer")
        self._descriptor: int | None = None

    def take(self, connection: Connection) -> None:
        """Take the lock for as long as this process (SQLite) or `connection` (PostgreSQL) lives.

        Raises:
            Conflict: somebody else holds it.
        """
        if self._file is None:
            end = time.monotonic() + _PATIENCE
            while not connection.execute(
                text("SELECT pg_try_advisory_lock(:key)"), {"key": _ADVISORY}
            ).scalar():
                if time.monotonic() > end:
                    raise _taken()
                time.sleep(0.05)
            connection.commit()
        elif self._descriptor is None:
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(descriptor)
                raise _taken() from None
            self._descriptor = descriptor

    def give_back(self) -> None:
        """Give the lock file back; an advisory lock goes with its connection."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _taken() -> Conflict:
    return Conflict(
        "store-has-a-writer",
        Text(
            "Een ander proces schrijft al in deze database.", "Another process already writes this database."
        ),
        Text(
            "Een logboek heeft precies één schrijver, anders raakt de volgorde zoek.",
            "A log has exactly one writer, otherwise its order is lost.",
        ),
        Text("Stop het andere knooppunt, of gebruik dat.", "Stop the other node, or use that one."),
    )

"""Taking what SQLite's write-ahead log (WAL) holds into the database, beside who writes.

SQLite itself does that in a commit that finds the log long enough: of all callers, some hundreds each second, one lot
waits tens of milliseconds for it. On a connection and a thread of its own it keeps nobody waiting (sqlite.org/wal.html,
"Concurrency": a passive checkpoint waits for no reader and no writer).
"""

import logging
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

log = logging.getLogger("sluis.store")

_DUE = 4096  # rows that were written, after which it is done
_COMMIT = 64  # rows that a commit counts for at least: it writes whole pages

MOST = 2**26
"""Bytes in the log from where on a commit does it after all: who writes without a pause leaves this no end to reach."""


class Wal:
    """The write-ahead log of one database file. Its thread starts when it is first needed.

    Args:
        path: the database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = 0
        self._due = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    def wrote(self, rows: int) -> None:
        """A commit of so many rows was made. For one thread at a time."""
        self._written += max(rows, _COMMIT)
        if self._written >= _DUE:
            self._written = 0
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="sluis-wal", daemon=True)
                self._thread.start()
            self._due.set()

    def close(self) -> None:
        """Stop; when the last connection is closed, SQLite takes the rest into the database."""
        self._closing = True
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._closing:
                return
            try:
                with closing(sqlite3.connect(self._path, timeout=0)) as connection:
                    connection.execute("PRAGMA synchronous=FULL")
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)")
            except sqlite3.Error as problem:  # a full disk: who writes will hear of it
                log.warning("the write-ahead log stays as it is: %s", type(problem).__name__)

"""Taking what SQLite's write-ahead log (WAL) holds into the database, beside who writes.

SQLite itself does that in a commit that finds the log long enough: of all callers, some hundreds each second, one lot
waits tens of milliseconds for it. On a connection and a thread of its own it keeps nobody waiting (sqlite.org/wal.html,
"Concurrency": a passive checkpoint waits for no reader and no writer).

Only a log that was taken over to its last page is written from its beginning again; any other grows. And a commit that
makes a file longer lasts half as long again as one that writes where something was before. So the last pages, which were
written meanwhile, are taken while nobody commits.
"""

import logging
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

log = logging.getLogger("sluis.store")

_DUE = 16_384  # rows that were written, after which it is done
_COMMIT = 64  # rows that a commit counts for at least: it writes whole pages

MOST = 2**26
"""Bytes in the log from where on a commit does it after all: a reader that does not end leaves this no end to reach."""


class Wal:
    """The write-ahead log of one database file. Its thread starts when it is first needed.

    Args:
        path: the database.

    Attributes:
        writing: held by who commits, for as long as that takes.
    """

    def __init__(self, path: Path) -> None:
        self.writing = threading.Lock()
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
                self._thread = self._started()
            self._due.set()

    def close(self) -> None:
        """Stop; when the last connection is closed, SQLite takes the rest into the database."""
        self._closing = True
        self._due.set()
        if self._thread is not None:
            self._thread.join()

    def _started(self) -> threading.Thread | None:
        thread = threading.Thread(target=self._run, name="sluis-wal", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # the system has no room for another: what was committed is no less durable
            log.warning("the write-ahead log stays as it is: no thread can be started")
            return None
        return thread

    def _run(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            if self._closing:
                return
            try:
                with closing(sqlite3.connect(self._path, timeout=0)) as connection:
                    connection.execute("PRAGMA synchronous=FULL")
                    self._take_over(connection)
            except sqlite3.Error as problem:  # a full disk: who writes will hear of it
                log.warning("the write-ahead log stays as it is: %s", type(problem).__name__)

    def _take_over(self, connection: sqlite3.Connection) -> None:
        # First all, then what was written meanwhile, which is little; so that the rest is next to nothing.
        if _take(connection) and _take(connection):
            with self.writing:
                _take(connection)


def _take(connection: sqlite3.Connection) -> bool:
    """Take over what there is; whether that was all, and no reader kept something from it."""
    _, pages, taken = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
    return bool(pages == taken)

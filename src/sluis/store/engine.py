"""Opening the node's database, and the two things every room does with it: read a snapshot, write durably.

SQLite runs in WAL mode with synchronous=FULL, so that a commit is on disk before it is acknowledged; PostgreSQL
does so by itself (synchronous_commit=on is set, whatever the server's default). All writing goes through the one
`GroupWriter` of a store. One process is the writer of a database; on PostgreSQL others may stand beside it, and write only
what is made for that (`queue.Lanes`).
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool, QueuePool

from sluis.kernel import Invalid, Text
from sluis.store.lock import WriterLock
from sluis.store.wal import MOST, Wal
from sluis.store.writer import GroupWriter, Lane, unkept

T = TypeVar("T")

_READERS = 4  # connections that wait for the next who reads: to open one takes longer than most reading does
_PAGES_OF_WRITER, _PAGES_OF_READER = 16_384, 2_048  # KiB in memory, of each connection
_PAGE = 8192  # bytes, of a new database: what a commit writes costs two calls of the system a page, more than its bytes do
_STATEMENTS = 256  # that SQLite keeps ready: an INSERT of each number of rows is one of its own


class Store:
    """A node's database. Made by `open_store`; safe to use from threads and from asyncio.

    Attributes:
        dialect: `sqlite` or `postgresql`.
        path: the database file; None for a server or for memory.
        engine: what writes; of a server, what reads as well.
    """

    def __init__(self, url: URL, waiting: int, sole: bool = True) -> None:
        self.dialect: Literal["sqlite", "postgresql"] = _dialect(url)
        self.path = Path(url.database) if self.dialect == "sqlite" and url.database else None
        self.engine = _server(url) if self.path is None else _writing(url, self.path)
        self._readers = self.engine if self.path is None else _reading(url, self.path)
        lock = WriterLock(self.dialect, self.path) if sole else None
        self._writer = GroupWriter(self.engine, lock, waiting, None if self.path is None else Wal(self.path))
        self._closed = False

    def register(self, lane: Lane[Any, Any]) -> None:
        """Let `lane` take part in the group commits; it is loaded before its first batch.

        Raises:
            Conflict: another process writes this database.
            Unkept: the database cannot be reached or written.
        """
        self._writer.register(lane)

    def submit(self, lane: Lane[T, Any], payload: T, weight: int = 1) -> asyncio.Future[Any]:
        """Hand `payload` to `lane`; gives the lane's result once it is durable.

        Args:
            lane: registered with this store.
            payload: what the lane understands.
            weight: how many records it is.

        The future raises:
            Unkept: it could not be written, or too much is waiting already. Nothing was acknowledged.
            Problem: what the lane refused it with.
        """
        return self._writer.submit(lane, payload, weight)

    def submit_blocking(self, lane: Lane[T, Any], payload: T, weight: int = 1) -> Any:
        """The same from a thread without an event loop; waits."""
        return self._writer.submit_blocking(lane, payload, weight)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` within the next group commit and wait until it is durable.

        `work` runs on the writer's thread inside a savepoint: when it raises, its own changes are undone and the
        exception comes back here, while the rest of the batch goes on. It must be quick.
        """
        result: T = await self._writer.submit(self._writer.plain_lane, work, 1)
        return result

    def write_blocking(self, work: Callable[[Connection], T]) -> T:
        """The same from a thread without an event loop."""
        result: T = self._writer.submit_blocking(self._writer.plain_lane, work, 1)
        return result

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection whose statements all see one snapshot of what is committed.

        Raises:
            Unkept: the database cannot be reached, or not any more.
        """
        try:
            connection = self._readers.connect()
        except SQLAlchemyError as problem:
            raise unkept(problem) from problem
        try:
            with connection:
                try:
                    if self.dialect == "postgresql":
                        connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))
                    yield connection
                except OperationalError as problem:
                    connection.invalidate()  # nobody gets it after this
                    raise unkept(problem) from problem
        finally:
            if self._closed:
                self._readers.pool.dispose()  # nobody waited for who reads here, and nobody else closes its connection

    def close(self) -> None:
        """Finish what is waiting, stop the writer, close every connection."""
        self._writer.close()
        self._closed = True
        # Not the engines: those would go on with another pool, and who still reads gives back to this one.
        self._readers.pool.dispose()
        self.engine.pool.dispose()


async def see_through(work: Coroutine[Any, Any, T]) -> T:
    """Await what writes something and then knows it in memory. It goes on to its end when whoever waits is cancelled, so that
    memory and database never say different things."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])  # or the next who holds the lock would not see what was changed
        raise


def open_store(where: Path | str, *, waiting: int = 200_000, sole: bool = True) -> Store:
    """Open (and for SQLite: create) a node's database.

    Args:
        where: a file, or an SQLAlchemy URL (`sqlite:///…`, `postgresql://…`).
        waiting: how many records may wait for a commit before callers get `Unkept`.
        sole: whether this process is the writer of the database, of which there is one. One that stands beside it brings no
            table up to date and writes no record.

    Raises:
        Invalid: the URL names another kind of database, or one that only one process can write.
    """
    url = _url(where)
    if not sole and _dialect(url) == "sqlite":
        raise _for_one_process()
    return Store(url, waiting, sole)


def _url(where: Path | str) -> URL:
    if isinstance(where, Path) or "://" not in where:
        return URL.create("sqlite", database=str(where))
    url = make_url(where)
    return url.set(drivername="postgresql+psycopg") if url.get_backend_name() == "postgresql" else url


def _dialect(url: URL) -> Literal["sqlite", "postgresql"]:
    name = url.get_backend_name()
    if name == "sqlite" and url.database and url.database != ":memory:":
        return "sqlite"
    if name == "postgresql":
        return "postgresql"
    raise Invalid(
        "unknown-store",
        Text("Deze database kan een knooppunt niet gebruiken.", "A node cannot use this database."),
        Text(
            "Een knooppunt bewaart in een SQLite-bestand of in PostgreSQL.",
            "A node keeps its records in an SQLite file or in PostgreSQL.",
        ),
        Text("Geef een pad of een postgresql-adres op.", "Give a path or a postgresql address."),
    )


def _for_one_process() -> Invalid:
    return Invalid(
        "store-for-one-process",
        Text("In deze database schrijft maar één proces.", "Only one process writes this database."),
        Text(
            "Een SQLite-bestand is van het knooppunt alleen.",
            "An SQLite file belongs to the node alone.",
        ),
        Text(
            "Zet `store.url` op een PostgreSQL-database, of laat het knooppunt het zelf doen.",
            "Set `store.url` to a PostgreSQL database, or leave it to the node itself.",
        ),
    )


def _server(url: URL) -> Engine:
    return create_engine(
        url,
        connect_args={"options": "-c synchronous_commit=on"},
        pool_pre_ping=True,
        hide_parameters=True,  # an error ends in the node's own log, and what is written may be about persons
    )


def _writing(url: URL, path: Path) -> Engine:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    # The writer keeps its one connection by itself.
    engine = _sqlite(url, path, _PAGES_OF_WRITER, sqlite3.Connection, poolclass=NullPool)
    event.listen(engine, "begin", lambda connection: _begin(connection, "BEGIN IMMEDIATE"))
    return engine


def _reading(url: URL, path: Path) -> Engine:
    """Who is done gives a connection back without a snapshot: that would keep the WAL from being checkpointed, and who
    takes the connection next would read what was there then."""
    engine = _sqlite(
        url,
        path,
        _PAGES_OF_READER,
        _Reading,
        poolclass=QueuePool,
        pool_size=_READERS,
        max_overflow=-1,
        pool_use_lifo=True,
    )
    event.listen(engine, "begin", lambda connection: _begin(connection, "BEGIN"))
    return engine


class _Reading(sqlite3.Connection):
    """A rollback leaves a statement going of which not all rows were read, and with it the snapshot, as long as somebody holds
    the result: the traceback of what went wrong does. So here it ends them all."""

    def __init__(self, *given: Any, **more: Any) -> None:
        super().__init__(*given, **more)
        self._cursors: list[sqlite3.Cursor] = []

    def cursor(self, *given: Any) -> Any:
        made = super().cursor(*given)
        self._cursors.append(made)
        return made

    def rollback(self) -> None:
        for one in self._cursors:
            one.close()
        self._cursors.clear()
        super().rollback()


def _sqlite(url: URL, path: Path, pages: int, kind: type[sqlite3.Connection], **pool: Any) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={
            "check_same_thread": False,
            "timeout": 10,
            "cached_statements": _STATEMENTS,
            "factory": kind,
        },
        **pool,
    )
    event.listen(engine, "do_connect", lambda *_: _make_private(path))
    event.listen(engine, "connect", lambda connection, _: _configure_sqlite(connection, pages))
    return engine


def _make_private(path: Path) -> None:
    """Make a new database for this user alone: it says who asked whom about what. SQLite gives the files beside it the
    same mode."""
    if not path.exists():
        with suppress(OSError):  # SQLite says better what is wrong
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def _configure_sqlite(connection: Any, pages: int) -> None:
    # Text that is no UTF-8 is in no table, unless somebody put it there: then who checks what was changed must be able to read.
    connection.text_factory = lambda raw: str(raw, "utf-8", "replace")
    connection.isolation_level = None  # the driver's own BEGIN comes too late for a snapshot; see _begin
    for pragma in (
        f"page_size={_PAGE}",  # before the WAL, or it comes too late
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        f"cache_size=-{pages}",
        f"wal_autocheckpoint={MOST // _PAGE}",
        f"journal_size_limit={MOST}",  # what the log grew to beside who read for long is given back when it begins anew
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection, how: str) -> None:
    driver: Any = connection.connection.driver_connection
    driver.execute(how)

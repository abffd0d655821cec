"""One group commit as it is being made: rows to add, and a transaction as soon as anything more is wanted.

An INSERT of SQLite outside a transaction is a transaction of its own: one call begins, writes and makes durable, and
all the while Python's other threads go on. A transaction around it would be three calls, after each of which this
thread waits for its turn to run Python again. So rows are held back to the end, and go alone when they can.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import chain
from types import TracebackType
from typing import Any

from sqlalchemy import Connection

_TOGETHER = 1024  # values in one INSERT of SQLite


class Commit:
    """What one group commit writes. Durable when its `with` block ended well; nothing of it is there otherwise.

    Args:
        given: a connection without a transaction.
    """

    def __init__(self, given: Connection) -> None:
        self._given = given
        self._transaction: Any = None
        self._waiting: list[tuple[str, tuple[str, ...], list[Any]]] = []

    def insert(self, table: str, columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> None:
        """Add rows to a table; at the latest when the block ends, and before anything else that is done after this.

        Args:
            table: its name; not from outside, as it stands in the statement.
            columns: names, as for `table`.
            rows: a value for each column.
        """
        self._waiting.append((table, columns, list(chain.from_iterable(rows))))

    @property
    def connection(self) -> Connection:
        """The connection, in the transaction of this commit and with all rows inserted so far."""
        if self._transaction is None:
            self._transaction = self._given.begin()
        waiting, self._waiting = self._waiting, []
        for table, columns, values in waiting:
            insert_values(self._given, table, columns, values)
        return self._given

    def __enter__(self) -> "Commit":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        if raised is not None:
            if self._transaction is not None:
                self._transaction.rollback()
        elif self._transaction is not None or self._given.dialect.name != "sqlite":
            self._complete()
        elif self._alone():
            insert_values(self._given, *self._waiting[0])
        elif self._waiting:
            self._complete_sqlite()

    def _complete_sqlite(self) -> None:
        """Rows for several tables and nothing else: straight through the driver, for SQLAlchemy's own account of a
        transaction takes longer than such a transaction does."""
        driver: Any = self._given.connection.driver_connection
        driver.execute("BEGIN IMMEDIATE")
        try:
            for waiting in self._waiting:
                insert_values(self._given, *waiting)
            driver.execute("COMMIT")
        except BaseException:
            if driver.in_transaction:
                driver.execute("ROLLBACK")
            raise

    def _complete(self) -> None:
        if self._transaction is None and not self._waiting:
            return
        try:
            _ = self.connection  # inserts what waits
        except BaseException:
            self._transaction.rollback()
            raise
        self._transaction.commit()

    def _alone(self) -> bool:
        return len(self._waiting) == 1 and len(self._waiting[0][2]) <= _TOGETHER


def insert_values(
    connection: Connection, table: str, columns: tuple[str, ...], values: Sequence[Any]
) -> None:
    """Insert many rows that were laid end to end.

    Goes to the driver underneath SQLAlchemy: Core spends some 3 µs a row on parameter sets that need no conversion,
    which is a quarter of what a record may cost. SQLite gets many rows to a statement; PostgreSQL gets COPY, one
    round trip for all rows.

    Args:
        connection: in a transaction; of SQLite without one when all rows fit in one statement, which is its own.
        table: its name; not from outside, as it stands in the statement.
        columns: names, as for `table`.
        values: those of the first row in the order of `columns`, then those of the next.
    """
    driver: Any = connection.connection.driver_connection
    width = len(columns)
    if connection.dialect.name == "sqlite":
        step = _TOGETHER // width * width
        for at in range(0, len(values), step):
            some = values[at : at + step]
            driver.execute(_insert(table, columns, len(some) // width), some)
        return
    with (
        driver.cursor() as cursor,
        cursor.copy(f"COPY {table} ({','.join(columns)}) FROM STDIN") as copy,
    ):
        for row in zip(*[iter(values)] * width, strict=True):
            copy.write_row(row)


@lru_cache(maxsize=512)
def _insert(table: str, columns: tuple[str, ...], count: int) -> str:
    marks = f"({','.join('?' * len(columns))})"
    return f"INSERT INTO {table} ({','.join(columns)}) VALUES {','.join([marks] * count)}"

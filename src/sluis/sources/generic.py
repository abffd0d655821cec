"""Any database that SQLAlchemy speaks, in the plain shape only: columns of one table by equality and key lists.

Nothing is assumed about the dialect; rows are checked again after they arrived. The account's rights are unknown here,
so give it SELECT only. A query is stopped where the driver has a way to (`interrupt`, `cancel`).
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import sqlalchemy as sa
from sqlalchemy import exc
from sqlglot import exp

from sluis.sources.base import ColumnInfo, Limits, Prepared, Probe, SourceFailure, TableInfo, Value
from sluis.sources.plain import Plain, batches, read_plain
from sluis.sources.shape import Shape
from sluis.sources.watch import Reading, watched

_CHUNK = 500
"""Keys in one IN list: every database takes so many."""


def _duckdb_type(kind: sa.types.TypeEngine[Any]) -> str:
    if isinstance(kind, sa.Boolean):
        return "BOOLEAN"
    if isinstance(kind, sa.Integer):
        return "BIGINT"
    if isinstance(kind, sa.Float):
        return "DOUBLE"
    if isinstance(kind, sa.Numeric):
        digits, scale = kind.precision or 38, kind.scale if kind.scale is not None else 10
        return f"DECIMAL({min(38, digits)},{scale})"
    if isinstance(kind, sa.DateTime):
        return "TIMESTAMPTZ" if kind.timezone else "TIMESTAMP"
    if isinstance(kind, sa.Date):
        return "DATE"
    if isinstance(kind, sa.Time):
        return "TIME"
    return "BLOB" if isinstance(kind, sa.LargeBinary) else "VARCHAR"


class GenericPrepared:
    """A plain query through SQLAlchemy."""

    def __init__(self, engine: sa.Engine, plain: Plain, shape: Shape) -> None:
        self._engine, self._plain, self._shape = engine, plain, shape
        schema, _, name = plain.table.name.rpartition(".")
        self._table = sa.table(name, *(sa.column(column) for column in plain.columns), schema=schema or None)

    def run(self, values: Mapping[str, Value], limits: Limits) -> Iterator[pa.RecordBatch]:
        """See `base.Prepared.run`."""
        wanted = self._plain.wanted(values)
        try:
            with self._engine.connect() as connection, watched(limits, _stopper(connection)) as reading:
                pages = (
                    page
                    for chunk in _chunks(wanted)
                    for page in self._pages(connection, chunk, limits, reading)
                )
                yield from batches(self._plain, self._shape, wanted, pages, limits)
        except exc.SQLAlchemyError as error:
            raise _failure(error) from error

    def _pages(
        self, connection: sa.Connection, chunk: Mapping[str, Sequence[Any]], limits: Limits, reading: Reading
    ) -> Iterator[Sequence[Mapping[str, Any]]]:
        query = sa.select(*(self._table.c[name] for name in self._plain.columns))
        for column, keys in chunk.items():
            query = query.where(
                self._table.c[column].in_(keys) if len(keys) != 1 else self._table.c[column] == keys[0]
            )
        result = connection.execution_options(stream_results=True, max_row_buffer=limits.batch_rows).execute(
            query
        )
        for rows in result.mappings().partitions(limits.batch_rows):
            reading.check()
            yield [dict(row) for row in rows]


def _chunks(wanted: Mapping[str, list[Any]]) -> Iterator[dict[str, list[Any]]]:
    """The same conditions, the longest list cut in pieces."""
    longest = max(wanted, key=lambda name: len(wanted[name]), default=None)
    if any(not keys for keys in wanted.values()):
        return
    if longest is None:
        yield {}
        return
    keys = wanted[longest]
    for first in range(0, len(keys), _CHUNK):
        yield {**wanted, longest: keys[first : first + _CHUNK]}


def _stopper(connection: sa.Connection) -> Callable[[], None]:
    driver = connection.connection.driver_connection
    return getattr(driver, "interrupt", None) or getattr(driver, "cancel", None) or connection.invalidate


def _failure(error: exc.SQLAlchemyError) -> SourceFailure:
    text = str(getattr(error, "orig", None) or error).splitlines()[0]
    if isinstance(error, exc.NoSuchTableError | exc.ProgrammingError):
        return SourceFailure("changed", text)
    if isinstance(error, exc.OperationalError | exc.InterfaceError | exc.TimeoutError):
        return SourceFailure("changed" if "no such" in text else "unreachable", text)
    return SourceFailure("failed", text)


class GenericSource:
    """A database by its SQLAlchemy URL; the driver must be installed."""

    dialect: str | None = None

    def __init__(self, url: str, pool_size: int = 8) -> None:
        try:
            self._engine = sa.create_engine(
                url, pool_size=pool_size, max_overflow=0, pool_pre_ping=True, isolation_level="AUTOCOMMIT"
            )
        except (exc.SQLAlchemyError, ImportError) as error:
            raise SourceFailure("failed", f"no driver for this URL: {type(error).__name__}") from error
        self._tables: tuple[TableInfo, ...] | None = None
        self._lock = threading.Lock()

    def tables(self) -> tuple[TableInfo, ...]:
        """See `base.Source.tables`: of the default schema. Row counts are unknown."""
        with self._lock:
            self._tables = self._described()
            return self._tables

    def _described(self) -> tuple[TableInfo, ...]:
        try:
            inspector = sa.inspect(self._engine)
            names = sorted([*inspector.get_table_names(), *inspector.get_view_names()])
            return tuple(self._table(inspector, name) for name in names)
        except exc.SQLAlchemyError as error:
            raise _failure(error) from error

    def _table(self, inspector: sa.Inspector, name: str) -> TableInfo:
        columns = tuple(
            ColumnInfo(
                column["name"], _duckdb_type(column["type"]), str(column["type"]), bool(column["nullable"])
            )
            for column in inspector.get_columns(name)
        )
        key = tuple(inspector.get_pk_constraint(name).get("constrained_columns") or ())
        return TableInfo(name, columns, key, None)

    def prepare(self, query: exp.Query, parameters: Mapping[str, str], schema: pa.Schema) -> Prepared:
        """See `base.Source.prepare`."""
        plain = read_plain(query, self._tables or self.tables())
        keys = [place for place, name in enumerate(plain.outputs) if name in plain.table.key]
        places = [f"{plain.table.name}.{name}" for name in plain.outputs]
        return GenericPrepared(self._engine, plain, Shape(schema, places, keys))

    def probe(self) -> Probe:
        """See `base.Source.probe`. Whether the account can write is not known."""
        begin = time.perf_counter()
        try:
            with self._engine.connect() as connection:
                connection.execute(sa.select(sa.literal(1)))
        except exc.SQLAlchemyError as error:
            return Probe(False, (time.perf_counter() - begin) * 1000, None, None, str(_failure(error)))
        return Probe(True, (time.perf_counter() - begin) * 1000, datetime.now(UTC), None)

    def close(self) -> None:
        """See `base.Source.close`."""
        with suppress(exc.SQLAlchemyError):
            self._engine.dispose()

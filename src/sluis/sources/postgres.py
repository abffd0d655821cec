"""PostgreSQL: prepared statements on warm connections for keys, ADBC (COPY to Arrow) for bulk.

Every connection is read-only, has a statement timeout, and thinks in UTC. The database must be encoded in UTF-8 or
Latin 1, where the order of bytes is that of code points. What is asked stands in `postgres_sql`.
"""

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import partial
from os import dup
from typing import Any

import adbc_driver_manager
import adbc_driver_postgresql.dbapi as adbc
import psycopg
import pyarrow as pa
from psycopg import pq
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import error_from_result
from sqlglot import exp

from sluis.sources.base import ColumnInfo, Limits, Prepared, Probe, SourceFailure, TableInfo, Value
from sluis.sources.few import FEW, Rows, Stale, again_if_stale, few_or_bulk, gives_few
from sluis.sources.learned import Learned
from sluis.sources.postgres_sql import PostgresWriter, as_bytes, as_text, duckdb_type, parameter_type, quoted
from sluis.sources.shape import Shape
from sluis.sources.watch import Pool, watched
from sluis.sources.writer import Catalogue, Unwritable, Written, key_indexes, places

TABLES = """
SELECT CASE WHEN n.nspname = current_schema() THEN c.relname ELSE n.nspname || '.' || c.relname END,
       n.nspname, c.relname,
       CASE WHEN c.relkind IN ('r', 'p', 'm') AND c.reltuples >= 0 THEN c.reltuples::bigint END,
       (SELECT array_agg(a.attname::text ORDER BY k.place)
          FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS k(number, place)
          JOIN pg_attribute a ON a.attnum = k.number
         WHERE i.indexrelid = (SELECT u.indexrelid FROM pg_index u
                                WHERE u.indrelid = c.oid AND u.indisunique AND u.indisvalid AND u.indpred IS NULL
                                  AND u.indexprs IS NULL
                                ORDER BY u.indisprimary DESC, u.indnkeyatts LIMIT 1)
           AND a.attrelid = c.oid AND k.place <= i.indnkeyatts)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
   AND has_schema_privilege(n.oid, 'USAGE')
   AND (has_table_privilege(c.oid, 'SELECT') OR has_any_column_privilege(c.oid, 'SELECT'))
 ORDER BY 1
"""
"""Tables and views this account may read: name, schema, table, estimated rows, columns of the key."""

COLUMNS = """
SELECT n.nspname, c.relname, a.attname,
       CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) ELSE format_type(a.atttypid, a.atttypmod) END
         || CASE WHEN l.collisdeterministic = false THEN ' nondeterministic' ELSE '' END,
       NOT a.attnotnull
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation l ON l.oid = a.attcollation
 WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND has_column_privilege(c.oid, a.attnum, 'SELECT')
 ORDER BY c.oid, a.attnum
"""
"""Their columns, domains as the type under them: schema, table, column, type, whether it may be NULL."""

CAN_WRITE = """
SELECT NOT pg_is_in_recovery() AND (
         (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
         OR EXISTS (SELECT FROM pg_namespace n WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                       AND has_schema_privilege(n.oid, 'CREATE'))
         OR EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE c.relkind IN ('r', 'p', 'v', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
                       AND has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE'))),
       CASE WHEN pg_is_in_recovery() THEN pg_last_xact_replay_timestamp() ELSE now() END
"""
"""Whether this account could change anything if it tried, and the time of the data."""

_MANY_KEYS = 5_000
"""Keys from which bulk reading is faster."""


class _Connection:
    """A psycopg connection that knows its own statement timeout."""

    def __init__(self, conninfo: str) -> None:
        try:
            self.raw = psycopg.connect(conninfo, autocommit=True, prepare_threshold=0)
        except psycopg.Error as error:
            raise _failure(error, connecting=True) from error
        self.milliseconds = 0
        self.used = False
        self._statements: dict[bytes, bytes] = {}
        self._loader = psycopg.adapt.Transformer(self.raw)

    def limit(self, milliseconds: int) -> None:
        """Let the server itself stop what takes longer."""
        if milliseconds != self.milliseconds:
            self.raw.execute(f"SET statement_timeout = {milliseconds}")
            self.milliseconds = milliseconds

    def ask(self, sql: bytes, bound: list[bytes | None], milliseconds: int) -> list[tuple[Any, ...]]:
        """All rows of a statement, prepared once on this connection.

        Straight through libpq: a third of what a cursor costs, which counts for a question about one person.
        """
        self.limit(milliseconds)
        line = self.raw.pgconn
        name = self._statements.get(sql)
        if name is None:
            name = b"s%d" % len(self._statements)
            self._checked(line.prepare(name, sql), pq.ExecStatus.COMMAND_OK)
            self._statements[sql] = name
        # NULL is None; psycopg's own annotation leaves that out.
        result = self._checked(line.exec_prepared(name, bound), pq.ExecStatus.TUPLES_OK)  # type: ignore[arg-type]
        self._loader.set_pgresult(result)
        rows: list[tuple[Any, ...]] = self._loader.load_rows(0, result.ntuples, tuple)
        return rows

    def _checked(self, result: pq.abc.PGresult, expected: int) -> pq.abc.PGresult:
        if result.status != expected:
            raise error_from_result(result)
        return result

    def cancel(self) -> None:
        self.raw.cancel_safe(timeout=2)

    def sever(self) -> None:
        """Cut the line under a reader that waits for a server that says nothing more."""
        with socket.socket(fileno=dup(self.raw.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)


def _failure(error: Exception, *, connecting: bool = False) -> SourceFailure:
    state = getattr(error, "sqlstate", None) or ""
    text = str(error).splitlines()[0] if str(error) else type(error).__name__
    if state == "57014" or "canceling statement due to" in text:
        return SourceFailure("timeout", "the database stopped the query")
    if state in {"42P01", "42703", "3F000", "3D000"}:
        return SourceFailure("changed", text)
    if state.startswith("28") or state == "42501":
        return SourceFailure("refused", text)
    if connecting or state[:2] in {"08", "57"} or (not state and isinstance(error, psycopg.OperationalError)):
        return SourceFailure("refused" if "authentication failed" in text else "unreachable", text)
    if isinstance(error, psycopg.DataError) and not state:
        return SourceFailure("broken-row", text)
    return SourceFailure("failed", text)


class PostgresPrepared:
    """A statement of PostgreSQL, in both its forms: for few rows and for bulk."""

    def __init__(
        self, source: "PostgresSource", written: Written, shape: Shape, *, keyed: bool, bounded: bool
    ) -> None:
        self._source, self._written, self._shape, self._keyed = source, written, shape, keyed
        self._lists = tuple(name for name, slot in written.slots.items() if slot.many)
        order = {name: place for place, name in enumerate(written.slots, 1)}
        marked = written.text(lambda name, slot: f"${order[name]}::{parameter_type(slot)}")
        self._few_sql = (marked if bounded else f"{marked} LIMIT {FEW + 1}").encode()

    def run(self, values: Mapping[str, Value], limits: Limits) -> Iterator[pa.RecordBatch]:
        """See `base.Prepared.run`."""
        given = self._written.values(values)
        keyed = self._keyed and all(len(given[name]) <= _MANY_KEYS for name in self._lists)
        few = partial(self._few, given, limits) if keyed else None
        yield from few_or_bulk(few, partial(self._bulk, given, limits), self._shape, limits)

    def _few(self, given: Mapping[str, Any], limits: Limits) -> Rows:
        bound = [as_bytes(as_text(given[name], slot)) for name, slot in self._written.slots.items()]
        return again_if_stale(lambda: self._ask(bound, limits), self._source.few)

    def _ask(self, bound: list[bytes | None], limits: Limits) -> Rows:
        with (
            self._source.few.use(limits) as connection,
            watched(limits, connection.cancel, connection.sever) as reading,
        ):
            stale, connection.used = connection.used, True
            try:
                return connection.ask(self._few_sql, bound, _milliseconds(limits))
            except psycopg.Error as error:
                gone = connection.raw.broken or error.sqlstate == "0A000"  # a table changed under a statement
                if stale and gone and not reading.stopped:
                    raise Stale from error
                raise _failure(error) from error

    def _bulk(self, given: Mapping[str, Any], limits: Limits) -> Iterator[pa.RecordBatch]:
        sql = self._written.text(lambda name, slot: quoted(slot, given[name]))
        first = 0
        with (
            self._source.bulk.use(limits) as connection,
            closing(connection.cursor()) as cursor,
            watched(limits, cursor.adbc_cancel) as reading,
        ):
            try:
                cursor.execute(f"SET statement_timeout = {_milliseconds(limits)}")
                cursor.execute(sql)
                for batch in cursor.fetch_record_batch():
                    for part in range(0, batch.num_rows, limits.batch_rows):
                        reading.check()
                        yield self._shape.conform(_stored(batch.slice(part, limits.batch_rows)), first)
                        first += min(limits.batch_rows, batch.num_rows - part)
            except (adbc_driver_manager.Error, pa.ArrowException, OSError) as error:
                raise _failure(error) from error


def _milliseconds(limits: Limits) -> int:
    return max(1, int(limits.seconds * 1000))


def _stored(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Types that Arrow does not know (numeric) as the text that ADBC stores them as."""
    arrays = [a.storage if isinstance(a, pa.ExtensionArray) else a for a in batch.columns]
    return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


class PostgresSource:
    """One PostgreSQL database.

    Args:
        url: `postgresql://user:password@host:port/database`, libpq parameters after `?`.
        pool_size: connections at once, for few rows and for bulk each.
    """

    dialect: str | None = "postgres"

    def __init__(self, url: str, pool_size: int = 8) -> None:
        given = conninfo_to_dict(url)
        ours = "-c default_transaction_read_only=on -c timezone=UTC -c standard_conforming_strings=on"
        options = (
            f"{given.get('options') or ''} {ours} -c client_encoding=UTF8 -c extra_float_digits=1".strip()
        )
        timeout = given.get("connect_timeout") or "5"
        self._conninfo = make_conninfo(
            url, options=options, connect_timeout=timeout, application_name="sluis"
        )
        self.few: Pool[_Connection] = Pool(
            lambda: _Connection(self._conninfo), lambda c: c.raw.close(), pool_size
        )
        self.bulk: Pool[Any] = Pool(self._connect_bulk, lambda connection: connection.close(), pool_size)
        self._learned = Learned(self._ask_itself)

    def _connect_bulk(self) -> Any:
        try:
            return adbc.connect(self._conninfo, autocommit=True)
        except adbc_driver_manager.Error as error:
            raise _failure(error, connecting=True) from error

    def tables(self) -> tuple[TableInfo, ...]:
        """See `base.Source.tables`: what this account may read, in all schemas."""
        return self._learned.now().tables

    def _ask_itself(self) -> "_Known":
        limits = Limits()
        with self.few.use(limits) as connection, watched(limits, connection.cancel, connection.sever):
            try:
                return _Known(connection.raw)
            except psycopg.Error as error:
                raise _failure(error) from error

    def prepare(self, query: exp.Query, parameters: Mapping[str, str], schema: pa.Schema) -> Prepared:
        """See `base.Source.prepare`."""
        return self._learned.prepared(lambda known: self._prepare(query, parameters, schema, known))

    def _prepare(
        self, query: exp.Query, parameters: Mapping[str, str], schema: pa.Schema, known: "_Known"
    ) -> Prepared:
        writer = PostgresWriter(known.catalogue, query, parameters, known.schemas)
        try:
            written = writer.written()
        except Unwritable as error:
            raise SourceFailure("failed", f"PostgreSQL cannot be asked this: {error}") from error
        words, bases = places(query, writer.typing)
        shape = Shape(schema, words, key_indexes(bases, known.catalogue))
        bounded = query.args.get("limit") is not None
        return PostgresPrepared(self, written, shape, keyed=gives_few(query), bounded=bounded)

    def probe(self) -> Probe:
        """See `base.Source.probe`."""
        begin, limits = time.perf_counter(), Limits(seconds=5)
        try:
            with self.few.use(limits) as connection, watched(limits, connection.cancel, connection.sever):
                connection.limit(_milliseconds(limits))
                writes, as_of = connection.raw.execute(CAN_WRITE).fetchone() or (None, None)
        except (SourceFailure, psycopg.Error) as error:
            return Probe(False, (time.perf_counter() - begin) * 1000, None, None, str(error))
        return Probe(
            True, (time.perf_counter() - begin) * 1000, as_of, None if writes is None else not writes
        )

    def close(self) -> None:
        """See `base.Source.close`."""
        self.few.close()
        self.bulk.close()


class _Known:
    """What the database said about itself."""

    def __init__(self, raw: "psycopg.Connection[tuple[Any, ...]]") -> None:
        encoding = raw.execute("SHOW server_encoding").fetchone() or ("",)
        if encoding[0] not in {"UTF8", "LATIN1", "SQL_ASCII"}:
            raise SourceFailure("failed", f"the database is encoded in {encoding[0]}, not in UTF8 or LATIN1")
        columns: dict[tuple[str, str], list[ColumnInfo]] = {}
        for schema, table, column, native, nullable in raw.execute(COLUMNS):
            columns.setdefault((schema, table), []).append(
                ColumnInfo(column, duckdb_type(native), native, nullable)
            )
        rows = raw.execute(TABLES).fetchall()
        self.schemas = {name: (schema, table) for name, schema, table, _, _ in rows}
        self.tables = tuple(
            TableInfo(name, tuple(columns.get((schema, table), ())), tuple(key or ()), estimate)
            for name, schema, table, estimate, key in rows
        )
        self.catalogue = Catalogue(self.tables)

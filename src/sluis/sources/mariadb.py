"""MariaDB and MySQL through pymysql: rows for keys; for bulk the server writes each row as one line of CSV, so that Python
touches a row once and not every value of it. All of it streams and can be stopped.

Every session is read-only, in UTC, and has a statement time limit. What is asked stands in `mariadb_sql`, how the lines
are read in `mariadb_lines` and `mariadb_rows`.
"""

import io
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from datetime import UTC
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pyarrow as pa
import pymysql
from pymysql.constants import COMMAND
from pymysql.cursors import SSCursor
from pymysql.err import raise_mysql_exception
from sqlglot import exp

from sluis.sources.base import ColumnInfo, Limits, Prepared, Probe, SourceFailure, TableInfo, Value
from sluis.sources.few import FEW, Rows, Stale, again_if_stale, few_or_bulk, gives_few
from sluis.sources.learned import Learned
from sluis.sources.mariadb_lines import Lines
from sluis.sources.mariadb_rows import all_rows
from sluis.sources.mariadb_sql import MariadbWriter, duckdb_type, filled
from sluis.sources.shape import Shape
from sluis.sources.watch import Pool, watched
from sluis.sources.writer import Catalogue, Unwritable, Written, key_indexes, places

TABLES = """
SELECT t.table_name, t.table_rows,
       (SELECT GROUP_CONCAT(k.column_name ORDER BY k.seq_in_index SEPARATOR '\\0') FROM information_schema.statistics k
         WHERE k.table_schema = t.table_schema AND k.table_name = t.table_name AND k.index_name = 'PRIMARY')
  FROM information_schema.tables t
 WHERE t.table_schema = DATABASE() ORDER BY t.table_name
"""
"""Tables and views of this database, estimated rows, and columns of the primary key."""

COLUMNS = """
SELECT table_name, column_name, column_type, is_nullable, collation_name
  FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position
"""
"""Their columns."""

_HARMLESS = {
    "SELECT",
    "USAGE",
    "SHOW VIEW",
    "SHOW DATABASES",
    "PROCESS",
    "REPLICATION CLIENT",
    "BINLOG MONITOR",
}
_MODE = "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION,NO_UNSIGNED_SUBTRACTION"

_BUFFER = 1 << 18

_MANY_KEYS = 20_000
"""Keys from which bulk reading is faster."""


def _failure(error: BaseException) -> SourceFailure:
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    text = str(error.args[-1]) if error.args else type(error).__name__
    if code in {1969, 3024}:
        return SourceFailure("timeout", "the database stopped the query")
    if code in {1146, 1054, 1049}:
        return SourceFailure("changed", text)
    if code in {1044, 1045, 1142, 1143, 1227, 1370, 1698}:
        return SourceFailure("refused", text)
    if code in {2002, 2003, 2005, 2006, 2013, 2055, 1053, 1040} or isinstance(error, OSError):
        return SourceFailure("unreachable", text)
    return SourceFailure("failed", text)


class _Connection:
    """A pymysql connection that knows its own time limit."""

    def __init__(self, source: "MariadbSource") -> None:
        self._source = source
        try:
            self.raw = pymysql.connect(
                **source.arguments, charset="utf8mb4", autocommit=True, connect_timeout=5, read_timeout=None
            )
            version = str(self.raw.get_server_info())  # type: ignore[no-untyped-call]
            source.learn(version)
            for statement in source.session():
                self._do(statement)
        except (pymysql.Error, OSError) as error:
            raise _failure(error) from error
        # Larger reads than pymysql's own: a system call per eight kilobytes is most of the cost of bulk reading.
        self.stream: io.BufferedReader = self.raw._sock.makefile("rb", _BUFFER)  # type: ignore[attr-defined]
        self.raw._rfile = self.stream  # type: ignore[attr-defined]
        self.thread = int(self.raw.thread_id())  # type: ignore[no-untyped-call]
        self.seconds = 0.0
        self.used = False

    def _do(self, statement: str) -> None:
        with closing(self.raw.cursor()) as cursor:
            cursor.execute(statement)

    def limit(self, seconds: float) -> None:
        """Let the server itself stop what takes longer."""
        if seconds != self.seconds:
            self._do(self._source.clock(seconds))
            self.seconds = seconds

    def ask(self, sql: str, seconds: float) -> tuple[tuple[Any, ...], ...]:
        """All rows of a query."""
        self.limit(seconds)
        self.raw._execute_command(COMMAND.COM_QUERY, sql)  # type: ignore[attr-defined]
        return all_rows(self.stream.read)

    def lines(self, sql: str, seconds: float, count: int) -> Iterator[bytes]:
        """The rows of a query of one column of text, `count` at a time, one line each."""
        self.limit(seconds)
        with closing(self.raw.cursor(SSCursor)) as cursor:
            cursor.execute(sql)
            # The rows are read here; what pymysql thinks is still to come it must not wait for.
            cursor._result.unbuffered_active = False  # type: ignore[attr-defined]
            read, found = self.stream.read, []
            # The rows as they come over the line: MySQL protocol, "Text Resultset Row". A row is a packet of one
            # string; pymysql's own reading costs ten times as much.
            while True:
                header = read(4)
                packet = read(int.from_bytes(header[:3], "little"))
                first = packet[0] if packet else 0xFB
                if first < 0xFB:
                    found.append(packet[1:])
                elif first == 0xFC:
                    found.append(packet[3:])
                elif first == 0xFD and len(packet) < 0xFFFFFF:
                    found.append(packet[4:])
                else:
                    break
                if len(found) == count:
                    yield b"\n".join(found)
                    found.clear()
            if first != 0xFE:
                self._refuse(first, packet)
        if found:
            yield b"\n".join(found)

    def _refuse(self, first: int, packet: bytes) -> None:
        if first == 0xFF:
            raise_mysql_exception(packet)
        if not packet:
            raise pymysql.OperationalError(2013, "Lost connection to MySQL server during query")
        raise SourceFailure("failed", "a row is longer than the server's max_allowed_packet")

    def cancel(self) -> None:
        """Stop what this connection's thread is doing, from another one."""
        with closing(pymysql.connect(**self._source.arguments, connect_timeout=2, read_timeout=2)) as other:
            other.query(f"KILL QUERY {self.thread}")

    def sever(self) -> None:
        """Cut the line under a reader that waits for a server that says nothing more."""
        with suppress(OSError):
            self.raw._sock.shutdown(2)  # type: ignore[attr-defined]

    def close(self) -> None:
        """Say goodbye where that is still possible."""
        with suppress(pymysql.Error, OSError):
            self.raw.close()


class MariadbPrepared:
    """A query of MariaDB, in both its forms: for few rows and for bulk."""

    def __init__(
        self,
        source: "MariadbSource",
        few: Written,
        bulk: Written,
        shape: Shape,
        *,
        keyed: bool,
        bounded: bool,
    ) -> None:
        self._source, self._few_form, self._bulk_form = source, few, bulk
        self._shape, self._keyed = shape, keyed
        self._cap = "" if bounded else f" LIMIT {FEW + 1}"
        self._lists = tuple(name for name, slot in few.slots.items() if slot.many)
        self._lines = Lines(shape)

    def run(self, values: Mapping[str, Value], limits: Limits) -> Iterator[pa.RecordBatch]:
        """See `base.Prepared.run`."""
        given = self._few_form.values(values)
        keyed = self._keyed and all(len(given[name]) <= _MANY_KEYS for name in self._lists)
        few = partial(self._few, given, limits) if keyed else None
        yield from few_or_bulk(few, partial(self._bulk, values, limits), self._shape, limits)

    def _few(self, given: Mapping[str, Any], limits: Limits) -> Rows:
        exact = self._source.exact
        sql = self._few_form.text(lambda name, slot: filled(slot, given[name], exact)) + self._cap
        return again_if_stale(lambda: self._ask(sql, limits), self._source.few)

    def _ask(self, sql: str, limits: Limits) -> Rows:
        with (
            self._source.few.use(limits) as connection,
            watched(limits, connection.cancel, connection.sever) as reading,
        ):
            stale, connection.used = connection.used, True
            try:
                return connection.ask(sql, limits.seconds)
            except (pymysql.Error, OSError) as error:
                failure = _failure(error)
                if stale and failure.kind == "unreachable" and not reading.stopped:
                    raise Stale from error
                raise failure from error

    def _bulk(self, values: Mapping[str, Value], limits: Limits) -> Iterator[pa.RecordBatch]:
        given, exact = self._bulk_form.values(values), self._source.exact
        sql = self._bulk_form.text(lambda name, slot: filled(slot, given[name], exact))
        first = 0
        with (
            self._source.few.use(limits) as connection,
            watched(limits, connection.cancel, connection.sever) as reading,
        ):
            connection.used = True
            try:
                for lines in connection.lines(sql, limits.seconds, limits.batch_rows):
                    reading.check()
                    batch = self._lines.batch(lines, first)
                    yield batch
                    first += batch.num_rows
            except (pymysql.Error, OSError) as error:
                raise _failure(error) from error


class MariadbSource:
    """One MariaDB or MySQL database.

    Args:
        url: `mariadb://user:password@host:port/database`; `?unix_socket=/path` and `?ssl_ca=/path` are understood.
        pool_size: connections at once.
    """

    dialect: str | None = "mysql"

    def __init__(self, url: str, pool_size: int = 8) -> None:
        parts = urlsplit(url)
        options = dict(parse_qsl(parts.query))
        self.arguments: dict[str, Any] = {
            "host": parts.hostname or "127.0.0.1",
            "port": parts.port or 3306,
            "user": unquote(parts.username or ""),
            "password": unquote(parts.password or ""),
            "database": unquote(parts.path.lstrip("/")),
            **{name: options[name] for name in ("unix_socket", "ssl_ca") if name in options},
        }
        self.few: Pool[_Connection] = Pool(lambda: _Connection(self), _Connection.close, pool_size)
        self.exact = "utf8mb4_nopad_bin"
        self._mysql = False
        self._learned = Learned(self._ask_itself)

    def learn(self, version: str) -> None:
        """MariaDB and MySQL differ in a few names."""
        self._mysql = "mariadb" not in version.lower()
        self.exact = "utf8mb4_0900_bin" if self._mysql else "utf8mb4_nopad_bin"

    def session(self) -> list[str]:
        """What every session begins with."""
        # MariaDB finds cached results of a subquery, and turns EXISTS into IN, by the columns' own collation: 'a' and
        # 'A ' would share an answer.
        switch = (
            [] if self._mysql else ["SET SESSION optimizer_switch = 'subquery_cache=off,exists_to_in=off'"]
        )
        return [
            *switch,
            f"SET NAMES utf8mb4 COLLATE {self.exact}",
            f"SET SESSION sql_mode = '{_MODE}'",
            "SET SESSION time_zone = '+00:00'",
            "SET SESSION TRANSACTION READ ONLY",
        ]

    def clock(self, seconds: float) -> str:
        """The statement that lets the server itself stop what takes longer."""
        if self._mysql:
            return f"SET SESSION max_execution_time = {max(1, int(seconds * 1000))}"
        return f"SET SESSION max_statement_time = {max(0.001, seconds):.3f}"

    def tables(self) -> tuple[TableInfo, ...]:
        """See `base.Source.tables`: those of the URL's database."""
        return self._learned.now().tables

    def _ask_itself(self) -> "_Known":
        limits = Limits()
        with self.few.use(limits) as connection, watched(limits, connection.cancel, connection.sever):
            try:
                return _Known(connection)
            except (pymysql.Error, OSError) as error:
                raise _failure(error) from error

    def prepare(self, query: exp.Query, parameters: Mapping[str, str], schema: pa.Schema) -> Prepared:
        """See `base.Source.prepare`."""
        return self._learned.prepared(lambda known: self._prepare(query, parameters, schema, known))

    def _prepare(
        self, query: exp.Query, parameters: Mapping[str, str], schema: pa.Schema, known: "_Known"
    ) -> Prepared:
        few, bulk = (
            MariadbWriter(
                known.catalogue, query, parameters, exact=self.exact, collations=known.collations, lines=lines
            )
            for lines in (False, True)
        )
        try:
            forms = few.written(), bulk.written()
        except Unwritable as error:
            raise SourceFailure("failed", f"MariaDB cannot be asked this: {error}") from error
        words, bases = places(query, few.typing)
        shape = Shape(schema, words, key_indexes(bases, known.catalogue))
        bounded = query.args.get("limit") is not None
        return MariadbPrepared(self, *forms, shape, keyed=gives_few(query), bounded=bounded)

    def probe(self) -> Probe:
        """See `base.Source.probe`."""
        begin, limits = time.perf_counter(), Limits(seconds=5)
        try:
            with self.few.use(limits) as connection, watched(limits, connection.cancel, connection.sever):
                now = connection.ask("SELECT UTC_TIMESTAMP(6)", limits.seconds)[0][0].replace(tzinfo=UTC)
                grants = [
                    str(row[0]) for row in connection.ask("SHOW GRANTS FOR CURRENT_USER", limits.seconds)
                ]
        except (SourceFailure, pymysql.Error, OSError) as error:
            return Probe(False, (time.perf_counter() - begin) * 1000, None, None, str(error))
        return Probe(True, (time.perf_counter() - begin) * 1000, now, not any(map(_writes, grants)))

    def close(self) -> None:
        """See `base.Source.close`."""
        self.few.close()


def _writes(grant: str) -> bool:
    """Whether a line of SHOW GRANTS lets the account change anything (a granted role counts: it may)."""
    given = grant.upper().removeprefix("GRANT ").partition(" ON ")
    privileges = {part.partition("(")[0].strip() for part in given[0].split(",")}
    return not privileges <= _HARMLESS


class _Known:
    """What the database said about itself."""

    def __init__(self, connection: _Connection) -> None:
        seconds = Limits().seconds
        columns: dict[str, list[ColumnInfo]] = {}
        self.collations: dict[tuple[str, str], str] = {}
        for table, column, native, nullable, collation in connection.ask(COLUMNS, seconds):
            columns.setdefault(table, []).append(
                ColumnInfo(column, duckdb_type(native), native, nullable == "YES")
            )
            if collation:
                self.collations[table.lower(), column.lower()] = collation
        self.tables = tuple(
            TableInfo(name, tuple(columns.get(name, ())), tuple(key.split("\0")) if key else (), rows)
            for name, rows, key in connection.ask(TABLES, seconds)
        )
        self.catalogue = Catalogue(self.tables)

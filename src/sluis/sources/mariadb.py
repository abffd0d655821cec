"""MariaDB and MySQL: pymysql on warm connections for keys, connectorx to Arrow for bulk.

MariaDB compares text by a collation that ignores case, accents and trailing spaces; here text is compared in a binary
one without padding, which orders by code point as DuckDB does. An equality goes twice: once as the column is, so that
an index serves, once exactly. Every session is read-only, in UTC, and has a statement time limit.
"""

import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import connectorx
import pyarrow as pa
import pymysql
from sqlglot import exp

from sluis.sources.base import ColumnInfo, Limits, Prepared, Probe, SourceFailure, TableInfo, Value
from sluis.sources.fold import is_constant
from sluis.sources.shape import Shape, counted
from sluis.sources.types import decimal_parts, family
from sluis.sources.watch import Pool, watched
from sluis.sources.writer import (
    Catalogue,
    Slot,
    Unwritable,
    Writer,
    Written,
    is_keyed,
    key_indexes,
    places,
    row_bound,
)

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

RUNNING = "SELECT id FROM information_schema.processlist WHERE info LIKE %s AND id <> CONNECTION_ID()"
"""The thread that runs a query with this mark in it; an account always sees its own threads."""

_INTEGERS = {
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "mediumint": "INTEGER",
    "int": "INTEGER",
    "bigint": "BIGINT",
}
_OTHERS = {
    "float": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "timestamp": "TIMESTAMPTZ",
    "year": "SMALLINT",
    "tinyblob": "BLOB",
    "blob": "BLOB",
    "mediumblob": "BLOB",
    "longblob": "BLOB",
    "binary": "BLOB",
    "varbinary": "BLOB",
}
_DIRECT = {*_INTEGERS, *_OTHERS, "decimal", "char", "varchar", "tinytext", "text", "mediumtext", "longtext"}
"""Types that connectorx reads as they are; the others (ENUM, SET, TIME, UUID) it gets as text."""

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

FRESH_SECONDS = 60
"""How long the catalogue is believed; a statement that fails on it reads it again."""

FEW = 20_000
"""Rows up to which a keyed query is answered through pymysql; with more it is asked again in bulk."""

_MANY_KEYS = 20_000
"""Keys from which bulk reading is faster."""


def _duckdb_type(native: str) -> str:
    """`tinyint(1)` is a BOOLEAN, as everywhere in the field: another value than 0 or 1 is a broken row."""
    name = native.partition("(")[0].split(" ")[0]
    if native in {"tinyint(1)", "bit(1)"}:
        return "BOOLEAN"
    if name in _INTEGERS:
        return ("U" if "unsigned" in native else "") + _INTEGERS[name]
    if name == "bit":
        return "UBIGINT"
    if name == "decimal":
        digits, _, scale = native[8:].partition(")")[0].partition(",")
        return f"DECIMAL({min(38, int(digits))},{int(scale or 0)})"
    return _OTHERS.get(name, "VARCHAR")


class _MariadbWriter(Writer):
    """MariaDB's own forms.

    Args:
        exact: the binary collation without padding that this server has.
        collations: the collation of each text column (table, column), by lower-case names.
        types: the Arrow types that bulk reading must give, None for reading by key.
    """

    quote = "`"

    def __init__(
        self,
        catalogue: Catalogue,
        query: exp.Expression,
        parameters: Mapping[str, str],
        *,
        exact: str,
        collations: Mapping[tuple[str, str], str],
        types: Sequence[pa.DataType] | None = None,
    ) -> None:
        super().__init__(catalogue, query, parameters)
        self.exact, self.collations, self.types = exact, collations, types
        self.scales: dict[int, int] = {}
        """Columns of the answer that come as whole numbers, and how many of their digits are decimals."""

    def table(self, name: str) -> str:
        return self.identifier(self.catalogue.table(name).name)

    def projection(self, item: exp.Expression, query: exp.Select) -> str:
        if query is not self.query:
            return super().projection(item, query)
        place = query.selects.index(item)
        node = item.unalias()
        bare = isinstance(node, exp.Column) and not query.args.get("distinct")
        sql = self._read(node) if bare else self.expression(node)
        kind = self.typing.of(node)
        encoded = self._encoded(sql, kind, place) if self.types else self._legible(sql, kind)
        return f"{encoded} AS {self.identifier(f'c{place}')}"

    def _read(self, node: exp.Column) -> str:
        """A column as it comes out, text not yet collated."""
        base, sql = self.typing.base(node), self.raw_column(node)
        native = self.catalogue.native(*base) if base else ""
        if native.startswith("bit"):
            return f"({sql} + 0)"
        known = not base or self.types is None or native.partition("(")[0].split(" ")[0] in _DIRECT
        return sql if known else f"CONVERT({sql} USING utf8mb4)"

    def _legible(self, sql: str, kind: str | None) -> str:
        return f"DATE_FORMAT({sql}, '%Y-%m-%dT%H:%i:%s.%f+00:00')" if kind == "TIMESTAMPTZ" else sql

    def _encoded(self, sql: str, kind: str | None, place: int) -> str:
        """In bulk, only what connectorx reads without loss: 64-bit numbers, doubles and text."""
        target = (self.types or ())[place]
        which = family(kind)
        if which in {"integer", "boolean"} and kind not in {"UBIGINT", "HUGEINT"}:
            return f"CAST({sql} AS SIGNED)"
        if which == "decimal" and pa.types.is_decimal(target) and kind:
            digits, scale = decimal_parts(kind)
            if digits <= 18:
                self.scales[place] = scale
                return f"CAST(({sql}) * {10**scale} AS SIGNED)"
        if kind in {"DOUBLE", "FLOAT"}:
            return f"CAST({sql} AS DOUBLE)"
        if kind in {"TIMESTAMP", "TIMESTAMPTZ"}:
            zone = "Z" if kind == "TIMESTAMPTZ" else ""
            return f"DATE_FORMAT({sql}, '%Y-%m-%d %H:%i:%s.%f{zone}')"
        return sql if kind in {"BLOB", "VARCHAR"} else f"CAST({sql} AS CHAR)"

    def _column(self, node: exp.Column) -> str:
        base = self.typing.base(node)
        if base is None or self.collations.get(base) == self.exact or self.typing.family(node) != "text":
            return self._read(node)
        return f"CONVERT({self.raw_column(node)} USING utf8mb4) COLLATE {self.exact}"

    def conjunct(self, node: exp.Expression) -> str:
        left = node.this if isinstance(node, exp.EQ | exp.In) else None
        exactly = super().conjunct(node)
        if not isinstance(left, exp.Column) or self.typing.family(left) != "text":
            return exactly
        base, raw = self.typing.base(left), self.raw_column(left)
        if base is None or self.collations.get(base) == self.exact:
            return exactly
        if isinstance(node, exp.EQ) and isinstance(node.right, exp.Any):
            return f"({self.keylist(raw, node)} AND {exactly})"
        if isinstance(node, exp.EQ) and is_constant(node.right):
            return f"({raw} = {self.expression(node.right)} AND {exactly})"
        if isinstance(node, exp.EQ) and isinstance(node.right, exp.Column):
            other = self.typing.base(node.right)
            alike = other is not None and self.collations.get(other) == self.collations.get(base)
            return f"({raw} = {self.raw_column(node.right)} AND {exactly})" if alike else exactly
        if isinstance(node, exp.In) and node.expressions and all(map(is_constant, node.expressions)):
            return f"({raw} IN ({', '.join(map(self.expression, node.expressions))}) AND {exactly})"
        return exactly

    def join(self, join: exp.Join) -> str:
        if join.side == "FULL":
            raise Unwritable("FULL JOIN")
        return super().join(join)

    def keylist(self, left: str, node: exp.EQ) -> str:
        return f"{left} IN ({self.key_slot(node)})"

    def ordered(self, item: exp.Ordered, query: exp.Select) -> str:
        sql = self.comparable(self.resolve(item.this, query))
        nulls = " DESC" if item.args.get("nulls_first") else ""
        return f"{sql} IS NULL{nulls}, {sql}{' DESC' if item.args.get('desc') else ''}"

    def _nullsafeeq(self, node: exp.NullSafeEQ) -> str:
        return f"{self._operand(node.left)} <=> {self._operand(node.right)}"

    def _nullsafeneq(self, node: exp.NullSafeNEQ) -> str:
        return f"NOT ({self._nullsafeeq(node)})"

    def _like(self, node: exp.Like) -> str:
        # No escape, as in DuckDB; `ESCAPE ''` leaves the backslash one, so another is chosen and doubled.
        pattern = f"REPLACE({self.expression(node.expression)}, '|', '||')"
        return f"{self.expression(node.this)} LIKE {pattern} ESCAPE '|'"

    def _intdiv(self, node: exp.IntDiv) -> str:
        return f"{self._operand(node.left)} DIV {self._nonzero(node.right)}"

    def _dpipe(self, node: exp.DPipe) -> str:
        return f"CONCAT({self.expression(node.left)}, {self.expression(node.right)})"

    def _length(self, node: exp.Length) -> str:
        return f"CHAR_LENGTH({self.expression(node.this)})"

    def extract(self, part: str, node: exp.Expression) -> str:
        return f"EXTRACT({part} FROM {self.expression(node)})"

    def _avg(self, node: exp.Avg) -> str:
        inner = self.expression(node.this)
        return f"CAST(SUM({inner}) AS DOUBLE) / NULLIF(COUNT({inner}), 0)"

    def _filter(self, node: exp.Filter) -> str:
        aggregate, condition = node.this.copy(), node.expression.this
        if isinstance(aggregate.this, exp.Distinct):
            raise Unwritable("FILTER on a DISTINCT aggregate")
        when = self.expression(condition)

        def only(sql: str) -> str:
            return f"CASE WHEN {when} THEN {sql} END"

        if isinstance(aggregate, exp.Count):
            star = isinstance(aggregate.this, exp.Star)
            return f"COUNT({only('1' if star else self.expression(node.this.this))})"
        if isinstance(aggregate, exp.Sum | exp.Min | exp.Max):
            name = str(type(aggregate).__name__).upper()
            return f"{name}({only(self.expression(node.this.this))})"
        raise Unwritable(f"FILTER on {type(aggregate).__name__}")


def _literal(value: Any, exact: str) -> str:
    """A value as MariaDB reads it; text with a backslash as its bytes, so that no session setting can change it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float):
        return f"{value!r}e0" if "e" not in repr(value) else repr(value)
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return f"TIMESTAMP'{moment.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"DATE'{value.isoformat()}'"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    text = str(value)
    if "\\" in text or "\0" in text:
        return f"CONVERT(X'{text.encode().hex()}' USING utf8mb4) COLLATE {exact}"
    return "'" + text.replace("'", "''") + "'"


def _filled(slot: Slot, value: Any, exact: str) -> str:
    if not slot.many:
        return _literal(value, exact)
    return ",".join(_literal(element, exact) for element in value) or "NULL"


def _failure(error: BaseException) -> SourceFailure:
    code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
    text = str(error.args[-1]) if error.args else type(error).__name__
    if not code and "ERROR " in text:  # connectorx gives text only: `MySqlError { ERROR 1146 (42S02): … }`
        code = int("0" + "".join(c for c in text.partition("ERROR ")[2].partition(" ")[0] if c.isdigit()))
    if code in {1969, 3024}:
        return SourceFailure("timeout", "the database stopped the query")
    if code in {1146, 1054, 1049}:
        return SourceFailure("changed", text)
    if code in {1044, 1045, 1142, 1143, 1227, 1370, 1698}:
        return SourceFailure("refused", text)
    if code in {2002, 2003, 2005, 2006, 2013, 2055, 1053, 1040} or isinstance(error, OSError):
        return SourceFailure("unreachable", text)
    return SourceFailure("failed", text)


class _Stale(Exception):
    """A connection from the pool turned out to be closed by the server."""


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
        self.thread = int(self.raw.thread_id())  # type: ignore[no-untyped-call]
        self.seconds = 0.0
        self.used = False

    def _do(self, statement: str) -> None:
        with closing(self.raw.cursor()) as cursor:
            cursor.execute(statement)

    def ask(self, sql: str, seconds: float) -> tuple[tuple[Any, ...], ...]:
        """All rows of a query."""
        if seconds != self.seconds:
            self._do(self._source.clock(seconds))
            self.seconds = seconds
        with closing(self.raw.cursor()) as cursor:
            cursor.execute(sql)
            rows: tuple[tuple[Any, ...], ...] = cursor.fetchall()
            return rows

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
        self, source: "MariadbSource", few: Written, bulk: Written, scales: Mapping[int, int], shape: Shape, *,
        keyed: bool, bounded: bool,
    ) -> None:  # fmt: skip
        self._source, self._few_form, self._bulk_form, self._scales = source, few, bulk, scales
        self._shape, self._keyed = shape, keyed
        self._cap = "" if bounded else f" LIMIT {FEW + 1}"
        self._lists = tuple(name for name, slot in few.slots.items() if slot.many)

    def run(self, values: Mapping[str, Value], limits: Limits) -> Iterator[pa.RecordBatch]:
        """See `base.Prepared.run`."""
        given = self._few_form.values(values)
        if self._keyed and all(len(given[name]) <= _MANY_KEYS for name in self._lists):
            rows = self._few(given, limits)
            if len(rows) > limits.rows:
                raise SourceFailure("too-many-rows", f"more than {limits.rows} rows")
            if len(rows) <= FEW:
                for first in range(0, len(rows), limits.batch_rows):
                    yield self._shape.batch(rows[first : first + limits.batch_rows], first)
                return
        yield from counted(self._bulk(self._bulk_form.values(values), limits), limits.rows)

    def _few(self, given: Mapping[str, Any], limits: Limits) -> Sequence[tuple[Any, ...]]:
        exact = self._source.exact
        sql = self._few_form.text(lambda name, slot: _filled(slot, given[name], exact)) + self._cap
        try:
            return self._ask(sql, limits)
        except _Stale:
            # The server closed connections that were idle (a restart, say): that says nothing about now.
            self._source.few.clear()
            return self._ask(sql, limits)

    def _ask(self, sql: str, limits: Limits) -> Sequence[tuple[Any, ...]]:
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
                    raise _Stale from error
                raise failure from error

    def _bulk(self, given: Mapping[str, Any], limits: Limits) -> Iterator[pa.RecordBatch]:
        source, mark = self._source, f"sluis:{uuid.uuid4().hex}"
        body = self._bulk_form.text(lambda name, slot: _filled(slot, given[name], source.exact))
        first = 0
        with watched(limits, lambda: source.kill(mark)) as reading:
            try:
                stream = connectorx.read_sql(
                    source.bulk_url,
                    f"{body} /* {mark} */",
                    return_type="arrow_stream",
                    batch_size=limits.batch_rows,
                    pre_execution_query=[*source.session(), source.clock(limits.seconds)],
                )
                for batch in stream:
                    reading.check()
                    yield self._shape.conform(self._decimals(batch), first)
                    first += batch.num_rows
            except SourceFailure:
                raise
            except GeneratorExit:
                source.kill(mark)
                raise
            except (Exception, _Panic) as error:
                raise _failure(error) from error

    def _decimals(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Whole numbers that stand for decimals, with their point put back; the digits are not touched."""
        arrays = list(batch.columns)
        for place, scale in self._scales.items():
            whole = arrays[place].cast(pa.decimal128(19, 0))
            arrays[place] = pa.Array.from_buffers(
                pa.decimal128(19, scale), len(whole), whole.buffers(), whole.null_count, whole.offset
            )
        return pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)


def _panic() -> type[BaseException]:
    """What connectorx (Rust) raises when it breaks; it is not an Exception and has no public name."""
    try:
        connectorx.read_sql("none://", "")
    except BaseException as error:
        return next((kind for kind in type(error).__mro__ if kind.__name__ == "PanicException"), RuntimeError)
    return RuntimeError


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
        who = f"{quote(self.arguments['user'], safe='')}:{quote(self.arguments['password'], safe='')}"
        where = (
            f"{self.arguments['host']}:{self.arguments['port']}/{quote(self.arguments['database'], safe='')}"
        )
        self.bulk_url = f"mysql://{who}@{where}"
        self.few: Pool[_Connection] = Pool(lambda: _Connection(self), _Connection.close, pool_size)
        self.exact = "utf8mb4_nopad_bin"
        self._mysql = False
        self._catalogue: _Known | None = None
        self._lock = threading.Lock()

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

    def kill(self, mark: str) -> None:
        """Stop the bulk query that carries this mark."""
        with (
            closing(pymysql.connect(**self.arguments, connect_timeout=2, read_timeout=2)) as connection,
            closing(connection.cursor()) as cursor,
        ):
            cursor.execute(RUNNING, (f"%{mark}%",))
            for (thread,) in cursor.fetchall():
                cursor.execute(f"KILL QUERY {int(thread)}")

    def tables(self) -> tuple[TableInfo, ...]:
        """See `base.Source.tables`: those of the URL's database."""
        return self._know(FRESH_SECONDS).tables

    def _know(self, seconds: float) -> "_Known":
        """What the database said about itself, at most so long ago."""
        limits = Limits()
        with self._lock:
            if self._catalogue is None or time.monotonic() - self._catalogue.read_at >= seconds:
                with self.few.use(limits) as connection, watched(limits, connection.cancel, connection.sever):
                    try:
                        self._catalogue = _Known(connection)
                    except (pymysql.Error, OSError) as error:
                        raise _failure(error) from error
            return self._catalogue

    def prepare(self, query: exp.Query, parameters: Mapping[str, str], schema: pa.Schema) -> Prepared:
        """See `base.Source.prepare`."""
        try:
            return self._prepare(query, parameters, schema, self._know(FRESH_SECONDS))
        except SourceFailure as failure:
            if failure.kind != "changed":
                raise
            # A table that was made after the catalogue was read.
            return self._prepare(query, parameters, schema, self._know(0))

    def _prepare(
        self, query: exp.Query, parameters: Mapping[str, str], schema: pa.Schema, known: "_Known"
    ) -> Prepared:
        types = [field.type for field in schema]
        few, bulk = (
            _MariadbWriter(
                known.catalogue, query, parameters, exact=self.exact, collations=known.collations, types=kinds
            )
            for kinds in (None, types)
        )
        try:
            forms = few.written(), bulk.written()
        except Unwritable as error:
            raise SourceFailure("failed", f"MariaDB cannot be asked this: {error}") from error
        words, bases = places(query, few.typing)
        shape = Shape(schema, words, key_indexes(bases, known.catalogue))
        bound = row_bound(query)
        keyed = is_keyed(query) or (bound is not None and bound <= FEW)
        bounded = query.args.get("limit") is not None
        return MariadbPrepared(self, *forms, bulk.scales, shape, keyed=keyed, bounded=bounded)

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
        self.read_at = time.monotonic()
        seconds = Limits().seconds
        columns: dict[str, list[ColumnInfo]] = {}
        self.collations: dict[tuple[str, str], str] = {}
        for table, column, native, nullable, collation in connection.ask(COLUMNS, seconds):
            columns.setdefault(table, []).append(
                ColumnInfo(column, _duckdb_type(native), native, nullable == "YES")
            )
            if collation:
                self.collations[table.lower(), column.lower()] = collation
        self.tables = tuple(
            TableInfo(name, tuple(columns.get(name, ())), tuple(key.split("\0")) if key else (), rows)
            for name, rows, key in connection.ask(TABLES, seconds)
        )
        self.catalogue = Catalogue(self.tables)


_Panic = _panic()

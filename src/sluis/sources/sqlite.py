"""SQLite databases, read through the standard library.

A column of SQLite holds values of any type, whatever it was declared as (sqlite.org, "Datatypes In SQLite"). A value
of another type than declared is a broken row: in the answer it fails the strict conversion; in an aggregate, a
condition or an order it meets a guard, which raises. Only equality at the top level of WHERE and ON goes without a guard,
so that an index serves: a value of the wrong type equals nothing there.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow as pa
from sqlglot import exp

from sluis.sources.base import ColumnInfo, Limits, Prepared, Probe, SourceFailure, TableInfo, Value
from sluis.sources.fold import is_constant
from sluis.sources.shape import Shape
from sluis.sources.watch import Pool, watched
from sluis.sources.writer import Catalogue, Unwritable, Writer, Written, key_indexes, places

TABLES = "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name"
"""All tables and views of the database."""

STATISTICS = "SELECT tbl, stat FROM sqlite_stat1"
"""Row counts that ANALYZE left; the table is absent when it never ran."""

_DECLARED: tuple[tuple[str, str], ...] = (
    ("BOOL", "BOOLEAN"),
    ("TIMESTAMP", "TIMESTAMP"),
    ("DATETIME", "TIMESTAMP"),
    ("DATE", "DATE"),
    ("INT", "BIGINT"),
    ("CHAR", "VARCHAR"),
    ("CLOB", "VARCHAR"),
    ("TEXT", "VARCHAR"),
    ("JSON", "VARCHAR"),
    ("BLOB", "BLOB"),
    ("REAL", "DOUBLE"),
    ("FLOA", "DOUBLE"),
    ("DOUB", "DOUBLE"),
)
"""Declared type, by what its name contains, in SQLite's own order of precedence after the names of DuckDB types."""

_STORED = {"integer": "BIGINT", "real": "DOUBLE", "text": "VARCHAR", "blob": "BLOB"}

_SAMPLE = 1000
"""Rows looked at for the type of a column that declares none."""


class _Connection:
    """A connection, and where the guard found a broken value."""

    def __init__(self, path: str) -> None:
        self.raw = sqlite3.connect(
            path, uri=True, check_same_thread=False, isolation_level=None, cached_statements=256
        )
        self.broken = ""
        self.raw.execute("PRAGMA query_only = ON")
        self.raw.execute("PRAGMA trusted_schema = OFF")
        self.raw.execute("PRAGMA case_sensitive_like = ON")
        self.raw.create_function("sluis_broken", -1, self._found)

    def _found(self, *where: Any) -> None:
        self.broken = ", ".join(map(str, where))
        raise ValueError("broken row")


class _SqliteWriter(Writer):
    """SQLite's own forms. `strict` names the tables declared STRICT, whose values always fit; `collated` those that
    declare a collation somewhere."""

    def __init__(
        self,
        catalogue: Catalogue,
        query: exp.Expression,
        parameters: Mapping[str, str],
        *,
        strict: frozenset[str],
        collated: frozenset[str],
    ) -> None:
        super().__init__(catalogue, query, parameters)
        self.strict, self.collated = strict, collated

    def output(self, node: exp.Expression, query: exp.Select) -> str:
        # The conversion of the answer sees every value that comes out as it is.
        bare = isinstance(node, exp.Column) and query is self.query and not query.args.get("group")
        return self._plain(node) if bare else self.expression(node)

    def conjunct(self, node: exp.Expression) -> str:
        if isinstance(node, exp.EQ) and (node.find_ancestor(exp.Or, exp.Not) is None):
            left, right = self._plain(node.left), node.right
            if isinstance(right, exp.Any):
                return self.keylist(left, node)
            if is_constant(right) or isinstance(right, exp.Column):
                return f"{left} = {self._plain(right)}"
        if isinstance(node, exp.In) and node.expressions and all(map(is_constant, node.expressions)):
            return f"{self._plain(node.this)} IN ({', '.join(self.expression(e) for e in node.expressions)})"
        return super().conjunct(node)

    def _plain(self, node: exp.Expression) -> str:
        """Without a guard, where a value of the wrong type can do no harm."""
        if not isinstance(node, exp.Column):
            return self.expression(node)
        base = self.typing.base(node)
        return self._collate(self.raw_column(node), node, base)

    def _collate(self, sql: str, node: exp.Column, base: tuple[str, str] | None) -> str:
        odd = base is not None and base[0] in self.collated and self.typing.family(node) == "text"
        return f"{sql} COLLATE BINARY" if odd else sql

    def _column(self, node: exp.Column) -> str:
        base = self.typing.base(node)
        sql = self.raw_column(node)
        if base is None:
            return sql
        kind = self.typing.of(node)
        sound = self._sound(sql, kind)
        if base[0] in self.strict and kind in {"BIGINT", "VARCHAR", "DOUBLE", "BLOB"}:
            return self._collate(sql, node, base)
        if sound is None:
            return sql
        return self._collate(
            f"CASE WHEN {sound} THEN {sql} ELSE {self._complaint(node, base)} END", node, base
        )

    def _sound(self, sql: str, kind: str | None) -> str | None:
        """The condition under which a value is of the type that its column has."""
        if kind == "DATE":
            return f"{sql} IS date({sql})"
        if kind == "BOOLEAN":
            return f"(typeof({sql}) = 'integer' AND {sql} IN (0, 1) OR {sql} IS NULL)"
        stored = {"BIGINT": "'integer'", "VARCHAR": "'text'", "DOUBLE": "'real', 'integer'", "BLOB": "'blob'"}
        if kind and kind.startswith("DECIMAL"):
            stored[kind] = "'real', 'integer'"
        return f"typeof({sql}) IN ({stored[kind]}, 'null')" if kind in stored else None

    def _complaint(self, node: exp.Column, base: tuple[str, str]) -> str:
        key = self.catalogue.table(base[0]).key
        table = self.identifier(node.table)
        named = [f"'{name.replace(chr(39), '')} =', {table}.{self.identifier(name)}" for name in key]
        place = f"{base[0]}.{base[1]}".replace("'", "")
        return f"sluis_broken({', '.join([f'{chr(39)}{place}{chr(39)}', *named])})"

    def keylist(self, left: str, node: exp.EQ) -> str:
        return f"{left} IN (SELECT value FROM json_each({self.key_slot(node)}))"

    def _boolean(self, node: exp.Boolean) -> str:
        return "1" if node.this else "0"

    def _nullsafeeq(self, node: exp.NullSafeEQ) -> str:
        return f"{self.expression(node.left)} IS {self.expression(node.right)}"

    def _nullsafeneq(self, node: exp.NullSafeNEQ) -> str:
        return f"{self.expression(node.left)} IS NOT {self.expression(node.right)}"

    def extract(self, part: str, node: exp.Expression) -> str:
        code = {"YEAR": "%Y", "MONTH": "%m", "DAY": "%d"}[part]
        return f"CAST(strftime('{code}', {self.expression(node)}) AS INTEGER)"

    def _avg(self, node: exp.Avg) -> str:
        inner = self.expression(node.this)
        return f"CAST(SUM({inner}) AS REAL) / NULLIF(COUNT({inner}), 0)"


def _bind(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return int(value) if isinstance(value, bool) else value


def _bind_list(values: Any) -> str:
    return json.dumps([_bind(value) for value in values])


class SqlitePrepared:
    """A statement of SQLite."""

    def __init__(self, pool: Pool[_Connection], written: Written, shape: Shape) -> None:
        self._pool, self._written, self._shape = pool, written, shape
        self._sql = written.text(lambda name, slot: f":{name}")
        self._binders: dict[str, Callable[[Any], Any]] = {
            name: _bind_list if slot.many else _bind for name, slot in written.slots.items()
        }

    def run(self, values: Mapping[str, Value], limits: Limits) -> Iterator[pa.RecordBatch]:
        """See `base.Prepared.run`."""
        given = self._written.values(values)
        bound = {name: bind(given[name]) for name, bind in self._binders.items()}
        with self._pool.use(limits) as connection, watched(limits, connection.raw.interrupt) as reading:
            first = 0
            try:
                cursor = connection.raw.execute(self._sql, bound)
                while rows := cursor.fetchmany(limits.batch_rows):
                    if first + len(rows) > limits.rows:
                        raise SourceFailure("too-many-rows", f"more than {limits.rows} rows")
                    reading.check()
                    yield self._shape.batch(rows, first)
                    first += len(rows)
                    if len(rows) < limits.batch_rows:
                        break
            except (sqlite3.Error, OverflowError) as error:
                raise _failure(error, connection) from error


def _failure(error: Exception, connection: _Connection) -> SourceFailure:
    if connection.broken:
        place, connection.broken = connection.broken, ""
        return SourceFailure("broken-row", "a value does not fit the type of its column", place)
    text = str(error)
    if "no such table" in text or "no such column" in text:
        return SourceFailure("changed", text)
    if "unable to open" in text:
        return SourceFailure("unreachable", text)
    if "Could not decode to UTF-8" in text:
        return SourceFailure("broken-row", "text that is not UTF-8")
    return SourceFailure("failed", text)


class SqliteSource:
    """One SQLite file, opened read-only."""

    dialect: str | None = "sqlite"

    def __init__(self, path: str | Path, pool_size: int = 8) -> None:
        self._path = Path(path)
        self._uri = f"file:{quote(str(self._path.absolute()))}?mode=ro"
        self._pool: Pool[_Connection] = Pool(
            self._connect, lambda connection: connection.raw.close(), pool_size
        )
        self._known: _Known | None = None
        self._lock = threading.Lock()

    def _connect(self) -> _Connection:
        try:
            return _Connection(self._uri)
        except sqlite3.Error as error:
            raise SourceFailure("unreachable", str(error)) from error

    def tables(self) -> tuple[TableInfo, ...]:
        """See `base.Source.tables`. A column without a declared type gets the type of the values in a sample."""
        return self._catalogue().tables

    def _catalogue(self) -> "_Known":
        limits = Limits()
        with self._lock, self._pool.use(limits) as connection, watched(limits, connection.raw.interrupt):
            try:
                version = connection.raw.execute("PRAGMA schema_version").fetchone()[0]
                if self._known is None or self._known.version != version:
                    self._known = _Known(connection.raw, version)
            except sqlite3.Error as error:
                raise _failure(error, connection) from error
            return self._known

    def prepare(self, query: exp.Query, parameters: Mapping[str, str], schema: pa.Schema) -> Prepared:
        """See `base.Source.prepare`."""
        known = self._catalogue()
        writer = _SqliteWriter(
            known.catalogue, query, parameters, strict=known.strict, collated=known.collated
        )
        try:
            written = writer.written()
        except Unwritable as error:
            raise SourceFailure("failed", f"SQLite cannot be asked this: {error}") from error
        words, bases = places(query, writer.typing)
        return SqlitePrepared(self._pool, written, Shape(schema, words, key_indexes(bases, known.catalogue)))

    def probe(self) -> Probe:
        """See `base.Source.probe`. Read-only always: the file is opened so."""
        begin = time.perf_counter()
        try:
            with self._pool.use(Limits(seconds=5)) as connection:
                connection.raw.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            as_of = datetime.fromtimestamp(self._path.stat().st_mtime).astimezone()
        except (SourceFailure, sqlite3.Error, OSError) as error:
            return Probe(False, (time.perf_counter() - begin) * 1000, None, None, str(error))
        return Probe(True, (time.perf_counter() - begin) * 1000, as_of, True)

    def close(self) -> None:
        """See `base.Source.close`."""
        self._pool.close()


class _Known:
    """What the database said about itself, at one version of its schema."""

    def __init__(self, raw: sqlite3.Connection, version: int) -> None:
        self.version = version
        names = raw.execute(TABLES).fetchall()
        counts = _counts(raw)
        self.tables = tuple(_describe(raw, name, kind, counts) for name, kind in names)
        self.catalogue = Catalogue(self.tables)
        self.strict = frozenset(row[1].lower() for row in raw.execute("PRAGMA table_list") if row[5])
        # A view may pass on a collation of the tables under it: when anything declares one, all are treated so.
        declared = raw.execute(
            "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%collate%' OR sql LIKE '%COLLATE%'"
        )
        self.collated = frozenset(self.catalogue.tables) if declared.fetchone()[0] else frozenset()


def _counts(raw: sqlite3.Connection) -> dict[str, int]:
    try:
        return {table: int(stat.split()[0]) for table, stat in raw.execute(STATISTICS) if stat}
    except sqlite3.OperationalError:
        return {}


def _describe(raw: sqlite3.Connection, name: str, kind: str, counts: Mapping[str, int]) -> TableInfo:
    quoted = '"' + name.replace('"', '""') + '"'
    listed = raw.execute(f"PRAGMA table_info({quoted})").fetchall()
    columns = tuple(
        ColumnInfo(
            name=column,
            type=_declared(declared) or _stored(raw, quoted, column),
            native_type=declared,
            nullable=not required,
        )
        for _, column, declared, required, _, _ in listed
    )
    key = tuple(row[1] for row in sorted(listed, key=lambda row: row[5]) if row[5])
    rows = counts.get(name)
    if rows is None and kind == "table":
        rows = _about(raw, quoted)
    return TableInfo(name, columns, key, rows)


def _about(raw: sqlite3.Connection, quoted: str) -> int | None:
    """The highest rowid: free to ask, and near the number of rows in a table that is mostly added to."""
    try:
        return int(raw.execute(f"SELECT coalesce(max(rowid), 0) FROM {quoted}").fetchone()[0])
    except sqlite3.OperationalError:
        return None  # WITHOUT ROWID


def _declared(declared: str) -> str | None:
    upper = declared.upper()
    if upper.startswith(("DECIMAL(", "NUMERIC(")):
        digits, _, scale = upper[8:].rstrip(") ").partition(",")
        return f"DECIMAL({int(digits)},{int(scale or 0)})"
    return next((kind for part, kind in _DECLARED if part in upper), None)


def _stored(raw: sqlite3.Connection, quoted: str, column: str) -> str:
    name = '"' + column.replace('"', '""') + '"'
    sample = f"SELECT DISTINCT typeof(c) FROM (SELECT {name} AS c FROM {quoted} WHERE {name} IS NOT NULL LIMIT {_SAMPLE})"
    kinds = {row[0] for row in raw.execute(sample)}
    if kinds == {"integer", "real"}:
        return "DOUBLE"
    return _STORED[kinds.pop()] if len(kinds) == 1 else "VARCHAR"

"""Running an owner's statement on the owner's sources.

A statement over one source goes there whole where `pushable` proves that it means the same there. Otherwise each
table is fetched by itself, only the columns in use and only the rows that the question's own keys select, and the
statement is computed here, in an in-memory DuckDB that can reach nothing and is dropped afterwards.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Protocol

import duckdb
import msgspec
import pyarrow as pa
from sqlglot import exp

from sluis.sources import Limits, Prepared, Source, SourceFailure, TableInfo, arrow_type, locked_duckdb
from sluis.statement import base_tables, conjuncts, text, uses

Values = Mapping[str, Any]
Types = Mapping[str, str]
"""DuckDB type per parameter."""


class Run(Protocol):
    """A statement that is ready to run, many times and from several threads."""

    def __call__(self, values: Values, limits: Limits) -> Iterator[pa.RecordBatch]:
        """The answer in batches. Raises `SourceFailure`."""


class Table(msgspec.Struct, frozen=True):
    """A table of a source, by the name it has in the statement."""

    name: str
    source: str
    info: TableInfo


def prepare(
    tree: exp.Query, types: Types, tables: Sequence[Table], sources: Mapping[str, Source]
) -> tuple[Run, pa.Schema]:
    """Make a statement ready.

    Args:
        tree: the statement, over the sources' own tables and columns.
        types: of its parameters.
        tables: every table in it.
        sources: by name.

    Returns:
        what runs it, and the schema of its answer, as DuckDB types it.

    Raises:
        SourceFailure: a table or column is not there.
    """
    schema = described(tree, types, tables)
    whole = {table.source for table in tables}
    if len(whole) == 1:
        source = sources[whole.pop()]
        if _provable(tree, source, tables, types):
            return _Whole(source.prepare(_at_source(tree), types, schema), tree), schema
    return _Apart(tree, types, tables, sources, schema), schema


def _provable(tree: exp.Query, source: Source, tables: Sequence[Table], types: Types) -> bool:
    if source.dialect is None:
        return _is_plain(tree)
    return _is_plain(tree)


def _at_source(tree: exp.Query) -> exp.Query:
    """The statement as the source itself names its tables."""
    copy = tree.copy()
    for table in base_tables(copy):
        table.set("db", None)
    return copy


class _Whole:
    """One statement at one source."""

    def __init__(self, prepared: Prepared, tree: exp.Query) -> None:
        self._prepared = prepared
        self._names = _parameters(tree)

    def __call__(self, values: Values, limits: Limits) -> Iterator[pa.RecordBatch]:
        return self._prepared.run({name: values[name] for name in self._names}, limits)


class _Fetch(msgspec.Struct, frozen=True):
    """One table to fetch: under which name the engine sees it."""

    name: str
    prepared: Prepared
    parameters: frozenset[str]
    schema: pa.Schema


class _Apart:
    """Each table by itself, the statement in the engine."""

    def __init__(
        self,
        tree: exp.Query,
        types: Types,
        tables: Sequence[Table],
        sources: Mapping[str, Source],
        schema: pa.Schema,
    ) -> None:
        tree = tree.copy()
        known = {(table.source, table.name): table for table in tables}
        self._schema = schema
        self._fetches = []
        columns: dict[int, list[str]] = {}
        for use in uses(tree):
            columns.setdefault(id(use.table), []).append(use.node.name)
        for number, place in enumerate(base_tables(tree)):
            table = known[place.db, place.name]
            names = list(dict.fromkeys(columns.get(id(place), ()))) or [table.info.columns[0].name]
            self._fetches.append(
                _fetch(f"fetched{number}", place, names, table, types, sources[table.source])
            )
            place.set("this", _quoted(f"fetched{number}"))
            place.set("db", None)
        for node in list(tree.find_all(exp.Any)):
            name = node.this.unnest().name
            node.this.replace(
                exp.Paren(this=exp.cast(exp.Placeholder(this=name), f"{types[name]}[]", dialect="duckdb"))
            )
        self._names = _parameters(tree)
        self._sql = text(tree)

    def __call__(self, values: Values, limits: Limits) -> Iterator[pa.RecordBatch]:
        engine = locked_duckdb()
        stopper = _Stopper(engine, limits)
        try:
            left = limits.rows
            for fetch in self._fetches:
                given = {name: values[name] for name in fetch.parameters}
                table = pa.Table.from_batches(fetch.prepared.run(given, limits), fetch.schema)
                left -= table.num_rows
                if left < 0:
                    raise SourceFailure("too-many-rows", f"more than {limits.rows} rows")
                engine.register(fetch.name, table)
            stopper.start()
            result = engine.execute(self._sql, {name: values[name] for name in self._names})
            for batch in result.to_arrow_reader(limits.batch_rows):
                yield batch.cast(self._schema)
        except duckdb.Error as error:
            if limits.cancelled.is_set():
                raise SourceFailure("cancelled", "the caller cancelled") from error
            raise SourceFailure("failed", str(error)) from error
        finally:
            stopper.stop()
            engine.close()


class _Stopper:
    """Interrupts the engine when the caller cancels."""

    def __init__(self, engine: duckdb.DuckDBPyConnection, limits: Limits) -> None:
        self._engine, self._limits, self._done = engine, limits, threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sluis-engine-stop", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def _watch(self) -> None:
        waited = 0.0
        while not self._done.wait(0.05):
            waited += 0.05
            if self._limits.cancelled.is_set() or waited >= self._limits.seconds:
                with suppress(duckdb.Error):
                    self._engine.interrupt()
                return

    def stop(self) -> None:
        self._done.set()
        if self._thread.is_alive():
            self._thread.join()


def _fetch(
    name: str, place: exp.Table, columns: list[str], table: Table, types: Types, source: Source
) -> _Fetch:
    kinds = {column.name.lower(): column.type for column in table.info.columns}
    schema = pa.schema([(column, arrow_type(kinds[column.lower()])) for column in columns])
    select = exp.select(
        *(exp.alias_(exp.column(_quoted(column), table=_quoted("t")), _quoted(column)) for column in columns)
    ).from_(exp.Table(this=_quoted(table.name), alias=exp.TableAlias(this=_quoted("t"))))
    for condition in _restrictions(place):
        moved = condition.copy()
        for column in moved.find_all(exp.Column):
            column.set("table", _quoted("t"))
        select = select.where(moved, copy=False)
    return _Fetch(name, source.prepare(select, types, schema), frozenset(_parameters(select)), schema)


def _restrictions(place: exp.Table) -> Iterator[exp.Expression]:
    """The conjuncts of the nearest WHERE that set a column of this table equal to a parameter or one of a list."""
    select = place.find_ancestor(exp.Select)
    where = select.args.get("where") if select is not None else None
    for condition in conjuncts(where.this if where else None):
        if _selects_keys(condition) and condition.this.unnest().table == place.alias_or_name:
            yield condition


def _selects_keys(condition: exp.Expression) -> bool:
    if not isinstance(condition, exp.EQ) or not isinstance(condition.left.unnest(), exp.Column):
        return False
    other = condition.right.unnest()
    return isinstance(other.this.unnest() if isinstance(other, exp.Any) else other, exp.Placeholder)


def _is_plain(tree: exp.Query) -> bool:
    """Whether a statement is the shape that every source takes: columns of one table, by keys."""
    if not isinstance(tree, exp.Select) or not isinstance(tree.args["from_"].this, exp.Table):
        return False
    if any(
        tree.args.get(name) for name in tree.args if name not in {"expressions", "from_", "where", "kind"}
    ):
        return False
    where = tree.args.get("where")
    return all(isinstance(item.unalias(), exp.Column) for item in tree.expressions) and all(
        _selects_keys(condition) for condition in conjuncts(where.this if where else None)
    )


def _parameters(tree: exp.Expression) -> tuple[str, ...]:
    return tuple(sorted({str(node.name) for node in tree.find_all(exp.Placeholder)}))


def _quoted(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)


class _Describer:
    """A DuckDB with empty tables, to ask what type an answer has. One for the process; one question at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engine: duckdb.DuckDBPyConnection | None = None

    def schema(self, tables: Mapping[str, Types], sql: str) -> pa.Schema:
        with self._lock:
            if self._engine is None:
                self._engine = locked_duckdb(threads=1)
            try:
                for name, columns in tables.items():
                    listed = ", ".join(f"{_sql(column)} {kind}" for column, kind in columns.items())
                    self._engine.execute(f"CREATE OR REPLACE TEMP TABLE {_sql(name)} ({listed})")
                return self._engine.execute(sql).to_arrow_reader(1).schema
            finally:
                for name in tables:
                    self._engine.execute(f"DROP TABLE IF EXISTS {_sql(name)}")


def _sql(name: str) -> str:
    return str(_quoted(name).sql("duckdb"))


_DESCRIBER = _Describer()


def described(tree: exp.Query, types: Types, tables: Sequence[Table]) -> pa.Schema:
    """The Arrow schema of a statement's answer, as DuckDB types it.

    Raises:
        SourceFailure: `changed`, when a table or column is not there, or no longer fits.
    """
    tree = tree.copy()
    lists = {node.this.unnest().name for node in tree.find_all(exp.Any)}
    for node in list(tree.find_all(exp.Placeholder)):
        kind = types[node.name] + ("[]" if node.name in lists else "")
        node.replace(exp.cast(exp.null(), kind, dialect="duckdb"))
    for place in base_tables(tree):
        place.set("this", _quoted(f"{place.db}.{place.name}"))
        place.set("db", None)
    columns = {
        f"{table.source}.{table.name}": {column.name: column.type for column in table.info.columns}
        for table in tables
    }
    try:
        return _DESCRIBER.schema(columns, text(tree))
    except duckdb.Error as error:
        raise SourceFailure("changed", str(error)) from error

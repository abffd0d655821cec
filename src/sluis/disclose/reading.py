"""Running an owner's statement on the owner's sources.

A statement over one source goes there whole where `statement.pushable` proves that it means the same there. Otherwise
it is split over the sources as a question is split over owners: each gives the least it can, by keys where there are
keys, and the rest is computed here, in memory.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec
import pyarrow as pa
from sqlglot import exp

from sluis.kernel import Problem
from sluis.sources import Limits, Prepared, Source, SourceFailure, TableInfo, column_types
from sluis.statement import (
    Combiner,
    Fetch,
    Plan,
    arrow_type,
    base_tables,
    describe,
    output_names,
    pushable,
    run,
    split,
)

Values = Mapping[str, Any]
Types = Mapping[str, str]
"""DuckDB type per parameter."""


class Table(msgspec.Struct, frozen=True):
    """A table of a source; in a statement it is named `source.table`."""

    name: str
    source: str
    info: TableInfo


class Reading(Protocol):
    """A statement that is ready to run, many times at once."""

    async def start(self, values: Values, limits: Limits) -> Iterator[pa.RecordBatch]:
        """The answer in batches; going through them may block. Raises `SourceFailure`, now or while it is read."""


def prepare(
    tree: exp.Query,
    types: Types,
    tables: Sequence[Table],
    sources: Mapping[str, Source],
    combiner: Combiner,
) -> tuple[Reading, pa.Schema]:
    """Make a statement ready.

    Args:
        tree: the statement, over the sources' own tables and columns.
        types: of its parameters.
        tables: every table in it.
        sources: by name.
        combiner: computes what the sources cannot.

    Returns:
        what runs it, and the schema of its answer, as DuckDB types it.

    Raises:
        Invalid: the statement's types do not fit each other.
        SourceFailure: a table or column is not there.
    """
    columns = {
        f"{table.source}.{table.name}": {column.name: column.type for column in table.info.columns}
        for table in tables
    }
    kinds = describe(tree, columns, types)
    schema = pa.schema(list(zip(output_names(tree), map(arrow_type, kinds), strict=True)))
    plan = split(
        tree,
        site_of=lambda table: str(table.db),
        rows={f"{table.source}.{table.name}": table.info.rows for table in tables},
        types=columns,
        parameters=types,
        accepts=lambda query, site: _provable(query, sources[site], types),
    )
    if plan.identity:
        query = plan.fetches[0].query
        return _Whole(sources[plan.fetches[0].site].prepare(_at_source(query), types, schema), query), schema
    return _Parts(plan, types, sources, combiner, schema), schema


def _provable(query: exp.Query, source: Source, types: Types) -> bool:
    return pushable(_at_source(query), source.dialect, column_types(source.tables()), types)


def _at_source(tree: exp.Query) -> exp.Query:
    """The statement as the source itself names its tables."""
    copy = tree.copy()
    for table in base_tables(copy):
        table.set("db", None)
    return copy


class Held:
    """A reading that is held against others first: each of them must find nothing.

    Args:
        reading: what is asked.
        checks: per check, the place that is broken where it finds something, and what finds it.
    """

    def __init__(self, reading: Reading, checks: Sequence[tuple[str, Reading]]) -> None:
        self._reading, self._checks = reading, checks

    async def start(self, values: Values, limits: Limits) -> Iterator[pa.RecordBatch]:
        for place, check in self._checks:
            if await asyncio.to_thread(_any_row, await check.start(values, limits)):
                raise SourceFailure("broken-row", "a value does not fit its type", place)
        return await self._reading.start(values, limits)


def _any_row(batches: Iterator[pa.RecordBatch]) -> bool:
    return any(batch.num_rows for batch in batches)


class _Whole:
    """One statement at one source, streaming."""

    def __init__(self, prepared: Prepared, tree: exp.Query) -> None:
        self._prepared = prepared
        self._names = tuple({str(node.name) for node in tree.find_all(exp.Placeholder)})

    async def start(self, values: Values, limits: Limits) -> Iterator[pa.RecordBatch]:
        return self._prepared.run({name: values[name] for name in self._names}, limits)


class _Parts:
    """A statement over several sources, or one that its source cannot be trusted to mean the same."""

    def __init__(
        self,
        plan: Plan,
        types: Types,
        sources: Mapping[str, Source],
        combiner: Combiner,
        schema: pa.Schema,
    ) -> None:
        self._plan, self._types, self._sources = plan, types, sources
        self._combiner, self._schema = combiner, schema
        self._ready: dict[tuple[str, frozenset[str]], Prepared] = {}

    async def start(self, values: Values, limits: Limits) -> Iterator[pa.RecordBatch]:
        left = limits.rows

        async def ask(fetch: Fetch, keys: Mapping[str, pa.Array]) -> pa.Table:
            nonlocal left
            prepared = self._prepared(fetch, frozenset(keys))
            given = {name: values[name] for name in fetch.parameters} | dict(keys)
            table = await asyncio.to_thread(_all, prepared, given, limits, _schema(fetch))
            left -= table.num_rows
            if left < 0:
                raise SourceFailure("too-many-rows", f"more than {limits.rows} rows")
            return table

        try:
            table = await run(self._plan, ask, values, self._combiner, bulk=lambda fetch: True)
        except Problem as problem:  # whether a computation fails may depend on a row that stays hidden
            raise SourceFailure("failed", problem.code) from problem
        except asyncio.CancelledError:
            limits.cancelled.set()
            raise
        return iter(table.cast(self._schema).to_batches(max_chunksize=limits.batch_rows))

    def _prepared(self, fetch: Fetch, given: frozenset[str]) -> Prepared:
        key = (fetch.id, given)
        if key not in self._ready:
            types = {**self._types, **{use.parameter: use.type for use in fetch.keys}}
            query = _at_source(fetch.select(given))
            self._ready[key] = self._sources[fetch.site].prepare(query, types, _schema(fetch))
        return self._ready[key]


def _schema(fetch: Fetch) -> pa.Schema:
    return pa.schema([(column.name, arrow_type(column.type)) for column in fetch.columns])


def _all(prepared: Prepared, values: Values, limits: Limits, schema: pa.Schema) -> pa.Table:
    return pa.Table.from_batches(prepared.run(values, limits), schema)

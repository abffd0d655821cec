"""Sites in memory, one DuckDB each, and one DuckDB that holds everything to compare with."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any

import duckdb
import pyarrow as pa
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

from sluis.statement.combine import Combiner, EngineLimits
from sluis.statement.parse import Dialect
from sluis.statement.run import Keys, Pace, run
from sluis.statement.shapes import arrow_type, is_list, table_name
from sluis.statement.split import Fetch, Plan, split

Tables = dict[str, tuple[dict[str, str], list[tuple[Any, ...]]]]
"""Per `site.table` its columns with types, and its rows."""


class Sites:
    """Databases that hold `tables`, and count what leaves them."""

    def __init__(self, tables: Tables) -> None:
        self.types = {name: columns for name, (columns, _) in tables.items()}
        self.rows = {name: len(rows) for name, (_, rows) in tables.items()}
        self.all = duckdb.connect()
        self.site: dict[str, duckdb.DuckDBPyConnection] = {}
        for name, (columns, rows) in tables.items():
            site = name.split(".")[0]
            self.site.setdefault(site, duckdb.connect())
            for connection in (self.all, self.site[site]):
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {site}")
                listed = ", ".join(f"{column} {kind}" for column, kind in columns.items())
                connection.execute(f"CREATE TABLE {name} ({listed})")
                if rows:
                    row = f"({', '.join('?' * len(columns))})"
                    values = [value for one in rows for value in one]
                    connection.execute(f"INSERT INTO {name} VALUES {', '.join([row] * len(rows))}", values)
        self.left: Counter[str] = Counter()
        self.asked: list[tuple[str, str, dict[str, list[Any]]]] = []

    def anew(self) -> "Sites":
        """The same databases, of which nothing was asked yet."""
        self.left.clear()
        self.asked.clear()
        return self

    def close(self) -> None:
        for connection in (self.all, *self.site.values()):
            connection.close()

    def qualify(self, sql: str) -> exp.Query:
        schema: dict[str, dict[str, dict[str, str]]] = {}
        for name, columns in self.types.items():
            site, table = name.split(".")
            schema.setdefault(site, {})[table] = columns
        tree = qualify(sqlglot.parse_one(sql, dialect=Dialect), schema=schema, dialect="duckdb")
        assert isinstance(tree, exp.Query)
        return tree

    def plan(self, sql: str, parameters: Mapping[str, str] | None = None, **options: Any) -> Plan:
        return split(
            self.qualify(sql), lambda table: str(table.db), self.rows, self.types, parameters, **options
        )

    async def ask(
        self, fetch: Fetch, keys: Keys, values: Mapping[str, Any], parameters: Mapping[str, str]
    ) -> pa.Table:
        query = fetch.select(frozenset(keys)).copy()
        kinds = {**parameters, **{use.parameter: use.type for use in fetch.keys}}
        given = {**values, **{name: array.to_pylist() for name, array in keys.items()}}
        names = {node.name for node in query.find_all(exp.Placeholder)}
        for node in list(query.find_all(exp.Placeholder)):
            kind = kinds[node.name] + ("[]" if is_list(node) else "")
            node.replace(exp.cast(node.copy(), exp.DataType.build(kind, dialect="duckdb")))
        sql = query.sql("duckdb")
        assert {table_name(table) for table in query.find_all(exp.Table)} >= set(fetch.tables)
        self.asked.append((fetch.site, sql, {name: given[name] for name in keys}))
        table = self.site[fetch.site].execute(sql, {name: given[name] for name in names}).to_arrow_table()
        expected = pa.schema([(column.name, arrow_type(column.type)) for column in fetch.columns])
        assert table.schema.equals(expected), (sql, table.schema, expected)
        self.left[fetch.site] += table.num_rows
        return table

    async def answer(
        self,
        plan: Plan,
        values: Mapping[str, Any] | None = None,
        *,
        pace: Pace | None = None,
        small: int = 1000,
        bulk: bool = True,
    ) -> pa.Table:
        combiner = Combiner(EngineLimits(threads=1, small=small), spares=0)

        async def ask(fetch: Fetch, keys: Keys) -> pa.Table:
            return await self.ask(fetch, keys, values or {}, plan.parameters)

        try:
            return await run(plan, ask, values or {}, combiner, bulk=lambda _: bulk, pace=pace or Pace())
        finally:
            combiner.close()

    def ask_all(self, sql: str, values: Mapping[str, Any] | None = None) -> pa.Table:
        """What one database with everything answers."""
        return self.all.execute(sql, dict(values or {})).to_arrow_table()


def rows_of(table: pa.Table) -> list[tuple[Any, ...]]:
    return (
        list(zip(*(column.to_pylist() for column in table.columns), strict=True)) if table.num_columns else []
    )


def same(one: pa.Table, other: pa.Table, *, ordered: bool = False) -> bool:
    """Whether two answers have the same types and rows; in the same order, if that was asked."""
    if one.schema.types != other.schema.types:
        return False
    left, right = rows_of(one), rows_of(other)
    return left == right if ordered else Counter(map(repr, left)) == Counter(map(repr, right))


def answered(
    sites: Sites, sql: str, values: Mapping[str, Any] | None = None, **options: Any
) -> tuple[Plan, pa.Table]:
    """Plan and run a question."""
    kinds = options.pop("parameters", None)
    plan = sites.plan(sql, kinds)
    return plan, asyncio.run(sites.answer(plan, values, **options))

"""Compute small, simple residuals in plain Python, exactly as DuckDB would and some thirty times sooner.

Simple: one SELECT of columns from fetched relations, joined by CROSS, inner or LEFT joins, under comparisons, IN, IS
NULL, BETWEEN, AND, OR and NOT in SQL's three-valued logic, with DISTINCT, ORDER BY columns and LIMIT. Values are only
compared with values of the same type; floating point, collations and computed values are left to DuckDB. Compiled once
per plan; rows are places in the fetched tables, so that every value keeps its Arrow type.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pyarrow as pa
from sqlglot import exp

from sluis.kernel import Invalid
from sluis.statement import scopes, shapes
from sluis.statement.split import Plan

MOST = 20_000
"""Rows in any step of a join; above that DuckDB is faster."""

Row = tuple[int | None, ...]
"""Per relation the place of its row; None where a LEFT join found none."""
Data = list[dict[str, list[Any]]]
"""Per relation the columns that are looked at."""
Value = Callable[[Data, Row, Mapping[str, Any]], Any]

_PYTHON: dict[str, tuple[type, ...]] = {
    "integer": (int,),
    "VARCHAR": (str,),
    "BOOLEAN": (bool,),
    "DATE": (date,),
    "TIMESTAMP": (datetime,),
}
_OPERATORS: dict[type[exp.Expression], Callable[[Any, Any], bool]] = {
    exp.EQ: operator.eq,
    exp.NEQ: operator.ne,
    exp.LT: operator.lt,
    exp.LTE: operator.le,
    exp.GT: operator.gt,
    exp.GTE: operator.ge,
}


class _NotPlain(Exception):
    """This residual, or this value, is for DuckDB."""


class _Relation(msgspec.Struct, frozen=True):
    fetch: str
    left: bool
    probes: tuple[Value, ...]
    """What the rows so far are matched by, and the columns of this relation they are matched with."""
    columns: tuple[str, ...]
    rest: tuple[Value, ...]


class _Program(msgspec.Struct, frozen=True):
    relations: tuple[_Relation, ...]
    looked_at: tuple[frozenset[str], ...]
    where: tuple[Value, ...]
    outputs: tuple[tuple[str, int, str], ...]
    """Name, relation, column."""
    distinct: bool
    order: tuple[tuple[int, str, bool, bool], ...]
    """Relation, column, descending, NULLs first."""
    offset: int
    limit: int | None

    def __call__(self, relations: Mapping[str, pa.Table], values: Mapping[str, Any]) -> pa.Table | None:
        """The answer, or None when it turns out to be one for DuckDB."""
        tables = [relations[relation.fetch] for relation in self.relations]
        data = [
            {name: table.column(name).to_pylist() for name in names}
            for table, names in zip(tables, self.looked_at, strict=True)
        ]
        try:
            rows = self._joined(data, tables, values)
            rows = [row for row in rows if all(test(data, row, values) is True for test in self.where)]
        except _NotPlain:
            return None
        return self._shown(self._arranged(rows, data), tables)

    def _joined(self, data: Data, tables: list[pa.Table], values: Mapping[str, Any]) -> list[Row]:
        rows: list[Row] = [()]
        for place, relation in enumerate(self.relations):
            index = _index(data[place], relation.columns, tables[place].num_rows)
            found: list[Row] = []
            for row in rows:
                key = tuple(probe(data, row, values) for probe in relation.probes)
                matches = [(*row, match) for match in index.get(key, ())]
                if relation.rest:
                    matches = [
                        one
                        for one in matches
                        if all(test(data, one, values) is True for test in relation.rest)
                    ]
                found += matches or ([(*row, None)] if relation.left else [])
            rows = found
            if len(rows) > MOST:
                raise _NotPlain
        return rows

    def _arranged(self, rows: list[Row], data: Data) -> list[Row]:
        """DISTINCT, ORDER BY, OFFSET and LIMIT."""
        if self.distinct:
            seen: dict[tuple[Any, ...], Row] = {}
            for row in rows:
                seen.setdefault(tuple(_at(data, row, place, name) for _, place, name in self.outputs), row)
            rows = list(seen.values())
        for place, name, descending, nulls_first in reversed(self.order):
            valued = [row for row in rows if _at(data, row, place, name) is not None]
            nulls = [row for row in rows if _at(data, row, place, name) is None]
            valued.sort(key=lambda row, p=place, n=name: _at(data, row, p, n), reverse=descending)  # type: ignore[misc]
            rows = nulls + valued if nulls_first else valued + nulls
        return rows[self.offset :] if self.limit is None else rows[self.offset : self.offset + self.limit]

    def _shown(self, rows: list[Row], tables: list[pa.Table]) -> pa.Table:
        chosen = [_chosen(table, [row[n] for row in rows]) for n, table in enumerate(tables)]
        columns = [chosen[place](name) for _, place, name in self.outputs]
        return pa.Table.from_arrays(columns, names=[name for name, _, _ in self.outputs])


def _chosen(table: pa.Table, places: list[int | None]) -> Callable[[str], pa.Array | pa.ChunkedArray]:
    """Gives the columns of a table with the rows in these places; a column that stays as it is is not copied."""
    if places == list(range(table.num_rows)):
        return lambda name: table.column(name)
    if places.count(None) == len(places):
        return lambda name: pa.nulls(len(places), table.schema.field(name).type)
    wanted = pa.array(places, pa.int64())
    return lambda name: table.column(name).take(wanted)


def _at(data: Data, row: Row, place: int, name: str) -> Any:
    at = row[place]
    return None if at is None else data[place][name][at]


def _index(
    columns: dict[str, list[Any]], names: tuple[str, ...], count: int
) -> dict[tuple[Any, ...], list[int]]:
    """Places by key; rows with a NULL in the key match nothing."""
    if not names:
        return {(): list(range(count))}
    index: dict[tuple[Any, ...], list[int]] = {}
    for place, key in enumerate(zip(*(columns[name] for name in names), strict=True)):
        if None not in key:
            index.setdefault(key, []).append(place)
    return index


def compiled(plan: Plan) -> Callable[[Mapping[str, pa.Table], Mapping[str, Any]], pa.Table | None] | None:
    """The program for a plan's residual, None when it is not simple enough. Kept with the plan."""
    if "plain" not in plan.memory:
        try:
            plan.memory["plain"] = _Compiler(plan).program()
        except (_NotPlain, Invalid):  # Invalid: a FROM that `scopes` does not read
            plan.memory["plain"] = None
    program: _Program | None = plan.memory["plain"]
    return program


class _Compiler:
    """Reads a residual; raises `_NotPlain` at the first thing it does not know."""

    def __init__(self, plan: Plan) -> None:
        self._select = plan.residual
        self._parameters = plan.parameters
        self._types = {
            fetch.id: {column.name: shapes.canonical(column.type) for column in fetch.columns}
            for fetch in plan.fetches
        }
        self._places: dict[str, int] = {}
        self._fetches: list[str] = []
        self._looked_at: list[set[str]] = []

    def program(self) -> _Program:
        select = self._select
        if not isinstance(select, exp.Select) or scopes.nested(select) or scopes.windows(select):
            raise _NotPlain
        if scopes.grouped(select) or any(
            select.args.get(name) for name in ("with_", "qualify", "sample", "fetch")
        ):
            raise _NotPlain
        relations = [self._relation(item) for item in scopes.items(select)]
        where = tuple(self._test(part) for part in scopes.where(select))
        outputs = tuple(self._output(projection) for projection in select.expressions)
        distinct = self._distinct(outputs)
        order = tuple(self._ordered(part, outputs) for part in self._order_parts())
        if not relations:
            raise _NotPlain
        return _Program(
            relations=tuple(relations),
            looked_at=tuple(frozenset(names) for names in self._looked_at),
            where=where,
            outputs=outputs,
            distinct=distinct,
            order=order,
            offset=self._count("offset") or 0,
            limit=self._count("limit"),
        )

    def _relation(self, item: scopes.Item) -> _Relation:
        if not isinstance(item.node, exp.Table) or item.node.name not in self._types:
            raise _NotPlain
        if item.kind not in ("inner", "left"):
            raise _NotPlain
        self._places[item.alias] = len(self._fetches)
        self._fetches.append(str(item.node.name))
        self._looked_at.append(set())
        probes, columns, rest = [], [], []
        for part in item.on:
            pair = self._key(part, item.alias)
            if pair is None:
                rest.append(self._test(part))
            else:
                self._comparison(part)
                probes.append(self._value(pair[0])[0])
                columns.append(str(pair[1].name))
        return _Relation(str(item.node.name), item.kind == "left", tuple(probes), tuple(columns), tuple(rest))

    def _key(self, part: exp.Expression, alias: str) -> tuple[exp.Column, exp.Column] | None:
        """An equality between a column known before and one of this relation."""
        if (
            isinstance(part, exp.EQ)
            and isinstance(part.left, exp.Column)
            and isinstance(part.right, exp.Column)
        ):
            for before, here in ((part.left, part.right), (part.right, part.left)):
                if here.table == alias and before.table != alias:
                    return before, here
        return None

    def _column(self, column: exp.Column) -> tuple[int, str, str]:
        """Relation, name and type."""
        place = self._places.get(column.table)
        if place is None:
            raise _NotPlain
        return place, str(column.name), self._types[self._fetches[place]][column.name]

    def _value(self, node: exp.Expression) -> tuple[Value, str]:
        """A column, a constant or a parameter, with its family of types."""
        node = node.unnest()
        if isinstance(node, exp.Column):
            place, name, kind = self._column(node)
            self._looked_at[place].add(name)
            return (lambda data, row, values: _at(data, row, place, name)), _family(kind)
        if isinstance(node, exp.Placeholder):
            return self._parameter(str(node.name))
        if isinstance(node, exp.Literal) and node.is_string:
            text = str(node.this)
            return (lambda data, row, values: text), "VARCHAR"
        if isinstance(node, exp.Literal) and node.is_int:
            number = int(node.this)
            return (lambda data, row, values: number), "integer"
        raise _NotPlain

    def _parameter(self, name: str) -> tuple[Value, str]:
        family = _family(self._parameters.get(name, ""))
        return (lambda data, row, values: _of(values[name], family)), family

    def _comparison(self, node: exp.Expression) -> tuple[Value, Value]:
        left, one = self._value(node.left)
        right, other = self._value(node.right)
        if one != other:
            raise _NotPlain
        return left, right

    def _test(self, node: exp.Expression) -> Value:
        node = node.unnest()
        if isinstance(node, exp.And | exp.Or):
            return _connected(self._test(node.left), self._test(node.right), stop=isinstance(node, exp.Or))
        if isinstance(node, exp.Not):
            inner = self._test(node.this)
            return lambda data, row, values: (
                None if (known := inner(data, row, values)) is None else not known
            )
        if isinstance(node, exp.Boolean):
            truth = bool(node.this)
            return lambda data, row, values: truth
        if (
            isinstance(node, exp.Is)
            and isinstance(node.expression, exp.Null)
            and isinstance(node.this, exp.Column)
        ):
            place, name, _ = self._column(node.this)
            self._looked_at[place].add(name)
            return lambda data, row, values: _at(data, row, place, name) is None
        if isinstance(node, exp.Between):
            low = exp.GTE(this=node.this.copy(), expression=node.args["low"].copy())
            high = exp.LTE(this=node.this.copy(), expression=node.args["high"].copy())
            return _connected(self._test(low), self._test(high), stop=False)
        if isinstance(node, exp.In) and node.expressions:
            return self._in(node)
        if isinstance(node, exp.EQ) and isinstance(node.right, exp.Any):
            return self._any(node)
        if type(node) in _OPERATORS:
            return _compared(_OPERATORS[type(node)], *self._comparison(node))
        raise _NotPlain

    def _in(self, node: exp.In) -> Value:
        tests = [
            self._test(exp.EQ(this=node.this.copy(), expression=value.copy())) for value in node.expressions
        ]
        whole = tests[0]
        for test in tests[1:]:
            whole = _connected(whole, test, stop=True)
        return whole

    def _any(self, node: exp.EQ) -> Value:
        value, family = self._value(node.left)
        holder = node.right.this.unnest()
        if (
            not isinstance(holder, exp.Placeholder)
            or _family(self._parameters.get(holder.name, "")) != family
        ):
            raise _NotPlain
        name = str(holder.name)

        def test(data: Data, row: Row, values: Mapping[str, Any]) -> bool | None:
            items = (
                values[name].to_pylist()
                if isinstance(values[name], pa.Array | pa.ChunkedArray)
                else values[name]
            )
            sought = value(data, row, values)
            if not items:
                return False
            if sought is None:
                return None
            found = any(_of(item, family) == sought for item in items)
            return True if found else None if None in items else False

        return test

    def _output(self, projection: exp.Expression) -> tuple[str, int, str]:
        value = projection.unalias()
        if not isinstance(value, exp.Column):
            raise _NotPlain
        place, name, _ = self._column(value)
        return str(projection.alias_or_name), place, name

    def _distinct(self, outputs: tuple[tuple[str, int, str], ...]) -> bool:
        clause = self._select.args.get("distinct")
        if clause is None:
            return False
        if clause.args.get("on"):
            raise _NotPlain
        for _, place, name in outputs:
            _family(self._types[self._fetches[place]][name])
            self._looked_at[place].add(name)
        return True

    def _order_parts(self) -> list[exp.Expression]:
        order = self._select.args.get("order")
        return list(order.expressions) if order else []

    def _ordered(
        self, part: exp.Expression, outputs: tuple[tuple[str, int, str], ...]
    ) -> tuple[int, str, bool, bool]:
        column = part.this
        if not isinstance(part, exp.Ordered) or not isinstance(column, exp.Column):
            raise _NotPlain
        if column.table:
            place, name, _ = self._column(column)
        else:
            place, name = next(((p, n) for shown, p, n in outputs if shown == column.name), (-1, ""))
        if place < 0:
            raise _NotPlain
        _family(self._types[self._fetches[place]][name])
        self._looked_at[place].add(name)
        return place, name, bool(part.args.get("desc")), bool(part.args.get("nulls_first"))

    def _count(self, clause: str) -> int | None:
        node = self._select.args.get(clause)
        if node is None:
            return None
        if not isinstance(node.expression, exp.Literal) or not node.expression.is_int:
            raise _NotPlain
        return int(node.expression.this)


def _family(type_name: str) -> str:
    """Types whose values Python and DuckDB compare alike; decimals only with the same precision and scale."""
    name = shapes.canonical(type_name)
    if name in shapes.INTEGERS:
        return "integer"
    if name in ("VARCHAR", "BOOLEAN", "DATE", "TIMESTAMP") or name.startswith("DECIMAL("):
        return name
    raise _NotPlain


def _of(value: Any, family: str) -> Any:
    """A parameter's value, when it is what its type says."""
    kinds = _PYTHON.get(family, (Decimal,))
    exact = isinstance(value, kinds) and (family == "BOOLEAN" or not isinstance(value, bool))
    if value is not None and (not exact or (family == "DATE" and isinstance(value, datetime))):
        raise _NotPlain
    return value


def _compared(compare: Callable[[Any, Any], bool], left: Value, right: Value) -> Value:
    def test(data: Data, row: Row, values: Mapping[str, Any]) -> bool | None:
        one = left(data, row, values)
        other = right(data, row, values)
        return None if one is None or other is None else compare(one, other)

    return test


def _connected(left: Value, right: Value, *, stop: bool) -> Value:
    """AND (`stop` is False) or OR (True): one side that is `stop` decides, otherwise an unknown does."""

    def test(data: Data, row: Row, values: Mapping[str, Any]) -> bool | None:
        one: bool | None = left(data, row, values)
        if one is stop:
            return stop
        other: bool | None = right(data, row, values)
        if other is stop:
            return stop
        return None if one is None or other is None else not stop

    return test

"""The plain shape: `SELECT columns FROM table WHERE column = … AND column = ANY(…)`, for sources that take no SQL of ours.

What comes back is checked again here, so that a source that compares more loosely (case, blanks) gives no row too many.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
from sqlglot import exp

from sluis.sources.base import Limits, SourceFailure, TableInfo, Value
from sluis.sources.shape import Shape
from sluis.sources.types import table_name
from sluis.sources.writer import conjuncts


def is_plain(query: exp.Expression) -> bool:
    """Whether a query is of the plain shape and no more."""
    if not isinstance(query, exp.Select) or not isinstance(
        getattr(query.args.get("from_"), "this", None), exp.Table
    ):
        return False
    if {name for name, value in query.args.items() if value} - {"expressions", "from_", "where"}:
        return False
    return all(isinstance(item.unalias(), exp.Column) for item in query.selects) and all(
        map(_is_plain_condition, conjuncts(query))
    )


def _is_plain_condition(node: exp.Expression) -> bool:
    """Whether a condition is `column = constant` or `column = ANY($keys)`."""
    if isinstance(node, exp.Paren):
        return _is_plain_condition(node.this)
    if not isinstance(node, exp.EQ) or not isinstance(node.left, exp.Column):
        return False
    right = node.right
    if isinstance(right, exp.Any):
        return isinstance(right.this.unnest(), exp.Placeholder)
    return isinstance(right, exp.Literal | exp.Placeholder | exp.Boolean)


class Wanted(msgspec.Struct, frozen=True):
    """A condition: the column, and the parameter that holds its value or values; or the value itself."""

    column: str
    parameter: str | None
    value: Any = None


class Plain(msgspec.Struct, frozen=True):
    """A plain query over one table, columns by the source's own names."""

    table: TableInfo
    outputs: tuple[str, ...]
    conditions: tuple[Wanted, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns needed, those of the answer first."""
        return tuple(dict.fromkeys((*self.outputs, *(condition.column for condition in self.conditions))))

    def wanted(self, values: Mapping[str, Value]) -> dict[str, list[Any]]:
        """Per column the values it may have, each once; NULL equals nothing."""
        found: dict[str, list[Any]] = {}
        for condition in self.conditions:
            given = values[condition.parameter] if condition.parameter else condition.value
            if isinstance(given, pa.Array):
                given = given.to_pylist()
            several = given if isinstance(given, list | tuple) else [given]
            mine = list(dict.fromkeys(value for value in several if value is not None))
            before = found.get(condition.column)
            found[condition.column] = mine if before is None else [value for value in mine if value in before]
        return found


def read_plain(query: exp.Query, tables: Sequence[TableInfo]) -> Plain:
    """Understand a plain query.

    Raises:
        SourceFailure: `failed` when it asks for more; `changed` when the table or a column is not there.
    """
    if not is_plain(query):
        raise SourceFailure("failed", "this source takes columns, equality and key lists of one table only")
    name = table_name(query.args["from_"].this)
    table = next((table for table in tables if table.name.lower() == name), None)
    if table is None:
        raise SourceFailure("changed", f"there is no table {name}")
    own = {column.name.lower(): column.name for column in table.columns}

    def named(column: exp.Column) -> str:
        try:
            return own[column.name.lower()]
        except KeyError:
            raise SourceFailure("changed", f"table {name} has no column {column.name}") from None

    outputs = tuple(named(item.unalias()) for item in query.selects)
    return Plain(table, outputs, tuple(_wanted(node, named(node.left)) for node in conjuncts(query)))


def _wanted(node: exp.EQ, column: str) -> Wanted:
    right = node.right.this.unnest() if isinstance(node.right, exp.Any) else node.right
    if isinstance(right, exp.Placeholder):
        return Wanted(column, str(right.name))
    if isinstance(right, exp.Boolean):
        return Wanted(column, None, bool(right.this))
    return Wanted(column, None, str(right.this) if right.is_string else _number(str(right.this)))


def _number(text: str) -> Any:
    return int(text) if text.isdigit() else float(text)


def batches(
    plain: Plain,
    shape: Shape,
    wanted: Mapping[str, Sequence[Any]],
    pages: Iterable[Iterable[Mapping[str, Any]]],
    limits: Limits,
) -> Iterator[pa.RecordBatch]:
    """The answer, out of pages of rows as the source gave them: only rows with one of the values wanted in every column.

    Args:
        plain: what is asked.
        shape: of the answer.
        wanted: values, by the column that must have one of them.
        pages: rows as the source gave them, by column name.
        limits: what the answer may cost.

    Raises:
        SourceFailure: `too-many-rows`, or what `shape` finds wrong with a row.
    """
    sets = {column: set(values) for column, values in wanted.items()}
    seen = 0
    for page in pages:
        rows = [
            tuple(row[name] for name in plain.outputs)
            for row in page
            if all(row[column] in values for column, values in sets.items())
        ]
        seen += len(rows)
        if seen > limits.rows:
            raise SourceFailure("too-many-rows", f"more than {limits.rows} rows")
        if rows:
            yield shape.batch(rows, seen - len(rows))

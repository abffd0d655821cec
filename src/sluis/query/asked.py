"""Whether the rows an owner gave are rows it was asked for. What an answer holds decides what others are asked next,
so an owner that answers about other people could have anyone looked into.
"""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from sluis.statement import equalities, tables_of

Held = tuple[tuple[str, str], ...]
"""Output columns, each with the parameter whose value, or one of whose values, it can only have."""

_FEW = 100
"""Values that Python tells apart before Arrow has begun."""

_EXACT = (pa.types.is_string, pa.types.is_integer, pa.types.is_date)


def held(query: exp.Query) -> Held:
    """The outputs of a sub-question that its conditions hold to a parameter."""
    if not isinstance(query, exp.Select):
        return ()
    equal = equalities(query)
    restricted = {
        (table.alias_or_name, column): name
        for table in tables_of(query)
        for column, value in equal.get(id(table), ())
        if (name := _parameter(value))
    }
    plain = [(item.alias_or_name, item.unalias()) for item in query.expressions]
    return tuple(
        (name, restricted[column.table, column.name.lower()])
        for name, column in plain
        if isinstance(column, exp.Column) and (column.table, column.name.lower()) in restricted
    )


def strays(table: pa.Table, columns: Held, given: Mapping[str, Any]) -> bool:
    """Whether a row has another value than was asked for.

    Args:
        table: in the types that were asked for.
        columns: from `held`.
        given: the values of the parameters: one, a list, or an Arrow array. NULL is never a stray: an outer join
            makes it.
    """
    for name, parameter in columns:
        told = table.column(name).drop_null()
        if parameter not in given or not len(told) or not any(exact(told.type) for exact in _EXACT):
            continue
        values = given[parameter]
        if not isinstance(values, pa.Array):
            values = values if isinstance(values, list) else [values]
        if len(told) + len(values) <= _FEW:
            if not set(values if isinstance(values, list) else values.to_pylist()).issuperset(
                told.to_pylist()
            ):
                return True
            continue
        if isinstance(values, list):
            values = pa.array(values, told.type)
        if not pc.all(pc.is_in(told, value_set=values.cast(told.type))).as_py():
            return True
    return False


def _parameter(value: exp.Expression) -> str:
    node = value.this.unnest() if isinstance(value, exp.Any) else value.unnest()
    return str(node.name) if isinstance(node, exp.Placeholder) else ""

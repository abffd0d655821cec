"""Whether the rows an owner gave are rows it was asked for. What an answer holds decides what others are asked next,
so an owner that answers about other people could have anyone looked into.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from sluis.statement import equalities, tables_of

Held = tuple[tuple[str, str], ...]
"""Output columns, each with the parameter whose value, or one of whose values, it can only have."""

_FEW = 100

_INTEGERS = (pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())
_EXACT: dict[int, type] = {
    **dict.fromkeys([kind.id for kind in _INTEGERS], int),
    pa.string().id: str,
    pa.date32().id: date,
    pa.date64().id: date,
}
"""Per Arrow type whose values are compared exactly, by its number, the Python type of its values."""


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
        told = table.column(name)
        python = _EXACT.get(told.type.id)
        if parameter not in given or python is None:
            continue
        values = given[parameter]
        if len(told) <= _FEW and len(values if isinstance(values, list | pa.Array) else ()) <= _FEW:
            some = [one for one in told.to_pylist() if one is not None]
            if some and not _all_among(some, values, told.type, python):
                return True
            continue
        told = told.drop_null()
        if not isinstance(values, pa.Array):
            values = pa.array(values if isinstance(values, list) else [values], told.type)
        if not pc.all(pc.is_in(told, value_set=values.cast(told.type))).as_py():
            return True
    return False


def _all_among(told: list[Any], values: Any, kind: pa.DataType, python: type) -> bool:
    """The same for a few values, which Python tells apart before Arrow has begun."""
    asked = (
        values.to_pylist()
        if isinstance(values, pa.Array)
        else values
        if isinstance(values, list)
        else [values]
    )
    if {type(one) for one in asked} - {python, type(None)}:
        asked = pa.array(asked, kind).to_pylist()
    return set(asked).issuperset(told)


def _parameter(value: exp.Expression) -> str:
    node = value.this.unnest() if isinstance(value, exp.Any) else value.unnest()
    return str(node.name) if isinstance(node, exp.Placeholder) else ""

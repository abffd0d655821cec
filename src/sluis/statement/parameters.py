"""Constants leave the text of a question and become typed parameters, so that no key stands in a statement, a plan
or a log, and the same question about another person is the same plan.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlglot import exp

from sluis.kernel import Invalid, Text
from sluis.statement.columns import Dataset, base_of, dataset_of, missing_parameter
from sluis.statement.cost import steady_pattern

Types = Mapping[Dataset, Mapping[str, str]]
"""DuckDB type per column, per dataset."""

Plain = str | int | float | bool | None
"""What JSON carries."""

_INTEGERS = {"BIGINT", "INTEGER", "SMALLINT", "TINYINT", "INT", "HUGEINT"}
_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE)


def parameterise(tree: exp.Query, types: Types) -> tuple[exp.Query, dict[str, Any], dict[str, str]]:
    """Take the constants that columns are compared with out of a qualified question.

    Args:
        tree: a qualified question; not changed.
        types: the types of the datasets' columns.

    Returns:
        the question with `$p0`, `$p1`, … in their places (a list of constants as `column = ANY($p0)`), the constants
        by name, and the DuckDB type of every parameter in it, the caller's own ones included; of a list, the type of
        an element. A constant whose exact value the column's type cannot hold stays where it was.
    """
    tree = tree.copy()
    names = _fresh({node.name.lower() for node in tree.find_all(exp.Placeholder)})
    values: dict[str, Any] = {}
    for node in list(tree.find_all(*_COMPARISONS, exp.In, exp.Between)):
        kind = _column_type(node, types)
        if kind is None:
            continue
        if isinstance(node, exp.In):
            _take_list(node, kind, names, values)
        else:
            _take_constants(node, kind, names, values)
    return tree, values, parameter_types(tree, types)


def _fresh(taken: set[str]) -> Iterator[str]:
    number = 0
    while True:
        if (name := f"p{number}") not in taken:
            yield name
        number += 1


def _column_type(node: exp.Expression, types: Types) -> str | None:
    """The type of the one dataset column that a comparison is about."""
    sides = (
        [node.this.unnest()]
        if isinstance(node, exp.In | exp.Between)
        else [node.left.unnest(), node.right.unnest()]
    )
    for side in sides:
        table = base_of(side)
        if table is not None:
            return types[dataset_of(table)].get(side.name.lower())
    return None


def _take_list(node: exp.In, kind: str, names: Iterator[str], values: dict[str, Any]) -> None:
    items = [_constant(item, kind) for item in node.expressions]
    if not items or any(item is None for item in items):
        return
    name = next(names)
    values[name] = items
    node.replace(exp.EQ(this=node.this, expression=exp.Any(this=exp.Paren(this=exp.Placeholder(this=name)))))


def _take_constants(node: exp.Expression, kind: str, names: Iterator[str], values: dict[str, Any]) -> None:
    for key in ("low", "high") if isinstance(node, exp.Between) else ("this", "expression"):
        value = _constant(node.args[key], kind)
        if value is not None:
            name = next(names)
            values[name] = value
            node.set(key, exp.Placeholder(this=name))


def _constant(node: exp.Expression, kind: str) -> Any:
    """The value of a literal as exactly what the column holds; None when it is no literal or does not fit."""
    node = node.unnest()
    sign = ""
    if isinstance(node, exp.Neg):
        node, sign = node.this.unnest(), "-"
    if type(node) is exp.Cast and kind in {"DATE", "TIMESTAMP"} and node.to.this.name == kind:
        node = node.this
    if not isinstance(node, exp.Literal) or node.is_string != (kind not in _INTEGERS):
        return None
    if kind != "VARCHAR" and kind not in _INTEGERS and kind not in {"DATE", "TIMESTAMP"}:
        return None
    try:
        return from_plain(sign + node.name, kind, "")
    except Invalid:
        return None


def parameter_types(tree: exp.Query, types: Types) -> dict[str, str]:
    """The DuckDB type of each parameter: that of the column it is compared with, VARCHAR where there is none."""
    found: dict[str, str] = {}
    for placeholder in tree.find_all(exp.Placeholder):
        node = placeholder.parent
        while isinstance(node, exp.Paren | exp.Any | exp.Neg):
            node = node.parent
        kind = _column_type(node, types) if isinstance(node, (*_COMPARISONS, exp.In, exp.Between)) else None
        if kind is not None or placeholder.name not in found:
            found[placeholder.name] = kind or ("DATE" if placeholder.name == "today" else "VARCHAR")
    return found


def parameters_of(tree: exp.Query) -> tuple[str, ...]:
    """The names of the parameters in a question, in the order of their first use."""
    return tuple(dict.fromkeys(str(node.this) for node in tree.find_all(exp.Placeholder)))


def list_parameters(tree: exp.Query) -> set[str]:
    """The parameters that hold a list: those under ANY."""
    return {node.this.unnest().name for node in tree.find_all(exp.Any)}


def bind(lists: Collection[str], types: Mapping[str, str], given: Mapping[str, Any]) -> dict[str, Any]:
    """The value of every parameter of a question, as Python values of its type.

    Args:
        lists: the parameters that hold a list, as `list_parameters` gives them.
        types: DuckDB type per parameter.
        given: what the caller passed, as JSON carries it; a list for a list parameter.

    Raises:
        Invalid: `missing-parameter`, `unknown-parameter`, `parameter-type`.
    """
    for name in given:
        if name not in types:
            raise Invalid(
                "unknown-parameter",
                Text("Er is een parameter te veel.", "There is a parameter too many."),
                Text(f"De vraag gebruikt ${name[:60]} niet.", f"The question does not use ${name[:60]}."),
                Text("Laat de parameter weg.", "Leave the parameter out."),
            )
    bound: dict[str, Any] = {}
    for name, kind in types.items():
        if name not in given:
            raise missing_parameter(name)
        value = given[name]
        if isinstance(value, str) and not steady_pattern(value):
            raise Invalid(
                "parameter-type",
                Text(f"De waarde van ${name} past niet.", f"The value of ${name} does not fit."),
                Text("Als patroon geeft hij te veel werk.", "As a pattern it makes too much work."),
                Text("Gebruik naast _ hoogstens twee keer %.", "Use at most two % beside _."),
            )
        if name in lists:
            if not isinstance(value, Sequence) or isinstance(value, str):
                raise _wrong(name, "lijst", "list")
            bound[name] = [from_plain(item, kind, name) for item in value]
        else:
            bound[name] = from_plain(value, kind, name)
    return bound


_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")


def from_plain(value: Any, kind: str, name: str) -> Any:
    """A JSON or text value as the Python value of a DuckDB type; nothing is bent to fit.

    Raises:
        Invalid: `parameter-type`.
    """
    if value is None:
        return None
    try:
        if kind == "VARCHAR":
            if isinstance(value, str):
                return value
        elif kind in _INTEGERS:
            if type(value) is int or (isinstance(value, str) and re.fullmatch(r"-?\d{1,19}", value)):
                number = int(value)
                if -(2**63) <= number < 2**63:
                    return number
        elif kind == "BOOLEAN":
            if isinstance(value, bool):
                return value
            if isinstance(value, str) and value.lower() in {"true", "false"}:
                return value.lower() == "true"
        elif kind == "DATE":
            if type(value) is date:
                return value
            if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
                return date.fromisoformat(value)
        elif kind == "TIMESTAMP":
            return value if isinstance(value, datetime) else datetime.fromisoformat(value)
        elif kind in {"DOUBLE", "FLOAT"}:
            if not isinstance(value, bool):
                return float(value)
        elif _DECIMAL.fullmatch(kind) and not isinstance(value, bool):
            return Decimal(str(value))
    except (ValueError, TypeError, InvalidOperation):
        pass
    raise _wrong(name, kind, kind)


def to_plain(value: Any) -> Plain:
    """A Python value as JSON carries it."""
    return (
        value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, Decimal) else value
    )


def _wrong(name: str, kind_nl: str, kind_en: str) -> Invalid:
    return Invalid(
        "parameter-type",
        Text(f"De waarde van ${name} past niet.", f"The value of ${name} does not fit."),
        Text(f"De kolom waarmee hij vergeleken wordt is van het type {kind_nl}.",
             f"The column it is compared with is of type {kind_en}."),
        Text("Geef een waarde van dat type; een datum als jjjj-mm-dd.", "Pass a value of that type; a date as yyyy-mm-dd."),
    )  # fmt: skip

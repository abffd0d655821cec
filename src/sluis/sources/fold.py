"""Expressions without a column, computed by DuckDB itself: what they mean elsewhere then needs no proof.

`date '1995-01-01' + interval 1 year` or `$p0 * 2` reaches a source as one value.
"""

import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import duckdb
from sqlglot import exp

from sluis.sources.base import SourceFailure

_SIMPLE = (exp.Literal, exp.Placeholder, exp.Null, exp.Boolean)
_NEVER = (
    exp.Column,
    exp.Query,
    exp.AggFunc,
    exp.Any,
    exp.Star,
    exp.Interval,
    exp.Var,
    exp.Identifier,
    exp.DataType,
    exp.Tuple,
    exp.Window,
)
_VOLATILE = (exp.Rand, exp.Randn, exp.Uuid, exp.CurrentDate, exp.CurrentTime, exp.CurrentTimestamp)
"""Without a column, and yet not one value for all rows or all moments."""

_INSIDE = (
    *_VOLATILE,
    exp.Column,
    exp.Query,
    exp.AggFunc,
    exp.Any,
    exp.Star,
    exp.Window,
    exp.Anonymous,
    exp.AnonymousAggFunc,
)


def is_simple(node: exp.Expression) -> bool:
    """Whether this is a literal, a parameter, NULL, TRUE or FALSE."""
    return isinstance(node, _SIMPLE)


def is_constant(node: exp.Expression) -> bool:
    """Whether an expression holds no column, subquery or aggregate, so that it has one value for all rows."""
    return isinstance(node, _SIMPLE) or (not isinstance(node, _NEVER) and node.find(*_INSIDE) is None)


class _Computer:
    """One in-memory DuckDB that can reach nothing."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection: duckdb.DuckDBPyConnection | None = None

    def row(self, sql: str, values: Mapping[str, Any]) -> tuple[Any, ...]:
        with self._lock:
            if self._connection is None:
                self._connection = locked_duckdb(threads=1)
            row: tuple[Any, ...] = self._connection.execute(sql, dict(values)).fetchone() or ()
            return row


_COMPUTER = _Computer()


def locked_duckdb(threads: int = 2, memory: str = "1GB") -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB without files, network, extensions or spilling; its settings can no longer change."""
    config = {
        "enable_external_access": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "python_enable_replacements": "false",
        "temp_directory": "",
        "memory_limit": memory,
        "threads": str(threads),
        "TimeZone": "UTC",
        "lock_configuration": "true",
    }
    zone, lock = config.pop("TimeZone"), config.pop("lock_configuration")
    connection = duckdb.connect(":memory:", config=config)
    connection.execute(f"SET TimeZone='{zone}'")
    connection.execute(f"SET lock_configuration={lock}")
    return connection


def constant_type(node: exp.Expression, parameters: Mapping[str, str]) -> str | None:
    """The DuckDB type of a constant expression, given those of its parameters; None when DuckDB refuses it."""
    names = tuple(sorted({place.name for place in node.find_all(exp.Placeholder)}))
    if any(name not in parameters for name in names):
        return None
    return _described(node.sql(dialect="duckdb"), tuple((name, parameters[name]) for name in names))


@lru_cache(maxsize=1024)
def _described(sql: str, parameters: tuple[tuple[str, str], ...]) -> str | None:
    typed = " , ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in parameters)
    for name, _ in parameters:
        sql = sql.replace(f"${name}", f"_given.{name}")
    source = f" FROM (SELECT {typed}) AS _given" if typed else ""
    try:
        return str(_COMPUTER.row(f"SELECT typeof({sql}){source}", {})[0])
    except duckdb.Error:
        return None


def evaluate(expressions: Sequence[tuple[str, str]], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of constant expressions.

    Args:
        expressions: name to give, and SQL in DuckDB dialect, of each.
        values: the values of the parameters they use.

    Raises:
        SourceFailure: `failed`, when DuckDB cannot compute one.
    """
    try:
        row = _COMPUTER.row("SELECT " + ", ".join(sql for _, sql in expressions), values)
    except duckdb.Error as error:
        raise SourceFailure("failed", "a constant in the query cannot be computed") from error
    return dict(zip((name for name, _ in expressions), row, strict=True))

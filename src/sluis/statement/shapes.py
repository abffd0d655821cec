"""DuckDB types of the columns a query gives, and the Arrow types that carry them.

The types of computed columns are DuckDB's own: it is asked to describe the query over empty tables. It sees names and
types, never a row or a constant.
"""

import functools
import threading
from collections.abc import Mapping

import duckdb
import pyarrow as pa
from sqlglot import exp

from sluis.kernel import Invalid, Text
from sluis.sources import locked_duckdb, normal

Types = Mapping[str, Mapping[str, str]]
"""DuckDB type per column, per base table by its name as written (`alias.dataset` or `dataset`)."""

_ARROW: dict[str, pa.DataType] = {
    "BOOLEAN": pa.bool_(),
    "TINYINT": pa.int8(),
    "SMALLINT": pa.int16(),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "UTINYINT": pa.uint8(),
    "USMALLINT": pa.uint16(),
    "UINTEGER": pa.uint32(),
    "UBIGINT": pa.uint64(),
    "HUGEINT": pa.decimal128(38, 0),
    "FLOAT": pa.float32(),
    "DOUBLE": pa.float64(),
    "VARCHAR": pa.string(),
    "BLOB": pa.binary(),
    "DATE": pa.date32(),
    "TIME": pa.time64("us"),
    "TIMESTAMP": pa.timestamp("us"),
    "TIMESTAMPTZ": pa.timestamp("us", tz="UTC"),
    "INTERVAL": pa.month_day_nano_interval(),
    "UUID": pa.string(),
}
INTEGERS = {
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "HUGEINT",
}
_INEXACT = {"FLOAT", "DOUBLE", "INTERVAL", "TIME"}


def table_name(table: exp.Table) -> str:
    """The name by which a base table stands in `Types`."""
    return f"{table.db}.{table.name}" if table.args.get("db") else str(table.name)


def canonical(type_name: str) -> str:
    """A DuckDB type name in the one spelling used here."""
    if type_name.endswith("[]"):
        return f"{canonical(type_name[:-2])}[]"
    # What DuckDB says of a bare NULL; it hands it out as an INTEGER.
    return "INTEGER" if type_name == '"NULL"' else normal(type_name)


@functools.lru_cache(maxsize=1024)
def arrow_type(type_name: str) -> pa.DataType:
    """The Arrow type in which values of a DuckDB type travel without loss."""
    name = canonical(type_name)
    if name.startswith("DECIMAL("):
        precision, _, scale = name[8:-1].partition(",")
        return pa.decimal128(int(precision), int(scale or 0))
    if name.endswith("[]"):
        return pa.list_(arrow_type(type_name[:-2]))
    return _ARROW.get(name, pa.string())


def comparable(one: str, other: str) -> bool:
    """Whether equality between two types means equality of their values as they travel, so that the values of one
    may be sent as keys for the other."""
    one, other = canonical(one), canonical(other)
    if one in INTEGERS and other in INTEGERS:
        return True
    return one == other and one not in _INEXACT


def is_list(parameter: exp.Placeholder) -> bool:
    """Whether a parameter stands for a key list: `column = ANY($name)`."""
    parent = parameter.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    return isinstance(parent, exp.Any)


def describe(query: exp.Query, types: Types, parameters: Mapping[str, str]) -> list[str]:
    """The DuckDB types of a query's output columns, in order.

    Args:
        query: over base tables named in `types`.
        types: columns of the base tables.
        parameters: DuckDB type per parameter in it; of the elements, for a key list.

    Raises:
        Invalid: `types-do-not-fit` when DuckDB would not compute this.
    """
    query = query.copy()
    for node in list(query.find_all(exp.Placeholder)):
        kind = parameters.get(node.name, "VARCHAR") + ("[]" if is_list(node) else "")
        node.replace(exp.cast(exp.null(), exp.DataType.build(kind, dialect="duckdb")))
    tables: dict[str, Mapping[str, str]] = {}
    for table in query.find_all(exp.Table):
        if table_name(table) in types:
            tables[table_name(table)] = types[table_name(table)]
    return list(
        _describe(
            query.sql("duckdb"), tuple((name, tuple(columns.items())) for name, columns in tables.items())
        )
    )


@functools.cache
def _describer() -> tuple[threading.Lock, duckdb.DuckDBPyConnection]:
    """One connection that never holds a row; its tables live as long as one description."""
    return threading.Lock(), locked_duckdb(threads=1, memory="64MB")


@functools.lru_cache(maxsize=512)
def _describe(sql: str, tables: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]) -> tuple[str, ...]:
    lock, connection = _describer()
    with lock:
        connection.execute("BEGIN")
        try:
            for name, columns in tables:
                schema, _, table = name.rpartition(".")
                if schema:
                    connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
                listed = ", ".join(f'"{column}" {kind}' for column, kind in columns)
                place = f'"{schema}"."{table}"' if schema else f'"{table}"'
                connection.execute(f"CREATE TABLE {place} ({listed})")
            return tuple(canonical(str(row[1])) for row in connection.execute(f"DESCRIBE {sql}").fetchall())
        except duckdb.Error:
            raise Invalid(
                "types-do-not-fit",
                Text("De vraag kan niet worden berekend.", "The question cannot be computed."),
                Text(
                    "Een functie of vergelijking past niet bij de typen van haar kolommen.",
                    "A function or comparison does not fit the types of its columns.",
                ),
                Text(
                    "Zet de waarden met CAST in het juiste type.",
                    "Bring the values to the right type with CAST.",
                ),
            ) from None
        finally:
            connection.execute("ROLLBACK")

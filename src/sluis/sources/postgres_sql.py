"""How PostgreSQL is asked: its types, the SQL written for it, and values as it reads them.

Text is compared by its bytes wherever order matters (`COLLATE "C"`). A CHAR(n) value is the text without its padding:
padding is storage, not data.
"""

from collections.abc import Mapping
from typing import Any

from sqlglot import exp

from sluis.sources.base import SourceFailure
from sluis.sources.fold import is_constant
from sluis.sources.types import normal
from sluis.sources.writer import Catalogue, Slot, Writer

_NATIVE = {
    "boolean": "BOOLEAN",
    "smallint": "SMALLINT",
    "integer": "INTEGER",
    "bigint": "BIGINT",
    "real": "FLOAT",
    "double precision": "DOUBLE",
    "text": "VARCHAR",
    "character varying": "VARCHAR",
    "date": "DATE",
    "timestamp without time zone": "TIMESTAMP",
    "timestamp with time zone": "TIMESTAMPTZ",
    "time without time zone": "TIME",
    "bytea": "BLOB",
    "numeric": "DECIMAL(38,10)",
}
"""Types that are read as they are; all others are read as text. A numeric without limits gets ten decimals: a value
that has more is a broken row."""

_CAST = {
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
    "TIMESTAMPTZ": "timestamptz",
    "DOUBLE": "double precision",
    "FLOAT": "real",
    "TIME": "time",
    "UUID": "text",
    "BLOB": "bytea",
    "TINYINT": "smallint",
    "SMALLINT": "smallint",
    "INTEGER": "integer",
    "BIGINT": "bigint",
}


def _base(native: str) -> str:
    return native.partition("(")[0].strip() if not native.startswith("time") else native


def duckdb_type(native: str) -> str:
    """The DuckDB type of a column, from `format_type`."""
    if native.startswith("numeric("):
        digits, _, scale = native[8:-1].partition(",")
        fits = int(digits) <= 38 and 0 <= int(scale or 0) <= int(digits)
        return f"DECIMAL({digits},{scale or 0})" if fits else "DECIMAL(38,10)"
    return _NATIVE.get(_base(native), "VARCHAR")


class PostgresWriter(Writer):
    """PostgreSQL's own forms. `schemas` gives schema and table per name."""

    def __init__(
        self,
        catalogue: Catalogue,
        query: exp.Expression,
        parameters: Mapping[str, str],
        schemas: Mapping[str, tuple[str, str]],
    ) -> None:
        super().__init__(catalogue, query, parameters)
        self.schemas = schemas

    def table(self, name: str) -> str:
        schema, table = self.schemas[self.catalogue.table(name).name]
        return f"{self.identifier(schema)}.{self.identifier(table)}"

    def _column(self, node: exp.Column) -> str:
        sql, base = self.raw_column(node), self.typing.base(node)
        native = self.catalogue.native(*base) if base else ""
        if not base or _base(native) in _NATIVE:
            return sql
        exact = ' COLLATE "C"' if native.endswith("nondeterministic") else ""
        return f"(CAST({sql} AS text){exact})"

    def conjunct(self, node: exp.Expression) -> str:
        if (
            isinstance(node, exp.EQ)
            and isinstance(node.left, exp.Column)
            and (base := self.typing.base(node.left))
        ):
            native = self.catalogue.native(*base)
            if native.startswith("character(") and (
                isinstance(node.right, exp.Any) or is_constant(node.right)
            ):
                # The column as it is, so that an index serves; then exactly, as trailing blanks count in DuckDB.
                many = isinstance(node.right, exp.Any)
                given = (
                    f"ANY({self.key_slot(node)}::bpchar[])"
                    if many
                    else f"{self.expression(node.right)}::bpchar"
                )
                return f"({self.raw_column(node.left)} = {given} AND {self.expression(node)})"
        return super().conjunct(node)

    def comparable(self, node: exp.Expression) -> str:
        sql = self.expression(node)
        return f'(({sql}) COLLATE "C")' if self.typing.family(node) == "text" else sql

    def keylist(self, left: str, node: exp.EQ) -> str:
        return f"{left} = ANY({self.key_slot(node)})"

    def _like(self, node: exp.Like) -> str:
        return f"{super()._like(node)} ESCAPE ''"

    def widened(self, sql: str, kind: str) -> str:
        return f"CAST({sql} AS {cast_name(kind)})"

    def _sum(self, node: exp.Sum) -> str:
        return f"CAST({super()._sum(node)} AS numeric)"

    def filtered(self, node: exp.Expression, condition: str) -> str:
        """An aggregate over the rows that meet a condition."""
        inner = self.expression(node)
        if isinstance(node, exp.Sum):
            return f"CAST({super()._sum(node)} FILTER (WHERE {condition}) AS numeric)"
        return f"{inner} FILTER (WHERE {condition})"

    def _filter(self, node: exp.Filter) -> str:
        return self.filtered(node.this, self.expression(node.expression.this))


def cast_name(kind: str) -> str:
    """PostgreSQL's name of a DuckDB type, for a parameter."""
    return _CAST.get(normal(kind), "numeric")


def _array(values: Any) -> str:
    """A list as the text of a PostgreSQL array."""
    return "{" + ",".join("NULL" if value is None else _element(value) for value in values) + "}"


def _element(value: Any) -> str:
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)


def as_text(value: Any, slot: Slot) -> str | None:
    """A value as PostgreSQL reads it from text; None for NULL."""
    if value is None:
        return None
    if slot.many:
        return _array(value)
    return f"\\x{value.hex()}" if isinstance(value, bytes) else str(value)


def as_bytes(text: str | None) -> bytes | None:
    """A value as it goes over the line. Raises SourceFailure `failed` for a NUL, which PostgreSQL has not."""
    if text is not None and "\0" in text:
        raise SourceFailure("failed", "a value holds a NUL, which PostgreSQL has not")
    return None if text is None else text.encode()


def parameter_type(slot: Slot) -> str:
    """What a slot is cast to."""
    return cast_name(slot.type) + ("[]" if slot.many else "")


def quoted(slot: Slot, value: Any) -> str:
    """A value as a literal; `standard_conforming_strings` is on."""
    text = as_text(value, slot)
    if text is None:
        return f"NULL::{parameter_type(slot)}"
    if "\0" in text:
        raise SourceFailure("failed", "a value holds a NUL, which PostgreSQL has not")
    return "'" + text.replace("'", "''") + f"'::{parameter_type(slot)}"

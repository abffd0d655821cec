"""How MariaDB and MySQL are asked: their types, the SQL written for them, and values as literals.

MariaDB compares text by a collation that ignores case, accents and trailing spaces; here text is compared in a binary
one without padding, which orders by code point as DuckDB does. An equality goes twice: once as the column is, so that
an index serves, once exactly.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlglot import exp

from sluis.sources.fold import is_constant
from sluis.sources.types import family
from sluis.sources.writer import Catalogue, Slot, Unwritable, Writer

_INTEGERS = {
    "tinyint": "TINYINT",
    "smallint": "SMALLINT",
    "mediumint": "INTEGER",
    "int": "INTEGER",
    "bigint": "BIGINT",
}
_OTHERS = {
    "float": "FLOAT",
    "double": "DOUBLE",
    "date": "DATE",
    "datetime": "TIMESTAMP",
    "timestamp": "TIMESTAMPTZ",
    "year": "SMALLINT",
    "tinyblob": "BLOB",
    "blob": "BLOB",
    "mediumblob": "BLOB",
    "longblob": "BLOB",
    "binary": "BLOB",
    "varbinary": "BLOB",
}
_TEXTS = {"char", "varchar", "tinytext", "text", "mediumtext", "longtext", "enum", "set", "json"}


def duckdb_type(native: str) -> str:
    """The DuckDB type of a column. `tinyint(1)` is a BOOLEAN, as everywhere in the field: another value than 0 or 1 is a broken row."""
    name = native.partition("(")[0].split(" ")[0]
    if native in {"tinyint(1)", "bit(1)"}:
        return "BOOLEAN"
    if name in _INTEGERS:
        return ("U" if "unsigned" in native else "") + _INTEGERS[name]
    if name == "bit":
        return "UBIGINT"
    if name == "decimal":
        digits, _, scale = native[8:].partition(")")[0].partition(",")
        return f"DECIMAL({min(38, int(digits))},{int(scale or 0)})"
    return _OTHERS.get(name, "VARCHAR")


class MariadbWriter(Writer):
    """MariaDB's own forms.

    Args:
        exact: the binary collation without padding that this server has.
        collations: the collation of each text column (table, column), by lower-case names.
        lines: whether each row is to be written as one line of CSV.
    """

    quote = "`"

    def __init__(
        self,
        catalogue: Catalogue,
        query: exp.Expression,
        parameters: Mapping[str, str],
        *,
        exact: str,
        collations: Mapping[tuple[str, str], str],
        lines: bool = False,
    ) -> None:
        super().__init__(catalogue, query, parameters)
        self.exact, self.collations, self.lines = exact, collations, lines

    def table(self, name: str) -> str:
        return self.identifier(self.catalogue.table(name).name)

    def select(self, query: exp.Expression) -> str:
        if query is not self.query or not self.lines or isinstance(query, exp.Select):
            return super().select(query)
        kinds = self.typing.outputs(query)
        fields = [_field(f"`answer`.`c{place}`", kind, self.exact) for place, kind in enumerate(kinds)]
        inner = super().select(query)
        # A set operation is written as a table of its own first: its sides must keep their own columns.
        return f"SELECT {_line(fields)} FROM ({inner}) AS `answer`"

    def projected(self, query: exp.Select) -> str:
        outermost = query is self.query
        if not outermost and not self._is_side(query):
            return super().projected(query)
        plain, kinds = [], []
        for item in query.selects:
            node = item.unalias()
            bare = isinstance(node, exp.Column) and not query.args.get("distinct")
            plain.append(self._read(node) if bare and outermost else self.expression(node))
            kinds.append(self.typing.of(node))
        if outermost and self.lines:
            return _line([_field(sql, kind, self.exact) for sql, kind in zip(plain, kinds, strict=True)])
        if outermost and not self.lines:
            plain = [_legible(sql, kind) for sql, kind in zip(plain, kinds, strict=True)]
        return ", ".join(f"{sql} AS `c{place}`" for place, sql in enumerate(plain))

    def _is_side(self, query: exp.Select) -> bool:
        """Whether a SELECT is a side of the outermost set operation."""
        above = query.parent
        while isinstance(above, exp.SetOperation | exp.Subquery) and above is not self.query:
            above = above.parent
        return above is self.query and isinstance(above, exp.SetOperation)

    def _read(self, node: exp.Column) -> str:
        """A column as it comes out, text not yet collated."""
        base, sql = self.typing.base(node), self.raw_column(node)
        native = self.catalogue.native(*base) if base else ""
        if native.startswith("bit"):
            return f"({sql} + 0)"
        known = not base or native.partition("(")[0].split(" ")[0] in {
            *_INTEGERS,
            *_OTHERS,
            *_TEXTS,
            "decimal",
        }
        return sql if known else f"CONVERT({sql} USING utf8mb4)"

    def _column(self, node: exp.Column) -> str:
        base = self.typing.base(node)
        if base is None or self.collations.get(base) == self.exact or self.typing.family(node) != "text":
            return self._read(node)
        return f"CONVERT({self.raw_column(node)} USING utf8mb4) COLLATE {self.exact}"

    def conjunct(self, node: exp.Expression) -> str:
        left = node.this if isinstance(node, exp.EQ | exp.In) else None
        exactly = super().conjunct(node)
        if not isinstance(left, exp.Column) or self.typing.family(left) != "text":
            return exactly
        base, raw = self.typing.base(left), self.raw_column(left)
        if base is None or self.collations.get(base) == self.exact:
            return exactly
        if isinstance(node, exp.EQ) and isinstance(node.right, exp.Any):
            return f"({self.keylist(raw, node)} AND {exactly})"
        if isinstance(node, exp.EQ) and is_constant(node.right):
            return f"({raw} = {self.expression(node.right)} AND {exactly})"
        if isinstance(node, exp.EQ) and isinstance(node.right, exp.Column):
            other = self.typing.base(node.right)
            alike = other is not None and self.collations.get(other) == self.collations.get(base)
            return f"({raw} = {self.raw_column(node.right)} AND {exactly})" if alike else exactly
        if isinstance(node, exp.In) and node.expressions and all(map(is_constant, node.expressions)):
            return f"({raw} IN ({', '.join(map(self.expression, node.expressions))}) AND {exactly})"
        return exactly

    def join(self, join: exp.Join) -> str:
        if join.side == "FULL":
            raise Unwritable("FULL JOIN")
        return super().join(join)

    def keylist(self, left: str, node: exp.EQ) -> str:
        return f"{left} IN ({self.key_slot(node)})"

    def ordered(self, item: exp.Ordered, query: exp.Select) -> str:
        sql = self.comparable(self.resolve(item.this, query))
        nulls = " DESC" if item.args.get("nulls_first") else ""
        return f"{sql} IS NULL{nulls}, {sql}{' DESC' if item.args.get('desc') else ''}"

    def _nullsafeeq(self, node: exp.NullSafeEQ) -> str:
        return f"{self._operand(node.left)} <=> {self._operand(node.right)}"

    def _nullsafeneq(self, node: exp.NullSafeNEQ) -> str:
        return f"NOT ({self._nullsafeeq(node)})"

    def _like(self, node: exp.Like) -> str:
        # No escape, as in DuckDB; `ESCAPE ''` leaves the backslash one, so another is chosen and doubled.
        pattern = f"REPLACE({self.expression(node.expression)}, '|', '||')"
        return f"{self.expression(node.this)} {self.like(node)} {pattern} ESCAPE '|'"

    def _intdiv(self, node: exp.IntDiv) -> str:
        return f"{self._operand(node.left)} DIV {self._nonzero(node.right)}"

    def _dpipe(self, node: exp.DPipe) -> str:
        return f"CONCAT({self.expression(node.left)}, {self.expression(node.right)})"

    def _length(self, node: exp.Length) -> str:
        return f"CHAR_LENGTH({self.expression(node.this)})"

    def extract(self, part: str, node: exp.Expression) -> str:
        return f"EXTRACT({part} FROM {self.expression(node)})"

    def _avg(self, node: exp.Avg) -> str:
        inner = self.expression(node.this)
        return f"CAST(SUM({inner}) AS DOUBLE) / NULLIF(COUNT({inner}), 0)"

    def _filter(self, node: exp.Filter) -> str:
        aggregate, condition = node.this.copy(), node.expression.this
        if isinstance(aggregate.this, exp.Distinct):
            raise Unwritable("FILTER on a DISTINCT aggregate")
        when = self.expression(condition)

        def only(sql: str) -> str:
            return f"CASE WHEN {when} THEN {sql} END"

        if isinstance(aggregate, exp.Count):
            star = isinstance(aggregate.this, exp.Star)
            return f"COUNT({only('1' if star else self.expression(node.this.this))})"
        if isinstance(aggregate, exp.Sum | exp.Min | exp.Max):
            name = str(type(aggregate).__name__).upper()
            return f"{name}({only(self.expression(node.this.this))})"
        raise Unwritable(f"FILTER on {type(aggregate).__name__}")


def _legible(sql: str, kind: str | None) -> str:
    """pymysql reads a timestamp as a time without a zone; as text it says which."""
    return f"DATE_FORMAT({sql}, '%Y-%m-%dT%H:%i:%s.%f+00:00')" if kind == "TIMESTAMPTZ" else sql


def _field(sql: str, kind: str | None, exact: str) -> str:
    """An expression as a field of CSV: text in quotes, NULL as nothing at all."""
    if kind == "BLOB":
        return f"IFNULL(HEX({sql}), '')"
    if kind == "TIMESTAMP":
        return f"IFNULL(DATE_FORMAT({sql}, '%Y-%m-%d %H:%i:%s.%f'), '')"
    if kind == "TIMESTAMPTZ":
        return f"IFNULL(DATE_FORMAT({sql}, '%Y-%m-%d %H:%i:%s.%fZ'), '')"
    if kind == "FLOAT":
        sql = f"CAST({sql} AS DOUBLE)"
    if kind is None or family(kind) == "text":
        text = f"CONVERT({sql} USING utf8mb4) COLLATE {exact}"
        return f"""IFNULL(CONCAT('"', REPLACE({text}, '"', '""'), '"'), '')"""
    # A width of our own: MariaDB leaves no room for the sign of a DIV, and cuts `-3` to `-` in a grouped answer.
    return f"IFNULL(CAST({sql} AS CHAR(80)), '')"


def _line(fields: Sequence[str]) -> str:
    joined = ", ',', ".join(fields)
    return f"CONCAT({joined}) AS `line`"


def _literal(value: Any, exact: str) -> str:
    """A value as MariaDB reads it; text with a backslash as its bytes, so that no session setting can change it."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, float):
        return f"{value!r}e0" if "e" not in repr(value) else repr(value)
    if isinstance(value, datetime):
        moment = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
        return f"TIMESTAMP'{moment.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"DATE'{value.isoformat()}'"
    if isinstance(value, bytes):
        return f"X'{value.hex()}'"
    text = str(value)
    if "\\" in text or "\0" in text:
        return f"CONVERT(X'{text.encode().hex()}' USING utf8mb4) COLLATE {exact}"
    return "'" + text.replace("'", "''") + "'"


def filled(slot: Slot, value: Any, exact: str) -> str:
    """The value or values of a slot as literals; `exact` is the collation of text that must be compared by its bytes."""
    if not slot.many:
        return _literal(value, exact)
    return ",".join(_literal(element, exact) for element in value) or "NULL"

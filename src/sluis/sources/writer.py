"""A SELECT in DuckDB dialect, written out for another database so that it means the same there.

One method per kind of node: what is not here cannot be written, and is refused (`Unwritable`). Databases differ from
DuckDB in a few known ways (order of text, NULLs in an order, integer division, escapes in LIKE); each kind of source
overrides just those. Whether a whole query then gives DuckDB's answer is decided by `statement.pushdown`.

Values never become text here: the SQL keeps slots (a name between NUL bytes) that `Written` fills with the driver's
markers, or with literals for drivers that take none.

Longer than most modules: it is one table, of what each node of SQL becomes.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import msgspec
import pyarrow as pa
from sqlglot import exp

from sluis.sources.base import Scalar, SourceFailure, TableInfo, Value
from sluis.sources.fold import constant_type, evaluate, is_constant, is_simple
from sluis.sources.types import Typing, column_types, output_names, table_name, unexpected, widens


class Unwritable(Exception):
    """This query, or this part of it, cannot be put to this kind of source. The text names the part."""


class Slot(msgspec.Struct, frozen=True):
    """A place for a value: its DuckDB type, and whether it holds a list of keys."""

    type: str
    many: bool = False


class Written(msgspec.Struct, frozen=True):
    """SQL of a source's own dialect with slots for values."""

    parts: tuple[str, ...]
    """Text and slot names in turn, text first."""
    slots: Mapping[str, Slot]
    fixed: Mapping[str, Scalar]
    """Values of slots that are known now."""
    computed: tuple[tuple[str, str], ...]
    """Slots that DuckDB computes from the others when the query runs: name and DuckDB expression."""

    def text(self, fill: Callable[[str, Slot], str]) -> str:
        """The SQL with every slot replaced by what `fill` says."""
        return "".join(
            fill(part, self.slots[part]) if place % 2 else part for place, part in enumerate(self.parts)
        )

    def values(self, given: Mapping[str, Value]) -> dict[str, Any]:
        """A value for every slot: those given (key lists as Python lists), and those computed from them.

        Raises:
            SourceFailure: `failed`, when a value is missing or one cannot be computed.
        """
        plain: dict[str, Any] = {**self.fixed, **given}
        for name, value in given.items():
            if isinstance(value, pa.Array):
                plain[name] = value.to_pylist()
        if self.computed:
            wanted = {name for _, sql in self.computed for name in plain if f"${name}" in sql}
            plain |= evaluate(self.computed, {name: plain[name] for name in wanted})
        if missing := self.slots.keys() - plain.keys():
            raise SourceFailure("failed", f"no value for {', '.join(sorted(missing))}")
        return plain


class Catalogue:
    """What a source holds, found by name without regard to case, as DuckDB does."""

    def __init__(self, tables: Sequence[TableInfo]) -> None:
        self.tables = {table.name.lower(): table for table in tables}
        self.types = column_types(tuple(tables))

    def table(self, name: str) -> TableInfo:
        """Raises SourceFailure `changed` when the table is not there."""
        try:
            return self.tables[name.lower()]
        except KeyError:
            raise SourceFailure("changed", f"there is no table {name}") from None

    def column(self, table: str, name: str) -> str:
        """The column's own spelling. Raises SourceFailure `changed` when it is not there."""
        for column in self.table(table).columns:
            if column.name.lower() == name.lower():
                return column.name
        raise SourceFailure("changed", f"table {table} has no column {name}")

    def native(self, table: str, name: str) -> str:
        """The column's type as the source calls it."""
        return next(c.native_type for c in self.table(table).columns if c.name.lower() == name.lower())


_COMPARISONS = {exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="}
_ORDERED = (exp.LT, exp.LTE, exp.GT, exp.GTE)


class Writer:
    """Writes one query. Subclasses say what their database does differently.

    Args:
        catalogue: what the source holds.
        query: the tree, qualified; it is read and not changed.
        parameters: DuckDB type per parameter.
    """

    quote: ClassVar[str] = '"'

    def __init__(self, catalogue: Catalogue, query: exp.Expression, parameters: Mapping[str, str]) -> None:
        self.catalogue, self.query, self.parameters = catalogue, query, parameters
        self.typing = Typing(query, catalogue.types, parameters)
        self._slots: dict[str, Slot] = {}
        self._fixed: dict[str, Scalar] = {}
        self._computed: list[tuple[str, str]] = []
        self._names: dict[str, str] = {}

    def written(self) -> Written:
        """The whole query.

        Raises:
            Unwritable: some part has no meaning-preserving form here.
            SourceFailure: `changed`, a table or column is not there.
        """
        if odd := unexpected(self.query):
            raise Unwritable(", ".join(odd))
        sql = self.select(self.query)
        return Written(tuple(sql.split("\0")), self._slots, self._fixed, tuple(self._computed))

    # ---- queries

    def select(self, query: exp.Expression) -> str:
        """A SELECT, a set operation, or one of these between parentheses."""
        if isinstance(query, exp.Subquery):
            return f"({self.select(query.this)})"
        ctes = self._ctes(query)
        if isinstance(query, exp.SetOperation):
            return ctes + self._set_operation(query)
        if not isinstance(query, exp.Select):
            raise Unwritable(type(query).__name__)
        return ctes + " ".join(part for part in self._clauses(query) if part)

    def _ctes(self, query: exp.Expression) -> str:
        with_ = query.args.get("with_")
        if not with_:
            return ""
        if with_.args.get("recursive"):
            raise Unwritable("WITH RECURSIVE")
        return (
            "WITH "
            + ", ".join(f"{self.alias(cte)} AS ({self.select(cte.this)})" for cte in with_.expressions)
            + " "
        )

    def _set_operation(self, query: exp.SetOperation) -> str:
        words = {exp.Union: "UNION", exp.Intersect: "INTERSECT", exp.Except: "EXCEPT"}
        if query.args.get("order") or query.args.get("limit") or query.args.get("by_name"):
            raise Unwritable("ORDER BY or LIMIT on a set operation")
        every = "" if query.args.get("distinct") else " ALL"
        return f"{self.select(query.left)} {words[type(query)]}{every} {self.select(query.right)}"

    def _clauses(self, query: exp.Select) -> Iterator[str]:
        distinct = query.args.get("distinct")
        if distinct and distinct.args.get("on"):
            raise Unwritable("DISTINCT ON")
        yield "SELECT DISTINCT" if distinct else "SELECT"
        yield self.projected(query)
        if from_ := query.args.get("from_"):
            yield "FROM " + self.source(from_.this)
        yield from (self.join(join) for join in query.args.get("joins") or ())
        if where := query.args.get("where"):
            yield "WHERE " + self.condition(where.this)
        if group := query.args.get("group"):
            yield "GROUP BY " + self.grouping(group, query)
        if having := query.args.get("having"):
            yield "HAVING " + self.expression(having.this)
        if order := query.args.get("order"):
            yield "ORDER BY " + ", ".join(self.ordered(item, query) for item in order.expressions)
        for name, word in (("limit", "LIMIT"), ("offset", "OFFSET")):
            if bound := query.args.get(name):
                yield f"{word} {self.expression(bound.expression)}"

    def projected(self, query: exp.Select) -> str:
        """The SELECT list."""
        return ", ".join(self.projection(item, query) for item in query.selects)

    def projection(self, item: exp.Expression, query: exp.Select) -> str:
        """One column of the answer, with its name."""
        name = item.alias_or_name or f"c{query.selects.index(item)}"
        return f"{self.output(item.unalias(), query)} AS {self.identifier(name)}"

    def output(self, node: exp.Expression, query: exp.Select) -> str:
        """An expression in the SELECT list."""
        return self.expression(node)

    def source(self, node: exp.Expression) -> str:
        """A table or derived table with its alias."""
        if isinstance(node, exp.Subquery):
            return f"({self.select(node.this)}) AS {self.alias(node)}"
        if not isinstance(node, exp.Table):
            raise Unwritable(type(node).__name__)
        if self.typing.is_cte(node):
            return f"{self.identifier(node.name)} AS {self.identifier(node.alias_or_name)}"
        return f"{self.table(table_name(node))} AS {self.identifier(node.alias_or_name)}"

    def table(self, name: str) -> str:
        """A table by its own name: `name` or `schema.name`."""
        return self.identifier(self.catalogue.table(name).name)

    def alias(self, node: exp.Expression) -> str:
        """The alias of a derived table, with its column names where it has them."""
        columns = node.alias_column_names
        listed = f"({', '.join(self.identifier(name) for name in columns)})" if columns else ""
        return self.identifier(node.alias) + listed

    def join(self, join: exp.Join) -> str:
        """An inner, left, right, full or cross join with ON."""
        words = " ".join(filter(None, (join.side, join.kind))).upper()
        if words not in {
            "",
            "INNER",
            "LEFT",
            "RIGHT",
            "FULL",
            "CROSS",
            "LEFT OUTER",
            "RIGHT OUTER",
            "FULL OUTER",
        }:
            raise Unwritable(f"{words} JOIN")
        if join.args.get("using") or join.method:
            raise Unwritable("JOIN USING")
        on = join.args.get("on")
        if on is None:
            return f"CROSS JOIN {self.source(join.this)}"
        return f"{words} JOIN {self.source(join.this)} ON {self.condition(on)}".strip()

    def grouping(self, group: exp.Group, query: exp.Select) -> str:
        """GROUP BY over expressions, positions, or ALL."""
        if any(group.args.get(name) for name in ("rollup", "cube", "grouping_sets", "totals")):
            raise Unwritable("ROLLUP, CUBE or GROUPING SETS")
        if group.args.get("all"):
            plain = [item.unalias() for item in query.selects]
            items = [item for item in plain if item.find(exp.AggFunc) is None and not is_constant(item)]
        else:
            items = [self.resolve(item, query) for item in group.expressions]
        if not items:
            raise Unwritable("GROUP BY nothing")
        return ", ".join(self.expression(item) for item in items)

    def resolve(self, node: exp.Expression, query: exp.Select) -> exp.Expression:
        """What a position or an output name in GROUP BY or ORDER BY stands for."""
        if isinstance(node, exp.Literal) and not node.is_string:
            return query.selects[int(node.this) - 1].unalias()
        if isinstance(node, exp.Column) and not node.table:
            for item in query.selects:
                if item.alias_or_name.lower() == node.name.lower():
                    return item.unalias()
        return node

    def ordered(self, item: exp.Ordered, query: exp.Select) -> str:
        """One term of ORDER BY. DuckDB puts NULLs last, whichever the direction."""
        node = self.resolve(item.this, query)
        direction = " DESC" if item.args.get("desc") else ""
        nulls = " NULLS FIRST" if item.args.get("nulls_first") else " NULLS LAST"
        return self.comparable(node) + direction + nulls

    # ---- expressions

    def condition(self, node: exp.Expression) -> str:
        """A WHERE or ON condition: its top-level conjuncts may use an index."""
        if isinstance(node, exp.And):
            return f"{self.condition(node.left)} AND {self.condition(node.right)}"
        if isinstance(node, exp.Paren) and isinstance(node.this, exp.And | exp.EQ | exp.In):
            return f"({self.condition(node.this)})"
        return self.conjunct(node)

    def conjunct(self, node: exp.Expression) -> str:
        """One top-level conjunct."""
        return self._bracket(node)

    def _bracket(self, node: exp.Expression) -> str:
        sql = self.expression(node)
        return f"({sql})" if isinstance(node, exp.Or) else sql

    def expression(self, node: exp.Expression) -> str:
        """Any expression. What holds no column is computed by DuckDB and becomes a value."""
        if is_constant(node) and not is_simple(node):
            return self._compute(node)
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise Unwritable(type(node).__name__)
        sql: str = method(node)
        return sql

    def comparable(self, node: exp.Expression) -> str:
        """An expression whose order matters: text goes by its UTF-8 bytes."""
        return self.expression(node)

    def _compute(self, node: exp.Expression) -> str:
        kind = constant_type(node, self.parameters)
        if kind is None:
            raise Unwritable(f"constant {type(node).__name__}")
        sql = node.sql(dialect="duckdb")
        name = self._names.setdefault(sql, f"computed{len(self._names)}")
        if name not in self._slots:
            if node.find(exp.Placeholder):
                self._computed.append((name, sql))
            else:
                self._fixed |= evaluate([(name, sql)], {})
        return self.slot(name, Slot(kind))

    def slot(self, name: str, slot: Slot) -> str:
        """A place for a value."""
        self._slots[name] = slot
        return f"\0{name}\0"

    def identifier(self, name: str) -> str:
        """A quoted name."""
        if "\0" in name:
            raise Unwritable("name with a NUL")
        return self.quote + name.replace(self.quote, self.quote * 2) + self.quote

    def _column(self, node: exp.Column) -> str:
        return self.raw_column(node)

    def raw_column(self, node: exp.Column) -> str:
        """The bare column."""
        base = self.typing.base(node)
        name = self.catalogue.column(*base) if base else node.name
        return f"{self.identifier(node.table)}.{self.identifier(name)}"

    def _placeholder(self, node: exp.Placeholder) -> str:
        if node.name not in self.parameters:
            raise Unwritable(f"parameter {node.name} without a type")
        return self.slot(node.name, Slot(self.parameters[node.name]))

    def _literal(self, node: exp.Literal) -> str:
        if not node.is_string:
            return str(node.this)
        name = self._names.setdefault(f"'{node.this}", f"text{len(self._names)}")
        self._fixed[name] = str(node.this)
        return self.slot(name, Slot("VARCHAR"))

    def _null(self, node: exp.Null) -> str:
        return "NULL"

    def _boolean(self, node: exp.Boolean) -> str:
        return "TRUE" if node.this else "FALSE"

    def _paren(self, node: exp.Paren) -> str:
        return f"({self.expression(node.this)})"

    def _subquery(self, node: exp.Subquery) -> str:
        return f"({self.select(node.this)})"

    def _and(self, node: exp.And) -> str:
        return f"{self._bracket(node.left)} AND {self._bracket(node.right)}"

    def _or(self, node: exp.Or) -> str:
        return f"{self.expression(node.left)} OR {self.expression(node.right)}"

    def _not(self, node: exp.Not) -> str:
        return f"NOT ({self.expression(node.this)})"

    def _comparison(self, node: exp.Expression) -> str:
        form = self.comparable if isinstance(node, _ORDERED) else self.expression
        return f"{form(node.left)} {_COMPARISONS[type(node)]} {form(node.right)}"

    _neq = _lt = _lte = _gt = _gte = _comparison

    def _eq(self, node: exp.EQ) -> str:
        if isinstance(node.right, exp.Any):
            return self.keylist(self.expression(node.left), node)
        return self._comparison(node)

    def keylist(self, left: str, node: exp.EQ) -> str:
        """`column = ANY($keys)`, over a written left side."""
        raise Unwritable("ANY")

    def key_slot(self, node: exp.EQ) -> str:
        """The slot of a key list."""
        inner = node.right.this
        place = inner.this if isinstance(inner, exp.Paren) else inner
        if not isinstance(place, exp.Placeholder) or place.name not in self.parameters:
            raise Unwritable("ANY over something else than a parameter")
        return self.slot(place.name, Slot(self.parameters[place.name], many=True))

    def _nullsafeeq(self, node: exp.NullSafeEQ) -> str:
        return f"{self.expression(node.left)} IS NOT DISTINCT FROM {self.expression(node.right)}"

    def _nullsafeneq(self, node: exp.NullSafeNEQ) -> str:
        return f"{self.expression(node.left)} IS DISTINCT FROM {self.expression(node.right)}"

    def _is(self, node: exp.Is) -> str:
        is_ = "IS NOT" if node.args.get("negate") else "IS"
        return f"{self._operand(node.left)} {is_} {self.expression(node.right)}"

    def _between(self, node: exp.Between) -> str:
        low, high = self.comparable(node.args["low"]), self.comparable(node.args["high"])
        return f"{self.comparable(node.this)} BETWEEN {low} AND {high}"

    def _in(self, node: exp.In) -> str:
        if query := node.args.get("query"):
            return f"{self.expression(node.this)} IN {self._subquery(query)}"
        if node.args.get("unnest") or node.args.get("field") or not node.expressions:
            raise Unwritable("IN over something else than a list or a query")
        return f"{self.expression(node.this)} IN ({', '.join(self.expression(e) for e in node.expressions)})"

    def _exists(self, node: exp.Exists) -> str:
        return f"EXISTS ({self.select(node.this)})"

    def _like(self, node: exp.Like) -> str:
        return f"{self.expression(node.this)} {self.like(node)} {self.expression(node.expression)}"

    def like(self, node: exp.Like) -> str:
        """LIKE, or NOT LIKE: the parser writes the second as a flag of the first."""
        return "NOT LIKE" if node.args.get("negate") else "LIKE"

    def _operand(self, node: exp.Expression) -> str:
        """An operand of an arithmetic operator: brackets around what binds less tightly."""
        sql = self.expression(node)
        return f"({sql})" if isinstance(node, exp.Binary | exp.Neg) else sql

    def _arithmetic(self, node: exp.Binary, operator: str) -> str:
        return f"{self._operand(node.left)} {operator} {self._operand(node.right)}"

    def _add(self, node: exp.Add) -> str:
        return self._arithmetic(node, "+")

    def _sub(self, node: exp.Sub) -> str:
        return self._arithmetic(node, "-")

    def _mul(self, node: exp.Mul) -> str:
        return self._arithmetic(node, "*")

    def _nonzero(self, node: exp.Expression) -> str:
        # DuckDB: x // 0 and x % 0 are NULL.
        return f"NULLIF({self.expression(node)}, 0)"

    def _mod(self, node: exp.Mod) -> str:
        return f"{self._operand(node.left)} % {self._nonzero(node.right)}"

    def _intdiv(self, node: exp.IntDiv) -> str:
        return f"{self._operand(node.left)} / {self._nonzero(node.right)}"

    def _neg(self, node: exp.Neg) -> str:
        return f"-({self.expression(node.this)})"

    def _case(self, node: exp.Case) -> str:
        if node.this is not None:
            raise Unwritable("CASE with an operand")
        arms = " ".join(
            f"WHEN {self.expression(arm.this)} THEN {self.expression(arm.args['true'])}"
            for arm in node.args["ifs"]
        )
        default = node.args.get("default")
        otherwise = f" ELSE {self.expression(default)}" if default is not None else ""
        return f"CASE {arms}{otherwise} END"

    def _coalesce(self, node: exp.Coalesce) -> str:
        return f"COALESCE({', '.join(self.expression(e) for e in (node.this, *node.expressions))})"

    def _nullif(self, node: exp.Nullif) -> str:
        return f"NULLIF({self.expression(node.this)}, {self.expression(node.expression)})"

    def _length(self, node: exp.Length) -> str:
        return f"LENGTH({self.expression(node.this)})"

    def _substring(self, node: exp.Substring) -> str:
        parts = [node.this, node.args.get("start"), node.args.get("length")]
        return f"SUBSTR({', '.join(self.expression(part) for part in parts if part is not None)})"

    def _cast(self, node: exp.Cast) -> str:
        before, after = self.typing.of(node.this), self.typing.of(node)
        if not widens(before, after):
            raise Unwritable(f"CAST from {before} to {after}")
        return self.widened(self.expression(node.this), str(after))

    _trycast = _cast

    def widened(self, sql: str, kind: str) -> str:
        """An expression as a wider type, where that matters to what is computed with it."""
        return sql

    def _dpipe(self, node: exp.DPipe) -> str:
        return f"{self._operand(node.left)} || {self._operand(node.right)}"

    def _year(self, node: exp.Expression) -> str:
        return self.extract("YEAR", node.this)

    def _month(self, node: exp.Expression) -> str:
        return self.extract("MONTH", node.this)

    def _day(self, node: exp.Expression) -> str:
        return self.extract("DAY", node.this)

    def _extract(self, node: exp.Extract) -> str:
        part = node.name.upper()
        if part not in {"YEAR", "MONTH", "DAY"}:
            raise Unwritable(f"EXTRACT({part})")
        return self.extract(part, node.expression)

    def extract(self, part: str, node: exp.Expression) -> str:
        """Year, month or day of a date, as a whole number."""
        return f"CAST(EXTRACT({part} FROM {self.expression(node)}) AS BIGINT)"

    # ---- aggregates

    def _filter(self, node: exp.Filter) -> str:
        return f"{self.expression(node.this)} FILTER (WHERE {self.expression(node.expression.this)})"

    def _count(self, node: exp.Count) -> str:
        return f"COUNT({self.counted(node.this)})"

    def counted(self, node: exp.Expression) -> str:
        """What a COUNT goes over."""
        if isinstance(node, exp.Star):
            return "*"
        if isinstance(node, exp.Distinct):
            if len(node.expressions) != 1:
                raise Unwritable("COUNT(DISTINCT) of several columns")
            return f"DISTINCT {self.expression(node.expressions[0])}"
        return self.expression(node)

    def _sum(self, node: exp.Sum) -> str:
        return f"SUM({self.expression(node.this)})"

    def _avg(self, node: exp.Avg) -> str:
        inner = self.expression(node.this)
        return f"CAST(SUM({inner}) AS DOUBLE PRECISION) / NULLIF(COUNT({inner}), 0)"

    def _min(self, node: exp.Min) -> str:
        return f"MIN({self.comparable(node.this)})"

    def _max(self, node: exp.Max) -> str:
        return f"MAX({self.comparable(node.this)})"


def conjuncts(query: exp.Expression) -> Iterator[exp.Expression]:
    """The top-level conjuncts of a SELECT's WHERE."""
    where = query.args.get("where") if isinstance(query, exp.Select) else None
    waiting = [where.this] if where else []
    while waiting:
        node = waiting.pop()
        if isinstance(node, exp.And):
            waiting += [node.right, node.left]
        elif isinstance(node, exp.Paren):
            waiting.append(node.this)
        else:
            yield node


def places(query: exp.Query, typing: Typing) -> tuple[list[str], list[tuple[str, str] | None]]:
    """For each column of the answer where it comes from, in words; and as (table, column) where it is one."""
    first = query
    while isinstance(first, exp.SetOperation | exp.Subquery):
        first = first.this
    bases = [
        typing.base(item.unalias()) if isinstance(item.unalias(), exp.Column) else None
        for item in first.selects
    ]
    words = [".".join(base) if base else name for base, name in zip(bases, output_names(first), strict=True)]
    return words, bases


def key_indexes(bases: Sequence[tuple[str, str] | None], catalogue: Catalogue) -> list[int]:
    """Which columns of the answer are keys of the tables they come from."""
    return [
        index
        for index, base in enumerate(bases)
        if base and base[1] in {key.lower() for key in catalogue.table(base[0]).key}
    ]

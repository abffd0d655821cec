"""Which SELECTs mean the same at a source as in DuckDB 1.5: a table per dialect of what has been proved, nothing else.

Proved means: `sources` writes it in a form that gives DuckDB's answer for every value, and a contract test compares the
two on real servers over awkward values (NULL, empty and padded text, accents, case, negative division, large
numbers, decimals, dates). What is not in these tables is computed above the source. When in doubt: not pushable.

Two liberties remain, which DuckDB takes too: LIMIT without a total ORDER BY may choose any of the rows that qualify, and
an average may differ in the last bit of its double, which is why it is let through as a column of the answer
only. DuckDB fails where a whole number overflows its type; a source may then still give the right answer.

Longer than most modules: one rule per kind of node, which read best side by side.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from sqlglot import exp

from sluis.sources import (
    Types,
    Typing,
    decimal_parts,
    family,
    is_constant,
    is_plain,
    is_simple,
    unexpected,
    widens,
)


class _Proved(NamedTuple):
    """What one dialect has been proved to do as DuckDB does.

    Families of types are those of `sources.family`; nodes are sqlglot's.
    """

    compared: frozenset[str]
    """Families whose values may be compared, ordered and grouped."""
    nodes: frozenset[type]
    """Scalar expressions and predicates over columns."""
    summed: frozenset[str]
    """Families that SUM and AVG take."""
    joins: frozenset[str]
    """Sides a JOIN may have."""
    decimal_digits: int
    """Digits up to which a decimal is exact there."""
    date_with_timestamp: bool
    """Whether a date may be compared with a timestamp."""


_LOGIC = frozenset({exp.And, exp.Or, exp.Not, exp.Paren, exp.Is, exp.Case, exp.Coalesce, exp.Nullif})
_COMPARISON = frozenset(
    {
        exp.EQ,
        exp.NEQ,
        exp.LT,
        exp.LTE,
        exp.GT,
        exp.GTE,
        exp.Between,
        exp.In,
        exp.NullSafeEQ,
        exp.NullSafeNEQ,
        exp.Exists,
    }
)
_CALENDAR = frozenset({exp.Extract, exp.Year, exp.Month, exp.Day})
_TEXT = frozenset({exp.Like, exp.Length, exp.Substring, exp.DPipe})
_NUMBERS = frozenset({exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.IntDiv, exp.Neg, exp.Cast, exp.TryCast})
_FAMILIES = frozenset({"text", "integer", "decimal", "double", "boolean", "date", "timestamp"})

_TABLES: dict[str, _Proved] = {
    "postgres": _Proved(
        compared=_FAMILIES,
        nodes=_LOGIC | _COMPARISON | _CALENDAR | _TEXT | _NUMBERS,
        summed=frozenset({"integer", "decimal"}),
        joins=frozenset({"", "LEFT", "RIGHT", "FULL"}),
        decimal_digits=38,
        date_with_timestamp=True,
    ),
    "mysql": _Proved(
        compared=_FAMILIES,
        nodes=_LOGIC | _COMPARISON | _CALENDAR | _TEXT | _NUMBERS,
        summed=frozenset({"integer", "decimal"}),
        joins=frozenset({"", "LEFT", "RIGHT"}),
        decimal_digits=38,
        date_with_timestamp=True,
    ),
    # SQLite: arithmetic turns to doubles when it overflows, text functions stop at a NUL, decimals are doubles,
    # timestamps are text of several forms.
    "sqlite": _Proved(
        compared=_FAMILIES - {"timestamp"},
        nodes=_LOGIC | _COMPARISON | _CALENDAR,
        summed=frozenset({"integer"}),
        joins=frozenset({"", "LEFT"}),
        decimal_digits=15,
        date_with_timestamp=False,
    ),
}

_AGGREGATES = (exp.Count, exp.Sum, exp.Min, exp.Max, exp.Avg)


def pushable(
    query: exp.Query, dialect: str | None, types: Types, parameters: Mapping[str, str] | None = None
) -> bool:
    """Whether a whole query gives DuckDB's answer when its source computes it; arguments as `obstacles`, which says why not."""
    return not obstacles(query, dialect, types, parameters)


def obstacles(
    query: exp.Query, dialect: str | None, types: Types, parameters: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """What stands in the way of pushing a query down; empty when nothing does.

    Args:
        query: a qualified SELECT or UNION over tables of one source, in DuckDB dialect; it is not changed.
        dialect: that source's `dialect`.
        types: DuckDB type per column per table, as the source itself gives them (`sources.column_types`).
        parameters: DuckDB type per parameter; of the elements, for a key list.

    Returns:
        short texts in English that name nodes and columns, never values.
    """
    if dialect == "duckdb":
        return ()
    if dialect is None:
        return () if is_plain(query) else ("more than columns, equality and key lists of one table",)
    if dialect not in _TABLES:
        return (f"nothing is proved for {dialect}",)
    proof = _Proof(query, dialect, types, parameters or {})
    return tuple(dict.fromkeys([*unexpected(query), *proof.query(query, outermost=True)]))


class _Proof:
    """Walks one query and yields what is not proved."""

    def __init__(
        self, tree: exp.Expression, dialect: str, types: Types, parameters: Mapping[str, str]
    ) -> None:
        self.proved, self.dialect = _TABLES[dialect], dialect
        self.typing = Typing(tree, types, parameters)

    # ---- queries

    def query(self, query: exp.Expression, *, outermost: bool = False) -> Iterator[str]:
        if isinstance(query, exp.Subquery):
            yield from self.query(query.this)
        elif isinstance(query, exp.Union):
            yield from self._union(query)
        elif isinstance(query, exp.Select):
            yield from self._ctes(query)
            yield from self._select(query, outermost=outermost)
        else:
            yield type(query).__name__

    def _ctes(self, query: exp.Expression) -> Iterator[str]:
        with_ = query.args.get("with_")
        if with_ and with_.args.get("recursive"):
            yield "WITH RECURSIVE"
        for cte in with_.expressions if with_ else ():
            yield from self.query(cte.this)

    def _union(self, query: exp.Union) -> Iterator[str]:
        yield from self._ctes(query)
        if any(query.args.get(name) for name in ("order", "limit", "offset", "by_name")):
            yield "ORDER BY or LIMIT on a UNION"
        if not isinstance(query.right, exp.Select):
            yield "nested set operation"
        if isinstance(query.left, exp.Union):
            if bool(query.left.args.get("distinct")) != bool(query.args.get("distinct")):
                yield "UNION mixed with UNION ALL"
            yield from self._union(query.left)
        else:
            yield from self.query(query.left)
        yield from self.query(query.right)
        left, right = self.typing.outputs(query.left), self.typing.outputs(query.right)
        if len(left) != len(right) or any(one != other for one, other in zip(left, right, strict=False)):
            yield "UNION of different types"
        if query.args.get("distinct") and not all(self._groups(kind) for kind in left):
            yield "UNION over a type that is not compared"

    def _select(self, query: exp.Select, *, outermost: bool) -> Iterator[str]:
        if not query.args.get("from_"):
            yield "SELECT without FROM"
            return
        yield from self._from(query)
        if where := query.args.get("where"):
            yield from self.predicate(where.this)
        yield from self._grouping(query)
        distinct = query.args.get("distinct")
        if distinct and distinct.args.get("on"):
            yield "DISTINCT ON"
        for item in query.selects:
            yield from self._projection(item.unalias(), top=outermost and not distinct)
            if distinct and not self._groups(self.typing.of(item)):
                yield f"DISTINCT over {_named(item)}"
        if having := query.args.get("having"):
            yield from self.predicate(having.this)
        yield from self._order(query)
        for name in ("limit", "offset"):
            if (bound := query.args.get(name)) and not isinstance(bound.expression, exp.Literal):
                yield f"{name.upper()} that is no number"

    def _from(self, query: exp.Select) -> Iterator[str]:
        joins = query.args.get("joins") or ()
        for source in (query.args["from_"].this, *(join.this for join in joins)):
            if isinstance(source, exp.Subquery):
                yield from self._derived(source)
            elif not isinstance(source, exp.Table):
                yield type(source).__name__
        for join in joins:
            if join.side not in self.proved.joins or join.kind not in {"", "INNER", "OUTER", "CROSS"}:
                yield f"{join.side} {join.kind} JOIN".strip()
            if join.method or join.args.get("using"):
                yield "JOIN without ON"
            if (on := join.args.get("on")) is not None:
                yield from self.predicate(on)

    def _derived(self, source: exp.Subquery) -> Iterator[str]:
        if source.alias_column_names:
            yield "derived table that names its columns"
        inside = {table.alias_or_name.lower() for table in source.this.find_all(exp.Table)}
        inside |= {sub.alias.lower() for sub in source.this.find_all(exp.Subquery) if sub.alias}
        if any(
            column.table.lower() not in inside for column in source.this.find_all(exp.Column) if column.table
        ):
            yield "lateral derived table"
        yield from self.query(source.this)

    def _grouping(self, query: exp.Select) -> Iterator[str]:
        group = query.args.get("group")
        if group and (odd := sorted(n for n, v in group.args.items() if v and n != "expressions")):
            yield f"GROUP BY {odd[0].upper()}"
        keys = list(group.expressions) if group else []
        for key in keys:
            if is_constant(key):
                yield "GROUP BY a constant"
            elif not self._groups(self.typing.of(key)):
                yield f"GROUP BY {_named(key)}"
            else:
                yield from self.scalar(key)
        parts = [item.unalias() for item in query.selects]
        parts += [part.this for name in ("having",) if (part := query.args.get(name))]
        if order := query.args.get("order"):
            parts += [item.this for item in order.expressions]
        if keys or any(_aggregates(part) for part in parts):
            names = {item.alias.lower() for item in query.selects if item.alias}
            for part in parts:
                yield from self._grouped(part, keys, names)

    def _grouped(self, node: exp.Expression, keys: list[exp.Expression], names: set[str]) -> Iterator[str]:
        """DuckDB refuses a column that is neither grouped nor aggregated; MariaDB and SQLite pick a value."""
        if node in keys or isinstance(node, exp.AggFunc):
            return
        if isinstance(node, exp.Column):
            if node.table or node.name.lower() not in names:
                yield f"{_named(node)} is not grouped"
            return
        if isinstance(node, exp.Query):
            return
        for child in node.iter_expressions():
            yield from self._grouped(child, keys, names)

    def _projection(self, node: exp.Expression, *, top: bool) -> Iterator[str]:
        if isinstance(node, exp.Column):
            return  # whatever its type: it is handed on as it is
        if isinstance(node, exp.Avg):
            if not top:
                yield "AVG that is computed with"
            if self.typing.family(node.this) not in self.proved.summed:
                yield f"AVG of {_named(node.this)}"
            yield from self.scalar(node.this)
            return
        if self.typing.family(node) is None and self.typing.of(node) != "":
            yield f"{type(node).__name__} of unknown type"
        yield from self.scalar(node)

    def _order(self, query: exp.Select) -> Iterator[str]:
        order = query.args.get("order")
        if not order:
            return
        if query.args.get("distinct"):
            yield "ORDER BY with DISTINCT"
        outputs = {item.alias_or_name.lower(): item.unalias() for item in query.selects}
        for item in order.expressions:
            node = item.this
            if isinstance(node, exp.Column) and not node.table:
                node = outputs.get(node.name.lower(), node)
            elif isinstance(node, exp.Literal) and not node.is_string:
                node = query.selects[int(node.this) - 1].unalias()
            if is_constant(node) or not self._groups(self.typing.of(node)):
                yield f"ORDER BY {_named(node)}"
            if isinstance(node, exp.Avg):
                yield "AVG that is computed with"
            yield from self.scalar(node)

    def _groups(self, kind: str | None) -> bool:
        """Whether values of a type may be grouped, ordered and told apart. Doubles not: -0 and NaN."""
        which = family(kind)
        return which in self.proved.compared and which != "double" and self._digits(kind)

    def _digits(self, kind: str | None) -> bool:
        return family(kind) != "decimal" or decimal_parts(kind or "")[0] <= self.proved.decimal_digits

    # ---- expressions

    def predicate(self, node: exp.Expression) -> Iterator[str]:
        """A condition: of type BOOLEAN, and proved."""
        if self.typing.family(node) != "boolean" and self.typing.of(node) != "":
            yield f"{_named(node)} as a condition"
        yield from self.scalar(node)

    def scalar(self, node: exp.Expression) -> Iterator[str]:
        """Any expression inside a query."""
        if is_constant(node):
            # DuckDB computes it; the source gets the value.
            if not is_simple(node) and self.typing.of(node) is None:
                yield f"constant {type(node).__name__}"
            return
        if isinstance(node, exp.Column):
            if self.typing.of(node) is None:
                yield f"{_named(node)} of unknown type"
            return
        if isinstance(node, exp.Subquery):
            yield from self._scalar_subquery(node)
            return
        if isinstance(node, exp.AggFunc | exp.Filter):
            yield from self._aggregate(node)
            return
        if type(node) not in self.proved.nodes:
            yield f"{type(node).__name__} on {self.dialect}"
            return
        yield from _RULES.get(type(node), _Proof._operands)(self, node)

    def _operands(self, node: exp.Expression) -> Iterator[str]:
        for child in node.iter_expressions():
            yield from self.scalar(child)

    def _scalar_subquery(self, node: exp.Subquery) -> Iterator[str]:
        """One value for sure: DuckDB fails on two rows, SQLite takes the first."""
        query = node.this
        single = isinstance(query, exp.Select) and not query.args.get("group") and len(query.selects) == 1
        if not single or not _aggregates(query.selects[0]):
            yield "subquery that may give several rows"
        yield from self.query(query)

    def _aggregate(self, node: exp.Expression) -> Iterator[str]:
        if isinstance(node, exp.Filter):
            yield from self.predicate(node.expression.this)
            if self.dialect == "mysql" and isinstance(node.this.this, exp.Distinct):
                yield "FILTER on a DISTINCT aggregate"
            if isinstance(node.this, exp.Avg):
                yield "FILTER on AVG"
            node = node.this
        if not isinstance(node, _AGGREGATES):
            yield f"{type(node).__name__} on {self.dialect}"
            return
        inner = node.this
        if isinstance(node, exp.Avg):
            yield "AVG that is computed with"
        elif isinstance(inner, exp.Distinct):
            yield from self._distinct(node, inner)
            return
        elif isinstance(node, exp.Sum) and self.typing.family(inner) not in self.proved.summed:
            yield f"SUM of {_named(inner)}"
        elif isinstance(node, exp.Min | exp.Max) and (
            self.typing.family(inner) in {None, "boolean"} or not self._digits(self.typing.of(inner))
        ):
            yield f"{type(node).__name__.upper()} of {_named(inner)}"
        if isinstance(node, exp.Min | exp.Max) and self.typing.family(inner) not in self.proved.compared:
            yield f"{type(node).__name__.upper()} of {_named(inner)}"
        if node.expressions:
            yield f"{type(node).__name__.upper()} with more arguments"
        if not isinstance(inner, exp.Star):
            yield from self._counted(node, inner)

    def _counted(self, node: exp.Expression, inner: exp.Expression) -> Iterator[str]:
        # COUNT(column) only asks whether it is NULL: any type will do.
        if not (isinstance(node, exp.Count) and isinstance(inner, exp.Column)):
            yield from self.scalar(inner)

    def _distinct(self, node: exp.Expression, distinct: exp.Distinct) -> Iterator[str]:
        if not isinstance(node, exp.Count) or len(distinct.expressions) != 1:
            yield f"{type(node).__name__.upper()} DISTINCT"
        for inner in distinct.expressions:
            if not self._groups(self.typing.of(inner)):
                yield f"DISTINCT over {_named(inner)}"
            yield from self.scalar(inner)

    # ---- rules that ask more than proved operands

    def _alike(self, node: exp.Expression, sides: list[exp.Expression]) -> Iterator[str]:
        """Both sides of one family (or a mix that compares alike everywhere), which the dialect compares."""
        kinds = [kind for side in sides if (kind := self.typing.of(side)) != ""]
        families = {family(kind) for kind in kinds}
        if not families <= self.proved.compared or not all(map(self._digits, kinds)):
            yield f"comparison of {', '.join(sorted(str(kind) for kind in kinds))}"
        elif len(families) > 1 and not self._mixes(families, sides):
            yield f"comparison of {' with '.join(sorted(map(str, families)))}"
        for side in sides:
            yield from self.scalar(side)

    def _mixes(self, families: set[str | None], sides: list[exp.Expression]) -> bool:
        if families == {"integer", "decimal"}:
            return True
        if families == {"date", "timestamp"}:
            return self.proved.date_with_timestamp
        if "double" in families and families <= {"double", "integer", "decimal"}:
            # A constant of at most fifteen digits is the same number as a double.
            others = [side for side in sides if self.typing.family(side) != "double"]
            kinds = [self.typing.of(side) or "" for side in others]
            return all(map(is_constant, others)) and all(
                kind in {"", "TINYINT", "SMALLINT", "INTEGER"}
                or (family(kind) == "decimal" and decimal_parts(kind)[0] <= 15)
                for kind in kinds
            )
        return False

    def _comparison(self, node: exp.Expression) -> Iterator[str]:
        if isinstance(node.right, exp.Any):
            if not isinstance(node, exp.EQ) or not isinstance(node.right.this.unnest(), exp.Placeholder):
                yield "ANY over something else than a key list"
                return
            yield from self._alike(node, [node.left, node.right.this.unnest()])
            return
        yield from self._alike(node, [node.left, node.right])

    def _between(self, node: exp.Between) -> Iterator[str]:
        if node.args.get("symmetric"):
            yield "BETWEEN SYMMETRIC"
        yield from self._alike(node, [node.this, node.args["low"], node.args["high"]])

    def _in(self, node: exp.In) -> Iterator[str]:
        query = node.args.get("query")
        if query is None:
            if not node.expressions or not all(map(is_constant, node.expressions)):
                yield "IN over something else than constants"
            yield from self._alike(node, [node.this, *node.expressions])
            return
        if isinstance(node.this, exp.Tuple):
            yield "IN over several columns"
            return
        inner = query.this if isinstance(query, exp.Subquery) else query
        yield from self.query(inner)
        outputs = self.typing.outputs(inner)
        same = {family(kind) for kind in outputs} | {self.typing.family(node.this)}
        if (
            len(outputs) != 1
            or len(same) != 1
            or not self._groups(outputs[0])
            or not self._groups(self.typing.of(node.this))
        ):
            yield "IN over another type"
        yield from self.scalar(node.this)

    def _exists(self, node: exp.Exists) -> Iterator[str]:
        # DuckDB 1.5.5 makes a mark join of EXISTS anywhere else, which answers TRUE where a correlated `<>` meets NULL.
        above = node.parent
        while isinstance(above, exp.And | exp.Not | exp.Paren):
            above = above.parent
        if above is not None and not isinstance(above, exp.Where):
            yield "EXISTS that is no conjunct"
        yield from self.query(node.this.this if isinstance(node.this, exp.Subquery) else node.this)

    def _logic(self, node: exp.Expression) -> Iterator[str]:
        for child in node.iter_expressions():
            yield from self.predicate(child)

    def _is(self, node: exp.Is) -> Iterator[str]:
        if isinstance(node.right, exp.Null):
            if not isinstance(node.left, exp.Column):
                yield from self.scalar(node.left)
            return
        if not isinstance(node.right, exp.Boolean):
            yield "IS with something else than NULL, TRUE or FALSE"
        yield from self.predicate(node.left)

    def _case(self, node: exp.Case) -> Iterator[str]:
        if node.this is not None:
            yield "CASE with an operand"
        results = [arm.args["true"] for arm in node.args["ifs"]]
        if (default := node.args.get("default")) is not None:
            results.append(default)
        yield from self._one_type(results)
        for arm in node.args["ifs"]:
            yield from self.predicate(arm.this)

    def _one_type(self, results: list[exp.Expression]) -> Iterator[str]:
        kinds = [kind for result in results if (kind := self.typing.of(result)) != ""]
        families = {family(kind) for kind in kinds}
        numbers = families <= {"integer", "decimal"} and self.dialect != "sqlite"
        if None in families or (len(families) > 1 and not numbers) or not all(map(self._digits, kinds)):
            yield "results of different types"
        for result in results:
            yield from self.scalar(result)

    def _coalesce(self, node: exp.Coalesce) -> Iterator[str]:
        yield from self._one_type([node.this, *node.expressions])

    def _nullif(self, node: exp.Nullif) -> Iterator[str]:
        yield from self._alike(node, [node.this, node.expression])

    def _arithmetic(self, node: exp.Expression) -> Iterator[str]:
        kinds = [self.typing.of(side) or "" for side in (node.left, node.right)]
        allowed = {"integer"} if isinstance(node, exp.Mod | exp.IntDiv) else {"integer", "decimal"}
        if not {family(kind) for kind in kinds} <= allowed or any(kind.startswith("U") for kind in kinds):
            yield f"{type(node).__name__} of {', '.join(kinds)}"
        elif isinstance(node, exp.Mod | exp.IntDiv) and "HUGEINT" in kinds:
            yield f"{type(node).__name__} of HUGEINT"
        elif (kind := self.typing.of(node)) is None or (
            family(kind) == "decimal" and decimal_parts(kind)[1] > 30
        ):
            yield f"{type(node).__name__} with too many decimals"
        yield from self._operands(node)

    def _neg(self, node: exp.Neg) -> Iterator[str]:
        kind = self.typing.of(node.this) or ""
        if family(kind) not in {"integer", "decimal"} or kind.startswith("U"):
            yield f"negation of {kind}"
        yield from self.scalar(node.this)

    def _cast(self, node: exp.Cast) -> Iterator[str]:
        if not widens(self.typing.of(node.this), self.typing.of(node)):
            yield f"CAST to {self.typing.of(node)}"
        yield from self.scalar(node.this)

    def _calendar(self, node: exp.Expression) -> Iterator[str]:
        if isinstance(node, exp.Extract) and node.name.upper() not in {"YEAR", "MONTH", "DAY"}:
            yield f"EXTRACT({node.name.upper()})"
        inner = node.expression if isinstance(node, exp.Extract) else node.this
        if self.typing.family(inner) != "date":
            yield f"date part of {self.typing.of(inner)}"
        yield from self.scalar(inner)

    def _texts(self, node: exp.Expression) -> Iterator[str]:
        sides = [node.left, node.right] if isinstance(node, exp.DPipe) else [node.this]
        if any(self.typing.family(side) != "text" for side in sides):
            yield f"{type(node).__name__} of something else than text"
        for side in sides:
            yield from self.scalar(side)

    def _like(self, node: exp.Like) -> Iterator[str]:
        if not is_constant(node.expression) or self.typing.family(node.expression) != "text":
            yield "LIKE with a pattern that is no constant"
        yield from self._texts(node)

    def _substring(self, node: exp.Substring) -> Iterator[str]:
        for name, least in (("start", 1), ("length", 0)):
            bound = node.args.get(name)
            if bound is None and name == "length":
                continue
            if not isinstance(bound, exp.Literal) or bound.is_string or int(bound.this) < least:
                yield f"SUBSTRING whose {name} is no number from {least}"
        yield from self._texts(node)


_Rule = Callable[[_Proof, exp.Expression], Iterator[str]]

_RULES: dict[type, _Rule] = {
    **dict.fromkeys((exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE), _Proof._comparison),
    **dict.fromkeys((exp.NullSafeEQ, exp.NullSafeNEQ), _Proof._comparison),
    **dict.fromkeys((exp.And, exp.Or, exp.Not), _Proof._logic),
    **dict.fromkeys((exp.Add, exp.Sub, exp.Mul, exp.Mod, exp.IntDiv), _Proof._arithmetic),
    **dict.fromkeys((exp.Cast, exp.TryCast), _Proof._cast),
    **dict.fromkeys((exp.Extract, exp.Year, exp.Month, exp.Day), _Proof._calendar),
    **dict.fromkeys((exp.Length, exp.DPipe), _Proof._texts),
    exp.Between: _Proof._between,
    exp.In: _Proof._in,
    exp.Exists: _Proof._exists,
    exp.Is: _Proof._is,
    exp.Case: _Proof._case,
    exp.Coalesce: _Proof._coalesce,
    exp.Nullif: _Proof._nullif,
    exp.Neg: _Proof._neg,
    exp.Like: _Proof._like,
    exp.Substring: _Proof._substring,
}
"""What must hold beyond operands that are proved themselves."""


def _aggregates(node: exp.Expression) -> bool:
    """Whether an expression aggregates at its own level, not only in a subquery."""
    if isinstance(node, exp.AggFunc):
        return True
    return any(_aggregates(child) for child in node.iter_expressions() if not isinstance(child, exp.Query))


def _named(node: exp.Expression) -> str:
    """A node in words: a column's name, else its kind; never a value."""
    inner = node.unalias()
    return inner.sql(dialect="duckdb") if isinstance(inner, exp.Column) else str(type(inner).__name__)

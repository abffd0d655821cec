"""Which DuckDB type every expression of a SELECT has, from the types of the columns and parameters in it.

Only the expressions that can be proved to mean the same elsewhere (`statement.pushdown`) are typed; for all others the
answer is None, and nothing is assumed. DuckDB 1.5 documentation, "Numeric types", "Typecasting".
"""

import re
from collections.abc import Mapping

from sqlglot import exp

from sluis.sources.base import TableInfo
from sluis.sources.fold import constant_type, is_constant, is_simple

_INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_UNSIGNED = {"UTINYINT": "SMALLINT", "USMALLINT": "INTEGER", "UINTEGER": "BIGINT", "UBIGINT": "HUGEINT"}
_DIGITS = {
    "TINYINT": 3,
    "SMALLINT": 5,
    "INTEGER": 10,
    "BIGINT": 19,
    "HUGEINT": 38,
    **dict.fromkeys(_UNSIGNED, 20),
}
_SYNONYMS = {
    "TEXT": "VARCHAR",
    "STRING": "VARCHAR",
    "CHAR": "VARCHAR",
    "INT": "INTEGER",
    "BOOL": "BOOLEAN",
    "DATETIME": "TIMESTAMP",
    "REAL": "FLOAT",
    "INT128": "HUGEINT",
    "TIMESTAMP WITH TIME ZONE": "TIMESTAMPTZ",
}
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")

Types = Mapping[str, Mapping[str, str]]
"""DuckDB type per column, per table."""


def family(kind: str | None) -> str | None:
    """What a type compares with: `text`, `integer`, `decimal`, `double`, `boolean`, `date`, `timestamp`; None when it
    is none of these or unknown."""
    if kind is None:
        return None
    if kind in _DIGITS:
        return "integer"
    if kind.startswith("DECIMAL"):
        return "decimal"
    named = {
        "VARCHAR": "text",
        "DOUBLE": "double",
        "BOOLEAN": "boolean",
        "DATE": "date",
        "TIMESTAMP": "timestamp",
    }
    return named.get(kind)


def normal(kind: str) -> str:
    """A DuckDB type name in the one spelling used here."""
    upper = kind.upper().strip()
    if upper.startswith(("NUMERIC", "DECIMAL")):
        found = re.search(r"\((\d+)(?:\s*,\s*(\d+))?\)", upper)
        return f"DECIMAL({found[1]},{found[2] or 0})" if found else "DECIMAL(18,3)"
    if upper.startswith(("VARCHAR", "CHAR(")):
        return "VARCHAR"
    return _SYNONYMS.get(upper, upper)


def decimal_parts(kind: str) -> tuple[int, int]:
    """Digits and scale of a decimal or integer type."""
    if match := _DECIMAL.fullmatch(kind):
        return int(match[1]), int(match[2])
    return _DIGITS[kind], 0


def unify(kinds: list[str | None]) -> str | None:
    """The type that holds all of these without changing a value; None when their families differ.

    An empty kind stands for NULL, which takes on any type.
    """
    known = [kind for kind in kinds if kind != ""]
    if not known:
        return ""
    if any(kind is None for kind in known):
        return None
    named = [kind for kind in known if kind]
    if len(set(named)) == 1:
        return named[0]
    families = {family(kind) for kind in named}
    if families == {"integer"}:
        signed = [_UNSIGNED.get(kind, kind) for kind in named]
        return max(signed, key=_INTEGERS.index)
    if families <= {"integer", "decimal"}:
        parts = [decimal_parts(kind) for kind in named]
        scale = max(part[1] for part in parts)
        whole = max(part[0] - part[1] for part in parts)
        return f"DECIMAL({min(38, whole + scale)},{scale})"
    return None


def output_names(query: exp.Query) -> list[str]:
    """The names of the columns of a query's answer, in order."""
    return [str(name) for name in query.named_selects]


def widens(before: str | None, after: str | None) -> bool:
    """Whether a cast from one type to another keeps every value as it is."""
    if not before or not after:
        return False
    if before == after:
        return True
    if {before, after} <= set(_INTEGERS):
        return _INTEGERS.index(before) <= _INTEGERS.index(after)
    if family(before) == family(after) == "decimal":
        (p1, s1), (p2, s2) = decimal_parts(before), decimal_parts(after)
        return s1 == s2 and p1 <= p2
    return False


class Typing:
    """The types of all expressions in one query.

    Args:
        query: a qualified tree: every column carries the alias of its table.
        tables: the types of the source's own columns.
        parameters: DuckDB type per parameter (of the elements, for a key list).
    """

    def __init__(self, query: exp.Expression, tables: Types, parameters: Mapping[str, str]) -> None:
        self._tables = {
            name.lower(): {c.lower(): normal(t) for c, t in columns.items()}
            for name, columns in tables.items()
        }
        self._parameters = {name: normal(kind) for name, kind in parameters.items()}
        self._known: dict[int, str | None] = {}
        self._aliases: dict[int, dict[str, dict[str, str | None]]] = {}
        self._query = query

    def of(self, node: exp.Expression | None) -> str | None:
        """The DuckDB type of an expression; empty for NULL; None when it is not known."""
        if node is None:
            return None
        key = id(node)
        if key not in self._known:
            self._known[key] = self._infer(node)
        return self._known[key]

    def family(self, node: exp.Expression | None) -> str | None:
        """The family of an expression's type."""
        return family(self.of(node))

    def base(self, column: exp.Column) -> tuple[str, str] | None:
        """Table and column at the source behind a column, lower case; None when it comes from a subquery."""
        scope = self._scope_of(column)
        while scope is not None:
            for source in _sources(scope):
                if source.alias_or_name.lower() == column.table.lower():
                    if isinstance(source, exp.Table) and self._cte(source) is None:
                        return table_name(source), column.name.lower()
                    return None
            scope = scope.find_ancestor(exp.Select)
        return None

    def _scope_of(self, node: exp.Expression) -> exp.Select | None:
        found: exp.Select | None = node.find_ancestor(exp.Select)
        return found

    def _column(self, column: exp.Column) -> str | None:
        scope = self._scope_of(column)
        while scope is not None:
            columns = self._columns_of(scope).get(column.table.lower())
            if columns is not None:
                return columns.get(column.name.lower())
            scope = scope.find_ancestor(exp.Select)
        if isinstance(self._query, exp.Query):
            return None
        # A bare condition, not part of a SELECT: its columns carry the name of their table.
        return self._tables.get(column.table.lower(), {}).get(column.name.lower())

    def _columns_of(self, scope: exp.Select) -> dict[str, dict[str, str | None]]:
        if id(scope) not in self._aliases:
            self._aliases[id(scope)] = {s.alias_or_name.lower(): self._outputs(s) for s in _sources(scope)}
        return self._aliases[id(scope)]

    def _outputs(self, source: exp.Expression) -> dict[str, str | None]:
        if isinstance(source, exp.Table):
            if (cte := self._cte(source)) is not None:
                return self._query_outputs(cte.this, cte.alias_column_names)
            return dict(self._tables.get(table_name(source), {}))
        if isinstance(source, exp.Subquery):
            return self._query_outputs(source.this, source.alias_column_names)
        return {}

    def is_cte(self, table: exp.Table) -> bool:
        """Whether a table in FROM is a CTE of this query, not one of the source."""
        return self._cte(table) is not None

    def _cte(self, table: exp.Table) -> exp.CTE | None:
        if table.args.get("db"):
            return None
        scope = table.find_ancestor(exp.Query)
        while scope is not None:
            with_ = scope.args.get("with_")
            for cte in with_.expressions if with_ else ():
                if cte.alias.lower() == table.name.lower() and table.find_ancestor(exp.CTE) is not cte:
                    return cte
            scope = scope.find_ancestor(exp.Query)
        return None

    def _query_outputs(self, query: exp.Expression, names: list[str]) -> dict[str, str | None]:
        if isinstance(query, exp.Subquery):
            return self._query_outputs(query.this, names)
        found = self.outputs(query)
        return dict(zip([name.lower() for name in names or output_names(query)], found, strict=False))

    def outputs(self, query: exp.Expression) -> list[str | None]:
        """The types of the columns of a query's answer, in order."""
        if isinstance(query, exp.Subquery):
            return self.outputs(query.this)
        if isinstance(query, exp.SetOperation):
            sides = zip(self.outputs(query.left), self.outputs(query.right), strict=False)
            return [unify([left, right]) for left, right in sides]
        return [self.of(projection) for projection in query.selects]

    def _infer(self, node: exp.Expression) -> str | None:
        if isinstance(node, exp.Column):
            return self._column(node)
        if is_constant(node) and not is_simple(node):
            found = constant_type(node, self._parameters)
            return normal(found) if found else None
        if isinstance(node, exp.Alias | exp.Paren | exp.Filter | exp.Any | exp.Distinct | exp.Ordered):
            return self.of(node.this if node.this is not None else node.expressions[0])
        if isinstance(node, exp.Placeholder):
            return self._parameters.get(node.name)
        if isinstance(node, exp.Literal):
            return _literal(node)
        if isinstance(node, exp.Null):
            return ""
        if isinstance(node, exp.Boolean | exp.Predicate | exp.Connector | exp.Not):
            return "BOOLEAN"
        if isinstance(node, exp.Cast):
            return normal(node.to.sql(dialect="duckdb"))
        if isinstance(node, exp.Subquery):
            return self.outputs(node.this)[0]
        return self._computed(node)

    def _computed(self, node: exp.Expression) -> str | None:
        if isinstance(node, exp.Add | exp.Sub | exp.Mul | exp.Mod | exp.IntDiv | exp.Div):
            return _arithmetic(type(node), self.of(node.left), self.of(node.right))
        if isinstance(node, exp.Neg | exp.Min | exp.Max):
            return self.of(node.this)
        if isinstance(node, exp.Case):
            return unify(
                [self.of(i.args["true"]) for i in node.args["ifs"]]
                + [self.of(node.args.get("default") or exp.null())]
            )
        if isinstance(node, exp.Coalesce):
            return unify([self.of(node.this), *(self.of(e) for e in node.expressions)])
        if isinstance(node, exp.Nullif):
            return self.of(node.this)
        if isinstance(node, exp.Count | exp.Length | exp.Extract | exp.Year | exp.Month | exp.Day):
            return "BIGINT"
        if isinstance(node, exp.Sum):
            return _summed(self.of(node.this))
        if isinstance(node, exp.Avg):
            return "DOUBLE"
        if isinstance(node, exp.Substring | exp.DPipe):
            return "VARCHAR"
        return None


_CHILDREN = {"this", "expression", "expressions"}
_ARGUMENTS: dict[type, set[str]] = {
    exp.Alias: {"alias"},
    exp.Between: {"low", "high"},
    exp.CTE: {"alias", "materialized"},
    exp.Case: {"ifs", "default"},
    exp.Cast: {"to"},
    exp.Coalesce: {"is_nvl", "is_null"},
    exp.Column: {"table"},
    exp.Count: {"big_int"},
    exp.DPipe: {"safe"},
    exp.Distinct: {"on"},
    exp.Div: {"typed", "safe"},
    exp.Group: {"all"},
    exp.Identifier: {"quoted"},
    exp.If: {"true"},
    exp.In: {"query"},
    exp.Is: {"negate"},
    exp.Join: {"on", "side", "kind"},
    exp.Like: {"negate"},
    exp.Literal: {"is_string"},
    exp.Ordered: {"desc", "nulls_first"},
    exp.Subquery: {"alias"},
    exp.Substring: {"start", "length"},
    exp.Table: {"db", "alias"},
    exp.TableAlias: {"columns"},
    exp.TryCast: {"to", "safe", "requires_string"},
    exp.Union: {"distinct"},
    exp.With: {"recursive"},
}
_CLAUSES = {
    "with_", "distinct", "from_", "joins", "where", "group", "having", "order", "limit", "offset",
}  # fmt: skip
_ARGUMENTS[exp.Select] = _CLAUSES
_ARGUMENTS[exp.Union] |= {"with_"}


def unexpected(tree: exp.Expression) -> list[str]:
    """Arguments of nodes that nothing here knows: a flag overlooked (`negate`) would change what is asked.

    Constant expressions are not looked into: DuckDB computes those, flags and all.
    """
    found, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        if not is_simple(node) and is_constant(node):
            continue
        known = _CHILDREN | _ARGUMENTS.get(type(node), set())
        odd = {name for name, value in node.args.items() if value and name not in known}
        found += [f"{type(node).__name__} with {name}" for name in sorted(odd)]
        waiting += list(node.iter_expressions())
    return found


def _sources(scope: exp.Select) -> list[exp.Expression]:
    from_ = scope.args.get("from_")
    joins = scope.args.get("joins") or ()
    return ([from_.this] if from_ else []) + [join.this for join in joins]


def table_name(table: exp.Table) -> str:
    """The name of a table as the source lists it, lower case: `name`, or `schema.name` when it was qualified."""
    return ".".join(part.name for part in table.parts).lower()


def column_types(tables: tuple[TableInfo, ...]) -> dict[str, dict[str, str]]:
    """The types that `Typing` and `statement.pushable` ask for, from what a source says about itself."""
    return {table.name: {column.name: column.type for column in table.columns} for table in tables}


def _literal(node: exp.Literal) -> str | None:
    if node.is_string:
        return "VARCHAR"
    if re.fullmatch(r"\d+", node.this):
        number = int(node.this)
        return "INTEGER" if number < 2**31 else "BIGINT" if number < 2**63 else "HUGEINT"
    if re.fullmatch(r"\d*\.\d*", node.this):
        whole, part = node.this.split(".")
        return f"DECIMAL({max(1, len(whole.lstrip('0')) + len(part))},{len(part)})"
    return "DOUBLE"


def _summed(kind: str | None) -> str | None:
    which = family(kind)
    if which == "integer":
        return "HUGEINT"
    if which == "decimal" and kind:
        return f"DECIMAL(38,{decimal_parts(kind)[1]})"
    return "DOUBLE" if which == "double" else None


def _arithmetic(operator: type, left: str | None, right: str | None) -> str | None:
    if left == "" or right == "":
        return unify([left, right])
    if not left or not right:
        return None
    families = {family(left), family(right)}
    if not families <= {"integer", "decimal", "double"}:
        return None
    if operator is exp.Div or "double" in families:
        return "DOUBLE"
    if families == {"integer"}:
        return unify([left, right])
    if operator is exp.IntDiv:
        return "DOUBLE"
    (p1, s1), (p2, s2) = decimal_parts(left), decimal_parts(right)
    if operator is exp.Mul:
        return f"DECIMAL({min(38, p1 + p2)},{s1 + s2})" if s1 + s2 <= 38 else None
    scale = max(s1, s2)
    return f"DECIMAL({min(38, max(p1 - s1, p2 - s2) + scale + 1)},{scale})"

"""Which column of which dataset is used, and where; and whether the disclosures allow it there.

The rules stand in `Role` (grounds) and are local: a `join` or `filter` column can never be projected, so what flows
out of a subquery is always `output` and needs no tracing.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlglot import exp

from sluis.grounds import Closed, Disclosure
from sluis.kernel import Invalid, Refused, Text

Dataset = tuple[str, str]
"""Owner alias ("" on the owner's own side) and dataset name."""

_COMPARISONS: dict[type[exp.Expression], str] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
}  # fmt: skip
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}


class Use(msgspec.Struct, frozen=True):
    """One place where a column of a dataset stands. `table` is the table reference it belongs to."""

    node: exp.Column
    table: exp.Table
    dataset: Dataset

    @property
    def name(self) -> str:
        """The column's name, lower case."""
        return str(self.node.name).lower()


def dataset_of(table: exp.Table) -> Dataset:
    """The dataset a base table stands for."""
    return table.db.lower(), table.name.lower()


def tables_of(select: exp.Select) -> Iterator[exp.Table | exp.Subquery]:
    """What a SELECT reads, in order: FROM, then every JOIN."""
    start = select.args.get("from_")
    if start is not None:
        yield start.this
    for join in select.args.get("joins") or ():
        yield join.this


def is_base(table: exp.Expression) -> bool:
    """Whether a table reference is a dataset, and not the name of a common table expression."""
    return isinstance(table, exp.Table) and (bool(table.db) or definition(table) is None)


def definition(table: exp.Table) -> exp.Expression | None:
    """The query of the common table expression that an unqualified name stands for; None when there is none."""
    node: exp.Expression | None = table
    inside: exp.CTE | None = None
    while node is not None:
        with_ = node.args.get("with_") if isinstance(node, exp.Query) else None
        recursive = with_ is not None and with_.args.get("recursive")
        for cte in with_.expressions if with_ else ():
            if cte is inside and not recursive:
                break  # a CTE sees those before it, and itself only in WITH RECURSIVE
            if cte.alias.lower() == table.name.lower():
                query: exp.Expression = cte.this
                return query
        inside = node if isinstance(node, exp.CTE) else inside
        node = node.parent
    return None


def base_tables(tree: exp.Query) -> list[exp.Table]:
    """Every reference to a dataset, in order of appearance."""
    return [table for table in tree.find_all(exp.Table) if is_base(table)]


def source_of(column: exp.Column) -> exp.Table | exp.Subquery | None:
    """The table reference a qualified column belongs to: the nearest enclosing SELECT that reads its alias."""
    select = column.find_ancestor(exp.Select)
    while select is not None:
        for table in tables_of(select):
            if table.alias_or_name.lower() == column.table.lower():
                return table
        select = select.find_ancestor(exp.Select)
    return None


def uses(tree: exp.Query) -> list[Use]:
    """Every use of a dataset's column in a qualified tree."""
    found = []
    for node in tree.find_all(exp.Column):
        table = source_of(node) if node.table else None
        if isinstance(table, exp.Table) and is_base(table):
            found.append(Use(node, table, dataset_of(table)))
    return found


def base_of(expression: exp.Expression | None) -> exp.Table | None:
    """The dataset reference behind a plain column; None for anything else."""
    if not isinstance(expression, exp.Column):
        return None
    table = source_of(expression)
    return table if isinstance(table, exp.Table) and is_base(table) else None


def check(
    tree: exp.Query,
    disclosures: Mapping[Dataset, Disclosure],
    values: Mapping[str, Any],
    *,
    sealed_outputs: Sequence[str] = (),
    sealed_parameters: Sequence[str] = (),
) -> None:
    """Hold every column against its role.

    Args:
        tree: a qualified question.
        disclosures: per dataset in it, what was opened.
        values: the parameters' values: what a `filter` column is compared with must be on its list.
        sealed_outputs: names of outermost columns that leave as tokens; a `join` column may be one.
        sealed_parameters: key lists that hold tokens; a `join` column may be compared with one.

    Raises:
        Refused: `column-closed`, `column-join-only`, `column-filter-only`, with the rule and the article.
        Invalid: `filter-value`, when a constant is missing.
    """
    for use in uses(tree):
        disclosure = disclosures[use.dataset]
        role = disclosure.columns.get(use.name)
        if role == "output":
            continue
        if role is None:
            raise closed(use.dataset, use.name, disclosure)
        if role == "join" and not _joins(use, tree, sealed_outputs, sealed_parameters):
            raise _misused(
                use, disclosure, "column-join-only",
                Text("De kolom mag alleen gelijkgesteld worden aan een sleutel van een andere dataset.",
                     "The column may only be set equal to a key of another dataset."),
            )  # fmt: skip
        if role == "filter":
            _check_filter(use, disclosure, values)


def closed(dataset: Dataset, column: str, disclosure: Disclosure) -> Refused:
    """The refusal of a column that stays closed, with the owner's own reason where it gave one."""
    entry = closing(column, disclosure)
    because = (
        entry.because
        if entry
        else Text("Deze verwerkingsactiviteit opent de kolom niet.", "This activity does not open it.")
    )
    name = ".".join(part for part in (*dataset, column) if part)
    return Refused(
        "column-closed",
        Text(f"De kolom {name} blijft gesloten.", f"Column {name} stays closed."),
        because,
        Text("Laat de kolom weg, of vraag de bronhouder om een ruimere grondslag.",
             "Leave the column out, or ask the owner for a wider ground."),
        rule="column-closed",
        legal=str(entry.article) if entry and entry.article else None,
    )  # fmt: skip


def closing(column: str, disclosure: Disclosure) -> Closed | None:
    """What the owner says about why a column stays closed."""
    return next((entry for entry in disclosure.closed if column in entry.columns), None)


def _misused(use: Use, disclosure: Disclosure, rule: str, why: Text) -> Refused:
    entry = closing(use.name, disclosure)
    name = ".".join(part for part in (*use.dataset, use.name) if part)
    return Refused(
        rule,
        Text(f"De kolom {name} mag hier niet staan.", f"Column {name} may not stand here."),
        why,
        Text("Gebruik haar alleen zoals zij open is; `sluis explain` zegt van elke kolom wat ermee mag.",
             "Use it only as it is open; `sluis explain` says of each column what it is for."),
        rule=rule,
        legal=str((entry and entry.article) or disclosure.articles[0]) if disclosure.articles else None,
    )  # fmt: skip


def _joins(
    use: Use, tree: exp.Query, sealed_outputs: Sequence[str], sealed_parameters: Sequence[str]
) -> bool:
    """Whether a `join` column stands in a place where only equality with another key can be learnt."""
    parent = _above(use.node)
    if isinstance(parent, exp.EQ) and _is_conjunct(parent):
        other = parent.right.unnest() if parent.left.unnest() is use.node else parent.left.unnest()
        if isinstance(other, exp.Any):
            return other.this.unnest().name in sealed_parameters
        table = base_of(other)
        return table is not None and table is not use.table
    if isinstance(parent, exp.In) and parent.this.unnest() is use.node and _is_conjunct(parent):
        return _projects_key(parent.args.get("query"))
    output = parent.alias if isinstance(parent, exp.Alias) else use.node.name
    select = parent.parent if isinstance(parent, exp.Alias) else parent
    if (
        not isinstance(select, exp.Select)
        or (parent if isinstance(parent, exp.Alias) else use.node) not in select.expressions
    ):
        return False
    if select is tree:
        return output.lower() in sealed_outputs
    subquery = select.parent
    within = subquery.parent if isinstance(subquery, exp.Subquery) else subquery
    return (
        isinstance(within, exp.In)
        and len(select.expressions) == 1
        and select.args.get("distinct") is None
        and base_of(within.this.unnest()) is not None
        and _is_conjunct(within)
    )


def _projects_key(query: exp.Expression | None) -> bool:
    select = query.unnest() if query is not None else None
    if not isinstance(select, exp.Select) or len(select.expressions) != 1:
        return False
    return base_of(select.expressions[0].unalias()) is not None


def _above(node: exp.Expression) -> exp.Expression | None:
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    return parent


def _is_conjunct(node: exp.Expression, through: tuple[type[exp.Expression], ...] = (exp.And,)) -> bool:
    """Whether a condition is a top-level conjunct of a WHERE or an ON."""
    above = _above(node)
    while isinstance(above, through):
        above = _above(above)
    return isinstance(above, exp.Join) or _is_where(above)


def _check_filter(use: Use, disclosure: Disclosure, values: Mapping[str, Any]) -> None:
    """A `filter` column stands in WHERE, under AND and OR only, against constants that the disclosure lists."""
    rule = disclosure.filters[use.name]
    operator, constants = _comparison(use)
    if operator not in rule.operators or not _in_where(use):
        raise _misused(
            use, disclosure, "column-filter-only",
            Text(f"De kolom mag alleen in WHERE staan, met {', '.join(rule.operators)} en een vaste waarde.",
                 f"The column may only stand in WHERE, with {', '.join(rule.operators)} and a constant."),
        )  # fmt: skip
    listed = {str(value).lower() if isinstance(value, bool) else str(value) for value in rule.values}
    if listed and any(str(value) not in listed for value in _known(constants, values)):
        raise _misused(
            use, disclosure, "filter-value",
            Text(f"De kolom mag alleen vergeleken worden met: {', '.join(sorted(listed))}.",
                 f"The column may only be compared with: {', '.join(sorted(listed))}."),
        )  # fmt: skip


def _in_where(use: Use) -> bool:
    comparison = _above(use.node)
    if isinstance(comparison, exp.Not):
        return False
    above = _above(comparison) if comparison is not None else None
    if isinstance(comparison, exp.Is) and isinstance(above, exp.Not):
        above = _above(above)
    while isinstance(above, exp.And | exp.Or):
        above = _above(above)
    # In the WHERE of another SELECT, a subquery in the projection, it would be a CASE in other words.
    select = above.parent if _is_where(above) and above is not None else None
    return isinstance(select, exp.Select) and any(table is use.table for table in tables_of(select))


def _is_where(node: exp.Expression | None) -> bool:
    """The WHERE of a SELECT; an aggregate's FILTER has one too, which does not count."""
    return isinstance(node, exp.Where) and isinstance(node.parent, exp.Select)


def _comparison(use: Use) -> tuple[str, list[exp.Expression]]:
    """The operator a column stands under and the constants it is compared with; ("", []) for any other place."""
    node, parent = use.node, _above(use.node)
    if parent is not None and type(parent) in _COMPARISONS:
        operator = _COMPARISONS[type(parent)]
        if parent.left.unnest() is node:
            other = parent.right.unnest()
        else:
            other, operator = parent.left.unnest(), _FLIPPED.get(operator, operator)
        if isinstance(other, exp.Any):
            return ("in", [other.this.unnest()]) if operator == "=" else ("", [])
        return (operator, [other]) if _is_constant(other) else ("", [])
    if isinstance(parent, exp.In) and parent.this.unnest() is node and not parent.args.get("query"):
        return ("in", parent.expressions) if all(map(_is_constant, parent.expressions)) else ("", [])
    if isinstance(parent, exp.Between) and parent.this.unnest() is node:
        bounds = [parent.args["low"], parent.args["high"]]
        return ("between", bounds) if all(map(_is_constant, bounds)) else ("", [])
    if isinstance(parent, exp.Is) and isinstance(parent.expression.unnest(), exp.Null):
        return ("is not null" if isinstance(_above(parent), exp.Not) else "is null"), []
    return "", []


def _is_constant(node: exp.Expression) -> bool:
    node = node.unnest()
    if isinstance(node, exp.Neg):
        node = node.this
    return isinstance(node, exp.Literal | exp.Placeholder | exp.Boolean)


def _known(constants: Sequence[exp.Expression], values: Mapping[str, Any]) -> Iterator[object]:
    for constant in constants:
        if isinstance(constant, exp.Placeholder):
            value = _value(constant.name, values)
            yield from value if isinstance(value, list | tuple) else (_plain(value),)
        else:
            yield (
                constant.sql(dialect="duckdb").strip("'").lower()
                if isinstance(constant, exp.Boolean)
                else (f"-{constant.this.name}" if isinstance(constant, exp.Neg) else constant.name)
            )


def _plain(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _value(name: str, values: Mapping[str, Any]) -> Any:
    if name not in values:
        raise missing_parameter(name)
    return values[name]


def missing_parameter(name: str) -> Invalid:
    """The problem of a parameter without a value."""
    return Invalid(
        "missing-parameter",
        Text(f"De parameter ${name} heeft geen waarde.", f"Parameter ${name} has no value."),
        Text("De vraag gebruikt hem wel.", "The question uses it."),
        Text(f"Geef de waarde mee: --set {name}=…", f"Pass the value: --set {name}=…"),
    )

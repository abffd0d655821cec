"""Data of which no row may leave: what may be asked of it, and what of the answer may be told.

The asker gets groups, of at least so many people that the disclosure says. Hidden columns count the people and rows
in each group (`statement.counts`). What was asked is let in by form: plain columns inside count, sum and avg, grouping
by a column or a steady function of one. A condition inside an aggregate, a comparison to group by, or a condition on
the key of the people could single out one person in a large group.
"""

from collections.abc import Iterator, Sequence

from sqlglot import exp

from sluis.kernel import Refused, Text
from sluis.statement.columns import base_tables, dataset_of, is_base, source_of
from sluis.statement.counts import Groups, Opened, aggregated, with_counts
from sluis.statement.groups import MAX_COLUMNS
from sluis.statement.parse import AGGREGATES
from sluis.statement.scopes import conjuncts

_ALWAYS = {exp.Count: "count", exp.Sum: "sum", exp.Avg: "avg"}
_STEADY = (
    exp.Column, exp.Identifier, exp.Literal, exp.Paren, exp.Var, exp.Year, exp.Month, exp.Quarter, exp.Week, exp.Day,
    exp.Extract, exp.DateTrunc, exp.TimestampTrunc, exp.Left, exp.Right, exp.Substring, exp.Lower, exp.Upper,
    exp.Floor, exp.Ceil, exp.Round, exp.IntDiv, exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam,
)  # fmt: skip
"""What a grouping expression may be made of: nothing that compares or chooses."""

MAX_VALUES = 16
"""Columns that one question may aggregate: each is counted apart."""


def guarded(tree: exp.Query, opened: Opened) -> tuple[exp.Select, Groups]:
    """A question over data whose rows may not leave, with the hidden columns added.

    Args:
        tree: a qualified question; not changed.
        opened: per dataset what was opened; at least one for aggregates only.

    Raises:
        Refused: `aggregate-only`, when the question asks for more than groups.
    """
    legal = next((str(a) for one in opened.values() for a in one.disclosure.articles), None)
    if not isinstance(tree, exp.Select):
        raise _only(legal, "combineert meer dan één SELECT", "combines more than one SELECT")
    _require_form(tree, legal)
    grouping = [_resolved(item, tree) for item in (tree.args.get("group") or exp.Group()).expressions]
    for item in grouping:
        if any(not isinstance(node, _STEADY) for node in item.walk()) or item.find(exp.Column) is None:
            raise _only(legal, "groepeert op meer dan een kolom", "groups by more than a column")
    having, order = tree.args.get("having"), tree.args.get("order")
    outputs = [item.unalias() for item in tree.expressions]
    for item in [*outputs, *([having.this] if having else [])]:
        _require_grouped(item, grouping, opened, legal)
    names = {item.alias_or_name for item in tree.expressions}
    for item in order.expressions if order else ():
        column = item.this.unnest()
        named = isinstance(column, exp.Column) and not column.table and column.name in names
        if not named and column not in outputs:
            raise _only(
                legal, "sorteert op iets anders dan de uitkomst", "orders by something not in the answer"
            )
    _require_single_rows(tree, opened, legal)
    _require_no_one_singled_out(tree, opened, legal)
    if len(aggregated(tree)) > MAX_VALUES:
        raise _only(legal, "rekent met te veel kolommen", "aggregates too many columns")
    return with_counts(tree, grouping, opened)


def _require_form(tree: exp.Select, legal: str | None) -> None:
    subquery = next((node for node in tree.find_all(exp.Query) if node is not tree), None)
    if subquery is not None or tree.args.get("with_") or tree.args.get("distinct"):
        raise _only(legal, "gebruikt DISTINCT of een deelvraag", "uses DISTINCT or a subquery")
    if tree.find(exp.Window, exp.Filter, exp.WithinGroup) or tree.args.get("qualify"):
        raise _only(legal, "gebruikt een venster of FILTER", "uses a window or FILTER")
    group = tree.args.get("group")
    if group is not None and (
        tree.find(exp.Rollup, exp.Cube, exp.GroupingSets) or len(group.expressions) > MAX_COLUMNS
    ):
        raise _only(legal, "gebruikt ROLLUP, CUBE of te veel groepen", "uses ROLLUP, CUBE or too many groups")
    if group is None and not any(item.find(*AGGREGATES) for item in tree.expressions):
        raise _only(legal, "vraagt rijen", "asks for rows")


def _resolved(item: exp.Expression, tree: exp.Select) -> exp.Expression:
    """A grouping expression; a bare name is that of an output."""
    item = item.unnest()
    if isinstance(item, exp.Column) and not item.table:
        return next((out.unalias() for out in tree.expressions if out.alias_or_name == item.name), item)
    return item


def _require_grouped(
    item: exp.Expression, grouping: Sequence[exp.Expression], opened: Opened, legal: str | None
) -> None:
    """Everything in an output is a grouping expression, an allowed aggregate, or made of these."""
    item = item.unnest()
    if item in grouping:
        return
    if isinstance(item, AGGREGATES):
        _require_aggregate(item, opened, legal)
        return
    if isinstance(item, exp.Column):
        raise _only(legal, "toont een kolom die geen groep is", "shows a column that is no group")
    for child in item.iter_expressions():
        _require_grouped(child, grouping, opened, legal)


def _require_aggregate(node: exp.Expression, opened: Opened, legal: str | None) -> None:
    argument = node.this
    distinct = isinstance(argument, exp.Distinct)
    if distinct:
        argument = argument.expressions[0] if len(argument.expressions) == 1 else None
    if isinstance(node, exp.Count) and isinstance(argument, exp.Star):
        return
    argument = argument.unnest() if argument is not None else exp.null()
    table = source_of(argument) if isinstance(argument, exp.Column) else None
    others = [value for key, value in node.args.items() if key not in {"this", "big_int"} and value]
    if not isinstance(table, exp.Table) or not is_base(table) or (others and not _is_quantile(node)):
        raise _only(legal, "rekent binnen een aggregaat", "computes inside an aggregate")
    if not distinct and type(node) in _ALWAYS:
        return
    rule = opened[dataset_of(table)].disclosure.aggregate
    name = "count_distinct" if distinct and isinstance(node, exp.Count) else node.sql_name().lower()
    allowed = rule is None or name in rule.functions.get(argument.name.lower(), ())
    if not allowed or (distinct and not isinstance(node, exp.Count)):
        raise _only(legal, f"gebruikt {name}", f"uses {name}")


def _is_quantile(node: exp.Expression) -> bool:
    return isinstance(node, exp.Quantile) and isinstance(node.args.get("quantile"), exp.Literal)


def _require_single_rows(tree: exp.Select, opened: Opened, legal: str | None) -> None:
    """Joins may not multiply rows: every joined dataset is reached by its whole key, so nobody weighs twice."""
    conditions = conjuncts(tree.args["where"].this if tree.args.get("where") else None)
    for join in tree.args.get("joins") or ():
        table = join.this
        if not isinstance(table, exp.Table) or join.side not in {"", "LEFT"} or join.kind in {"SEMI", "ANTI"}:
            raise _only(legal, "gebruikt deze soort join", "uses this kind of join")
        on = [*conjuncts(join.args.get("on")), *(conditions if join.side == "" else ())]
        fixed = {column for condition in on for column in _equated(condition, table.alias_or_name)}
        key = opened[dataset_of(table)].key
        if not key or not fixed.issuperset(key):
            raise _only(legal, "koppelt niet op de hele sleutel", "joins by less than the whole key")


def _equated(condition: exp.Expression, alias: str) -> Iterator[str]:
    if isinstance(condition, exp.EQ):
        sides = [condition.left.unnest(), condition.right.unnest()]
        for one, other in (sides, sides[::-1]):
            own = isinstance(one, exp.Column) and one.table == alias
            if own and not any(column.table == alias for column in other.find_all(exp.Column, exp.Any)):
                yield one.name.lower()


def _require_no_one_singled_out(tree: exp.Select, opened: Opened, legal: str | None) -> None:
    """The key of the people, or of their rows, serves to join and to count: a condition on it picks people by hand.
    A dataset stands in a question once, so that its conditions are about the same rows."""
    names = [dataset_of(table) for table in base_tables(tree)]
    if len(names) > len(set(names)):
        raise _only(legal, "koppelt een dataset aan zichzelf", "joins a dataset with itself")
    for column in tree.find_all(exp.Column):
        table = source_of(column) if column.table else None
        if not isinstance(table, exp.Table) or not is_base(table):
            continue
        one = opened[dataset_of(table)]
        keys = {one.subject.column} if one.subject is not None else set()
        keys |= set(one.key) if len(one.key) == 1 else set()
        if one.disclosure.aggregate is None or column.name.lower() not in keys:
            continue
        if column.find_ancestor(*AGGREGATES) is None and not _joins(column):
            raise _only(legal, "kiest mensen met hun sleutel", "picks people by their key")


def _joins(column: exp.Column) -> bool:
    """Whether a column is set equal to one of another table."""
    equal = column.parent
    while isinstance(equal, exp.Paren):
        equal = equal.parent
    if not isinstance(equal, exp.EQ):
        return False
    sides = [equal.left.unnest(), equal.right.unnest()]
    return all(isinstance(side, exp.Column) for side in sides) and sides[0].table != sides[1].table


def _only(legal: str | None, nl: str, en: str) -> Refused:
    return Refused(
        "aggregate-only",
        Text("Van deze gegevens gaan alleen groepen naar buiten.", "Only groups of these data may leave."),
        Text(f"De vraag {nl}.", f"The question {en}."),
        Text(
            "Vraag per groep count, sum of avg van een kolom; groepeer op kolommen.",
            "Ask per group the count, sum or avg of a column; group by columns.",
        ),
        rule="aggregate-only",
        legal=legal,
    )

"""Small facts about qualified trees that the splitter reasons with: which FROM items a SELECT has, which of them an
expression speaks about, and which may be reduced where. DuckDB dialect; no privacy knowledge; nothing is changed here.
"""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from sqlglot import exp

from sluis.kernel import Invalid, Text

Kind = Literal["inner", "left", "right", "full", "semi", "anti"]

AGGREGATES_OF_SETS = (exp.Sum, exp.Count, exp.Avg, exp.Min, exp.Max)
"""Aggregates whose value does not depend on the order in which rows arrive."""


class Item(NamedTuple):
    """One FROM item of a SELECT. `join` is None for the first; `on` are the conjuncts of its ON."""

    alias: str
    node: exp.Expression
    join: exp.Join | None
    kind: Kind
    on: list[exp.Expression]


def conjuncts(condition: exp.Expression | None) -> list[exp.Expression]:
    """The parts of a condition that all must be true; an absent or trivially true condition has none."""
    if condition is None:
        return []
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        return conjuncts(condition.left) + conjuncts(condition.right)
    if isinstance(condition, exp.Boolean) and condition.this:
        return []
    return [condition]


def conjoin(parts: list[exp.Expression]) -> exp.Expression | None:
    """One condition out of many; None when there are none. The parts are detached from where they stood."""
    if not parts:
        return None
    wrapped = [exp.paren(part, copy=False) if isinstance(part, exp.Or) else part for part in parts]
    return exp.and_(*(part.pop() for part in wrapped), copy=False)


def where(select: exp.Select) -> list[exp.Expression]:
    """The conjuncts of a SELECT's WHERE."""
    clause = select.args.get("where")
    return conjuncts(clause.this) if clause else []


def set_where(select: exp.Select, parts: list[exp.Expression]) -> None:
    """Give a SELECT these conjuncts and no others."""
    condition = conjoin(parts)
    select.set("where", exp.Where(this=condition) if condition else None)


def set_on(join: exp.Join, parts: list[exp.Expression]) -> None:
    """Give a join these ON conjuncts; an outer join that has none left is joined on TRUE."""
    condition = conjoin(parts)
    if condition is None and (join.side or join.kind in ("SEMI", "ANTI")):
        condition = exp.true()
    if condition is None:
        join.set("kind", "CROSS")
    elif join.kind == "CROSS":
        join.set("kind", None)
    join.set("on", condition)


def items(select: exp.Select) -> list[Item]:
    """The FROM items of a SELECT, in order.

    Raises:
        Invalid: `join-unsupported` for an item that pairs rows by anything but its ON condition.
    """
    first = select.args.get("from_")
    if first is None:
        return []
    found = [Item(_alias(first.this), first.this, None, "inner", [])]
    for join in select.args.get("joins") or []:
        if join.args.get("method") or join.args.get("using"):
            raise _unsupported()
        found.append(Item(_alias(join.this), join.this, join, _kind(join), conjuncts(join.args.get("on"))))
    return found


def _alias(node: exp.Expression) -> str:
    plain = (
        isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier) and not node.args.get("joins")
    )
    if not node.alias or not (plain or (isinstance(node, exp.Subquery) and isinstance(node.this, exp.Query))):
        raise _unsupported()
    return str(node.alias)


def _unsupported() -> Invalid:
    return Invalid(
        "join-unsupported",
        Text(
            "Deze vraag kan niet over meer bronnen worden verdeeld.",
            "This question cannot be split over sources.",
        ),
        Text(
            "Een onderdeel van FROM is geen gewone tabel, subvraag of join met ON.",
            "A part of FROM is not a plain table, subquery or join with ON.",
        ),
        Text("Herschrijf dat onderdeel, of vraag het bij één bron.", "Rewrite that part, or ask one source."),
    )


def _kind(join: exp.Join) -> Kind:
    if join.kind in ("SEMI", "ANTI"):
        return "semi" if join.kind == "SEMI" else "anti"
    sides: dict[str, Kind] = {"": "inner", "LEFT": "left", "RIGHT": "right", "FULL": "full"}
    return sides[join.side]


def last_outer(found: list[Item]) -> int:
    """Position of the last RIGHT or FULL join, 0 when there is none. What is inner-joined after it may be filtered in
    WHERE just as well as in ON."""
    return max((n for n, item in enumerate(found) if item.kind in ("right", "full")), default=0)


class Levels(NamedTuple):
    """Which items may lose rows that fail a conjunct, per place where the conjunct stands, without changing what the
    SELECT gives. Only items that are never null-extended at that place are named."""

    on: list[frozenset[str]]
    where: frozenset[str]


def levels(found: list[Item]) -> Levels:
    """Work out `Levels` for FROM items in order.

    A LEFT join's ON may only reduce its right side, a RIGHT join's only its left, a FULL join's neither; the preserved
    side is never reduced by ON.
    """
    seen: list[str] = []
    nullable: set[str] = set()
    on: list[frozenset[str]] = []
    for item in found:
        solid = frozenset(alias for alias in seen if alias not in nullable)
        reach: dict[Kind, frozenset[str]] = {
            "inner": solid | {item.alias},
            "semi": solid | {item.alias},
            "left": frozenset({item.alias}),
            "anti": frozenset({item.alias}),
            "right": solid,
            "full": frozenset(),
        }
        on.append(reach[item.kind])
        if item.kind in ("right", "full"):
            nullable.update(seen)
        if item.kind not in ("inner", "right"):
            nullable.add(item.alias)
        seen.append(item.alias)
    return Levels(on, frozenset(seen) - nullable)


def body(query: exp.Expression) -> exp.Query:
    """The SELECT or set operation inside any parentheses."""
    while isinstance(query, exp.Subquery):
        query = query.this
    assert isinstance(query, exp.Query)
    return query


def own_nodes(node: exp.Expression) -> Iterator[exp.Expression]:
    """A node and what is below it, nested queries left out (they themselves are yielded)."""
    yield node
    if not isinstance(node, exp.Select | exp.SetOperation):
        for child in node.iter_expressions():
            yield from own_nodes(child)


def clauses(select: exp.Select) -> Iterator[exp.Expression]:
    """The nodes of a SELECT's own clauses, FROM items and nested queries' insides left out."""
    for name, value in select.args.items():
        if name == "with_" or value is None:
            continue
        for part in value if isinstance(value, list) else [value]:
            if isinstance(part, exp.From):
                continue
            if isinstance(part, exp.Join):
                part = part.args.get("on")
            if isinstance(part, exp.Expression):
                yield from own_nodes(part)


def nested(select: exp.Select) -> list[exp.Query]:
    """The queries that stand in a SELECT's expressions (not in its FROM)."""
    return [node for node in clauses(select) if isinstance(node, exp.Select | exp.SetOperation)]


def branches(query: exp.Query) -> list[exp.Select]:
    """The SELECTs of a set operation, left to right; of a SELECT, itself."""
    query = body(query)
    if isinstance(query, exp.Select):
        return [query]
    return branches(query.this) + branches(query.expression)


def outputs(query: exp.Query) -> list[str]:
    """The output column names of a query."""
    return [str(projection.alias_or_name) for projection in branches(query)[0].expressions]


def mentions(node: exp.Expression) -> set[str]:
    """Aliases of the FROM items that an expression speaks about, nested queries included. Aliases are unique in the
    whole tree, so what a nested query defines itself can be taken off."""
    named = {column.table for column in node.find_all(exp.Column) if column.table}
    if isinstance(node, exp.Column):
        return named
    return named - defined(node)


def defined(node: exp.Expression) -> set[str]:
    """Aliases of all FROM items defined in or below a node."""
    return {str(item.alias) for item in node.find_all(exp.Table, exp.Subquery) if item.alias}


def aggregates(select: exp.Select) -> list[exp.AggFunc]:
    """The aggregates a SELECT computes itself, those used as window functions left out."""
    return [
        node for node in clauses(select) if isinstance(node, exp.AggFunc) and not _windowed(node)
    ]  # fmt: skip


def _windowed(node: exp.Expression) -> bool:
    parent = node.parent
    while isinstance(parent, exp.Filter | exp.IgnoreNulls | exp.RespectNulls | exp.WithinGroup):
        node, parent = parent, parent.parent
    return isinstance(parent, exp.Window) and parent.this is node


def windows(select: exp.Select) -> list[exp.Window]:
    """The window functions of a SELECT."""
    return [node for node in clauses(select) if isinstance(node, exp.Window)]


def grouped(select: exp.Select) -> bool:
    """Whether a SELECT gives groups, not rows."""
    return bool(select.args.get("group") or select.args.get("having") or aggregates(select))


def group_keys(select: exp.Select) -> list[exp.Expression] | None:
    """The expressions a SELECT groups by; None for what is not a plain list (ROLLUP and the like)."""
    group = select.args.get("group")
    if group is None:
        return []
    if any(value for name, value in group.args.items() if name != "expressions"):
        return None
    keys = list(group.expressions)
    if any(isinstance(key, exp.Rollup | exp.Cube | exp.GroupingSets | exp.Literal) for key in keys):
        return None
    return keys


def limited(query: exp.Query) -> bool:
    """Whether a query gives only a part of its rows."""
    return bool(query.args.get("limit") or query.args.get("offset") or query.args.get("fetch"))


def plain(select: exp.Select) -> bool:
    """Whether a SELECT only selects, joins and projects: no groups, windows, DISTINCT or limits."""
    extra = ("distinct", "qualify", "sample", "with_")
    return not (
        limited(select) or grouped(select) or windows(select) or any(select.args.get(name) for name in extra)
    )


def fixed(query: exp.Query) -> bool:
    """Whether computing a query twice surely gives the same rows: nothing in it depends on the order of rows."""
    for node in query.walk():
        if isinstance(node, exp.Window) or (isinstance(node, exp.Query) and limited(node)):
            return False
        if isinstance(node, exp.AggFunc) and not isinstance(node, AGGREGATES_OF_SETS):
            return False
        if isinstance(node, exp.Distinct) and node.args.get("on"):
            return False
    return True

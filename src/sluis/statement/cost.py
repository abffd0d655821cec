"""How much a question is once it is written out: names that stand for other names can double at every step, and a
few functions can make a short text long. Both are bounded before anything is planned or computed, since a planner
at work and a function on one value cannot be stopped halfway.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sqlglot import exp

from sluis.kernel import Invalid, Text

MAX_NODES = 10_000
"""Nodes of a question's tree, written out: a thousand-key IN list stays well below."""
MAX_DEPTH = 200
"""Steps from the top of its tree to the bottom."""
MAX_TABLES = 100
"""Tables it reads, counting one again wherever it is read again."""
MAX_GROWTH = 1_000
"""Times that its functions can make a text longer."""


class _Weight(NamedTuple):
    """What a query comes to: nodes and tables in all, and nodes per output column."""

    nodes: int
    tables: int
    outputs: Mapping[str, int]


def too_large() -> Invalid:
    """The problem of a question that is too much to reason about."""
    return Invalid(
        "sql-too-long",
        Text("De vraag kan zo niet gesteld worden.", "The question cannot be asked like this."),
        Text("De vraag heeft te veel onderdelen.", "The question has too many parts."),
        Text("Geef lange lijsten mee als parameter, of stel de vraag in delen.",
             "Pass long lists as a parameter, or ask the question in parts."),
    )  # fmt: skip


def bound_written(tree: exp.Query) -> None:
    """Refuse a tree, as parsed, that is too large, too deep, or doubles in names of output columns.

    Raises:
        Invalid: `sql-too-long`, `not-allowed`.
    """
    level, count, depth = [tree], 0, 0
    while level:
        count, depth = count + len(level), depth + 1
        if count > MAX_NODES or depth > MAX_DEPTH:
            raise too_large()
        level = [child for node in level for child in node.iter_expressions()]
    growth = 1
    for node in tree.find_all(exp.Pad, exp.Replace, exp.Like, exp.ILike):
        growth *= _grows(node)
        if growth > MAX_GROWTH:
            raise _not_bounded(node)
    if sum(_aliased(select) for select in tree.find_all(exp.Select)) > MAX_NODES:
        raise too_large()


def steady_pattern(pattern: str, *, escaped: bool = False) -> bool:
    """Whether LIKE takes time in proportion to the text: with `_` in it, or an ESCAPE beside it, every `%` more
    multiplies the ways to try."""
    return pattern.count("%") <= 2 or not (escaped or "_" in pattern)


def _grows(node: exp.Expression) -> int:
    """How many times longer than its text the outcome of a function can be."""
    if isinstance(node, exp.Pad):
        length = node.expression.unnest()
        if isinstance(length, exp.Literal) and length.name.isdigit():
            return max(1, int(length.name) // 20)
    elif isinstance(node, exp.Replace):
        new = node.args.get("replacement")
        if new is None or isinstance(new, exp.Literal):
            old = node.expression
            known = len(old.name) if isinstance(old, exp.Literal) else 1
            return max(1, len(new.name) // max(1, known)) if new is not None else 1
    else:
        pattern, escaped = node.expression.unnest(), isinstance(node.parent, exp.Escape)
        if isinstance(pattern, exp.Literal) and steady_pattern(pattern.name, escaped=escaped):
            return 1
        if isinstance(pattern, exp.Placeholder) and not escaped:  # its value is held to the same (`bind`)
            return 1
    raise _not_bounded(node)


def _not_bounded(node: exp.Expression) -> Invalid:
    name = type(node).__name__.upper()
    return Invalid(
        "not-allowed",
        Text("De vraag kan zo niet gesteld worden.", "The question cannot be asked like this."),
        Text(f"{name} mag alleen met vaste waarden die weinig werk geven.",
             f"{name} is allowed only with constants that make little work."),
        Text("Gebruik een kortere vaste waarde; in een patroon met _ hoogstens twee keer %.",
             "Use a shorter constant; in a pattern with _ at most two %."),
    )  # fmt: skip


def _aliased(select: exp.Select) -> int:
    """Nodes of a SELECT in which the names of its outputs are written out, as other outputs may use them."""
    weights: dict[str, int] = {}
    total = 0
    for clause, value in select.args.items():
        parts = value if isinstance(value, list) else [value]
        for part in parts if clause not in {"with_", "from_", "joins"} else ():
            if not isinstance(part, exp.Expression):
                continue
            weight = sum(_named(node, weights) for node in part.walk())
            total += weight
            if clause == "expressions" and isinstance(part, exp.Alias):
                weights[part.alias.lower()] = min(weight, MAX_NODES + 1)
    return total


def _named(node: exp.Expression, weights: Mapping[str, int]) -> int:
    return weights.get(node.name.lower(), 1) if isinstance(node, exp.Column) and not node.table else 1


def bound_resolved(tree: exp.Query) -> None:
    """Refuse a qualified tree that is too large with its common and derived tables written out where they are used.

    Raises:
        Invalid: `sql-too-long`.
    """
    _query(tree, {}, {})


def _query(query: exp.Expression, common: Mapping[str, _Weight], outer: Mapping[str, _Weight]) -> _Weight:
    """Weigh a query.

    Args:
        query: to weigh.
        common: common tables in reach.
        outer: tables of the queries around it.
    """
    with_ = query.args.get("with_")
    for cte in with_.expressions if with_ else ():
        common = {**common, cte.alias.lower(): _query(cte.this, common, outer)}
    if isinstance(query, exp.Subquery):
        return _query(query.this, common, outer)
    if isinstance(query, exp.SetOperation):
        left, right = _query(query.left, common, outer), _query(query.right, common, outer)
        pairs = zip(left.outputs.items(), right.outputs.values(), strict=False)
        outputs = {name: max(one, other) for (name, one), other in pairs}
        return _within(left.nodes + right.nodes, left.tables + right.tables, outputs)
    return _select(query, common, outer)


def _select(select: exp.Expression, common: Mapping[str, _Weight], outer: Mapping[str, _Weight]) -> _Weight:
    sources = dict(outer)
    nodes = tables = 0
    start = select.args.get("from_")
    items = [start.this] if start is not None else []
    items += [join.this for join in select.args.get("joins") or ()]
    for item in items:
        weight = _source(item, common, outer)
        sources[item.alias_or_name.lower()] = weight
        nodes, tables = nodes + weight.nodes, tables + weight.tables
    outputs = {}
    for clause, value in select.args.items():
        for part in value if isinstance(value, list) else [value]:
            if not isinstance(part, exp.Expression) or clause in {"with_", "from_"}:
                continue
            expression = part.args.get("on") if isinstance(part, exp.Join) else part
            own, read = _expression(expression, common, sources) if expression is not None else (0, 0)
            nodes, tables = nodes + own, tables + read
            if clause == "expressions":
                outputs[part.alias_or_name.lower()] = own
    return _within(nodes, tables, outputs)


def _source(item: exp.Expression, common: Mapping[str, _Weight], outer: Mapping[str, _Weight]) -> _Weight:
    if isinstance(item, exp.Table):
        known = common.get(item.name.lower()) if not item.db else None
        return known or _Weight(1, 1, {})
    return _query(item, common, outer)


def _expression(
    part: exp.Expression, common: Mapping[str, _Weight], sources: Mapping[str, _Weight]
) -> tuple[int, int]:
    """Nodes and tables of an expression, with every column written out."""
    nodes = tables = 0
    for node in _own(part):
        if isinstance(node, exp.Query):
            inner = _query(node, common, sources)
            nodes, tables = nodes + inner.nodes, tables + inner.tables
        elif isinstance(node, exp.Column):
            weight = sources.get(node.table.lower())
            nodes += weight.outputs.get(node.name.lower(), 1) if weight else 1
        else:
            nodes += 1
    return nodes, tables


def _own(part: exp.Expression) -> Iterator[exp.Expression]:
    """The nodes of an expression; of a query in it only the query itself."""
    yield from part.walk(prune=lambda node: isinstance(node, exp.Query))


def _within(nodes: int, tables: int, outputs: Mapping[str, int]) -> _Weight:
    if nodes > MAX_NODES or tables > MAX_TABLES:
        raise too_large()
    return _Weight(nodes, tables, outputs)

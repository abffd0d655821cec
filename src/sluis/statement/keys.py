"""In what order the fetches run, and which keys and constants each is given.

A constant moves along the edges too, so that independent sites start at once; but where the restricting side has other
conditions, its keys are waited for: rows of people it does not have must not leave the next site.
"""

import dataclasses
from collections.abc import Iterator

from sqlglot import exp

from sluis.statement import scopes, shapes
from sluis.statement.blocks import Blocks
from sluis.statement.draft import Draft, Unit
from sluis.statement.edges import Column, Edge, base_of, edges

Facts = dict[Draft, dict[Column, list[exp.Expression]]]
"""Per draft, per column, what it equals: a constant, `ANY($list)` or a tuple of constants."""

_UNKNOWN_ROWS = 100_000
_FEW, _ONE_OF = 0.001, 0.1
"""Guessed share of rows for which a column has one value: a column that is joined on, another one. Only the order, and
what is not worth waiting for, depend on guesses."""
_OWN, _LISTED = 0.5, 100.0
"""Guessed rows for one value, and for a list of values, of a key or a subject: such a table goes before any guess."""
_SHARES = ((exp.EQ, _ONE_OF), (exp.Like, _ONE_OF), (exp.In, 0.2), (exp.Between, 0.2), (exp.Expression, 0.4))
"""Guessed share of rows that pass another condition."""


@dataclasses.dataclass(eq=False)
class Step:
    """A draft in its place in the order: the edges whose keys it waits for, and constants that came along edges."""

    draft: Draft
    uses: list[Edge]
    constants: list[exp.Expression]
    share: float
    """Guessed share of its rows that the conditions and keys leave."""


def arrange(blocks: Blocks) -> list[Step]:
    """Put the drafts in order, the most selective first, each with the keys that can restrict it by then."""
    found = edges(blocks)
    own = {draft: _constants(draft) for draft in blocks.drafts}
    facts, came = _spread(blocks, found, own)
    steps: list[Step] = []
    for draft, share in _order(blocks, found, facts):
        done = {step.draft: step for step in steps}
        known = [
            edge
            for edge in found
            if edge.draft is draft and all(source in done for source, _ in edge.sources)
        ]
        uses = [edge for edge in known if not _implied(edge, facts, own, done)]
        awaited = {edge.target for edge in uses}
        constants = [
            _equals(column, value)
            for column, values in came[draft].items()
            for value in values
            if column not in awaited
        ]
        steps.append(Step(draft, uses, constants, share))
    return steps


def _implied(edge: Edge, facts: Facts, own: Facts, done: dict[Draft, Step]) -> bool:
    """Whether the constants on the target say all that the keys could: the source is one table that nothing but
    constants on this very column restricts."""
    draft, column = edge.sources[0]
    plain = (
        len(edge.sources) == 1 and len(draft.units) == 1 and draft.units[0].query is None and not edge.nulls
    )
    constants = [*own[draft].get(column, []), *facts[draft].get(column, [])]
    return (
        plain
        and bool(constants)
        and len(draft.conditions) == len(own[draft].get(column, []))
        and not done[draft].uses
        and not any(values for other, values in facts[draft].items() if other != column)
        and all(value in facts[edge.draft].get(edge.target, []) for value in constants)
    )


def _may_compare(blocks: Blocks, column: Column) -> bool:
    base = base_of(blocks, column)
    return base is not None and blocks.options.comparable(*base)


def _constants(draft: Draft) -> dict[Column, list[exp.Expression]]:
    """What a draft's own conditions say its columns equal."""
    found: dict[Column, list[exp.Expression]] = {}
    for part in draft.conditions:
        stated = _stated(part)
        if stated is not None:
            found.setdefault(stated[0], []).append(stated[1])
    return found


def _stated(part: exp.Expression) -> tuple[Column, exp.Expression] | None:
    """The column and the value of `column = constant`, `column = ANY($list)` or `column IN (constants)`."""
    if isinstance(part, exp.In) and isinstance(part.this, exp.Column) and part.expressions:
        if all(_constant(value) for value in part.expressions):
            return (part.this.table, str(part.this.name)), exp.Tuple(expressions=part.expressions)
    elif isinstance(part, exp.EQ):
        for column, value in ((part.left, part.right), (part.right, part.left)):
            value = value.unnest()
            listed = isinstance(value, exp.Any) and isinstance(value.this.unnest(), exp.Placeholder)
            if isinstance(column, exp.Column) and (listed or _constant(value)):
                return (column.table, str(column.name)), value
    return None


def _constant(value: exp.Expression) -> bool:
    if isinstance(value, exp.Cast | exp.Neg | exp.Paren):
        return _constant(value.this)
    return isinstance(value, exp.Placeholder | exp.Literal)


def _equals(column: Column, value: exp.Expression) -> exp.Expression:
    named = exp.column(column[1], column[0], quoted=True)
    if isinstance(value, exp.Tuple):
        return exp.In(this=named, expressions=[one.copy() for one in value.expressions])
    return exp.EQ(this=named, expression=value.copy())


def _spread(blocks: Blocks, found: list[Edge], own: Facts) -> tuple[Facts, Facts]:
    """Let constants move along edges, and inside a draft along its equalities, until nothing is new.

    Returns:
        what is known of every column, and that part of it that came along an edge and may restrict the draft. (What is
        known of a LEFT-joined unit inside a draft may not: it says nothing of the rows without one.)
    """
    facts: Facts = {
        draft: {column: list(values) for column, values in stated.items()} for draft, stated in own.items()
    }
    came: Facts = {draft: {} for draft in own}
    moves = [
        (edge.sources[0], (edge.draft, edge.target), True)
        for edge in found
        if len(edge.sources) == 1 and not edge.nulls and _may_compare(blocks, edge.target)
    ]
    moves += [
        ((draft, one), (draft, other), False) for draft in blocks.drafts for one, other in _inside(draft)
    ]
    new = True
    while new:
        new = False
        for (source, column), (draft, target), restricts in moves:
            known = facts[draft].setdefault(target, [])
            fresh = [value for value in facts[source].get(column, []) if value not in known]
            known.extend(fresh)
            if restricts and fresh:
                came[draft].setdefault(target, []).extend(fresh)
            new = new or bool(fresh)
    return facts, came


def _inside(draft: Draft) -> Iterator[tuple[Column, Column]]:
    """Equalities between columns within a draft, in the directions in which they hold for every row."""
    optional = {str(join.this.alias) for join in draft.joins if join.side}
    parts = [
        *draft.conditions,
        *(part for join in draft.joins for part in scopes.conjuncts(join.args.get("on"))),
    ]
    for part in parts:
        if (
            isinstance(part, exp.EQ)
            and isinstance(part.left, exp.Column)
            and isinstance(part.right, exp.Column)
        ):
            one, other = ((side.table, str(side.name)) for side in (part.left, part.right))
            if one[0] not in optional:
                yield one, other
            if other[0] not in optional:
                yield other, one


def _order(blocks: Blocks, found: list[Edge], facts: Facts) -> list[tuple[Draft, float]]:
    """The drafts with the fewest rows first, counting what the ones before them restrict; those that nothing
    restricts, and those that may only be read by key, as late as can be."""
    joined = {edge.target for edge in found} | {column for edge in found for _, column in edge.sources}
    rows = {draft: max(_rows(blocks, unit) for unit in draft.units) for draft in blocks.drafts}
    own = {draft: _share(blocks, draft, facts, joined, rows[draft]) for draft in blocks.drafts}
    left = list(blocks.drafts)
    done: dict[Draft, float] = {}
    while left:
        ranked = {draft: _rank(blocks, draft, done, found, own[draft], rows[draft]) for draft in left}
        following = min(left, key=lambda draft: ranked[draft])
        done[following] = ranked[following][-1] / max(rows[following], 1.0)
        left.remove(following)
    return list(done.items())


def _rank(
    blocks: Blocks, draft: Draft, done: dict[Draft, float], found: list[Edge], share: float, rows: float
) -> tuple[bool, bool, bool, float]:
    into = [edge for edge in found if edge.draft is draft]
    given = {
        source for edge in into for source, _ in edge.sources if all(one in done for one, _ in edge.sources)
    }
    for source in given:
        share *= done[source]
    # What restricts this draft but cannot be restricted by it goes first.
    mutual = {edge.draft for edge in found if any(source is draft for source, _ in edge.sources)}
    follows = any(one not in done and one not in mutual for edge in into for one, _ in edge.sources)
    keyed = any(blocks.options.keyed(unit.node) for unit in draft.units if isinstance(unit.node, exp.Table))
    unrestricted = share >= 1.0 and not given
    return keyed and unrestricted, follows, unrestricted, share * rows


def _share(blocks: Blocks, draft: Draft, facts: Facts, joined: set[Column], rows: float) -> float:
    """About which share of its rows a draft's own conditions leave."""
    share = 1.0
    for column, values in facts[draft].items():
        base = base_of(blocks, column)
        if values and base is not None and blocks.options.selective(*base):
            few = _LISTED if all(isinstance(value, exp.Any) for value in values) else _OWN
            share *= min(few / max(rows, 1.0), _FEW)
        else:
            share *= (_FEW if column in joined else _ONE_OF) ** len(values)
    for part in draft.conditions:
        if _stated(part) is None and len(scopes.mentions(part)) < 2:
            share *= _passing(part)
    for unit in draft.units:
        if unit.query is not None:
            share *= _kept(unit.query)
    return share


def _passing(part: exp.Expression) -> float:
    return next(share for kind, share in _SHARES if isinstance(part, kind))


def _kept(query: exp.Query) -> float:
    """About which share of its tables' rows a derived table gives."""
    share = 0.1 if isinstance(query, exp.Select) and scopes.grouped(query) else 1.0
    for clause in query.find_all(exp.Where, exp.Having):
        for part in scopes.conjuncts(clause.this):
            if len(scopes.mentions(part)) < 2:
                share *= _passing(part) if isinstance(clause, exp.Where) else _ONE_OF
    return share


def _rows(blocks: Blocks, unit: Unit) -> float:
    """Declared rows of the largest table in a unit."""
    tables = [unit.node] if isinstance(unit.node, exp.Table) else list(unit.node.find_all(exp.Table))
    known = [blocks.options.rows.get(shapes.table_name(table)) for table in tables]
    return float(max(_UNKNOWN_ROWS if count is None else count for count in known)) if known else 1.0

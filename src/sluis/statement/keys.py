"""Which fetch restricts which, and in what order they run.

An equality between columns of two drafts lets the values of the one, once fetched, restrict the other: rows that fail
it are not needed. `scopes.levels` says which side may lose rows; for subqueries:

- an inner query's rows may always be restricted by the outer columns its WHERE equates them with;
- a positive EXISTS or IN at the top of WHERE restricts the outer side too, and so does `column = (scalar query)`;
- the list of any IN in WHERE may be restricted to the values looked up in it, its NULLs kept: they decide between
  false and unknown.

Every such step is safe on whatever rows are there, so steps may follow each other in any order. A constant moves along
the same edges, so that independent sites start at once; but where the restricting side has other conditions too, its
keys are waited for: rows of people it does not have must not leave the next site.
"""

import dataclasses
from collections.abc import Iterator

from sqlglot import exp

from sluis.statement import normal, scopes, shapes
from sluis.statement.blocks import Block, Blocks, Draft, Unit

Column = tuple[str, str]
"""(unit alias, column)."""

Facts = dict[Draft, dict[Column, list[exp.Expression]]]
"""Per draft, per column, what it equals: a constant, `ANY($list)` or a tuple of constants."""

_UNKNOWN_ROWS = 100_000
_FEW, _ONE_OF = 0.001, 0.1
"""Guessed share of rows for which a column has one value: a selective column, another one. Only the order, and what is
not worth waiting for, depend on guesses."""
_SHARES = ((exp.EQ, _ONE_OF), (exp.Like, _ONE_OF), (exp.In, 0.2), (exp.Between, 0.2), (exp.Expression, 0.4))
"""Guessed share of rows that pass another condition."""


@dataclasses.dataclass(eq=False)
class Edge:
    """The values of `sources` may restrict `target`."""

    sources: list[tuple[Draft, Column]]
    draft: Draft
    target: Column
    nulls: bool = False


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
    edges = [edge for edge in _edges(blocks) if _fits(blocks, edge)]
    own = {draft: _constants(draft) for draft in blocks.drafts}
    facts = _spread(blocks, edges, own)
    steps: list[Step] = []
    for draft, share in _order(blocks, edges, facts):
        done = {step.draft: step for step in steps}
        known = [edge for edge in edges if edge.draft is draft and all(source in done for source, _ in edge.sources)]
        uses = [edge for edge in known if not _implied(edge, facts, own, done)]
        awaited = {edge.target for edge in uses}
        constants = [
            _equals(column, value)
            for column, values in facts[draft].items()
            for value in values
            if column not in awaited and value not in own[draft].get(column, []) and _may_compare(blocks, column)
        ]
        steps.append(Step(draft, uses, constants, share))
    return steps


def _implied(edge: Edge, facts: Facts, own: Facts, done: dict[Draft, Step]) -> bool:
    """Whether the constants on the target say all that the keys could: the source is one table that nothing but
    constants on this very column restricts."""
    draft, column = edge.sources[0]
    plain = len(edge.sources) == 1 and len(draft.units) == 1 and draft.units[0].query is None and not edge.nulls
    constants = own[draft].get(column, []) + [part for part in facts[draft].get(column, [])]
    return (
        plain
        and bool(constants)
        and len(draft.conditions) == len(own[draft].get(column, []))
        and not done[draft].uses
        and all(value in facts[edge.draft].get(edge.target, []) for value in constants)
    )


def _edges(blocks: Blocks) -> Iterator[Edge]:
    for block in blocks.blocks:
        for place in block.places:
            for part in place.parts:
                yield from _pair(blocks, part, place.reach)
                yield from _membership(blocks, part, place.reach)
                yield from _existence(blocks, part, place.reach)
        yield from _lists(blocks, block)


def _pair(blocks: Blocks, part: exp.Expression, reach: frozenset[str]) -> Iterator[Edge]:
    """`a.x = b.y`."""
    if not isinstance(part, exp.EQ):
        return
    left, right = part.left.unnest(), part.right.unnest()
    if isinstance(left, exp.Column) and isinstance(right, exp.Column):
        for source, target in ((left, right), (right, left)):
            yield from _connect(blocks, _sources(blocks, source), _reached(blocks, target, reach))


def _membership(blocks: Blocks, part: exp.Expression, reach: frozenset[str]) -> Iterator[Edge]:
    """`a.x IN (query)`, `a.x = ANY (query)`, `a.x = (query)`."""
    looked_up = _lookup(part)
    if looked_up is not None:
        columns, query = looked_up
        for position, column in enumerate(columns):
            yield from _connect(blocks, _sources_of(blocks, query, position), _reached(blocks, column, reach))
            yield from _connect(blocks, _sources(blocks, column), _targets_of(blocks, query, position))
    elif isinstance(part, exp.EQ):
        for value, column in ((part.left, part.right), (part.right, part.left)):
            if isinstance(value, exp.Subquery) and isinstance(column, exp.Column):
                query = scopes.body(value)
                yield from _connect(blocks, _sources_of(blocks, query, 0), _reached(blocks, column, reach))


def _lookup(part: exp.Expression) -> tuple[list[exp.Column], exp.Query] | None:
    """The columns and the query of an IN, when it has one."""
    if isinstance(part, exp.In) and part.args.get("query"):
        value, query = part.this.unnest(), part.args["query"]
    elif isinstance(part, exp.EQ) and isinstance(part.right, exp.Any) and isinstance(part.right.this, exp.Query):
        value, query = part.left.unnest(), part.right.this
    else:
        return None
    values = value.expressions if isinstance(value, exp.Tuple) else [value]
    return (values, scopes.body(query)) if all(isinstance(one, exp.Column) for one in values) else None


def _existence(blocks: Blocks, part: exp.Expression, reach: frozenset[str]) -> Iterator[Edge]:
    """`EXISTS (SELECT … WHERE inner.x = outer.y)`: rows of `outer` without an inner one are not needed."""
    inner = scopes.body(part.this) if isinstance(part, exp.Exists) else None
    if not isinstance(inner, exp.Select) or scopes.limited(inner):
        return
    if scopes.grouped(inner) and not inner.args.get("group"):  # gives a row even where nothing is found
        return
    for condition in scopes.where(inner):
        if isinstance(condition, exp.EQ):
            for source, target in ((condition.left, condition.right), (condition.right, condition.left)):
                if isinstance(source, exp.Column) and isinstance(target, exp.Column) and target.table in reach:
                    yield from _connect(blocks, _sources(blocks, source), _reached(blocks, target, reach))


def _lists(blocks: Blocks, block: Block) -> Iterator[Edge]:
    """The IN lists of a WHERE that do not stand on their own there: NOT IN, and IN under OR."""
    clause = block.select.args.get("where")
    top = scopes.where(block.select)
    for node in scopes.own_nodes(clause) if clause else []:
        if isinstance(node, exp.In) and node.args.get("query") and not any(node is part for part in top):
            if isinstance(node.this, exp.Column) and _solid(blocks, node.this):
                query = scopes.body(node.args["query"])
                yield from _connect(blocks, _sources(blocks, node.this), _targets_of(blocks, query, 0), nulls=True)


def _connect(
    blocks: Blocks,
    sources: list[tuple[Draft, Column]] | None,
    targets: list[tuple[Draft, Column]],
    *,
    nulls: bool = False,
) -> Iterator[Edge]:
    for draft, target in targets if sources else []:
        if all(source is not draft for source, _ in sources or []):
            yield Edge(sources or [], draft, target, nulls)


def _sources(blocks: Blocks, column: exp.Column) -> list[tuple[Draft, Column]] | None:
    """Fetched columns that together hold every value a column can have, NULL aside."""
    unit = blocks.units.get(column.table)
    if unit is None:
        return None
    if unit.draft is not None:
        return [(unit.draft, (unit.alias, str(column.name)))]
    if unit.query is None:
        return None
    return _sources_of(blocks, unit.query, scopes.outputs(unit.query).index(column.name))


def _sources_of(blocks: Blocks, query: exp.Query, position: int) -> list[tuple[Draft, Column]] | None:
    query = scopes.body(query)
    if isinstance(query, exp.SetOperation):
        left = _sources_of(blocks, query.this, position)
        if not isinstance(query, exp.Union) or left is None:
            return left
        right = _sources_of(blocks, query.expression, position)
        return None if right is None or query.args.get("by_name") else left + right
    value = query.expressions[position].unalias()
    return _sources(blocks, value) if isinstance(value, exp.Column) and value.table else None


def _solid(blocks: Blocks, column: exp.Column) -> bool:
    """Whether a column can be NULL only where the fetched one is, never because a row was null-extended."""
    unit = blocks.units.get(column.table)
    return unit is not None and unit.draft is not None and unit.alias in unit.block.where


def _reached(blocks: Blocks, column: exp.Column, reach: frozenset[str]) -> list[tuple[Draft, Column]]:
    return _targets(blocks, column) if column.table in reach else []


def _targets(blocks: Blocks, column: exp.Column) -> list[tuple[Draft, Column]]:
    """Fetched columns that may be restricted where `column`, of a unit that may lose rows, is."""
    unit = blocks.units.get(column.table)
    if unit is None:
        return []
    if unit.draft is not None:
        return [(unit.draft, (unit.alias, str(column.name)))]
    if unit.query is None:
        return []
    return _targets_of(blocks, unit.query, scopes.outputs(unit.query).index(column.name))


def _targets_of(blocks: Blocks, query: exp.Query, position: int) -> list[tuple[Draft, Column]]:
    query = scopes.body(query)
    if scopes.limited(query) or query.args.get("by_name"):
        return []
    if isinstance(query, exp.SetOperation):
        return _targets_of(blocks, query.this, position) + _targets_of(blocks, query.expression, position)
    assert isinstance(query, exp.Select)
    projection = query.expressions[position]
    value = normal.passing(query).get(str(projection.alias_or_name))
    if not isinstance(value, exp.Column) or value != projection.unalias():
        return []
    unit = blocks.units.get(value.table)
    inside = unit is not None and unit.block.select is query and unit.alias in unit.block.where
    return _targets(blocks, value) if inside else []


def _fits(blocks: Blocks, edge: Edge) -> bool:
    target = column_type(blocks, edge.target)
    return all(shapes.comparable(column_type(blocks, column), target) for _, column in edge.sources)


def base_of(blocks: Blocks, column: Column) -> tuple[exp.Table, str] | None:
    """The base table and column that a unit's column is, None when it is computed."""
    alias, name = column
    node = blocks.units[alias].node
    if isinstance(node, exp.Table):
        return node, name
    query = scopes.body(node)
    if not isinstance(query, exp.Select):
        return None
    value = query.expressions[scopes.outputs(query).index(name)].unalias()
    for item in scopes.items(query) if isinstance(value, exp.Column) else []:
        if item.alias == value.table and isinstance(item.node, exp.Table):
            return item.node, str(value.name)
    return None


def column_type(blocks: Blocks, column: Column) -> str:
    """The DuckDB type of a unit's column."""
    base = base_of(blocks, column)
    if base is not None:
        return shapes.canonical(blocks.options.types[shapes.table_name(base[0])][base[1]])
    query = blocks.units[column[0]].query
    assert query is not None
    kinds = shapes.describe(query, blocks.options.types, blocks.options.parameters)
    return kinds[scopes.outputs(query).index(column[1])]


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


def _spread(blocks: Blocks, edges: list[Edge], own: Facts) -> Facts:
    """Let constants move along edges, and inside a draft along its equalities, until nothing is new."""
    facts: Facts = {
        draft: {column: list(values) for column, values in stated.items()} for draft, stated in own.items()
    }
    moves = [
        (edge.sources[0], (edge.draft, edge.target))
        for edge in edges
        if len(edge.sources) == 1 and not edge.nulls and _may_compare(blocks, edge.target)
    ]
    moves += [((draft, one), (draft, other)) for draft in blocks.drafts for one, other in _inside(draft)]
    new = True
    while new:
        new = False
        for (source, column), (draft, target) in moves:
            known = facts[draft].setdefault(target, [])
            fresh = [value for value in facts[source].get(column, []) if value not in known]
            known.extend(fresh)
            new = new or bool(fresh)
    return facts


def _inside(draft: Draft) -> Iterator[tuple[Column, Column]]:
    """Equalities between columns within a draft, in the directions in which they hold for every row."""
    optional = {str(join.this.alias) for join in draft.joins if join.side}
    parts = [*draft.conditions, *(part for join in draft.joins for part in scopes.conjuncts(join.args.get("on")))]
    for part in parts:
        if isinstance(part, exp.EQ) and isinstance(part.left, exp.Column) and isinstance(part.right, exp.Column):
            one, other = ((side.table, str(side.name)) for side in (part.left, part.right))
            if one[0] not in optional:
                yield one, other
            if other[0] not in optional:
                yield other, one


def _order(blocks: Blocks, edges: list[Edge], facts: Facts) -> list[tuple[Draft, float]]:
    """The drafts with the fewest rows first, counting what the ones before them restrict; those that nothing
    restricts, and those that may only be read by key, as late as can be."""
    joined = {edge.target for edge in edges} | {column for edge in edges for _, column in edge.sources}
    own = {draft: _share(blocks, draft, facts, joined) for draft in blocks.drafts}
    rows = {draft: max(_rows(blocks, unit) for unit in draft.units) for draft in blocks.drafts}
    left = list(blocks.drafts)
    done: dict[Draft, float] = {}
    while left:
        ranked = {draft: _rank(blocks, draft, done, edges, own[draft], rows[draft]) for draft in left}
        following = min(left, key=lambda draft: ranked[draft])
        done[following] = ranked[following][-1] / max(rows[following], 1.0)
        left.remove(following)
    return list(done.items())


def _rank(
    blocks: Blocks, draft: Draft, done: dict[Draft, float], edges: list[Edge], share: float, rows: float
) -> tuple[bool, bool, bool, float]:
    into = [edge for edge in edges if edge.draft is draft]
    given = {source for edge in into for source, _ in edge.sources if all(one in done for one, _ in edge.sources)}
    for source in given:
        share *= done[source]
    # What restricts this draft but cannot be restricted by it goes first.
    mutual = {edge.draft for edge in edges if any(source is draft for source, _ in edge.sources)}
    follows = any(one not in done and one not in mutual for edge in into for one, _ in edge.sources)
    keyed = any(blocks.options.keyed(unit.node) for unit in draft.units if isinstance(unit.node, exp.Table))
    unrestricted = share >= 1.0 and not given
    return keyed and unrestricted, follows and unrestricted, unrestricted, share * rows


def _share(blocks: Blocks, draft: Draft, facts: Facts, joined: set[Column]) -> float:
    """About which share of its rows a draft's own conditions leave."""
    share = 1.0
    for column, values in facts[draft].items():
        base = base_of(blocks, column)
        selective = column in joined or (base is not None and blocks.options.selective(*base))
        share *= (_FEW if selective else _ONE_OF) ** len(values)
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

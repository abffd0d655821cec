"""Which fetch may restrict which.

An equality between columns of two drafts lets the values of the one, once fetched, restrict the other: rows that fail
it are not needed. `scopes.levels` says which side may lose rows; for subqueries:

- an inner query's rows may always be restricted by the outer columns its WHERE equates them with;
- a positive EXISTS or IN at the top of WHERE restricts the outer side too, and so does `column = (scalar query)`;
- the list of any IN in WHERE may be restricted to the values looked up in it; under NOT its NULLs are kept, for they
  decide between false and unknown.

Every such step is safe on whatever rows are there, so steps may follow each other in any order.
"""

import dataclasses
from collections.abc import Iterator

from sqlglot import exp

from sluis.statement import derived, scopes, shapes
from sluis.statement.blocks import Blocks
from sluis.statement.draft import Block, Draft

Column = tuple[str, str]
"""(unit alias, column)."""


@dataclasses.dataclass(eq=False)
class Edge:
    """The values of `sources` may restrict `target`."""

    sources: list[tuple[Draft, Column]]
    draft: Draft
    target: Column
    nulls: bool = False


def edges(blocks: Blocks) -> list[Edge]:
    """Every edge of a question."""
    return [edge for edge in _all(blocks) if _fits(blocks, edge)]


def _all(blocks: Blocks) -> Iterator[Edge]:
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
    elif (
        isinstance(part, exp.EQ)
        and isinstance(part.right, exp.Any)
        and isinstance(part.right.this, exp.Query)
    ):
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
                if (
                    isinstance(source, exp.Column)
                    and isinstance(target, exp.Column)
                    and target.table in reach
                ):
                    yield from _connect(blocks, _sources(blocks, source), _reached(blocks, target, reach))


def _lists(blocks: Blocks, block: Block) -> Iterator[Edge]:
    """The IN lists of a WHERE that do not stand on their own there: NOT IN, and IN under OR."""
    clause = block.select.args.get("where")
    top = scopes.where(block.select)
    for node in scopes.own_nodes(clause) if clause else []:
        if not isinstance(node, exp.In) or not node.args.get("query") or any(node is part for part in top):
            continue
        positive = _positive(node)
        if isinstance(node.this, exp.Column) and (positive or _solid(blocks, node.this)):
            targets = _targets_of(blocks, scopes.body(node.args["query"]), 0)
            yield from _connect(blocks, _sources(blocks, node.this), targets, nulls=not positive)


def _positive(node: exp.Expression) -> bool:
    """Whether only AND and OR stand between a condition and WHERE: then false and unknown come to the same."""
    parent = node.parent
    while isinstance(parent, exp.And | exp.Or | exp.Paren):
        parent = parent.parent
    return isinstance(parent, exp.Where)


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
    value = derived.passing(query).get(str(projection.alias_or_name))
    if not isinstance(value, exp.Column) or value != projection.unalias():
        return []
    unit = blocks.units.get(value.table)
    inside = unit is not None and unit.block.select is query and unit.alias in unit.block.where
    return _targets(blocks, value) if inside else []


def _fits(blocks: Blocks, edge: Edge) -> bool:
    target = column_type(blocks, edge.target)
    """Whether the values travel as keys without changing what they are equal to."""
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
        base = isinstance(item.node, exp.Table) and shapes.table_name(item.node) in blocks.options.types
        if item.alias == value.table and base:
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

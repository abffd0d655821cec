"""Let a site add up its own rows before they leave, where the question only wants sums over them.

In a SELECT that aggregates over a join, when every aggregate takes its values from one draft, that draft is fetched in
groups: one row per combination of the columns that the rest of the SELECT still needs (join keys, group keys), with
partial sums, counts, minima and maxima. Rows of a group behave alike in the rest of the SELECT, so the residual finishes
with sums of sums; a row it is joined with twice counts its group twice, as it did its rows.

Only what adds up exactly: integers and decimals. AVG does not qualify, since DuckDB divides in more digits than SQL can
ask for; nor does anything in floating point.
"""

from sqlglot import exp

from sluis.statement import scopes, shapes
from sluis.statement.blocks import Blocks
from sluis.statement.draft import Block, Draft

MOST_KEYS = 2
"""Group columns up to which groups are worth their computing: over more, nearly every row is a group of its own."""


def push(blocks: Blocks) -> None:
    """Turn drafts into groups wherever that is exact. Changes the drafts and the residual."""
    for block in blocks.blocks:
        if scopes.grouped(block.select) and scopes.group_keys(block.select) is not None:
            _push(blocks, block)


def _push(blocks: Blocks, block: Block) -> None:
    found = scopes.aggregates(block.select)
    if scopes.windows(block.select) or not all(_adds_up(node) for node in found):
        return
    draft = _giver(blocks, block, found)
    if draft is None or not _alone(draft, block):
        return
    inputs = [node for node in found if _needs(node, draft)]
    if not inputs or not _exact(blocks, draft, inputs):
        return
    inside = {id(column) for node in inputs for column in node.find_all(exp.Column)}
    aliases = {unit.alias for unit in draft.units}
    others = [
        column
        for column in block.select.find_all(exp.Column)
        if column.table in aliases and id(column) not in inside
    ]
    keys = {(column.table, column.name) for column in others}
    if 1 <= len(keys) <= MOST_KEYS and _accepted(blocks, draft, inputs, others):
        optional = draft.units[0].alias not in block.where
        for node in inputs:
            node.replace(_finish(draft, node, optional=optional))


def _adds_up(node: exp.AggFunc) -> bool:
    """Whether an aggregate can be finished from parts, or does not mind that equal rows became one."""
    filtered = isinstance(
        node.parent, exp.Filter | exp.Window | exp.WithinGroup | exp.IgnoreNulls | exp.RespectNulls
    )
    return type(node) in (exp.Sum, exp.Count, exp.Min, exp.Max) and not filtered and not node.find(exp.Query)


def _insensitive(node: exp.AggFunc) -> bool:
    return isinstance(node, exp.Min | exp.Max) or isinstance(node.this, exp.Distinct)


def _giver(blocks: Blocks, block: Block, found: list[exp.AggFunc]) -> Draft | None:
    """The one draft that every sum and count takes its values from; for COUNT(*) alone, the largest."""
    aliases: set[str] = set()
    for node in found:
        if not _insensitive(node):
            aliases |= scopes.mentions(node)
    if aliases - set(block.units):
        return None
    drafts = {block.units[alias].draft for alias in aliases}
    if not drafts:
        rows = blocks.options.rows
        sized = [
            (
                max(
                    rows.get(shapes.table_name(unit.node)) or 0
                    for unit in draft.units
                    if isinstance(unit.node, exp.Table)
                ),
                n,
            )
            for n, draft in enumerate(blocks.drafts)
            if draft.units[0].block is block and all(isinstance(unit.node, exp.Table) for unit in draft.units)
        ]
        stars = any(isinstance(node, exp.Count) and isinstance(node.this, exp.Star) for node in found)
        return blocks.drafts[max(sized)[1]] if sized and stars else None
    return drafts.pop() if len(drafts) == 1 else None


def _alone(draft: Draft, block: Block) -> bool:
    """Whether the draft is read by this SELECT as rows: of its own block, inner-joined or the one LEFT-joined unit."""
    if draft.distinct or draft.probe or draft.units[0].block is not block or draft.computed:
        return False
    item = next(item for item in scopes.items(block.select) if item.alias == draft.id)
    return draft.units[0].alias in block.where or (item.kind == "left" and len(draft.units) == 1)


def _needs(node: exp.AggFunc, draft: Draft) -> bool:
    """Whether an aggregate is to be fed from parts: it counts rows, or its values are the draft's."""
    if isinstance(node.this, exp.Distinct):
        return False
    aliases = {unit.alias for unit in draft.units}
    star = isinstance(node.this, exp.Star) or not scopes.mentions(node)
    return (isinstance(node, exp.Count) and star) or bool(
        scopes.mentions(node) and scopes.mentions(node) <= aliases
    )


def _exact(blocks: Blocks, draft: Draft, inputs: list[exp.AggFunc]) -> bool:
    """Whether all sums are over whole numbers and decimals."""
    sums = [node.this.copy() for node in inputs if isinstance(node, exp.Sum)]
    if not sums:
        return True
    select = draft.source([])
    select.set("expressions", [exp.alias_(value, f"v{n}", quoted=True) for n, value in enumerate(sums)])
    kinds = shapes.describe(select, blocks.options.types, blocks.options.parameters)
    return all(kind in shapes.INTEGERS or kind.startswith("DECIMAL(") for kind in kinds)


def _accepted(blocks: Blocks, draft: Draft, inputs: list[exp.AggFunc], others: list[exp.Column]) -> bool:
    if blocks.options.accepts is None:
        return True
    select = draft.source(draft.conditions)
    keys = list({(column.table, column.name): column for column in others}.values())
    values = [exp.alias_(node.copy(), f"v{n}", quoted=True) for n, node in enumerate(inputs)]
    names = [exp.alias_(key.copy(), f"k{n}", quoted=True) for n, key in enumerate(keys)]
    select.set("expressions", [*names, *values])
    select.set("group", exp.Group(expressions=[key.copy() for key in keys]))
    return blocks.options.accepts(select, draft.site)


def _finish(draft: Draft, node: exp.AggFunc, *, optional: bool) -> exp.Expression:
    """What the residual computes in place of an aggregate, from the draft's part of it."""
    part = draft.compute(node)
    if isinstance(node, exp.Min | exp.Max):
        return type(node)(this=part)
    if isinstance(node, exp.Sum):
        return exp.Sum(this=part)
    # A row that a LEFT join found nothing for has no part: it counts as one row, and as no value.
    rows = isinstance(node.this, exp.Star) or not scopes.mentions(node.this)
    if rows and optional:
        part = exp.func("COALESCE", part, exp.Literal.number(1))
    total = exp.func("COALESCE", exp.Sum(this=part), exp.Literal.number(0))
    return exp.cast(total, "BIGINT", dialect="duckdb")

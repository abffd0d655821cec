"""What may be done to a query that others read as a table: filter its rows from within, and compute fewer columns.

Both leave every row and column that the readers look at as it was.
"""

from collections.abc import Callable, Iterator

from sqlglot import exp

from sluis.statement import scopes


def sink(query: exp.Expression, alias: str, condition: exp.Expression) -> bool:
    """Add a condition on the output columns of a query to its inside, where that filters exactly the same rows.

    Args:
        query: the query whose outputs are read as `alias.column`; changed only when the answer is True.
        alias: the alias its outputs have in `condition`.
        condition: speaks of no other alias.
    """
    names = {column.name for column in condition.find_all(exp.Column)}
    if condition.find(exp.Query) or not _add(query, condition, names, lambda name: name, dry=True):
        return False
    return _add(query, condition, names, lambda name: name, dry=False)


def _add(
    query: exp.Expression,
    condition: exp.Expression,
    names: set[str],
    position: Callable[[str], str],
    *,
    dry: bool,
) -> bool:
    query = scopes.body(query)
    if scopes.limited(query):
        return False
    if isinstance(query, exp.SetOperation):
        if query.args.get("by_name"):
            return False
        left = scopes.outputs(query.this)
        right = scopes.outputs(query.expression)
        across = dict(zip(left, right, strict=False))
        if len(set(left)) < len(left):
            return False
        return _add(query.this, condition, names, position, dry=dry) and _add(
            query.expression, condition, names, lambda name: across[position(name)], dry=dry
        )
    assert isinstance(query, exp.Select)
    values = passing(query)
    if any(position(name) not in values for name in names):
        return False
    if not dry:
        added = condition.copy()
        for column in list(added.find_all(exp.Column)) if not isinstance(added, exp.Column) else [added]:
            value = values[position(column.name)].copy()
            column.replace(value if isinstance(value, exp.Column) else exp.paren(value, copy=False))
        scopes.set_where(query, [*scopes.where(query), added])
    return True


def passing(select: exp.Select) -> dict[str, exp.Expression]:
    """The outputs of a SELECT that may be filtered before it groups and windows, with their expressions."""
    if scopes.limited(select) or (select.args.get("distinct") and select.args["distinct"].args.get("on")):
        return {}
    keys = scopes.group_keys(select)
    if keys is None or (scopes.grouped(select) and not keys):
        return {}
    partitions = [window.args.get("partition_by") or [] for window in scopes.windows(select)]
    outputs: dict[str, exp.Expression] = {}
    for projection in select.expressions:
        value = projection.unalias()
        if value.find(exp.AggFunc, exp.Window, exp.Query):
            continue
        if keys and value not in keys:
            continue
        if all(value in partition for partition in partitions):
            outputs[str(projection.alias_or_name)] = value
    return outputs


def trim(query: exp.Expression, needed: set[str]) -> bool:
    """Drop the output columns nobody reads, where that changes no rows. True when no others are left."""
    query = scopes.body(query)
    keep = {n for n, name in enumerate(scopes.outputs(query)) if name in needed}
    selects = _trimmable(query)
    if selects is None:
        return len(keep) == len(scopes.outputs(query))
    if len(selects) == 1:
        own = {str(column.name) for column in _unqualified(selects[0])}
        keep |= {n for n, name in enumerate(scopes.outputs(query)) if name in own}
        keep |= _one_row(selects[0], keep)
    for select in selects:
        kept = [projection for n, projection in enumerate(select.expressions) if n in keep]
        select.set("expressions", kept or [exp.alias_(exp.Literal.number(1), "one", quoted=True)])
    return True


def _one_row(select: exp.Select, keep: set[int]) -> set[int]:
    """The output that must stay for a SELECT to give one row: without any aggregate it would give many."""
    if not scopes.grouped(select) or select.args.get("group"):
        return set()
    counting = [n for n, projection in enumerate(select.expressions) if projection.find(exp.AggFunc)]
    return set(counting[:1]) if not keep.intersection(counting) else set()


def _unqualified(select: exp.Select) -> Iterator[exp.Column]:
    """References to the SELECT's own output names, as ORDER BY has them."""
    return (node for node in scopes.clauses(select) if isinstance(node, exp.Column) and not node.table)


def _trimmable(query: exp.Query) -> list[exp.Select] | None:
    if isinstance(query, exp.Select):
        return None if query.args.get("distinct") else [query]
    if not isinstance(query, exp.Union) or query.args.get("distinct") or query.args.get("by_name"):
        return None
    found = scopes.branches(query)
    if any(part.args.get("order") or scopes.grouped(part) for part in found):
        return None
    sides = [_trimmable(scopes.body(side)) for side in (query.this, query.expression)]
    return None if query.args.get("order") or None in sides else found

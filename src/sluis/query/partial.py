"""The rest of a question when an owner's part cannot be had, for those who asked for that (`partial = "flagged"`).

The owner's tables are taken out of the question: what was selected from them becomes NULL, conditions on them are
dropped, and a subquery that has nothing left to read counts as missing too. The answer says whose part is missing;
it never silently means less than it says.
"""

from collections.abc import Collection

from sqlglot import exp

from sluis.kernel import Invalid, Text
from sluis.statement import conjuncts, tables_of


def without(tree: exp.Query, aliases: Collection[str]) -> exp.Query:
    """A parsed question without the datasets of these owners.

    Args:
        tree: from `statement.parse`; not changed. Columns of the datasets taken out are recognised by their table's
            name, so they have to be written with it.
        aliases: names of the owners before the dot.

    Raises:
        Invalid: `nothing-left`, when no dataset remains.
    """
    tree = tree.copy()
    gone: set[str] = set()
    for select in reversed(list(tree.find_all(exp.Select))):  # inner ones first
        _take_out(select, aliases, gone)
    if any(_is_empty(branch) for branch in _branches(tree)):
        raise Invalid(
            "nothing-left",
            Text("Er blijft niets van de vraag over.", "Nothing of the question remains."),
            Text("De eigenaren die wel antwoorden, dragen er niet aan bij.", "The owners that do answer add nothing to it."),
            Text("Probeer het later opnieuw.", "Try again later."),
        )  # fmt: skip
    return tree


def _branches(tree: exp.Expression) -> list[exp.Select]:
    if isinstance(tree, exp.SetOperation):
        return _branches(tree.left) + _branches(tree.right)
    query = tree.unnest()
    return [query] if isinstance(query, exp.Select) else []


def _is_empty(query: exp.Expression | None) -> bool:
    return isinstance(query, exp.Select) and bool(query.meta.get("emptied"))


def _take_out(select: exp.Select, aliases: Collection[str], gone: set[str]) -> None:
    missing = [table for table in tables_of(select) if _is_missing(table, aliases, gone)]
    if not missing:
        return
    names = {table.alias_or_name.lower() for table in missing}
    _drop_conditions(select, names)
    _drop_tables(select, missing)
    for column in list(select.find_all(exp.Column)):
        if column.table.lower() in names:
            _blank(column)
    if select.args.get("from_") is None:
        select.meta["emptied"] = True
        cte = select.parent
        if isinstance(cte, exp.CTE):
            gone.add(cte.alias.lower())
        elif isinstance(cte, exp.Exists) or (
            isinstance(cte, exp.Subquery) and not isinstance(cte.parent, exp.From | exp.Join)
        ):
            _drop_subquery(cte)


def _is_missing(table: exp.Expression, aliases: Collection[str], gone: set[str]) -> bool:
    if isinstance(table, exp.Table):
        return table.db.lower() in aliases if table.db else table.name.lower() in gone
    return isinstance(table, exp.Subquery) and _is_empty(table.unnest())


def _drop_conditions(select: exp.Select, names: set[str]) -> None:
    """Keep the conjuncts that say nothing about what is missing; move those of a dropped join to WHERE."""
    kept = []
    where = select.args.get("where")
    kept += list(conjuncts(where.this)) if where else []
    for join in select.args.get("joins") or ():
        on = join.args.get("on")
        if join.this.alias_or_name.lower() in names:
            if not join.side:
                kept += list(conjuncts(on))
        elif on is not None:
            left = [part for part in conjuncts(on) if not _speaks_of(part, names)]
            join.set("on", exp.and_(*left, copy=True) if left else exp.true())
    kept = [part for part in kept if not _speaks_of(part, names)]
    select.set("where", exp.Where(this=exp.and_(*kept, copy=True)) if kept else None)


def _speaks_of(condition: exp.Expression, names: set[str]) -> bool:
    return any(column.table.lower() in names for column in condition.find_all(exp.Column))


def _drop_tables(select: exp.Select, missing: list[exp.Table | exp.Subquery]) -> None:
    joins = [
        join for join in select.args.get("joins") or () if not any(join.this is table for table in missing)
    ]
    start = select.args["from_"]
    if any(start.this is table for table in missing):
        if not joins:
            select.set("from_", None)
            select.set("joins", None)
            return
        first = joins.pop(0)
        start.set("this", first.this)
    select.set("joins", joins or None)


def _blank(column: exp.Column) -> None:
    if isinstance(column.parent, exp.Select):
        column.replace(exp.alias_(exp.Null(), column.name))
    else:
        column.replace(exp.Null())


def _drop_subquery(subquery: exp.Expression) -> None:
    """A condition on a missing subquery is dropped; a value from one is NULL."""
    parent = subquery.parent
    if isinstance(subquery, exp.Exists):
        subquery.replace(exp.true())
    elif isinstance(parent, exp.In):
        parent.replace(exp.true())
    else:
        subquery.replace(exp.Null())

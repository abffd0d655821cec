"""The rest of a question when an owner's part cannot be had, for those who asked for that (`partial = "flagged"`).

The owner's tables are taken out of the question: what was selected from them becomes NULL, conditions on them are
dropped, and a subquery that has nothing left to read counts as missing too. The answer says whose part is missing;
it never silently means less than it says.
"""

from collections import Counter
from collections.abc import Collection, Sequence

from sqlglot import exp

from sluis.kernel import Invalid, Text, Upstream
from sluis.statement import base_tables, conjuncts, dataset_of, tables_of


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
    for cte in list(tree.find_all(exp.CTE)):
        if cte.alias.lower() in gone:
            _drop_common_table(cte)
    if any(_is_empty(branch) for branch in _branches(tree)):
        raise Invalid(
            "nothing-left",
            Text("Er blijft niets van de vraag over.", "Nothing of the question remains."),
            Text("De bronhouders die wel antwoorden, dragen er niet aan bij.", "The owners that do answer add nothing to it."),
            Text("Probeer het later opnieuw.", "Try again later."),
        )  # fmt: skip
    return tree


def fallen(tree: exp.Query, aliases: Collection[str]) -> tuple[str, ...]:
    """Whose datasets fall away, all or some of them, when a question (from `statement.parse`) goes on without these owners:
    theirs, and what was tied to the rest by way of them only. Raises `Invalid`: `nothing-left`."""
    before = Counter(dataset_of(table) for table in base_tables(tree))
    gone = before - Counter(dataset_of(table) for table in base_tables(without(tree, aliases)))
    return tuple(dict.fromkeys(alias for alias, _ in gone))


def through(owner: str, others: Sequence[str]) -> Upstream:
    """Why an owner that does answer is not asked all of it: about whom follows from the answer of these others."""
    names = ", ".join(others)
    return Upstream(
        "owner-not-asked",
        Text(f"Niet alles kan aan {owner} worden gevraagd.", f"Not all of it can be asked of {owner}."),
        Text(f"Waarover het gaat, volgt uit het antwoord van {names}.", f"What it is about follows from the answer of {names}."),
        Text("Probeer het later opnieuw.", "Try again later."),
        peer=owner,
        retry=True,
    )  # fmt: skip


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
    _drop_tables(select, names)
    for column in list(select.find_all(exp.Column)):
        if column.table.lower() in names:
            _blank(column)
    if select.args.get("from_") is None:
        select.meta["emptied"] = True
        _drop_around(select, gone)


def _drop_around(select: exp.Select, gone: set[str]) -> None:
    """What an emptied SELECT stood in: a common table is gone too, a condition falls away, a value is NULL."""
    parent = select.parent
    around = parent.parent if isinstance(parent, exp.Subquery) else parent
    if isinstance(parent, exp.CTE):
        gone.add(parent.alias.lower())
    elif isinstance(around, exp.Exists | exp.In):
        _fall_away(around)
    elif isinstance(parent, exp.Subquery) and not isinstance(around, exp.From | exp.Join):
        parent.replace(exp.Null())


def _fall_away(condition: exp.Expression) -> None:
    """Take a condition out of what it stands in: TRUE in its place would open an OR to every row."""
    while isinstance(condition.parent, exp.Not | exp.Paren):
        condition = condition.parent
    parent = condition.parent
    if isinstance(parent, exp.Connector):
        parent.replace(parent.right if parent.left is condition else parent.left)
    else:
        condition.replace(exp.true())


def _drop_common_table(cte: exp.CTE) -> None:
    with_ = cte.parent
    cte.pop()
    if isinstance(with_, exp.With) and not with_.expressions:
        with_.pop()


def _is_missing(table: exp.Expression, aliases: Collection[str], gone: set[str]) -> bool:
    if isinstance(table, exp.Table):
        return table.db.lower() in aliases if table.db else table.name.lower() in gone
    return isinstance(table, exp.Subquery) and _is_empty(table.unnest())


def _drop_conditions(select: exp.Select, names: set[str]) -> None:
    """Keep what the conditions say about the rest: `a.k = gone.k and gone.k = b.k` still says `a.k = b.k`. A table that
    was tied to the rest through what is gone only, goes too (`names` grows)."""
    where = select.args.get("where")
    joins = select.args.get("joins") or []
    inner = conjuncts(where.this) if where else []
    inner += [part for join in joins if not join.side for part in conjuncts(join.args.get("on"))]
    equal = _equals(inner, names)
    kept = _rest_of(inner, names, equal)
    for join in joins:
        if not join.side:
            join.set("on", None)
            continue
        on = conjuncts(join.args.get("on"))
        if not on:
            continue  # tied by nothing: ON TRUE stays
        left = _rest_of(on, names, equal)
        if not left:
            names.add(join.this.alias_or_name.lower())
        join.set("on", exp.and_(*left, copy=True) if left else None)
    kept = _rest_of(kept, names, equal)
    select.set("where", exp.Where(this=exp.and_(*kept, copy=True)) if kept else None)


def _equals(conditions: list[exp.Expression], names: set[str]) -> dict[str, exp.Column]:
    """For columns of what is gone, a column of the rest that they are equal to."""
    found: dict[str, exp.Column] = {}
    for condition in conditions:
        if not isinstance(condition, exp.EQ):
            continue
        for side, other in ((condition.left, condition.right), (condition.right, condition.left)):
            columns = isinstance(side, exp.Column) and isinstance(other, exp.Column)
            if columns and side.table.lower() in names and other.table.lower() not in names:
                found.setdefault(side.sql().lower(), other)
    return found


def _rest_of(
    conditions: list[exp.Expression], names: set[str], equal: dict[str, exp.Column]
) -> list[exp.Expression]:
    kept = []
    for condition in conditions:
        part = condition.copy()
        for column in list(part.find_all(exp.Column)):
            if column.table.lower() in names and column.sql().lower() in equal:
                column.replace(equal[column.sql().lower()].copy())
        told = _told(part, names)
        trivial = isinstance(told, exp.EQ) and told.left == told.right
        if told is not None and not trivial and told != exp.true():
            kept.append(told)
    return kept


def _told(condition: exp.Expression, names: set[str]) -> exp.Expression | None:
    """What a condition still says; of an OR the sides that do not speak of what is gone, so that it opens no more than
    before."""
    sides = list(condition.unnest().flatten()) if isinstance(condition.unnest(), exp.Or) else [condition]
    left = [side for side in sides if not _speaks_of(side, names)]
    if len(left) == len(sides):
        return condition
    return exp.paren(exp.or_(*left, copy=True)) if left else None


def _speaks_of(condition: exp.Expression, names: set[str]) -> bool:
    return any(column.table.lower() in names for column in condition.find_all(exp.Column))


def _drop_tables(select: exp.Select, names: set[str]) -> None:
    joins = [join for join in select.args.get("joins") or () if join.this.alias_or_name.lower() not in names]
    start = select.args["from_"]
    if start.this.alias_or_name.lower() in names:
        if not joins:
            select.set("from_", None)
            select.set("joins", None)
            return
        start.set("this", joins.pop(0).this)
    select.set("joins", joins or None)


def _blank(column: exp.Column) -> None:
    if isinstance(column.parent, exp.Select):
        column.replace(exp.alias_(exp.Null(), column.name))
    else:
        column.replace(exp.Null())

"""Bring a qualified question to the form the splitter reasons about, without changing what it gives:

- every FROM item has an alias that is unique in the whole tree;
- CTEs are written out where they are used (those whose rows depend on chance, and are used twice, stay);
- outer joins whose null rows WHERE rejects are inner; the ON of an inner join stands in WHERE; plain derived tables
  are part of the SELECT around them; what an OR says of one table stands beside it;
- conditions stand as deep as they may, and no derived table computes a column that nobody reads.

`tidy` puts join conditions back into ON, for people and databases that read the result.
"""

from collections.abc import Iterator

from sqlglot import exp

from sluis.kernel import Invalid, Text
from sluis.statement import derived, scopes


def normalise(tree: exp.Query) -> exp.Query:
    """The normal form of a question.

    Args:
        tree: a qualified question; not changed.

    Raises:
        Invalid: `recursion-unsupported`, `join-unsupported`.
    """
    query = _inline(tree.copy())
    _rename(query, {}, set())
    _settle(query)
    return query


def _inline(query: exp.Query) -> exp.Query:
    """Write CTEs out, the innermost WITH first."""
    holders = [node for node in query.walk() if isinstance(node, exp.Query) and node.args.get("with_")]
    for holder in reversed(holders):
        clause = holder.args["with_"]
        if clause.args.get("recursive"):
            raise Invalid(
                "recursion-unsupported",
                Text(
                    "Een recursieve vraag kan niet worden verdeeld.", "A recursive question cannot be split."
                ),
                Text(
                    "De tabellen ervan staan bij meer dan één bron.",
                    "Its tables live at more than one source.",
                ),
                Text("Vraag het recursieve deel bij één bron.", "Ask the recursive part at one source."),
            )
        ctes = list(clause.expressions)
        for number, cte in enumerate(ctes):
            _write_out(cte, [*ctes[number + 1 :], holder])
        if not clause.expressions:
            holder.set("with_", None)
    return query


def _write_out(cte: exp.CTE, scope: list[exp.Expression]) -> None:
    """Replace the uses of a CTE by its body. One that is used twice and may differ each time stays."""
    uses = [table for place in scope for table in _references(place, cte)]
    if len(uses) > 1 and not scopes.fixed(cte.this):
        _name_apart(cte, uses)
        return
    for table in uses:
        alias = table.args.get("alias") or exp.TableAlias(this=exp.to_identifier(cte.alias, quoted=True))
        table.replace(exp.Subquery(this=cte.this.copy(), alias=alias.copy()))
    cte.pop()


def _name_apart(cte: exp.CTE, uses: list[exp.Table]) -> None:
    """Give a CTE that stays a name that no table and no other CTE has."""
    name = _unique(cte.alias, {str(table.name) for table in cte.root().find_all(exp.Table)})
    for table in uses:
        if not table.alias:
            table.set("alias", exp.TableAlias(this=exp.to_identifier(cte.alias, quoted=True)))
        table.set("this", exp.to_identifier(name, quoted=True))
    cte.args["alias"].set("this", exp.to_identifier(name, quoted=True))


def _references(place: exp.Expression, cte: exp.CTE) -> list[exp.Table]:
    """The tables in a place that mean this CTE; in the query that holds the WITH, outside that WITH."""

    def prune(node: exp.Expression) -> bool:
        return isinstance(node, exp.With) and node.parent is place

    return [
        node
        for node in place.walk(prune=prune)
        if isinstance(node, exp.Table)
        and not node.args.get("db")
        and node.name == cte.alias
        and not prune(node)
    ]


def _rename(query: exp.Query, outer: dict[str, str], taken: set[str]) -> None:
    """Make aliases unique, following SQL's scoping."""
    query = scopes.body(query)
    clause = query.args.get("with_")
    for cte in clause.expressions if clause else []:
        _rename(cte.this, outer, taken)
    if isinstance(query, exp.SetOperation):
        _rename(query.this, outer, taken)
        _rename(query.expression, outer, taken)
        return
    assert isinstance(query, exp.Select)
    names = dict(outer)
    found = scopes.items(query)
    for item in found:
        names[item.alias] = _unique(item.alias, taken)
        item.node.set("alias", exp.TableAlias(this=exp.to_identifier(names[item.alias], quoted=True)))
    for node in list(scopes.clauses(query)):
        if isinstance(node, exp.Column) and node.table in names:
            node.set("table", exp.to_identifier(names[node.table], quoted=True))
        elif isinstance(node, exp.Select | exp.SetOperation):
            _rename(node, names, taken)
    for item in found:
        if isinstance(item.node, exp.Subquery):
            _rename(item.node, outer, taken)


def _unique(alias: str, taken: set[str]) -> str:
    name, number = alias, 2
    while name in taken:
        name, number = f"{alias}_{number}", number + 1
    taken.add(name)
    return name


def _settle(query: exp.Query) -> None:
    """Apply the rules from the outside in: what an outer SELECT hands down is there when the inner one is read."""
    query = scopes.body(query)
    clause = query.args.get("with_")
    for cte in clause.expressions if clause else []:
        _settle(cte.this)
    if isinstance(query, exp.SetOperation):
        _settle(query.this)
        _settle(query.expression)
        return
    assert isinstance(query, exp.Select)
    _commas(query)
    while any([_hoist(query), _factor(query), _narrow(query), _flatten(query), _sink(query)]):
        pass
    for item in scopes.items(query):
        if isinstance(item.node, exp.Subquery):
            derived.trim(item.node, _read(query, item.alias))
            _settle(item.node)
    for node in scopes.nested(query):
        _settle(node)


def _commas(select: exp.Select) -> None:
    """Write `a, b` as CROSS JOIN. A RIGHT or FULL join after a comma binds tighter than the comma, which a row of
    joins cannot say."""
    found = scopes.items(select)
    for position, item in enumerate(found):
        if item.join is not None and item.kind == "inner" and not item.join.kind and not item.on:
            if position < scopes.last_outer(found):
                raise Invalid(
                    "join-unsupported",
                    Text("Deze joins kunnen niet worden verdeeld.", "These joins cannot be split."),
                    Text(
                        "Er staat een komma vóór een RIGHT of FULL JOIN.",
                        "A comma precedes a RIGHT or FULL JOIN.",
                    ),
                    Text(
                        "Schrijf CROSS JOIN in plaats van de komma.",
                        "Write CROSS JOIN in place of the comma.",
                    ),
                )
            scopes.set_on(item.join, [])


def _hoist(select: exp.Select) -> bool:
    """Move the ON of inner joins to WHERE, and of SEMI joins what concerns their left side, after the last RIGHT or FULL
    join."""
    found = scopes.items(select)
    moved = False
    conditions = scopes.where(select)
    for item in found[scopes.last_outer(found) + 1 :]:
        if item.join is None:
            continue
        if item.kind == "inner" and item.on:
            conditions += item.on
            item.join.set("on", None)
            item.join.set("kind", "CROSS")
            moved = True
        elif item.kind == "semi":
            own = [part for part in item.on if item.alias in scopes.mentions(part)]
            if len(own) < len(item.on):
                conditions += [part for part in item.on if item.alias not in scopes.mentions(part)]
                scopes.set_on(item.join, own)
                moved = True
    if moved:
        scopes.set_where(select, conditions)
    return moved


def _factor(select: exp.Select) -> bool:
    """Take what all sides of an OR share out of it, and add what the OR says of each FROM item alone, so that the item
    can be filtered where it lives: `(a.x = 1 AND b.y = 2) OR (a.x = 3 AND b.y = 4)` says `a.x = 1 OR a.x = 3`."""
    parts: list[exp.Expression] = []
    changed = False
    for part in scopes.where(select):
        if not isinstance(part, exp.Or) or part.meta.get("factored") or part.find(exp.Query):
            parts.append(part)
            continue
        changed = True
        sides = [scopes.conjuncts(side) for side in part.flatten()]
        shared = [one for one in sides[0] if all(one in side for side in sides[1:])]
        rest = [[one for one in side if one not in shared] for side in sides]
        parts += [one.copy() for one in shared]
        if all(rest):
            remaining = _either(rest)
            parts += [remaining, *_said_of_each(rest, remaining)]
    if changed:
        scopes.set_where(select, parts)
    return changed


def _either(sides: list[list[exp.Expression]]) -> exp.Expression:
    """One of the sides holds. Marked, so that it is taken apart once."""
    together = exp.or_(*(exp.and_(*(one.copy() for one in side)) for side in sides))
    if isinstance(together, exp.Or):
        together.meta["factored"] = True
    return together


def _said_of_each(sides: list[list[exp.Expression]], whole: exp.Expression) -> Iterator[exp.Expression]:
    """For each FROM item that every side restricts by itself: one of those restrictions holds."""
    aliases = scopes.mentions(whole)
    for alias in sorted(aliases) if len(aliases) > 1 else []:
        own = [[one for one in side if scopes.mentions(one) == {alias}] for side in sides]
        if all(own):
            yield _either(own)


def _narrow(select: exp.Select) -> bool:
    """Turn outer joins whose null-extended rows WHERE rejects into narrower ones."""
    conditions = scopes.where(select)
    found = scopes.items(select)
    changed = False
    for position, item in enumerate(found):
        if item.join is None or item.kind not in ("left", "right", "full"):
            continue
        here = any(rejects(part, item.alias) for part in conditions)
        before = any(rejects(part, other.alias) for part in conditions for other in found[:position])
        side = _narrowed(item.kind, before, here)
        if side != item.join.side:
            item.join.set("side", side or None)
            item.join.set("kind", None)
            scopes.set_on(item.join, item.on)
            changed = True
    return changed


def _narrowed(kind: scopes.Kind, before: bool, here: bool) -> str:
    """The side of an outer join when rows without a left part (`before`) or a right part (`here`) are rejected."""
    keeps_left = kind in ("left", "full") and not here
    keeps_right = kind in ("right", "full") and not before
    return {(True, True): "FULL", (True, False): "LEFT", (False, True): "RIGHT", (False, False): ""}[
        keeps_left, keeps_right
    ]


_COMPARISONS = (exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.Like, exp.ILike)
_ARITHMETIC = (exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Paren, exp.Cast)


def rejects(condition: exp.Expression, alias: str) -> bool:
    """Whether a condition surely is not true when every column of `alias` is NULL."""
    condition = condition.unnest()
    if isinstance(condition, exp.And):
        return rejects(condition.left, alias) or rejects(condition.right, alias)
    if isinstance(condition, exp.Or):
        return rejects(condition.left, alias) and rejects(condition.right, alias)
    if isinstance(condition, exp.Not) and isinstance(condition.this.unnest(), exp.Is):
        test = condition.this.unnest()
        return isinstance(test.expression, exp.Null) and _null(test.this, alias)
    if isinstance(condition, exp.EQ) and isinstance(condition.right, exp.Any):
        # Of an empty list it is false, not NULL: rejected here, but not under NOT.
        return _null(condition.left, alias)
    return _unknown(condition, alias)


def _unknown(condition: exp.Expression, alias: str) -> bool:
    """Whether a condition surely is NULL when every column of `alias` is."""
    condition = condition.unnest()
    if isinstance(condition, exp.Not):
        return _unknown(condition.this, alias)
    if isinstance(condition, _COMPARISONS) and not isinstance(condition.right, exp.Any | exp.All):
        return _null(condition.left, alias) or _null(condition.right, alias)
    if isinstance(condition, exp.In) and condition.expressions:
        return _null(condition.this, alias)
    return isinstance(condition, exp.Between) and _null(condition.this, alias)


def _null(value: exp.Expression, alias: str) -> bool:
    """Whether a value surely is NULL when every column of `alias` is."""
    if isinstance(value, exp.Column):
        return bool(value.table == alias)
    return isinstance(value, _ARITHMETIC) and any(
        _null(child, alias) for child in value.iter_expressions() if not isinstance(child, exp.DataType)
    )


def _flatten(select: exp.Select) -> bool:
    """Take a plain derived table apart: its FROM items, its WHERE and its expressions become the outer SELECT's."""
    found = scopes.items(select)
    start = scopes.last_outer(found)
    for position, item in enumerate(found):
        inner = scopes.body(item.node) if isinstance(item.node, exp.Subquery) else None
        if (
            position < start
            or item.kind != "inner"
            or not isinstance(inner, exp.Select)
            or not _simple(inner)
        ):
            continue
        _splice(select, item, inner)
        return True
    return False


def _simple(inner: exp.Select) -> bool:
    """Whether a derived table may be taken apart: it only joins and projects, and every projection is an expression
    of columns (a constant could be read as a position in GROUP BY or ORDER BY)."""
    if not scopes.plain(inner) or not inner.args.get("from_"):
        return False
    _commas(inner)
    if any(item.kind not in ("inner", "left") for item in scopes.items(inner)):
        return False
    for projection in inner.expressions:
        value = projection.unalias()
        if not value.find(exp.Column) or value.find(exp.Query, exp.Placeholder):
            return False
    return True


def _splice(select: exp.Select, item: scopes.Item, inner: exp.Select) -> None:
    values = {str(projection.alias_or_name): projection.unalias() for projection in inner.expressions}
    first, *rest = scopes.items(inner)
    conditions = scopes.where(select) + scopes.where(inner)
    joins = [inner_item.join.copy() for inner_item in rest if inner_item.join is not None]
    item.node.replace(first.node.copy())
    own = select.args.get("joins") or []
    at = own.index(item.join) + 1 if item.join is not None else 0
    select.set("joins", own[:at] + joins + own[at:])
    scopes.set_where(select, conditions)
    _substitute(select, item.alias, values)


def _substitute(node: exp.Expression, alias: str, values: dict[str, exp.Expression]) -> None:
    for column in list(node.find_all(exp.Column)):
        if column.table == alias:
            value = values[column.name].copy()
            column.replace(value if isinstance(value, exp.Column) else exp.paren(value, copy=False))


def _sink(select: exp.Select) -> bool:
    """Move conditions on one derived table into it."""
    found = scopes.items(select)
    level = scopes.levels(found)
    tables = {item.alias: item.node for item in found if isinstance(item.node, exp.Subquery)}
    conditions = scopes.where(select)
    kept = list(_unsunk(conditions, level.where, tables))
    moved = len(kept) < len(conditions)
    if moved:
        scopes.set_where(select, kept)
    for item, reach in zip(found, level.on, strict=True):
        rest = list(_unsunk(item.on, reach, tables))
        if item.join is not None and len(rest) < len(item.on):
            scopes.set_on(item.join, rest)
            moved = True
    return moved


def _unsunk(
    parts: list[exp.Expression], reach: frozenset[str], tables: dict[str, exp.Expression]
) -> Iterator[exp.Expression]:
    """Sink what can be; give what cannot."""
    for part in parts:
        aliases = scopes.mentions(part)
        alias = next(iter(aliases), "")
        if (
            len(aliases) != 1
            or alias not in reach
            or alias not in tables
            or not derived.sink(tables[alias], alias, part)
        ):
            yield part


def _read(select: exp.Select, alias: str) -> set[str]:
    """The columns of a FROM item that a SELECT reads, in ON, in its clauses and in nested queries."""
    return {column.name for column in select.find_all(exp.Column) if column.table == alias}


def tidy(select: exp.Select) -> None:
    """Put conditions between FROM items back where the last of them is joined, as inner joins ON."""
    found = scopes.items(select)
    rest = scopes.where(select)
    start = scopes.last_outer(found)
    for position, item in enumerate(found):
        if position <= start or item.kind != "inner" or item.join is None:
            continue
        before = {other.alias for other in found[:position]}
        here = []
        for part in rest:
            aliases = scopes.mentions(part)
            if item.alias in aliases and aliases & before and aliases <= before | {item.alias}:
                here.append(part)
        if here:
            rest = [part for part in rest if not any(part is moved for moved in here)]
            scopes.set_on(item.join, item.on + here)
    scopes.set_where(select, rest)

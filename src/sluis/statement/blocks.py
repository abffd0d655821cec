"""Cut a question in normal form into drafts: per site the parts it can compute, with the conditions that concern them
alone. What stays is the residual, in which each part is one relation.

A SELECT is a *block*; its FROM items are *units*, each at one site or, for a derived table over more sites, local.
Units of one site that are never null-extended and are joined by an equality become one draft; a unit LEFT-joined to
such a draft by an equality over that draft alone joins it. A condition moves into a draft when it speaks of that draft
only and `scopes.levels` allows it there: then exactly the rows it filters are gone, and it is dropped above.
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping

from sqlglot import exp

from sluis.statement import normal, scopes, shapes
from sluis.statement.draft import Block, Draft, Place, Unit, one


@dataclasses.dataclass(frozen=True)
class Options:
    """What the caller of `split` knows; see there."""

    site_of: Callable[[exp.Table], str]
    rows: Mapping[str, int | None]
    types: shapes.Types
    parameters: Mapping[str, str]
    keyed: Callable[[exp.Table], bool]
    comparable: Callable[[exp.Table, str], bool]
    selective: Callable[[exp.Table, str], bool]
    accepts: Callable[[exp.Query, str], bool] | None


class Blocks:
    """All blocks, units and drafts of a question. `work` does everything; then `units` holds what `keys` needs."""

    def __init__(self, options: Options, tree: exp.Query) -> None:
        self.options = options
        self.tree = tree
        self.units: dict[str, Unit] = {}
        self.blocks: list[Block] = []
        self.drafts: list[Draft] = []
        self._taken = {str(node.this) for node in tree.find_all(exp.Identifier)}

    def work(self) -> exp.Query:
        """Cut the question up.

        Returns:
            the residual: columns still stand under their units' aliases, tables are the drafts' ids.
        """
        holder = exp.Subquery(this=self.tree)
        self._query(self.tree)
        residual = scopes.body(holder)
        residual.pop()
        return residual

    def _query(self, query: exp.Query) -> None:
        """Cut up a query that stands in a FROM, an expression, a set operation or at the top."""
        query = scopes.body(query)
        site = self.site(query)
        clause = query.args.get("with_")
        for cte in clause.expressions if clause and site is None else []:
            self._query(cte.this)
        if site is not None:
            self._select(_wrap(query, self._fresh("part")))
        elif isinstance(query, exp.Select):
            self._select(query)
        else:
            self._query(query.this)
            self._query(query.expression)

    def _fresh(self, stem: str) -> str:
        number = 1
        while f"{stem}{number}" in self._taken:
            number += 1
        self._taken.add(f"{stem}{number}")
        return f"{stem}{number}"

    def sites(self, node: exp.Expression) -> set[str | None]:
        """Sites of the base tables in or below a node; None stands for a CTE defined outside it."""
        inside = {cte.alias for cte in node.find_all(exp.CTE)}
        found: set[str | None] = set()
        for table in node.find_all(exp.Table):
            if shapes.table_name(table) in self.options.types:
                found.add(self.options.site_of(table))
            elif table.name not in inside:
                found.add(None)
        return found

    def site(self, query: exp.Query) -> str | None:
        """The one site that can compute a whole query, None when there is none."""
        found = self.sites(query)
        site = next(iter(found), None)
        if len(found) != 1 or site is None or scopes.mentions(query):
            return None
        return site if self._accepts(query, site) else None

    def _accepts(self, query: exp.Query, site: str) -> bool:
        return self.options.accepts is None or self.options.accepts(query, site)

    def _select(self, select: exp.Select) -> None:
        block = Block(select)
        self.blocks.append(block)
        if isinstance(select.parent, exp.Exists) and scopes.plain(select):
            select.set("expressions", [one()])
        found = scopes.items(select)
        level = scopes.levels(found)
        block.where = level.where
        for item in found:
            unit = Unit(item.alias, item.node, block, self._site_of(item.node))
            block.units[item.alias] = self.units[item.alias] = unit
        conditions = scopes.where(select)
        ons = [item.on for item in found]
        self._group(block, found, conditions)
        self._attach(block, found)
        conditions = list(self._unmoved(conditions, block, level.where))
        for item, parts, reach in zip(found, ons, level.on, strict=True):
            if item.join is not None and item.join.parent is select:
                parts = list(self._unmoved(parts, block, reach, alone=True))
                scopes.set_on(item.join, parts)
                block.places.append(Place(scopes.conjuncts(item.join.args.get("on")), reach))
        scopes.set_where(select, conditions)
        block.places.append(Place(scopes.where(select), block.where))
        self._mark(block, found)
        self._replace(block, found)
        for unit in block.units.values():
            if unit.site is None and unit.query is not None:
                self._query(unit.query)
        for node in scopes.nested(select):
            self._query(node)

    def _site_of(self, node: exp.Expression) -> str | None:
        if isinstance(node, exp.Table):
            return self.options.site_of(node) if shapes.table_name(node) in self.options.types else None
        return self.site(scopes.body(node))

    def _draft(self, site: str, units: list[Unit], joins: list[exp.Join]) -> Draft:
        draft = Draft(self._fresh("d"), site, units, joins)
        self.drafts.append(draft)
        for unit in units:
            unit.draft = draft
        return draft

    def _group(self, block: Block, found: list[scopes.Item], conditions: list[exp.Expression]) -> None:
        """Make drafts of the units: those of one site that an equality joins together, then the others alone."""
        order = [item.alias for item in found]
        groups = {alias: [alias] for alias in order}
        for part in conditions:
            pair = self._joined(part, block)
            if pair is not None and groups[pair[0]] is not groups[pair[1]]:
                merged = sorted(groups[pair[0]] + groups[pair[1]], key=order.index)
                if self._may_join([block.units[alias] for alias in merged], conditions):
                    groups.update(dict.fromkeys(merged, merged))
        for alias in order:
            unit = block.units[alias]
            if unit.site is not None and unit.draft is None:
                units = [block.units[other] for other in groups[alias]]
                self._draft(unit.site, units, _crossed(units[1:]))

    def _joined(self, part: exp.Expression, block: Block) -> tuple[str, str] | None:
        """The two units of one site, never null-extended, that an equality joins."""
        if not isinstance(part, exp.EQ) or part.find(exp.Query):
            return None
        left, right = scopes.mentions(part.left), scopes.mentions(part.right)
        if len(left) != 1 or len(right) != 1 or left == right or not left | right <= block.where:
            return None
        one, other = block.units[min(left)], block.units[min(right)]
        return (one.alias, other.alias) if one.site is not None and one.site == other.site else None

    def _may_join(self, units: list[Unit], conditions: list[exp.Expression]) -> bool:
        if self.options.accepts is None or units[0].site is None:
            return True
        aliases = {unit.alias for unit in units}
        own = [
            part for part in conditions if scopes.mentions(part) <= aliases and len(scopes.mentions(part)) > 1
        ]
        trial = Draft(
            "", units[0].site, units, _crossed(units[1:]), [part for part in own if not part.find(exp.Query)]
        )
        return self._accepts(_sample(trial), units[0].site)

    def _attach(self, block: Block, found: list[scopes.Item]) -> None:
        """Let LEFT-, SEMI- and ANTI-joined units become part of the draft they hang on."""
        for item in found:
            unit = block.units[item.alias]
            if item.kind not in ("left", "semi", "anti") or unit.draft is None or item.join is None:
                continue
            host = self._host(item, unit, block)
            if host is None:
                continue
            trial = dataclasses.replace(
                host, units=[*host.units], joins=[*host.joins], conditions=[*host.conditions]
            )
            if item.kind == "left":
                trial.units.append(unit)
                trial.joins.append(item.join.copy())
            else:
                trial.conditions.append(_existence(item))
            if self.options.accepts is None or self._accepts(_sample(trial), host.site):
                self.drafts.remove(unit.draft)
                host.units, host.joins, host.conditions = trial.units, trial.joins, trial.conditions
                unit.draft = host if item.kind == "left" else None
                item.join.pop()

    def _host(self, item: scopes.Item, unit: Unit, block: Block) -> Draft | None:
        """The draft that the ON of a join speaks of, when it is one of the same site. A LEFT join must share a key with
        it: its rows leave, in all combinations."""
        others = set().union(*map(scopes.mentions, item.on)) - {item.alias} if item.on else set()
        hosts = {block.units[alias].draft for alias in others if alias in block.units}
        host = hosts.pop() if len(hosts) == 1 and others <= set(block.units) else None
        if host is None or host.site != unit.site or host.units[0].alias not in block.where:
            return None
        keyed = item.kind != "left" or any(
            isinstance(part, exp.EQ)
            and isinstance(part.left, exp.Column)
            and isinstance(part.right, exp.Column)
            and len(scopes.mentions(part)) == 2
            for part in item.on
        )
        return host if keyed and all(self.sites(part) <= {unit.site} for part in item.on) else None

    def _unmoved(
        self, parts: list[exp.Expression], block: Block, reach: frozenset[str], *, alone: bool = False
    ) -> Iterator[exp.Expression]:
        """Move the conditions that one draft can check; give the others."""
        for part in parts:
            aliases = scopes.mentions(part)
            drafts = {block.units[alias].draft if alias in block.units else None for alias in aliases}
            draft = next(iter(drafts)) if len(drafts) == 1 else None
            fits = draft is not None and any(unit.alias in reach for unit in draft.units)
            if draft is None or not fits or (alone and len(draft.units) > 1) or not self._moves(part, draft):
                yield part
            else:
                draft.conditions.append(part.copy())

    def _moves(self, part: exp.Expression, draft: Draft) -> bool:
        if not self.sites(part) <= {draft.site}:
            return False
        if self.options.accepts is None:
            return True
        trial = dataclasses.replace(draft, conditions=[*draft.conditions, part])
        return self._accepts(_sample(trial), draft.site)

    def _mark(self, block: Block, found: list[scopes.Item]) -> None:
        """Say of the drafts in a block whether the number of equal rows matters, and whether more than existence."""
        select = block.select
        tested = isinstance(select.parent, exp.Exists)
        distinct = _distinct(select)
        for item in found:
            draft = block.units[item.alias].draft
            if draft is not None:
                draft.distinct = distinct or item.kind in ("semi", "anti")
                draft.probe = (
                    distinct and tested and len(found) == 1 and not any(p.parts for p in block.places)
                )

    def _replace(self, block: Block, found: list[scopes.Item]) -> None:
        """Put each draft where its first unit stands, and take its other units away."""
        for item in found:
            draft = block.units[item.alias].draft
            if draft is None or (item.join is not None and item.join.parent is not block.select):
                continue
            if item.alias == draft.units[0].alias:
                relation = exp.to_table(draft.id)
                relation.set("alias", exp.TableAlias(this=exp.to_identifier(draft.id, quoted=True)))
                node = block.units[item.alias].node
                detached = node.copy()
                node.replace(relation)
                block.units[item.alias].node = detached
            elif item.join is not None:
                item.join.pop()


def _existence(item: scopes.Item) -> exp.Expression:
    """A SEMI or ANTI join as a condition."""
    inner = exp.Select(expressions=[one()], from_=exp.From(this=item.node.copy()))
    scopes.set_where(inner, [part.copy() for part in item.on])
    exists = exp.Exists(this=inner)
    return exists if item.kind == "semi" else exp.Not(this=exists)


def _wrap(query: exp.Query, alias: str) -> exp.Select:
    """Replace a query by a SELECT of its outputs from it as a derived table, in place."""
    seen: set[str] = set()
    for number, projection in enumerate(list(scopes.branches(query)[0].expressions)):
        name = str(projection.alias_or_name)
        if name in seen or not isinstance(projection, exp.Alias):
            unique = name if name and name not in seen else f"{name}_{number}"
            projection.replace(exp.alias_(projection.unalias().copy(), unique, quoted=True))
            name = unique
        seen.add(name)
    outer = exp.Select()
    query.replace(outer)
    table = exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
    outer.set("from_", exp.From(this=table))
    outer.set(
        "expressions",
        [
            exp.alias_(exp.column(name, alias, quoted=True), name, quoted=True)
            for name in scopes.outputs(query)
        ],
    )
    return outer


def _distinct(select: exp.Select) -> bool:
    """Whether nobody can tell how often a row of its FROM items occurs."""
    if scopes.grouped(select) or scopes.windows(select):
        return False
    parent = select.parent
    holder = parent.parent if isinstance(parent, exp.Subquery) else parent
    merged = isinstance(holder, exp.SetOperation) and bool(holder.args.get("distinct"))
    listed = isinstance(parent, exp.Exists) or (
        isinstance(parent, exp.Subquery) and isinstance(holder, exp.In | exp.Any)
    )
    return bool(select.args.get("distinct")) or ((listed or merged) and not scopes.limited(select))


def _crossed(units: list[Unit]) -> list[exp.Join]:
    return [exp.Join(this=unit.node.copy(), kind="CROSS") for unit in units]


def _sample(draft: Draft) -> exp.Select:
    """A SELECT with the joins and conditions of a draft, to be judged by `accepts`."""
    select = draft.source(draft.conditions)
    select.set("expressions", [one()])
    normal.tidy(select)
    return select

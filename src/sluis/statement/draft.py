"""The parts of a cut-up question: units, the blocks they stand in, and drafts, the fetches in the making. A draft knows
how to write the query its site is asked.
"""

import dataclasses
from collections.abc import Callable

from sqlglot import exp

from sluis.statement import derived, normal, scopes


@dataclasses.dataclass(eq=False)
class Unit:
    """A FROM item. `site` is None for a derived table over several sites, and for a CTE that stays."""

    alias: str
    node: exp.Expression
    block: "Block"
    site: str | None
    draft: "Draft | None" = None

    @property
    def query(self) -> exp.Query | None:
        """The derived table's query."""
        return scopes.body(self.node) if isinstance(self.node, exp.Subquery) else None


@dataclasses.dataclass(eq=False)
class Draft:
    """A fetch in the making: units of one site, the joins between them, and the conditions moved into it."""

    id: str
    site: str
    units: list[Unit]
    joins: list[exp.Join] = dataclasses.field(default_factory=list)
    """How units after the first are joined; a LEFT join keeps its ON."""
    conditions: list[exp.Expression] = dataclasses.field(default_factory=list)
    distinct: bool = False
    """Whether nobody can tell how often a row occurs."""
    probe: bool = False
    """Whether only its being empty matters."""
    needed: list[tuple[str, str]] = dataclasses.field(default_factory=list)
    """(alias, column) that the residual reads."""
    computed: dict[tuple[str, str], exp.Expression] = dataclasses.field(default_factory=dict)
    """Partial aggregates, by the alias and column under which the residual reads them; then the rows are groups."""

    def compute(self, aggregate: exp.AggFunc) -> exp.Column:
        """Have the site compute an aggregate per group; gives the column it is read by."""
        alias = self.units[0].alias
        for (_, name), known in self.computed.items():
            if known == aggregate:
                return exp.column(name, alias, quoted=True)
        name = f"{type(aggregate).__name__.lower()}_{len(self.computed)}"
        self.computed[alias, name] = aggregate.copy()
        return exp.column(name, alias, quoted=True)

    def names(self) -> dict[tuple[str, str], str]:
        """The name of each needed column in the answer: its own, or with its table's alias where that is not unique."""
        found: dict[tuple[str, str], str] = {}
        for alias, column in self.needed:
            name, number = column, 2
            if any(column == other for key, other in found.items()):
                name = f"{alias}_{column}"
            while name in found.values():
                name, number = f"{alias}_{column}_{number}", number + 1
            found[alias, column] = name
        return found

    def source(self, conditions: list[exp.Expression]) -> exp.Select:
        """A SELECT from its units under conditions, without a projection."""
        select = exp.Select(from_=exp.From(this=self.units[0].node.copy()))
        if self.joins:
            select.set("joins", [join.copy() for join in self.joins])
        inner = {item.alias: item.node for item in scopes.items(select) if item.kind == "inner"}
        kept = [part.copy() for part in conditions if not _sunk(part, inner)]
        scopes.set_where(select, kept)
        return select

    def compose(
        self, extra: list[exp.Expression], accepts: Callable[[exp.Query, str], bool] | None
    ) -> exp.Query:
        """The query that the site is asked.

        Args:
            extra: key conditions and propagated constants, on columns of its units.
            accepts: asked whether reading a part of the columns, or leaving out repeated rows, is something the site does as
                DuckDB would.
        """
        names = self.names()
        return self._once(self._written(names, [*self.conditions, *extra], accepts), names, accepts)

    def _written(
        self,
        names: dict[tuple[str, str], str],
        conditions: list[exp.Expression],
        accepts: Callable[[exp.Query, str], bool] | None,
    ) -> exp.Query:
        """The query with all rows, however often they occur."""
        inner = self.units[0].query if len(self.units) == 1 else None
        if inner is None:
            select = self.source(conditions)
        else:
            inner = inner.copy()
            alias = self.units[0].alias
            outer = [part.copy() for part in conditions if not derived.sink(inner, alias, part)]
            read = self._read(alias, outer)
            derived.trim(inner, read)
            if not outer and not self.computed and (not read or set(scopes.outputs(inner)) == read):
                return inner
            table = exp.Subquery(this=inner, alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)))
            select = exp.Select(from_=exp.From(this=table))
            scopes.set_where(select, outer)
        columns = {key: exp.column(key[1], key[0], quoted=True) for key in names if key not in self.computed}
        shown = [
            exp.alias_(self.computed.get(key, columns.get(key)), name, quoted=True)
            for key, name in names.items()
        ]
        select.set("expressions", shown or [one()])
        if self.computed:
            select.set("group", exp.Group(expressions=[column.copy() for column in columns.values()]))
        normal.tidy(select)
        if inner is None or outer or self.computed or accepts is None or accepts(select, self.site):
            return select
        # Of rows without repeats, say, a site may give all columns where it does not give some.
        return inner.copy()

    def _read(self, alias: str, conditions: list[exp.Expression]) -> set[str]:
        """The outputs of a lone derived table that its fetch makes use of."""
        read = {column for key, column in self.needed if (key, column) not in self.computed}
        for part in [*self.computed.values(), *conditions]:
            read |= {str(column.name) for column in part.find_all(exp.Column) if column.table == alias}
        return read

    def _once(
        self,
        query: exp.Query,
        names: dict[tuple[str, str], str],
        accepts: Callable[[exp.Query, str], bool] | None,
    ) -> exp.Query:
        """Leave out repeated rows where nobody can tell."""
        for select in query.find_all(exp.Select):
            normal.tidy(select)
        if self.probe or (self.distinct and not names):
            return query.limit(1, copy=False) if not scopes.limited(query) else query
        if self.distinct and isinstance(query, exp.Select) and scopes.plain(query):
            trial = query.copy()
            trial.set("distinct", exp.Distinct())
            if accepts is None or accepts(trial, self.site):
                return trial
        return query


@dataclasses.dataclass(eq=False)
class Place:
    """Conjuncts that stand together, and the aliases that may lose rows which fail them."""

    parts: list[exp.Expression]
    reach: frozenset[str]


@dataclasses.dataclass(eq=False)
class Block:
    """A SELECT of the residual. `where` is the reach of its WHERE."""

    select: exp.Select
    units: dict[str, Unit] = dataclasses.field(default_factory=dict)
    where: frozenset[str] = frozenset()
    places: list[Place] = dataclasses.field(default_factory=list)


def _sunk(part: exp.Expression, inner: dict[str, exp.Expression]) -> bool:
    """Whether a condition could be moved into the one derived table it speaks of."""
    aliases = scopes.mentions(part)
    alias = next(iter(aliases), "")
    node = inner.get(alias)
    return len(aliases) == 1 and isinstance(node, exp.Subquery) and derived.sink(node, alias, part)


def one() -> exp.Expression:
    """The projection of a row of which no column is needed."""
    return exp.alias_(exp.Literal.number(1), "one", quoted=True)

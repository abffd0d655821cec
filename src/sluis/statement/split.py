"""Split one question over the sites where its tables live.

Pure: it knows sites, types and row counts, not purposes or people, and never looks at a value, so that a plan serves
for any parameters. The asker calls it with an owner as the site of a table, the owner with a source database.

A plan is a set of *fetches* and a *residual*. A fetch is the largest part of the question that one site can answer by
itself: a whole query, tables joined to each other, or one table; with the conditions that concern it alone. The
residual is the question itself with those parts replaced by what was fetched. DuckDB's semantics decide the answer
there; everything pushed to a site has only to be safe, which is argued rule by rule in `normal`, `derived`, `scopes`,
`blocks`, `edges` and `partial`, and proved against DuckDB by generated questions.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec
from sqlglot import exp

from sluis.statement import edges, keys, normal, partial, scopes, shapes
from sluis.statement.blocks import Blocks, Options
from sluis.statement.columns import base_tables, is_base
from sluis.statement.draft import Draft

Rows = Mapping[str, int | None]
"""Declared number of rows per base table, by its name as written."""


class FetchColumn(msgspec.Struct, frozen=True):
    """A column of a fetch's answer. `table` and `column` say which base column it is; empty when it is computed."""

    name: str
    type: str
    table: str = ""
    column: str = ""


class KeyUse(msgspec.Struct, frozen=True):
    """A parameter of a fetch that holds keys: the distinct values of columns fetched before.

    With `nulls` the keys stand on the left of a NOT IN: should one of them be NULL, the fetch may not be restricted
    by this parameter, since NULL NOT IN an empty set is true.
    """

    parameter: str
    type: str
    sources: tuple[tuple[str, str], ...]
    """(fetch id, column name); the keys are the union of these."""
    table: str
    """Base table and column they are compared with, empty when that is computed."""
    column: str
    nulls: bool = False
    share: float = 0.0
    """Guessed share of all possible keys that the sources will give; 1.0 when nothing restricts them."""


class Fetch(msgspec.Struct, frozen=True):
    """What one site is asked. `query` has every key condition; `select` gives it with fewer."""

    id: str
    site: str
    query: exp.Query
    columns: tuple[FetchColumn, ...]
    keys: tuple[KeyUse, ...]
    parameters: tuple[str, ...]
    """Parameters of the question itself that stand in `query`."""
    tables: tuple[str, ...]
    """The base tables in `query`, by their names as written."""
    whole: bool
    """Whether it is the complete result of a query inside the question, not rows for the residual to work on."""
    rows: int | None
    """Declared rows of the largest table in it, None when unknown."""

    def select(self, given: frozenset[str]) -> exp.Query:
        """The query restricted by only these of its key parameters."""
        return _without(self.query, {use.parameter for use in self.keys} - given)


class Plan(msgspec.Struct, frozen=True):
    """How a question is answered. Fetches stand in an order in which keys come before their use."""

    fetches: tuple[Fetch, ...]
    residual: exp.Query
    """Over tables named by fetch id."""
    identity: bool
    """Whether the answer is the one fetch's answer as it is."""
    parameters: Mapping[str, str]
    """DuckDB type per parameter of the question."""
    memory: dict[Any, Any]
    """Where engines keep what they compiled for this plan."""


def _never(*_: Any) -> bool:
    return False


def _always(*_: Any) -> bool:
    return True


def split(
    tree: exp.Query,
    site_of: Callable[[exp.Table], str],
    rows: Rows,
    types: shapes.Types,
    parameters: Mapping[str, str] | None = None,
    *,
    keyed: Callable[[exp.Table], bool] = _never,
    comparable: Callable[[exp.Table, str], bool] = _always,
    selective: Callable[[exp.Table, str], bool] = _never,
    accepts: Callable[[exp.Query, str], bool] | None = None,
) -> Plan:
    """Split a question.

    Args:
        tree: a qualified question; not changed.
        site_of: where a base table lives.
        rows: declared rows per base table, by its name as written; absent or None when unknown.
        types: DuckDB type per column per base table, by its name as written.
        parameters: DuckDB type per parameter; of the elements, for a key list.
        keyed: whether a table may only be read by key: it is then read after something that gives keys.
        comparable: whether a column of a table may be compared with a constant that the question compared with an
            equal column elsewhere.
        selective: whether a value of a column picks few rows of its table: a key, or a subject. It decides where to
            begin; columns that are joined on count as selective too.
        accepts: whether a site computes this query exactly as DuckDB would. What it does not is computed in the
            residual; single tables with plain columns are always accepted.

    Raises:
        Invalid: `recursion-unsupported`, `join-unsupported`, `types-do-not-fit`.
    """
    types_of = dict(parameters or {})
    tables = base_tables(tree)
    sites = {site_of(table) for table in tables}
    if len(sites) == 1 and (accepts is None or accepts(tree, min(sites))):
        return _whole(tree, min(sites), tables, rows, types, types_of)
    options = Options(site_of, rows, types, types_of, keyed, comparable, selective, accepts)
    residual = normal.normalise(tree)
    blocks = Blocks(options, residual)
    residual = blocks.work()
    partial.push(blocks)
    steps = keys.arrange(blocks)
    _read_outputs(blocks, residual, steps)
    taken = {str(node.name) for node in tree.find_all(exp.Placeholder, exp.Identifier)}
    fetches, answers = _fetches(blocks, steps, taken)
    _name_relations(residual, blocks, answers)
    for select in residual.find_all(exp.Select):
        normal.tidy(select)
    return Plan(tuple(fetches), residual, identity=False, parameters=types_of, memory={})


def _whole(
    tree: exp.Query,
    site: str,
    tables: list[exp.Table],
    rows: Rows,
    types: shapes.Types,
    parameters: dict[str, str],
) -> Plan:
    """The plan of a question that one site answers alone."""
    query = tree.copy()
    columns = tuple(
        FetchColumn(name, kind, *_origin(projection))
        for name, kind, projection in zip(
            scopes.outputs(query),
            _kinds(query, types, parameters),
            scopes.branches(query)[0].expressions,
            strict=True,
        )
    )
    fetch = Fetch(
        id="f0",
        site=site,
        query=query,
        columns=columns,
        keys=(),
        parameters=_parameters(query, set()),
        tables=tuple(dict.fromkeys(shapes.table_name(table) for table in tables)),
        whole=True,
        rows=_declared([shapes.table_name(table) for table in tables], rows),
    )
    residual = exp.select(exp.Star()).from_(exp.to_table("f0"))
    return Plan((fetch,), residual, identity=True, parameters=parameters, memory={})


def _kinds(query: exp.Query, types: shapes.Types, parameters: Mapping[str, str]) -> list[str]:
    """Types of a query's outputs; DuckDB is asked only when one of them is more than a column."""
    if isinstance(query, exp.Select):
        found = [_column_type(projection.unalias(), types) for projection in query.expressions]
        if all(found):
            return [shapes.canonical(kind) for kind in found if kind]
    return shapes.describe(query, types, parameters)


def _column_type(value: exp.Expression, types: shapes.Types) -> str | None:
    table = _table_of(value)
    return types.get(shapes.table_name(table), {}).get(value.name) if table is not None else None


def _table_of(value: exp.Expression) -> exp.Table | None:
    """The base table that a column belongs to, when it is one of the SELECT it stands in."""
    select = value.find_ancestor(exp.Select) if isinstance(value, exp.Column) else None
    if select is None:
        return None
    nodes = [select.args["from_"].this] if select.args.get("from_") else []
    nodes += [join.this for join in select.args.get("joins") or []]
    for node in nodes:
        if isinstance(node, exp.Table) and node.alias_or_name == value.table and is_base(node):
            return node
    return None


def _origin(projection: exp.Expression) -> tuple[str, str]:
    table = _table_of(projection.unalias())
    return (shapes.table_name(table), str(projection.unalias().name)) if table is not None else ("", "")


def _parameters(query: exp.Query, own: set[str]) -> tuple[str, ...]:
    names = dict.fromkeys(node.name for node in query.find_all(exp.Placeholder))
    return tuple(name for name in names if name not in own)


def _declared(tables: list[str], rows: Rows) -> int | None:
    known = [count for table in tables if (count := rows.get(table)) is not None]
    return max(known) if known else None


def _fetches(blocks: Blocks, steps: list[keys.Step], taken: set[str]) -> tuple[list[Fetch], dict[str, str]]:
    """The fetches in order, and per draft the id of the fetch that answers it: equal ones are asked once."""
    fresh, ids = _names("k", taken), _names("f", taken)
    answers: dict[str, str] = {}
    fetches: dict[str, Fetch] = {}
    shares = {step.draft: step.share for step in steps}
    visits = Counter(step.draft.site for step in steps)
    for step in steps:
        uses = [
            _key_use(blocks, edge, name, answers, shares)
            for edge, name in zip(step.uses, fresh, strict=False)
        ]
        conditions = [_condition(edge, use.parameter) for edge, use in zip(step.uses, uses, strict=True)]
        query = step.draft.compose([*step.constants, *conditions], blocks.options.accepts)
        face = _face(query, uses) if visits[step.draft.site] > 1 else ""
        face = f"{step.draft.site} {face}"
        if face not in fetches:
            fetches[face] = _fetch(next(ids), blocks, step.draft, query, uses)
        answers[step.draft.id] = fetches[face].id
    return list(fetches.values()), answers


def _names(stem: str, taken: set[str]) -> Iterator[str]:
    lower = {name.lower() for name in taken}  # to DuckDB `$k0` and `$K0` are one
    return (name for n in itertools.count() if (name := f"{stem}{n}") not in lower)


def _key_use(
    blocks: Blocks, edge: edges.Edge, parameter: str, answers: dict[str, str], shares: dict[Draft, float]
) -> KeyUse:
    kinds = [edges.column_type(blocks, column) for _, column in edge.sources]
    base = edges.base_of(blocks, edge.target)
    return KeyUse(
        parameter=parameter,
        type=kinds[0] if len(set(kinds)) == 1 else "BIGINT" if "HUGEINT" not in kinds else "HUGEINT",
        sources=tuple((answers[draft.id], draft.names()[column]) for draft, column in edge.sources),
        table=shapes.table_name(base[0]) if base else "",
        column=base[1] if base else "",
        nulls=edge.nulls,
        share=min(1.0, sum(shares[draft] for draft, _ in edge.sources)),
    )


def _condition(edge: edges.Edge, parameter: str) -> exp.Expression:
    alias, column = edge.target
    named = exp.column(column, alias, quoted=True)
    equal = exp.EQ(this=named, expression=exp.Any(this=exp.paren(exp.Placeholder(this=parameter))))
    if not edge.nulls:
        return equal
    return exp.paren(exp.Or(this=equal, expression=exp.Is(this=named.copy(), expression=exp.null())))


def _face(query: exp.Query, uses: list[KeyUse]) -> str:
    """What makes two fetches of a site the same: the query up to the names of aliases and key parameters, and keys."""
    plain = query.copy()
    aliases: dict[str, str] = {}
    for node in plain.find_all(exp.Table, exp.Subquery):
        if node.alias:
            aliases.setdefault(node.alias, f"t{len(aliases)}")
            node.set("alias", exp.TableAlias(this=exp.to_identifier(aliases[node.alias])))
    for column in plain.find_all(exp.Column):
        if column.table in aliases:
            column.set("table", exp.to_identifier(aliases[column.table]))
    parameters = {use.parameter: f"{use.sources}{use.nulls}" for use in uses}
    for node in plain.find_all(exp.Placeholder):
        node.set("this", parameters.get(node.name, node.name))
    return str(plain.sql("duckdb"))


def _fetch(id: str, blocks: Blocks, draft: Draft, query: exp.Query, uses: list[KeyUse]) -> Fetch:
    options = blocks.options
    tables = [
        shapes.table_name(table)
        for table in query.find_all(exp.Table)
        if shapes.table_name(table) in options.types
    ]
    return Fetch(
        id=id,
        site=draft.site,
        query=query,
        columns=_columns(
            blocks, draft, query, {**options.parameters, **{use.parameter: use.type for use in uses}}
        ),
        keys=tuple(uses),
        parameters=_parameters(query, {use.parameter for use in uses}),
        tables=tuple(dict.fromkeys(tables)),
        whole=len(draft.units) == 1 and draft.units[0].query is not None,
        rows=_declared(tables, options.rows),
    )


def _columns(
    blocks: Blocks, draft: Draft, query: exp.Query, parameters: Mapping[str, str]
) -> tuple[FetchColumn, ...]:
    of_name = {name: column for column, name in draft.names().items()}
    found = []
    for name in scopes.outputs(query):
        if of_name.get(name) in draft.computed or name not in of_name:  # a part of a sum, or `1`
            kinds = shapes.describe(query, blocks.options.types, parameters)
            found.append(FetchColumn(name, kinds[scopes.outputs(query).index(name)]))
            continue
        base = edges.base_of(blocks, of_name[name])
        place = (shapes.table_name(base[0]), base[1]) if base else ("", "")
        found.append(FetchColumn(name, edges.column_type(blocks, of_name[name]), *place))
    return tuple(found)


def _without(query: exp.Query, parameters: set[str]) -> exp.Query:
    """A query without the conditions on these key parameters."""
    if not parameters:
        return query
    query = query.copy()
    for select in query.find_all(exp.Select):
        parts = scopes.where(select)
        kept = [part for part in parts if not _keyed_by(part, parameters)]
        if len(kept) < len(parts):
            scopes.set_where(select, kept)
    return query


def _keyed_by(part: exp.Expression, parameters: set[str]) -> bool:
    return not part.find(exp.Query) and any(
        node.name in parameters for node in part.find_all(exp.Placeholder)
    )


def _name_relations(residual: exp.Query, blocks: Blocks, answers: dict[str, str]) -> None:
    """Let the residual read from fetches: one alias per draft, tables and columns by the fetches' names."""
    names = {draft.id: draft.names() for draft in blocks.drafts}
    for column in residual.find_all(exp.Column):
        unit = blocks.units.get(column.table)
        if unit is not None and unit.draft is not None:
            name = names[unit.draft.id][unit.alias, str(column.name)]
            column.set("this", exp.to_identifier(name, quoted=True))
            column.set("table", exp.to_identifier(unit.draft.id, quoted=True))
    for table in residual.find_all(exp.Table):
        if table.name in answers:
            table.set("this", exp.to_identifier(answers[table.name], quoted=True))


def _read_outputs(blocks: Blocks, residual: exp.Query, steps: list[keys.Step]) -> None:
    """Note which columns of the drafts the residual and the keys read."""
    read = [(column.table, str(column.name)) for column in residual.find_all(exp.Column, bfs=False)]
    read += [column for step in steps for edge in step.uses for _, column in edge.sources]
    for alias, name in dict.fromkeys(read):
        unit = blocks.units.get(alias)
        if unit is not None and unit.draft is not None:
            unit.draft.needed.append((alias, name))

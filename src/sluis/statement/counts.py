"""Hidden columns that count, and what they let an answer over groups tell.

To every group are added how many people and rows are in it, and how many people have a value in each column that is
aggregated: a sum over a thousand people of whom one has a value is that value. From these `statement.groups` decides
which groups stand, and `statement.differencing` whether they may be told after what was told before.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from itertools import combinations
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from sluis.grounds import Disclosure, Subject
from sluis.statement.columns import Dataset, base_tables, dataset_of, is_base, source_of
from sluis.statement.differencing import ROWS as ROW_COUNT
from sluis.statement.differencing import Level
from sluis.statement.groups import Cell, released
from sluis.statement.parse import AGGREGATES
from sluis.statement.scopes import conjuncts

GROUP, SUBJECTS, VALUES, ROWS, HAVING = "group{}$", "subjects{}$", "values{}$", "rows$", "having$"
"""Names of the hidden columns."""

_EXACT = frozenset({"VARCHAR", "BIGINT", "INTEGER", "BOOLEAN", "DATE"})
"""Types of which two values that are written differently are different."""

_PEOPLE = "people"
"""The measure that counts people; those who have a value in a column are counted under its name."""


class Guarded(msgspec.Struct, frozen=True):
    """A dataset in a question over groups: what was opened of it, whom it is about, its key, and the column in which
    its people can be counted (the owner's hidden one, or a token at a combiner; None where they need not be).
    `one_row_each`: the source itself guarantees that each row is about somebody else."""

    disclosure: Disclosure
    subject: Subject | None
    key: tuple[str, ...]
    people: str | None
    one_row_each: bool = False


Opened = Mapping[Dataset, Guarded]


class Groups(msgspec.Struct, frozen=True):
    """What is needed to reduce the executed statement's answer to what may be told."""

    outputs: int
    """How many of the columns, from the first, the asker asked for."""
    expressions: tuple[str, ...]
    """What it is grouped by, in terms of datasets instead of the names that the question gives them."""
    columns: tuple[tuple[str, ...], ...]
    """Per expression the columns it is made of."""
    counted: int
    """Tables whose distinct subjects are counted."""
    values: tuple[str, ...]
    """Columns that are aggregated; in each, the subjects of every counted table who have a value are counted."""
    having: bool
    limit: int | None
    offset: int
    minimum: int
    additive: bool
    """Whether nobody is in two groups."""
    datasets: tuple[str, ...]
    """Those of which no row may leave."""


class _People(NamedTuple):
    """The column in which the people of a table are counted, and whether each row has one of its own."""

    column: exp.Column
    one_row_each: bool

    def counted(self, value: exp.Expression | None = None) -> exp.Expression:
        """How many there are; with `value`, how many have one."""
        if self.one_row_each:  # counting distinct values takes a source ten times as long as counting
            return exp.Count(this=(value or self.column).copy())
        person: exp.Expression = self.column.copy()
        if value is not None:
            present = exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))
            person = exp.Case(ifs=[exp.If(this=present, true=person)])
        return exp.Count(this=exp.Distinct(expressions=[person]))


def with_counts(
    tree: exp.Select, grouping: Sequence[exp.Expression], opened: Opened
) -> tuple[exp.Select, Groups]:
    """A question over groups with the hidden columns added, and what is needed to reduce its answer.

    Args:
        tree: a question that `aggregates` let in; not changed.
        grouping: what it is grouped by.
        opened: per dataset what was opened.
    """
    made = tree.copy()
    tables = [(table, opened[dataset_of(table)]) for table in base_tables(made)]
    rules = {dataset_of(table): one.disclosure.aggregate for table, one in tables if one.disclosure.aggregate}
    people = [
        _People(
            exp.column(_name(one.people), table=table.alias_or_name), len(tables) == 1 and one.one_row_each
        )
        for table, one in tables
        if one.people is not None
    ]  # a join may repeat a row
    values = aggregated(tree)
    for number, item in enumerate(grouping):
        made.select(exp.alias_(item.copy(), _name(GROUP.format(number))), copy=False)
    for number, one in enumerate(people):
        made.select(exp.alias_(one.counted(), _name(SUBJECTS.format(number))), copy=False)
    having_one = [one.counted(value) for value in values.values() for one in people]
    for number, counted in enumerate(having_one):
        made.select(exp.alias_(counted, _name(VALUES.format(number))), copy=False)
    made.select(exp.alias_(exp.Count(this=exp.Star()), _name(ROWS)), copy=False)
    having, limit, offset = (made.args.get(name) for name in ("having", "limit", "offset"))
    if having is not None:
        made.select(exp.alias_(having.this, _name(HAVING)), copy=False)
    for name in ("having", "limit", "offset"):
        made.set(name, None)
    return made, Groups(
        outputs=len(tree.expressions),
        expressions=tuple(_in_datasets(item) for item in grouping),
        columns=tuple(
            tuple(sorted({_in_datasets(column) for column in item.find_all(exp.Column)})) for item in grouping
        ),
        counted=len(people),
        values=tuple(values),
        having=having is not None,
        limit=int(limit.expression.name) if limit is not None else None,
        offset=int(offset.expression.name) if offset is not None else 0,
        minimum=max(rule.minimum for rule in rules.values()),
        additive=_additive(tree, opened),
        datasets=tuple(".".join(filter(None, name)) for name in rules),
    )


def aggregated(tree: exp.Select) -> dict[str, exp.Expression]:
    """The columns whose values a question aggregates, by `dataset.column`."""
    having = tree.args.get("having")
    return {
        _in_datasets(column): column
        for part in [*tree.expressions, *([having] if having is not None else [])]
        for node in part.find_all(*AGGREGATES)
        for column in node.find_all(exp.Column)
    }


def _in_datasets(expression: exp.Expression) -> str:
    """An expression as text in which `dataset.column` stands for each column, whatever the question calls it."""
    holder = exp.Paren(this=expression.copy())
    originals = expression.find_all(exp.Column)
    for column, original in zip(list(holder.find_all(exp.Column)), list(originals), strict=True):
        column.replace(exp.to_identifier(_place(original) or original.sql()))
    return str(holder.this.sql(dialect="duckdb", comments=False, normalize=True))


def _place(column: exp.Column) -> str | None:
    table = source_of(column) if column.table else None
    if not isinstance(table, exp.Table) or not is_base(table):
        return None
    return ".".join([*filter(None, dataset_of(table)), column.name.lower()])


def _additive(tree: exp.Select, opened: Opened) -> bool:
    """Whether nobody is in two groups: rows have the person as their key, and joins lead to the same person."""
    first, *others = [
        (table, one) for table in base_tables(tree) if (one := opened[dataset_of(table)]).people is not None
    ]
    if not _keyed_by_subject(first[1]) or first[0] is not next(iter(base_tables(tree))):
        return False
    key = exp.column(first[1].key[0], table=first[0].alias_or_name)
    conditions = [
        condition
        for join in tree.args.get("joins") or ()
        for condition in conjuncts(join.args.get("on"))
        if isinstance(condition, exp.EQ)
    ]
    for table, one in others:
        own = exp.column(one.key[0], table=table.alias_or_name) if _keyed_by_subject(one) else None
        if own is None or not any(
            {key.sql(), own.sql()} == {side.unnest().sql().replace('"', "") for side in (on.left, on.right)}
            for on in conditions
        ):
            return False
    return True


def _keyed_by_subject(one: Guarded) -> bool:
    return one.subject is not None and one.key == (one.subject.column,)


class Told(msgspec.Struct, frozen=True):
    """What may be told: the answer, and the groups it tells of: their keys, and per measure their counts."""

    answer: pa.Table
    keys: list[tuple[Any, ...]]
    counts: dict[str, list[int]]
    whole: bool
    """Whether every group is told, so that they add up to the totals over all people."""


def reduce(table: pa.Table, groups: Groups) -> Told:
    """From the executed statement's whole answer to the groups that may be told, hidden columns gone."""
    hidden, width = groups.outputs, len(groups.expressions)
    keys = _rows(table, hidden, width)
    hidden += width
    counts = {_PEOPLE: [min(count) for count in _rows(table, hidden, groups.counted)]}
    hidden += groups.counted
    for value in groups.values:
        # Where nobody has a value there is nothing to tell, and nothing that hides another's.
        counts[value] = [max(count) and max(1, min(count)) for count in _rows(table, hidden, groups.counted)]
        hidden += groups.counted
    counts[ROW_COUNT] = table.column(hidden).to_pylist()
    shown = _shown(keys, counts, groups)
    keep = pa.array(shown, pa.bool_())
    if groups.having:
        keep = pc.and_(keep, pc.fill_null(table.column(hidden + 1), False))
    answer = table.filter(keep).select(range(groups.outputs)).slice(groups.offset, groups.limit)
    told = [at for at, tell in enumerate(shown) if tell]
    return Told(
        answer,
        [keys[at] for at in told],
        {name: [counted[at] for at in told] for name, counted in counts.items()},
        all(shown),
    )


def _shown(
    keys: Sequence[tuple[Any, ...]], counts: Mapping[str, Sequence[int]], groups: Groups
) -> list[bool]:
    """The groups that stand by every count: all people in them, and those who have a value in each column."""
    shown = [True] * len(keys)
    different: dict[tuple[int, ...], str] = {}
    for name, counted in counts.items():  # people first: of them, none is too few as well
        if name != ROW_COUNT:
            different.setdefault(tuple(counted), name)
    for counted, name in different.items():
        among = [at for at, count in enumerate(counted) if count or name == _PEOPLE]
        cells = [Cell(keys[at], counted[at]) for at in among]
        for at, tell in zip(among, released(cells, groups.minimum, additive=groups.additive), strict=True):
            shown[at] = shown[at] and tell
    return shown


def levels(
    told: Told, groups: Groups, fixed: Mapping[str, Any], digest: Callable[[Any], str]
) -> tuple[Level, ...]:
    """What was told, as `differencing` compares it: the groups, and every total that follows from them.

    Args:
        told: from `reduce`.
        groups: of the question.
        fixed: per column, the constant that a condition of the question sets it equal to; see `constants`.
        digest: of a value as text; keyed, as values may name a person.
    """
    width = range(len(groups.expressions))
    known = cache(digest)  # a value stands in many groups and totals

    def digested(value: Any) -> str:
        return known(str(value))  # as text: to a cache, 1 and true are the same

    return tuple(
        _level(told, groups, kept, fixed, digested)
        for size in range(len(width) + 1)
        for kept in combinations(width, size)
    )


def _level(
    told: Told, groups: Groups, kept: Sequence[int], fixed: Mapping[str, Any], digest: Callable[[Any], str]
) -> Level:
    finest = len(kept) == len(groups.expressions)
    measures = [name for name in told.counts if finest or groups.additive or name == ROW_COUNT]
    # A total over the groups that are told, where some are not, is about people picked by all the grouping columns.
    picked = kept if told.whole else range(len(groups.expressions))
    totals: dict[tuple[Any, ...], list[int]] = {}
    for key, *sizes in zip(told.keys, *(told.counts[name] for name in measures), strict=True):
        total = totals.setdefault(tuple([key[at] for at in kept]), [0] * len(measures))
        for at, size in enumerate(sizes):
            total[at] += size
    named = {groups.expressions[at]: place for place, at in enumerate(kept)}
    names = sorted({*named, *fixed})
    constant = {name: digest(value) for name, value in fixed.items()}
    return Level(
        expressions=tuple(names),
        columns=tuple(sorted({*fixed, *(column for at in picked for column in groups.columns[at])})),
        measures=tuple(measures),
        additive=groups.additive,
        cells=tuple(
            (
                tuple([constant[name] if name in constant else digest(key[named[name]]) for name in names]),
                tuple(sizes),
            )
            for key, sizes in totals.items()
        ),
    )


def constants(
    tree: exp.Query,
    kinds: Mapping[tuple[Dataset, str], str],
    types: Mapping[str, str],
    values: Mapping[str, Any],
) -> dict[str, Any]:
    """Per `dataset.column`, the constant that a condition sets it equal to.

    Only where two different constants are surely two different values: parameters of the column's own exact type.

    Args:
        tree: a qualified question without subqueries.
        kinds: DuckDB type per (dataset, column).
        types: DuckDB type per parameter.
        values: the parameters.
    """
    where = tree.args.get("where")
    found: dict[str, Any] = {}
    for condition in conjuncts(where.this if where else None):
        if not isinstance(condition, exp.EQ):
            continue
        sides = condition.left.unnest(), condition.right.unnest()
        for column, other in (sides, sides[::-1]):
            if not isinstance(column, exp.Column) or not isinstance(other, exp.Placeholder):
                continue
            table, name = source_of(column), _place(column)
            if name is None or not isinstance(table, exp.Table):
                continue
            kind = kinds[dataset_of(table), column.name.lower()]
            if kind in _EXACT and types[other.name] == kind:
                found[name] = values[other.name]
    return found


def _rows(table: pa.Table, first: int, count: int) -> list[tuple[Any, ...]]:
    if count == 0:
        return [()] * table.num_rows
    return list(zip(*(table.column(first + at).to_pylist() for at in range(count)), strict=True))


def _name(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)

"""Rows with a value that does not fit the type that the dataset declares. In a view such a value is NULL, so that what it
does to an expression tells nothing; but an answer that it counts in would be wrong without anybody seeing it. So
before a question is read, the rows that it is about are searched for such values, and one is a broken row: the owner is
told its place, the asker that the source failed.

Which rows: those that the owner's own condition shows and that the question is about, whatever the broken value would
have been: its own joins and conditions, without those that look at a column in doubt. Inside a subquery, and where
tables are joined by a column in doubt, it is coarser: the rows with the keys that the question names. What is hidden
from the asker is not looked at, so it cannot make a question fail. Of data whose rows may not be seen every row that the
owner shows is looked at, whatever the asker compares it with: else failing would tell something of a single row.

Expressions and masks of the owner are no part of this: what they make of a value is the owner's own choice.
Pure: trees in, trees out.
"""

from collections.abc import Collection, Iterator, Mapping

import msgspec
from sqlglot import exp

from sluis.disclose.model import BROKEN, SUBJECT, Opened
from sluis.disclose.views import Native, at_source, install, misfit, view
from sluis.sources import family, widens
from sluis.statement import base_tables, conjuncts, named, uses

_NUMBERS = frozenset({"integer", "decimal", "double"})
_AFTER_ROWS = ("group", "having", "order", "limit", "offset", "distinct", "qualify", "windows")
"""What a SELECT does with its rows once it has them."""

Names = Collection[tuple[str, str]]
"""Columns as they are written: (name of the table in the question, column)."""


class Doubt(msgspec.Struct, frozen=True):
    """A statement that gives a row where a value is broken, over the sources' own tables. `place` is table and column."""

    place: str
    tree: exp.Query


def doubts(
    tree: exp.Query, opened: Mapping[str, Opened], native: Mapping[str, Native], *, rows_shown: bool
) -> list[Doubt]:
    """What must find nothing before a question may be read.

    Args:
        tree: the question as it will be read, before its views are installed.
        opened: per dataset name what was opened.
        native: per dataset name the types of its table at the source.
        rows_shown: whether the asker may see rows, or only groups of them.
    """
    used: dict[int, set[str]] = {}
    for use in uses(tree):
        used.setdefault(id(use.table), set()).add(use.node.name.lower())
    unsure = [
        (table, column, source)
        for table in base_tables(tree)
        for column, source in _unsure(opened, table, used.get(id(table), set()), native)
    ]
    names = {(table.alias_or_name.lower(), column) for table, column, _ in unsure}
    names |= {(table, SUBJECT) for table, _ in names}
    constants = named(tree) if rows_shown and unsure else {}
    found = []
    for table, column, source in unsure:
        one = opened[table.name.lower()]
        if rows_shown and _stands_in(tree, table, names):
            made = install(_where_broken(tree, table, column, names), opened, native)
        else:
            made = _alone(one, column, constants.get(id(table), ()), native[one.dataset.name])
        found.append(Doubt(f"{one.dataset.table}.{source}", made))
    return found


def _unsure(
    opened: Mapping[str, Opened], table: exp.Table, used: Collection[str], native: Mapping[str, Native]
) -> Iterator[tuple[str, str]]:
    """Columns of a table in use, and theirs at the source, whose values there may not fit."""
    one = opened[table.name.lower()]
    for name in sorted({_real(one, name) for name in used if name not in one.disclosure.masks}):
        column = one.dataset.column(name)
        if column is None or column.expression is not None:
            continue
        source = column.source or column.name
        kind = native[one.dataset.name].get(source.lower())
        if kind is not None and not _always_fits(kind, column.type):
            yield column.name, source


def _always_fits(native: str, declared: str) -> bool:
    return (
        declared == "VARCHAR"
        or widens(native, declared)
        or (declared == "DOUBLE" and family(native) in _NUMBERS)
        or (native, declared) == ("DATE", "TIMESTAMP")
    )


def _stands_in(tree: exp.Query, table: exp.Table, unsure: Names) -> bool:
    """Whether a table is one of those that the question itself reads, with its columns in sight, and stays joined as it
    was without the conditions that look at a column in doubt."""
    place = table.parent
    if (
        not isinstance(tree, exp.Select)
        or tree.args.get("with_")
        or place is None
        or place.parent is not tree
    ):
        return False
    seen = isinstance(place, exp.From) or (isinstance(place, exp.Join) and place.kind not in {"SEMI", "ANTI"})
    return seen and not any(
        len({column.table for column in part.find_all(exp.Column)}) > 1
        for condition in _conditions(tree)
        for part in conjuncts(condition)
        if _in_doubt(part, unsure)
    )


def _conditions(select: exp.Select) -> Iterator[exp.Expression | None]:
    where = select.args.get("where")
    yield where.this if where else None
    for join in select.args.get("joins") or ():
        yield join.args.get("on")


def _in_doubt(part: exp.Expression, unsure: Names) -> bool:
    return any((one.table.lower(), one.name.lower()) in unsure for one in part.find_all(exp.Column))


def _where_broken(tree: exp.Query, table: exp.Table, column: str, unsure: Names) -> exp.Select:
    """The question as one for the rows in which a column is broken: nothing is done with them, and no condition is kept
    that looks at a column in doubt."""
    select = tree.copy()
    assert isinstance(select, exp.Select)
    for part in _AFTER_ROWS:
        select.set(part, None)
    flag = exp.column(_quoted(BROKEN + column), table=_quoted(table.alias_or_name))
    select.set("expressions", [exp.alias_(flag, _quoted("broken"))])
    where = select.args.get("where")
    kept = _certain(where.this if where else None, unsure)
    select.set("where", exp.Where(this=exp.and_(*kept, flag.copy())))
    for join in select.args.get("joins") or ():
        if join.args.get("on") is not None:
            kept = _certain(join.args["on"], unsure)
            join.set("on", exp.and_(*kept) if kept else exp.true())
    return select


def _certain(condition: exp.Expression | None, unsure: Names) -> list[exp.Expression]:
    """The parts of a condition that no broken value has a say in."""
    return [part.copy() for part in conjuncts(condition) if not _in_doubt(part, unsure)]


def _alone(
    opened: Opened, column: str, constants: Collection[tuple[str, exp.Expression]], native: Native
) -> exp.Query:
    """The rows of one table in which a column is broken, of those that the owner shows and that have these keys."""
    flag = misfit(opened, column, native)
    found = view(opened, {"broken": flag}, native).where(flag.copy(), copy=False)
    for name, constant in constants:
        if name not in opened.disclosure.masks:
            found.where(_equal(at_source(opened, _real(opened, name), native), constant), copy=False)
    return found


def _quoted(name: str) -> exp.Identifier:
    return exp.to_identifier(name, quoted=True)


def _real(opened: Opened, name: str) -> str:
    subject = opened.dataset.subject
    return subject.column if name == SUBJECT and subject is not None else name


def _equal(column: exp.Expression, constant: exp.Expression) -> exp.Expression:
    """That a column has a constant, or one of a list of them (an `IN` holds its own)."""
    if isinstance(constant.unnest(), exp.In):
        inside = constant.unnest().copy()
        inside.set("this", column)
        return inside
    return exp.EQ(this=column, expression=constant.copy())

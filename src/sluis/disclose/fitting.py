"""Rows with a value that does not fit the type that the dataset declares. In a view such a value is NULL, so that what it
does to an expression tells nothing; but an answer that it counts in would be wrong without anybody seeing it. So
before a question is read, the rows that it is about are searched for such values, and one is a broken row: the owner is
told its place, the asker that the source failed.

Which rows: those that the owner's own condition shows, and that have the keys which the question names. What is hidden
from the asker is not looked at, so it cannot make a question fail. Of data whose rows may not be seen every row that
the owner shows is looked at, whatever the asker compares it with: else failing would tell something of a single row.

Expressions and masks of the owner are no part of this: what they make of a value is the owner's own choice.
Pure: trees in, trees out.
"""

from collections.abc import Iterator, Mapping

import msgspec
from sqlglot import exp

from sluis.disclose.model import SUBJECT, Opened
from sluis.disclose.views import Native, at_source, view
from sluis.sources import family, widens
from sluis.statement import base_tables, named, uses

_NUMBERS = frozenset({"integer", "decimal", "double"})


class Doubt(msgspec.Struct, frozen=True):
    """A statement that finds the rows of one table with a broken value, by their keys. `place` is table and column."""

    place: str
    tree: exp.Query


def doubts(
    tree: exp.Query, opened: Mapping[str, Opened], native: Mapping[str, Native], *, by_key: bool
) -> list[Doubt]:
    """What must find nothing before a question may be read.

    Args:
        tree: the question as it will be read, before its views are installed.
        opened: per dataset name what was opened.
        native: per dataset name the types of its table at the source.
        by_key: whether only the rows count that have the keys which the question names.
    """
    constants = named(tree) if by_key else {}
    used: dict[int, set[str]] = {}
    for use in uses(tree):
        used.setdefault(id(use.table), set()).add(use.node.name.lower())
    found = []
    for table in base_tables(tree):
        one = opened[table.name.lower()]
        types = native[one.dataset.name]
        for column, source in _unsure(one, sorted(used.get(id(table), ())), types):
            made = _broken(one, column, source, types)
            for name, constant in constants.get(id(table), ()):
                if name not in one.disclosure.masks:
                    made.where(_equal(at_source(one, _real(one, name), types), constant), copy=False)
            found.append(Doubt(f"{one.dataset.table}.{source}", made))
    return found


def _unsure(opened: Opened, names: list[str], native: Native) -> Iterator[tuple[str, str]]:
    """Columns in use, and theirs at the source, whose values there may not fit."""
    for name in names:
        if name in opened.disclosure.masks:
            continue
        column = opened.dataset.column(_real(opened, name))
        if column is None or column.expression is not None:
            continue
        source = column.source or column.name
        kind = native.get(source.lower())
        if kind is not None and not _always_fits(kind, column.type):
            yield column.name, source


def _always_fits(native: str, declared: str) -> bool:
    return (
        declared == "VARCHAR"
        or widens(native, declared)
        or (declared == "DOUBLE" and family(native) in _NUMBERS)
        or (native, declared) == ("DATE", "TIMESTAMP")
    )


def _broken(opened: Opened, column: str, source: str, native: Native) -> exp.Select:
    """The rows that the owner shows and whose value does not fit, as the keys that the source knows them by."""
    names = opened.dataset.key or (column,)
    keys = {f"key{at}": _raw(opened, name) for at, name in enumerate(names)}
    found = view(opened, keys, native)
    there = exp.Not(this=exp.Is(this=_raw(opened, column), expression=exp.null()))
    return found.where(
        there, exp.Is(this=at_source(opened, column, native), expression=exp.null()), copy=False
    )


def _raw(opened: Opened, name: str) -> exp.Expression:
    """A column as it is at the source; for one that is computed there is no such thing, and NULL stands for it."""
    column = opened.dataset.column(name)
    if column is None or column.expression is not None:
        return exp.cast(exp.null(), "VARCHAR")
    return exp.column(
        exp.to_identifier(column.source or column.name, quoted=True),
        table=exp.to_identifier("t", quoted=True),
    )


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

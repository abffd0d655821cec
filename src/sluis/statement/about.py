"""Whom the rows of an answer are about, where that can be told from the tables they were made of.

A row is about the people in the tables of its FROM. What else a question reads must be about the same people, or
about people it names; otherwise an answer would hold something of somebody of whom no record is made: the largest
income in a scalar subquery, a neighbour's name in a window function, whether somebody exists in an EXISTS.
"""

from collections.abc import Collection, Iterator, Mapping

from sqlglot import exp

from sluis.grounds import Subject
from sluis.statement.binding import equalities, is_constant
from sluis.statement.columns import Dataset, base_of, base_tables, dataset_of

Subjects = Mapping[Dataset, Subject | None]
"""Per dataset its subject, where its column holds the real one: a masked column ties nobody to anybody."""

_RANKS = (exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile)
"""Window functions that tell of other rows only how many there are."""


def tied(tree: exp.Query, subjects: Subjects, shown: Collection[int]) -> set[int]:
    """The table references whose rows can only be about people who are shown, or whom the question names.

    Args:
        tree: a qualified question.
        subjects: see `Subjects`.
        shown: ids of the table references whose people are known from the rows.

    Returns:
        ids of table references, those shown among them.
    """
    equal = equalities(tree)
    for table, column, value in _looked_up(tree):
        equal.setdefault(id(table), []).append((column, value))
    found = set(shown)
    tables = [table for table in base_tables(tree) if subjects.get(dataset_of(table))]

    def same(value: exp.Expression) -> bool:
        other = base_of(value)
        return other is not None and id(other) in found and _is_subject(value, other, subjects)

    def ties(table: exp.Table) -> bool:
        return any(
            _is_subject_name(column, table, subjects) and (is_constant(value) or same(value))
            for column, value in equal.get(id(table), ())
        )

    while more := {id(table) for table in tables if id(table) not in found and ties(table)}:
        found |= more
    return found


def looks_aside(select: exp.Select, subjects: Subjects) -> bool:
    """Whether a window function puts values of one row beside another: of other people, unless it stays within one."""
    for window in select.find_all(exp.Window):
        if window.find_ancestor(exp.Select) is not select or isinstance(window.this, _RANKS):
            continue
        within = [(part, base_of(part)) for part in window.args.get("partition_by") or ()]
        if not any(table is not None and _is_subject(part, table, subjects) for part, table in within):
            return True
    return False


def _is_subject(value: exp.Expression, table: exp.Table, subjects: Subjects) -> bool:
    return isinstance(value, exp.Column) and _is_subject_name(value.name.lower(), table, subjects)


def _is_subject_name(column: str, table: exp.Table, subjects: Subjects) -> bool:
    subject = subjects.get(dataset_of(table))
    return subject is not None and subject.column == column


def _looked_up(tree: exp.Query) -> Iterator[tuple[exp.Table, str, exp.Expression]]:
    """(table, column, value) for every `value IN (SELECT table.column …)`: of that table only equal rows count."""
    for node in tree.find_all(exp.In):
        query = node.args.get("query")
        inner = query.unnest() if query is not None else None
        if isinstance(inner, exp.Select) and len(inner.expressions) == 1:
            column = inner.expressions[0].unalias()
            table = base_of(column)
            if table is not None and table.find_ancestor(exp.Select) is inner:
                yield table, column.name.lower(), node.this.unnest()

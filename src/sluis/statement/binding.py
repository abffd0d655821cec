"""Is the subject bound? A dataset about people may ask that every question names the people it is about.

A table's subject is bound when a condition that must hold for every row of it sets its subject column equal to a
constant, to one of a list of constants, or to a column whose values are themselves bound. `… or true` binds nothing,
and a condition of an outer join binds only the side it can remove rows from.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlglot import exp

from sluis.grounds import Subject
from sluis.kernel import Refused, Text
from sluis.statement.columns import (
    Dataset,
    base_of,
    base_tables,
    dataset_of,
    definition,
    is_base,
    source_of,
    tables_of,
)
from sluis.statement.scopes import conjuncts


class Binding(msgspec.Struct, frozen=True):
    """How the subject of one table reference is bound. `constants` are the literals, parameters and lists of
    them (`ANY($k)`, `IN (…)`) it is set equal to directly; empty when it is bound through a join only. `bound` is False when nothing binds it."""

    table: exp.Table
    dataset: Dataset
    bound: bool
    constants: tuple[exp.Expression, ...] = ()


def bindings(tree: exp.Query, subjects: Mapping[Dataset, Subject | None]) -> tuple[Binding, ...]:
    """How each table reference with a subject is bound, in order of appearance.

    Args:
        tree: a qualified question.
        subjects: per dataset its subject; datasets without one are left out of the answer.
    """
    return tuple(_Bindings(tree, subjects).all())


def keys_asked(
    asked: Sequence[tuple[Subject, exp.Expression]], values: Mapping[str, Any]
) -> Iterator[tuple[str, str]]:
    """(type, value) of every subject that the question names itself, whether or not it is in the data."""
    for subject, node in asked:
        node = node.unnest()
        node = node.this.unnest() if isinstance(node, exp.Any) else node
        value = values[node.name] if isinstance(node, exp.Placeholder) else node.name
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                yield subject.type, str(one)


def require(bound: Binding, rule: str = "subject-required") -> None:
    """Refuse a table reference whose subject is not bound.

    Raises:
        Refused: `subject-required`.
    """
    if bound.bound:
        return
    name = ".".join(part for part in bound.dataset if part)
    raise Refused(
        rule,
        Text(f"De vraag noemt niet over wie {name} moet gaan.", f"The question does not name whom {name} is about."),
        Text("Deze verwerkingsactiviteit mag alleen vragen naar mensen die u noemt.",
             "This activity may only ask about people you name."),
        Text("Voeg een voorwaarde toe op de sleutel van de persoon, bijvoorbeeld `bsn = $bsn`.",
             "Add a condition on the person's key, for example `bsn = $bsn`."),
        rule=rule,
    )  # fmt: skip


def equalities(tree: exp.Query) -> dict[int, list[tuple[str, exp.Expression]]]:
    """Per table reference (by id) what its columns equal in each of its rows that counts: (column, value)."""
    found: dict[int, list[tuple[str, exp.Expression]]] = {}
    for select in tree.find_all(exp.Select):
        for table, column, value in _restrictions(select):
            found.setdefault(id(table), []).append((column, value))
    return found


def named(tree: exp.Query) -> dict[int, list[tuple[str, exp.Expression]]]:
    """Per table reference (by id) the constants that its columns equal in each of its rows that counts: (column,
    constant), also where that follows through columns of other tables."""
    equal = equalities(tree)
    found = {
        at: [pair for pair in pairs if isinstance(pair[1], exp.Expression) and is_constant(pair[1])]
        for at, pairs in equal.items()
    }
    grew = True
    while grew:
        grew = False
        for at, pairs in equal.items():
            for column, value in pairs:
                other = base_of(value)
                for name, constant in found.get(id(other), ()) if other is not None else ():
                    if name == value.name.lower() and (column, constant) not in found[at]:
                        found[at].append((column, constant))
                        grew = True
    return found


class _Bindings:
    """Solves the bindings of one tree: a fixpoint over the equalities that restrict each table."""

    def __init__(self, tree: exp.Query, subjects: Mapping[Dataset, Subject | None]) -> None:
        self.tree, self.subjects = tree, subjects
        self.tables = [table for table in base_tables(tree) if subjects.get(dataset_of(table))]
        self.edges = equalities(tree)
        self.bound: set[int] = set()

    def all(self) -> Iterator[Binding]:
        while any(self._try(table) for table in self.tables if id(table) not in self.bound):
            pass
        for table in self.tables:
            constants = tuple(value for value in self._equals(table) if is_constant(value))
            yield Binding(table, dataset_of(table), id(table) in self.bound, constants)

    def _equals(self, table: exp.Table) -> list[exp.Expression]:
        subject = self.subjects[dataset_of(table)]
        assert subject is not None
        return [value for column, value in self.edges.get(id(table), ()) if column == subject.column]

    def _try(self, table: exp.Table) -> bool:
        if any(self._is_bound(value) for value in self._equals(table)):
            self.bound.add(id(table))
            return True
        return False

    def _is_bound(self, value: exp.Expression) -> bool:
        """Whether a value can only be a constant or something out of a bound table's rows."""
        if is_constant(value):
            return True
        if isinstance(value, exp.Query):  # IN (SELECT …)
            return self._output_bound(value, 0)
        if not isinstance(value, exp.Column):
            return False
        source = source_of(value)
        if isinstance(source, exp.Subquery):
            return self._output_bound(source.unnest(), value.name.lower())
        if isinstance(source, exp.Table) and not is_base(source):
            return self._output_bound(definition(source), value.name.lower())
        if source is None:
            return False
        return id(source) in self.bound or any(
            column == value.name.lower() and is_constant(other)
            for column, other in self.edges.get(id(source), ())
        )

    def _output_bound(self, query: exp.Expression | None, column: str | int) -> bool:
        """Whether an output column of a subquery can only hold bound values: in every branch of it."""
        if isinstance(query, exp.SetOperation):
            names = [name.lower() for name in query.named_selects]
            place = column if isinstance(column, int) else names.index(column) if column in names else -1
            return place >= 0 and all(
                self._output_bound(side.unnest(), place) for side in (query.left, query.right)
            )
        if not isinstance(query, exp.Select):
            return False
        if isinstance(column, int):
            item = query.expressions[column] if column < len(query.expressions) else None
        else:
            item = next((one for one in query.expressions if one.alias_or_name.lower() == column), None)
        return item is not None and isinstance(item.unalias(), exp.Column) and self._is_bound(item.unalias())


def _restrictions(select: exp.Select) -> Iterator[tuple[exp.Table, str, exp.Expression]]:
    """(table, column, value) for every equality that holds for each row of the table that counts."""
    where = select.args.get("where")
    for condition in conjuncts(where.this if where else None):
        yield from _equalities(condition, None)
    seen: list[int] = []
    start = select.args.get("from_")
    if start is not None:
        seen.append(id(start.this))
    for join in select.args.get("joins") or ():
        own, side, kind = id(join.this), join.side, join.kind
        if side == "FULL":
            restricted: set[int] = set()
        elif side == "LEFT" or kind == "ANTI":
            restricted = {own}
        elif side == "RIGHT":
            restricted = set(seen)
        else:
            restricted = {own, *seen}
        for condition in conjuncts(join.args.get("on")):
            yield from _equalities(condition, restricted)
        seen.append(own)


def _equalities(
    condition: exp.Expression, restricted: set[int] | None
) -> Iterator[tuple[exp.Table, str, exp.Expression]]:
    """The equalities one conjunct states, for the tables it restricts (None: every table of its SELECT)."""
    if isinstance(condition, exp.EQ):
        left, right = condition.left.unnest(), condition.right.unnest()
        pairs = [(left, right), (right, left)]
    elif isinstance(condition, exp.In):
        query = condition.args.get("query")
        if query is not None:
            pairs = [(condition.this.unnest(), query.unnest())]
        elif all(is_constant(item) for item in condition.expressions):
            pairs = [(condition.this.unnest(), condition)]
        else:
            return
    else:
        return
    select = condition.find_ancestor(exp.Select)
    own = {id(table) for table in tables_of(select)} if select is not None else set()
    for side, value in pairs:
        table = base_of(side)
        if table is not None and id(table) in own and (restricted is None or id(table) in restricted):
            yield table, side.name.lower(), value


def is_constant(value: exp.Expression) -> bool:
    """Whether a value is a constant, a parameter, or a list of these."""
    value = value.unnest()
    if isinstance(value, exp.In):
        return value.args.get("query") is None and all(is_constant(item) for item in value.expressions)
    if isinstance(value, exp.Any):
        return isinstance(value.this.unnest(), exp.Placeholder)
    return isinstance(value, exp.Literal | exp.Placeholder)

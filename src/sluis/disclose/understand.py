"""From an asker's sub-question to a statement that this owner is willing to run. The asker's plan counts for nothing:
the SQL is parsed, qualified and checked again, against the owner's own disclosures, and rewritten onto views.

A statement holds no values, so the next question of the same form about somebody else needs none of this work.
"""

from collections.abc import Mapping
from functools import partial

import msgspec
import pyarrow as pa
from sqlglot import exp

from sluis.disclose import rules
from sluis.disclose.fitting import doubts
from sluis.disclose.model import SUBJECT, Kind, Opened, Trail
from sluis.disclose.reading import Held, Reading, Table, prepare
from sluis.disclose.views import OWN_DAY, expose, install, summarises
from sluis.grounds import Dataset, Disclosure, Subject
from sluis.kernel import PeerId
from sluis.sources import Source, SourceFailure, TableInfo
from sluis.statement import (
    AnswerForm,
    Combiner,
    Groups,
    Guarded,
    SubQuestion,
    bindings,
    check,
    datasets,
    guarded,
    list_parameters,
    missing_parameter,
    normalise,
    parameter_types,
    parse,
    qualify,
    require,
    shape,
    uses,
)

Roles = Mapping[tuple[str, str], Disclosure]


class Statement(msgspec.Struct, frozen=True):
    """A question as this node understood it, for one peer, activity and set of disclosures; values not included.

    Attributes:
        tree, roles: what `filter` values are checked against, question by question.
        shape: the SQL with constants taken out, for the records.
        kind: which rules the answer falls under.
        columns: per dataset, those in use.
        column_types: DuckDB type per (dataset, column).
        types, lists: the same per parameter, and which hold lists.
        asked: the constants and parameters that name subjects.
        filtered: (dataset, column) of every comparison with a `filter` column.
        sealed: per output, whether it leaves as a token.
        trails: hidden outputs, at the end, that tell whom a row is about.
        groups: for `groups`, how the answer is reduced.
        reading: what runs it.
        form: of what the asker gets.
    """

    tree: exp.Query
    roles: Roles
    shape: str
    kind: Kind
    opened: tuple[Opened, ...]
    columns: dict[str, tuple[str, ...]]
    column_types: dict[tuple[tuple[str, str], str], str]
    types: dict[str, str]
    lists: frozenset[str]
    asked: tuple[tuple[Subject, exp.Expression], ...]
    filtered: tuple[tuple[str, str], ...]
    sealed: tuple[bool, ...]
    trails: tuple[Trail, ...]
    groups: Groups | None
    reading: Reading
    form: AnswerForm

    @property
    def schema(self) -> pa.Schema:
        """Of what the asker gets."""
        return self.form.schema

    @property
    def max_subjects(self) -> int:
        """How many people may be told of; data of which only groups are told do not count."""
        told = [one.disclosure for one in self.opened if one.disclosure.aggregate is None]
        return min((one.max_subjects for one in told), default=0)


def understand(
    question: SubQuestion,
    asker: PeerId,
    opened: Mapping[str, Opened],
    sources: Mapping[str, Source],
    combiner: Combiner,
) -> Statement:
    """Parse, check and prepare.

    Args:
        question: as it came.
        asker: the peer that asks.
        opened: per dataset that the question states, what was opened.
        sources: the owner's, by name.
        combiner: computes what the sources cannot.

    Raises:
        Invalid: it cannot be understood.
        Refused: a rule of a disclosure forbids it.
        SourceFailure: a source is not as the dataset says.
    """
    tree = parse(question.sql)
    rules.require_own_names(datasets(tree), opened)
    types = {
        name: {column.name: column.type for column in one.dataset.columns} for name, one in opened.items()
    }
    tree = qualify(tree, {"": types}, {"": _visible(opened, types)})
    kind = rules.kind_of(opened, asker, question.combining, summarises(tree))
    seal = question.seal
    sealed_outputs, sealed_parameters = (seal.columns, seal.parameters) if seal else ((), ())
    roles = rules.roles_for(tree, opened, kind, sealed_parameters)
    rules.require_sealed_outputs(tree, sealed_outputs, types)
    check(tree, roles, _values(question), sealed_outputs=sealed_outputs, sealed_parameters=sealed_parameters)
    asked = _bound(tree, opened)
    parameters = _parameter_types(tree, types, question)
    tables = _tables(opened, sources)
    executed, trails, groups = _executed(tree, kind, opened, tables)
    native = {name: _native(table.info) for name, table in tables.items()}
    doubted = doubts(executed, opened, native, rows_shown=kind in ("rows", "summary"))
    executed = install(executed, opened, native)
    ready = partial(
        prepare,
        types={**parameters, OWN_DAY: "DATE", **_consented(opened)},
        tables=list(tables.values()),
        sources=sources,
        combiner=combiner,
    )
    checks = [(doubt.place, ready(doubt.tree)[0]) for doubt in doubted]
    reading, schema = ready(executed)
    names = [item.alias_or_name.lower() for item in tree.selects]
    sealed = tuple(name in {one.lower() for one in sealed_outputs} for name in names)
    return Statement(
        tree=tree, roles=roles, shape=shape(tree), kind=kind, opened=tuple(opened.values()),
        columns=rules.used_columns(tree),
        column_types={(("", name), column): kind for name, columns in types.items() for column, kind in columns.items()},
        types=parameters, lists=frozenset(list_parameters(tree)), asked=asked, filtered=_filtered(tree, opened),
        sealed=sealed, trails=trails, groups=groups, reading=Held(reading, checks) if checks else reading,
        form=AnswerForm(pa.schema([
            pa.field(field.name, pa.string() if hide else field.type)
            for field, hide in zip(schema, sealed, strict=False)
        ])),
    )  # fmt: skip


def check_values(statement: Statement, question: SubQuestion) -> None:
    """Hold the values of this question against the `filter` columns. Raises `Refused`, `Invalid`."""
    if statement.filtered:
        seal = question.seal
        check(
            statement.tree, statement.roles, _values(question),
            sealed_outputs=seal.columns if seal else (), sealed_parameters=seal.parameters if seal else (),
        )  # fmt: skip


def _values(question: SubQuestion) -> dict[str, object]:
    return {**question.parameters, **{name: keys.values for name, keys in question.keys.items()}}


def _visible(
    opened: Mapping[str, Opened], types: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    return {
        name: {column: kind for column, kind in columns.items() if opened[name].disclosure.columns.get(column) == "output"}
        for name, columns in types.items()
    }  # fmt: skip


def _bound(tree: exp.Query, opened: Mapping[str, Opened]) -> tuple[tuple[Subject, exp.Expression], ...]:
    """The constants that name subjects who go on record. Raises `Refused` where one must be bound and is not."""
    found = []
    for one in bindings(tree, {("", name): one.dataset.subject for name, one in opened.items()}):
        what = opened[one.dataset[1]]
        if _names_people(what.disclosure):
            require(one)
        assert what.dataset.subject is not None
        if _on_record(what):
            found += [(what.dataset.subject, constant) for constant in one.constants]
    return tuple(found)


def _names_people(disclosure: Disclosure) -> bool:
    """Whether a question must name whom it is about. Consent is looked up for who is named, so it always asks that."""
    return disclosure.ground == "consent" or (disclosure.subject_required and disclosure.aggregate is None)


def _parameter_types(
    tree: exp.Query, types: Mapping[str, Mapping[str, str]], question: SubQuestion
) -> dict[str, str]:
    """A parameter has the type of the column it is compared with; elsewhere, what the asker says, or JSON shows."""
    by_column = parameter_types(tree, {("", name): columns for name, columns in types.items()})
    shown = {bool: "BOOLEAN", int: "BIGINT", float: "DOUBLE"}
    for name, kind in by_column.items():
        if kind == "VARCHAR" and name in question.parameters:
            by_column[name] = question.types.get(name) or shown.get(type(question.parameters[name]), kind)
        elif kind == "VARCHAR" and name in question.keys:  # what keys are compared with may be computed
            by_column[name] = rules.key_type(question.keys[name])
    stated = (*question.parameters, *question.keys)
    for name in list_parameters(tree):
        if name not in question.keys:
            raise missing_parameter(name)
    for name in by_column:
        if name not in stated:
            raise missing_parameter(name)
    return by_column


def _executed(
    tree: exp.Query, kind: Kind, opened: Mapping[str, Opened], tables: Mapping[str, Table]
) -> tuple[exp.Query, tuple[Trail, ...], Groups | None]:
    """The statement with its hidden outputs: whom rows are about, or how many are in a group."""
    if kind == "groups":
        made, groups = guarded(
            tree, {("", name): _guarded(one, tables[name].info) for name, one in opened.items()}
        )
        return made, (), groups
    made = normalise(tree) if tree.find(exp.CTE) else tree.copy()
    named = _named_tables(made, opened)
    found = expose(
        made,
        opened,
        lambda table: _on_record(opened[table.name.lower()]) and id(table) not in named,
    )
    if found is None:
        raise rules.refused("not-traceable", rules.legal_of(opened.values()))
    return *found, None


def _on_record(one: Opened) -> bool:
    """Whether the people in this dataset's rows go on record, because they are told of. Groups are a bulk aggregate,
    made here or by a combiner; the people in other data that leave beside them are told of as ever."""
    return one.dataset.subject is not None and one.disclosure.aggregate is None


def _guarded(one: Opened, info: TableInfo) -> Guarded:
    # People whose rows may be seen are counted too: a group of one of them would be such a row, without a record.
    dataset = one.dataset
    people = SUBJECT if dataset.subject is not None else None
    return Guarded(one.disclosure, dataset.subject, dataset.key, people, _one_row_each(dataset, info))


def _one_row_each(dataset: Dataset, info: TableInfo) -> bool:
    """Whether each row is about somebody else: the subject, as the source has it, is the source's own key. What the
    dataset merely declares as its key does not count."""
    column = dataset.column(dataset.subject.column) if dataset.subject is not None else None
    if column is None or column.expression is not None:
        return False
    source = (column.source or column.name).lower()
    return _native(info).get(source) == column.type and tuple(map(str.lower, info.key)) == (source,)


def _named_tables(tree: exp.Query, opened: Mapping[str, Opened]) -> set[int]:
    """Tables whose rows can only be about subjects that the question names itself: their key, unmasked, is bound."""
    found = set()
    for one in bindings(tree, {("", name): one.dataset.subject for name, one in opened.items()}):
        what = opened[one.dataset[1]]
        subject = what.dataset.subject
        if one.constants and subject is not None and subject.column not in what.disclosure.masks:
            found.add(id(one.table))
    return found


def _consented(opened: Mapping[str, Opened]) -> dict[str, str]:
    """The parameters that list who consented, and their types: those of the columns that hold whom a row is about."""
    found = {}
    for one in opened.values():
        subject = one.dataset.subject
        column = one.dataset.column(subject.column) if subject is not None else None
        if one.by_consent is not None and column is not None:
            found[one.by_consent] = column.type
    return found


def _tables(opened: Mapping[str, Opened], sources: Mapping[str, Source]) -> dict[str, Table]:
    found = {}
    for name, one in opened.items():
        source = sources[one.dataset.source]
        info = next(
            (table for table in source.tables() if table.name.lower() == one.dataset.table.lower()), None
        )
        if info is None:
            raise SourceFailure("changed", f"there is no table {one.dataset.table}")
        found[name] = Table(one.dataset.table, one.dataset.source, info)
    return found


def _native(info: TableInfo) -> dict[str, str]:
    return {column.name.lower(): column.type for column in info.columns}


def _filtered(tree: exp.Query, opened: Mapping[str, Opened]) -> tuple[tuple[str, str], ...]:
    """Each comparison with a `filter` column: ten in one question tell as much as ten questions."""
    places = [(use.dataset[1], use.name) for use in uses(tree)]
    return tuple(
        (name, column) for name, column in places if opened[name].disclosure.columns.get(column) == "filter"
    )

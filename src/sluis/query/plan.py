"""A question, made ready: checked against the offers, split per owner, with nothing in it that depends on whom it is
about. Made once per (text, activity, offers) and kept, because officials ask the same question about many people.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlglot import exp

from sluis.grounds import Activity, Disclosure, Offer, Role, Subject
from sluis.kernel import PeerId, Refused, Text
from sluis.query import rules
from sluis.query.model import Provenance, StaysClosed
from sluis.statement import (
    AGGREGATES,
    Binding,
    Fetch,
    Groups,
    Guarded,
    Plan,
    base_tables,
    bindings,
    check,
    dataset_of,
    guarded,
    list_parameters,
    looks_aside,
    parameterise,
    qualify,
    require,
    shape,
    split,
    tables_of,
    text,
    tied,
    uses,
)

Dataset = tuple[str, str]
MAX_KEPT = 512
"""Plans kept; the least used goes first."""


class Part(msgspec.Struct, frozen=True):
    """One fetch of a plan as its owner is asked: SQL with the owner's own names, which outputs leave as tokens, and
    which key lists hold tokens. `subjects` names the outputs and key lists that hold subjects in the clear, with the
    type of subject."""

    alias: str
    sql: str
    offers: tuple[Offer, ...]
    sealed_outputs: tuple[str, ...]
    sealed_keys: tuple[str, ...]
    key_types: dict[str, str]
    parameters: tuple[str, ...]
    subject_outputs: dict[str, str]
    subject_parameters: dict[str, str]


class Ready(msgspec.Struct, frozen=True):
    """A question, ready to be asked about anyone."""

    activity: Activity
    offers: dict[Dataset, Offer]
    roles: dict[Dataset, Disclosure]
    """The disclosures as they count here: for a combiner, with the people in them sealed."""
    tree: exp.Query
    shape: str
    constants: dict[str, Any]
    types: dict[str, str]
    lists: frozenset[str]
    bound: tuple[Binding, ...]
    plan: Plan
    parts: dict[tuple[str, frozenset[str]], Part]
    provenance: tuple[Provenance, ...]
    closed: tuple[StaysClosed, ...]
    filtered: bool
    groups: Groups | None
    """How rows are reduced to groups here, when this node is the combiner; None when nothing is left to reduce."""
    column_types: dict[tuple[Dataset, str], str]
    """DuckDB type per (dataset, column)."""

    def bulk(self, fetch: Fetch) -> bool:
        """Whether a fetch may be asked without its keys, when these are too many: no subject has to be named."""
        return not any(
            self.offers[fetch.site, name.rpartition(".")[2]].disclosure.subject_required
            for name in fetch.tables
        )

    def part(self, fetch: Fetch, given: frozenset[str] | None = None) -> Part:
        """A fetch as its owner is asked, restricted by these of its key parameters (None: by all)."""
        chosen = frozenset(use.parameter for use in fetch.keys) if given is None else given
        kept = self.parts.get((fetch.id, chosen))
        if kept is None:
            kept = self.parts[fetch.id, chosen] = _part(fetch, fetch.select(chosen), self.offers)
        return kept


class Plans:
    """Questions that were made ready before, and the datasets each text names; least recently used out first."""

    def __init__(self, most: int = MAX_KEPT) -> None:
        self._kept: OrderedDict[tuple[Any, ...], Ready] = OrderedDict()
        self._names: OrderedDict[Any, tuple[Dataset, ...]] = OrderedDict()
        self._most = most

    def names(self, text: Any) -> tuple[Dataset, ...] | None:
        """The datasets a text names, when it was asked before."""
        return self._names.get(text)

    def get(self, key: tuple[Any, ...]) -> Ready | None:
        """The plan under that key, None when it is not kept."""
        ready = self._kept.get(key)
        if ready is not None:
            self._kept.move_to_end(key)
        return ready

    def keep(self, key: tuple[Any, ...], ready: Ready) -> None:
        """Keep a plan; the first member of its key is the text."""
        self._kept[key] = ready
        self._names[key[0]] = tuple(ready.offers)
        for kept in (self._kept, self._names):
            if len(kept) > self._most:
                kept.popitem(last=False)


def make_ready(tree: exp.Query, activity: Activity, offers: dict[Dataset, Offer], own: PeerId) -> Ready:
    """Check a parsed question against what was opened for its activity, and split it per owner.

    Args:
        tree: from `statement.parse`.
        activity: what it is asked for.
        offers: per dataset in it, the offer for that activity.
        own: this node, which a disclosure may name as combiner.

    Raises:
        Refused: a column, a subject, an aggregate or a disclosure that the rules do not allow.
        Invalid: a name that does not exist, or a form of question that cannot be split.
    """
    disclosures = {dataset: offer.disclosure for dataset, offer in offers.items()}
    schema, visible = rules.schemas(offers)
    types = {(alias, name): columns for alias, tables in schema.items() for name, columns in tables.items()}
    qualified = qualify(tree, schema, visible)
    parameterised, constants, kinds = parameterise(qualified, types)
    bound = bindings(parameterised, {dataset: offer.subject for dataset, offer in offers.items()})
    for binding in bound:
        if disclosures[binding.dataset].subject_required and disclosures[binding.dataset].aggregate is None:
            require(binding)
    asked, groups = _grouped(parameterised, offers, own)
    if groups is not None:
        disclosures = {dataset: _narrowed(offer) for dataset, offer in offers.items()}
    sealed = rules.seal_joins(asked, disclosures)
    plan = split(
        sealed,
        site_of=lambda table: str(table.db),
        rows={".".join(dataset): offer.rows for dataset, offer in offers.items()},
        types={".".join(dataset): columns for dataset, columns in _with_tokens(types, sealed).items()},
        parameters=kinds,
        keyed=lambda table: _by_key_only(disclosures[table.db, table.name]),
        comparable=lambda table, column: disclosures[table.db, table.name].columns.get(column) == "output",
        selective=lambda table, column: _picks_few(offers[table.db, table.name], column),
        accepts=lambda query, _: _traceable(query, offers, groups is not None),
    )
    return Ready(
        activity=activity,
        offers=offers,
        roles=disclosures,
        tree=parameterised,
        shape=shape(parameterised),
        constants=constants,
        types=kinds,
        lists=frozenset(list_parameters(parameterised)),
        bound=bound,
        plan=plan,
        parts={},
        provenance=rules.provenance(qualified, offers),
        closed=rules.stays_closed(offers),
        filtered=any("filter" in disclosure.columns.values() for disclosure in disclosures.values()),
        groups=groups,
        column_types={
            (name, column): kind for name, columns in types.items() for column, kind in columns.items()
        },
    )


def _with_tokens(
    types: Mapping[Dataset, Mapping[str, str]], tree: exp.Query
) -> dict[Dataset, dict[str, str]]:
    """The types of all columns, tokens among them."""
    known = {dataset: dict(columns) for dataset, columns in types.items()}
    for dataset, column in rules.sealed_columns(tree):
        known[dataset][column] = "VARCHAR"
    return known


def _grouped(
    tree: exp.Query, offers: Mapping[Dataset, Offer], own: PeerId
) -> tuple[exp.Query, Groups | None]:
    """A question over data of which only groups may leave, held to its form. One owner reduces such a question
    itself. Over more owners this node does, when every such disclosure names it as the combiner: the question then
    counts the people in each group beside what was asked.

    Raises:
        Refused: `aggregate-only`, `combiner`.
    """
    rules_of = [offer.disclosure.aggregate for offer in offers.values() if offer.disclosure.aggregate]
    if not rules_of:
        return tree, None
    opened = {
        dataset: Guarded(
            offer.disclosure,
            offer.subject,
            offer.key,
            # Only tokens of those in groups: the people in other data are on record at their owner, row by row.
            rules.SEALED + offer.subject.column if offer.subject and offer.disclosure.aggregate else None,
        )
        for dataset, offer in offers.items()
    }
    made, groups = guarded(tree, opened)
    if len({alias for alias, _ in offers}) == 1:
        return tree, None
    if any(rule.combiner != own for rule in rules_of):
        raise rules.no_combiner([offer for offer in offers.values() if offer.disclosure.aggregate])
    return made, groups


def _narrowed(offer: Offer) -> Disclosure:
    """At a combiner the people in rows that only groups may be made of are tokens, whatever their key is open for."""
    disclosure = offer.disclosure
    if disclosure.aggregate is None or offer.subject is None:
        return disclosure
    columns: dict[str, Role] = {**disclosure.columns, offer.subject.column: "join"}
    return msgspec.structs.replace(disclosure, columns=columns)


def _picks_few(offer: Offer, column: str) -> bool:
    """Whether one value of a column is about one person, or one row; its token as well."""
    column = column.removeprefix(rules.SEALED)
    return offer.key == (column,) or (offer.subject is not None and offer.subject.column == column)


def _by_key_only(disclosure: Disclosure) -> bool:
    return disclosure.subject_required and disclosure.aggregate is None


def _traceable(query: exp.Query, offers: Mapping[Dataset, Offer], combining: bool) -> bool:
    """Whether an owner can tell whom each row of a sub-question is about, as it has to write down: the people in the
    tables of a SELECT, and those the question names. The rest is computed here, over such rows. What a combiner
    reduces, it gets as rows."""
    if combining and isinstance(query, exp.Select) and (query.args.get("group") or query.find(*AGGREGATES)):
        return False
    if not any(offers[dataset_of(table)].subject for table in base_tables(query)):
        return True
    if not isinstance(query, exp.Select):
        return False
    clear, _, _ = rules.unseal(query)
    assert isinstance(clear, exp.Select)
    subjects = {
        dataset: None if offer.subject and offer.subject.column in offer.disclosure.masks else offer.subject
        for dataset, offer in offers.items()
    }
    about = [table for table in base_tables(clear) if offers[dataset_of(table)].subject]
    grouped = clear.args.get("group") is not None or any(item.find(*AGGREGATES) for item in clear.expressions)
    plain = clear.args.get("with_") is None and all(
        isinstance(table, exp.Table) for table in tables_of(clear)
    )
    if {id(table) for table in about} <= tied(clear, subjects, ()):
        return grouped or plain
    ends = any(clear.args.get(name) for name in ("order", "limit", "offset", "qualify"))
    if not plain or (grouped and clear.args.get("distinct")) or (ends and looks_aside(clear, subjects)):
        return False
    joined = {id(join.this) for join in clear.args.get("joins") or () if join.kind in {"SEMI", "ANTI"}}
    shown = {id(table) for table in tables_of(clear)} - joined
    return {id(table) for table in about} <= tied(clear, subjects, shown)


def _part(fetch: Fetch, sealed: exp.Query, offers: Mapping[Dataset, Offer]) -> Part:
    query, outputs, keys = rules.unseal(sealed)
    subjects = {
        (use.table.alias_or_name, use.name): subject
        for use in uses(sealed)
        if (subject := offers[use.dataset].subject) is not None and use.name == subject.column
    }
    asked = dict.fromkeys(dataset_of(table) for table in base_tables(sealed))
    return Part(
        alias=fetch.site,
        sql=text(rules.own_tables(query)),
        offers=tuple(offers[dataset] for dataset in asked),
        sealed_outputs=outputs,
        sealed_keys=keys,
        key_types={use.parameter: use.type for use in fetch.keys},
        parameters=tuple(sorted({node.name for node in query.find_all(exp.Placeholder)})),
        subject_outputs=_subject_outputs(sealed, subjects),
        subject_parameters=_subject_parameters(sealed, subjects),
    )


def _subject_outputs(query: exp.Query, subjects: Mapping[tuple[str, str], Subject]) -> dict[str, str]:
    """Outputs that are a subject key in the clear, with the type of subject."""
    if not isinstance(query, exp.Select):
        return {}
    plain = ((item.alias_or_name, item.unalias()) for item in query.expressions)
    return {
        name: subjects[column.table, column.name.lower()].type
        for name, column in plain
        if isinstance(column, exp.Column) and (column.table, column.name.lower()) in subjects
    }


def _subject_parameters(query: exp.Query, subjects: Mapping[tuple[str, str], Subject]) -> dict[str, str]:
    """Parameters that a subject key is set equal to, with the type of subject."""
    found = {}
    for equal in query.find_all(exp.EQ):
        for side, other in ((equal.left, equal.right), (equal.right, equal.left)):
            side, other = side.unnest(), other.unnest()
            value = other.this.unnest() if isinstance(other, exp.Any) else other
            if isinstance(side, exp.Column) and isinstance(value, exp.Placeholder):
                subject = subjects.get((side.table, side.name.lower()))
                if subject is not None:
                    found[value.name] = subject.type
    return found


def check_values(ready: Ready, values: Mapping[str, Any]) -> None:
    """What can only be said once the values are known: filters, and how many subjects are asked at once.

    Raises:
        Refused: `filter-value`, `max-subjects`.
    """
    if ready.filtered:
        _check_roles(ready, values)
    for binding in ready.bound:
        disclosure = ready.offers[binding.dataset].disclosure
        asked = _asked(binding, values)
        if asked > disclosure.max_subjects:
            raise too_many(".".join(binding.dataset), asked, disclosure)


def check_keys(ready: Ready, fetch: Fetch, keys: Mapping[str, Any]) -> None:
    """Hold the people whom one answer leads to against what the next owner allows for one question: it sees them in
    pieces, and cannot count the whole.

    Raises:
        Refused: `too-many-subjects`.
    """
    for use in fetch.keys:
        offer = ready.offers.get((fetch.site, use.table.rpartition(".")[2]))
        if offer is None or offer.subject is None or use.parameter not in keys:
            continue
        named = use.column.removeprefix(rules.SEALED) == offer.subject.column
        if named and len(keys[use.parameter]) > offer.disclosure.max_subjects:
            raise too_many(f"{offer.alias}.{offer.dataset}", len(keys[use.parameter]), offer.disclosure)


def too_many(name: str, asked: int, disclosure: Disclosure) -> Refused:
    """The refusal of a question about more people than a disclosure allows at once."""
    return Refused(
        "too-many-subjects",
        Text(
            f"De vraag gaat over {asked} mensen tegelijk.", f"The question is about {asked} people at once."
        ),
        Text(
            f"{name} mag per vraag over hoogstens {disclosure.max_subjects} mensen gaan.",
            f"{name} may be asked about at most {disclosure.max_subjects} people per question.",
        ),
        Text("Verdeel de lijst over meer vragen.", "Spread the list over more questions."),
        rule="max-subjects",
        legal=str(disclosure.articles[0]) if disclosure.articles else None,
    )


def check_roles(ready: Ready) -> None:
    """Hold every column against its role, with the constants of the text only."""
    if not ready.filtered:
        _check_roles(ready, ready.constants)


def _check_roles(ready: Ready, values: Mapping[str, Any]) -> None:
    check(ready.tree, ready.roles, values)


def _asked(binding: Binding, values: Mapping[str, Any]) -> int:
    """How many subjects a binding names: the smallest of its lists, for every one of them must hold."""
    return min((_count(constant, values) for constant in binding.constants), default=0)


def _count(constant: exp.Expression, values: Mapping[str, Any]) -> int:
    if isinstance(constant, exp.In):
        return len(constant.expressions)
    value = values.get(_parameter(constant))
    return len(set(value)) if isinstance(value, list) else 1


def _parameter(constant: exp.Expression) -> str:
    node = constant.this.unnest() if isinstance(constant, exp.Any) else constant
    return str(node.name) if isinstance(node, exp.Placeholder) else ""

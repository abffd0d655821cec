"""What a question means before anyone is asked: which owners, which offers, where each column comes from, what stays
closed, and which keys must cross sealed. Pure: trees and offers in, trees and structs out.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import Any

from sqlglot import exp

from sluis.grounds import Activity, Disclosure, Offer
from sluis.kernel import Invalid, Level, Refused, Text
from sluis.policy import Decided
from sluis.query.model import Origin, Provenance, Question, StaysClosed
from sluis.statement import base_tables, closing, dataset_of, definition, is_base, source_of, unknown, uses

Dataset = tuple[str, str]

SEALED = "sealed__"
"""Before a column's name: its token, in place of its value. Not a column of any dataset."""

MAX_CASE = 200


def check_case(question: Question) -> None:
    """A question is asked for a case. Raises `Invalid` when none, or no proper reference, is given."""
    case = question.case.strip()
    if not case or len(case) > MAX_CASE or not case.isprintable():
        raise Invalid(
            "no-case",
            Text("De vraag noemt geen zaak.", "The question names no case."),
            Text(
                f"Een zaakkenmerk is verplicht, hoogstens {MAX_CASE} tekens.",
                f"A case reference is required, at most {MAX_CASE} characters.",
            ),
            Text("Geef het kenmerk mee: --case ZAAK-2026-1.", "Pass the reference: --case ZAAK-2026-1."),
        )


def activity_of(activities: Mapping[str, Activity], name: str) -> Activity:
    """The processing activity of that id. Raises `Invalid` with the nearest ones that exist."""
    if name not in activities:
        near = get_close_matches(name, list(activities), n=3, cutoff=0.5)
        raise Invalid(
            "unknown-activity",
            Text(
                "Deze verwerkingsactiviteit is hier niet bekend.",
                "This processing activity is not known here.",
            ),
            Text(
                "Geen activiteit van dit knooppunt heeft dit adres.", "No activity of this node has this id."
            ),
            Text(f"Bedoelt u {', '.join(near)}?", f"Did you mean {', '.join(near)}?")
            if near
            else Text(
                "Bekijk met `sluis activity list` welke er zijn.",
                "See with `sluis activity list` which there are.",
            ),
        )
    return activities[name]


def may_not_ask(decided: Decided, level: Level | None) -> Refused:
    """The refusal of the decision point to let this person ask under this activity.

    Args:
        decided: which is no.
        level: of assurance with which it would have been another answer, where that is why.
    """
    return Refused(
        "may-not-ask",
        Text("U mag deze vraag niet stellen.", "You may not ask this question."),
        decided.reason or Text(
            "Een regel van uw organisatie laat u onder deze verwerkingsactiviteit niet vragen.",
            "A policy of your organisation does not let you ask under this activity.",
        ),
        Text("Meld u aan op een hoger niveau.", "Sign in at a higher level.") if level else Text(
            "Kies een andere verwerkingsactiviteit, of vraag het uw beheerder.",
            "Choose another activity, or ask your operator.",
        ),
        rule=decided.rule,
        legal=decided.legal,
        level=level,
    )  # fmt: skip


def choose(
    named: Sequence[Dataset], owners: Mapping[str, str], offers: Mapping[str, Sequence[Offer]], activity: str
) -> dict[Dataset, Offer]:
    """The offer under which each dataset of a question is asked.

    Args:
        named: (alias, dataset) pairs of the question.
        owners: the name of each owner this node knows, by alias.
        offers: per alias what that owner offers this node.
        activity: id of the processing activity.

    Raises:
        Invalid: `unknown-owner`, `unknown-dataset`, `no-dataset`.
        Refused: `no-disclosure`: the dataset exists, and is not open for this activity.
    """
    if not named:
        raise Invalid(
            "no-dataset",
            Text("De vraag noemt geen dataset.", "The question names no dataset."),
            Text("Er valt dan niemand te vragen.", "Then there is nobody to ask."),
            Text("Vraag uit `bronhouder.dataset`.", "Ask from `owner.dataset`."),
        )
    return {(alias, dataset): _offer(alias, dataset, owners, offers, activity) for alias, dataset in named}


def _offer(
    alias: str, dataset: str, owners: Mapping[str, str], offers: Mapping[str, Sequence[Offer]], activity: str
) -> Offer:
    if not alias:
        raise Invalid(
            "unknown-owner",
            Text("Bij een dataset staat geen bronhouder.", "A dataset names no owner."),
            Text(
                "Zonder bronhouder is niet duidelijk wie het gevraagd wordt.",
                "Without an owner it is not clear who is asked.",
            ),
            Text(
                "Schrijf `bronhouder.dataset`, zoals `rdw.voertuigen`.",
                "Write `owner.dataset`, as in `rdw.voertuigen`.",
            ),
        )
    if alias not in owners:
        raise unknown("unknown-owner", "bronhouder", "owner", alias or dataset, owners)
    of_owner = offers.get(alias, ())
    named = [offer for offer in of_owner if offer.dataset == dataset]
    if not named:
        raise unknown(
            "unknown-dataset",
            "dataset",
            "dataset",
            f"{alias}.{dataset}",
            {f"{alias}.{o.dataset}" for o in of_owner},
        )
    chosen = [offer for offer in named if offer.disclosure.activity == activity]
    if not chosen:
        raise Refused(
            "no-disclosure",
            Text(f"{alias}.{dataset} is niet open voor deze verwerkingsactiviteit.", f"{alias}.{dataset} is not open for this activity."),
            Text(f"{owners[alias]} heeft er geen grondslag voor vastgelegd.", f"{owners[alias]} recorded no ground for it."),
            Text(f"Vraag {owners[alias]} om een verstrekking voor deze verwerkingsactiviteit.",
                 f"Ask {owners[alias]} for a disclosure for this activity."),
            rule="no-disclosure",
            peer=owners[alias],
        )  # fmt: skip
    return chosen[0]


def check_in_force(alias: str, dataset: str, offer: Offer, day: date) -> None:
    """Refuse an offer whose disclosure has not begun or has ended. Raises `Refused`: `disclosure-expired`."""
    if offer.disclosure.valid.holds(day):
        return
    raise Refused(
        "disclosure-expired",
        Text(f"De verstrekking van {alias}.{dataset} is niet van kracht.", f"The disclosure of {alias}.{dataset} is not in force."),
        Text("De datum van vandaag valt buiten de looptijd.", "Today is outside its period."),
        Text("Vraag de bronhouder om haar te verlengen.", "Ask the owner to renew it."),
        rule="disclosure-expired",
    )  # fmt: skip


def no_combiner(offers: Sequence[Offer]) -> Refused:
    """The refusal to join data of which only groups may leave, when the owners did not name this node for it."""
    names = ", ".join(f"{offer.alias}.{offer.dataset}" for offer in offers)
    return Refused(
        "no-combiner",
        Text(f"{names} mag niet per mens gekoppeld worden.", f"{names} may not be joined person by person."),
        Text(
            "Alleen groepen gaan naar buiten, en de bronhouders wezen uw knooppunt niet aan om ze te maken.",
            "Only groups leave, and the owners did not name your node to make them.",
        ),
        Text(
            "Vraag elke bronhouder apart, of vraag hun uw knooppunt als combinator aan te wijzen.",
            "Ask each owner by itself, or ask them to name your node as combiner.",
        ),
        rule="no-combiner",
        legal=next((str(article) for offer in offers for article in offer.disclosure.articles), None),
    )


def group_budget_used(offer: Offer) -> Refused:
    """The refusal of a combiner when its people asked for as many different groups as the disclosure allows."""
    return _over_groups(
        offer,
        "aggregate-budget",
        Text("Het aantal verschillende groepsvragen per dag is op.", "The daily number of different group questions is used up."),
        Text("Ga morgen verder, of herhaal een eerdere vraag.", "Go on tomorrow, or repeat an earlier question."),
    )  # fmt: skip


def too_close(offer: Offer) -> Refused:
    """The refusal of a combiner to tell groups that, with what it told before, would show a few people."""
    return _over_groups(
        offer,
        "differencing",
        Text("Deze vraag lijkt te veel op een eerdere.", "This question is too close to an earlier one."),
        Text("Vraag met voorwaarden of groepen die meer verschillen.", "Ask with conditions or groups that differ more."),
    )  # fmt: skip


def _over_groups(offer: Offer, rule: str, why: Text, after: Text) -> Refused:
    name = f"{offer.alias}.{offer.dataset}"
    what = Text(f"Uit {name} krijgt u deze groepen niet.", f"You do not get these groups from {name}.")
    legal = next((str(article) for article in offer.disclosure.articles), None)
    return Refused(rule, what, why, after, rule=rule, legal=legal)


def schemas(offers: Mapping[Dataset, Offer]) -> tuple[dict[str, Any], dict[str, Any]]:
    """All columns, and those that `*` stands for in the order of the disclosure, as `statement.qualify` takes them."""
    schema: dict[str, Any] = {}
    visible: dict[str, Any] = {}
    for (alias, dataset), offer in offers.items():
        types = {column.name: column.type for column in offer.columns}
        schema.setdefault(alias, {})[dataset] = types
        visible.setdefault(alias, {})[dataset] = {
            name: types[name] for name, role in offer.disclosure.columns.items() if role == "output"
        }
    return schema, visible


def provenance(tree: exp.Query, offers: Mapping[Dataset, Offer]) -> tuple[Provenance, ...]:
    """For each output column the datasets' columns it was computed from, in order of appearance."""
    found = []
    for place, name in enumerate(tree.named_selects):
        origins = tuple(dict.fromkeys(_origins_of_output(tree, place, offers)))
        found.append(Provenance(name, origins, _unit(tree, place, offers)))
    return tuple(found)


def _unit(query: exp.Query, place: int, offers: Mapping[Dataset, Offer]) -> str | None:
    """The unit of an output that is a dataset's column as it is."""
    item = query.expressions[place].unalias() if isinstance(query, exp.Select) else None
    source = source_of(item) if isinstance(item, exp.Column) else None
    if item is None or not isinstance(source, exp.Table) or not is_base(source):
        return None
    columns = offers[dataset_of(source)].columns
    return next((column.unit for column in columns if column.name == item.name.lower()), None)


def _origins_of_output(
    query: exp.Expression | None, place: int, offers: Mapping[Dataset, Offer]
) -> Iterator[Origin]:
    if isinstance(query, exp.Subquery | exp.Paren):
        yield from _origins_of_output(query.this, place, offers)
    elif isinstance(query, exp.SetOperation):
        yield from _origins_of_output(query.left, place, offers)
        yield from _origins_of_output(query.right, place, offers)
    elif isinstance(query, exp.Select) and place < len(query.expressions):
        yield from _origins(query.expressions[place], offers)


def _origins(expression: exp.Expression, offers: Mapping[Dataset, Offer]) -> Iterator[Origin]:
    for column in expression.find_all(exp.Column):
        source = source_of(column)
        if isinstance(source, exp.Table) and is_base(source):
            offer = offers[dataset_of(source)]
            name = column.name.lower()
            yield Origin(offer.alias, offer.dataset, name, offer.disclosure.masks.get(name))
            continue
        inner = definition(source) if isinstance(source, exp.Table) else source.this if source else None
        names = [name.lower() for name in inner.named_selects] if isinstance(inner, exp.Query) else []
        if column.name.lower() in names:
            yield from _origins_of_output(inner, names.index(column.name.lower()), offers)


def stays_closed(offers: Mapping[Dataset, Offer]) -> tuple[StaysClosed, ...]:
    """What the owners of a question do not open for its activity: columns, rows, and values behind a mask."""
    return tuple(entry for offer in offers.values() for entry in _closed_of(offer))


def _closed_of(offer: Offer) -> Iterator[StaysClosed]:
    disclosure = offer.disclosure
    ground = str(disclosure.articles[0]) if disclosure.articles else None
    groups: dict[int, list[str]] = {}
    unsaid: list[str] = []
    for column in offer.columns:
        if column.role is not None:
            continue
        entry = closing(column.name, disclosure)
        if entry is None:
            unsaid.append(column.name)
        else:
            groups.setdefault(disclosure.closed.index(entry), []).append(column.name)
    for index, names in groups.items():
        entry = disclosure.closed[index]
        yield StaysClosed(
            offer.alias,
            offer.dataset,
            "columns",
            tuple(names),
            entry.because,
            str(entry.article or "") or None,
        )
    if unsaid:
        because = Text("Niet nodig voor deze verwerkingsactiviteit.", "Not needed for this activity.")
        yield StaysClosed(offer.alias, offer.dataset, "columns", tuple(unsaid), because)
    if disclosure.rows:
        because = disclosure.rows_because or Text(
            "De bronhouder laat rijen weg.", "The owner leaves rows out."
        )
        yield StaysClosed(offer.alias, offer.dataset, "rows", (), because, ground)
    if disclosure.masks:
        because = Text("De waarde is afgeschermd.", "The value is masked.")
        yield StaysClosed(offer.alias, offer.dataset, "values", tuple(disclosure.masks), because, ground)
    if disclosure.aggregate:
        least = disclosure.aggregate.minimum
        because = Text(
            f"Alleen groepen van ten minste {least} mensen.", f"Only groups of at least {least} people."
        )
        yield StaysClosed(offer.alias, offer.dataset, "rows", (), because, ground)


def seal_joins(tree: exp.Query, disclosures: Mapping[Dataset, Disclosure]) -> exp.Query:
    """Name the keys that must cross sealed: both sides of every equality with a `join` column become tokens.

    A token column is another column than the one it seals: a condition on the clear key says nothing about it, so no
    constant the asker typed can ever be compared with a key the asker may not see.
    """
    tree = tree.copy()
    for use in uses(tree):
        if disclosures[use.dataset].columns.get(use.name) != "join":
            continue
        for column in _both_sides(use.node):
            if not column.name.startswith(SEALED):
                column.set("this", exp.to_identifier(f"{SEALED}{column.name.lower()}"))
    return tree


def _both_sides(node: exp.Column) -> Iterator[exp.Column]:
    """A `join` column and the key it is set equal to; `statement.check` has made sure there is exactly one."""
    yield node
    parent = node.parent
    while isinstance(parent, exp.Paren):
        parent = parent.parent
    if isinstance(parent, exp.EQ):
        sides = [parent.left.unnest(), parent.right.unnest()]
        yield from (side for side in sides if isinstance(side, exp.Column) and side is not node)
        return
    within = parent if isinstance(parent, exp.In) else node.find_ancestor(exp.In)
    if within is None:
        return
    query = within.args["query"].unnest()
    yield within.this.unnest()
    yield query.expressions[0].unalias()


def sealed_columns(tree: exp.Query) -> set[tuple[Dataset, str]]:
    """The (dataset, token column) pairs of a tree that `seal_joins` rewrote."""
    return {(use.dataset, use.name) for use in uses(tree) if use.name.startswith(SEALED)}


def unseal(query: exp.Query) -> tuple[exp.Query, tuple[str, ...], tuple[str, ...]]:
    """A sub-question as its owner reads it: real column names, which outputs must leave as tokens, which key lists
    hold tokens."""
    query = query.copy()
    outputs = []
    if isinstance(query, exp.Select):
        for item in query.expressions:
            if isinstance(item.unalias(), exp.Column) and item.unalias().name.startswith(SEALED):
                outputs.append(item.alias_or_name)
    lists = []
    for column in query.find_all(exp.Column):
        if not column.name.startswith(SEALED):
            continue
        parent = column.parent
        if isinstance(parent, exp.EQ) and isinstance(parent.expression, exp.Any):
            lists.append(parent.expression.this.unnest().name)
        column.set("this", exp.to_identifier(column.name.removeprefix(SEALED)))
    return query, tuple(outputs), tuple(lists)


def own_tables(query: exp.Query) -> exp.Query:
    """A sub-question without the owner's alias before its datasets: the owner knows who it is."""
    query = query.copy()
    for table in base_tables(query):
        table.set("db", None)
    return query

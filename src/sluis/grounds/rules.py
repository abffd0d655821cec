"""What the recipient of a disclosure is told, and whether the files agree with one another.

Pure: what is read and when it is are passed in. Nothing here decides about a question; `policy` and `disclose` do.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import date
from hashlib import sha256
from itertools import combinations

import msgspec
import rfc8785

from sluis.grounds.expressions import expression_fault
from sluis.grounds.model import (
    Activity,
    Dataset,
    Disclosure,
    EventType,
    Grounds,
    Notice,
    Offer,
    OfferedColumn,
    offer_document,
)
from sluis.grounds.shape import Fault, meant
from sluis.grounds.toml import Keys
from sluis.kernel import PeerId, Period, Text

Item = Activity | Dataset | Disclosure | EventType | Notice

LAPSED = frozenset({"expired-disclosure", "expired-activity", "expired-notice"})
"""Findings that time alone brings about: `sluis check` reports them, and a node starts all the same."""


class Surroundings(msgspec.Struct, frozen=True):
    """What the files are held against: the node itself, its peers and sources (None: not known), and the day."""

    day: date
    own: PeerId | None = None
    peers: frozenset[PeerId] = frozenset()
    sources: frozenset[str] | None = None


def make_offer(owner: PeerId, alias: str, dataset: Dataset, disclosure: Disclosure) -> Offer:
    """The disclosure as its recipient gets it, columns in the order of the dataset, with its digest.

    Args:
        owner: of the data.
        alias: the owner's name before the dot.
        dataset, disclosure: as the owner's files have them.

    The digest is SHA-256 over the canonical JSON (RFC 8785) of the offer without it.
    """
    columns = tuple(
        OfferedColumn(
            column.name,
            column.type,
            disclosure.columns.get(column.name),
            column.title,
            column.unit,
            column.concept,
        )
        for column in dataset.columns
    )
    offer = Offer(
        owner,
        alias,
        dataset.name,
        dataset.title,
        columns,
        disclosure,
        "",
        dataset.subject,
        dataset.key,
        dataset.rows,
    )
    return msgspec.structs.replace(offer, digest=offer_digest(offer))


def offer_digest(offer: Offer) -> str:
    """The digest that belongs to `offer`, whatever it says itself: `sha256:` and 64 hex digits."""
    return f"sha256:{sha256(rfc8785.dumps(offer_document(offer))).hexdigest()}"


def consistency(grounds: Grounds, around: Surroundings) -> Iterator[tuple[Item, Fault]]:
    """Every way in which the files contradict themselves or one another, each with the item it stands in."""
    for dataset in grounds.datasets:
        for fault in _dataset_faults(dataset, around):
            yield dataset, fault
    for activity in grounds.activities:
        for fault in period_faults(activity.valid, around.day, "activity"):
            yield activity, fault
    for disclosure in grounds.disclosures:
        for fault in _disclosure_faults(disclosure, grounds, around):
            yield disclosure, fault
    yield from twice(((one, one.name) for one in grounds.datasets), ("name",))
    yield from twice(((one, one.id) for one in grounds.activities), ("id",))
    yield from twice(((one, f"{one.id}@{one.version}") for one in grounds.disclosures), ("id",))
    yield from _overlaps(grounds.disclosures)
    yield from _shared_activities(grounds)
    yield from _priced_signals(grounds)


def _dataset_faults(dataset: Dataset, around: Surroundings) -> Iterator[Fault]:
    names = {column.name for column in dataset.columns}
    for position, name in enumerate(dataset.key):
        if name not in names:
            yield _unknown_column(("key", position), name, names)
    if dataset.subject and dataset.subject.column not in names:
        yield _unknown_column(("subject", "column"), dataset.subject.column, names)
    if around.sources is not None and dataset.source not in around.sources:
        yield unknown(("source",), "source", "bron", "source", dataset.source, around.sources)
    for column in dataset.columns:
        keys: Keys = ("columns", column.name)
        if column.expression is None:
            continue
        if column.source is not None:
            yield finding(
                (*keys, "expression"),
                "two-origins",
                Text(f"`{column.name}` heeft twee herkomsten.", f"`{column.name}` has two origins."),
                Text(
                    "`source` en `expression` gaan niet samen.",
                    "`source` and `expression` exclude one another.",
                ),
                Text("Houd één van de twee.", "Keep one of the two."),
            )
        yield from _expression_faults((*keys, "expression"), column.expression, None)


def _disclosure_faults(one: Disclosure, grounds: Grounds, around: Surroundings) -> Iterator[Fault]:
    yield from period_faults(one.valid, around.day, "disclosure")
    if grounds.activity(one.activity) is None:
        known = [activity.id for activity in grounds.activities]
        yield unknown(
            ("activity",), "activity", "verwerkingsactiviteit", "processing activity", one.activity, known
        )
    combiner = one.aggregate.combiner if one.aggregate else None
    if combiner and around.own and combiner not in {*around.peers, around.own, one.recipient}:
        yield unknown(("aggregate", "combiner"), "peer", "organisatie", "peer", combiner, around.peers)
    dataset = grounds.dataset(one.dataset)
    if dataset is None:
        known = [each.name for each in grounds.datasets]
        yield unknown(("dataset",), "dataset", "dataset", "dataset", one.dataset, known)
        return
    yield from _column_faults(one, dataset)
    yield from _role_faults(one)
    yield from _subject_faults(one, dataset)
    names = {column.name for column in dataset.columns}
    if one.rows is not None:
        yield from _expression_faults(("rows",), one.rows, names)
    for column, mask in one.masks.items():
        yield from _expression_faults(("masks", column), mask, names)


def _column_faults(one: Disclosure, dataset: Dataset) -> Iterator[Fault]:
    """Names that the dataset, or the list of opened columns, does not have."""
    names = {column.name for column in dataset.columns}
    for name in one.columns:
        if name not in names:
            yield _unknown_column(("columns", name), name, names)
    for position, closed in enumerate(one.closed):
        for index, name in enumerate(closed.columns):
            keys: Keys = ("closed", position, "columns", index)
            if name not in names:
                yield _unknown_column(keys, name, names)
            elif name in one.columns:
                yield finding(
                    keys,
                    "open-and-closed",
                    Text(f"`{name}` is open en gesloten tegelijk.", f"`{name}` is open and closed at once."),
                    Text("De kolom staat ook onder `columns`.", "The column is also under `columns`."),
                    Text("Haal haar op één van de twee plaatsen weg.", "Remove it in one of the two places."),
                )
    for part, listed in (
        ("masks", one.masks),
        ("aggregate", one.aggregate.functions if one.aggregate else {}),
    ):
        for name in listed:
            if name not in one.columns:
                keys = (part, name) if part == "masks" else (part, "functions", name)
                yield _not_opened(keys, name, one.columns)


def _role_faults(one: Disclosure) -> Iterator[Fault]:
    """Roles that cannot work: a filter without its rule, a rule without its filter, nothing that comes out."""
    for name, role in one.columns.items():
        if role == "filter" and name not in one.filters:
            yield finding(
                ("columns", name),
                "filter-without-rule",
                Text(f"`{name}` is een filter zonder regel.", f"`{name}` is a filter without a rule."),
                Text(
                    "Een filterkolom mag alleen worden vergeleken zoals de regel zegt.",
                    "A filter column may only be compared as its rule says.",
                ),
                Text(
                    f"Voeg `[filters.{name}]` toe, met `operators`.",
                    f"Add `[filters.{name}]`, with `operators`.",
                ),
            )
    for name in one.filters:
        if one.columns.get(name) != "filter":
            yield finding(
                ("filters", name),
                "rule-without-filter",
                Text(f"Deze regel hoort bij geen filterkolom: `{name}`.", f"This rule has no filter column: `{name}`."),
                Text("Onder `columns` staat geen rol `filter` voor deze naam.", "`columns` gives it no role `filter`."),
                Text(f"Schrijf `{name} = \"filter\"` of haal de regel weg.", f"Write `{name} = \"filter\"` or remove the rule."),
            )  # fmt: skip
    if one.aggregate is None and "output" not in one.columns.values():
        yield finding(
            ("columns",),
            "no-output",
            Text("Uit deze verstrekking komt niets.", "Nothing comes out of this disclosure."),
            Text(
                "Met alleen `join` en `filter` is er geen kolom om te geven.",
                "With only `join` and `filter` there is no column to give.",
            ),
            Text("Geef ten minste één kolom de rol `output`.", "Give at least one column the role `output`."),
        )


def _subject_faults(one: Disclosure, dataset: Dataset) -> Iterator[Fault]:
    """Whether the person can be named at all, where one must be; and counted, where groups must be large enough."""
    subject, by_name = dataset.subject, one.subject_required or one.ground == "consent"
    if one.ground == "consent":
        yield from _consent_faults(one)
    if subject is None:
        if by_name:
            keys = ("subject_required",) if one.subject_required else ("ground",)
            yield _no_subject(keys, keys[0], dataset.name)
        if one.aggregate:
            yield _no_subject(("aggregate",), "aggregate", dataset.name)
        return
    rule = one.filters.get(subject.column)
    named = one.columns.get(subject.column) in ("output", "join") or (
        rule is not None and not {"=", "in"}.isdisjoint(rule.operators)
    )
    if by_name and not named:
        yield finding(
            ("subject_required",),
            "subject-cannot-be-named",
            Text(f"Niemand kan `{subject.column}` noemen.", f"Nobody can name `{subject.column}`."),
            Text(
                "De vrager moet zeggen over wie het gaat, en mag die kolom niet vergelijken.",
                "The asker must say whom it is about, and may not compare that column.",
            ),
            Text(
                f"Geef `{subject.column}` de rol `output` of `join`, of een filter met `=` of `in`.",
                f"Give `{subject.column}` the role `output` or `join`, or a filter with `=` or `in`.",
            ),
        )
    if by_name and subject.column in one.masks:
        yield finding(
            ("masks", subject.column),
            "masked-subject",
            Text("De sleutel van de persoon is gemaskeerd.", "The key of the person is masked."),
            Text("De vrager kan dan niemand noemen.", "The asker can then name nobody."),
            Text("Haal dit masker weg.", "Remove this mask."),
        )


def _consent_faults(one: Disclosure) -> Iterator[Fault]:
    """What cannot rest on consent: it is looked up for each person whom a question names."""
    if one.aggregate is not None:
        yield finding(
            ("aggregate",),
            "consent-without-rows",
            Text("Groepen kunnen niet op toestemming rusten.", "Groups cannot rest on consent."),
            Text(
                "Toestemming opent de rij van wie haar gaf; van een groep is niet te zeggen wie erin zit.",
                "Consent opens the row of who gave it; of a group it cannot be told who is in it.",
            ),
            Text("Kies een andere grondslag, of haal `[aggregate]` weg.", "Choose another ground, or remove `[aggregate]`."),
        )  # fmt: skip
    if not one.subject_required:
        yield finding(
            ("subject_required",),
            "consent-without-subject",
            Text("Bij toestemming noemt de vrager altijd over wie het gaat.",
                 "With consent the asker always names whom it is about."),
            Text("Zonder naam is er niemand van wie de toestemming is op te zoeken.",
                 "Without a name there is nobody whose consent can be looked up."),
            Text("Haal `subject_required = false` weg.", "Remove `subject_required = false`."),
        )  # fmt: skip


def period_faults(valid: Period, day: date, kind: str) -> Iterator[Fault]:
    if valid.until is None:
        return
    if valid.until < valid.since:
        yield finding(
            ("valid", "until"),
            "period-reversed",
            Text("De periode eindigt voor zij begint.", "The period ends before it begins."),
            Text(f"{valid.until} ligt voor {valid.since}.", f"{valid.until} is before {valid.since}."),
            Text("Draai de datums om of verbeter ze.", "Swap or correct the dates."),
        )
    elif valid.until < day:
        yield finding(
            ("valid", "until"),
            f"expired-{kind}",
            Text("De geldigheid is voorbij.", "It is no longer valid."),
            Text(f"De laatste dag was {valid.until}.", f"The last day was {valid.until}."),
            Text("Verleng de periode of haal het bestand weg.", "Extend the period or remove the file."),
        )


def _expression_faults(keys: Keys, text: str, columns: Collection[str] | None) -> Iterator[Fault]:
    why = expression_fault(text, columns)
    if why is not None:
        yield finding(
            keys,
            "expression",
            Text("Deze SQL-expressie kan hier niet.", "This SQL expression is not possible here."),
            why,
            Text(
                "Schrijf één expressie over kolommen van deze rij, in DuckDB-SQL.",
                "Write one expression over columns of this row, in DuckDB SQL.",
            ),
        )


def twice(items: Iterable[tuple[Item, str]], keys: Keys) -> Iterator[tuple[Item, Fault]]:
    seen = set()
    for item, name in items:
        if name in seen:
            fault = finding(
                keys,
                "name-used-twice",
                Text(f"`{name}` bestaat al.", f"`{name}` exists already."),
                Text("Een ander bestand heeft dezelfde naam.", "Another file has the same name."),
                Text("Kies een andere naam of haal er één weg.", "Choose another name or remove one."),
            )
            yield item, fault
        seen.add(name)


def _overlaps(disclosures: Iterable[Disclosure]) -> Iterator[tuple[Item, Fault]]:
    """Two disclosures that both hold on some day; told at the second."""
    alike: dict[tuple[str, ...], list[Disclosure]] = {}
    for one in disclosures:
        alike.setdefault((one.dataset, one.recipient, one.activity), []).append(one)
    for group in alike.values():
        for first, second in combinations(group, 2):
            if overlap(first.valid, second.valid):
                yield second, _overlapping(first)


def _overlapping(first: Disclosure) -> Fault:
    return finding(
        ("valid",),
        "overlapping-disclosures",
        Text(
            f"Dit overlapt met verstrekking `{first.id}` versie {first.version}.",
            f"This overlaps with disclosure `{first.id}` version {first.version}.",
        ),
        Text(
            "Per dag geldt één verstrekking voor dezelfde dataset, ontvanger en activiteit.",
            "On one day one disclosure holds for the same dataset, recipient and activity.",
        ),
        Text("Laat de eerste eindigen voor de tweede begint.", "Let the first end before the second begins."),
    )


def _shared_activities(grounds: Grounds) -> Iterator[tuple[Item, Fault]]:
    """Standing questions for an activity that something else is for too: a signal about a yes or no is the answer, so that
    ground must be one for signals."""
    others = {one.activity for one in grounds.disclosures if one.standing is None}
    others |= {one.activity for one in grounds.notices}
    for one in grounds.disclosures:
        if one.standing is not None and one.activity in others:
            yield one, finding(
                ("activity",),
                "standing-shares-activity",
                Text("Deze verwerkingsactiviteit is niet alleen voor staande vragen.",
                     "This processing activity is not for standing questions alone."),
                Text("Een verstrekking zonder `standing`, of een kennisgeving, heeft dezelfde; een signaal kan het antwoord al zijn.",
                     "A disclosure without `standing`, or a notice, has the same one; a signal can be the answer already."),
                Text("Geef staande vragen een eigen verwerkingsactiviteit.",
                     "Give standing questions a processing activity of their own."),
            )  # fmt: skip


def _priced_signals(grounds: Grounds) -> Iterator[tuple[Item, Fault]]:
    """A price on standing questions: it would be due at every round, for an answer that nobody gets."""
    for one in grounds.disclosures:
        if one.standing is not None and one.price is not None:
            yield one, finding(
                ("price",),
                "standing-with-price",
                Text("Een verstrekking voor staande vragen heeft geen prijs.",
                     "A disclosure for standing questions has no price."),
                Text("Een staande vraag wordt elke ronde gelezen, zonder dat de afnemer een antwoord krijgt.",
                     "A standing question is read in every round, and the recipient gets no answer of it."),
                Text("Haal `price` of `standing` weg; zet de prijs bij de verstrekking waaronder de afnemer daarna vraagt.",
                     "Remove `price` or `standing`; put the price with the disclosure under which the recipient asks after it."),
            )  # fmt: skip


def overlap(one: Period, other: Period) -> bool:
    last = min(one.until or date.max, other.until or date.max)
    return max(one.since, other.since) <= last


def unknown(keys: Keys, kind: str, nl: str, en: str, name: str, known: Iterable[str]) -> Fault:
    """A name that no file has.

    Args:
        keys: where in the file it stands.
        kind: of thing, as it is named in codes.
        nl, en: what people call that kind.
        name: that is there.
        known: names that there are, of which the nearest is told.
    """
    return finding(
        keys,
        f"unknown-{kind}",
        Text(f"Onbekende {nl}: `{name}`.", f"Unknown {en}: `{name}`."),
        Text("Deze naam staat in geen ander bestand van dit knooppunt.", "No other file of this node has this name."),
        meant(name, known) if any(True for _ in known) else _first(kind, nl, en),
    )  # fmt: skip


def _first(kind: str, nl: str, en: str) -> Text:
    """Where to begin, when there is none of this kind yet."""
    tables = {"peer": "[peers.NAAM]", "source": "[sources.NAAM]"}
    if kind in tables:
        return Text(
            f"Zet deze {nl} eerst in `node.toml`, onder `{tables[kind]}`.",
            f"First put this {en} in `node.toml`, under `{tables[kind]}`.",
        )
    return Text(f"Maak eerst een bestand voor deze {nl}.", f"First write a file for this {en}.")


def _unknown_column(keys: Keys, name: str, names: Collection[str]) -> Fault:
    return finding(
        keys,
        "unknown-column",
        Text(f"Onbekende kolom: `{name}`.", f"Unknown column: `{name}`."),
        Text("De dataset heeft geen kolom met deze naam.", "The dataset has no column of this name."),
        meant(name, names),
    )


def _not_opened(keys: Keys, name: str, opened: Collection[str]) -> Fault:
    return finding(
        keys,
        "column-not-opened",
        Text(f"`{name}` staat niet onder `columns`.", f"`{name}` is not under `columns`."),
        Text(
            "Alleen voor een geopende kolom is een regel zinvol.",
            "A rule makes sense only for an opened column.",
        ),
        meant(name, opened),
    )


def _no_subject(keys: Keys, setting: str, dataset: str) -> Fault:
    return finding(
        keys,
        "no-subject",
        Text(
            f"`{setting}` kan niet bij dataset `{dataset}`.",
            f"`{setting}` is not possible for dataset `{dataset}`.",
        ),
        Text(
            "De dataset zegt niet over welke persoon een rij gaat.",
            "The dataset does not say whom a row is about.",
        ),
        Text(
            "Zet `[subject]` in de dataset, of schrijf `subject_required = false`; bij toestemming kan alleen het eerste.",
            "Put `[subject]` in the dataset, or write `subject_required = false`; with consent only the first will do.",
        ),
    )


def finding(keys: Keys, code: str, what: Text, why: Text, next: Text) -> Fault:
    """Something that is wrong in a file, at the place that `keys` lead to; the texts as in `Problem`."""
    return Fault(keys, code, what, why, next)

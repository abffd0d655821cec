"""What people read of an entry of the catalogue: codes and figures in plain words. Pure."""

from collections.abc import Sequence
from datetime import date

import msgspec

from sluis.catalogue.codes import FREQUENCIES, LICENCES, THEMES
from sluis.catalogue.model import Contact, Cost, Entry
from sluis.grounds import SENSITIVITIES, Price, Sensitivity
from sluis.kernel import Text, euros, figure

_MEANT: dict[Sensitivity, Text] = {
    "open": Text("Zegt niets over een mens.", "Says nothing about a person."),
    "personal": Text("Zegt iets over een mens.", "Says something about a person."),
    "identifying": Text("Zegt wie het is, zoals een naam of een BSN.", "Says who it is, such as a name or a BSN."),
    "special": Text("Extra beschermd door de wet (AVG, artikel 9), zoals gezondheid.",
                    "Protected further by law (GDPR, article 9), such as health."),
}  # fmt: skip
_SENSITIVITIES: dict[str, tuple[Text, Text]] = {
    name: (Text(words.nl.capitalize(), words.en.capitalize()), _MEANT[name])
    for name, words in SENSITIVITIES.items()
}
_TYPES = {
    "VARCHAR": Text("tekst", "text"),
    "BIGINT": Text("geheel getal", "whole number"),
    "INTEGER": Text("geheel getal", "whole number"),
    "DECIMAL": Text("getal", "number"),
    "DOUBLE": Text("getal", "number"),
    "BOOLEAN": Text("ja of nee", "yes or no"),
    "DATE": Text("datum", "date"),
    "TIMESTAMP": Text("tijdstip", "moment"),
    "text": Text("tekst", "text"),
    "number": Text("getal", "number"),
    "date": Text("datum", "date"),
    "boolean": Text("ja of nee", "yes or no"),
}
_OPENNESS = {
    "public": Text("Openbaar: iedereen mag het gebruiken.", "Public: anybody may use it."),
    "restricted": Text(
        "Onder voorwaarden: u hebt er een contract voor nodig.", "Restricted: you need a contract for it."
    ),
    "non-public": Text(
        "Niet openbaar: u krijgt alleen wat u voor een taak in de wet nodig hebt.",
        "Not public: you get only what you need for a task in law.",
    ),
}
_ASK = {
    "public": Text("Vraag aan de organisatie hoe u het ophaalt.", "Ask the organisation how to fetch it."),
    "restricted": Text("Vraag een contract aan bij de organisatie.", "Ask the organisation for a contract."),
    "non-public": Text(
        "Vraag een contract aan bij de organisatie. Noem de verwerkingsactiviteit en het wetsartikel waarvoor u de gegevens nodig hebt.",
        "Ask the organisation for a contract. Name the processing activity and the article of law for which you need the data.",
    ),
}


class ColumnView(msgspec.Struct, frozen=True):
    """A column as people read it; `filled` in percents, where that was measured."""

    name: str
    title: Text | None
    type: Text
    unit: str | None
    concept: str | None
    sensitivity: Text
    filled: int | None


class View(msgspec.Struct, frozen=True):
    """What of an entry is not said as it stands there: see `view_of`."""

    openness: Text
    access: Text
    next: str | None
    """An address where to ask: a page, or mail."""
    licence: Text
    licence_page: str | None
    themes: tuple[Text, ...]
    frequency: Text | None
    costs: tuple[Text, ...]
    columns: tuple[ColumnView, ...]
    meanings: tuple[tuple[Text, Text], ...]
    """Of each sensitivity among the columns what it means."""
    filled: bool
    """Whether it was measured how much of a column is filled."""
    rows: Text | None
    newest: date | None
    available: Text | None


def view_of(entry: Entry) -> View:
    """An entry in words for people."""
    measured = entry.measured
    filled = {one.column: one.percent for one in measured.filled} if measured else {}
    page, licence = LICENCES[entry.licence]
    return View(
        openness=_OPENNESS[entry.access_rights],
        access=entry.access or _ASK[entry.access_rights],
        next=_next(entry.contact),
        licence=Text("Niet open: hergebruik is niet vrij.", "Not open: reuse is not free.")
        if entry.licence == "not-open"
        else licence,
        licence_page=None if entry.licence == "not-open" else page,
        themes=tuple(THEMES[one] for one in entry.themes),
        frequency=FREQUENCIES[entry.frequency][1] if entry.frequency else None,
        costs=_costs(entry.cost, entry.prices),
        columns=tuple(
            ColumnView(
                one.name,
                one.title,
                _type(one.type),
                one.unit,
                one.concept,
                _SENSITIVITIES[one.sensitivity][0],
                filled.get(one.name),
            )
            for one in entry.columns
        ),
        meanings=tuple(
            words
            for name, words in _SENSITIVITIES.items()
            if any(one.sensitivity == name for one in entry.columns)
        ),
        filled=bool(filled),
        rows=_rows(measured.rows, entry.subject is not None) if measured else None,
        newest=measured.newest if measured else None,
        available=_percent(entry.level.available)
        if entry.level and entry.level.available is not None
        else None,
    )


def is_web(address: str | None) -> bool:
    """Whether an address that somebody wrote may be a link: no script, and nothing else that a browser would run."""
    return address is not None and address.startswith(("https://", "http://"))


def _type(name: str) -> Text:
    return _TYPES.get(name.partition("(")[0], Text(name, name))


def _next(contact: Contact) -> str | None:
    if contact.page:
        return contact.page
    return f"mailto:{contact.email}" if contact.email else None


def _rows(rows: int, rounded: bool) -> Text:
    told, about = figure(rows), Text("ongeveer ", "about ") if rounded else Text("", "")
    return Text(f"{about.nl}{told.nl}", f"{about.en}{told.en}")


def _percent(share: float) -> Text:
    return Text(f"{share:g}%".replace(".", ","), f"{share:g}%")


def _costs(cost: Cost | None, prices: Sequence[Price]) -> tuple[Text, ...]:
    if cost is None:
        return ()
    if cost.kind == "agreed":
        return tuple(map(_price, prices)) or (Text("Zoals in uw contract staat.", "As your contract says."),)
    return (_cost(cost),)


def _cost(cost: Cost) -> Text:
    if cost.kind == "free":
        return Text("Gratis", "Free")
    amount, months = euros(cost.cents), cost.months
    time = (
        Text("per jaar", "a year")
        if months == 12
        else Text("per maand", "a month")
        if months == 1
        else Text(f"per {months} maanden", f"for {months} months")
    )
    per = {
        "call": Text("per vraag", "per question"),
        "run": Text("per keer draaien", "per run"),
        "subscription": Text(f"{time.nl}, als abonnement", f"{time.en}, as a subscription"),
    }[cost.kind]
    return Text(f"{amount.nl} {per.nl}", f"{amount.en} {per.en}")


def _price(one: Price) -> Text:
    question, person = euros(one.per_question), euros(one.per_subject)
    if not one.per_question and not one.per_subject:
        return Text("Gratis", "Free")
    if not one.per_subject:
        return Text(f"{question.nl} per vraag", f"{question.en} per question")
    if not one.per_question:
        return Text(f"{person.nl} per persoon", f"{person.en} per person")
    return Text(
        f"{question.nl} per vraag, en {person.nl} per persoon",
        f"{question.en} per question, and {person.en} per person",
    )

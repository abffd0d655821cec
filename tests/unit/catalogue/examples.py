"""A fictitious catalogue: full, sparse, and one that somebody means ill with."""

from datetime import UTC, date, datetime
from pathlib import Path

from sluis.catalogue import (
    Contact,
    Cost,
    Description,
    Entry,
    Keywords,
    Measurement,
    Of,
    Prose,
    ServiceLevel,
    Terms,
    Whole,
)
from sluis.catalogue.model import Body, Share
from sluis.catalogue.rules import project
from sluis.grounds import Article, Column, Dataset, Disclosure, EventType, Fact, Grounds, Price, Subject
from sluis.kernel import Oin, PeerId, Period, Text

OWN, RECIPIENT = PeerId("00000001000000000001"), PeerId("00000001000000000002")
BASE = "https://portaal.voorbeeld.nl/v1/catalogue"
OF = Of(
    OWN, "Dienst Voorbeeld (fictief)", BASE, "https://inway.voorbeeld.nl:443", f"{BASE[:-10]}/openapi.json"
)
SERVICE = "sluis"
EVENT = "nl.voorbeeld.inkomen.gewijzigd"
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LAW = Article("Participatiewet", "64, lid 1", "BWBR0015703")
LOCAL_LAW = Article("Verordening Voorbeeld (fictief)", "1")


def prose(text: str) -> Prose:
    return Prose(f"{text} (nl)", f"{text} (en)")


def whole(**more: object) -> Whole:
    given: dict[str, object] = {
        "title": prose("Catalogus"),
        "description": prose("Wat er is"),
        "publisher": "https://identifier.overheid.nl/tooi/id/gemeente/gm0344",
        "contact": Contact("Gegevensbalie", "balie@voorbeeld.nl"),
        "themes": ("GOVE",),
    }
    return Whole(**{**given, **more})  # type: ignore[arg-type]


INCOME = Dataset(
    "inkomen",
    Text("Inkomen per jaar", "Income per year"),
    "main",
    "INKOMEN",
    (
        Column("bsn", "VARCHAR", source="BSN_NR", sensitivity="identifying"),
        Column("jaar", "INTEGER", sensitivity="open"),
        Column("inkomen", "BIGINT", title=Text("Inkomen", "Income"), unit="eurocent per jaar",
               concept="https://begrippen.voorbeeld.nl/id/inkomen"),
        Column("bijzonder", "DECIMAL(9,2)", sensitivity="special"),
        Column("gewijzigd", "DATE"),
    ),
    subject=Subject("bsn", "BSN"),
    key=("bsn", "jaar"),
)  # fmt: skip
TREES = Dataset(
    "bomen",
    Text("Bomen", "Trees"),
    "main",
    "bomen",
    (Column("soort", "VARCHAR", sensitivity="open"), Column("geplant", "DATE", sensitivity="open")),
)
CHANGED = EventType(
    EVENT,
    Text("Inkomen gewijzigd", "Income changed"),
    Text("Er is een ander inkomen vastgesteld.", "Another income was determined."),
    "BSN",
    facts={"geheim": Fact("text", Text("Alleen voor voorwaarden", "For conditions alone"))},
    data={"jaar": Fact("number", Text("Over welk jaar", "About which year"))},
)


def disclosure(price: Price | None = None, id: str = "een") -> Disclosure:
    return Disclosure(
        id,
        1,
        "inkomen",
        RECIPIENT,
        f"https://register.voorbeeld.nl/{id}",
        {"bsn": "output"},
        (LAW,),
        "public-task",
        Oin(OWN),
        Period(date(2026, 1, 1)),
        price=price,
    )


GROUNDS = Grounds(
    (INCOME, TREES), (), (disclosure(Price(25, 5)), disclosure(Price(10), "twee")), (CHANGED,), ()
)
MEASURED = Measurement(
    "inkomen", NOW, 42, 4_100, (Share("bsn", 100), Share("inkomen", 97)), date(2026, 11, 20)
)

PAGE = "https://voorbeeld.nl/uitleg"


def described(kind: str, name: str, **more: object) -> Description:
    """With everything said that can be said of its kind."""
    given: dict[str, object] = {
        "published": True,
        "keywords": Keywords(("inkomen", "loon"), ("income",)),
        "themes": ("SOCI", "ECON"),
        "contact": Contact(
            "Team Inkomen", "inkomen@voorbeeld.nl", "https://voorbeeld.nl/contact", "+31201234567"
        ),
        "creator": Body("Bureau Voorbeeld (fictief)", "https://voorbeeld.nl/id/bureau"),
        "access_rights": "non-public",
        "licence": "not-open",
        "conforms_to": ("https://voorbeeld.nl/standaard",),
        "articles": (LAW, LOCAL_LAW),
        "cost": Cost("call", 25, note=prose("Per maand gefactureerd")),
        "terms": Terms("2026-1", prose("Alleen voor het doel"), "https://voorbeeld.nl/voorwaarden"),
        "level": ServiceLevel(prose("Op werkdagen binnen een uur"), 99.5, "https://voorbeeld.nl/sla"),
        "access": prose("Vraag een contract aan"),
        "page": PAGE,
        "documentation": PAGE,
    }
    if kind != "event-type":
        given["description"] = prose("Wat het is")
    if kind != "service":
        given |= {
            "frequency": "daily",
            "period": Period(date(2020, 1, 1), date(2026, 12, 31)),
            "places": ("http://publications.europa.eu/resource/authority/country/NLD",),
        }
    return Description(kind, name, **{**given, **more})  # type: ignore[arg-type]


FULL = (
    described("dataset", "inkomen", changed="gewijzigd", cost=Cost("agreed")),
    described("dataset", "bomen", licence="cc0", access_rights="public", cost=Cost("free")),
    described("event-type", EVENT),
    described("service", SERVICE, cost=Cost("subscription", 1200)),
    described("service", "api", title=prose("Een API"), openapi="https://voorbeeld.nl/openapi.json"),
)


def full() -> tuple[Whole, tuple[Entry, ...]]:
    one = whole(homepage="https://voorbeeld.nl", languages=("nl", "en"), publish="all")
    return one, project(one, FULL, GROUNDS, [SERVICE, "api"], SERVICE, OF, {"inkomen": MEASURED})


def sparse() -> tuple[Whole, tuple[Entry, ...]]:
    """One dataset of which nothing was written, in a catalogue that says no more than it must."""
    one = whole(publish="all")
    return one, project(one, (), Grounds((TREES,)), [], SERVICE, OF, {})


EVIL = '</script><img src=x onerror=alert(1)> "\'" \\ \u202e\u0000\u001b[31m }} ]]> @prefix . \n'
"""Markup, quotes, a mark that turns text around, a control character, and ends of what texts are written in."""


def hostile() -> tuple[Whole, tuple[Entry, ...]]:
    text = Prose(EVIL, EVIL)
    dataset = Dataset(
        "bomen", Text(EVIL, EVIL), "main", "t", (
            Column("soort", "VARCHAR", title=Text(EVIL, EVIL), unit=EVIL, concept="https://x.nl/een begrip> . <a"),
            Column("hoogte", "DOUBLE", concept=EVIL),
        ),
    )  # fmt: skip
    one = whole(title=text, description=text, contact=Contact(EVIL), publish="all")
    said = described(
        "dataset", "bomen", description=text, access=text, keywords=Keywords((EVIL,)), terms=Terms(EVIL, text),
        articles=(Article(EVIL, EVIL, "BWBR0015703"), Article(EVIL, EVIL)), cost=Cost("free", note=text),
    )  # fmt: skip
    service = described("service", "een dienst/<b>", title=text, description=text)
    names = [SERVICE, "een dienst/<b>"]
    return one, project(one, (said, service), Grounds((dataset,)), names, SERVICE, OF, {})


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")

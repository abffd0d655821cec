"""The tables of an owner's pages, from what there is and what was counted."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
from litestar import Request

from sluis.disclose import Name, Total
from sluis.grounds import Disclosure
from sluis.kernel import PeerId, Text, figure
from sluis.owning.health import State
from sluis.owning.model import Covered
from sluis.owning.service import Holdings
from sluis.web import Cell, Chart, Column, Listing, Row, arranged, asked_in, setting_of

Page = Request[Any, Any, Any]

DAYS = (7, 30, 90, 365)
"""Periods that can be asked."""

LOOKED_BACK = 30
"""Days that lists tell of."""

_NAME = Text("Dataset", "Dataset")
_ASKED_BY = Text("Ontvanger", "Recipient")
_FOR = Text("Waarvoor", "What for")
_QUESTIONS = Text(f"Vragen in {LOOKED_BACK} dagen", f"Questions in {LOOKED_BACK} days")

HEALTH: dict[bool | None, Cell] = {
    True: Cell(Text("antwoordt", "answers"), tone="ok"),
    False: Cell(Text("antwoordt niet", "does not answer"), tone="error"),
    None: Cell(Text("nog niet bekend", "not known yet"), tone="warning"),
}

_DATASETS = (
    Column("title", _NAME, sort=True, filter=True, foreign=True),
    Column("source", Text("Bron", "Source"), sort=True, foreign=True),
    Column("columns", Text("Kolommen", "Columns"), sort=True, align="end"),
    Column("disclosures", Text("Verstrekkingen", "Disclosures"), sort=True, align="end"),
    Column("questions", _QUESTIONS, sort=True, align="end"),
    Column("health", Text("Nu", "Now")),
)
_STATES = (
    ("open", Text("open", "open")),
    ("contract", Text("wacht op contract", "waits for a contract")),
    ("past", Text("geldt vandaag niet", "not in force today")),
)
_TONES: Mapping[str, Any] = {"open": "ok", "contract": "warning", "past": "plain"}
_DISCLOSURES = (
    Column("id", Text("Verstrekking", "Disclosure"), sort=True, filter=True, foreign=True),
    Column("dataset", _NAME, sort=True, filter=True, foreign=True),
    Column("recipient", _ASKED_BY, sort=True, filter=True, foreign=True),
    Column("activity", _FOR, sort=True, foreign=True),
    Column("state", Text("Stand", "State"), sort=True, filter=True, choices=_STATES),
    Column("questions", _QUESTIONS, sort=True, align="end"),
)
BY: dict[str, tuple[Name, Text]] = {
    "peer": ("peer", _ASKED_BY),
    "dataset": ("dataset", _NAME),
    "disclosure": ("disclosure", Text("Verstrekking", "Disclosure")),
    "activity": ("activity", _FOR),
    "day": ("day", Text("Dag", "Day")),
}
"""What use can be kept apart by."""

EACH = "each"
"""Kept apart by day, recipient, dataset and activity at once."""

_EACH: tuple[Name, ...] = ("day", "peer", "dataset", "activity")
_PARTS: dict[Name, Column] = {
    name: Column(name, title, sort=True, kind="day")
    if name == "day"
    else Column(name, title, sort=True, filter=True, foreign=True)
    for name, title in BY.values()
}

_COUNTS = (
    Column("questions", Text("Vragen", "Questions"), sort=True, align="end"),
    Column("persons", Text("Personen", "People"), sort=True, align="end"),
    Column("refused", Text("Geweigerd", "Refused"), sort=True, align="end"),
    Column("failed", Text("Mislukt", "Failed"), sort=True, align="end"),
    Column("previews", Text("Proefblikken", "Previews"), sort=True, align="end"),
    Column("cents", Text("Kosten", "Cost"), sort=True, align="end", kind="amount"),
)


def datasets(request: Page, of: Holdings, used: Iterable[Total], states: Sequence[State]) -> Listing:
    """The datasets of this organisation."""
    counted = {one.dataset: one.questions for one in used}
    health = {one.name: HEALTH[one.healthy] for one in states}
    rows = [
        Row((
            Cell(one.title, f"/data/datasets/{one.name}", told=one.name), one.source, len(one.columns),
            len(of.disclosures_of(one.name)), counted.get(one.name, 0), health.get(one.source, HEALTH[None]),
        ))
        for one in of.of.grounds.datasets
    ]  # fmt: skip
    return arranged(
        Text("Uw datasets", "Your datasets"), _DATASETS, rows, asked_in(request, _DATASETS), _language(request), exports=True,
        nothing=Text("Dit knooppunt heeft nog geen datasets. Laat ze voorstellen met: sluis source inspect",
                     "This node has no datasets yet. Have them proposed with: sluis source inspect"),
    )  # fmt: skip


def disclosures(
    request: Page, of: Holdings, used: Iterable[Total], covered: Mapping[str, tuple[Covered, ...]] | None
) -> Listing:
    """The disclosures of this organisation."""
    counted = {one.disclosure: one.questions for one in used}
    rows = []
    for one in of.of.grounds.disclosures:
        state = state_of(of, one, covered)
        rows.append(
            Row((
                Cell(one.id, f"/data/disclosures/{one.id}"), of.dataset(one.dataset).title, of.name(one.recipient),
                of.activity_name(one.activity), Cell(state, tone=_TONES[state]), counted.get(one.id, 0),
            ))
        )  # fmt: skip
    return arranged(
        Text("Uw verstrekkingen", "Your disclosures"), _DISCLOSURES, rows, asked_in(request, _DISCLOSURES), _language(request),
        exports=True,
        nothing=Text("Er is nog niets geopend. Maak een bestand in de map `disclosures`.",
                     "Nothing has been opened yet. Make a file in the folder `disclosures`."),
    )  # fmt: skip


def state_of(of: Holdings, one: Disclosure, covered: Mapping[str, tuple[Covered, ...]] | None) -> str:
    """Whether a disclosure is open today: one of the states above."""
    if not of.in_force(one):
        return "past"
    return "open" if covered is None or covered.get(one.id) else "contract"


class Wanted(msgspec.Struct, frozen=True):
    """Which use is asked for: over how many days, kept apart by what, narrowed to what."""

    days: int
    by: str
    dataset: str
    disclosure: str

    @property
    def names(self) -> tuple[Name, ...]:
        """What it is kept apart by."""
        return _EACH if self.by == EACH else (BY[self.by][0],)

    @property
    def only(self) -> dict[Name, str]:
        """What it is narrowed to."""
        given: dict[Name, str] = {"dataset": self.dataset, "disclosure": self.disclosure}
        return {name: value for name, value in given.items() if value}


def wanted_in(request: Page, of: Holdings) -> Wanted:
    """What an address asks; what is unknown in it counts as not asked."""
    given = request.query_params
    days, by = given.get("days") or "", given.get("by") or ""
    dataset, disclosure = given.get("dataset") or "", given.get("disclosure") or ""
    return Wanted(
        int(days) if days in map(str, DAYS) else LOOKED_BACK,
        by if by in BY or by == EACH else "peer",
        dataset if of.has(dataset=dataset) else "",
        disclosure if of.has(disclosure=disclosure) else "",
    )


def use(request: Page, of: Holdings, wanted: Wanted, used: Iterable[Total]) -> Listing:
    """Who used what."""
    columns = (*(_PARTS[name] for name in wanted.names), *_COUNTS)
    rows = [
        Row((
            *(one.day if name == "day" else called(of, name, getattr(one, name)) for name in wanted.names),
            one.questions, one.persons, one.refused, one.failed, one.previews, one.cents,
        ))
        for one in used
    ]  # fmt: skip
    newest = "-day" if "day" in wanted.names else ""
    asked = asked_in(request, columns, keep=("days", "by", "dataset", "disclosure"), sort=newest)
    return arranged(
        Text("Wie wat gebruikte", "Who used what"), columns, rows, asked, _language(request), exports=True,
        nothing=Text("In deze periode vroeg niemand iets.", "Nobody asked anything in this period."),
    )  # fmt: skip


def called(of: Holdings, name: Name, value: str | None) -> Cell:
    """What something that was counted is called, and where more of it is."""
    if not value:
        return Cell(Text("niet bekend hier", "not known here"))
    if name == "peer":
        try:
            return Cell(of.name(PeerId(value)), told=value)
        except ValueError:
            return Cell(value)
    if name == "activity":
        return Cell(of.activity_name(value))
    if name == "dataset":
        return (
            Cell(of.dataset(value).title, f"/data/datasets/{value}") if of.has(dataset=value) else Cell(value)
        )
    return Cell(value, f"/data/disclosures/{value}") if of.has(disclosure=value) else Cell(value)


def by_day(of: Holdings, days: int, used: Iterable[Total]) -> Chart:
    """Questions over time: a figure for each day, or for each week where there are many."""
    last = of.today()
    step = 1 if days <= 31 else 7
    first = last - timedelta(days - 1)
    first -= timedelta(first.weekday() if step == 7 else 0)
    found = {one.day: one for one in used}
    rows, asked = [], 0
    for start in _starts(first, last, step):
        some = [found[day] for each in range(step) if (day := start + timedelta(each)) in found]
        asked += sum(one.questions for one in some)
        rows.append(
            Row((start, sum(one.questions for one in some), sum(one.persons for one in some), sum(one.refused for one in some)))
        )  # fmt: skip
    when = Text("Dag", "Day") if step == 1 else Text("Week vanaf", "Week from")
    columns = (Column("day", when, kind="day"), *_COUNTS[:3])
    many = figure(asked)
    told = Text(f"In totaal {many.nl} {'vraag' if asked == 1 else 'vragen'}. Dagen tellen in UTC.",
                f"{many.en} {'question' if asked == 1 else 'questions'} in all. Days count in UTC.")  # fmt: skip
    return Chart(Text("Vragen in de tijd", "Questions over time"), columns, tuple(rows), "line", told)


def _starts(first: date, last: date, step: int) -> Iterable[date]:
    while first <= last:
        yield first
        first += timedelta(step)


def _language(request: Page) -> str:
    return setting_of(request).language

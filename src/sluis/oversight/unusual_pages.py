"""Unusual use for people: what was found, with its numbers, a chart, and what somebody made of it. Nobody's identity stands here:
who is meant is a pseudonym, and that is shown to who asks for it and may read the log."""

import asyncio
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from sluis.kernel import Problem, Text
from sluis.oversight.decision_pages import name_of
from sluis.oversight.desk import Desk, called, changes
from sluis.oversight.findings import Kept
from sluis.oversight.model import Finding
from sluis.oversight.unusual import BACK, FEWEST, TIMES
from sluis.oversight.words import KINDS, told
from sluis.web import STAFF, Cell, Chart, Column, Form, Listing, Row, SignedIn, asked_in, page, redirect

SIZE = 25
_STATES = (("open", Text("nog niet bekeken", "not looked at")), ("seen", Text("bekeken", "looked at")))
COLUMNS = (
    Column("day", Text("Dag", "Day"), kind="day"),
    Column("kind", Text("Wat", "What"), filter=True, choices=tuple(KINDS.items())),
    Column("peer", Text("Organisatie", "Organisation"), foreign=True),
    Column("count", Text("Aantal", "Number"), align="end", kind="number"),
    Column("limit", Text("Grens", "Limit"), align="end", kind="number"),
    Column("state", Text("Stand", "State"), filter=True, choices=_STATES),
)


def unusual_routes(desk: Desk) -> list[HTTPRouteHandler]:
    """These pages."""
    oversight, findings = desk.oversight, desk.oversight.findings

    def organisation(finding: Finding) -> str:
        return name_of(finding.peer, oversight.name) or oversight.of.name

    @get("/oversight/unusual", opt=STAFF)
    async def listed(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Wat ongewoon is in het gebruik van gegevens."""
        await desk.may_read(person)
        asked = asked_in(request, COLUMNS, size=SIZE)
        number = int(asked.after) if asked.after.isdecimal() and len(asked.after) < 6 else 1
        kind, state = asked.filters.get("kind", ""), asked.filters.get("state", "")
        found = await asyncio.to_thread(findings.page, kind, state, max(number, 1), SIZE)
        counts = await asyncio.to_thread(findings.counts)
        more = str(number + 1) if len(found) > SIZE else ""
        view = Listing(
            _CAPTION, COLUMNS, tuple(_row(one, organisation(one.finding)) for one in found[:SIZE]), asked, more=more,
            nothing=_NOTHING,
        )  # fmt: skip
        return page(
            request, "oversight/unusual.html", view=view, counts=counts, kinds=KINDS, fewest=FEWEST, times=TIMES, back=BACK,
            fresh=sum(fresh for fresh, _ in counts.values()),
        )  # fmt: skip

    @get("/oversight/unusual/{id:str}", opt=STAFF)
    async def one(
        person: SignedIn, request: Request[Any, Any, Any], id: Annotated[str, PathParameter()]
    ) -> Response[bytes]:
        """Eén bevinding met haar getallen."""
        await desk.may_read(person)
        return await shown(request, person, id)

    @post("/oversight/unusual/{id:str}", opt=STAFF, status_code=200)
    async def look(
        person: SignedIn, form: Form, request: Request[Any, Any, Any], id: Annotated[str, PathParameter()]
    ) -> Response[Any]:
        """Leg vast dat u het bekeek, en wat u ervan vindt."""
        await desk.may_change(person)
        try:
            await findings.look(id, person.acting.person, called(person), form.get("reason", ""))
        except Problem as problem:
            if problem.status >= 500 or problem.status == 404:
                raise
            return await shown(request, person, id, wrong=problem, reason=form.get("reason", ""))
        return redirect(f"/oversight/unusual/{id}")

    @post("/oversight/unusual/{id:str}/who", opt=STAFF, status_code=200)
    async def who(
        person: SignedIn, request: Request[Any, Any, Any], id: Annotated[str, PathParameter()]
    ) -> Response[bytes]:
        """Hetzelfde, met het pseudoniem van wie is bedoeld."""
        await desk.may_read(person)
        await desk.may_see_records(person)
        return await shown(request, person, id, whole=True)

    async def shown(
        request: Request[Any, Any, Any], person: SignedIn, id: str, *, whole: bool = False, wrong: Problem | None = None,
        reason: str = "",
    ) -> Response[bytes]:  # fmt: skip
        kept = await asyncio.to_thread(findings.one, id)
        series = await asyncio.to_thread(findings.series, kept.finding)
        return page(
            request, "oversight/finding.html", status=422 if wrong else 200, kept=kept, finding=kept.finding,
            kind=KINDS[kept.finding.kind], words=told(kept.finding), chart_view=chart_of(kept.finding, series),
            organisation=organisation(kept.finding), whole=whole, offer=changes(person), wrong=wrong, reason=reason,
            lines=lines_of(kept.finding), activity=oversight.called(kept.finding.activity),
        )  # fmt: skip

    return [listed, one, look, who]


_CAPTION = Text("Bevindingen, nieuwste eerst", "Findings, newest first")
_NOTHING = Text(
    "Er is niets ongewoons gevonden. Dat is goed nieuws; er wordt elke minuut opnieuw gekeken.",
    "Nothing unusual was found. That is good news; it is looked for again every minute.",
)


def chart_of(finding: Finding, series: list[tuple[int, int]]) -> Chart:
    """The counts that a finding stands out of, beside the limit."""
    by_hour = finding.kind == "hour"
    first = (
        Column("at", Text("Uur", "Hour"), kind="number")
        if by_hour
        else Column("at", Text("Dag", "Day"), kind="day")
    )
    rows = [
        Row((place if by_hour else date.fromordinal(place), count, finding.normal.limit))
        for place, count in series
    ]
    title = (
        Text("Per uur van die dag", "By hour of that day")
        if by_hour
        else Text("De laatste dertig dagen", "The last thirty days")
    )
    if finding.kind == "person":  # its limit is of the whole period: beside the days it would say nothing
        rows = [Row(one.cells[:2]) for one in rows]
        return Chart(title, (first, _TIMES), tuple(rows), "bars")
    return Chart(title, (first, _TIMES, _LIMIT), tuple(rows), "line" if not by_hour else "bars")


def lines_of(finding: Finding) -> str:
    """Where the decisions behind a finding are listed."""
    first = finding.day.replace(day=1) if finding.kind == "person" else finding.day
    asked = {
        "since": first.isoformat(), "until": finding.day.isoformat(), "peer": finding.peer, "activity": finding.activity,
    }  # fmt: skip
    return f"/oversight/decisions?{urlencode({name: value for name, value in asked.items() if value})}"


_TIMES = Column("times", Text("Aantal", "Number"), align="end", kind="number")
_LIMIT = Column("limit", Text("Grens", "Limit"), align="end", kind="number")


def _row(kept: Kept, organisation: str) -> Row:
    finding = kept.finding
    return Row(
        (
            Cell(finding.day, f"/oversight/unusual/{kept.id}"),
            finding.kind,
            None if finding.kind == "person" else organisation,
            finding.count,
            finding.normal.limit,
            Cell("seen" if kept.looked else "open", tone="ok" if kept.looked else "warning"),
        ),
        kept,
    )

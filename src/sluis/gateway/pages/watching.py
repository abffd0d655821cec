"""The map of the group, and charts of what passed, in a browser: drawn from what the node knows and counts, without a question to
anybody while the page waits."""

from collections.abc import Sequence
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from sluis.gateway.pages import words
from sluis.gateway.pages.contracts import Desk
from sluis.gateway.pages.neighbours import Neighbours
from sluis.gateway.pages.picture import LINE_HEIGHT, picture_of
from sluis.gateway.pages.rights import May
from sluis.gateway.traffic import SIDES, Counts, Sample, Side, Traffic, joined, quantile
from sluis.kernel import Text
from sluis.policy import READ_GROUP
from sluis.web import STAFF, Cell, Chart, Column, Row, SignedIn, arranged, asked_in, export, page, setting_of


def watching_routes(desk: Desk, neighbours: Neighbours, traffic: Traffic, may: May) -> list[HTTPRouteHandler]:
    """The map and the charts.

    Args:
        desk: of this node.
        neighbours: its peers.
        traffic: what passed.
        may: asks who may.
    """

    @get("/map", opt=STAFF)
    async def drawn(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """De groep als kaart: wie er zijn, wat er is afgesproken, en wat er langskomt."""
        await may(person, READ_GROUP)
        found, heard, _ = await neighbours.every()
        rows, now = await desk.rows(), desk.now()
        own = desk.membership.running.manager.own.name
        drawings = [
            (kind, picture_of(own, found, rows, now, kind == "narrow")) for kind in ("broad", "narrow")
        ]
        return page(
            request, "gateway/pages/map.html", drawings=drawings, line_height=LINE_HEIGHT, found=found[:_TOLD],
            heard=heard, words=words, now=now, more=max(len(found) - _TOLD, 0),
        )  # fmt: skip

    @get("/traffic", opt=STAFF)
    async def charts(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Hoeveel er langskwam, hoe lang dat duurde, en wat werd geweigerd."""
        await may(person, READ_GROUP)
        by_hour = request.query_params.get("by") == "hour"
        samples = traffic.hours() if by_hour else traffic.minutes()
        whole, language = joined(samples), setting_of(request).language
        asked = asked_in(request, WAYS, keep=("by",), sort="-requests")
        listing = arranged(
            _WAYS, WAYS, way_rows(whole, desk), asked, language, exports=True, nothing=_NOTHING
        )
        if asked.form:
            return await export(listing, "verkeer", language)
        return page(
            request, "gateway/pages/traffic.html", by_hour=by_hour, listing=listing, sides=side_rows(whole),
            charts=charts_of(samples), since=samples[0].at if samples else 0,
            whole=whole,
        )  # fmt: skip

    return [drawn, charts]


def charts_of(samples: Sequence[Sample]) -> list[Chart]:
    """The charts there are figures for."""
    timed = any(counts.requests for one in samples for counts in one.sides.values())
    return [requests_chart(samples), *([times_chart(samples)] if timed else [])] if samples else []


_TOLD = 100  # organisations in the table beside the map


def way_rows(whole: Sample, desk: Desk) -> list[Row]:
    """With whom and for what, from a sample of all."""
    rows = []
    for way, count in whole.ways.items():
        asked = whole.asked.get(way.peer) if not way.incoming else None
        rows.append(
            Row((
                Cell(desk.name(way.peer), "" if way.peer == desk.own else f"/peers/{way.peer}"), _IN if way.incoming else _OUT, way.service, count,
                milliseconds_of(asked, 0.5), milliseconds_of(asked, 0.95),
            ))
        )  # fmt: skip
    return rows


def side_rows(whole: Sample) -> list[tuple[Text, Counts, int | None, int | None]]:
    """What each side counted, with how long half and nearly all of it took (ms)."""
    return [
        (TITLES[side], counts, milliseconds_of(counts, 0.5), milliseconds_of(counts, 0.95))
        for side in SIDES
        if (counts := whole.sides.get(side)) is not None
    ]


def milliseconds_of(counts: Counts | None, part: float) -> int | None:
    """Within how many milliseconds this part of the requests was done; None when nothing was counted."""
    seconds = None if counts is None else quantile(counts, part)
    return None if seconds is None else max(round(seconds * 1000), 1)


def requests_chart(samples: Sequence[Sample]) -> Chart:
    """How many requests, in and out, and how many were refused or failed."""
    rows = [
        Row((
            Cell(one.at), sum(count for way, count in one.ways.items() if way.incoming),
            sum(count for way, count in one.ways.items() if not way.incoming),
            sum(counts.refused for counts in one.sides.values()) if one.sides else None,
            sum(counts.failed for counts in one.sides.values()) if one.sides else None,
        ))
        for one in samples
    ]  # fmt: skip
    return Chart(
        Text("Verzoeken", "Requests"),
        (
            _AT, _figure("in", "Kwamen binnen", "Came in"), _figure("out", "Gingen naar buiten", "Went out"),
            _figure("refused", "Geweigerd", "Refused"), _figure("failed", "Mislukt", "Failed"),
        ),
        tuple(rows),
        told=Text("Binnen en buiten volgens het transactielogboek.", "In and out by the transaction log."),
    )  # fmt: skip


def times_chart(samples: Sequence[Sample]) -> Chart:
    """How long requests took, on each side where there were any: half of them, and nearly all."""
    whole = joined(samples)
    busy = [side for side in SIDES if side in whole.sides and whole.sides[side].requests]
    rows = [
        Row((
            Cell(one.at),
            *(milliseconds_of(one.sides.get(side), part) for side in busy for part in (0.5, 0.95)),
        ))
        for one in samples
    ]  # fmt: skip
    columns = [
        _figure(f"{side}{number}", f"{TITLES[side].nl}, {number}% binnen (ms)", f"{TITLES[side].en}, {number}% within (ms)")
        for side in busy
        for number in (50, 95)
    ]  # fmt: skip
    return Chart(
        Text("Hoe lang verzoeken duurden", "How long requests took"),
        (_AT, *columns),
        tuple(rows),
        told=Text("In milliseconden, tot de laatste byte van het antwoord.", "In milliseconds, to the last byte of the answer."),
    )  # fmt: skip


def _figure(name: str, nl: str, en: str) -> Column:
    return Column(name, Text(nl, en), kind="number", align="end")


TITLES: dict[Side, Text] = {
    "inway": Text("Inway", "Inway"),
    "outway": Text("Outway", "Outway"),
    "own": Text("Eigen vragen", "Own questions"),
}
WAYS = (
    Column("peer", Text("Organisatie", "Organisation"), sort=True, filter=True, foreign=True),
    Column("way", Text("Richting", "Direction"), sort=True),
    Column("service", Text("Dienst", "Service"), sort=True, filter=True, foreign=True),
    Column("requests", Text("Verzoeken", "Requests"), sort=True, kind="number", align="end"),
    Column("half", Text("50% binnen (ms)", "50% within (ms)"), sort=True, kind="number", align="end"),
    Column("nearly", Text("95% binnen (ms)", "95% within (ms)"), sort=True, kind="number", align="end"),
)
_AT = Column("at", Text("Wanneer", "When"), kind="moment")
_IN, _OUT = Text("van hen naar ons", "from them to us"), Text("van ons naar hen", "from us to them")
_WAYS = Text("Per organisatie en dienst", "By organisation and service")
_NOTHING = Text("In deze tijd kwam er niets langs.", "Nothing passed in this time.")

"""Publishing over HTTP, for the organisation's own systems: CloudEvents 1.0.2 in structured or batched mode, whose `data`
says whom it is about and which facts there are. These stay here; what leaves, notices say.
"""

from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from litestar import Request, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.events.cloudevent import BATCH, MAX_EVENT, CloudEvent, decode
from sluis.events.interests import Whom, officials
from sluis.events.publishing.model import MOST, Counted, Occurrence, Published, Scalar
from sluis.events.publishing.service import Publisher
from sluis.grounds import FactName
from sluis.kernel import Invalid, PeerId, Text, Trace, convert
from sluis.kernel import decode as decode_json
from sluis.policy import READ_EVENTS
from sluis.web import Gate, Person

Who = Callable[[Request[Any, Any, Any]], Awaitable[str]]
"""The name of the program or person that calls. Raises `Unidentified` or `Refused`."""

LARGEST = 16 * MAX_EVENT
"""Bytes of a batch. One event has at most `MAX_EVENT`."""

_TAGS = ["gebeurtenissen"]


class Unsupported(Invalid):
    """Events in a form that is not taken (RFC 9110 §15.5.16)."""

    status = 415


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The `data` of an event that is published."""

    about: Whom | None = None
    facts: dict[FactName, Scalar] = {}
    data: dict[FactName, Scalar] = {}


def routes(publisher: Publisher, who: Who, *, counted: bool) -> list[HTTPRouteHandler]:
    """The route for systems.

    Args:
        publisher: publishes.
        who: knows who calls, and that it may.
        counted: whether it is answered how many were told. About a person that says who has a relation with them, which is
            nothing for a program that may publish and no more.
    """

    @post(
        "/events",
        status_code=200,
        opt={"open": True, "cross_site": True},
        request_max_body_size=LARGEST,
        summary="Meld wat er gebeurde",
        tags=_TAGS,
        response_description="Wat er al was; op het knooppunt zelf ook hoeveel kennisgevingen iets meldden, en hoeveel niet, per regel.",
    )
    async def publish(request: Request[Any, Any, Any]) -> list[Published] | Published:
        """Eén CloudEvent, of een batch. In `data` staan `about`, `facts` en `data`. Alles is vastgelegd als het antwoord komt;
        dezelfde gebeurtenis nog eens doet niets."""
        await who(request)
        batch = request.headers.get("content-type", "").lower().startswith(BATCH)
        published = await publisher.publish(await _occurrences(request))
        if not counted:
            published = [Published(one.id, one.repeated) for one in published]
        return published if batch else published[0]

    return [publish]


def official_routes(publisher: Publisher, gate: Gate, own: PeerId) -> list[HTTPRouteHandler]:
    """The route for officials: how often which rule decided.

    Args:
        publisher: counts.
        gate: asks who may.
        own: this node.
    """
    may = officials(gate, own)

    @get(
        "/events/counts",
        summary="Hoe vaak er iets gemeld werd en niet, per dag, soort en regel",
        tags=_TAGS,
        response_description="Nieuwste dag eerst.",
    )
    async def counts(person: Person, since: date) -> list[Counted]:
        await may(person, READ_EVENTS)
        return publisher.counts(since)

    return [counts]


def occurrence_of(event: CloudEvent) -> Occurrence:
    """What a system published, as an occurrence. Its `source` is not looked at: this node names its own.

    Raises `Invalid` when its data is not as `Content` says, or whom it is about stands in an attribute.
    """
    if event.subject is not None:
        raise _unfit(Text("`subject` hoort leeg te zijn; over wie het gaat, staat in `data.about`.",
                          "`subject` must be empty; whom it is about stands in `data.about`."))  # fmt: skip
    try:
        content = decode_json(event.data or b"{}", Content)
        said: dict[str, Any] = {
            "type": event.type,
            "id": event.id,
            "dataref": event.extensions.get("dataref"),
        }
        checked = convert(said, Occurrence)
    except msgspec.MsgspecError as fault:
        raise _unfit(_place(fault)) from None
    parent = Trace.parse(str(event.extensions.get("traceparent", "")))
    return msgspec.structs.replace(
        checked,
        time=_moment(event.time),
        about=content.about,
        facts=content.facts,
        data=content.data,
        trace_id=None if parent is None else parent.trace_id,
    )


def _moment(said: str | None) -> datetime | None:
    """When it was recorded. Raises `Invalid` for a second that no clock here can show: a leap second, or one outside the years that
    there are."""
    if said is None:
        return None
    try:
        moment = datetime.fromisoformat(said.upper().replace("Z", "+00:00"))
        moment.astimezone(UTC)
        return moment
    except (ValueError, OverflowError):
        raise _unfit(
            Text("`time` is geen tijdstip dat hier bestaat.", "`time` is no moment that exists here.")
        ) from None


async def _occurrences(request: Request[Any, Any, Any]) -> list[Occurrence]:
    try:
        events = decode(request.headers.items(), await request.body(), most=MOST)
    except Invalid as problem:
        if problem.code == "unsupported-event-format":
            raise Unsupported(problem.code, problem.what, problem.why, problem.next) from None
        raise
    return [occurrence_of(event) for event in events]


def _place(fault: msgspec.MsgspecError) -> Text:
    """Where it is wrong, without the value."""
    path = str(fault).rpartition("`$")[2].strip("`.") if "`$" in str(fault) else ""
    return Text(
        f"In `data` is een veld niet goed: `{path or '$'}`.",
        f"A field of `data` is not right: `{path or '$'}`.",
    )


def _unfit(why: Text) -> Invalid:
    return Invalid(
        "unfit-occurrence",
        Text("Deze gebeurtenis klopt niet.", "This event is not right."),
        why,
        Text(
            "Stuur in `data` alleen `about`, `facts` en `data`.",
            "Send only `about`, `facts` and `data` in `data`.",
        ),
    )

"""Deliveries and dead letters in a browser, for who looks after them: how each subscription stands, what did not arrive and why,
and trying it again or giving it up. Whatever is done here is the same as with `sluis events replay`, and on record.

Of an event only its type, number and trouble are shown: nothing of what it says, and nobody whom it is about.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.events.doctor import Known, waits_long
from sluis.events.interests import not_yours
from sluis.events.queue import TROUBLES, Course, DeadLetter, Queue, Standing, explained
from sluis.events.subscriptions import Mode, State, Subscription
from sluis.kernel import (
    Clock,
    Invalid,
    NotFound,
    PeerId,
    Text,
    from_milliseconds,
    milliseconds,
    new_span_id,
    new_trace_id,
)
from sluis.ledger import Arrangement, Ledger
from sluis.policy import CHANGE_EVENTS, EVENTS, READ_EVENTS, Resource
from sluis.web import (
    STAFF,
    Cell,
    Column,
    Entry,
    Form,
    Gate,
    Listing,
    Row,
    SignedIn,
    arranged,
    asked_in,
    export,
    page,
    redirect,
    setting_of,
)

NAVIGATION = (
    Entry("/deliveries", Text("Bezorgingen", "Deliveries"), ("staff",), roles=("event-admin", "privacy-officer"), section="node"),
)  # fmt: skip
"""What the layout shows of this room."""

_LETTERS = 25  # dead letters on a page
_HIGHEST = 2**53 - 1  # that every reader of JSON knows, and every database
_NOTHING = Standing(0, 0, 0, None)

Act = Literal["replay", "give-up"]


class Subscribed(Known, Protocol):
    """The subscriptions of a node."""

    def named(self, name: str) -> Subscription:
        """One of whatever owner. Raises `NotFound`."""


class Post(msgspec.Struct, frozen=True):
    """What these pages need of a node.

    Args:
        queue: knows how deliveries stand.
        subscriptions: at this node.
        ledger: where it is written down that somebody tried again, or gave up.
        name: what an organisation is called.
        own: this organisation.
        clock: aware UTC.
    """

    queue: Queue
    subscriptions: Subscribed
    ledger: Ledger
    name: Callable[[PeerId], str]
    own: PeerId
    clock: Clock

    def now(self) -> int:
        """Milliseconds since the epoch."""
        return milliseconds(self.clock())


class Stretch(msgspec.Struct, frozen=True):
    """Numbers of a subscription, both ends included."""

    first: int
    last: int


def page_routes(post_: Post, gate: Gate) -> list[HTTPRouteHandler]:
    """The pages of this room.

    Args:
        post_: what they need.
        gate: asks who may.
    """
    queue, known = post_.queue, post_.subscriptions

    async def may(person: SignedIn, action: str, **about: Any) -> None:
        await gate.require(person, action, Resource(EVENTS, str.__str__(post_.own), about), not_yours())

    @asynccontextmanager
    async def changing(person: SignedIn) -> AsyncIterator[None]:
        """Who may change nothing here is refused before they learn what there is not."""
        try:
            yield
        except (NotFound, Invalid):
            await may(person, CHANGE_EVENTS)
            raise

    @get("/deliveries", opt=STAFF)
    async def listed(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Hoe elk abonnement ervoor staat."""
        await may(person, READ_EVENTS)
        standing, every = await asyncio.to_thread(queue.standing), known.all()
        troubled = [one for one in every if troubles(one, standing.get(one.id, _NOTHING), post_.now())]
        part = "trouble" if request.query_params.get("part") == "trouble" else ""
        some = troubled if part else every
        rows = [row_of(one, standing.get(one.id, _NOTHING), post_) for one in some]
        language = setting_of(request).language
        asked = asked_in(request, COLUMNS, keep=("part",), sort="-waiting")
        listing = arranged(
            _TITLE, COLUMNS, rows, asked, language, exports=True, nothing=_NO_TROUBLE if part else _NONE
        )
        if asked.form:
            return await export(listing, "bezorgingen", language)
        course = await asyncio.to_thread(queue.course, [row.of.id for row in listing.rows])
        return page(
            request, "events/deliveries.html", listing=with_course(listing, course), part=part, every=len(every),
            troubled=len(troubled), waiting=sum(one.waiting for one in standing.values()),
            dead=sum(one.dead for one in standing.values()),
        )  # fmt: skip

    @get("/deliveries/{id:str}", opt=STAFF)
    async def one(person: SignedIn, request: Request[Any, Any, Any], id: str) -> Response[bytes]:
        """Eén abonnement, met wat niet aankwam en waarom."""
        await may(person, READ_EVENTS)
        subscription = known.named(id)
        standing = (await asyncio.to_thread(queue.standing)).get(id, _NOTHING)
        course = (await asyncio.to_thread(queue.course, [id]))[id]
        asked = asked_in(request, LETTERS, size=_LETTERS)
        after = number_in(asked.after) or 0
        found = await asyncio.to_thread(queue.dead_letters, id, after, _LETTERS + 1)
        more = str(found[_LETTERS - 1].sequence) if len(found) > _LETTERS else ""
        letters = Listing(
            _DEAD, LETTERS, tuple(map(letter_row, found[:_LETTERS])), asked, more=more, nothing=_NO_LETTERS
        )
        done = request.query_params.get("done")
        return page(
            request, "events/delivery.html", one=subscription, standing=standing, course=course, letters=letters,
            owner=post_.name(subscription.owner), sink=shown_sink(subscription.sink), states=STATES, modes=MODES,
            trouble=explained(course.trouble) if course.trouble else None, newest=standing.newest,
            done=done if done in ("replay", "give-up") else None, count=number_in(request.query_params.get("count")),
            changes=gate.offers(person, CHANGE_EVENTS, Resource(EVENTS, str.__str__(post_.own), {"subscription": id})),
            because=explained(subscription.because) if subscription.because in TROUBLES else None,
        )  # fmt: skip

    @get("/deliveries/{id:str}/{act:str}", opt=STAFF)
    async def ask(person: SignedIn, request: Request[Any, Any, Any], id: str, act: str) -> Response[bytes]:
        """Wat er gebeurt als u opnieuw laat proberen, of opgeeft."""
        async with changing(person):
            doing, subscription = act_in(act), known.named(id)
            await may(person, CHANGE_EVENTS, subscription=subscription.id)
        stretch = stretch_in(request.query_params)
        count = await asyncio.to_thread(queue.how_many_dead, id, stretch.first, stretch.last)
        if not count:
            return redirect(f"/deliveries/{id}")
        return page(
            request, "events/redo.html", one=subscription, owner=post_.name(subscription.owner), act=doing,
            stretch=stretch, count=count,
        )  # fmt: skip

    @post("/deliveries/{id:str}/{act:str}", opt=STAFF, status_code=200)
    async def do(person: SignedIn, form: Form, id: str, act: str) -> Response[Any]:
        """Laat opnieuw proberen wat niet aankwam, of geef het op."""
        async with changing(person):
            doing, subscription, stretch = act_in(act), known.named(id), stretch_in(form)
            about = {"subscription": subscription.id, "first": stretch.first, "last": stretch.last}
            await may(person, CHANGE_EVENTS, **about)
        if await asyncio.to_thread(queue.how_many_dead, id, stretch.first, stretch.last):
            await post_.ledger.append([arrangement(doing, person, stretch, id, post_.now())])
        work = queue.replay if doing == "replay" else queue.give_up
        count = await work(id, stretch.first, stretch.last)
        return redirect(f"/deliveries/{id}", done=doing, count=str(count))

    return [listed, one, ask, do]


def troubles(one: Subscription, standing: Standing, now: int) -> bool:
    """Whether a subscription needs somebody."""
    return one.state != "active" or standing.dead > 0 or waits_long(one, standing, now)


def row_of(one: Subscription, standing: Standing, post_: Post) -> Row:
    """A subscription as a row of the list; how it goes is filled in for those that are shown (`with_course`)."""
    tone = "ok" if one.state == "active" else "warning"
    if standing.dead or waits_long(one, standing, post_.now()):
        tone = "error"
    return Row(
        (
            Cell(post_.name(one.owner), f"/deliveries/{one.id}", told=MODES[one.mode]),
            Cell(STATES[one.state], tone=tone),  # type: ignore[arg-type]
            standing.waiting,
            moment_of(standing.oldest),
            standing.dead,
            None,
            None,
            None,
        ),
        one,
    )


def with_course(listing: Listing, course: Mapping[str, Course]) -> Listing:
    """A page of the list, with how it goes with each."""

    def filled(row: Row) -> Row:
        now = course[row.of.id]
        failing: Any = moment_of(now.failing)
        if failing is not None:
            failing = Cell(failing, told=explained(now.trouble))
        return msgspec.structs.replace(row, cells=(*row.cells[:5], now.minute, moment_of(now.last), failing))

    return msgspec.structs.replace(listing, rows=tuple(map(filled, listing.rows)))


def letter_row(letter: DeadLetter) -> Row:
    """A dead letter as a row: its number, what kind of event, since when, and why. Nothing of what it says."""
    return Row(
        (
            letter.sequence,
            letter.event_type,
            letter.since // 1000,
            letter.attempts,
            explained(letter.trouble),
        ),
        letter.sequence,
    )


def shown_sink(sink: str) -> str:
    """An address without what may open a door: no name and password, and no query."""
    parts = urlsplit(sink)
    return f"{parts.scheme}://{parts.hostname}{parts.path}" if parts.hostname else sink.partition("?")[0]


def arrangement(act: Act, person: SignedIn, stretch: Stretch, id: str, now: int) -> Arrangement:
    """What is written down of it before it is done."""
    body = {"first": stretch.first, "last": stretch.last}
    about = f"urn:sluis:subscription:{id}"
    return Arrangement(
        new_trace_id(), new_span_id(), f"deliveries.{act}", person.acting.person, about, now, body=body
    )


def act_in(asked: str) -> Act:
    """What a path says is to be done. Raises `NotFound`."""
    if asked == "replay":
        return "replay"
    if asked == "give-up":
        return "give-up"
    raise NotFound(
        "unknown-act",
        Text("Dit kan niet met bezorgingen.", "This cannot be done with deliveries."),
        Text("Wel: opnieuw proberen, of opgeven.", "What can: try again, or give up."),
        Text("Begin bij het abonnement.", "Begin at the subscription."),
    )


def stretch_in(given: Mapping[str, str]) -> Stretch:
    """The stretch that an address or a form names. Raises `Invalid`."""
    first, last = number_in(given.get("first")), number_in(given.get("last"))
    if first is None or last is None or not 0 < first <= last:
        raise Invalid(
            "stretch-unreadable",
            Text("Er is niets gedaan.", "Nothing was done."),
            Text("Er staan geen twee nummers van bezorgingen, het laagste eerst.", "There are no two numbers of deliveries, the lowest first."),
            Text("Ga terug, en vul ze opnieuw in.", "Go back, and fill them in again."),
            field="first",
        )  # fmt: skip
    return Stretch(first, last)


def number_in(text: str | None) -> int | None:
    """A whole number from zero on; None for anything else."""
    if text is None or not (text.isascii() and text.isdecimal() and len(text) <= 16):
        return None
    return min(int(text), _HIGHEST)


def moment_of(at: int | None) -> datetime | None:
    """A moment in milliseconds since the epoch, as it is shown; None for 0."""
    return from_milliseconds(at) if at else None


STATES: Mapping[State, Text] = {
    "waiting-for-proof": Text("wacht op bewijs", "waits for proof"),
    "active": Text("loopt", "runs"),
    "suspended": Text("staat stil", "stands still"),
    "ended": Text("beëindigd", "ended"),
}
MODES: Mapping[Mode, Text] = {
    "push": Text("webhook", "webhook"),
    "own": Text("webhook van een eigen toepassing", "webhook of an application of our own"),
    "fsc": Text("naar hun knooppunt", "to their node"),
    "feed": Text("zij lezen zelf", "they read themselves"),
    "sse": Text("zij lezen mee", "they read along"),
}
COLUMNS = (
    Column("owner", Text("Voor", "For"), sort=True, filter=True, foreign=True),
    Column("state", Text("Stand", "State"), sort=True),
    Column("waiting", Text("Wacht", "Waits"), sort=True, kind="number", align="end"),
    Column("oldest", Text("Wacht sinds", "Waits since"), sort=True, kind="moment"),
    Column("dead", Text("Onbestelbaar", "Dead letters"), sort=True, kind="number", align="end"),
    Column("minute", Text("Laatste minuut", "Last minute"), kind="number", align="end"),
    Column("last", Text("Laatst gelukt", "Last success"), kind="moment"),
    Column("failing", Text("Mislukt sinds", "Failing since"), kind="moment"),
)
LETTERS = (
    Column("sequence", Text("Nummer", "Number"), kind="number"),
    Column("type", Text("Soort gebeurtenis", "Kind of event"), foreign=True),
    Column("since", Text("Onbestelbaar sinds", "Dead letter since"), kind="moment"),
    Column("attempts", Text("Pogingen", "Attempts"), kind="number", align="end"),
    Column("why", Text("Waarom", "Why")),
)
_TITLE = Text("Abonnementen bij dit knooppunt", "Subscriptions at this node")
_DEAD = Text("Wat niet aankwam", "What did not arrive")
_NO_LETTERS = Text("Niets is onbestelbaar.", "There are no dead letters.")
_NO_TROUBLE = Text("Geen abonnement vraagt aandacht.", "No subscription needs attention.")
_NONE = Text(
    "Nog niemand heeft hier een abonnement. Een ontvanger neemt het zelf; `sluis events subscribe` doet het voor een eigen systeem.",
    "Nobody has a subscription here yet. A recipient takes it; `sluis events subscribe` does so for a system of your own.",
)

"""Interests over HTTP: for recipients, who come through the inway under a contract; and for officials of a recipient, who
register at the source of another organisation.

Whom an interest is about stands in the body alone. Every refusal is on record before it is answered.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Any, TypeVar

import msgspec
from litestar import Request, get, post, put
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from sluis.crypto import Peer
from sluis.events.interests.elsewhere import (
    Done,
    EndWish,
    Registrar,
    Subscribing,
    Unrenewed,
    WishedInterests,
)
from sluis.events.interests.model import (
    Ended,
    Ending,
    InterestsView,
    Registered,
    Registration,
)
from sluis.events.interests.service import Interests
from sluis.events.notices import Notices
from sluis.grounds import OfferedNotice
from sluis.kernel import PeerId, Refused, Text, Trace
from sluis.policy import ASK_FOR_ROLE, CHANGE_EVENTS, EVENTS, READ_EVENTS, Resource, takes_role
from sluis.web import Gate, OnRefusal, Person, purpose_of, write_line

T = TypeVar("T")

May = Callable[[Person, str], Awaitable[None]]

_TAGS = ["gebeurtenissen"]
_PART = Annotated[str, PathParameter(max_length=100)]


class Source(msgspec.Struct, frozen=True):
    """An organisation, by the name that questions give it."""

    source: str


def routes(notices: Notices, interests: Interests, on_refusal: OnRefusal) -> list[HTTPRouteHandler]:
    """The routes for recipients.

    Args:
        notices: of this node.
        interests: in whom they are interested.
        on_refusal: told of each refusal before it is answered.
    """

    async def told(peer: Peer, work: Awaitable[T]) -> T:
        try:
            return await work
        except Refused as refusal:
            refusal.peer = str.__str__(peer.id)
            await on_refusal(refusal)
            raise

    @get(
        "/notices",
        summary="Wat u van hier kunt horen",
        tags=_TAGS,
        response_description="De kennisgevingen.",
    )
    async def offered(peer: Peer) -> list[OfferedNotice]:
        """De kennisgevingen die vandaag voor de vragende organisatie gelden, met hun kenmerk."""
        return list(notices.offered(peer.id))

    @post(
        "/interests",
        status_code=200,
        summary="Registreer of verleng afnemersindicaties",
        tags=_TAGS,
        response_description="Hoeveel er nieuw waren, en hoeveel er al waren.",
    )
    async def register(
        data: Registration, peer: Peer, trace: Trace, request: Request[Any, Any, Any]
    ) -> Registered:
        """Alle in één keer, of geen: voor één kennisgeving, elk met een eigen kenmerk en een laatste dag."""
        line = partial(write_line, request.scope)
        return await told(peer, interests.register(peer.id, data, purpose_of(request.scope), trace, line))

    @post(
        "/interests/ends",
        status_code=200,
        summary="Beëindig afnemersindicaties",
        tags=_TAGS,
        response_description="Hoeveel er waren.",
    )
    async def end(data: Ending, peer: Peer, trace: Trace, request: Request[Any, Any, Any]) -> Ended:
        """Van wie hier staat, hoort u over deze kennisgeving niets meer."""
        line = partial(write_line, request.scope)
        return await told(peer, interests.end(peer.id, data, purpose_of(request.scope), trace, line))

    @get(
        "/interests",
        summary="Uw afnemersindicaties voor één kennisgeving",
        tags=_TAGS,
        response_description="Een bladzijde: uw kenmerken, zonder over wie zij gaan.",
    )
    async def registered(
        peer: Peer, request: Request[Any, Any, Any], notice: str, cursor: str = ""
    ) -> InterestsView:
        return await told(peer, interests.registered(peer.id, notice, purpose_of(request.scope), cursor))

    return [offered, register, end, registered]


def official_routes(registrar: Registrar, gate: Gate, own: PeerId) -> list[HTTPRouteHandler]:
    """The routes for officials of a recipient, on the node's own socket.

    Args:
        registrar: registers elsewhere.
        gate: asks who may.
        own: this node.
    """
    may = officials(gate, own)

    @post(
        "/registrations",
        status_code=200,
        summary="Registreer afnemersindicaties bij een andere organisatie",
        tags=_TAGS,
        response_description="Hoeveel er nieuw waren, en hoeveel er al waren.",
    )
    async def register(person: Person, data: WishedInterests, trace: Trace) -> Done:
        await may(person, CHANGE_EVENTS)
        return await registrar.register(data, trace)

    @post(
        "/registrations/notices",
        status_code=200,
        summary="Wat een andere organisatie u kan melden",
        tags=_TAGS,
        response_description="De kennisgevingen.",
    )
    async def offered(person: Person, data: Source) -> list[OfferedNotice]:
        await may(person, READ_EVENTS)
        return list(await registrar.offered(data.source))

    @post(
        "/registrations/subscriptions",
        status_code=200,
        summary="Neem een abonnement bij een andere organisatie",
        tags=_TAGS,
        response_description="Het abonnement, zoals het daar staat.",
    )
    async def subscribe(person: Person, data: Subscribing, trace: Trace) -> dict[str, Any]:
        await may(person, CHANGE_EVENTS)
        return await registrar.subscribe(data, trace)

    @get(
        "/registrations/subscriptions/{source:str}",
        summary="Uw abonnementen bij een andere organisatie",
        tags=_TAGS,
        response_description="Zoals ze daar staan, de oudste eerst.",
    )
    async def subscribed(person: Person, source: _PART, trace: Trace) -> list[dict[str, Any]]:
        await may(person, READ_EVENTS)
        return await registrar.subscribed(source, trace)

    @put(
        "/registrations/subscriptions/{source:str}/{id:str}",
        summary="Verander een abonnement bij een andere organisatie",
        tags=_TAGS,
        response_description="Het abonnement, zoals het daar staat.",
    )
    async def replace(
        person: Person, source: _PART, id: _PART, data: dict[str, Any], trace: Trace
    ) -> dict[str, Any]:
        """Hetzelfde document nog eens: wat stilstaat gaat verder, en een adres dat nog niets zei wordt opnieuw gevraagd."""
        await may(person, CHANGE_EVENTS)
        return await registrar.replace(Subscribing(source, data), id, trace)

    @get(
        "/registrations",
        summary="Uw afnemersindicaties bij een andere organisatie",
        tags=_TAGS,
        response_description="Een bladzijde: uw kenmerken, zonder over wie zij gaan.",
    )
    async def registered(
        person: Person, source: str, notice: str, trace: Trace, cursor: str = ""
    ) -> InterestsView:
        await may(person, READ_EVENTS)
        return await registrar.registered(source, notice, cursor, trace)

    @post(
        "/registrations/ends/unrenewed",
        status_code=200,
        summary="Beëindig afnemersindicaties die niet opnieuw geregistreerd zijn",
        tags=_TAGS,
        response_description="Hoeveel er waren.",
    )
    async def end_unrenewed(person: Person, data: Unrenewed, trace: Trace) -> Ended:
        """Van wie dit knooppunt sinds een tijdstip niet opnieuw registreerde."""
        await may(person, CHANGE_EVENTS)
        return await registrar.end_unrenewed(data, trace)

    @post(
        "/registrations/ends",
        status_code=200,
        summary="Beëindig afnemersindicaties bij een andere organisatie",
        tags=_TAGS,
        response_description="Hoeveel er waren.",
    )
    async def end(person: Person, data: EndWish, trace: Trace) -> Ended:
        await may(person, CHANGE_EVENTS)
        return await registrar.end(data, trace)

    return [register, registered, offered, subscribe, subscribed, replace, end, end_unrenewed]


def officials(gate: Gate, own: PeerId) -> May:
    """Asks whether an official may do something (`READ_EVENTS`, `CHANGE_EVENTS`) with the events of this node (`own`). What it gives
    raises `Refused`, `Unkept`."""

    def may(person: Person, action: str) -> Awaitable[None]:
        return gate.require(person, action, Resource(EVENTS, str.__str__(own)), not_yours())

    return may


def not_yours() -> Refused:
    """The refusal of an official who may do nothing with events."""
    return Refused(
        "events-not-yours",
        Text("U mag dit niet doen met gebeurtenissen.", "You may not do this with events."),
        takes_role("event-admin"),
        ASK_FOR_ROLE,
        rule="events-not-yours",
    )

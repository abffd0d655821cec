"""Standing questions over HTTP: for recipients, who come through the inway under a contract; and for officials of a recipient, who
leave one standing at another organisation.

What is asked stands in the body alone. What is refused is on record at the owner's side of questions, as a consultation.
"""

from typing import Annotated, Any

from litestar import Request, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from sluis.crypto import Peer
from sluis.events.interests import officials
from sluis.events.standing.model import NewQuestion, StandingView
from sluis.events.standing.placing import Actor, At, EndingQuestion, Placer, Placing
from sluis.events.standing.service import StandingQuestions
from sluis.kernel import PeerId, Trace, new_transaction_id
from sluis.policy import CHANGE_EVENTS, READ_EVENTS
from sluis.web import Gate, Person, header, purpose_of

_TAGS = ["gebeurtenissen"]
_ID = Annotated[str, PathParameter()]


def routes(standing: StandingQuestions) -> list[HTTPRouteHandler]:
    """The routes for recipients, around the standing questions of a node."""

    @post(
        "/standing-questions",
        summary="Laat een vraag staan",
        tags=_TAGS,
        response_description="De vraag staat; zij wordt vanaf de eerstvolgende ronde gelezen.",
    )
    async def place(
        data: NewQuestion, peer: Peer, trace: Trace, request: Request[Any, Any, Any]
    ) -> StandingView:
        """Wijzigt het antwoord tussen twee rondes, dan krijgt u een CloudEvent zonder gegevens, met uw kenmerk als `subject`."""
        purpose = purpose_of(request.scope)
        transaction = header(request.scope, b"fsc-transaction-id").lower() or new_transaction_id()
        return await standing.place(peer.id, data, purpose, trace, transaction)

    @get(
        "/standing-questions",
        summary="Uw staande vragen",
        tags=_TAGS,
        response_description="Die er staan, en die in de afgelopen maand eindigden; zonder de vraag zelf.",
    )
    async def listed(peer: Peer) -> list[StandingView]:
        return await standing.of(peer.id)

    @delete(
        "/standing-questions/{id:str}",
        status_code=200,
        summary="Beëindig een staande vraag",
        tags=_TAGS,
        response_description="De vraag, zoals zij nu staat.",
    )
    async def end(id: _ID, peer: Peer, trace: Trace) -> StandingView:
        await standing.end(peer.id, id, trace)
        return next(one for one in await standing.of(peer.id) if one.id == id)

    return [listed, place, end]


def official_routes(placer: Placer, gate: Gate, own: PeerId) -> list[HTTPRouteHandler]:
    """The routes for officials of a recipient, on the node's own socket.

    Args:
        placer: leaves questions standing elsewhere.
        gate: asks who may.
        own: this node.
    """
    may = officials(gate, own)

    @post(
        "/registrations/standing-questions",
        status_code=200,
        summary="Laat een vraag staan bij een andere organisatie",
        tags=_TAGS,
        response_description="De vraag, zoals zij daar staat.",
    )
    async def place(person: Person, data: Placing, trace: Trace) -> StandingView:
        await may(person, CHANGE_EVENTS)
        return await placer.place(data, Actor(person.person, person.acr, person.level), trace)

    @post(
        "/registrations/standing-questions/lists",
        status_code=200,
        summary="Uw staande vragen bij een andere organisatie",
        tags=_TAGS,
        response_description="Die er staan, en die in de afgelopen maand eindigden.",
    )
    async def placed(person: Person, data: At, trace: Trace) -> list[StandingView]:
        await may(person, READ_EVENTS)
        return await placer.placed(data.source, trace)

    @post(
        "/registrations/standing-questions/ends",
        status_code=200,
        summary="Beëindig een staande vraag bij een andere organisatie",
        tags=_TAGS,
        response_description="De vraag, zoals zij daar nu staat.",
    )
    async def end(person: Person, data: EndingQuestion, trace: Trace) -> StandingView:
        await may(person, CHANGE_EVENTS)
        return await placer.end(data, trace)

    return [place, placed, end]

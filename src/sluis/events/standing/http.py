"""Standing questions over HTTP: for recipients, who come through the inway under a contract.

What is asked stands in the body alone. What is refused is on record at the owner's side of questions, as a consultation.
"""

from typing import Annotated, Any

from litestar import Request, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from sluis.crypto import Peer
from sluis.events.standing.model import NewQuestion, StandingView
from sluis.events.standing.service import StandingQuestions
from sluis.kernel import Trace, new_transaction_id
from sluis.web import crossed, header

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
        came = crossed(request.scope)
        purpose = came.purpose if came is not None else None
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
        response_description="Zij is beëindigd.",
    )
    async def end(id: _ID, peer: Peer, trace: Trace) -> None:
        await standing.end(peer.id, id, trace)

    return [listed, place, end]

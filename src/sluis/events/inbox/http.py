"""The inbox over HTTP: where nodes of other organisations bring what they tell, through the inway; and for operators, this
organisation's subscriptions at sources."""

from functools import partial
from typing import Annotated, Any

from litestar import Request, delete, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import HeaderParameter, PathParameter

from sluis.crypto import Peer
from sluis.events.cloudevent import MAX_EVENT, decode
from sluis.events.inbox.catching import Catching
from sluis.events.inbox.model import MOST, FollowedView
from sluis.events.inbox.service import Inbox
from sluis.events.interests import officials
from sluis.kernel import PeerId, Refused, Trace
from sluis.policy import CHANGE_EVENTS, READ_EVENTS
from sluis.web import Gate, OnRefusal, Person, write_line

LARGEST = 16 * MAX_EVENT
"""Bytes of a batch."""

_TAGS = ["gebeurtenissen"]
_PART = Annotated[str, PathParameter(max_length=100)]


def routes(inbox: Inbox, on_refusal: OnRefusal) -> list[HTTPRouteHandler]:
    """The route for other nodes.

    Args:
        inbox: takes it in.
        on_refusal: told of each refusal before it is answered.
    """

    @post("/inbox", status_code=204, request_max_body_size=LARGEST, summary="Bezorg gebeurtenissen", tags=_TAGS,
          response_description="Vastgelegd, of al eerder.")  # fmt: skip
    async def bring(
        peer: Peer, request: Request[Any, Any, Any],
        subscription: Annotated[str, HeaderParameter(name="Sluis-Subscription", min_length=1, max_length=100)],
    ) -> None:  # fmt: skip
        """Eén CloudEvent of een batch, van één abonnement. Wat al eerder kwam, doet niets."""
        events = decode(request.headers.items(), await request.body(), most=MOST)
        try:
            await inbox.receive(peer.id, subscription, events, partial(write_line, request.scope))
        except Refused as refusal:
            refusal.peer = str.__str__(peer.id)
            await on_refusal(refusal)
            raise

    return [bring]


def official_routes(inbox: Inbox, catching: Catching, gate: Gate, own: PeerId) -> list[HTTPRouteHandler]:
    """The routes for operators, on the node's own socket.

    Args:
        inbox: knows the subscriptions.
        catching: ends them.
        gate: asks who may.
        own: this node.
    """
    may = officials(gate, own)

    @get("/registrations/subscriptions", summary="Abonnementen bij andere organisaties", tags=_TAGS,
         response_description="Hoe elk ervoor staat.")  # fmt: skip
    async def listed(person: Person) -> list[FollowedView]:
        await may(person, READ_EVENTS)
        return [
            FollowedView(str.__str__(one.source), one.subscription, one.upto, len(one.held))
            for one in inbox.followed()
        ]

    @delete("/registrations/subscriptions/{source:str}/{id:str}", status_code=200, tags=_TAGS,
            summary="Beëindig een abonnement bij een andere organisatie", response_description="Het is beëindigd.")  # fmt: skip
    async def end(person: Person, source: _PART, id: _PART, trace: Trace) -> None:
        await may(person, CHANGE_EVENTS)
        await catching.end(source, id, trace)

    return [listed, end]

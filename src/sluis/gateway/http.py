"""What any node of the group may read of this one: its card."""

from collections.abc import Callable

import msgspec
from litestar import get
from litestar.handlers import HTTPRouteHandler


class CardDocument(msgspec.Struct, frozen=True):
    """The signed card (`gateway.card`), in compact form."""

    card: str


def routes(card: Callable[[], str]) -> list[HTTPRouteHandler]:
    """The routes of this room, around this node's signed card as it is now."""

    @get("/node", opt={"open": True}, tags=["knooppunt"], response_description="De getekende kaart.")
    async def node() -> CardDocument:
        """De kaart van dit knooppunt: wie het is en met welke sleutels het tekent en ontvangt, als JWS."""
        return CardDocument(card())

    return [node]

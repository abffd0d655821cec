"""What any node of the group may read of this one: its card."""

from litestar import get
from litestar.handlers import HTTPRouteHandler


def routes(card: str) -> list[HTTPRouteHandler]:
    """The routes of this room, around this node's signed card."""

    @get("/node", opt={"open": True}, tags=["node"])
    async def node() -> dict[str, str]:
        """De kaart van dit knooppunt: wie het is en met welke sleutels het tekent en ontvangt, als JWS."""
        return {"card": card}

    return [node]

"""The history of messages over the node's API, for a program of the person themselves, with a token that was given for that."""

from litestar import get
from litestar.handlers import HTTPRouteHandler

from sluis.contact.saying import not_yours, too_weak
from sluis.contact.service import Contact
from sluis.contact.views import Entry
from sluis.kernel import reaches
from sluis.web import SignedIn


def api_routes(contact: Contact) -> list[HTTPRouteHandler]:
    """The routes of this room on the API behind the portal. `contact`: of this node."""

    @get(
        "/messages",
        summary="Berichten aan de betrokkene zelf",
        tags=["berichten"],
        response_description="Nieuwste eerst, met hoe elk bericht zijn weg vond.",
    )
    async def messages(caller: object) -> list[Entry]:
        if not isinstance(caller, SignedIn):
            raise not_yours()
        if not reaches(caller.level, "substantial"):
            raise too_weak()
        return await contact.history(caller.acting.person)

    return [messages]

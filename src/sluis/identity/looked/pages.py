"""Who looked at my data, as the person reads it: organisation, purpose in words, article, kinds of data, time."""

from collections.abc import Callable
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from sluis.identity.looked.model import Looked
from sluis.identity.looked.rules import by_question
from sluis.identity.looked.service import Asserting, WhoLooked
from sluis.identity.sessions import Sessions
from sluis.kernel import Text
from sluis.web import Entry, SignedIn, page

NAVIGATION = (Entry("/looked", Text("Wie keek er", "Who looked"), ("citizen",)),)
"""What the layout shows of this room."""

_FOR: dict[str, Any] = {"audience": ("citizen",), "level": "substantial"}


def page_routes(
    over: WhoLooked, sessions: Sessions, asserting: Callable[[SignedIn], Asserting | None]
) -> list[HTTPRouteHandler]:
    """The pages of this room.

    Args:
        over: makes overviews.
        sessions: know the number of who is signed in.
        asserting: what makes assertions about a person for other organisations; None when there is no number to tell.
    """

    async def found(person: SignedIn, until: int | None) -> Looked:
        return await over.of(sessions.subject(person.session), asserting(person), until=until)

    @get("/looked", opt=_FOR)
    async def looked(
        person: SignedIn, request: Request[Any, Any, Any], until: int | None = None
    ) -> Response[bytes]:
        """Wie keek er naar mijn gegevens, als pagina."""
        overview = await found(person, until)
        earlier = min((one.began for one in overview.looks), default=None)
        questions = by_question(overview.looks)
        return page(request, "identity/looked.html", overview=overview, questions=questions, earlier=earlier)

    @get("/looked/overview", opt=_FOR)
    async def overview(person: SignedIn, until: int | None = None) -> Looked:
        """Hetzelfde als JSON."""
        return await found(person, until)

    return [looked, overview]

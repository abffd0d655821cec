"""Who looked at my data, as the person reads it: organisation, purpose in words, article, kinds of data, time."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from sluis.identity.looked.model import Looked
from sluis.identity.looked.rules import by_question
from sluis.identity.looked.service import Asserting, WhoLooked
from sluis.kernel import Text
from sluis.web import Entry, SignedIn, page

NAVIGATION = (Entry("/looked", Text("Wie keek er", "Who looked"), ("citizen", "company")),)
"""What the layout shows of this room."""

_FOR: dict[str, Any] = {"audience": ("citizen", "company"), "level": "substantial"}

Whom = tuple[str, str]
"""Type and value of a number."""


def page_routes(
    over: WhoLooked,
    whose: Callable[[SignedIn, str], Awaitable[Whom]],
    asserting: Callable[[SignedIn, Whom], Asserting | None],
) -> list[HTTPRouteHandler]:
    """The pages of this room.

    Args:
        over: makes overviews.
        whose: the number of whom somebody acts for, for `read`. Raises `Refused`.
        asserting: what makes assertions about them for other organisations; None when there is no number to tell.
    """

    async def found(person: SignedIn, until: int | None) -> Looked:
        whom = await whose(person, "read")
        return await over.of(whom, asserting(person, whom), until=until)

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

"""One record of the log at an address, twice: as everybody who oversees may see it, and with what it says of whom."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from sluis.oversight.desk import Desk, number_in
from sluis.web import STAFF, SignedIn

Shown = Callable[[Request[Any, Any, Any], SignedIn, int, bool], Awaitable[Response[bytes]]]
"""Shows the record with this number, and (True) with what stands in it. Raises `NotFound`."""


def record_routes(desk: Desk, path: str, whole: str, shown: Shown) -> list[HTTPRouteHandler]:
    """The two.

    Args:
        desk: lets in who may.
        path: of the record, with `{index:str}` in it.
        whole: where it is asked for with what stands in it, by a form; also with `{index:str}`.
        shown: shows it.
    """

    @get(path, opt=STAFF)
    async def one(
        person: SignedIn, request: Request[Any, Any, Any], index: Annotated[str, PathParameter()]
    ) -> Response[bytes]:
        """Een regel, zonder wat erin staat over wie."""
        await desk.may_read(person)
        return await shown(request, person, number_in(index), False)

    @post(whole, opt=STAFF, status_code=200)
    async def content(
        person: SignedIn, request: Request[Any, Any, Any], index: Annotated[str, PathParameter()]
    ) -> Response[bytes]:
        """Dezelfde regel, met wat erin staat."""
        await desk.may_read(person)
        await desk.may_see_records(person)
        return await shown(request, person, number_in(index), True)

    return [one, content]

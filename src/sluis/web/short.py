"""The short way to a route: identify the caller, decode the body, call, answer.

For a route that takes a JSON body and nothing else from the request, and that every question takes: the framework's
own way (matching, parameters, dependencies, hooks, response handlers) takes longer than the question itself does in
some nodes, and finds nothing to do. Who may call, what a body may be and what a problem looks like is the same on both
ways; the route stays one of the framework's, which documents it and answers whatever else is sent to its path.
"""

import sys
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response
from litestar.exceptions import ClientException, InternalServerException, ValidationException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.handlers import HTTPRouteHandler
from litestar.types import HTTPScope, Receive, Send

from sluis.kernel import decode
from sluis.web.access import Access

SHORT = "short"
"""In a route's `opt`: this route is also reached by the short way."""


class JsonRequest(Request[Any, Any, Any]):
    """Reads the body straight into the route's `data` type: strictly, and with errors that name the field."""

    async def json(self) -> Any:
        field = self.route_handler.parsed_data_field
        return decode(await self.body(), field.annotation if field is not None else Any)


class ShortWay:
    """One route, as an ASGI app. Raises what the route raises, and what the request is refused with.

    Args:
        handler: the route, as the framework holds it.
        template: its path.
        access: who is who.
    """

    def __init__(self, handler: HTTPRouteHandler, template: str, access: Access) -> None:
        self._handler, self._template, self._access = handler, template, access
        self._most = handler.resolve_request_max_body_size() or sys.maxsize
        field = handler.parsed_data_field
        self._data = field.annotation if field is not None else Any

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        scope["route_handler"] = self._handler
        scope["path_template"] = self._template
        request = JsonRequest(scope, receive, send)
        await self._access.identify(request)
        body = await self._body(request)
        if not body:
            raise ValidationException(extra=[{"key": "data"}])
        response = await self._handler.fn(request=request, data=decode(body, self._data))
        if type(response) is Response and isinstance(response.content, bytes):
            await _send(response, send)
        else:
            answer = response.to_asgi_response(
                app=None, request=request, status_code=self._handler.status_code
            )
            await answer(scope, receive, send)

    async def _body(self, request: JsonRequest) -> bytes:
        announced = header(request.scope, b"content-length") or "0"
        if not announced.isdecimal():
            raise ClientException
        if int(announced) > self._most:
            raise RequestEntityTooLarge
        body = bytearray()
        more = True
        while more:
            event: Any = await request.receive()
            if event["type"] == "http.disconnect":
                raise InternalServerException("client disconnected prematurely")
            body += event.get("body", b"")
            more = event.get("more_body", False)
            if len(body) > self._most:
                raise RequestEntityTooLarge
        return bytes(body)


def holds_nul(scope: Any) -> bool:
    """Whether an address has a NUL in it: nothing is called so, and PostgreSQL cannot look for it."""
    return "\0" in scope["path"] or b"%00" in scope["query_string"]


def header(scope: Mapping[str, Any], name: bytes) -> str:
    """A header of a request, the first of that name (in lower case); empty when there is none."""
    return next((value for found, value in scope["headers"] if found == name), b"").decode("latin-1")


async def _send(response: Response[bytes], send: Send) -> None:
    headers = [
        (b"content-type", str(response.media_type).encode("latin-1")),
        (b"content-length", b"%d" % len(response.content)),
        *((name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers.items()),
    ]
    await send({"type": "http.response.start", "status": response.status_code or 200, "headers": headers})
    await send({"type": "http.response.body", "body": response.content, "more_body": False})

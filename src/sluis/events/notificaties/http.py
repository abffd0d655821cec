"""The routes of the ZGW Notificaties API 1.0.1, as an app of its own: its errors, its tokens and its version are those of
that standard, not of the node's other APIs."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

import msgspec
from litestar import Litestar, Request, Response, delete, get, patch, post, put
from litestar.params import PathParameter, QueryParameter

from sluis.crypto import read_json
from sluis.events.notificaties.faults import Param, Unfit, WrongMediaType, document, not_allowed
from sluis.events.notificaties.model import (
    API_VERSION,
    BASE,
    CONSUMING,
    HIDDEN,
    PUBLISHING,
    Abonnement,
    Application,
    Kanaal,
    ScopeName,
)
from sluis.events.notificaties.reading import read_notificatie
from sluis.events.notificaties.service import Notificaties
from sluis.events.notificaties.tokens import caller
from sluis.kernel import Invalid, Refused
from sluis.web import problem_of

MOST_BYTES = 64 * 1024
"""Of a request body."""

OnRefusal = Callable[[Refused], Awaitable[None]]
_Request = Request[Any, Any, Any]
_ID = Annotated[str, PathParameter()]
_HEADERS = {"api-version": API_VERSION}


def make_app(notificaties: Notificaties, address: str, on_refusal: OnRefusal | None = None) -> Litestar:
    """The API as an ASGI app.

    Args:
        notificaties: does the work.
        address: of the listener, without a path; what is made here has its URL below it.
        on_refusal: told of each refusal before it is answered.
    """
    base = f"{address.rstrip('/')}{BASE}"

    async def who(request: _Request, *scopes: ScopeName) -> Application:
        """The application that calls, which has one of these scopes. Raises `Unidentified`, `Refused`."""
        found = caller(
            request.headers.get("authorization", ""),
            notificaties.applications,
            notificaties.clock().timestamp(),
        )
        if not found.scopes.intersection(scopes):
            refused = not_allowed(scopes[0])
            if on_refusal is not None:
                await on_refusal(refused)
            raise refused
        return found

    def made(kind: str, id: str, view: Mapping[str, Any]) -> Response[Any]:
        return _answer(view, 201, {"location": f"{base}/{kind}/{id}"})

    @get("/kanaal")
    async def channels(
        request: _Request, naam: Annotated[str | None, QueryParameter()] = None
    ) -> Response[Any]:
        await who(request, PUBLISHING, CONSUMING)
        return _answer([_kanaal(one, base) for one in notificaties.kanalen(naam)])

    @post("/kanaal")
    async def create_channel(request: _Request) -> Response[Any]:
        application = await who(request, PUBLISHING)
        one = await notificaties.create_kanaal(application, await _body(request))
        return made("kanaal", one.id, _kanaal(one, base))

    @get("/kanaal/{id:str}")
    async def channel(request: _Request, id: _ID) -> Response[Any]:
        await who(request, PUBLISHING, CONSUMING)
        return _answer(_kanaal(notificaties.kanaal(id), base))

    @get("/abonnement")
    async def listed(request: _Request) -> Response[Any]:
        application = await who(request, CONSUMING, PUBLISHING)
        return _answer([_abonnement(one, base) for one in notificaties.abonnementen(application)])

    @post("/abonnement")
    async def create(request: _Request) -> Response[Any]:
        application = await who(request, CONSUMING)
        one = await notificaties.create(application, await _body(request))
        return made("abonnement", one.id, _abonnement(one, base))

    @get("/abonnement/{id:str}")
    async def shown(request: _Request, id: _ID) -> Response[Any]:
        application = await who(request, CONSUMING, PUBLISHING)
        return _answer(_abonnement(notificaties.abonnement(application, id), base))

    async def changed(request: _Request, id: str, partial: bool) -> Response[Any]:
        application = await who(request, CONSUMING)
        one = await notificaties.change(application, id, await _body(request), partial=partial)
        return _answer(_abonnement(one, base))

    @put("/abonnement/{id:str}")
    async def replace(request: _Request, id: _ID) -> Response[Any]:
        return await changed(request, id, partial=False)

    @patch("/abonnement/{id:str}")
    async def adjust(request: _Request, id: _ID) -> Response[Any]:
        return await changed(request, id, partial=True)

    @delete("/abonnement/{id:str}")
    async def end(request: _Request, id: _ID) -> Response[None]:
        await notificaties.delete(await who(request, CONSUMING), id)
        return Response(None, status_code=204, headers=_HEADERS)

    @post("/notificaties")
    async def publish(request: _Request) -> Response[Any]:
        application = await who(request, PUBLISHING)
        message = read_notificatie(await _body(request))
        await notificaties.publish(application, message)
        return _answer(msgspec.to_builtins(message))

    return Litestar(
        [channels, create_channel, channel, listed, create, shown, replace, adjust, end, publish],
        path=BASE,
        openapi_config=None,
        request_max_body_size=MOST_BYTES,
        exception_handlers={Exception: _refuse},
    )


def _kanaal(one: Kanaal, base: str) -> dict[str, Any]:
    link = {"documentatieLink": one.documentatieLink} if one.documentatieLink else {}
    return {"url": f"{base}/kanaal/{one.id}", "naam": one.naam, **link, "filters": list(one.filters)}


def _abonnement(one: Abonnement, base: str) -> dict[str, Any]:
    return {
        "url": f"{base}/abonnement/{one.id}",
        "callbackUrl": one.callback,
        "auth": HIDDEN,
        "kanalen": [{"naam": group.naam, "filters": dict(group.filters)} for group in one.kanalen],
    }


async def _body(request: _Request) -> Any:
    """The JSON of a request. Raises `WrongMediaType`, `Unfit`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise WrongMediaType
    try:
        return read_json(await request.body())
    except Invalid as problem:
        raise Unfit([Param("nonFieldErrors", "parse_error", problem.why)]) from None


def _answer(view: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response[Any]:
    return Response(
        msgspec.json.encode(view),
        status_code=status,
        media_type="application/json",
        headers={**_HEADERS, **(headers or {})},
    )


def _refuse(request: _Request, failure: Exception) -> Response[Any]:
    problem = problem_of(failure, MOST_BYTES)
    language = "en" if request.headers.get("accept-language", "").lower().startswith("en") else "nl"
    more = {"www-authenticate": "Bearer"} if problem.status == 401 else {}
    return Response(
        msgspec.json.encode(document(problem, language)),
        status_code=problem.status,
        media_type="application/problem+json",
        headers={**_HEADERS, **more},
    )

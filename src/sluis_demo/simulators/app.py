"""The simulators as an ASGI app: their pages, and the endpoints of an OpenID provider. Works without JavaScript."""

import binascii
import logging
from base64 import b64decode
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import msgspec
from jinja2 import Environment, FunctionLoader, StrictUndefined
from litestar import Litestar, Request, Response, get, post
from litestar.params import FromPath

from sluis.kernel import Clock, Text, utc_now
from sluis_demo.simulators.model import OUTCOMES, Client, Persona, Simulator
from sluis_demo.simulators.personas import ALL, DIGID
from sluis_demo.simulators.provider import Provider, Wrong

BASE = "/sluis-simulator"
"""The path below which all simulators are; by it a node in production knows them."""

_MOST_FORM = 16 * 1024  # bytes
_JSON, _HTML = "application/json", "text/html; charset=utf-8"
_STATUS = {"invalid_client": 401, "invalid_token": 401, "temporarily_unavailable": 503}
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}

log = logging.getLogger("sluis.simulator")


class Simulators:
    """DigiD, eHerkenning and the staff directory at one address, as an ASGI app.

    Attributes:
        providers: by kind, `digid`, `eherkenning` and `medewerkers`.
    """

    def __init__(
        self, address: str, clients: Sequence[Client], clock: Clock, citizens: tuple[Persona, ...]
    ) -> None:
        by_id = {client.id: client for client in clients}
        self.providers = {
            simulator.kind: Provider(
                simulator,
                issuer_of(address, simulator),
                by_id,
                clock,
                citizens if simulator is DIGID else (),
            )
            for simulator in ALL
        }
        self.framework = Litestar(
            route_handlers=_routes(self.providers),
            exception_handlers={Wrong: _wrong},
            request_max_body_size=_MOST_FORM,
            openapi_config=None,
            logging_config=None,
            debug=False,
        )

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await self.framework(scope, receive, send)


def make_simulators(
    address: str, clients: Sequence[Client], clock: Clock = utc_now, citizens: tuple[Persona, ...] = ()
) -> Simulators:
    """All simulators.

    Args:
        address: where browsers and nodes reach them, `https://host:port`.
        clients: the nodes that may use them.
        clock: aware UTC.
        citizens: who signs in with the simulator of DigiD besides those whom it invents itself.
    """
    return Simulators(address, clients, clock, citizens)


def issuer_of(address: str, simulator: Simulator) -> str:
    """What a simulator calls itself."""
    return f"{address.rstrip('/')}{BASE}/{simulator.kind}"


def _routes(providers: Mapping[str, Provider]) -> list[Any]:
    def at(kind: str) -> Provider:
        provider = providers.get(kind)
        if provider is None:
            raise Wrong("invalid_request", "there is no such simulator")
        return provider

    @get(f"{BASE}/style.css")
    async def style() -> Response[bytes]:
        return Response(
            _resource("style.css").encode(), media_type="text/css; charset=utf-8", headers=_HEADERS
        )

    @get(f"{BASE}/{{kind:str}}/.well-known/openid-configuration")
    async def discovery(kind: FromPath[str]) -> Response[bytes]:
        return _json(at(kind).discovery())

    @get(f"{BASE}/{{kind:str}}/jwks")
    async def jwks(kind: FromPath[str]) -> Response[bytes]:
        return _json(at(kind).jwks())

    @get(f"{BASE}/{{kind:str}}/authorize")
    async def authorize(request: Request[Any, Any, Any], kind: FromPath[str]) -> Response[bytes]:
        provider = at(kind)
        return _page(provider, provider.ask(_members(request.scope["query_string"])))

    @post(f"{BASE}/{{kind:str}}/authorize/{{id:str}}", status_code=200)
    async def step(
        request: Request[Any, Any, Any], kind: FromPath[str], id: FromPath[str]
    ) -> Response[bytes]:
        provider, form = at(kind), _members(await request.body())
        if "language" in form:
            provider.speak(id, form["language"])
            return _page(provider, id)
        if "cancel" in form:
            return _go(provider.cancel(id))
        if "choice" in form:
            return _go(provider.choose(id, int(form["choice"]) if form["choice"].isdecimal() else -1))
        try:
            target = provider.prove(id, form)
        except Wrong as wrong:
            return _page(provider, id, wrong)
        return _page(provider, id) if target is None else _go(target)

    @post(f"{BASE}/{{kind:str}}/token", status_code=200)
    async def token(request: Request[Any, Any, Any], kind: FromPath[str]) -> Response[bytes]:
        basic = _basic(request.headers.get("authorization", ""))
        return _tried(lambda form: at(kind).redeem(form, basic), _members(await request.body()))

    @get(f"{BASE}/{{kind:str}}/userinfo")
    async def userinfo(request: Request[Any, Any, Any], kind: FromPath[str]) -> Response[bytes]:
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        return _tried(lambda _: at(kind).userinfo(bearer), {})

    @get(f"{BASE}/{{kind:str}}/sign-out")
    async def sign_out(request: Request[Any, Any, Any], kind: FromPath[str]) -> Response[bytes]:
        provider = at(kind)
        target = provider.sign_out(_members(request.scope["query_string"]))
        return _render(provider, "signed-out.html", "nl") if target is None else _go(target)

    return [style, discovery, jwks, authorize, step, token, userinfo, sign_out]


def _page(provider: Provider, id: str, wrong: Wrong | None = None) -> Response[bytes]:
    """Who signs in; or, once that is known, for whom."""
    asked = provider.asked(id)
    action = f"{urlsplit(provider.issuer).path}/authorize/{id}"
    common = {"action": action, "asked": asked, "wrong": wrong}
    if asked.persona is not None:
        return _render(provider, "for-whom.html", asked.language, **common)
    grades = [(grade, provider.enough(asked, grade)) for grade in provider.simulator.grades]
    people = provider.people()
    return _render(
        provider, "who.html", asked.language, people=people, grades=grades, outcomes=OUTCOMES, **common
    )


def _render(provider: Provider, template: str, language: str, **values: Any) -> Response[bytes]:
    def say(text: Text) -> str:
        return text.en if language == "en" else text.nl

    def both(nl: str, en: str) -> str:
        return en if language == "en" else nl

    html = (
        _environment()
        .get_template(template)
        .render(
            simulator=provider.simulator,
            language=language,
            say=say,
            t=both,
            style=f"{BASE}/style.css",
            **values,
        )
    )
    return Response(html.encode(), media_type=_HTML, headers={**_HEADERS, "content-language": language})


def _wrong(request: Request[Any, Any, Any], wrong: Wrong) -> Response[bytes]:
    """A request that is not answered to the client: whoever sent it may be anybody."""
    html = (
        _environment()
        .get_template("wrong.html")
        .render(wrong=wrong, style=f"{BASE}/style.css", language="nl")
    )
    return Response(
        html.encode(), media_type=_HTML, status_code=_STATUS.get(wrong.error, 400), headers=_HEADERS
    )


def _tried(work: Any, form: Mapping[str, str]) -> Response[bytes]:
    try:
        return _json(work(form))
    except Wrong as wrong:
        log.info("refused: %s", wrong.error)
        told = {"error": wrong.error, "error_description": wrong.text}
        return _json(told, _STATUS.get(wrong.error, 400))


def _json(told: Any, status: int = 200) -> Response[bytes]:
    return Response(msgspec.json.encode(told), media_type=_JSON, status_code=status, headers=_HEADERS)


def _go(url: str) -> Response[bytes]:
    return Response(b"", status_code=303, headers={**_HEADERS, "location": url})


def _members(raw: bytes) -> dict[str, str]:
    try:
        return dict(parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=40))
    except ValueError:
        return {}


def _basic(header: str) -> tuple[str, str] | None:
    """Id and secret of `Authorization: Basic` (RFC 6749, 2.3.1: form-encoded)."""
    if not header.startswith("Basic "):
        return None
    try:
        name, _, secret = b64decode(header[6:], validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ("", "")
    return unquote_plus(name), unquote_plus(secret)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    return Environment(
        loader=FunctionLoader(_resource),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _resource(name: str) -> str:
    return (files("sluis_demo.simulators") / "templates" / name).read_text(encoding="utf-8")

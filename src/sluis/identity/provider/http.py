"""The sign-in provider over HTTP: decode, call the service, encode.

Forms are read here and not by the framework: a parameter that stands there twice, or a body of another kind, is refused.
Answers that hold a code or token are kept by nobody, and no address of ours leaks by a referrer (RFC 9700, 4.2.4).
"""

import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import lru_cache, wraps
from typing import Any

import msgspec
from cryptography import x509
from litestar import MediaType, Request, Response, get, post, route
from litestar.handlers import HTTPRouteHandler

from sluis.identity.clients import Clients
from sluis.identity.provider.discovery import ENDPOINTS, discovery
from sluis.identity.provider.faults import OAuthProblem
from sluis.identity.provider.model import CONTINUE
from sluis.identity.provider.rules import read_form
from sluis.identity.provider.service import Provider
from sluis.identity.sessions import Leaving
from sluis.kernel import Text
from sluis.web import SignedIn, address_of, redirect, setting_of, shown_certificate, take_back

LARGEST = 32 * 1024
"""Bytes of a form."""

_FORM = "application/x-www-form-urlencoded"
_PRIVATE = {"Cache-Control": "no-store", "Pragma": "no-cache", "Referrer-Policy": "no-referrer"}
_PUBLIC = {"Cache-Control": "public, max-age=86400", "Access-Control-Allow-Origin": "*"}

_OPEN = {"open": True, "cross_site": True}

Asking = Request[Any, Any, Any]
Answered = Response[bytes]


def routes(provider: Provider, clients: Clients, leaving: Leaving) -> list[HTTPRouteHandler]:
    """Every endpoint of the provider. They are open, and for programs too: who asks proves it in the request itself.

    Args:
        provider: of this node.
        clients: whose scopes are told of.
        leaving: ends the session whose client asks so.
    """
    document = msgspec.json.encode(discovery(provider.issuer, clients, provider.mutual))

    @get(["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"], opt=_OPEN)
    async def metadata() -> Answered:
        return _json(document, headers={**_PUBLIC, "Cache-Control": "public, max-age=604800"})

    @get(ENDPOINTS["jwks_uri"], opt=_OPEN)
    async def keys() -> Answered:
        return _json(msgspec.json.encode(provider.jwks()), headers=_PUBLIC, kind="application/jwk-set+json")

    @route(
        ENDPOINTS["authorization_endpoint"],
        http_method=["GET", "POST"],
        opt=_OPEN,
        request_max_body_size=LARGEST,
    )
    @_told
    async def authorize(request: Asking) -> Answered:
        parameters, origin = await _parameters(provider, request), address_of(request.scope)
        return _to(await provider.authorize(parameters, _visitor(request), origin))

    @get(CONTINUE + "/{held:str}", opt=_OPEN)
    @_told
    async def proceed(request: Asking) -> Answered:
        cancelled = "cancelled" in read_form(request.scope["query_string"])
        held = str(request.path_params["held"])
        return _to(await provider.proceed(held, _visitor(request), cancelled=cancelled))

    @post(ENDPOINTS["pushed_authorization_request_endpoint"], opt=_OPEN, request_max_body_size=LARGEST)
    @_told
    async def push(request: Asking) -> Answered:
        answer = await provider.push(await _posted(provider, request), certificate_of(request))
        return _json(msgspec.json.encode(answer), status=201)

    @post(ENDPOINTS["token_endpoint"], opt=_OPEN, request_max_body_size=LARGEST)
    @_told
    async def token(request: Asking) -> Answered:
        return _json(
            msgspec.json.encode(
                await provider.token(await _posted(provider, request), certificate_of(request))
            )
        )

    @route(
        ENDPOINTS["userinfo_endpoint"],
        http_method=["GET", "POST"],
        opt=_OPEN,
        request_max_body_size=LARGEST,
    )
    @_told
    async def userinfo(request: Asking) -> Answered:
        return _json(msgspec.json.encode(provider.userinfo(_bearer(request), certificate_of(request))))

    @post(ENDPOINTS["introspection_endpoint"], opt=_OPEN, request_max_body_size=LARGEST)
    @_told
    async def introspect(request: Asking) -> Answered:
        return _json(
            msgspec.json.encode(
                await provider.introspect(await _posted(provider, request), certificate_of(request))
            )
        )

    @post(ENDPOINTS["revocation_endpoint"], opt=_OPEN, request_max_body_size=LARGEST)
    @_told
    async def revoke(request: Asking) -> Answered:
        await provider.revoke(await _posted(provider, request), certificate_of(request))
        return _json(b"{}")

    @route(
        ENDPOINTS["end_session_endpoint"],
        http_method=["GET", "POST"],
        opt=_OPEN,
        request_max_body_size=LARGEST,
    )
    @_told
    async def end(request: Asking) -> Answered:
        signed_in = _visitor(request)
        after, at_once = provider.sign_out(await _parameters(provider, request), signed_in)
        if signed_in is None:
            return take_back(_to(after or "/sign-out"))
        browser = setting_of(request).browser()
        if not at_once:
            return redirect(
                "/sign-out", **({"state": leaving.remember(signed_in, browser, after)} if after else {})
            )
        return take_back(_to(await leaving.end(signed_in, browser, after or "")))

    return [metadata, keys, authorize, proceed, push, token, userinfo, introspect, revoke, end]


def certificate_of(request: Asking) -> x509.Certificate | None:
    """The client certificate that TLS verified on this connection."""
    shown = shown_certificate(request.scope.get("extensions") or {})
    return None if shown is None else _parsed(shown)


@lru_cache(maxsize=256)
def _parsed(pem: str) -> x509.Certificate:
    return x509.load_der_x509_certificate(ssl.PEM_cert_to_DER_cert(pem))


def _visitor(request: Asking) -> SignedIn | None:
    return setting_of(request).visitor


def _told(handler: Callable[..., Awaitable[Answered]]) -> Callable[..., Awaitable[Answered]]:
    """Errors of OAuth in the form of OAuth; all others are told as everywhere."""

    @wraps(handler)
    async def told(*args: Any, **named: Any) -> Answered:
        try:
            return await handler(*args, **named)
        except OAuthProblem as problem:
            return _json(problem.body(), status=problem.status, headers=problem.headers())

    return told


async def _parameters(provider: Provider, request: Asking) -> dict[str, str]:
    """Of a query, or of a form that was posted."""
    return (
        read_form(request.scope["query_string"])
        if request.method == "GET"
        else await _posted(provider, request)
    )


async def _posted(provider: Provider, request: Asking) -> dict[str, str]:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        raise OAuthProblem("invalid_request", _NO_FORM)
    if request.headers.get("authorization", "").lower().startswith("basic "):
        provider.unproven(None, "secret", request.scope["path"])
        raise OAuthProblem("invalid_client", _NO_SECRETS)
    return read_form(await request.body())


def _bearer(request: Asking) -> str:
    """The access token in the header, and nowhere else (RFC 6750, 2.1; OAuth-NL 1.2)."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise OAuthProblem("invalid_token", _NO_TOKEN)
    return token.strip()


def _json(
    content: bytes, *, status: int = 200, headers: Mapping[str, str] | None = None, kind: str = MediaType.JSON
) -> Answered:
    return Response(content, status_code=status, media_type=kind, headers={**_PRIVATE, **(headers or {})})


def _to(place: str) -> Answered:
    """Send the browser there, by GET whatever it came with (RFC 9700, 4.12)."""
    return Response(b"", status_code=303, media_type=MediaType.TEXT, headers={**_PRIVATE, "Location": place})


_NO_FORM = Text(f"De inhoud moet {_FORM} zijn.", f"The body must be {_FORM}.")
_NO_SECRETS = Text("Gedeelde geheimen kent dit knooppunt niet.", "This node knows no shared secrets.")
_NO_TOKEN = Text(
    "Er is geen token in de Authorization-header.", "There is no token in the Authorization header."
)

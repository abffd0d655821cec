"""The portal: pages for people in a browser, and the endpoints that programs need to have them signed in.

Every route says in its signature whom it serves: `person: SignedIn`, or `visitor: SignedIn | None` for a page that is also
there for who is not signed in; a route without either is marked `opt={"open": True}`, or the portal is not built. More can
be asked in `opt`: `weight` (for how many pages it counts of who is not signed in, see `pace`), `audience` (a tuple of those it is for), `level` (of assurance, at least), `tries` (who fails here often
waits: where something short is typed or guessed, and never where another site can send somebody's browser), and `cross_site`
(it may be sent from another site or by a program, and does without the form's token). Who acts for another and may do nothing
for them, any more, is refused with the reason, except where `represents` is False. A route may take `form: Form`, what was
filled in; `words` says what values of its fields are called that its template does not name itself (`labels`).

OWASP ASVS 5.0, chapters 3 and 7: a token in every form, and the origin of whoever sends it (CWE-352); strict headers. What is not right becomes a page for a browser, a problem document for a program.
"""

import base64
import hmac
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import msgspec
from litestar import Litestar, Request, Response, get
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException, MethodNotAllowedException
from litestar.exceptions.http_exceptions import RequestEntityTooLarge
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, HTTPScope, Receive, Scope, Send

from sluis.kernel import Problem, Refused
from sluis.web import problems
from sluis.web.access import OnRefusal
from sluis.web.answer import Sending
from sluis.web.app import access_log, log_request, most_body, problem_of
from sluis.web.bearer import challenging
from sluis.web.cookies import BROWSER, COOKIE, LANGUAGE, BrowserSecret, cookies_of, set_cookie
from sluis.web.door import SAFE, let_in, note_failure, typed, wants_page
from sluis.web.files import send_file
from sluis.web.look import Look
from sluis.web.openapi import BASE
from sluis.web.pace import Pace
from sluis.web.pages import (
    HTML,
    SETTING,
    Entry,
    Setting,
    local_path,
    page,
    policy,
    problem_page,
    redirect,
    setting_of,
)
from sluis.web.routes import bound, served
from sluis.web.short import JsonRequest, header
from sluis.web.tries import Tries, address_of
from sluis.web.unsent import Forms
from sluis.web.visitors import SignedIn, Visitors

_MOST_BODY = 1024 * 1024  # bytes, unless a route sets its own `request_max_body_size`

HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", policy().encode()),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
    (b"referrer-policy", b"same-origin"),
    (b"strict-transport-security", b"max-age=31536000; includeSubDomains"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)


class House(msgspec.Struct, frozen=True):
    """What pages say of the node they are of.

    Args:
        organisation: its name.
        test: whether it is no production.
        navigation: entries of the layout.
        idle: seconds without a request after which a session is over.
        look: what of the pages this organisation changes.
        pace: how fast somebody may ask for pages; None for what suits people.
    """

    organisation: str
    test: bool
    navigation: tuple[Entry, ...] = ()
    idle: int = 1800
    look: Look = Look()
    pace: Pace | None = None


Beside = Mapping[str, ASGIApp]
"""Apps that answer beside the pages, each below a path."""

Representing = Callable[[SignedIn], Awaitable[SignedIn]]
"""Finds out how somebody represents another at this moment (`SignedIn.represents`). Awaited for who acts for another."""


class Portal:
    """A node's portal as an ASGI app. Made by `make_portal`."""

    def __init__(
        self,
        framework: Litestar,
        house: House,
        visitors: Visitors,
        secret: bytes,
        api: Any | None,
        tries: Tries,
        representing: Representing | None,
        beside: Beside,
        forms: Forms,
        pace: Pace,
    ) -> None:
        self._framework, self._house, self._visitors = framework, house, visitors
        self._secret, self._api, self._tries, self._representing = secret, api, tries, representing
        self._beside, self._forms, self._pace = beside, forms, pace

    @property
    def routes(self) -> list[tuple[str, str, HTTPRouteHandler]]:
        """Every route as (method, path, handler), for whoever wants to prove something about all of them."""
        return served(self._framework)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            return
        if scope["path"].startswith(f"{BASE}/") and self._api is not None:
            await self._api(scope, receive, partial(challenging, scope, send))
            return
        for path, app in self._beside.items():
            if scope["path"].startswith(f"{path}/"):
                await self._hand_over(app, scope, receive, send)
                return
        # uvicorn drops the body of an answer to HEAD; what the answer is, GET says (RFC 9110 §9.3.2).
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        request: Any = {**scope, "method": method, "extensions": dict(scope.get("extensions") or {})}
        await self._answer(request, receive, send)

    async def _hand_over(self, app: ASGIApp, scope: HTTPScope, receive: Receive, send: Send) -> None:
        """To an app beside the pages: its answers too have the headers of this portal, and a line in the access log."""
        started, sending = time.perf_counter(), Sending(send, HEADERS)
        try:
            await app(scope, receive, sending)
        finally:
            if access_log.isEnabledFor(logging.INFO):
                log_request(scope, sending.status, time.perf_counter() - started, "program")

    async def _answer(self, scope: HTTPScope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        cookies = cookies_of(scope)
        browser = BrowserSecret(cookies.get(BROWSER))
        setting = self._setting(scope, cookies, browser, await self._visitor(cookies.get(COOKIE)))
        scope[SETTING] = setting  # type: ignore[literal-required]
        sending = Sending(send, HEADERS, browser.headers)
        try:
            if scope["path"].startswith("/static/"):
                await send_file(scope, sending, self._house.look.files)
            else:
                known = setting.visitor is not None
                self._pace.take(
                    setting.visitor.acting.person if setting.visitor else address_of(scope), known
                )
                await self._framework(scope, receive, sending)
        except Exception as exception:
            failure = problems.failure_of(exception) if sending.status else problem_of(exception)
            if not sending.status:
                answer = _problem_response(failure, scope)
                await answer.to_asgi_response(app=None, request=Request(scope))(scope, receive, sending)
        finally:
            note_failure(scope, sending.status, self._tries)
            if access_log.isEnabledFor(logging.INFO):
                who = "-" if setting.visitor is None else setting.visitor.audience
                log_request(scope, sending.status, time.perf_counter() - started, who)

    async def _visitor(self, secret: str | None) -> SignedIn | None:
        visitor = self._visitors.by_cookie(secret) if secret else None
        if visitor is not None:
            self._forms.seen(visitor)
        if visitor is None or visitor.acting.entity is None or self._representing is None:
            return visitor
        return await self._representing(visitor)

    def _setting(
        self, scope: HTTPScope, cookies: Mapping[str, str], browser: BrowserSecret, visitor: SignedIn | None
    ) -> Setting:
        language = cookies.get(LANGUAGE)
        if language not in ("nl", "en"):
            language = problems.preferred(header(scope, b"accept-language"))
        query = scope["query_string"].decode("latin-1")
        here = scope["path"] + (f"?{query}" if query else "") if scope["method"] in SAFE else "/"
        return Setting(
            organisation=self._house.organisation,
            language=language,
            visitor=visitor,
            here=local_path(here),
            navigation=self._house.navigation,
            test=self._house.test,
            token=lambda: self._token(visitor, browser),
            browser=browser.value,
            idle=self._house.idle,
            look=self._house.look,
        )

    def _token(self, visitor: SignedIn | None, browser: BrowserSecret) -> str:
        """What a form of this visitor carries: bound to the session, or else to the browser."""
        if visitor is not None:
            return _token_of(self._secret, visitor)
        return _form_token(self._secret, f"browser:{browser.value()}")


def _token_of(secret: bytes, visitor: SignedIn) -> str:
    """What forms carry of who is signed in. Whom they act for is part of it: what was filled in as oneself is not sent as somebody
    else, whom one acts for in another tab by then."""
    acting = visitor.acting
    return _form_token(
        secret, "\n".join(("session", visitor.session, acting.entity or "", acting.intermediary or ""))
    )


def _form_token(secret: bytes, bound_to: str) -> str:
    mac = hmac.digest(secret, bound_to.encode(), "sha256")
    return base64.urlsafe_b64encode(mac)[:-1].decode()


def make_portal(
    handlers: Sequence[HTTPRouteHandler],
    visitors: Visitors,
    house: House,
    secret: bytes,
    api: Any | None = None,
    services: Mapping[str, object] | None = None,
    on_refusal: OnRefusal | None = None,
    representing: Representing | None = None,
    beside: Beside = MappingProxyType({}),
) -> Portal:
    """Gather the rooms' pages and endpoints into one portal.

    Args:
        handlers: routes, with whole paths.
        visitors: who is behind a cookie or a token.
        house: what pages say of this node.
        secret: what forms' tokens are made with; 32 bytes that stay the same when the node starts again.
        api: the app that answers below `/v1`, whose access is a `TokenAccess`.
        services: what routes take by name besides.
        on_refusal: told of each refusal at the door before it is answered.
        representing: finds out how somebody represents another; without, nobody is held to that.
        beside: apps with errors and callers of their own standard, by the path below which each answers.

    Raises `TypeError` when a route serves nobody in particular without being marked open.
    """
    tries, forms = Tries(), Forms(partial(_token_of, secret))
    pace = house.pace or Pace()

    @get("/unsent")
    async def unsent(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """What somebody filled in while their session ended."""
        found, more = forms.of(setting_of(request).browser(), person)
        return page(request, "web/unsent.html", found=found, more=more)

    async def guard(request: Request[Any, Any, Any]) -> Response[Any] | None:
        if setting_of(request).visitor is None:  # one page is counted already
            pace.take(address_of(request.scope), False, request.route_handler.opt.get("weight", 1) - 1)
        try:
            return await let_in(request, tries, forms)
        except Refused as refusal:
            if on_refusal is not None:
                await on_refusal(refusal)
            raise

    def problem(request: Request[Any, Any, Any], failure: Exception) -> Response[Any]:
        most = most_body(request.scope, _MOST_BODY)
        large = isinstance(failure, RequestEntityTooLarge) and wants_page(request.scope)
        found = problems.form_too_large(most) if large else problem_of(failure, most)
        response = _problem_response(found, request.scope)
        if isinstance(failure, MethodNotAllowedException):
            allowed = {*(failure.headers or {}).get("allow", "").split(", ")} - {"OPTIONS", ""}
            response.headers["allow"] = ", ".join(sorted(allowed | ({"HEAD"} if "GET" in allowed else set())))
        return response

    framework = Litestar(
        route_handlers=[bound(handler, services or {}) for handler in (*handlers, _language, unsent)],
        before_request=guard,
        exception_handlers={
            Problem: problem,
            HTTPException: problem,
            msgspec.DecodeError: problem,
            Exception: problem,
        },
        request_class=JsonRequest,
        request_max_body_size=_MOST_BODY,
        openapi_config=None,
        logging_config=None,
        debug=False,
    )
    return Portal(framework, house, visitors, secret, api, tries, representing, beside, forms, pace)


@get("/language/{language:str}", opt={"open": True})
async def _language(language: Literal["nl", "en"], next: str = "/") -> Response[bytes]:
    """Choose a language, and come back."""
    response = redirect(next)
    response.headers["set-cookie"] = set_cookie(LANGUAGE, language, 31_536_000)
    return response


def _problem_response(problem: Problem, scope: Any) -> Response[bytes]:
    setting: Setting = scope[SETTING]
    if problem.code == "unknown-path":
        problem = problems.unknown_page()
    headers = {"content-language": setting.language}
    if problem.seconds:
        headers["retry-after"] = str(problem.seconds)
    if wants_page(scope):
        return Response(
            problem_page(setting, problem, typed(scope)),
            status_code=problem.status,
            media_type=HTML,
            headers=headers,
        )
    content, language = problems.body_of(problem, setting.language)
    headers["content-language"] = language
    return Response(content, status_code=problem.status, media_type=problems.MEDIA_TYPE, headers=headers)

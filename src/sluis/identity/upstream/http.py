"""Where a browser begins to sign in at another's provider and comes back, and where that provider tells who signed out.

OpenID Connect Core 1.0, 3.1.2; Back-Channel Logout 1.0, 2.5.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.handlers import HTTPRouteHandler

from sluis.identity.sessions import Finish, Sessions
from sluis.identity.upstream import faults
from sluis.identity.upstream.model import Begun
from sluis.identity.upstream.service import Upstreams
from sluis.kernel import Level, Problem, Unkept
from sluis.web import Form, address_of, cookies_of, elsewhere, setting_of

log = logging.getLogger("sluis.identity")

_MOST_MEMBERS = 30
_BEGINNING = 10  # pages, for which beginning to sign in counts: it asks the provider, and is kept
_ONCE = ("state", "code", "iss", "error")


def routes(upstreams: Upstreams, sessions: Sessions, finish: Finish) -> list[HTTPRouteHandler]:
    """The routes of all ways of signing in at others.

    Args:
        upstreams: the ways.
        sessions: where sessions end that ended at the provider.
        finish: what happens with who signed in.
    """

    @get("/sign-in/at/{method:str}", opt={"open": True, "weight": _BEGINNING})
    async def begin(
        request: Request[Any, Any, Any],
        method: str,
        next: str = "/",
        level: Level | None = None,
        again: bool = False,
    ) -> Response[bytes]:
        """Begin to sign in: to the provider."""
        language, origin = setting_of(request).language, address_of(request.scope)
        with _told():
            begun = await upstreams.begin(method, next, level, language, again=again, origin=origin)
        response = elsewhere(begun.url)
        response.set_cookie(_cookie(begun))
        return response

    @get("/sign-in/at/{method:str}/return", opt={"open": True})
    async def come_back(request: Request[Any, Any, Any], method: str) -> Response[Any]:
        """Come back from the provider, and be signed in."""
        with _told():
            completed = await upstreams.complete(method, _query(request), cookies_of(request.scope))
        response = await finish(completed.established, request, completed.next)
        response.set_cookie(_cookie(Begun("", completed.cookie, "", 0)))
        return response

    @post(
        "/sign-in/at/{method:str}/signed-out",
        status_code=200,
        opt={"open": True, "cross_site": True},
    )
    async def signed_out(form: Form, method: str) -> Response[bytes]:
        """Hear from a provider that somebody signed out there."""
        try:
            issuer, ended = await upstreams.signed_out(method, form.get("logout_token", ""))
        except Unkept:
            raise
        except Problem as problem:
            raise faults.not_signed_out() from problem
        for one in ended:
            await sessions.end_upstream(issuer, one)
        return Response(b"")

    return [begin, come_back, signed_out]


@contextmanager
def _told() -> Iterator[None]:
    """For who looks after the node: that somebody could not sign in, with which way, and why."""
    try:
        yield
    except Problem as problem:
        log.info("not signed in with %s: %s, %s", problem.peer or "-", problem.code, problem.rule or "-")
        raise


def _query(request: Request[Any, Any, Any]) -> dict[str, str]:
    """What came in the address; nothing when what matters stands there twice, so that nobody reads it another way."""
    try:
        told = parse_qsl(
            request.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            max_num_fields=_MOST_MEMBERS,
        )
    except ValueError:
        return {}
    counted = Counter(name for name, _ in told)
    return {} if any(counted[name] > 1 for name in _ONCE) else dict(told)


def _cookie(begun: Begun) -> Cookie:
    """`Lax`, since the browser comes back from another site."""
    return Cookie(
        begun.cookie,
        path="/",
        value=begun.secret,
        max_age=begun.seconds,
        secure=True,
        httponly=True,
        samesite="lax",
    )

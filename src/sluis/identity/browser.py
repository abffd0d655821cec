"""Which browser asks, before anybody is signed in: a random secret in a cookie of its own, so that what one browser began
no other can end (RFC 6819, 4.4.1.8; OpenID4VP 1.0, 14.2)."""

import re
import secrets
from typing import Any

from litestar import Request, Response
from litestar.datastructures import Cookie

from sluis.web import onward

COOKIE = "__Host-sluis-browser"

_BYTES, _SECONDS = 32, 3600
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")


def browser_of(request: Request[Any, Any, Any]) -> str:
    """The secret of the browser that sent a request; a new one, that nobody has, when it brought none."""
    found = request.cookies.get(COOKIE, "")
    return found if _SECRET.fullmatch(found) else secrets.token_urlsafe(_BYTES)


def remember(response: Response[Any], browser: str) -> Response[Any]:
    """Let the browser keep its secret; `Lax`, since it may come back from a wallet."""
    response.set_cookie(
        Cookie(COOKIE, "/", browser, max_age=_SECONDS, secure=True, httponly=True, samesite="lax")
    )
    return response


def after_form(request: Request[Any, Any, Any], response: Response[Any]) -> Response[Any]:
    """The same redirect, as a page: what follows a form may lead to another site in the end (see `onward`)."""
    made: Response[Any] = onward(request, response.headers["location"])
    made.headers["set-cookie"] = response.headers["set-cookie"]
    return made

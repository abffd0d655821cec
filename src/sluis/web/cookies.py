"""The cookies of the portal: the secret of a session, what forms are bound to before there is one, and a language.

All are `__Host-` cookies (RFC 6265bis, 4.1.3.2): for this host alone, over TLS alone; and no script can read them.
"""

import secrets
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response

COOKIE = "__Host-sluis"
"""The cookie with the secret of a session."""

VISIT = "__Host-sluis-visit"  # what a form's token is bound to before there is a session
LANGUAGE = "__Host-sluis-language"


class Visit:
    """The random cookie that forms are bound to before there is a session; `made` when a form first needed it."""

    def __init__(self, given: str | None) -> None:
        self._given = given
        self.made = ""

    def value(self) -> str:
        """What it holds; from now on the browser must hold it too."""
        if self._given is None:
            self._given = self.made = secrets.token_urlsafe(32)
        return self._given


def held_secret(request: Request[Any, Any, Any]) -> str | None:
    """What the browser holds as the secret of a session; None when it holds nothing."""
    return cookies_of(request.scope).get(COOKIE) or None


def hand_out(response: Response[Any], secret: str) -> Response[Any]:
    """Give the browser the secret of its session."""
    response.headers["set-cookie"] = set_cookie(COOKIE, secret)
    return response


def take_back(response: Response[Any]) -> Response[Any]:
    """Have the browser forget the secret of its session. Of pages it kept nothing (`no-store`)."""
    response.headers["set-cookie"] = set_cookie(COOKIE, "", 0)
    return response


def cookies_of(scope: Mapping[str, Any]) -> dict[str, str]:
    """Our cookies on a request; none when one is there twice, for then somebody else may have set one of the two."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name == b"cookie":
            for part in value.decode("latin-1").split(";"):
                key, _, content = part.strip().partition("=")
                if key.startswith("__Host-sluis"):
                    if key in found and found[key] != content:
                        return {}
                    found[key] = content
    return found


def set_cookie(name: str, value: str, seconds: int | None = None) -> str:
    """A cookie for this host alone, over TLS alone, that scripts cannot read (RFC 6265bis §4.1.3.2)."""
    age = "" if seconds is None else f"; Max-Age={seconds}"
    return f"{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{age}"

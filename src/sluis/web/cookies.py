"""The cookies of the portal: the secret of a session, that of a browser, and a language.

All are `__Host-` cookies (RFC 6265bis, 4.1.3.2): for this host alone, over TLS alone; and no script can read them.
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from litestar import Request, Response

COOKIE = "__Host-sluis"
"""The cookie with the secret of a session."""

BROWSER = "__Host-sluis-browser"
LANGUAGE = "__Host-sluis-language"

_BYTES = 32
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_DAY = 86_400  # seconds: who comes back from a wallet may find that their browser was started anew meanwhile


class BrowserSecret:
    """Which browser asks, whoever is behind it: a random secret, that it is given when something first needs one. What one
    browser began no other can end (RFC 6819, 4.4.1.8; OpenID4VP 1.0, 14.2), and a form is of the browser that was shown it.

    Args:
        given: what the browser holds; what was not handed out here is as good as nothing.
    """

    def __init__(self, given: str | None) -> None:
        self._held = given if given is not None and _SECRET.fullmatch(given) else None
        self._made = False

    def value(self) -> str:
        """The secret; from now on the browser must hold it."""
        if self._held is None:
            self._held, self._made = secrets.token_urlsafe(_BYTES), True
        return self._held

    def headers(self) -> list[tuple[bytes, bytes]]:
        """With which the browser gets it; none when it holds it, or needs none."""
        return [(b"set-cookie", set_cookie(BROWSER, self.value(), _DAY).encode())] if self._made else []


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

"""Who calls: the JSON Web Tokens of the ZGW APIs, which an application signs with the secret that it shares with this node.

The standard knows HS256 alone. `crypto.read_jwt` believes no symmetric keys, and rightly; so what it holds to is held to
here too, but for the key: one way to write a byte, no member twice, no `crit` and no `b64`, one algorithm, a secret of at
least 256 bits, a bounded age. A token says who calls and nothing else: what it may do, this node's settings say.
"""

import hmac
from collections.abc import Mapping
from typing import Any, Final

from sluis.crypto import read_json, read_jws
from sluis.events.notificaties.faults import unidentified
from sluis.events.notificaties.model import Application
from sluis.kernel import Invalid, Text

LONGEST_TOKEN: Final = 4_096
OLDEST: Final = 3_600
"""Seconds that a token may be old, as is the practice of the ZGW APIs."""
LEEWAY: Final = 60

_MISSING = Text("Er kwam geen JWT mee.", "No JWT came along.")
_FORM = Text(
    "De JWT is niet te lezen, of niet met HS256 getekend.",
    "The JWT cannot be read, or is not signed with HS256.",
)
_UNKNOWN = Text(
    "De handtekening is niet van een bekende toepassing.",
    "The signature is not of an application that is known.",
)
_TIME = Text(
    "De JWT is verlopen, nog niet geldig, of zegt niet hoe oud zij is.",
    "The JWT is over, not valid yet, or does not say how old it is.",
)


def caller(header: str, applications: Mapping[str, Application], now: float) -> Application:
    """The application that a request is of.

    Args:
        header: `Authorization`.
        applications: those that are known, by their `client_id`.
        now: seconds since the epoch.

    Raises:
        Unidentified: it brought no token that is believed.
    """
    kind, _, token = header.strip().partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise unidentified(_MISSING)
    try:
        jws = read_jws(token.strip(), LONGEST_TOKEN)
        claims = read_json(jws.payload)
    except Invalid:
        raise unidentified(_FORM) from None
    typ = jws.header.get("typ", "JWT")
    if (
        jws.algorithm != "HS256"
        or "b64" in jws.header
        or typ not in ("JWT", "jwt")
        or not isinstance(claims, dict)
    ):
        raise unidentified(_FORM)
    application = _named(claims, applications)
    secret = application.secret if application else b"\0" * 32  # as long for who is not known
    right = hmac.compare_digest(hmac.digest(secret, jws.signed, "sha256"), jws.signature)
    if application is None or not right:
        raise unidentified(_UNKNOWN)
    if not _timely(claims, now):
        raise unidentified(_TIME)
    return application


def _named(claims: Mapping[str, Any], applications: Mapping[str, Application]) -> Application | None:
    names = {claims[name] for name in ("client_id", "iss") if isinstance(claims.get(name), str)}
    return applications.get(names.pop()) if len(names) == 1 else None


def _timely(claims: Mapping[str, Any], now: float) -> bool:
    times: list[Any] = [claims.get("iat"), claims.get("nbf", 0), claims.get("exp", now)]
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in times):
        return False
    made, begins, ends = times
    return bool(
        now - OLDEST - LEEWAY <= made <= now + LEEWAY and begins <= now + LEEWAY and ends >= now - LEEWAY
    )

"""What is asked of a provider, and what is believed of what it answers. Pure.

OpenID Connect Core 1.0 (3.1.3.7), Discovery 1.0 (3, 4.3), OAuth 2.0 Security BCP (RFC 9700), OIDC-NLGOV 1.0.1.
Identifiers decide who somebody is and for whom they act; names are only shown.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec

from sluis.crypto import LEEWAY, encode_base64url
from sluis.identity.upstream import faults
from sluis.identity.upstream.model import Method, Provider
from sluis.kernel import ACR, Level, Problem, Text, convert, reaches

OLDEST_TOKEN = 600
"""Seconds after which an id_token is of no sign-in of now."""

_LONGEST_AGO = (
    12 * 3600
)  # seconds since the person proved it there; who is asked this must tell when (Core 1.0, 3.1.2.1)
_LONGEST_SUBJECT = 255  # OpenID Connect Core 1.0, 2
_CANCELLED = frozenset({"access_denied", "interaction_required", "login_required", "consent_required"})
_LEVEL_NOT_MET = (
    "unmet_authentication_requirements"  # OpenID Connect Core Unmet Authentication Requirements 1.0
)


def derived(secret: str, state: str, what: str) -> str:
    """The nonce or code verifier of one sign-in, 43 characters: nobody can make it without the secret that only the browser
    of whoever began has."""
    return encode_base64url(hmac.digest(secret.encode(), f"{what}|{state}".encode(), "sha256"))


def challenge(verifier: str) -> str:
    """The code challenge of a verifier, method S256 (RFC 7636, 4.2)."""
    return encode_base64url(hashlib.sha256(verifier.encode()).digest())


def acr_values(method: Method, level: Level | None) -> tuple[str, ...]:
    """What to ask for, so that at least `level` comes back; the weakest that suffices first."""
    known = method.levels or {name: level for level, name in ACR.items()}
    if level is None:
        return ()
    enough = [(acr, given) for acr, given in known.items() if reaches(given, level)]
    return tuple(acr for acr, _ in sorted(enough, key=lambda one: list(method.gives or ACR).index(one[1])))


def authorization_url(
    method: Method,
    provider: Provider,
    redirect_uri: str,
    *,
    state: str,
    secret: str,
    level: Level | None,
    language: str = "nl",
    again: bool = False,
) -> str:
    """Where to send the browser (OpenID Connect Core 1.0, 3.1.2.1).

    Args:
        method: the way of signing in.
        provider: as it described itself.
        redirect_uri: where the answer must come.
        state: of this sign-in.
        secret: of the browser.
        level: that is needed.
        language: of the person.
        again: whether the person must prove it anew.
    """
    acr = acr_values(method, level)
    asked = {
        "response_type": "code",
        "client_id": method.client,
        "redirect_uri": redirect_uri,
        "scope": " ".join(dict.fromkeys(("openid", *method.scopes))),
        "state": state,
        "nonce": derived(secret, state, "nonce"),
        "code_challenge": challenge(derived(secret, state, "verifier")),
        "code_challenge_method": "S256",
        "ui_locales": language,
        "max_age": str(_LONGEST_AGO),
        **({"acr_values": " ".join(acr)} if acr else {}),
        **({"prompt": "login"} if again else {}),
    }
    mark = "&" if urlsplit(provider.authorization_endpoint).query else "?"
    return f"{provider.authorization_endpoint}{mark}{urlencode(asked)}"


def read_provider(method: Method, document: Any) -> Provider:
    """The discovery document of a provider. Raises `Upstream` when it is not of this issuer, or not usable."""
    try:
        provider = convert(document, Provider)
    except msgspec.ValidationError:
        raise faults.not_understood(method.title, _NOT_DISCOVERY) from None
    if provider.issuer != method.issuer:
        raise faults.not_understood(method.title, _OTHER_ISSUER)
    methods = provider.code_challenge_methods_supported
    if methods is not None and "S256" not in methods:
        raise faults.not_understood(method.title, _NO_PKCE)
    for url in (
        provider.authorization_endpoint,
        provider.token_endpoint,
        provider.jwks_uri,
        provider.userinfo_endpoint,
        provider.end_session_endpoint,
    ):
        if url is not None and not may_call(method, url):
            raise faults.not_understood(method.title, _OTHER_HOST)
    return provider


def may_call(method: Method, url: str) -> bool:
    """Whether an address is the provider's: on the host of its issuer, below it, or on one that the settings name."""
    try:
        parts, home = urlsplit(url), urlsplit(method.issuer).hostname or ""
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    plain = parts.scheme == "https" and parts.username is None and not parts.fragment and url.isprintable()
    named = {home, *(name.lower() for name in method.hosts)}
    return plain and bool(host) and (host in named or (not _is_address(home) and host.endswith(f".{home}")))


def check_answer(method: Method, provider: Provider, query: Mapping[str, str]) -> None:
    """That an answer to the browser is of the provider that was asked (RFC 9207, 2.4). Raises `Refused`."""
    named = query.get("iss")
    if named is None and not provider.authorization_response_iss_parameter_supported:
        return
    if named != method.issuer:
        raise faults.mixed_up()


def error_in(method: Method, query: Mapping[str, str]) -> Problem | None:
    """What an error in an answer means to the person; None when there is none (RFC 6749, 4.1.2.1)."""
    error = query.get("error")
    if error is None:
        return None
    if error in _CANCELLED:
        return faults.cancelled(method.title)
    if error == _LEVEL_NOT_MET:
        return faults.level_too_low(method.title)
    return faults.refused_there(method.title, error_name(error))


def error_name(error: Any) -> str:
    """The name of an OAuth error, when it looks like one."""
    named = error if isinstance(error, str) and len(error) <= 60 else ""
    return named if named.isascii() and named.replace("_", "").isalnum() else ""


def check_token(method: Method, claims: Mapping[str, Any], nonce: str, now: float) -> str:
    """What an id_token must say beyond issuer, audience and time (OpenID Connect Core 1.0, 3.1.3.7).

    Args:
        method: the way of signing in.
        claims: of a token whose signature, issuer, audience and times were checked.
        nonce: of this sign-in.
        now: seconds since the epoch.

    Returns: the subject. Raises `Refused`.
    """
    told = claims.get("nonce")
    if not isinstance(told, str) or not hmac.compare_digest(told.encode(), nonce.encode()):
        raise faults.not_believed(method.title, _OTHER_NONCE)
    audience = claims.get("aud")
    if audience not in (method.client, [method.client]) or claims.get("azp", method.client) != method.client:
        raise faults.not_believed(method.title, _OTHER_CLIENT)
    made = claims.get("iat")
    if not isinstance(made, int | float) or made < now - OLDEST_TOKEN - LEEWAY:
        raise faults.not_believed(method.title, _TOO_OLD)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise faults.not_believed(method.title, _NO_SUBJECT)
    return subject


def check_level(method: Method, claims: Mapping[str, Any], wanted: Level | None) -> Level | None:
    """The level that a token proves. A directory of officials may have none, when none was asked for.

    Args:
        method: the way of signing in.
        claims: of a token that is believed.
        wanted: what was asked for.

    Raises `Refused`: unknown, or lower than asked.
    """
    level = method.level_of(claims.get("acr"))
    if level is None and method.audience != "staff":
        raise faults.unknown_level(method.title)
    if wanted is not None and not reaches(level, wanted):
        raise faults.level_too_low(method.title)
    return level


def proven_at(claims: Mapping[str, Any], now: float) -> int:
    """When the person proved who they are, seconds since the epoch: as told, and never later than now. 0 when it is not told:
    that may be long ago, and whoever has the browser decides what the provider is asked, also to prove it anew."""
    told = claims.get("auth_time")
    if isinstance(told, bool) or not isinstance(told, int | float) or told <= 0:
        return 0
    return int(min(told, now))


def sign_out_url(method: Method, provider: Provider, back: str, state: str) -> str | None:
    """Where somebody signs out at the provider too (OpenID Connect RP-Initiated Logout 1.0, 2); None when it has no such
    place. No id_token goes along: it may hold a BSN, and would stand in an address.

    Args:
        method: by which somebody signed in.
        provider: of it, as its metadata say.
        back: where the browser goes after that.
        state: comes back with it.
    """
    if provider.end_session_endpoint is None:
        return None
    asked = {"client_id": method.client, "post_logout_redirect_uri": back, "state": state}
    mark = "&" if urlsplit(provider.end_session_endpoint).query else "?"
    return f"{provider.end_session_endpoint}{mark}{urlencode(asked)}"


def issuers_in(claims: Mapping[str, Any]) -> Sequence[str]:
    """Every issuer that a token leans on: its own, and those of whoever is represented."""
    found, part = list[str](), claims
    for _ in range(_DEEPEST):
        if isinstance(part.get("iss"), str):
            found.append(part["iss"])
        inner = part.get("represents")
        if not isinstance(inner, Mapping):
            break
        part = inner
    return found


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()


_DEEPEST = 8
_NOT_DISCOVERY = Text(
    "Haar beschrijving (discovery) heeft niet de goede vorm.",
    "Its description (discovery) is not of the right form.",
)
_OTHER_ISSUER = Text(
    "De beschrijving (discovery) is van een andere inlogdienst.",
    "The description (discovery) is of another sign-in service.",
)
_OTHER_HOST = Text(
    "De beschrijving (discovery) noemt een adres dat niet van deze inlogdienst is.",
    "The description (discovery) names an address that is not of this sign-in service.",
)
_NO_PKCE = Text(
    "Deze inlogdienst kent geen PKCE met S256.", "This sign-in service does not know PKCE with S256."
)
_OTHER_NONCE = Text("Het is van een ander inloggen.", "It is of another sign-in.")
_OTHER_CLIENT = Text("Het is voor een ander bedoeld.", "It is meant for someone else.")
_TOO_OLD = Text("Het is te oud.", "It is too old.")
_NO_SUBJECT = Text("Het noemt niemand.", "It names nobody.")

"""What a request must be, check by check, and what follows from it. Pure.

The checks of an endpoint are a table in the order in which they are made: the error, what makes it one, and why it is
told. A request that is asked for a client or an address that is not registered is never answered by a redirect.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

from sluis.crypto import encode_base64url, read_json
from sluis.identity.clients import Client
from sluis.identity.provider.faults import OAuthProblem
from sluis.identity.provider.model import CODE_SECONDS, Asked, Grant, SignIn
from sluis.kernel import ACR, LEVELS, Invalid, Level, Repeated, Text, level_of, reaches, read_fields
from sluis.web import SignedIn

Form = Mapping[str, str]
Check = tuple[str, Callable[[Form, Client], bool], Text]

PROMPTS = ("none", "login", "select_account")
"""What may be prompted; consent is not asked for, since the organisation that registers a client answers for it."""

_MOST_PARAMETERS = 40
_LONGEST_SUBJECT = 255  # characters: OpenID Connect Core 1.0, 2
_LONG_ENOUGH = re.compile(r"[\x21-\x7e]{22,512}")  # 128 bits need 22 characters of base64url
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # RFC 7636, 4.2: a SHA-256
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636, 4.1
_AGE = re.compile(r"[0-9]{1,9}")


def read_form(raw: bytes) -> dict[str, str]:
    """Parameters of a query or form; one without a value counts as left out (RFC 6749, 3.1).

    Args:
        raw: `application/x-www-form-urlencoded`, bounded by the caller.

    Raises:
        OAuthProblem: invalid_request: not readable, or one that stands there twice.
    """
    try:
        form = read_fields(raw.decode("ascii"), _MOST_PARAMETERS)
    except Repeated:
        raise OAuthProblem("invalid_request", _TWICE) from None
    except ValueError:
        raise OAuthProblem("invalid_request", _UNREADABLE) from None
    return {name: value for name, value in form.items() if value}


def may_redirect(form: Form, client: Client | None) -> Client:
    """The client, when an answer may go to the address that it names: literally one that is registered (RFC 9700, 2.1).

    Raises:
        Invalid: nothing may be redirected; the person is told.
    """
    if client is None:
        raise _stray(_NO_CLIENT)
    if form.get("redirect_uri") not in client.redirect_uris:
        raise _stray(_NO_REDIRECT)
    return client


def understand(form: Form, client: Client, now: int) -> Asked:
    """An authorization request, understood.

    Args:
        form: its parameters; `may_redirect` was asked before.
        client: who asks.
        now: seconds since the epoch.

    Raises:
        OAuthProblem: the first check of `AUTHORIZE` that it fails.
    """
    for error, broken, why in AUTHORIZE:
        if broken(form, client):
            raise OAuthProblem(error, why)
    claims, prompts = _claims(form), _words(form, "prompt")
    level = _wanted(form, claims, client.level)
    age = form.get("max_age")
    return Asked(
        client=client.id,
        redirect_uri=form["redirect_uri"],
        scope=_words(form, "scope"),
        state=form["state"],
        nonce=form["nonce"],
        challenge=form["code_challenge"],
        level=level,
        made=now,
        fresh=bool({"login", "select_account"} & set(prompts)),
        silent="none" in prompts,
        max_age=None if age is None else int(age),
        resource=form.get("resource"),
        subject=_asked_subject(claims),
    )


def next_step(asked: Asked, signed_in: SignedIn | None, now: int, *, tried: bool = False) -> SignIn | None:
    """Who has to sign in before a code is given; None when nobody has to.

    Args:
        asked: the request.
        signed_in: who is there.
        now: seconds since the epoch.
        tried: whether somebody signed in for this very request already.

    Raises:
        OAuthProblem: somebody would have to, and nobody may be asked, or it would not help.
    """
    fresh = asked.fresh and (signed_in is None or signed_in.at < asked.made)
    if asked.max_age is not None and signed_in is not None:
        # What was proven for this very request is young enough, whatever the age that was asked for.
        fresh = fresh or signed_in.at < min(now - asked.max_age, asked.made)
    if signed_in is not None and not fresh and reaches(signed_in.level, asked.level):
        return None
    if asked.silent:
        raise OAuthProblem("login_required", _SILENT)
    if tried and fresh and signed_in is not None and signed_in.at == 0:
        raise OAuthProblem("unmet_authentication_requirements", _NOT_TOLD_WHEN)
    return SignIn(asked.level, fresh)


def grant_of(asked: Asked, signed_in: SignedIn) -> Grant:
    """What this person lets that client have."""
    acr = signed_in.acr if signed_in.level is None else ACR.get(signed_in.level, signed_in.acr)
    return Grant(
        asked=asked,
        session=signed_in.session,
        acting=signed_in.acting,
        audience=signed_in.audience,
        level=signed_in.level,
        acr=acr,
        method=signed_in.method,
        at=signed_in.at,
        roles=signed_in.roles,
    )


def redeemable(grant: Grant, form: Form, client: Client, made: int, now: int) -> OAuthProblem | None:
    """What is wrong with trading this code; None when nothing is (RFC 6749, 4.1.3; RFC 7636, 4.6).

    Args:
        grant: behind the code.
        form: of the token request.
        client: that proved itself.
        made: when the code was handed out.
        now: seconds since the epoch.
    """
    checks = (
        (grant.asked.client == client.id, _OTHER_CLIENT),
        (made <= now + 60 and now < made + CODE_SECONDS, _TOO_LATE),
        (form.get("redirect_uri") == grant.asked.redirect_uri, _OTHER_REDIRECT),
        (verifies(form.get("code_verifier", ""), grant.asked.challenge), _VERIFIER_WRONG),
    )
    return next((OAuthProblem("invalid_grant", why) for holds, why in checks if not holds), None)


def verifies(verifier: str, challenge: str) -> bool:
    """Whether a PKCE verifier is the one that a challenge was made of: S256 and nothing else (RFC 7636, 4.6)."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    made = encode_base64url(hashlib.sha256(verifier.encode()).digest())
    return hmac.compare_digest(made, challenge)


def scope_of(form: Form, allowed: tuple[str, ...]) -> tuple[str, ...]:
    """The scope that is asked for, or all that is allowed. Raises `OAuthProblem` (invalid_scope) for more."""
    asked = _words(form, "scope") or allowed
    if not set(asked) <= set(allowed):
        raise OAuthProblem("invalid_scope", _NO_SCOPE)
    return asked


def target_of(form: Form, client: Client) -> str | None:
    """For whom a token is asked, by `resource` (RFC 8707) or `audience` (RFC 8693); None when it is not said.

    Raises `OAuthProblem` (invalid_target) for one that the client may not ask.
    """
    named = {form[name] for name in ("resource", "audience") if name in form}
    if len(named) > 1 or not named <= set(client.audiences):
        raise OAuthProblem("invalid_target", _NO_TARGET)
    return named.pop() if named else None


def answer_url(redirect_uri: str, issuer: str, **parameters: str) -> str:
    """Where an answer goes: the registered address, what is in its query kept, and `iss` added (RFC 9207)."""
    return with_parameters(redirect_uri, **parameters, iss=issuer)


def with_parameters(uri: str, **parameters: str) -> str:
    """An address with these parameters after what is in its query already."""
    parts, added = urlsplit(uri), urlencode(parameters)
    if not added:
        return uri
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))


def _words(form: Form, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(form.get(name, "").split()))


def _claims(form: Form) -> dict[str, Any]:
    """The `id_token` part of the `claims` parameter (OpenID Connect Core 1.0, 5.5)."""
    try:
        claims = read_json(form.get("claims", "{}").encode())
    except Invalid:
        raise OAuthProblem("invalid_request", _BAD_CLAIMS) from None
    if not isinstance(claims, dict):
        raise OAuthProblem("invalid_request", _BAD_CLAIMS)
    for_identity, for_userinfo = (claims.get(name) or {} for name in ("id_token", "userinfo"))
    if not isinstance(for_identity, dict) or not isinstance(for_userinfo, dict):
        raise OAuthProblem("invalid_request", _BAD_CLAIMS)
    return for_identity


def _values(claim: Any) -> list[Any]:
    """What a claim should be, one of these; empty when it may be anything."""
    if not isinstance(claim, dict):
        return []
    values = claim.get("values", [])
    return [claim["value"]] if "value" in claim else values if isinstance(values, list) else []


def _wanted(form: Form, claims: Mapping[str, Any], lowest: Level) -> Level:
    """The lowest level that will do: of what is asked in each of the two ways, but never below what the client has to have."""
    wanted = [lowest]
    for asked in (_words(form, "acr_values"), _values(claims.get("acr"))):
        known = [level for one in asked if isinstance(one, str) and (level := level_of(one)) is not None]
        if asked and not known:
            raise OAuthProblem("unmet_authentication_requirements", _NO_LEVEL)
        wanted.append(min(known, key=LEVELS.index, default=lowest))
    return max(wanted, key=LEVELS.index)


def _asked_subject(claims: Mapping[str, Any]) -> str | None:
    """Who it must be, as a `sub` of ours: nothing else that stands there is anybody, and it is kept no longer than that."""
    values = _values(claims.get("sub"))
    return str(values[0])[:_LONGEST_SUBJECT] if values else None


def _stray(why: Text) -> Invalid:
    return Invalid(
        "stray-sign-in",
        Text("Dit verzoek om in te loggen klopt niet.", "This request to sign in is wrong."),
        why,
        Text(
            "Ga terug naar de website waar u vandaan komt en probeer het opnieuw.",
            "Go back to the website that you came from, and try again.",
        ),
    )


_NO_CLIENT = Text("Het programma is hier niet bekend.", "The program is not known here.")
_NO_REDIRECT = Text(
    "Het adres om naar terug te gaan is niet van dat programma.",
    "The address to go back to is not that program's.",
)
_UNREADABLE = Text("De parameters zijn niet te lezen.", "The parameters cannot be read.")
_TWICE = Text("Een parameter staat er twee keer.", "A parameter stands there twice.")
_NOT_THIS_WAY = Text("Dit programma logt zo niet in.", "This program does not sign in this way.")
_ONLY_CODE = Text("response_type moet code zijn.", "response_type must be code.")
_ONLY_QUERY = Text("response_mode moet query zijn.", "response_mode must be query.")
_NO_OBJECT = Text("Stuur het verzoek naar het PAR-adres.", "Send the request to the PAR endpoint.")
_NO_OPENID = Text("openid ontbreekt in scope.", "openid is missing from scope.")
_NO_SCOPE = Text("Er wordt meer gevraagd dan mag.", "More is asked than is allowed.")
_SHORT_STATE = Text("state heeft minstens 128 bits nodig.", "state needs at least 128 bits.")
_SHORT_NONCE = Text("nonce heeft minstens 128 bits nodig.", "nonce needs at least 128 bits.")
_NO_PKCE = Text("PKCE met S256 is nodig.", "PKCE with S256 is needed.")
_BAD_PROMPT = Text(
    "prompt kan none, login of select_account zijn.", "prompt can be none, login or select_account."
)
_BAD_AGE = Text("max_age is geen aantal seconden.", "max_age is no number of seconds.")
_BAD_CLAIMS = Text("claims is niet te lezen.", "claims cannot be read.")
_NO_TARGET = Text(
    "Voor deze ontvanger mag het geen token vragen.", "It may not ask a token for this audience."
)
_NO_LEVEL = Text("Geen van de gevraagde niveaus is bekend.", "None of the levels asked for is known.")
_NOT_TOLD_WHEN = Text(
    "De inlogdienst zegt niet wanneer iemand bewees wie hij is.",
    "The sign-in service does not tell when somebody proved who they are.",
)
_SILENT = Text("Zonder iets te vragen gaat het niet.", "It cannot be done without asking.")
_OTHER_CLIENT = Text("De code is van een ander programma.", "The code is of another program.")
_TOO_LATE = Text("De code is verlopen.", "The code has ended.")
_OTHER_REDIRECT = Text("redirect_uri is een andere.", "redirect_uri is another one.")
_VERIFIER_WRONG = Text("code_verifier klopt niet.", "code_verifier is wrong.")

AUTHORIZE: tuple[Check, ...] = (
    ("unauthorized_client", lambda form, client: "authorization_code" not in client.grants, _NOT_THIS_WAY),
    ("request_not_supported", lambda form, client: "request" in form, _NO_OBJECT),
    ("request_uri_not_supported", lambda form, client: "request_uri" in form, _NO_OBJECT),
    ("unsupported_response_type", lambda form, client: form.get("response_type") != "code", _ONLY_CODE),
    ("invalid_request", lambda form, client: form.get("response_mode", "query") != "query", _ONLY_QUERY),
    ("invalid_request", lambda form, client: not _LONG_ENOUGH.fullmatch(form.get("state", "")), _SHORT_STATE),
    ("invalid_request", lambda form, client: not _LONG_ENOUGH.fullmatch(form.get("nonce", "")), _SHORT_NONCE),
    ("invalid_request", lambda form, client: form.get("code_challenge_method") != "S256", _NO_PKCE),
    ("invalid_request", lambda form, client: not _CHALLENGE.fullmatch(form.get("code_challenge", "")), _NO_PKCE),
    ("invalid_scope", lambda form, client: "openid" not in _words(form, "scope"), _NO_OPENID),
    ("invalid_scope", lambda form, client: not set(_words(form, "scope")) <= set(client.scopes), _NO_SCOPE),
    ("invalid_request", lambda form, client: not set(_words(form, "prompt")) <= set(PROMPTS), _BAD_PROMPT),
    ("invalid_request", lambda form, client: "none" in (asked := _words(form, "prompt")) and len(asked) > 1, _BAD_PROMPT),
    ("invalid_request", lambda form, client: not _AGE.fullmatch(form.get("max_age", "0")), _BAD_AGE),
    ("invalid_target", lambda form, client: form.get("resource") not in (*client.audiences, None), _NO_TARGET),
)  # fmt: skip
"""The checks of an authorization request, in order."""

"""One OpenID provider of others, over the network: its description, its keys, tokens for codes, userinfo, rotation.

What it answers is hostile until it was checked, and only its own hosts are asked. The description and the keys are kept for an hour, and are fetched anew when a token names a key that is
not among them; a provider that is away for a while is still known by what it said before.
"""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar
from urllib.parse import quote_plus

from sluis.crypto import LEEWAY, SIGNATURES, Keys, check_claims, read_json, read_jwks, read_jwt
from sluis.identity.clients import ASSERTION_TYPE
from sluis.identity.tokens import LOGOUT_EVENT
from sluis.identity.upstream import faults, rules
from sluis.identity.upstream.calls import Answer, Calls
from sluis.identity.upstream.model import Method, Provider
from sluis.kernel import Clock, Invalid, Problem, Text, new_transaction_id


class OwnKeys(Protocol):
    """The keys of this node that providers know."""

    def proof(self, claims: Mapping[str, Any]) -> str:
        """Claims as a JWT, signed (RFC 7523, 2.2)."""

    def opened(self, token: str) -> str:
        """What was encrypted for this node (RFC 7519, 5.2). Raises `Invalid`."""


_FRESH = timedelta(hours=1)
_STALE = timedelta(days=7)
_REST = timedelta(seconds=30)  # between two looks for a key that is not there
_LONGEST_SECRET = 4096
_DOTS_OF_JWE = 4  # RFC 7516, 3.1
_ID_TOKEN_SECONDS = 24 * 3600
_LOGOUT_SECONDS = 3600

T = TypeVar("T")


class _Told(Generic[T]):
    """What a provider tells at one address: kept, and asked for again when it is old. Who waits meanwhile shares the answer,
    also that there is none; and what is kept is used at once while the provider is away.

    Args:
        fetch: asks for it. Raises `Problem`.
        longest: how old it may be when it cannot be had anew.
        clock: aware UTC.
    """

    def __init__(self, fetch: Callable[[], Awaitable[T]], longest: timedelta, clock: Clock) -> None:
        self._fetch, self._longest, self._clock = fetch, longest, clock
        self._lock = asyncio.Lock()
        self._kept: tuple[T, datetime] | None = None
        self._failed: tuple[Problem, datetime] | None = None

    async def get(self, fresh: timedelta) -> tuple[T, bool]:
        """It, at most so old if that can be; and whether it was fetched for this. Raises `Problem`."""
        since = self._clock()
        async with self._lock:
            now = self._clock()
            if self._kept is not None and now < self._kept[1] + fresh:
                return self._kept[0], False
            kept = self._kept if self._kept is not None and now < self._kept[1] + self._longest else None
            if self._failed is None or since >= self._failed[1] + (_REST if kept else timedelta(0)):
                try:
                    self._kept, self._failed = (await self._fetch(), now), None
                    return self._kept[0], True
                except Problem as problem:
                    self._failed = problem, self._clock()
            if kept is None:
                raise self._failed[0].with_traceback(None)
            return kept[0], False


class Remote:
    """One provider. For one event loop.

    Args:
        method: how it is used.
        calls: over the network.
        own: proves who this node is, and opens what is encrypted for it.
        clock: aware UTC.
    """

    def __init__(self, method: Method, calls: Calls, own: OwnKeys, clock: Clock) -> None:
        self.method = method
        self._calls, self._own, self._clock = calls, own, clock
        self._described = _Told(self._describe, _STALE, clock)
        self._signing = _Told(self._fetch_keys, _FRESH * 24, clock)

    async def provider(self) -> Provider:
        """What the provider says of itself. Raises `Upstream`."""
        return (await self._described.get(_FRESH))[0]

    async def redeem(self, code: str, redirect_uri: str, verifier: str) -> tuple[str, str]:
        """Exchange a code (OpenID Connect Core 1.0, 3.1.3).

        Args:
            code: from the answer to the browser.
            redirect_uri: as in the request.
            verifier: of PKCE (RFC 7636, 4.5).

        Returns: the id_token and the access token, unchecked. Raises `Upstream`, `Invalid`.
        """
        provider = await self.provider()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        proof, headers = self._proof(provider)
        answer = await self._call("POST", provider.token_endpoint, {**form, **proof}, headers)
        told = self._parsed(answer.body)
        if answer.status != 200:
            raise faults.refused_there(self.method.title, rules.error_name(told.get("error")))
        tokens = told.get("id_token"), told.get("access_token")
        if not all(isinstance(one, str) for one in tokens) or str(told.get("token_type")).lower() != "bearer":
            raise faults.not_understood(self.method.title, _NO_TOKEN)
        return str(tokens[0]), str(tokens[1])

    async def claims(self, id_token: str) -> dict[str, Any]:
        """The claims of an id_token of this provider, for this node, of now. Raises `Refused`, `Upstream`."""
        return await self._checked(id_token, "JWT", _ID_TOKEN_SECONDS)

    async def userinfo(self, access_token: str, subject: str) -> dict[str, Any]:
        """What else the provider tells (OpenID Connect Core 1.0, 5.3), as JSON or signed; nothing when it has no such place.

        Args:
            access_token: that came with the id_token.
            subject: of the id_token, which must be the same.

        Raises `Refused`, `Upstream`.
        """
        provider = await self.provider()
        if provider.userinfo_endpoint is None:
            return {}
        bearer = {"authorization": f"Bearer {access_token}"}
        answer = await self._call("GET", provider.userinfo_endpoint, headers=bearer)
        if answer.status != 200:
            raise faults.refused_there(self.method.title, "")
        signed = answer.media_type == "application/jwt"
        told = await self._signed_userinfo(answer.body) if signed else self._parsed(answer.body)
        if told.get("sub") != subject:
            raise faults.not_believed(self.method.title, _OTHER_SUBJECT)
        return told

    async def signed_out(self, token: str) -> dict[str, Any]:
        """The claims of a logout token (OpenID Connect Back-Channel Logout 1.0, 2.6). Raises `Refused`, `Upstream`."""
        try:
            claims = await self._checked(token, "logout+jwt", _LOGOUT_SECONDS)
        except Problem as problem:
            if problem.rule != "typ":
                raise
            claims = await self._checked(token, "JWT", _LOGOUT_SECONDS)  # the type is a SHOULD (2.4)
        events = claims.get("events")
        told = isinstance(events, dict) and isinstance(events.get(LOGOUT_EVENT), dict)
        if not told or "nonce" in claims or not isinstance(claims.get("jti"), str):
            raise faults.not_signed_out()
        return claims

    async def close(self) -> None:
        """Close every connection."""
        await self._calls.close()

    async def _signed_userinfo(self, answer: bytes) -> dict[str, Any]:
        """OpenID Connect Core 1.0, 5.3.2: signed, it should name issuer and audience; it has no times of its own."""
        try:
            claims = await self._verified(answer.decode("ascii"), "JWT")
        except (UnicodeDecodeError, Invalid):
            raise faults.not_believed(self.method.title, _NO_SIGNATURE) from None
        audience = claims.get("aud", self.method.client)
        if claims.get("iss") != self.method.issuer or self.method.client not in (
            audience if isinstance(audience, list) else [audience]
        ):
            raise faults.not_believed(self.method.title, _OTHER_SUBJECT)
        return claims

    async def _checked(self, token: str, typ: str, longest: int) -> dict[str, Any]:
        try:
            claims = await self._verified(token, typ)
            check_claims(
                claims,
                issuer=self.method.issuer,
                audience=self.method.client,
                now=self._clock().timestamp(),
                leeway=LEEWAY,
                longest=longest,
            )
        except Invalid as problem:
            raise faults.not_believed(self.method.title, problem.why, rule=problem.rule or "token") from None
        return claims

    async def _verified(self, token: str, typ: str) -> dict[str, Any]:
        """The claims in a token that the provider signed, and may have encrypted for this node (OIDC-NLGOV: one with a BSN
        should be); with its keys as they are now when they seem to have changed. Raises `Invalid`, `Upstream`."""
        if token.count(".") == _DOTS_OF_JWE:
            token = self._own.opened(token)
        keys, fetched = await self._known_keys()
        try:
            return read_jwt(token, keys, typ=typ, algorithms=SIGNATURES)
        except Invalid as problem:
            if problem.rule not in ("key", "signature") or fetched:
                raise
        keys, _ = await self._known_keys(anew=True)
        return read_jwt(token, keys, typ=typ, algorithms=SIGNATURES)

    async def _known_keys(self, *, anew: bool = False) -> tuple[Keys, bool]:
        """The keys of the provider, and whether they were fetched for this."""
        return await self._signing.get(_REST if anew else _FRESH)

    async def _describe(self) -> Provider:
        url = self.method.issuer.rstrip("/") + "/.well-known/openid-configuration"
        return rules.read_provider(self.method, await self._document(url))

    async def _fetch_keys(self) -> Keys:
        try:
            return read_jwks(await self._document((await self.provider()).jwks_uri))
        except Problem:
            raise faults.unreachable(self.method.title, _NO_KEYS) from None

    def _proof(self, provider: Provider) -> tuple[dict[str, str], dict[str, str]]:
        """How this node proves who it is: what goes into the form, or into the header (RFC 6749, 2.3.1; RFC 7523, 2.2)."""
        client = self.method.client
        if self.method.secret_file is None:
            now = int(self._clock().timestamp())
            claims = {
                "iss": client,
                "sub": client,
                "aud": self.method.issuer,  # and nobody else, lest another provider use it (RFC 9700)
                "jti": new_transaction_id(),
                "iat": now,
                "exp": now + 60,
            }
            signed = self._own.proof(claims)
            return {
                "client_id": client,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": signed,
            }, {}
        secret = self._secret()
        if "client_secret_basic" in provider.token_endpoint_auth_methods_supported:
            return {}, {"authorization": _basic(client, secret)}
        return {"client_id": client, "client_secret": secret}, {}

    def _secret(self) -> str:
        """Read at every use, so that a new one is taken without a restart."""
        file = self.method.secret_file
        try:
            secret = file.read_bytes()[:_LONGEST_SECRET].decode().strip() if file is not None else ""
        except (OSError, ValueError):
            secret = ""
        if not secret:
            raise faults.unusable_secret(self.method.title)
        return secret

    async def _document(self, url: str) -> Any:
        answer = await self._call("GET", url)
        if answer.status != 200:
            raise faults.unreachable(self.method.title, _ANSWERED_WRONG)
        return self._parsed(answer.body)

    def _parsed(self, answer: bytes) -> dict[str, Any]:
        try:
            told = read_json(answer)
        except Invalid:
            told = None
        if not isinstance(told, dict):
            raise faults.not_understood(self.method.title, _NOT_JSON)
        return told

    async def _call(
        self,
        method: str,
        url: str,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        if not rules.may_call(self.method, url):
            raise faults.not_understood(self.method.title, _OTHER_HOST)
        return await self._calls.call(method, url, form, headers or {})


def _basic(client: str, secret: str) -> str:
    """RFC 6749, 2.3.1: both are form-encoded first."""
    return "Basic " + b64encode(f"{quote_plus(client)}:{quote_plus(secret)}".encode()).decode()


_ANSWERED_WRONG = Text("De inlogdienst geeft een fout.", "The sign-in service gives an error.")
_NO_KEYS = Text(
    "De sleutels van de inlogdienst zijn niet op te halen.",
    "The keys of the sign-in service cannot be fetched.",
)
_NOT_JSON = Text(
    "De inlogdienst antwoordt iets onleesbaars.", "The sign-in service answers something unreadable."
)
_NO_TOKEN = Text("In het antwoord staat geen token.", "There is no token in the answer.")
_OTHER_HOST = Text("Het adres is niet van deze inlogdienst.", "The address is not of this sign-in service.")
_OTHER_SUBJECT = Text("De gegevens zijn van een ander.", "The data are of somebody else.")
_NO_SIGNATURE = Text(
    "De handtekening onder de gegevens klopt niet.", "The signature under the data is wrong."
)

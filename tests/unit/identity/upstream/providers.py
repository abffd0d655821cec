"""A provider that a test makes say what it likes, without sockets; and what a browser would do."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from tests.clocks import Clock

from sluis.crypto import FileKeyStore, Jwk, decrypt_jwt, jwk_of, sign_jwt
from sluis.identity.upstream import Begun, Completed, Method, Officials, Upstreams, open_upstreams
from sluis.identity.upstream.calls import Answer
from sluis.kernel import ACR, Level
from sluis.store import Store

PORTAL = "https://mijn.voorbeeld.nl"
ISSUER = "https://broker.voorbeeld.nl"
CLIENT = "sluis-node"
BSN = "999990019"  # of nobody
OTHER_BSN = "999990020"
NODE_KEY = jwk_of(ec.generate_private_key(ec.SECP256R1()))
NODE_OPENS = jwk_of(rsa.generate_private_key(public_exponent=65537, key_size=2048), use="enc")


class Own:
    """Keys of the node: to sign with, and to open what is encrypted for it."""

    def proof(self, claims: Mapping[str, Any]) -> str:
        return sign_jwt(NODE_KEY, claims)

    def opened(self, token: str) -> str:
        return decrypt_jwt(token, [NODE_OPENS]).decode()


OWN = Own()


def method(name: str = "digid", **changed: Any) -> Method:
    """A way of signing in at the provider."""
    given = {
        "issuer": ISSUER,
        "client": CLIENT,
        "audience": "citizen",
        "title": "DigiD",
        "claims": {"bsn": "bsn"},
        **changed,
    }
    return Method(name=name, **given)


def rsa_key() -> Jwk:
    return jwk_of(rsa.generate_private_key(public_exponent=65537, key_size=2048), algorithm="RS256")


class Broker:
    """Answers as a provider would, and with whatever a test changes.

    Attributes:
        discovery: changes of its description; a member that is None is left out.
        claims: changes of the id_token; a member that is None is left out.
        userinfo: what that says; None: there is no such place.
        sign: makes the id_token of claims.
        published: the keys that it shows.
        answers: by path, an answer instead of its own; or what to raise.
        asked: every call: method, path, form and headers.
    """

    def __init__(self, clock: Clock, key: Jwk, issuer: str = ISSUER) -> None:
        self.clock, self.key, self.issuer = clock, key, issuer
        self.discovery: dict[str, Any] = {}
        self.claims: dict[str, Any] = {"bsn": BSN, "acr": ACR["substantial"]}
        self.userinfo: dict[str, Any] | None = None
        self.sign: Callable[[dict[str, Any]], str] = lambda claims: sign_jwt(self.key, claims)
        self.published: list[dict[str, Any]] = [key.public]
        self.answers: dict[str, Answer | Exception] = {}
        self.asked: list[tuple[str, str, dict[str, str], dict[str, str]]] = []
        self.nonce = ""

    async def call(
        self, method: str, url: str, form: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> Answer:
        path = urlsplit(url).path
        self.asked.append((method, path, dict(form or {}), dict(headers)))
        answer = self.answers.get(path)
        if isinstance(answer, Exception):
            raise answer
        return answer or self._own(path)

    async def close(self) -> None:
        pass

    def count(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(asked[1] == path for asked in self.asked)

    def last(self, path: str) -> tuple[dict[str, str], dict[str, str]]:
        """Form and headers of the last call to a path."""
        return next((form, headers) for _, at, form, headers in reversed(self.asked) if at == path)

    def id_token(self) -> str:
        now = self.clock.seconds
        claims = {
            "iss": self.issuer,
            "aud": CLIENT,
            "sub": "onderwerp-1",
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            **self.claims,
        }
        return self.sign({name: value for name, value in claims.items() if value is not None})

    def _own(self, path: str) -> Answer:
        told: Any = {
            "/.well-known/openid-configuration": self._described,
            "/jwks": lambda: {"keys": self.published},
            "/token": lambda: {"id_token": self.id_token(), "access_token": "a", "token_type": "Bearer"},
            "/userinfo": lambda: self.userinfo,
        }[path]()
        return Answer(200, json.dumps(told).encode(), "application/json")

    def _described(self) -> dict[str, Any]:
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "end_session_endpoint": f"{self.issuer}/end",
            "userinfo_endpoint": None if self.userinfo is None else f"{self.issuer}/userinfo",
            **self.discovery,
        }
        return {name: value for name, value in told.items() if value is not None}


class Visit:
    """A browser that signs in: it keeps cookies, and comes back with what a provider gave it."""

    def __init__(self, upstreams: Upstreams, broker: Broker) -> None:
        self.upstreams, self.broker = upstreams, broker
        self.cookies: dict[str, str] = {}
        self.state = ""

    async def begin(
        self, name: str = "digid", next: str = "/zaken", level: Level | None = None, **how: Any
    ) -> dict[str, str]:
        """Go to the provider; gives what it was asked."""
        begun: Begun = await self.upstreams.begin(name, next, level, **how)
        self.cookies[begun.cookie] = begun.secret
        asked = dict(parse_qsl(urlsplit(begun.url).query))
        self.state, self.broker.nonce = asked["state"], asked["nonce"]
        return asked

    async def come_back(self, name: str = "digid", **query: str) -> Completed:
        """Bring the answer of the provider."""
        told = {"state": self.state, "code": "c", **query}
        return await self.upstreams.complete(name, told, self.cookies)

    async def sign_in(self, name: str = "digid", level: Level | None = None) -> Completed:
        """All of it."""
        await self.begin(name, level=level)
        return await self.come_back(name)


def opened(
    store: Store,
    folder: Path,
    clock: Clock,
    calls: Mapping[str, Broker],
    *methods: Method,
    test: bool = False,
    officials: Mapping[str, Officials] | None = None,
) -> Upstreams:
    """A node with these ways of signing in; `calls` by issuer."""
    return open_upstreams(
        store,
        methods,
        portal=PORTAL,
        own=OWN,
        keys=FileKeyStore(folder / "keys"),
        clock=clock,
        test=test,
        officials=officials,
        calls=lambda one: calls[one.issuer],
    )

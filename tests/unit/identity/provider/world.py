"""A sign-in provider in this process, with portals and programs around it, for the tests of this room. All fictitious."""

import base64
import hashlib
import json
import secrets
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.clocks import BEGIN, Clock
from tests.unit.identity.people import established

from sluis.crypto import FileKeyStore, Keys, encode_chain, jwk_of, read_jwks, read_jwt, sign_jwt
from sluis.identity.clients import ASSERTION_TYPE, Clients, make_client
from sluis.identity.provider import Provider, open_provider, routes
from sluis.identity.sessions import Established, Leaving, Sessions, open_sessions
from sluis.identity.tokens.keys import Ring
from sluis.identity.tokens.service import Tokens
from sluis.kernel import Acting, Refused
from sluis.store import open_once, open_store
from sluis.web import COOKIE, House, SignedIn, make_portal

ISSUER = "https://node.example"
BACK = "https://portal.example/back?from=sluis"
API = "https://api.example"
COMPANY = "urn:nl:kvk:90000003"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
ACCESS_TYPE = "urn:ietf:params:oauth:token-type:access_token"


@cache
def private(name: str) -> rsa.RSAPrivateKey:
    """The key of somebody, made once."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate(name: str) -> x509.Certificate:
    """A certificate that names somebody."""
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, name), x509.NameAttribute(NameOID.SERIAL_NUMBER, "0099")]
    )
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    made = made.public_key(private(name).public_key()).serial_number(7)
    made = made.not_valid_before(BEGIN - timedelta(days=1)).not_valid_after(BEGIN + timedelta(days=365))
    return made.sign(private(name), hashes.SHA256())


def key_set(name: str, **more: Any) -> bytes:
    return json.dumps({"keys": [{**jwk_of(private(name), name).public, **more}]}).encode()


def registered() -> list[Any]:
    """Portals, apps, services and machines."""
    portal = {
        "redirect_uris": (BACK, "https://portal.example/other"),
        "sign_out_uris": ("https://portal.example/bye",),
        "sign_out_call": "https://portal.example/out",
        "scopes": ("openid", "roles", "read", "write"),
        "grants": ("authorization_code", "token-exchange"),
        "audiences": (API, "ledger"),
    }
    return [
        make_client("portal", title="Portaal", keys=key_set("portal"), **portal),  # type: ignore[arg-type]
        make_client(
            "other", title="Ander", keys=key_set("other"), redirect_uris=("https://other.example/back",)
        ),
        make_client("app", title="App", public=True, redirect_uris=("https://app.example/back",)),
        make_client(
            "machine",
            title="Machine",
            certificate_subject="serialNumber=0099,CN=machine",
            scopes=("openid", "read"),
            grants=("client_credentials",),
            audiences=(API,),
        ),
        make_client(
            "own",
            title="Eigen certificaat",
            keys=key_set("own", x5c=encode_chain([certificate("own")])),
            grants=("client_credentials",),
        ),
        make_client(
            "ledger",
            title="Logboek",
            keys=key_set("ledger"),
            scopes=("openid", "read", "admin"),
            grants=("token-exchange",),
            audiences=("archive",),
        ),
        make_client("archive", title="Archief", keys=key_set("archive"), grants=("client_credentials",)),
        make_client(
            "cases",
            title="Zaken",
            keys=key_set("cases"),
            redirect_uris=("https://cases.example/back",),
            scopes=("openid", "read", "decisions", "api"),
            grants=("authorization_code", "client_credentials"),
            audiences=(API,),
        ),
    ]


class World:
    """A provider that can be opened again as after a restart, and a browser."""

    def __init__(self, directory: Path, store: str | None = None) -> None:
        self.directory, self.clock = directory, Clock()
        self.keys = FileKeyStore(directory / "keys")
        self.store = open_store(store or directory / "node.db")
        self.certificate: x509.Certificate | None = None
        self.secret: str | None = None
        self.refusals = dict[str | None, Refused]()  # by for whom somebody acts
        self.turned = list[tuple[str | None, str, str | None]]()
        self.elsewhere: str | None = None  # where one signs out at the provider that was signed in with
        self.sessions: Sessions
        self.provider: Provider
        self.http: httpx.AsyncClient
        self.open()

    def open(self, mutual: str | None = None) -> None:
        """Begin, or begin again with what was kept."""
        rings = (
            Ring(self.directory / "keys", name, use, self.clock, lambda: private("tokens"))  # type: ignore[arg-type]
            for name, use in (("tokens", "sig"), ("opening", "enc"))
        )
        self.tokens = Tokens(ISSUER, self.keys, *rings, self.clock)
        self.sessions = open_sessions(self.store, self.keys, self.clock)
        everyone = {client.id: client for client in registered()}
        self.clients = Clients(everyone, open_once(self.store), self.clock)
        self.provider = open_provider(
            self.store, self.clients, self.tokens, self.sessions, self, self.clock, mutual
        )
        self.sessions.on_end(self.provider.endings.ended)
        house = House("Gemeente (fictief)", True)
        visitors: Any = self.sessions
        self.leaving = Leaving(self.sessions, [self._farewell], self.clock)
        app = make_portal(routes(self.provider, self.clients, self.leaving), visitors, house, bytes(32))

        async def with_certificate(scope: Any, receive: Any, send: Any) -> None:
            pem = [] if self.certificate is None else [self.certificate.public_bytes(Encoding.PEM).decode()]
            scope["extensions"] = {"tls": {"client_cert_chain": pem}}
            await app(scope, receive, send)

        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app=with_certificate), base_url=ISSUER)  # type: ignore[arg-type]

    async def _farewell(self, who: Established, state: str) -> str | None:
        return self.elsewhere and f"{self.elsewhere}?state={state}"

    # Whether somebody may act for whom they act.

    async def read_again(self, acting: Acting) -> None:
        """Nothing is ever too old here."""

    def refusal(self, session: str, acting: Acting) -> Refused | None:
        """As the test says."""
        return self.refusals.get(acting.entity)

    async def turned_away(self, acting: Acting, client: str, refusal: Refused) -> None:
        """Keep who was."""
        self.turned.append((acting.entity, client, refusal.rule))

    # What a browser and a client do.

    async def sign_in(self, **changed: Any) -> SignedIn:
        """A session in the browser."""
        who: Established = established(**{"at": int(self.clock().timestamp()), **changed})
        self.secret, signed_in = await self.sessions.begin(who, replaces=self.secret)
        return signed_in

    async def get(self, path: str, **parameters: str) -> httpx.Response:
        cookies = {} if self.secret is None else {"cookie": f"{COOKIE}={self.secret}"}
        return await self.http.get(path, params=parameters or None, headers=cookies)

    def assertion(self, client: str, *, by: str | None = None, **changed: Any) -> str:
        """What a client shows to prove itself, changed as a test wants it; None leaves a claim out."""
        now = int(self.clock().timestamp())
        claims = {
            "iss": client,
            "sub": client,
            "aud": ISSUER,
            "iat": now,
            "exp": now + 60,
            "jti": secrets.token_hex(16),
        }
        claims = {name: value for name, value in {**claims, **changed}.items() if value is not None}
        return sign_jwt(jwk_of(private(by or client), by or client), claims)

    async def post(self, path: str, client: str | None = None, /, **form: Any) -> httpx.Response:
        """Post a form, as a client that proves itself with its key unless the form does so otherwise."""
        if client is not None:
            proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self.assertion(client)}
            form = {**proof, **form}
        return await self.http.post(path, data=form)

    def keys_published(self) -> Keys:
        return read_jwks(self.provider.jwks())

    def read(self, token: str, typ: str = "JWT") -> dict[str, Any]:
        """The claims of a token, by what the provider published."""
        return read_jwt(token, self.keys_published(), typ=typ)

    async def code(self, **changed: str) -> tuple[str, dict[str, str]]:
        """A code, and what is needed to trade it."""
        form, more = asking(**changed)
        answer = returned(await self.get("/oauth/authorize", **form))
        assert "code" in answer, answer
        return answer["code"], more

    async def tokens_of(self, client: str = "portal", **changed: str) -> dict[str, Any]:
        """The tokens of a whole sign-in."""
        code, more = await self.code(**{"client_id": client, **changed})
        answer = await self.trade(code, more, client)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def trade(
        self, code: str, more: dict[str, str], client: str = "portal", **changed: str
    ) -> httpx.Response:
        form = {"grant_type": "authorization_code", "code": code, **more, **changed}
        if client == "app":
            return await self.post("/oauth/token", None, **{"client_id": "app", **form})
        return await self.post("/oauth/token", client, **form)


def asking(**changed: str) -> tuple[dict[str, str], dict[str, str]]:
    """An authorization request, and what its code is traded with."""
    verifier = secrets.token_urlsafe(32)
    back = {one: f"https://{one}.example/back" for one in ("app", "other", "cases")}
    form = {
        "client_id": "portal",
        "redirect_uri": back.get(changed.get("client_id", ""), BACK),
        "response_type": "code",
        "scope": "openid",
        "state": secrets.token_urlsafe(16),
        "nonce": secrets.token_urlsafe(16),
        "code_challenge": challenge(verifier),
        "code_challenge_method": "S256",
        **changed,
    }
    form = {name: value for name, value in form.items() if value}
    return form, {"redirect_uri": form.get("redirect_uri", ""), "code_verifier": verifier}


def challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def returned(answer: httpx.Response) -> dict[str, str]:
    """What came back to a client by way of the browser."""
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


def place(answer: httpx.Response) -> tuple[str, dict[str, list[str]]]:
    """Where a browser is sent, and with which parameters."""
    assert answer.status_code == 303, answer.text
    parts = urlsplit(answer.headers["location"])
    return f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.netloc else parts.path, parse_qs(
        parts.query
    )

"""The sign-in provider of a running node, met over TLS by a client that someone else wrote: Authlib. All fictitious."""

import json
import secrets
import ssl
from asyncio import to_thread
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc import jwt
from joserfc.jwk import KeySet
from tests.integration.nodes import Federation, build, free_ports
from tests.unit.identity.provider.world import World, asking, place, returned

from sluis.crypto import certificate_thumbprint, jwk_of
from sluis.identity.sessions import Established
from sluis.serve import Node
from sluis.web import COOKIE, SignedIn

BACK, SUBSTANTIAL = "https://portal.example/back", "http://eidas.europa.eu/LoA/substantial"
HIGH = "http://eidas.europa.eu/LoA/high"

SETTINGS = """
[portal]
address = "https://localhost:{port}"
port = {port}
machine_port = {machine_port}

[clients.portal]
title = "Portaal (fictief)"
redirect_uris = ["{back}"]
sign_out_uris = ["https://portal.example/bye"]
keys = "portal.json"
scopes = ["openid", "read"]
grants = ["authorization_code", "token-exchange"]
audiences = ["register"]

[clients.machine]
title = "Machine (fictief)"
certificate_subject = {subject}
scopes = ["read"]
grants = ["client_credentials"]
"""


class Running:
    """A node with a portal, the keys of a client, and a browser."""

    def __init__(self, home: Path) -> None:
        self.group = Federation(home)
        port, machine_port = free_ports(2)
        self.issuer, self.machines = f"https://localhost:{port}", f"https://localhost:{machine_port}"
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.certificate = x509.load_pem_x509_certificate(
            (self.group.owner / "tls/certificate.pem").read_bytes()
        )
        (self.group.asker / "portal.json").write_text(json.dumps({"keys": [jwk_of(self.key, "k1").public]}))
        settings = SETTINGS.format(
            port=port,
            machine_port=machine_port,
            back=BACK,
            subject=json.dumps(self.certificate.subject.rfc4514_string(), ensure_ascii=False),
        )
        with (self.group.asker / "node.toml").open("a") as file:
            file.write(settings)
        self.node: Node = build(self.group.asker)
        self.context = ssl.create_default_context(cafile=self.group.authority.path)
        self.cookies: dict[str, str] = {}

    @property
    def pem(self) -> str:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    async def sign_in(self) -> SignedIn:
        """What a way of signing in ends with: a session in the browser."""
        rooms = self.node.parts.identity
        assert rooms is not None
        established = Established(
            method="digid", audience="citizen", kind="BSN", value="999990019", level="substantial",
            acr=SUBSTANTIAL, at=1, issuer="https://digid.example", entity="urn:nl:kvk:90000003",
        )  # fmt: skip
        secret, signed_in = await rooms.sessions.begin(established)
        self.cookies[COOKIE] = secret
        return signed_in

    async def go(self, url: str) -> httpx.Response:
        """The browser goes there, and is told where next."""
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        async with httpx.AsyncClient(verify=self.context, headers={"cookie": cookie}) as browser:
            return await browser.get(url)

    def client(self, endpoint: str) -> OAuth2Session:
        """Authlib, as the portal. It blocks: what it asks for goes through `to_thread`."""
        made = OAuth2Session(
            "portal",
            self.pem,
            scope="openid read",
            redirect_uri=BACK,
            token_endpoint_auth_method="private_key_jwt",
            revocation_endpoint_auth_method="private_key_jwt",
            code_challenge_method="S256",
        )
        made.verify, made.trust_env = str(self.group.authority.path), False
        made.headers["Connection"] = "close"  # it leaves kept connections without a word (TLS close_notify)
        made.register_client_auth_method(PrivateKeyJWT(endpoint, headers={"kid": "k1"}))
        return made


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    made = Running(tmp_path)
    await made.node.start()
    yield made
    await made.node.stop()


async def discovered(running: Running) -> dict[str, Any]:
    answer = await running.go(f"{running.issuer}/.well-known/openid-configuration")
    return dict(answer.json())


async def test_an_independent_client_signs_somebody_in(running: Running) -> None:
    found = await discovered(running)
    assert found["issuer"] == running.issuer
    with running.client(found["token_endpoint"]) as client:
        nonce, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(40)
        url, state = client.create_authorization_url(
            found["authorization_endpoint"], secrets.token_urlsafe(24), code_verifier=verifier, nonce=nonce
        )
        asked = await running.go(url)
        assert asked.status_code == 303
        (back,) = parse_qs(urlsplit(asked.headers["location"]).query)["next"]
        await running.sign_in()
        came = await running.go(running.issuer + back)
        answer = came.headers["location"]
        assert answer.startswith(BACK)
        assert parse_qs(urlsplit(answer).query)["iss"] == [running.issuer]
        token = await to_thread(
            client.fetch_token,
            found["token_endpoint"],
            authorization_response=answer,
            state=state,
            code_verifier=verifier,
        )
        keys = KeySet.import_key_set((await running.go(found["jwks_uri"])).json())
        read = jwt.decode(token["id_token"], keys, algorithms=["RS256"])
        claims = CodeIDToken(
            read.claims,
            read.header,
            {
                "iss": {"essential": True, "value": running.issuer},
                "aud": {"essential": True, "value": "portal"},
                "acr": {"essential": True, "value": SUBSTANTIAL},
            },
            {"nonce": nonce, "client_id": "portal"},
        )
        claims.validate()
        assert claims["represents"]["sub"] == "90000003"
        told = (await to_thread(client.get, found["userinfo_endpoint"])).json()
        assert (told["sub"], told["represents"]) == (claims["sub"], claims["represents"])
        introspected = await to_thread(
            client.introspect_token, found["introspection_endpoint"], token["access_token"]
        )
        assert introspected.json()["active"] is True
        revoked = await to_thread(client.revoke_token, found["revocation_endpoint"], token["access_token"])
        assert revoked.status_code == 200
        assert (await to_thread(client.get, found["userinfo_endpoint"])).status_code == 401


async def test_the_browser_stays_signed_in_for_the_next_portal_until_it_signs_out(running: Running) -> None:
    found = await discovered(running)
    signed_in = await running.sign_in()
    with running.client(found["token_endpoint"]) as client:
        verifier = secrets.token_urlsafe(40)
        url, state = client.create_authorization_url(
            found["authorization_endpoint"],
            secrets.token_urlsafe(24),
            code_verifier=verifier,
            nonce=secrets.token_urlsafe(16),
            prompt="none",
        )
        answer = (await running.go(url)).headers["location"]
        token = await to_thread(
            client.fetch_token,
            found["token_endpoint"],
            authorization_response=answer,
            state=state,
            code_verifier=verifier,
        )
    listed = await running.go(f"{running.issuer}/sessions")
    assert "Portaal (fictief)" in listed.text
    end = f"{found['end_session_endpoint']}?id_token_hint={token['id_token']}"
    out = await running.go(end + "&post_logout_redirect_uri=https://portal.example/bye")
    assert out.headers["location"] == "https://portal.example/bye"
    assert "Max-Age=0" in out.headers["set-cookie"]
    assert running.node.parts.identity is not None
    assert running.node.parts.identity.sessions.by_handle(signed_in.session) is None
    assert "login_required" in (await running.go(url)).headers["location"]


async def test_a_machine_shows_its_certificate_and_its_token_is_bound_to_it(running: Running) -> None:
    found = (await discovered(running))["mtls_endpoint_aliases"]
    assert found["token_endpoint"] == f"{running.machines}/oauth/token"
    context = ssl.create_default_context(cafile=running.group.authority.path)
    context.load_cert_chain(running.group.owner / "tls/certificate.pem", running.group.owner / "tls/key.pem")
    form = {"grant_type": "client_credentials", "client_id": "machine"}
    async with (
        httpx.AsyncClient(verify=context) as machine,
        httpx.AsyncClient(verify=running.context) as other,
    ):
        answer = await machine.post(found["token_endpoint"], data=form)
        assert answer.status_code == 200, answer.text
        refused = await other.post(found["token_endpoint"], data=form)
        assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    keys = KeySet.import_key_set((await running.go(f"{running.issuer}/oauth/jwks")).json())
    claims = jwt.decode(answer.json()["access_token"], keys, algorithms=["RS256"]).claims
    assert claims["cnf"]["x5t#S256"] == certificate_thumbprint(running.certificate)


@pytest.mark.postgres
async def test_what_was_used_stays_used_in_postgres_too(tmp_path: Path, empty_postgres: str) -> None:
    world = World(tmp_path, empty_postgres)
    signed_in = await world.sign_in()
    code, more = await world.code()
    token = (await world.trade(code, more)).json()["access_token"]
    assertion = world.assertion("portal")
    form = {"client_assertion": assertion, "token": token}
    assert (await world.post("/oauth/introspect", "portal", **form)).json()["active"] is True
    world.open()
    assert world.provider.by_token(token) is not None
    assert (await world.post("/oauth/introspect", "portal", **form)).json()["error"] == "invalid_client"
    assert (await world.trade(code, more)).json()["error"] == "invalid_grant"
    assert world.provider.by_token(token) is None
    (waits,) = place(await world.get("/oauth/authorize", **asking(acr_values=HIGH)[0]))[1]["next"]
    await world.sign_in(level="high", acr=HIGH)
    assert "code" in returned(await world.get(waits))
    assert (await world.get(waits)).json()["code"] == "sign-in-gone"
    await world.tokens_of()
    await world.sessions.end(signed_in.session)
    world.clock.later(hours=13)
    await world.provider.endings.tidy()
    assert world.provider._grants.clients_of(signed_in.session) == []
    world.store.close()

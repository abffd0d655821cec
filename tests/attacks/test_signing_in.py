"""Attacks on signing in, at a whole node with a portal, each named after the rule that holds against it. All fictitious."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from tests.browser import Browser, Shown
from tests.integration.nodes import Federation, build, refused
from tests.unit.identity.provider.world import challenge

from sluis.crypto import jwk_of, make_authority, sign_jwt
from sluis.identity.clients import ASSERTION_TYPE
from sluis.identity.people.model import Mandate, Terms
from sluis.identity.sessions import Established
from sluis.serve import Node
from sluis.serve.identity import IdentityRooms
from sluis.web import COOKIE, SignedIn

ISSUER, BACK = "https://portaal.fictief.example", "https://elders.fictief.example/back"
COMPANY = "urn:nl:kvk:90000003"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)

SETTINGS = f"""
[portal]
address = "{ISSUER}"

[signin.directory]
issuer = "https://directory.fictief.example"
client = "node"
audience = "staff"
title = "Medewerkers (fictief)"

[clients.elsewhere]
title = "Portaal van een ander (fictief)"
redirect_uris = ["{BACK}"]
keys = "elsewhere.json"
scopes = ["openid", "api"]

[people.olga]
signin = "directory:olga@fictief.example"
roles = ["{{role}}"]
"""


class Site:
    """A node with a portal that does not listen, and the program of another portal."""

    def __init__(self, home: Path) -> None:
        self.directory = Federation(home).asker
        (self.directory / "elsewhere.json").write_text(json.dumps({"keys": [jwk_of(KEY, "k").public]}))
        self.settings = (self.directory / "node.toml").read_text()
        self.node: Node
        self.open()

    def open(self, role: str = "consulent", settings: str = SETTINGS) -> None:
        (self.directory / "node.toml").write_text(self.settings + settings.replace("{role}", role))
        self.node = build(self.directory)

    async def again(self, role: str = "consulent", settings: str = SETTINGS) -> None:
        """Stop, and start with other settings."""
        await self.node.stop()
        self.open(role, settings)

    @property
    def rooms(self) -> IdentityRooms:
        assert self.node.parts.identity is not None
        return self.node.parts.identity

    def browser(self, address: str = "192.0.2.1") -> Browser:
        assert self.node.portal is not None
        return Browser(self.node.portal.app, ISSUER, address)

    async def enter(self, browser: Browser, **known: Any) -> SignedIn:
        """A session in a browser, as a way of signing in ends."""
        given: dict[str, Any] = {
            "method": "digid", "audience": "citizen", "kind": "BSN", "value": "999990019", "level": "substantial",
            "acr": "http://eidas.europa.eu/LoA/substantial", "at": 1, "issuer": "https://digid.fictief.example",
        }  # fmt: skip
        secret, who = await self.rooms.sessions.begin(Established(**{**given, **known}))
        browser.cookies[COOKIE] = secret
        return who

    async def official(self, browser: Browser) -> SignedIn:
        return await self.enter(
            browser, method="directory", audience="staff", kind="staff", value="olga", roles=("consulent",)
        )

    async def asked(self, browser: Browser, **changed: str) -> tuple[Shown, str]:
        """What the other portal's request to sign somebody in comes to, and its verifier."""
        verifier = secrets.token_urlsafe(32)
        form = {
            "client_id": "elsewhere", "redirect_uri": BACK, "response_type": "code", "scope": "openid",
            "state": secrets.token_urlsafe(16), "nonce": secrets.token_urlsafe(16),
            "code_challenge": challenge(verifier), "code_challenge_method": "S256", **changed,
        }  # fmt: skip
        return await browser.get(f"/oauth/authorize?{urlencode(form)}", sec_fetch_site="cross-site"), verifier

    async def posted(self, path: str, **form: str) -> Shown:
        """A form of the other portal, which proves who it is."""
        now = int(self.node.parts.ledger._clock().timestamp())
        claims = {"iss": "elsewhere", "sub": "elsewhere", "aud": ISSUER, "iat": now, "exp": now + 60}
        proof = sign_jwt(jwk_of(KEY, "k"), {**claims, "jti": secrets.token_hex(16)})
        sent = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": proof, **form}
        return await self.browser("198.51.100.1").post(path, sent, accept="*/*", origin="", sec_fetch_site="")

    async def traded(self, shown: Shown, verifier: str) -> Shown:
        code = dict(parse_qsl(urlsplit(shown.headers["location"]).query))["code"]
        more = {"code": code, "redirect_uri": BACK, "code_verifier": verifier}
        return await self.posted("/oauth/token", grant_type="authorization_code", **more)

    async def token(self, browser: Browser, **changed: str) -> str:
        """The access token that the other portal gets of who is in the browser."""
        return str((await self.traded(*await self.asked(browser, **changed))).json["access_token"])

    async def mandate(self, holder: str) -> Mandate:
        """A mandate to act for the company, that is in force."""
        now = int(self.node.parts.ledger._clock().timestamp())
        urn = f"urn:sluis:person:{holder}"
        terms = Terms(COMPANY, urn, ("permits",), (), now - 1, now + 86_400)
        made = Mandate(
            secrets.token_hex(16), terms, "accepted", "d" * 43, now + 86_400, holder=urn, giver_name="Fictieve Fietsen B.V."
        )  # fmt: skip
        await self.rooms.representing.people._keeping.change([made], [])
        return made


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    made = Site(tmp_path)
    yield made
    await made.node.stop()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for attacks that change no settings."""
    made = Site(tmp_path_factory.mktemp("site"))
    yield made
    asyncio.run(made.node.stop())


async def test_a_portal_that_signs_an_official_in_cannot_ask_questions_in_their_name(shared: Site) -> None:
    browser = shared.browser()
    await shared.official(browser)
    token = await shared.token(browser)
    shown = await browser.get("/oauth/userinfo", authorization=f"Bearer {token}")
    assert shown.status == 200
    shown = await browser.get("/v1/activities", authorization=f"Bearer {token}")
    assert (shown.status, shown.json["code"]) == (403, "token-not-for-this")
    token = await shared.token(browser, scope="openid api")
    assert (await browser.get("/v1/activities", authorization=f"Bearer {token}")).status == 200


async def test_a_mandate_that_was_revoked_is_told_to_no_portal(shared: Site) -> None:
    browser = shared.browser()
    who = await shared.enter(browser)
    mandate = await shared.mandate(who.acting.person)
    page = await browser.get("/choose")
    assert "Fietsen" in page.text
    chosen = page.text.partition("Fictieve Fietsen")[0].rpartition('value="')[2].partition('"')[0]
    assert (await browser.send(page.form("/choose"), choice=chosen)).status == 200
    token, waiting = await shared.token(browser), await shared.asked(browser)
    told = (await browser.get("/oauth/userinfo", authorization=f"Bearer {token}")).json
    assert told["represents"]["sub"] == COMPANY.rpartition(":")[2]
    await shared.rooms.representing.people.mandates.revoke(who.acting, mandate.id)
    assert (await browser.get("/oauth/userinfo", authorization=f"Bearer {token}")).status == 401
    assert (await shared.posted("/oauth/introspect", token=token)).json == {"active": False}
    assert (await shared.traded(*waiting)).status == 400
    shown, _ = await shared.asked(browser)
    assert shown.status == 403


async def test_an_official_who_lost_a_role_or_left_has_it_in_no_session_that_was_kept(site: Site) -> None:
    browser = site.browser()
    await site.official(browser)
    held = browser.cookies[COOKIE]
    await site.again(role="archivist")
    now = site.rooms.sessions.by_cookie(held)
    assert now is not None
    assert now.roles == ("archivist",)
    await site.again(settings=SETTINGS.partition("[people.olga]")[0])
    assert site.rooms.sessions.by_cookie(held) is None


def test_in_production_no_test_authority_vouches_for_where_people_sign_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, other = Federation(tmp_path), make_authority(tmp_path / "other", "Ander")
    file = home.asker / "node.toml"
    own = file.read_text().replace('environment = "test"', 'environment = "production"')
    settings = SETTINGS.partition("[clients")[0] + f'authorities = ["{other.path}"]\n'
    monkeypatch.setattr("sluis.serve.certificate.is_test", lambda one: one == other.certificate)
    file.write_text(own + settings)
    assert refused(home.asker).code == "test-authority"

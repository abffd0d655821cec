"""Digital passports from end to end, over TLS: a node with its portal, a simulated wallet and issuer, and a browser."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import httpx
import pytest
import uvicorn
from tests.integration.nodes import Federation, build, free_ports

from sluis.crypto import Authority, Identity, make_authority
from sluis.identity.passport import Fetching
from sluis.kernel import PeerId, Upstream
from sluis.serve import Node
from sluis.web import COOKIE
from sluis_demo.simulators.passports import REVOKED
from sluis_demo.simulators.wallet_app import WalletApp, make_wallet

SETTINGS = """
[portal]
address = "https://localhost:{port}"
port = {port}

[signin.directory]
issuer = "https://directory.example"
client = "node"
audience = "staff"
title = "Account van de gemeente"

[passport]
wallet = "https://localhost:{wallet}/sluis-simulator/wallet"
authorities = ["{authority}"]

[passport.issuers.simulator]
title = "Uitgever (nagebootst)"
certificates = ["{authority}"]
types = ["urn:sluis:simulator:persoonsgegevens:1"]
status = ["https://localhost:{wallet}"]

[passport.ways.paspoort]
title = "Digitaal paspoort"
audience = "citizen"
type = "urn:sluis:simulator:persoonsgegevens:1"
level = "high"
why = "Om u te laten inloggen."
claims = {{ bsn = ["bsn"], name = ["given_name", "family_name"] }}
"""

OPEN = {
    ("GET", "/sign-in/passkey"),
    ("POST", "/sign-in/passkey"),
    ("GET", "/sign-in/passport/{name}"),
    ("GET", "/passport/{handle}/request"),
    ("POST", "/passport/{handle}/request"),
    ("POST", "/passport/{handle}/answer"),
    ("GET", "/passport/{handle}/done"),
    ("POST", "/passport/{handle}/code"),
}
"""Of these rooms, the routes for who is not signed in: without them nobody could sign in."""


class Street:
    """All who take part."""

    def __init__(self, federation: Federation, issuers: Authority, ports: list[int]) -> None:
        self.federation, self.issuers = federation, issuers
        self.port, self.wallet_port = ports
        self.files = issuers.issue(
            federation.home / "issuer", PeerId("00000099000000001000"), "Uitgever (fictief)", ["localhost"]
        )
        context = ssl.create_default_context(cafile=str(federation.authority.path))
        self.wallet: WalletApp = make_wallet(
            f"https://localhost:{self.wallet_port}",
            Identity.load(*self.files),
            federation.authority.certificate,
            context,
        )

    def browser(self) -> httpx.AsyncClient:
        context = ssl.create_default_context(cafile=str(self.federation.authority.path))
        context.load_verify_locations(self.issuers.path)
        return httpx.AsyncClient(verify=context, headers={"accept": "text/html", "accept-language": "nl"})

    async def shown(self, browser: httpx.AsyncClient, button: str) -> httpx.Response:
        """From the sign-in page to the wallet, and what comes of the button there."""
        asked = await browser.get(f"https://localhost:{self.port}/sign-in/passport/paspoort?next=/sessions")
        link = re.search(r'href="(https://localhost:[^"]*)"', asked.text)
        assert link is not None, asked.text
        page = await browser.get(unescape(link[1]))
        form = re.search(r'action="([^"]*)"', page.text)
        assert form is not None, page.text
        assert "SIMULATOR" in page.text
        return await browser.post(
            f"https://localhost:{self.wallet_port}{form[1]}", data={"card": "0", button: "1"}
        )


@pytest.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    made = Street(Federation(tmp_path), make_authority(tmp_path / "issuers", "Uitgevers"), free_ports(2))
    certificate, key = made.files
    config = uvicorn.Config(
        made.wallet, port=made.wallet_port, log_level="error", lifespan="off",
        ssl_certfile=str(certificate), ssl_keyfile=str(key),
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    yield made
    server.should_exit = True
    await serving


@pytest.fixture
async def node(street: Street) -> AsyncIterator[Node]:
    told = SETTINGS.format(port=street.port, wallet=street.wallet_port, authority=street.issuers.path)
    with (street.federation.asker / "node.toml").open("a") as file:
        file.write(told)
    made = build(street.federation.asker)
    await made.start()
    yield made
    await made.stop()


async def test_a_citizen_signs_in_with_a_wallet(street: Street, node: Node) -> None:
    async with street.browser() as browser:
        answered = await street.shown(browser, "show")
        assert answered.status_code == 303
        there = await browser.get(answered.headers["location"], follow_redirects=True)
        assert (there.status_code, there.url.path) == (200, "/sessions")
        assert "Fenna Fictief" in there.text


async def test_a_credential_that_its_issuer_revoked_signs_nobody_in(street: Street, node: Node) -> None:
    street.wallet.issuer.set_status(0, REVOKED)
    async with street.browser() as browser:
        answered = await street.shown(browser, "show")
        assert answered.status_code == 200
        assert "De uitgever heeft het ingetrokken." in answered.text
        assert COOKIE not in browser.cookies


async def test_a_person_who_refuses_is_told_so(street: Street, node: Node) -> None:
    async with street.browser() as browser:
        answered = await street.shown(browser, "refuse")
        there = await browser.get(answered.headers["location"])
        assert there.status_code == 403
        assert "Uw wallet heeft niets getoond" in there.text
        assert COOKIE not in browser.cookies


async def test_just_these_routes_are_open(street: Street, node: Node) -> None:
    assert node.portal is not None
    ours = {
        (method, path): handler.opt["callers"]
        for method, path, handler in node.portal.app.routes
        if "passkey" in path or "passport" in path
    }
    assert {route for route, callers in ours.items() if callers != "people"} == OPEN
    assert {callers for route, callers in ours.items() if route not in OPEN} == {"people"}


async def test_a_list_is_fetched_over_trusted_tls_and_not_from_elsewhere(street: Street) -> None:
    own = f"https://localhost:{street.wallet_port}/sluis-simulator/passports/status"
    assert (await Fetching([street.issuers.path])(f"{own}/1")).count(b".") == 2
    with pytest.raises(Upstream):
        await Fetching([street.issuers.path])(f"{own}/2")
    with pytest.raises(Upstream):
        await Fetching([street.federation.authority.path])(f"{own}/1")
    with pytest.raises(Upstream):
        await Fetching([street.issuers.path])("https://localhost:1/x")

"""A node as its settings make it, and the simulators of DigiD and eHerkenning, over TLS: what an operator tries first."""

import re
import ssl
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.integration.openid import Tls, address_of_node

from sluis.config import load_config
from sluis.crypto import FileKeyStore, browser_context, read_jwks
from sluis.grounds import Grounds
from sluis.identity.tokens import open_tokens
from sluis.kernel import utc_now
from sluis.ledger import open_ledger
from sluis.serve.identity import IdentityRooms, identity_rooms
from sluis.store import open_store
from sluis.web import BrowserListener, House, Server, make_portal
from sluis_demo.simulators import Client, make_simulators
from sluis_demo.simulators.personas import citizens, entrepreneurs
from sluis_demo.simulators.settings import CLIENT, client_for, sign_in_settings

NODE = """\
[node]
oin = "00000001000000000001"
name = "Fictieve Dienst"
alias = "dienst"
url = "https://localhost"
environment = "test"

[portal]
address = "{address}"

"""


class World:
    """The portal and the simulators, each at an address of its own."""

    def __init__(self, rooms: IdentityRooms, address: str, http: httpx.AsyncClient) -> None:
        self.rooms, self.address, self.http = rooms, address, http

    async def sign_in(self, kind: str, number: str, level: str, choice: int | None = None) -> httpx.Response:
        """From the sign-in page to a page of the portal, filling in what a person would."""
        offered = await self.http.get(f"{self.address}/sign-in?next=/sessions")
        link = next(one for one in re.findall(r'href="([^"]+)"', offered.text) if f"/at/{kind}?" in one)
        shown = await self.http.get(self.address + unescape(link))
        shown = await self.http.post(action(shown), data={"person": number, "level": level})
        if choice is not None:
            shown = await self.http.post(action(shown), data={"choice": str(choice)})
        return shown


def action(shown: httpx.Response) -> str:
    return str(shown.url.join(unescape(re.findall(r'action="([^"]+)"', shown.text)[-1])))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    tls, address, simulator = Tls(tmp_path / "tls"), address_of_node(), address_of_node()
    (tmp_path / "node.toml").write_text(
        NODE.format(address=address) + sign_in_settings(simulator, None, tls.authority)
    )
    config = load_config(tmp_path / "node.toml", {})
    store = open_store(tmp_path / "node.db")
    keys = FileKeyStore(tmp_path / "keys")
    tokens = open_tokens(address, keys, tmp_path / "keys", utc_now)
    ledger = open_ledger(store, keys, config.log_origin, utc_now)
    nobody: Any = None  # no official comes here
    rooms = identity_rooms(config, Grounds(), store, ledger, keys, tokens, nobody, nobody, utc_now)
    assert rooms is not None
    known = client_for(address, None)
    client = Client(CLIENT, known.redirect_uris, known.sign_out_uris, keys=lambda: read_jwks(tokens.jwks()))
    house = House("Fictieve Dienst", True, rooms.navigation)
    portal = make_portal(rooms.routes, rooms.visiting, house, rooms.forms)
    servers = [Server(portal, browsers=True), Server(make_simulators(simulator, [client]), browsers=True)]
    for server, at in zip(servers, (address, simulator), strict=True):
        context = browser_context(tls.certificate, tls.key)
        await server.listen(BrowserListener("127.0.0.1", int(at.rpartition(":")[2]), context))
    trusted = ssl.create_default_context(cafile=str(tls.authority))
    headers = {"accept": "text/html"}
    async with httpx.AsyncClient(
        verify=trusted, headers=headers, follow_redirects=True, trust_env=False
    ) as http:
        yield World(rooms, address, http)
    for server in servers:
        await server.stop()
    await rooms.upstreams.close()
    store.close()


async def test_a_citizen_and_an_entrepreneur_sign_in_as_the_settings_of_the_simulators_say(
    world: World,
) -> None:
    shown = await world.sign_in("digid", citizens()[2].number, "Midden")
    assert (shown.status_code, str(shown.url)) == (200, f"{world.address}/sessions")
    assert "Aylin Papierhof" in shown.text
    shown = await world.sign_in("eherkenning", entrepreneurs()[3].number, "EH3", 1)
    assert (shown.status_code, str(shown.url)) == (200, f"{world.address}/sessions")
    assert "Fictief Zorggroepbedrijf Testdijk B.V." in shown.text
    assert "SIMULATOR" not in shown.text

"""Passkeys in a real browser, with its virtual authenticator (WebAuthn level 3, section 11)."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest
import uvicorn
from tests.chromium import chromium
from tests.portals import Pages
from tests.servers import free_port

from sluis.store import open_store


@pytest.mark.prove
async def test_chromium_makes_a_passkey_and_signs_in_with_it(tmp_path: Path) -> None:
    port = free_port()
    origin = f"http://localhost:{port}"  # the one host that browsers trust with passkeys without TLS
    with closing(open_store(tmp_path / "node.db")) as store:
        pages = Pages(store, tmp_path, origin=origin)
        server = uvicorn.Server(
            uvicorn.Config(pages.app, host="127.0.0.1", port=port, log_level="error", lifespan="off")
        )
        serving = asyncio.create_task(server.serve())
        try:
            async with chromium() as tab:
                await tab.command("WebAuthn.enable")
                authenticator = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True,
                                 "hasUserVerification": True, "isUserVerified": True,
                                 "automaticPresenceSimulation": True}  # fmt: skip
                await tab.command("WebAuthn.addVirtualAuthenticator", options=authenticator)
                await tab.go(f"{origin}/way/directory?next=/passkeys/new", "/passkeys/new")
                await tab.until("!document.querySelector('form[data-passkey]').hidden")
                await tab.value("document.querySelector('#label').value = 'laptop'")
                await tab.value("document.querySelector('form[data-passkey] button').click()")
                await tab.at("/passkeys")
                assert "laptop" in await tab.value("document.body.innerText")
                await tab.command("Network.clearBrowserCookies")
                await tab.go(f"{origin}/sign-in/passkey?next=/passkeys", "/sign-in/passkey")
                await tab.until("!document.querySelector('form[data-passkey]').hidden")
                await tab.value("document.querySelector('form[data-passkey] button').click()")
                await tab.at("/passkeys")
                assert "Last used" in await tab.value("document.body.innerText")
                assert tab.said == []
        finally:
            server.should_exit = True
            await serving

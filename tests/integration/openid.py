"""A node's portal and a foreign OpenID provider (node-oidc-provider, npm) over TLS on loopback, and a browser between them."""

import json
import os
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import msgspec
from tests.browser import Browser, Shown, over_tls
from tests.servers import free_port, missing, node_path

from sluis.crypto import FileKeyStore, browser_context, make_authority
from sluis.identity import pages
from sluis.identity.people import Choice
from sluis.identity.sessions import Leaving, SigningIn, open_sessions
from sluis.identity.upstream import Method, OwnKeys, Upstreams, open_upstreams, routes
from sluis.kernel import ACR, PeerId, utc_now
from sluis.store import Store
from sluis.web import BrowserListener, House, Server, SignedIn, make_portal

ROOT = Path(__file__).parents[2]
SCRIPT = Path(__file__).with_name("openid_provider.mjs")


def provider_module() -> Path:
    """Where node-oidc-provider lies; skips the test when it is not installed, and fails it under `CI=true`."""
    folders = [
        ROOT / "node_modules",
        *map(Path, filter(None, os.environ.get("NODE_PATH", "").split(os.pathsep))),
    ]
    found = next(
        (folder / "oidc-provider" for folder in folders if (folder / "oidc-provider").is_dir()), None
    )
    if found is None:
        missing("oidc-provider is not installed: tools/setup tests")
    return found


class Tls:
    """A test authority, and a certificate for `localhost`."""

    def __init__(self, folder: Path) -> None:
        authority = make_authority(folder, "Sluis")
        self.authority = folder / "authority.pem"
        own = PeerId("00000000000000000000")
        self.certificate, self.key = authority.issue(folder / "tls", own, "Fictieve Dienst", ["localhost"])


@contextmanager
def foreign_provider(
    tls: Tls, clients: Sequence[dict[str, Any]], people: dict[str, dict[str, Any]]
) -> Iterator[str]:
    """A provider with these clients and people, as a child process; gives its issuer."""
    settings = {
        "module": str(provider_module()),
        "certificate": str(tls.certificate),
        "key": str(tls.key),
        "clients": clients,
        "people": people,
        "acr": list(ACR.values()),
    }
    command = [str(node_path()), "--no-warnings", str(SCRIPT)]
    environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(tls.authority)}
    child = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    try:
        child.stdin.write(json.dumps(settings) + "\n")
        child.stdin.flush()
        yield next(line.strip() for line in child.stdout if line.startswith("https://"))
    finally:
        child.stdin.close()
        child.wait(10)
        child.stdout.close()


class Node:
    """A node's portal with ways of signing in at others.

    Attributes:
        found: what was established of who signed in last.
    """

    def __init__(
        self, store: Store, folder: Path, address: str, methods: Sequence[Method], own: OwnKeys
    ) -> None:
        self.address, self.found = address, list[Any]()
        keys = FileKeyStore(folder / "keys")
        self.sessions = open_sessions(store, keys, utc_now)
        self.upstreams: Upstreams = open_upstreams(
            store,
            methods,
            portal=address,
            own=own,
            keys=keys,
            clock=utc_now,
            test=True,
        )
        signing_in = SigningIn(self.sessions, self._choices)
        own = routes(self.upstreams, self.sessions, signing_in.finish)
        around = pages.routes(
            self.sessions,
            signing_in,
            self.upstreams.ways,
            leaving=Leaving(self.sessions, [self.upstreams.farewell]),
        )
        house = House("Fictieve Dienst", True, pages.NAVIGATION)
        self.portal = make_portal([*own, *around], self, house, b"s" * 32)

    def by_cookie(self, secret: str) -> SignedIn | None:
        found = self.sessions.by_cookie(secret)
        if found is not None:
            self.found.append(self.sessions.established(found.session))
        return found

    def by_token(self, token: str) -> SignedIn | None:
        return None

    async def _choices(self, signed_in: SignedIn) -> Sequence[Choice]:
        return ()


@asynccontextmanager
async def serving(node: Node, tls: Tls) -> AsyncIterator[None]:
    """The portal on its address."""
    server = Server(node.portal, browsers=True)
    port = int(node.address.rpartition(":")[2])
    await server.listen(BrowserListener("127.0.0.1", port, browser_context(tls.certificate, tls.key)))
    try:
        yield
    finally:
        await server.stop()
        await node.upstreams.close()


class Traveller(Browser):
    """A browser that goes from the portal to the provider and back, over TLS that the test authority vouches for."""

    def __init__(self, tls: Tls) -> None:
        context = ssl.create_default_context(cafile=str(tls.authority))
        self.http = httpx.AsyncClient(verify=context, trust_env=False)
        super().__init__(over_tls(self.http))

    async def go(self, url: str) -> Shown:
        """Follow redirects until a page, or until an interaction of the provider that nobody answers yet."""
        return await self._onward(await self.get(url))

    async def sign_in(self, url: str, who: str = "", acr: str = "") -> Shown:
        """Begin at an address of the portal, and answer the provider as somebody; as nobody: cancel."""
        asked = (await self.go(url)).url
        return await self.go(str(httpx.URL(asked, params={"as": who, "acr": acr} if who else {})))

    async def give(self, shown: Shown, action: str, **fields: str) -> Shown:
        """Send the form of a page, and go on."""
        return await self._onward(await self.send(shown.form(action), **fields))

    async def _onward(self, shown: Shown) -> Shown:
        while shown.status in (302, 303):
            target = urljoin(shown.url, shown.headers["location"])
            if "/interaction/" in target:
                return msgspec.structs.replace(shown, url=target)
            shown = await self.get(target)
        return shown


def address_of_node() -> str:
    """A free one."""
    return f"https://localhost:{free_port()}"

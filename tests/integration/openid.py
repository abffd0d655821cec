"""A node's portal and a foreign OpenID provider (node-oidc-provider, npm) over TLS on loopback, and a browser between them."""

import json
import os
import re
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import httpx
from tests.servers import free_port, missing

from sluis.crypto import FileKeyStore, browser_context, make_authority
from sluis.identity import pages
from sluis.identity.sessions import Choice, SigningIn, open_sessions
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
    if found is None or shutil.which("node") is None:
        missing("node and oidc-provider are not installed: npm ci")
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
    command = [str(shutil.which("node")), "--no-warnings", str(SCRIPT)]
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
            self.sessions, signing_in, self.upstreams.ways, farewells=[self.upstreams.farewell]
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


class Browser:
    """A browser that trusts the test authority, and asks for pages."""

    def __init__(self, tls: Tls) -> None:
        context = ssl.create_default_context(cafile=str(tls.authority))
        self.http = httpx.AsyncClient(verify=context, headers={"accept": "text/html"}, trust_env=False)

    async def get(self, url: str) -> httpx.Response:
        """Follow redirects until a page, or until an interaction of the provider that nobody answers yet."""
        shown = await self.http.get(url)
        while shown.has_redirect_location:
            target = str(shown.url.join(shown.headers["location"]))
            if "/interaction/" in target:
                return httpx.Response(200, headers={"interaction": target}, request=shown.request)
            shown = await self.http.get(target)
        return shown

    async def sign_in(self, url: str, who: str = "", acr: str = "") -> httpx.Response:
        """Begin at an address of the portal, and answer the provider as somebody; as nobody: cancel."""
        asked = (await self.get(url)).headers["interaction"]
        return await self.get(str(httpx.URL(asked, params={"as": who, "acr": acr} if who else {})))

    async def send(self, shown: httpx.Response, action: str, **fields: str) -> httpx.Response:
        """Send the form of a page with its hidden fields."""
        form = next(part for part in re.findall(r"<form.*?</form>", shown.text, re.DOTALL) if action in part)
        hidden = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', form))
        target = unescape(re.findall(r'action="([^"]+)"', form)[0])
        data = {name: unescape(value) for name, value in hidden.items()} | fields
        sent = await self.http.post(shown.url.join(target), data=data)
        if sent.has_redirect_location:
            return await self.get(str(sent.url.join(sent.headers["location"])))
        return sent


def address_of_node() -> str:
    """A free one."""
    return f"https://localhost:{free_port()}"

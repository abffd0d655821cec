"""Complete sign-ins per second at one node, by code flow with PKCE.

    python bench/signin.py [--seconds 10] [--abreast 16]

The node is a process of its own with its database on disk. A sign-in is all of this, over TLS: the portal sends a browser
to the node, which sends it to sign in; a stand-in for a way of signing in begins a session (kept durably, for a person
who was not there before); the browser comes back and gets a code; the portal proves itself with an assertion that it signed,
trades the code, and verifies the id token: signature, issuer, audience, nonce, level. Each makes a session, a grant, a
used code and a used assertion, all durable before they are answered. Whoever asks shares the machine with the node.
"""

import argparse
import asyncio
import multiprocessing
import os
import secrets
import shutil
import signal
import ssl
import tempfile
import time
from hashlib import sha256
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import msgspec
import uvloop
from cryptography.hazmat.primitives.asymmetric import rsa

from _measure import conclude, must, percentile, run, told
from _servers import free_port
from sluis.config import load_node
from sluis.crypto import (
    Jwk,
    Keys,
    check_claims,
    encode_base64url,
    jwk_of,
    make_authority,
    read_jwks,
    read_jwt,
    sign_jwt,
)
from sluis.identity.clients import ASSERTION_TYPE
from sluis.identity.sessions import Established
from sluis.kernel import PeerId
from sluis.serve import build_node
from sluis.web import COOKIE, LoopbackListener, Server

PER_SECOND = 50.0
ACR, BACK = "http://eidas.europa.eu/LoA/substantial", "https://portal.example/back"
OIN = PeerId("00000000000000000001")
VAR = Path(__file__).resolve().parents[1] / "var" / "bench"
PROCESSES = multiprocessing.get_context("spawn")

SETTINGS = """
[node]
oin = "00000000000000000001"
name = "Meting (fictief)"
alias = "meting"
url = "https://localhost:8443"
environment = "test"

[tls]
authorities = ["{authority}"]

[portal]
address = "https://localhost:{port}"
port = {port}

[clients.portal]
title = "Portaal (fictief)"
redirect_uris = ["{back}"]
keys = "portal.json"
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=10.0, help="how long (default 10)")
    parser.add_argument("--abreast", type=int, default=16, help="sign-ins that go on at once (default 16)")
    chosen = parser.parse_args()
    VAR.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="signin-", dir=VAR))
    try:
        measure(home, chosen.seconds, chosen.abreast)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def measure(home: Path, seconds: float, abreast: int) -> None:
    """Run a node in `home`, sign in for so long, and tell what was seen."""
    port, key = free_port(), jwk_of(rsa.generate_private_key(public_exponent=65537, key_size=2048), "k")
    authority = make_authority(home / "authority", "Meting")
    authority.issue(home / "node" / "tls", OIN, "Meting (fictief)", ["localhost"])
    (home / "node" / "portal.json").write_bytes(msgspec.json.encode({"keys": [key.public]}))
    settings = SETTINGS.format(authority=authority.path, port=port, back=BACK)
    (home / "node" / "node.toml").write_text(settings)
    ours, theirs = PROCESSES.Pipe()
    node = PROCESSES.Process(target=serve, args=(home / "node", theirs), daemon=True)
    node.start()
    try:
        stand_in = ours.recv()
        portal = Portal(
            f"https://localhost:{port}", stand_in, key, ssl.create_default_context(cafile=authority.path)
        )
        times, spent = uvloop.run(portal.sign_in_for(seconds, abreast))
    finally:
        if node.pid is not None:
            os.kill(node.pid, signal.SIGTERM)
        node.join(20)
    print(told("one sign-in", times))
    rate = len(times) / spent
    print(f"{len(times)} sign-ins in {spent:.1f} s, {abreast} at once: {rate:.1f} per second")
    more = {"sign_ins": len(times), "p99_ms": percentile(times, 99), "promised": PER_SECOND}
    conclude("signin", rate, "sign-ins/s", rate >= PER_SECOND, **more)


def serve(directory: Path, told: Connection) -> None:
    """The node, until SIGTERM; tells where its stand-in for a way of signing in is."""
    uvloop.run(_serve(directory, told))


async def _serve(directory: Path, told: Connection) -> None:
    node = build_node(load_node(directory, environ={}))
    rooms = node.parts.identity
    assert rooms is not None
    await node.start()

    async def stand_in(scope: Any, receive: Any, send: Any) -> None:
        """Somebody proved who they are; gives the secret that goes into the cookie."""
        established = Established(
            method="digid", audience="citizen", kind="BSN", value=scope["path"], level="substantial", acr=ACR,
            at=int(time.time()), issuer="https://digid.example",
        )  # fmt: skip
        secret, _ = await rooms.sessions.begin(established)
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"43")]})
        await send({"type": "http.response.body", "body": secret.encode()})

    server = Server(stand_in)
    _, port = await server.listen(LoopbackListener("127.0.0.1", 0))  # type: ignore[misc]
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    told.send(f"http://127.0.0.1:{port}")
    await ended.wait()
    await server.stop()
    await node.stop()


class Portal:
    """A portal that has people signed in, and their browsers."""

    def __init__(self, issuer: str, stand_in: str, key: Jwk, context: ssl.SSLContext) -> None:
        self._issuer, self._stand_in, self._key, self._context = issuer, stand_in, key, context
        self._keys = Keys()
        self._times: list[float] = []

    async def sign_in_for(self, seconds: float, abreast: int) -> tuple[list[float], float]:
        """How long each sign-in took, in milliseconds, and all of them together, in seconds."""
        connector = aiohttp.TCPConnector(limit=0, ssl=self._context)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as web:
            async with web.get(f"{self._issuer}/oauth/jwks") as answer:
                self._keys = read_jwks(await answer.read())
            await self._signing_in(web, time.monotonic() + 1.0, abreast)  # warm
            self._times.clear()
            began = time.monotonic()
            await self._signing_in(web, began + seconds, abreast)
            return self._times, time.monotonic() - began

    async def _signing_in(self, web: aiohttp.ClientSession, until: float, abreast: int) -> None:
        async def one_after_another() -> None:
            while time.monotonic() < until:
                began = time.perf_counter()
                await self._sign_in(web)
                self._times.append(1000 * (time.perf_counter() - began))

        await asyncio.gather(*(one_after_another() for _ in range(abreast)))

    async def _sign_in(self, web: aiohttp.ClientSession) -> None:
        verifier, state, nonce = (secrets.token_urlsafe(32) for _ in range(3))
        asked = {
            "client_id": "portal", "redirect_uri": BACK, "response_type": "code", "scope": "openid", "state": state,
            "nonce": nonce, "code_challenge": encode_base64url(sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256", "acr_values": ACR,
        }  # fmt: skip
        sent = await self._go(web, f"{self._issuer}/oauth/authorize", params=asked)
        async with web.get(f"{self._stand_in}/{state}") as begun:
            cookie = {"cookie": f"{COOKIE}={await begun.text()}"}
        came = parse_qs(
            urlsplit(await self._go(web, self._issuer + _one(sent, "next"), headers=cookie)).query
        )
        must(came["state"] == [state] and came["iss"] == [self._issuer], "the answer is another one's")
        form = {
            "grant_type": "authorization_code",
            "code": came["code"][0],
            "redirect_uri": BACK,
            "code_verifier": verifier,
        }
        form |= {"client_assertion_type": ASSERTION_TYPE, "client_assertion": self._assertion()}
        async with web.post(f"{self._issuer}/oauth/token", data=form) as answer:
            must(answer.status == 200, f"no token: {answer.status}")
            tokens = msgspec.json.decode(await answer.read())
        claims = read_jwt(tokens["id_token"], self._keys)
        check_claims(claims, issuer=self._issuer, audience="portal", now=time.time(), longest=300)
        must((claims["nonce"], claims["acr"]) == (nonce, ACR), "the id token is another one's")

    async def _go(self, web: aiohttp.ClientSession, url: str, **how: Any) -> str:
        """Where the browser is sent."""
        async with web.get(url, allow_redirects=False, **how) as answer:
            must(answer.status == 303, f"not sent on: {answer.status}")
            return answer.headers["location"]

    def _assertion(self) -> str:
        now = int(time.time())
        claims = {"iss": "portal", "sub": "portal", "aud": self._issuer, "iat": now, "exp": now + 60}
        return sign_jwt(self._key, {**claims, "jti": secrets.token_urlsafe(24)})


def _one(url: str, name: str) -> str:
    return parse_qs(urlsplit(url).query)[name][0]


if __name__ == "__main__":
    run(main)

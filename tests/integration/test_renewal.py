"""A renewed certificate is taken in use while the node runs: no request fails over it, and nothing keeps hanging on the one
before. Names and numbers are fictitious."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from cryptography import x509
from tests.integration.managers import DATA, MANAGEMENT, until
from tests.integration.nodes import ASKER, OWNER, Federation, build, reach
from tests.integration.test_fsc_commands import OFFER, WISH, Group, Hello, about, document
from tests.renewal import renewed, shown_at

from sluis.crypto import certificate_thumbprint, client_context, public_key_thumbprint, read_chain, read_jws
from sluis.gateway import Membership
from sluis.gateway.contracts import state
from sluis.kernel import PeerId
from sluis.serve import Node

OUTWAY = 8480
HELLO = "/00000001826002785000/sluis/v1/node"


@asynccontextmanager
async def running(*directories: Path) -> AsyncIterator[list[Node]]:
    nodes = [build(directory) for directory in directories]
    try:
        for node in nodes:
            await node.start()
        yield nodes
    finally:
        for node in reversed(nodes):
            await node.stop()


def of(node: Node) -> Membership:
    assert node.parts.membership is not None
    return node.parts.membership


def forget_tokens(node: Node) -> None:
    """What comes of itself within half a minute: the next request has a token asked for."""
    of(node).outway._tokens._places.clear()


@asynccontextmanager
async def load(group: Federation, asker: Node) -> AsyncIterator[list[str]]:
    """Questions and calls one after the other, all the while; gives what came of each."""
    outcomes, over = list[str](), asyncio.Event()

    async def ask() -> None:
        while not over.is_set():
            outcomes.append(await reach(asker))

    async def call() -> None:
        base = f"http://{group.hosts['gemeente']}:{OUTWAY}"
        async with httpx.AsyncClient(base_url=base) as client:
            while not over.is_set():
                answer = await client.get(HELLO)
                outcomes.append(answer.headers.get("fsc-error-code") or str(answer.status_code))

    working = [asyncio.create_task(one()) for one in (ask, ask, call, call)]
    try:
        await until(lambda: len(outcomes) > 20)
        yield outcomes
        seen = len(outcomes)
        await until(lambda: len(outcomes) > seen + 20)
    finally:
        over.set()
        await asyncio.gather(*working)


async def in_use(node: Node, made: x509.Certificate) -> None:
    await until(lambda: node.parts.certificate.identity.certificate == made)


def shown_by(group: Federation, alias: str, port: int) -> x509.Certificate:
    """The certificate that a listener of a node shows to a peer."""
    tls, host = group.asker / "tls", group.hosts[alias]
    context = client_context(tls / "certificate.pem", tls / "key.pem", [group.authority.path])
    return shown_at((host, port), host, context)


def signed_with(node: Node, peer: PeerId) -> set[str]:
    """The certificates that contracts of the two were accepted with by a peer, as a node has them."""
    found, _ = of(node).contracts.page(ASKER)
    return {
        one.signed("accept")[peer].thumbprint
        for one in found
        if peer in one.signed("accept") and not one.signed("revoke")
    }


@pytest.mark.parametrize("whose", ["asker", "owner"])
async def test_no_request_fails_while_either_side_renews(
    group: Federation, whose: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with running(group.owner, group.asker) as (owner, asker):
        async with load(group, asker) as outcomes:
            directory, node = (group.asker, asker) if whose == "asker" else (group.owner, owner)
            made = renewed(directory, group.authority)
            await in_use(node, made)
            forget_tokens(asker)
        assert set(outcomes) == {"200"}
        assert f"a renewed certificate is in use; it ends on {made.not_valid_after_utc.date()}" in caplog.text
        thumbprint = certificate_thumbprint(made)
        peer = ASKER if whose == "asker" else OWNER
        for one in (asker, owner):
            await until(lambda one=one: signed_with(one, peer) == {thumbprint})
        shown = of(node).running.manager.keys()
        # What the one before signed can still be verified.
        assert (len(shown), shown[thumbprint]) == (2, made)
        [leaf, *_] = read_chain(read_jws(node.parts.card(), 64 * 1024).header["x5c"])
        assert leaf == made
        alias = "gemeente" if whose == "asker" else "uwv"
        for port in (MANAGEMENT, DATA):
            assert await asyncio.to_thread(shown_by, group, alias, port) == made


async def test_no_request_fails_while_the_key_becomes_another(group: Federation) -> None:
    async with running(group.owner, group.asker) as (_, asker):
        async with load(group, asker) as outcomes:
            made = renewed(group.asker, group.authority, same_key=False)
            await in_use(asker, made)
            key = public_key_thumbprint(made)
            forget_tokens(asker)
            await until(lambda: keys_between(asker) == {key})
        assert set(outcomes) == {"200"}
        assert await asyncio.to_thread(shown_by, group, "gemeente", DATA) == made


def keys_between(node: Node) -> set[str | None]:
    """The keys of the asker's outway in the contracts that are in force."""
    grants = of(node).contracts.connections(OWNER, "sluis", int(time.time()))
    return {grant.outway and grant.outway.thumbprint for grant in grants}


async def test_a_pair_that_does_not_fit_is_told_and_the_one_before_stays(
    group: Federation, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sluis.serve.certificate.AGAIN", 0.0)
    async with running(group.owner, group.asker) as (_, asker):
        before = asker.parts.certificate.identity
        content = (group.asker / "tls" / "certificate.pem").read_bytes()
        renewed(group.asker, group.authority, same_key=False)
        (group.asker / "tls" / "certificate.pem").write_bytes(content)
        await until(lambda: "the renewed certificate is not in use, and the one before stays" in caplog.text)
        assert "Point to the key that the certificate was requested with." in caplog.text
        assert await reach(asker) == "200"
        assert asker.parts.certificate.identity is before


# Programs, under a contract that somebody has to sign


async def test_a_contract_for_the_key_of_before_goes_on_until_the_next_is_signed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    group = Group(tmp_path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hello)
    Thread(target=server.serve_forever, daemon=True).start()
    link = f"http://{group.hosts['gemeente']}:{OUTWAY}/loon-service/zones"

    async def command(directory: Path, *words: str) -> Any:
        return await asyncio.to_thread(document, directory, *words)

    def states() -> list[tuple[str, str]]:
        found, _ = of(asker).contracts.page(OWNER)
        ours = [
            one
            for one in found
            if one.content.grants[0].service_name == "loon" and one.content.grants[0].outway
        ]
        return sorted(
            ("old" if one.content.grants[0].outway.thumbprint == old else "new", state(one, int(time.time())))
            for one in ours
        )

    for name, text in (("offer", OFFER % f"http://127.0.0.1:{server.server_port}"), ("wish", WISH)):
        (tmp_path / f"{name}.yaml").write_text(text)
    async with running(group.owner, group.asker) as (_, asker), httpx.AsyncClient() as client:
        old = public_key_thumbprint(asker.parts.certificate.identity.certificate)
        await command(group.owner, "apply", "-f", str(tmp_path / "offer.yaml"))
        await command(group.asker, "apply", "-f", str(tmp_path / "wish.yaml"))
        await signed_by_hand(group.owner)
        await until(lambda: states() == [("old", "valid")])
        assert (await client.get(link)).status_code == 200

        made = renewed(group.asker, group.authority, same_key=False)
        await in_use(asker, made)
        assert states() == [("new", "proposed"), ("old", "valid")]
        assert "contracts for the key of the certificate before: " in caplog.text
        forget_tokens(asker)
        assert (await client.get(link)).status_code == 200
        well = await command(group.asker, "fsc", "doctor", "uwv", "loon")
        assert well["well"]

        await signed_by_hand(group.owner)
        await until(lambda: states() == [("new", "valid"), ("old", "revoked")])
        assert (await client.get(link)).status_code == 200
    server.shutdown()
    server.server_close()


async def signed_by_hand(directory: Path) -> None:
    """Sign what waits for the operator of a node, once it is there."""
    found = list[Any]()

    async def waits() -> bool:
        listed = await asyncio.to_thread(document, directory, "fsc", "contracts", "--waiting")
        found[:] = about(listed, "loon")
        return bool(found)

    await until(waits)
    for one in found:
        await asyncio.to_thread(document, directory, "fsc", "sign", one["hash"])


async def test_a_node_without_a_group_shows_its_card_with_the_renewed_certificate(tmp_path: Path) -> None:
    alone = Federation(tmp_path)
    async with running(alone.asker) as (node,):
        made = renewed(alone.asker, alone.authority)
        await in_use(node, made)
        [leaf, *_] = read_chain(read_jws(node.parts.card(), 64 * 1024).header["x5c"])
        assert leaf == made

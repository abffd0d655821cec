"""Managers of one group in this process, each on a loopback address of its own and on the standard's ports. Test names
and numbers are fictitious."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import msgspec

from sluis.crypto import (
    Authority,
    Identity,
    Revocations,
    client_context,
    make_authority,
    public_key_thumbprint,
    read_certificates,
    server_context,
)
from sluis.gateway.contracts import Contract, State, open_contracts, state
from sluis.gateway.manager import AutoSign, Judge, Running, Settings, Trust, open_manager
from sluis.gateway.peers import Directory, Group, hold_to
from sluis.gateway.transactions import open_transactions
from sluis.kernel import PeerId, utc_now
from sluis.store import open_store
from sluis.web import PeerListener, Server

DIRECTORY = PeerId("00000000000000000099")
GEMEENTE, UWV, SVB = (PeerId(f"0000000000000000000{number}") for number in (1, 2, 3))
NAMES = {DIRECTORY: "Directory", GEMEENTE: "Gemeente Voorbeeld", UWV: "UWV Voorbeeld", SVB: "SVB Voorbeeld"}
MANAGEMENT, DATA = (8443, 443) if os.geteuid() == 0 else (18443, 10443)
DAY = 86_400


def free_network() -> str:
    """A network of loopback addresses in which nobody listens on these ports yet, `127.20.x.`."""
    for number in range(os.getpid(), os.getpid() + 250):
        network = f"127.20.{number % 250 + 1}."
        with socket.socket() as probe:
            try:
                probe.bind((f"{network}1", MANAGEMENT))
            except OSError:
                continue
            return network
    raise OSError("every address is taken")


class Place(msgspec.Struct):
    """Where a peer has its files, and where it listens."""

    peer: PeerId
    host: str
    home: Path
    certificate: Path
    key: Path
    anchors: list[Path]
    group: Group

    @property
    def address(self) -> str:
        return f"https://{self.host}:{MANAGEMENT}"

    @property
    def identity(self) -> Identity:
        return Identity.load(self.certificate, self.key)

    @property
    def thumbprint(self) -> str:
        return public_key_thumbprint(self.identity.certificate)


class World:
    """A group, and places for its peers."""

    def __init__(self, home: Path) -> None:
        self.home, self.network = home, free_network()
        self.authority: Authority = make_authority(home / "authority", "Groep")
        self.directory = f"https://{self.network}99:{MANAGEMENT}"
        self.group = Group(
            "test-group",
            (self.authority.path,),
            Directory(DIRECTORY, self.directory),
            ports=(443, 8443, MANAGEMENT),
        )

    def place(self, peer: PeerId, days: int = 365, authority: Authority | None = None) -> Place:
        host = f"{self.network}{int(peer)}"
        home = self.home / str.__str__(peer)
        files = (authority or self.authority).issue(home, peer, NAMES[peer], [host, "localhost"], days)
        return Place(peer, host, home, *files, [self.authority.path], self.group)


class Member:
    """A running Manager of a group."""

    def __init__(self, place: Place, running: Running, server: Server, revocations: Revocations) -> None:
        self.place, self.running, self.server, self.revocations = place, running, server, revocations
        self.manager, self.contracts = running.manager, running.manager.contracts

    @property
    def peer(self) -> PeerId:
        return self.place.peer

    def state(self, contract: Contract) -> State | None:
        found = self.contracts.get(contract.content.hash)
        return state(found, now()) if found else None

    async def reaches(self, contract: Contract, wanted: State, seconds: float = 10) -> None:
        await until(lambda: self.state(contract) == wanted, seconds)


@asynccontextmanager
async def member(
    place: Place,
    services: tuple[str, ...] = (),
    auto_sign: tuple[AutoSign, ...] = (),
    decision_point: Judge | None = None,
    unsettled: float = 3600,
    everything: float = 3600,
    crl: Path | None = None,
    clock: Callable[[], Any] = utc_now,
    database: str = "",
    started: bool = True,
) -> AsyncIterator[Member]:
    """A Manager that runs until the block ends. Nothing recurs within a test unless it says how often. One that is not
    started answers, and does nothing by itself."""
    anchors = read_certificates(place.anchors[0])
    revocations = Revocations(crl, anchors)
    outgoing = client_context(place.certificate, place.key, place.anchors)
    incoming = server_context(place.certificate, place.key, place.anchors)
    for context in (outgoing, incoming):
        revocations.guard(hold_to(place.group, context))
    with closing(open_store(database or place.home / "node.db")) as store:
        contracts = await asyncio.to_thread(open_contracts, store, place.peer, clock)
        transactions = await asyncio.to_thread(open_transactions, store, clock)
        settings = Settings(
            place.address, f"https://{place.host}:{DATA}", True, auto_sign, decision_point,
            unsettled, everything, answer_seconds=3,
        )  # fmt: skip
        running = await asyncio.to_thread(
            open_manager, store, place.identity, place.group, settings, Trust(anchors, lambda: revocations.lists),
            outgoing, contracts, transactions, lambda: services, clock, revocations.revokes,
        )  # fmt: skip
        server = Server(running.api)
        await server.listen(PeerListener(place.host, MANAGEMENT, incoming))
        try:
            if started:
                await running.start()
            yield Member(place, running, server, revocations)
        finally:
            await server.stop(seconds=0)
            await running.stop()


def now() -> int:
    return int(time.time())


def connection(place: Place, service_peer: PeerId, service: str, **more: Any) -> dict[str, Any]:
    """A connection grant for the outway of a place."""
    identification = {
        "type": "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT",
        "public_key_thumbprint": place.thumbprint,
    }
    return {
        "type": "GRANT_TYPE_SERVICE_CONNECTION",
        "outway": {"peer_id": str.__str__(place.peer), "identification": identification},
        "service": {"type": "SERVICE_TYPE_SERVICE", "peer_id": str.__str__(service_peer), "name": service},
        **more,
    }


def publication(peer: PeerId, service: str, **more: Any) -> dict[str, Any]:
    """A publication grant at the group's directory."""
    return {
        "type": "GRANT_TYPE_SERVICE_PUBLICATION",
        "directory": {"peer_id": str.__str__(DIRECTORY)},
        "service": {"peer_id": str.__str__(peer), "name": service, "protocol": "PROTOCOL_TCP_HTTP_1.1"},
        **more,
    }


async def until(holds: Callable[[], Any], seconds: float = 10) -> None:
    """Wait until something holds; fails when it takes too long."""
    end = time.monotonic() + seconds
    while True:
        found = holds()
        if isinstance(found, Awaitable):
            found = await found
        if found:
            return
        assert time.monotonic() < end, "it did not come to hold"
        await asyncio.sleep(0.02)

"""Whole peers of one group in this process: Manager, inway and outway, each on an address of its own. All names and
numbers are fictitious."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing

import msgspec
from tests.integration.managers import DATA, MANAGEMENT, Place

from sluis.crypto import FileKeyStore, Revocations, client_context, read_certificates, server_context
from sluis.gateway.documents import read
from sluis.gateway.manager import AutoSign, Settings, Trust
from sluis.gateway.membership import Membership, open_membership
from sluis.gateway.planes.inprocess import InwayPlane, OutwayPlane
from sluis.kernel import Clock, PeerId, utc_now
from sluis.ledger import Ledger, open_ledger
from sluis.store import open_store
from sluis.web import LoopbackListener, PeerListener, Server


class Peer(msgspec.Struct, frozen=True):
    """A running peer. `outway` is the base address of its outway, for programs of its own."""

    place: Place
    membership: Membership
    ledger: Ledger
    outway: str

    async def apply(self, text: str) -> list[tuple[str, str, str | None]]:
        """Apply YAML; gives name, change and state of each document."""
        documents, problems = read(text, "apply.yaml")
        assert problems == ()
        outcomes = await self.membership.applying.apply(documents)
        return [(one.name, one.change, one.state) for one in outcomes]


@asynccontextmanager
async def peer(
    place: Place,
    *,
    auto_sign: tuple[AutoSign, ...] = (),
    aliases: Mapping[str, PeerId] | None = None,
    clock: Clock = utc_now,
) -> AsyncIterator[Peer]:
    """A whole peer that runs until the block ends."""
    anchors = read_certificates(place.anchors[0])
    revocations = Revocations(None, anchors)
    incoming = server_context(place.certificate, place.key, place.anchors)
    settings = Settings(
        place.address, f"https://{place.host}:{DATA}", True, auto_sign,
        unsettled_seconds=3600, everything_seconds=3600, answer_seconds=3,
    )  # fmt: skip
    with closing(open_store(place.home / "node.db")) as store:
        keys = FileKeyStore(place.home / "keys")
        ledger = await asyncio.to_thread(open_ledger, store, keys, f"test/{place.peer}", utc_now)
        membership = await asyncio.to_thread(
            open_membership, store, ledger, place.identity, place.group, settings,
            Trust(anchors, lambda: revocations.lists), client_context(place.certificate, place.key, place.anchors),
            aliases or {}, clock,
        )  # fmt: skip
        streams, meters = membership.streams, membership.meters
        manager = Server(membership.running.api)
        inway = Server(InwayPlane(membership.inway, streams, meters.inway), streaming=True)
        outway = Server(OutwayPlane(membership.outway, streams, meters.outway), streaming=True)
        await manager.listen(PeerListener(place.host, MANAGEMENT, incoming))
        await inway.listen(PeerListener(place.host, DATA, incoming))
        host, port = await outway.listen(LoopbackListener(place.host, 0))  # type: ignore[misc]
        try:
            await membership.start()
            yield Peer(place, membership, ledger, f"http://{host}:{port}")
        finally:
            for server in (outway, inway, manager):
                await server.stop(seconds=0)
            await membership.stop()

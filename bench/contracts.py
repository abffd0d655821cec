"""What contracts between two nodes cost: made at one, sent to the other, signed there by rule, sent back, valid at both.

    python bench/contracts.py [--contracts 1000] [--rounds 3] [--listed 10000]

Two Managers, each a process of its own with a database on disk (every step durable before it is answered), mTLS between
them. Many are proposed at once; a round ends when all of its contracts are in force at the one that proposed them.
Before each round the disk is asked what one small durable write costs, because every contract waits for several.

Listing: ten thousand contracts in one database, asked for page by page over a connection that is kept, as another
Manager asks for them.
"""

import argparse
import asyncio
import multiprocessing
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from _measure import conclude, must, run
from _servers import free_port
from sluis.crypto import (
    Identity,
    client_context,
    make_authority,
    public_key_thumbprint,
    read_certificates,
    server_context,
)
from sluis.gateway.contracts import Signature, open_contracts, read_content
from sluis.gateway.manager import AutoSign, Running, Settings, Trust, open_manager
from sluis.gateway.peers import Directory, Group
from sluis.gateway.transactions import open_transactions
from sluis.kernel import PeerId, encode, new_transaction_id, utc_now
from sluis.store import Store, open_store
from sluis.web import PeerListener, Server

PER_SECOND, PAGE_MS = 50.0, 100.0
ABREAST, PAGE = 32, 100
VAR = Path(__file__).resolve().parents[1] / "var" / "bench"
ASKER, OWNER = PeerId("00000000000000000001"), PeerId("00000000000000000002")
SERVICE, DAY = "loon", 86_400
PROCESSES = multiprocessing.get_context("spawn")


class Place(msgspec.Struct, frozen=True):
    """Where a node has its files, and where it listens."""

    home: Path
    anchor: Path
    group: Group
    port: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--contracts", type=int, default=1000, help="made in a round (default 1000)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of making (default 3)")
    parser.add_argument("--listed", type=int, default=10_000, help="contracts in the list (default 10000)")
    chosen = parser.parse_args()
    VAR.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(dir=VAR, prefix="contracts-"))
    try:
        rates, pages, fsync = uvloop.run(_measured(directory, chosen))
    finally:
        shutil.rmtree(directory)
    value, page = statistics.median(rates), max(pages)
    print("contracts a second, round by round:", *(f"{rate:.0f}" for rate in rates))
    print("ms of a durable write on this disk:", *(f"{one:.1f}" for one in fsync))
    print(
        f"ms of a page of {PAGE}: median {statistics.median(pages):.1f}, slowest {page:.1f}, n = {len(pages)}"
    )
    conclude(
        "contracts", value, "contracts/s", value >= PER_SECOND and statistics.median(pages) < PAGE_MS,
        page_ms=statistics.median(pages), slowest_page_ms=page, fsync_ms=statistics.median(fsync),
    )  # fmt: skip


async def _measured(
    directory: Path, chosen: argparse.Namespace
) -> tuple[list[float], list[float], list[float]]:
    asker, owner = _places(directory)
    ours, theirs = PROCESSES.Pipe()
    child = PROCESSES.Process(target=_own, args=(owner, theirs))
    child.start()
    theirs.close()  # so that the end of the child is the end of the pipe
    try:
        must(await asyncio.to_thread(ours.recv) == "ready", "the other node starts")
        async with _running(asker) as running:
            fsync, rates = [], []
            for _ in range(chosen.rounds):
                fsync.append(_durable_write(directory))
                rates.append(await _round(running, chosen.contracts))
            await _fill(running, chosen.listed - chosen.rounds * chosen.contracts)
            ours.send("list")
            pages, count = await asyncio.to_thread(ours.recv)
            must(count >= chosen.listed, "every contract is listed")
            return rates, pages, fsync
    finally:
        ours.send("stop")
        await asyncio.to_thread(child.join, 20)


async def _round(running: Running, count: int) -> float:
    """Contracts a second, from the first proposal to the last that is valid."""
    room, now = asyncio.Semaphore(ABREAST), int(time.time())
    grant = _grant(public_key_thumbprint(running.manager.identity.certificate))

    async def one() -> str:
        async with room:
            made = await running.manager.propose([grant], now - 60, now + DAY)
            return made.content.grants[0].hash

    begun = time.perf_counter()
    left = await asyncio.gather(*[one() for _ in range(count)])
    while left:
        must(time.perf_counter() - begun < 600, "every contract becomes valid")
        await asyncio.sleep(0.02)
        left = [hash for hash in left if running.manager.contracts.in_force(hash, int(time.time())) is None]
    return count / (time.perf_counter() - begun)


async def _fill(running: Running, count: int) -> None:
    """Put more contracts into the database, that were never sent: only listing them is measured."""
    now = int(time.time())

    async def one(number: int) -> None:
        value = {
            "fsc_version": "2.0.0", "iv": new_transaction_id(), "group_id": running.manager.group.id,
            "validity": {"not_before": now, "not_after": now + DAY}, "grants": [{"data": _grant("ab" * 32)}],
            "hash_algorithm": "HASH_ALGORITHM_SHA3_512", "created_at": now - number,
        }  # fmt: skip
        signature = Signature(ASKER, "reject", "x." * 200, now, "a" * 43, now + DAY)
        await running.manager.contracts.add_signature(read_content(encode(value)), signature)

    for at in range(0, max(count, 0), 500):
        await asyncio.gather(*[one(number) for number in range(at, min(at + 500, count))])


def _own(place: Place, told: Connection) -> None:
    """The other node: signs by rule, and lists what the first one has when it is told to."""

    async def live() -> None:
        async with _running(place) as running:
            told.send("ready")
            while await asyncio.to_thread(told.recv) == "list":
                told.send(await _list(running))

    uvloop.run(live())


async def _list(running: Running) -> tuple[list[float], int]:
    """Milliseconds per page of the other's contracts, and how many there were."""
    pages, count, cursor = [], 0, ""
    while True:
        begun = time.perf_counter()
        page = await running.managers.contracts(ASKER, cursor, PAGE)
        pages.append((time.perf_counter() - begun) * 1000)
        count, cursor = count + len(page.contracts), page.pagination.next_cursor
        if not cursor:
            return pages, count


def _grant(thumbprint: str) -> dict[str, Any]:
    kind = "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT"
    return {
        "type": "GRANT_TYPE_SERVICE_CONNECTION",
        "outway": {
            "peer_id": str.__str__(ASKER),
            "identification": {"type": kind, "public_key_thumbprint": thumbprint},
        },
        "service": {"type": "SERVICE_TYPE_SERVICE", "peer_id": str.__str__(OWNER), "name": SERVICE},
    }


def _places(directory: Path) -> tuple[Place, Place]:
    authority = make_authority(directory / "authority", "Meting")
    ports = {ASKER: free_port(), OWNER: free_port()}
    at = Directory(OWNER, f"https://localhost:{ports[OWNER]}")
    group = Group("bench", (authority.path,), at, ports=tuple(ports.values()))
    for peer in ports:
        authority.issue(directory / str.__str__(peer), peer, "Fictief", ["localhost"])
    asker, owner = (
        Place(directory / str.__str__(peer), authority.path, group, port) for peer, port in ports.items()
    )
    return asker, owner


@asynccontextmanager
async def _running(place: Place) -> AsyncIterator[Running]:
    files = place.home / "certificate.pem", place.home / "key.pem"
    identity, anchors = Identity.load(*files), [place.anchor]
    address = f"https://localhost:{place.port}"
    settings = Settings(address, address, True, (AutoSign("bench"),), unsettled_seconds=3600)
    with closing(open_store(place.home / "node.db")) as store:
        running = await asyncio.to_thread(_opened, store, identity, place, settings)
        server = Server(running.api)
        await server.listen(PeerListener("127.0.0.1", place.port, server_context(*files, anchors)))
        await running.start()
        try:
            yield running
        finally:
            await server.stop(seconds=0)
            await running.stop()


def _opened(store: Store, identity: Identity, place: Place, settings: Settings) -> Running:
    context = client_context(place.home / "certificate.pem", place.home / "key.pem", [place.anchor])
    return open_manager(
        store, identity, place.group, settings, Trust(read_certificates(place.anchor)), context,
        open_contracts(store, identity.peer.id, utc_now), open_transactions(store, utc_now),
        lambda: (SERVICE,), utc_now,
    )  # fmt: skip


def _durable_write(directory: Path) -> float:
    """Milliseconds of one small write with fsync, the median of 21."""
    taken = []
    with (directory / "probe").open("wb") as file:
        for _ in range(21):
            begun = time.perf_counter()
            file.write(b"x" * 4096)
            file.flush()
            os.fsync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


if __name__ == "__main__":
    run(main)

"""Either side of a gateway is killed (SIGKILL): under load, and in the middle of a body.

What was answered stands in the logs of both sides; what broke off is never taken for whole; and once the side that was
killed is back, all goes on.
"""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.gateways import ASKER, OWNER, SERVICE, Backend, read_answer
from tests.servers import free_port
from tests.unit.gateway.contracts.making import as_json, by_key, connection, content

from sluis.crypto import Identity, make_authority, public_key_thumbprint
from sluis.gateway.contracts import read_content
from sluis.gateway.transactions import open_transactions, read_transaction_id
from sluis.kernel import utc_now
from sluis.store import open_store
from sluis.web import LoopbackListener, Server

ROOT = Path(__file__).parents[2]
OTHER = {"inway": "outway", "outway": "inway"}


@dataclass
class Nodes:
    """Two processes and a service."""

    folder: Path
    outway: tuple[str, int]
    backend: Backend
    processes: dict[str, asyncio.subprocess.Process] = field(default_factory=dict)

    async def start(self, role: str) -> None:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.gateway_node", str(self.folder), role,
            cwd=ROOT, env=environment, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        self.processes[role] = process
        assert process.stdout is not None
        async with asyncio.timeout(60):
            assert await process.stdout.readline() == b"ready\n"

    async def kill(self, role: str) -> None:
        process = self.processes.pop(role)
        process.send_signal(signal.SIGKILL)
        await process.communicate()

    async def ask(self, path: str = "/l/x") -> tuple[int, str]:
        """A request; status and transaction, 0 when there was no whole answer."""
        try:
            reader, writer = await asyncio.open_connection(*self.outway)
        except OSError:
            return 0, ""
        try:
            writer.write(f"GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n".encode())
            got = read_answer(await asyncio.wait_for(reader.read(), 30))
            whole = len(got.body) == int(got.headers["content-length"])
            return (got.status if whole else 0), got.headers.get("fsc-transaction-id", "")
        except (OSError, KeyError, IndexError, ValueError):
            return 0, ""
        finally:
            writer.close()

    async def logged(self, name: str, transactions: list[str]) -> int:
        """How many of these transactions a side has in its log; it must not be running."""
        store = open_store(self.folder / name / "node.db")
        try:
            log = open_transactions(store, utc_now)
            ids = [read_transaction_id(one) or b"" for one in transactions]
            found = set[str]()
            for at in range(0, len(ids), 1000):
                records = await log.find_transactions(OWNER, ids[at : at + 1000])
                found |= {record.transaction_id for record in records}
            return len(found)
        finally:
            store.close()


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[Nodes]:
    authority = make_authority(tmp_path / "authority", "Groep")
    inway, outway = ("127.20.2.1", free_port()), ("127.20.1.1", free_port())
    files = authority.issue(tmp_path / "asker", ASKER, "Vrager", ["localhost"])
    authority.issue(tmp_path / "owner", OWNER, "Bronhouder", [inway[0]])
    now, grant = int(time.time()), connection(SERVICE)
    grant["outway"]["identification"] = by_key(public_key_thumbprint(Identity.load(*files).certificate))
    agreed = as_json(
        content(grant, validity={"not_before": now - 60, "not_after": now + 3600}, created_at=now)
    )
    backend = Backend()
    server = Server(backend, streaming=True)
    service = await server.listen(LoopbackListener("127.20.2.2", 0))
    links = {"l": read_content(agreed).grants[0].hash}
    (tmp_path / "node.json").write_text(
        json.dumps(
            {
                "content": agreed.decode(), "links": links, "service": service, "inway": inway, "outway": outway,
                "aud": f"https://{inway[0]}:{inway[1]}", "parent": os.getpid(),
            }
        )
    )  # fmt: skip
    nodes = Nodes(tmp_path, outway, backend)
    try:
        await asyncio.gather(nodes.start("inway"), nodes.start("outway"))
        yield nodes
    finally:
        for role in list(nodes.processes):
            await nodes.kill(role)
        await server.stop(seconds=0)


async def until_it_passes(nodes: Nodes) -> str:
    async with asyncio.timeout(30):
        while True:
            status, transaction = await nodes.ask()
            if status == 200:
                return transaction
            await asyncio.sleep(0.1)


@pytest.mark.prove
@pytest.mark.parametrize("side", ["inway", "outway"])
async def test_what_was_answered_is_in_both_logs_whoever_is_killed(nodes: Nodes, side: str) -> None:
    answered, going = list[str](), True

    async def ask_on() -> None:
        while going:
            status, transaction = await nodes.ask()
            if status == 200:
                answered.append(transaction)
            else:
                await asyncio.sleep(0.05)

    asking = [asyncio.create_task(ask_on()) for _ in range(8)]
    for _ in range(3):
        before = len(answered)
        while len(answered) < before + 50:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.sleep(random.uniform(0, 0.1))
        await nodes.kill(side)
        await nodes.start(side)
    answered.append(await until_it_passes(nodes))
    going = False
    await asyncio.gather(*asking)
    for role in OTHER:
        await nodes.kill(role)
    assert len(answered) > 150
    assert await nodes.logged("asker", answered) == len(set(answered)) == len(answered)
    assert await nodes.logged("owner", answered) == len(answered)


@pytest.mark.parametrize("side", ["inway", "outway"])
async def test_body_that_is_under_way_when_a_side_is_killed_is_never_whole(nodes: Nodes, side: str) -> None:
    begun, gone = asyncio.Event(), asyncio.Event()

    async def handler(_scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x" * 1000, "more_body": True})
        begun.set()
        while (await receive())["type"] != "http.disconnect":
            pass
        gone.set()

    nodes.backend.handler = handler
    reader, writer = await asyncio.open_connection(*nodes.outway)
    writer.write(b"GET /l/x HTTP/1.1\r\nhost: localhost\r\n\r\n")
    await asyncio.wait_for(begun.wait(), 20)
    await asyncio.wait_for(reader.readuntil(b"x" * 1000), 20)
    await nodes.kill(side)
    try:
        rest = await asyncio.wait_for(reader.read(), 20)
    except ConnectionError:
        rest = b""
    assert not rest.endswith(b"0\r\n\r\n")
    await asyncio.wait_for(gone.wait(), 20)  # the service hears it too
    writer.close()
    nodes.backend.handler = nodes.backend.tell
    await nodes.start(side)
    await until_it_passes(nodes)

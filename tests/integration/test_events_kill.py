"""A node that is killed at any moment loses no event that it acknowledged, and keeps the order of every stream."""

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from ipaddress import ip_network
from pathlib import Path

import pytest
from tests.integration.test_webhooks import Recipient, recipient, subscription

from sluis.crypto import FileKeyStore, calling_context
from sluis.events.cloudevent import CloudEvent
from sluis.events.queue import Outgoing, open_queue
from sluis.events.sending import Connections, Sender, Signer, Webhook
from sluis.events.subscriptions import Subscription
from sluis.kernel import utc_now
from sluis.store import open_store

STREAMS = 7


async def node(directory: Path, port: int, first: int, count: int) -> None:
    """Publish and send; say on standard output what is acknowledged, and `done` when nothing waits any more."""
    with closing(open_store(directory / "node.db")) as store:
        keys = FileKeyStore(directory / "keys")
        queue = open_queue(store, keys, utc_now)
        to = Recipient()
        to.port = port
        webhook = Webhook(
            Connections(calling_context, [ip_network("127.0.0.0/8")]),
            Signer(keys, utc_now),
            "node.example",
            utc_now,
        )
        sender = Sender(queue, {"push": webhook}, lambda name: None, utc_now, lambda: 0.01)

        async def known() -> Sequence[Subscription]:
            return [subscription(to)]

        sending = asyncio.create_task(sender.run(known))
        for number in range(first, first + count):
            event = CloudEvent(f"{number}", "urn:x", "nl.x")
            outgoing = [Outgoing("a", str(number % STREAMS), None, "notice", "1" * 32)]
            await store.write(lambda connection, e=event, o=outgoing: queue.add(connection, [(e, o)]))  # type: ignore[misc]
            print(number, flush=True)
        while queue.seen()["a"].waiting:  # noqa: ASYNC110 - nobody tells when all is noted
            await asyncio.sleep(0.05)
        print("done", flush=True)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await webhook.close()


async def started(directory: Path, port: int, first: int, count: int) -> asyncio.subprocess.Process:
    program = (
        "import asyncio, sys; from pathlib import Path; from tests.integration.test_events_kill import node;"
        "asyncio.run(node(Path(sys.argv[1]), *map(int, sys.argv[2:])))"
    )
    arguments = [str(directory), str(port), str(first), str(count)]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *arguments, stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}, cwd=Path(__file__).parents[2],
    )  # fmt: skip


async def acknowledged(process: asyncio.subprocess.Process, most: float) -> list[str]:
    """What it said in so many seconds from its first word; killed after that, unless it was done."""
    assert process.stdout is not None
    said = [(await process.stdout.readline()).decode().strip()]
    try:
        async with asyncio.timeout(most):
            while line := await process.stdout.readline():
                said.append(line.decode().strip())
                if said[-1] == "done":
                    break
    except TimeoutError:
        pass
    if process.returncode is None:
        process.send_signal(signal.SIGKILL)
    said += [line.strip() for line in (await process.stdout.read()).decode().split("\n") if line.strip()]
    await process.wait()
    return said


@pytest.mark.prove
async def test_what_was_acknowledged_arrives_whenever_the_node_is_killed(tmp_path: Path) -> None:
    chance = random.Random(20261122)
    promised = set[str]()
    async with recipient() as to:
        for round_ in range(12):
            process = await started(tmp_path, to.port, round_ * 100_000, 50_000)
            promised |= {one for one in await acknowledged(process, chance.random() * 1.5) if one != "done"}
        last = await acknowledged(await started(tmp_path, to.port, 10_000_000, 10), 120)
        events = [json.loads(one.body) for one in to.got]
    assert last[-1] == "done"
    assert len(promised) > 100
    assert promised <= {event["id"] for event in events}
    first = dict[int, str]()
    for event in events:
        assert first.setdefault(int(event["sequence"]), event["id"]) == event["id"], (
            "a number is of one event"
        )
    for stream in range(STREAMS):
        of = [sequence for sequence, name in first.items() if int(name) % STREAMS == stream]
        assert of == sorted(of), "within a stream the first arrivals are in order"

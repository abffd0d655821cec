"""The worker goes on as long as something waits, also when nothing new comes."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from sluis.crypto import FileKeyStore
from sluis.events.cloudevent import CloudEvent
from sluis.events.queue import Delivery, Outgoing, open_queue
from sluis.events.sending import Sender
from sluis.events.sending.base import ARRIVED, Result
from sluis.events.subscriptions import Config, Subscription
from sluis.kernel import PeerId, utc_now
from sluis.store import open_store

STREAMS = 400
SUBSCRIPTION = Subscription(
    "a", PeerId("00000001234567890000"), "https://a.example/", "push", config=Config(content="batch", batch=500), state="active"
)  # fmt: skip


class FailsOnce:
    """A transport whose recipient is away for the first request."""

    def __init__(self) -> None:
        self.arrived: list[str] = []
        self.away = True

    async def send(self, subscription: Subscription, deliveries: Sequence[Delivery]) -> Result:
        if self.away:
            self.away = False
            return Result("again", "unreachable", whole=True)
        self.arrived += [one.event.id for one in deliveries]
        return ARRIVED

    async def close(self) -> None:
        """Nothing is open."""


async def test_what_stands_behind_one_of_many_streams_that_waited_goes_without_news(tmp_path: Path) -> None:
    """Streams that waited are read again by themselves, some at a time; those read first hold nothing more."""
    transport = FailsOnce()
    with closing(open_store(tmp_path / "node.db")) as store:
        queue = open_queue(store, FileKeyStore(tmp_path / "keys"), utc_now)
        streams = [*range(STREAMS), 0]
        additions = [
            (CloudEvent(f"e-{at}", "urn:x", "nl.x"), [Outgoing("a", str(one), None, "n", "1" * 32)])
            for at, one in enumerate(streams)
        ]
        await store.write(lambda connection: queue.add(connection, additions))
        sender = Sender(queue, {"push": transport}, lambda name: None, utc_now, lambda: 0.0)

        async def known() -> Sequence[Subscription]:
            return [SUBSCRIPTION]

        sending = asyncio.create_task(sender.run(known))
        try:
            async with asyncio.timeout(10):
                while len(transport.arrived) < len(streams):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.01)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
    assert len({*transport.arrived}) == len(streams)

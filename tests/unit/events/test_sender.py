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
from sluis.events.sending.lane import WINDOW
from sluis.events.subscriptions import Config, Subscription
from sluis.kernel import PeerId, utc_now
from sluis.store import open_store

STREAMS = 400
SUBSCRIPTION = Subscription(
    "a", PeerId("00000001234567890000"), "https://a.example/", "push", config=Config(content="batch", batch=500), state="active"
)  # fmt: skip


class Recipient:
    """A transport whose recipient is away for so many requests at first."""

    def __init__(self, away: int = 0) -> None:
        self.arrived: list[str] = []
        self.away = away

    async def send(self, subscription: Subscription, deliveries: Sequence[Delivery]) -> Result:
        if self.away:
            self.away -= 1
            return Result("again", "unreachable", whole=True)
        self.arrived += [one.event.id for one in deliveries]
        return ARRIVED

    async def close(self) -> None:
        """Nothing is open."""


async def has_all(directory: Path, recipient: Recipient, streams: Sequence[int]) -> bool:
    """Whether an event of each of these streams arrives, once, when all were there before sending began and no news comes."""
    with closing(open_store(directory / "node.db")) as store:
        queue = open_queue(store, FileKeyStore(directory / "keys"), utc_now)
        additions = [
            (CloudEvent(f"e-{at}", "urn:x", "nl.x"), [Outgoing("a", str(one), None, "n", "1" * 32)])
            for at, one in enumerate(streams)
        ]
        await store.write(lambda connection: queue.add(connection, additions))
        sender = Sender(queue, {"push": recipient}, lambda name: None, utc_now, lambda: 0.0)

        async def known() -> Sequence[Subscription]:
            return [SUBSCRIPTION]

        sending = asyncio.create_task(sender.run(known))
        try:
            async with asyncio.timeout(10):
                while len(recipient.arrived) < len(streams):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.01)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)
    return len({*recipient.arrived}) == len(streams)


async def test_what_stands_behind_one_of_many_streams_that_waited_goes_without_news(tmp_path: Path) -> None:
    """Streams that waited are read again by themselves, some at a time; those read first hold nothing more."""
    assert await has_all(tmp_path, Recipient(away=1), [*range(STREAMS), 0])


async def test_a_recipient_that_is_quicker_than_outcomes_are_noted_gets_all(tmp_path: Path) -> None:
    """All that there is room for arrived before any of it was noted: then reading goes on when it is."""
    assert await has_all(tmp_path, Recipient(), range(4 * WINDOW))

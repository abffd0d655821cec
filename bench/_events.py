"""What the measurements of events share: a node that publishes to ten webhook subscribers and sends, in this process; its
recipients are in another.

An event is published as a node does it: one line in the log per recipient, the event and its deliveries, all in one commit that is
awaited; a delivery counts when its outcome is committed too.
"""

import asyncio
import os
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_network
from pathlib import Path

from _servers import VAR
from _webhooks import HOST, Receivers
from sluis.crypto import FileKeyStore, calling_context
from sluis.events.cloudevent import CloudEvent
from sluis.events.queue import Outgoing, Queue, open_queue
from sluis.events.sending import Connections, Sender, Signer, Webhook
from sluis.events.subscriptions import Config, Subscription
from sluis.kernel import PeerId, milliseconds, new_span_id, new_trace_id, utc_now
from sluis.ledger import Ledger, Processing, open_ledger
from sluis.store import Store, open_store

SUBSCRIBERS = 10
PERSONS = 500
"""Whom the events are about: streams within which order is kept."""

_OWNER = PeerId("00000001234567890000")
_SOURCE = "urn:nld:oin:00000001234567890000:systeem:zaken"
_STREAMS = [os.urandom(32).hex()[:43] for _ in range(PERSONS)]


@dataclass
class Node:
    """A node that is running.

    Attributes:
        committed: the moment (time.time) at which each event was durable.
    """

    store: Store
    ledger: Ledger
    queue: Queue
    sender: Sender
    subscriptions: list[Subscription]
    committed: dict[str, float] = field(default_factory=dict)
    _waiting: list[tuple[int, asyncio.Future[None]]] = field(default_factory=list)
    _working: asyncio.Task[None] | None = None

    async def publish(self, number: int) -> None:
        """Publish one event to every subscriber; durable when this returns. What waits meanwhile goes together."""
        future = asyncio.get_running_loop().create_future()
        self._waiting.append((number, future))
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        await future

    async def _work(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            names, lines, additions = (
                list[str](),
                list[Processing](),
                list[tuple[CloudEvent, list[Outgoing]]](),
            )
            for number, _ in taken:
                event, to, about = self._event(number)
                now = milliseconds(utc_now())
                lines += [_line(to[0].trace_id, about, now, one.subscription) for one in to]
                additions.append((event, to))
                names.append(event.id)
            recorded = self.ledger.append(lines)
            await self.store.write(partial(self.queue.add, additions=additions))
            await recorded
            moment = time.time()
            self.committed.update(dict.fromkeys(names, moment))
            for _, future in taken:
                future.set_result(None)
        self._working = None

    def _event(self, number: int) -> tuple[CloudEvent, list[Outgoing], str]:
        trace_id, about = new_trace_id(), _STREAMS[number % PERSONS]
        event = CloudEvent(
            f"{os.getpid()}-{number}", _SOURCE, "nl.uitkeringen.beslissing-genomen", time="2026-11-22T12:00:00Z",
            extensions={"dataref": f"https://bron.example/v1/beslissingen/{number}"},
        )  # fmt: skip
        reference = f"zaak-{number % PERSONS}"
        to = [Outgoing(one.id, about, reference, "uitkering", trace_id) for one in self.subscriptions]
        return event, to, about

    async def delivered(self, count: int, seconds: float) -> None:
        """Wait until so many deliveries have their outcome, durably. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while self.sender.sent < count:  # noqa: ASYNC110 - nobody is told of it but who measures
                await asyncio.sleep(0.01)


@asynccontextmanager
async def node(receivers: Receivers, url: str | None, content: str = "structured") -> AsyncIterator[Node]:
    """A node that sends to these recipients.

    Args:
        receivers: of the webhooks.
        url: of a PostgreSQL database; None for SQLite under `var/bench`.
        content: mode of the HTTP binding.
    """
    VAR.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(dir=VAR, prefix="events-"))
    store = open_store(url or directory / "node.db")
    keys = FileKeyStore(directory / "keys")
    ledger = open_ledger(store, keys, "bench.example/log", utc_now)
    queue = open_queue(store, keys, utc_now)
    config = Config(content=content)  # type: ignore[arg-type]
    subscriptions = [
        Subscription(
            f"{number:032x}", _OWNER, f"http://{HOST}:{port}/events", "push", config=config, state="active"
        )
        for number, port in enumerate(receivers.ports)
    ]
    webhook = Webhook(
        Connections(calling_context, [ip_network("127.0.0.0/8")]),
        Signer(keys, utc_now),
        "bench.example",
        utc_now,
    )
    sender = Sender(queue, {"push": webhook}, lambda name: None, utc_now)
    sending = asyncio.create_task(sender.run(subscriptions))
    try:
        yield Node(store, ledger, queue, sender, subscriptions)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await webhook.close()
        store.close()
        shutil.rmtree(directory)


def _line(trace_id: str, about: str, now: int, recipient: str) -> Processing:
    return Processing(
        trace_id, new_span_id(), "Kennisgeving uitkering", "Ok", now, now, None,
        {
            "dpl.core.processing_activity_id": "https://register.example/activities/notify-benefit",
            "dpl.core.data_subject_id": about,
            "dpl.core.data_subject_id_type": "BSN",
            "dpl.core.foreign_operation.processor": f"urn:nld:oin:{recipient[:20]}",
        },
    )  # fmt: skip

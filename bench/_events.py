"""What the measurements of events share: a node that publishes to ten recipients and sends, in this process; its recipients'
webhooks are in another.

All rooms are those of a node: each recipient has a notice, an interest in every person, and a subscription. Publishing matches
these, and writes in one commit the line in the log about every recipient who is told, the event and its deliveries; a delivery
counts when its outcome is committed too. Persons are fictitious.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from ipaddress import ip_network
from pathlib import Path

import msgspec

from _servers import VAR
from _webhooks import HOST, Receivers
from sluis.crypto import FileKeyStore, calling_context
from sluis.events.interests import Bounds, NewInterest, Registration, Whom, open_interests
from sluis.events.notices import Notices
from sluis.events.publishing import Occurrence, Publisher, Settings, open_publisher
from sluis.events.queue import Queue, open_queue
from sluis.events.sending import Connections, Sender, Signer, Webhook
from sluis.events.subscriptions import Here, Subscription, SubscriptionRequest, open_subscriptions
from sluis.grounds import Activity, Article, EventType, Fact, Grounds, Notice
from sluis.kernel import Bsn, Oin, PeerId, Period, Text, Trace, utc_now
from sluis.ledger import open_ledger
from sluis.policy import DecisionPoint, Policies, rulings_of
from sluis.serve.settling import settle
from sluis.store import Store, open_store

SUBSCRIBERS = 10
PERSONS = 500
"""Whom the events are about: streams within which order is kept."""

_OWN = PeerId("00000007000000000001")
_PEERS = [PeerId(f"000000080000000000{number:02}") for number in range(SUBSCRIBERS)]
_ACTIVITY = "https://register.example/activities/benefit"
_TYPE = "nl.uitkeringen.beslissing.genomen"
_LAW = Article("Participatiewet", "64", "BWBR0015703")
_PEOPLE = [one for one in map(str, range(999_000_000, 999_990_000)) if Bsn.accepts(one)][:PERSONS]


def _grounds() -> Grounds:
    said = Text("Beslissing genomen", "Decision made")
    since = Period(date(2020, 1, 1))
    return Grounds(
        activities=tuple(
            Activity(f"{_ACTIVITY}-{peer!s}", said, said, Oin(peer), "public-task", (_LAW,), since) for peer in _PEERS
        ),
        events=(
            EventType(
                _TYPE, said, said, "BSN", facts={"uitkomst": Fact("text", said)},
                dataref="https://bron.example/v1/beslissingen/{id}", system="uitkeringen",
            ),
        ),
        notices=tuple(
            Notice(
                f"beslissing-{number}", 1, _TYPE, peer, f"{_ACTIVITY}-{peer!s}", said, (_LAW,), "public-task", Oin(_OWN),
                since, condition="uitkomst = 'toegekend'",
            )
            for number, peer in enumerate(_PEERS)
        ),
    )  # fmt: skip


class _Allowed(msgspec.Struct):
    headers: Mapping[str, str]


class _Calls:
    """The handshake: all recipients here want what is sent."""

    async def call(
        self, method: str, url: str, body: object = None, headers: object = None, **bounds: float
    ) -> _Allowed:
        return _Allowed({"webhook-allowed-origin": "*", "webhook-allowed-rate": "*"})


@dataclass
class Node:
    """A node that is running.

    Attributes:
        committed: the moment (time.time) at which each event was durable.
    """

    store: Store
    queue: Queue
    sender: Sender
    publisher: Publisher
    committed: dict[str, float] = field(default_factory=dict)

    async def publish(self, number: int) -> None:
        """Publish one event to every subscriber; durable when this returns."""
        about = Whom("BSN", _PEOPLE[number % PERSONS])
        await self.publisher.publish(
            [Occurrence(_TYPE, str(number), utc_now(), about, {"uitkomst": "toegekend"})]
        )
        self.committed[str(number)] = time.time()

    async def delivered(self, count: int, seconds: float) -> None:
        """Wait until so many deliveries have their outcome, durably. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while self.sender.sent < count:  # noqa: ASYNC110 - nobody is told of it but who measures
                await asyncio.sleep(0.01)


@asynccontextmanager
async def node(receivers: Receivers, url: str | None) -> AsyncIterator[Node]:
    """A node that sends to these recipients.

    Args:
        receivers: of the webhooks.
        url: of a PostgreSQL database; None for SQLite under `var/bench`.
    """
    VAR.mkdir(parents=True, exist_ok=True)
    directory = Path(tempfile.mkdtemp(dir=VAR, prefix="events-"))
    store, keys, grounds = (
        open_store(url or directory / "node.db"),
        FileKeyStore(directory / "keys"),
        _grounds(),
    )
    ledger = open_ledger(store, keys, "bench.example/log", utc_now)
    point = DecisionPoint(
        Policies({}, rulings_of(grounds, "source", False), (), None, False), "source", ledger, utc_now
    )
    notices = Notices(grounds, _OWN, point, None, utc_now)
    interests = open_interests(
        store, ledger, keys, notices, _address, "source", utc_now, Bounds(test=True), False
    )
    subscriptions = open_subscriptions(
        store, keys, ledger, _Calls(), Here("bench.example", plain=True), utc_now
    )
    queue = open_queue(store, keys, utc_now)
    publisher = open_publisher(
        Settings(_OWN, "source", True),
        store,
        ledger,
        keys,
        notices,
        interests,
        subscriptions,
        queue,
        _address,
        utc_now,
    )
    until = utc_now().date() + timedelta(days=30)
    for number, peer in enumerate(_PEERS):
        each = tuple(
            NewInterest(Whom("BSN", one), f"zaak-{place}", until) for place, one in enumerate(_PEOPLE)
        )
        await interests.register(peer, Registration(f"beslissing-{number}", each), None, Trace.begin())
        sink = f"http://{HOST}:{receivers.ports[number]}/events"
        await subscriptions.create(peer, SubscriptionRequest(sink, "HTTP"), "bench")
    webhook = Webhook(
        Connections(calling_context, [ip_network("127.0.0.0/8")]),
        Signer(keys, utc_now),
        "bench.example",
        utc_now,
    )
    sender = Sender(queue, {"push": webhook}, lambda name: None, utc_now)
    settle()

    async def known() -> list[Subscription]:
        return subscriptions.all()

    sending = asyncio.create_task(sender.run(known))
    try:
        yield Node(store, queue, sender, publisher)
    finally:
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        await webhook.close()
        store.close()
        shutil.rmtree(directory)


def _address(peer: PeerId) -> str:
    return f"urn:nld:oin:{peer!s}"

"""What the fault runs of events share: a source that sends, a recipient's inbox, and a line between them that cuts, drops,
duplicates and reorders, as a seed says. All of it is fictitious.

The rooms are those of a node: queue, sender, the transport to inboxes, the inbox with its ledger. Left out is what lies between
two nodes (gateway and contracts), which has fault runs of its own.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from sqlalchemy import text

from sluis.crypto import FileKeyStore
from sluis.events.cloudevent import CloudEvent, decode, encode_structured
from sluis.events.inbox import Catching, Inbox, Origin, open_inbox
from sluis.events.inbox.model import MOST
from sluis.events.interests import Registrar, open_references
from sluis.events.queue import Outgoing, Queue, crossing_event, open_queue
from sluis.events.sending import Fsc, Sender
from sluis.events.subscriptions import INBOX, Config, Subscription, Subscriptions
from sluis.gateway import Agreed, Answer
from sluis.grounds import Article, EventType, Notice, OfferedNotice, offered_notice
from sluis.kernel import Oin, PeerId, Period, Problem, Text, Upstream, utc_now
from sluis.ledger import open_ledger
from sluis.store import Store, open_store

SOURCE, RECIPIENT = PeerId("00000007000000000001"), PeerId("00000007000000000002")
TYPE, STREAMS, AT_ONCE = "nl.voorbeeld.besluit.genomen", 500, 200
ID = "f" * 22
"""Of the subscription at the source."""

OWN = "o" * 22
"""Of the subscription of the recipient's own systems."""

_SAID = Text("Besluit genomen", "Decision made")
_EVENT = EventType(TYPE, _SAID, _SAID)
_NOTICE = Notice(
    "besluiten", 1, TYPE, RECIPIENT, "https://register.example/besluiten", _SAID, (Article("Algemene wet bestuursrecht", "3:41"),),
    "public-task", Oin(SOURCE), Period(date(2020, 1, 1)),
)  # fmt: skip
SUBSCRIPTION = Subscription(
    ID, RECIPIENT, INBOX, "fsc", config=Config(content="batch", retry_for=3600), state="active"
)


Ask = Callable[[int, int], Awaitable[bytes]]
"""Reads at the source what there is after a number, at most so many: a page of the feed. Raises `OSError` when it cannot."""


class _Back:
    """The way from the recipient to the source, over which it reads what did not come: a `Link`."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    @asynccontextmanager
    async def send(
        self, peer: PeerId, method: str, path: str, headers: Mapping[str, str], body: bytes, seconds: float, **more: Any
    ) -> AsyncIterator[Answer]:  # fmt: skip
        asked = parse_qs(urlsplit(path).query)
        try:
            page = await self._ask(int(asked["after"][0]), int(asked["most"][0]))
        except (OSError, asyncio.IncompleteReadError):
            raise _broke_off() from None
        yield Answer(200, {}, _pieces(page))


class _Offers(Registrar):
    """What the source offers, as the recipient's node asks it."""

    def __init__(self) -> None:
        self._name = str.__str__

    async def offered_by(self, peer: PeerId) -> tuple[OfferedNotice, ...]:
        return (offered_notice(SOURCE, _EVENT, _NOTICE),)


class _Covers:
    def tells(self, activity: str, notice: str, digest: str) -> bool:
        return notice == _NOTICE.id


class _Agreed:
    """A contract that covers the notice is in force throughout."""

    def purposes(self, peer: PeerId) -> Sequence[_Covers]:
        return [_Covers()]


class _Listening:
    """One system of the recipient's own wants everything."""

    def matching(self, owner: PeerId, attributes: Mapping[str, Any]) -> Sequence[Subscription]:
        return [Subscription(OWN, RECIPIENT, "urn:sluis:feed", "feed", state="active")]

    def has(self, owner: PeerId) -> bool:
        return True


class Recipient:
    """A recipient's node, as far as events come in. Made anew on the same directory it goes on where it was.

    Args:
        directory: of its keys, and its database.
        ask: reads at the source.
        url: of its database, when that is on a server.
    """

    def __init__(self, directory: Path, ask: Ask, url: str = "") -> None:
        directory.mkdir(exist_ok=True)
        self.store, keys = open_store(url or directory / "node.db"), FileKeyStore(directory / "keys")
        self.ledger = open_ledger(self.store, keys, "recipient.example/log", utc_now)
        self.queue = open_queue(self.store, keys, utc_now)
        origin = Origin(RECIPIENT, "recipient", str.__str__, lambda peer: f"urn:nld:oin:{peer!s}")
        offers = _Offers()
        self.inbox: Inbox = open_inbox(
            origin,
            self.store,
            self.ledger,
            keys,
            offers,
            open_references(self.store, keys, utc_now),
            cast(Subscriptions, _Listening()),
            self.queue,
            cast(Agreed, _Agreed()),
            utc_now,
        )
        self._catching = Catching(self.inbox, _Back(ask), offers, 10)
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Begin to read at the source what does not come by itself."""
        self._task = asyncio.create_task(self._catching.run())

    async def bring(self, headers: Mapping[str, str], body: bytes) -> int:
        """What the route of the inbox does; the status that it answers."""
        try:
            events = decode(headers.items(), body, most=MOST)
            await self.inbox.receive(SOURCE, headers["sluis-subscription"], events, lambda: None)
        except Problem as problem:
            return problem.status
        return 204

    def effects(self) -> list[tuple[str, str]]:
        """Of everything that waits for its own systems, in order: the reference of the person, and the event."""
        found, after = list[tuple[str, str]](), 0
        while some := self.queue.since(OWN, after, 1000):
            found += [(str(one.subject), one.event.id) for one in some]
            after = some[-1].sequence
        return found

    def lines(self) -> int:
        """Lines in its log."""
        with self.store.read() as connection:
            return int(connection.execute(text("SELECT count(*) FROM ledger_records")).scalar_one())

    async def end(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self.store.close()


class Chance:
    """What goes wrong, in the order that a seed gives; and how often it did."""

    def __init__(self, seed: int, shares: Mapping[str, float]) -> None:
        self._dice, self._shares = random.Random(seed), shares
        self.counts = Counter[str]()

    def next(self) -> str:
        """What happens to the next request: `well`, or a key of `shares`."""
        throw, kind = self._dice.random(), "well"
        for name, share in self._shares.items():
            if throw < share:
                kind = name
                break
            throw -= share
        self.counts[kind] += 1
        return kind

    def between(self, low: float, high: float) -> float:
        """A number."""
        return self._dice.uniform(low, high)


SHARES = {"dropped": 0.02, "answer lost": 0.02, "twice": 0.04, "late": 0.04, "again later": 0.04}
"""Of requests: not delivered; delivered, but the source does not hear so; delivered twice; after others that were sent later;
and once more when others have come."""


class Line:
    """The way between two nodes, over which requests go wrong: a `Link`.

    Args:
        bring: brings a request to the recipient, and gives the status. Raises `OSError` when it is not there.
        chance: what goes wrong.
    """

    def __init__(self, bring: Any, chance: Chance, longest: float = 0.05) -> None:
        self._bring, self._chance, self._longest = bring, chance, longest
        self._later = set[asyncio.Task[None]]()

    @asynccontextmanager
    async def send(
        self, peer: PeerId, method: str, path: str, headers: Mapping[str, str], body: bytes, seconds: float, **more: Any
    ) -> AsyncIterator[Answer]:  # fmt: skip
        kind = self._chance.next()
        if kind == "dropped":
            raise _broke_off()
        if kind == "late":
            await asyncio.sleep(self._chance.between(0, self._longest))
        try:
            status = await self._bring(headers, body)
            if kind == "twice":
                status = await self._bring(headers, body)
        except (OSError, asyncio.IncompleteReadError):
            raise _broke_off() from None
        if kind == "again later":
            task = asyncio.create_task(self._once_more(headers, body))
            self._later.add(task)
            task.add_done_callback(self._later.discard)
        if kind == "answer lost":
            raise _broke_off()
        yield Answer(status, {}, _pieces())

    async def settled(self) -> None:
        """Wait for what still comes late."""
        await asyncio.gather(*self._later)

    async def _once_more(self, headers: Mapping[str, str], body: bytes) -> None:
        await asyncio.sleep(self._chance.between(0, 4 * self._longest))
        try:
            await self._bring(headers, body)
        except (OSError, asyncio.IncompleteReadError):
            self._chance.counts["again later, to nobody"] += 1


def _broke_off() -> Upstream:
    broken = Text("Test", "Test")
    return Upstream("peer-broke-off", broken, broken, broken, retry=True)


async def _pieces(*some: bytes) -> AsyncIterator[bytes]:
    for piece in some:
        yield piece


async def _known() -> Sequence[Subscription]:
    return [SUBSCRIPTION]


class Source:
    """A source's node, as far as events go out.

    Args:
        directory: of its database and keys.
        line: the way to the recipient.
    """

    def __init__(self, directory: Path, line: Any) -> None:
        directory.mkdir(exist_ok=True)
        self.store: Store = open_store(directory / "node.db")
        self.queue: Queue = open_queue(self.store, FileKeyStore(directory / "keys"), utc_now)
        spread = random.Random(1)
        self.sender = Sender(
            self.queue, {"fsc": Fsc(line, utc_now)}, lambda name: None, utc_now, lambda: spread.random() * 0.05,
            most=10_000_000,
        )  # fmt: skip
        self._sending: asyncio.Task[None] | None = None

    def begin(self) -> None:
        self._sending = asyncio.create_task(self.sender.run(_known))

    async def publish(self, first: int, count: int) -> None:
        """So many events, in commits of `AT_ONCE`; event n is of stream n modulo `STREAMS`."""
        for start in range(first, first + count, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, first + count))
            additions = [(_event(number), [_outgoing(number)]) for number in numbers]
            await self.store.write(
                lambda connection, some=additions: self.queue.add(connection, some) and None
            )  # type: ignore[misc]

    async def feed(self, after: int, most: int) -> bytes:
        """A page of the feed, as the route gives it."""
        self.queue.comes_itself(ID)
        found = await asyncio.to_thread(self.queue.since, ID, after, most)
        events = b",".join(encode_structured(crossing_event(one)) for one in found)
        return b'{"events":[%s],"after":%d}' % (events, found[-1].sequence if found else after)

    def waiting(self) -> int:
        found = self.queue.seen().get(ID)
        return 0 if found is None else found.waiting

    async def arrived(self, seconds: float) -> None:
        """Wait until nothing waits any more. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds):
            while await asyncio.to_thread(self.waiting):  # noqa: ASYNC110 - nobody tells when all is noted
                await asyncio.sleep(0.05)

    async def end(self) -> None:
        if self._sending is not None:
            self._sending.cancel()
            await asyncio.gather(self._sending, return_exceptions=True)
        self.store.close()


def _event(number: int) -> CloudEvent:
    return CloudEvent(f"e-{number}", f"urn:nld:oin:{SOURCE!s}:systeem:besluiten", TYPE)


def _outgoing(number: int) -> Outgoing:
    stream = str(number % STREAMS)
    return Outgoing(ID, stream, f"zaak-{stream}", _NOTICE.id, "1" * 32)


def judge(effects: Sequence[tuple[str, str]], count: int) -> dict[str, int]:
    """What the effects come down to: how many there are, how many are missing or there more than once, and how many came
    before an earlier one of the same person."""
    times = Counter(event for _, event in effects)
    newest, overtaken = dict[str, int](), 0
    for person, event in effects:
        number = int(event.removeprefix("e-"))
        overtaken += number < newest.get(person, -1)
        newest[person] = max(number, newest.get(person, -1))
    return {
        "events": count,
        "effects": len(effects),
        "lost": sum(f"e-{number}" not in times for number in range(count)),
        "double": sum(many > 1 for many in times.values()),
        "overtaken": overtaken,
    }


def told(**counts: Any) -> None:
    """Print what was counted, as one line."""
    print(json.dumps(counts))

"""What the tests of events share: a source with its rooms, and who wants to hear. All of it is fictitious."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Connection

from sluis.crypto import FileKeyStore
from sluis.events.cloudevent import CloudEvent
from sluis.events.interests import (
    Bounds,
    Interests,
    NewInterest,
    Registration,
    Whom,
    open_interests,
)
from sluis.events.notices import Agreements, Notices
from sluis.events.publishing import Occurrence, Publisher, Settings, open_publisher
from sluis.events.queue import Outgoing, open_queue
from sluis.grounds import Activity, Article, EventType, Fact, Grounds, Notice
from sluis.kernel import Oin, PeerId, Period, Problem, Text, Trace
from sluis.ledger import Ledger, open_ledger
from sluis.policy import DecisionPoint, Policies, rulings_of
from sluis.store import Store, open_store

SOURCE, FIRST, SECOND = (PeerId(f"0000000700000000000{i}") for i in (1, 2, 3))
ACTIVITY_ID = "https://register.example/activities/return"
LAW = Article("Vreemdelingenwet 2000", "107", "BWBR0011823")
TYPE = "nl.example.besluit.genomen"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)

ACTIVITY = Activity(
    ACTIVITY_ID, Text("Terugkeer", "Return"), Text("Test", "Test"), Oin(FIRST), "public-task", (LAW,),
    Period(date(2020, 1, 1)),
)  # fmt: skip

EVENT = EventType(
    TYPE,
    Text("Besluit genomen", "Decision made"),
    Text("Er is besloten.", "It was decided."),
    "BSN",
    facts={"uitkomst": Fact("text", Text("Uitkomst", "Outcome"))},
    data={"team": Fact("text", Text("Team", "Team")), "zaak": Fact("number", Text("Zaak", "Case"))},
    dataref="https://source.example/v1/decisions/{id}",
    system="besluiten",
)

NOTICE = Notice(
    "besluiten", 1, TYPE, FIRST, ACTIVITY_ID, Text("Er is besloten.", "It was decided."), (LAW,), "public-task",
    Oin(SOURCE), Period(date(2026, 1, 1), date(2026, 12, 31)),
)  # fmt: skip

GROUNDS = Grounds(activities=(ACTIVITY,), events=(EVENT,), notices=(NOTICE,))


@contextmanager
def refused(kind: type[Problem], code: str) -> Iterator[pytest.ExceptionInfo[Problem]]:
    """What happens inside must raise a problem of this kind and code."""
    with pytest.raises(kind) as raised:
        yield raised
    assert raised.value.code == code


def notice(**changed: Any) -> Notice:
    """`NOTICE`, but for what is changed."""
    return msgspec.structs.replace(NOTICE, **changed)


def grounds(*notices: Notice, event: EventType = EVENT) -> Grounds:
    """These notices, of `EVENT` or another event type."""
    return Grounds(activities=(ACTIVITY,), events=(event,), notices=notices)


def occurrence(id: str = "b-1", bsn: str | None = "999990019", **more: Any) -> Occurrence:
    """A decision about somebody fictitious."""
    return Occurrence(TYPE, id, NOW, None if bsn is None else Whom("BSN", bsn), **more)


class Subscription(msgspec.Struct, frozen=True):
    """A subscription with nothing but an id."""

    id: str


class Subscriptions:
    """Everybody in `owners` has one subscription, which is for all events that `wants` names (None: all)."""

    def __init__(self, *owners: PeerId) -> None:
        self.owners = set(owners)
        self.wants: frozenset[str] | None = None
        self.seen: list[Mapping[str, Any]] = []

    def matching(self, owner: PeerId, attributes: Mapping[str, Any]) -> Sequence[Subscription]:
        self.seen.append(attributes)
        wanted = self.wants is None or attributes["type"] in self.wants
        return [Subscription(f"of-{owner!s}")] if owner in self.owners and wanted else []

    def has(self, owner: PeerId) -> bool:
        return owner in self.owners


class Queue:
    """Keeps what it was given in memory; `broken` makes it fail like a bug would."""

    def __init__(self) -> None:
        self.added: list[tuple[CloudEvent, list[Outgoing]]] = []
        self.broken = False

    def check_room(self) -> None:
        pass

    def add(self, connection: Connection, additions: Sequence[tuple[CloudEvent, Sequence[Any]]]) -> None:
        if self.broken:
            raise RuntimeError("broken")
        self.added += [(event, list(outgoing)) for event, outgoing in additions]

    def told(self) -> list[tuple[str, str, str | None]]:
        """Of each delivery: the id of the event, the subscription, the handle."""
        return [
            (event.id, one.subscription, one.subject) for event, outgoing in self.added for one in outgoing
        ]


class Source:
    """A source of events with all its rooms but the network."""

    def __init__(
        self,
        store: Store,
        directory: Path,
        known: Grounds,
        own: PeerId,
        subscriptions: Subscriptions,
        agreements: Agreements | None,
        bounds: Bounds,
        kept: bool,
    ) -> None:
        self.now, self.seconds = NOW, 0.0
        keys = self.keys = FileKeyStore(directory / "keys")
        self.store, self.subscriptions = store, subscriptions
        self.queue: Any = open_queue(store, keys, self.clock) if kept else Queue()
        self.ledger: Ledger = open_ledger(store, keys, "source.example/log", self.clock)
        policies = Policies(
            {}, rulings_of(known, "source", agreements is not None), (), None, agreements is not None
        )
        self.point = DecisionPoint(policies, "source", self.ledger, self.clock)
        self.notices = Notices(known, own, self.point, agreements, self.clock, lambda: self.seconds)
        self.interests: Interests = open_interests(
            store,
            self.ledger,
            keys,
            self.notices,
            _address,
            "source",
            self.clock,
            bounds,
            agreements is not None,
        )
        self.publisher: Publisher = open_publisher(
            Settings(own, "source", bounds.test), store, self.ledger, keys, self.notices, self.interests,
            subscriptions, self.queue, _address, self.clock,
        )  # fmt: skip

    def clock(self) -> datetime:
        return self.now

    async def interested(self, peer: PeerId, notice: str, whom: Mapping[Whom, str], days: int = 30) -> None:
        """Register interests: reference by person."""
        until = (self.now + timedelta(days=days)).date()
        wish = Registration(notice, tuple(NewInterest(one, handle, until) for one, handle in whom.items()))
        await self.interests.register(peer, wish, None, Trace.begin())


def _address(peer: PeerId) -> str:
    return f"urn:nld:oin:{peer!s}"


@contextmanager
def source(
    directory: Path,
    known: Grounds = GROUNDS,
    own: PeerId = SOURCE,
    hears: Sequence[PeerId] = (FIRST, SECOND),
    agreements: Agreements | None = None,
    bounds: Bounds = Bounds(test=True),  # noqa: B008
    kept: bool = False,
) -> Iterator[Source]:
    """A source in a directory; opening it again finds what was there. With `kept`, its deliveries too."""
    store = open_store(directory / "node.db")
    try:
        yield Source(store, directory, known, own, Subscriptions(*hears), agreements, bounds, kept)
    finally:
        store.close()

"""What another organisation tells has its effect once and in order, and is durable before the inbox says so, on both engines.
Persons are fictitious."""

import asyncio
import random
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from tests.unit.events.samples import EVENT, FIRST, NOTICE, NOW, SECOND, SOURCE, refused
from tests.unit.events.test_interests import ANNA

from sluis.crypto import FileKeyStore
from sluis.events.cloudevent import CloudEvent
from sluis.events.inbox import Inbox, Origin, open_inbox
from sluis.events.inbox.model import KEEP_DAYS, MOST_FOLLOWED, Followed
from sluis.events.inbox.rules import PutOff
from sluis.events.interests import References, Referred, open_references
from sluis.events.queue import Queue, open_queue
from sluis.events.records import SIGNAL
from sluis.events.subscriptions import Here, SubscriptionRequest, Subscriptions, open_subscriptions
from sluis.grounds import OfferedNotice, Purpose, offered_notice
from sluis.grounds.purpose import Bound
from sluis.kernel import Invalid, PeerId, Refused, Unkept
from sluis.ledger import Ledger, Processing, Search, open_ledger
from sluis.store import Store, open_store

OFFERED = offered_notice(SOURCE, EVENT, NOTICE)
KEY = (SOURCE, "s-1")
PURPOSE = Purpose(NOTICE.activity, notices=(Bound(NOTICE.id, OFFERED.digest),))


class Node:
    """A recipient with all its rooms but the network; `node` again for one that was killed."""

    def __init__(self, url: str, directory: Path) -> None:
        self.url, self.directory, self.now, self.purposes_now = url, directory, NOW, [PURPOSE]
        self.asked = 0
        self.open()

    def open(self) -> None:
        self.store: Store = open_store(self.url)
        keys = FileKeyStore(self.directory / "keys")
        self.ledger: Ledger = open_ledger(self.store, keys, "recipient.example/log", self.clock)
        self.subscriptions: Subscriptions = open_subscriptions(
            self.store, keys, self.ledger, None, Here("node.example"), self.clock  # type: ignore[arg-type]
        )  # fmt: skip
        self.queue: Queue = open_queue(self.store, keys, self.clock)
        self.references: References = open_references(self.store, keys, self.clock)
        origin = Origin(FIRST, "ontvanger", lambda peer: "De bron", lambda peer: f"urn:nld:oin:{peer!s}")
        given: Any = self
        self.inbox: Inbox = open_inbox(
            origin, self.store, self.ledger, keys, given, self.references, self.subscriptions, self.queue, given,
            self.clock,
        )  # fmt: skip

    def clock(self) -> Any:
        return self.now

    async def offered_by(self, peer: PeerId) -> tuple[OfferedNotice, ...]:
        self.asked += 1
        return (OFFERED,)

    def purposes(self, peer: PeerId) -> list[Purpose]:
        return self.purposes_now

    async def listening(self) -> "Node":
        """With a system of its own that wants everything."""
        asked = SubscriptionRequest(sink="urn:sluis:feed", protocol="HTTP")
        self.own = (await self.subscriptions.create(FIRST, asked, "test")).id
        return self

    async def bring(self, *numbers: int, peer: PeerId = SOURCE, **changed: Any) -> None:
        await self.inbox.receive(peer, "s-1", [event(number, **changed) for number in numbers], lambda: None)

    def heard(self) -> list[str]:
        return [one.event.id for one in self.queue.since(self.own, 0, 1000)]

    async def lines(self) -> list[Processing]:
        subjects = self.ledger.subjects(ANNA.kind, ANNA.value)
        return list(await self.ledger.processing_of(Search(subjects=subjects), withheld=True))


def event(number: int, **changed: Any) -> CloudEvent:
    extensions = {"sequence": str(number), "sequencetype": "Integer", "notice": NOTICE.id, **changed}
    source = f"urn:nld:oin:{SOURCE!s}:systeem:bron"
    return CloudEvent(id=f"e-{number}", source=source, type=EVENT.type, subject="z-1", extensions=extensions)


@pytest.fixture
def node(url: str, tmp_path: Path) -> Iterator[Node]:
    made = Node(url, tmp_path)
    with closing(made.store):
        yield made


async def test_duplicates_and_disorder_have_one_effect_in_order(node: Node) -> None:
    await node.listening()
    numbers = [*range(1, 61)] * 3
    random.Random(5).shuffle(numbers)
    await asyncio.gather(*(node.bring(number) for number in numbers))
    assert node.heard() == [f"e-{number}" for number in range(1, 61)]
    assert node.inbox.followed() == [Followed(SOURCE, "s-1", 60)]


async def test_who_it_is_about_finds_it_in_the_log_once(node: Node) -> None:
    await node.listening()
    pseudonym = node.ledger.subject(ANNA.kind, ANNA.value, NOW)
    await node.references.keep(
        [Referred(SOURCE, NOTICE.id, "z-1", ANNA.kind, pseudonym, (NOW + timedelta(days=9)).date())]
    )
    await node.bring(1)
    await node.bring(1)
    lines = await node.lines()
    assert [(one.name, one.attributes["dpl.core.processing_activity_id"]) for one in lines] == [
        (f"Kennisgeving ontvangen van De bron: {OFFERED.title.nl}", NOTICE.activity)
    ]


async def test_a_node_that_starts_again_knows_what_came_and_what_waits(node: Node) -> None:
    await node.listening()
    await node.bring(1, 3)
    own = node.own
    node.store.close()
    node.open()
    node.own = own
    assert node.inbox.followed() == [Followed(SOURCE, "s-1", 1, {3})]
    await node.bring(1, 2, 3)
    assert node.heard() == ["e-1", "e-2", "e-3"]


async def test_what_waits_for_an_earlier_one_is_told_to_who_catches_up(node: Node) -> None:
    await node.listening()
    await node.bring(1)
    node.inbox.news.clear()
    await node.bring(2)
    assert not node.inbox.news.is_set()
    await node.bring(5)
    assert node.inbox.news.is_set()
    assert node.heard() == ["e-1", "e-2"]
    await node.inbox.take(KEY, [event(4)], 5)
    assert node.heard() == ["e-1", "e-2", "e-4", "e-5"]
    await node.bring(3)  # it was a dead letter, and is replayed
    assert node.heard() == ["e-1", "e-2", "e-4", "e-5", "e-3"]


async def test_the_same_event_over_two_subscriptions_has_one_effect(node: Node) -> None:
    await node.listening()
    await node.bring(1)
    await node.inbox.receive(SOURCE, "s-2", [event(1)], lambda: None)
    await node.inbox.receive(SOURCE, "s-2", [event(2)], lambda: None)
    assert node.heard() == ["e-1", "e-2"]


async def test_another_organisations_event_is_refused(node: Node) -> None:
    await node.listening()
    with refused(Refused, "not-your-event"):
        await node.bring(1, peer=FIRST)
    assert (node.heard(), node.inbox.followed()) == ([], [])


@pytest.mark.parametrize("purposes", [[], [Purpose("urn:other", notices=PURPOSE.notices)]])
async def test_without_a_contract_for_the_notice_nothing_is_taken_in(
    node: Node, purposes: Sequence[Purpose]
) -> None:
    await node.listening()
    node.purposes_now = [*purposes]
    with refused(Refused, "notice-not-agreed"):
        await node.bring(1)
    node.purposes_now = [PURPOSE]
    with refused(Refused, "notice-not-agreed"):
        await node.bring(1, notice="another")
    assert node.heard() == []


async def test_nothing_is_taken_in_while_no_own_system_listens(node: Node) -> None:
    with refused(Unkept, "nobody-listens"):
        await node.bring(1)


async def test_a_source_cannot_make_up_subscriptions_without_end(node: Node) -> None:
    await node.listening()
    for number in range(MOST_FOLLOWED):
        await node.inbox.receive(SOURCE, f"s-{number}", [event(1)], lambda: None)
    with refused(Unkept, "inbox-busy"):
        await node.inbox.receive(SOURCE, "one more", [event(1)], lambda: None)


@pytest.fixture
def room_for_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluis.events.inbox.service.MOST_HELD", 2)


@pytest.mark.usefixtures("room_for_two")
async def test_what_would_have_to_wait_is_put_off_when_too_much_waits(node: Node) -> None:
    await node.listening()
    await node.bring(3, 4)
    node.inbox.news.clear()
    with refused(Unkept, "inbox-full") as raised:
        await node.bring(5)
    assert raised.value.seconds == 1
    assert (node.inbox.full, node.inbox.news.is_set()) == ({KEY}, True)
    assert node.inbox.followed() == [Followed(SOURCE, "s-1", 0, {3, 4})]
    await node.bring(3, 4)  # they are here


@pytest.mark.usefixtures("room_for_two")
async def test_what_fills_the_gap_is_taken_in_however_much_waits(node: Node) -> None:
    await node.listening()
    await node.bring(3, 4)
    with refused(Unkept, "inbox-full"):
        await node.bring(9, 1, 8, 7)
    assert (node.heard(), node.inbox.followed()[0].held) == (["e-1"], {3, 4})
    await node.bring(2, 5)
    with refused(Unkept, "inbox-full"):
        await node.bring(7, 8, 9)
    assert node.inbox.followed() == [Followed(SOURCE, "s-1", 5, {7, 8})]
    await node.bring(6, 9)
    assert node.heard() == [f"e-{number}" for number in range(1, 10)]


@pytest.mark.usefixtures("room_for_two")
async def test_another_subscription_of_the_source_goes_on_when_one_is_full(node: Node) -> None:
    await node.listening()
    await node.bring(3, 4)
    results = await asyncio.gather(
        node.bring(5), node.inbox.receive(SOURCE, "s-2", [event(1)], lambda: None), return_exceptions=True
    )
    assert [type(one) for one in results] == [PutOff, type(None)]
    assert node.heard() == ["e-1"]


async def test_a_batch_with_one_number_twice_is_not_right(node: Node) -> None:
    await node.listening()
    with refused(Invalid, "unfit-delivery"):
        await node.bring(1, 1)
    assert node.heard() == []


async def test_what_a_page_holds_that_may_not_be_taken_in_is_passed_over(node: Node) -> None:
    await node.listening()
    await node.inbox.take(KEY, [event(1), event(2, notice="another"), event(3)], 3)
    assert node.heard() == ["e-1", "e-3"]
    assert node.inbox.followed() == [Followed(SOURCE, "s-1", 3)]
    assert node.asked == 1, "what the source offers is asked once, however many events it is for"


async def test_a_batch_takes_one_read_of_the_database(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    await node.listening()
    reads, read = list[None](), node.store.read
    monkeypatch.setattr(node.store, "read", lambda: reads.append(None) or read())
    await node.bring(*range(1, 101))
    assert len(reads) == 1


async def test_a_subscription_is_known_from_when_it_was_taken(node: Node) -> None:
    await node.inbox.follow(SOURCE, "s-1")
    node.inbox.load()
    assert node.inbox.followed() == [Followed(SOURCE, "s-1")]
    await node.listening()
    await node.bring(1)
    await node.inbox.follow(SOURCE, "s-1")
    assert node.inbox.followed() == [Followed(SOURCE, "s-1", 1)]
    node.inbox.load()
    assert node.inbox.followed() == [Followed(SOURCE, "s-1", 1)]


async def test_what_came_is_known_for_longer_than_a_source_tries(node: Node) -> None:
    await node.listening()
    await node.bring(1)
    node.now += timedelta(days=KEEP_DAYS)
    await node.inbox.sweep()
    await node.bring(1)
    assert node.heard() == ["e-1"]
    node.now += timedelta(days=1)
    await node.inbox.sweep()
    await node.bring(1)
    assert node.heard() == ["e-1", "e-1"]


async def test_what_was_acknowledged_goes_on_when_its_subscription_is_no_more(node: Node) -> None:
    await node.listening()
    await node.bring(2, 5)
    assert node.heard() == []
    await node.inbox.forget(SOURCE, "s-1")
    assert node.heard() == ["e-2", "e-5"]
    assert node.inbox.followed() == []
    node.inbox.load()
    assert node.inbox.followed() == []


async def test_nothing_that_is_brought_makes_no_subscription(node: Node) -> None:
    await node.listening()
    await node.inbox.receive(SECOND, "made-up", [], lambda: None)
    assert node.inbox.followed() == []


async def test_what_no_system_here_wants_is_not_kept(node: Node) -> None:
    asked = SubscriptionRequest(sink="urn:sluis:feed", protocol="HTTP", types=["nl.example.other"])
    node.own = (await node.subscriptions.create(FIRST, asked, "test")).id
    await node.bring(1, 2)
    with node.store.read() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM events_kept")).scalar_one() == 0
    assert node.inbox.followed() == [Followed(SOURCE, "s-1", 2)]


async def test_what_could_not_go_on_from_here_is_not_taken_in_and_holds_up_nothing(node: Node) -> None:
    await node.listening()
    large = msgspec.structs.replace(event(1), datacontenttype="text/plain", data=b"\x01" * 40_000)
    with refused(Invalid, "event-too-large"):
        await node.inbox.receive(SOURCE, "s-1", [large], lambda: None)
    await node.inbox.take(KEY, [large, event(2)], 2)
    assert node.heard() == ["e-2"]


async def test_a_signal_of_a_standing_question_takes_a_contract_for_its_disclosure_and_holds_no_data(
    node: Node,
) -> None:
    await node.listening()
    signal = msgspec.structs.replace(event(1, notice="d"), type=SIGNAL)
    with refused(Refused, "notice-not-agreed"):
        await node.inbox.receive(SOURCE, "s-1", [signal], lambda: None)
    node.purposes_now = [Purpose("urn:ask", (Bound("d", OFFERED.digest),))]
    await node.inbox.receive(SOURCE, "s-1", [signal], lambda: None)
    assert node.heard() == ["e-1"]
    telling = msgspec.structs.replace(event(2, notice="d"), type=SIGNAL, data=b"{}")
    with refused(Refused, "notice-not-agreed"):
        await node.inbox.receive(SOURCE, "s-1", [telling], lambda: None)
    assert node.heard() == ["e-1"]

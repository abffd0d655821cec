"""What the queue of events promises on both engines: kept with its fact, numbered per subscription, read without what waits for
others, noted in batches, and brought back when somebody asks."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from sluis.crypto import FileKeyStore
from sluis.events.cloudevent import CloudEvent
from sluis.events.queue import (
    DEAD,
    DELIVERED,
    WAITING,
    News,
    Outcome,
    Outgoing,
    Place,
    Queue,
    Wanted,
    explained,
    open_queue,
)
from sluis.kernel import Unkept, milliseconds
from sluis.store import Store, open_store

TRACE = "1" * 32


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, hours: float) -> None:
        self.now += timedelta(hours=hours)

    @property
    def ms(self) -> int:
        return milliseconds(self.now)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    sqlite = request.param == "sqlite"
    with closing(
        open_store(tmp_path / "node.db" if sqlite else request.getfixturevalue("empty_postgres"))
    ) as store:
        yield store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(tmp_path: Path) -> FileKeyStore:
    return FileKeyStore(tmp_path / "keys")


@pytest.fixture
def queue(store: Store, keys: FileKeyStore, clock: Clock) -> Queue:
    return open_queue(store, keys, clock, most=50)


def event(name: str = "1", data: bytes | None = None) -> CloudEvent:
    return CloudEvent(name, "urn:nld:oin:00000001234567890000:systeem:zaken", "nl.zaak.besluit", data=data)


def to(subscription: str, stream: str = "s", subject: str | None = "dossier 7") -> Outgoing:
    return Outgoing(subscription, stream, subject, "notice", TRACE)


async def add(
    store: Store, queue: Queue, *subscriptions: str, name: str = "1", data: bytes | None = None
) -> None:
    outgoing = [to(one) for one in subscriptions]
    await store.write(lambda connection: queue.add(connection, [(event(name, data), outgoing)]))


def waiting(queue: Queue, subscription: str, after: int = 0, most: int = 100) -> list[int]:
    found = queue.fetch({subscription: Wanted(after)}, most)[subscription].ahead
    return [one.sequence for one in found]


def counters(queue: Queue) -> dict[str, tuple[int, int]]:
    """Of every subscription how far it is, and how many wait."""
    return {name: (one.place.settled, one.waiting) for name, one in queue.seen().items()}


async def test_every_subscription_counts_from_one(store: Store, queue: Queue) -> None:
    await add(store, queue, "a", "b")
    await add(store, queue, "a", name="2")
    assert (waiting(queue, "a"), waiting(queue, "b")) == ([1, 2], [1])


async def test_many_events_are_added_in_one_call_in_their_order(store: Store, queue: Queue) -> None:
    additions = [(event(str(n)), [to("a"), to("b")]) for n in range(40)]
    numbers = await store.write(lambda connection: queue.add(connection, additions))
    found = queue.fetch({"b": Wanted(0)}, 100)["b"].ahead
    assert [one.event.id for one in found] == [str(n) for n in range(40)]
    assert [one.number for one in found] == numbers


async def test_what_is_added_is_there_only_with_its_fact(store: Store, queue: Queue) -> None:
    def work(connection: Connection) -> None:
        queue.add(connection, [(event(), [to("a")])])
        raise KeyError("the fact is none")

    with pytest.raises(KeyError):
        await store.write(work)
    assert waiting(queue, "a") == []
    await add(store, queue, "a")
    assert waiting(queue, "a") == [1], "no number is left out"


async def test_listeners_hear_of_what_is_durable(store: Store, queue: Queue) -> None:
    heard: list[News] = []
    queue.listen(heard.append)
    await add(store, queue, "a", "b")
    await add(store, queue, "c")
    assert [sorted(news.new) for news in heard] == [["a", "b"], ["c"]]


async def test_what_an_event_carries_and_whom_it_is_about_are_sealed_at_rest(
    store: Store, queue: Queue
) -> None:
    await add(store, queue, "a", data=b'{"naam":"Verzonnen Persoon"}')
    with store.read() as connection:
        kept = connection.execute(text("SELECT content FROM events_kept")).scalar_one()
        subject = connection.execute(text("SELECT subject FROM events_deliveries")).scalar_one()
    assert b"Verzonnen" not in bytes(kept)
    assert b"dossier" not in bytes(subject)


async def test_another_process_reads_what_was_kept(
    store: Store, queue: Queue, keys: FileKeyStore, clock: Clock
) -> None:
    await add(store, queue, "a", data=b'{"x":1}')
    again = open_queue(store, keys, clock)
    [found] = again.fetch({"a": Wanted(0)}, 10)["a"].ahead
    assert (found.event.data, found.subject, found.event.type) == (b'{"x":1}', "dossier 7", "nl.zaak.besluit")


async def test_what_arrived_waits_no_longer_and_stays_to_be_read_again(store: Store, queue: Queue) -> None:
    for name in "123":
        await add(store, queue, "a", name=name)
    await queue.note([Outcome("a", 1, DELIVERED), Outcome("a", 3, DELIVERED)], {"a": Place(1)})
    assert waiting(queue, "a") == [2]
    assert [one.sequence for one in queue.since("a", 1, 10)] == [2, 3]
    assert counters(queue) == {"a": (1, 1)}


async def test_what_did_not_arrive_keeps_its_place_and_its_tries(
    store: Store, queue: Queue, clock: Clock
) -> None:
    await add(store, queue, "a")
    await queue.note([Outcome("a", 1, WAITING, "too-slow", clock.ms + 5000)], {"a": Place(0)})
    [found] = queue.fetch({"a": Wanted(0)}, 10)["a"].ahead
    assert (found.attempts, found.due) == (1, clock.ms + 5000)


async def test_heads_and_streams_are_read_by_themselves(store: Store, queue: Queue) -> None:
    streams = ["x", "y", "x", "x", "y"]
    additions = [(event(str(n)), [to("a", stream)]) for n, stream in enumerate(streams)]
    await store.write(lambda connection: queue.add(connection, additions))
    found = queue.fetch({"a": Wanted(None, [2, 99], {"x": 1, "y": 2}, 4)}, 10)["a"]
    assert [one.sequence for one in found.heads] == [2]
    assert [(one.stream, one.sequence) for one in found.streams] == [("y", 2), ("x", 3), ("x", 4)]
    assert (found.ahead, found.reached) == ([], 4)


async def test_of_streams_no_more_is_read_than_asked_and_how_far_is_told(store: Store, queue: Queue) -> None:
    additions = [(event(str(n)), [to("a", "xyz"[n % 3])]) for n in range(12)]
    await store.write(lambda connection: queue.add(connection, additions))
    found = queue.fetch({"a": Wanted(None, [], {"x": 1, "z": 0}, 12)}, 5)["a"]
    assert [one.sequence for one in found.streams] == [1, 3, 4, 6, 7], "all from where the last of them is"
    assert found.reached == 7


async def test_a_dead_letter_is_listed_with_why(store: Store, queue: Queue) -> None:
    await add(store, queue, "a")
    await queue.note([Outcome("a", 1, DEAD, "expired:too-slow")], {"a": Place(1)})
    [letter] = queue.dead_letters("a")
    assert (letter.sequence, letter.event_id, letter.attempts) == (1, "1", 1)
    assert "binnen de tijd" in explained(letter.trouble).nl
    assert "in time" in explained(letter.trouble).en
    assert queue.standing()["a"].dead == 1


async def test_dead_letters_are_replayed_one_by_one_and_by_range(store: Store, queue: Queue) -> None:
    heard: list[News] = []
    for name in "1234":
        await add(store, queue, "a", name=name)
    await queue.note([Outcome("a", n, DEAD, "refused") for n in (1, 2, 3, 4)], {"a": Place(4)})
    queue.listen(heard.append)
    assert await queue.replay("a", 2, 2) == 1
    assert waiting(queue, "a") == [2]
    assert await queue.replay("a", 1, 3) == 2
    assert waiting(queue, "a") == [1, 2, 3]
    assert [letter.sequence for letter in queue.dead_letters("a")] == [4]
    assert counters(queue) == {"a": (0, 3)}
    assert heard[0].again == {"a": Place(1, 1)}


async def test_what_was_tried_too_long_becomes_a_dead_letter_but_for_what_is_under_way(
    store: Store, queue: Queue, clock: Clock
) -> None:
    for name in "12":
        await add(store, queue, "a", name=name)
    clock.forward(2)
    await add(store, queue, "a", name="3")
    assert await queue.bury_older("a", clock.ms - 3_600_000, spare=[1]) == 1
    assert waiting(queue, "a") == [1, 3]
    assert [letter.trouble for letter in queue.dead_letters("a")] == ["expired"]


async def test_the_oldest_make_room(store: Store, queue: Queue) -> None:
    for name in "1234":
        await add(store, queue, "a", name=name)
    assert await queue.bury_oldest("a", 3) == 3
    assert waiting(queue, "a") == [4]
    assert {letter.trouble for letter in queue.dead_letters("a")} == {"overflow"}


async def test_who_reads_along_confirms_up_to_a_number(store: Store, queue: Queue) -> None:
    for name in "123":
        await add(store, queue, "a", name=name)
    assert await queue.confirm("a", 2) == 2
    assert (waiting(queue, "a"), counters(queue)) == ([3], {"a": (2, 1)})


async def test_what_is_over_goes_and_its_event_with_the_last_of_it(
    store: Store, queue: Queue, clock: Clock
) -> None:
    await add(store, queue, "a", "b")
    await queue.note([Outcome("a", 1, DELIVERED)], {"a": Place(1)})
    clock.forward(25)
    assert await queue.sweep("a", clock.ms - 24 * 3_600_000, 0) == 1
    assert len(queue.since("b", 0, 10)) == 1
    await queue.drop("b")
    with store.read() as connection:
        assert connection.execute(text("SELECT COUNT(*) FROM events_kept")).scalar_one() == 0
    assert set(counters(queue)) == {"a"}


async def test_dead_letters_outlive_what_was_delivered(store: Store, queue: Queue, clock: Clock) -> None:
    for name in "12":
        await add(store, queue, "a", name=name)
    await queue.note([Outcome("a", 1, DELIVERED), Outcome("a", 2, DEAD, "refused")], {"a": Place(2)})
    clock.forward(25)
    assert await queue.sweep("a", clock.ms, clock.ms - 30 * 24 * 3_600_000) == 1
    assert [one.sequence for one in queue.since("a", 0, 10)] == [2]


async def test_nothing_is_published_when_too_much_waits(store: Store, queue: Queue) -> None:
    additions = [(event(str(n)), [to("a")]) for n in range(50)]
    await store.write(lambda connection: queue.add(connection, additions))
    with pytest.raises(Unkept) as busy:
        queue.check_room()
    assert (busy.value.code, busy.value.retry) == ("events-busy", True)
    await queue.note([Outcome("a", 1, DELIVERED)], {"a": Place(1)})
    queue.check_room()


async def test_how_a_subscription_stands_names_the_oldest_that_waits(
    store: Store, queue: Queue, clock: Clock
) -> None:
    await add(store, queue, "a")
    begun = clock.ms
    clock.forward(1)
    await add(store, queue, "a", name="2")
    standing = queue.standing()["a"]
    assert (standing.newest, standing.waiting, standing.dead, standing.oldest) == (2, 2, 0, begun)


async def test_what_is_withdrawn_is_gone_for_these_streams_and_this_notice_alone(
    store: Store, queue: Queue
) -> None:
    outgoing = [
        to("a", "anna"),
        to("a", "ben"),
        Outgoing("a", "anna", None, "another", TRACE),
        to("b", "anna"),
    ]
    for one in (*outgoing, to("a", "anna"), to("a", "anna")):
        await store.write(lambda connection, one=one: queue.add(connection, [(event(), [one])]))  # type: ignore[misc]
    await queue.note([Outcome("a", 1, DEAD, "refused"), Outcome("a", 4, DELIVERED)], {"a": Place(1)})
    assert queue.waits("a", [2, 5])
    await store.write(lambda connection: queue.withdraw(connection, ["a", "gone"], "notice", ["anna"]))
    assert waiting(queue, "a") == [2, 3]
    assert queue.dead_letters("a") == []
    assert await queue.replay("a", 1, 9) == 0
    assert [one.sequence for one in queue.since("a", 0, 100)] == [2, 3, 4]
    assert (counters(queue)["a"], counters(queue)["b"]) == ((1, 2), (0, 1))
    assert not queue.waits("a", [2, 5])

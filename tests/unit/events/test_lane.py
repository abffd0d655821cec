"""What may be sent when: order within a stream, nobody waits for another stream, nothing is lost whatever happens.

The simulation has no clock and no network of its own: a table in memory, a recipient that fails as the seed says, and a node that
may stop between any two steps and begins again from what was noted.
"""

import random
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sluis.events.cloudevent import CloudEvent
from sluis.events.queue import DEAD, DELIVERED, WAITING, Delivery, Found, Outcome, Wanted
from sluis.events.sending.base import ARRIVED, Result
from sluis.events.sending.lane import PAGE, WINDOW, Lane
from sluis.events.subscriptions import Config, Subscription
from sluis.kernel import PeerId

EVENT = CloudEvent("1", "urn:x", "nl.x")
OWNER = PeerId("00000001234567890000")
HOUR = 3_600_000


def subscription(state: str = "active", rate: int | None = None, **config: Any) -> Subscription:
    return Subscription(
        "a", OWNER, "https://a.example/", "push", config=Config(**config), state=state, rate=rate
    )  # type: ignore[arg-type]


class Table:
    """The deliveries of one subscription, as the queue keeps them."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.settled = 0

    def add(self, *streams: str, began: int = 0) -> None:
        for stream in streams:
            self.rows.append({"stream": stream, "state": WAITING, "attempts": 0, "due": 0, "began": began})

    def delivery(self, sequence: int) -> Delivery:
        row = self.rows[sequence - 1]
        return Delivery(
            "a",
            sequence,
            sequence,
            EVENT,
            row["stream"],
            None,
            "",
            "",
            row["attempts"],
            row["due"],
            row["began"],
        )

    def fetch(self, wanted: Wanted) -> Found:
        waits = [n for n, row in enumerate(self.rows, 1) if row["state"] == WAITING]

        def page(numbers: Sequence[int]) -> list[Delivery]:
            return [self.delivery(n) for n in numbers[:PAGE]]

        stretch = range(min(wanted.streams.values(), default=0) + 1, wanted.last + 1)
        streams = page([n for n in waits if n in stretch and self.rows[n - 1]["stream"] in wanted.streams])
        return Found(
            [] if wanted.after is None else page([n for n in waits if n > wanted.after]),
            page([n for n in waits if n in wanted.heads]),
            streams,
            streams[-1].sequence if len(streams) == PAGE else wanted.last,
        )

    def note(self, outcomes: Sequence[Outcome], settled: int) -> None:
        for one in outcomes:
            row = self.rows[one.sequence - 1]
            assert row["state"] == WAITING, "what has its outcome gets no other"
            row.update(state=one.state, due=one.due, attempts=row["attempts"] + 1)
        assert all(row["state"] != WAITING for row in self.rows[:settled]), "settled goes past what waits"
        self.settled = settled


class Node:
    """A lane and its table, one step at a time."""

    def __init__(self, table: Table, one: Subscription | None = None) -> None:
        self.table, self.now = table, 0.0
        self.lane = Lane(one or subscription(), table.settled, lambda: 1.0)
        self.unnoted: list[Outcome] = []
        self.under_way: list[list[Delivery]] = []
        self.arrived: list[int] = []
        self.reading: tuple[Wanted, Found] | None = None

    def read(self) -> bool:
        if (wanted := self.lane.wants(self.now)) is not None:
            self.lane.take(wanted, self.table.fetch(wanted))
        return wanted is not None

    def begin(self) -> list[Delivery]:
        some = self.lane.next(self.now)
        if some:
            self.under_way.append(some)
        return some

    def end(self, result: Result, number: int = 0) -> None:
        some = self.under_way.pop(number)
        if result.verdict == "arrived":
            self.arrived += [one.sequence for one in some]
        self.unnoted += self.lane.finish(some, result, self.now)

    def note(self) -> None:
        outcomes, self.unnoted = self.unnoted, []
        self.table.note(outcomes, self.lane.settled({one.sequence for one in outcomes if one.state}))
        self.lane.noted(outcomes)

    def try_next(self) -> None:
        """Go on to the moment at which something is sent, and send it."""
        self.read()
        while not self.begin():
            at = self.lane.wake_at()
            assert at is not None
            self.now = max(self.now, at)
            self.read()

    def send_all(self) -> list[int]:
        """Everything that may be sent at this moment arrives."""
        sent = len(self.arrived)
        while self.read() or self.begin():
            while self.under_way or self.begin():
                self.end(ARRIVED)
                self.note()
        return self.arrived[sent:]


AGAIN = Result("again", "failed")
DOWN = Result("again", "unreachable", whole=True)


def test_within_a_stream_the_next_goes_only_when_the_first_arrived() -> None:
    table = Table()
    table.add("x", "x", "y")
    node = Node(table)
    node.read()
    assert [[one.sequence for one in node.begin()] for _ in range(3)] == [[1], [3], []]
    node.end(ARRIVED)
    assert [one.sequence for one in node.begin()] == [2]


def test_what_has_no_stream_waits_for_nothing() -> None:
    table = Table()
    table.add("", "", "")
    node = Node(table)
    node.read()
    assert [[one.sequence for one in node.begin()] for _ in range(3)] == [[1], [2], [3]]


def test_a_stream_that_waits_holds_up_no_other_and_goes_on_in_its_order() -> None:
    table = Table()
    table.add("x", "y", "x", "y")
    node = Node(table)
    node.read()
    node.begin()
    node.end(AGAIN)
    node.note()
    table.add("x", "y")
    node.lane.news()
    assert node.send_all() == [2, 4, 6]
    node.now += 1001
    assert node.send_all() == [1, 3, 5]


def test_a_stream_that_waits_for_long_takes_no_memory() -> None:
    table = Table()
    table.add(*["x"] * (WINDOW * 3), *["y"] * 3)
    node = Node(table)
    node.read()
    node.begin()
    node.end(AGAIN)
    node.note()
    assert len(node.send_all()) == 3
    assert not node.lane.held
    node.now += 1001
    assert node.send_all() == [*range(1, WINDOW * 3 + 1)]


def test_no_more_is_held_than_the_window_and_a_page() -> None:
    table = Table()
    table.add(*["x"] * WINDOW * 3)
    node = Node(table)
    for _ in range(20):
        node.read()
    assert len(node.lane.held) <= WINDOW + PAGE


def test_who_is_down_gets_one_try_at_a_time_ever_more_seldom() -> None:
    table = Table()
    table.add(*[""] * 100)
    node = Node(table)
    tries = []
    for _ in range(14):
        node.try_next()
        tries.append(node.now)
        assert not node.lane.down or not node.begin(), "one at a time"
        node.end(DOWN)
        node.note()
    waits = [later - earlier for earlier, later in pairwise(tries)]
    assert waits[:2] == [0, 0], "not yet down"
    assert waits[2:] == [
        4000,
        8000,
        16_000,
        32_000,
        64_000,
        128_000,
        256_000,
        300_000,
        300_000,
        300_000,
        300_000,
    ]


def test_what_fails_together_when_a_recipient_goes_down_counts_once() -> None:
    table = Table()
    table.add(*[""] * 100)
    node = Node(table, subscription(in_flight=32))
    node.read()
    while node.begin():
        pass
    while node.under_way:
        node.end(DOWN)
    node.note()
    node.try_next()
    assert node.now == 4000, "and not hours later"


def test_who_is_back_gets_all_at_once_again() -> None:
    table = Table()
    table.add(*"abcdefgh")
    node = Node(table)
    for _ in range(5):
        node.try_next()
        node.end(DOWN)
        node.note()
    node.try_next()
    node.end(ARRIVED)
    node.note()
    assert len(node.send_all()) == 7, "also those that were tried while it was down"


def test_who_is_down_and_comes_to_read_is_tried_at_once() -> None:
    table = Table()
    table.add(*"abcdefgh")
    node = Node(table)
    for _ in range(20):
        node.try_next()
        node.end(DOWN)
        node.note()
    assert node.begin() == []
    node.lane.look_again()
    node.read()
    assert len(node.begin()) == 1, "one try"
    assert node.begin() == []
    node.end(ARRIVED)
    node.note()
    assert len(node.send_all()) == 7


def test_who_asked_to_wait_is_not_tried_before_that_also_when_it_comes_to_read() -> None:
    table = Table()
    table.add(*"abcdefgh")
    node = Node(table)
    for _ in range(20):
        node.try_next()
        node.end(Result("again", "too-busy", 3600.0, whole=True))
        node.note()
    node.lane.look_again()
    assert node.send_all() == []


def test_retry_after_is_kept_to() -> None:
    table = Table()
    table.add("x", "y")
    node = Node(table)
    node.read()
    node.begin()
    node.end(Result("again", "too-busy", 30.0, whole=True))
    node.note()
    assert node.begin() == []
    node.now = 29_999
    assert node.send_all() == []
    node.now = 30_001
    assert sorted(node.send_all()) == [1, 2]


def test_the_rate_that_a_recipient_allows_is_kept_to() -> None:
    table = Table()
    table.add(*[""] * 10)
    node = Node(table, subscription(rate=60))
    assert node.send_all() == [1]
    node.now += 999
    assert node.send_all() == []
    node.now += 1
    assert node.send_all() == [2]


def test_what_was_tried_for_too_long_is_a_dead_letter_and_the_next_goes() -> None:
    table = Table()
    table.add("x", "x")
    table.rows[1]["began"] = 2 * HOUR
    node = Node(table, subscription(retry_for=3600))
    node.now = HOUR
    node.read()
    node.begin()
    node.end(AGAIN)
    node.note()
    assert table.rows[0]["state"] == DEAD
    assert node.send_all() == [2]


def test_what_is_refused_is_a_dead_letter_and_the_next_goes() -> None:
    table = Table()
    table.add("x", "x")
    node = Node(table)
    node.read()
    node.begin()
    node.end(Result("refused", "too-large"))
    node.note()
    assert (table.rows[0]["state"], node.send_all()) == (DEAD, [2])


def test_a_batch_keeps_the_order_of_streams_and_is_taken_apart_when_refused() -> None:
    table = Table()
    table.add("x", "y", "x", "y")
    node = Node(table, subscription(content="batch", batch=3))
    node.read()
    assert [one.sequence for one in node.begin()] == [1, 3, 2]
    node.end(Result("refused", "refused"))
    assert [one.sequence for one in node.begin()] == [1]
    node.end(Result("refused", "refused"))
    node.note()
    assert sorted(node.send_all()) == [2, 3, 4]
    assert [row["state"] for row in table.rows] == [DEAD, DELIVERED, DELIVERED, DELIVERED]


def test_who_wants_nothing_more_gets_nothing_and_all_of_it_when_it_goes_on() -> None:
    table = Table()
    table.add("x", "x", "y")
    node = Node(table)
    node.read()
    node.begin()
    node.end(Result("gone", "gone"))
    assert node.send_all() == []
    node.lane.configure(subscription(state="suspended"))
    assert node.send_all() == []
    node.lane.configure(subscription())
    assert sorted(node.send_all()) == [1, 2, 3]


def test_what_is_replayed_goes_again() -> None:
    table = Table()
    table.add(*"xyx")
    node = Node(table)
    node.send_all()
    table.rows[0].update(state=WAITING, attempts=0, due=0)
    node.lane.again(0)
    assert node.send_all() == [1]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32))
def test_whatever_happens_all_arrive_and_each_stream_in_its_order(seed: int) -> None:
    chance = random.Random(seed)
    table = Table()
    arrived: list[int] = []
    config: Mapping[str, Any] = {"in_flight": chance.choice([1, 3, 8]), "retry_for": 10**9}
    if chance.random() < 0.5:
        config = {**config, "content": "batch", "batch": chance.choice([2, 7])}
    node = Node(table, subscription(**config))
    streams = ["", *"abcdefg"[: chance.randint(1, 7)]]
    left = 300
    trouble = chance.random()
    for _ in range(100_000):
        step = chance.random()
        if left and step < 0.1:
            some = min(left, chance.randint(1, 40))
            table.add(*chance.choices(streams, k=some))
            left -= some
            node.lane.news()
        elif step < 0.3:
            if node.reading is None:
                if (wanted := node.lane.wants(node.now)) is not None:
                    node.reading = wanted, table.fetch(wanted)  # a snapshot that gets old
            else:
                node.lane.take(*node.reading)
                node.reading = None
        elif step < 0.5:
            node.begin()
        elif step < 0.8 and node.under_way:
            verdict = ARRIVED if chance.random() > trouble else chance.choice([AGAIN, DOWN])
            node.end(verdict, chance.randrange(len(node.under_way)))
        elif step < 0.9:
            node.note()
        elif step < 0.995:
            node.now += chance.choice([10, 1000, 60_000])
        elif chance.random() < 0.3:  # the node stops: what was not noted is forgotten
            if chance.random() < 0.5:
                trouble = chance.random() * 0.9
            arrived += node.arrived
            now, node = node.now, Node(table, subscription(**config))
            node.now = now
        if not left and all(row["state"] == DELIVERED for row in table.rows):
            break
    arrived += node.arrived
    assert set(arrived) == set(range(1, 301)), "every one arrived"
    for stream in streams[1:]:
        of = [n for n in dict.fromkeys(arrived) if table.rows[n - 1]["stream"] == stream]
        assert of == sorted(of), "each stream in its order, by first arrival"


@pytest.mark.parametrize("seed", range(3))
def test_without_trouble_each_arrives_once(seed: int) -> None:
    chance = random.Random(seed)
    table = Table()
    table.add(*chance.choices(["", "a", "b"], k=2000))
    node = Node(table)
    assert sorted(node.send_all()) == [*range(1, 2001)]
    assert table.settled == 2000

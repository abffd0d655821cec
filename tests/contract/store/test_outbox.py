"""What the outbox promises on both engines: kept with its change, tried until it arrives, in order, never lost."""

import asyncio
import multiprocessing
import os
import signal
from contextlib import closing
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text
from tests.clocks import Clock

from sluis.store import Migration, Outbox, Store, migrate, open_outbox, open_store

TABLE = (Migration("table", ("CREATE TABLE changes (id {int} PRIMARY KEY)",)),)
LATER = 4_000_000_000


@pytest.fixture
def store(store: Store) -> Store:
    migrate(store, "test", TABLE)
    return store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def outbox(store: Store, clock: Clock) -> Outbox:
    return open_outbox(store, clock, lambda: 0.0)


async def put(store: Store, outbox: Outbox, *payloads: str, to: str = "b", stream: str = "s") -> None:
    def work(connection: Connection) -> None:
        for payload in payloads:
            outbox.add(connection, to, stream, payload.encode(), LATER)

    await store.write(work)


def payloads(outbox: Outbox, **how: Any) -> list[str]:
    return [message.payload.decode() for message in outbox.due(**how)]


async def test_a_message_is_due_at_once(store: Store, outbox: Outbox) -> None:
    await put(store, outbox, "one")
    assert payloads(outbox) == ["one"]


async def test_a_message_goes_with_its_change_or_not_at_all(store: Store, outbox: Outbox) -> None:
    def work(connection: Connection) -> None:
        outbox.add(connection, "b", "s", b"one", LATER)
        raise LookupError

    with pytest.raises(LookupError):
        await store.write(work)
    assert payloads(outbox) == []


async def test_messages_of_a_stream_keep_their_order(store: Store, outbox: Outbox) -> None:
    await put(store, outbox, "one", "two")
    (first,) = outbox.due()
    assert first.payload == b"one"
    await outbox.done([first.number])
    assert payloads(outbox) == ["two"]


async def test_streams_and_receivers_do_not_wait_for_each_other(store: Store, outbox: Outbox) -> None:
    await put(store, outbox, "one")
    await put(store, outbox, "two", stream="t")
    await put(store, outbox, "three", to="c")
    assert payloads(outbox) == ["one", "two", "three"]


async def test_what_did_not_get_there_holds_up_the_rest_of_its_stream(
    store: Store, outbox: Outbox, clock: Clock
) -> None:
    await put(store, outbox, "one", "two")
    await outbox.again(outbox.due()[0], "peer-unreachable", refused=False)
    assert payloads(outbox) == []
    clock.later(seconds=1)
    assert payloads(outbox) == ["one"]


async def test_what_was_refused_lets_the_rest_go_first(store: Store, outbox: Outbox, clock: Clock) -> None:
    await put(store, outbox, "one", "two")
    await outbox.again(outbox.due()[0], "refused", refused=True)
    assert payloads(outbox) == ["two"]
    clock.later(seconds=1)
    assert payloads(outbox) == ["two", "one"]


async def test_each_failure_doubles_the_wait_up_to_five_minutes(
    store: Store, outbox: Outbox, clock: Clock
) -> None:
    await put(store, outbox, "one")
    waits = []
    for _ in range(12):
        await outbox.again(outbox.due()[0], "peer-unreachable", refused=False)
        wait = outbox.seconds_to_next()
        assert wait is not None
        waits.append(wait)
        clock.later(seconds=wait)
    assert waits == [0.5, 1, 2, 4, 8, 16, 32, 64, 128, 150, 150, 150]


async def test_the_wait_is_spread(store: Store, clock: Clock) -> None:
    outbox = open_outbox(store, clock, lambda: 0.5)
    await put(store, outbox, "one")
    await outbox.again(outbox.due()[0], "peer-unreachable", refused=False)
    assert outbox.seconds_to_next() == 0.75


async def test_a_message_is_tried_until_nobody_needs_it(store: Store, outbox: Outbox, clock: Clock) -> None:
    await put(store, outbox, "one")
    clock.later(seconds=LATER - clock.now.timestamp() - 1)
    assert payloads(outbox) == ["one"]
    clock.later(seconds=1)
    assert payloads(outbox) == []
    await outbox.sweep()
    assert outbox.waiting() == []


async def test_what_is_being_sent_is_not_given_twice_nor_what_stands_behind_it(
    store: Store, outbox: Outbox
) -> None:
    await put(store, outbox, "one", "two")
    (first,) = outbox.due()
    assert payloads(outbox, taken=[first.number]) == []
    assert outbox.seconds_to_next(taken=[first.number]) is None


async def test_a_resting_receiver_gets_nothing(store: Store, outbox: Outbox) -> None:
    await put(store, outbox, "one")
    await put(store, outbox, "two", to="c")
    assert payloads(outbox, resting=["b"]) == ["two"]


async def test_a_receiver_that_is_back_gets_all_at_once(store: Store, outbox: Outbox) -> None:
    await put(store, outbox, "one")
    await put(store, outbox, "two", to="c")
    for message in outbox.due():
        await outbox.again(message, "peer-unreachable", refused=False)
    await outbox.hasten("b")
    assert payloads(outbox) == ["one"]


async def test_what_is_urgent_goes_first(store: Store, outbox: Outbox, clock: Clock) -> None:
    await put(store, outbox, "one")
    clock.later(seconds=1)
    await store.write(lambda connection: outbox.add(connection, "b", "t", b"two", LATER, urgent=True))
    assert payloads(outbox) == ["two", "one"]


async def test_a_stream_can_be_withdrawn(store: Store, outbox: Outbox) -> None:
    await put(store, outbox, "one")
    await put(store, outbox, "two", stream="t")
    await store.write(lambda connection: outbox.withdraw(connection, "b", "s"))
    assert payloads(outbox) == ["two"]


async def test_a_stream_is_filled_only_when_nothing_waits_in_it(store: Store, outbox: Outbox) -> None:
    assert await outbox.fill("b", "s", [b"one", b"two"], LATER)
    assert not await outbox.fill("b", "s", [b"three"], LATER)
    assert await outbox.fill("b", "t", [b"four"], LATER)
    assert [waiting.stream for waiting in outbox.waiting()] == ["s", "s", "t"]
    assert outbox.count() == 3


async def test_who_looks_after_the_node_sees_what_waits_and_why(store: Store, outbox: Outbox) -> None:
    await put(store, outbox, "one")
    await outbox.again(outbox.due()[0], "peer-unreachable", refused=False)
    (waiting,) = outbox.waiting()
    assert (waiting.destination, waiting.stream, waiting.attempts, waiting.trouble) == (
        "b",
        "s",
        1,
        "peer-unreachable",
    )


async def test_order_goes_on_after_a_restart(store: Store, outbox: Outbox, clock: Clock) -> None:
    await put(store, outbox, "one")
    again = open_outbox(store, clock)
    await put(store, again, "two")
    (first,) = again.due()
    await again.done([first.number])
    assert (first.payload, payloads(again)) == (b"one", ["two"])


PROCESSES = multiprocessing.get_context("forkserver")


def change_for_ever(path: Path, acknowledged: Pipe) -> None:
    """Make changes, each with its message, and tell of each that was acknowledged."""

    async def changes() -> None:
        with closing(open_store(path)) as store:
            migrate(store, "test", TABLE)
            outbox = open_outbox(store, Clock())
            with store.read() as connection:
                number = connection.execute(text("SELECT COALESCE(MAX(id), 0) FROM changes")).scalar_one()
            while True:
                number += 1
                await store.write(lambda connection, number=number: change(connection, outbox, number))
                acknowledged.send(number)

    asyncio.run(changes())


def change(connection: Connection, outbox: Outbox, number: int) -> None:
    connection.execute(text("INSERT INTO changes VALUES (:id)"), {"id": number})
    outbox.add(connection, "b", str(number), str(number).encode(), LATER)


def test_a_killed_process_leaves_a_message_for_each_change_and_no_other(tmp_path: Path) -> None:
    path, told = tmp_path / "node.db", 0
    for _ in range(3):
        ours, theirs = PROCESSES.Pipe(duplex=False)
        child = PROCESSES.Process(target=change_for_ever, args=(path, theirs))
        child.start()
        theirs.close()
        try:
            for _ in range(20):
                told = ours.recv()
            os.kill(child.pid or 0, signal.SIGKILL)
            while True:
                told = ours.recv()
        except EOFError:
            child.join()
    with closing(open_store(path)) as store:
        outbox = open_outbox(store, Clock())
        with store.read() as connection:
            changes = list(connection.execute(text("SELECT id FROM changes ORDER BY id")).scalars())
        messages = [int(message.payload) for message in outbox.due(most=1_000_000)]
    assert changes == list(range(1, len(changes) + 1))
    assert (messages, len(changes) >= told >= 60) == (changes, True)

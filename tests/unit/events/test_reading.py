"""Who reads along gets what there is, and what comes, in order; and says what it has."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing, closing
from pathlib import Path

import pytest

from sluis.crypto import FileKeyStore
from sluis.events.cloudevent import CloudEvent
from sluis.events.queue import Delivery, Outgoing, Queue, open_queue, reading
from sluis.events.queue.reading import Readers
from sluis.kernel import PeerId, utc_now
from sluis.store import Store, open_store

ANN, BOB = PeerId("00000001234567890000"), PeerId("00000009876543210000")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "node.db")) as store:
        yield store


@pytest.fixture
def queue(store: Store, tmp_path: Path) -> Queue:
    return open_queue(store, FileKeyStore(tmp_path / "keys"), utc_now)


async def add(store: Store, queue: Queue, *ids: str, to: str = "s") -> None:
    some = [
        (CloudEvent(id=id, source="urn:x", type="nl.x"), [Outgoing(to, "", None, "n", "1" * 32)])
        for id in ids
    ]
    await store.write(lambda connection: queue.add(connection, some))


def shown(found: Sequence[Delivery]) -> list[tuple[int, bytes]]:
    return [(one.sequence, one.event.id.encode()) for one in found]


async def test_a_page_waits_for_what_comes(store: Store, queue: Queue) -> None:
    readers = Readers(queue)
    waiting = asyncio.create_task(readers.page(ANN, "s", 0, 10, 20))
    await asyncio.sleep(0.05)
    await add(store, queue, "other", to="t")
    assert not waiting.done()
    await add(store, queue, "a")
    assert [one.event.id for one in await asyncio.wait_for(waiting, 5)] == ["a"]
    assert await readers.page(ANN, "s", 1, 10, 0.01) == []


async def test_a_stream_goes_on_from_a_number_and_tells_what_comes(store: Store, queue: Queue) -> None:
    await add(store, queue, "a", "b")
    async with aclosing(Readers(queue).stream(ANN, "s", 1, shown)) as stream:  # type: ignore[type-var]
        assert [await anext(stream), await anext(stream)] == [b": \n\n", b"id: 2\ndata: b\n\n"]
        coming = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0.05)
        await add(store, queue, "c", "d")
        assert await asyncio.wait_for(coming, 5) == b"id: 3\ndata: c\n\nid: 4\ndata: d\n\n"


async def test_a_stream_says_that_it_is_still_there(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "HEARTBEAT", 0.01)
    async with aclosing(Readers(queue).stream(ANN, "s", 0, shown)) as stream:  # type: ignore[type-var]
        assert [await anext(stream) for _ in range(3)] == [b": \n\n"] * 3


async def test_a_new_stream_ends_the_one_before(store: Store, queue: Queue) -> None:
    readers = Readers(queue)
    first, second = readers.stream(ANN, "s", 0, shown), readers.stream(ANN, "s", 0, shown)
    await anext(first)
    await anext(second)
    await add(store, queue, "a")
    assert [piece async for piece in first] == []
    assert await anext(second) == b"id: 1\ndata: a\n\n"


async def test_a_stream_does_not_last_for_ever(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "LONGEST_STREAM", 0.0)
    assert [piece async for piece in Readers(queue).stream(ANN, "s", 0, shown)] == [b": \n\n"]


async def test_nobody_is_listened_for_when_nobody_reads(queue: Queue) -> None:
    readers = Readers(queue)
    await readers.page(ANN, "s", 0, 10, 0.01)
    assert queue._listeners == []


async def test_who_waits_with_all_it_has_leaves_room_for_others(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_OF_ONE", 2)
    readers = Readers(queue)
    waiting = [asyncio.create_task(readers.page(ANN, name, 0, 10, 20)) for name in "abcd"]
    other = asyncio.create_task(readers.page(BOB, "s", 0, 10, 20))
    await asyncio.wait(waiting, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.sleep(0.05)
    assert [one.done() for one in (*waiting, other)].count(True) == 2
    assert not other.done()
    for one in (*waiting, other):
        one.cancel()
    await asyncio.gather(*waiting, other, return_exceptions=True)


async def test_a_stream_for_which_there_is_no_room_ends_and_does_not_spin(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MOST_OF_ONE", 1)
    readers = Readers(queue)
    waiting = asyncio.create_task(readers.page(ANN, "a", 0, 10, 20))
    await asyncio.sleep(0)
    pieces = [piece async for piece in readers.stream(ANN, "s", 0, shown)]
    assert pieces == [b": \n\n"] * 2
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)


async def test_when_the_node_stops_nobody_waits_any_more(queue: Queue) -> None:
    readers = Readers(queue)
    page = asyncio.create_task(readers.page(ANN, "s", 0, 10, 20))
    stream = readers.stream(ANN, "t", 0, shown)
    await anext(stream)
    rest = asyncio.create_task(_all(stream))
    await asyncio.sleep(0.05)
    readers.close()
    async with asyncio.timeout(5):
        assert await page == []
        assert await rest == [b": \n\n"]
        assert await readers.page(ANN, "s", 0, 10, 20) == []


async def _all(stream: AsyncIterator[bytes]) -> list[bytes]:
    return [piece async for piece in stream]

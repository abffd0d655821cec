"""Threads that wait for sources."""

import asyncio
import threading
from collections.abc import Iterator

import pyarrow as pa
import pytest

from sluis.disclose.readers import Readers
from sluis.sources import Limits, SourceFailure

BATCH = pa.record_batch({"n": pa.array([1, 2])})


def source(batches: int, held: threading.Event | None = None) -> Iterator[pa.RecordBatch]:
    for _ in range(batches):
        if held is not None:
            held.wait(5)
        yield BATCH


async def test_batches_come_until_there_are_rows_enough() -> None:
    reading, limits = source(3), Limits(batch_rows=3)
    one, two = [await Readers().pull(reading, limits) for _ in range(2)]
    assert (len(one.batches), one.ended, len(two.batches), two.ended) == (2, False, 1, True)


async def test_what_a_source_raises_is_raised_where_it_is_waited_for() -> None:
    def failing() -> Iterator[pa.RecordBatch]:
        yield BATCH
        raise SourceFailure("broken-row", "bad")

    with pytest.raises(SourceFailure, match="broken-row"):
        await Readers().pull(failing(), Limits())


async def test_the_meantime_is_used_while_the_source_looks() -> None:
    held = threading.Event()
    assert len((await Readers().pull(source(1, held), Limits(), held.set)).batches) == 1


async def test_a_reading_is_stopped_when_its_caller_leaves_and_others_go_on() -> None:
    readers, held, limits = Readers(most=1), threading.Event(), Limits()
    left = asyncio.create_task(readers.pull(source(1, held), limits))
    await asyncio.sleep(0)
    left.cancel()
    await asyncio.gather(left, return_exceptions=True)
    assert (left.cancelled(), limits.cancelled.is_set()) == (True, True)
    held.set()
    assert (await readers.pull(source(1), Limits())).ended


async def test_a_reading_is_stopped_when_the_meantime_fails() -> None:
    limits = Limits()

    def fail() -> None:
        raise ValueError

    with pytest.raises(ValueError):
        await Readers().pull(source(1), limits, fail)
    assert limits.cancelled.is_set()


async def test_no_more_are_read_at_once_than_allowed() -> None:
    readers, held, begun = Readers(most=2), threading.Event(), [0]

    def counting() -> Iterator[pa.RecordBatch]:
        begun[0] += 1
        yield from source(1, held)

    under_way = [asyncio.create_task(readers.pull(counting(), Limits())) for _ in range(5)]
    await asyncio.sleep(0.05)
    assert begun[0] == 2
    held.set()
    assert all(one.ended for one in await asyncio.gather(*under_way))


def test_readers_outlive_a_loop_that_was_closed_under_them() -> None:
    readers, held = Readers(most=1), threading.Event()

    async def leave() -> None:
        asyncio.get_running_loop().create_task(readers.pull(source(1, held), Limits()))
        await asyncio.sleep(0)

    asyncio.run(leave())
    held.set()

    async def come_back() -> bool:
        return (await readers.pull(source(1), Limits())).ended

    assert asyncio.run(come_back())

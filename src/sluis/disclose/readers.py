"""Threads that wait for sources.

What `concurrent.futures` and its bridge to asyncio do for one call (two futures, a condition, four callbacks) takes as
long as reading one row. Here a reading is one entry in a queue and one callback on the loop.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import SimpleQueue

import msgspec
import pyarrow as pa

from sluis.sources import Limits


class Pulled(msgspec.Struct, frozen=True):
    """Some batches from the source, and whether they were the last."""

    batches: list[pa.RecordBatch]
    ended: bool


_MOST = min(32, (os.cpu_count() or 1) + 4)
"""Readings at once: they share one interpreter, so that more of them would only be in each other's way."""

_Reading = tuple[asyncio.AbstractEventLoop, "asyncio.Future[Pulled]", Iterator[pa.RecordBatch], int]


class Readers:
    """Reads for the coroutines of one loop; at most `most` at once, others wait. A thread starts when it is needed."""

    def __init__(self, most: int = _MOST) -> None:
        self._readings: SimpleQueue[_Reading] = SimpleQueue()
        self._most = most
        self._started = self._under_way = 0  # counted on the loop's own thread

    async def pull(
        self, source: Iterator[pa.RecordBatch], limits: Limits, meanwhile: Callable[[], None] = lambda: None
    ) -> Pulled:
        """The next batches, about `limits.batch_rows` rows together; `meanwhile` is done while the source looks.

        Raises `SourceFailure`. When the caller is cancelled, or `meanwhile` fails, the source's own query is stopped.
        """
        try:
            reading = self._begin(source, limits.batch_rows)
            meanwhile()
            return await reading
        except BaseException:
            limits.cancelled.set()
            raise

    def _begin(self, source: Iterator[pa.RecordBatch], rows: int) -> "asyncio.Future[Pulled]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Pulled] = loop.create_future()
        self._under_way += 1
        if self._started < min(self._under_way, self._most):
            self._started += 1
            threading.Thread(target=self._read, name="sluis-reader", daemon=True).start()
        self._readings.put((loop, future, source, rows))
        return future

    def _read(self) -> None:
        while True:
            loop, future, source, rows = self._readings.get()
            outcome: Pulled | BaseException
            try:
                outcome = _pull(source, rows)
            except BaseException as problem:
                outcome = problem
            with suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(self._tell, future, outcome)
            del future, source, outcome  # nothing of a question stays behind in a thread that waits

    def _tell(self, future: "asyncio.Future[Pulled]", outcome: Pulled | BaseException) -> None:
        self._under_way -= 1
        if future.done():  # its caller was cancelled
            return
        if isinstance(outcome, BaseException):
            future.set_exception(outcome)
        else:
            future.set_result(outcome)


def _pull(source: Iterator[pa.RecordBatch], rows: int) -> Pulled:
    batches = []
    for batch in source:
        batches.append(batch)
        rows -= batch.num_rows
        if rows <= 0:
            return Pulled(batches, ended=False)
    return Pulled(batches, ended=True)

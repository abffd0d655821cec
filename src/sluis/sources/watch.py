"""What every source kind needs while it reads: a pool of warm connections, and one watch that stops late queries.

A reading must cost almost nothing when it is short, so there is no thread per reading: one daemon thread looks at all
readings under way a few times per second, and calls the source's own way of stopping a query when its time is up or
its caller cancelled.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Generic, TypeVar

from sluis.sources.base import Limits, SourceFailure

C = TypeVar("C")

_TICK = 0.02
"""Seconds between two looks; also about how late a query can be stopped."""

_DOZE = 50
"""Looks at nothing after which the thread sleeps until the next reading."""

_PATIENCE = 0.2
"""Seconds between two requests to stop the same query."""

_POLITE = 10
"""How often a query is asked to stop before the line is cut."""


class Reading:
    """One reading under way. `stopped` is why it was stopped: None, `timeout` or `cancelled`."""

    __slots__ = ("_lock", "_sever", "_stop", "deadline", "ended", "limits", "stopped")

    def __init__(
        self, limits: Limits, stop: Callable[[], None], sever: Callable[[], None] | None = None
    ) -> None:
        self.limits, self._stop, self._sever = limits, stop, sever or stop
        self.deadline = time.monotonic() + limits.seconds
        self.stopped: str | None = None
        self.ended = False
        self._lock = threading.Lock()

    def due(self, now: float) -> str | None:
        """Why this reading must stop now, None when it need not."""
        if self.limits.cancelled.is_set():
            return "cancelled"
        return "timeout" if now >= self.deadline else None

    def halt(self) -> None:
        """Ask the source to stop until the reading ended: a stop may come before the query began."""
        attempts = 0
        while True:
            with self._lock:
                if self.ended:
                    return
                # A stop that fails is tried again, and in the end the line is cut; the reader hears of neither.
                with suppress(Exception):
                    (self._stop if attempts < _POLITE else self._sever)()
            attempts += 1
            time.sleep(_PATIENCE)

    def end(self) -> None:
        """No stop is under way or comes after this: the connection may serve another reading."""
        with self._lock:
            self.ended = True

    def check(self) -> None:
        """For the reader, between batches.

        Raises:
            SourceFailure: `timeout` or `cancelled`.
        """
        if reason := self.stopped or self.due(time.monotonic()):
            raise self.failure(reason)

    def failure(self, reason: str) -> SourceFailure:
        """The failure that `reason` stands for."""
        said = (
            f"stopped after {self.limits.seconds:g} seconds"
            if reason == "timeout"
            else "the caller cancelled"
        )
        return SourceFailure(reason, said)


class _Watch:
    """One thread that looks at all readings; what is due gets a thread of its own, as stopping may take time."""

    def __init__(self) -> None:
        self._readings: set[Reading] = set()
        self._lock = threading.Lock()
        self._work = threading.Event()
        self._asleep = True
        self._thread: threading.Thread | None = None

    def add(self, reading: Reading) -> None:
        with self._lock:
            self._readings.add(reading)
            if self._thread is None or not self._thread.is_alive():  # not alive: this process was forked
                self._thread = threading.Thread(target=self._run, name="sluis-sources-watch", daemon=True)
                self._thread.start()
        if self._asleep:
            self._work.set()

    def remove(self, reading: Reading) -> None:
        with self._lock:
            self._readings.discard(reading)
        reading.end()

    def _run(self) -> None:
        idle = 0
        while True:
            with self._lock:
                now = time.monotonic()
                late = {reading: reason for reading in self._readings if (reason := reading.due(now))}
                self._readings.difference_update(late)
                idle = 0 if self._readings else idle + 1
                # Waking this thread costs more than a short reading does: it stays awake while readings keep coming.
                self._asleep = idle > _DOZE
                self._work.clear()
            for reading, reason in late.items():
                reading.stopped = reason
                threading.Thread(target=reading.halt, name="sluis-sources-stop", daemon=True).start()
            if self._asleep:
                self._work.wait()
            else:
                time.sleep(_TICK)


_WATCH = _Watch()


@contextmanager
def watched(
    limits: Limits, stop: Callable[[], None], sever: Callable[[], None] | None = None
) -> Iterator[Reading]:
    """Call `stop` from another thread when the reading takes longer than its limits allow, or is cancelled; and
    `sever` when asking several times did not help.

    Raises:
        SourceFailure: `timeout` or `cancelled`, in place of whatever the stopped query raised.
    """
    reading = Reading(limits, stop, sever)
    if limits.cancelled.is_set():
        raise reading.failure("cancelled")
    _WATCH.add(reading)
    try:
        yield reading
    except GeneratorExit:
        raise
    except BaseException as error:
        if reading.stopped and not (isinstance(error, SourceFailure) and error.kind == reading.stopped):
            raise reading.failure(reading.stopped) from error
        raise
    finally:
        _WATCH.remove(reading)


class Pool(Generic[C]):
    """Warm connections, the one used last first. Safe to use from many threads.

    Args:
        connect: opens one; raises SourceFailure when it cannot.
        disconnect: closes one; called once for each.
        size: how many may be open at once; who comes later waits.
    """

    def __init__(self, connect: Callable[[], C], disconnect: Callable[[C], None], size: int = 8) -> None:
        self._connect, self._disconnect, self._size = connect, disconnect, size
        self._idle: list[C] = []
        self._open = 0
        self._free = threading.Condition()
        self._closed = False

    @contextmanager
    def use(self, limits: Limits) -> Iterator[C]:
        """A connection for one reading. It comes back when the reading ended well, and is closed when it did not.

        Raises:
            SourceFailure: `timeout` when none came free in time, `failed` after `close`.
        """
        connection = self._take(limits.seconds)
        well = False
        try:
            yield connection
            well = True
        finally:
            self._give(connection, well)

    def _take(self, seconds: float) -> C:
        with self._free:
            if not self._free.wait_for(
                lambda: self._idle or self._open < self._size or self._closed, seconds
            ):
                raise SourceFailure("timeout", "no connection came free in time")
            if self._closed:
                raise SourceFailure("failed", "the source was closed")
            if self._idle:
                return self._idle.pop()
            self._open += 1
        try:
            return self._connect()
        except BaseException:
            with self._free:
                self._open -= 1
                self._free.notify()
            raise

    def _give(self, connection: C, well: bool) -> None:
        with self._free:
            keep = well and not self._closed
            if keep:
                self._idle.append(connection)
            else:
                self._open -= 1
            self._free.notify()
        if not keep:
            self._disconnect(connection)

    def clear(self) -> None:
        """Close what is idle now; the next reading opens a new connection."""
        with self._free:
            idle, self._idle = self._idle, []
            self._open -= len(idle)
            self._free.notify_all()
        for connection in idle:
            self._disconnect(connection)

    def close(self) -> None:
        """Close what is idle, for good; what is in use is closed when it comes back."""
        with self._free:
            self._closed = True
        self.clear()

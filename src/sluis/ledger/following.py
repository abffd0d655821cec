"""Following the log: whoever makes something of it as it grows is handed its records, batch after batch, in their order.

How far somebody is, they keep themselves, in one commit with what they made of a batch: so nothing is left out and nothing counts
twice, whatever restarts. Everybody goes at their own pace: who is slow or fails holds up neither the others nor who appends. Mostly
they go side by side, and then a stretch is read and decoded once for all of them; who fell behind has it read again.

In memory are as many stretches as there are followers, at the most, and none while nobody is at it.
"""

import asyncio
import logging
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from operator import itemgetter
from typing import Protocol

import msgspec

from sluis.kernel import cause_of
from sluis.ledger.model import Act, Record
from sluis.ledger.reading import Log
from sluis.store import Store

log = logging.getLogger("sluis.ledger")

STRETCH = 2000
"""Records that are read at once: some ten milliseconds, and a few megabytes."""

_EVERY = 2.0  # seconds; all begin at the same moments, so that they go side by side
_decoder = msgspec.json.Decoder(Record | Act)
_index = itemgetter(0)

Records = Sequence[tuple[int, Record | Act]]


class Batch:
    """The records from `first` to before `end`."""

    def __init__(self, stretch: "_Stretch", first: int, end: int) -> None:
        self._stretch, self.first, self.end = stretch, first, end

    async def records(self) -> Records:
        """Index and record of each, in order. What was destroyed is not among them, nor what cannot be read: `audit` names that."""
        whole = await self._stretch.records()
        return whole[bisect_left(whole, self.first, key=_index) : bisect_left(whole, self.end, key=_index)]


class Follower(Protocol):
    """Who makes something of the log as it grows."""

    def place(self) -> int:
        """Index of the first record that was not taken in, as it is kept. Blocks."""

    async def take(self, batch: Batch) -> None:
        """Take a batch in, and keep so, in one commit. Whatever it raises: the same records are given again, from `place` on."""


class Following:
    """All that follow one log. Its ledger has it.

    Args:
        store: with the log.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lanes: list[Lane] = []
        self._stretches: deque[_Stretch] = deque(maxlen=1)
        self._at_it = 0
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, follower: Follower, most: int = STRETCH, batches: int | None = None) -> "Lane":
        """Let somebody follow.

        Args:
            follower: who; asked for its place when it begins.
            most: records in a batch.
            batches: at each turn, one in two seconds, at the most; None: until the end of the log.
        """
        lane = Lane(self, follower, most, batches)
        self._lanes.append(lane)
        self._stretches = deque(self._stretches, maxlen=len(self._lanes))
        return lane

    def start(self) -> None:
        """Let everybody go on reading, until `stop`. What goes wrong is logged, and tried again at the next turn."""
        self._tasks = [asyncio.create_task(_go_on(lane)) for lane in self._lanes]

    async def stop(self) -> None:
        """Let nobody read on. Who was at it begins again from its place. May be called twice."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    # For lanes

    def size(self) -> int:
        """How long the log is. Blocks."""
        return Log(self._store).size()

    def batch(self, first: int, most: int, size: int) -> Batch:
        """The next one from `first`, in a log of `size` records."""
        stretch = next((one for one in self._stretches if one.first <= first < one.end), None)
        if stretch is None:
            stretch = _Stretch(self._store, first, min(first + STRETCH, size))
            self._stretches.append(stretch)
        return Batch(stretch, first, min(first + most, stretch.end))

    def enter(self) -> None:
        """Somebody begins to read."""
        self._at_it += 1

    def leave(self) -> None:
        """They are done. What was read is let go with the last."""
        self._at_it -= 1
        if not self._at_it:
            self._stretches.clear()


class Lane:
    """The way of one who follows. Made by `Following.add`."""

    def __init__(self, following: Following, follower: Follower, most: int, batches: int | None) -> None:
        self._following, self.follower, self._most, self.batches = following, follower, most, batches
        self._place: int | None = None
        self._turn = asyncio.Lock()

    async def catch_up(self, batches: int | None = None) -> None:
        """Read on to where the log ends now, or so many batches. Raises what the follower raises; `Unkept`."""
        self._following.enter()
        try:
            size = await asyncio.to_thread(self._following.size)
            while (batches is None or batches > 0) and await self._step(size):
                batches = None if batches is None else batches - 1
        finally:
            self._following.leave()

    async def behind(self) -> int:
        """How many records are still to be read."""
        async with self._turn:
            return await asyncio.to_thread(self._following.size) - await self._known()

    async def _step(self, size: int) -> bool:
        """Hand one batch over; whether there is more."""
        async with self._turn:
            place = await self._known()
            if place >= size:
                return False
            batch = self._following.batch(place, self._most, size)
            self._place = None  # when this goes wrong, what is kept is true
            await self.follower.take(batch)
            self._place = batch.end
            return batch.end < size

    async def _known(self) -> int:
        if self._place is None:
            self._place = await asyncio.to_thread(self.follower.place)
        return self._place


class _Stretch:
    """Records that are read when somebody first wants them, once for all who do."""

    def __init__(self, store: Store, first: int, end: int) -> None:
        self._store, self.first, self.end = store, first, end
        self._reading: asyncio.Task[Records] | None = None

    async def records(self) -> Records:
        if self._reading is None:
            self._reading = asyncio.create_task(asyncio.to_thread(self._read))
        reading = self._reading
        try:
            return await asyncio.shield(reading)  # who no longer waits takes it from nobody
        except BaseException:
            if reading.done():  # it failed: who comes next tries again
                self._reading = None
            raise

    def _read(self) -> Records:
        read: list[tuple[int, Record | Act]] = []
        for index, body in Log(self._store).bodies(self.first, self.end):
            try:
                read.append((index, _decoder.decode(body)))
            except msgspec.MsgspecError:  # it was tampered with; who follows must not stand still for ever
                log.error("record %d cannot be read", index)
        return read


async def _go_on(lane: Lane) -> None:
    clock = asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(_EVERY - clock() % _EVERY)
        try:
            await lane.catch_up(lane.batches)
        except Exception as failure:  # a log that is full for a while must not end the counts of it
            log.error("%s follows the log: %s", type(lane.follower).__name__, cause_of(failure))

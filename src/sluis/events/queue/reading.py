"""Reading along: pages that wait until there is something, and server-sent events (HTML Living Standard, section 9.2).

A stream reads a page when the one before has left, so who reads slowly is read for slowly. Of a subscription there is one stream: a
new one ends the one before, so that a connection that nobody noticed to be gone costs nothing.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence

from sluis.events.queue.model import Delivery, News
from sluis.events.queue.service import Queue
from sluis.events.subscriptions import Subscription

LONGEST_WAIT = 30
"""Seconds that a page waits."""

LONGEST_STREAM, HEARTBEAT = 300.0, 15.0
"""Seconds that a stream lasts; and after which it says that it is still there."""

MOST_WAITING = 500
"""Pages and streams of a node that wait at once; beyond, an answer does not wait."""

MOST_OF_ONE = 50
"""Of one owner or program, so that who waits with all its subscriptions leaves room for the others."""

_PAGE = 100

Shown = Callable[[Sequence[Delivery]], Sequence[tuple[int, bytes]]]
"""What of deliveries leaves: number, and the event as JSON."""


class Readers:
    """Who reads along at a node. For one event loop.

    Args:
        queue: of the deliveries.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._who = Counter[str]()
        self._streams: dict[str, object] = {}
        self._closed = False

    def close(self) -> None:
        """Let nobody wait any more, and end every stream: the node stops. Who reads along goes on elsewhere, or later."""
        self._closed = True
        for waiting in self._waiting.values():
            for woken in waiting:
                woken.set()

    async def confirm(self, one: Subscription, done: int) -> None:
        """Who comes for its events itself has all up to `done`. Raises `Unkept`."""
        if done > 0 and one.mode in ("feed", "sse"):
            await self._queue.confirm(one.id, done)

    async def page(self, who: str, subscription: str, after: int, most: int, wait: float) -> list[Delivery]:
        """What there is after a number in a subscription; when there is nothing, what comes within `wait`
        seconds, unless `who` waits for too much already."""
        woken, crowded = asyncio.Event(), self._crowded(who)
        self._begin(who, subscription, woken)
        try:
            found = await asyncio.to_thread(self._queue.since, subscription, after, most)
            if found or wait <= 0 or crowded or self._closed:
                return found
            try:
                await asyncio.wait_for(woken.wait(), wait)
            except TimeoutError:
                return []
            return await asyncio.to_thread(self._queue.since, subscription, after, most)
        finally:
            self._end(who, subscription, woken)

    async def stream(self, who: str, subscription: str, after: int, shown: Shown) -> AsyncIterator[bytes]:
        """The events of a subscription after a number, as they come, as server-sent events."""
        mine = self._streams[subscription] = object()
        clock = asyncio.get_running_loop().time
        until = clock() + LONGEST_STREAM
        try:
            yield b": \n\n"
            while clock() < until and self._streams.get(subscription) is mine and not self._closed:
                found = await self.page(who, subscription, after, _PAGE, HEARTBEAT)
                if self._streams.get(subscription) is not mine:
                    return
                after = found[-1].sequence if found else after
                pieces = [b"id: %d\ndata: %b\n\n" % one for one in shown(found)]
                yield b"".join(pieces) or b": \n\n"
                if not found and self._crowded(who):
                    return  # it would not wait, but spin
        finally:
            if self._streams.get(subscription) is mine:
                del self._streams[subscription]

    def _crowded(self, who: str) -> bool:
        """Whether this one can wait for nothing more."""
        return self._who[who] >= MOST_OF_ONE or self._who.total() >= MOST_WAITING

    def _begin(self, who: str, subscription: str, woken: asyncio.Event) -> None:
        if not self._who:
            self._queue.listen(self._hear)
        self._who[who] += 1
        self._waiting.setdefault(subscription, set()).add(woken)

    def _end(self, who: str, subscription: str, woken: asyncio.Event) -> None:
        self._who[who] -= 1
        if not self._who[who]:
            del self._who[who]
        self._waiting[subscription].discard(woken)
        if not self._waiting[subscription]:
            del self._waiting[subscription]
        if not self._who:
            self._queue.leave(self._hear)

    def _hear(self, news: News) -> None:
        for name in self._waiting.keys() & {*news.new, *news.again}:
            for woken in self._waiting[name]:
                woken.set()

"""Looking after what waits: what is too old or too much is given up, what nobody will read again is let go, and lanes that
nobody told of are found."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from contextlib import suppress
from typing import Protocol

from sluis.events.queue import MOST_WAITING, Outcome, Place, Queue
from sluis.events.sending.runner import Runner
from sluis.events.subscriptions import Subscription
from sluis.kernel import Clock, PeerId, Unkept, cause_of, milliseconds
from sluis.store import see_through

log = logging.getLogger("sluis.events")

_LOOK = 60.0  # seconds between two looks
_FOR_ALL = MOST_WAITING * 4 // 5  # deliveries that may wait here; what comes between two looks has the rest
_DEAD_FOR = 30 * 24 * 3600 * 1000  # milliseconds that dead letters are kept

Known = Callable[[], Awaitable[Iterable[Subscription]]]
"""Gives all subscriptions that there are, also those to which nothing goes now: what waits for any other is let go. Raises
`Unkept`."""


class Host(Protocol):
    """The lanes of this process (`service.Sender`)."""

    runners: dict[str, Runner]

    def begin(self, subscription: Subscription, place: Place) -> None: ...

    def keep(self, outcomes: list[Outcome]) -> None: ...

    async def leave(self, runner: Runner) -> None: ...


class Keeping:
    """Looks after the lanes of a process, and, in the one that publishes, after all that is kept.

    Args:
        host: the lanes of this process.
        queue: of the deliveries.
        most: deliveries that may wait for one owner.
        all_of_it: whether this process lets go of what is over. One does: what several subscriptions share has one keeper.
        clock: aware UTC.
        finds: whether lanes that nobody told of are this process's.
    """

    def __init__(
        self, host: Host, queue: Queue, most: int, all_of_it: bool, finds: bool, clock: Clock
    ) -> None:
        self._host, self._queue, self._most, self._clock = host, queue, most, clock
        self._all_of_it, self._finds = all_of_it, finds
        self._to_look = asyncio.Event()

    def look(self) -> None:
        """Have a look soon."""
        self._to_look.set()

    async def begin_all(self, known: Known) -> None:
        """Have a lane for every subscription that there is. Raises `Unkept`."""
        seen = await see_through(asyncio.to_thread(self._queue.seen))
        for one in await known():
            self._host.begin(one, seen[one.id].place if one.id in seen else Place())

    async def run(self, known: Known) -> None:
        """Look once a minute, and whenever somebody asks."""
        while True:
            try:
                await self._look(known)
            except Unkept as problem:
                log.warning("looking after what waits: %s", cause_of(problem))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._to_look.wait(), _LOOK)
            self._to_look.clear()

    async def _look(self, known: Known) -> None:
        if self._finds:
            await self.begin_all(known)
        seen = await see_through(asyncio.to_thread(self._queue.seen))
        owners = {one.id: one.owner for one in await known()}
        room = room_for({name: lane.waiting for name, lane in seen.items()}, owners, self._most)
        for runner in [*self._host.runners.values()]:
            name = runner.subscription.id
            if runner.ended:
                await self._host.leave(runner)
                if self._all_of_it:
                    await self._queue.drop(name)
            else:
                await self._give_up(
                    runner, seen[name].waiting if name in seen else 0, room.get(name, self._most)
                )
        if self._all_of_it:
            await self._let_go({one.id: one for one in await known()}, seen.keys())

    async def _give_up(self, runner: Runner, waiting: int, room: int) -> None:
        """Give up what is too old, or more than there is room for."""
        name, config, now = runner.subscription.id, runner.subscription.config, milliseconds(self._clock())
        expired = runner.lane.expire(now)
        if expired:
            self._host.keep(expired)
        held: Collection[int] = runner.lane.held
        if not waiting or runner.lane.reading:  # what is being read may be under way in a moment
            return
        await self._queue.bury_older(name, now - config.retry_for * 1000, [*held])
        if waiting > room:
            await self._queue.bury_oldest(name, waiting - room, [*held])

    async def _let_go(self, known: Mapping[str, Subscription], there: Collection[str]) -> None:
        """Let go of what nobody will read again."""
        now = milliseconds(self._clock())
        for name in there:
            if name in known:
                before = now - known[name].config.keep_for * 1000
                while await self._queue.sweep(name, before, now - _DEAD_FOR):
                    pass
            elif name not in self._host.runners:  # it has ended
                await self._queue.drop(name)


def room_for(waiting: Mapping[str, int], owners: Mapping[str, PeerId], most: int) -> dict[str, int]:
    """For how many deliveries of each subscription there is room: `most` for all of one owner, and for all owners together so much
    that a node goes on publishing, whoever does not take what it is sent. Where it is too much, those with most give up.

    Args:
        waiting: deliveries, by subscription.
        owners: of those subscriptions.
        most: for one owner.
    """
    of = dict[PeerId, dict[str, int]]()
    for name, count in waiting.items():
        if name in owners:
            of.setdefault(owners[name], {})[name] = count
    each = min(most, _level([sum(some.values()) for some in of.values()], _FOR_ALL))
    found = dict[str, int]()
    for some in of.values():
        level = _level(some.values(), each)
        found |= {name: min(count, level) for name, count in some.items()}
    return found


def _level(amounts: Iterable[int], room: int) -> int:
    """The bound for each, such that all of them together fit."""
    left, rising = room, sorted(amounts)
    for place, amount in enumerate(rising):
        if amount * (len(rising) - place) >= left:
            return left // (len(rising) - place)
        left -= amount
    return room

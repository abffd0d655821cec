"""Which lanes are this process's, where more than one sends (`queue.Lanes`).

While there are workers, the node leaves to them what they can carry, so that publishing has its process to itself; without,
it sends all by itself. Workers share evenly: who has too many lets go of some when nothing of theirs is under way.

Who holds a lane hears of what is new by looking: often, or when woken.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Protocol

from sluis.events.queue import NODE, SURE, Lanes, Place, Round, Seen
from sluis.events.sending.keeping import Known
from sluis.events.sending.runner import Runner
from sluis.events.sending.waking import Waking
from sluis.events.subscriptions import Mode, Subscription
from sluis.kernel import Unkept, cause_of
from sluis.store import see_through

log = logging.getLogger("sluis.events")

_RENEW = 1.0  # seconds between two times that this process says that it is there
_POLL, _POLL_WOKEN = 0.2, 1.0  # seconds between two looks; the second when NATS wakes
_AFTER_TROUBLE = 1.0  # seconds before the database is tried again
_APART = 0.01  # seconds between two looks at least, however often it is woken

BY_WORKERS: tuple[Mode, ...] = ("push", "own")
"""What a process without a gateway can send."""


class Host(Protocol):
    """The lanes of this process (`service.Sender`)."""

    runners: dict[str, Runner]
    sent: int

    def begin(self, subscription: Subscription, place: Place) -> None: ...

    def configure(self, runner: Runner, subscription: Subscription) -> None: ...

    async def leave(self, runner: Runner) -> None: ...

    def drop(self, runner: Runner) -> None: ...

    def sure(self, until: float) -> None: ...

    def wake(self, runner: Runner) -> None: ...


class Sharing:
    """Holds lanes for a process.

    Args:
        host: its lanes.
        lanes: who sends what.
        gone: told of a subscription whose recipient wants nothing more; in the node.
        waking: by which it is woken, if anything.
        recount: finds out how many wait at all, which the node counts by itself where it alone sends.

    Attributes:
        sent_by_others: deliveries that arrived and that other processes sent; in the node.
        colleagues: how many processes send, by what wakes them.
    """

    def __init__(
        self, host: Host, lanes: Lanes, gone: Callable[[str], None], waking: Waking | None,
        recount: Callable[[], Awaitable[None]],
    ) -> None:  # fmt: skip
        self._host, self._lanes, self._gone, self._waking = host, lanes, gone, waking
        self._recount = recount
        self._to_look = asyncio.Event()
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self._known: dict[str, Subscription] = {}
        self._renewed = -_RENEW
        self._folded = 0
        self.sent_by_others = 0
        self.colleagues: Mapping[str, int] = {}

    def look(self) -> None:
        """Have a look soon."""
        self._to_look.set()

    def hear(self, elsewhere: Iterable[str]) -> None:
        """There is something for lanes that are not this process's."""
        if any(True for _ in elsewhere):
            self.look()
            if self._waking is not None:
                self._waking.tell()

    def gone(self, name: str) -> None:
        """A recipient wants nothing more: the node must hear it, whose record it is."""
        if self._lanes.node:
            self._gone(name)
        elif (runner := self._host.runners.get(name)) is not None:
            self._let_go(runner, gone=True)

    async def run(self, known: Known) -> None:
        """Look, often."""
        if self._waking is not None:
            self._waking.listen(self.look)
        while True:
            try:
                await self._round(known)
            except Unkept as problem:
                log.warning("looking who sends what: %s", cause_of(problem))
                await asyncio.sleep(_AFTER_TROUBLE)
            await asyncio.sleep(_APART)
            woken = self._waking is not None and self._waking.connected
            with suppress(TimeoutError):
                await asyncio.wait_for(self._to_look.wait(), _POLL_WOKEN if woken else _POLL)
            self._to_look.clear()

    async def stop(self) -> None:
        """Let go of all lanes. To be called when nothing is under way any more."""
        leaving = [*self._leaving.values()]
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        with suppress(Unkept):
            await see_through(asyncio.to_thread(self._lanes.leave, self._host.sent))

    async def _round(self, known: Known) -> None:
        now = time.monotonic()
        turn = now - self._renewed >= _RENEW
        if turn:
            waking = "nats" if self._waking is not None and self._waking.connected else "polling"
            await see_through(asyncio.to_thread(self._lanes.renew, self._host.sent, waking))
            self._renewed = now
        seen = await see_through(asyncio.to_thread(self._lanes.look))
        self._follow(seen)
        if turn:
            self._host.sure(now + SURE)
        if turn or self._lanes.node:  # the node has them in memory
            self._known = {one.id: one for one in await known()}
            self._go_by()
        await self._take(seen)
        self.colleagues = Counter(one.waking for one in seen.senders.values() if one.alive)
        if self._lanes.node and turn:
            await self._hear_of_gone(seen)
            await self._count(seen)

    def _follow(self, seen: Round) -> None:
        """Go by what the database says of the lanes of this process."""
        for name, runner in [*self._host.runners.items()]:
            lane = seen.lanes.get(name)
            if lane is None or lane.holder != self._lanes.id:
                log.info("a lane was taken over")
                self._host.drop(runner)
                continue
            if lane.place.turn > runner.turn:
                runner.again(lane.place)
                self._host.wake(runner)
            if lane.newest > runner.newest:
                runner.newest = lane.newest
                runner.lane.news()
                self._host.wake(runner)

    def _go_by(self) -> None:
        """Go by the subscriptions as they are now."""
        for name, runner in [*self._host.runners.items()]:
            now = self._known.get(name)
            if now is None and not self._lanes.node:  # it has ended; the node lets go of what there was
                self._host.drop(runner)
            elif now is not None and now != runner.subscription and not runner.leaving:
                self._host.configure(runner, now)

    async def _take(self, seen: Round) -> None:
        """Let go of what others should hold, and hold what this process should and nobody does."""
        workers = [name for name, one in seen.senders.items() if one.alive and name != NODE]
        mine = wanted(self._known, seen.lanes, self._lanes.node, len(workers))
        most = len(mine) if self._lanes.node else share(len(mine), len(workers))
        held = [name for name, runner in self._host.runners.items() if not runner.leaving]
        fitting = [name for name in held if name in mine]
        for name in [*(set(held) - mine), *fitting[most:]]:
            self._let_go(self._host.runners[name])
        alive = {name for name, one in seen.senders.items() if one.alive} - {self._lanes.id}
        free = [
            name
            for name in mine
            if name not in self._host.runners
            and name not in self._leaving
            and seen.lanes[name].holder not in alive
            and not seen.lanes[name].gone
        ]
        if not free or len(fitting) >= most:
            return
        places = await see_through(asyncio.to_thread(self._lanes.claim, free, most - len(fitting)))
        for name, place in places.items():
            self._host.begin(self._known[name], place)

    def _let_go(self, runner: Runner, gone: bool = False) -> None:
        """Hold a lane no longer, once nothing of it is under way."""
        name = runner.subscription.id
        if name in self._leaving:
            return
        runner.leaving = runner.lane.stopped = True

        async def work() -> None:
            try:
                await self._host.leave(runner)
                await see_through(asyncio.to_thread(self._lanes.let_go, name, gone))
            except Unkept as problem:  # it is held by this process all the same, and begins anew
                log.warning("letting go of a lane: %s", cause_of(problem))
                self._host.drop(runner)
            finally:
                del self._leaving[name]
                self.look()

        self._leaving[name] = asyncio.create_task(work())

    async def _hear_of_gone(self, seen: Round) -> None:
        """Have the record made of recipients that want nothing more, as workers found; and then let their lanes be held again."""
        gone = [name for name, lane in seen.lanes.items() if lane.gone]
        active = {name for name in gone if name in self._known and self._known[name].state == "active"}
        for name in active:
            self._gone(name)
        if set(gone) - active:
            await see_through(asyncio.to_thread(self._lanes.heard, set(gone) - active))

    async def _count(self, seen: Round) -> None:
        others = {name: one for name, one in seen.senders.items() if name != NODE}
        self.sent_by_others = self._folded + sum(one.sent for one in others.values())
        if others:
            await self._recount()
        if not all(one.alive for one in others.values()):
            self._folded += await see_through(asyncio.to_thread(self._lanes.forget))


def wanted(
    known: Mapping[str, Subscription], lanes: Mapping[str, Seen], node: bool, workers: int
) -> set[str]:
    """The lanes that are for a process, alone or with others of its kind: the node's are what no worker can send, and all when
    there is no worker."""
    there = {name: known[name] for name in lanes if name in known}
    if node and not workers:
        return set(there)
    return {name for name, one in there.items() if (one.mode in BY_WORKERS) is not node}


def share(count: int, workers: int) -> int:
    """How many lanes one worker holds at most, when all share evenly."""
    return -(-count // max(workers, 1))

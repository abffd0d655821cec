"""Sending: one worker, in which every subscription has a lane of its own.

A lane waits for nobody but its own recipient: requests run side by side, reading is for all lanes together, and so is noting
what came of it. What arrived and was not noted yet is sent again after a crash, with the same id.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress

from sluis.events.queue import DELIVERED, Delivery, News, Outcome, Queue
from sluis.events.sending.base import Result, Transport
from sluis.events.sending.lane import PAGE, Lane
from sluis.events.sending.rules import quiet_for
from sluis.events.subscriptions import Mode, Subscription
from sluis.kernel import Clock, Unkept, cause_of, milliseconds

log = logging.getLogger("sluis.events")

_GATHER = 0.02  # seconds in which outcomes come together before they are noted
_AFTER_TROUBLE = 1.0  # seconds before the database is tried again
_LOOK = 60.0  # seconds between two looks at what is too old, or too much
_MOST_UNNOTED = 4096  # outcomes that are not durable yet, before nothing more is sent
_DEAD_FOR = 30 * 24 * 3600  # seconds that dead letters are kept

MOST_OF_ONE = 100_000
"""Deliveries that may wait for one subscription; beyond, the oldest become dead letters."""

Gone = Callable[[str], None]


class _Runner:
    """A lane, and what belongs to it in this process."""

    def __init__(self, subscription: Subscription, lane: Lane, transport: Transport | None) -> None:
        self.lane = lane
        self.couriers: set[asyncio.Task[None]] = set()
        self.timer: asyncio.TimerHandle | None = None
        self.configure(subscription, transport)

    def configure(self, subscription: Subscription, transport: Transport | None) -> None:
        """Go by the subscription as it is now. Without a transport nothing is sent from here: its owner comes for it."""
        self.subscription, self.transport = subscription, transport
        self.lane.configure(subscription)
        self.lane.stopped |= transport is None

    @property
    def ended(self) -> bool:
        """Whether nothing of it has to be kept."""
        return self.subscription.state == "ended"

    def end_timer(self) -> None:
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None


class Sender:
    """Sends what waits. For one event loop.

    Args:
        queue: where it waits.
        transports: by the mode of a subscription; those of other modes are not sent from here.
        gone: told of a subscription whose recipient wants nothing more.
        clock: aware UTC.
        spread: a number from 0 up to 1.
        most: deliveries that may wait for one subscription.
    """

    def __init__(
        self, queue: Queue, transports: Mapping[Mode, Transport], gone: Gone, clock: Clock,
        spread: Callable[[], float] = random.random, most: int = MOST_OF_ONE,
    ) -> None:  # fmt: skip
        self._queue, self._transports, self._gone, self._clock = queue, transports, gone, clock
        self._spread, self._most = spread, most
        self._runners: dict[str, _Runner] = {}
        self._hungry: set[str] = set()
        self._fed = asyncio.Event()
        self._outcomes: list[Outcome] = []
        self._unnoted = 0
        self._to_note = asyncio.Event()
        self._to_look = asyncio.Event()
        self.sent = 0

    async def run(self, subscriptions: Iterable[Subscription]) -> None:
        """Send until this is cancelled; what is under way then goes again later.

        Args:
            subscriptions: all that there are.
        """
        self._queue.listen(self._hear)
        counters = await asyncio.to_thread(self._queue.counters)
        for subscription in subscriptions:
            self._begin(subscription, counters.get(subscription.id, (0, 0))[0])
        for name in counters.keys() - self._runners.keys():  # ended just before this node did
            await self._queue.drop(name)
        try:
            async with asyncio.TaskGroup() as group:
                for work in (self._feed, self._note, self._look_after):
                    group.create_task(work())
        finally:
            self._queue.leave(self._hear)
            await self._stop()

    async def change(self, subscription: Subscription) -> None:
        """A subscription is there, or is another than it was. One that has ended leaves nothing."""
        runner = self._runners.get(subscription.id)
        if runner is None:
            counters = await asyncio.to_thread(self._queue.counters)
            self._begin(subscription, counters.get(subscription.id, (0, 0))[0])
            return
        runner.configure(subscription, self._transports.get(subscription.mode))
        self._wake(runner)
        if runner.ended:
            self._to_look.set()

    def _begin(self, subscription: Subscription, settled: int) -> None:
        lane = Lane(subscription, settled, self._spread)
        runner = _Runner(subscription, lane, self._transports.get(subscription.mode))
        self._runners[subscription.id] = runner
        self._wake(runner)

    async def _stop(self) -> None:
        tasks = [task for runner in self._runners.values() for task in runner.couriers]
        for runner in self._runners.values():
            runner.end_timer()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(Unkept):
            await self._note_now()

    # Reading

    def _hear(self, news: News) -> None:
        for name in news.new:
            if (runner := self._runners.get(name)) is not None:
                runner.lane.news()
                self._wake(runner)
        for name, settled in news.again.items():
            if (runner := self._runners.get(name)) is not None:
                runner.lane.again(settled)
                self._wake(runner)

    def _wake(self, runner: _Runner) -> None:
        self._hungry.add(runner.subscription.id)
        self._fed.set()

    async def _feed(self) -> None:
        """Read for all lanes that have room, together."""
        while True:
            await self._fed.wait()
            self._fed.clear()
            hungry, self._hungry = self._hungry, set()
            now = self._now()
            runners = {name: self._runners[name] for name in hungry if name in self._runners}
            wanted = {
                name: want for name, one in runners.items() if (want := one.lane.wants(now)) is not None
            }
            if wanted:
                try:
                    found = await asyncio.to_thread(self._queue.fetch, wanted, PAGE)
                except Unkept as problem:
                    log.warning("reading what waits: %s", cause_of(problem))
                    for name, want in wanted.items():
                        runners[name].lane.failed(want)
                    self._hungry |= wanted.keys()
                    await asyncio.sleep(_AFTER_TROUBLE)
                    self._fed.set()
                    continue
                for name, want in wanted.items():
                    runners[name].lane.take(want, found[name])
            for runner in runners.values():
                self._pump(runner)
                if runner.lane.hungry:  # what was read may hold nothing to send, while there is more to read
                    self._wake(runner)

    # Sending

    def _pump(self, runner: _Runner) -> None:
        """Set going what may be sent now, and see to it that the rest is looked at in its time."""
        now = self._now()
        while some := self._next(runner, now):
            task = asyncio.create_task(self._carry(runner, some))
            runner.couriers.add(task)
            task.add_done_callback(runner.couriers.discard)
        self._see_again(runner, now)

    def _next(self, runner: _Runner, now: int) -> list[Delivery]:
        if self._unnoted >= _MOST_UNNOTED or self._quiet(runner):
            return []
        return runner.lane.next(now)

    def _quiet(self, runner: _Runner) -> float:
        quiet = runner.subscription.config.quiet
        return 0.0 if quiet is None else quiet_for(quiet, self._clock())

    def _see_again(self, runner: _Runner, now: int) -> None:
        runner.end_timer()
        moment = runner.lane.wake_at()
        if moment is not None and (wait := self._quiet(runner)):
            moment = max(moment, now + wait * 1000)
        if moment is not None and moment > now:
            loop = asyncio.get_running_loop()
            runner.timer = loop.call_later((moment - now) / 1000 + 0.001, self._wake, runner)
        elif moment is not None and runner.lane.idle and not runner.lane.stopped:
            self._wake(runner)

    async def _carry(self, runner: _Runner, some: Sequence[Delivery]) -> None:
        """Send these, and go on with what comes next."""
        lane = runner.lane
        while some:
            result = await self._send(runner, some)
            now = self._now()
            outcomes = lane.finish(some, result, now)
            if outcomes:
                self._keep(outcomes)
            if result.verdict == "gone":
                self._gone(runner.subscription.id)
            some = self._next(runner, now)
            if lane.hungry:
                self._wake(runner)
        self._wake(runner)

    async def _send(self, runner: _Runner, some: Sequence[Delivery]) -> Result:
        assert runner.transport is not None
        try:
            return await runner.transport.send(runner.subscription, some)
        except Exception as failure:  # a fault of ours with one delivery stops no other
            log.warning("sending: %s", cause_of(failure))
            return Result("again", "failed")

    # Noting

    def _keep(self, outcomes: Sequence[Outcome]) -> None:
        self._outcomes += outcomes
        self._unnoted += len(outcomes)
        self._to_note.set()

    async def _note(self) -> None:
        """Note what came of it, in batches: one commit for all that came meanwhile."""
        while True:
            await self._to_note.wait()
            await asyncio.sleep(_GATHER)
            self._to_note.clear()
            try:
                await self._note_now()
            except Unkept as problem:
                log.warning("noting outcomes: %s", cause_of(problem))
                await asyncio.sleep(_AFTER_TROUBLE)
                self._to_note.set()

    async def _note_now(self) -> None:
        outcomes = self._outcomes
        if not outcomes:
            return
        of = dict[str, list[Outcome]]()
        for outcome in outcomes:
            of.setdefault(outcome.subscription, []).append(outcome)
        settled = {
            name: runner.lane.settled({one.sequence for one in some if one.state})
            for name, some in of.items()
            if (runner := self._runners.get(name)) is not None
        }
        self._outcomes = []
        try:
            await self._queue.note(outcomes, settled)
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            raise
        full = self._unnoted >= _MOST_UNNOTED
        self._unnoted -= len(outcomes)
        self.sent += sum(one.state == DELIVERED for one in outcomes)
        for name, some in of.items():
            if (runner := self._runners.get(name)) is not None:
                runner.lane.noted(some)
        for runner in self._runners.values() if full else ():
            self._wake(runner)

    # Looking after

    async def _look_after(self) -> None:
        while True:
            try:
                counters = await asyncio.to_thread(self._queue.counters)
                for runner in [*self._runners.values()]:
                    await self._look_at(runner, counters.get(runner.subscription.id, (0, 0))[1])
            except Unkept as problem:
                log.warning("looking after what waits: %s", cause_of(problem))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._to_look.wait(), _LOOK)
            self._to_look.clear()

    async def _look_at(self, runner: _Runner, waiting: int) -> None:
        """Give up what is too old or too much, and let go of what nobody will read again."""
        name, config = runner.subscription.id, runner.subscription.config
        if runner.ended:
            await asyncio.gather(*runner.couriers)  # bounded, as every request is
            with suppress(Unkept):
                await self._note_now()
            runner.end_timer()
            del self._runners[name]
            await self._queue.drop(name)
            return
        now = self._now()
        expired = runner.lane.expire(now)
        if expired:
            self._keep(expired)
        held: Collection[int] = runner.lane.held
        if runner.lane.reading:  # what is being read may be under way in a moment
            return
        if waiting:
            await self._queue.bury_older(name, now - config.retry_for * 1000, [*held])
        if waiting > self._most:
            await self._queue.bury_oldest(name, waiting - self._most, [*held])
        while await self._queue.sweep(name, now - config.keep_for * 1000, now - _DEAD_FOR * 1000):
            pass

    def _now(self) -> int:
        return milliseconds(self._clock())

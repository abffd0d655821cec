"""Sending: one worker, in which every subscription has a lane of its own.

A lane waits for nobody but its own recipient: requests run side by side, reading is for all lanes together, and so is noting
what came of it. What arrived and was not noted yet is sent again after a crash, with the same id. Which lanes are this
process's, `sharing` says where more than one sends; what is too old or too much, `keeping` gives up.
"""

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from sluis.events.queue import DELIVERED, Delivery, Lanes, News, Outcome, Place, Queue
from sluis.events.sending.base import Result, Transport
from sluis.events.sending.keeping import Keeping, Known
from sluis.events.sending.lane import PAGE
from sluis.events.sending.rules import quiet_for
from sluis.events.sending.runner import Runner
from sluis.events.sending.sharing import Sharing
from sluis.events.sending.waking import Waking
from sluis.events.subscriptions import Mode, Subscription
from sluis.kernel import Clock, Unkept, cause_of, milliseconds
from sluis.store import see_through

log = logging.getLogger("sluis.events")

_GATHER = 0.02  # seconds in which outcomes come together before they are noted
_AFTER_TROUBLE = 1.0  # seconds before the database is tried again
_MOST_UNNOTED = 4096  # outcomes that are not durable yet, before nothing more is sent

MOST_OF_ONE = 100_000
"""Deliveries that may wait for one owner, in all its subscriptions; beyond, the oldest become dead letters."""

Gone = Callable[[str], None]


class Sender:
    """Sends what waits. For one event loop.

    Args:
        queue: where it waits.
        transports: by the mode of a subscription; those of other modes are not sent from here.
        gone: told of a subscription whose recipient wants nothing more.
        clock: aware UTC.
        spread: a number from 0 up to 1.
        most: deliveries that may wait for one owner.
        lanes: who sends what, where more than one process may; None when this is the only one.
        waking: by which processes that send wake each other; None when they look by themselves.

    Attributes:
        sent: deliveries that arrived, since this began.
        runners: the lanes of this process, by their subscription.
    """

    def __init__(
        self, queue: Queue, transports: Mapping[Mode, Transport], gone: Gone, clock: Clock,
        spread: Callable[[], float] = random.random, most: int = MOST_OF_ONE,
        lanes: Lanes | None = None, waking: Waking | None = None,
    ) -> None:  # fmt: skip
        self._queue, self._transports, self._clock = queue, transports, clock
        self._spread, self._waking = spread, waking
        self.runners: dict[str, Runner] = {}
        self._hungry: set[str] = set()
        self._fed = asyncio.Event()
        self._outcomes: list[Outcome] = []
        self._unnoted = 0
        self._to_note, self._noting = asyncio.Event(), asyncio.Lock()
        self.sent = 0
        self._sharing = None if lanes is None else Sharing(self, lanes, gone, waking, queue.recount)
        self._gone = gone if self._sharing is None else self._sharing.gone
        self._keeping = Keeping(self, queue, most, lanes is None or lanes.node, lanes is None, clock)
        self._sure_until = math.inf if lanes is None else 0.0

    async def run(self, known: Known) -> None:
        """Send until this is cancelled; what is under way then goes again later.

        Args:
            known: gives all subscriptions that there are. Raises `Unkept`.
        """
        self._queue.listen(self._hear)
        try:
            if self._sharing is None:
                await self._keeping.begin_all(known)
            async with asyncio.TaskGroup() as group:
                for work in (self._feed(), self._note(), self._keeping.run(known)):
                    group.create_task(work)
                if self._sharing is not None:
                    group.create_task(self._sharing.run(known))
                if self._waking is not None:
                    group.create_task(self._waking.run())
        finally:
            self._queue.leave(self._hear)
            await self._stop()

    async def change(self, subscription: Subscription) -> None:
        """A subscription is there, or is another than it was. One that has ended leaves nothing."""
        runner = self.runners.get(subscription.id)
        if runner is not None:
            self.configure(runner, subscription)
        if subscription.state == "ended":
            self._keeping.look()
        elif runner is not None:
            return
        elif self._sharing is not None:
            self._sharing.look()
        else:
            seen = await see_through(asyncio.to_thread(self._queue.seen))
            self.begin(subscription, seen[subscription.id].place if subscription.id in seen else Place())

    @property
    def sent_by_all(self) -> int:
        """Deliveries that arrived since this began, whichever process sent them."""
        return self.sent + (0 if self._sharing is None else self._sharing.sent_by_others)

    def colleagues(self) -> Mapping[str, int]:
        """How many processes send, by what wakes them."""
        return {"own": 1} if self._sharing is None else self._sharing.colleagues

    # What lanes there are, for `sharing` and `keeping`

    def begin(self, subscription: Subscription, place: Place) -> None:
        """Have a lane of this process, unless it is one already."""
        if subscription.id not in self.runners:
            transport = self._transports.get(subscription.mode)
            runner = self.runners[subscription.id] = Runner(subscription, transport, place, self._spread)
            self.wake(runner)

    def configure(self, runner: Runner, subscription: Subscription) -> None:
        """Go by a subscription as it is now."""
        runner.configure(subscription, self._transports.get(subscription.mode))
        self.wake(runner)

    async def leave(self, runner: Runner) -> None:
        """Send nothing more of a lane, and wait until nothing is under way and all of it is noted. Raises `Unkept`."""
        runner.leaving = runner.lane.stopped = True
        await asyncio.gather(*runner.couriers, return_exceptions=True)  # bounded, as every request is
        await self._note_now()
        self.drop(runner)

    def drop(self, runner: Runner) -> None:
        """A lane is this process's no longer, as of now."""
        runner.leaving = runner.lane.stopped = True
        runner.end_timer()
        for task in runner.couriers:
            task.cancel()
        if self.runners.get(runner.subscription.id) is runner:
            del self.runners[runner.subscription.id]

    def sure(self, until: float) -> None:
        """The lanes of this process are, until that moment (`time.monotonic`)."""
        lapsed, self._sure_until = time.monotonic() > self._sure_until, until
        if lapsed:
            for runner in self.runners.values():
                self.wake(runner)

    def keep(self, outcomes: Sequence[Outcome]) -> None:
        """Have these written down."""
        self._outcomes += outcomes
        self._unnoted += len(outcomes)
        self._to_note.set()

    def wake(self, runner: Runner) -> None:
        """Look at a lane anew."""
        self._hungry.add(runner.subscription.id)
        self._fed.set()

    async def _stop(self) -> None:
        runners = [*self.runners.values()]
        tasks = [task for runner in runners for task in runner.couriers]
        for runner in runners:
            runner.end_timer()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        with suppress(Unkept):
            await self._note_now()
        self.runners.clear()
        if self._sharing is not None:
            await self._sharing.stop()

    # Reading

    def _hear(self, news: News) -> None:
        for name in news.new:
            if (runner := self.runners.get(name)) is not None:
                runner.lane.news()
                self.wake(runner)
        for name, place in news.again.items():
            if (runner := self.runners.get(name)) is not None:
                runner.again(place)
                self.wake(runner)
        for name in news.there:
            if (runner := self.runners.get(name)) is not None:
                runner.lane.look_again()
                self.wake(runner)
        if self._sharing is not None:
            self._sharing.hear(name for name in (*news.new, *news.again) if name not in self.runners)

    async def _feed(self) -> None:
        """Read for all lanes that have room, together."""
        while True:
            await self._fed.wait()
            self._fed.clear()
            hungry, self._hungry = self._hungry, set()
            now = self._now()
            runners = {name: self.runners[name] for name in hungry if name in self.runners}
            wanted = {
                name: want for name, one in runners.items() if (want := one.lane.wants(now)) is not None
            }
            if wanted:
                try:
                    found = await see_through(asyncio.to_thread(self._queue.fetch, wanted, PAGE))
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
                    self.wake(runner)

    # Sending

    def _pump(self, runner: Runner) -> None:
        """Set going what may be sent now, and see to it that the rest is looked at in its time."""
        now = self._now()
        while some := self._next(runner, now):
            task = asyncio.create_task(self._carry(runner, some))
            runner.couriers.add(task)
            task.add_done_callback(runner.couriers.discard)
        self._see_again(runner, now)

    def _next(self, runner: Runner, now: int) -> list[Delivery]:
        if self._held_back() or self._quiet(runner):
            return []
        return runner.lane.next(now)

    def _held_back(self) -> bool:
        """Whether nothing may leave at all; when that ends, all lanes are woken."""
        return self._unnoted >= _MOST_UNNOTED or time.monotonic() > self._sure_until

    def _quiet(self, runner: Runner) -> float:
        quiet = runner.subscription.config.quiet
        return 0.0 if quiet is None else quiet_for(quiet, self._clock())

    def _see_again(self, runner: Runner, now: int) -> None:
        runner.end_timer()
        if self._held_back():
            return
        moment = runner.lane.wake_at()
        if moment is not None and (wait := self._quiet(runner)):
            moment = max(moment, now + wait * 1000)
        if moment is not None and moment > now:
            loop = asyncio.get_running_loop()
            runner.timer = loop.call_later((moment - now) / 1000 + 0.001, self.wake, runner)
        elif moment is not None and runner.lane.idle and not runner.lane.stopped:
            self.wake(runner)

    async def _carry(self, runner: Runner, some: Sequence[Delivery]) -> None:
        """Send these, and go on with what comes next."""
        lane = runner.lane
        while some:
            result = await self._send(runner, some)
            now = self._now()
            outcomes = lane.finish(some, result, now)
            if outcomes:
                self.keep(outcomes)
            if result.verdict == "gone":
                self._gone(runner.subscription.id)
            some = self._next(runner, now)
            if lane.hungry:
                self.wake(runner)
        self.wake(runner)

    async def _send(self, runner: Runner, some: Sequence[Delivery]) -> Result:
        assert runner.transport is not None
        try:
            return await runner.transport.send(runner.subscription, some)
        except Exception as failure:  # a fault of ours with one delivery stops no other
            log.warning("sending: %s", cause_of(failure))
            return Result("again", "failed")

    # Noting

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
        async with self._noting:
            await self._note_all()

    async def _note_all(self) -> None:
        outcomes = self._outcomes
        if not outcomes:
            return
        of = dict[str, list[Outcome]]()
        for outcome in outcomes:
            of.setdefault(outcome.subscription, []).append(outcome)
        places = {name: self._place(name, some) for name, some in of.items()}
        self._outcomes = []
        try:
            await self._queue.note(outcomes, places)
        except BaseException:
            self._outcomes = outcomes + self._outcomes
            raise
        full = self._unnoted >= _MOST_UNNOTED
        self._unnoted -= len(outcomes)
        self.sent += sum(one.state == DELIVERED for one in outcomes)
        for name, some in of.items():
            if (runner := self.runners.get(name)) is not None:
                runner.lane.noted(some)
                if runner.lane.hungry:  # there is room to read again, and nobody else tells
                    self.wake(runner)
        for runner in self.runners.values() if full else ():
            self.wake(runner)

    def _place(self, name: str, ending: Sequence[Outcome]) -> Place:
        """How far a lane is once these have their outcome. Of what is this process's no longer that is not known here."""
        runner = self.runners.get(name)
        if runner is None:
            return Place(0, -1)
        return Place(runner.lane.settled({one.sequence for one in ending if one.state}), runner.turn)

    def _now(self) -> int:
        return milliseconds(self._clock())

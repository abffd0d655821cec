"""What waits for one subscription, and what of it may be sent now. No I/O and no clock of its own.

Within a stream the first goes first, and the next only when it arrived or was given up; streams do not wait for each other.
A recipient that fails again and again is taken to be down: then one request at a time is tried, ever more seldom, until
one arrives.

What is held in memory is bounded. Of a stream that has to wait nothing is held but its place; when its time comes its first
is read again, and when that arrived, the rest of the stream up to where all others are (`_behind`).
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from heapq import heappop, heappush, nsmallest
from itertools import islice
from operator import itemgetter

from sluis.events.queue import DEAD, DELIVERED, WAITING, Delivery, Found, Outcome, Wanted
from sluis.events.sending.base import Result
from sluis.events.sending.rules import DOWN_AFTER, LONGEST_PROBE, backoff
from sluis.events.subscriptions import Subscription

WINDOW = 1024
"""Deliveries of one subscription in memory, a page more at most."""

PAGE = 256
"""Deliveries that are read together."""

_BUSY_NOTING = 20  # ms to look again, when what came of the last try is still being written down

Key = str | int


class Lane:
    """The deliveries of one subscription. All moments are in milliseconds since the epoch.

    Args:
        subscription: whose.
        settled: all up to this number has its outcome.
        spread: a number from 0 up to 1.
    """

    def __init__(self, subscription: Subscription, settled: int, spread: Callable[[], float]) -> None:
        self._spread = spread
        self._read, self._more, self._reading = settled, True, False
        self._open: dict[int, Delivery] = {}  # in memory: ready, under way, or its outcome being noted
        self._ended: set[int] = set()  # noted while something was being read
        self._streams: dict[Key, deque[Delivery]] = {}
        self._ready: deque[Key] = deque()
        self._resting: dict[Key, int] = {}  # the number of the first of a stream that has to wait
        self._dues: list[tuple[float, int, Key]] = []
        self._heads: dict[Key, int] = {}  # whose time has come; to be read
        self._behind: dict[Key, int] = {}  # the number after which a stream has to be read by itself
        self._wanted: set[Key] = set()  # of these now
        self._whole: set[Key] = set()  # rest because of the recipient as such
        self._requests = self._failures = self._singly = 0
        self._until = self._slot = self._asked = 0.0
        self.stopped = False
        self.configure(subscription)

    def configure(self, subscription: Subscription) -> None:
        """Go by the subscription as it is now."""
        config = subscription.config
        self._name, self._in_flight, self._retry_for = (
            subscription.id,
            config.in_flight,
            config.retry_for * 1000,
        )
        self._batch = config.batch if config.content == "batch" else 1
        self._interval = 60_000 / subscription.rate if subscription.rate else 0.0
        was, self.stopped = self.stopped, subscription.state != "active"
        if was and not self.stopped:
            self._recover()
            self._until = 0.0

    @property
    def down(self) -> bool:
        """Whether the recipient is taken to be down."""
        return self._failures >= DOWN_AFTER

    @property
    def idle(self) -> bool:
        """Whether nothing is under way."""
        return self._requests == 0

    @property
    def reading(self) -> bool:
        """Whether something is being read for it."""
        return self._reading

    @property
    def held(self) -> Collection[int]:
        """The numbers in memory."""
        return self._open.keys()

    def settled(self, ending: Collection[int]) -> int:
        """All up to this number has its outcome, once those in `ending` have."""
        places = [self._read + 1, *self._resting.values(), *self._heads.values()]
        places += [after + 1 for after in self._behind.values()]
        return min(min(places), min((one for one in self._open if one not in ending), default=places[0])) - 1

    # Reading

    def news(self) -> None:
        """Something was added."""
        self._more = True

    def again(self, settled: int) -> None:
        """Something after `settled` waits again."""
        self._read, self._more = min(self._read, settled), True

    @property
    def hungry(self) -> bool:
        """Whether there is something to read, and room for it."""
        if self.stopped or self._reading or len(self._open) > WINDOW // 2:
            return False
        return bool(self._onward or self._heads or self._wanted)

    @property
    def _onward(self) -> bool:
        """Whether to read what comes next; for who is down, what is there to try with is enough."""
        return self._more and not (self.down and self._ready)

    def wants(self, now: float) -> Wanted | None:
        """What to read now; None for nothing. Until `take`, it gives nothing more."""
        self._wake(now)
        if not self.hungry:
            return None
        after = None
        if self._onward:
            after, self._more = self._read, False
        self._reading, self._ended = True, set()
        behind = {key: self._behind[key] for key in self._wanted if isinstance(key, str)}
        streams = dict(nsmallest(PAGE, behind.items(), key=itemgetter(1)))  # those that are behind most
        return Wanted(after, [*self._heads.values()], streams, self._read)

    def take(self, wanted: Wanted, found: Found) -> None:
        """Take in what was read."""
        self._reading = False
        self._take_heads(wanted, found.heads)
        self._take_streams(wanted, found)
        if wanted.after is not None and wanted.after == self._read:
            self._more |= len(found.ahead) == PAGE
            for delivery in found.ahead:
                self._read = delivery.sequence
                self._come_upon(delivery)
        self._ended = set()

    def failed(self, wanted: Wanted) -> None:
        """Reading failed; it is wanted again."""
        self._reading = False
        self._more |= wanted.after is not None

    def _take_heads(self, wanted: Wanted, heads: Sequence[Delivery]) -> None:
        found = {one.sequence: one for one in heads}
        asked = set(wanted.heads)
        for key, sequence in [*self._heads.items()]:
            if sequence in asked:
                del self._heads[key]
                if sequence in found and self._is_new(sequence):
                    self._hold(key, found[sequence])
                else:  # given up meanwhile
                    self._follow_up(key)

    def _take_streams(self, wanted: Wanted, found: Found) -> None:
        of = {
            key: list[Delivery]()
            for key, after in wanted.streams.items()
            if key in self._wanted and self._behind.get(key) == after
        }
        for delivery in found.streams:
            if delivery.stream in of and delivery.sequence > wanted.streams[delivery.stream]:
                of[delivery.stream].append(delivery)
        for key, some in of.items():
            self._take_stream(key, some, found.reached, wanted.last)

    def _take_stream(self, key: str, some: Sequence[Delivery], reached: int, last: int) -> None:
        self._wanted.discard(key)
        for delivery in some:
            if self._is_new(delivery.sequence):
                self._hold(key, delivery)
        self._behind[key] = max(self._behind[key], reached)
        if reached == last == self._read:
            del self._behind[key]  # from here on it is with the others
        elif key not in self._streams:
            self._wanted.add(key)

    def _come_upon(self, delivery: Delivery) -> None:
        """One that comes next; or that was there before, when something waits again."""
        key = delivery.order
        if not self._is_new(delivery.sequence):
            return
        if key in self._resting:
            if delivery.sequence < self._resting[key]:
                self._rest(key, delivery.sequence, delivery.due)
        elif key in self._heads:
            self._heads[key] = min(self._heads[key], delivery.sequence)
        if key in self._behind:
            self._behind[key] = min(self._behind[key], delivery.sequence - 1)
        elif key not in self._resting and key not in self._heads:
            if delivery.attempts and delivery.due:
                self._rest(key, delivery.sequence, delivery.due)
            else:
                self._hold(key, delivery)

    def _is_new(self, sequence: int) -> bool:
        return sequence not in self._open and sequence not in self._ended

    def _hold(self, key: Key, delivery: Delivery) -> None:
        self._open[delivery.sequence] = delivery
        stream = self._streams.get(key)
        if stream is None:
            self._streams[key] = deque((delivery,))
            self._ready.append(key)
        else:
            stream.append(delivery)

    def _rest(self, key: Key, sequence: int, due: float) -> None:
        self._resting[key] = sequence
        if isinstance(key, str):
            self._behind[key] = min(self._behind.get(key, sequence), sequence)
        heappush(self._dues, (due, sequence, key))

    def _wake(self, now: float) -> None:
        while self._dues and self._dues[0][0] <= now:
            _, sequence, key = heappop(self._dues)
            if self._resting.get(key) != sequence:  # it went, and rests anew
                continue
            if sequence in self._open:
                heappush(self._dues, (now + _BUSY_NOTING, sequence, key))
                return
            self._heads[key] = self._resting.pop(key)
            self._whole.discard(key)

    # Sending

    def wake_at(self) -> float | None:
        """When there may be something to do that nobody tells of."""
        moments = [self._dues[0][0]] if self._dues else []
        if self._ready:
            moments.append(max(self._until, self._slot))
        return min(moments, default=None)

    def next(self, now: float) -> list[Delivery]:
        """What goes in one request now; empty when nothing may. Until `finish` it is under way."""
        most = 1 if self.down else self._in_flight
        if self.stopped or not self._ready or self._requests >= most or now < max(self._until, self._slot):
            return []
        self._slot = max(self._slot, now) + self._interval if self._interval else 0.0
        room = 1 if self._singly else self._batch
        chosen = list[Delivery]()
        while self._ready and len(chosen) < room:
            chosen += islice(self._streams[self._ready.popleft()], room - len(chosen))
        self._requests += 1
        return chosen

    def finish(self, sent: Sequence[Delivery], result: Result, now: float) -> list[Outcome]:
        """What came of a request; gives what is to be noted. What is noted is held until `noted`."""
        self._requests -= 1
        if result.wait:
            self._asked = max(self._asked, now + result.wait * 1000)
            self._until = max(self._until, self._asked)
        if result.verdict == "arrived":
            return self._arrived(sent)
        if result.verdict == "again":
            return self._try_again(sent, result, now)
        if result.verdict == "gone":
            self.stopped = True
        elif len(sent) == 1:
            self._failures = 0  # somebody answered
            self._singly = max(self._singly - 1, 0)
            self._pop(sent)
            return [Outcome(self._name, sent[0].sequence, DEAD, result.trouble)]
        else:  # one of these was refused: which one, shows when they go one by one
            self._singly = len(sent)
        self._ready.extendleft(dict.fromkeys(one.order for one in reversed(sent)))
        return []

    def _arrived(self, sent: Sequence[Delivery]) -> list[Outcome]:
        if self._failures:
            self._recover()
        self._singly = max(self._singly - 1, 0)
        self._pop(sent)
        return [Outcome(self._name, one.sequence, DELIVERED) for one in sent]

    def look_again(self) -> None:
        """The recipient shows that it is there: try once now, unless it asked to wait itself."""
        if not self.down:
            return
        self._until = self._asked
        key = next((one for one in self._whole if one in self._resting), None)
        if not self._ready and key is not None:
            heappush(self._dues, (0.0, self._resting[key], key))

    def _recover(self) -> None:
        """The recipient is back: what waited only for that waits no longer."""
        self._failures = 0
        for key in self._whole:
            if key in self._resting:
                heappush(self._dues, (0.0, self._resting[key], key))

    def _try_again(self, sent: Sequence[Delivery], result: Result, now: float) -> list[Outcome]:
        anew = (
            not self.down or now >= self._until
        )  # what was under way together fails together, and counts once
        self._failures += anew
        if (self.down and anew) or (result.whole and result.wait):
            wait = backoff(self._failures, self._spread, LONGEST_PROBE)
            self._until = max(self._until, now + max(wait, result.wait) * 1000)
        outcomes = []
        for key, some in _by_stream(sent).items():
            first = some[0]
            if now - first.began >= self._retry_for:
                self._pop(some[:1])
                outcomes.append(Outcome(self._name, first.sequence, DEAD, f"expired:{result.trouble}"))
                continue
            due = now + max(backoff(first.attempts + 1, self._spread), result.wait) * 1000
            self._put_away(key)
            self._open[first.sequence] = first  # until it is noted
            self._rest(key, first.sequence, due)
            if result.whole or self.down:
                self._whole.add(key)
            outcomes.append(Outcome(self._name, first.sequence, WAITING, result.trouble, int(due)))
        return outcomes

    def _put_away(self, key: Key) -> None:
        """Of a stream that has to wait nothing is held."""
        for delivery in self._streams.pop(key):
            del self._open[delivery.sequence]

    def _pop(self, sent: Iterable[Delivery]) -> None:
        """These have their outcome: what stands behind them may go."""
        for key, some in _by_stream(sent).items():
            stream = self._streams[key]
            for _ in some:
                stream.popleft()
            if stream:
                self._ready.append(key)
            else:
                del self._streams[key]
                self._follow_up(key)

    def _follow_up(self, key: Key) -> None:
        if key in self._behind:
            self._wanted.add(key)

    def noted(self, outcomes: Iterable[Outcome]) -> None:
        """These outcomes are durable."""
        for outcome in outcomes:
            self._open.pop(outcome.sequence, None)
            if self._reading and outcome.state != WAITING:
                self._ended.add(outcome.sequence)

    def expire(self, now: float) -> list[Outcome]:
        """What was tried for too long, of what is held and not under way; to be noted."""
        ready = [
            one for key in self._ready for one in self._streams[key] if now - one.began >= self._retry_for
        ]
        for key, some in _by_stream(ready).items():
            for delivery in some:
                self._streams[key].remove(delivery)
            if not self._streams[key]:
                del self._streams[key]
                self._ready.remove(key)
                self._follow_up(key)
        return [Outcome(self._name, one.sequence, DEAD, "expired") for one in ready]


def _by_stream(sent: Iterable[Delivery]) -> dict[Key, list[Delivery]]:
    found: dict[Key, list[Delivery]] = {}
    for one in sent:
        found.setdefault(one.order, []).append(one)
    return found

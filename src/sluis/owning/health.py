"""How the sources of a node are, for whoever looks: the last that is known, and since when.

A source that hangs holds up nobody. Each is probed on a thread of its own, one probe at a time; who looks waits for a moment, and
then sees what the last probe found.
"""

import asyncio
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from sluis.kernel import Clock
from sluis.sources import Probe, Source

FRESH = 30.0
"""Seconds in which a source is not probed again for who looks."""

PATIENCE = 0.06
"""Seconds that a page waits for probes that it began."""

_KEPT = 20  # probes of each source
_SLOW = 5.0  # seconds after which an answer that did not come is a gap


class Seen(msgspec.Struct, frozen=True):
    """A probe, and when it ended."""

    probe: Probe
    at: datetime


class State(msgspec.Struct, frozen=True):
    """What is known of a source.

    Args:
        name: in the settings.
        last: the last probe that ended; None before the first.
        failed: the last one that found something wrong, and has been kept.
        milliseconds: how long the last probes took, oldest first, of those that went well.
        waiting: seconds that the probe under way has been waiting; None when there is none.
    """

    name: str
    last: Seen | None
    failed: Seen | None
    milliseconds: tuple[float, ...]
    waiting: float | None

    @property
    def healthy(self) -> bool | None:
        """Whether it answers; None when that is not known."""
        if self.waiting is not None and self.waiting > _SLOW:
            return False
        return None if self.last is None else self.last.probe.healthy


class _One:
    """What is kept of one source."""

    def __init__(self) -> None:
        self.seen = deque[Seen](maxlen=_KEPT)
        self.failed: Seen | None = None
        self.began: float | None = None
        self.ended = float("-inf")


class Sources:
    """The sources of a node.

    Args:
        sources: by name.
        clock: aware UTC.
    """

    def __init__(self, sources: Mapping[str, Source], clock: Clock) -> None:
        self._sources, self._clock = sources, clock
        self._known = {name: _One() for name in sources}
        self._changed = threading.Condition()

    async def look(self, patience: float = PATIENCE) -> Sequence[State]:
        """How they are, by name; those that were not looked at lately are probed meanwhile. Waits no longer than `patience`
        seconds."""
        self._begin()
        await asyncio.to_thread(self._wait, patience)
        return self.states()

    async def round(self) -> None:
        """Probe those that were not lately; to be called every few minutes. Waits for none of them."""
        self._begin()

    def states(self) -> list[State]:
        """What is known of each, by name."""
        with self._changed:
            return [_state(name, self._known[name]) for name in sorted(self._known)]

    def _wait(self, patience: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: all(one.began is None for one in self._known.values()), patience)

    def _begin(self) -> None:
        now = time.monotonic()
        with self._changed:
            due = [name for name, one in self._known.items() if one.began is None and now - one.ended > FRESH]
            for name in due:
                self._known[name].began = now
        for name in due:
            threading.Thread(target=self._probe, args=(name,), name="sluis-probe", daemon=True).start()

    def _probe(self, name: str) -> None:
        started = time.monotonic()
        try:
            found = self._sources[name].probe()
        except Exception as failure:  # a driver's own: what it says stays with its kind
            found = Probe(False, (time.monotonic() - started) * 1000, None, None, type(failure).__name__)
        seen = Seen(found, self._clock())
        with self._changed:
            one = self._known[name]
            one.seen.append(seen)
            one.failed = one.failed if found.healthy else seen
            one.began, one.ended = None, time.monotonic()
            self._changed.notify_all()


def _state(name: str, one: _One) -> State:
    went = tuple(each.probe.milliseconds for each in one.seen if each.probe.healthy)
    waiting = None if one.began is None else time.monotonic() - one.began
    return State(name, one.seen[-1] if one.seen else None, one.failed, went, waiting)

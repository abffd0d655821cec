"""What others say, as this node last heard it: pages never wait for a peer that hangs. Who opens a page sets looking in motion,
waits for it a moment, and else sees what was known before, with its time.

In memory and bounded: it is asked again in a minute, and what it says counts for nothing but to be looked at.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

import msgspec

from sluis.kernel import Clock, Problem, Text

T = TypeVar("T")

FRESH = 60.0
"""Seconds for which what was heard is not asked again."""

PATIENCE = 0.8
"""Seconds that a page waits for what nobody knows yet."""

AT_ONCE = 8
"""Peers that are asked at the same time."""


class Heard(msgspec.Struct, Generic[T], frozen=True):
    """What somebody said.

    Attributes:
        said: what; None when nothing was ever heard.
        at: when that was, seconds since the epoch; 0 for never.
        trouble: what went wrong when it was asked since; None when nothing did.
        asking: whether an answer is still awaited.
    """

    said: T | None = None
    at: int = 0
    trouble: Text | None = None
    asking: bool = False


class Ear(Generic[T]):
    """Asks one thing of others, and remembers what was last heard. For one event loop.

    Args:
        ask: asks it; raises `Problem`.
        clock: aware UTC.
        fresh: seconds for which an answer is good.
    """

    def __init__(self, ask: Callable[[], Awaitable[T]], clock: Clock, fresh: float = FRESH) -> None:
        self._ask, self._clock, self._fresh = ask, clock, fresh
        self._last = Heard[T]()
        self._tried = 0.0
        self._task: asyncio.Task[None] | None = None

    async def hear(self, patience: float = PATIENCE, anew: bool = False) -> Heard[T]:
        """What was last heard; asked again when that is a while ago.

        Args:
            patience: seconds to wait for it when nothing is known yet, or it is asked anew.
            anew: ask again, also when that was done a moment ago.
        """
        now = self._clock().timestamp()
        if self._task is None and (anew or now - self._tried >= self._fresh):
            self._tried = now
            self._task = asyncio.create_task(self._once())
        if self._task is not None and (anew or self._last.said is None):
            await asyncio.wait({self._task}, timeout=patience)
        return msgspec.structs.replace(self._last, asking=self._task is not None)

    async def _once(self) -> None:
        try:
            said = await self._ask()
        except Problem as problem:
            self._last = msgspec.structs.replace(self._last, trouble=problem.why)
        except Exception:  # nobody waits for it: a page says that it is not known
            self._last = msgspec.structs.replace(self._last, trouble=_UNKNOWN)
            raise
        else:
            self._last = Heard(said, int(self._clock().timestamp()))
        finally:
            self._task = None


async def at_once(some: Sequence[Awaitable[T]], most: int = AT_ONCE) -> list[T]:
    """All of these, so many at the same time, in their order."""
    room = asyncio.Semaphore(most)

    async def one(each: Awaitable[T]) -> T:
        async with room:
            return await each

    return list(await asyncio.gather(*map(one, some)))


_UNKNOWN = Text("Er ging hier iets mis.", "Something went wrong here.")

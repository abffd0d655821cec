"""Catching up: this node reads by itself, at the source, what did not come: when it starts, when an earlier event is missing, and
every few minutes. And it ends this organisation's subscriptions there.

Every source is read by itself, so that one that does not answer holds up no other.
"""

import asyncio
import logging
from collections.abc import Collection
from typing import Annotated, Any
from urllib.parse import quote, urlencode

import msgspec

from sluis.events.cloudevent import MAX_EVENT, CloudEvent, decode_structured
from sluis.events.inbox.model import MOST, Followed, Key
from sluis.events.inbox.service import Inbox
from sluis.events.interests import Registrar, Taken
from sluis.events.subscriptions import INBOX
from sluis.gateway import Link
from sluis.kernel import Invalid, NotFound, PeerId, Problem, Trace, cause_of

log = logging.getLogger("sluis.events")

_GRACE = 0.2  # seconds: what is under way comes by itself
_AGAIN = 5.0  # seconds until a source that failed is asked again
_ROUND = 300.0  # seconds between two looks at everything
_SOON = 1.0  # seconds until a source is read again that has what it did not deliver
_SPAN = 330.0  # seconds in which a source that takes this node to be down tries again
_MOST_PAGES = 400  # of one subscription at a time: more than a source keeps waiting for one owner
_FEW_PAGES = 4  # of one that is read every second
_MOST_BYTES = MOST * (MAX_EVENT + 1024)


class Page(msgspec.Struct, frozen=True):
    """A page of the feed of a subscription."""

    events: list[msgspec.Raw]
    after: Annotated[int, msgspec.Meta(ge=0, le=10**18)]


class Catching:
    """Catches up. For one event loop.

    Args:
        inbox: takes in what is read.
        link: the way to sources.
        registrar: knows them by name, and reads their answers.
        seconds: how long a source may take.
    """

    def __init__(self, inbox: Inbox, link: Link, registrar: Registrar, seconds: float) -> None:
        self._inbox, self._link, self._registrar, self._seconds = inbox, link, registrar, seconds
        self._late: dict[Key, float] = {}  # what the source did not deliver was read; until when that goes on
        registrar.taken = self._taken

    async def run(self) -> None:
        """Go on until this is cancelled."""
        sources = dict[PeerId, asyncio.Event]()
        async with asyncio.TaskGroup() as group:
            while True:
                for one in self._inbox.followed():
                    if one.source not in sources:
                        sources[one.source] = asyncio.Event()
                        group.create_task(self._follow(one.source, sources[one.source]))
                    elif self._is_wanting(one):
                        sources[one.source].set()
                await self._inbox.news.wait()
                self._inbox.news.clear()

    async def end(self, source: str, subscription: str, trace: Trace) -> None:
        """End a subscription at a source. What still comes of it is not taken in.

        Raises `NotFound` (nobody goes by that name, or no such subscription), `Upstream`, what the source answers, `Unkept`.
        """
        peer = self._registrar.peer(source)
        try:
            await self._asked(peer, "DELETE", f"/v1/subscriptions/{quote(subscription, safe='')}", trace, Any)
        except NotFound:
            await self._inbox.forget(peer, subscription)
            raise
        await self._inbox.forget(peer, subscription)

    async def catch_up(self, key: Key, pages: int = 0) -> None:
        """Read all there is after the last that came; with `pages`, so many at most. Raises `Problem`."""
        self._inbox.full.discard(key)
        if key not in self._late:
            self._inbox.delivered.discard(key)
        for _ in range(pages or _MOST_PAGES):  # a source that always has more is asked on in the next round
            one = self._inbox.stand(key)
            if one is None or not await self._read(one, MOST):
                return
            self._late.setdefault(key, asyncio.get_running_loop().time() + _SPAN)

    async def _read_on(self, key: Key) -> None:
        await self.catch_up(key, _FEW_PAGES)

    async def fill(self, key: Key) -> None:
        """Read what is missing before what waits, and no more. Raises `Problem`."""
        for _ in range(_MOST_PAGES):
            one = self._inbox.stand(key)
            if one is None or not one.held:
                return
            if not await self._read(one, min(min(one.held) - one.upto - 1, MOST)):
                # The source has nothing after it any more, not even what waits here: there is nothing to wait for.
                await self._inbox.take(key, [], max(one.held))

    async def _taken(self, source: PeerId, made: Taken) -> None:
        if made.sink == INBOX:
            await self._inbox.follow(source, made.id)

    # One source

    async def _follow(self, source: PeerId, wanting: asyncio.Event) -> None:
        """Read at one source what is missing."""
        clock = asyncio.get_running_loop().time
        everything = clock()
        while True:
            if clock() >= everything:
                well = await self._each(self._of(source), self.catch_up)
                everything = clock() + (_ROUND if well else _AGAIN)
            elif await _is_set(
                wanting, min(everything - clock(), _SOON if self._undelivered(source) else _ROUND)
            ):
                wanting.clear()
                if not await self._fill(source, wanting):
                    everything = min(everything, clock() + _AGAIN)
            elif not await self._each(self._undelivered(source), self._read_on):
                everything = min(everything, clock() + _AGAIN)
                self._late = {key: until for key, until in self._late.items() if key[0] != source}

    async def _fill(self, source: PeerId, wanting: asyncio.Event) -> bool:
        """Read what is still missing after a moment; whether that could be done."""
        before = {one.key: one.upto for one in self._of(source) if one.held}
        await asyncio.sleep(_GRACE)
        some = [one for one in self._of(source) if self._is_wanting(one)]
        full = [one for one in some if one.key in self._inbox.full]
        stuck = [one for one in some if one not in full and before.get(one.key) == one.upto]
        if len(full) + len(stuck) < len(some):
            wanting.set()  # those moved on; they are looked at again
        return await self._each(full, self.catch_up) and await self._each(stuck, self.fill)

    def _undelivered(self, source: PeerId) -> list[Followed]:
        """Subscriptions of which was read what the source did not deliver, as long as it delivers nothing: it takes this node to
        be down, and tries ever more seldom."""
        now = asyncio.get_running_loop().time()
        self._late = {
            key: until
            for key, until in self._late.items()
            if now < until and key not in self._inbox.delivered
        }
        return [one for one in self._of(source) if one.key in self._late]

    def _of(self, source: PeerId) -> list[Followed]:
        return [one for one in self._inbox.followed() if one.source == source]

    def _is_wanting(self, one: Followed) -> bool:
        return bool(one.held) or one.key in self._inbox.full

    async def _each(self, some: Collection[Followed], work: Any) -> bool:
        """Whether all of them could be read."""
        well = True
        for one in some:
            try:
                await work(one.key)
            except NotFound:  # it ended there
                well &= await self._forgotten(one)
            except Problem as problem:
                log.info("catching up with %s: %s", one.source, cause_of(problem))
                well = False
            except Exception as failure:  # what one subscription brings about stops no other
                log.error("catching up: %s", cause_of(failure))
                well = False
        return well

    async def _forgotten(self, one: Followed) -> bool:
        try:
            await self._inbox.forget(*one.key)
        except Problem as problem:
            log.warning("catching up: %s", cause_of(problem))
            return False
        return True

    # One request

    async def _read(self, one: Followed, most: int) -> bool:
        """Read so many after the last that came; whether there were any."""
        query = urlencode({"after": one.upto, "most": most})
        place = f"/v1/subscriptions/{quote(one.subscription, safe='')}/events?{query}"
        page: Page = await self._asked(one.source, "GET", place, Trace.begin(), Page)
        if page.after <= one.upto:
            return False
        events = [event for raw in page.events if (event := _read_event(raw)) is not None]
        await self._inbox.take(one.key, events, page.after)
        return True

    async def _asked(self, peer: PeerId, method: str, place: str, trace: Trace, kind: Any) -> Any:
        headers = self._registrar.headers(trace.child())
        async with self._link.send(peer, method, place, headers, b"", self._seconds) as answer:
            return await self._registrar.answered(peer, answer, kind, _MOST_BYTES)


def _read_event(raw: msgspec.Raw) -> CloudEvent | None:
    """An event of a page; None for what is none, which what comes after it does not wait for."""
    try:
        return decode_structured(bytes(raw))
    except Invalid:
        return None


async def _is_set(event: asyncio.Event, seconds: float) -> bool:
    """Whether it comes to be set within so many seconds."""
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False

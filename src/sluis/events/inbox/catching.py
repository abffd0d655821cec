"""Catching up: this node reads by itself, at the source, what did not come: when it starts, when something waits for an earlier
event, and every few minutes. And it ends this organisation's subscriptions there."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from sluis.events.cloudevent import decode_structured
from sluis.events.inbox.model import MOST, Followed
from sluis.events.inbox.service import Inbox
from sluis.events.interests import Registrar
from sluis.gateway import Link
from sluis.kernel import NotFound, PeerId, Problem, Trace, cause_of

log = logging.getLogger("sluis.events")

_GRACE = 0.5  # seconds: what is under way comes by itself
_AGAIN = 5.0  # seconds until a source that failed is asked again, when something waits
_ROUND = 300.0  # seconds between two looks at everything


class Page(msgspec.Struct, frozen=True):
    """A page of the feed of a subscription."""

    events: list[msgspec.Raw]
    after: int


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

    async def run(self) -> None:
        """Go on until this is cancelled."""
        missed = await self._catch_all(self._inbox.followed())
        while True:
            seconds = _AGAIN if missed else _ROUND
            try:
                async with asyncio.timeout(seconds):
                    await self._inbox.gaps.wait()
                self._inbox.gaps.clear()
                await asyncio.sleep(_GRACE)
                missed = await self._catch_all(one for one in self._inbox.followed() if one.held)
            except TimeoutError:
                missed = await self._catch_all(self._inbox.followed())

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

    async def catch_up(self, followed: Followed) -> None:
        """Read what there is after the last that came. Raises `Problem`."""
        after = followed.upto
        while True:
            query = urlencode({"after": after, "most": MOST})
            place = f"/v1/subscriptions/{quote(followed.subscription, safe='')}/events?{query}"
            page: Page = await self._asked(followed.source, "GET", place, Trace.begin(), Page)
            if page.after <= after:
                return
            await self._inbox.take(
                followed, [decode_structured(bytes(one)) for one in page.events], page.after
            )
            after = page.after

    async def _catch_all(self, some: Iterable[Followed]) -> bool:
        """Whether one of them has to be asked again soon."""
        missed = False
        for one in some:
            try:
                await self.catch_up(one)
            except NotFound:  # it ended there
                await self._forget(one)
            except Problem as problem:
                log.info("catching up with %s: %s", one.source, cause_of(problem))
                missed = True
            except Exception as failure:  # what one source brings about stops no other
                log.error("catching up: %s", cause_of(failure))
                missed = True
        return missed

    async def _forget(self, one: Followed) -> None:
        try:
            await self._inbox.forget(one.source, one.subscription)
        except Problem as problem:
            log.warning("catching up: %s", cause_of(problem))

    async def _asked(
        self, peer: PeerId, method: str, place: str, trace: Trace, kind: Any, body: bytes = b""
    ) -> Any:
        headers = self._registrar.headers(trace.child())
        async with self._link.send(peer, method, place, headers, body, self._seconds) as answer:
            return await self._registrar.answered(peer, answer, kind)

"""What must cross is sent until it arrived: a request to the organisation that must answer it, and how far it is to where it was made.

At least once, over the link, with the same number each time; whoever gets it twice says the same twice, and how far it is: so a request
that is not finished is sent again each hour, and nothing that was lost on the way stays unknown. An organisation that cannot be
reached for a month gets it no more: whoever asked sees that, and can call.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from sluis.gateway import Link, headers_for, read_answer
from sluis.kernel import Clock, Problem, Trace, Unkept, cause_of, decode, encode
from sluis.rights import rules
from sluis.rights.model import Progress, Request
from sluis.rights.saying import unusable
from sluis.rights.service import Rights, placed_of, progress_of
from sluis.store import Store

log = logging.getLogger("sluis.rights")

T = TypeVar("T")

PLACE, TELL = "/v1/requests-of-people", "/v1/requests-of-people/progress"
"""Where a request goes, and where it is told how far it is."""

GIVE_UP = 30 * 86_400
"""Seconds after which a request that did not arrive is given up."""

TRIES = 5
"""After which a request is sent without an assertion, when the key for one cannot be had."""

Asserting = Callable[[Request], Awaitable[str]]
"""What the sign-in provider says of who made a request, for the organisation that it goes to and for nothing else; empty where it can
say nothing. Raises `Problem` when the key of that organisation cannot be had now."""

_TICK, _EACH, _AT_ONCE, _MOST_BYTES = (
    1.0,
    10.0,
    8,
    256 * 1024,
)  # seconds, seconds, requests, bytes of an answer


class Sending:
    """Sends what is due.

    Args:
        rights: of this node.
        store: of this node.
        link: the way to other nodes, and to this one.
        clock: aware UTC.
        asserting: has the sign-in provider assert who made a request, each time that it is sent.
    """

    def __init__(self, rights: Rights, store: Store, link: Link, clock: Clock, asserting: Asserting) -> None:
        self._rights, self._store, self._link, self._clock = rights, store, link, clock
        self._asserting = asserting
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to send."""
        self._task = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """Stop. What is under way is sent again at the next start. May be called twice."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def round(self) -> int:
        """Send what is due now, as much as goes at once; gives how much that was. Raises `Unkept`."""
        now = int(self._clock().timestamp())

        def read() -> list[Request]:
            with self._store.read() as connection:
                return self._rights.keeping.due(connection, now, _AT_ONCE)

        due = await asyncio.to_thread(read)
        await asyncio.gather(*map(self._send, due))
        return len(due)

    async def _live(self) -> None:
        while True:
            try:
                while await self.round() == _AT_ONCE:
                    pass
            except Exception as failure:  # people's requests must go on, whatever one round meets
                log.error("sending requests: %s", cause_of(failure))
            with suppress(TimeoutError):
                async with asyncio.timeout(_TICK):
                    await self._rights.wake.wait()
            self._rights.wake.clear()

    async def _send(self, request: Request) -> None:
        try:
            told = await self._cross(request)
        except Problem as problem:
            # Also that the other cannot keep it now: that one waits for its turn, and nobody else.
            return await self._failed(request, problem)
        try:
            if told is None:
                await self._store.write(lambda connection: self._rights.keeping.sent(connection, request))
            else:
                await self._rights.told(request.peer, told)
        except Unkept:
            raise
        except Problem as problem:
            await self._failed(request, problem)

    async def _cross(self, request: Request) -> Progress | None:
        """Send a request, which gives how far it is; or how far one is."""
        if request.side == "received":
            await self._asked(request, TELL, progress_of(request), dict)
            return None
        placed = placed_of(request, await self._assertion(request))
        told = await self._asked(request, PLACE, placed, Progress)
        if told.receipt != request.receipt:
            raise unusable(str.__str__(request.peer))
        return told

    async def _assertion(self, request: Request) -> str:
        """Empty once it arrived, and where none can be made: somebody's right does not wait for that longer than a few tries."""
        if request.state != "waiting":
            return ""
        try:
            return await self._asserting(request)
        except Problem:
            if request.attempts < TRIES:
                raise
            return ""

    async def _failed(self, request: Request, problem: Problem) -> None:
        now, keeping = int(self._clock().timestamp()), self._rights.keeping
        hopeless = now - request.changed >= GIVE_UP or (problem.status == 400 and not problem.retry)
        if hopeless and request.state == "waiting":
            await self._rights.lost(request, problem.code)
        elif hopeless and request.side == "received":
            await self._store.write(lambda connection: keeping.sent(connection, request))
        else:
            due = now + rules.delay(request.attempts)
            await self._store.write(lambda connection: keeping.again(connection, request, due, problem.code))

    async def _asked(self, request: Request, path: str, body: Any, kind: type[T]) -> T:
        trace = Trace(self._rights.keeping.trace(request.receipt), Trace.begin().span_id)
        headers = headers_for(trace) | {"content-type": "application/json"}
        unfit = unusable(str.__str__(request.peer))
        async with self._link.send(request.peer, "POST", path, headers, encode(body), _EACH) as answer:
            raw = await read_answer(answer, _MOST_BYTES, unfit)
        try:
            return decode(raw, kind)
        except msgspec.MsgspecError:
            raise unfit from None

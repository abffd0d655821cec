"""Telling the other parties what this node signed: out of the durable outbox, until each of them has it.

One stream per peer and contract, so that what was signed arrives in the order in which it was signed. A peer that
cannot be reached rests as a whole, each time longer, with one message as its probe; a call that comes from it ends the
rest. A peer that answers with a refusal is asked again later, message by message: a reason to refuse may pass, such as
keys that could not be fetched.
"""

import asyncio
import logging
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import Literal

import msgspec
from sqlalchemy import Connection

from sluis.gateway.manager.client import Answered, Managers
from sluis.kernel import PeerId, Problem, Upstream, decode
from sluis.store import Message, Outbox

log = logging.getLogger("sluis.manager")

_AT_ONCE = 256  # messages that are taken out to be sent
_PER_PEER = 64  # of them to one peer
_ABREAST = 16  # requests to one peer
_REMEMBERED = 1024  # contents of contracts at hand
_SMALL = 16 * 1024  # bytes; a larger content is read each time
_FIRST_REST, _LONGEST_REST = 1.0, 300.0  # seconds
_LONGEST_LOOK = 30.0  # seconds, while a peer has yet to announce itself: to ask the directory costs little
_GLANCE = 1.0  # seconds after which the outbox is looked at again while something is under way
_LOOK = 30.0  # seconds after which the outbox is looked at in any case

_ANNOUNCEMENT = "announcement"

Kind = Literal["contract", "accept", "reject", "revoke", "announce"]


class Letter(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one message says.

    Args:
        kind: a new contract, a signature under a known one, or where this node is.
        hash: of the contract's content.
        signature: this node's, a JWS.
    """

    kind: Kind
    hash: str = ""
    signature: str = ""


class Delivery:
    """Carries letters from the outbox to the Managers of peers.

    Args:
        outbox: where they wait.
        managers: the way to peers.
        content_of: the content of a contract, JSON, by its hash; None when it is not kept any more.
        locate: looks for another address of a peer that cannot be reached; gives whether there is one.
        spread: a number from 0 up to 1; it spreads what failed together.
    """

    def __init__(
        self,
        outbox: Outbox,
        managers: Managers,
        content_of: Callable[[str], bytes | None],
        locate: Callable[[PeerId], Awaitable[bool]],
        spread: Callable[[], float] = random.random,
    ) -> None:
        self._outbox, self._managers, self._content_of, self._locate = outbox, managers, content_of, locate
        self._spread = spread
        self._news = asyncio.Event()
        self._taken: dict[int, asyncio.Task[None]] = {}
        self._under_way: Counter[str] = Counter()
        self._missed: dict[str, int] = {}
        self._rests: dict[str, float] = {}
        self._ways: dict[str, asyncio.Semaphore] = {}
        self._contents: dict[str, bytes] = {}
        self._arrived: list[int] = []
        self._noting: asyncio.Task[None] | None = None

    def put(self, connection: Connection, peer: PeerId, letter: Letter, ends: int) -> None:
        """Have a letter delivered, in the transaction of what it tells.

        Args:
            connection: of that transaction.
            peer: whom to.
            letter: what to tell.
            ends: seconds since the epoch; nobody needs it after that.
        """
        urgent = letter.kind in ("reject", "revoke")
        stream, payload = letter.hash or _ANNOUNCEMENT, msgspec.json.encode(letter)
        self._outbox.add(connection, str.__str__(peer), stream, payload, ends, urgent=urgent)

    def remember(self, hash: str, content: bytes) -> None:
        """Have the content of a contract at hand, that letters are about to be sent about."""
        if len(content) <= _SMALL:
            if len(self._contents) >= _REMEMBERED:
                del self._contents[next(iter(self._contents))]
            self._contents[hash] = content

    async def give(self, peer: PeerId, letters: Sequence[Letter], ends: int) -> None:
        """Have letters of one stream delivered, unless something waits in it already. Raises `Unkept`."""
        stream, payloads = letters[0].hash or _ANNOUNCEMENT, [msgspec.json.encode(one) for one in letters]
        if await self._outbox.fill(str.__str__(peer), stream, payloads, ends):
            self.wake([peer])

    def wake(self, peers: Iterable[PeerId]) -> None:
        """There may be something to deliver to these."""
        if not {str.__str__(peer) for peer in peers} <= self._closed():
            self._news.set()

    async def back(self, peer: PeerId) -> None:
        """A peer is there: it called, or it answered. Raises `Unkept`."""
        if self._missed.pop(str.__str__(peer), 0):
            self._rests.pop(str.__str__(peer), None)
            await self._outbox.hasten(str.__str__(peer))
            self.wake([peer])

    async def run(self) -> None:
        """Deliver until cancelled; what is under way then goes again after the next start."""
        try:
            while True:
                self._news.clear()
                try:
                    await self._begin()
                    pause = await self._pause()
                except Problem as problem:
                    log.error("nothing is delivered: %s", problem.code)
                    pause = _FIRST_REST
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):  # wait_for may swallow that this task is cancelled
                        await self._news.wait()
        finally:
            under_way = [*self._taken.values(), *([self._noting] if self._noting else [])]
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _begin(self) -> None:
        """Take what is due and may go."""
        room = _AT_ONCE - len(self._taken)
        if room <= 0:
            return
        for message in await asyncio.to_thread(self._outbox.due, self._closed(), [*self._taken], room):
            if self._under_way[message.destination] < self._width(message.destination):
                self._under_way[message.destination] += 1
                task = self._taken[message.number] = asyncio.create_task(self._carry(message))
                task.add_done_callback(partial(self._end, message))

    async def _pause(self) -> float:
        """Seconds until there may be something to do that nobody tells of."""
        if self._taken:
            return _GLANCE  # what ends tells of itself, and finding what is due next costs more than looking again
        due = await asyncio.to_thread(self._outbox.seconds_to_next, self._closed(), [*self._taken])
        now = asyncio.get_running_loop().time()
        ends = [end - now for end in self._rests.values() if end > now]
        return max(min([_LOOK, *ends, *([] if due is None else [due])]), 0.001)

    def _width(self, destination: str) -> int:
        return 1 if destination in self._missed else _PER_PEER

    def _closed(self) -> set[str]:
        """The peers that get nothing more just now: those that rest, and those that have enough to do until half of it
        is done, so that the outbox is looked into once for many messages."""
        now = asyncio.get_running_loop().time()
        resting = {peer for peer, end in self._rests.items() if end > now}
        return resting | {peer for peer in self._under_way if self._is_busy(peer)}

    def _is_busy(self, peer: str) -> bool:
        return self._under_way[peer] >= max(1, self._width(peer) // 2)

    def _end(self, message: Message, task: "asyncio.Task[None]") -> None:
        del self._taken[message.number]
        peer = message.destination
        self._under_way[peer] -= 1
        if not self._under_way[peer]:
            del self._under_way[peer]
            self._ways.pop(peer, None)
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("delivery to %s failed: %s", peer, type(failure).__name__)
            self._rest(peer, "internal-failure")
        if not self._is_busy(peer):
            self._news.set()

    async def _carry(self, message: Message) -> None:
        """Deliver one message, and note how it went."""
        peer = message.destination
        way = self._ways.setdefault(peer, asyncio.Semaphore(_ABREAST))
        try:
            async with way:
                if self._rests.get(peer, 0.0) > asyncio.get_running_loop().time():
                    return  # it turned out to be away, meanwhile; this goes again later
                await self._send(PeerId(peer), decode(message.payload, Letter))
        except Answered as answer:
            await self._not_taken(message, answer)
        except Upstream as problem:
            await self._not_reached(message, problem)
        else:
            await self._note(message.number)
            await self.back(PeerId(peer))

    async def _note(self, number: int) -> None:
        """Note that a message arrived; together with what arrives meanwhile, in one commit."""
        self._arrived.append(number)
        if self._noting is None:
            self._noting = asyncio.create_task(self._note_all())
        await asyncio.shield(self._noting)

    async def _note_all(self) -> None:
        try:
            while self._arrived:
                numbers, self._arrived = self._arrived, []
                await self._outbox.done(numbers)
        finally:
            self._noting = None

    async def _send(self, peer: PeerId, letter: Letter) -> None:
        if letter.kind == "announce":
            await self._managers.announce(peer)
            return
        content = self._contents.get(letter.hash)
        if content is None:
            content = await asyncio.to_thread(self._content_of, letter.hash)
        if content is None:
            return
        self.remember(letter.hash, content)
        if letter.kind == "contract":
            await self._managers.submit(peer, content, letter.signature)
        else:
            await self._managers.sign(peer, letter.hash, letter.kind, content, letter.signature)

    async def _not_taken(self, message: Message, answer: Answered) -> None:
        code = answer.fsc_code or str(answer.answer)
        log.warning("%s does not take %s: %s", message.destination, message.stream, code)
        await self.back(PeerId(message.destination))
        await self._outbox.again(message, code, refused=not answer.retry)

    async def _not_reached(self, message: Message, problem: Upstream) -> None:
        destination = message.destination
        if await self._locate(PeerId(destination)):
            return  # it goes again at once, to the other address
        self._rest(destination, problem.code)
        await self._outbox.again(message, problem.code, refused=False)

    def _rest(self, destination: str, trouble: str) -> None:
        now = asyncio.get_running_loop().time()
        if self._rests.get(destination, 0.0) > now:
            return  # what was under way together fails together, and counts once
        missed = self._missed[destination] = self._missed.get(destination, 0) + 1
        if missed == 1:
            log.warning("%s is not reached: %s", destination, trouble)
        most = _LONGEST_REST if trouble != "peer-without-address" else _LONGEST_LOOK
        longest = min(_FIRST_REST * 2 ** min(missed - 1, 30), most)
        self._rests[destination] = now + longest * (1 + self._spread()) / 2

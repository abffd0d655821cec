"""Who looked at my data: from this node's log into those of other organisations, on behalf of the person themselves.

LDV reading extension: where a line names the reading API of the party that was asked (`dpl.read.externalReadAPI_id`), the
same trace is looked up there, and so on. Each request carries an assertion of its own, that the person's sign-in provider
made for that organisation. It stands here and not in `ledger`, which knows neither people who sign in nor other nodes.

What others answer is hostile input: only organisations of the group are asked, at the address by which the group knows
them, and only lines of the trace that was asked for are shown.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from sluis.crypto import Jwk
from sluis.grounds import Grounds
from sluis.identity.looked.model import Bounds, Look, Looked, Organisation, Page, Question, Silent, Wanted
from sluis.identity.looked.rules import by_question, look_of, onward, plain_trace
from sluis.identity.looked.trusted import audience_of
from sluis.kernel import PeerId, Problem
from sluis.ledger import ACTIVITY, MESSAGE, PROCESSOR, Decision, Ledger, Line, Processing, Search, line_of

Asserting = Callable[[str, Jwk], str]
"""Makes an assertion about the person who is signed in: for the organisation of this URN, which reads it with this key."""

_Ways = Sequence[tuple[str, str]]


class Elsewhere(Protocol):
    """The logs of other organisations. `serve` fills it in with the link of the gateway.

    Guarantee: who answers has proved to be the organisation that is named; nobody else is sent anything.
    """

    def look_around(self, seconds: float) -> Awaitable[None]:
        """Learn where organisations are, as far as that is not known; takes no longer than this."""

    def organisation(self, address: str) -> Organisation | None:
        """Whose address this is, of an application or a reading API; None when no organisation that is known has it."""

    def key(self, peer: PeerId) -> Awaitable[Jwk]:
        """The public key with which an organisation reads what is encrypted for it. Raises `Problem`."""

    def read(
        self, peer: PeerId, assertion: str, trace_id: str, most: int, seconds: float
    ) -> Awaitable[list[Line]]:
        """The lines of a trace about whom the assertion is about, at most so many. Raises `Problem`."""


class WhoLooked:
    """The overviews of one node.

    Args:
        own: this organisation.
        ledger: its log.
        grounds: what activities and data are called.
        elsewhere: the logs of others.
        bounds: how far one overview goes.
    """

    def __init__(
        self,
        own: Organisation,
        ledger: Ledger,
        grounds: Grounds,
        elsewhere: Elsewhere,
        bounds: Bounds | None = None,
    ) -> None:
        self._own, self._ledger, self._grounds, self._elsewhere = own, ledger, grounds, elsewhere
        self._bounds = bounds or Bounds()

    async def of(
        self,
        whom: tuple[str, str],
        asserting: Asserting | None,
        until: int | None = None,
    ) -> Looked:
        """The overview of a person, newest first. Lines that are withheld from them are in nobody's part of it.

        Args:
            whom: the person: type of key, and key.
            asserting: makes assertions about them; None: only this node's own log is read.
            until: ms since the epoch; to go on where an overview that is not whole ends.

        Raises:
            Refused: people are being looked up too fast.
        """
        own = await self._here(whom, Wanted(until=until), self._bounds.lines)
        return await self._overview(own, asserting, len(own) >= self._bounds.lines)

    async def page(self, whom: tuple[str, str], asserting: Asserting | None, wanted: Wanted) -> Page:
        """A page of the overview: other organisations are asked only about the questions on it. Takes no longer than the bounds say,
        whoever hangs.

        Args:
            whom: the person: type of key, and key.
            asserting: makes assertions about them; None: only this node's own log is read.
            wanted: which page.

        Raises:
            Refused: people are being looked up too fast.
        """
        read = await self._here(whom, wanted, self._bounds.searched)
        every = [
            one for one in read if MESSAGE not in one.attributes
        ]  # who is told something, is not looked at
        asked = dict[tuple[str, str], list[Processing]]()
        others = dict[tuple[str, str], set[str]]()
        names = dict[str, str]()  # to find one takes longer than to read a line
        for one in every:
            about, address = (
                (one.trace_id, str(one.attributes.get(ACTIVITY, ""))),
                str(one.attributes.get(PROCESSOR, "")),
            )
            asked.setdefault(about, []).append(one)
            if address not in names:
                names[address] = self._called(address) or self._own.name
            others.setdefault(about, set()).add(names[address])
        fitting = [one for one in asked if not wanted.organisation or wanted.organisation in others[one]]
        first = min(wanted.first, max(len(fitting) - 1, 0) // wanted.most * wanted.most)
        shown = [line for one in fitting[first : first + wanted.most] for line in asked[one]]
        looked = await self._overview(shown, asserting, False)
        of_page = set(fitting[first : first + wanted.most])
        questions = [
            one for one in by_question(looked.looks) if (one.first.trace, one.first.activity) in of_page
        ]
        earliest = min((one.start_time for one in read), default=None)
        cut = len(read) >= self._bounds.searched
        organisations = tuple(sorted({*names.values()}, key=str.casefold))
        return Page(tuple(questions), len(fitting), cut, organisations, looked.silent, looked.whole, earliest)

    async def latest(self, whom: tuple[str, str], most: int) -> list[Question]:
        """The newest questions about a person, from this node's own log alone. Raises `Refused`: people are looked up too fast."""
        own = await self._here(whom, Wanted(), self._bounds.lines)
        asked = dict[tuple[str, str], list[Processing]]()
        for one in own:
            if MESSAGE in one.attributes:
                continue
            asked.setdefault((one.trace_id, str(one.attributes.get(ACTIVITY, ""))), []).append(one)
        lines = [line for some in [*asked.values()][:most] for line in some]
        return by_question(await asyncio.to_thread(self._looks, lines))[:most]

    @property
    def grounds(self) -> Grounds:
        """What activities and data are called here, and what may be withheld."""
        return self._grounds

    async def _overview(self, own: Sequence[Processing], asserting: Asserting | None, cut: bool) -> Looked:
        following = _Following(self, asserting)
        ways = onward(map(line_of, own))
        if ways:
            await self._elsewhere.look_around(self._bounds.each)
        if asserting is not None:
            await following.follow(ways)
        elif any(self._organisation(address) != self._own for address, _ in ways):
            following.cut = True
        looks = await asyncio.to_thread(self._looks, own)
        looks += following.looks
        looks.sort(key=lambda one: one.began, reverse=True)
        silent = tuple(Silent(name, why) for name, why in sorted(following.silent.items()))
        whole = not silent and not following.cut and not cut
        return Looked(tuple(looks), silent, whole)

    async def _here(self, whom: tuple[str, str], wanted: Wanted, most: int) -> list[Processing]:
        subjects = self._ledger.subjects(*whom)
        search = Search(subjects=subjects, since=wanted.since, until=wanted.until, limit=most)
        return await self._ledger.processing_of(search, withheld=False)

    def _looks(self, records: Sequence[Processing]) -> list[Look]:
        decided = self._ledger.log.decisions_of(sorted({one.trace_id for one in records}))
        return [self._look(one, decided[one.trace_id]) for one in records]

    def _look(self, record: Processing, decisions: Sequence[Decision]) -> Look:
        # Of the same question something else may have been asked that is withheld: what was decided on that is not told here.
        same = [one for one in decisions if one.parent_span_id == record.parent_span_id]
        return look_of(line_of(record), self._own.name, self._grounds, self._called, same, own=True)

    def _organisation(self, address: str) -> Organisation | None:
        return self._elsewhere.organisation(address)

    def _called(self, address: str) -> str | None:
        found = self._organisation(address) if address else None
        return found.name if found is not None and found != self._own else None

    async def _lines(self, peer: PeerId, trace_id: str, asserting: Asserting) -> list[Line]:
        key = await self._elsewhere.key(peer)
        assertion, most = asserting(audience_of(peer), key), self._bounds.found
        found = await self._elsewhere.read(peer, assertion, trace_id, most, self._bounds.each)
        return [one for one in found[:most] if plain_trace(one.trace_id) == trace_id]


class _Following:
    """One walk over other organisations.

    Attributes:
        looks: what was found.
        silent: by name, those that did not tell, and why.
        cut: whether a bound was reached.
    """

    def __init__(self, over: WhoLooked, asserting: Asserting | None) -> None:
        self._over, self._asserting = over, asserting
        self._turns = asyncio.Semaphore(over._bounds.at_once)
        self._been: set[tuple[PeerId, str]] = set()
        self._asked = 0
        self.looks: list[Look] = []
        self.silent: dict[str, str] = {}
        self.cut = False

    async def follow(self, ways: _Ways) -> None:
        """Follow each way, and those that it leads to."""
        try:
            async with asyncio.timeout(self._over._bounds.seconds):
                for _ in range(self._over._bounds.hops):
                    ways = [way for found in await self._step(ways) for way in found]
                    if not ways:
                        return
                self.cut = bool(self._new(ways)) or self.cut
        except TimeoutError:
            self.cut = True

    async def _step(self, ways: _Ways) -> list[_Ways]:
        return await asyncio.gather(*[self._ask(one, trace_id) for one, trace_id in self._new(ways)])

    def _new(self, ways: _Ways) -> list[tuple[Organisation, str]]:
        """Whom to ask about which trace: each once, and not this node itself."""
        found = []
        for address, trace_id in ways:
            one = self._over._organisation(address)
            if one is None:
                if len(self.silent) < self._over._bounds.asked:  # addresses are another's to make up
                    self.silent[address[:200]] = "unknown-organisation"
            elif one.peer != self._over._own.peer and (one.peer, trace_id) not in self._been:
                if self._asked == self._over._bounds.asked:
                    self.cut = True
                    break
                self._asked += 1
                self._been.add((one.peer, trace_id))
                found.append((one, trace_id))
        return found

    async def _ask(self, one: Organisation, trace_id: str) -> _Ways:
        over, asserting = self._over, self._asserting
        assert asserting is not None
        try:
            async with self._turns, asyncio.timeout(over._bounds.each):
                lines = await over._lines(one.peer, trace_id, asserting)
        except TimeoutError:
            self.silent[one.name] = "peer-too-slow"
            return ()
        except Problem as problem:
            self.silent[one.name] = problem.code
            return ()
        self.looks += [look_of(line, one.name, over._grounds, over._called) for line in lines]
        return onward(lines)

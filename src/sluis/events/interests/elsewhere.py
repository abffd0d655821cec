"""A recipient's side: registering at the source of another organisation in whom this one has an active relation.

That another organisation hears this is processing like any other: a line in this node's own log about each person, before
a byte leaves.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote, urlencode

import msgspec

from sluis.events.interests.model import (
    MOST,
    NAMES,
    Ended,
    Ending,
    InterestsView,
    NewInterest,
    Registered,
    Registration,
    Whom,
)
from sluis.events.interests.references import References, Referred
from sluis.events.interests.registered import RegisteredThere
from sluis.events.interests.rules import check_references
from sluis.events.records import about
from sluis.gateway import Answer, Covers, Link, headers_for, read_answer
from sluis.grounds import Key, OfferedNotice, offered_digest
from sluis.kernel import (
    Clock,
    NotFound,
    PeerId,
    Problem,
    Text,
    Trace,
    Upstream,
    convert,
    decode,
    encode,
)
from sluis.ledger import Ledger

T = TypeVar("T")

MOST_BYTES = 4 * 1024 * 1024
"""Of an answer, unless it may be larger."""


class WishedInterests(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to register where: `source` is the organisation, by its alias or OIN. With `changed`, what this node registered
    exactly so before is left as it is: nobody is told of it once more, and no line is written about that person."""

    source: str
    notice: Key
    interests: Annotated[tuple[NewInterest, ...], msgspec.Meta(min_length=1, max_length=100_000)]
    changed: bool = False


class Done(msgspec.Struct, frozen=True):
    """What came of registering: how many were new, how many were renewed, and how many were left as they stood."""

    registered: int = 0
    renewed: int = 0
    stood: int = 0


class EndWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which relations are over, at which organisation."""

    source: str
    notice: Key
    subjects: Annotated[tuple[Whom, ...], msgspec.Meta(min_length=1, max_length=100_000)]


class Unrenewed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who was not registered again since a moment: those relations are over, at which organisation."""

    source: str
    notice: Key
    since: datetime


class Subscribing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A subscription to take elsewhere: the document of the CloudEvents Subscriptions API, as that organisation gets it."""

    source: str
    subscription: dict[str, Any]


class Taken(msgspec.Struct, frozen=True):
    """A subscription that was taken elsewhere: its id there, and where it delivers."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    sink: str


class Registrar:
    """Registers interests of this organisation at others, and subscribes there.

    Args:
        link: the way to them.
        ledger: where it is recorded that they were told.
        references: remember who is meant when events come.
        there: remembers who is registered, so that it can be ended.
        aliases: names of organisations, and their Peer IDs.
        name: what a peer is called.
        address: where a peer is, for the log.
        service: name of this node in its records.
        clock: aware UTC.
        seconds: how long another may take.

    Attributes:
        taken: told of each subscription that was taken: at which source, and where it delivers.
    """

    def __init__(
        self,
        link: Link,
        ledger: Ledger,
        references: References,
        there: RegisteredThere,
        aliases: Mapping[str, PeerId],
        name: Callable[[PeerId], str],
        address: Callable[[PeerId], str],
        service: str,
        clock: Clock,
        seconds: float,
    ) -> None:
        self._link, self._ledger, self._references, self._there = link, ledger, references, there
        self._aliases, self._name = aliases, name
        self._address, self._service, self._clock, self._seconds = address, service, clock, seconds
        self.taken: Callable[[PeerId, Taken], Awaitable[None]] | None = None

    async def offered(self, source: str) -> tuple[OfferedNotice, ...]:
        """What an organisation can tell this one of. Raises `NotFound`, `Upstream`, what it answers."""
        return await self.offered_by(self.peer(source))

    async def offered_by(self, peer: PeerId) -> tuple[OfferedNotice, ...]:
        """The same, by its Peer ID. A notice whose digest is not its own is none: a contract covers it by that digest."""
        headers = self.headers(Trace.begin())
        async with self._link.send(peer, "GET", "/v1/notices", headers, b"", self._seconds) as answer:
            found = await self.answered(peer, answer, list[OfferedNotice])
        return tuple(one for one in found if one.source == peer and one.digest == offered_digest(one))

    async def register(self, wish: WishedInterests, trace: Trace) -> Done:
        """Register interests, at most `MOST` at a time; what went before a problem stays registered, and doing all of it
        again does no harm.

        Raises:
            NotFound: nobody goes by that name, or has that notice for this organisation.
            Refused: no contract covers it, or the source refuses.
            Invalid: a person, reference or day is not right.
            Upstream: the source cannot be reached.
            Unkept: it could not be recorded here; nothing left.
        """
        check_references(wish.interests)
        peer, offered = await self._offered(wish.source, wish.notice)
        done = Done()
        for at in range(0, len(wish.interests), MOST):
            some = wish.interests[at : at + MOST]
            stood = (
                await asyncio.to_thread(self._there.standing, peer, wish.notice, some) if wish.changed else ()
            )
            told = await self._register(peer, offered, some, stood, trace)
            done = Done(
                done.registered + told.registered, done.renewed + told.renewed, done.stood + len(stood)
            )
        return done

    async def _register(
        self,
        peer: PeerId,
        offered: OfferedNotice,
        some: Sequence[NewInterest],
        stood: Collection[NewInterest],
        trace: Trace,
    ) -> Registered:
        id, news = offered.notice.id, tuple(one for one in some if one not in stood)
        await self._remember(peer, id, news)
        told = Registered(0, 0)
        if news:
            body, subjects = encode(Registration(id, news)), [one.subject for one in news]
            told = await self._tell(peer, offered, "register", subjects, body, Registered, trace)
        await self._there.keep(peer, id, some)
        return told

    async def end(self, wish: EndWish, trace: Trace) -> Ended:
        """End interests; those that are not there are passed over. Raises as `register`."""
        peer, offered = await self._offered(wish.source, wish.notice)
        ended = 0
        for at in range(0, len(wish.subjects), MOST):
            ended += await self._end(peer, offered, wish.subjects[at : at + MOST], trace)
        return Ended(ended)

    async def end_unrenewed(self, wish: Unrenewed, trace: Trace) -> Ended:
        """End the interests of all who were not registered again through this node since a moment. Raises as `register`."""
        peer, offered = await self._offered(wish.source, wish.notice)
        ended = 0
        while some := await asyncio.to_thread(self._there.before, peer, wish.notice, wish.since, MOST):
            ended += await self._end(peer, offered, tuple(some), trace)
        return Ended(ended)

    async def _end(self, peer: PeerId, offered: OfferedNotice, some: tuple[Whom, ...], trace: Trace) -> int:
        body = encode(Ending(offered.notice.id, some))
        done = await self._tell(peer, offered, "end", some, body, Ended, trace)
        await self._there.ended(peer, offered.notice.id, some)
        return done.ended

    async def registered(self, source: str, notice: str, cursor: str, trace: Trace) -> InterestsView:
        """A page of this organisation's interests at a source: its own references.

        Args:
            source: alias or OIN of that organisation.
            notice: id of what it tells.
            cursor: of the page, as the one before gave it; empty for the first.
            trace: of who asks.

        Raises: as `register`.
        """
        peer, offered = await self._offered(source, notice)
        place = f"/v1/interests?{urlencode({'notice': notice, 'cursor': cursor})}"
        async with self._link.send(
            peer, "GET", place, self.headers(trace.child()), b"", self._seconds, covers=_covering(offered)
        ) as answer:
            return await self.answered(peer, answer, InterestsView)

    async def subscribe(self, wish: Subscribing, trace: Trace) -> dict[str, Any]:
        """Take a subscription at another organisation, which keeps it; it tells nothing that notices do not.

        Raises `NotFound`, `Upstream`, what the source answers, and what it raises that is told of it.
        """
        return await self._kept(wish, "POST", "/v1/subscriptions", trace)

    async def subscribed(self, source: str, trace: Trace) -> list[dict[str, Any]]:
        """This organisation's subscriptions at another, as they stand there. Raises as `subscribe`."""
        return await self._asked(source, "GET", "/v1/subscriptions", trace, list[dict[str, Any]])

    async def replace(self, wish: Subscribing, id: str, trace: Trace) -> dict[str, Any]:
        """Make a subscription at another organisation what the document says; that also has it go on that stood still, or ask
        its address once more. Raises as `subscribe`."""
        return await self._kept(wish, "PUT", f"/v1/subscriptions/{quote(id, safe='')}", trace)

    async def _kept(self, wish: Subscribing, method: str, place: str, trace: Trace) -> dict[str, Any]:
        made = await self._asked(wish.source, method, place, trace, dict[str, Any], wish.subscription)
        if self.taken is not None:
            await self.taken(peer := self.peer(wish.source), self._read(peer, made))
        return made

    def _read(self, peer: PeerId, made: dict[str, Any]) -> Taken:
        try:
            return convert(made, Taken)
        except msgspec.ValidationError:
            raise _unusable(self._name(peer)) from None

    async def _asked(
        self, source: str, method: str, place: str, trace: Trace, kind: type[T], document: Any = None
    ) -> T:
        peer, headers = self.peer(source), self.headers(trace.child())
        body = b"" if document is None else encode(document)
        async with self._link.send(peer, method, place, headers, body, self._seconds) as answer:
            return await self.answered(peer, answer, kind)

    async def _offered(self, source: str, id: str) -> tuple[PeerId, OfferedNotice]:
        peer = self.peer(source)
        offered = next((one for one in await self.offered_by(peer) if one.notice.id == id), None)
        if offered is None:
            raise _no_notice(id, self._name(peer))
        return peer, offered

    async def _remember(self, peer: PeerId, notice: str, interests: Sequence[NewInterest]) -> None:
        now = self._clock()
        if not interests:
            return
        await self._references.keep(
            [
                Referred(peer, notice, one.reference, one.subject.kind,
                         self._ledger.subject(one.subject.kind, one.subject.value, now), one.until)
                for one in interests
            ]
        )  # fmt: skip

    async def _tell(
        self,
        peer: PeerId,
        offered: OfferedNotice,
        change: Literal["register", "end"],
        subjects: Sequence[Whom],
        body: bytes,
        kind: type[T],
        trace: Trace,
    ) -> T:
        """Send a request about some persons, once the lines about them are durable."""
        notice, now = offered.notice, self._clock()
        step = trace.child()
        lines = [
            about(
                f"{NAMES[change]} bij {self._name(peer)}: {offered.title.nl}", notice, step, now,
                service=self._service, processor=self._address(peer),
                subject=(one.kind, self._ledger.subject(one.kind, one.value, now)),
                more={"sluis.interest": {"change": change, "notice": notice.id}},
            )
            for one in subjects
        ]  # fmt: skip
        recorded = self._ledger.append(lines)
        async with self._link.send(
            peer,
            "POST",
            "/v1/interests" if change == "register" else "/v1/interests/ends",
            self.headers(step),
            body,
            self._seconds,
            covers=_covering(offered),
            ready=recorded,
        ) as answer:
            return await self.answered(peer, answer, kind)

    def peer(self, source: str) -> PeerId:
        """An organisation by its alias or OIN. Raises `NotFound`."""
        found = self._aliases.get(source)
        if found is None and source in {str.__str__(one) for one in self._aliases.values()}:
            found = PeerId(source)
        if found is None:
            raise _nobody(source)
        return found

    @staticmethod
    def headers(trace: Trace) -> dict[str, str]:
        """Of a request to a source."""
        return headers_for(trace) | {"content-type": "application/json"}

    async def answered(self, peer: PeerId, answer: Answer, kind: type[T], most: int = MOST_BYTES) -> T:
        """What a source answered.

        Args:
            peer: the source.
            answer: as it streams in.
            kind: type that it must have.
            most: bytes that it may have.

        Raises:
            Problem: the source's own.
            Upstream: it is no such answer (`source-unusable`).
        """
        unusable = _unusable(self._name(peer))
        raw = await read_answer(answer, most, unusable, fine=(200, 201))
        try:
            return decode(raw or b"null", kind)
        except (msgspec.MsgspecError, Problem):
            raise unusable from None


def _covering(offered: OfferedNotice) -> Covers:
    """Whether a contract is for this notice."""
    notice = offered.notice
    return lambda purpose: purpose.tells(notice.activity, notice.id, offered.digest)


def _nobody(source: str) -> NotFound:
    return NotFound(
        "unknown-organisation",
        Text(f"`{source[:100]}` is hier geen organisatie.", f"`{source[:100]}` is no organisation here."),
        Text("Geen naam of OIN in de instellingen is zo.", "No name or OIN in the settings is like that."),
        Text("Kijk onder `[peers]` in node.toml.", "See `[peers]` in node.toml."),
    )


def _no_notice(id: str, name: str) -> NotFound:
    return NotFound(
        "unknown-notice",
        Text(f"{name} heeft geen kennisgeving `{id}` voor u.", f"{name} has no notice `{id}` for you."),
        Text("Zij geldt vandaag niet, of heet anders.", "It does not hold today, or has another name."),
        Text("Kijk met `sluis events interests notices` wat er is.",
             "See with `sluis events interests notices` what there is."),
    )  # fmt: skip


def _unusable(name: str) -> Upstream:
    return Upstream(
        "source-unusable",
        Text(f"{name} gaf geen bruikbaar antwoord.", f"{name} gave no usable answer."),
        Text("Het antwoord heeft niet de afgesproken vorm.", "The answer does not have the agreed form."),
        Text("Probeer het later opnieuw, of meld het daar.", "Try again later, or tell them."),
        peer=name,
        retry=True,
    )

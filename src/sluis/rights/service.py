"""Requests of people, as the rest of the node knows them: made here and sent, received here and answered.

What a person is told was received is durable, here or at the other organisation: a request is kept, with its record, before its
number is shown, and how far it is before that leaves. What must cross is sent until it arrived (`sending`).
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar

import msgspec
from sqlalchemy import Connection

from sluis.crypto import KeyStore
from sluis.kernel import Clock, PeerId, milliseconds, new_span_id
from sluis.ledger import Arrangement, Ledger
from sluis.rights import rules, sql
from sluis.rights.keeping import Keeping
from sluis.rights.model import (
    FOLLOWS,
    About,
    Asked,
    Confirmed,
    Content,
    DataSubject,
    Kind,
    Placed,
    Progress,
    Reached,
    Request,
    Side,
    Signed,
    Stage,
    State,
    request_urn,
)
from sluis.rights.saying import (
    already_there,
    decided_meanwhile,
    no_progress,
    peer_too_fast,
    too_many,
    too_many_open,
    unknown_kind,
    unknown_organisation,
    unknown_request,
)
from sluis.store import Store, migrate

T = TypeVar("T")
Work = Callable[[Connection], object]

A_DAY, AN_HOUR = 20, 1000
"""Requests that one person makes a day; and that are taken an hour from one organisation."""

SHOWN = 25
"""Requests on one page."""

MOST = 1000
"""Requests of one person in a download."""

LOOK_AGAIN = 3600
"""Seconds after which a node asks how far a request is that it passed on; by then it was told, unless that was lost on the way."""

OPEN: tuple[State, ...] = tuple(state for state, after in FOLLOWS.items() if after)


Confirming = Callable[[PeerId, Placed], Awaitable[Confirmed | None]]
"""Makes sure whose a request is that an organisation passed on; None when there is only its word. Raises `Invalid`
(`assertion-of-another`), `Unkept`."""


class Rights:
    """Made by `open_rights`.

    Args:
        store, ledger, keys, clock: of the node.
        names: of every organisation that can be asked, by its Peer ID; this one is among them.
        kept: how long a request is kept after it is finished.
        most_open: requests of one organisation that are not finished.
        confirming: makes sure whose a request is that came in.

    Attributes:
        keeping: the table.
        wake: set when something must be sent.
    """

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        keys: KeyStore,
        clock: Clock,
        names: Mapping[PeerId, str],
        kept: timedelta,
        most_open: int,
        confirming: Confirming,
    ) -> None:
        self.keeping, self.wake = Keeping(keys), asyncio.Event()
        self._store, self._ledger, self._clock, self.names = store, ledger, clock, names
        self._kept, self._most_open, self._confirming = int(kept.total_seconds()), most_open, confirming
        self._hour, self._from = 0, Counter[str]()

    # Where a person makes a request

    async def place(
        self,
        signed: Signed,
        whom: DataSubject,
        organisation: str,
        kind: Kind,
        about: About,
        asked: Asked,
    ) -> Request:
        """Make a request: kept, on record, and sent as soon as may be.

        Args:
            signed: who asks, and how they signed in.
            whom: about whose data: their own, or that of the person or company that they act for.
            organisation: Peer ID of who must answer.
            kind: what is asked.
            about: what it is about.
            asked: in their own words.

        Raises `Invalid` (`unknown-organisation`, `unknown-request-kind`), `Refused` (`requests-pace`), `Unkept`.
        """
        peer = next((one for one in self.names if str.__str__(one) == organisation), None)
        if peer is None:
            raise unknown_organisation()
        if kind not in rules.kinds_of(whom):
            raise unknown_kind()
        person, now = self.keeping.person(whom), self._now()
        content = Content(whom, signed.level, about, asked, signed=signed)
        made = Request(
            rules.new_receipt(), "sent", peer, person, kind, "waiting", now, now, None, now, 0, "", content
        )

        def work(connection: Connection) -> None:
            if self.keeping.count_of_person(connection, person, "sent", now - 86_400) >= A_DAY:
                raise too_many(A_DAY)
            self.keeping.add(connection, made)

        await self._recorded("request.make", signed.acting.person, made, work)
        self.wake.set()
        return made

    async def of_person(self, whom: DataSubject, page: int = 1, most: int = SHOWN) -> list[Request]:
        """The requests that a person made here, newest first; one more than a page tells that there is another."""
        person = self.keeping.person(whom)
        return await self._read(
            lambda at: self.keeping.of_person(at, person, "sent", most + 1, (page - 1) * most)
        )

    async def every(self, whom: DataSubject) -> list[Request]:
        """All that this node keeps of a person: what they asked, and what others asked it for them. At most `MOST` of each."""
        person = self.keeping.person(whom)
        return await self._read(
            lambda at: [
                *self.keeping.of_person(at, person, "sent", MOST),
                *self.keeping.of_person(at, person, "received", MOST),
            ]
        )

    async def told(self, peer: PeerId, progress: Progress) -> None:
        """Take in how far a request is, as the organisation that must answer it tells. The same may come again.

        Raises `NotFound`, `Conflict` (`request-progress`), `Unkept`.
        """
        found = await self._one("sent", peer, progress.receipt)
        progress, now = msgspec.structs.replace(progress, steps=rules.told_in(progress.steps)), self._now()
        if found.content.steps == progress.steps:
            if found.finished:
                return
            await self._store.write(
                lambda connection: self.keeping.again(connection, found, now + LOOK_AGAIN, "")
            )
            return
        if len(progress.steps) < len(found.content.steps) and rules.is_progress(
            progress.steps, found.content.steps
        ):
            return  # it was overtaken on the way
        if not rules.is_progress(found.content.steps, progress.steps):
            raise no_progress()
        over = not FOLLOWS[progress.steps[-1].state]
        later = self._with(found, progress.steps, None if over else now + LOOK_AGAIN)
        await self._recorded("request.progress", str.__str__(peer), later, self._replacing(found, later))

    # Where a request is answered

    async def receive(self, peer: PeerId, placed: Placed) -> Progress:
        """Take in a request of another organisation's person; durable when this returns. The same may come again.

        Raises `Conflict` (`request-exists`), `Invalid` (`unknown-request-kind`, `assertion-of-another`), `Refused` (`requests-pace`,
        `requests-open`), `Unkept`.
        """
        if placed.kind not in rules.kinds_of(placed.whom):
            raise unknown_kind()
        content = Content(placed.whom, placed.level, *rules.written_in(placed.about, placed.asked))
        known = await self._read(lambda at: self.keeping.one(at, "received", peer, placed.receipt))
        if known is None:
            known = await self._take(peer, placed, content)
        elif (
            known.kind != placed.kind
            or msgspec.structs.replace(known.content, steps=(), confirmed=None) != content
        ):
            raise already_there()
        return progress_of(known)

    async def _take(self, peer: PeerId, placed: Placed, content: Content) -> Request:
        self._count(peer)
        now, confirmed = self._now(), await self._confirming(peer, placed)
        whole = msgspec.structs.replace(content, steps=(Stage("received", now),), confirmed=confirmed)
        person = self.keeping.person(placed.whom)
        made = Request(
            placed.receipt, "received", peer, person, placed.kind, "received", now, now, None, None, 0, "", whole
        )  # fmt: skip

        def work(connection: Connection) -> None:
            if self.keeping.one(connection, "received", peer, placed.receipt) is not None:
                raise already_there()  # it came twice at once, and is sent again
            if self.keeping.count_open(connection, peer) >= self._most_open:
                raise too_many_open(self._most_open)
            self.keeping.add(connection, made)

        await self._recorded("request.receive", str.__str__(peer), made, work)
        return made

    async def desk(
        self, kinds: Sequence[Kind], states: Sequence[State], page: int
    ) -> tuple[list[Request], int]:
        """A page of what came in, newest first, and how much there is in all."""
        return await self._read(lambda at: self.keeping.desk(at, kinds, states, SHOWN, (page - 1) * SHOWN))

    async def opened(self, by: str, peer: str, receipt: str, kinds: Sequence[Kind]) -> Request:
        """A request for an official, which is put on record first.

        Args:
            by: pseudonym of the official.
            peer: the organisation where it was made.
            receipt: its number.
            kinds: that they may see.

        Raises `NotFound`, `Unkept`.
        """
        found = await self._one("received", peer, receipt)
        if found.kind not in kinds:
            raise unknown_request()
        await self._ledger.append([self._record("request.read", by, found)])
        return found

    async def decide(
        self, by: str, peer: str, receipt: str, kinds: Sequence[Kind], state: Reached, reason: str
    ) -> Request:
        """Bring a request further, and tell where it was made.

        Args: as `opened`, and
            state: which it comes to.
            reason: why; required for some.

        Raises `NotFound`, `Invalid` (`wrong-step`, `reason-required`, `text-too-long`), `Conflict`, `Unkept`.
        """
        found = await self._one("received", peer, receipt)
        if found.kind not in kinds:
            raise unknown_request()
        why = rules.reason_in(reason)
        rules.check_step(found.state, state, why)
        now = self._now()
        later = self._with(found, (*found.content.steps, Stage(state, now, why)), now)
        await self._recorded("request.decide", by, later, self._replacing(found, later))
        self.wake.set()
        return later

    # Both

    async def tidy(self) -> None:
        """Destroy what was kept long enough; to be called every hour. Raises `Unkept`."""
        now = self._now()
        await self._store.write(lambda connection: self.keeping.sweep(connection, now))

    async def lost(self, request: Request, trouble: str) -> None:
        """A request that was made here cannot be delivered: it ends, and its maker sees that. Raises `Unkept`."""
        now = self._now()
        later = msgspec.structs.replace(
            request,
            state="undeliverable",
            changed=now,
            ends=now + self._kept,
            due=None,
            trouble=trouble[:100],
        )
        await self._recorded("request.lose", request.person, later, self._replacing(request, later))

    def _with(self, request: Request, steps: Sequence[Stage], due: int | None) -> Request:
        """The same request with these steps; when it is finished, it is kept so much longer."""
        now, state = self._now(), steps[-1].state
        return msgspec.structs.replace(
            request,
            state=state,
            changed=now,
            due=due,
            attempts=0,
            trouble="",
            ends=None if FOLLOWS[state] else now + self._kept,
            content=msgspec.structs.replace(request.content, steps=tuple(steps)),
        )

    def _replacing(self, known: Request, later: Request) -> Work:
        """Keep `later` in the place of `known`, if that is still how it is."""

        def work(connection: Connection) -> None:
            there = self.keeping.one(connection, known.side, known.peer, known.receipt)
            if there is None or (there.state, there.content) != (known.state, known.content):
                raise decided_meanwhile()
            self.keeping.keep(connection, later)

        return work

    async def _one(self, side: Side, peer: str, receipt: str) -> Request:
        found = await self._read(lambda at: self.keeping.one(at, side, peer, receipt))
        if found is None:
            raise unknown_request()
        return found

    async def _recorded(self, action: str, actor: str, request: Request, work: Work) -> None:
        await self._ledger.append([self._record(action, actor, request)], along=work)

    def _record(self, action: str, actor: str, request: Request) -> Arrangement:
        return Arrangement(
            self.keeping.trace(request.receipt),
            new_span_id(),
            action,
            actor,
            request_urn(request.receipt),
            milliseconds(self._clock()),
            body={"kind": request.kind, "state": request.state, "organisation": str.__str__(request.peer)},
        )

    def _count(self, peer: PeerId) -> None:
        hour = self._now() // 3600
        if hour != self._hour:
            self._hour, self._from = hour, Counter()
        if self._from[peer] >= AN_HOUR:
            raise peer_too_fast()
        self._from[peer] += 1

    async def _read(self, work: Callable[[Connection], T]) -> T:
        def read() -> T:
            with self._store.read() as connection:
                return work(connection)

        return await asyncio.to_thread(read)

    def _now(self) -> int:
        return int(self._clock().timestamp())


def open_rights(
    store: Store,
    ledger: Ledger,
    keys: KeyStore,
    clock: Clock,
    names: Mapping[PeerId, str],
    kept: timedelta,
    most_open: int,
    confirming: Confirming,
) -> Rights:
    """This room, its table made when it is not there; arguments as `Rights`. Blocks. Raises `Conflict`, `Unkept`."""
    migrate(store, "rights", sql.MIGRATIONS)
    return Rights(store, ledger, keys, clock, names, kept, most_open, confirming)


def progress_of(request: Request) -> Progress:
    """How far a request is, to be told where it was made."""
    return Progress(request.receipt, request.content.steps)


def placed_of(request: Request, assertion: str) -> Placed:
    """A request as it crosses, with what the sign-in provider says of its maker."""
    content = request.content
    return Placed(
        request.receipt, request.kind, content.whom, content.level, request.created, content.about, content.asked, assertion
    )  # fmt: skip

"""The inbox: what another organisation tells this one has its effect once, in order, and is durable before it says so.

A source sends at least once. Here an event is known by `source` and `id` for longer than any source tries; its number in the
subscription says whether an earlier one is missing, for which it then waits until that came or was asked of the source
(`catching`). What comes of it, in one commit: it is known, its place is noted, a line stands in the log, and it waits for this
organisation's own systems in the same queue as what this node publishes itself.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, LargeBinary, bindparam, text

from sluis.crypto import KeyStore, Vault, encode_base64url
from sluis.events.cloudevent import CloudEvent, attributes
from sluis.events.inbox import rules, sql
from sluis.events.inbox.model import KEEP_DAYS, MOST_FOLLOWED, MOST_HELD, Came, Followed
from sluis.events.interests import Known, References, Registrar
from sluis.events.queue import Addition, Outgoing, Queue
from sluis.events.records import SIGNAL, Ground, about
from sluis.events.subscriptions import Subscriptions
from sluis.gateway import Agreed
from sluis.grounds import OfferedNotice, Withhold
from sluis.kernel import Clock, PeerId, Problem, Trace
from sluis.ledger import Ledger, Processing
from sluis.store import Store, migrate

_TOGETHER = 500  # events in one commit
_OFFERS_STAND = 300.0  # seconds

Key = tuple[PeerId, str]


class Origin(msgspec.Struct, frozen=True):
    """This node in its records: its id and name, what a peer is called, and where it is."""

    own: PeerId
    service: str
    name: Callable[[PeerId], str]
    address: Callable[[PeerId], str]


class _Agreed(msgspec.Struct, frozen=True):
    """What the signal of a standing question rests on here: the contract under which the question stands."""

    activity: str
    withhold: Withhold | None = None


class _Item(msgspec.Struct, frozen=True):
    """An event, what it rests on and is called, and whom it is about in this node's own log."""

    came: Came
    digest: bytes
    ground: Ground
    title: str
    known: Known | None


class _Call(msgspec.Struct, frozen=True):
    key: Key
    items: Sequence[_Item]
    through: int | None
    recording: Callable[[], object]
    future: "asyncio.Future[None]"


class _Work(msgspec.Struct):
    """What a commit will write."""

    records: list[Processing] = []
    digests: list[bytes] = []
    stands: dict[Key, Followed] = {}
    steps: list[tuple[Key, dict[int, _Item | None], Sequence[int], Sequence[int]]] = []
    """Of each call: what came by number (None: here before), what is released, and what is held."""


class Inbox:
    """Takes in what others tell. Made by `open_inbox`; one per store, for one event loop.

    Args:
        origin: of the records.
        store: its database.
        ledger: where it is recorded that this organisation was told.
        keys: make digests, and seal what waits.
        registrar: asks sources what they offer.
        references: whom this organisation meant by a reference.
        subscriptions: of this organisation's own systems.
        queue: where it waits for them.
        agreed: the purposes under which this organisation may reach others.
        clock: aware UTC.
    """

    def __init__(
        self, origin: Origin, store: Store, ledger: Ledger, keys: KeyStore, registrar: Registrar, references: References,
        subscriptions: Subscriptions, queue: Queue, agreed: Agreed, clock: Clock,
    ) -> None:  # fmt: skip
        self._origin, self._store, self._ledger, self._keys = origin, store, ledger, keys
        self._registrar, self._references = registrar, references
        self._subscriptions, self._queue, self._agreed, self._clock = subscriptions, queue, agreed, clock
        self._vault = Vault(keys, "inbox-held")
        self._followed: dict[Key, Followed] = {}
        self._offers: dict[PeerId, tuple[float, dict[str, OfferedNotice]]] = {}
        self._waiting: list[_Call] = []
        self._working: asyncio.Task[None] | None = None
        self.gaps = asyncio.Event()
        """Set when something waits for an earlier event."""

    # Taking in

    async def receive(
        self, peer: PeerId, subscription: str, events: Sequence[CloudEvent], recording: Callable[[], object]
    ) -> None:
        """Take in what a peer brings; durable when this returns. What came before does nothing.

        Args:
            peer: who brings it, as its certificate says.
            subscription: of which it is, by its id at the source.
            events: each with its number (`sequence`) and the id of its notice (`notice`).
            recording: to be called with the record of it.

        Raises:
            Invalid: a number is missing.
            Refused: an event is of another organisation, or its notice is not agreed.
            Unkept: it cannot be taken in now; nothing was.
        """
        self._check_room(peer, subscription)
        items = [await self._item(peer, one) for one in rules.numbered(events)]
        await self._settled((peer, subscription), items, None, recording)

    async def take(self, followed: Followed, events: Sequence[CloudEvent], through: int) -> None:
        """Take in what was asked of the source: all that there still is up to `through`. What may not be taken in is passed over,
        so that what comes after it need not wait. Raises `Unkept`, and `Upstream` when the source cannot say what it offers."""
        self._check_room(followed.source, followed.subscription)
        items = []
        for one in events:
            try:
                items += [await self._item(followed.source, came) for came in rules.numbered([one])]
            except Problem as problem:
                if problem.status >= 500:
                    raise
        await self._settled((followed.source, followed.subscription), items, through, lambda: None)

    # Subscriptions at sources

    def followed(self) -> list[Followed]:
        """This organisation's subscriptions at sources, as far as something came of them."""
        return [*self._followed.values()]

    async def forget(self, source: PeerId, subscription: str) -> None:
        """A subscription is not there any more. What still waited for an earlier event goes with it. Raises `Unkept`."""
        row = {"source": str.__str__(source), "subscription": subscription}

        def work(connection: Connection) -> None:
            connection.execute(text(sql.FORGET), row)
            connection.execute(text(sql.FORGET_HELD), row)

        await self._store.write(work)
        self._followed.pop((source, subscription), None)

    async def sweep(self) -> None:
        """Let go of digests that no source will send again. Raises `Unkept`."""
        values = {"before": self._clock().date().toordinal() - KEEP_DAYS}
        await self._store.write(lambda connection: connection.execute(text(sql.SWEEP), values) and None)

    def load(self) -> None:
        """Go on with what is kept. Blocks."""
        with self._store.read() as connection:
            rows = connection.execute(text(sql.ALL)).all()
            held = connection.execute(text(sql.ALL_HELD)).all()
        for row in rows:
            waiting = [
                one.sequence
                for one in held
                if (one.source, one.subscription) == (row.source, row.subscription)
            ]
            source = PeerId(row.source)
            self._followed[source, row.subscription] = Followed(source, row.subscription, row.upto, waiting)

    # One event

    def _check_room(self, peer: PeerId, subscription: str) -> None:
        if not self._subscriptions.has(self._origin.own):
            raise rules.nobody_listens()
        self._queue.check_room()
        self._check_followed((peer, subscription))

    def _check_followed(self, key: Key) -> None:
        if (
            key not in self._followed
            and sum(source == key[0] for source, _ in self._followed) >= MOST_FOLLOWED
        ):
            raise rules.too_many()

    async def _item(self, peer: PeerId, came: Came) -> _Item:
        event = came.event
        rules.check_source(event, peer)
        id = str(event.extensions.get("notice", ""))
        ground, title = (
            self._signalled(peer, id, event) if event.type == SIGNAL else await self._told(peer, id)
        )
        known = None
        if event.subject is not None:
            known = await asyncio.to_thread(self._references.find, peer, id, event.subject)
        digest = self._keys.mac("inbox", f"{event.source}\n{event.id}".encode())
        return _Item(came, digest, ground, title, known)

    def _signalled(self, peer: PeerId, id: str, event: CloudEvent) -> tuple[Ground, str]:
        """What a signal rests on: a contract that names the disclosure. It holds no data. Raises `Refused`."""
        for one in self._agreed.purposes(peer):
            if event.data is None and id in {bound.id for bound in one.disclosures}:
                return _Agreed(one.activity), "antwoord gewijzigd"
        raise rules.not_agreed()

    async def _told(self, peer: PeerId, id: str) -> tuple[Ground, str]:
        """What an event rests on: the notice, and a contract that covers it. Raises `Refused`, `Upstream`."""
        offered = await self._offered(peer, id)
        if offered is None or not self._may(peer, offered):
            raise rules.not_agreed()
        return offered.notice, offered.title.nl

    def _may(self, peer: PeerId, offered: OfferedNotice) -> bool:
        notice = offered.notice
        return any(
            one.tells(notice.activity, notice.id, offered.digest) for one in self._agreed.purposes(peer)
        )

    async def _offered(self, peer: PeerId, id: str) -> OfferedNotice | None:
        now = asyncio.get_running_loop().time()
        until, offers = self._offers.get(peer, (0.0, {}))
        found = offers.get(id)
        if now >= until or found is None or not self._may(peer, found):
            offers = {one.notice.id: one for one in await self._registrar.offered_by(peer)}
            self._offers[peer] = (now + _OFFERS_STAND, offers)
        return offers.get(id)

    # One commit

    async def _settled(
        self, key: Key, items: Sequence[_Item], through: int | None, recording: Callable[[], object]
    ) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(_Call(key, items, through, recording, future))
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        await future

    async def _work(self) -> None:
        """Take in what waits, as many calls together as may be, one commit after the other."""
        try:
            while self._waiting:
                taken, number = [self._waiting.pop(0)], 0
                while self._waiting and (number := number + len(taken[-1].items)) < _TOGETHER:
                    taken.append(self._waiting.pop(0))
                await self._settle(taken)
        finally:
            self._working = None

    async def _settle(self, calls: Sequence[_Call]) -> None:
        try:
            await self._commit(calls)
        except Exception as problem:
            if len(calls) > 1 and isinstance(problem, Problem):  # each for itself
                for call in calls:
                    await self._settle([call])
                return
            for call in calls:
                if not call.future.done():
                    call.future.set_exception(problem)
            return
        for call in calls:
            if not call.future.done():
                call.future.set_result(None)

    async def _commit(self, calls: Sequence[_Call]) -> None:
        seen = await asyncio.to_thread(self._seen, [item.digest for call in calls for item in call.items])
        work, now = _Work([], [], {}, []), self._clock()
        for call in calls:
            self._plan(work, call, seen)
        if not work.steps:
            return
        recorded = self._ledger.append(
            work.records, lambda connection: self._write(connection, work, now.date().toordinal())
        )
        for call in calls:
            call.recording()
        await recorded
        self._followed.update(work.stands)
        if any(one.held for one in work.stands.values()):
            self.gaps.set()

    def _plan(self, work: _Work, call: _Call, seen: set[bytes]) -> None:
        """Add to the work what follows from one call."""
        before = work.stands.get(call.key) or self._followed.get(call.key) or Followed(*call.key)
        came = dict[int, _Item | None]()
        for item in call.items:
            number = item.came.sequence
            if item.digest not in seen:
                seen.add(item.digest)
                came[number] = item
                work.digests.append(item.digest)
                work.records.append(self._line(call.key[0], item))
            elif number > before.upto and number not in before.held:
                came.setdefault(number, None)
        plan = rules.arrange(before.upto, before.held, came, call.through)
        gone = set(plan.release)
        held = [*(number for number in before.held if number not in gone), *plan.hold]
        if len(held) > MOST_HELD:
            raise rules.too_many()
        if came or plan.upto != before.upto or call.key not in self._followed:
            work.stands[call.key] = Followed(*call.key, plan.upto, sorted(held))
            work.steps.append((call.key, came, plan.release, plan.hold))

    def _line(self, peer: PeerId, item: _Item) -> Processing:
        origin, event = self._origin, item.came.event
        came = Trace.parse(str(event.extensions.get("traceparent", ""))) or Trace.begin()
        return about(
            f"Kennisgeving ontvangen van {origin.name(peer)}: {item.title}", item.ground, came, self._clock(),
            service=origin.service, processor=origin.address(peer),
            subject=None if item.known is None else (item.known.kind, item.known.pseudonym),
            more={"sluis.event": {"type": event.type, "notice": str(event.extensions.get("notice", ""))}},
        )  # fmt: skip

    def _seen(self, digests: Sequence[bytes]) -> set[bytes]:
        if not digests:
            return set()
        with self._store.read() as connection:
            rows = connection.execute(_listed(sql.SEEN, "digests", LargeBinary), {"digests": [*digests]})
            return {bytes(row.digest) for row in rows}

    # On the writer's thread, in a savepoint

    def _write(self, connection: Connection, work: _Work, day: int) -> None:
        if work.digests:
            connection.execute(text(sql.SEE), [{"digest": one, "day": day} for one in work.digests])
        additions = list[Addition]()
        for key, came, release, hold in work.steps:
            additions += self._released(connection, key, came, release)
            self._hold(connection, key, came, hold)
        for key, one in work.stands.items():
            connection.execute(text(sql.STAND), _row(key) | {"upto": one.upto})
        if additions:
            self._queue.add(connection, additions)

    def _hold(
        self, connection: Connection, key: Key, came: Mapping[int, _Item | None], hold: Iterable[int]
    ) -> None:
        rows = []
        for number in hold:
            item = came[number]
            content = item and self._vault.seal(msgspec.msgpack.encode(item.came.event), _place(key, number))
            rows.append(_row(key) | {"sequence": number, "content": content})
        if rows:
            connection.execute(text(sql.HOLD), rows)

    def _released(
        self, connection: Connection, key: Key, came: Mapping[int, _Item | None], release: Sequence[int]
    ) -> list[Addition]:
        earlier = [number for number in release if number not in came]
        events: dict[int, CloudEvent | None] = {
            number: None if item is None else item.came.event for number, item in came.items()
        }
        if earlier:
            values = _row(key) | {"sequences": earlier}
            for row in connection.execute(_listed(sql.HELD, "sequences", BigInteger), values).all():
                events[row.sequence] = row.content and CloudEvent(
                    **msgspec.msgpack.decode(self._vault.open(bytes(row.content), _place(key, row.sequence)))
                )
            connection.execute(_listed(sql.RELEASE, "sequences", BigInteger), values)
        found = (events.get(number) for number in release)
        return [self._onward(one) for one in found if one is not None]

    def _onward(self, event: CloudEvent) -> Addition:
        """An event, and the own subscriptions that want it."""
        wanted = self._subscriptions.matching(self._origin.own, attributes(event))
        trace = Trace.parse(str(event.extensions.get("traceparent", ""))) or Trace.begin()
        stream = ""
        if event.subject is not None:
            stream = encode_base64url(
                self._keys.mac("inbox-stream", f"{event.source}\n{event.subject}".encode())
            )
        extensions = {name: value for name, value in event.extensions.items() if name not in _OURS}
        kept = msgspec.structs.replace(event, subject=None, extensions=extensions)
        notice = str(event.extensions.get("notice", ""))
        return kept, [Outgoing(one.id, stream, event.subject, notice, trace.trace_id) for one in wanted]


_OURS = frozenset({"sequence", "sequencetype", "traceparent"})
"""Of the way between two nodes; an own system gets its own."""


def open_inbox(
    origin: Origin, store: Store, ledger: Ledger, keys: KeyStore, registrar: Registrar, references: References,
    subscriptions: Subscriptions, queue: Queue, agreed: Agreed, clock: Clock,
) -> Inbox:  # fmt: skip
    """The inbox of a store, its tables made when they are not there; arguments as `Inbox`. Blocks. Raises as `migrate`."""
    migrate(store, "inbox", sql.MIGRATIONS)
    made = Inbox(origin, store, ledger, keys, registrar, references, subscriptions, queue, agreed, clock)
    made.load()
    return made


def _row(key: Key) -> dict[str, Any]:
    return {"source": str.__str__(key[0]), "subscription": key[1]}


def _place(key: Key, number: int) -> str:
    return f"{key[0]!s}/{key[1]}/{number}"


def _listed(statement: str, name: str, kind: Any) -> Any:
    return text(statement).bindparams(bindparam(name, expanding=True, type_=kind))

"""The inbox: what another organisation tells this one has its effect once, in order, and is durable before it says so.

A source sends at least once. Here an event is known by `source` and `id` for longer than any source tries; its number in the
subscription says whether an earlier one is missing, for which it then waits until that came or was asked of the source
(`catching`). What comes of it, in one commit: it is known, its place is noted, a line stands in the log, and it waits for this
organisation's own systems in the same queue as what this node publishes itself.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

import msgspec
from sqlalchemy import Connection, text

from sluis.crypto import KeyStore
from sluis.events.cloudevent import CloudEvent
from sluis.events.inbox import rules, sql
from sluis.events.inbox.admission import Admission
from sluis.events.inbox.model import KEEP_DAYS, MOST_FOLLOWED, MOST_HELD, Followed, Item, Key, Step
from sluis.events.inbox.writing import Writing, row_of, seen
from sluis.events.interests import Known, Meant, References, Registrar
from sluis.events.queue import Queue
from sluis.events.records import about
from sluis.events.subscriptions import Subscriptions
from sluis.gateway import Agreed
from sluis.kernel import Clock, PeerId, Problem, Trace
from sluis.ledger import Ledger, Processing
from sluis.store import Store, migrate

_TOGETHER = 500  # events in one commit


class Origin(msgspec.Struct, frozen=True):
    """This node in its records: its id and name, what a peer is called, and where it is."""

    own: PeerId
    service: str
    name: Callable[[PeerId], str]
    address: Callable[[PeerId], str]


class _Call(msgspec.Struct, frozen=True, eq=False):
    key: Key
    items: Sequence[Item]
    through: int | None
    recording: Callable[[], object]
    future: "asyncio.Future[None]"


class _Work(msgspec.Struct):
    """What a commit will write; and the calls of which not everything could be taken in."""

    seen: set[bytes]
    items: list[tuple[PeerId, Item]] = []
    stands: dict[Key, Followed] = {}
    steps: list[Step] = []
    put_off: list[_Call] = []


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
        self._origin, self._store, self._ledger, self._clock = origin, store, ledger, clock
        self._references, self._subscriptions, self._queue = references, subscriptions, queue
        self._admission = Admission(keys, registrar, agreed)
        self._writing = Writing(origin.own, keys, subscriptions, queue)
        self._followed: dict[Key, Followed] = {}
        self._waiting: list[_Call] = []
        self._working: asyncio.Task[None] | None = None
        self.full: set[Key] = set()
        """Subscriptions of which something was put off, for whoever reads it at the source to take out."""
        self.delivered: set[Key] = set()
        """Subscriptions of which the source delivered something, for whoever waits for that to take out."""
        self.news = asyncio.Event()
        """Set when there is something to read at a source: a subscription is new, or an earlier event is missing."""

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
            PutOff: some of it would have to wait for an earlier event, and there is no room; the rest is taken in.
            Unkept: it cannot be taken in now; nothing was.
        """
        if not events:
            return  # nothing that a contract covers says that this subscription is there
        key, came = (peer, subscription), rules.all_numbered(events)
        self._check_room(key)
        if rules.is_full(self._stand(key), [one.sequence for one in came], MOST_HELD):
            self._is_full(key)
            raise rules.PutOff
        await self._settled(key, await self._admission.items(peer, came), None, recording)
        self.delivered.add(key)

    async def take(self, key: Key, events: Sequence[CloudEvent], through: int) -> None:
        """Take in what was asked of the source: all that there still is up to `through`. What may not be taken in is passed over,
        so that what comes after it need not wait. Raises `Unkept`, and `Upstream` when the source cannot say what it offers."""
        self._check_room(key)
        items = await self._admission.allowed(key[0], rules.numbered(events))
        await self._settled(key, items, through, lambda: None)

    # Subscriptions at sources

    def followed(self) -> list[Followed]:
        """This organisation's subscriptions at sources, as far as they were taken here or something came of them."""
        return [*self._followed.values()]

    def stand(self, key: Key) -> Followed | None:
        """How one of them stands; None when it is not there any more."""
        return self._followed.get(key)

    async def follow(self, source: PeerId, subscription: str) -> None:
        """A subscription was taken at a source: from now on what comes of it is also read there. Raises `Unkept`."""
        one = Followed(source, subscription)

        def work(connection: Connection) -> None:
            connection.execute(text(sql.FOLLOW), row_of(one.key) | {"upto": one.upto})

        await self._store.write(work)
        self._followed.setdefault(one.key, one)
        self.news.set()

    async def forget(self, source: PeerId, subscription: str) -> None:
        """A subscription is not there any more. What still waited for an earlier event goes on first: that one does not come any
        more, and what came was acknowledged. Raises `Unkept`."""
        key = (source, subscription)
        held = self._stand(key).held
        if held:
            self._check_room(key)
            await self._settled(key, [], max(held), lambda: None)

        def work(connection: Connection) -> None:
            connection.execute(text(sql.FORGET), row_of(key))
            connection.execute(text(sql.FORGET_HELD), row_of(key))

        await self._store.write(work)
        self._followed.pop(key, None)
        self.full.discard(key)
        self.delivered.discard(key)

    async def sweep(self) -> None:
        """Let go of digests that no source will send again. Raises `Unkept`."""
        values = {"before": self._clock().date().toordinal() - KEEP_DAYS}
        await self._store.write(lambda connection: connection.execute(text(sql.SWEEP), values) and None)

    def load(self) -> None:
        """Go on with what is kept. Blocks."""
        held = dict[Key, set[int]]()
        with self._store.read() as connection:
            rows = connection.execute(text(sql.ALL)).all()
            for one in connection.execute(text(sql.ALL_HELD)):
                held.setdefault((PeerId(one.source), one.subscription), set()).add(one.sequence)
        for row in rows:
            key = (PeerId(row.source), row.subscription)
            self._followed[key] = Followed(*key, row.upto, frozenset(held.get(key, ())))

    # Room

    def _check_room(self, key: Key) -> None:
        if not self._subscriptions.has(self._origin.own):
            raise rules.nobody_listens()
        self._queue.check_room()
        others = sum(source == key[0] for source, _ in self._followed)
        if key not in self._followed and others >= MOST_FOLLOWED:
            raise rules.too_many()

    def _stand(self, key: Key) -> Followed:
        return self._followed.get(key) or Followed(*key)

    def _is_full(self, key: Key) -> None:
        self.full.add(key)
        self.news.set()

    # One commit

    async def _settled(
        self, key: Key, items: Sequence[Item], through: int | None, recording: Callable[[], object]
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
            put_off = await self._commit(calls)
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
            if call.future.done():
                continue
            if call in put_off and call.through is None:
                call.future.set_exception(rules.PutOff())
            else:
                call.future.set_result(None)

    async def _commit(self, calls: Sequence[_Call]) -> Sequence[_Call]:
        """Take in what may be; gives the calls of which not everything could."""
        here, known = await asyncio.to_thread(
            self._looked_up, [item for call in calls for item in call.items]
        )
        work, now = _Work(here), self._clock()
        for call in calls:
            self._plan(work, call)
        if work.steps:
            lines = [self._line(peer, item, known) for peer, item in work.items]
            digests, day = [item.digest for _, item in work.items], now.date().toordinal()
            recorded = self._ledger.append(
                lines,
                lambda connection: self._writing.write(
                    connection, digests, day, work.steps, work.stands.values()
                ),
            )
            for call in calls:
                call.recording()
            await recorded
            if any(one.held or key not in self._followed for key, one in work.stands.items()):
                self.news.set()
            self._followed.update(work.stands)
        for call in work.put_off:
            self._is_full(call.key)
        return work.put_off

    def _plan(self, work: _Work, call: _Call) -> None:
        """Add to the work what follows from one call."""
        before = work.stands.get(call.key) or self._stand(call.key)
        came, known = dict[int, Item | None](), {*work.seen}
        for item in call.items:
            number = item.came.sequence
            if item.digest not in known:
                known.add(item.digest)
                came[number] = item
            elif number > before.upto and number not in before.held:
                came.setdefault(number, None)
        plan = rules.arrange(before.upto, before.held, came, MOST_HELD, call.through)
        if plan.put_off:
            work.put_off.append(call)
        taken = {number: came[number] for number in (*plan.release, *plan.hold) if number in came}
        if not taken and plan.upto == before.upto and call.key in self._followed:
            return
        for item in filter(None, taken.values()):
            work.seen.add(item.digest)
            work.items.append((call.key[0], item))
        held = (frozenset(before.held) - frozenset(plan.release)) | frozenset(plan.hold)
        work.stands[call.key] = Followed(*call.key, plan.upto, held)
        work.steps.append(Step(call.key, taken, plan.release, plan.hold))

    def _line(self, peer: PeerId, item: Item, known: Mapping[Meant, Known]) -> Processing:
        origin, event = self._origin, item.came.event
        came = Trace.parse(str(event.extensions.get("traceparent", ""))) or Trace.begin()
        who = known.get(item.meant) if item.meant else None
        return about(
            f"Kennisgeving ontvangen van {origin.name(peer)}: {item.title}", item.ground, came, self._clock(),
            service=origin.service, processor=origin.address(peer),
            subject=None if who is None else (who.kind, who.pseudonym),
            more={"sluis.event": {"type": event.type, "notice": str(event.extensions.get("notice", ""))}},
        )  # fmt: skip

    def _looked_up(self, items: Iterable[Item]) -> tuple[set[bytes], dict[Meant, Known]]:
        """Which of these came before, and whom the others are about."""
        some = {item.digest: item for item in items}
        with self._store.read() as connection:
            here = seen(connection, some.values())
            meant = {one.meant for digest, one in some.items() if digest not in here and one.meant}
            return here, self._references.find(connection, meant)


def open_inbox(
    origin: Origin, store: Store, ledger: Ledger, keys: KeyStore, registrar: Registrar, references: References,
    subscriptions: Subscriptions, queue: Queue, agreed: Agreed, clock: Clock,
) -> Inbox:  # fmt: skip
    """The inbox of a store, its tables made when they are not there; arguments as `Inbox`. Blocks. Raises as `migrate`."""
    migrate(store, "inbox", sql.MIGRATIONS)
    made = Inbox(origin, store, ledger, keys, registrar, references, subscriptions, queue, agreed, clock)
    made.load()
    return made

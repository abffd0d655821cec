"""Publishing: from what happened to who is told, all in one commit.

Matching is done beforehand, from what is committed: a recipient hears when its interest was acknowledged before. The
fact itself, the lines about who was told, the deliveries and the counts then stand or fall together, and only after that
commit can anything leave. Who publishes meanwhile waits, and goes together with the others in the next.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, text

from sluis.crypto import KeyStore, canonical, encode_base64url
from sluis.events.cloudevent import CloudEvent, attributes, check_fits
from sluis.events.interests import Interests, Whom
from sluis.events.notices import Notices, Told, Verdict
from sluis.events.publishing import rules, sql
from sluis.events.publishing.model import (
    TOLD,
    Counted,
    Deliveries,
    Hearer,
    Occurrence,
    Published,
    Subscriptions,
)
from sluis.events.queue import Outgoing
from sluis.events.records import TOLD_OF, about
from sluis.grounds import EventType, Notice, attributes_of
from sluis.kernel import Clock, PeerId, Trace, Unkept, plain
from sluis.ledger import Ledger, Processing
from sluis.store import Store, insert_values, migrate

_CONTENT = "event-content"
_TOGETHER = 256  # occurrences in one commit
_COUNTS_DAYS = 366

Fact = Callable[[Connection], object]
"""A change of another room, of which an occurrence tells: made in the same transaction."""


class Settings(msgspec.Struct, frozen=True):
    """Of the node that publishes: its id, its name in questions and records, and whether it is a test node."""

    own: PeerId
    alias: str
    test: bool


class _Item(msgspec.Struct, frozen=True):
    """An occurrence that is in order, and what follows from it alone."""

    occurrence: Occurrence
    event: EventType
    source: str
    content: bytes
    whom: bytes | None

    @property
    def key(self) -> tuple[str, str]:
        return self.source, self.occurrence.id


class _Call(msgspec.Struct, frozen=True):
    """What came together, the change that it tells of, and who waits for the outcome."""

    items: list[_Item]
    fact: Fact | None
    future: "asyncio.Future[list[Published]]"


class _Plan(msgspec.Struct):
    """What a commit will write."""

    records: list[Processing]
    additions: list[tuple[CloudEvent, list[Outgoing]]]
    rows: list[Any]
    counts: Counter[tuple[str, str]]
    heard: list[Occurrence]

    def publish(self, item: _Item, told: int, withheld: Mapping[str, int], now: datetime) -> None:
        """That it happened, how many recipients are told, and by which rules others are not."""
        self.counts.update({(item.occurrence.type, rule): count for rule, count in withheld.items()})
        self.counts[item.occurrence.type, TOLD] += told
        last = (now + timedelta(days=item.event.keep_days)).date().toordinal()
        self.rows += [item.source, item.occurrence.id, item.content, last]
        self.heard.append(item.occurrence)


class Publisher:
    """Publishes what happens at this node. Made by `open_publisher`; for one event loop.

    Args:
        settings: of the node.
        store: its database.
        ledger: where it is recorded who was told.
        keys: know an occurrence again without keeping it.
        notices: who needs to know of what.
        interests: of whom.
        subscriptions: and wants to hear.
        queue: where deliveries wait.
        address: where a peer is, for the log.
        clock: aware UTC.

    Attributes:
        hearers: rooms of this node that hear of every occurrence.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        ledger: Ledger,
        keys: KeyStore,
        notices: Notices,
        interests: Interests,
        subscriptions: Subscriptions,
        queue: Deliveries,
        address: Callable[[PeerId], str],
        clock: Clock,
    ) -> None:
        self._settings, self._store, self._ledger, self._keys = settings, store, ledger, keys
        self._notices, self._interests, self._subscriptions = notices, interests, subscriptions
        self._queue, self._address, self._clock = queue, address, clock
        self.hearers: list[Hearer] = []
        self._waiting: list[_Call] = []
        self._working: asyncio.Task[None] | None = None

    async def publish(self, occurrences: Sequence[Occurrence], fact: Fact | None = None) -> list[Published]:
        """Publish what happened; durable, with all that follows from it, when this returns.

        Args:
            occurrences: in their order. One that was published before does nothing.
            fact: the change that they tell of; what it raises comes back here, and nothing is published.

        Raises:
            NotFound: an unknown type.
            Invalid: one of them is not what its type says.
            Conflict: one has the id of another.
            Unkept: nothing was published.
        """
        future = asyncio.get_running_loop().create_future()
        self._waiting.append(_Call([self._item(one) for one in occurrences], fact, future))
        if self._working is None:
            self._working = asyncio.create_task(self._work())
        found: list[Published] = await future
        return found

    def counts(self, since: date) -> list[Counted]:
        """How often each rule decided, newest day first. Blocks."""
        with self._store.read() as connection:
            rows = connection.execute(text(sql.COUNTS), {"since": since.toordinal()}).all()
        return [Counted(date.fromordinal(day).isoformat(), *rest) for day, *rest in rows]

    async def sweep(self) -> None:
        """Let go of what is too old to be published again, and of old counts. Raises `Unkept`."""
        today = self._clock().date().toordinal()

        def work(connection: Connection) -> None:
            connection.execute(text(sql.SWEEP), {"today": today})
            connection.execute(text(sql.SWEEP_COUNTS), {"since": today - _COUNTS_DAYS})

        await self._store.write(work)

    def _item(self, one: Occurrence) -> _Item:
        event = self._notices.events.get(one.type)
        if event is None:
            raise rules.unknown_type(one.type)
        rules.check(one, event, self._settings.test)
        settings = self._settings
        source = f"urn:nld:oin:{settings.own!s}:systeem:{event.system or settings.alias}"
        said = plain(one)
        del said["trace_id"]
        content = self._keys.mac(_CONTENT, canonical(said))
        whom = None if one.about is None else self._interests.digest(one.about)
        return _Item(one, event, source, content, whom)

    async def _work(self) -> None:
        """Publish what waits, as many calls together as may be."""
        try:
            while self._waiting:
                await self._settle(self._next())
        finally:
            self._working = None

    def _next(self) -> list[_Call]:
        """The calls that go together: one that brings a change goes alone, so that it fails alone."""
        taken, number = [self._waiting.pop(0)], 0
        while self._waiting and taken[-1].fact is None and self._waiting[0].fact is None:
            number += len(taken[-1].items)
            if number >= _TOGETHER:
                break
            taken.append(self._waiting.pop(0))
        return taken

    async def _settle(self, calls: list[_Call]) -> None:
        try:
            outcomes = await self._published([item for call in calls for item in call.items], calls[0].fact)
        except Exception as problem:
            if len(calls) > 1 and not isinstance(problem, Unkept):  # one of them is wrong: each for itself
                for call in calls:
                    await self._settle([call])
                return
            for call in calls:
                if not call.future.done():
                    call.future.set_exception(problem)
            return
        for call in calls:
            if not call.future.done():
                call.future.set_result([outcomes[item.key] for item in call.items])

    async def _published(self, items: Sequence[_Item], fact: Fact | None) -> dict[tuple[str, str], Published]:
        self._queue.check_room()
        new, outcomes = self._new_of(items, await asyncio.to_thread(self._known, items))
        if not new and fact is None:
            return outcomes
        notices = {item.event.type: self._notices.of_event(item.event.type) for item in new}
        verdicts = await self._notices.verdicts([one for found in notices.values() for one in found])
        asked = {
            item.whom
            for item in new
            if item.whom is not None and any(one.notice.interest for one in notices[item.event.type])
        }
        relations = await asyncio.to_thread(self._interests.relevant, asked) if asked else {}
        plan, now = _Plan([], [], [], Counter(), []), self._clock()
        for item in new:
            outcomes[item.key] = self._plan(plan, item, notices[item.event.type], verdicts, relations, now)
        await self._ledger.append(plan.records, lambda connection: self._write(connection, plan, fact, now))
        return outcomes

    def _plan(
        self,
        plan: _Plan,
        item: _Item,
        notices: Sequence[Told],
        verdicts: Mapping[str, Verdict],
        relations: Mapping[tuple[str, bytes], str],
        now: datetime,
    ) -> Published:
        """Add to the plan what follows from one occurrence."""
        one, whom = item.occurrence, item.whom
        facts = attributes_of(one.facts)
        tells, withheld = rules.match(
            facts, notices, verdicts, lambda id: None if whom is None else relations.get((id, whom))
        )
        trace = Trace.begin() if one.trace_id is None else Trace(one.trace_id, Trace.begin().span_id)
        told, reached = 0, set[str]()
        made = dict[tuple[str, ...], tuple[CloudEvent, list[Outgoing]]]()
        stream = "" if whom is None else encode_base64url(whom)
        pseudonym = None if one.about is None else self._pseudonym(one.about, now)
        for tell in tells:
            notice = tell.told.notice
            names = tuple(sorted(name for name in notice.data if one.data.get(name) is not None))
            if names not in made:
                made[names] = (_event(item, names, now), [])
            event, outgoing = made[names]
            named = {} if tell.reference is None else {"subject": tell.reference}
            matching = self._subscriptions.matching(notice.recipient, attributes(event) | named)
            chosen = [each.id for each in matching if each.id not in reached]
            if not chosen:
                withheld[self._why_none(notice.recipient, bool(matching))] += 1
                continue
            reached.update(chosen)
            outgoing += [Outgoing(id, stream, tell.reference, notice.id, trace.trace_id) for id in chosen]
            told += 1
            plan.records.append(self._line(item, notice, trace, pseudonym, now))
        plan.additions += [(event, outgoing) for event, outgoing in made.values() if outgoing]
        plan.publish(item, told, withheld, now)
        return Published(one.id, told=told, withheld=dict(withheld))

    def _line(
        self, item: _Item, notice: Notice, trace: Trace, subject: tuple[str, str] | None, now: datetime
    ) -> Processing:
        """That this recipient is told."""
        return about(
            f"Kennisgeving: {item.event.title.nl}", notice, trace, now, service=self._settings.alias,
            processor=self._address(notice.recipient), subject=subject,
            more={TOLD_OF: {"type": item.occurrence.type, "notice": notice.id}},
        )  # fmt: skip

    def _why_none(self, recipient: PeerId, heard: bool) -> str:
        if heard:
            return "told-already"
        return "filtered" if self._subscriptions.has(recipient) else "no-subscription"

    def _pseudonym(self, whom: Whom, now: datetime) -> tuple[str, str]:
        return whom.kind, self._ledger.subject(whom.kind, whom.value, now)

    def _write(self, connection: Connection, plan: _Plan, fact: Fact | None, now: datetime) -> None:
        """On the writer's thread, in a savepoint."""
        if fact is not None:
            fact(connection)
        for one in plan.heard:
            for hear in self.hearers:
                hear(connection, one)
        if plan.additions:
            self._queue.add(connection, plan.additions)
        if plan.rows:
            insert_values(connection, "events_published", sql.COLUMNS, plan.rows)
        day = now.date().toordinal()
        counted = [
            {"day": day, "type": type, "rule": rule, "count": count}
            for (type, rule), count in plan.counts.items()
            if count
        ]
        if counted:
            connection.execute(text(sql.COUNT), counted)

    def _known(self, items: Sequence[_Item]) -> dict[tuple[str, str], bytes]:
        values = {"ids": [item.occurrence.id for item in items]}
        statement = text(sql.KNOWN).bindparams(bindparam("ids", expanding=True))
        with self._store.read() as connection:
            rows = connection.execute(statement, values).all()
        return {(row.source, row.id): bytes(row.digest) for row in rows}

    @staticmethod
    def _new_of(
        items: Sequence[_Item], known: Mapping[tuple[str, str], bytes]
    ) -> tuple[list[_Item], dict[tuple[str, str], Published]]:
        """Those that were not published before, and what became of the others. Raises `Conflict`."""
        new, outcomes = dict[tuple[str, str], _Item](), dict[tuple[str, str], Published]()
        for item in items:
            before = known.get(item.key)
            if before is not None:
                outcomes[item.key] = Published(item.occurrence.id, repeated=True)
            first = new.setdefault(item.key, item) if before is None else item
            if (first.content if before is None else before) != item.content:
                raise rules.other_content()
        return [*new.values()], outcomes


def open_publisher(
    settings: Settings,
    store: Store,
    ledger: Ledger,
    keys: KeyStore,
    notices: Notices,
    interests: Interests,
    subscriptions: Subscriptions,
    queue: Deliveries,
    address: Callable[[PeerId], str],
    clock: Clock,
) -> Publisher:
    """A publisher over a database; arguments as `Publisher`. Blocks. Raises `Conflict`, `Unkept`."""
    migrate(store, "publishing", sql.MIGRATIONS)
    return Publisher(settings, store, ledger, keys, notices, interests, subscriptions, queue, address, clock)


def _event(item: _Item, names: tuple[str, ...], now: datetime) -> CloudEvent:
    """The event as a recipient gets it that may have this data; whom it is about, each recipient calls its own way. Raises
    `Invalid` when it is too large."""
    one = item.occurrence
    dataref = one.dataref or (item.event.dataref and item.event.dataref.replace("{id}", one.id))
    data = msgspec.json.encode({name: one.data[name] for name in names}) if names else None
    event = CloudEvent(
        id=one.id,
        source=item.source,
        type=one.type,
        time=(one.time or now).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        datacontenttype="application/json" if data is not None else None,
        extensions={"dataref": dataref} if dataref else {},
        data=data,
    )
    if data is not None:
        check_fits(event)
    return event

"""Deliveries, kept in the transaction of the fact they tell of, until somebody has them.

At least once, whatever happens to this process: what was delivered and not yet noted goes again, with the same id and
number. Nothing here sends: who sends reads what waits for a subscription, and notes what came of it. One reader at a time
takes from a subscription; the queue leaves to it which may go before which.
"""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import msgspec
from sqlalchemy import Connection, Text, text

from sluis.crypto import KeyStore
from sluis.events.cloudevent import CloudEvent
from sluis.events.queue import rows, sql
from sluis.events.queue.contents import Contents
from sluis.events.queue.faults import busy
from sluis.events.queue.model import (
    DEAD,
    DELIVERED,
    Addition,
    Course,
    DeadLetter,
    Delivery,
    Found,
    Listener,
    News,
    Outcome,
    Place,
    Seen,
    Standing,
    Wanted,
)
from sluis.kernel import Clock, milliseconds
from sluis.store import Commit, Store, check_migrated, migrate

MOST_WAITING = 1_000_000
"""Deliveries that may wait at a node before nothing more is published."""

_AT_ONCE = 5000  # rows of one act of looking after the tables: other writers are waiting


class _Noted(msgspec.Struct, frozen=True):
    outcomes: Sequence[Outcome]
    places: Mapping[str, Place]


class Queue:
    """The deliveries of a store. Made by `open_queue`, or `join_queue` in a process that only sends. It takes part in the group commits itself (`store.Lane`),
    so that it hears when something is durable.

    Args:
        store: where they are kept.
        keys: seal what an event carries, and the recipients' handles.
        clock: aware UTC.
        most: deliveries that may wait here.
    """

    def __init__(self, store: Store, keys: KeyStore, clock: Clock, most: int = MOST_WAITING) -> None:
        self._store, self._clock, self._most = store, clock, most
        self._contents = Contents(keys)
        self._listeners: list[tuple[asyncio.AbstractEventLoop, Listener]] = []
        # What follows belongs to who writes, one thread at a time; others may look at how many wait.
        self._waiting = self._number = 0
        self._new: set[str] = set()
        self._again: dict[str, Place] = {}

    # Adding

    def check_room(self) -> None:
        """To be called before something is published. Raises `Unkept` (`events-busy`) when too much waits at this node."""
        if self._waiting >= self._most:
            raise busy()

    def add(self, connection: Connection, additions: Sequence[Addition]) -> list[int]:
        """Keep events and their deliveries, in the transaction of the fact they tell of, or in a savepoint of it. Those who
        send are woken after the commit.

        Args:
            connection: of that transaction, on the writer's thread.
            additions: events, each with everyone who is to be told.

        Returns:
            The number of each event at this node.
        """
        numbers = [self._next_number() for _ in additions]
        now = milliseconds(self._clock())
        kept = [
            (number, *self._contents.packed(number, event), len(outgoing))
            for number, (event, outgoing) in zip(numbers, additions, strict=True)
        ]
        told = [
            (
                one.subscription,
                number,
                one.stream,
                self._contents.sealed(one, number),
                one.notice,
                one.trace_id,
            )
            for number, (_, outgoing) in zip(numbers, additions, strict=True)
            for one in outgoing
        ]
        rows.add(connection, kept, told, now)
        for number, (event, _) in zip(numbers, additions, strict=True):
            self._contents.remember(number, event)
        self._new.update(one[0] for one in told)
        self._waiting += len(told)
        return numbers

    def _next_number(self) -> int:
        # Of the clock, so that no number is given twice, also when all that was kept is gone and the node starts again.
        self._number = max(self._number + 1, time.time_ns() // 1000)
        return self._number

    # What the store calls, from one thread at a time

    def load(self, connection: Connection) -> None:
        """Begin anew: what was not committed is not there."""
        self._new, self._again = set(), {}
        self._count(connection)
        self._number = max(self._number, connection.execute(text(sql.NEWEST)).scalar_one())

    def _count(self, connection: Connection) -> None:
        self._waiting = int(connection.execute(text(sql.ALL_WAITING)).scalar_one())

    def prepare(self, payloads: Sequence[_Noted]) -> Sequence[_Noted]:
        """Nothing has to be prepared."""
        return payloads

    def is_brief(self, batch: Sequence[_Noted]) -> bool:
        """Outcomes are several statements each."""
        return False

    def apply(self, commit: Commit, batch: Sequence[_Noted]) -> Sequence[None]:
        """Write outcomes."""
        now = milliseconds(self._clock())
        for noted in batch:
            self._settle(commit.connection, noted, now)
        return [None] * len(batch)

    def committed(self, connection: Connection) -> bool:
        """Tell the listeners, each in its own loop."""
        if self._new or self._again:
            news = News(self._new, self._again)
            self._new, self._again = set(), {}
            self._tell(news)
        return False

    def _tell(self, news: News) -> None:
        for loop, listener in self._listeners:
            with suppress(RuntimeError):  # that loop has ended
                loop.call_soon_threadsafe(listener, news)

    def tidy(self, connection: Connection) -> None:
        """Nothing is left for later."""

    def _settle(self, connection: Connection, noted: _Noted, now: int) -> None:
        self._waiting -= rows.settle(connection, noted.outcomes, noted.places, now).total()

    async def recount(self) -> None:
        """Find out anew how many wait at this node: other processes send too. Raises `Unkept`."""
        await self._store.write(self._count)

    # Reading

    def listen(self, listener: Listener) -> None:
        """Have `listener` called in this event loop, after each commit that brought something."""
        self._listeners.append((asyncio.get_running_loop(), listener))

    def leave(self, listener: Listener) -> None:
        """Have it called no more."""
        self._listeners = [one for one in self._listeners if one[1] != listener]

    def comes_itself(self, subscription: str) -> None:
        """The recipient comes to read what there is: whoever sends need not wait to find out whether it is there."""
        self._tell(News(there=(subscription,)))

    def fetch(self, wanted: Mapping[str, Wanted], most: int) -> dict[str, Found]:
        """What waits for some subscriptions. Blocks.

        Args:
            wanted: of each.
            most: at most so many of what comes after a number, and so many of the streams.
        """
        with self._store.read() as connection:
            read = {name: rows.read(connection, name, one, most) for name, one in wanted.items()}
            numbers = {row[1] for some in read.values() for part in some for row in part}
            events = self._contents.events(connection, numbers)
        found = dict[str, Found]()
        for name, parts in read.items():
            ahead, heads, streams = ([self._delivery(name, row, events) for row in part] for part in parts)
            reached = streams[-1].sequence if len(streams) == most else wanted[name].last
            found[name] = Found(ahead, heads, streams, reached)
        return found

    def since(self, subscription: str, after: int, most: int) -> list[Delivery]:
        """What a subscription got after a number, delivered or not, as far as it is still there. Blocks."""
        values = {"subscription": subscription, "after": after, "most": most}
        with self._store.read() as connection:
            read = connection.execute(text(sql.SINCE), values).all()
            events = self._contents.events(connection, {row[1] for row in read})
        return [self._delivery(subscription, row, events) for row in read]

    def waits(self, subscription: str, sequences: Sequence[int]) -> bool:
        """Whether all of these still wait: what was read a while ago may have been withdrawn since. Blocks."""
        values = {"subscription": subscription, "heads": [*sequences]}
        with self._store.read() as connection:
            there = connection.execute(rows.listed(sql.STILL, "heads"), values).scalar_one()
        return bool(there == len(sequences))

    def seen(self) -> dict[str, Seen]:
        """How the lane of every subscription stands. Blocks."""
        with self._store.read() as connection:
            return rows.seen(connection)

    def standing(self) -> dict[str, Standing]:
        """How all subscriptions stand, for metrics and the doctor. Blocks."""
        with self._store.read() as connection:
            dead = dict[str, int](
                (name, count) for name, count in connection.execute(text(sql.HOW_MANY_DEAD))
            )
            return {
                name: Standing(
                    lane.newest, lane.waiting, dead.get(name, 0), rows.oldest(connection, name, lane)
                )
                for name, lane in rows.seen(connection).items()
            }

    def course(self, subscriptions: Sequence[str]) -> dict[str, Course]:
        """How it goes with some subscriptions, for a page about them. Blocks."""
        now = milliseconds(self._clock())
        with self._store.read() as connection:
            return {name: rows.course(connection, name, now) for name in subscriptions}

    def how_many_dead(self, subscription: str, first: int, last: int) -> int:
        """How many dead letters there are in a stretch, both ends included. Blocks."""
        stretch = {"subscription": subscription, "first": first, "last": last}
        with self._store.read() as connection:
            return int(connection.execute(text(sql.HOW_MANY_IN), stretch).scalar_one())

    def dead_letters(self, subscription: str, after: int = 0, most: int = 100) -> list[DeadLetter]:
        """The dead letters of a subscription, in its order. Blocks."""
        values = {"subscription": subscription, "after": after, "most": most}
        with self._store.read() as connection:
            read = connection.execute(text(sql.DEAD_LETTERS), values).all()
            events = self._contents.events(connection, {row.event for row in read})
        return [
            DeadLetter(
                row.subscription, row.sequence, row.since, row.trouble, row.notice, row.trace, row.attempts,
                events[row.event].id, events[row.event].type,
            )
            for row in read
        ]  # fmt: skip

    def _delivery(self, subscription: str, row: Any, events: Mapping[int, CloudEvent]) -> Delivery:
        sequence, number, stream, sealed, notice, trace, attempts, due, began = row
        subject = self._contents.subject(subscription, number, sealed)
        return Delivery(
            subscription,
            sequence,
            number,
            events[number],
            stream,
            subject,
            notice,
            trace,
            attempts,
            due,
            began,
        )

    # What came of it

    def note(self, outcomes: Sequence[Outcome], places: Mapping[str, Place]) -> "asyncio.Future[None]":
        """Keep what came of deliveries.

        Args:
            outcomes: of deliveries that wait, each once.
            places: for each of their subscriptions: how far it is, these included; and in which turn that was found out.

        The future raises `Unkept`; then they go again.
        """
        return self._store.submit(self, _Noted(outcomes, places), len(outcomes))

    async def confirm(self, subscription: str, last: int) -> int:
        """Who reads along has everything up to `last`. Gives how many that ends. Raises `Unkept`."""

        def work(connection: Connection) -> int:
            place = rows.place_of(connection, subscription)
            values = {"subscription": subscription, "settled": place.settled, "last": last}
            sequences = [row.sequence for row in connection.execute(text(sql.CONFIRM), values)]
            outcomes = [Outcome(subscription, sequence, DELIVERED) for sequence in sequences]
            if outcomes:
                noted = _Noted(outcomes, {subscription: Place(sequences[-1], place.turn)})
                self._settle(connection, noted, milliseconds(self._clock()))
            return len(outcomes)

        return await self._store.write(work)

    async def bury_older(self, subscription: str, before: int, spare: Collection[int] = ()) -> int:
        """What was tried since before a moment is tried no longer: it becomes dead letters, up to some thousands at once.

        Args:
            subscription: whose.
            before: milliseconds since the epoch.
            spare: numbers that are being tried now.

        Returns how many. Raises `Unkept`.
        """
        return await self._store.write(
            lambda connection: self._bury(
                connection, sql.TOO_OLD, subscription, "expired", spare, before, _AT_ONCE
            )
        )

    async def bury_oldest(self, subscription: str, count: int, spare: Collection[int] = ()) -> int:
        """The oldest `count` become dead letters, so that the rest has room; as `bury_older`."""
        return await self._store.write(
            lambda connection: self._bury(connection, sql.TOO_MANY, subscription, "overflow", spare, 0, count)
        )

    def _bury(
        self, connection: Connection, statement: str, subscription: str, why: str, spare: Collection[int], before: int, most: int
    ) -> int:  # fmt: skip
        place = rows.place_of(connection, subscription)
        values = {"subscription": subscription, "settled": place.settled, "before": before, "most": most}
        if "before" not in statement:
            del values["before"]
        found = [row.sequence for row in connection.execute(text(statement), values)]
        found = [sequence for sequence in found if sequence not in set(spare)]
        outcomes = [Outcome(subscription, sequence, DEAD, why) for sequence in found]
        if outcomes:
            self._settle(connection, _Noted(outcomes, {subscription: place}), milliseconds(self._clock()))
        return len(outcomes)

    async def replay(self, subscription: str, first: int, last: int) -> int:
        """Try the dead letters of a stretch again, both ends included, as if they were new. Gives how many there were.
        Raises `Unkept`."""

        def work(connection: Connection) -> int:
            stretch = {"subscription": subscription, "first": first, "last": last}
            raised = sorted(row.sequence for row in connection.execute(text(sql.TO_REPLAY), stretch))
            if raised:
                if connection.dialect.name == "postgresql":
                    connection.execute(text(sql.HOLD_LANES))
                connection.execute(text(sql.REPLAY), {**stretch, "now": milliseconds(self._clock())})
                connection.execute(text(sql.RAISE), stretch)
                values = {"subscription": subscription, "raised": len(raised), "first": raised[0]}
                connection.execute(text(sql.COUNT_AGAIN), values)
                place = connection.execute(text(sql.TURN_BACK), values).one()
                self._again[subscription] = Place(place.settled, place.turn)
                self._waiting += len(raised)
            return len(raised)

        return await self._store.write(work)

    async def give_up(self, subscription: str, first: int, last: int) -> int:
        """Let go of the dead letters of a stretch, both ends included, for good: some thousands at once. Gives how many went.
        Raises `Unkept`."""
        stretch = {"subscription": subscription, "first": first, "last": last, "most": _AT_ONCE}
        return await self._store.write(
            lambda connection: rows.forget(
                connection, subscription, connection.execute(text(sql.TO_GIVE_UP), stretch).all()
            )
        )

    def withdraw(
        self, connection: Connection, subscriptions: Iterable[str], notice: str, streams: Collection[str]
    ) -> None:
        """What a notice tells of some streams is not for these subscriptions any more: what waits, and what did not arrive, is gone.
        What is under way at this moment still arrives. In a transaction of the caller, on the writer's thread."""
        for name in subscriptions:
            place, gone = rows.place_of(connection, name), list[Any]()
            values = {"subscription": name, "settled": place.settled, "notice": notice, "streams": [*streams]}
            waiting = connection.execute(rows.listed(sql.WITHDRAWN, "streams", Text), values).all()
            gone += waiting
            del values["settled"]
            gone += connection.execute(rows.listed(sql.WITHDRAWN_DEAD, "streams", Text), values).all()
            outcomes = [Outcome(name, row.sequence, DELIVERED) for row in waiting]
            if outcomes:  # so that they are counted no more
                self._settle(connection, _Noted(outcomes, {name: place}), milliseconds(self._clock()))
            rows.forget(connection, name, gone)

    # Retention

    async def sweep(self, subscription: str, before: int, dead: int) -> int:
        """Let go of what ended longer ago than it is kept for; a few thousand at once.

        Args:
            subscription: whose.
            before: what was delivered before this moment (ms) goes.
            dead: what became a dead letter before this one, too.

        Returns how many went. Raises `Unkept`.
        """

        def work(connection: Connection) -> int:
            values = {"subscription": subscription, "before": before, "dead": dead, "most": _AT_ONCE}
            return rows.forget(connection, subscription, connection.execute(text(sql.OVER), values).all())

        return await self._store.write(work)

    async def drop(self, subscription: str) -> None:
        """Let go of all of a subscription that has ended. Raises `Unkept`."""

        def work(connection: Connection) -> int:
            values = {"subscription": subscription, "most": _AT_ONCE}
            gone = rows.forget(connection, subscription, connection.execute(text(sql.ALL_OF), values).all())
            if not gone:
                for statement in sql.FORGET_COUNTS:
                    connection.execute(text(statement), {"subscription": subscription})
                self._count(connection)
            return gone

        while await self._store.write(work):
            pass


def open_queue(store: Store, keys: KeyStore, clock: Clock, most: int = MOST_WAITING) -> Queue:
    """The queue of a store, its tables made when they are not there. Blocks.

    Raises `Conflict` (another process writes, a newer database), `Unkept`.
    """
    migrate(store, "events-queue", sql.MIGRATIONS)
    queue = Queue(store, keys, clock, most)
    store.register(queue)
    return queue


def join_queue(store: Store, keys: KeyStore, clock: Clock) -> Queue:
    """The queue of a store that another process is the writer of, to send from. Blocks.

    Raises `Conflict` (its tables are older or newer than this code), `Unkept`.
    """
    check_migrated(store, "events-queue", sql.MIGRATIONS)
    queue = Queue(store, keys, clock)
    store.register(queue)
    return queue

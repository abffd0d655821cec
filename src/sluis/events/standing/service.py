"""Standing questions at their owner: kept sealed, read in rounds, and told of when the answer is another one.

What is kept of an answer is HMAC-SHA256 of its fingerprint and the question's random id, under a key of its own: who has the
database alone cannot try answers. That it was read and that it is told are one commit, so that neither is lost or done twice.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Literal, Protocol

from sqlalchemy import Connection, text

from sluis.crypto import KeyStore, Vault, canonical_texts
from sluis.events.cloudevent import CloudEvent, Value, attributes
from sluis.events.queue import Outgoing
from sluis.events.records import SIGNAL, about
from sluis.events.standing import rules, sql
from sluis.events.standing.model import (
    KEEP_DAYS,
    Agreements,
    Kept,
    NewQuestion,
    Reader,
    Row,
    StandingView,
)
from sluis.grounds import CADENCES, Purpose
from sluis.kernel import (
    Clock,
    PeerId,
    Problem,
    Trace,
    Unkept,
    cause_of,
    decode,
    encode,
    from_milliseconds,
    milliseconds,
    new_transaction_id,
)
from sluis.ledger import Ledger, Processing
from sluis.store import Store, migrate

log = logging.getLogger("sluis.events")

_SECRET, _SEALED, _HANDLES = "standing", "standing-questions", "standing-references"
_PAGE, _AT_ONCE = 100, 4  # questions in one look-up, and read at the same time
_AGAIN = 10_000  # milliseconds until what did not have its turn has it again

_Change = Literal["placed", "ended", "told"]
_NAMES: dict[_Change, str] = {
    "placed": "Staande vraag",
    "ended": "Einde staande vraag",
    "told": "Signaal dat een antwoord wijzigde",
}


class _Id(Protocol):
    @property
    def id(self) -> str: ...


class Subscriptions(Protocol):
    """Where recipients want their signals."""

    def matching(self, owner: PeerId, attributes: Mapping[str, Value]) -> Sequence[_Id]:
        """The subscriptions of an owner that want an event with these attributes."""


class Deliveries(Protocol):
    """What keeps the signals until they arrived."""

    def check_room(self) -> None:
        """Raises `Unkept` when too much waits."""

    def add(self, connection: Connection, additions: Sequence[tuple[CloudEvent, Sequence[Outgoing]]]) -> Any:
        """Keep an event and its deliveries, in this transaction."""


class StandingQuestions:
    """The standing questions of others at this node. Made by `open_standing`; for one event loop.

    Args:
        store: the node's database.
        ledger: where changes and signals are recorded.
        keys: makes digests, and seals.
        reader: the owner's side of a question.
        agreements: contracts; None in a node without a group, whose peers come under none.
        subscriptions: of recipients.
        queue: takes signals.
        own: this node.
        address: where a peer is, for the log.
        service: name of this node in its records.
        clock: aware UTC.
    """

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        keys: KeyStore,
        reader: Reader,
        agreements: Agreements | None,
        subscriptions: Subscriptions,
        queue: Deliveries,
        own: PeerId,
        address: Callable[[PeerId], str],
        service: str,
        clock: Clock,
    ) -> None:
        self._store, self._ledger, self._keys, self._reader = store, ledger, keys, reader
        self._agreements, self._subscriptions, self._queue = agreements, subscriptions, queue
        self._source = f"urn:nld:oin:{own!s}:systeem:{service}"
        self._address, self._service, self._clock = address, service, clock
        self._questions, self._references = Vault(keys, _SEALED), Vault(keys, _HANDLES)
        self._soonest: int | None = 0  # the next turn in milliseconds; None when no question stands

    # For recipients

    async def place(
        self, peer: PeerId, wish: NewQuestion, purpose: Purpose | None, trace: Trace, transaction_id: str
    ) -> StandingView:
        """Leave a question standing. It is read for the first time in the next round.

        Args:
            peer: whose it is, as its certificate proves.
            wish: the question.
            purpose: of the contract under which it came; None when that has none.
            trace: of the request.
            transaction_id: of the crossing.

        Raises:
            Refused: as a consultation would be.
            Invalid: it cannot be understood, or its last day cannot be.
            Conflict: there are too many, its reference is in use, or the disclosure is another one.
            Unkept: it was not kept.
        """
        now, question = self._clock(), wish.question
        rules.check_until(wish.until, now.date())
        found = await self._reader.check(peer, question, purpose, trace, transaction_id)
        rule = found.disclosure.standing
        assert rule is not None
        id, cadence = secrets.token_urlsafe(16), CADENCES[rule.cadence]
        kept = Kept(question, tuple(found.people), found.disclosure.withhold)
        due = rules.next_round(now, cadence)
        values = {
            "id": id,
            "peer": str.__str__(peer),
            "disclosure": found.disclosure.id,
            "cadence": cadence,
            "due": due,
            "last": wish.until.toordinal(),
            "handle": self._keys.mac(_SECRET, canonical_texts("handle", str.__str__(peer), wish.reference)),
            "reference": self._references.seal(wish.reference.encode(), id),
            "question": self._questions.seal(encode(kept), id),
            "digest": b"",
        }

        def keep(connection: Connection) -> None:
            rules.check_free(connection.execute(text(sql.USED), values).all())
            rules.check_room(connection.execute(text(sql.COUNT), values).scalar_one(), rule.most)
            connection.execute(text(sql.KEEP), values)

        await self._ledger.append(self._lines("placed", peer, kept, trace, now), keep)
        self._expect(due)
        return StandingView(id, wish.reference, found.disclosure.id, "standing", wish.until, next=due)

    async def end(self, peer: PeerId, id: str, trace: Trace) -> None:
        """End a question; one that ended stays so. Raises `NotFound`, `Unkept`."""
        values = {"id": id, "peer": str.__str__(peer)}
        row = next(iter(await asyncio.to_thread(self._rows, sql.ONE, values)), None)
        if row is None:
            raise rules.not_there()
        if row.state == "standing":
            await self._end(peer, id, bytes(row.question), "withdrawn", trace)

    async def of(self, peer: PeerId) -> list[StandingView]:
        """The questions that a peer has standing, and those that ended in the last month."""
        rows = await asyncio.to_thread(self._rows, sql.OF_PEER, {"peer": str.__str__(peer)})
        return [
            StandingView(
                row.id,
                self._references.open(bytes(row.reference), row.id).decode(),
                row.disclosure,
                row.state,
                date.fromordinal(row.last),
                row.because,
                row.asked,
                row.due if row.state == "standing" else None,
            )
            for row in rows
        ]

    # For the node

    async def round(self) -> None:
        """Read every question whose turn it is. To be called every second; what goes wrong with one does not hold up others,
        and what could not be recorded is done again a little later."""
        now = milliseconds(self._clock())
        if self._soonest is None or now < self._soonest:
            return
        turns, after, done = asyncio.Semaphore(_AT_ONCE), "", True
        while rows := await asyncio.to_thread(self._due, now, after):
            done &= all(await asyncio.gather(*(self._in_turn(turns, one) for one in rows)))
            after = rows[-1].id
        self._soonest = None  # what is placed while the database is asked, counts as well
        soonest = (await asyncio.to_thread(self._rows, sql.SOONEST, {}))[0][0]
        self._expect(soonest if done else now + _AGAIN)

    async def sweep(self) -> None:
        """Let go of what ended long ago. Raises `Unkept`."""
        values = {"since": milliseconds(self._clock() - timedelta(days=KEEP_DAYS))}
        await self._store.write(lambda connection: connection.execute(text(sql.SWEEP), values) and None)

    # Inside

    def _expect(self, due: int | None) -> None:
        known = [one for one in (due, self._soonest) if one is not None]
        self._soonest = min(known, default=None)

    async def _in_turn(self, turns: asyncio.Semaphore, row: Row) -> bool:
        """Whether a question had its turn."""
        async with turns:
            try:
                await self._turn(row)
            except Exception as failure:  # whatever one question brings about, the others have their turn
                log.error("standing question: %s", cause_of(failure))
                return False
        return True

    async def _turn(self, row: Row) -> None:
        now, trace = self._clock(), Trace.begin()
        if now.date().toordinal() > row.last:
            await self._end(row.peer, row.id, row.question, "until", trace)
            return
        self._queue.check_room()  # before anything is read
        kept = self._kept(row.id, row.question)
        purpose = None
        if self._agreements is not None:
            purpose = rules.purpose_for(self._agreements.purposes(row.peer), kept.question)
        try:
            rows = await self._reader.read(row.peer, kept.question, purpose, trace, new_transaction_id())
        except Unkept:
            raise  # it did not have its turn
        except Problem as problem:
            await self._unread(row, rules.reason(problem), trace)
        else:
            found = await asyncio.to_thread(rules.fingerprint, rows)
            digest = self._keys.mac(_SECRET, canonical_texts("answer", row.id, found.hex()))
            await self._compare(row, kept, digest, trace)

    async def _compare(self, row: Row, kept: Kept, digest: bytes, trace: Trace) -> None:
        """Tell when the answer is another one. Who has no subscription is told in the first round in which it has; that it has
        none stands in the state of the question in every round, for if it only did when there is something to tell, it would
        be the signal, without the record of one."""
        event, handle = self._signal(row), self._references.open(row.reference, row.id).decode()
        found = self._subscriptions.matching(row.peer, attributes(event) | {"subject": handle})
        if not found:
            await self._note(row, row.digest or digest, "no-subscription")
        elif rules.verdict(row.digest, digest) == "changed":
            outgoing = [Outgoing(one.id, row.id, handle, row.disclosure, trace.trace_id) for one in found]
            await self._tell(row, kept, digest, trace, event, outgoing)
        else:
            await self._note(row, digest, "")

    async def _unread(self, row: Row, why: str, trace: Trace) -> None:
        """There was no answer: that ends the question, or stands in its state until the next round. Never a signal."""
        if why in rules.ENDS:
            await self._end(row.peer, row.id, row.question, why, trace)
        else:
            await self._note(row, row.digest, why)

    async def _tell(
        self,
        row: Row,
        kept: Kept,
        digest: bytes,
        trace: Trace,
        event: CloudEvent,
        outgoing: Sequence[Outgoing],
    ) -> None:
        """Tell that the answer is another one: that it was read, the record and the deliveries are one commit."""

        def tell(connection: Connection) -> None:
            self._read(connection, row, digest, "")
            self._queue.add(connection, [(event, outgoing)])

        await self._ledger.append(self._lines("told", row.peer, kept, trace, self._clock()), tell)

    async def _note(self, row: Row, digest: bytes, because: str) -> None:
        await self._store.write(lambda connection: self._read(connection, row, digest, because))

    def _signal(self, row: Row) -> CloudEvent:
        """The event: its time is that of the round, also when the node was late."""
        began = rules.round_of(self._clock(), row.cadence)
        time = from_milliseconds(began).isoformat(timespec="milliseconds")
        return CloudEvent(f"{row.id}.{began}", self._source, SIGNAL, time=time.replace("+00:00", "Z"))

    def _read(self, connection: Connection, row: Row, digest: bytes, because: str) -> None:
        """Note that a question was read. Raises `Conflict` when it ended meanwhile."""
        now = self._clock()
        values = {
            "id": row.id, "due": row.due, "digest": digest, "because": because,
            "asked": rules.round_of(now, row.cadence), "next": rules.next_round(now, row.cadence),
        }  # fmt: skip
        if not connection.execute(text(sql.READ), values).rowcount:
            raise rules.gone()

    async def _end(self, peer: PeerId, id: str, question: bytes, because: str, trace: Trace) -> None:
        now, kept = self._clock(), self._kept(id, question)
        values = {"id": id, "because": because, "ended": milliseconds(now), "none": b""}
        lines = self._lines("ended", peer, kept, trace, now)
        await self._ledger.append(lines, lambda connection: connection.execute(text(sql.END), values))

    def _kept(self, id: str, sealed: bytes) -> Kept:
        return decode(self._questions.open(sealed, id), Kept)

    def _lines(
        self, change: _Change, peer: PeerId, kept: Kept, trace: Trace, now: datetime
    ) -> list[Processing]:
        """A line about everybody whom the question names; one about nobody when it names none."""
        people: list[tuple[str, str] | None] = [
            (kind, self._ledger.subject(kind, key, now)) for kind, key in kept.people
        ]
        return [
            about(
                f"{_NAMES[change]}: {kept.question.dataset}", kept, trace, now, service=self._service,
                processor=self._address(peer), subject=one, more={"sluis.standing": {"change": change}},
            )
            for one in people or [None]
        ]  # fmt: skip

    def _due(self, now: int, after: str) -> list[Row]:
        values = {"now": now, "after": after, "most": _PAGE}
        return [
            Row(
                row.id, PeerId(row.peer), row.disclosure, row.cadence, row.due, row.last,
                bytes(row.question), bytes(row.reference), bytes(row.digest),
            )
            for row in self._rows(sql.DUE, values)
        ]  # fmt: skip

    def _rows(self, statement: str, values: dict[str, Any]) -> Sequence[Any]:
        with self._store.read() as connection:
            return connection.execute(text(statement), values).all()


def open_standing(
    store: Store,
    ledger: Ledger,
    keys: KeyStore,
    reader: Reader,
    agreements: Agreements | None,
    subscriptions: Subscriptions,
    queue: Deliveries,
    own: PeerId,
    address: Callable[[PeerId], str],
    service: str,
    clock: Clock,
) -> StandingQuestions:
    """The standing questions in a database; arguments as `StandingQuestions`. Blocks. Raises `Conflict`, `Unkept`."""
    migrate(store, "standing-questions", sql.MIGRATIONS)
    return StandingQuestions(
        store, ledger, keys, reader, agreements, subscriptions, queue, own, address, service, clock
    )

"""What must still be told to others: messages that are kept in the same transaction as the change they announce, and
tried until they arrive.

At least once, whatever happens to this process: a message goes away when its receiver has it, or when nobody needs it
any more. Messages of one stream leave in the order in which they came. One that its receiver answered with a refusal
is tried again later, and does not hold up those behind it; one that did not get there at all does.

Nothing here sends. Who sends asks for what is due, and tells how it went.
"""

import random
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, Connection, String, bindparam, text

from sluis.kernel import Clock, milliseconds
from sluis.store.engine import Store
from sluis.store.migrations import Migration, migrate

FIRST_DELAY, LONGEST_DELAY = 1.0, 300.0
"""Seconds after the first failure, and at most; each failure doubles it."""

MIGRATIONS = (
    Migration(
        "messages",
        (
            """CREATE TABLE outbox (
                number {int} PRIMARY KEY,
                destination TEXT NOT NULL, stream TEXT NOT NULL, payload {bytes} NOT NULL,
                due {int} NOT NULL, ends {int} NOT NULL,
                attempts {int} NOT NULL, refused {int} NOT NULL, trouble TEXT NOT NULL)""",
            "CREATE INDEX outbox_due ON outbox (due)",
            "CREATE INDEX outbox_streams ON outbox (destination, stream, number)",
        ),
    ),
)

ADD = """INSERT INTO outbox (number, destination, stream, payload, due, ends, attempts, refused, trouble)
    VALUES (:number, :destination, :stream, :payload, :due, :ends, 0, 0, '')"""
"""Keep a message."""

_FREE = """NOT EXISTS (SELECT 1 FROM outbox AS e WHERE e.destination = o.destination AND e.stream = o.stream
    AND e.number < o.number AND e.refused = 0)"""

DUE = f"""SELECT o.number, o.destination, o.stream, o.payload, o.attempts, o.trouble FROM outbox AS o
    WHERE o.due <= :now AND o.ends > :now AND o.destination NOT IN :resting AND o.number NOT IN :taken AND {_FREE}
    ORDER BY o.due, o.number LIMIT :most"""
"""What may be sent now: nothing stands before it that did not get there yet."""

NEXT = f"""SELECT MIN(o.due) FROM outbox AS o
    WHERE o.ends > :now AND o.destination NOT IN :resting AND o.number NOT IN :taken AND {_FREE}"""
"""When the next one may be sent."""

DONE = "DELETE FROM outbox WHERE number IN :numbers"
"""These arrived."""

AGAIN = """UPDATE outbox SET due = :due, attempts = attempts + 1, refused = :refused, trouble = :trouble
    WHERE number = :number"""
"""This one did not, and when it is tried again."""

HASTEN = "UPDATE outbox SET due = :now WHERE destination = :destination AND due > :now"
"""The receiver is back."""

WITHDRAW = "DELETE FROM outbox WHERE destination = :destination AND stream = :stream"
"""Nobody needs these any more."""

SWEEP = "DELETE FROM outbox WHERE ends <= :now"
"""What they were about has ended."""

HOLDS = "SELECT number FROM outbox WHERE destination = :destination AND stream = :stream LIMIT 1"
"""Whether something waits in a stream."""

WAITING = """SELECT destination, stream, attempts, trouble, due FROM outbox ORDER BY number LIMIT :most"""
"""What waits, for who looks after the node."""

COUNT = "SELECT COUNT(*) FROM outbox"
"""How many wait."""

NEWEST = "SELECT COALESCE(MAX(number), 0) FROM outbox"
"""The number that was given last, as far as it is still there."""


class Message(msgspec.Struct, frozen=True):
    """A message that may be sent now.

    Args:
        number: its name here; later messages have higher ones.
        destination: whom it is for.
        stream: within which it has its place.
        payload: what the sender needs to make it.
        attempts: how often it was tried.
        trouble: what was wrong the last time; empty before.
    """

    number: int
    destination: str
    stream: str
    payload: bytes
    attempts: int = 0
    trouble: str = ""


class Waiting(msgspec.Struct, frozen=True):
    """A message as an operator sees it. `due` is in milliseconds since the epoch."""

    destination: str
    stream: str
    attempts: int
    trouble: str
    due: int


class Outbox:
    """The messages of a store. Made by `open_outbox`; one per store.

    Args:
        store: where they are kept.
        clock: aware UTC; says what is due.
        spread: a number from 0 up to 1; it spreads what failed together.
    """

    def __init__(self, store: Store, clock: Clock, spread: Callable[[], float] = random.random) -> None:
        self._store, self._clock, self._spread = store, clock, spread
        self._number = 0

    def add(
        self,
        connection: Connection,
        destination: str,
        stream: str,
        payload: bytes,
        ends: int,
        *,
        urgent: bool = False,
    ) -> None:
        """Keep a message, in the transaction of the change that it announces; it is due at once.

        Args:
            connection: of that transaction, on the writer's thread.
            destination: whom it is for.
            stream: within which messages keep their order.
            payload: handed back with it.
            ends: seconds since the epoch after which nobody needs it any more.
            urgent: it goes before all that is not, but for its own stream.
        """
        due = 0 if urgent else self._now()
        values = {"number": self._next_number(), "destination": destination, "stream": stream}
        values |= {"payload": payload, "due": due, "ends": ends * 1000}
        connection.execute(text(ADD), values)

    async def fill(self, destination: str, stream: str, payloads: Sequence[bytes], ends: int) -> bool:
        """Keep messages of which nothing else is the announcement; none when something waits in their stream already.

        Args: as `add`. Returns: whether they were kept. Raises `Unkept`.
        """

        def work(connection: Connection) -> bool:
            place = {"destination": destination, "stream": stream}
            if connection.execute(text(HOLDS), place).scalar() is not None:
                return False
            for payload in payloads:
                self.add(connection, destination, stream, payload, ends)
            return True

        return await self._store.write(work)

    def due(
        self, resting: Collection[str] = (), taken: Collection[int] = (), most: int = 100
    ) -> Sequence[Message]:
        """What may be sent now, longest due first.

        Args:
            resting: receivers that get nothing now.
            taken: numbers of messages that are being sent.
            most: at most so many.
        """
        values = {"now": self._now(), "resting": [*resting], "taken": [*taken], "most": most}
        with self._store.read() as connection:
            rows = connection.execute(_listed(DUE), values).all()
        return [
            Message(row.number, row.destination, row.stream, bytes(row.payload), row.attempts, row.trouble)
            for row in rows
        ]

    def seconds_to_next(self, resting: Collection[str] = (), taken: Collection[int] = ()) -> float | None:
        """Seconds until something may be sent, 0 when that is now; None when nothing waits."""
        values = {"now": (now := self._now()), "resting": [*resting], "taken": [*taken]}
        with self._store.read() as connection:
            due: int | None = connection.execute(_listed(NEXT), values).scalar()
        return None if due is None else max(due - now, 0) / 1000

    async def done(self, numbers: Iterable[int]) -> None:
        """These arrived, durably at the other end. Raises `Unkept`; then they go again, which does no harm."""
        listed = text(DONE).bindparams(bindparam("numbers", expanding=True, type_=BigInteger))
        await self._write(listed, {"numbers": [*numbers]})

    async def again(self, message: Message, trouble: str, *, refused: bool) -> None:
        """It did not arrive; it is tried again after a while.

        Args:
            message: as it was given.
            trouble: what was wrong, as a code.
            refused: whether the receiver answered, and does not want it: those behind it may go first.

        Raises `Unkept`.
        """
        due = self._now() + int(self._delay(message.attempts) * 1000)
        values = {"number": message.number, "due": due, "refused": int(refused), "trouble": trouble[:100]}
        await self._write(text(AGAIN), values)

    async def hasten(self, destination: str) -> None:
        """A receiver is there again: all that waits for it is due now. Raises `Unkept`."""
        await self._write(text(HASTEN), {"destination": destination, "now": self._now()})

    async def sweep(self) -> None:
        """Let go of what nobody needs any more. Raises `Unkept`."""
        await self._write(text(SWEEP), {"now": self._now()})

    @staticmethod
    def withdraw(connection: Connection, destination: str, stream: str) -> None:
        """Let go of all that waits in a stream, within the transaction of what makes it needless."""
        connection.execute(text(WITHDRAW), {"destination": destination, "stream": stream})

    def waiting(self, most: int = 1000) -> list[Waiting]:
        """What waits, oldest first."""
        with self._store.read() as connection:
            return [Waiting(*row) for row in connection.execute(text(WAITING), {"most": most})]

    def count(self) -> int:
        """How many wait. Blocks."""
        with self._store.read() as connection:
            return int(connection.execute(text(COUNT)).scalar_one())

    def load(self) -> None:
        """Go on from the numbers that were given before."""
        with self._store.read() as connection:
            self._number = connection.execute(text(NEWEST)).scalar_one()

    def _next_number(self) -> int:
        # Of the clock, so that a number is not given twice after all messages are gone and the node starts again.
        self._number = max(self._number + 1, time.time_ns() // 1000)
        return self._number

    def _delay(self, attempts: int) -> float:
        longest = min(FIRST_DELAY * 2 ** min(attempts, 30), LONGEST_DELAY)
        return float(longest * (1 + self._spread()) / 2)

    def _now(self) -> int:
        return milliseconds(self._clock())

    async def _write(self, statement: Any, values: dict[str, Any]) -> None:
        await self._store.write(lambda connection: connection.execute(statement, values) and None)


def open_outbox(store: Store, clock: Clock, spread: Callable[[], float] = random.random) -> Outbox:
    """The outbox of a store, its table made when it is not there. Blocks.

    Raises `Conflict` (another process writes, a newer database), `Unkept`.
    """
    migrate(store, "outbox", MIGRATIONS)
    outbox = Outbox(store, clock, spread)
    outbox.load()
    return outbox


def _listed(statement: str) -> Any:
    return text(statement).bindparams(
        bindparam("resting", expanding=True, type_=String),
        bindparam("taken", expanding=True, type_=BigInteger),
    )

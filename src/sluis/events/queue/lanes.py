"""Who sends what, when more than one process does: each lane has one holder, for as long as that one says that it is there.

Of PostgreSQL alone. A holder says so every second; who has not for `LEASE` seconds is taken to be gone, and others take its
lanes over. Who cannot say it stops sending by itself well before that (`SURE`), so no two send one lane: not after a killed
process, nor after one that was halted, or cut off from the database (docs/decisions/059).
"""

from collections.abc import Callable, Collection
from secrets import token_hex
from typing import Any, TypeVar

import msgspec
from sqlalchemy import Connection, Text, text
from sqlalchemy.exc import SQLAlchemyError

from sluis.events.queue import rows, sql
from sluis.events.queue.model import Place, Seen
from sluis.store import Store, unkept

T = TypeVar("T")

LEASE = 6.0
"""Seconds that a process is taken to be there after it last said so, by the clock of the database."""

SURE = 4.0
"""Seconds for which a process relies on what it said, counted by itself from before it said so."""

NODE = "node"
"""The holder that is the writer of the database. There is one at a time, which the lock on the database sees to."""


class Colleague(msgspec.Struct, frozen=True):
    """A process that sends, or did: how many deliveries arrived, and what wakes it (`nats` or `polling`)."""

    sent: int
    waking: str
    alive: bool


class Round(msgspec.Struct, frozen=True):
    """What one look at the database gives: every lane, and who sends."""

    lanes: dict[str, Seen]
    senders: dict[str, Colleague]


class Lanes:
    """The lanes of a store, as one of those who send has to do with them. All of it blocks, and raises `Unkept`.

    Args:
        store: of PostgreSQL.
        node: whether this is the process that publishes.
    """

    def __init__(self, store: Store, node: bool) -> None:
        self._store = store
        self.id = NODE if node else f"worker-{token_hex(8)}"
        self.node = node

    def renew(self, sent: int, waking: str) -> None:
        """Say that this process is there."""

        def work(connection: Connection) -> None:
            # What a crash of the database takes back of this, the next renewal brings again.
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            values = {"id": self.id, "lease": int(LEASE * 1000), "sent": sent, "waking": waking}
            connection.execute(text(sql.RENEW), values)

        self._do(work)

    def look(self) -> Round:
        """How every lane stands, and who sends."""
        with self._store.read() as connection:
            senders = {
                row.id: Colleague(row.sent, row.waking, row.alive)
                for row in connection.execute(text(sql.SENDERS))
            }
            return Round(rows.seen(connection), senders)

    def claim(self, names: Collection[str], most: int) -> dict[str, Place]:
        """Hold at most so many of these lanes, of those that nobody holds who is there. Gives how far each is."""

        def work(connection: Connection) -> dict[str, Place]:
            connection.execute(text(sql.CLAIMING))
            connection.execute(_named(sql.OPEN_LANES), {"names": [*names]})
            values = {"names": [*names], "id": self.id, "most": most}
            free = [row.subscription for row in connection.execute(_named(sql.FREE), values)]
            if not free:
                return {}
            taken = connection.execute(_named(sql.TAKE), {"names": free, "id": self.id})
            return {row.subscription: Place(row.settled, row.turn) for row in taken}

        return self._do(work)

    def let_go(self, name: str, gone: bool = False) -> None:
        """Hold a lane no longer.

        Args:
            name: of its subscription.
            gone: whether its recipient wants nothing more; nobody takes it before the node has heard that.
        """
        values = {"subscription": name, "id": self.id, "gone": int(gone)}
        self._do(lambda connection: connection.execute(text(sql.LET_GO), values))

    def heard(self, names: Collection[str]) -> None:
        """The node knows that these recipients want nothing more."""
        self._do(lambda connection: connection.execute(_named(sql.HEARD), {"names": [*names]}))

    def leave(self, sent: int) -> None:
        """This process sends no more: what it held is free."""
        self._do(lambda connection: connection.execute(text(sql.LEAVE), {"id": self.id, "sent": sent}))

    def forget(self) -> int:
        """Let go of processes that are gone; gives how many deliveries of theirs arrived."""
        return self._do(
            lambda connection: sum(int(row.sent) for row in connection.execute(text(sql.FORGET_SENDERS)))
        )

    def _do(self, work: Callable[[Connection], T]) -> T:
        """In a transaction of its own, beside the group commit."""
        try:
            with self._store.engine.begin() as connection:
                return work(connection)
        except SQLAlchemyError as problem:
            raise unkept(problem) from problem


def _named(statement: str) -> Any:
    return rows.listed(statement, "names", Text)

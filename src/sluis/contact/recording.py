"""What people change about how they are reached, on record: that it was done, by whom and when; never what it says."""

import asyncio
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection

from sluis.kernel import Clock, milliseconds, new_span_id, new_trace_id
from sluis.ledger import Arrangement, Ledger
from sluis.store import Store

Change = Callable[[Connection], Any]


class Recording:
    """Changes with their records. `store`, `ledger`, `clock`: of the node."""

    def __init__(self, store: Store, ledger: Ledger, clock: Clock) -> None:
        self._store, self._ledger, self._clock = store, ledger, clock

    async def change(self, person: str, action: str, work: Change) -> None:
        """Change something of a person, with its record; both durable when this returns. Raises `Unkept`.

        Args:
            person: their pseudonym; they do it themselves.
            action: such as `contact.address`.
            work: the change.
        """
        # Both begin in one turn of the event loop, so they share a commit.
        outcomes = await asyncio.gather(
            self._store.write(work), self.record(person, action), return_exceptions=True
        )
        for failure in outcomes:
            if isinstance(failure, BaseException):
                raise failure

    async def record(self, person: str, action: str) -> None:
        """Put on record that something was done; arguments as `change`."""
        at = milliseconds(self._clock())
        about = f"urn:sluis:person:{person}"
        await self._ledger.append([Arrangement(new_trace_id(), new_span_id(), action, person, about, at)])

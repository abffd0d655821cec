"""What people change about how they are reached, on record: that it was done, by whom and when; never what it says."""

from collections.abc import Callable

from sqlalchemy import Connection

from sluis.kernel import Clock, milliseconds, new_span_id, new_trace_id
from sluis.ledger import Arrangement, Ledger

Change = Callable[[Connection], object]


class Recording:
    """Changes with their records. `ledger`, `clock`: of the node."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock

    async def change(self, person: str, action: str, work: Change) -> None:
        """Change something of a person, with its record; both durable when this returns. Raises `Unkept`.

        Args:
            person: their pseudonym; they do it themselves.
            action: such as `contact.address`.
            work: the change.
        """
        at, about = milliseconds(self._clock()), f"urn:sluis:person:{person}"
        record = Arrangement(new_trace_id(), new_span_id(), action, person, about, at)
        await self._ledger.append([record], along=work)

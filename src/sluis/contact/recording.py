"""What people change about how they are reached, on record: that it was done, by whom and when; never what it says."""

from collections.abc import Callable

from sqlalchemy import Connection

from sluis.contact.parties import Party
from sluis.kernel import Clock, milliseconds, new_span_id, new_trace_id
from sluis.ledger import Arrangement, Ledger

Change = Callable[[Connection], object]


class Recording:
    """Changes with their records. `ledger`, `clock`: of the node."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock

    async def change(self, party: Party, action: str, work: Change) -> None:
        """Change something, with its record; both durable when this returns. Raises `Unkept`.

        Args:
            party: of whom it is, and who does it.
            action: such as `contact.address`.
            work: the change.
        """
        await self._ledger.append([self._record(party, action)], along=work)

    async def read(self, party: Party) -> None:
        """Put on record that somebody sees the messages of another; durable when this returns. Raises `Unkept`."""
        if party.for_another:
            await self._ledger.append([self._record(party, "contact.read")])

    def _record(self, party: Party, action: str) -> Arrangement:
        at = milliseconds(self._clock())
        return Arrangement(new_trace_id(), new_span_id(), action, party.by, party.about, at)

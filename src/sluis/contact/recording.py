"""What people change about how they are reached, on record: that it was done, by whom and when; never what it says."""

from collections import Counter
from collections.abc import Callable

from sqlalchemy import Connection

from sluis.contact.parties import Party
from sluis.contact.saying import too_many_changes
from sluis.kernel import Clock, milliseconds, new_span_id, new_trace_id
from sluis.ledger import Arrangement, Ledger

CHANGES_AN_HOUR = 60
"""That one person makes: each is a record that stays."""

Change = Callable[[Connection], object]


class Recording:
    """Changes with their records. `ledger`, `clock`: of the node."""

    def __init__(self, ledger: Ledger, clock: Clock) -> None:
        self._ledger, self._clock = ledger, clock
        self._hour, self._changes = 0, Counter[str]()

    async def change(self, party: Party, action: str, work: Change) -> None:
        """Change something, with its record; both durable when this returns.

        Args:
            party: of whom it is, and who does it.
            action: such as `contact.address`.
            work: the change.

        Raises:
            Refused: they changed too much within this hour (`changes-pace`).
            Unkept: it was not changed.
        """
        self._count(party.by)
        await self._ledger.append([self._record(party, action)], along=work)

    async def read(self, party: Party) -> None:
        """Put on record that somebody sees the messages of another; durable when this returns. Raises `Unkept`."""
        if party.for_another:
            await self._ledger.append([self._record(party, "contact.read")])

    def _count(self, by: str) -> None:
        hour = milliseconds(self._clock()) // 3_600_000
        if hour != self._hour:
            self._hour, self._changes = hour, Counter()
        if self._changes[by] >= CHANGES_AN_HOUR:
            raise too_many_changes()
        self._changes[by] += 1

    def _record(self, party: Party, action: str) -> Arrangement:
        at = milliseconds(self._clock())
        return Arrangement(new_trace_id(), new_span_id(), action, party.by, party.about, at)

"""Two transaction logs beside each other: what one side says of a request, and where the two do not agree."""

from collections.abc import Sequence
from typing import Literal, Protocol, get_args

import msgspec

from sluis.gateway.transactions import (
    INCOMING,
    OUTGOING,
    Crossing,
    Direction,
    Outcome,
    TransactionRecord,
    outcome_of,
)
from sluis.kernel import PeerId

Kind = Literal["only-here", "only-there", "differs", "failed-here", "failed-there"]
"""This node has a line and the peer has none; the other way round; both have one, about another crossing. And the first
two where the outway that wrote the line has noted that nothing came back, or that the inway refused: its own word, that
the other side sees and may doubt."""

KINDS: tuple[Kind, ...] = get_args(Kind)

ALARMS: tuple[Kind, ...] = ("only-here", "only-there", "differs")
"""What nobody has a reason for: a line may have been removed, or made up."""

OTHER: dict[Direction, Direction] = {OUTGOING: INCOMING, INCOMING: OUTGOING}
"""How the other side of a crossing calls its direction."""


class Seen(msgspec.Struct, frozen=True):
    """One line, of either log.

    Attributes:
        transaction_id: a UUID, lower case.
        direction: as seen from this node, whichever log the line is from.
        crossing: under which grant. Without what extensions add, which only one side may know.
        at: seconds since the epoch, by the clock of the log that it is from.
        outcome: what the outway noted, in a line of an outway.
    """

    transaction_id: str
    direction: Direction
    crossing: Crossing
    at: int
    outcome: Outcome | None = None

    @property
    def key(self) -> tuple[str, Direction]:
        """What the two lines of one request have in common. A node that calls itself has both directions."""
        return self.transaction_id, self.direction


class Difference(msgspec.Struct, frozen=True):
    """Something that only one side knows, or that the sides know differently.

    Attributes:
        peer: the other side.
        kind: which of these.
        line: this node's own line; the peer's when this node has none.
        found_at: seconds since the epoch.
    """

    peer: PeerId
    kind: Kind
    line: Seen
    found_at: int


class Remote(Protocol):
    """A peer's transaction log (FSC Logging 1.0.0, `GET /logs`). Raises `Upstream` when it cannot be read.

    Lines come as that peer wrote them: `direction` is its own view.
    """

    async def logs(
        self, peer: PeerId, after: int, before: int, cursor: str
    ) -> tuple[Sequence[TransactionRecord], str]:
        """A page, oldest first, of lines of later seconds than `after` and earlier ones than `before` (seconds since
        the epoch), and the cursor of the next page; empty at the end."""

    async def logs_of(self, peer: PeerId, transaction_ids: Sequence[str]) -> Sequence[TransactionRecord]:
        """The lines of these transactions."""


def own_line(record: TransactionRecord) -> Seen:
    """A line of this node's own log."""
    return _seen(record, record.transaction_id, record.direction)


def their_line(record: TransactionRecord) -> Seen:
    """A line of a peer's log, seen from this node."""
    return _seen(record, record.transaction_id.lower(), OTHER[record.direction])


def _seen(record: TransactionRecord, transaction_id: str, direction: Direction) -> Seen:
    crossing = record.crossing
    outcome = outcome_of(crossing) if record.direction == OUTGOING else None
    bare = crossing if crossing.additional is None else msgspec.structs.replace(crossing, additional=None)
    return Seen(transaction_id, direction, bare, record.created_at // 1000, outcome)

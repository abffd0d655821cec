"""Matching the lines of two transaction logs as they come, oldest first. Pure: whoever reads the logs feeds them in.

Clocks differ and lines are written a moment apart, so a line waits for its other half until both logs have been read
some way beyond it. What is held is therefore what passed in that time, however long the logs are.
"""

from collections.abc import Iterable

from sluis.gateway.comparison.model import Seen
from sluis.gateway.transactions import INCOMING, OUTGOING
from sluis.kernel import PeerId

SKEW = 120
"""Seconds that a line waits for its other half: twice what clocks of peers may differ, and what a request may take."""


class Matching:
    """The lines that still wait for their other half.

    Args:
        own: this node.
        peer: the other side.
    """

    def __init__(self, own: PeerId, peer: PeerId) -> None:
        self._own, self._peer = own, peer
        self._here: dict[tuple[str, str], Seen] = {}
        self._there: dict[tuple[str, str], Seen] = {}
        self.differing: list[Seen] = []
        """This node's lines of which the peer says something else."""

    def add_own(self, lines: Iterable[Seen]) -> None:
        """The next lines of this node's log; those that are not about the peer are passed over."""
        self._add(lines, self._here, self._there, mine=True)

    def add_theirs(self, lines: Iterable[Seen]) -> None:
        """The next lines of the peer's log; those that are not about this node are passed over."""
        self._add(lines, self._there, self._here, mine=False)

    @property
    def theirs_waiting(self) -> int:
        """How many lines of the peer wait."""
        return len(self._there)

    def unmatched_until(self, moment: int) -> tuple[list[Seen], list[Seen]]:
        """The lines up to and including this second that found no other half: this node's, and the peer's. They wait no
        longer."""
        return _taken(self._here, moment), _taken(self._there, moment)

    def _add(
        self,
        lines: Iterable[Seen],
        these: dict[tuple[str, str], Seen],
        those: dict[tuple[str, str], Seen],
        *,
        mine: bool,
    ) -> None:
        for line in lines:
            if not self._between_us(line):
                continue
            other = those.pop(line.key, None)
            if other is None:
                these[line.key] = line
            elif other.crossing != line.crossing:
                self.differing.append(line if mine else other)

    def _between_us(self, line: Seen) -> bool:
        pair = (line.crossing.outway_peer, line.crossing.service_peer)
        return (line.direction == OUTGOING and pair == (self._own, self._peer)) or (
            line.direction == INCOMING and pair == (self._peer, self._own)
        )


def _taken(waiting: dict[tuple[str, str], Seen], moment: int) -> list[Seen]:
    late = [line for line in waiting.values() if line.at <= moment]
    for line in late:
        del waiting[line.key]
    return late

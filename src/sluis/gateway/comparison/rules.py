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

_Waiting = dict[tuple[str, str], list[Seen]]


class Matching:
    """The lines that still wait for their other half.

    Args:
        own: this node.
        peer: the other side.
    """

    def __init__(self, own: PeerId, peer: PeerId) -> None:
        self._own, self._peer = own, peer
        # A program may use one id for several requests: of each there must be a line on both sides.
        self._here: _Waiting = {}
        self._there: _Waiting = {}
        self.theirs_waiting = 0
        """How many lines of the peer wait."""
        self.differing: list[Seen] = []
        """This node's lines of which the peer says something else."""

    def add_own(self, lines: Iterable[Seen]) -> None:
        """The next lines of this node's log; those that are not about the peer are passed over."""
        self._add(lines, self._here, self._there, mine=True)

    def add_theirs(self, lines: Iterable[Seen]) -> None:
        """The next lines of the peer's log; those that are not about this node are passed over."""
        self._add(lines, self._there, self._here, mine=False)

    def unmatched_until(self, moment: int) -> tuple[list[Seen], list[Seen]]:
        """The lines up to and including this second that found no other half: this node's, and the peer's. They wait no
        longer."""
        here, there = _taken(self._here, moment), _taken(self._there, moment)
        self.theirs_waiting -= len(there)
        return here, there

    def _add(
        self,
        lines: Iterable[Seen],
        these: _Waiting,
        those: _Waiting,
        *,
        mine: bool,
    ) -> None:
        for line in lines:
            if not self._between_us(line):
                continue
            others = those.get(line.key)
            if others is None:
                these.setdefault(line.key, []).append(line)
                self.theirs_waiting += not mine
                continue
            other = others.pop(0)
            self.theirs_waiting -= mine
            if not others:
                del those[line.key]
            if other.crossing != line.crossing:
                self.differing.append(line if mine else other)

    def _between_us(self, line: Seen) -> bool:
        pair = (line.crossing.outway_peer, line.crossing.service_peer)
        return (line.direction == OUTGOING and pair == (self._own, self._peer)) or (
            line.direction == INCOMING and pair == (self._peer, self._own)
        )


def _taken(waiting: _Waiting, moment: int) -> list[Seen]:
    late = [line for lines in waiting.values() for line in lines if line.at <= moment]
    for key in {line.key for line in late}:
        left = [line for line in waiting.pop(key) if line.at > moment]
        if left:
            waiting[key] = left
    return late

"""What nginx tells afterwards: that an inway did not answer, or refused.

The outway's breaker, its tokens and its log need to know. nginx sends a line over a datagram socket for these outcomes alone, and
for every outcome at a peer that failed before; what a request was about is not in it.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from sluis.gateway.forward import AUTHORIZATION, Forward, Outgoing, Target
from sluis.gateway.outway import Judged
from sluis.gateway.planes.places import Places
from sluis.gateway.transactions import Line
from sluis.kernel import PeerId

_UNANSWERED = frozenset({"502", "504"})


class Side(Protocol):
    """What an `Outway` decides, and what it wants to be told."""

    def judge(self, request: Outgoing) -> Judged | Coroutine[Any, Any, Judged]:
        """See `Outway.judge`."""

    def write(self, lines: Sequence[Line]) -> "asyncio.Future[None]":
        """See `Outway.write`."""

    async def instead(self, forward: Forward, recorded: bool) -> Judged | None:
        """See `Outway.instead`."""

    def answered(self, peer: PeerId | None) -> None:
        """See `Outway.answered`."""

    def failed(self, peer: PeerId | None) -> None:
        """See `Outway.failed`."""

    def refused(self, forward: Forward) -> None:
        """See `Outway.refused`."""

    def note(self, peer: PeerId | None, transaction_id: str, code: str = "") -> None:
        """See `Outway.note`."""


class Reports:
    """Reads what nginx tells.

    Args:
        outway: is told what it means.
        places: what targets are called.
    """

    def __init__(self, outway: Side, places: Places) -> None:
        self._outway, self._places = outway, places
        self.watched: set[Target] = set()
        """Targets that failed and have not answered since: of these every outcome is of use."""

    def take(self, datagram: bytes) -> None:
        """Read one line (RFC 3164, as nginx writes it). What cannot be read is left."""
        fields = datagram.decode("latin-1").partition("nginx: ")[2].split("|", 5)
        target = self._places.named(fields[2]) if len(fields) == 6 else None
        if target is None:
            return
        answered, status = (field.rpartition(" ")[2] for field in fields[:2])
        code = "" if fields[5] == "-" else fields[5]
        if code or answered == "-":
            self._outway.note(target.peer, fields[4], code)
        if answered != "-":
            self.watched.discard(target)
            self._outway.answered(target.peer)
            if status == "401":
                self._outway.refused(Forward(target, "", ((AUTHORIZATION, fields[3]),), ""))
        elif status in _UNANSWERED:
            self.watched.add(target)
            self._outway.failed(target.peer)

"""How busy the gateway was, minute by minute and hour by hour, for charts and the map: read from what is counted anyway.

How many requests there were with whom stands in the transaction log, so that a node that starts again knows the hours before.
How long they took, and what was refused, is in meters (`meter`, `crossing.GroupLink.meters`), which begin anew with the process;
those hours have a gap. Both rings are in memory, a few hundred samples: nothing is written for a chart, and who wants to keep
more has a collector read the metrics (`measures`).
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from sluis.gateway.membership import Membership
from sluis.gateway.meter import BOUNDS, Meter
from sluis.gateway.transactions import INCOMING, Counted, outcome_of
from sluis.kernel import Clock, PeerId, milliseconds

MINUTES, HOURS = 60, 168
"""Samples that are kept: an hour by the minute, a week by the hour."""

MOST_WAYS = 500
"""Pairs of a peer and a service in one sample; what is beyond is left out of it, and not of the sides."""

_MINUTE, _HOUR = 60, 3_600  # seconds

Side = Literal["inway", "outway", "own"]
"""What came in; what programs sent out through the outway; what the node itself asked."""

SIDES: tuple[Side, ...] = ("inway", "outway", "own")


class Way(msgspec.Struct, frozen=True):
    """With whom, which way, and for which service."""

    peer: PeerId
    incoming: bool
    service: str


class Counts(msgspec.Struct, frozen=True):
    """What one side counted in a while.

    Attributes:
        requests: that were dealt with.
        refused: by this side itself.
        failed: that got no answer, or one that says that something is wrong there (5xx).
        seconds: how many took at most as long as each of `meter.BOUNDS` and no less bound.
    """

    requests: int = 0
    refused: int = 0
    failed: int = 0
    seconds: tuple[int, ...] = (0,) * (len(BOUNDS) + 1)

    def since(self, before: "Counts") -> "Counts":
        """What came after an earlier count."""
        return _each(self, before, -1)

    def __add__(self, other: "Counts") -> "Counts":
        return _each(self, other, 1)


class Sample(msgspec.Struct, frozen=True):
    """A minute or an hour.

    Attributes:
        at: where it begins, seconds since the epoch.
        sides: by side; empty of a time in which nobody counted.
        ways: requests by way, of the transaction log.
        asked: of the node's own requests, by peer; empty as `sides`.
    """

    at: int
    sides: Mapping[Side, Counts] = {}
    ways: Mapping[Way, int] = {}
    asked: Mapping[PeerId, Counts] = {}

    def __add__(self, other: "Sample") -> "Sample":
        """Both together, as of the first."""
        return Sample(
            self.at,
            _together(self.sides, other.sides, Counts()),
            _together(self.ways, other.ways, 0),
            _together(self.asked, other.asked, Counts()),
        )


class Traffic:
    """The rings of a node. `look` is to be called every minute; what it does is bounded by what came in that minute.

    Args:
        membership: of the node.
        clock: aware UTC.
    """

    def __init__(self, membership: Membership, clock: Clock) -> None:
        self._membership, self._clock = membership, clock
        self._minutes, self._hours = deque[Sample](maxlen=MINUTES), deque[Sample](maxlen=HOURS)
        self._place: int | None = None
        self._with: dict[PeerId, int] | None = None
        self._sides: Mapping[Side, Counts] = {}
        self._asked: Mapping[PeerId, Counts] = {}
        self.last: dict[PeerId, int] = {}
        """When something crossed with a peer last, seconds since the epoch, as far as the rings go back."""

    async def look(self) -> None:
        """Take a sample of what came since the last. Raises `Unkept`."""
        now, self._with = int(self._clock().timestamp()), None
        if self._place is None:
            await self._begin(now)
            return
        place, found = await self._membership.transactions.counted(self._place)
        sides, asked = self._counts()
        sample = Sample(
            now - now % _MINUTE,
            {side: counts.since(self._sides.get(side, Counts())) for side, counts in sides.items()},
            self._ways(found),
            {peer: more for peer, counts in asked.items()
             if (more := counts.since(self._asked.get(peer, Counts()))).requests},
        )  # fmt: skip
        self._place, self._sides, self._asked = place, sides, asked
        _keep(self._minutes, sample, _MINUTE)
        _keep(self._hours, sample, _HOUR)

    async def _begin(self, now: int) -> None:
        """The hours before the node started, as far as the log tells."""
        since = milliseconds(self._clock()) - HOURS * _HOUR * 1000
        self._sides, self._asked = self._counts()
        place, found = await self._membership.transactions.counted(-1, since, _HOUR * 1000)
        for at in sorted({one.since for one in found}):
            ways = self._ways([one for one in found if one.since == at])
            self._hours.append(Sample(at // 1000, ways=ways))
        self._place = place

    def minutes(self) -> list[Sample]:
        """The last hour, by the minute, oldest first."""
        return list(self._minutes)

    def hours(self) -> list[Sample]:
        """The last week, by the hour, oldest first."""
        return list(self._hours)

    def with_peers(self) -> dict[PeerId, int]:
        """Requests with each peer, both ways, in the hours that are kept."""
        if self._with is None:
            found: dict[PeerId, int] = {}
            for sample in self._hours:
                for way, count in sample.ways.items():
                    found[way.peer] = found.get(way.peer, 0) + count
            self._with = found
        return self._with

    def _counts(self) -> tuple[dict[Side, Counts], dict[PeerId, Counts]]:
        meters, own = self._membership.meters, self._membership.link.meters
        asked = {peer: counts_of(meter) for peer, meter in own.items()}
        total = sum(asked.values(), Counts())
        return {"inway": counts_of(meters.inway), "outway": counts_of(meters.outway), "own": total}, asked

    def _ways(self, found: Iterable[Counted]) -> dict[Way, int]:
        ways: dict[Way, int] = {}
        for one in found:
            incoming = one.direction == INCOMING
            peer = one.crossing.outway_peer if incoming else one.crossing.service_peer
            self.last[peer] = max(self.last.get(peer, 0), one.newest // 1000)
            if outcome_of(one.crossing) is not None:
                continue  # beside a line that was counted
            way = Way(peer, incoming, one.crossing.service_name)
            if way in ways or len(ways) < MOST_WAYS:
                ways[way] = ways.get(way, 0) + one.lines
        return ways


def counts_of(meter: Meter) -> Counts:
    """What a meter counted since it started."""
    requests = dict(meter.requests)  # it goes on counting
    return Counts(
        sum(requests.values()),
        sum(dict(meter.refusals).values()),
        requests.get(0, 0) + requests.get(5, 0),
        tuple(meter.seconds),
    )


def quantile(counts: Counts, part: float) -> float | None:
    """Within how many seconds this part of the requests was dealt with, as far as the bounds of the meter tell; None when there
    were none.

    Args:
        counts: of requests.
        part: 0 to 1, such as 0.95.
    """
    total = sum(counts.seconds)
    if not total:
        return None
    wanted, before, low = part * total, 0, 0.0
    for bound, count in zip(BOUNDS, counts.seconds, strict=False):
        if count and before + count >= wanted:
            return low + (bound - low) * (wanted - before) / count
        before, low = before + count, bound
    return BOUNDS[-1]  # or longer


def joined(samples: Sequence[Sample]) -> Sample:
    """All of them together."""
    return sum(samples[1:], samples[0]) if samples else Sample(0)


def _keep(ring: "deque[Sample]", sample: Sample, span: int) -> None:
    """Add a sample; to the last one when that is of the same minute or hour."""
    at = sample.at - sample.at % span
    if ring and ring[-1].at == at:
        ring.append(ring.pop() + sample)
    else:
        ring.append(msgspec.structs.replace(sample, at=at))


def _each(one: Counts, other: Counts, sign: int) -> Counts:
    seconds = tuple(a + sign * b for a, b in zip(one.seconds, other.seconds, strict=True))
    return Counts(
        one.requests + sign * other.requests, one.refused + sign * other.refused, one.failed + sign * other.failed,
        seconds,
    )  # fmt: skip


def _together(one: Mapping, other: Mapping, none: object) -> dict:  # type: ignore[type-arg]
    return {key: one.get(key, none) + other.get(key, none) for key in {**one, **other}}

"""Time: the clock that a node reads, days as people here count them, and periods. Inside, times are aware UTC datetimes."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import msgspec

Clock = Callable[[], datetime]
"""Gives the present as an aware UTC datetime. Passed in, so that rules and tests own the time."""


HERE = ZoneInfo("Europe/Amsterdam")
"""Where days begin and end, for people and in law."""


def utc_now() -> datetime:
    """The system clock, aware, in UTC."""
    return datetime.now(UTC)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since the epoch, as the Logboek Dataverwerkingen writes times."""
    return int(moment.timestamp() * 1000)


def from_milliseconds(at: int) -> datetime:
    """The moment, aware UTC, of milliseconds since the epoch."""
    return datetime.fromtimestamp(at / 1000, UTC)


def beginning(day: date) -> int:
    """When a day begins here, in seconds since the epoch."""
    return int(datetime.combine(day, time(), HERE).timestamp())


class Period(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whole days, both ends included; `until` absent means no end."""

    since: date
    until: date | None = None

    def holds(self, day: date) -> bool:
        """Whether `day` lies in the period."""
        return self.since <= day and (self.until is None or day <= self.until)

"""What is unusual about the use of data: counts held against what is normal for them. Pure.

The median and the median absolute deviation (MAD) are not moved by a few very large counts, as an average is: who looks a
person up a hundred times does not make that normal. Times 1.4826 the MAD is what the standard deviation is of a normal
distribution; of rare things it is nothing, so that the spread is at least what chance alone gives (Poisson: the square root of
the median). Unusual is what lies more than five times the spread above the median, and is no small number.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from math import ceil, sqrt
from typing import Literal

from sluis.oversight.model import Finding, Normal

TIMES = 5
"""So many times the spread above the median is unusual."""

SCALE = 1.4826
"""From MAD to standard deviation, of a normal distribution."""

FEWEST = {"person": 10, "asker": 20, "volume": 30, "persons": 50, "hour": 30, "off-hours": 5, "refused": 10}
"""Up to so many is never unusual."""

ENOUGH = 5
"""Days of its own that something must have before its own normal counts."""

BACK = 28
"""Days before, that are held to be normal."""

OFFICE = range(7, 19)
"""Hours at which people work, on Monday to Friday."""


def normal(counts: Iterable[int] | Mapping[int, int], least: int) -> Normal:
    """What is normal, by counts; or by how often each count occurs.

    Args:
        counts: whole numbers, none negative.
        least: up to so many is never unusual.
    """
    often = dict(counts) if isinstance(counts, Mapping) else _often(counts)
    among = sum(often.values())
    if not among:
        return Normal(0.0, 1.0, least, 0)
    middle = _median(often)
    apart: dict[float, int] = {}
    for value, times in often.items():
        distance = abs(value - middle)
        apart[distance] = apart.get(distance, 0) + times
    spread = max(SCALE * _median(apart), sqrt(max(middle, 1.0)))
    return Normal(middle, spread, max(least, ceil(middle + TIMES * spread)), among)


def is_unusual(count: int, of: Normal) -> bool:
    """Whether a count lies above the limit."""
    return count > of.limit


def before(series: Mapping[date, int], day: date) -> list[int]:
    """The counts of the days before one, as far as they are like it: days of work, or of a weekend, when there are enough.
    Days without any count are zero, from the first that has one."""
    first = max(min(series, default=day), day - timedelta(days=BACK))
    days = [first + timedelta(days=step) for step in range(max((day - first).days, 0))]
    alike = [one for one in days if (one.weekday() < 5) == (day.weekday() < 5)]
    return [series.get(one, 0) for one in (alike if len(alike) >= ENOUGH else days)]


def often_looked_up(histogram: Mapping[int, int]) -> Normal:
    """How often a person is normally looked up, by how many persons were so often."""
    return normal(histogram, FEWEST["person"])


Who = tuple[str, str]
"""The organisation that asks ("" for this one), and the pseudonym of the person there."""


def askers(series: Mapping[Who, Mapping[date, int]], days: Sequence[date]) -> list[Finding]:
    """Who asked more on a day than is normal for them; of who has no past, more than is normal for colleagues."""
    found = []
    for day in days:
        every = {who: counts[day] for who, counts in series.items() if counts.get(day)}
        for (peer, person), count in every.items():
            if count > FEWEST["asker"]:
                others = [one for who, one in every.items() if who != (peer, person)]
                own = normal(_comparable(series[peer, person], day) or others, FEWEST["asker"])
                if is_unusual(count, own):
                    found.append(Finding("asker", person, day, count, own, peer))
    return found


def volumes(
    series: Mapping[tuple[str, str], Mapping[date, int]],
    days: Sequence[date],
    kind: Literal["volume", "persons"] = "volume",
) -> list[Finding]:
    """Which organisation asked more for an activity on a day than on the days before, or was given data of more persons.

    Args:
        series: per organisation and activity, how many on a day.
        days: to look at.
        kind: what was counted.
    """
    found = []
    for (peer, activity), counts in series.items():
        for day in days:
            past = before(counts, day)
            of = normal(past, FEWEST[kind])
            if len(past) >= ENOUGH and is_unusual(counts.get(day, 0), of):
                key = f"{peer} {activity}"
                found.append(Finding(kind, key, day, counts[day], of, peer, activity))
    return found


def hours(series: Mapping[str, Mapping[tuple[date, int], int]], days: Sequence[date]) -> list[Finding]:
    """In which hour an organisation asked more than in its other hours."""
    found, wanted = [], frozenset(days)
    for peer, counts in series.items():
        for (day, hour), count in counts.items():
            others = [one for at, one in counts.items() if at != (day, hour)]
            of = normal(others, FEWEST["hour"])
            if day in wanted and len(others) >= ENOUGH and is_unusual(count, of):
                found.append(Finding("hour", f"{peer} {hour}", day, count, of, peer, hour=hour))
    return found


def off_hours(series: Mapping[Who, Mapping[date, tuple[int, int]]], days: Sequence[date]) -> list[Finding]:
    """Who asked outside office hours, and does not usually.

    Args:
        series: per person and day, how often in all and how often outside office hours.
        days: to look at.
    """
    found = []
    for (peer, person), counts in series.items():
        for day in days:
            count = counts.get(day, (0, 0))[1]
            of = normal(before({one: off for one, (_, off) in counts.items()}, day), FEWEST["off-hours"])
            if is_unusual(count, of):
                found.append(Finding("off-hours", person, day, count, of, peer))
    return found


def streaks(longest: Mapping[tuple[str, str, date], int]) -> list[Finding]:
    """Who was refused so often without a break that it is no mistake any more."""
    of = Normal(0.0, 1.0, FEWEST["refused"], len(longest))
    return [
        Finding("refused", person, day, count, of, peer)
        for (peer, person, day), count in longest.items()
        if is_unusual(count, of)
    ]


def _comparable(counts: Mapping[date, int], day: date) -> list[int]:
    """The days before on which somebody asked: those like this one when there are enough, else all; none when those are too few."""
    alike = [one for one in before(counts, day) if one]
    first = day - timedelta(days=BACK)
    every = [one for at, one in counts.items() if first <= at < day and one]
    return alike if len(alike) >= ENOUGH else every if len(every) >= ENOUGH else []


def _often(counts: Iterable[int]) -> dict[int, int]:
    often: dict[int, int] = {}
    for one in counts:
        often[one] = often.get(one, 0) + 1
    return often


def _median(often: Mapping[int, int] | Mapping[float, int]) -> float:
    """The median of values, by how often each occurs."""
    among, seen, low = sum(often.values()), 0, None
    for value in sorted(often):
        seen += often[value]  # type: ignore[index]
        if low is not None:
            return (low + value) / 2
        if 2 * seen > among:
            return float(value)
        if 2 * seen == among:
            low = value
    raise ValueError("no values")

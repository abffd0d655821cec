"""Figures, amounts and days as people write them, in Dutch (Taalunie: 1.234,56; 22 november 2026) and in English. Pure.

What a page adds to that (a `time` element, clocks, groups of a BSN) stands in `web/notation.py`.
"""

from datetime import date

from sluis.kernel.acting import Level
from sluis.kernel.problem import Text

LEVEL_NAMES: dict[Level, Text] = {
    "basic": Text("basis", "basic"),
    "low": Text("laag", "low"),
    "substantial": Text("substantieel", "substantial"),
    "high": Text("hoog", "high"),
}
"""What levels are called."""

_MONTHS = tuple(
    zip(
        "januari februari maart april mei juni juli augustus september oktober november december".split(),
        "January February March April May June July August September October November December".split(),
        strict=True,
    )
)


def figure(value: int) -> Text:
    """A whole number in groups of three."""
    return grouped(f"{value:,}")


def euros(cents: int) -> Text:
    """An amount of money.

    Args:
        cents: whole eurocents; below zero for what is given back.
    """
    sign, whole = "-" if cents < 0 else "", abs(cents)
    told = grouped(f"{whole // 100:,}.{whole % 100:02}")
    return Text(f"€ {sign}{told.nl}", f"{sign}€{told.en}")


def written_day(day: date) -> Text:
    """A day with its month in words."""
    dutch, english = _MONTHS[day.month - 1]
    return Text(f"{day.day} {dutch} {day.year}", f"{day.day} {english} {day.year}")


def grouped(english: str) -> Text:
    """A number as English writes it, and with the marks of Dutch."""
    return Text(english.translate(str.maketrans(",.", ".,")), english)

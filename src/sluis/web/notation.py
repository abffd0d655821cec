"""How figures, days and numbers of people are written, in Dutch and in English. Pure.

Dutch notation is that of the Taalunie (1.234,56; 22 november 2026; 14.05 uur); pages in English have that of English
(1,234.56), since one and the same figure with a point in it means something else there. A BSN is written in groups of four, two and three.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from sluis.kernel import HERE, euros, figure, grouped, written_day

_HIDDEN = "•"
_LAST = 253_402_200_000  # seconds since the epoch: the last day of the year 9999


def number(value: float, language: str) -> str:
    """A figure in groups of three; a broken one with at most two decimals."""
    told = figure(value) if isinstance(value, int) else grouped(f"{value:,.2f}".rstrip("0").rstrip("."))
    return told.said_in(language)


def amount(cents: float, language: str) -> str:
    """An amount of euros.

    Args:
        cents: as many.
        language: `nl` or `en`.
    """
    return euros(round(cents)).said_in(language)  # a sum may come from a source as a broken number


def bsn(value: str, masked: bool = False) -> str:
    """A BSN in its groups; masked, only the last three digits show. What is no BSN stays as it is, or shows nothing."""
    digits = str.__str__(value)
    if len(digits) != 9:
        return _HIDDEN * 3 if masked else digits
    if masked:
        digits = _HIDDEN * 6 + digits[6:]
    return f"{digits[:4]}.{digits[4:6]}.{digits[6:]}"


def day(one: date, language: str) -> Markup:
    """A day, with its month in words."""
    if isinstance(one, datetime):
        one = as_moment(one).date()
    return Markup('<time datetime="{}">{}</time>').format(one.isoformat(), _day(one, language))


def moment(at: float | datetime, language: str) -> Markup:
    """A moment, as clocks in the Netherlands show it.

    Args:
        at: seconds since the epoch, or a moment with its zone.
        language: `nl` or `en`.
    """
    here = as_moment(at)
    told = f"at {here:%H:%M}" if language == "en" else f"om {here:%H.%M} uur"
    return Markup('<time datetime="{}">{} {}</time>').format(here.isoformat(), _day(here, language), told)


def as_moment(at: float | datetime) -> datetime:
    """A moment in the zone of the Netherlands; arguments as `moment`. What lies beyond the calendar, as another may say of
    itself, is its last day or the epoch: no page is lost on it."""
    if not isinstance(at, datetime):
        at = datetime.fromtimestamp(min(max(at, 0), _LAST) if at == at else 0, UTC)  # only NaN is not itself
    try:
        return at.astimezone(HERE)
    except OverflowError:  # the first hour of the calendar, or the last
        return at


def _day(one: date, language: str) -> str:
    return written_day(one).said_in(language)


def _in_language(write: Callable[..., Any]) -> Callable[..., Any]:
    @pass_context
    def written(context: Context, *values: Any, **named: Any) -> Any:
        return write(*values, **named, language=context["setting"].language)

    return written


WRITERS: Mapping[str, Callable[..., Any]] = {
    **{write.__name__: _in_language(write) for write in (number, amount, day, moment)},
    "bsn": bsn,
    "masked": lambda value: bsn(value, masked=True),
}
"""What templates write with, as filters and as functions, in the language of the page."""

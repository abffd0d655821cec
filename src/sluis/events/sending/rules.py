"""What follows from an answer, and how long to wait: the CloudEvents webhook specification 1.0.2, section 2.2. Pure."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from sluis.events.sending.base import ARRIVED, Result
from sluis.kernel import HERE

FIRST_DELAY, LONGEST_DELAY = 1.0, 3600.0
"""Seconds: what the wait is drawn from after the first failure, and at most. Each failure doubles it."""

LONGEST_WAIT = 6 * 3600.0
"""Seconds that a recipient may ask to be left alone (`Retry-After`)."""

DOWN_AFTER = 3
"""Failures without an arrival in between after which a recipient is taken to be down: then one request is tried at a time."""

_REFUSED = {413: "too-large", 415: "wrong-format"}
_NOT_AUTHORISED = (401, 403, 407)
_LATER = (408, 409, 423, 425)


LONGEST_PROBE = 300.0
"""Seconds between two tries of a recipient that is down, at most."""


def backoff(failures: int, spread: Callable[[], float], longest: float = LONGEST_DELAY) -> float:
    """Seconds to wait after so many failures: drawn evenly from 0 to a bound that doubles (full jitter), so that those who
    failed together do not come back together.

    Args:
        failures: from 1.
        spread: a number from 0 up to 1.
        longest: the bound, in the end.
    """
    return spread() * min(FIRST_DELAY * 2.0 ** min(failures - 1, 30), longest)


def result_of(status: int, retry_after: str | None, now: datetime) -> Result:
    """What an answer comes down to.

    Args:
        status: of HTTP.
        retry_after: the header of that name (RFC 9110 §10.2.3).
        now: aware UTC.
    """
    wait = _seconds(retry_after, now)
    if 200 <= status < 300:
        return Result("arrived", wait=wait) if wait else ARRIVED
    if status == 410:
        return Result("gone", "gone")
    if 300 <= status < 400:
        return Result("again", "redirected", whole=True)
    if status in _NOT_AUTHORISED:
        return Result("again", "not-authorised", wait, whole=True)
    if status == 404:
        return Result("again", "not-found", wait, whole=True)
    if status == 429 or (status == 503 and wait):
        return Result("again", "too-busy", wait or FIRST_DELAY, whole=True)
    if status in _LATER or status >= 500:
        return Result("again", "failed", wait)
    return Result("refused", _REFUSED.get(status, "refused"))


def _seconds(retry_after: str | None, now: datetime) -> float:
    """A wait that was asked for; 0 for none or one that cannot be read."""
    if not retry_after:
        return 0.0
    said = retry_after.strip()
    if said.isdecimal():
        return min(float(said[:12]), LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(said)
    except (ValueError, OverflowError):  # also of a year that no calendar has
        return 0.0
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - now).total_seconds(), 0.0), LONGEST_WAIT)


def quiet_for(quiet: tuple[int, int] | None, now: datetime) -> float:
    """Seconds for which a subscription wants to be left alone now; 0 when it does not.

    Args:
        quiet: minutes of the day, from and until; it may go past midnight.
        now: aware UTC.
    """
    if quiet is None:
        return 0.0
    here = now.astimezone(HERE)
    minute = here.hour * 60 + here.minute
    since, until = quiet
    inside = since <= minute < until if since <= until else minute >= since or minute < until
    if not inside:
        return 0.0
    end = here.replace(hour=until // 60, minute=until % 60, second=0, microsecond=0)
    if end <= here:
        end += timedelta(days=1)
    return (end - here).total_seconds()

"""Who fails too often waits: for whatever could be found by trying.

OWASP ASVS 5.0, 6.3.1. Only failures count, so that many people behind one address can all sign in. The wait has an end,
which is told: nobody stays out, and who locks another out by failing in their name gains minutes.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from ipaddress import ip_address
from typing import Any

import msgspec

from sluis.kernel import Refused, Text
from sluis.web.outgoing import carried

_KEYS = 20_000  # of whom failures are remembered; who failed longest ago is forgotten


class TooOften(Refused):
    """Failed too often (RFC 6585 §4). `seconds`: how long to wait."""

    status = 429

    def __init__(self, seconds: int) -> None:
        minutes = math.ceil(seconds / 60)
        super().__init__(
            "too-often",
            Text("Dit ging te vaak mis.", "This went wrong too often."),
            Text(
                "Daarom kunt u het even niet proberen. Zo beschermen wij u tegen misbruik.",
                "So you cannot try it for a while. This protects you from abuse.",
            ),
            Text(
                f"Wacht {minutes} {'minuut' if minutes == 1 else 'minuten'} en probeer het opnieuw.",
                f"Wait {minutes} minute{'' if minutes == 1 else 's'} and try again.",
            ),
            rule="too-often",
            retry=True,
        )
        self.seconds = seconds


class _Failures(msgspec.Struct):
    count: int = 0
    locks: int = 0
    locked_until: float = 0.0
    forgotten_at: float = 0.0


class Tries:
    """Failures of each who tries: an address, an account.

    Args:
        most: as many failures, each within `seconds` of the one before, lock. After a lock one more failure locks again.
        seconds: how long the first lock lasts; each further one lasts twice as long, `longest` at most. Who does not fail
            for `longest` after a lock begins anew.
        longest: seconds.
        clock: seconds, of a clock that only goes forward.
    """

    def __init__(
        self,
        most: int = 20,
        seconds: float = 300.0,
        longest: float = 3600.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._seconds, self._longest, self._clock = most, seconds, longest, clock
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def check(self, who: str) -> None:
        """Raises `TooOften` while `who` has to wait."""
        failures, now = self._failures.get(who), self._clock()
        if failures is not None and now < failures.locked_until:
            raise TooOften(math.ceil(failures.locked_until - now))

    def failed(self, who: str) -> None:
        """Count a failure."""
        now, failures = self._clock(), self._failures.pop(who, None)
        if failures is None or now >= failures.forgotten_at:
            failures = _Failures()
        failures.count += 1
        failures.forgotten_at = max(failures.forgotten_at, now + self._seconds)
        if failures.count >= self._most:
            failures.count, failures.locks = self._most - 1, failures.locks + 1
            wait = min(self._seconds * 2 ** min(failures.locks - 1, 20), self._longest)
            failures.locked_until = now + wait
            failures.forgotten_at = failures.locked_until + self._longest
        self._failures[who] = failures
        if len(self._failures) > _KEYS:
            self._failures.popitem(last=False)


def address_of(scope: Any) -> str:
    """Where a request comes from, as far as it counts as one address; `-` when that is not known."""
    client = scope.get("client")
    return neighbourhood(client[0]) if client else "-"


def neighbourhood(address: str) -> str:
    """What counts as one address: of IPv6 the /64, which one connection has as a whole. An IPv4 address that IPv6 only carries
    counts as itself: on a listener for both, and behind a translator, all of IPv4 lies in one /64."""
    try:
        found = carried(ip_address(address))
    except ValueError:
        return address
    return str(found) if found.version == 4 else str(ip_address(int(found) >> 64 << 64))

"""How fast somebody may ask for pages: far faster than people do, and no faster than leaves room for others (OWASP ASVS 5.0, 2.4.1).

A bucket of tokens for each person who is signed in, and a larger one for each address of those who are not: behind one address
there may be an office. What takes a node much work and anybody may ask, such as a search, counts for more than one page there: an
office has enough for all who work in it, and a program at one address cannot keep a node busy. What waits is told how long.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from sluis.kernel import Refused, Text

_KEYS = 20_000  # of whom it is known how fast they ask; who asked longest ago begins anew


class TooFast(Refused):
    """Asked too much too fast (RFC 6585 §4). `seconds`: how long to wait."""

    status = 429

    def __init__(self, seconds: int) -> None:
        super().__init__(
            "too-fast",
            Text("U vraagt te veel pagina's achter elkaar.", "You ask for too many pages at once."),
            Text("Daarom wacht deze pagina even, zodat er voor anderen plaats blijft.",
                 "So this page waits a moment, and leaves room for others."),
            Text(f"Wacht {seconds} {'seconde' if seconds == 1 else 'seconden'} en ververs de pagina.",
                 f"Wait {seconds} second{'' if seconds == 1 else 's'} and reload the page."),
            rule="too-fast",
            retry=True,
        )  # fmt: skip
        self.seconds = seconds


class Pace:
    """What each who asks has left.

    Args:
        person: pages at once of somebody who is signed in, and of these a second.
        address: the same of an address, for all there who are not.
        clock: seconds, of a clock that only goes forward.
    """

    def __init__(
        self,
        person: tuple[int, int] = (2_000, 100),
        address: tuple[int, int] = (5_000, 300),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._person, self._address, self._clock = person, address, clock
        self._left: OrderedDict[tuple[bool, str], tuple[float, float]] = OrderedDict()

    def take(self, who: str, known: bool, pages: int = 1) -> None:
        """Count a page.

        Args:
            who: the person, or the address.
            known: whether it is a person.
            pages: for how many it counts.

        Raises `TooFast` when there is nothing left.
        """
        most, speed = self._person if known else self._address
        now, key = self._clock(), (known, who)
        left, since = self._left.pop(key, (float(most), now))
        left = min(most, left + (now - since) * speed)
        self._left[key] = (left - pages if left >= pages else left, now)
        if len(self._left) > _KEYS:
            self._left.popitem(last=False)
        if left < pages:
            raise TooFast(math.ceil((pages - left) / speed))

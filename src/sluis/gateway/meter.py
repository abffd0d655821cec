"""What a gateway counts about itself: requests, refusals and how long it took. For a metrics route to print.

Labels are few and bounded: which side, the class of the status, the error code. Never a peer's path, never a person.
"""

from bisect import bisect_left
from collections import Counter

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram, in seconds; what took longer is in one more."""


class Meter:
    """Counts of one side (inway or outway) since it started. Only ever goes up.

    Attributes:
        requests: by class of the status (2 for 2xx); 0 when no answer was given.
        refusals: by error code, of what this side itself refused.
        seconds: how many requests took at most as long as the bound in the same place of `BOUNDS`, and no less bound.
        total: seconds of all requests together, to the last byte of the answer.
        upward: bytes of request bodies.
        downward: bytes of answers' bodies.
    """

    def __init__(self) -> None:
        self.requests = Counter[int]()
        self.refusals = Counter[str]()
        self.seconds = [0] * (len(BOUNDS) + 1)
        self.total = 0.0
        self.upward = self.downward = 0

    def count(self, status: int, seconds: float, times: int = 1) -> None:
        """A request was dealt with; or so many, each with this status in this time."""
        self.requests[status // 100] += times
        self.seconds[bisect_left(BOUNDS, seconds)] += times
        self.total += seconds * times

    def refuse(self, fsc_code: str, times: int = 1) -> None:
        """A request was refused on this side; or so many."""
        self.refusals[fsc_code] += times

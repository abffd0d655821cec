"""What one peer may ask of a Manager, so that the others always get an answer. Any peer of a group may call, and one of
them may have been broken into."""

import logging
import time

from sluis.gateway.allowance import Allowance

log = logging.getLogger("sluis.manager")

AT_ONCE, A_SECOND = 20_000, 1000
"""Of a peer; a simple request counts for one. That is some hundred contracts or lists a second, and thousands after a
rest: far more than peers that mean well ask of each other."""

_COSTS = {
    ("POST", "/v1/contracts"): 5,
    ("PUT", "/v1/contracts/{hash}/accept"): 5,
    ("PUT", "/v1/contracts/{hash}/reject"): 5,
    ("PUT", "/v1/contracts/{hash}/revoke"): 5,
    ("GET", "/v1/contracts"): 20,
    ("GET", "/v1/peers"): 20,
    ("GET", "/v1/services"): 20,
    ("GET", "/v1/logs"): 20,
    ("POST", "/v1/token"): 2,
}
_BYTES = 4096  # sent or received; so many count for one
_TELL_AGAIN = 600.0  # seconds


class Shares:
    """The shares of all peers."""

    def __init__(self) -> None:
        self._allowance = Allowance(AT_ONCE, A_SECOND)
        self._told: dict[tuple[str, str], float] = {}

    def wait(self, peer: str, method: str, route: str) -> float:
        """How many seconds a peer must wait before it may ask this; zero when it may, and then it counts."""
        return self._allowance.wait(peer, _COSTS.get((method, route), 1), time.monotonic())

    def carried(self, peer: str, size: int) -> None:
        """So many bytes came from a peer, or went to it."""
        self._allowance.charge(peer, size / _BYTES, time.monotonic())

    def tell(self, peer: str, code: str) -> None:
        """Tell the operator that a peer is at a bound; not each time, or that would be how to fill the log."""
        now = time.monotonic()
        if now >= self._told.get((peer, code), 0.0):
            self._told[peer, code] = now + _TELL_AGAIN
            log.warning("%s is told to wait: %s", peer, code)

"""When a peer does not answer: how long it is left alone, so that nobody waits for what will not come. Pure.

After some failures in a row the circuit opens: for a while no request goes out. Then one is let through as a trial;
its outcome closes the circuit, or opens it again for twice as long. Half of each pause is drawn by lot, so that the
outways of a group do not all come back at one moment.
"""

import random
from collections.abc import Callable
from typing import Literal

import msgspec

FAILURES = 5
"""In a row, before the circuit opens."""

FIRST, LONGEST = 1.0, 30.0
"""Seconds of the first pause, and of the longest."""


class _Circuit(msgspec.Struct):
    """Of one peer: failures in a row, the pause it is in, and when that ends."""

    failures: int = 0
    pause: float = 0.0
    until: float = 0.0
    trial: bool = False


State = Literal["closed", "half-open", "open"]
"""Requests go out; one may go out as a trial, or is under way; none goes out."""


class Standing(msgspec.Struct, frozen=True):
    """How the circuit of one peer stands.

    Attributes:
        state: as it is now.
        failures: in a row.
        seconds: until a request may go out as a trial; 0 when one may.
    """

    state: State = "closed"
    failures: int = 0
    seconds: float = 0.0


class Breaker:
    """The circuits of all peers. A peer that answers costs one look into an empty dict.

    Args:
        draw: a number from 0 to 1, by lot.
    """

    def __init__(self, draw: Callable[[], float] = random.random) -> None:
        self._draw = draw
        self._circuits: dict[str, _Circuit] = {}

    def closed(self, peer: str, now: float) -> bool:
        """Whether a request may go to a peer; the first after a pause goes as its trial.

        Args:
            peer: any name for where it goes.
            now: seconds of a clock that never goes back.
        """
        circuit = self._circuits.get(peer)
        if circuit is None or circuit.failures < FAILURES:
            return True
        if now < circuit.until:
            return False
        circuit.trial = True
        circuit.until = now + circuit.pause  # the trial; who comes meanwhile waits a pause for how it goes
        return True

    def answered(self, peer: str) -> None:
        """The peer answered, whatever it said."""
        if self._circuits:
            self._circuits.pop(peer, None)

    def failed(self, peer: str, now: float) -> None:
        """The peer could not be reached, or did not answer."""
        circuit = self._circuits.setdefault(peer, _Circuit())
        circuit.failures += 1
        circuit.trial = False
        if circuit.failures >= FAILURES:
            circuit.pause = min(max(FIRST, circuit.pause * 2), LONGEST)
            circuit.until = now + circuit.pause * (1 + self._draw()) / 2

    def standing(self, peer: str, now: float) -> Standing:
        """How the circuit of a peer stands; nothing changes by asking."""
        circuit = self._circuits.get(peer)
        if circuit is None or circuit.failures < FAILURES:
            return Standing(failures=circuit.failures if circuit else 0)
        left = max(circuit.until - now, 0.0)
        state: State = "open" if left and not circuit.trial else "half-open"
        return Standing(state, circuit.failures, left)

    def end_pause(self, peer: str, now: float) -> None:
        """The next request to a peer may go now, as its trial."""
        circuit = self._circuits.get(peer)
        if circuit is not None:
            circuit.until, circuit.trial = now, False

    def paused(self) -> int:
        """How many peers are left alone, or on trial."""
        return sum(one.failures >= FAILURES for one in list(self._circuits.values()))

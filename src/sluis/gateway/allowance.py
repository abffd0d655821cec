"""How much one peer may ask of this node, so that no peer can take what the others need. Pure.

Each has an allowance of its own: so much at once, and so much more each second (a token bucket).
"""


class Allowance:
    """The allowances of all peers; for one thread at a time.

    Args:
        at_once: what one that asked nothing for long may use at once, in any unit.
        a_second: what is added to it each second.
    """

    def __init__(self, at_once: float, a_second: float) -> None:
        self._at_once, self._a_second = at_once, a_second
        self._left: dict[str, tuple[float, float]] = {}

    def wait(self, who: str, amount: float, now: float) -> float:
        """Use some of it, when there is enough.

        Args:
            who: a name that nobody can make up at will, such as a Peer ID that was proved.
            amount: at most `at_once`.
            now: seconds of a clock that does not go back.

        Returns: zero when it was used; else nothing was, and after so many seconds there is enough.
        """
        left = self._now(who, now)
        if left < amount:
            return (amount - left) / self._a_second
        self._left[who] = left - amount, now
        return 0.0

    def charge(self, who: str, amount: float, now: float) -> None:
        """Use what was only known afterwards, also when there is not enough; arguments as `wait`."""
        self._left[who] = self._now(who, now) - amount, now

    def _now(self, who: str, now: float) -> float:
        left, then = self._left.get(who, (self._at_once, now))
        return min(self._at_once, left + max(now - then, 0.0) * self._a_second)

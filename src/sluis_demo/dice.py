"""A small random source whose numbers stay the same on every machine and in every Python release.

SplitMix64 (Steele, Lea, Flood 2014). For invented people only; secrets come from `crypto`.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TypeVar

T = TypeVar("T")
_MASK = (1 << 64) - 1


class Dice:
    """Repeatable choices. The same seed gives the same row of choices."""

    def __init__(self, seed: int) -> None:
        self._state = seed & _MASK

    def below(self, limit: int) -> int:
        """A whole number from 0 up to and excluding `limit`."""
        self._state = (self._state + 0x9E3779B97F4A7C15) & _MASK
        value = self._state
        value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
        return (value ^ (value >> 31)) % limit

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` up to and including `high`."""
        return low + self.below(high - low + 1)

    def chance(self, percent: int) -> bool:
        """True in `percent` of a hundred throws."""
        return self.below(100) < percent

    def pick(self, choices: Sequence[T]) -> T:
        """One of the choices, each as likely."""
        return choices[self.below(len(choices))]

    def weighted(self, choices: Sequence[tuple[T, int]]) -> T:
        """One of the choices, as likely as its weight says."""
        throw = self.below(sum(weight for _, weight in choices))
        for choice, weight in choices:
            throw -= weight
            if throw < 0:
                return choice
        raise ValueError("weights must be positive")

    def day(self, since: date, until: date) -> date:
        """A day from `since` up to and including `until`."""
        return since + timedelta(days=self.below((until - since).days + 1))

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """The same items in another order (Fisher-Yates)."""
        deck = list(items)
        for last in range(len(deck) - 1, 0, -1):
            other = self.below(last + 1)
            deck[last], deck[other] = deck[other], deck[last]
        return deck

"""The decision point: facts come in, yes or no and a disclosure id come out. Whoever asks it writes the record."""

from sluis.policy.model import Decision, Facts
from sluis.policy.rules import decide

__all__ = ["Decision", "Facts", "decide"]

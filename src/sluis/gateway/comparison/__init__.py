"""The transaction logs of both ends of every crossing, compared."""

from sluis.gateway.comparison.model import ALARMS, KINDS, Remote, Seen
from sluis.gateway.comparison.rules import SKEW
from sluis.gateway.comparison.service import Comparison, open_comparison

__all__ = ["ALARMS", "KINDS", "SKEW", "Comparison", "Remote", "Seen", "open_comparison"]

"""Declarations that a node keeps: what it offers, publishes and connects to."""

from sluis.gateway.applying.model import Outcome
from sluis.gateway.applying.service import Applying, open_applying

__all__ = ["Applying", "Outcome", "open_applying"]

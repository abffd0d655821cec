"""The owner's side of a question: parse again, decide, enforce, read, log, stream, receipt."""

from sluis.disclose.http import routes
from sluis.disclose.model import Bounds, Consultation
from sluis.disclose.records import Log
from sluis.disclose.service import Budget, Discloser
from sluis.disclose.sql import StoredBudget, open_budget

__all__ = ["Bounds", "Budget", "Consultation", "Discloser", "Log", "StoredBudget", "open_budget", "routes"]

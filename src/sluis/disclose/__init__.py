"""The owner's side of a question: parse again, decide, enforce, read, log, stream, receipt."""

from sluis.disclose.model import Bounds, Consultation, Face
from sluis.disclose.records import Log, Refusals
from sluis.disclose.service import Budget, Discloser
from sluis.disclose.sql import StoredBudget, open_budget

__all__ = [
    "Bounds",
    "Budget",
    "Consultation",
    "Discloser",
    "Face",
    "Log",
    "Refusals",
    "StoredBudget",
    "open_budget",
]

"""The decision point: facts come in; yes or no, and which disclosure applies, come out, with the record of it."""

from sluis.policy.disclosures import rulings_of
from sluis.policy.model import (
    CONSULT,
    Action,
    Decided,
    Evaluation,
    Policies,
    Resource,
    Subject,
    consultation,
)
from sluis.policy.service import DecisionPoint

__all__ = [
    "CONSULT",
    "Action",
    "Decided",
    "DecisionPoint",
    "Evaluation",
    "Policies",
    "Resource",
    "Subject",
    "consultation",
    "rulings_of",
]

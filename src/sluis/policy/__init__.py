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
from sluis.policy.standard import (
    CHANGE_GROUP,
    GROUP,
    LOG,
    READ_GROUP,
    READ_LOG,
    STANDARD,
    asking,
    person,
)

__all__ = [
    "CHANGE_GROUP",
    "CONSULT",
    "GROUP",
    "LOG",
    "READ_GROUP",
    "READ_LOG",
    "STANDARD",
    "Action",
    "Decided",
    "DecisionPoint",
    "Evaluation",
    "Policies",
    "Resource",
    "Subject",
    "asking",
    "consultation",
    "person",
    "rulings_of",
]

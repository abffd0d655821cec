"""What the operator of a node does with its gateway."""

from sluis.gateway.operating.http import routes
from sluis.gateway.operating.model import (
    Act,
    ContractView,
    Diagnosis,
    GrantView,
    PeerView,
    ServiceView,
    Step,
    Way,
    Wish,
)
from sluis.gateway.operating.service import Operator, open_operator

__all__ = [
    "Act",
    "ContractView",
    "Diagnosis",
    "GrantView",
    "Operator",
    "PeerView",
    "ServiceView",
    "Step",
    "Way",
    "Wish",
    "open_operator",
    "routes",
]

"""What the operator of a node does with its gateway."""

from sluis.gateway.operating.http import routes
from sluis.gateway.operating.model import Diagnosis, Step
from sluis.gateway.operating.service import Operator, open_operator

__all__ = ["Diagnosis", "Operator", "Step", "open_operator", "routes"]

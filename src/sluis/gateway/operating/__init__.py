"""What the operator of a node does with its gateway."""

from sluis.gateway.operating.http import routes
from sluis.gateway.operating.service import Operator, open_operator

__all__ = ["Operator", "open_operator", "routes"]

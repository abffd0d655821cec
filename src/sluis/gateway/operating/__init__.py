"""What the operator of a node does with its gateway."""

from sluis.gateway.operating.http import ADMIN, READONLY, routes
from sluis.gateway.operating.service import Operator, open_operator

__all__ = ["ADMIN", "READONLY", "Operator", "open_operator", "routes"]

"""All pages of this room together, and what the menu shows of them."""

from litestar.handlers import HTTPRouteHandler

from sluis.gateway.membership import Membership
from sluis.gateway.operating import Operator
from sluis.gateway.pages.contracts import Activities, Desk, contract_routes
from sluis.gateway.pages.requesting import request_routes
from sluis.gateway.pages.rights import AGREES, may_in_group
from sluis.kernel import Clock, Text
from sluis.web import Entry, Gate

NAVIGATION = (Entry("/contracts", Text("Contracten", "Contracts"), ("staff",), roles=AGREES, section="node"),)
"""What the layout shows of this room."""


def page_routes(
    membership: Membership, operator: Operator, gate: Gate, activities: Activities, clock: Clock
) -> list[HTTPRouteHandler]:
    """The pages about the group.

    Args:
        membership: of the node.
        operator: its operator's side.
        gate: asks who may.
        activities: what this organisation's processing activities are called, by URI.
        clock: aware UTC.
    """
    desk = Desk(membership, operator, activities, clock)
    may = may_in_group(gate, desk.own)
    return [*request_routes(desk, may), *contract_routes(desk, may)]

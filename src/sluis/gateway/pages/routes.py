"""All pages of this room together, and what the menu shows of them."""

from collections.abc import Sequence

from litestar.handlers import HTTPRouteHandler

from sluis.gateway.membership import Membership
from sluis.gateway.operating import Operator
from sluis.gateway.pages.contracts import Activities, Desk, contract_routes
from sluis.gateway.pages.examining import Part, examining_routes
from sluis.gateway.pages.neighbours import Neighbours
from sluis.gateway.pages.peers import Own, peer_routes
from sluis.gateway.pages.requesting import request_routes
from sluis.gateway.pages.rights import AGREES, LOOKS, May
from sluis.gateway.pages.watching import watching_routes
from sluis.gateway.traffic import Traffic
from sluis.kernel import Clock, Text
from sluis.web import Entry, Gate

NAVIGATION = (
    Entry("/contracts", Text("Contracten", "Contracts"), ("staff",), roles=AGREES, section="node"),
    Entry("/peers", Text("Organisaties", "Organisations"), ("staff",), roles=LOOKS, section="node"),
    Entry("/map", Text("Kaart", "Map"), ("staff",), roles=LOOKS, section="node"),
    Entry("/traffic", Text("Verkeer", "Traffic"), ("staff",), roles=LOOKS, section="node"),
    Entry("/certificates", Text("Certificaten", "Certificates"), ("staff",), roles=LOOKS, section="node"),
    Entry("/doctor", Text("De dokter", "The doctor"), ("staff",), roles=LOOKS, section="node"),
)
"""What the layout shows of this room."""


def page_routes(
    membership: Membership,
    operator: Operator,
    traffic: Traffic,
    own: Own,
    others: Sequence[Part],
    gate: Gate,
    activities: Activities,
    clock: Clock,
) -> list[HTTPRouteHandler]:
    """The pages about the group.

    Args:
        membership: of the node.
        operator: its operator's side.
        traffic: what passed.
        own: certificates, and lists of revoked ones.
        others: what else the doctor looks at.
        gate: asks who may.
        activities: what this organisation's processing activities are called, by URI.
        clock: aware UTC.
    """
    desk = Desk(membership, operator, activities, clock)
    may, neighbours = May(gate, desk.own), Neighbours(desk, traffic)
    return [
        *request_routes(desk, may),
        *contract_routes(desk, may),
        *peer_routes(desk, neighbours, own, may),
        *watching_routes(desk, neighbours, traffic, may),
        *examining_routes(desk, neighbours, others, may),
    ]

"""The pages for who runs the node: what the rooms of gateway and events show of it, in the portal."""

from litestar.handlers import HTTPRouteHandler

from sluis.gateway import GROUP_NAVIGATION, group_page_routes
from sluis.serve.parts import Parts
from sluis.web import Entry, Gate


def administering_routes(parts: Parts) -> list[HTTPRouteHandler]:
    """These pages; those about the group only where there is one."""
    gate = Gate(parts.point)
    if parts.membership is None or parts.operator is None:
        return []
    return group_page_routes(parts.membership, parts.operator, gate, parts.activities, parts.events.clock)


def administering_navigation(parts: Parts) -> tuple[Entry, ...]:
    """What the menu shows of them."""
    return GROUP_NAVIGATION if parts.membership else ()

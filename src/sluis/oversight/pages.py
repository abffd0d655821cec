"""Pages for the privacy officer and the auditor, gathered; and the first of them, which says what asks for a look."""

import asyncio
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from sluis.kernel import Text
from sluis.oversight.decision_pages import decision_routes
from sluis.oversight.desk import ROLES, Desk
from sluis.oversight.log_pages import log_routes
from sluis.oversight.register_pages import register_routes
from sluis.oversight.service import Oversight
from sluis.oversight.unusual_pages import unusual_routes
from sluis.web import STAFF, Entry, Gate, SignedIn, page

_FOR: dict[str, Any] = {"audiences": ("staff",), "roles": ROLES, "section": "oversight"}
NAVIGATION = (
    Entry("/oversight", Text("Toezicht", "Oversight"), **_FOR),
    Entry("/register", Text("Register van verwerkingen", "Register of processing"), **_FOR),
    Entry("/oversight/decisions", Text("Besluiten en weigeringen", "Decisions and refusals"), **_FOR),
    Entry("/oversight/log", Text("Logboek narekenen", "Verify the log"), **_FOR),
    Entry("/oversight/unusual", Text("Ongewoon gebruik", "Unusual use"), **_FOR),
)
"""What the layout shows of these pages."""


def page_routes(oversight: Oversight, gate: Gate) -> list[HTTPRouteHandler]:
    """These pages.

    Args:
        oversight: of this node.
        gate: asks the decision point who may.
    """
    desk = Desk(oversight, gate)

    @get("/oversight", opt=STAFF)
    async def first(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Wat om aandacht vraagt."""
        await desk.may_read(person)
        entries = await oversight.entries()
        standings, counts, glance, checks = await asyncio.gather(
            asyncio.to_thread(oversight.reviews.standings, entries),
            asyncio.to_thread(oversight.findings.counts),
            asyncio.to_thread(oversight.checking.glance),
            asyncio.to_thread(oversight.checking.checks, 1),
        )
        every = standings.values()
        return page(
            request, "oversight/first.html", entries=len(entries), late=sum(one.state in ("never", "overdue") for one in every),
            changed=sum(bool(one.changed) for one in every), fresh=sum(fresh for fresh, _ in counts.values()), glance=glance,
            checked=checks[0] if checks else None, place=await asyncio.to_thread(oversight.summary.place),
        )  # fmt: skip

    return [first, *register_routes(desk), *decision_routes(desk), *log_routes(desk), *unusual_routes(desk)]

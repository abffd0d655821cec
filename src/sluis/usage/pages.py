"""What was used and what it costs, for officials who may see it: a list per month, and a statement to print or take along."""

from datetime import timedelta
from typing import Any

from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler

from sluis.kernel import PeerId, Text
from sluis.policy import READ_USAGE, USAGE, Resource
from sluis.usage.http import not_yours
from sluis.usage.rules import after, read_month
from sluis.usage.service import Usage
from sluis.usage.views import COLUMNS, LINES, SIDES, lines_of_statement, row_of
from sluis.web import STAFF, Entry, Gate, Listing, SignedIn, arranged, asked_in, export, page, setting_of

USAGE_NAVIGATION = (
    Entry(
        "/usage", Text("Gebruik en kosten", "Usage and costs"), ("staff",), roles=("finance", "data-owner", "fsc-admin"),
        section="owner",
    ),
)  # fmt: skip


def usage_page_routes(
    usage: Usage, gate: Gate, own: PeerId, activities: dict[str, Text]
) -> list[HTTPRouteHandler]:
    """The pages of this room.

    Args:
        usage: what was used.
        gate: asks who may see it.
        own: this node.
        activities: what processing activities are called, by URI.
    """
    here = Resource(USAGE, str.__str__(own))

    @get("/usage", opt=STAFF)
    async def listed(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """What was used in a month."""
        await gate.require(person, READ_USAGE, here, not_yours())
        month = read_month(request.query_params.get("month") or "") or usage.this_month()
        found = await usage.statements(month)
        asked = asked_in(request, COLUMNS, keep=("month",), sort="-total")
        language = setting_of(request).language
        view = arranged(
            Text("Wat er gebruikt is", "What was used"), COLUMNS, [row_of(one, activities) for one in found], asked, language,
            exports=True, nothing=Text("In deze maand is niets gebruikt.", "Nothing was used in this month."),
        )  # fmt: skip
        if asked.form:
            return await export(view, f"gebruik-{month:%Y-%m}", language)
        pays = sum(one.total for one in found if one.agreed.side == "use")
        gets = sum(one.total for one in found if one.agreed.side == "supply")
        months = [*(await usage.months())[:36]]
        return page(
            request, "usage/list.html", view=view, month=month, months=sorted({*months, month}, reverse=True), pays=pays, gets=gets,
            final=bool(found) and all(one.final for one in found),
        )  # fmt: skip

    @get("/usage/{number:str}", opt=STAFF)
    async def one(person: SignedIn, request: Request[Any, Any, Any], number: str) -> Response[bytes]:
        """A statement, to read, to print, or as CSV or JSON."""
        await gate.require(person, READ_USAGE, here, not_yours())
        found, language = await usage.statement(number[:20]), setting_of(request).language
        asked = asked_in(request, LINES)
        view = Listing(Text("Regels", "Lines"), LINES, tuple(lines_of_statement(found)), asked, exports=True)
        if asked.form:
            return await export(view, f"overzicht-{found.number}", language)
        return page(
            request, "usage/one.html", one=found, view=view, side=SIDES[found.agreed.side],
            activity=activities.get(found.agreed.activity, found.agreed.activity),
        )  # fmt: skip

    @get("/usage/{number:str}/print", opt=STAFF)
    async def printed(person: SignedIn, request: Request[Any, Any, Any], number: str) -> Response[bytes]:
        """A statement as it goes on paper, or into a PDF that the browser makes."""
        await gate.require(person, READ_USAGE, here, not_yours())
        found = await usage.statement(number[:20])
        return page(
            request, "usage/print.html", one=found, last=after(found.month) - timedelta(days=1),
            activity=activities.get(found.agreed.activity, found.agreed.activity), organisation=setting_of(request).organisation,
        )  # fmt: skip

    return [listed, one, printed]

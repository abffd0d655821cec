"""Where staff handle what people ask: reports of mistakes for who owns the data, the rights of the AVG for the privacy officer.

A list says what there is and how far it is, and nothing of anybody; what somebody asks comes as the answer to a form, and is a record
in the log.
"""

from typing import Any, Literal

from litestar import Request as HttpRequest
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.kernel import PeerId, Problem, Text
from sluis.policy import CHANGE_REPORTS, CHANGE_RIGHTS, READ_REPORTS, READ_RIGHTS, REQUESTS, Resource
from sluis.rights import rules
from sluis.rights.model import FOLLOWS, KINDS, REASONED, Kind, Reached, Request, State
from sluis.rights.saying import KIND_NAMES, NUMBERS, STATE_NAMES, hint_of, not_your_desk, state_name
from sluis.rights.service import OPEN, SHOWN, Rights
from sluis.web import STAFF, Cell, Column, Entry, Form, Gate, Listing, Row, SignedIn, asked_in, page, redirect

NAVIGATION = (
    Entry(
        "/desk/corrections", Text("Meldingen van fouten", "Reports of mistakes"), ("staff",),
        roles=("data-owner", "privacy-officer"), section="owner",
    ),
    Entry(
        "/desk/rights", Text("Verzoeken over gegevens", "Requests about data"), ("staff",),
        roles=("privacy-officer",), section="oversight",
    ),
)  # fmt: skip
"""What the layout shows of these pages."""

_CLOSED: tuple[State, ...] = tuple(one for one in FOLLOWS if one not in OPEN)
_STATES: dict[str, tuple[State, ...]] = {"open": OPEN, "closed": _CLOSED, "all": (*OPEN, *_CLOSED)}
_TONES: dict[State, Literal["plain", "ok", "warning", "error"]] = {
    "received": "warning",
    "granted": "ok",
    "partly": "ok",
}
_CAPTIONS = {
    "open": Text("Nog te doen", "To do"),
    "closed": Text("Afgehandeld", "Finished"),
    "all": Text("Alles", "All"),
}
_NOTHING = Text(
    "Er ligt niets. Komt er iets binnen, dan staat het hier.",
    "There is nothing. When something comes in, it is listed here.",
)
_CONFIRMED, _UNCONFIRMED = Text("bevestigd", "confirmed"), Text("niet bevestigd", "not confirmed")
_COLUMNS = (
    Column("number", Text("Nummer", "Number")),
    Column("kind", Text("Soort", "Kind")),
    Column("data", Text("Gegevens", "Data"), foreign=True),
    Column("by-way-of", Text("Gedaan bij", "Made at"), foreign=True),
    Column("whose", Text("Wie het vraagt", "Who asks it")),
    Column("received", Text("Ontvangen", "Received"), kind="moment"),
    Column("answer-by", Text("Antwoord uiterlijk", "Answer by"), kind="day"),
    Column("state", Text("Stand", "State")),
)


def desk_routes(rights: Rights, gate: Gate, own: PeerId) -> list[HTTPRouteHandler]:
    """These pages.

    Args:
        rights: requests.
        gate: asks who may.
        own: this node.
    """
    others: tuple[Kind, ...] = tuple(one for one in KINDS if one != "correction")
    return [
        *_desk(rights, gate, own, "/desk/corrections", ("correction",), READ_REPORTS, CHANGE_REPORTS),
        *_desk(rights, gate, own, "/desk/rights", others, READ_RIGHTS, CHANGE_RIGHTS),
    ]


def _desk(
    rights: Rights,
    gate: Gate,
    own: PeerId,
    path: str,
    kinds: tuple[Kind, ...],
    read: str,
    change: str,
) -> list[HTTPRouteHandler]:
    names = {str.__str__(peer): name for peer, name in rights.names.items()}

    async def may(person: SignedIn, action: str) -> None:
        await gate.require(person, action, Resource(REQUESTS, str.__str__(own)), not_your_desk())

    def row(one: Request) -> Row:
        about = one.content.about
        return Row(
            (
                one.receipt,
                KIND_NAMES[one.kind],
                about.title or about.dataset or about.activity or None,
                names.get(str.__str__(one.peer), str.__str__(one.peer)),
                Cell(_CONFIRMED) if one.content.confirmed else Cell(_UNCONFIRMED, tone="warning"),
                one.created,
                None
                if one.finished
                else rules.answer_by(one.kind, one.content.steps, one.content.whom.company),
                Cell(state_name(one.kind, one.state), tone=_TONES.get(one.state, "plain")),
            ),
            one,
        )

    @get(path, opt=STAFF)
    async def listed(
        person: SignedIn,
        request: HttpRequest[Any, Any, Any],
        show: Literal["open", "closed", "all"] = "open",
        done: str = "",
    ) -> Response[bytes]:
        """Wat er binnenkwam, en hoe ver het is."""
        await may(person, read)
        asked = asked_in(request, _COLUMNS, keep=("show",), size=SHOWN)
        found, total = await rights.desk(kinds, _STATES[show], asked.page)
        view = Listing(_CAPTIONS[show], _COLUMNS, tuple(map(row, found)), asked, total, nothing=_NOTHING)
        return page(request, "rights/desk.html", view=view, show=show, path=path, done=done[:14])

    def one_page(
        request: HttpRequest[Any, Any, Any],
        person: SignedIn,
        found: Request,
        wrong: Problem | None = None,
        reason: str = "",
        state: str = "",
    ) -> Response[bytes]:
        return page(
            request, "rights/desk_request.html", status=wrong.status if wrong else 200, one=found, path=path, names=names,
            kinds=KIND_NAMES, hint=hint_of, numbers=NUMBERS, state_name=state_name, after=FOLLOWS[found.state], reasoned=REASONED,
            answer_by=rules.answer_by, term=rules.term_of, wrong=wrong, reason=reason, chosen=state,
            changes=gate.offers(person, change, Resource(REQUESTS, str.__str__(own))),
        )  # fmt: skip

    @post(f"{path}/open", opt=STAFF, status_code=200)
    async def opened(person: SignedIn, form: Form, request: HttpRequest[Any, Any, Any]) -> Response[bytes]:
        """Eén verzoek, met wat de aanvrager schreef."""
        await may(person, read)
        found = await rights.opened(person.acting.person, *_key(form), kinds)
        return one_page(request, person, found)

    @post(f"{path}/decide", opt={**STAFF, "words": {"state": STATE_NAMES}}, status_code=200)
    async def decide(person: SignedIn, form: Form, request: HttpRequest[Any, Any, Any]) -> Response[Any]:
        """Breng een verzoek verder, en laat het de aanvrager weten."""
        await may(person, change)
        by, key = person.acting.person, _key(form)
        state, reason = form.get("state", "")[:20], form.get("reason", "")
        try:
            await rights.decide(by, *key, kinds, _state(state), reason)
        except Problem as problem:
            if problem.status not in (400, 409):
                raise
            return one_page(request, person, await rights.opened(by, *key, kinds), problem, reason, state)
        return redirect(path, done=key[1])

    return [listed, opened, decide]


def _key(form: Form) -> tuple[str, str]:
    return form.get("peer", "")[:40], form.get("receipt", "")[:20]


def _state(text: str) -> Reached:
    """The state that was chosen; the first one, which follows none, for what is no state."""
    reached: tuple[Reached, ...] = ("investigating", "extended", "granted", "partly", "refused")
    return next((one for one in reached if one == text), "received")

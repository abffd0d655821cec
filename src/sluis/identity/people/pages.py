"""Mandates and contact persons, as people see them: give, accept, sign with another, revoke; and finding one's own company.

What may be done here is decided by the room itself, at every request; a page only asks. A code of an invitation is shown once
and never stands in an address.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.identity.people import rules
from sluis.identity.people.mandates import Mandates
from sluis.identity.people.model import ANY, Contact, Mandate, Terms, Vouched
from sluis.identity.people.service import People
from sluis.identity.people.shown import TOLD, chosen_services, day_after
from sluis.identity.register import urn_of
from sluis.kernel import HERE, Acting, Invalid, Kvk, NotFound, Oin, Refused, Rsin, Text, beginning
from sluis.web import Entry, Form, SignedIn, Tries, at_field, page, redirect, required_day

NAVIGATION = (
    Entry(
        "/mandates",
        Text("Machtigingen", "Mandates"),
        ("citizen", "company"),
        section="account",
        about=Text(
            "Laat een ander voor u handelen, of aanvaard dat u het voor een ander doet.",
            "Let another act for you, or accept to act for another.",
        ),
    ),
    Entry(
        "/acts",
        Text("Samen tekenen", "Signing together"),
        ("citizen", "company"),
        section="account",
        about=Text("Teken wat een medebestuurder vroeg.", "Sign what a fellow director asked for."),
    ),
    Entry(
        "/contacts",
        Text("Contactpersonen", "Contact persons"),
        ("company",),
        section="account",
        about=Text("Wie wij bij uw bedrijf bereiken.", "Whom we reach at your company."),
    ),
    Entry(
        "/guardians",
        Text("Wettelijk vertegenwoordigers", "Guardians"),
        ("staff",),
        roles=("people-admin", "privacy-officer"),
        section="oversight",
        about=Text(
            "Leg vast wie volgens de wet voor een ander handelt: ouder, curator of bewindvoerder.",
            "Write down who acts for another by law: parent, curator or administrator.",
        ),
    ),
)
"""What the layout shows of this room."""

_PEOPLE = {"audience": ("citizen", "company"), "represents": False}
"""The room decides itself, and who may act for a company no more can still see what was agreed, and end it."""

_SURELY = {**_PEOPLE, "level": "substantial"}
"""Giving away authority asks to be sure who does it; taking it back does not."""

WRONG_CODES = 5
"""That one person may fill in before they have to wait: five minutes, and longer each time."""

SHOWN = 200
"""Mandates in one list of a page."""

_EUROS = re.compile(r"(\d{1,3}(?:\.\d{3})+|\d{1,12})(?:,(\d{2}))?", re.ASCII)

VouchedOf = Callable[[SignedIn], Vouched | None]


def page_routes(people: People, vouched: VouchedOf) -> list[HTTPRouteHandler]:
    """The pages of this room.

    Args:
        people: of this node.
        vouched: what somebody's way of signing in said about representation.
    """
    return [
        *_mandate_routes(people),
        *_giving_routes(people),
        *_invitation_routes(people),
        *_answering_routes(people),
        *_company_routes(people),
        *_contact_routes(people, vouched),
    ]


def _mandate_routes(people: People) -> list[HTTPRouteHandler]:
    """Looking at mandates."""
    mandates = people.mandates

    @get("/mandates", opt=_PEOPLE)
    async def listed(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The mandates of whoever acts."""
        return page(request, "identity/people/mandates.html", **_lists(people, person), **TOLD)

    @get("/mandates/{number:str}", opt=_PEOPLE)
    async def shown(number: str, person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """One mandate, with all that ever happened to it."""
        acting = _side(people, person, number)
        mandate = mandates.get(number, acting)
        history = await mandates.history(number, acting)
        return page(
            request,
            "identity/people/mandate.html",
            mandate=mandate,
            state=mandates.state,
            history=history,
            gives=rules.entity_of(acting) == mandate.terms.giver,
            title=people.catalogue.title,
            **TOLD,
        )

    return [listed, shown]


def _giving_routes(people: People) -> list[HTTPRouteHandler]:
    """Giving one."""
    mandates = people.mandates

    @get("/mandates/new", opt=_SURELY)
    async def blank(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """What a mandate should say."""
        mandates.given(person.acting)  # who may not give one is told so before filling in a form
        today = people.now().astimezone(HERE).date()
        filled = {"since": today.isoformat(), "until": _in_a_year(today).isoformat()}
        return _filling(people, request, filled, None)

    @post("/mandates/new", opt=_SURELY, status_code=200)
    async def give(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[Any]:
        """Give a mandate, and show the code of an invitation, once."""
        try:
            terms = _terms(form, person.acting)
            people.catalogue.check(terms.services)
            mandate, code = await mandates.give(
                person.acting, terms, giver_name=person.represented or person.name or "",
                holder_name=form.get("name", "")[:200],
            )  # fmt: skip
        except Invalid as problem:
            return _filling(people, request, form, problem, 422)
        return page(request, "identity/people/given.html", mandate=mandate, code=code, **TOLD)

    return [blank, give]


def _invitation_routes(people: People) -> list[HTTPRouteHandler]:
    """Accepting one with the code of an invitation."""
    mandates, wrong_codes = people.mandates, Tries(most=WRONG_CODES)

    @get("/mandates/invitation", opt=_SURELY)
    async def invited(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Where somebody fills in the code that they got."""
        return page(request, "identity/people/invitation.html", wrong=False)

    @post("/mandates/invitation", opt={**_SURELY, "tries": True}, status_code=200)
    async def take(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[Any]:
        """Accept an invitation, for oneself."""
        code, who = form.get("code", ""), person.acting.person
        wrong_codes.check(who)
        try:
            await mandates.accept(Acting(who), mandates.invited(code).id, code)
        except NotFound:
            wrong_codes.failed(who)
            return page(request, "identity/people/invitation.html", wrong=True, status=422)
        return redirect("/mandates")

    return [invited, take]


def _answering_routes(people: People) -> list[HTTPRouteHandler]:
    """Accepting one that was offered, declining, signing with another, revoking."""
    mandates = people.mandates

    @post("/mandates/accept", opt=_SURELY, status_code=200)
    async def accept(person: SignedIn, form: Form) -> Response[Any]:
        """Accept a mandate that was offered."""
        number = form.get("mandate", "")
        await mandates.accept(_side(people, person, number), number)
        return redirect("/mandates")

    @post("/mandates/decline", opt=_PEOPLE, status_code=200)
    async def decline(person: SignedIn, form: Form) -> Response[Any]:
        """Decline a mandate that was offered."""
        number = form.get("mandate", "")
        await mandates.decline(_side(people, person, number), number)
        return redirect("/mandates")

    @post("/mandates/sign", opt=_SURELY, status_code=200)
    async def sign(person: SignedIn, form: Form) -> Response[Any]:
        """Sign, as another director, what a first one gave."""
        await mandates.sign(person.acting, form.get("mandate", ""))
        return redirect("/mandates")

    @post("/mandates/revoke", opt=_PEOPLE, status_code=200)
    async def revoke(person: SignedIn, form: Form) -> Response[Any]:
        """Revoke a mandate, or give it back."""
        number = form.get("mandate", "")
        await mandates.revoke(_side(people, person, number), number)
        return redirect("/mandates")

    return [accept, decline, sign, revoke]


def _company_routes(people: People) -> list[HTTPRouteHandler]:
    """Finding one's own company."""

    @get("/companies", opt=_PEOPLE)
    async def company(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Where somebody fills in the number of their company."""
        return page(request, "identity/people/company.html")

    @post("/companies", opt={**_PEOPLE, "tries": True}, status_code=200)
    async def find(person: SignedIn, form: Form) -> Response[Any]:
        """Find a company of one's own in the trade register; it is among the choices from then on."""
        await people.look_up(person.acting.person, Kvk(form.get("kvk", "").replace(" ", "")))
        return redirect("/choose")

    return [company, find]


def _contact_routes(people: People, vouched: VouchedOf) -> list[HTTPRouteHandler]:
    """The contact persons of a company."""
    contacts = people.contacts

    @get("/contacts", opt=_PEOPLE)
    async def reached(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The contact persons of the company for which somebody acts."""
        found = await contacts.of(person.acting, vouched(person))
        return page(request, "identity/people/contacts.html", contacts=found, filled={}, wrong=None)

    @post("/contacts", opt=_PEOPLE, status_code=200)
    async def keep(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[Any]:
        """Add a contact person, or change one."""
        said = vouched(person)
        try:
            await contacts.put(person.acting, _contact(form), said)
        except Invalid as problem:
            found = await contacts.of(person.acting, said)
            return page(
                request,
                "identity/people/contacts.html",
                status=422,
                contacts=found,
                filled=form,
                wrong=problem,
            )
        return redirect("/contacts")

    @post("/contacts/remove", opt=_PEOPLE, status_code=200)
    async def remove(person: SignedIn, form: Form) -> Response[Any]:
        """Let go of a contact person."""
        await contacts.remove(person.acting, form.get("contact", ""), vouched(person))
        return redirect("/contacts")

    return [reached, keep, remove]


def _lists(people: People, person: SignedIn) -> dict[str, Any]:
    """What stands on the page with mandates: what whoever acts gave and holds, and what they hold themselves."""
    mandates, acting = people.mandates, person.acting
    own = Acting(acting.person)
    refused: Refused | None = None
    given, held = list[Mandate](), mandates.held(own)
    try:
        given = mandates.given(acting)
        held += mandates.held(acting) if not rules.is_self(acting) else []
    except Refused as problem:
        refused = problem
    return {
        "given": _foremost(mandates, given), "held": _foremost(mandates, held), "refused": refused, "state": mandates.state,
        "own": acting.person, "guardians": people.guardians.over(acting.person),
        "wards": people.guardians.of(acting.person), "holds": people.guardians.holds, "title": people.catalogue.title,
    }  # fmt: skip


def _foremost(mandates: Mandates, found: Sequence[Mandate]) -> list[Mandate]:
    """Those that stand first, then the newest, as many as fit on a page: others can offer what is not wanted."""
    over = ("declined", "revoked", "ended")
    return sorted(found, key=lambda one: (mandates.state(one) in over, -one.offer_until, one.id))[:SHOWN]


def _filling(
    people: People, request: Request[Any, Any, Any], filled: Form, wrong: Invalid | None, status: int = 200
) -> Response[bytes]:
    services = people.catalogue.all
    return page(
        request, "identity/people/give.html", filled=filled, wrong=wrong, services=services, status=status
    )


def _side(people: People, person: SignedIn, number: str) -> Acting:
    """As whom somebody looks at a mandate: a holder acts for themselves, also while they chose to act for another."""
    own = Acting(person.acting.person)
    return own if any(one.id == number for one in people.mandates.held(own)) else person.acting


# Forms


def _terms(form: Form, acting: Acting) -> Terms:
    """What was filled in. Raises `Invalid`."""
    return Terms(
        rules.entity_of(acting),
        _holder(form.get("holder", "")),
        chosen_services(form),
        _words(form.get("actions", "")) or (ANY,),
        beginning(required_day(form, "since")),
        beginning(day_after(required_day(form, "until"))),
        _cents(form.get("cap", "")),
        onward=form.get("onward") == "yes",
    )


def _holder(number: str) -> str:
    """A company by its number; nobody yet, for an invitation. People are never named by a pseudonym."""
    digits = number.replace(" ", "")
    if not digits:
        return ""
    kinds: dict[int, type[Kvk | Rsin | Oin]] = {8: Kvk, 9: Rsin, 20: Oin}
    with at_field("holder"):
        return urn_of(kinds.get(len(digits), Kvk)(digits))


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))


def _cents(text: str) -> int | None:
    """Euros as people write them here: `1.250,50`. Nothing: no bound."""
    written = text.strip().removeprefix("€").strip()
    if not written:
        return None
    match = _EUROS.fullmatch(written)
    if match is None:
        raise Invalid(
            "form-unreadable",
            Text("Er is iets niet goed ingevuld.", "Something was not filled in right."),
            Text("Dit is geen bedrag.", "This is no amount."),
            Text("Schrijf het bedrag als 150 of 150,50.", "Write the amount as 150 or 150,50."),
            field="cap",
        )
    return int(match[1].replace(".", "")) * 100 + int(match[2] or 0)


def _contact(form: Form) -> Contact:
    preferred: Any = "phone" if form.get("preferred") == "phone" else "email"
    return Contact(
        form.get("contact", ""), "", form.get("name", "").strip(), _words(form.get("roles", "")), preferred,
        form.get("email", "").strip(), form.get("phone", "").strip(),
    )  # fmt: skip


def _in_a_year(day: date) -> date:
    return day + timedelta(days=364)

"""People over HTTP: guardianships for officials, on the node's own socket; and acts for the portals that trust this node.

Officials with the role `people-admin` write down and end, and `privacy-officer` may look; so say the policies that every node
has. A portal asks for an act with the access token of who is signed in there (scope `acts`), and for its outcome with that or
with a token of its own (RFC 6749 §4.4), which outlives the session.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from sluis.crypto import read_json
from sluis.identity.people import rules
from sluis.identity.people.acts import Asking
from sluis.identity.people.guardians import Appointment
from sluis.identity.people.model import Act, Vouched
from sluis.identity.people.service import People
from sluis.identity.people.shown import day_after
from sluis.identity.people.views import (
    ActView,
    GuardianView,
    MandateService,
    NewAct,
    NewGuardian,
    act_view,
    guardian_view,
    service_view,
)
from sluis.kernel import PeerId, Refused, Text, beginning, convert
from sluis.policy import ASK_FOR_ROLE, CHANGE_PEOPLE, PEOPLE, READ_PEOPLE, Resource, takes_role
from sluis.web import Gate, Person, SignedIn, at_field

ACTS = "/representation/v1/acts"
"""Where portals ask for acts."""

LARGEST = 16 * 1024
"""Bytes in a request of a portal."""

_TAGS = ["vertegenwoordiging"]
_PROGRAMS: dict[str, Any] = {"open": True, "cross_site": True}

WhomOf = Callable[[str], str]
"""The pseudonym of a person by their BSN. Raises `Invalid` for what is none."""


class Caller(msgspec.Struct, frozen=True):
    """Who calls about acts: a portal (`client_id` and title), and who is signed in there when the token is theirs."""

    client: str
    title: str
    person: SignedIn | None = None

    def __repr__(self) -> str:
        return "Caller(•)"


CallerOf = Callable[[Request[Any, Any, Any]], Awaitable[Caller]]
OnRefusal = Callable[[Refused], Awaitable[None]]


def routes(people: People, gate: Gate, own: PeerId, whom: WhomOf) -> list[HTTPRouteHandler]:
    """What officials do, on the node's own socket.

    Args:
        people: of this node.
        gate: asks who may.
        own: this node.
        whom: knows a person by their BSN.
    """

    async def may(person: Person, action: str) -> None:
        await gate.require(person, action, Resource(PEOPLE, str.__str__(own)), not_yours())

    @get(
        "/people/guardians",
        summary="Wie voor een ander handelt",
        tags=_TAGS,
        response_description="Nieuwste eerst.",
    )
    async def every(person: Person) -> list[GuardianView]:
        await may(person, READ_PEOPLE)
        return [guardian_view(one, people.guardians.holds(one)) for one in people.guardians.every()]

    @post(
        "/people/guardians",
        status_code=201,
        summary="Leg vast dat iemand voor een ander handelt",
        tags=_TAGS,
        response_description="Wat is vastgelegd.",
    )
    async def appoint(person: Person, data: NewGuardian) -> GuardianView:
        await may(person, CHANGE_PEOPLE)
        made = await people.guardians.appoint(person.person, appointment(people, data, whom))
        return guardian_view(made, True)

    @post(
        "/people/guardians/{id:str}/endings",
        status_code=201,
        summary="Laat iemand niet meer voor een ander handelen",
        tags=_TAGS,
        response_description="Hoe het nu is.",
    )
    async def end(person: Person, id: Annotated[str, PathParameter()]) -> GuardianView:
        await may(person, CHANGE_PEOPLE)
        return guardian_view(await people.guardians.end(person.person, id), False)

    @get(
        "/people/services",
        summary="Diensten voor een machtiging",
        tags=_TAGS,
        response_description="Met uitleg.",
    )
    async def services(person: Person) -> list[MandateService]:
        await may(person, READ_PEOPLE)
        return [service_view(one) for one in people.catalogue.all]

    return [every, appoint, end, services]


def act_routes(
    people: People,
    caller: CallerOf,
    vouched: Callable[[SignedIn], Vouched | None],
    sign_at: str,
    on_refusal: OnRefusal,
) -> list[HTTPRouteHandler]:
    """What portals do, on the portal of this node.

    Args:
        people: of this node.
        caller: knows who calls. Raises `Unidentified` and `Refused`.
        vouched: what somebody's way of signing in said about representation.
        sign_at: the address of the page on which another director signs.
        on_refusal: told of each refusal before it is answered.
    """
    acts = people.acts

    @post(ACTS, status_code=201, opt=_PROGRAMS, include_in_schema=False, request_max_body_size=LARGEST)
    async def ask(request: Request[Any, Any, Any]) -> ActView:
        """Doe een handeling, of laat haar wachten op de tweede handtekening."""
        try:
            who = await caller(request)
            if who.person is None:
                raise _no_person()
            new, acting = convert(read_json(await request.body()), NewAct), who.person.acting
            act = Act(
                rules.entity_of(acting),
                acting.intermediary,
                new.service,
                new.action,
                new.amount,
                new.document,
            )
            found = await acts.ask(acting, act, Asking(who.client, who.title, new.title), vouched(who.person))
        except Refused as refusal:
            await on_refusal(refusal)
            raise
        return act_view(found, acts.state(found), sign_at)

    @get(ACTS + "/{number:str}", opt=_PROGRAMS, include_in_schema=False)
    async def outcome(number: str, request: Request[Any, Any, Any]) -> Response[ActView]:
        """Wat er van een handeling is geworden."""
        try:
            who = await caller(request)
        except Refused as refusal:
            await on_refusal(refusal)
            raise
        one = acts.get(who.client, number)
        return Response(act_view(one, acts.state(one), sign_at))

    return [ask, outcome]


def appointment(people: People, new: NewGuardian, whom: WhomOf) -> Appointment:
    """What an official asks to write down, with pseudonyms for the numbers. Raises `Invalid`."""
    people.catalogue.check(new.services)
    until = beginning(day_after(new.until)) if new.until is not None else None
    with at_field("guardian"):
        guardian = whom(new.guardian)
    with at_field("ward"):
        ward = whom(new.ward)
    return Appointment(
        new.kind,
        guardian,
        ward,
        new.evidence,
        new.services,
        until,
        new.born,
        new.guardian_name,
        new.ward_name,
        new.ward,
    )


def not_yours() -> Refused:
    """The problem of an official who has not the role."""
    return Refused(
        "people-not-yours",
        Text("U mag niets vastleggen over wie voor een ander handelt.",
             "You may write down nothing about who acts for another."),
        takes_role("people-admin", looks=["privacy-officer"]),
        ASK_FOR_ROLE,
    )  # fmt: skip


def _no_person() -> Refused:
    return Refused(
        "act-without-person",
        Text("Deze handeling is van niemand.", "This act is of nobody."),
        Text("Het token is van het programma zelf, en niet van wie daar is ingelogd.",
             "The token is of the program itself, and not of who is signed in there."),
        Text("Gebruik het access token van de persoon, met de scope acts.",
             "Use the access token of the person, with the scope acts."),
        rule="act-without-person",
    )  # fmt: skip

"""Access over HTTP, for officials of this organisation: on the node's own socket.

Two roles: `access-admin` gives and takes, and so does whoever writes down at a desk what a person says; `privacy-officer`
may look.
"""

from typing import Annotated

from litestar import get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from sluis.grounds.consents import Narrowing
from sluis.identity.access.model import AccessView, ConsentView, NewConsent
from sluis.identity.access.service import Accesses
from sluis.kernel import PeerId, Refused, Text
from sluis.web import Person

ADMIN, OFFICER = "access-admin", "privacy-officer"
"""Roles, in `people` of the settings."""

_TAGS = ["toegang"]


def routes(accesses: Accesses) -> list[HTTPRouteHandler]:
    """The routes of this room."""

    @get("/access", summary="Wie toegang heeft tot wat", tags=_TAGS, response_description="De lijst.")
    async def every(person: Person) -> AccessView:
        _may_look(person)
        return await accesses.every()

    @get(
        "/access/consents",
        summary="Toestemmingen die gelden of nog gaan gelden",
        tags=_TAGS,
        response_description="Nieuwste eerst, zonder van wie zij zijn.",
    )
    async def consents(person: Person, recipient: str = "", activity: str = "") -> list[ConsentView]:
        _may_look(person)
        return accesses.consents(PeerId(recipient) if recipient else None, activity or None)

    @post(
        "/access/consents",
        status_code=201,
        summary="Leg vast dat iemand toestemming geeft",
        tags=_TAGS,
        response_description="De toestemming.",
    )
    async def give(person: Person, data: NewConsent) -> ConsentView:
        _may_act(person)
        return await accesses.give(data, person.person)

    @patch(
        "/access/consents/{id:str}",
        summary="Beperk een toestemming",
        tags=_TAGS,
        response_description="De toestemming zoals zij nu is.",
    )
    async def narrow(person: Person, id: Annotated[str, PathParameter()], data: Narrowing) -> ConsentView:
        _may_act(person)
        return await accesses.narrow(id, data, person.person)

    @post(
        "/access/consents/{id:str}/revocations",
        status_code=201,
        summary="Trek een toestemming in",
        tags=_TAGS,
        response_description="De toestemming zoals zij nu is.",
    )
    async def revoke(person: Person, id: Annotated[str, PathParameter()]) -> ConsentView:
        _may_act(person)
        return await accesses.revoke(id, person.person)

    return [every, consents, give, narrow, revoke]


def _may_look(person: Person) -> None:
    if not {ADMIN, OFFICER}.intersection(person.roles):
        raise _not_yours(f"{ADMIN}/{OFFICER}")


def _may_act(person: Person) -> None:
    if ADMIN not in person.roles:
        raise _not_yours(ADMIN)


def _not_yours(role: str) -> Refused:
    return Refused(
        "access-not-yours",
        Text("U mag niets doen met toegang.", "You may do nothing about access."),
        Text(f"Daarvoor is de rol {role} nodig.", f"That takes the role {role}."),
        Text("Vraag het de beheerder van dit knooppunt.", "Ask the operator of this node."),
        rule="access-operators",
    )

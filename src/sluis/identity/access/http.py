"""Access over HTTP, for officials of this organisation: on the node's own socket.

Two roles: `access-admin` gives and takes, and so does whoever writes down at a desk what a person says; `privacy-officer`
may look. So say the policies that every node has; an organisation's own can say otherwise.
"""

from typing import Annotated

from litestar import get, patch, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from sluis.grounds.consents import Narrowing
from sluis.identity.access.model import AccessView, ConsentView, NewConsent
from sluis.identity.access.service import Accesses
from sluis.kernel import PeerId, Refused, Text
from sluis.policy import ACCESS, ASK_FOR_ROLE, CHANGE_ACCESS, READ_ACCESS, Resource, takes_role
from sluis.web import Gate, Person

_TAGS = ["toegang"]


def routes(accesses: Accesses, gate: Gate, own: PeerId) -> list[HTTPRouteHandler]:
    """The routes of this room.

    Args:
        accesses: does it.
        gate: asks who may.
        own: this node.
    """

    async def may(person: Person, action: str) -> None:
        await gate.require(person, action, Resource(ACCESS, str.__str__(own)), _not_yours())

    @get("/access", summary="Wie toegang heeft tot wat", tags=_TAGS, response_description="De lijst.")
    async def every(person: Person) -> AccessView:
        await may(person, READ_ACCESS)
        return await accesses.every()

    @get(
        "/access/consents",
        summary="Toestemmingen die gelden of nog gaan gelden",
        tags=_TAGS,
        response_description="Nieuwste eerst, zonder van wie zij zijn.",
    )
    async def consents(person: Person, recipient: str = "", activity: str = "") -> list[ConsentView]:
        await may(person, READ_ACCESS)
        return accesses.consents(PeerId(recipient) if recipient else None, activity or None)

    @post(
        "/access/consents",
        status_code=201,
        summary="Leg vast dat iemand toestemming geeft",
        tags=_TAGS,
        response_description="De toestemming.",
    )
    async def give(person: Person, data: NewConsent) -> ConsentView:
        await may(person, CHANGE_ACCESS)
        return await accesses.give(data, person.person)

    @patch(
        "/access/consents/{id:str}",
        summary="Beperk een toestemming",
        tags=_TAGS,
        response_description="De toestemming zoals zij nu is.",
    )
    async def narrow(person: Person, id: Annotated[str, PathParameter()], data: Narrowing) -> ConsentView:
        await may(person, CHANGE_ACCESS)
        return await accesses.narrow(id, data, person.person)

    @post(
        "/access/consents/{id:str}/revocations",
        status_code=201,
        summary="Trek een toestemming in",
        tags=_TAGS,
        response_description="De toestemming zoals zij nu is.",
    )
    async def revoke(person: Person, id: Annotated[str, PathParameter()]) -> ConsentView:
        await may(person, CHANGE_ACCESS)
        return await accesses.revoke(id, person.person)

    return [every, consents, give, narrow, revoke]


def _not_yours() -> Refused:
    return Refused(
        "access-not-yours",
        Text("U mag niets doen met toegang.", "You may do nothing about access."),
        takes_role("access-admin", looks=["privacy-officer"]),
        ASK_FOR_ROLE,
    )

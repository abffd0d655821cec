"""The gateway over HTTP, for the operators of this organisation: on the node's own socket, never on the network.

Two roles, by the names that operators of FSC know: `fsc-admin` may do everything, `fsc-readonly` may look. So say the
policies that every node has; an organisation's own can say otherwise.
"""

from typing import Annotated

from litestar import get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from sluis.gateway.operating.model import (
    Act,
    AppliedView,
    ContractsView,
    ContractView,
    Diagnosis,
    DifferenceView,
    Documents,
    GroupView,
    LinesView,
    PeerView,
    Rest,
    ServiceView,
    Way,
    Wish,
)
from sluis.gateway.operating.service import Operator
from sluis.kernel import PeerId, Refused, Text
from sluis.policy import ASK_FOR_ROLE, CHANGE_GROUP, GROUP, READ_GROUP, Resource, takes_role
from sluis.web import Gate, Person

_TAGS = ["groep"]


def routes(operator: Operator, gate: Gate, own: PeerId) -> list[HTTPRouteHandler]:
    """The routes of this room, around one operator's side.

    Args:
        operator: does it.
        gate: asks who may.
        own: this peer.
    """

    async def may(person: Person, action: str) -> None:
        await gate.require(person, action, Resource(GROUP, str.__str__(own)), _not_yours())

    @get("/group", summary="Dit knooppunt in zijn FSC-groep", tags=_TAGS, response_description="De stand.")
    async def group(person: Person) -> GroupView:
        await may(person, READ_GROUP)
        return await operator.group()

    @get("/group/peers", summary="Wie in de groep zit", tags=_TAGS, response_description="De deelnemers.")
    async def peers(person: Person, name: str = "") -> list[PeerView]:
        await may(person, READ_GROUP)
        return await operator.peers(name)

    @get("/group/services", summary="Wat de directory noemt", tags=_TAGS, response_description="De diensten.")
    async def services(person: Person, organisation: str = "", name: str = "") -> list[ServiceView]:
        await may(person, READ_GROUP)
        return await operator.services(organisation, name)

    @get("/group/contracts", summary="De contracten", tags=_TAGS, response_description="Nieuwste eerst.")
    async def contracts(person: Person, cursor: str = "") -> ContractsView:
        await may(person, READ_GROUP)
        return await operator.contracts(cursor)

    @get(
        "/group/contracts/{hash:str}",
        summary="Eén contract",
        tags=_TAGS,
        response_description="Het contract.",
    )
    async def contract(person: Person, hash: Annotated[str, PathParameter()]) -> ContractView:
        await may(person, READ_GROUP)
        return await operator.contract(hash)

    @post(
        "/group/contracts/{hash:str}/signatures",
        status_code=201,
        summary="Teken een contract, wijs het af, of trek het in",
        tags=_TAGS,
        response_description="Het contract, met deze handtekening.",
    )
    async def sign(person: Person, hash: Annotated[str, PathParameter()], data: Act) -> ContractView:
        await may(person, CHANGE_GROUP)
        return await operator.act(hash, data)

    @post(
        "/group/declarations",
        status_code=200,
        summary="Maak het knooppunt wat deze documenten zeggen",
        tags=_TAGS,
        response_description="Per document wat dat deed.",
    )
    async def declare(person: Person, data: Documents) -> AppliedView:
        await may(person, CHANGE_GROUP)
        return await operator.apply(data)

    @post(
        "/group/declarations/withdrawals",
        status_code=200,
        summary="Trek in wat documenten niet meer zeggen",
        tags=_TAGS,
        response_description="Wat is ingetrokken.",
    )
    async def withdraw(person: Person, data: Rest) -> AppliedView:
        await may(person, CHANGE_GROUP)
        return await operator.withdraw(data)

    @post(
        "/group/requests",
        status_code=200,
        summary="Vraag een contract aan voor wat een organisatie aanbiedt",
        tags=_TAGS,
        response_description="Het voorstel.",
    )
    async def ask(person: Person, data: Wish) -> AppliedView:
        await may(person, CHANGE_GROUP)
        return await operator.request(data)

    @get(
        "/group/transactions",
        summary="Het transactielogboek",
        tags=_TAGS,
        response_description="Nieuwste eerst.",
    )
    async def transactions(person: Person, cursor: str = "", organisation: str = "") -> LinesView:
        await may(person, READ_GROUP)
        return await operator.lines(cursor, organisation)

    @get(
        "/group/differences",
        summary="Waar twee transactielogboeken niet hetzelfde zeggen",
        tags=_TAGS,
        response_description="Nieuwste eerst.",
    )
    async def differences(person: Person) -> list[DifferenceView]:
        await may(person, READ_GROUP)
        return await operator.differences()

    @post(
        "/group/diagnoses",
        status_code=200,
        summary="Loop de hele weg naar een dienst",
        tags=_TAGS,
        response_description="Elke stap, en wat er mis is.",
    )
    async def diagnose(person: Person, data: Way) -> Diagnosis:
        await may(person, READ_GROUP)
        return await operator.diagnose(data)

    return [
        group, peers, services, contracts, contract, sign, declare,
        withdraw, ask, transactions, differences, diagnose,
    ]  # fmt: skip


def _not_yours() -> Refused:
    return Refused(
        "group-not-yours",
        Text("U mag dit niet in de groep.", "You may not do this in the group."),
        takes_role("fsc-admin", looks=["fsc-readonly"]),
        ASK_FOR_ROLE,
    )

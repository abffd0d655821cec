"""Who may open the pages about the group, and what a person is told who may not. The decision point says who; this page only
asks, and each answer is on record."""

from collections.abc import Awaitable, Callable

from sluis.kernel import PeerId, Refused, Text
from sluis.policy import (
    CHANGE_GROUP,
    DECIDE_CONTRACT,
    GROUP,
    READ_CONTRACTS,
    READ_GROUP,
    REQUEST_CONTRACT,
    Resource,
)
from sluis.web import Gate, SignedIn

LOOKS = ("fsc-admin", "fsc-readonly")
"""Roles that may look at the group."""

AGREES = (*LOOKS, "data-owner", "contract-requester")
"""Roles that may look at contracts."""

May = Callable[[SignedIn, str], Awaitable[None]]
"""Raises `Refused` for a person who may not do this."""

_ROLES: dict[str, Text] = {
    READ_GROUP: Text("fsc-readonly of fsc-admin", "fsc-readonly or fsc-admin"),
    CHANGE_GROUP: Text("fsc-admin", "fsc-admin"),
    READ_CONTRACTS: Text(
        "fsc-readonly, fsc-admin, data-owner of contract-requester",
        "fsc-readonly, fsc-admin, data-owner or contract-requester",
    ),
    REQUEST_CONTRACT: Text("contract-requester of fsc-admin", "contract-requester or fsc-admin"),
    DECIDE_CONTRACT: Text("data-owner of fsc-admin", "data-owner or fsc-admin"),
}


def may_in_group(gate: Gate, own: PeerId) -> May:
    """Asks the decision point about this node as a peer of its group."""

    async def may(person: SignedIn, action: str) -> None:
        await gate.require(person, action, Resource(GROUP, str.__str__(own)), _not_yours(action))

    return may


def _not_yours(action: str) -> Refused:
    roles = _ROLES[action]
    return Refused(
        "group-not-yours",
        Text("U mag dit niet in de groep.", "You may not do this in the group."),
        Text(f"Daarvoor is een rol nodig: {roles.nl}.", f"That takes a role: {roles.en}."),
        Text("Vraag de rol aan bij de beheerder van dit knooppunt.", "Request the role from the operator of this node."),
    )  # fmt: skip

"""Who may open the pages about the group, and what a person is told who may not. The decision point says who; this page only
asks, and each answer is on record."""

from sluis.kernel import PeerId, Refused, Text
from sluis.policy import (
    ASK_FOR_ROLE,
    CHANGE_GROUP,
    DECIDE_CONTRACT,
    GROUP,
    READ_CONTRACTS,
    READ_GROUP,
    REQUEST_CONTRACT,
    REQUESTERS,
    Resource,
    takes_role,
)
from sluis.web import Gate, SignedIn

LOOKS = ("fsc-admin", "fsc-readonly")
"""Roles that may look at the group."""

AGREES = (*LOOKS, "data-owner", "contract-requester")
"""Roles that may look at contracts."""

_ROLES: dict[str, tuple[str, ...]] = {
    READ_GROUP: LOOKS,
    CHANGE_GROUP: ("fsc-admin",),
    READ_CONTRACTS: AGREES,
    REQUEST_CONTRACT: REQUESTERS,
    DECIDE_CONTRACT: ("data-owner", "fsc-admin"),
}
"""Roles that may do each."""


class May:
    """Asks the decision point about this node as a peer of its group.

    Args:
        gate: to the decision point.
        own: this node.
    """

    def __init__(self, gate: Gate, own: PeerId) -> None:
        self._gate, self._group = gate, Resource(GROUP, str.__str__(own))

    async def __call__(self, person: SignedIn, action: str) -> None:
        """Raises `Refused` for a person who may not do this."""
        await self._gate.require(person, action, self._group, _not_yours(action))

    def offers(self, person: SignedIn, action: str) -> bool:
        """Whether a page offers this person to do this."""
        return self._gate.offers(person, action, self._group)


def _not_yours(action: str) -> Refused:
    return Refused(
        "group-not-yours",
        Text("U mag dit niet in de groep.", "You may not do this in the group."),
        takes_role(*_ROLES[action]),
        ASK_FOR_ROLE,
    )  # fmt: skip

"""Who may do what on these pages: asked of the decision point each time, which writes it down (BIO2 8.15: who looked into logs is
itself in the log)."""

from sluis.kernel import NotFound, Refused, Text
from sluis.oversight.service import Oversight
from sluis.policy import (
    ASK_FOR_ROLE,
    CHANGE_OVERSIGHT,
    LOG,
    OVERSIGHT,
    READ_LOG,
    READ_OVERSIGHT,
    Resource,
    takes_role,
)
from sluis.web import Gate, SignedIn

OFFICER, AUDITOR = "privacy-officer", "auditor"
ROLES = (OFFICER, AUDITOR)


class Desk:
    """Lets in who may.

    Args:
        oversight: of this node.
        gate: asks the decision point.
    """

    def __init__(self, oversight: Oversight, gate: Gate) -> None:
        self.oversight, self._gate = oversight, gate
        own = str.__str__(oversight.of.oin)
        self._all, self._log = Resource(OVERSIGHT, own), Resource(LOG, oversight.checking.origin)

    async def may_read(self, person: SignedIn) -> None:
        """Raises `Refused`."""
        await self._gate.require(person, READ_OVERSIGHT, self._all, not_yours())

    async def may_change(self, person: SignedIn) -> None:
        """Raises `Refused`."""
        await self._gate.require(person, CHANGE_OVERSIGHT, self._all, not_yours())

    async def may_see_records(self, person: SignedIn) -> None:
        """What records say of whom, which an auditor does not need. Raises `Refused`."""
        await self._gate.require(person, READ_LOG, self._log, not_yours())


def changes(person: SignedIn) -> bool:
    """Whether to offer what only a privacy officer may; the decision point has the last word."""
    return OFFICER in person.roles


def called(person: SignedIn) -> str:
    """What the pages of this organisation call who did something."""
    return person.name or person.acting.person[:12]


def number_in(text: str) -> int:
    """The number of a record in an address. Raises `NotFound` when it is none."""
    if not (text.isascii() and text.isdecimal() and len(text) < 18):
        raise NotFound(
            "unknown-record",
            Text("Deze regel is er niet.", "There is no such record."),
            Text("Het adres noemt geen nummer van een regel.", "The address names no number of a record."),
            Text("Kies een regel uit de lijst.", "Choose a record from the list."),
        )
    return int(text)


def not_yours() -> Refused:
    """Who may not oversee."""
    return Refused(
        "oversight-not-yours",
        Text("U mag dit niet zien of doen.", "You may not see or do this."),
        takes_role(OFFICER, looks=[AUDITOR]),
        ASK_FOR_ROLE,
        rule="oversight-readers",
    )  # fmt: skip

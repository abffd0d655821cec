"""What the pages about the group show, as values: rows of lists, and what stands on one page."""

from typing import Literal

import msgspec

from sluis.gateway.contracts import Action, State
from sluis.gateway.operating import ContractView
from sluis.kernel import PeerId

Section = Literal["us", "them", "valid", "ended"]
"""Where a contract stands in the list: it waits for us, for somebody else, it counts (or will), or it is over."""

SECTIONS: tuple[Section, ...] = ("us", "them", "valid", "ended")

Role = Literal["user", "provider", "both", "listed"]
"""What this organisation is in a contract: who uses a service, who offers it, both at once, or who has it listed."""


class Agreement(msgspec.Struct, frozen=True):
    """A contract as it stands in the list. Times in seconds since the epoch.

    Attributes:
        hash: names it.
        section: where it stands in the list.
        state: that follows from signatures and time.
        soon: whether all have signed and its time is yet to come.
        others: the other parties.
        role: what this organisation is in it.
        services: the services that it is about.
        activity: the processing activity it is for; empty when it names none.
        since: from when.
        until: until when it holds: its end, or that of a certificate that it was signed with.
        made: when it was made.
    """

    hash: str
    section: Section
    state: State
    soon: bool
    others: tuple[PeerId, ...]
    role: Role
    services: tuple[str, ...]
    activity: str
    since: int
    until: int
    made: int


class Signed(msgspec.Struct, frozen=True):
    """A signature, for people: whose, what for, when, and until when its certificate is valid (0: not any more)."""

    peer: str
    action: Action
    at: int
    until: int


class Shown(msgspec.Struct, frozen=True):
    """One contract with all that a page says of it.

    Attributes:
        view: as operators see it.
        row: as it is in the list.
        signed: who did what with it, in the order of time.
        acts: what this organisation can do with it now.
    """

    view: ContractView
    row: Agreement
    signed: tuple[Signed, ...]
    acts: tuple[Action, ...]

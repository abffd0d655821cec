"""An interest (afnemersindicatie): a recipient of a notice has an active relation with somebody, and so needs to know."""

from datetime import date
from typing import Annotated

import msgspec

from sluis.grounds import Key

NAMES = {"register": "Afnemersindicatie", "end": "Einde afnemersindicatie"}
"""What a change is called in the log."""

MOST = 1000
"""Interests in one request."""

Reference = Annotated[str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[!-~]([ -~]*[!-~])?$(?!\n)")]
"""What the recipient calls the relation; opaque here, and never a number of a person. It comes back as the `subject` of
events, so that each recipient sees its own handle and nobody else can tell that two are about one person. (`$` alone lets a last
newline through, and no event may have one: all that stands in such a subscription could not be read any more.)"""

Value = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class Whom(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person: the kind of key (`BSN`, or a URI), and the key."""

    kind: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    value: Value

    def __repr__(self) -> str:
        return "Whom(•)"


class NewInterest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One interest to register, or to renew: in whom, under which reference, and up to and including which day."""

    subject: Whom
    reference: Reference
    until: date


class Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Interests to register for one notice."""

    notice: Key
    interests: Annotated[tuple[NewInterest, ...], msgspec.Meta(min_length=1, max_length=MOST)]


class Ending(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Interests that are over: in whom."""

    notice: Key
    subjects: Annotated[tuple[Whom, ...], msgspec.Meta(min_length=1, max_length=MOST)]


class Registered(msgspec.Struct, frozen=True):
    """How many were new, and how many were there and hold until another day, or under another reference."""

    registered: int
    renewed: int


class Ended(msgspec.Struct, frozen=True):
    """How many of them were there."""

    ended: int


class InterestView(msgspec.Struct, frozen=True):
    """An interest as the recipient sees it again: without in whom. `since` is in milliseconds since the epoch."""

    reference: str
    until: date
    since: int


class InterestsView(msgspec.Struct, frozen=True):
    """A page of the interests of one notice, and the cursor of the next; empty at the end."""

    interests: tuple[InterestView, ...]
    next_cursor: str = ""


class Bounds(msgspec.Struct, frozen=True):
    """What a recipient may register: for how many days ahead, and how many for one notice. `test`: whether this is a test
    node, where BSNs of official test sets count."""

    days: int = 366
    each: int = 1_000_000
    test: bool = False

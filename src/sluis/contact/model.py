"""What it takes to reach a person: the scenario that says so, the message, each try to get it there, what the person prefers.

States are tables: what is not in them does not happen.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Protocol

import msgspec

from sluis.grounds import EventTypeName, Key, Name
from sluis.kernel import Text

Kind = Literal["box", "email", "sms", "letter"]
"""By what a person is reached: a government message box, e-mail, a text message, a letter."""

KINDS: tuple[Kind, ...] = ("box", "email", "sms", "letter")

Language = Literal["nl", "en"]

Wait = Annotated[
    str, msgspec.Meta(pattern=r"^P(?=[0-9T])([0-9]{1,4}D)?(T(?=[0-9])([0-9]{1,4}H)?([0-9]{1,4}M)?)?$(?!\n)")
]
"""Part of ISO 8601 durations: days, hours, minutes. Months differ in length, and nobody waits seconds for a person."""

Sentence = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Uri = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$(?!\n)", max_length=2000)]


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One channel of a scenario, and how long it may be silent before the next is used."""

    channel: Key
    wait: Wait = "P2D"


class Scenario(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who is told what, when something happened: one file in `scenarios/`.

    `case` names the fact that holds the reference of the case. `must`: the message has to arrive, so the last step is taken
    also by who would rather not. `service`: what a mandate may be for to see these messages, besides the activity.
    """

    id: Key
    title: Text
    event: EventTypeName
    activity: Uri
    template: Key
    subject: Text
    short: Text
    steps: Annotated[tuple[Step, ...], msgspec.Meta(min_length=1)]
    condition: Sentence | None = None
    case: Name | None = None
    service: Uri | None = None
    must: bool = True
    urgent: bool = False
    retention: Wait = "P365D"


class Whom(Protocol):
    """Whom something is about."""

    @property
    def kind(self) -> str: ...
    @property
    def value(self) -> str: ...


class Occurrence(Protocol):
    """What happened, as this room needs to know it: the occurrence of `events` is one."""

    @property
    def type(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def about(self) -> Whom | None: ...
    @property
    def facts(self) -> Mapping[str, Any]: ...
    @property
    def trace_id(self) -> str | None: ...


# Messages and tries

MessageState = Literal["open", "reached", "unsure", "unreachable"]

MESSAGE: dict[MessageState, frozenset[MessageState]] = {
    "open": frozenset({"reached", "unsure", "unreachable"}),
    "reached": frozenset({"open"}),  # it came back after all
    "unsure": frozenset({"open"}),
    "unreachable": frozenset({"open", "reached"}),  # a report that came late says that it arrived
}
"""From each state of a message, the states that may follow. `unsure`: it left, or may have, and nobody said that it arrived."""

TryState = Literal["claimed", "delayed", "doubtful", "sent", "delivered", "read", "bounced", "refused"]

TRY: dict[TryState, frozenset[TryState]] = {
    "claimed": frozenset(
        {"claimed", "delayed", "doubtful", "sent", "delivered", "read", "bounced", "refused"}
    ),
    "delayed": frozenset({"claimed", "refused", "bounced", "delivered", "read"}),
    "doubtful": frozenset({"claimed", "sent", "delivered", "read", "bounced", "refused"}),
    "sent": frozenset({"delivered", "read", "bounced"}),
    "delivered": frozenset({"read", "bounced"}),
    "read": frozenset(),
    "bounced": frozenset(),
    "refused": frozenset(),
}
"""From each state of a try, the states that may follow. `claimed` stands there before anything leaves; who finds it after a
restart does not know whether it left. `delayed`: the channel said, later."""

ARRIVED: dict[TryState, int] = {"sent": 1, "delivered": 2, "read": 3}
"""How far a message got, of the states in which it is under way or there."""

Enough = Literal["sent", "delivered"]
"""How far a message must get by a channel to count as arrived: as far as that channel can tell."""


class Message(msgspec.Struct, frozen=True):
    """One message for one person. Moments are seconds since the epoch.

    Args:
        id: keyed digest of person, event and scenario: the same three are the same message, whatever restarts.
        person: this node's pseudonym, of a person or a company.
        scenario: its id.
        state: see `MESSAGE`.
        created: when the event was heard.
        due: when to look at it again; None when nothing is to be done.
        ends: when it is destroyed.
    """

    id: str
    person: str
    scenario: str
    state: MessageState
    created: int
    due: int | None
    ends: int


class Content(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is sealed with a message.

    Args:
        about: type and value of the number of the person or company.
        facts: of the event.
        trace: of the event.
        case: reference of the case; empty when there is none.
        said: what the person is told, from the first try on; every channel says the same.
    """

    about: tuple[str, str]
    facts: dict[str, Any]
    trace: str
    case: str = ""
    said: "Said | None" = None

    def __repr__(self) -> str:
        return "Content(•)"


class Said(msgspec.Struct, frozen=True):
    """A message in words. `html` is a fragment; `short` is for a text message."""

    language: Language
    subject: str
    text: str
    html: str
    short: str

    def __repr__(self) -> str:
        return "Said(•)"


class Try(msgspec.Struct, frozen=True):
    """Getting one message to its person by one channel.

    Args:
        message: its id.
        number: 1 for the first channel that was tried.
        channel: name in the settings.
        kind: of the channel.
        state: see `TRY`.
        attempts: how often it was handed to the channel.
        began: when it was first claimed.
        changed: when it came in this state.
        due: of a delayed one, when it is tried again.
        remote: what the channel calls it.
        trouble: what was wrong, as a code.
    """

    message: str
    number: int
    channel: str
    kind: Kind
    state: TryState
    attempts: int
    began: int
    changed: int
    due: int = 0
    remote: str = ""
    trouble: str = ""

    @property
    def reference(self) -> str:
        """What names this try to the channel, the same whatever restarts; it says nothing to who reads it."""
        return f"{self.message}{self.number:02d}"


# What is known of a person


class Address(msgspec.Struct, frozen=True):
    """Where a person said that they can be reached, and proved it. `verified`: when."""

    kind: Literal["email", "sms"]
    value: str
    verified: int

    def __repr__(self) -> str:
        return "Address(•)"


class Pending(msgspec.Struct, frozen=True):
    """An address that a code was sent to.

    Args:
        kind, value: of the address; after the code was used only the moments are left.
        digest: keyed digest of the code.
        until: when the code ends.
        left: how many wrong codes may still be tried.
        sent: when codes were sent within a day.
    """

    kind: Literal["email", "sms"]
    value: str
    digest: str
    until: int
    left: int
    sent: tuple[int, ...]

    def __repr__(self) -> str:
        return "Pending(•)"


class Preference(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a person wants to hear, in general or about one case.

    Args:
        kinds: by what, most wanted first; empty: as the organisation does it.
        language: None: as the organisation does it.
        twice: whether a message of which nobody knows if it left may go again, by a channel that cannot tell; None: it may,
            or for a case, as in general.
        case: reference of the case; empty: in general.
    """

    kinds: tuple[Kind, ...] = ()
    language: Language | None = None
    twice: bool | None = None
    case: str = ""

    def __repr__(self) -> str:
        return "Preference(•)"


How = Literal["each", "day", "never"]
"""How somebody is told that they were consulted: each time; what one organisation did in a day together; or not."""

HOWS: tuple[How, ...] = ("day", "each", "never")


class PostalAddress(msgspec.Struct, frozen=True):
    """Where a letter goes: the lines of an envelope, name first; the last is the country when it is not the Netherlands."""

    lines: Annotated[tuple[str, ...], msgspec.Meta(min_length=2, max_length=7)]

    def __repr__(self) -> str:
        return "PostalAddress(•)"

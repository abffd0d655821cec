"""What a person gets to see of how they were reached, in words."""

from typing import Annotated, Literal

import msgspec
from litestar.params import QueryParameter

from sluis.contact.model import How, Kind, Language, MessageState, TryState
from sluis.kernel import Text

KIND_NAMES: dict[Kind, Text] = {
    "box": Text("berichtenbox", "message box"),
    "email": Text("e-mail", "e-mail"),
    "sms": Text("sms", "text message"),
    "letter": Text("brief", "letter"),
}

HOW_NAMES: dict[How, tuple[Text, Text]] = {
    "day": (
        Text("Hoogstens één bericht per dag per organisatie", "At most one message a day for each organisation"),
        Text("U leest de volgende ochtend wat een organisatie die dag vroeg.",
             "The next morning you read what an organisation asked that day."),
    ),
    "each": (
        Text("Elke keer meteen een bericht", "A message each time, at once"),
        Text("Dat kunnen er veel zijn.", "That can be many."),
    ),
    "never": (
        Text("Geen bericht", "No message"),
        Text("Bij “Wie keek er” ziet u het altijd.", "At “Who looked” you always see it."),
    ),
}  # fmt: skip
"""How one is told that one was consulted: in short, and what it means."""

_STATES: dict[str, Text] = {
    "open": Text("onderweg", "on its way"),
    "reached": Text("aangekomen", "arrived"),
    "unsure": Text("niet zeker of het aankwam", "not sure whether it arrived"),
    "unreachable": Text("niet aangekomen", "did not arrive"),
    "claimed": Text("wordt verstuurd", "is being sent"),
    "delayed": Text("wordt later opnieuw geprobeerd", "is tried again later"),
    "doubtful": Text("misschien verstuurd", "perhaps sent"),
    "sent": Text("verstuurd", "sent"),
    "delivered": Text("bezorgd", "delivered"),
    "read": Text("gelezen", "read"),
    "bounced": Text("teruggekomen", "came back"),
    "refused": Text("niet aangenomen", "not taken"),
}

_REASONS: dict[str, Text] = {
    "": Text("", ""),
    "no-address": Text("Er is geen adres bekend.", "No address is known."),
    "address-unknown": Text("Het adres was niet op te vragen.", "The address could not be asked for."),
    "no-such-address": Text("Dit adres bestaat niet.", "This address does not exist."),
    "mailbox-full": Text("De mailbox is vol.", "The mailbox is full."),
    "no-box": Text(
        "U hebt geen berichtenbox voor deze organisatie.", "You have no message box for this organisation."
    ),
    "unknown": Text("Er is een storing geweest.", "There was a disturbance."),
}
_OTHER = Text("De ontvangende kant nam het niet aan.", "The receiving side did not take it.")


Moment = Annotated[int, QueryParameter(ge=0, le=2**53 - 1)]
"""In seconds since the epoch, as it stands in an address."""


class Step(msgspec.Struct, frozen=True, rename="camel"):
    """One try to reach somebody.

    Args:
        kind: by what.
        at: seconds since the epoch, of its state.
        state, state_text: how it went.
        reason: why not, where it did not.
    """

    kind: Kind
    at: int
    state: TryState
    state_text: Text
    reason: Text


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """One message, for the person themselves.

    Args:
        id: of the message.
        at: seconds since the epoch, when the organisation heard of what happened.
        title: what it is about.
        case: reference of the case.
        subject, text, language: what it says, and in which language; empty while it waits.
        state, state_text: whether it arrived.
        steps: how it went, in order.
    """

    id: str
    at: int
    title: Text
    case: str
    subject: str
    text: str
    language: Language | Literal[""]
    state: MessageState
    state_text: Text
    steps: tuple[Step, ...]

    def __repr__(self) -> str:
        return "Entry(•)"


def state_of(state: str) -> Text:
    """A state of a message or a try, in words."""
    return _STATES[state]


def reason_of(trouble: str) -> Text:
    """Why something did not go well, in words."""
    return _REASONS.get(trouble, _OTHER)

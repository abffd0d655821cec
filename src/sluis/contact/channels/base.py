"""What every channel promises. One file per kind beside this; `channels/__init__` has the list.

A channel gets a parcel and says what became of it. It keeps nothing, decides nothing about whom or when, and puts no address
in a log or an error: what went wrong is a code.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from sluis.contact.model import Enough, Kind, Language, TryState
from sluis.kernel import Text

How = Literal["later", "never", "doubtful"]
"""`later`: not now, it did not leave. `never`: it will not, to this address. `doubtful`: it may have left."""


Doubt = Literal["again", "ask", "unknown"]
"""What to do when nobody noted whether a parcel left. `again`: send it, the same reference has no second effect. `ask`: `find`
tells. `unknown`: nobody can tell."""


class Parcel(msgspec.Struct, frozen=True):
    """One message for one address.

    Args:
        reference: 34 characters `[0-9a-f]` that name this try; the same when it is sent again.
        to: lines of the address: one, but for a letter; of a box, whose it is (`box_of`).
        language: of the message.
        subject, text, html, short: what is said; `html` is a fragment.
        organisation: who says it.
        created: seconds since the epoch, when this try began; the same when it is sent again.
        case: reference of the case; empty when there is none.
    """

    reference: str
    to: tuple[str, ...]
    language: Language
    subject: str
    text: str
    html: str
    short: str
    organisation: str
    created: int
    case: str = ""

    def __repr__(self) -> str:
        return f"Parcel({self.reference})"


def box_of(kind: str, value: str) -> str:
    """Whose box a message is for: a BSN as it is, the number of a company as a URN (`urn:nl:kvk:90000003`)."""
    return value if kind == "BSN" else f"{kind}:{value}"


class Sent(msgspec.Struct, frozen=True):
    """The channel took it.

    Args:
        remote: what the channel calls it; empty when it gives no name.
        state: how far it is.
        told: what passed between us, for `sluis channel test`.
    """

    remote: str = ""
    state: TryState = "sent"
    told: tuple[Text, ...] = ()


class Failed(Exception):
    """The channel did not take it.

    Args:
        trouble: a code, such as `no-such-address`; nothing about the person.
        how: what that means for this parcel.
        after: seconds that the channel asks to wait.
        told: as in `Sent`.
    """

    def __init__(self, trouble: str, how: How, after: int = 0, told: Sequence[Text] = ()) -> None:
        super().__init__(trouble)
        self.trouble, self.how, self.after, self.told = trouble, how, after, tuple(told)


class Waiting(msgspec.Struct, frozen=True):
    """A parcel of which a report may still come: our reference, and what the channel calls it."""

    reference: str
    remote: str


class Report(msgspec.Struct, frozen=True):
    """What a channel says of a parcel afterwards.

    Args:
        reference: of the parcel.
        state: `delivered`, `read`, `bounced`, or `refused`.
        trouble: why it came back, as a code.
        token: what the channel knows this report by, until it was heeded.
    """

    reference: str
    state: TryState
    trouble: str = ""
    token: str = ""


class Channel(Protocol):
    """A way to reach a person.

    Guarantees, which the contract suite tries on every channel:

    - `send` returns or raises `Failed` within the time that the settings give; nothing else comes out of it.
    - `Failed` with `later` or `never` means that nothing left.
    - Where `doubt` is `again`, sending the same reference again has no second effect; where it is `ask`, `find` tells the truth.
    - What `reports` gave is given again until it was `heed`ed, so that a report is lost to no restart.
    """

    kind: Kind
    doubt: Doubt
    enough: Enough

    async def send(self, parcel: Parcel) -> Sent:
        """Hand over a parcel. Raises `Failed`."""

    async def find(self, waiting: Waiting) -> Sent | None:
        """Whether the channel has this parcel; None when it does not, or cannot tell. Raises `Failed` (`later`)."""

    async def reports(self, waiting: Sequence[Waiting]) -> list[Report]:
        """What is known by now of parcels, of these at least. Raises `Failed` (`later`)."""

    async def heed(self, reports: Sequence[Report]) -> None:
        """These reports are kept here, durably; the channel may let go of them."""

    async def close(self) -> None:
        """Give back what is held."""

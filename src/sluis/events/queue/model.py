"""What waits to be told to others: deliveries, what became of them, and those that did not arrive."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, Literal

import msgspec

from sluis.events.cloudevent import CloudEvent

State = Literal[0, 1, 2]
WAITING: Final = 0
DELIVERED: Final = 1
DEAD: Final = 2
"""States of a delivery; only what waits is ever sent, and `replay` alone brings something dead back to waiting."""


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """An event on its way to one subscription.

    Args:
        subscription: its id.
        stream: within which order is kept (a pseudonym of whom the event is about); empty where there is none.
        subject: the recipient's own handle of whom it is about.
        notice: by which the recipient has to know.
        trace_id: of the occurrence, 32 hex digits.
    """

    subscription: str
    stream: str
    subject: str | None
    notice: str
    trace_id: str


Addition = tuple[CloudEvent, Sequence[Outgoing]]
"""An event, and everyone who is to be told."""


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """One event of one subscription. `sequence` counts from 1 in the subscription: it is the extension `sequence` of the
    event (CloudEvents, Sequence), and the cursor of who reads along. `number` is the event's at this node. `began` is when trying began, in milliseconds."""

    subscription: str
    sequence: int
    number: int
    event: CloudEvent
    stream: str
    subject: str | None
    notice: str
    trace_id: str
    attempts: int
    due: int
    began: int

    @property
    def order(self) -> str | int:
        """What keeps its order with this one: all of its stream; without a stream only itself."""
        return self.stream or self.sequence


class Wanted(msgspec.Struct, frozen=True):
    """What is to be read of one subscription, of what waits.

    Args:
        after: all after this number; None for nothing of that.
        heads: these numbers.
        streams: of each of these, after a number.
        last: of streams, up to this number.
    """

    after: int | None = None
    heads: Sequence[int] = ()
    streams: Mapping[str, int] = {}
    last: int = 0


class Found(msgspec.Struct, frozen=True):
    """What was read, as it was wanted, in the order of its numbers; of the streams all that there is up to `reached`, and from where the
    one that is furthest behind is: a stream may bring what was read of it before."""

    ahead: Sequence[Delivery] = ()
    heads: Sequence[Delivery] = ()
    streams: Sequence[Delivery] = ()
    reached: int = 0


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What came of trying: the state from now on, what was wrong (a code of `TROUBLES`), when it is tried again (ms)."""

    subscription: str
    sequence: int
    state: State
    trouble: str = ""
    due: int = 0


class DeadLetter(msgspec.Struct, frozen=True):
    """A delivery that is not tried any more. Times in milliseconds since the epoch."""

    subscription: str
    sequence: int
    since: int
    trouble: str
    notice: str
    trace_id: str
    attempts: int
    event_id: str
    event_type: str


class Standing(msgspec.Struct, frozen=True):
    """How a subscription stands: the number given last, how many wait and how many are dead letters, and since when the
    first of those that wait does (ms; None when none does)."""

    newest: int
    waiting: int
    dead: int
    oldest: int | None


class Course(msgspec.Struct, frozen=True):
    """How it goes with a subscription, as far as its last outcomes tell. Times in milliseconds since the epoch; 0 for none.

    Attributes:
        last: when something arrived last.
        minute: how many arrived in the minute before now; no more than were looked at.
        failing: since when the first of those that wait is being tried in vain; 0 when it was not tried yet.
        trouble: what was wrong then (a code of `TROUBLES`).
        attempts: how often it was tried.
        due: when it is tried again.
    """

    last: int = 0
    minute: int = 0
    failing: int = 0
    trouble: str = ""
    attempts: int = 0
    due: int = 0


class Place(msgspec.Struct, frozen=True):
    """How far a lane is: all up to `settled` has its outcome. `turn` is another each time that it has to be read anew: what was
    found out in an earlier turn says nothing about how far it is."""

    settled: int = 0
    turn: int = 0


class Seen(msgspec.Struct, frozen=True):
    """A lane as the database has it: the number given last, how far it is, how many wait, who holds it (empty for nobody), and
    whether its recipient wants nothing more and nobody was told yet."""

    newest: int
    place: Place
    waiting: int
    holder: str = ""
    gone: bool = False


class News(msgspec.Struct, frozen=True):
    """What a commit brought: subscriptions with something new; and those where something earlier waits again, with the place
    from which it goes on. And, without a commit, those whose recipient comes to read: it is there."""

    new: Collection[str] = ()
    again: Mapping[str, Place] = {}
    there: Collection[str] = ()


Listener = Callable[[News], None]

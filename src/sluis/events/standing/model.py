"""A standing question: a recipient hears that the answer to a question changed, and not what it became. It then asks, under a
contract of its own.

A signal about a yes or no is the answer. So it takes a disclosure of its own (`grounds.StandingRule`), and comes only at
moments that everybody could tell beforehand.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Literal, Protocol

import msgspec

from sluis.events.interests import Reference
from sluis.grounds import Disclosure, Name, Purpose, Withhold
from sluis.kernel import Level, PeerId, Trace

MOST_DAYS = 366
"""Days ahead that a question may stand."""

KEEP_DAYS = 30
"""Days that it can be read why a question ended."""

State = Literal["standing", "ended"]

STATES: dict[State, tuple[State, ...]] = {"standing": ("ended",), "ended": ()}
"""What each state can become: who wants a question back asks it anew."""

_Short = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]

Value = str | int | float | bool | None


class StandingQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is asked every time, of one dataset of one owner.

    Args:
        sql: one SELECT over `dataset`, named without its owner.
        activity: for which it is asked; one for standing questions alone.
        case: reference of the case.
        dataset: that it is about.
        digest: of the offer that the recipient relies on.
        person: who left it standing, as a pseudonym of the asking node.
        acr: how that person signed in; `level` where that does not say it.
        parameters: value by name; `lists`: those that are lists.
    """

    sql: Annotated[str, msgspec.Meta(min_length=1, max_length=65_536)]
    activity: _Short
    case: _Short
    dataset: Name
    digest: Annotated[str, msgspec.Meta(pattern=r"^sha256:[0-9a-f]{64}$(?!\n)")]
    person: _Short
    acr: _Short
    level: Level | None = None
    parameters: dict[str, Value] = {}
    lists: dict[str, Annotated[list[str], msgspec.Meta(max_length=10_000)]] = {}

    def __repr__(self) -> str:
        return "StandingQuestion(•)"


class NewQuestion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question to leave standing, under a reference of the recipient, up to and including a day."""

    question: StandingQuestion
    reference: Reference
    until: date


class Checked(msgspec.Struct, frozen=True):
    """What a question rests on, and (kind of key, key) of everybody whom it names."""

    disclosure: Disclosure
    people: Sequence[tuple[str, str]]


class Kept(msgspec.Struct, frozen=True):
    """What is kept of a question while it stands, sealed."""

    question: StandingQuestion
    people: tuple[tuple[str, str], ...]
    withhold: Withhold | None

    @property
    def activity(self) -> str:
        """For which it is asked."""
        return self.question.activity

    def __repr__(self) -> str:
        return "Kept(•)"


class Row(msgspec.Struct, frozen=True):
    """A question whose turn it is, as it is kept. `due` is its turn, in milliseconds; `digest` that of the answer before."""

    id: str
    peer: PeerId
    disclosure: str
    cadence: int
    due: int
    last: int
    question: bytes
    reference: bytes
    digest: bytes


class StandingView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A standing question as its recipient sees it again: without the question.

    Args:
        id: to end it by.
        reference: the recipient's own.
        disclosure: on which it rests.
        state: whether it still stands.
        because: what was wrong the last time, or why it ended; empty when nothing was.
        until: its last day.
        asked: the round that it was read in last, in milliseconds; None before the first.
        next: the round that it will be read in, in milliseconds; None when it ended.
    """

    id: str
    reference: str
    disclosure: str
    state: State
    until: date
    because: str = ""
    asked: int | None = None
    next: int | None = None


class Reader(Protocol):
    """The owner's side of a question, as far as this room needs it."""

    async def check(
        self,
        peer: PeerId,
        question: StandingQuestion,
        purpose: Purpose | None,
        trace: Trace,
        transaction_id: str,
    ) -> Checked:
        """Whether a question may be left standing; nothing is read. Raises what a consultation would."""

    async def read(
        self,
        peer: PeerId,
        question: StandingQuestion,
        purpose: Purpose | None,
        trace: Trace,
        transaction_id: str,
    ) -> list[bytes]:
        """The rows of its answer now, as a consultation: on record, within every limit. The same row is the same bytes.
        Raises what a consultation would."""


class Agreements(Protocol):
    """What contracts in force say."""

    def purposes(self, peer: PeerId) -> Iterable[Purpose]:
        """The purposes of the contracts under which a peer may reach this node now; from memory."""

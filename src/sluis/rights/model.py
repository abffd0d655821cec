"""What people ask of organisations about their own data: a mistake reported to its source, and the rights of AVG chapter III;
the states of a request as a table, and what crosses between two nodes.

The states follow those of Digimelding (a report is handed in, is being investigated, and leads to a correction or not); there
is no standard for reporting back over an API yet. Nothing here knows how a request is kept or sent.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec

from sluis.kernel import Acting, Level, PeerId, Text

Kind = Literal[
    "correction", "access", "erasure", "restriction", "informing", "portability", "objection", "decision"
]
"""`correction`: AVG art. 16, and what registers call reporting back. `access` 15, `erasure` 17, `restriction` 18, `informing`
19, `portability` 20, `objection` 21. `decision`: objecting to a decision (Awb art. 6:4)."""

COMPANY_KINDS: tuple[Kind, ...] = ("correction", "access", "decision")
"""Those that a company has. The AVG is about people (art. 1): a company asks for correction as for any decision (Awb art. 4:1), and
has access by Wet open overheid art. 5.5."""

KINDS: tuple[Kind, ...] = (
    "correction", "access", "erasure", "restriction", "informing", "portability", "objection", "decision"
)  # fmt: skip

Side = Literal["sent", "received"]
"""`sent`: by a person of this node; `received`: by this node as the organisation that must answer."""

Reached = Literal["received", "investigating", "extended", "granted", "partly", "refused"]
"""What the organisation that was asked says."""

State = Literal["waiting", "undeliverable"] | Reached
"""`waiting` and `undeliverable` are known where it was sent alone."""

FOLLOWS: Mapping[State, tuple[State, ...]] = MappingProxyType(
    {
        "waiting": ("received", "undeliverable"),
        "received": ("investigating", "extended", "granted", "partly", "refused"),
        "investigating": ("extended", "granted", "partly", "refused"),
        "extended": ("granted", "partly", "refused"),
        "granted": (),
        "partly": (),
        "refused": (),
        "undeliverable": (),
    }
)
"""What may follow each state. A request that is finished stays so: who disagrees makes another, or goes to the supervisor."""

REASONED: frozenset[State] = frozenset({"extended", "partly", "refused"})
"""States that must say why (AVG art. 12, paragraphs 3 and 4)."""

LONGEST = 2000
"""Characters of each thing that somebody writes."""

Written = Annotated[str, msgspec.Meta(max_length=LONGEST)]
Name = Annotated[str, msgspec.Meta(max_length=200)]
Receipt = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){2}$(?!\n)")]
"""What a person quotes: 60 random bits in Crockford's base 32, which has no letters that look alike."""
Moment = Annotated[int, msgspec.Meta(ge=0, le=253_402_200_000)]
"""Seconds since the epoch."""


class About(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a request is about, as far as it is about something in particular.

    Args:
        dataset: of the organisation that is asked.
        title: what that is called.
        trace: of the question at which somebody looked, 32 hex digits.
        activity: what that was for, in words.
    """

    dataset: Name = ""
    title: Name = ""
    trace: Annotated[str, msgspec.Meta(pattern=r"^([0-9a-f]{32})?$(?!\n)")] = ""
    activity: Name = ""


NumberKind = Literal["BSN", "urn:nl:kvk", "urn:nl:rsin", "urn:nl:vestiging"]
"""Of a person; and of a company: in the trade register, as a legal person, of one establishment."""

DIGITS: Mapping[NumberKind, int] = MappingProxyType(
    {"BSN": 9, "urn:nl:kvk": 8, "urn:nl:rsin": 9, "urn:nl:vestiging": 12}
)
"""How many each kind of number has."""


class DataSubject(msgspec.Struct, frozen=True):
    """Of whom a request is, a person or a company: the kind of number, and the number. Raises `ValueError` when it has another
    length."""

    kind: NumberKind
    value: Annotated[str, msgspec.Meta(pattern=r"^[0-9]+$(?!\n)", max_length=12)]

    def __post_init__(self) -> None:
        if len(self.value) != DIGITS[self.kind]:
            raise ValueError("number of another length")

    @property
    def company(self) -> bool:
        """Whether it is a company."""
        return self.kind != "BSN"

    def __repr__(self) -> str:
        return "DataSubject(•)"


def data_subject(kind: str, value: str) -> DataSubject | None:
    """Who has this number; None for a kind by which nothing is looked up."""
    known = next((one for one in DIGITS if one == kind), None)
    return None if known is None else DataSubject(known, value)


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody asks, in their own words: what stands there now, what it should be, and what they add."""

    now: Written = ""
    should: Written = ""
    remark: Written = ""

    def __repr__(self) -> str:
        return "Asked(•)"


class Stage(msgspec.Struct, frozen=True, omit_defaults=True):
    """A state that a request came to, when, and why in the organisation's own words."""

    state: Reached
    at: Moment
    reason: Written = ""


class Signed(msgspec.Struct, frozen=True):
    """How somebody was signed in who makes a request: enough for their sign-in provider to assert it when the request is sent.

    Args:
        acting: who, and for whom.
        acr: in which way, as in tokens.
        level: how surely.
        at: when they proved who they are.
    """

    acting: Acting
    acr: str
    level: Level
    at: Moment


class Confirmed(msgspec.Struct, frozen=True):
    """By what it was made sure that a request is of the person, or the company, that it names.

    Args:
        issuer: the sign-in provider that asserted it; empty: they signed in at this organisation itself.
        level: how surely they signed in.
        at: when.
    """

    issuer: Annotated[str, msgspec.Meta(max_length=500)]
    level: Level
    at: Moment


class Content(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of a request is kept sealed.

    Args:
        whom: about whose data.
        level: how surely the person signed in, as the organisation says where that was.
        about: what it is about.
        asked: in their words.
        steps: how far it is.
        signed: of one that was made here, how its maker signed in.
        confirmed: of one that came in, by what it was made sure whose it is; None: on the word of who passed it on.
    """

    whom: DataSubject
    level: Level
    about: About
    asked: Asked
    steps: tuple[Stage, ...] = ()
    signed: Signed | None = None
    confirmed: Confirmed | None = None


class Request(msgspec.Struct, frozen=True):
    """A request as it is kept, on either side; moments in seconds since the epoch.

    Args:
        receipt: its number.
        side: whether it left here or came in.
        peer: the other organisation.
        person: this node's pseudonym of whose it is.
        kind: what is asked.
        state: how far it is.
        created: when it was made here.
        changed: when its state changed last.
        ends: when it is destroyed; None while it is not finished.
        due: when something must be sent; None when nothing must.
        attempts: how often that failed.
        trouble: the code of why.
        content: the rest.
    """

    receipt: str
    side: Side
    peer: PeerId
    person: str
    kind: Kind
    state: State
    created: int
    changed: int
    ends: int | None
    due: int | None
    attempts: int
    trouble: str
    content: Content

    @property
    def finished(self) -> bool:
        """Whether nothing follows any more."""
        return not FOLLOWS[self.state]


class Placed(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True):
    """A request as it crosses to the organisation that must answer it. `assertion` is what the person's sign-in provider says of them,
    to that organisation alone and for this request alone; empty where there is none, as when an official reports a mistake."""

    receipt: Receipt
    kind: Kind
    whom: DataSubject
    level: Level
    placed: Moment
    about: About
    asked: Asked
    assertion: Annotated[str, msgspec.Meta(max_length=16_384)] = ""

    def __repr__(self) -> str:
        return "Placed(•)"


def request_urn(receipt: str) -> str:
    """A request as records and assertions name it."""
    return f"urn:sluis:request:{receipt}"


class Progress(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """How far a request is, as the organisation that must answer it says: every step since it was received."""

    receipt: Receipt
    steps: Annotated[tuple[Stage, ...], msgspec.Meta(min_length=1, max_length=20)]


class Term(msgspec.Struct, frozen=True):
    """How long an answer may take: in words, and on which article."""

    told: Text
    article: str

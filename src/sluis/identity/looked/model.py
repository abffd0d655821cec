"""What a person gets to see of who looked at their data, and whom this node believes about who a person is."""

import msgspec

from sluis.crypto import Keys
from sluis.kernel import Level, PeerId, Text


class Trust(msgspec.Struct, frozen=True):
    """A sign-in provider that is believed about who a person is.

    Args:
        issuer: its address, as in `iss`, literally.
        keys: with which it signs.
        level: of assurance that a person must have signed in with, at least.
    """

    issuer: str
    keys: Keys
    level: Level = "substantial"


class Believed(msgspec.Struct, frozen=True):
    """What was believed of an assertion.

    Args:
        kind: of the number, as in the log.
        value: the number of the person, or of the company that they act for; never logged.
        issuer: the sign-in provider.
        level: how surely the person signed in.
        at: when, seconds since the epoch.
    """

    kind: str
    value: str
    issuer: str
    level: Level
    at: int

    def __repr__(self) -> str:
        return "Believed(•)"


class Bounds(msgspec.Struct, frozen=True):
    """How far one overview goes.

    Attributes:
        lines: of this node's own log, newest first, in an overview.
        searched: the same, of which a page is cut.
        hops: organisations away from this one.
        asked: requests to others, together.
        at_once: of these under way.
        seconds: for all of them together.
        each: seconds for one.
        found: lines that one answer may hold.
    """

    lines: int = 200
    searched: int = 2_000
    hops: int = 4
    asked: int = 100
    at_once: int = 8
    seconds: float = 4.0
    each: float = 2.5
    found: int = 1_000


class Organisation(msgspec.Struct, frozen=True):
    """An organisation of the group, by its Peer ID, and what it is called."""

    peer: PeerId
    name: str


class Look(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One time that something was done with data about the person, as it stands in somebody's log.

    Attributes:
        organisation: in whose log it stands.
        what: was done, in that organisation's own words.
        activity: URI of the processing activity.
        began: ms since the epoch.
        trace: joins the lines of one question, also over organisations.
        failed: whether it went wrong on the way.
        other: the organisation on the other side; absent when it was asked and answered within one.
        name: of the activity, in words; absent where this node does not know it.
        purpose: of the activity, in words.
        articles: that it rests on.
        data: which kinds, in words.
        asked: whether the organisation in whose log it stands is the one that asked the other.
    """

    organisation: str
    what: str
    activity: str
    began: int
    trace: str
    failed: bool = False
    other: str | None = None
    name: Text | None = None
    purpose: Text | None = None
    articles: tuple[str, ...] = ()
    data: tuple[Text, ...] = ()
    asked: bool = False


class Told(msgspec.Struct, frozen=True):
    """What one organisation did within one question, for a page; lines that say the same are one.

    Attributes:
        organisation: in whose log it stands.
        others: the organisations on the other side.
        said: what it was, in words; empty where the other side tells that itself.
    """

    organisation: str
    others: tuple[str, ...]
    said: tuple[Text, ...]


class Asker(msgspec.Struct, frozen=True):
    """An organisation in a question, and those that it asked in turn.

    Attributes:
        organisation: its name.
        said: what was done there, in words, as its own log says; empty where that told nothing.
        asked: whom it asked.
    """

    organisation: str
    said: tuple[Text, ...] = ()
    asked: tuple["Asker", ...] = ()


class Question(msgspec.Struct, frozen=True):
    """All that was found of one question for one activity.

    Attributes:
        first: its first line.
        failed: whether something of it went wrong.
        told: by whom what was done, in order of time.
        chain: who asked whom, from who began.
    """

    first: Look
    failed: bool
    told: tuple[Told, ...]
    chain: tuple[Asker, ...] = ()


class Silent(msgspec.Struct, frozen=True):
    """An organisation whose log could not be read: who, and why (the code of a problem)."""

    organisation: str
    why: str


class Wanted(msgspec.Struct, frozen=True):
    """Which part of an overview a page shows. Times in ms since the epoch.

    Args:
        since, until: the period.
        organisation: only questions in which this one, by name, stood on the other side; empty: all.
        first: questions before the page.
        most: questions on it.
    """

    since: int | None = None
    until: int | None = None
    organisation: str = ""
    first: int = 0
    most: int = 10


class Page(msgspec.Struct, frozen=True):
    """A page of an overview.

    Attributes:
        questions: newest first.
        total: as many there are in all, as far as the log was searched.
        cut: whether there is more than was searched.
        organisations: that stood on the other side, by name.
        silent: organisations that did not tell; what they did is missing.
        whole: whether nothing of this page is missing.
        earliest: ms since the epoch of the oldest line that was searched; None where there is none.
    """

    questions: tuple[Question, ...]
    total: int
    cut: bool
    organisations: tuple[str, ...]
    silent: tuple[Silent, ...]
    whole: bool
    earliest: int | None


class Looked(msgspec.Struct, frozen=True, rename="camel"):
    """The overview of one person, newest first.

    Attributes:
        looks: what was found.
        silent: organisations that did not tell; what they did is missing.
        whole: whether nothing is missing: nobody was silent and no bound was reached.
    """

    looks: tuple[Look, ...]
    silent: tuple[Silent, ...]
    whole: bool

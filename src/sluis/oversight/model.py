"""The nouns of oversight: an entry of the register of processing (AVG article 30), a review, a version of a law, a finding.

Nothing here holds data of persons: who is meant by a finding stands as this node's pseudonym.
"""

from datetime import date
from typing import Literal

import msgspec

from sluis.grounds import Activity, Column, Role
from sluis.kernel import PeerId, Text

Outcome = Literal["agreed", "change"]
"""What came of a review: it is right as it stands, or something must change."""

Dpia = Literal["none", "done", "todo"]
"""Whether a data protection impact assessment (AVG article 35) is needed: not, made, or still to be made."""

Kind = Literal["person", "asker", "volume", "persons", "hour", "off-hours", "refused"]
"""What is unusual: a person looked up often, somebody who asks much, many questions in a day, data of many persons given in a day,
much in an hour, outside office hours, or refused again and again."""


class Opens(msgspec.Struct, frozen=True):
    """One column that a disclosure opens: how it may be used, what is done to it first, and what it says."""

    name: str
    role: Role
    title: Text | None = None
    mask: str | None = None
    filtered: str = ""
    sensitivity: str = "personal"


class Recipient(msgspec.Struct, frozen=True):
    """Who gets data for an activity, by which disclosure or notice, and on which articles."""

    peer: PeerId
    name: str
    id: str
    version: int
    what: Text
    articles: tuple[str, ...]
    since: date
    until: date | None
    columns: tuple[Opens, ...] = ()
    closed: tuple[Text, ...] = ()
    limits: tuple[Text, ...] = ()
    retention: str = "P0D"
    contract: str | None = None
    """The contract under which it is used now; None where there is none, or none is needed."""
    notice: bool = False


class Entry(msgspec.Struct, frozen=True):
    """A processing activity as the register shows it.

    Args:
        key: what addresses name it by.
        activity: as its file says.
        own: whether this organisation is the controller.
        controller: its name.
        recipients: who gets what for it.
        data: columns that are used for it, by dataset.
        digest: of the activity and of all that is opened for it; another once a file changed.
    """

    key: str
    activity: Activity
    own: bool
    controller: str
    recipients: tuple[Recipient, ...]
    data: tuple[tuple[Text, tuple[Column, ...]], ...]
    digest: str


class Cited(msgspec.Struct, frozen=True):
    """A version of a place in the law, as it was in force at a review: `since` is its first day."""

    place: str
    since: date


class Review(msgspec.Struct, frozen=True):
    """Somebody looked an activity over. Times in milliseconds; days as they were filled in.

    Args:
        activity: its URI.
        at: when.
        by: who, as this organisation's own pages call them.
        outcome: what came of it.
        note: what they wrote.
        due: when it is to be done again.
        dpia: whether an assessment is needed, and its day when it was made.
        digest: of the entry as it was then.
        cited: the versions of its articles that were in force then.
    """

    activity: str
    at: int
    by: str
    outcome: Outcome
    note: str
    due: date
    dpia: Dpia
    dpia_day: date | None
    digest: str
    cited: tuple[Cited, ...] = ()


class Version(msgspec.Struct, frozen=True):
    """That a law, or one article of it, reads as it does from a day on. `article` None: the whole law."""

    bwb: str
    since: date
    article: str | None = None


class Changed(msgspec.Struct, frozen=True):
    """A place in the law that reads otherwise since a day; `before` is the version that was reviewed."""

    place: str
    since: date
    before: date | None
    bwb: str


State = Literal["never", "overdue", "soon", "fine"]
"""How an entry stands: never reviewed, too late, within sixty days, or later."""


class Standing(msgspec.Struct, frozen=True):
    """How an entry stands: its last review, whether the next is due, and what changed since."""

    state: State
    review: Review | None = None
    changed: tuple[Changed, ...] = ()
    rewritten: bool = False
    """Whether the files say something else than was reviewed."""

    @property
    def warns(self) -> bool:
        """Whether somebody has to look."""
        return self.state in ("never", "overdue") or bool(self.changed) or self.rewritten


class Given(msgspec.Struct, frozen=True):
    """Of how many persons data was given to an organisation for an activity on a day (UTC), as the log has it: who is in ten answers
    counts ten times. How many rows were given stands in no log."""

    day: date
    peer: str
    activity: str
    persons: int


class Normal(msgspec.Struct, frozen=True):
    """What is normal: the median of some counts, how far they lie apart, and the count above which one is unusual."""

    typical: float
    spread: float
    limit: int
    among: int
    """How many counts it was made of."""


class Finding(msgspec.Struct, frozen=True):
    """Something unusual.

    Args:
        kind: what.
        key: whom or what it is about: a pseudonym, or an organisation and an activity.
        day: on which day, or the last of the days that were looked at.
        count: how many.
        normal: what is.
        peer: OIN of the organisation that asked; empty for this one.
        activity: URI, where it is about one.
        hour: of the day, where it is about one.
    """

    kind: Kind
    key: str
    day: date
    count: int
    normal: Normal
    peer: str = ""
    activity: str = ""
    hour: int | None = None


class Looked(msgspec.Struct, frozen=True):
    """That somebody looked at a finding, and what they made of it."""

    at: int
    by: str
    reason: str

"""Why data may move: articles, processing activities, datasets and disclosures, as people write them in files.

A *dataset* is a normalised view over a table at a source. A *processing activity* is an entry of the register of
processing (AVG article 30). A *disclosure* is what one owner opens, of one dataset, to one recipient, for one
activity. An *offer* is what the owner tells that recipient about it.

An *event type* is what can happen at an organisation. A *notice* says who needs to know of it: one recipient, for one
activity.
"""

import re
from typing import Annotated, Any, Literal

import msgspec

from sluis.kernel import Level, Oin, PeerId, Period, Text, plain

Role = Literal["output", "join", "filter"]
"""`output`: may be used anywhere and handed out. `join`: only compared for equality with another dataset's key,
and it crosses sealed. `filter`: only in WHERE, against the constants the disclosure lists. Absent: forbidden."""

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z_][a-z0-9_]{0,62}$(?!\n)")]
"""What stands in a question without quotes: lower case, digits and underscores."""

Key = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$(?!\n)")]
"""A name that is not part of a question: of a disclosure, of a source."""

Uri = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$(?!\n)", max_length=2000)]

Sentence = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]

Sql = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
"""An SQL expression in DuckDB dialect."""

Duration = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^P(?=[0-9T])([0-9]+Y)?([0-9]+M)?([0-9]+W)?([0-9]+D)?(T(?=[0-9])([0-9]+H)?([0-9]+M)?([0-9]+S)?)?$(?!\n)"
    ),
]
"""ISO 8601 duration (§5.5.2.2)."""

Count = Annotated[int, msgspec.Meta(ge=1, le=2**53 - 1)]

ColumnType = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^(VARCHAR|BIGINT|INTEGER|DOUBLE|BOOLEAN|DATE|TIMESTAMP|DECIMAL\(([1-9]|[12][0-9]|3[0-8]),([0-9]|[12][0-9]|3[0-8])\))$(?!\n)"
    ),
]
"""A DuckDB type name: VARCHAR, BIGINT, INTEGER, DOUBLE, BOOLEAN, DATE, TIMESTAMP, DECIMAL(p,s)."""

Constant = str | Annotated[int, msgspec.Meta(ge=1 - 2**53, le=2**53 - 1)] | float | bool
"""A constant in a filter; whole numbers as far as JSON carries them exactly (RFC 8785 §3.2.2.3)."""

Sensitivity = Literal["open", "personal", "identifying", "special"]

AvgGround = Literal[
    "consent", "contract", "legal-obligation", "vital-interest", "public-task", "legitimate-interest"
]
"""AVG article 6, first paragraph, a to f."""


_NUMBER = re.compile(r"[0-9]+[a-z]*(?:[.:][0-9]+[a-z]*)*")
"""An article, as laws number them: 64, 53a, 2:5, 3.2."""

_ARTICLE = re.compile(r"(?:artikel|art\.?)\s+(?=\S)")


def article_number(text: str) -> str:
    """The number of an article as the law itself has it: `31, tweede lid` and `Artikel 31` are of article `31`."""
    return _ARTICLE.sub("", text.strip().lower(), count=1).partition(",")[0].partition(" ")[0].strip(".;:")


class Article(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place in the law. `bwb` is the id in the national law register (BWBR…), absent for EU and local law."""

    law: Sentence
    article: Sentence
    bwb: Annotated[str, msgspec.Meta(pattern=r"^BWB[RV][0-9]{7}$(?!\n)")] | None = None

    def __str__(self) -> str:
        return f"{self.law}, art. {self.article}"

    @property
    def page(self) -> str | None:
        """Where this place is read in the version of today (Juriconnect 1.3.1): the article where its number is told, else
        the law. None for what is not in the national register."""
        if self.bwb is None:
            return None
        number = _NUMBER.match(article_number(self.article))
        return f"https://wetten.overheid.nl/jci1.3:c:{self.bwb}" + (f"&artikel={number[0]}" if number else "")


Articles = Annotated[tuple[Article, ...], msgspec.Meta(min_length=1)]
"""Nothing is opened without a ground in the law."""


EventTypeName = Annotated[
    str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]*(\.[a-z0-9][a-z0-9-]*){2,}$(?!\n)", max_length=200)
]
"""The type of an event: a reverse domain name (CloudEvents NL GOV profile 1.1, `type`), such as `nl.wegen.brug.dicht`."""

FactName = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9]{0,19}$(?!\n)")]
"""What a condition calls a fact: a name of an attribute (CloudEvents 1.0, Attribute Naming Convention)."""

Days = Annotated[int, msgspec.Meta(ge=1, le=36_525)]

Template = Annotated[str, msgspec.Meta(pattern=r"^https?://[^@#\s]+$(?!\n)", max_length=2000)]
"""An address, in which `{id}` stands for the id of an event."""


class Activity(msgspec.Struct, frozen=True, omit_defaults=True):
    """A processing activity of the controller; `id` is a URI into its register."""

    id: Uri
    name: Text
    purpose: Text
    controller: Oin
    ground: AvgGround
    articles: Articles
    valid: Period
    processor: Oin | None = None
    retention: Duration = "P0D"
    """How long the answer may be kept, ISO 8601 duration; P0D: not longer than it takes to show it."""
    subjects: Text | None = None
    """Whom it is about: categories of data subjects, in words (AVG art. 30(1)(c))."""
    inspection: Literal["people", "companies"] | None = None
    """Who asks under it what is known about themselves, and nobody else under it about another: people (AVG art. 15), or
    companies (Wet open overheid art. 5.5). Absent: nobody."""


class Subject(msgspec.Struct, frozen=True):
    """Whom a row is about: the column with the key, and the type of key (`BSN`, or a URI)."""

    column: Name
    type: Annotated[str, msgspec.Meta(pattern=r"^(BSN|[A-Za-z][A-Za-z0-9+.-]*:\S+)$(?!\n)")]


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """One column of a dataset. `source` is its name at the source where that differs; `expression` is SQL (DuckDB
    dialect) over the source's own columns, where the view computes it."""

    name: Name
    type: ColumnType
    source: Sentence | None = None
    expression: Sql | None = None
    title: Text | None = None
    unit: str | None = None
    concept: str | None = None
    sensitivity: Sensitivity = "personal"


class Dataset(msgspec.Struct, frozen=True, omit_defaults=True):
    """A normalised view over one table, view, file or path of a source. People ask it as `owner.name`."""

    name: Name
    title: Text
    source: Key
    table: Sentence
    columns: Annotated[tuple[Column, ...], msgspec.Meta(min_length=1)]
    description: Text | None = None
    subject: Subject | None = None
    """Absent: the rows are about no person, and a consultation is one log line."""
    key: tuple[Name, ...] = ()
    rows: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)] | None = None
    """About how many rows there are; the planner starts with the smallest."""

    def column(self, name: str) -> Column | None:
        """The column of that name, None when there is none."""
        return next((column for column in self.columns if column.name == name), None)


Operator = Literal["=", "<>", "<", "<=", ">", ">=", "in", "between", "is null", "is not null"]


class Filter(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a `filter` column may be compared with: these operators, and these constants (none listed: any), at most
    `budget` comparisons per day for each asking organisation and activity."""

    operators: Annotated[tuple[Operator, ...], msgspec.Meta(min_length=1)]
    values: tuple[Constant, ...] = ()
    budget: Count = 100


class Aggregate(msgspec.Struct, frozen=True, omit_defaults=True):
    """No row may be output, only groups of at least `minimum` distinct subjects.

    `functions` names, per column, what is allowed beyond count, sum and avg. `budget` is the number of different
    aggregate questions per day for each asking organisation and activity. `combiner` is the peer that may hold
    rows, with sealed keys, to join them with another owner's data.
    """

    minimum: Annotated[int, msgspec.Meta(ge=2, le=1_000_000)]
    functions: dict[Name, tuple[Name, ...]] = {}
    budget: Count = 50
    combiner: PeerId | None = None


class Withhold(msgspec.Struct, frozen=True, omit_defaults=True):
    """The subject is not shown this consultation, on this ground, until `until` (days after the consultation)."""

    article: Article
    days: Days


class Closed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Columns that stay closed, said out loud: why, and on which article."""

    columns: Annotated[tuple[Name, ...], msgspec.Meta(min_length=1)]
    because: Text
    article: Article | None = None


class Price(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a question costs, in eurocents."""

    per_question: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0
    per_subject: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0


Cadence = Literal["PT15M", "PT30M", "PT1H", "PT2H", "PT4H", "PT6H", "PT8H", "PT12H", "P1D"]
"""ISO 8601 durations that divide a day, so that every round begins on a moment that everybody can tell beforehand."""

CADENCES: dict[Cadence, int] = {
    "PT15M": 900, "PT30M": 1_800, "PT1H": 3_600, "PT2H": 7_200, "PT4H": 14_400,
    "PT6H": 21_600, "PT8H": 28_800, "PT12H": 43_200, "P1D": 86_400,
}  # fmt: skip
"""The same in seconds."""


class StandingRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """The recipient may leave questions standing: each is read again every `cadence`, counted from midnight UTC, and a change
    of its answer is told without the answer. At most `most` at a time."""

    cadence: Cadence
    most: Count = 1000


class Disclosure(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an owner opens of one dataset, to one recipient, for one processing activity."""

    id: Key
    version: Count
    dataset: Name
    recipient: PeerId
    activity: Uri
    columns: Annotated[dict[Name, Role], msgspec.Meta(min_length=1)]
    articles: Articles
    ground: AvgGround
    controller: Oin
    valid: Period
    processor: Oin | None = None
    filters: dict[Name, Filter] = {}
    rows: Sql | None = None
    """SQL condition (DuckDB dialect) over the dataset's columns that every row must meet."""
    rows_because: Text | None = None
    masks: dict[Name, Sql] = {}
    """Per column an SQL expression (DuckDB dialect) that takes its place everywhere, below every predicate. It has the
    column's own type, or one that casts to it without loss."""
    subject_required: bool = True
    max_subjects: Count = 1000
    aggregate: Aggregate | None = None
    withhold: Withhold | None = None
    closed: tuple[Closed, ...] = ()
    max_rows: Count = 1_000_000
    questions_per_hour: Count | None = None
    price: Price | None = None
    retention: Duration = "P0D"
    refuse_acr: tuple[str, ...] = ()
    """Ways of signing in that this owner does not accept here (`local`)."""
    minimum_level: Level | None = None
    """The assurance level that the person who acts must have reached; a way of signing in without a level does not."""
    standing: StandingRule | None = None
    """With it the disclosure is for standing questions, and for nothing else; without it there are none."""


class Fact(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that is said of an event. `number` is a whole number of 32 bits (CloudEvents 1.0, Type System)."""

    type: Literal["text", "number", "boolean", "date"]
    meaning: Text


class EventType(msgspec.Struct, frozen=True, omit_defaults=True):
    """What can happen at this organisation.

    `facts` are what conditions of notices look at, and they never leave. `data` may leave, as far as a notice says so.
    `subject` is the kind of key of the person that it is about (`BSN`, or a URI); None when it is about nobody.
    """

    type: EventTypeName
    title: Text
    description: Text
    subject: Annotated[str, msgspec.Meta(pattern=r"^(BSN|[A-Za-z][A-Za-z0-9+.-]*:\S+)$(?!\n)")] | None = None
    facts: dict[FactName, Fact] = {}
    data: dict[FactName, Fact] = {}
    dataref: Template | None = None
    """Where a recipient reads what happened, under a contract of its own; `{id}` is the id of the event."""
    system: Key | None = None
    """Of this organisation, which tells of it; it is part of the event's `source`."""
    keep_days: Days = 30
    """How long the node keeps what it sent of it, for who was away and for whoever publishes it twice."""


class Notice(msgspec.Struct, frozen=True, omit_defaults=True):
    """That one recipient needs to know of one event type, for one processing activity, and what it is told."""

    id: Key
    version: Count
    event: EventTypeName
    recipient: PeerId
    activity: Uri
    tells: Text
    articles: Articles
    ground: AvgGround
    controller: Oin
    valid: Period
    processor: Oin | None = None
    condition: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)] | None = None
    """CloudEvents SQL over the facts of the event; only what meets it is told."""
    condition_because: Text | None = None
    interest: bool = True
    """Whether the recipient hears only of persons for whom it registered an interest."""
    data: tuple[FactName, ...] = ()
    """Which data leaves; none: only that it happened, and where to read of it."""
    withhold: Withhold | None = None


class OfferedNotice(msgspec.Struct, frozen=True, omit_defaults=True):
    """A notice as its source tells it to its recipient: with the face of the event type, and a digest that both name in
    a contract. `digest` is `sha256:` + hex over the canonical JSON of the rest."""

    source: PeerId
    notice: Notice
    title: Text
    description: Text
    digest: str
    subject: str | None = None
    data: dict[FactName, Fact] = {}


class OfferedColumn(msgspec.Struct, frozen=True, omit_defaults=True):
    """A column as the recipient sees it. `role` absent: it exists and stays closed."""

    name: Name
    type: ColumnType
    role: Role | None = None
    title: Text | None = None
    unit: str | None = None
    concept: str | None = None


class Offer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A disclosure as its owner publishes it to its recipient: with the dataset's face and a digest that both sides
    name in their logs. `digest` is `sha256:` + hex over the canonical JSON of disclosure and face together."""

    owner: PeerId
    alias: Name
    """The name before the dot in `owner.dataset`."""
    dataset: Name
    title: Text
    columns: Annotated[tuple[OfferedColumn, ...], msgspec.Meta(min_length=1, max_length=5_000)]
    disclosure: Disclosure
    digest: str
    subject: Subject | None = None
    key: tuple[Name, ...] = ()
    rows: Annotated[int, msgspec.Meta(ge=0, le=2**53 - 1)] | None = None


def offer_document(offer: Offer) -> dict[str, Any]:
    """What the digest is taken over: the offer without its digest, as plain values."""
    document: dict[str, Any] = plain(offer)
    del document["digest"]
    return document


class Grounds(msgspec.Struct, frozen=True):
    """All that a node knows about why data may move, as read from its directory."""

    datasets: tuple[Dataset, ...] = ()
    activities: tuple[Activity, ...] = ()
    disclosures: tuple[Disclosure, ...] = ()
    events: tuple[EventType, ...] = ()
    notices: tuple[Notice, ...] = ()

    def dataset(self, name: str) -> Dataset | None:
        """The dataset of that name, None when there is none."""
        return next((one for one in self.datasets if one.name == name), None)

    def activity(self, id: str) -> Activity | None:
        """The processing activity with that id, None when there is none."""
        return next((one for one in self.activities if one.id == id), None)

    def event(self, type: str) -> EventType | None:
        """The event type of that name, None when there is none."""
        return next((one for one in self.events if one.type == type), None)

"""Why data may move: articles, processing activities, datasets and disclosures, as people write them in files.

A *dataset* is a normalised view over a table at a source. A *processing activity* is an entry of the register of
processing (AVG article 30). A *disclosure* is what one owner opens, of one dataset, to one recipient, for one
activity. An *offer* is what the owner tells that recipient about it.
"""

from typing import Any, Literal

import msgspec

from sluis.kernel import Oin, PeerId, Period, Text, plain

Role = Literal["output", "join", "filter"]
"""`output`: may be used anywhere and handed out. `join`: only compared for equality with another dataset's key,
and it crosses sealed. `filter`: only in WHERE, against the constants the disclosure lists. Absent: forbidden."""

ColumnType = str
"""A DuckDB type name: VARCHAR, BIGINT, INTEGER, DOUBLE, BOOLEAN, DATE, TIMESTAMP, DECIMAL(p,s)."""

Sensitivity = Literal["open", "personal", "identifying", "special"]

AvgGround = Literal[
    "consent", "contract", "legal-obligation", "vital-interest", "public-task", "legitimate-interest"
]
"""AVG article 6, first paragraph, a to f."""


class Article(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place in the law. `bwb` is the id in the national law register (BWBR…), absent for EU and local law."""

    law: str
    article: str
    bwb: str | None = None

    def __str__(self) -> str:
        return f"{self.law}, art. {self.article}"


class Activity(msgspec.Struct, frozen=True, omit_defaults=True):
    """A processing activity of the controller; `id` is a URI into its register."""

    id: str
    name: Text
    purpose: Text
    controller: Oin
    ground: AvgGround
    articles: tuple[Article, ...]
    valid: Period
    processor: Oin | None = None
    retention: str = "P0D"
    """How long the answer may be kept, ISO 8601 duration; P0D: not longer than it takes to show it."""
    subjects: tuple[str, ...] = ()
    """Categories of data subjects, in words."""


class Subject(msgspec.Struct, frozen=True):
    """Whom a row is about: the column with the key, and the type of key (`BSN`, or a URI)."""

    column: str
    type: str


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """One column of a dataset. `source` is its name at the source where that differs; `expression` is SQL (DuckDB
    dialect) over the source's own columns, where the view computes it."""

    name: str
    type: ColumnType
    source: str | None = None
    expression: str | None = None
    title: Text | None = None
    unit: str | None = None
    concept: str | None = None
    sensitivity: Sensitivity = "personal"


class Dataset(msgspec.Struct, frozen=True, omit_defaults=True):
    """A normalised view over one table, view, file or path of a source. People ask it as `owner.name`."""

    name: str
    title: Text
    source: str
    table: str
    columns: tuple[Column, ...]
    description: Text | None = None
    subject: Subject | None = None
    """Absent: the rows are about no person, and a consultation is one log line."""
    key: tuple[str, ...] = ()
    rows: int | None = None
    """About how many rows there are; the planner starts with the smallest."""

    def column(self, name: str) -> Column | None:
        """The column of that name, None when there is none."""
        return next((column for column in self.columns if column.name == name), None)


class Filter(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a `filter` column may be compared with: these operators, and these constants (none listed: any), at most
    `budget` questions per day for each asking organisation and activity."""

    operators: tuple[Literal["=", "<>", "<", "<=", ">", ">=", "in", "between", "is null", "is not null"], ...]
    values: tuple[str | int | float | bool, ...] = ()
    budget: int = 100


class Aggregate(msgspec.Struct, frozen=True, omit_defaults=True):
    """No row may be output, only groups of at least `minimum` distinct subjects.

    `functions` names, per column, what is allowed beyond count, sum and avg. `budget` is the number of different
    aggregate questions per day for each asking organisation and activity. `combiner` is the peer that may hold
    rows, with sealed keys, to join them with another owner's data.
    """

    minimum: int
    functions: dict[str, tuple[str, ...]] = {}
    budget: int = 50
    combiner: PeerId | None = None


class Withhold(msgspec.Struct, frozen=True, omit_defaults=True):
    """The subject is not shown this consultation, on this ground, until `until` (days after the consultation)."""

    article: Article
    days: int


class Closed(msgspec.Struct, frozen=True, omit_defaults=True):
    """Columns that stay closed, said out loud: why, and on which article."""

    columns: tuple[str, ...]
    because: Text
    article: Article | None = None


class Price(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a question costs, in eurocents."""

    per_question: int = 0
    per_subject: int = 0


class Disclosure(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an owner opens of one dataset, to one recipient, for one processing activity."""

    id: str
    version: int
    dataset: str
    recipient: PeerId
    activity: str
    columns: dict[str, Role]
    articles: tuple[Article, ...]
    ground: AvgGround
    controller: Oin
    valid: Period
    processor: Oin | None = None
    filters: dict[str, Filter] = {}
    rows: str | None = None
    """SQL condition (DuckDB dialect) over the dataset's columns that every row must meet."""
    rows_because: Text | None = None
    masks: dict[str, str] = {}
    """Per column an SQL expression (DuckDB dialect) that takes its place everywhere, below every predicate."""
    subject_required: bool = True
    max_subjects: int = 1000
    aggregate: Aggregate | None = None
    withhold: Withhold | None = None
    closed: tuple[Closed, ...] = ()
    max_rows: int = 1_000_000
    questions_per_hour: int | None = None
    price: Price | None = None
    retention: str = "P0D"
    refuse_acr: tuple[str, ...] = ()
    """Ways of signing in that this owner does not accept here (`local`)."""


class OfferedColumn(msgspec.Struct, frozen=True, omit_defaults=True):
    """A column as the recipient sees it. `role` absent: it exists and stays closed."""

    name: str
    type: ColumnType
    role: Role | None = None
    title: Text | None = None
    unit: str | None = None
    concept: str | None = None


class Offer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A disclosure as its owner publishes it to its recipient: with the dataset's face and a digest that both sides
    name in their logs. `digest` is `sha256:` + hex over the canonical JSON of disclosure and face together."""

    owner: PeerId
    alias: str
    """The name before the dot in `owner.dataset`."""
    dataset: str
    title: Text
    columns: tuple[OfferedColumn, ...]
    disclosure: Disclosure
    digest: str
    subject: Subject | None = None
    key: tuple[str, ...] = ()
    rows: int | None = None


def offer_document(offer: Offer) -> dict[str, Any]:
    """What the digest is taken over: the offer without its digest, as plain values."""
    document: dict[str, Any] = plain(offer)
    del document["digest"]
    return document

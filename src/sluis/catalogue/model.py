"""What can be found at a node: what people write about it in files, what was measured, and the entries that these make
together with the files that say why data may move.
"""

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec

from sluis.catalogue.codes import AccessRights, Frequency, Language, Licence, Theme
from sluis.grounds import Article, Name, Price
from sluis.kernel import PeerId, Period, Text

Kind = Literal["dataset", "service", "event-type"]
"""What an entry is about."""

FOLDERS: dict[Kind, str] = {"dataset": "datasets", "service": "services", "event-type": "event-types"}
"""What each kind is called in addresses."""

Form = Literal["json-ld", "turtle"]
"""How a catalogue is written."""

Sentence = Annotated[str, msgspec.Meta(min_length=1, max_length=4000)]

Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

Web = Annotated[
    str, msgspec.Meta(pattern=r"^https?://[^@\s<>\x22{}|\\^`\x00-\x20\x7f-\x9f]+$(?!\n)", max_length=2000)
]
"""An address that is an IRI as it stands (RFC 3987), without anybody's name before the host."""

Mail = Annotated[str, msgspec.Meta(pattern=r"^[^\s@<>]{1,64}@[A-Za-z0-9.-]{1,190}$(?!\n)")]

Phone = Annotated[str, msgspec.Meta(pattern=r"^\+[0-9]{6,15}$(?!\n)")]


class Prose(Text, frozen=True):
    """A text for people, in Dutch and English, of at most 4,000 characters each."""

    nl: Sentence
    en: Sentence


class Keywords(msgspec.Struct, frozen=True):
    """Words to find something by, in Dutch and English."""

    nl: tuple[Word, ...] = ()
    en: tuple[Word, ...] = ()


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where to ask: a department, not a person."""

    name: Word
    email: Mail | None = None
    page: Web | None = None
    phone: Phone | None = None


class Body(msgspec.Struct, frozen=True):
    """An organisation, or a part of one: its name, and its IRI in an official register such as TOOI."""

    name: Word
    uri: Web


class Cost(msgspec.Struct, frozen=True, omit_defaults=True):
    """What it costs. `agreed`: as the disclosures say; whose those are stays unsaid."""

    kind: Literal["free", "call", "run", "subscription", "agreed"]
    cents: Annotated[int, msgspec.Meta(ge=0, le=10**9)] = 0
    months: Annotated[int, msgspec.Meta(ge=1, le=120)] = 12
    """Of a subscription: what it is paid for."""
    note: Prose | None = None
    vat: Annotated[int, msgspec.Meta(ge=0, le=30)] | None = None
    """In whole percents, over the price; None where it falls outside VAT."""


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """The terms under which something is delivered: in words, at an address, or both."""

    version: Word
    text: Prose | None = None
    page: Web | None = None
    required: bool = False
    """Whether a question is refused while who asks has not accepted them."""


class ServiceLevel(msgspec.Struct, frozen=True, omit_defaults=True):
    """What may be expected. `available` is a percentage of time."""

    text: Prose
    available: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    page: Web | None = None


class Whole(msgspec.Struct, frozen=True, omit_defaults=True):
    """The catalogue itself, and what holds for everything in it that says nothing else: the file `catalogue.toml`."""

    title: Prose
    description: Prose
    publisher: Web
    contact: Contact
    themes: Annotated[tuple[Theme, ...], msgspec.Meta(min_length=1)]
    licence: Licence = "not-open"
    languages: Annotated[tuple[Language, ...], msgspec.Meta(min_length=1)] = ("nl",)
    homepage: Web | None = None
    documentation: Web | None = None
    access: Prose | None = None
    terms: Terms | None = None
    publish: Literal["chosen", "all"] = "chosen"
    """`chosen`: an entry is published where its description says so; `all`: unless its description says not."""


class Description(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the other files do not say of one thing that is offered: a file in `descriptions/`."""

    kind: Kind
    name: Word
    published: bool | None = None
    title: Prose | None = None
    description: Prose | None = None
    contact: Contact | None = None
    creator: Body | None = None
    themes: tuple[Theme, ...] = ()
    keywords: Keywords = Keywords()
    access_rights: AccessRights | None = None
    licence: Licence | None = None
    conforms_to: tuple[Web, ...] = ()
    articles: tuple[Article, ...] = ()
    cost: Cost | None = None
    terms: Terms | None = None
    level: ServiceLevel | None = None
    access: Prose | None = None
    page: Web | None = None
    documentation: Web | None = None
    openapi: Web | None = None
    document: (
        Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,100}\.(json|ya?ml)$(?!\n)")] | None
    ) = None
    """Of a service: a file in `descriptions/` with its OpenAPI document."""
    frequency: Frequency | None = None
    period: Period | None = None
    places: tuple[Web, ...] = ()
    changed: Name | None = None


class Share(msgspec.Struct, frozen=True):
    """How much of a column is filled, in whole percents."""

    column: str
    percent: int


class Measurement(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a probe found of a dataset. It holds no value of anybody: counts, percentages, and one day."""

    dataset: str
    at: datetime
    milliseconds: int
    rows: int
    """Of a dataset about people, to two significant digits."""
    filled: tuple[Share, ...] = ()
    newest: date | None = None
    """The last day in the column that says when a row was changed."""


class Of(msgspec.Struct, frozen=True):
    """Whose catalogue it is. `base` is the address below which entries are; `endpoint` where peers reach the services, and
    `openapi` where those of the node itself are described."""

    oin: PeerId
    name: str
    base: str
    endpoint: str
    openapi: str


class EntryColumn(msgspec.Struct, frozen=True, omit_defaults=True):
    """A column of a dataset, or a fact that an event may carry, as anybody may know it."""

    name: str
    type: str
    sensitivity: str
    title: Text | None = None
    unit: str | None = None
    concept: str | None = None


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that is offered, with all that is known of it. `iri` is where it is published, if it is."""

    kind: Kind
    name: str
    iri: str
    published: bool
    described: bool
    title: Text
    description: Text
    contact: Contact
    creator: Body
    themes: tuple[Theme, ...]
    access_rights: AccessRights
    licence: Licence
    languages: tuple[Language, ...]
    keywords: Keywords
    conforms_to: tuple[str, ...] = ()
    articles: tuple[Article, ...] = ()
    cost: Cost | None = None
    prices: tuple[Price, ...] = ()
    """Where the cost is as disclosures say: the different prices there are."""
    terms: Terms | None = None
    level: ServiceLevel | None = None
    access: Text | None = None
    page: str | None = None
    documentation: str | None = None
    openapi: str | None = None
    documented: bool = False
    """Whether its OpenAPI document is at this node."""
    frequency: Frequency | None = None
    period: Period | None = None
    places: tuple[str, ...] = ()
    columns: tuple[EntryColumn, ...] = ()
    key: tuple[str, ...] = ()
    subject: str | None = None
    """The kind of key of the person whom it is about; None when it is about nobody."""
    service: str | None = None
    """The name of the service by which it is reached."""
    measured: Measurement | None = None


class Offered(msgspec.Struct, frozen=True, omit_defaults=True):
    """Terms as a catalogue gives them: `digest` tells one text from another, whatever version it calls itself."""

    version: str
    digest: str
    text: Text | None = None
    page: str | None = None
    required: bool = False


class Priced(msgspec.Struct, frozen=True, omit_defaults=True):
    """A price as a program reads it: for each of what `kind` says, in cents, without VAT."""

    kind: Literal["free", "call", "run", "subscription"]
    cents: int
    months: int = 12
    vat: int | None = None


class Wording(msgspec.Struct, frozen=True, omit_defaults=True):
    """Words to find something by, of another organisation: in Dutch, in English, and those that it did not say the language of, or
    that are in another."""

    nl: tuple[str, ...] = ()
    en: tuple[str, ...] = ()
    other: tuple[str, ...] = ()


class Found(msgspec.Struct, frozen=True, omit_defaults=True):
    """An entry of another organisation's catalogue, as far as somebody may look for it."""

    kind: Kind
    iri: str
    title: Text
    description: Text
    words: Wording = Wording()
    themes: tuple[Theme, ...] = ()
    access_rights: AccessRights | None = None
    columns: tuple[str, ...] = ()
    modified: date | None = None
    costs: tuple[Text, ...] = ()
    priced: Priced | None = None
    access: Text | None = None
    level: Text | None = None
    terms: Offered | None = None
    openapi: str | None = None


class Faults(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of a catalogue was passed over: things without an address or a title that can be used, and links that no browser may
    follow."""

    things: int = 0
    links: int = 0


class Harvest(msgspec.Struct, frozen=True):
    """What is kept of a peer's catalogue: `at` when it was read, and of a later try what stood in the way (`trouble`). `many` is how
    many entries there are, `size` how many bytes it was."""

    peer: PeerId
    name: str
    tried: datetime | None = None
    at: datetime | None = None
    trouble: str = ""
    entries: tuple[Found, ...] = ()
    many: int = 0
    size: int = 0
    faults: Faults | None = None


class Acceptance(msgspec.Struct, frozen=True, omit_defaults=True):
    """That an organisation accepted terms.

    Args:
        peer: the other organisation: whose terms they are of what was `given`, who accepted of what was `received`.
        iri: the entry whose terms they are.
        title: of that entry.
        version: of the terms, as they call themselves.
        digest: of what was accepted: `rules.terms_digest`.
        reference: by which both sides find it; the trace of its record.
        at: milliseconds since the epoch, by the clock of who accepted.
        who: the official, for the pages of their own organisation alone; empty of what was received.
        told: when the owner acknowledged it, in milliseconds; None while it did not.
        trouble: why the owner did not take it, as a code; then it is not asked again.
    """

    peer: PeerId
    iri: str
    title: Text
    version: str
    digest: str
    reference: str
    at: int
    who: str = ""
    told: int | None = None
    trouble: str = ""


Moment = Annotated[int, msgspec.Meta(ge=0, le=253_402_200_000_000)]
"""Milliseconds since the epoch, until the last day of the year 9999: another organisation says it, and pages show it."""


class Accepting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one node tells another: that its organisation accepts the terms of an entry."""

    iri: Web
    version: Word
    digest: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
    reference: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]
    at: Moment


class Acknowledged(msgspec.Struct, frozen=True):
    """What the owner answers: it is on record there, and durable. `received` is in milliseconds since the epoch."""

    reference: str
    received: Moment

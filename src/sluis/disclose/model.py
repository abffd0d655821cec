"""What the owner's side of a question works with: its bounds, a question as it was understood, and an answer."""

from collections.abc import AsyncIterator, Collection
from typing import Literal, Protocol

import msgspec
import pyarrow as pa

from sluis.grounds import Dataset, Disclosure, Subject
from sluis.kernel import PeerId

SUBJECT = "subject$"
"""The subject as it is at the source, unmasked, in a view; `$` never stands in a dataset's own column names."""

CONSENTED = "sluis_consented_"
"""Before the name of a dataset, in a view: this parameter lists the people whose rows are shown. No asker's parameter begins
with `statement.parse.RESERVED`."""

BROKEN = "broken$"
"""Before the name of a column, in a view: whether the value at the source does not fit it."""

Kind = Literal["rows", "summary", "groups", "combining"]
"""`rows`: rows about people, or about nobody. `summary`: aggregates over data whose rows may be seen; they are about
everyone in them, as a group can be one person, or a list of names. `groups`: aggregates over data whose rows may not
be seen. `combining`: rows of such data, for the node that reduces them to groups."""


class Bounds(msgspec.Struct, frozen=True):
    """What one question may cost, and how much of this room's work is kept ready."""

    sql_bytes: int = 65_536
    keys: int = 100_000
    """In all key lists of a question together."""
    openers: int = 32
    """Owners for whom one question's key is sealed."""
    seal_seconds: int = 600
    """How long sealed keys, and the tokens made with them, are good for."""
    seconds: float = 30.0
    """A source's time for one question."""
    scanned_rows: int = 10_000_000
    """Rows read from the sources for one question."""
    batch_rows: int = 65_536
    prepared: int = 512
    """Questions kept understood."""
    prepared_length: int = 256 * 1024
    """Characters of SQL of these together."""
    understood_at_once: int = 2
    """New questions of one peer that are worked out at the same time; others wait for their turn, not for it."""
    refusals_a_minute: int = 20
    """Refusals of one peer recorded one by one; the rest of that minute is one record with a number."""


class Opened(msgspec.Struct, frozen=True):
    """A dataset of a question, the disclosure that opens it to the asker, and the digest both sides name."""

    dataset: Dataset
    disclosure: Disclosure
    digest: str

    @property
    def by_consent(self) -> str | None:
        """The parameter with the keys of the people whose consent opens their rows; None where no row needs that."""
        return CONSENTED + self.dataset.name if self.disclosure.ground == "consent" else None


class Consenting(Protocol):
    """Who consented to what, as it is now. Guarantee: what was revoked opens nothing from then on."""

    def opens(
        self, whom: tuple[str, str], recipient: PeerId, activity: str, dataset: str, columns: Collection[str]
    ) -> bool:
        """Whether the consents of a person (type of key, key) open these columns of a dataset."""

    def changed(self) -> object:
        """Something that is another one once a consent was narrowed or taken back."""


class Trail(msgspec.Struct, frozen=True):
    """A hidden column of the executed statement that tells whom a row is about; it never leaves."""

    column: str
    subject: Subject


class Consultation(msgspec.Struct, frozen=True):
    """An answer that has begun: everything was decided, and the records of its first bytes are durable.

    `body` gives the Arrow stream (see `statement.receipt`); when it ends early there is no receipt, so no answer.
    """

    schema: pa.Schema
    body: AsyncIterator[bytes]

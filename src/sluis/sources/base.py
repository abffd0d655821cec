"""What every kind of source promises. A source is a database, file or API that stays where it is.

All calls block; callers run them in worker threads. A source is opened read-only, with the node's own least
privilege account. Nothing here knows about purposes: `disclose` has decided before it prepares a query.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Protocol, TypeAlias

import msgspec
import pyarrow as pa
from sqlglot import exp

Scalar: TypeAlias = str | int | float | bool | Decimal | date | datetime | None
Value: TypeAlias = Scalar | Sequence[Scalar] | pa.Array
"""A parameter: one value, or for `column = ANY($name)` the distinct keys, as a sequence or an Arrow array."""


class ColumnInfo(msgspec.Struct, frozen=True):
    """A column as the source has it. `type` is the DuckDB type that holds its values without loss."""

    name: str
    type: str
    native_type: str
    nullable: bool


class TableInfo(msgspec.Struct, frozen=True):
    """A table, view, file or path of a source. `rows` is an estimate, None when the source has none."""

    name: str
    columns: tuple[ColumnInfo, ...]
    key: tuple[str, ...]
    rows: int | None


class Probe(msgspec.Struct, frozen=True):
    """How a source is: reachable, how fast it answered, the source's own time, and in words what is wrong.

    `read_only` tells whether the account really cannot write (None when it cannot be told)."""

    healthy: bool
    milliseconds: float
    as_of: datetime | None
    read_only: bool | None
    detail: str = ""


class Limits(msgspec.Struct):
    """What one reading may cost. `cancelled` may be set from another thread at any moment; the reading then ends
    soon with `SourceFailure("cancelled")` and the source's own query is stopped where it can be."""

    seconds: float = 30.0
    rows: int = 10_000_000
    batch_rows: int = 65_536
    cancelled: threading.Event = msgspec.field(default_factory=threading.Event)


class SourceFailure(Exception):
    """A source did not do its part. The text stays with the owner: it may hold data.

    `kind` is one of `unreachable`, `timeout`, `cancelled`, `too-many-rows`, `broken-row`, `changed` (a table or
    column that is no longer there), `refused` (rights), `failed`.
    `place` names table, column and key or line of a broken row, for the owner's eyes.
    """

    def __init__(self, kind: str, detail: str, place: str = "") -> None:
        super().__init__(f"{kind}: {detail}" + (f" ({place})" if place else ""))
        self.kind, self.detail, self.place = kind, detail, place


class Prepared(Protocol):
    """A query that a source has understood; may be run many times, from several threads at once."""

    def run(self, values: Mapping[str, Value], limits: Limits) -> Iterator[pa.RecordBatch]:
        """Stream the answer in batches of exactly the prepared schema; memory stays bounded by a few batches.

        A value that does not fit the schema raises `SourceFailure("broken-row")` and is never dropped or bent.
        """


class Source(Protocol):
    """A place where data lives.

    `dialect` is a sqlglot dialect name when the source takes whole SELECTs (the caller has proved, by
    `statement.pushable`, that the SELECT means the same there), or None when it takes only the plain shape
    `SELECT columns FROM table WHERE column = $p AND column = ANY($keys)`.
    """

    dialect: str | None

    def tables(self) -> tuple[TableInfo, ...]:
        """What is there."""

    def prepare(self, query: exp.Query, parameters: Mapping[str, str], schema: pa.Schema) -> Prepared:
        """Understand a SELECT over this source's own tables and columns.

        Args:
            query: a qualified sqlglot tree in DuckDB dialect: every column carries the alias of its table. Named
                parameters are `$name`, key lists `column = ANY($name)`. The tree is not changed.
            parameters: DuckDB type per parameter name; of the elements, for a key list.
            schema: the Arrow schema the answer must have, columns in order (`arrow_type` gives the types).

        Raises:
            SourceFailure: `changed`, `unreachable`, or `failed` when this kind cannot be asked such a query.
        """

    def probe(self) -> Probe:
        """How the source is now; never raises."""

    def close(self) -> None:
        """Give every connection back; may be called twice."""

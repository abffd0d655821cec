"""A question as a person puts it, and the answer as they get it: rows, and beside them where each column came from,
what each owner signed, and what stays closed."""

from collections.abc import Coroutine, Sequence
from typing import Any, Literal, Protocol, TypeVar

import msgspec
import pyarrow as pa

from sluis.kernel import Acting, Level, PeerId, Problem, Text
from sluis.statement import Receipt
from sluis.web import Audience

T = TypeVar("T")


class Question(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel", forbid_unknown_fields=True):
    """Body of `POST /v1/questions`.

    `sql` is one SELECT over `owner.dataset`; `activity` the id of a processing activity of this organisation; `case`
    the reference of the case it is asked for; `parameters` the values of `$name` in the SQL. `partial` says what
    happens when an owner refuses or cannot be reached: `never` gives no answer, `flagged` gives the rest, marked.
    """

    sql: str
    activity: str
    case: str
    parameters: dict[str, Any] = {}
    partial: Literal["never", "flagged"] = "never"


class Who(msgspec.Struct, frozen=True):
    """The person who acts here, for whom, and how they signed in (`local`: known by the operating-system user).

    `level` is the assurance of that way of signing in, None when it has none; `roles` are what the person does here;
    `audience` is as whom.
    """

    acting: Acting
    acr: str
    level: Level | None = None
    roles: tuple[str, ...] = ()
    audience: Audience = "staff"


class Origin(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Where an output column came from: one owner's dataset and column, and the expression that masked it, if any."""

    owner: str
    dataset: str
    column: str
    masked: str | None = None


class Provenance(msgspec.Struct, frozen=True, omit_defaults=True):
    """An output column and everything it was computed from; its unit, when it is a dataset's column as it is."""

    column: str
    origins: tuple[Origin, ...]
    unit: str | None = None


class StaysClosed(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What an owner does not open for this activity: columns, rows, or single values. Derived from plan and disclosure
    alone, so that it reads the same whether or not something was there."""

    owner: str
    dataset: str
    what: Literal["columns", "rows", "values"]
    columns: tuple[str, ...]
    because: Text
    article: str | None = None


class Consulted(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One sub-question that crossed: to whom, over what, how long it took, and the receipt with its signed form."""

    owner: str
    peer: PeerId
    datasets: tuple[str, ...]
    rows: int
    milliseconds: float
    receipt: Receipt
    jws: str
    nonce: str


class Missing(msgspec.Struct, frozen=True):
    """An owner whose part is not in a partial answer, or in what is told of it beforehand; and why."""

    owner: str
    problem: dict[str, Any]


class Answer(msgspec.Struct, frozen=True):
    """What comes back for a question. The rows live as long as this object does."""

    question: str
    trace_id: str
    table: pa.Table
    provenance: tuple[Provenance, ...]
    consulted: tuple[Consulted, ...]
    closed: tuple[StaysClosed, ...]
    missing: tuple[Missing, ...]
    timings: dict[str, float]
    """Milliseconds per step: `plan`, `record`, `ask`, `combine`, `total`."""


class AnswerColumn(msgspec.Struct, frozen=True):
    """A column of the answer, and its Arrow type."""

    name: str
    type: str


class AnswerDocument(msgspec.Struct, frozen=True, rename="camel"):
    """What `POST /v1/questions` answers as JSON. Decimals, dates and times in `rows` are text; `timings` are in
    milliseconds."""

    question: str
    trace_id: str
    columns: tuple[AnswerColumn, ...]
    rows: list[list[Any]]
    provenance: tuple[Provenance, ...]
    receipts: tuple[Consulted, ...]
    closed: tuple[StaysClosed, ...]
    missing: tuple[Missing, ...]
    timings: dict[str, float]


class ExplainedColumn(msgspec.Struct, frozen=True, omit_defaults=True):
    """A column of a dataset in a question, and on which terms it is open."""

    name: str
    role: str
    masked: str | None = None


class ExplainedPart(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What one owner would be asked: the sub-question without constants, which columns and rows it may give, and on
    which articles. Text only, never counts."""

    owner: str
    datasets: tuple[str, ...]
    sql: str
    columns: dict[str, tuple[ExplainedColumn, ...]]
    rows: tuple[Text, ...]
    articles: tuple[str, ...]
    level: Level | None = None
    """The assurance level that the owner asks of the person who acts; a lower one is refused."""
    keys_from: tuple[str, ...] = ()
    """The owners whose answer gives the keys for this part; sealed keys are marked `(sealed)`."""


class Explanation(msgspec.Struct, frozen=True):
    """What a question would do, told without asking it. `missing` are owners that did not say what they open, of a question
    that may be answered in part: the rest is told as it would be asked without them."""

    question: str
    activity: str
    purpose: Text
    parts: tuple[ExplainedPart, ...]
    provenance: tuple[Provenance, ...]
    closed: tuple[StaysClosed, ...]
    missing: tuple[Missing, ...] = ()


class OwnerFailed(Exception):
    """An owner's part could not be had. The owner's problem tells why."""

    def __init__(self, alias: str, problem: Problem) -> None:
        super().__init__(problem.code)
        self.alias, self.problem = alias, problem


class Watch(Protocol):
    """Looks on while a question is asked, and may go on without an owner. Told of states alone: nothing of an answer is shown
    before the answer is."""

    def meets(self, owner: str) -> None:
        """It is being asked what it opens; nothing of the question has left for it."""

    def planned(self, owners: Sequence[str]) -> None:
        """These owners have a part in it. Again when it is asked anew, without an owner that failed."""

    def asks(self, owner: str) -> None:
        """A part of the question is about to leave for this owner."""

    def answered(self, owner: str) -> None:
        """That part came back whole."""

    def failed(self, owner: str, problem: Problem) -> None:
        """That part cannot be had."""

    async def unless_left(self, owner: str, work: Coroutine[Any, Any, T]) -> T:
        """What the work for an owner gives. Raises `Problem` when the question goes on without this owner; the work is then
        cancelled."""

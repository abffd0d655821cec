"""What the ledger keeps: records of processing, decisions, contracts, crossings and what was arranged, and of its own
epochs; and where a record stands.

Processing records are log lines of Logboek Dataverwerkingen (LDV) core 1.0.0; the names of fields and attributes
are the standard's. Decisions are records of the Authorization Decision Log (ADL) 0.0.1. Each record is immutable.
"""

from typing import Any, Literal

import msgspec

Status = Literal["Unset", "Ok", "Error"]
"""LDV: `Unset` ended without an internal error (also: nothing found, a refusal); `Error` only for failures inside."""

EventName = Literal[
    "adl.access_evaluation",
    "adl.access_evaluations",
    "adl.search_subject",
    "adl.search_action",
    "adl.search_resource",
]

ACTIVITY = "dpl.core.processing_activity_id"
SUBJECT = "dpl.core.data_subject_id"
SUBJECT_TYPE = "dpl.core.data_subject_id_type"
PROCESSOR = "dpl.core.foreign_operation.processor"
DATASETS = "sluis.datasets"
"""Of a question to another organisation: the datasets that were asked for."""
MESSAGE = "sluis.message"
"""Of a line by which this organisation sent somebody a message: by which scenario."""


class Withheld(msgspec.Struct, frozen=True):
    """The subject is not shown this record: on which article, and until when (ms since the epoch)."""

    article: str
    until: int


class Processing(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="processing"):
    """One action of a data processing, about at most one data subject (LDV core, interface table).

    Times in milliseconds since the epoch. `withheld` is no part of LDV; it is kept and proved with the record.
    """

    trace_id: str
    span_id: str
    name: str
    status: Status
    start_time: int
    end_time: int
    parent_span_id: str | None = None
    attributes: dict[str, Any] = {}
    resource: dict[str, Any] | None = None
    withheld: Withheld | None = None


class Decision(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="decision"):
    """One call of the decision point (ADL, record). Each `adl.core.*` key stands in `body` (the value itself) or in
    `attributes` (a reference to its source), never in both."""

    trace_id: str
    span_id: str
    event_name: EventName
    timestamp: int
    status: Status
    parent_span_id: str | None = None
    attributes: dict[str, Any] = {}
    resource: dict[str, Any] | None = None
    body: dict[str, Any] = {}


class Agreement(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="contract"):
    """A party of a contract signed, for one of the three things that FSC Core 2.0.0 knows.

    `contract` is the hash of its content, `jws` the SHA-256 of the signature (hex), `peer` who signed. Time in
    milliseconds since the epoch, by the signer's clock: so that the same signature is the same record.
    """

    trace_id: str
    span_id: str
    action: Literal["accept", "reject", "revoke"]
    contract: str
    jws: str
    peer: str
    timestamp: int
    status: Status = "Ok"
    attributes: dict[str, Any] = {}
    resource: dict[str, Any] | None = None


class Crossings(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="transaction"):
    """A stretch of the transaction log (FSC Logging 1.0.0), sealed: nobody can change a line of it unseen.

    `first` and `last` are the numbers of its lines, `digest` is SHA-256 (hex) over them. Time in milliseconds.
    """

    trace_id: str
    span_id: str
    first: int
    last: int
    digest: str
    timestamp: int
    status: Status = "Ok"
    attributes: dict[str, Any] = {}
    resource: dict[str, Any] | None = None


class Arrangement(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="admin"):
    """Someone changed what decisions rest on: gave or revoked a mandate, signed with another, ended a session.

    What BIO2 8.15.01 asks of a log line: the action, the object, the result (`status`), who, and when. All that ever
    happened to one object has the same trace, and is found by it.

    Args:
        action: such as `mandate.revoke`.
        actor: this node's pseudonym of the person.
        about: to what it was done, as a URN.
        timestamp: milliseconds since the epoch.
        body: what was arranged; no personal data but pseudonyms.
    """

    trace_id: str
    span_id: str
    action: str
    actor: str
    about: str
    timestamp: int
    status: Status = "Ok"
    attributes: dict[str, Any] = {}
    resource: dict[str, Any] | None = None
    body: dict[str, Any] = {}


class Epoch(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="epoch"):
    """The log goes on under a new origin, because it no longer holds all that was seen of it before.

    `seen` is the newest checkpoint that somebody holds of the epoch before; `found` is how many of its leaves this
    node still had. Records `found` to the size in `seen` were lost here.
    """

    trace_id: str
    span_id: str
    number: int
    origin: str
    seen: str
    found: int
    timestamp: int
    status: Status = "Unset"


class Destruction(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="destruction"):
    """Records were destroyed because they had to be: which (first and last index of each stretch), on what ground
    (an entry of the selection list, an article), and when."""

    trace_id: str
    span_id: str
    stretches: tuple[tuple[int, int], ...]
    ground: str
    timestamp: int
    status: Status = "Unset"


Record = Processing | Decision | Agreement | Crossings | Arrangement
Act = Epoch | Destruction
"""What the ledger records of itself; only the ledger writes these."""


class Position(msgspec.Struct, frozen=True):
    """Where a record stands.

    Attributes:
        origin: the log, as named in its checkpoints.
        index: of the (last) record, from 0.
        size: number of leaves of a tree that holds it.
        witnesses: how many peers have cosigned the newest checkpoint.
    """

    origin: str
    index: int
    size: int
    witnesses: int


class Stored(msgspec.Struct, frozen=True):
    """A record as the ledger keeps it. `json` is its canonical JSON and `salt` the 16 bytes before it in the hash;
    both are None when it was destroyed. `entry` is what its leaf is the hash of."""

    index: int
    entry: bytes
    json: bytes | None = None
    salt: bytes | None = None


class Search(msgspec.Struct, frozen=True):
    """Which processing records to read; what is given must all fit, and one of the first three must be given.

    Attributes:
        trace_id: 32 hex digits.
        activity: URI of the processing activity.
        subjects: pseudonyms, one of which the record is about.
        processor: URL of the other party's application.
        since: `start_time` at the earliest, ms.
        until: `end_time` at the latest, ms.
        limit: no more than this, newest first.
    """

    trace_id: str | None = None
    activity: str | None = None
    subjects: tuple[str, ...] | None = None
    processor: str | None = None
    since: int | None = None
    until: int | None = None
    limit: int = 1000

"""What is written of a record, as pure functions: which records are well formed, the numbers they are found by, and
the hashes that prove them.

These run for every record of every consultation. So they work on lists, where one call into C does what a loop over
records would do thirty times as slowly, and a record costs about six microseconds. The price is that a list is either
right as a whole or not: `prepare` then says of one record what is wrong with it.
"""

import hashlib
import struct
from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import Any
from zlib import crc32

import msgspec

from sluis.crypto import canonical_structs
from sluis.kernel import Invalid, Text
from sluis.ledger.model import (
    ACTIVITY,
    SUBJECT,
    SUBJECT_TYPE,
    Act,
    Agreement,
    Arrangement,
    Crossings,
    Decision,
    Processing,
    Record,
)

SALT = 16  # bytes; as many as SD-JWT asks for (RFC 9901, section 9.3)

_STATUSES = frozenset({"Unset", "Ok", "Error"})
_HASH, _SUBJECT = 2**29 - 1, 2**29
_SPOT = 2**63 - 1
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
_PROCESSING, _ACT, _AGREEMENT, _CROSSINGS, _ARRANGEMENT = 0, 1, 2, 3, 4


class _Identity(msgspec.Struct, frozen=True, gc=False):
    kind: str | None = None
    trace_id: str | None = None
    span_id: str | None = None
    event_name: str | None = None


_identity = msgspec.json.Decoder(_Identity)


class Columns(msgspec.Struct, frozen=True, gc=False):
    """Prepared records, column by column. `spots` are numbers for the idempotency keys: kind, trace, span, and for a
    decision the event name. `salted` is what is hashed: a random salt and canonical JSON."""

    traces: list[int]
    spots: list[int]
    subjects: list[int | None]
    activities: list[int | None]
    starts: list[int]
    salted: list[bytes]
    leaves: list[bytes]

    def __add__(self, other: "Columns") -> "Columns":
        return Columns(
            *[
                a + b
                for a, b in zip(msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
            ]
        )


def trace_term(trace_id: str) -> int:
    """The search term of a trace: its last 29 bits, which W3C wants random. What is found is looked at again."""
    return int(trace_id[-8:], 16) & _HASH


def subject_term(subject: str) -> int:
    """The search term of a data subject's pseudonym."""
    return _SUBJECT | crc32(subject.encode()) & _HASH


def trace_terms(trace_ids: Sequence[str]) -> list[int]:
    """`trace_term` of each."""
    return [int(one[-8:], 16) & _HASH for one in trace_ids]


def subject_terms(subjects: Sequence[Any]) -> list[int | None]:
    """`subject_term` of each; None of None."""
    if {str}.issuperset(map(type, subjects)):
        return [_SUBJECT | number & _HASH for number in map(crc32, map(str.encode, subjects))]
    return [None if one is None else _SUBJECT | crc32(str(one).encode()) & _HASH for one in subjects]


@lru_cache(1024)
def activity_term(activity: str) -> int:
    """The search term of a processing activity."""
    return crc32(activity.encode())


def prepare(records: Sequence[Record], salts: bytes) -> Columns:
    """Check records, write them as canonical JSON, and hash them.

    Args:
        records: of any kind that others than the ledger itself write.
        salts: 16 random bytes for each.

    Raises:
        Invalid: one of them has ids that are no W3C trace ids, an unknown status, a subject without its type or
            activity, or a value that has no canonical form.
    """
    kinds = [_kind(record) for record in records]  # refuses whatever is no record at all
    attributes = [record.attributes for record in records]
    subjects = [given.get(SUBJECT) for given in attributes]
    activities = [given.get(ACTIVITY) for given in attributes]
    if [
        subject
        for kind, subject, activity, given in zip(kinds, subjects, activities, attributes, strict=True)
        if subject is not None and (activity is None or SUBJECT_TYPE not in given) and kind == _PROCESSING
    ]:
        raise _subject_alone()
    free: list[list[Any]] = [
        attributes,
        [record.resource for record in records],
        [getattr(record, "body", None) for record in records],
    ]
    starts = [
        record.start_time if kind == _PROCESSING else record.timestamp  # type: ignore[union-attr]
        for kind, record in zip(kinds, records, strict=True)
    ]
    return _columns(
        records,
        kinds,
        subject_terms(subjects),
        [None if activity is None else activity_term(str(activity)) for activity in activities],
        starts,
        canonical_structs(records, free),
        salts,
    )


def prepare_act(act: Act, salt: bytes) -> Columns:
    """The same for a record of the ledger about itself."""
    return _columns([act], [_ACT], [None], [None], [act.timestamp], canonical_structs([act], []), salt)


def _columns(
    records: Sequence[Record | Act],
    kinds: list[int],
    subjects: list[int | None],
    activities: list[int | None],
    starts: list[int],
    bodies: list[bytes],
    salts: bytes,
) -> Columns:
    if not _STATUSES.issuperset([record.status for record in records]):
        raise _malformed()
    array("q", starts)  # refuses what is no number, before a database does, for the whole commit
    traces, spots = _numbers(
        [record.trace_id for record in records], [record.span_id for record in records], kinds
    )
    sha256 = hashlib.sha256
    cuts = range(0, len(salts), SALT)
    salted = [salts[cut : cut + SALT] + body for cut, body in zip(cuts, bodies, strict=True)]
    return Columns(
        traces,
        spots,
        subjects,
        activities,
        starts,
        salted,
        [sha256(b"\x00" + sha256(kept).digest()).digest() for kept in salted],
    )


def _kind(record: Record) -> int:
    if type(record) is Processing:
        return _PROCESSING
    if type(record) is Decision:
        return crc32(record.event_name.encode())
    if type(record) is Agreement:
        return _AGREEMENT
    if type(record) is Crossings:
        return _CROSSINGS
    if type(record) is Arrangement:
        return _ARRANGEMENT
    raise _malformed()


def _numbers(traces: list[str], spans: list[str], kinds: list[int]) -> tuple[list[int], list[int]]:
    """The search term of each trace and the number of each idempotency key, when all ids are lower-case hex and none
    is zero.

    All of them are reckoned with at once, as one number of 128 bits a record.
    """
    if _NO_TRACE in traces or _NO_SPAN in spans:
        raise _malformed()
    trace = int.from_bytes(_raw(traces, 16), "big")
    _raw(spans, 8)
    span = int.from_bytes(bytes.fromhex(_NO_SPAN.join(spans)), "big")
    kind = int.from_bytes(b"".join([kind.to_bytes(16, "big") for kind in kinds]), "big") if any(kinds) else 0
    each = int.from_bytes((1).to_bytes(16, "big") * len(traces), "big")
    return (
        _low_halves(trace & each * _HASH, len(traces)),
        _low_halves((trace >> 64 ^ trace ^ span ^ kind) & each * _SPOT, len(traces)),
    )


def _raw(ids: list[str], size: int) -> bytes:
    """The bytes of ids of `size` bytes each, of which each must be written as hex() writes it."""
    written = " ".join(ids)
    try:
        raw = bytes.fromhex(written)
    except ValueError:
        raise _malformed() from None
    if len(raw) != size * len(ids) or raw.hex(" ", size) != written:
        raise _malformed()
    return raw


def _low_halves(number: int, count: int) -> list[int]:
    return list(struct.unpack(f">{2 * count}Q", number.to_bytes(16 * count, "big"))[1::2])


def raw(value: Any) -> bytes:
    """What a column of bytes holds; nothing when somebody put something else there, such as a number, of which
    `bytes` would make that many zeros."""
    return bytes(value) if isinstance(value, bytes | memoryview) else b""


def identity(body: bytes) -> tuple[str | None, ...]:
    """The idempotency key of a record, out of its JSON: kind, trace, span, event name. Raises `msgspec.MsgspecError` when it cannot
    be read."""
    return msgspec.structs.astuple(_identity.decode(body))


def kind_of(body: bytes) -> str | None:
    """Of which kind a record is, out of its JSON; None of what cannot be read."""
    try:
        return identity(body)[0]
    except msgspec.MsgspecError:
        return None


def _malformed() -> Invalid:
    return Invalid(
        "invalid-record",
        Text("Deze logregel klopt niet.", "This log record is malformed."),
        Text(
            "trace_id heeft 32 en span_id 16 kleine hexadecimale cijfers, niet alleen nullen; status is Unset, Ok of Error.",
            "trace_id has 32 and span_id 16 lower-case hex digits, not all zero; status is Unset, Ok or Error.",
        ),
        Text("Verbeter de regel en schrijf hem opnieuw.", "Correct the record and write it again."),
    )


def _subject_alone() -> Invalid:
    return Invalid(
        "incomplete-subject",
        Text(
            "Deze logregel noemt een betrokkene zonder reden.",
            "This log record names a subject without a reason.",
        ),
        Text(
            "Bij een betrokkene horen altijd het soort nummer en de verwerkingsactiviteit.",
            "A subject always comes with the type of its key and the processing activity.",
        ),
        Text("Vul beide aan en schrijf de regel opnieuw.", "Add both and write the record again."),
    )

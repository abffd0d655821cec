"""Transaction ids: UUIDv7 (RFC 9562 §5.7), made by the outway, checked by whoever is handed one; and what the log says
of a grant. Pure."""

import re
from typing import cast, get_args
from uuid import UUID

import msgspec
import uuid_utils

from sluis.gateway.contracts import Grant
from sluis.gateway.properties import logged
from sluis.gateway.transactions.model import Crossing, Outcome
from sluis.kernel import encode

OUTCOME = "sluis.outcome"
"""The member of `additional_data` that says what an outway noted beside its line."""


OUTCOMES: frozenset[str] = frozenset(get_args(Outcome))
_TEXT = re.compile(
    "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII
)


def new_transaction() -> tuple[bytes, str]:
    """A new transaction id: its 16 bytes, and its text."""
    made = uuid_utils.uuid7()
    return made.bytes, str(made)


def read_transaction_id(text: str) -> bytes | None:
    """The 16 bytes of a UUIDv7 in its one text form (RFC 9562 §4, either case); None when it is anything else."""
    return bytes.fromhex(text.replace("-", "")) if _TEXT.fullmatch(text) else None


def text_of(transaction_id: bytes) -> str:
    """The text of 16 bytes."""
    return str(UUID(bytes=transaction_id))


def crossing_of(grant: Grant) -> Crossing:
    """What the log says of requests under a connection grant."""
    assert grant.outway is not None
    additional = logged(grant.properties)
    return Crossing(
        grant.hash,
        grant.service_name,
        grant.outway.peer_id,
        grant.service_peer,
        grant.delegator,
        grant.service_delegator,
        encode(additional).decode() if additional else None,
    )


def noted(crossing: Crossing, outcome: Outcome) -> Crossing:
    """The same crossing, with an outcome."""
    return _with(crossing, {**_added(crossing), OUTCOME: outcome})


def outcome_of(crossing: Crossing) -> Outcome | None:
    """The outcome that was noted; None when there is none."""
    found = _added(crossing).get(OUTCOME) if OUTCOME in (crossing.additional or "") else None
    return cast(Outcome, found) if isinstance(found, str) and found in OUTCOMES else None


def without_outcome(crossing: Crossing) -> Crossing:
    """The crossing as its line was written."""
    return _with(crossing, {name: value for name, value in _added(crossing).items() if name != OUTCOME})


def _added(crossing: Crossing) -> dict[str, object]:
    return (
        {}
        if crossing.additional is None
        else msgspec.json.decode(crossing.additional, type=dict[str, object])
    )


def _with(crossing: Crossing, added: dict[str, object]) -> Crossing:
    return msgspec.structs.replace(crossing, additional=encode(added).decode() if added else None)

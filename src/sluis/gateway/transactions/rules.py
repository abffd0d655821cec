"""Transaction ids: UUIDv7 (RFC 9562 §5.7), made by the outway, checked by whoever is handed one; and what the log says
of a grant. Pure."""

import re
from uuid import UUID

import uuid_utils

from sluis.gateway.contracts import Grant
from sluis.gateway.properties import logged
from sluis.gateway.transactions.model import Crossing
from sluis.kernel import encode

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

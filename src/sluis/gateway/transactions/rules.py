"""Transaction ids: UUIDv7 (RFC 9562 §5.7), made by the outway, checked by whoever is handed one. Pure."""

from uuid import UUID

import uuid_utils

_DASHES = (8, 13, 18, 23)
_HEX = frozenset("0123456789abcdefABCDEF")


def new_transaction() -> tuple[bytes, str]:
    """A new transaction id: its 16 bytes, and its text."""
    made = uuid_utils.uuid7()
    return made.bytes, str(made)


def read_transaction_id(text: str) -> bytes | None:
    """The 16 bytes of a UUIDv7 in its one text form (RFC 9562 §4, either case); None when it is anything else."""
    if len(text) != 36 or text[14] != "7" or text[19] not in "89abAB":
        return None
    digits = text.replace("-", "")
    if len(digits) != 32 or not _HEX.issuperset(digits) or any(text[at] != "-" for at in _DASHES):
        return None
    return bytes.fromhex(digits)


def text_of(transaction_id: bytes) -> str:
    """The text of 16 bytes."""
    return str(UUID(bytes=transaction_id))

"""What is kept sealed in the node's own database: AES-256-GCM (NIST SP 800-38D) under a key that the key store makes.

Who copies the database without the key store has nothing to read. Each piece is bound to what it belongs to, so that
none can be moved to another row.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sluis.crypto.keys import KeyStore
from sluis.kernel import Invalid, Text

_NONCE = 12  # bytes


class Vault:
    """Seals and opens under one name.

    Args:
        keys: of this node.
        name: of the secret, in lower-case letters, digits and dashes; other names open nothing of this one's.

    Raises `NotFound` when that secret was destroyed.
    """

    def __init__(self, keys: KeyStore, name: str) -> None:
        self._cipher = AESGCM(keys.mac(name, b"sluis.vault.v1"))

    def seal(self, content: bytes, belongs_to: str) -> bytes:
        """`content`, sealed; `belongs_to` must be named again to open it."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, content, belongs_to.encode())

    def open(self, sealed: bytes, belongs_to: str) -> bytes:
        """What was sealed. Raises `Invalid` (`cannot-open`) when it was changed, moved, or sealed under another key."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], belongs_to.encode())
        except (InvalidTag, ValueError) as failure:
            raise _cannot_open() from failure


def _cannot_open() -> Invalid:
    return Invalid(
        "cannot-open",
        Text("Een verzegeld gegeven is niet te openen.", "A sealed value cannot be opened."),
        Text("Het is veranderd, of met een andere sleutel verzegeld.",
             "It was changed, or sealed with another key."),
        Text("Zet de sleutels en de database van hetzelfde moment terug.",
             "Put back the keys and the database of the same moment."),
    )  # fmt: skip

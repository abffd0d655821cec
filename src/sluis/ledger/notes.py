"""Signing: checkpoints and cosignatures as signed notes (C2SP signed-note, tlog-checkpoint, tlog-cosignature v1).

Reading and checking them is the verifier's.
"""

from base64 import b64encode

from sluis.crypto import KeyStore
from sluis.ledger.verifier import COSIGNER, LOG, Key


def log_key(origin: str, keys: KeyStore) -> Key:
    """The key that a log of this origin is verified with."""
    return Key(origin, LOG, keys.public)


def witness_key(name: str, keys: KeyStore) -> Key:
    """The key that cosignatures of this witness are verified with."""
    return Key(name, COSIGNER, keys.public)


def signed_checkpoint(origin: str, size: int, root: bytes, keys: KeyStore) -> str:
    """A checkpoint as a note signed by the log (C2SP tlog-checkpoint, signed-note).

    Args:
        origin: name of the log, in the epoch it is in.
        size: how many leaves its tree has.
        root: the hash over them, 32 bytes.
        keys: sign it.
    """
    text = f"{origin}\n{size}\n{b64encode(root).decode()}\n"
    return f"{text}\n{_line(log_key(origin, keys), keys.sign(text.encode()))}"


def cosignature(text: str, name: str, seconds: int, keys: KeyStore) -> str:
    """The signature line of a witness under a checkpoint that it saw (C2SP tlog-cosignature, v1).

    Args:
        text: of the checkpoint, to its last line end, without signatures.
        name: of the witness.
        seconds: when it saw the checkpoint, in whole seconds since the epoch.
        keys: sign the line.
    """
    signature = keys.sign(f"cosignature/v1\ntime {seconds}\n{text}".encode())
    return _line(witness_key(name, keys), seconds.to_bytes(8, "big") + signature)


def _line(key: Key, signature: bytes) -> str:
    return f"— {key.name} {b64encode(key.id + signature).decode()}\n"

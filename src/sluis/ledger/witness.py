"""Witnessing other logs (c2sp.org/tlog-witness): cosign a checkpoint only when it extends what was cosigned before.

And the other side: bodies for asking a peer, and reading what it answers. How a request travels is not known here.
"""

import asyncio
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, text

from sluis.crypto import KeyStore
from sluis.kernel import Clock
from sluis.ledger import sql
from sluis.ledger.notes import cosignature
from sluis.ledger.tree import EMPTY_ROOT
from sluis.ledger.verifier import (
    COSIGNER,
    LOG,
    Checkpoint,
    Key,
    Rejected,
    check_consistency,
    open_checkpoint,
    open_note,
)
from sluis.store import Store

LARGEST_REQUEST = 64 * 1024
_MOST_PROOF_LINES = 63
_LARGEST_LOG = 2**63 - 1  # what a database can remember; a commit that it refuses would take others with it

Known = Callable[[str], bytes | None]
"""Gives the Ed25519 key of the log with this origin; None when it is not one this node witnesses."""


class Answer(msgspec.Struct, frozen=True):
    """The answer to `add-checkpoint`: HTTP status, body, and its type."""

    status: Literal[200, 400, 403, 404, 409, 422]
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


class Peer(msgspec.Struct, frozen=True):
    """A witness to ask. `send` posts a body to its `add-checkpoint` and gives status and body; it raises a Problem
    or `OSError` when the peer cannot be reached."""

    key: Key
    send: Callable[[bytes], Awaitable[tuple[int, bytes]]]


class Cosigned(msgspec.Struct, frozen=True):
    """How asking one witness went. `ahead`: it saw a larger log than this node has. `refused`: it holds another."""

    witness: str
    outcome: Literal["cosigned", "ahead", "refused", "unreachable"]
    line: str = ""
    size: int = 0


class Witness:
    """This node as a witness.

    Args:
        store: remembers, for each log, the newest checkpoint that was cosigned.
        keys: signs.
        name: of this witness, such as `sluis.example/witness/<oin>`.
        known: which logs to witness.
        clock: aware UTC.
    """

    def __init__(self, store: Store, keys: KeyStore, name: str, known: Known, clock: Clock) -> None:
        self._store, self._keys, self._name, self._known, self._clock = store, keys, name, known, clock

    @property
    def key(self) -> Key:
        """The key that this witness's cosignatures are verified with."""
        return Key(self._name, COSIGNER, self._keys.public)

    async def add(self, body: bytes) -> Answer:
        """Answer `add-checkpoint`. Checking against what was cosigned before, and remembering, are one transaction.

        Raises:
            Unkept: it could not be remembered; nothing was cosigned.
        """
        request = _read(body)
        if request is None:
            return Answer(400)
        old, proof, note = request
        origin = note.partition("\n")[0]
        public = self._known(origin)
        if public is None:
            return Answer(404)
        try:
            checkpoint = open_checkpoint(note, Key(origin, LOG, public))
        except Rejected:
            return Answer(403)
        if not old <= checkpoint.size <= _LARGEST_LOG:
            return Answer(400)
        return await self._store.write(
            lambda connection: self._judge(connection, old, proof, note, checkpoint)
        )

    async def newest(self, origin_digest: str) -> str | None:
        """The newest checkpoint cosigned for the log whose origin has this SHA-256 (hex); None when there is none."""
        with self._store.read() as connection:
            for row in connection.execute(text(sql.ALL_WITNESSED)):
                if sha256(row.origin.encode()).hexdigest() == origin_digest:
                    return str(row.checkpoint)
        return None

    def _judge(
        self, connection: Connection, old: int, proof: Sequence[bytes], note: str, checkpoint: Checkpoint
    ) -> Answer:
        before = connection.execute(text(sql.WITNESSED), {"origin": checkpoint.origin}).first()
        size, root = (before.size, bytes(before.root)) if before else (0, EMPTY_ROOT)
        if old != size:
            return Answer(409, f"{size}\n", "text/x.tlog.size")
        try:
            check_consistency(size, checkpoint.size, proof, root, checkpoint.root)
        except Rejected:
            return Answer(422)
        body = note.rpartition("\n\n")[0] + "\n"
        line = cosignature(body, self._name, int(self._clock().timestamp()), self._keys)
        values: dict[str, Any] = {
            "origin": checkpoint.origin,
            "size": checkpoint.size,
            "root": checkpoint.root,
        }
        connection.execute(text(sql.WITNESS), {**values, "checkpoint": f"{body}\n{_log_lines(note)}{line}"})
        return Answer(200, line)


async def ask(
    peer: Peer, note: str, size: int, known: int, proof: Callable[[int], Sequence[bytes]]
) -> Cosigned:
    """Ask a witness to cosign a checkpoint; when it knows another size than we thought, once more from there.

    Args:
        peer: whom to ask.
        note: the checkpoint, signed by the log.
        size: its size.
        known: the size that this witness saw last, as far as we know.
        proof: gives the consistency proof from a size.
    """
    try:
        for old in (known, None):
            if old is None:
                old = known
            hashes = await asyncio.to_thread(proof, old)
            status, answer = await peer.send(request_body(old, hashes, note))
            if status != 409:
                break
            known = int(answer.decode("ascii", "replace").strip() or -1)
            if not 0 <= known <= size:
                return Cosigned(peer.key.name, "ahead", size=known)
    except (OSError, ValueError):
        return Cosigned(peer.key.name, "unreachable")
    return (
        _accept(peer.key, note, answer) if status == 200 else Cosigned(peer.key.name, "refused", size=known)
    )


def request_body(old: int, proof: Sequence[bytes], note: str) -> bytes:
    """The body of `add-checkpoint`."""
    lines = [f"old {old}", *(b64encode(hash_).decode() for hash_ in proof), "", note]
    return "\n".join(lines).encode()


def _accept(key: Key, note: str, answer: bytes) -> Cosigned:
    """The cosignature in an answer, when it is by the witness that was asked and verifies."""
    text_part = note.rpartition("\n\n")[0]
    for line in answer.decode("utf-8", "replace").splitlines(keepends=True):
        try:
            open_note(f"{text_part}\n\n{line}", [key])
        except Rejected:
            continue
        return Cosigned(key.name, "cosigned", line)
    return Cosigned(key.name, "refused")


def _read(body: bytes) -> tuple[int, list[bytes], str] | None:
    """Old size, proof and checkpoint of a request; None when it is malformed."""
    try:
        head, empty, note = body.decode().partition("\n\n")
        first, *lines = head.split("\n")
        word, _, number = first.partition(" ")
        old = int(number)
        proof = [b64decode(line, validate=True) for line in lines]
    except (UnicodeDecodeError, ValueError, Base64Error):
        return None
    malformed = (
        len(body) > LARGEST_REQUEST
        or not empty
        or word != "old"
        or str(old) != number
        or old < 0
        or len(proof) > _MOST_PROOF_LINES
        or any(len(hash_) != 32 for hash_ in proof)
    )
    return None if malformed else (old, proof, note)


def _log_lines(note: str) -> str:
    """The signature lines under a note by the log itself."""
    origin = note.partition("\n")[0]
    lines = note.rpartition("\n\n")[2].splitlines(keepends=True)
    return "".join(line for line in lines if line.startswith(f"— {origin} "))

"""Check a log without trusting who keeps it: its tiles, checkpoints, receipts, and records that were shown to you.

Stands alone: it needs Python and `cryptography`, no database and no other part of Sluis, and shares no code with
what writes the log. Copy this one file and run `python verifier.py --help`.

Implements RFC 6962 section 2.1 (tree, proofs; the checking algorithms of RFC 9162 sections 2.1.3.2 and 2.1.4.2) and,
of C2SP: signed-note, tlog-checkpoint, tlog-tiles, tlog-cosignature (Ed25519) and tlog-proof.
"""

import argparse
import binascii
import hashlib
import re
import sys
import urllib.request
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LOG, COSIGNER = 1, 4  # signature types of signed-note
_MOST_SIGNATURES = 64
_MOST_FAULTS = 1_000
_LARGEST_FILE = 1 << 25  # bytes; 256 entries of the largest size are 17 million
_HEADER = "c2sp.org/tlog-proof@v1"
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")

Fetch = Callable[[str], bytes]
"""Gives the bytes at a path of the log (`checkpoint`, `tile/0/000`). Raises `OSError` when there is nothing."""


class Rejected(Exception):
    """Something does not verify. The text says what, in a sentence."""


# Keys and signed notes


@dataclass(frozen=True)
class Key:
    """A verification key by name. `kind` is `LOG` or `COSIGNER`; `public` is the Ed25519 key, 32 bytes."""

    name: str
    kind: int
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that stand for this key in a signature line."""
        return hashlib.sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{b64encode(bytes([self.kind]) + self.public).decode()}"

    @classmethod
    def parse(cls, vkey: str) -> "Key":
        """Read `name+id+key`. Raises `Rejected` when its id does not fit, or its kind is not one of the two."""
        name, _, rest = vkey.strip().partition("+")
        given, _, encoded = rest.partition("+")
        raw = _base64(encoded, "the key")
        if not name or len(raw) != 33 or raw[0] not in (LOG, COSIGNER):
            raise Rejected("This is not a verification key for Ed25519.")
        key = cls(name, raw[0], raw[1:])
        if key.id.hex() != given:
            raise Rejected(f"The key of {name} does not fit its id.")
        return key


@dataclass(frozen=True)
class Note:
    """A note whose signatures were checked. `times` holds, per key that signed, when it did (0: not said)."""

    text: str
    times: dict[Key, int]


def open_note(note: str, keys: Iterable[Key]) -> Note:
    """Check a signed note. Signatures of keys that are not given are passed over.

    Raises:
        Rejected: malformed, no signature of a given key, or a signature of a given key that does not verify.
    """
    text, empty, signatures = note.rpartition("\n\n")
    lines = signatures.split("\n")
    if (
        not empty
        or lines[-1]
        or len(lines) > _MOST_SIGNATURES + 1
        or any(ord(c) < 32 and c != "\n" for c in note)
    ):
        raise Rejected("This is not a signed note.")
    text += "\n"
    known = {(key.name, key.id): key for key in keys}
    times: dict[Key, int] = {}
    for line in lines[:-1]:
        name, signature = _signature_line(line)
        key = known.get((name, signature[:4]))
        if key is not None:
            times[key] = _check_signature(key, text, signature[4:])
    if not times:
        raise Rejected("None of the signatures is by a key that you trust.")
    return Note(text, times)


def _signature_line(line: str) -> tuple[str, bytes]:
    dash, _, rest = line.partition(" ")
    name, space, encoded = rest.partition(" ")
    signature = _base64(encoded, "a signature")
    if dash != "—" or not name or not space or len(signature) < 5:
        raise Rejected("A signature line is malformed.")
    return name, signature


def _check_signature(key: Key, text: str, signature: bytes) -> int:
    time, message = 0, text
    if key.kind == COSIGNER:
        time, signature = int.from_bytes(signature[:8], "big"), signature[8:]
        message = f"cosignature/v1\ntime {time}\n{text}"
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, message.encode())
    except (InvalidSignature, ValueError) as problem:
        raise Rejected(f"The signature of {key.name} is false.") from problem
    return time


@dataclass(frozen=True)
class Checkpoint:
    """What a log states about itself: its name, how many leaves it has, and the root over them."""

    origin: str
    size: int
    root: bytes

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read the text of a checkpoint; extension lines are passed over. Raises `Rejected`."""
        lines = text.split("\n")
        if len(lines) < 4 or not lines[0]:
            raise Rejected("This is not a checkpoint.")
        root = _base64(lines[2], "the root")
        if len(root) != 32:
            raise Rejected("The root of a checkpoint is not a SHA-256 hash.")
        return cls(lines[0], _number(lines[1]), root)


def open_checkpoint(note: str, log: Key, witnesses: Sequence[Key] = (), quorum: int = 0) -> Checkpoint:
    """Check a checkpoint: signed by the log under its own name, and by enough witnesses.

    Args:
        note: the checkpoint with its signatures.
        log: the key of the log; its name is the origin.
        witnesses: the keys of those whose cosignatures count; who is named twice counts once.
        quorum: how many of them must have signed.

    Raises:
        Rejected: it is not.
    """
    opened = open_note(note, [log, *witnesses])
    checkpoint = Checkpoint.parse(opened.text)
    if log not in opened.times or checkpoint.origin != log.name:
        raise Rejected(f"The checkpoint is not signed by {log.name}.")
    seen_by = sum(witness in opened.times for witness in set(witnesses))
    if seen_by < quorum:
        raise Rejected(f"The checkpoint has {seen_by} cosignatures of witnesses; {quorum} are needed.")
    return checkpoint


# The tree


def leaf_hash(entry: bytes) -> bytes:
    """SHA-256(0x00 || entry)."""
    return hashlib.sha256(b"\x00" + entry).digest()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def check_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> None:
    """Check that a leaf stands in a tree (RFC 9162, 2.1.3.2).

    Args:
        index: of the leaf, from 0.
        size: how many leaves the tree has.
        leaf: its leaf hash, 32 bytes.
        proof: the hashes beside the way from the leaf to the root, 32 bytes each, lowest first.
        root: of the tree, 32 bytes.

    Raises:
        Rejected: it is not proved.
    """
    if not 0 <= index < size:
        raise Rejected(f"The tree of {size} leaves has no leaf {index}.")
    first, last, made = index, size - 1, leaf
    for hash_ in proof:
        if last == 0:
            raise Rejected("The inclusion proof is too long.")
        if first & 1 or first == last:
            made = _node(hash_, made)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            made = _node(made, hash_)
        first, last = first >> 1, last >> 1
    if last != 0 or made != root:
        raise Rejected(f"The inclusion of leaf {index} is not proved.")


def check_consistency(size1: int, size2: int, proof: Sequence[bytes], root1: bytes, root2: bytes) -> None:
    """Check that one tree is the beginning of another (RFC 9162, 2.1.4.2).

    The empty tree is the beginning of every tree, with an empty proof.

    Args:
        size1: how many leaves the earlier tree has.
        size2: how many the later one has.
        proof: hashes of 32 bytes, as the RFC orders them.
        root1: of the earlier tree, 32 bytes.
        root2: of the later one.

    Raises:
        Rejected: it is not proved.
    """
    if not 0 <= size1 <= size2:
        raise Rejected(f"A tree of {size2} leaves cannot follow one of {size1}.")
    if size1 == 0 or size1 == size2:
        if (
            proof
            or (size1 == size2 and root1 != root2)
            or (size1 == 0 and root1 != hashlib.sha256().digest())
        ):
            raise Rejected("The two trees are not the same.")
        return
    rest = list(proof) if size1 & (size1 - 1) else [root1, *proof]
    if not rest:
        raise Rejected("The consistency proof is empty.")
    first, last = size1 - 1, size2 - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    old = new = rest[0]
    for hash_ in rest[1:]:
        if last == 0:
            raise Rejected("The consistency proof is too long.")
        if first & 1 or first == last:
            old, new = _node(hash_, old), _node(hash_, new)
            while first and not first & 1:
                first, last = first >> 1, last >> 1
        else:
            new = _node(new, hash_)
        first, last = first >> 1, last >> 1
    if last != 0 or old != root1 or new != root2:
        raise Rejected(
            f"That the tree of {size1} leaves is the beginning of the one of {size2} is not proved."
        )


@dataclass
class Range:
    """The root over leaves as they come: for each height at most one full subtree (a binary counter)."""

    nodes: list[bytes | None] = field(default_factory=list)

    def push(self, hash_: bytes, height: int = 0) -> None:
        """Add the hash of a full subtree of 2^height leaves; what came before is a multiple of that."""
        nodes = self.nodes
        nodes.extend([None] * (height + 1 - len(nodes)))
        while (left := nodes[height]) is not None:
            hash_, nodes[height], height = _node(left, hash_), None, height + 1
            if height == len(nodes):
                nodes.append(None)
        nodes[height] = hash_

    def root(self) -> bytes:
        """The hash over all that was pushed."""
        root: bytes | None = None
        for hash_ in self.nodes:
            if hash_ is not None:
                root = hash_ if root is None else _node(hash_, root)
        return hashlib.sha256().digest() if root is None else root


# Receipts and records


@dataclass(frozen=True)
class Receipt:
    """A `.tlog-proof`, read but not checked."""

    index: int
    proof: list[bytes]
    note: str
    extra: bytes

    @classmethod
    def parse(cls, text: str) -> "Receipt":
        """Read a receipt. Raises `Rejected` when it is malformed."""
        head, empty, note = text.partition("\n\n")
        lines = head.split("\n")
        if not empty or lines[0] != _HEADER:
            raise Rejected("This is not a receipt (c2sp.org/tlog-proof@v1).")
        has_extra = len(lines) > 1 and lines[1].startswith("extra ")
        extra = _base64(lines[1][6:], "the extra data") if has_extra else b""
        index, *proof = lines[1 + has_extra :] or [""]
        if not index.startswith("index "):
            raise Rejected("The receipt names no index.")
        return cls(_number(index[6:]), [_base64(line, "the proof") for line in proof], note, extra)


def check_receipt(
    text: str, entry: bytes, log: Key, witnesses: Sequence[Key] = (), quorum: int = 0
) -> tuple[int, Checkpoint]:
    """Check offline that an entry stands in the log.

    Args:
        text: the receipt (`.tlog-proof`).
        entry: what the leaf is the hash of; of a record `entry_of` makes it.
        log: the key of the log.
        witnesses: the keys of those whose cosignatures count; who is named twice counts once.
        quorum: how many of them must have signed.

    Returns:
        The index of the entry, and the checkpoint that proves it.

    Raises:
        Rejected: it does not, or the log or too few witnesses signed.
    """
    receipt = Receipt.parse(text)
    checkpoint = open_checkpoint(receipt.note, log, witnesses, quorum)
    check_inclusion(receipt.index, checkpoint.size, leaf_hash(entry), receipt.proof, checkpoint.root)
    return receipt.index, checkpoint


def entry_of(record: bytes, salt: bytes) -> bytes:
    """The entry in the log of a record (its canonical JSON) with its salt (16 bytes)."""
    return hashlib.sha256(salt + record).digest()


# A whole log


@dataclass
class Report:
    """What checking a log found. It is sound when there are no faults."""

    checkpoint: Checkpoint
    faults: list[str] = field(default_factory=list)

    def found(self, fault: str) -> None:
        """Note a fault. Raises `_Enough` when there are so many that looking on tells nothing more."""
        self.faults.append(fault)
        if len(self.faults) >= _MOST_FAULTS:
            self.faults.append("There are more faults than this; the rest was not checked.")
            raise _Enough


class _Enough(Exception):
    """A log that claims a thousand million leaves and serves none must not keep who checks it."""


def tile_path(level: int | str, number: int, width: int = 256) -> str:
    """The path of a tile (tlog-tiles); `level` may be `entries`."""
    digits = str(number).zfill(-(-len(str(number)) // 3) * 3)
    parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    path = "/".join([*("x" + part for part in parts[:-1]), parts[-1]])
    return f"tile/{level}/{path}" + (f".p/{width}" if width < 256 else "")


def check_log(
    fetch: Fetch, log: Key, earlier: Sequence[str] = (), witnesses: Sequence[Key] = (), quorum: int = 0
) -> Report:
    """Check a whole log: each entry against its leaf, each tile against the one above, all against the checkpoint,
    and the log against checkpoints that it signed earlier.

    Args:
        fetch: gives its files.
        log: its key.
        earlier: notes of checkpoints seen before; one that is no part of this log shows a fork or a truncation.
        witnesses: keys of witnesses.
        quorum: how many of them must have cosigned.

    Raises:
        Rejected: there is no checkpoint that can be trusted; nothing else can be checked then.
    """
    try:
        note = fetch("checkpoint").decode()
    except (OSError, UnicodeDecodeError) as problem:
        raise Rejected("The log has no checkpoint.") from problem
    report = Report(open_checkpoint(note, log, witnesses, quorum))
    before = {old.size: old for old in (open_checkpoint(note, log) for note in earlier)}
    with suppress(_Enough):
        for old in before.values():
            if old.size > report.checkpoint.size:
                report.found(
                    f"The log was truncated: it had {old.size} leaves, it has {report.checkpoint.size}."
                )
        _check_leaves(fetch, report, before)
    return report


def _check_leaves(fetch: Fetch, report: Report, before: dict[int, Checkpoint]) -> None:
    size, whole, roots = report.checkpoint.size, Range(), list[bytes]()
    for number in range(-(-size // 256)):
        width = min(256, size - 256 * number)
        leaves = _tile(fetch, report, 0, number, width)
        _check_entries(fetch, report, number, leaves)
        part = Range(list(whole.nodes))
        for index, leaf in enumerate(leaves, 256 * number + 1):
            part.push(leaf)
            if index in before and before[index].root != part.root():
                report.found(f"The log was forked: its first {index} leaves are not those it signed before.")
        if width == 256:
            roots.append(_root_of(leaves))
        whole = part
    if whole.root() != report.checkpoint.root:
        report.found("The leaves do not give the root that the log signed.")
    _check_upper(fetch, report, 1, roots)


def _check_upper(fetch: Fetch, report: Report, level: int, hashes: list[bytes]) -> None:
    roots = []
    for number in range(-(-len(hashes) // 256)):
        made = hashes[256 * number : 256 * number + 256]
        if _tile(fetch, report, level, number, len(made)) != made:
            report.found(f"Tile {tile_path(level, number, len(made))} does not follow from those below it.")
        if len(made) == 256:
            roots.append(_root_of(made))
    if roots:
        _check_upper(fetch, report, level + 1, roots)


def _root_of(hashes: list[bytes]) -> bytes:
    whole = Range()
    for hash_ in hashes:
        whole.push(hash_)
    return whole.root()


def _tile(fetch: Fetch, report: Report, level: int, number: int, width: int) -> list[bytes]:
    try:
        raw = _full_or_partial(fetch, level, number, width)
    except OSError:
        raw = b""
    if len(raw) < 32 * width:
        report.found(f"Tile {tile_path(level, number, width)} is missing or too short.")
        raw += bytes(32 * width - len(raw))
    return [raw[at : at + 32] for at in range(0, 32 * width, 32)]


def _check_entries(fetch: Fetch, report: Report, number: int, leaves: list[bytes]) -> None:
    try:
        raw = _full_or_partial(fetch, "entries", number, len(leaves))
    except OSError:
        raw = b""
    at = 0
    for index, leaf in enumerate(leaves, 256 * number):
        length = int.from_bytes(raw[at : at + 2], "big")
        entry = raw[at + 2 : at + 2 + length]
        if at + 2 + length > len(raw) or leaf_hash(entry) != leaf:
            report.found(f"Entry {index} is missing or is not what its leaf was made of.")
        at += 2 + length


def _full_or_partial(fetch: Fetch, level: int | str, number: int, width: int) -> bytes:
    try:
        return fetch(tile_path(level, number, width))
    except OSError:
        if width == 256:
            raise
        return fetch(tile_path(level, number))  # the log may have grown, and dropped the partial tile


def from_directory(directory: Path) -> Fetch:
    """The files of a log that was exported to a directory."""
    return lambda path: (directory / path).read_bytes()


def from_url(prefix: str) -> Fetch:
    """The files of a log at a URL (http or https)."""
    if not prefix.startswith(("http://", "https://")):
        raise Rejected("A log is fetched over http or https.")

    def fetch(path: str) -> bytes:
        try:
            with urllib.request.urlopen(f"{prefix.rstrip('/')}/{path}", timeout=30) as answer:  # noqa: S310
                body: bytes = answer.read(_LARGEST_FILE)
                return body
        except HTTPException as problem:
            raise OSError("What answers does not speak HTTP.") from problem

    return fetch


def _base64(text: str, what: str) -> bytes:
    try:
        raw = b64decode(text, validate=True)
    except (binascii.Error, ValueError) as problem:
        raise Rejected(f"The base64 of {what} is malformed.") from problem
    if b64encode(raw).decode() != text:
        raise Rejected(f"The base64 of {what} is not in its one canonical form.")
    return raw


def _number(text: str) -> int:
    if not _NUMBER.fullmatch(text):
        raise Rejected("A number is malformed.")
    return int(text)


def main(arguments: Sequence[str] | None = None) -> int:
    """`verifier.py LOG --key VKEY`: 0 when the log is sound, 1 when it is not."""
    parser = argparse.ArgumentParser(description="Check a transparency log from its public tiles alone.")
    parser.add_argument("log", help="directory or http(s) URL of the log")
    parser.add_argument("--key", required=True, help="verification key of the log (name+id+key)")
    parser.add_argument("--witness", action="append", default=[], help="verification key of a witness")
    parser.add_argument("--quorum", type=int, default=0, help="how many witnesses must have cosigned")
    parser.add_argument(
        "--earlier", action="append", default=[], type=Path, help="file with an earlier checkpoint"
    )
    given = parser.parse_args(arguments)
    try:
        fetch = from_url(given.log) if "://" in given.log else from_directory(Path(given.log))
        earlier = [path.read_text() for path in given.earlier]
        witnesses = [Key.parse(vkey) for vkey in given.witness]
        report = check_log(fetch, Key.parse(given.key), earlier, witnesses, given.quorum)
    except (Rejected, OSError) as problem:
        print(problem)
        return 1
    print(
        *(report.faults or [f"Sound: {report.checkpoint.origin}, {report.checkpoint.size} leaves."]), sep="\n"
    )
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())

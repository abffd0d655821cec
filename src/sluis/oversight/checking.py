"""Verifying the log from a page: all of it in the background with its progress, one record at once, and an earlier checkpoint
against the newest. What is shown is computed here from proof and signature; what somebody elsewhere needs for the same is in a
bundle (`verifier.py` stands alone).

RFC 6962 section 2.1, RFC 9162 sections 2.1.3.2 and 2.1.4.2; C2SP tlog-checkpoint, tlog-cosignature, tlog-proof.
"""

import asyncio
import io
import zipfile
from base64 import b64decode
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import msgspec
from sqlalchemy import text

from sluis.kernel import (
    Clock,
    Conflict,
    Invalid,
    NotFound,
    Problem,
    Text,
    cause_of,
    decode,
    encode,
    milliseconds,
)
from sluis.ledger import Anchored, Anchors, Ledger, Stored, base_origin, receipt
from sluis.ledger import verifier as v
from sluis.oversight import sql
from sluis.oversight.drawing import Drawing, consistency, inclusion
from sluis.store import Store

MOST_NOTE = 16 * 1024
"""Characters of a checkpoint that somebody kept."""
_COSIGNED = 12 + 64  # bytes of a cosignature: four of the key, eight of the time, and the signature


class Signer(msgspec.Struct, frozen=True):
    """Who signed a checkpoint, and when where that is said (seconds since the epoch)."""

    name: str
    at: int | None = None


class Glance(msgspec.Struct, frozen=True):
    """How the log stands."""

    origin: str
    size: int
    checkpoint: int
    root: str
    signers: tuple[Signer, ...]
    anchored: Anchored | None
    unstamped: tuple[str, ...]
    key: str


class Checked(msgspec.Struct, frozen=True):
    """That the log was verified: when (ms), how large it was, and what was wrong."""

    at: int
    size: int
    faults: tuple[Text, ...]


class Going(msgspec.Struct):
    """A verification that goes on: how many records are done, of how many; and why it ended without an answer."""

    done: int = 0
    size: int = 0
    failed: str = ""


class Proof(msgspec.Struct, frozen=True):
    """A record and the way from it to the checkpoint."""

    index: int
    stored: Stored
    kind: str
    drawing: Drawing
    fits: bool
    """Whether the record, where it is still there, has the hash that stands in the tree."""


class Checking:
    """Verifies the log of a node.

    Args:
        store: of the node.
        ledger: of the node.
        anchors: timestamps of checkpoints.
        clock: aware UTC.
    """

    def __init__(self, store: Store, ledger: Ledger, anchors: Anchors, clock: Clock) -> None:
        self._store, self._ledger, self._anchors, self._clock = store, ledger, anchors, clock
        self._task: asyncio.Task[None] | None = None
        self.going: Going | None = None

    @property
    def origin(self) -> str:
        """The name of the log, whatever epoch it is in."""
        return base_origin(self._ledger.origin)

    def glance(self) -> Glance:
        """How the log stands now. Blocks."""
        log = self._ledger.log
        note, size = log.checkpoint(), log.size()
        sound, broken = self._anchors.kept()
        checkpoint = v.Checkpoint.parse(note) if note else None
        return Glance(
            self._ledger.origin, size, checkpoint.size if checkpoint else 0, checkpoint.root.hex() if checkpoint else "",
            signers_of(note) if note else (), sound[-1] if sound else None, tuple(broken), str(self._ledger.key),
        )  # fmt: skip

    @property
    def under_way(self) -> Going | None:
        """How far a verification is; or how it failed. None when none goes on."""
        if self.going is not None and (
            self.going.failed or (self._task is not None and not self._task.done())
        ):
            return self.going
        return None

    def begin(self) -> None:
        """Verify the whole log, unless that goes on already."""
        if self._task is None or self._task.done():
            self.going = Going()
            self._task = asyncio.create_task(self._whole(self.going))

    async def wait(self, seconds: float) -> None:
        """Until it is done, or so long."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=seconds)

    async def stop(self) -> None:
        """Do not wait for what goes on."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def checks(self, most: int = 10) -> list[Checked]:
        """The newest verifications that were done."""
        with self._store.read() as connection:
            rows = connection.execute(text(sql.CHECKS), {"most": most}).all()
        return [Checked(row.at, row.size, decode(bytes(row.faults), tuple[Text, ...])) for row in rows]

    def proof(self, index: int) -> Proof:
        """A record with its proof in the newest checkpoint. Blocks.

        Raises:
            NotFound: the log does not go that far, or no checkpoint holds it yet.
        """
        log, note = self._ledger.log, self._ledger.log.checkpoint()
        stored = log.stored(index)
        checkpoint = v.open_checkpoint(note, self._ledger.key) if note else None
        if note is None or checkpoint is None or checkpoint.size <= index:
            raise _not_yet(index)
        leaf = v.leaf_hash(stored.entry)
        path = log.inclusion(index, checkpoint.size)
        drawing = inclusion(
            index, checkpoint.size, leaf, path, checkpoint.root, [one.name for one in signers_of(note)]
        )
        fits = (
            stored.json is None or stored.salt is None or v.entry_of(stored.json, stored.salt) == stored.entry
        )
        return Proof(index, stored, kind_of(stored), drawing, fits)

    def since(self, note: str) -> tuple[v.Checkpoint, v.Checkpoint, Drawing]:
        """An earlier checkpoint, the newest, and the proof that the first is the beginning of the second. Blocks.

        Raises:
            Invalid: it is no checkpoint of this log, signed by it.
            NotFound: there is no newer one.
        """
        try:
            if len(note) > MOST_NOTE:
                raise v.Rejected("It is too long.")
            old = v.open_checkpoint(_as_note(note), self._ledger.key)
        except v.Rejected as failure:
            raise _no_checkpoint(str(failure)) from None
        newest = self._ledger.log.checkpoint()
        if newest is None:
            raise _not_yet(0)
        now = v.open_checkpoint(newest, self._ledger.key)
        if old.size > now.size:
            raise Conflict(
                "log-truncated",
                Text("Het logboek is korter dan dit checkpoint.", "The log is shorter than this checkpoint."),
                Text(
                    f"Toen waren er {old.size} regels, nu {now.size}.",
                    f"Then it had {old.size} records, now {now.size}.",
                ),
                _TAMPERED,
            )
        proof = self._ledger.log.consistency(old.size, now.size)
        names = [one.name for one in signers_of(newest)]
        return old, now, consistency(old.size, now.size, proof, old.root, now.root, names)

    def earlier(self) -> list[tuple[str, str]]:
        """Checkpoints that were kept: when this node verified, and those that an authority stamped; each with what it is."""
        with self._store.read() as connection:
            rows = connection.execute(text(sql.CHECKS), {"most": 20}).all()
        kept = [(_day(row.at // 1000), row.checkpoint) for row in rows if row.checkpoint]
        stamped = [
            (f"{one.at:%Y-%m-%d %H:%M} {one.name[:80]}", one.note) for one in self._anchors.kept()[0][-20:]
        ]
        return [*{note: (told, note) for told, note in (*kept, *reversed(stamped))}.values()]

    def bundle(self, index: int, content: bool) -> bytes:
        """All that somebody elsewhere needs to verify a record: a zip. Blocks.

        Args:
            index: of the record.
            content: whether the record itself may be in it; else its hash.

        Raises `NotFound` as `proof`.
        """
        proof, note = self.proof(index), self._ledger.log.checkpoint() or ""
        made = {
            "record.tlog-proof": receipt(self._ledger.log, note, index).encode(),
            "checkpoint.txt": note.encode(),
            "log.vkey": f"{self._ledger.key}\n".encode(),
            "leaf.txt": f"{v.leaf_hash(proof.stored.entry).hex()}\n".encode(),
            "verifier.py": (files("sluis.ledger") / "verifier.py").read_bytes(),
            "narekenen.py": _CHECK.encode(),
            "LEESMIJ.txt": _README.format(index=index).encode(),
        }
        if content and proof.stored.json is not None:
            made["record.json"] = proof.stored.json
        else:
            lines = made["record.tlog-proof"].decode().splitlines(keepends=True)
            made["record.tlog-proof"] = "".join(
                line for line in lines if not line.startswith("extra ")
            ).encode()
            made["entry.hex"] = f"{proof.stored.entry.hex()}\n".encode()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, body in made.items():
                archive.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), body)
        return packed.getvalue()

    async def _whole(self, going: Going) -> None:
        def told(done: int, size: int) -> None:
            going.done, going.size = done, size

        try:
            note = await self._ledger.checkpoint()
            found = await self._ledger.verify(progress=told)
            faults = tuple(fault.text for fault in found.faults[:200])
            values: dict[str, Any] = {
                "at": milliseconds(self._clock()), "size": found.size, "faults": encode(faults), "checkpoint": note,
            }  # fmt: skip
            await self._store.write(lambda connection: connection.execute(text(sql.CHECKED), values) and None)
        except Problem as problem:
            going.failed = problem.code
        except Exception as failure:  # what a broken database makes of it must reach who asked
            going.failed = cause_of(failure)


def signers_of(note: str) -> tuple[Signer, ...]:
    """Who signed a checkpoint, the log first. Of what is kept under a checkpoint every signature was checked."""
    origin, found = note.partition("\n")[0], []
    for line in note.rpartition("\n\n")[2].splitlines():
        name, _, encoded = line.removeprefix("— ").rpartition(" ")
        try:
            raw = b64decode(encoded, validate=True)
        except ValueError:
            continue
        at = int.from_bytes(raw[4:12], "big") if len(raw) == _COSIGNED and name != origin else None
        found.append(Signer(name, at))
    return tuple(sorted(found, key=lambda one: one.name != origin))


def kind_of(stored: Stored) -> str:
    """What kind of record it is; "" when it was destroyed."""
    if stored.json is None:
        return ""
    return str(decode(stored.json, dict[str, Any]).get("kind", "?"))[:40]


def _as_note(given: str) -> str:
    """A note as it was, from how a form sends it: with the line ends of the web, and perhaps without the last."""
    return f"{given.replace(chr(13), '').strip(chr(10) + ' ')}\n"


def _day(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


_TAMPERED = Text(
    "Bewaar een kopie van de database, en vraag de getuigen om de checkpoints die zij zagen.",
    "Keep a copy of the database, and ask the witnesses for the checkpoints that they saw.",
)

_README = """Bewijs van regel {index}

record.tlog-proof  het bewijs: de weg van de regel naar het ondertekende checkpoint
checkpoint.txt     het checkpoint, met de handtekeningen van het logboek en de getuigen
log.vkey           de sleutel van het logboek; vergelijk hem met wat u van de organisatie zelf hoort
record.json        de regel zelf; of entry.hex: alleen de hash ervan
verifier.py        rekent na; heeft alleen Python en `cryptography` nodig, en niets van Sluis
narekenen.py       rekent dit bewijs na met verifier.py

Dit bewijs narekenen:         python narekenen.py
Het hele logboek narekenen:   python verifier.py ADRES --key "$(cat log.vkey)" --earlier checkpoint.txt
Bij het knooppunt zelf:       sluis ledger verify --node MAP --earlier checkpoint.txt
"""

_CHECK = """from pathlib import Path

import verifier as v

here = Path(__file__).parent
proof = (here / "record.tlog-proof").read_text(encoding="utf-8")
if (here / "record.json").exists():
    entry = v.entry_of((here / "record.json").read_bytes(), v.Receipt.parse(proof).extra)
else:
    entry = bytes.fromhex((here / "entry.hex").read_text().strip())
key = v.Key.parse((here / "log.vkey").read_text())
index, checkpoint = v.check_receipt(proof, entry, key)
print(f"Klopt / sound: record {index} of {checkpoint.size} in {checkpoint.origin}.")
"""


def _not_yet(index: int) -> NotFound:
    return NotFound(
        "not-in-checkpoint",
        Text(f"Regel {index} staat nog in geen checkpoint.", f"Record {index} is in no checkpoint yet."),
        Text("Elke seconde wordt er een ondertekend.", "One is signed every second."),
        Text("Wacht even en kijk dan opnieuw.", "Wait a moment and look again."),
    )


def _no_checkpoint(cause: str) -> Invalid:
    return Invalid(
        "unreadable-checkpoint",
        Text("Dit is geen checkpoint van dit logboek.", "This is no checkpoint of this log."),
        Text(f"Het rekenblad zegt: {cause[:200]}", f"The verifier says: {cause[:200]}"),
        Text("Plak het hele checkpoint, met de handtekeningen eronder.",
             "Paste the whole checkpoint, with the signatures below it."),
        field="note",
    )  # fmt: skip


__all__ = ["Checked", "Checking", "Glance", "Going", "Proof", "Signer", "kind_of", "signers_of"]

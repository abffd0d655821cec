"""Checkpoints anchored in time: a timestamping authority, who knows nothing of the log, signs when a checkpoint existed.

RFC 3161. What is stamped is the note of a checkpoint as this log signed and published it, whole. Note and answer are
kept as files, outside the database that they prove something about, so that anyone can check them with other tools:
`openssl ts -verify -data NAME.checkpoint -in NAME.tsr -CAfile AUTHORITY.pem`.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.x509.oid import NameOID
from rfc3161_client import (
    TimestampRequestBuilder,
    TimeStampResponse,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from sluis.kernel import Clock, NotFound, Text, Upstream
from sluis.ledger.verifier import Checkpoint, Rejected
from sluis.store import unkept, write_durably

MOST_BYTES = 64 * 1024
"""The longest answer that is read; with a chain of certificates it is some ten kilobytes."""

MOST_ASTRAY = timedelta(hours=1)
"""How far the authority's time may be from this node's; beyond it, one of the two clocks is wrong."""

_NOTE, _ANSWER = ".checkpoint", ".tsr"

Send = Callable[[bytes], Awaitable[bytes]]
"""Carries a request to the authority and gives its answer, whatever that is. Raises `OSError`."""


class Anchored(msgspec.Struct, frozen=True):
    """A checkpoint that an authority stamped. `name` is the authority's, from the certificate that signed."""

    note: str
    size: int
    at: datetime
    name: str


class Anchors:
    """The stamps of one log.

    Args:
        directory: where they are kept; made with the first.
        roots: certificates of the authorities that are trusted to tell the time.
        clock: aware UTC.
    """

    def __init__(self, directory: Path, roots: Sequence[x509.Certificate], clock: Clock) -> None:
        self._directory, self._roots, self._clock = directory, list(roots), clock

    async def ask(self, note: str, send: Send) -> Anchored:
        """Have a checkpoint stamped, check the stamp, and keep both.

        Args:
            note: the checkpoint as it was published.
            send: the way to the authority.

        Raises:
            Upstream: it cannot be reached, or what it answers proves nothing. Nothing is kept then.
            Unkept: the stamp could not be written.
        """
        request = TimestampRequestBuilder().data(note.encode()).build()
        try:
            raw = await send(request.as_bytes())
        except OSError as failure:
            raise _no_stamp("timestamp-unreachable", str(failure), retry=True) from None
        try:
            anchored = self._checked(note, raw, request.nonce)
        except Rejected as failure:
            raise _no_stamp("timestamp-false", str(failure)) from None
        if abs(anchored.at - self._clock()) > MOST_ASTRAY:
            raise _no_stamp("timestamp-astray", f"{anchored.at:%Y-%m-%dT%H:%M:%SZ}")
        self._keep(anchored, raw)
        return anchored

    def kept(self) -> tuple[list[Anchored], list[str]]:
        """Every stamp that holds, oldest first, and the names of the files that do not.

        Certificates need to have been valid when they signed, not now: a stamp outlives its authority's key.
        """
        read = {path.name: self._read(path) for path in self._files()}
        sound = [one for one in read.values() if one is not None]
        return sorted(sound, key=lambda one: one.at), [name for name, one in read.items() if one is None]

    def is_due(self, every: timedelta, note: str) -> bool:
        """Whether it is time for the next stamp, and there is something new to stamp."""
        newest = next((one for path in reversed(self._files()) if (one := self._read(path))), None)
        size = Checkpoint.parse(note).size
        if newest is None:
            return size > 0
        return size != newest.size and self._clock() - newest.at >= every

    def _files(self) -> list[Path]:
        return sorted(self._directory.glob(f"*{_ANSWER}"))  # their names begin with their time

    def _read(self, path: Path) -> Anchored | None:
        try:
            note = path.with_suffix(_NOTE).read_bytes().decode()
            anchored = self._checked(note, path.read_bytes(), None)
        except (OSError, UnicodeDecodeError, Rejected):
            return None
        return anchored if anchored.at <= self._clock() + MOST_ASTRAY else None

    def _checked(self, note: str, raw: bytes, nonce: int | None) -> Anchored:
        """What an answer proves of a note. Raises `Rejected` when that is nothing."""
        try:
            answer = decode_timestamp_response(raw)
            verifier = VerifierBuilder(roots=list(self._roots), nonce=nonce).build()
            verifier.verify_message(answer, note.encode())
            return Anchored(note, Checkpoint.parse(note).size, answer.tst_info.gen_time, _signer(answer))
        except (ValueError, VerificationError) as failure:  # ValueError: it cannot be read
            raise Rejected(str(failure)) from None

    def _keep(self, anchored: Anchored, raw: bytes) -> None:
        name = f"{anchored.at:%Y%m%dT%H%M%SZ}-{anchored.size}"
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            # The answer last: it is what is looked for.
            write_durably(self._directory / f"{name}{_NOTE}", anchored.note.encode())
            write_durably(self._directory / f"{name}{_ANSWER}", raw)
        except OSError as failure:
            raise unkept(failure) from failure


def _signer(answer: TimeStampResponse) -> str:
    """The name in the certificate that signed: its CN, else its O, else its whole subject."""
    (signer,) = answer.signed_data.signer_infos
    for raw in answer.signed_data.certificates:
        certificate = x509.load_der_x509_certificate(raw)
        if (certificate.issuer, certificate.serial_number) == (signer.issuer, signer.serial_number):
            subject = certificate.subject
            names = [
                *subject.get_attributes_for_oid(NameOID.COMMON_NAME),
                *subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME),
            ]
            return str(names[0].value) if names else subject.rfc4514_string()
    raise ValueError("it does not hold the certificate that signed it")


def no_authority() -> NotFound:
    """The problem of a node that knows no authority."""
    return NotFound(
        "no-timestamp-authority",
        Text("Dit knooppunt kent geen tijdstempelautoriteit.", "This node knows no timestamping authority."),
        Text("Zonder is een checkpoint niet te stempelen.", "Without one no checkpoint can be stamped."),
        Text(
            "Vul `anchor.url` en `anchor.certificates` in.", "Fill in `anchor.url` and `anchor.certificates`."
        ),
    )


def _no_stamp(code: str, cause: str, retry: bool = False) -> Upstream:
    why, step = _BECAUSE[code]
    return Upstream(
        code,
        Text("Er kwam geen geldig tijdstempel.", "No valid timestamp came."),
        Text(f"{why.nl} ({cause[:200]})", f"{why.en} ({cause[:200]})"),
        step,
        retry=retry,
    )


_BECAUSE = {
    "timestamp-unreachable": (
        Text("De tijdstempelautoriteit antwoordt niet.", "The timestamping authority does not answer."),
        Text(
            "Er is niets verloren: het knooppunt vraagt het later opnieuw.",
            "Nothing is lost: the node asks again later.",
        ),
    ),
    "timestamp-false": (
        Text("Wat zij antwoordde, bewijst niets.", "What it answered proves nothing."),
        Text(
            "Controleer `anchor.url`, en of `anchor.certificates` het stamcertificaat van de autoriteit heeft.",
            "Check `anchor.url`, and that `anchor.certificates` holds the root of the authority.",
        ),
    ),
    "timestamp-astray": (
        Text("De tijd in het stempel wijkt te veel af.", "The time in the stamp is too far off."),
        Text(
            "Zet de klok van deze machine gelijk (NTP), of vraag het de autoriteit.",
            "Set the clock of this machine (NTP), or ask the authority.",
        ),
    ),
}

"""What the inway shows to a service that asks for a client certificate (mutual TLS, RFC 8446 §4.4.2).

A declaration names PEM files. The first that holds a certificate is what is shown, with its chain; the key stands in one
of the same files, or else beside the certificate under its name with `.key`, as `openssl` and public guidance have it.
Files that are renewed on disk are taken up; what is wrong with them is said by name of the file, never by content. A
service that should see a certificate is never reached without one.
"""

import ssl
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from sluis.crypto import WARN_BEFORE, read_certificates, read_key
from sluis.kernel import Clock, Invalid, Text, utc_now

_LOOK = 5.0  # seconds between two looks at whether files changed
_CERTIFICATE, _KEY = b"-----BEGIN CERTIFICATE-----", b"PRIVATE KEY-----"
_LARGEST = 1 << 20  # bytes of a PEM file


class Unshown(OSError):
    """The client certificate that a service should see cannot be used. Nothing was sent."""


UNSHOWN = Text(
    "Het clientcertificaat voor deze dienst is er niet of is verlopen.",
    "The client certificate for this service is not there, or has ended.",
)


class Shown(msgspec.Struct, frozen=True):
    """A client certificate and its key, checked.

    Attributes:
        certificate: the file with the certificate and its chain.
        key: the file with its private key; it may be the same.
        ends: when the certificate does.
    """

    certificate: Path
    key: Path
    ends: datetime


def read_shown(files: Sequence[str], now: datetime) -> Shown:
    """The client certificate in these files.

    Args:
        files: paths of PEM files, as declared.
        now: at which it must be valid.

    Raises `Invalid`: a file that cannot be read, no certificate or two, no key or two, a key of another certificate, a key
    that everyone may read, or a certificate that is not valid now or not for clients.
    """
    paths = [Path(file) for file in files]
    holding = {path: _content(path) for path in paths}
    certificate = _one([path for path in paths if _CERTIFICATE in holding[path]], paths[0], "certificate")
    keys = [path for path in paths if _KEY in holding[path]] or [certificate.with_suffix(".key")]
    key = _one(keys, certificate, "key")
    leaf, private = read_certificates(certificate)[0], read_key(key)
    if private.public_key() != leaf.public_key():
        raise _wrong(certificate, *_ANOTHER_KEY)
    if not leaf.not_valid_before_utc <= now < leaf.not_valid_after_utc:
        raise _wrong(certificate, *_NOT_NOW)
    if not _for_clients(leaf):
        raise _wrong(certificate, *_NOT_FOR_CLIENTS)
    return Shown(certificate, key, leaf.not_valid_after_utc)


def shown_pem(files: Sequence[str], now: datetime) -> bytes:
    """The certificate, its chain and its key in one piece, for who can only take one file. Raises as `read_shown`."""
    shown = read_shown(files, now)
    return b"\n".join(_content(path) for path in dict.fromkeys((shown.certificate, shown.key)))


def ends_soon(shown: Shown, now: datetime) -> int | None:
    """In how many days it ends, when that is to be warned about."""
    left = shown.ends - now
    return left.days if left < WARN_BEFORE else None


class ClientContexts:
    """TLS contexts towards services, one for each client certificate.

    Args:
        make: a context that believes whom services are believed by, without a certificate of ours.
        clock: aware UTC.
        moment: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        make: Callable[[], ssl.SSLContext],
        clock: Clock = utc_now,
        moment: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make, self._clock, self._moment = make, clock, moment
        self._held: dict[tuple[str, ...], _Held] = {}

    def get(self, files: tuple[str, ...]) -> ssl.SSLContext:
        """The context that shows the certificate in these files as they are now.

        While renewed files are not right, the certificate that there was is shown until it ends.

        Raises `Unshown`.
        """
        held = self._held.get(files)
        if held is None or held.looked + _LOOK < self._moment():
            held = self._held[files] = self._look(files, held)
        if held.shown.ends <= self._clock():
            raise Unshown
        return held.context

    def _look(self, files: tuple[str, ...], before: "_Held | None") -> "_Held":
        moment = self._moment()
        try:
            if before is not None and _state(before.shown) == before.state:
                return msgspec.structs.replace(before, looked=moment)
            shown = read_shown(files, self._clock())
            state, context = _state(shown), self._make()
            context.load_cert_chain(shown.certificate, shown.key)
        except (Invalid, OSError):  # ssl.SSLError is one
            if before is None:
                raise Unshown from None
            return msgspec.structs.replace(before, looked=moment)
        return _Held(shown, context, state, moment)


class _Held(msgspec.Struct, frozen=True):
    """A context, the state of the files that it was made from, and when these were last looked at."""

    shown: Shown
    context: ssl.SSLContext
    state: tuple[tuple[int, int, int], ...]
    looked: float


def _state(shown: Shown) -> tuple[tuple[int, int, int], ...]:
    """What changes when one of the files does."""
    states = [path.stat() for path in (shown.certificate, shown.key)]
    return tuple((one.st_mtime_ns, one.st_ino, one.st_size) for one in states)


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST)
    except OSError as failure:
        cause = failure.strerror or "?"
        raise _wrong(path, Text(cause, cause), _LOOK_AT_PATH) from None


def _one(found: Sequence[Path], named: Path, what: str) -> Path:
    if len(found) == 1:
        return found[0]
    noun = {"key": Text("sleutel", "key"), "certificate": Text("certificaat", "certificate")}[what]
    how = Text("geen", "no") if not found else Text("meer dan één", "more than one")
    raise _wrong(
        named,
        Text(
            f"er is {how.nl} bestand met een {noun.nl} (PEM).",
            f"there is {how.en} file with a {noun.en} (PEM).",
        ),
        _LOOK_AT_FILES,
    )


def _for_clients(leaf: x509.Certificate) -> bool:
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return True
    return ExtendedKeyUsageOID.CLIENT_AUTH in usage or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in usage


def _wrong(path: Path, because: Text, then: Text) -> Invalid:
    return Invalid(
        "client-certificate-unusable",
        Text(
            "Het clientcertificaat voor deze dienst deugt niet.",
            "The client certificate for this service is not right.",
        ),
        Text(f"{path.name}: {because.nl}", f"{path.name}: {because.en}"),
        then,
    )


_LOOK_AT_PATH = Text(
    "Controleer het pad, en of het knooppunt het bestand mag lezen.",
    "Check the path, and whether the node may read the file.",
)
_LOOK_AT_FILES = Text(
    "Noem één certificaat; zet de sleutel in hetzelfde bestand, of ernaast met dezelfde naam en `.key`.",
    "Name one certificate; put the key in the same file, or beside it under the same name with `.key`.",
)
_ANOTHER_KEY = (
    Text("de sleutel hoort bij een ander certificaat.", "the key belongs to another certificate."),
    Text(
        "Wijs de sleutel aan waarmee het certificaat is aangevraagd.",
        "Point to the key that the certificate was requested with.",
    ),
)
_NOT_NOW = (
    Text(
        "het certificaat is verlopen, of nog niet geldig.", "the certificate has ended, or is not valid yet."
    ),
    Text("Vraag een nieuw certificaat aan.", "Request a new certificate."),
)
_NOT_FOR_CLIENTS = (
    Text("het certificaat is niet voor clients.", "the certificate is not for clients."),
    Text(
        "Vraag een certificaat aan waarin `clientAuth` staat.",
        "Request a certificate that says `clientAuth`.",
    ),
)

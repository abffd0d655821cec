"""A node's keys behind one interface: a signing key (Ed25519, RFC 8032), a sealing key (X25519, RFC 7748), and
secrets by name for keyed hashes (HMAC-SHA256, RFC 2104). Private keys never leave a key store.

`FileKeyStore` keeps them as PKCS8 and raw files that only the owner may read. A hardware store (PKCS#11) can take
its place. Nothing here knows what the keys are used for.
"""

import hmac
import os
import re
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from sluis.kernel import Invalid, NotFound, Text, Unkept

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class KeyStore(Protocol):
    """Keys of one organisation.

    Guarantees: a key is durable before its first use; the same name gives the same key until it is destroyed; a
    destroyed secret never comes back under its name; private material is not handed out.
    """

    @property
    def public(self) -> bytes:
        """The Ed25519 verification key, 32 bytes."""

    @property
    def sealing_public(self) -> bytes:
        """The X25519 public key, 32 bytes."""

    def sign(self, message: bytes) -> bytes:
        """The Ed25519 signature over `message`, 64 bytes."""

    def agree(self, peer: bytes) -> bytes:
        """The X25519 shared secret with a peer's public key (32 bytes), 32 bytes; feed it to a KDF.

        Raises:
            Invalid: `peer` is not a public key, or one of low order.
        """

    def mac(self, name: str, message: bytes, *, create: bool = True) -> bytes:
        """HMAC-SHA256 of `message` under the secret `name`, 32 bytes.

        Args:
            name: lower-case letters, digits and dashes, such as `pseudonym-2026`.
            message: what to hash.
            create: make the secret when it does not exist yet.

        Raises:
            NotFound: there is no such secret and `create` is false, or it was destroyed.
        """

    def names(self) -> tuple[str, ...]:
        """The names of the secrets that exist, sorted."""

    def destroy(self, name: str) -> None:
        """Destroy the secret `name` for good. Raises `NotFound` when there is none."""


class FileKeyStore:
    """A `KeyStore` in a directory: `signing.pem`, `sealing.pem` (PKCS8) and `NAME.secret`, each mode 0600.

    Keys are made at first use. Two processes that start together end up with the same key: the file is linked into
    place, and who comes second reads the first one's.

    Args:
        directory: of the keys.
        make: whether a key that is not there is made. Not by a process that works for a node from a copy of the directory: what
            it made, the node would not know.

    Raises `NotFound` when nothing may be made and the keys of a node are not there.
    """

    def __init__(self, directory: Path, *, make: bool = True) -> None:
        self._directory, self._make = directory, make
        self._lock = threading.Lock()
        self._secrets: dict[str, bytes] = {}
        if make:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._signing = _ed25519(self._kept("signing.pem", lambda: _pkcs8(Ed25519PrivateKey.generate())))
        self._sealing = _x25519(self._kept("sealing.pem", lambda: _pkcs8(X25519PrivateKey.generate())))
        self._public = self._signing.public_key().public_bytes_raw()

    @property
    def public(self) -> bytes:
        return self._public

    @property
    def sealing_public(self) -> bytes:
        return self._sealing.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._signing.sign(message)

    def agree(self, peer: bytes) -> bytes:
        try:
            return self._sealing.exchange(X25519PublicKey.from_public_bytes(peer))
        except ValueError as problem:
            raise Invalid(
                "invalid-sealing-key",
                Text("Deze verzegelsleutel is ongeldig.", "This sealing key is invalid."),
                Text("Hij is geen bruikbare X25519-sleutel.", "It is not a usable X25519 key."),
                Text(
                    "Vraag de andere organisatie om haar kaart.", "Ask the other organisation for its card."
                ),
            ) from problem

    def mac(self, name: str, message: bytes, *, create: bool = True) -> bytes:
        return hmac.digest(self._secrets.get(name) or self._secret(name, create), message, "sha256")

    def names(self) -> tuple[str, ...]:
        return tuple(sorted(path.stem for path in self._directory.glob("*.secret")))

    def destroy(self, name: str) -> None:
        with self._lock:
            path = self._path(name, ".secret")
            if not path.exists():
                raise _no_secret(name)
            # The marker comes first: after a crash between the two steps the name stays barred.
            self._place(self._path(name, ".destroyed"), b"")
            with path.open("r+b") as file:
                file.write(bytes(path.stat().st_size))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            _sync(self._directory)
            self._secrets.pop(name, None)

    def _secret(self, name: str, create: bool) -> bytes:
        with self._lock:
            path = self._path(name, ".secret")
            if self._path(name, ".destroyed").exists() or not (create or path.exists()):
                raise _no_secret(name)
            secret = self._kept(path.name, lambda: os.urandom(32))
            self._secrets[name] = secret
            return secret

    def _path(self, name: str, suffix: str) -> Path:
        if not _NAME.fullmatch(name):
            raise _no_secret("?")
        return self._directory / (name + suffix)

    def _kept(self, file: str, make: Callable[[], bytes]) -> bytes:
        path = self._directory / file
        if not path.exists():
            if not self._make:
                raise _no_secret(path.stem)
            self._place(path, make())
        return path.read_bytes()

    def _place(self, path: Path, content: bytes) -> None:
        """Write a file completely or not at all, durably; leave an existing one alone."""
        try:
            descriptor, name = tempfile.mkstemp(dir=self._directory, prefix=".new-")  # mode 0600
            try:
                with open(descriptor, "wb") as file:
                    file.write(content)
                    file.flush()
                    os.fsync(descriptor)
                with suppress(FileExistsError):
                    os.link(name, path)
            finally:
                os.unlink(name)
            _sync(self._directory)
        except OSError as problem:
            raise Unkept(
                "key-not-kept",
                Text("Een nieuwe sleutel kon niet worden bewaard.", "A new key could not be kept."),
                Text(
                    "De map met sleutels is vol of alleen-lezen.", "The key directory is full or read-only."
                ),
                Text("Maak ruimte en probeer het opnieuw.", "Make room and try again."),
                retry=True,
            ) from problem


def _pkcs8(key: Ed25519PrivateKey | X25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _ed25519(pem: bytes) -> Ed25519PrivateKey:
    key = load_pem_private_key(pem, None)
    if not isinstance(key, Ed25519PrivateKey):
        raise _wrong_key("signing.pem", "Ed25519")
    return key


def _x25519(pem: bytes) -> X25519PrivateKey:
    key = load_pem_private_key(pem, None)
    if not isinstance(key, X25519PrivateKey):
        raise _wrong_key("sealing.pem", "X25519")
    return key


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _no_secret(name: str) -> NotFound:
    return NotFound(
        "unknown-secret",
        Text(f"Er is geen sleutel met de naam {name}.", f"There is no key named {name}."),
        Text("Hij is nooit gemaakt, of hij is vernietigd.", "It was never made, or it was destroyed."),
        Text("Kies een sleutel die bestaat.", "Choose a key that exists."),
    )


def _wrong_key(file: str, kind: str) -> Invalid:
    return Invalid(
        "wrong-key-type",
        Text(f"In {file} staat een verkeerde sleutel.", f"{file} holds the wrong key."),
        Text(f"Hier hoort een {kind}-sleutel.", f"It should be an {kind} key."),
        Text("Zet de goede sleutel terug.", "Put the right key back."),
    )

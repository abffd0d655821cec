"""The RSA keys of the sign-in provider: files beside the node's other keys, that take turns by themselves.

OAuth-NL 1.2 and OIDC-NLGOV 1.0.1 want RS256, which the Ed25519 key of a key store cannot make. A file is named after
its ring and the second in which it was made, is readable by its owner alone, and there whole or not at all.
"""

import os
import threading
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sluis.crypto import Jwk, jwk_of, key_text, new_key
from sluis.crypto.jwt import Use
from sluis.identity.tokens.model import Standing
from sluis.identity.tokens.rules import standing
from sluis.kernel import Clock, Invalid, Text, Unkept
from sluis.store import write_durably


def _make() -> rsa.RSAPrivateKey:
    key = new_key(in_rsa=True)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


class Ring:
    """Keys for one use, of which one is current. The first is made when one is needed. Guarantee: a key is durable before it
    is published.

    Args:
        directory: where they are kept; made when it is not there.
        name: of the ring, in the names of the files.
        use: what they are for.
        clock: says whose turn it is.
        make: makes a key.
    """

    def __init__(
        self,
        directory: Path,
        name: str,
        use: Use,
        clock: Clock,
        make: Callable[[], rsa.RSAPrivateKey] = _make,
    ) -> None:
        self._directory, self._name, self._use, self._clock, self._make = directory, name, use, clock, make
        self._turning = threading.Lock()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._keys = self._found()

    @property
    def current(self) -> Jwk:
        """The key to use now."""
        keys, now = self._as_it_stands()
        return keys[now.current]

    @property
    def kept(self) -> tuple[Jwk, ...]:
        """All that are not over, the current one first."""
        keys, now = self._as_it_stands()
        return tuple(keys[one] for one in (now.current, *(one for one in now.kept if one != now.current)))

    def turn(self) -> None:
        """Make the key whose time has come, destroy those that are over. To be called every day, and at start. Blocks for
        as long as it takes to make a key, which may be a second. Raises `Unkept`."""
        with self._turning:
            now = int(self._clock().timestamp())
            self._keys = self._keys or self._found()
            if not self._keys or standing(sorted(self._keys), now).due:
                self._add(max(now, *(one + 1 for one in self._keys)) if self._keys else now)
            for one in standing(sorted(self._keys), now).ended:
                _destroy(self._path(one))
                self._keys = {made: key for made, key in self._keys.items() if made != one}

    def _as_it_stands(self) -> tuple[dict[int, Jwk], Standing]:
        if not self._keys:
            self.turn()
        keys = self._keys  # another thread may replace them meanwhile
        return keys, standing(sorted(keys), int(self._clock().timestamp()))

    def _add(self, made: int) -> None:
        key = self._make()
        try:
            write_durably(self._path(made), key_text(key))
        except OSError:
            raise _not_kept() from None
        self._keys = {**self._keys, made: self._jwk(key)}

    def _found(self) -> dict[int, Jwk]:
        files = sorted(self._directory.glob(f"{self._name}-[0-9]*.pem"))
        return {int(path.stem.rpartition("-")[2]): self._read(path) for path in files}

    def _path(self, made: int) -> Path:
        return self._directory / f"{self._name}-{made}.pem"

    def _read(self, path: Path) -> Jwk:
        try:
            key = load_pem_private_key(path.read_bytes(), None)
        except (OSError, ValueError, TypeError):
            raise _unreadable(path) from None
        if not isinstance(key, rsa.RSAPrivateKey):
            raise _unreadable(path)
        return self._jwk(key)

    def _jwk(self, key: rsa.RSAPrivateKey) -> Jwk:
        return jwk_of(key, use=self._use, algorithm="RS256" if self._use == "sig" else None)


def _destroy(path: Path) -> None:
    """Over its content, and away."""
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def _not_kept() -> Unkept:
    return Unkept(
        "key-not-kept",
        Text("Een nieuwe sleutel kon niet worden bewaard.", "A new key could not be kept."),
        Text("De map met sleutels is vol of alleen-lezen.", "The key directory is full or read-only."),
        Text("Maak ruimte en probeer het opnieuw.", "Make room and try again."),
        retry=True,
    )


def _unreadable(path: Path) -> Invalid:
    return Invalid(
        "token-key-unreadable",
        Text("Een sleutel voor tokens is niet te lezen.", "A key for tokens cannot be read."),
        Text(f"In {path.name} hoort een RSA-sleutel (PEM).", f"{path.name} should hold an RSA key (PEM)."),
        Text("Zet de goede sleutel terug.", "Put the right key back."),
    )

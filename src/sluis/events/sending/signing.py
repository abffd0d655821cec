"""Signatures over what is sent: HTTP Message Signatures (RFC 9421) over the Content-Digest (RFC 9530), with Ed25519.

Keys take turns by the calendar: of every quarter there is one, made from a secret of that name in the key store. Published are
that of this quarter, the next, and the one before: who fetches the set once a day knows every key before it is used.
"""

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sluis.crypto import Jwk, KeyStore, jwk_of
from sluis.kernel import Clock, NotFound

LABEL = "sluis"
"""Of the signature, in both headers."""

GOOD_FOR = 300
"""Seconds after which a signature is no longer to be believed (`expires`)."""


class Signer:
    """Signs what this node sends.

    Args:
        keys: of this node.
        clock: aware UTC.
    """

    def __init__(self, keys: KeyStore, clock: Clock) -> None:
        self._keys, self._clock = keys, clock
        self._known: dict[str, tuple[Ed25519PrivateKey, Jwk]] = {}

    def headers(self, url: str, headers: Sequence[tuple[str, str]], body: bytes) -> list[tuple[str, str]]:
        """What to send besides, for others to verify a POST by.

        Args:
            url: where it goes, as a whole.
            headers: those that are to be covered, names in lower case, each once.
            body: of the request.

        Returns:
            `content-digest`, `signature-input` and `signature`.
        """
        now = self._clock()
        key, jwk = self._of(quarter(now))
        digest = f"sha-256=:{b64encode(hashlib.sha256(body).digest()).decode()}:"
        parameters = _parameters(tuple(name for name, _ in headers), int(now.timestamp()), jwk.kid)
        lines = "".join(f'"{name}": {value}\n' for name, value in headers)
        base = (
            f'"@method": POST\n"@target-uri": {url}\n"content-digest": {digest}\n{lines}'
            f'"@signature-params": {parameters}'
        )
        signature = b64encode(key.sign(base.encode())).decode()
        return [
            ("content-digest", digest),
            ("signature-input", f"{LABEL}={parameters}"),
            ("signature", f"{LABEL}=:{signature}:"),
        ]

    def jwks(self) -> dict[str, Any]:
        """The keys to verify with, as a set (RFC 7517)."""
        now = self._clock()
        year, number = _quarter(now)
        return {"keys": [self._of(_name(year, number + step))[1].public for step in (0, 1, -1)]}

    def ready(self) -> bool:
        """Whether the key of the next quarter is there too. Raises `NotFound` when that of this quarter is not, and may not be
        made here."""
        now = self._clock()
        self._of(quarter(now))
        year, number = _quarter(now)
        try:
            self._of(_name(year, number + 1))
        except NotFound:
            return False
        return True

    def _of(self, name: str) -> tuple[Ed25519PrivateKey, Jwk]:
        found = self._known.get(name)
        if found is None:
            key = Ed25519PrivateKey.from_private_bytes(
                self._keys.mac(f"events-signing-{name}", b"sluis.events.ed25519.v1")
            )
            found = self._known[name] = (key, jwk_of(key))
        return found


@lru_cache(maxsize=16)
def _parameters(names: tuple[str, ...], created: int, kid: str) -> str:
    """What is covered, and by what (RFC 9421, section 2.3); the same for all that goes out in one second."""
    named = "".join(f' "{name}"' for name in names)
    return (
        f'("@method" "@target-uri" "content-digest"{named});created={created};expires={created + GOOD_FOR}'
        f';keyid="{kid}";alg="ed25519"'
    )


@lru_cache(maxsize=4)
def _name(year: int, number: int) -> str:
    """The name of a quarter, the numbers of which go on past the ends of a year."""
    return f"{year + (number - 1) // 4}q{(number - 1) % 4 + 1}"


def _quarter(moment: datetime) -> tuple[int, int]:
    return moment.year, (moment.month - 1) // 3 + 1


def quarter(moment: datetime) -> str:
    """The quarter of a moment, such as `2026q4`."""
    return _name(*_quarter(moment))

"""Sealed joins: keys that the asker may match and forward, and cannot read or make up.

One owner in a question (the *maker*) draws a key for it and hands out tokens: AES-SIV (RFC 5297, deterministic
authenticated encryption) over the value in a typed form, bound to question, asker, activity and expiry. The key
crosses to the other owners sealed: X25519 (RFC 7748), HKDF-SHA256 (RFC 5869) and ChaCha20-Poly1305 (RFC 8439). The
maker signs (JWS, RFC 7515, EdDSA of RFC 8037) for whom it sealed which key, so that an owner refuses a key, and with
it every token, that the asker made itself.

What it does not hide: that two rows have the same value, and how many rows share it. That is what joining needs.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESSIV, ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sluis.kernel import Refused, Text, decode

Sign = Callable[[bytes], bytes]
"""The node's Ed25519 signature over bytes."""

Exchange = Callable[[bytes], bytes]
"""X25519 between the node's own sealing key and a raw public key: the shared secret, 32 bytes."""

Joinable = str | int | bool | Decimal | date | datetime
"""What a key can be; floating point numbers are no keys."""

_KEY_BYTES = 64
_TAG = b"sluis.token.v1"
_NONCE = bytes(
    12
)  # every sealing derives a key of its own from a fresh X25519 key, so the nonce never repeats


class Scope(msgspec.Struct, frozen=True):
    """What a key, and every token made with it, is good for.

    `expires` counts seconds since the epoch; `maker` and `asker` are peer ids.
    """

    question: str
    maker: str
    asker: str
    activity: str
    expires: int

    def bound(self) -> bytes:
        """The bytes that tokens and sealed keys are bound to: the fields as a JSON array."""
        return msgspec.json.encode([self.question, self.maker, self.asker, self.activity, self.expires])


class Grant(msgspec.Struct, frozen=True):
    """What the maker signs: this key, sealed to this addressee, is mine, for this scope.

    `digest` is SHA-256 in hex over the sealed key as it crosses."""

    scope: Scope
    addressee: str
    digest: str


def refused_token() -> Refused:
    """The one refusal for everything that is wrong with a seal; it does not say what, so it cannot be probed."""
    return Refused(
        "sealed-key-refused",
        Text("De verzegelde sleutels zijn geweigerd.", "The sealed keys were refused."),
        Text(
            "Ze zijn niet door een bronhouder in deze vraag gemaakt, horen bij een andere vraag, of zijn verlopen.",
            "No owner in this question made them, they belong to another question, or they have expired.",
        ),
        Text("Stel de hele vraag opnieuw.", "Ask the whole question again."),
        rule="sealed-keys",
    )


def encoded(raw: bytes) -> str:
    """Base64url without padding (RFC 4648, section 5)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The bytes behind base64url text. Raises `Refused` for anything but the one canonical spelling."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise refused_token() from error
    if encoded(raw) != text:
        raise refused_token()
    return raw


def draw_key() -> bytes:
    """A key for one question, from the system's random source."""
    return os.urandom(_KEY_BYTES)


class Tokens:
    """Makes and opens the tokens of one question. Equal values give equal tokens, whatever column they stand in.

    Args:
        key: as `draw_key` gave it.
        scope: what the tokens are bound to.
    """

    def __init__(self, key: bytes, scope: Scope) -> None:
        if len(key) != _KEY_BYTES:
            raise refused_token()
        self._cipher, self._bound = AESSIV(key), [_TAG, scope.bound()]

    def seal(self, value: Joinable) -> str:
        """The token of a value. Raises `TypeError` for what cannot be a key."""
        return encoded(self._cipher.encrypt(canonical_value(value), self._bound))

    def open(self, token: str) -> Joinable:
        """The value in a token. Raises `Refused` when it was not made with this key for this scope."""
        try:
            return _value(self._cipher.decrypt(decoded(token), self._bound))
        except InvalidTag as error:
            raise refused_token() from error


def canonical_value(value: Joinable) -> bytes:
    """One spelling per value: a letter for the kind, then text. Numbers that are equal spell the same, so that an
    integer column joins a decimal one as SQL would."""
    if isinstance(value, bool):
        return b"b1" if value else b"b0"
    if isinstance(value, str):
        return b"s" + value.encode()
    if isinstance(value, int):
        return b"n%d" % value
    if isinstance(value, Decimal) and value.is_finite():
        digits = format(value, "f")
        digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
        return b"n" + (b"0" if not value else digits.encode())
    if isinstance(value, datetime):
        return b"t" + value.isoformat(timespec="microseconds").encode()
    if isinstance(value, date):
        return b"d" + value.isoformat().encode()
    raise TypeError(f"a value of type {type(value).__name__} cannot be a key")


def _value(raw: bytes) -> Joinable:
    kind, text = raw[:1], raw[1:].decode()
    if kind == b"n":
        return Decimal(text) if "." in text else int(text)
    readers: dict[bytes, Callable[[str], Joinable]] = {
        b"b": lambda text: text == "1",
        b"s": str,
        b"t": datetime.fromisoformat,
        b"d": date.fromisoformat,
    }
    return readers[kind](text)


def _wrapping_key(secret: bytes, ephemeral: bytes, recipient: bytes, bound: bytes) -> ChaCha20Poly1305:
    info = b"sluis.sealed-key.v1" + ephemeral + recipient + bound
    return ChaCha20Poly1305(HKDF(algorithm=SHA256(), length=32, salt=None, info=info).derive(secret))


def seal_key(key: bytes, scope: Scope, recipient: bytes) -> str:
    """The question's key, sealed to an owner.

    Args:
        key: the question's key.
        scope: what it is good for; opening under another scope fails.
        recipient: the owner's raw X25519 public key, from its signed card.
    """
    ephemeral = X25519PrivateKey.generate()
    public = ephemeral.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(recipient))
    box = _wrapping_key(secret, public, recipient, scope.bound())
    return encoded(public + box.encrypt(_NONCE, key, None))


def open_key(sealed: str, scope: Scope, recipient: bytes, exchange: Exchange) -> bytes:
    """The key that was sealed to this node. Raises `Refused` when it was not, or for another scope.

    Args:
        sealed: as `seal_key` gave it.
        scope: as the maker signed it.
        recipient: this node's raw X25519 public key.
        exchange: X25519 with this node's private key.
    """
    raw = decoded(sealed)
    public, box = raw[:32], raw[32:]
    try:
        return _wrapping_key(exchange(public), public, recipient, scope.bound()).decrypt(_NONCE, box, None)
    except (InvalidTag, ValueError) as error:
        raise refused_token() from error


def key_digest(sealed: str) -> str:
    """SHA-256 in hex over a sealed key as it crosses."""
    return hashlib.sha256(sealed.encode()).hexdigest()


def sign_grant(grant: Grant, sign: Sign, card: str) -> str:
    """The maker's statement as a compact JWS; its header carries the maker's signed card, by which others know it."""
    header = {"alg": "EdDSA", "typ": "sluis-grant+jws", "card": card}
    content = f"{encoded(msgspec.json.encode(header))}.{encoded(msgspec.json.encode(grant))}"
    return f"{content}.{encoded(sign(content.encode()))}"


def open_grant(jws: str, key_of: Callable[[str], tuple[str, bytes]]) -> Grant:
    """The statement in a JWS, after its signature and its maker have been checked.

    Args:
        jws: as `sign_grant` gave it.
        key_of: turns a signed card into (peer id, raw Ed25519 public key), or raises a `Problem`.

    Raises:
        Refused: not signed by the peer it names as maker, or not a grant at all.
    """
    header, payload, signature = _parts(jws)
    if (
        header.get("alg") != "EdDSA"
        or header.get("typ") != "sluis-grant+jws"
        or not isinstance(header.get("card"), str)
    ):
        raise refused_token()
    peer, public = key_of(header["card"])
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, jws.rpartition(".")[0].encode())
        grant = decode(payload, Grant)
    except (InvalidSignature, ValueError, msgspec.MsgspecError) as error:
        raise refused_token() from error
    if grant.scope.maker != peer:
        raise refused_token()
    return grant


def _parts(jws: str) -> tuple[dict[str, Any], bytes, bytes]:
    parts = jws.split(".")
    if len(parts) != 3:
        raise refused_token()
    header, payload, signature = (decoded(part) for part in parts)
    try:
        return msgspec.json.decode(header, type=dict[str, Any]), payload, signature
    except (msgspec.MsgspecError, ValueError) as error:
        raise refused_token() from error

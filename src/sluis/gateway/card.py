"""The node card: what a node says of itself, signed so that anyone in the group can check it.

A JWS (RFC 7515, compact) made with the node's certificate, whose chain is in `x5c` (§4.1.6): so the keys on the card
are the keys of the organisation in that certificate. The algorithm follows from the certificate's key and from
nothing else; a header that says otherwise is refused (RFC 8725 §3.1).
"""

import re
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding

from sluis.crypto import Identity, verify_chain
from sluis.kernel import Invalid, PeerId, Problem, Refused, Text

TYPE = "sluis-node-card+jws"
MAX_CARD = 64 * 1024
"""Characters; a longer one is not looked at."""

_MAX_CHAIN = 5
_ALIAS = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_URL = re.compile(r"https://[^/?#@\s]+(/[^?#\s]*)?")
_LOG = re.compile(r"[^\s+]{1,500}")  # what can name a key of a signed note (C2SP signed-note)
_LONGEST = 2000  # characters


class Card(msgspec.Struct, frozen=True):
    """What a node says of itself.

    Args:
        peer: its Peer ID.
        name: the organisation, as in its certificate.
        alias: the name before the dot in `owner.dataset`.
        url: base address, `https://host:port`.
        verification_key: Ed25519 public key of its receipts and checkpoints, 32 bytes.
        sealing_key: X25519 public key to which join keys are sealed, 32 bytes.
        not_after: when the card ends, with the certificate.
        log: name of its log, as in its checkpoints; empty when it publishes none. It ends in `/` and the Peer ID, so
            that nobody can give out another's log for its own.
    """

    peer: PeerId
    name: str
    alias: str
    url: str
    verification_key: bytes
    sealing_key: bytes
    not_after: datetime
    log: str = ""


class _Claims(msgspec.Struct, rename="camel"):
    peer: str
    name: str
    alias: str
    url: str
    verification_key: str
    sealing_key: str
    not_after: datetime
    log: str = ""


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    alg: str
    typ: str
    x5c: list[str]


def sign_card(
    identity: Identity, alias: str, url: str, verification_key: bytes, sealing_key: bytes, log: str = ""
) -> str:
    """This node's card, as a compact JWS.

    Args:
        identity: the node's certificate and key.
        alias: as in `Card`.
        url: as in `Card`.
        verification_key: raw, 32 bytes.
        sealing_key: raw, 32 bytes.
        log: as in `Card`.
    """
    claims = _Claims(
        str.__str__(identity.peer.id),
        identity.peer.name,
        alias,
        url,
        _encoded(verification_key),
        _encoded(sealing_key),
        identity.certificate.not_valid_after_utc,
        log,
    )
    algorithm, digest = _algorithm(identity.certificate)
    chain = [b64encode(certificate.public_bytes(Encoding.DER)).decode() for certificate in identity.chain]
    parts = [_encoded(msgspec.json.encode(part)) for part in (_Header(algorithm, TYPE, chain), claims)]
    signed = ".".join(parts)
    return f"{signed}.{_encoded(_sign(identity, signed.encode(), digest))}"


def read_card(
    jws: str,
    anchors: Iterable[x509.Certificate],
    moment: datetime,
    crls: Iterable[x509.CertificateRevocationList] = (),
) -> Card:
    """Check a card and give what it says.

    Args:
        jws: compact serialisation, as a node published it.
        anchors: the roots that the group trusts.
        moment: the time to judge at.
        crls: revocation lists of the group; who was revoked may have lost its key to somebody else.

    Raises `Invalid` (`malformed-card`), or `Refused` (`card-not-genuine`, `certificate-not-trusted`,
    `certificate-revoked`).
    """
    if len(jws) > MAX_CARD:
        raise _malformed()
    try:
        head, body, signature = jws.split(".")
        header = msgspec.json.decode(_decoded(head), type=_Header)
        claims = msgspec.json.decode(_decoded(body), type=_Claims)
        chain = [
            x509.load_der_x509_certificate(b64decode(one, validate=True)) for one in header.x5c[:_MAX_CHAIN]
        ]
        card = _card(claims)
        raw = _decoded(signature)
    except (ValueError, x509.InvalidVersion, RecursionError, msgspec.MsgspecError, Problem):
        raise _malformed() from None
    if header.typ != TYPE or not chain:
        raise _malformed()
    try:
        peer = verify_chain(chain[0], chain[1:], anchors, moment, crls)
    except (ValueError, x509.InvalidVersion):  # a certificate that parses as a whole, and not in its parts
        raise _malformed() from None
    algorithm, digest = _algorithm(chain[0])
    genuine = header.alg == algorithm and _verified(chain[0], raw, f"{head}.{body}".encode(), digest)
    if not genuine or card.peer != peer.id or card.name != peer.name or card.not_after <= moment:
        raise _not_genuine()
    return card


def _card(claims: _Claims) -> Card:
    verification, sealing = _decoded(claims.verification_key), _decoded(claims.sealing_key)
    if len(verification) != 32 or len(sealing) != 32 or claims.not_after.tzinfo is None:
        raise ValueError
    named = _ALIAS.fullmatch(claims.alias) and _URL.fullmatch(claims.url)
    if not (named and claims.url.isprintable()) or max(len(claims.url), len(claims.name)) > _LONGEST:
        raise ValueError
    if claims.log and not (_LOG.fullmatch(claims.log) and claims.log.rpartition("/")[2] == claims.peer):
        raise ValueError
    ends = claims.not_after.astimezone(UTC)
    return Card(
        PeerId(claims.peer), claims.name, claims.alias, claims.url, verification, sealing, ends, claims.log
    )


def _algorithm(certificate: x509.Certificate) -> tuple[str, hashes.HashAlgorithm]:
    """The one JWS algorithm (RFC 7518 §3.1) that goes with a certificate's key."""
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= 2048:
        return "PS256", hashes.SHA256()
    by_curve: dict[str, tuple[str, hashes.HashAlgorithm]] = {
        "secp256r1": ("ES256", hashes.SHA256()),
        "secp384r1": ("ES384", hashes.SHA384()),
        "secp521r1": ("ES512", hashes.SHA512()),
    }
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in by_curve:
        return by_curve[key.curve.name]
    raise _not_genuine()


def _sign(identity: Identity, message: bytes, digest: hashes.HashAlgorithm) -> bytes:
    key = identity.key
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
    size = (key.curve.key_size + 7) // 8
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(digest)))
    return r.to_bytes(size) + s.to_bytes(size)


def _verified(
    certificate: x509.Certificate, signature: bytes, message: bytes, digest: hashes.HashAlgorithm
) -> bool:
    key: Any = certificate.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
            return True
        size = (key.curve.key_size + 7) // 8
        if len(signature) != 2 * size:
            return False
        r, s = int.from_bytes(signature[:size]), int.from_bytes(signature[size:])
        key.verify(encode_dss_signature(r, s), message, ec.ECDSA(digest))
    except InvalidSignature:
        return False
    return True


def _encoded(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if _encoded(raw) != text:
        raise ValueError("not base64url")
    return raw


def _malformed() -> Invalid:
    return Invalid(
        "malformed-card",
        Text("De kaart van dit knooppunt is niet te lezen.", "This node's card cannot be read."),
        Text("Ze heeft niet de afgesproken vorm.", "It does not have the agreed form."),
        Text("Meld het bij die organisatie.", "Tell that organisation."),
    )


def _not_genuine() -> Refused:
    return Refused(
        "card-not-genuine",
        Text("De kaart van dit knooppunt is niet echt.", "This node's card is not genuine."),
        Text(
            "De handtekening of de organisatie past niet bij haar certificaat.",
            "The signature or the organisation does not fit its certificate.",
        ),
        Text("Meld het bij die organisatie en vraag niets.", "Tell that organisation, and ask nothing."),
        rule="card-genuine",
    )

"""The node card: what a node says of itself, signed so that anyone in the group can check it.

A JWS (RFC 7515, compact) made with the node's certificate, whose chain is in `x5c` (§4.1.6): so the keys on the card
are the keys of the organisation in that certificate. The algorithm follows from the certificate's key and from
nothing else; a header that says otherwise is refused (RFC 8725 §3.1).
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec
from cryptography import x509

from sluis.crypto import (
    Identity,
    algorithm_for,
    decode_base64url,
    encode_base64url,
    encode_chain,
    read_chain,
    read_json,
    read_jws,
    sign_jws,
    verify_chain,
    verify_jws,
)
from sluis.kernel import Invalid, PeerId, Problem, Refused, Text, convert

TYPE = "sluis-node-card+jws"
MAX_CARD = 64 * 1024
"""Characters; a longer one is not looked at."""

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
        encode_base64url(verification_key),
        encode_base64url(sealing_key),
        identity.certificate.not_valid_after_utc,
        log,
    )
    header = {"typ": TYPE, "x5c": encode_chain(identity.chain)}
    return sign_jws(identity.key, _algorithm(identity.certificate), header, msgspec.json.encode(claims))


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
    try:
        read = read_jws(jws, MAX_CARD)
        header = convert(read.header, _Header)
        card = _card(convert(read_json(read.payload), _Claims))
    except (ValueError, msgspec.ValidationError, Problem):
        raise _malformed() from None
    chain = read_chain(header.x5c)
    if header.typ != TYPE or not chain:
        raise _malformed()
    try:
        peer = verify_chain(chain[0], chain[1:], anchors, moment, crls)
    except (ValueError, x509.InvalidVersion):  # a certificate that parses as a whole, and not in its parts
        raise _malformed() from None
    genuine = verify_jws(read, chain[0], {_algorithm(chain[0])})
    if not genuine or card.peer != peer.id or card.name != peer.name or card.not_after <= moment:
        raise _not_genuine()
    return card


def _card(claims: _Claims) -> Card:
    verification, sealing = decode_base64url(claims.verification_key), decode_base64url(claims.sealing_key)
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


def _algorithm(certificate: x509.Certificate) -> str:
    """The one algorithm that goes with a certificate's key: for RSA the one with PSS, for ECDSA that of its curve."""
    try:
        algorithm = algorithm_for(certificate)
    except Invalid:
        raise _not_genuine() from None
    return "PS256" if algorithm == "RS256" else algorithm


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

"""Certificates of peers: read, and held against the authorities of a group.

A peer is who its certificate says (FSC Core 2.0.0): subject serialNumber is the Peer ID (an OIN here), O the name.
X.509 and CRLs: RFC 5280. What a test authority made carries a private extension (`authority`), by which a production node
knows and refuses it.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Self

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import verification
from cryptography.x509.oid import NameOID

from sluis.crypto.requests import SigningKey, key_text
from sluis.kernel import Invalid, PeerId, Refused, Text

TEST_MARK = x509.ObjectIdentifier("2.25.114056778313361559741997899931968069421")
"""An OID under 2.25 (ITU-T X.667: made from a UUID, registered nowhere) that marks what a test authority made."""

WARN_BEFORE = timedelta(days=30)
"""How long before its end a certificate is worth a warning."""


@contextmanager
def in_memory(content: bytes) -> Iterator[Path]:
    """A file with this content, for what reads nothing else: on no disk, for this user alone, and gone when the block ends."""
    memory = os.memfd_create("sluis")
    with os.fdopen(memory, "wb") as file:
        os.fchmod(memory, 0o600)
        file.write(content)
        file.flush()
        yield Path(f"/proc/self/fd/{memory}")


class Peer(msgspec.Struct, frozen=True):
    """Who a certificate speaks for."""

    id: PeerId
    name: str


class Identity(msgspec.Struct, frozen=True):
    """A node's own certificate with its chain (root left out) and private key."""

    chain: tuple[x509.Certificate, ...]
    key: SigningKey
    peer: Peer

    @property
    def certificate(self) -> x509.Certificate:
        return self.chain[0]

    @property
    def pem(self) -> bytes:
        """The certificate, its chain and its key in one piece."""
        chain = b"".join(one.public_bytes(Encoding.PEM) for one in self.chain)
        return chain + key_text(self.key)

    @contextmanager
    def as_file(self) -> Iterator[Path]:
        """The same as a file, for what reads nothing else: in memory, and gone when the block ends."""
        with in_memory(self.pem) as file:
            yield file

    @classmethod
    def load(cls, certificate: Path, key: Path) -> Self:
        """Read both files (PEM). Raises `Invalid` when they cannot be read, do not belong together, or anyone on the
        machine may read the key."""
        chain, private = read_pair(certificate, key)
        return cls(chain, private, peer_of(chain[0]))


def read_pair(certificate: Path, key: Path) -> tuple[tuple[x509.Certificate, ...], SigningKey]:
    """A certificate with its chain, and the private key that goes with it (PEM). Raises `Invalid` when they cannot be read,
    do not belong together, or anyone on the machine may read the key."""
    chain = read_certificates(certificate)
    private = read_key(key)
    if private.public_key() != chain[0].public_key():
        raise Invalid(
            "key-of-another-certificate",
            Text("Sleutel en certificaat horen niet bij elkaar.", "Key and certificate do not belong together."),
            Text(f"Bestanden: {key.name} en {certificate.name}.", f"Files: {key.name} and {certificate.name}."),
            Text("Wijs de sleutel aan waarmee het certificaat is aangevraagd.",
                 "Point to the key that the certificate was requested with."),
        )  # fmt: skip
    return chain, private


def read_certificates(path: Path) -> tuple[x509.Certificate, ...]:
    """Every certificate in a PEM file, in order, at least one. Raises `Invalid`."""
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError) as failure:
        raise unreadable("certificate", path, failure) from None


def read_key(path: Path) -> SigningKey:
    """A private key (PEM, no password). Raises `Invalid` when it cannot be read, or anyone on the machine may read it."""
    try:
        private, mode = load_pem_private_key(path.read_bytes(), password=None), path.stat().st_mode
    except (OSError, ValueError, TypeError) as failure:
        raise unreadable("key", path, failure) from None
    if not isinstance(private, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise unreadable("key", path, TypeError("neither ECDSA nor RSA"))
    if mode & stat.S_IROTH:
        raise _for_everyone(path)
    return private


def peer_of(certificate: x509.Certificate | bytes) -> Peer:
    """Whom a certificate (DER, PEM, or parsed) speaks for.

    Raises `Refused` (`certificate-without-peer`) unless the subject has exactly one serialNumber, a valid Peer ID,
    and exactly one O. The certificate is not verified here: TLS or `verify_chain` did.
    """
    if isinstance(certificate, bytes):
        certificate = _parse(certificate)
    serials = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    names = certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
    if len(serials) != 1 or len(names) != 1:
        raise _without_peer()
    serial, name = serials[0].value, names[0].value
    if not (isinstance(serial, str) and isinstance(name, str) and PeerId.accepts(serial) and name.strip()):
        raise _without_peer()
    return Peer(PeerId(serial), name)


def verify_chain(
    leaf: x509.Certificate,
    intermediates: Iterable[x509.Certificate],
    anchors: Iterable[x509.Certificate],
    moment: datetime,
    crls: Iterable[x509.CertificateRevocationList] = (),
) -> Peer:
    """Prove that `leaf` is a peer certificate under one of the group's anchors (RFC 5280 §6).

    Args:
        leaf: the certificate at issue.
        intermediates: further certificates that may lead from it to an anchor.
        anchors: the roots that the group trusts.
        moment: the time to judge at.
        crls: revocation lists; one that is not signed by a certificate's issuer says nothing about it.

    Returns: whom the certificate speaks for. Raises `Refused` (`certificate-not-trusted`, `certificate-revoked`,
    `certificate-without-peer`).
    """
    policy = verification.PolicyBuilder().store(verification.Store(list(anchors))).time(moment)
    try:
        chain = policy.build_client_verifier().verify(leaf, list(intermediates)).chain
    except verification.VerificationError as failure:
        raise _not_trusted(str(failure)) from None
    lists = tuple(crls)
    if any(_revokes(crl, one, issuer) for one, issuer in pairwise(chain) for crl in lists):
        raise Refused(
            "certificate-revoked",
            Text("Dit certificaat is ingetrokken.", "This certificate has been revoked."),
            Text(
                "Het staat op de intrekkingslijst van de uitgever, of de uitgever zelf is ingetrokken.",
                "It is on its issuer's revocation list, or the issuer itself was revoked.",
            ),
            Text("Vraag een nieuw certificaat aan.", "Request a new certificate."),
            rule="certificate-valid",
        )
    return peer_of(leaf)


def signer_chain(
    leaf: x509.Certificate,
    intermediates: Iterable[x509.Certificate],
    anchors: Iterable[x509.Certificate],
    moment: datetime,
) -> tuple[x509.Certificate, ...]:
    """The chain from a certificate that signs documents, and is no peer's, to an anchor (RFC 5280 §6).

    Args:
        leaf: the certificate at issue; what it may be used for besides signing is not looked at.
        intermediates: further certificates that may lead from it to an anchor.
        anchors: the roots that are trusted for such documents.
        moment: the time to judge at.

    Returns: the chain, from the leaf to its anchor. Raises `Refused` (`certificate-not-trusted`).
    """
    authorities, leaves = (
        verification.ExtensionPolicy.webpki_defaults_ca(),
        verification.ExtensionPolicy.permit_all(),
    )
    builder = verification.PolicyBuilder().store(verification.Store(list(anchors))).time(moment)
    policy = builder.extension_policies(ca_policy=authorities, ee_policy=leaves).build_client_verifier()
    try:
        chain = policy.verify(leaf, list(intermediates)).chain
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    except verification.VerificationError as failure:
        raise _not_trusted(str(failure)) from None
    except x509.ExtensionNotFound:
        return tuple(chain)
    if not usage.digital_signature:
        raise _not_trusted("keyUsage")
    return tuple(chain)


def is_test(certificate: x509.Certificate) -> bool:
    """Whether a test authority made this certificate, or it is one."""
    return any(extension.oid == TEST_MARK for extension in certificate.extensions)


def time_left(certificate: x509.Certificate, moment: datetime) -> timedelta:
    """How long the certificate is still valid; negative when it has ended."""
    return certificate.not_valid_after_utc - moment


def unreadable(kind: str, path: Path, failure: Exception) -> Invalid:
    """The problem of a PEM file; `kind` is `key` or `certificate`."""
    noun = {"key": Text("sleutel", "key"), "certificate": Text("certificaat", "certificate")}[kind]
    cause = failure.strerror if isinstance(failure, OSError) and failure.strerror else "PEM?"
    return Invalid(
        f"{kind}-unreadable",
        Text(f"De {noun.nl} kan niet worden gelezen." if kind == "key" else f"Het {noun.nl} kan niet worden gelezen.",
             f"The {noun.en} cannot be read."),
        Text(f"Bestand {path.name}: {cause}.", f"File {path.name}: {cause}."),
        Text("Controleer het pad, de rechten en de inhoud (PEM, zonder wachtwoord).",
             "Check the path, the permissions and the content (PEM, no password)."),
    )  # fmt: skip


def _parse(raw: bytes) -> x509.Certificate:
    try:
        return (
            x509.load_pem_x509_certificate(raw)
            if raw.startswith(b"-----")
            else x509.load_der_x509_certificate(raw)
        )
    except ValueError:
        raise _without_peer() from None


def _revokes(crl: x509.CertificateRevocationList, one: x509.Certificate, issuer: x509.Certificate) -> bool:
    if (
        crl.issuer != issuer.subject
        or crl.get_revoked_certificate_by_serial_number(one.serial_number) is None
    ):
        return False
    key = issuer.public_key()
    try:
        return isinstance(key, ec.EllipticCurvePublicKey | rsa.RSAPublicKey) and crl.is_signature_valid(key)
    except InvalidSignature:
        return False


def _for_everyone(path: Path) -> Invalid:
    return Invalid(
        "key-for-everyone",
        Text("Iedereen op deze machine kan de sleutel lezen.", "Everyone on this machine can read the key."),
        Text(f"Bestand {path.name} is leesbaar voor anderen.", f"File {path.name} is readable by others."),
        Text(f"Beperk de rechten: chmod 600 {path.name}. Was de machine niet alleen van u, vraag dan een nieuw certificaat aan.",
             f"Restrict it: chmod 600 {path.name}. If the machine was not yours alone, request a new certificate."),
    )  # fmt: skip


def _without_peer() -> Refused:
    return Refused(
        "certificate-without-peer",
        Text("Dit certificaat noemt geen organisatie.", "This certificate names no organisation."),
        Text("Het onderwerp moet één serialNumber (een OIN) en één O hebben.",
             "The subject must have one serialNumber (an OIN) and one O."),
        Text("Vraag een certificaat aan bij de autoriteit van de groep.",
             "Request a certificate from the group's authority."),
        rule="certificate-names-peer",
    )  # fmt: skip


def _not_trusted(cause: str) -> Refused:
    return Refused(
        "certificate-not-trusted",
        Text("Dit certificaat wordt niet vertrouwd.", "This certificate is not trusted."),
        Text(f"Het leidt niet naar een autoriteit van de groep, of is niet geldig: {cause}.",
             f"It does not lead to an authority of the group, or is not valid: {cause}."),
        Text("Gebruik een geldig certificaat van de autoriteit van de groep.",
             "Use a valid certificate of the group's authority."),
        rule="certificate-valid",
    )  # fmt: skip

"""A trust anchor for tests: certificates as FSC Core 2.0.0 section 4.1.6 asks, and all that it forbids.

Peer ID is `subject.serialNumber` (an OIN of 20 digits) and Peer name `subject.O`: the choice this group makes (sections
4.1.3 and 4.1.4). Every organisation in it is fictitious.
"""

import base64
import datetime as dt
import hashlib
import ipaddress
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError
from tests.fsc.jcs import b64u

_PEM = serialization.Encoding.PEM
_DER = serialization.Encoding.DER
_CURVES = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}
_DAY = dt.timedelta(days=1)


def make_key(kind: str = "P-256") -> Any:
    """A fresh key: `P-256`, `P-384`, `P-521`, or `RSA-` and a number of bits."""
    if kind.startswith("RSA-"):
        return rsa.generate_private_key(65537, int(kind.removeprefix("RSA-")))
    return ec.generate_private_key(_CURVES[kind]())


def certificate_thumbprint(certificate: x509.Certificate) -> str:
    """RFC 7515 section 4.1.8."""
    return b64u(hashlib.sha256(certificate.public_bytes(_DER)).digest())


def public_key_thumbprint(certificate: x509.Certificate) -> str:
    """Section 4.1.6.2: SHA-256 over the DER of the public key, in lower-case hex."""
    raw = certificate.public_key().public_bytes(_DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(raw).hexdigest()


def peer_id(certificate: x509.Certificate) -> str | None:
    """The Peer ID in a certificate, when it has the form of one."""
    found = certificate.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)
    value = str(found[0].value) if len(found) == 1 else ""
    return value if len(value) == 20 and value.isdigit() else None


def peer_name(certificate: x509.Certificate) -> str:
    """The Peer name in a certificate."""
    return str(certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value)


def domains(certificate: x509.Certificate) -> list[str]:
    """The DNS names of a certificate."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return list(names.get_values_for_type(x509.DNSName))


@dataclass(frozen=True)
class Identity:
    """A key with its certificate and chain, and where they lie on disk for OpenSSL."""

    key: Any
    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...]
    folder: Path

    @property
    def thumbprint(self) -> str:
        return certificate_thumbprint(self.certificate)

    @property
    def public_key_thumbprint(self) -> str:
        return public_key_thumbprint(self.certificate)

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate.public_bytes(_PEM)

    @property
    def chain_base64(self) -> list[str]:
        chain = (self.certificate, *self.above)
        return [base64.b64encode(one.public_bytes(_DER)).decode() for one in chain]

    @property
    def chain_file(self) -> Path:
        """The certificate and what stands between it and the root, PEM."""
        return self.folder / f"{self.certificate.serial_number:x}.pem"

    @property
    def key_file(self) -> Path:
        return self.folder / f"{self.certificate.serial_number:x}.key"

    def write(self) -> "Identity":
        self.chain_file.write_bytes(
            b"".join(one.public_bytes(_PEM) for one in (self.certificate, *self.above))
        )
        self.key_file.write_bytes(
            self.key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        self.key_file.chmod(0o600)
        return self


class Authority:
    """A root and one authority below it, so that every chain has something to leave out and something to keep."""

    def __init__(self, folder: Path, name: str = "Fictief anker", *, intermediate: bool = True) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.root_key = make_key()
        self.root = self._ca(f"{name} root", self.root_key.public_key(), None)
        self.key, self.certificate, self.above = self.root_key, self.root, ()
        if intermediate:
            self.key = make_key()
            self.certificate = self._ca(f"{name} issuing", self.key.public_key(), self.root)
            self.above = (self.certificate,)
        self._lists = 0
        self._others: list[x509.Certificate] = []
        self.root_file = folder / "root.pem"
        self.root_file.write_bytes(self.root.public_bytes(_PEM))

    def accept(self, other: "Authority") -> None:
        """Trust another root beside the own one: a group with two anchors."""
        self._others.append(other.root)
        self.root_file.write_bytes(b"".join(one.public_bytes(_PEM) for one in (self.root, *self._others)))

    def _ca(self, name: str, public: Any, issuer: x509.Certificate | None) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.subject if issuer else subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 30 * _DAY)
            .not_valid_after(now + 400 * _DAY)
            .add_extension(
                x509.BasicConstraints(ca=True, path_length=None if issuer is None else 0), critical=True
            )
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root_key.public_key()), critical=False
            )
            .sign(self.root_key, hashes.SHA256())
        )

    def issue(
        self,
        serial_number: str | None,
        organisation: str,
        names: Sequence[str],
        *,
        key: Any = None,
        starts: dt.timedelta = -_DAY,
        ends: dt.timedelta = 90 * _DAY,
        server: bool = True,
        client: bool = True,
    ) -> Identity:
        """A certificate. `names` are domains and addresses; `starts` and `ends` count from now; `key` is an old key, or
        the kind of a new one (default `P-256`)."""
        key = make_key(key or "P-256") if key is None or isinstance(key, str) else key
        subject = [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "NL"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
        ]
        if serial_number is not None:
            subject.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, serial_number))
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH] * server + [ExtendedKeyUsageOID.CLIENT_AUTH] * client
        now = dt.datetime.now(dt.UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([*subject, x509.NameAttribute(NameOID.COMMON_NAME, names[0])]))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + starts)
            .not_valid_after(now + ends)
            .add_extension(x509.SubjectAlternativeName([_name(one) for one in names]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )
        return Identity(key, made, self.above, self.folder).write()

    def trusts(self, chain: Sequence[x509.Certificate], moment: dt.datetime | None = None) -> bool:
        """Whether a chain, leaf first, ends at this root now."""
        policy = (
            PolicyBuilder().store(Store([self.root, *self._others])).time(moment or dt.datetime.now(dt.UTC))
        )
        try:
            policy.build_client_verifier().verify(chain[0], list(chain[1:]))
        except VerificationError:
            return False
        return True

    def revocations(self, *revoked: Identity) -> Path:
        """A certificate revocation list of the issuing authority, PEM; each is a minute younger than the one before."""
        now = dt.datetime.now(dt.UTC)
        self._lists += 1
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(
            now - dt.timedelta(days=1) + dt.timedelta(minutes=self._lists)
        ).next_update(now + 7 * _DAY)
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number)
            builder = builder.add_revoked_certificate(
                entry.revocation_date(now - dt.timedelta(minutes=1)).build()
            )
        path = self.folder / "revoked.crl"
        path.write_bytes(builder.sign(self.key, hashes.SHA256()).public_bytes(_PEM))
        return path


def _name(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _usage(**given: bool) -> x509.KeyUsage:
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: given.get(name, False) for name in every})


def server_context(identity: Identity, authority: Authority) -> ssl.SSLContext:
    """TLS for a listener that lets in only what this anchor signed."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(identity.chain_file, identity.key_file)
    context.load_verify_locations(authority.root_file)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(identity: Identity | None, authority: Authority) -> ssl.SSLContext:
    """TLS for a caller: the server's chain and name are checked (RFC 6125), an own certificate is shown if there is one."""
    return _client_context(
        identity and identity.chain_file, identity and identity.key_file, authority.root_file
    )


@lru_cache(maxsize=256)
def _client_context(chain: Path | None, key: Path | None, root: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(root)
    if chain is not None:
        context.load_cert_chain(chain, key)
    return context

"""A test authority: issues certificates of peers for tests and demos (RFC 5280), each with the mark of `certificates`.

Keys are ECDSA P-256, as the TLS guidelines of NCSC-NL call good.
"""

import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sluis.crypto.certificates import TEST_MARK, read_certificates, read_key, unreadable
from sluis.crypto.requests import key_text, make_request, new_key
from sluis.kernel import Invalid, PeerId, Text

_AUTHORITY, _AUTHORITY_KEY = "authority.pem", "authority.key"
_BACKDATED = timedelta(minutes=5)  # so that a peer whose clock runs behind accepts a new certificate


class Authority:
    """A test authority: a self-signed root that issues peer certificates. Never trusted in production."""

    def __init__(
        self, directory: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
    ) -> None:
        self.directory, self.certificate, self.key = directory, certificate, key

    @property
    def path(self) -> Path:
        """The root certificate, PEM: the group's anchor."""
        return self.directory / _AUTHORITY

    def issue(
        self, directory: Path, oin: PeerId, name: str, hosts: Sequence[str], days: int = 365
    ) -> tuple[Path, Path]:
        """Write a new key and a certificate for it, valid from five minutes ago.

        Args:
            directory: where `certificate.pem` and `key.pem` (mode 0600) go; made when absent.
            oin: the Peer ID, subject serialNumber.
            name: the organisation, subject O.
            hosts: DNS names and IP addresses that the node is reached by; the first is also the CN.
            days: validity; 0 or less gives a certificate that has ended, for tests of just that.

        Returns: paths of certificate and key.
        """
        key = new_key()
        certificate = self.certify(make_request(key, oin, name, hosts), days)
        directory.mkdir(parents=True, exist_ok=True)
        certificate_path, key_path = directory / "certificate.pem", directory / "key.pem"
        _write(key_path, key_text(key), secret=True)
        _write(certificate_path, certificate.public_bytes(Encoding.PEM))
        return certificate_path, key_path

    def certify(self, request: x509.CertificateSigningRequest, days: int = 365) -> x509.Certificate:
        """The certificate that a request asks for, valid from five minutes ago.

        Args:
            request: of a peer, as `make_request` makes it.
            days: validity; 0 or less gives a certificate that has ended.

        Raises `Invalid` when the request is not signed with its own key, or asks for another kind of key.
        """
        public = request.public_key()
        if not (
            request.is_signature_valid and isinstance(public, ec.EllipticCurvePublicKey | rsa.RSAPublicKey)
        ):
            raise _bad_request()
        hosts = request.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        now = datetime.now(UTC).replace(microsecond=0)
        until = min(now + timedelta(days=days), self.certificate.not_valid_after_utc)
        return (
            _builder(request.subject, self.certificate.subject, public, self.key.public_key())
            .not_valid_before(min(now, until) - _BACKDATED)
            .not_valid_after(until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]),
                critical=False,
            )
            .add_extension(hosts.value, critical=False)
            .sign(self.key, hashes.SHA256())
        )


def make_authority(directory: Path, name: str, days: int = 3650) -> Authority:
    """Make a test authority in `directory` (`authority.pem`, `authority.key`); its CN starts with "TEST ".

    Raises `Invalid` when there is one already: a second root would silently orphan what the first issued.
    """
    if (directory / _AUTHORITY).exists():
        raise Invalid(
            "authority-exists",
            Text("Hier staat al een testautoriteit.", "There is a test authority here already."),
            Text(f"Map: {directory.name}.", f"Directory: {directory.name}."),
            Text("Gebruik haar, of kies een andere map.", "Use it, or choose another directory."),
        )
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"TEST {name}"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"TEST {name}"),
        ]
    )
    now = datetime.now(UTC).replace(microsecond=0)
    certificate = (
        _builder(subject, subject, key.public_key(), key.public_key())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    directory.mkdir(parents=True, exist_ok=True)
    _write(directory / _AUTHORITY_KEY, key_text(key), secret=True)
    _write(directory / _AUTHORITY, certificate.public_bytes(Encoding.PEM))
    return Authority(directory, certificate, key)


def open_authority(directory: Path) -> Authority:
    """The test authority that `make_authority` made in a directory. Raises `Invalid`."""
    [certificate, *_] = read_certificates(directory / _AUTHORITY)
    key = read_key(directory / _AUTHORITY_KEY)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise unreadable("key", directory / _AUTHORITY_KEY, TypeError("not of this authority"))
    return Authority(directory, certificate, key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    issuer_public: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False)
        .add_extension(x509.UnrecognizedExtension(TEST_MARK, b"\x05\x00"), critical=False)
    )


def _usage(signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(path: Path, content: bytes, secret: bool = False) -> None:
    """Replace `path` in one step; a secret is never readable by others, not even for a moment."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if secret else 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _bad_request() -> Invalid:
    return Invalid(
        "certificate-request-unfit",
        Text("Voor deze aanvraag kan geen certificaat worden gemaakt.",
             "No certificate can be made for this request."),
        Text("Zij is niet getekend met haar eigen sleutel, of de sleutel is geen ECDSA of RSA.",
             "It is not signed with its own key, or the key is neither ECDSA nor RSA."),
        Text("Maak een nieuwe aanvraag met `sluis join`.", "Make a new request with `sluis join`."),
    )  # fmt: skip

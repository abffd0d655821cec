"""Peers with certificates, and signatures made by hand: no code of the product makes or reads these JWS."""

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from tests.unit.gateway.contracts.making import NOW

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

SIZES = {"256": 32, "384": 48, "512": 66}
HASHES: dict[str, hashes.HashAlgorithm] = {
    "256": hashes.SHA256(),
    "384": hashes.SHA384(),
    "512": hashes.SHA512(),
}


@cache
def key_for(algorithm: str) -> Key:
    curves: dict[str, ec.EllipticCurve] = {
        "ES256": ec.SECP256R1(),
        "ES384": ec.SECP384R1(),
        "ES512": ec.SECP521R1(),
    }
    if algorithm in curves:
        return ec.generate_private_key(curves[algorithm])
    return rsa_key()


@cache
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


class Root:
    """A root that issues peer certificates."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "TEST Groep")])
        self.name = name
        self.certificate = (
            self._begin(name, self.key, 3650, 3650)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(self._usage(True), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def issue(
        self, peer: str | None, key: Key, names: tuple[str, ...] = ("outway.voorbeeld.nl",), days: int = 365
    ) -> x509.Certificate:
        subject = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Gemeente Voorbeeld")]
        if peer:
            subject.append(x509.NameAttribute(NameOID.SERIAL_NUMBER, peer))
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        return (
            self._begin(x509.Name(subject), key, 300, days)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(self._usage(False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
            )
            .sign(self.key, hashes.SHA256())
        )

    def revoked(self, certificate: x509.Certificate) -> x509.CertificateRevocationList:
        moment = datetime.fromtimestamp(NOW, UTC)
        entry = (
            x509.RevokedCertificateBuilder().serial_number(certificate.serial_number).revocation_date(moment)
        )
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name).last_update(moment)
        return (
            builder.next_update(moment + timedelta(days=1))
            .add_revoked_certificate(entry.build())
            .sign(self.key, hashes.SHA256())
        )

    def _begin(self, subject: x509.Name, key: Key, since: int, until: int) -> x509.CertificateBuilder:
        now = datetime.fromtimestamp(NOW, UTC)
        public = self.key.public_key()
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=since))
            .not_valid_after(now + timedelta(days=until))
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
        )

    @staticmethod
    def _usage(signs: bool) -> x509.KeyUsage:
        return x509.KeyUsage(
            digital_signature=not signs,
            key_cert_sign=signs,
            crl_sign=signs,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )


def b64u(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def thumbprint(certificate: x509.Certificate) -> str:
    return b64u(hashlib.sha256(certificate.public_bytes(Encoding.DER)).digest())


def jws(key: Key, header: Any, payload: Any, algorithm: str = "") -> str:
    """A compact JWS; `header` and `payload` are bytes, or values that become JSON."""
    algorithm = algorithm or header["alg"]
    parts = [part if isinstance(part, bytes) else json.dumps(part).encode() for part in (header, payload)]
    signed = ".".join(map(b64u, parts))
    return f"{signed}.{b64u(raw_signature(key, algorithm, signed.encode()))}"


def raw_signature(key: Key, algorithm: str, message: bytes) -> bytes:
    digest = HASHES[algorithm[2:]]
    if isinstance(key, rsa.RSAPrivateKey):
        salted = padding.PSS(padding.MGF1(digest), digest.digest_size)
        return key.sign(message, salted if algorithm[0] == "P" else padding.PKCS1v15(), digest)
    r, s = decode_dss_signature(key.sign(message, ec.ECDSA(digest)))
    size = SIZES[algorithm[2:]]
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")

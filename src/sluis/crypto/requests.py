"""Asking for a certificate: a new key, and a request for a certificate authority (PKCS #10, RFC 2986).

What a request asks for is what a peer certificate of FSC Core 2.0.0 holds: subject serialNumber is the Peer ID (an OIN
here), O the name of the organisation, and every name by which its Manager, inway and outway are reached is a subject
alternative name (RFC 5280 §4.2.1.6). Whether the certificate that came is good for these names is looked at as who
connects would (RFC 9525).
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import verification
from cryptography.x509.oid import NameOID

from sluis.kernel import Invalid, PeerId, Text

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
"""The private key of a certificate: the kinds that TLS and FSC signatures share."""

LONGEST_COMMON_NAME = 64
"""RFC 5280, appendix A.1, ub-common-name."""

_RSA_BITS = 3072  # what the TLS guidelines of NCSC-NL call good


def new_key(in_rsa: bool = False) -> SigningKey:
    """A new private key: ECDSA P-256, or RSA for an authority that certifies nothing else."""
    if in_rsa:
        return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    return ec.generate_private_key(ec.SECP256R1())


def key_text(key: SigningKey) -> bytes:
    """The key as PEM, without a password: whoever writes it keeps it from others."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def make_request(
    key: SigningKey, oin: PeerId, name: str, hosts: Sequence[str]
) -> x509.CertificateSigningRequest:
    """A request for a peer certificate, signed with its key.

    Args:
        key: whose certificate it will be.
        oin: the Peer ID.
        name: the organisation.
        hosts: DNS names and IP addresses, at least one; the first that is short enough is also the CN.

    Raises `Invalid` for a host that no certificate can name.
    """
    names = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, name),
             x509.NameAttribute(NameOID.SERIAL_NUMBER, str.__str__(oin))]  # fmt: skip
    common = next((host for host in hosts if len(host) <= LONGEST_COMMON_NAME), None)
    if common is not None:
        names.append(x509.NameAttribute(NameOID.COMMON_NAME, common))
    alternatives = x509.SubjectAlternativeName([_general_name(host) for host in dict.fromkeys(hosts)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(names))
    return builder.add_extension(alternatives, critical=False).sign(key, hashes.SHA256())


def unfit_hosts(
    chain: Sequence[x509.Certificate],
    anchors: Iterable[x509.Certificate],
    hosts: Iterable[str],
    moment: datetime,
) -> list[str]:
    """Of these hosts, those that others would not believe to be reached when a server there shows this certificate.

    Args:
        chain: the certificate, and what leads from it to an anchor.
        anchors: the roots that the others trust.
        hosts: DNS names and IP addresses.
        moment: the time to judge at.

    Raises `Invalid` for what is no name of a host.
    """
    policy = verification.PolicyBuilder().store(verification.Store(list(anchors))).time(moment)
    found = list[str]()
    for host in dict.fromkeys(hosts):
        try:
            policy.build_server_verifier(_general_name(host)).verify(chain[0], list(chain[1:]))
        except (verification.VerificationError, ValueError):  # the latter: a name like a_b.example
            found.append(host)
    return found


def _general_name(host: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        pass
    try:
        return x509.DNSName(host.encode("idna").decode())
    except UnicodeError:
        raise Invalid(
            "host-unfit",
            Text("Deze naam kan niet in een certificaat staan.", "This name cannot be in a certificate."),
            Text(f"`{host}` is geen naam van een computer.", f"`{host}` is no name of a host."),
            Text("Verbeter het adres in `node.toml` of in de opdracht.",
                 "Correct the address in `node.toml` or in the command."),
        ) from None  # fmt: skip

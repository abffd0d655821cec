"""Renewing the certificate of a node, as its operator does: a new file in the place of the old one."""

import socket
import ssl
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sluis.crypto import Authority, key_text, make_request, new_key, peer_of, read_certificates, read_key
from sluis.kernel import PeerId


def renewed(
    directory: Path,
    authority: Authority,
    *,
    same_key: bool = True,
    oin: PeerId | None = None,
    hosts: Sequence[str] = (),
    days: int = 365,
) -> x509.Certificate:
    """Put a renewed certificate in a node's files, its key first; gives it.

    Args:
        directory: of the node.
        authority: certifies it.
        same_key: whether for the key that there is.
        oin: the Peer ID, when it is to be another.
        hosts: names that it bears; those of the one before when empty.
        days: how long it is valid.
    """
    tls = directory / "tls"
    [before, *_] = read_certificates(tls / "certificate.pem")
    key, peer = read_key(tls / "key.pem") if same_key else new_key(), peer_of(before)
    names = before.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    borne = [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]
    made = authority.certify(make_request(key, oin or peer.id, peer.name, hosts or borne), days)
    for name, content in (("key.pem", key_text(key)), ("certificate.pem", made.public_bytes(Encoding.PEM))):
        fresh = tls / f"{name}.next"
        fresh.touch(0o600)
        fresh.write_bytes(content)
        fresh.replace(tls / name)
    return made


def shown_at(place: tuple[str, int], host: str, context: ssl.SSLContext) -> x509.Certificate:
    """The certificate that is shown there.

    Args:
        place: address and port.
        host: the name that it must bear.
        context: of who asks.
    """
    plain = socket.create_connection(place, 5)
    with context.wrap_socket(plain, server_hostname=host) as connection:
        der = connection.getpeercert(binary_form=True)
    assert der is not None
    return x509.load_der_x509_certificate(der)

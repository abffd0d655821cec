"""TLS as NCSC-NL calls it good or sufficient: 1.3, or 1.2 with AEAD suites over ECDHE. Both sides show a certificate, unless
browsers connect.

Facts: the TLS guidelines of NCSC-NL as Internet.nl tests them. Compression, renegotiation, early data and session
tickets are off: every connection proves its certificates anew. Which were revoked, `revocation` tells a context.
"""

import ssl
from collections.abc import Sequence
from pathlib import Path

from sluis.kernel import Invalid, Text

SUITES_1_2 = (
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
)
CURVE = (
    "prime256v1"  # TLS 1.3 obliges everyone to know it (RFC 8446 §9.1); naming one shuts out finite-field DHE
)


def server_context(certificate: Path, key: Path, anchors: Sequence[Path]) -> ssl.SSLContext:
    """The context of a node's listener: only clients with a certificate under `anchors` finish the handshake.

    Args:
        certificate: the node's chain, PEM.
        key: its private key, PEM without password.
        anchors: files with the group's roots, PEM.

    Raises `Invalid` (`tls-files`) when a file cannot be read or does not fit.
    """
    return _finish(_serving(), certificate, key, anchors)


def browser_context(certificate: Path, key: Path, anchors: Sequence[Path] = ()) -> ssl.SSLContext:
    """The context of a listener for browsers: arguments as `server_context`. Clients need no certificate; with `anchors`
    they are asked for one, and one that comes must be under these (RFC 8705)."""
    context = _finish(_serving(), certificate, key, anchors)
    context.verify_mode = ssl.CERT_OPTIONAL if anchors else ssl.CERT_NONE
    context.set_alpn_protocols(["http/1.1"])
    return context


def client_context(certificate: Path, key: Path, anchors: Sequence[Path]) -> ssl.SSLContext:
    """The context of a node's outgoing connections: arguments as `server_context`; the host name is checked."""
    return _finish(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate, key, anchors)


def calling_context(authorities: Sequence[Path] = ()) -> ssl.SSLContext:
    """The context of calls to servers that are no peers, as a browser makes them: without a certificate of our own.

    Args:
        authorities: PEM files of those that vouch for them; empty: those of the system.

    Raises `Invalid` (`tls-files`) when a file cannot be read.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if authorities else ssl.create_default_context()
    for file in authorities:
        try:
            context.load_verify_locations(file)
        except OSError as failure:  # ssl.SSLError is one
            cause = failure.strerror or "PEM?"
            raise _unusable(
                Text(f"Bestand: {file.name} ({cause}).", f"File: {file.name} ({cause}).")
            ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(SUITES_1_2)
    return context


def hand_over(door: ssl.SSLContext, to: ssl.SSLContext) -> None:
    """Let whoever connects from now on at a listener of `door` meet the certificate and the anchors of `to`. Connections
    that are there stay as they are. What is checked of a certificate is a setting of the connection, which begins at the
    door, so it takes that over too."""

    def meet(connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = to

    door.verify_flags = to.verify_flags
    door.sni_callback = meet  # which OpenSSL calls for every client, also one that names no host


def _serving() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.num_tickets = 0
    context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
    return context


def _finish(context: ssl.SSLContext, certificate: Path, key: Path, anchors: Sequence[Path]) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET
    context.set_ciphers(SUITES_1_2)
    context.set_ecdh_curve(CURVE)
    try:
        context.load_cert_chain(certificate, key)
        for file in anchors:
            context.load_verify_locations(file)
    except OSError as failure:  # ssl.SSLError is one
        files = ", ".join(one.name for one in (certificate, key, *anchors))
        cause = failure.strerror or "PEM?"
        raise _unusable(Text(f"Een van {files}: {cause}.", f"One of {files}: {cause}.")) from None
    return context


def _unusable(which: Text) -> Invalid:
    return Invalid(
        "tls-files",
        Text("De bestanden voor TLS deugen niet.", "The files for TLS are not right."),
        which,
        Text("Controleer paden, rechten en inhoud (PEM).", "Check paths, permissions and content (PEM)."),
    )

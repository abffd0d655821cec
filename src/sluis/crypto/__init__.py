"""Canonical JSON, JOSE, certificates, pseudonyms, sealing; keys behind one interface."""

from sluis.crypto.certificates import (
    Authority,
    Identity,
    Peer,
    is_test,
    load_authority,
    make_authority,
    peer_of,
    read_certificates,
    thumbprint,
    time_left,
    verify_chain,
)
from sluis.crypto.tls import client_context, server_context

__all__ = [
    "Authority",
    "Identity",
    "Peer",
    "client_context",
    "is_test",
    "load_authority",
    "make_authority",
    "peer_of",
    "read_certificates",
    "server_context",
    "thumbprint",
    "time_left",
    "verify_chain",
]

"""Canonical JSON, certificates, pseudonyms, sealing; keys behind one interface. No cryptography of our own."""

from sluis.crypto.canonical import canonical, canonical_struct
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
from sluis.crypto.keys import FileKeyStore, KeyStore
from sluis.crypto.pseudonyms import Pseudonymiser, Rereading
from sluis.crypto.tls import client_context, server_context

__all__ = [
    "Authority",
    "FileKeyStore",
    "Identity",
    "KeyStore",
    "Peer",
    "Pseudonymiser",
    "Rereading",
    "canonical",
    "canonical_struct",
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

"""Canonical JSON, JOSE, certificates, pseudonyms, sealing; keys behind one interface."""

from sluis.crypto.canonical import canonical, canonical_structs
from sluis.crypto.certificates import (
    Authority,
    Identity,
    Peer,
    is_test,
    make_authority,
    peer_of,
    read_certificates,
    time_left,
    verify_chain,
)
from sluis.crypto.keys import FileKeyStore, KeyStore
from sluis.crypto.pseudonyms import Pseudonymiser, Rereading
from sluis.crypto.revocation import Revocations
from sluis.crypto.sealing import (
    Grant,
    Scope,
    Tokens,
    draw_key,
    key_digest,
    open_grant,
    open_key,
    refused_token,
    seal_key,
    sign_grant,
)
from sluis.crypto.tls import CURVE, SUITES_1_2, client_context, server_context

__all__ = [
    "CURVE",
    "SUITES_1_2",
    "Authority",
    "FileKeyStore",
    "Grant",
    "Identity",
    "KeyStore",
    "Peer",
    "Pseudonymiser",
    "Rereading",
    "Revocations",
    "Scope",
    "Tokens",
    "canonical",
    "canonical_structs",
    "client_context",
    "draw_key",
    "is_test",
    "key_digest",
    "make_authority",
    "open_grant",
    "open_key",
    "peer_of",
    "read_certificates",
    "refused_token",
    "seal_key",
    "server_context",
    "sign_grant",
    "time_left",
    "verify_chain",
]

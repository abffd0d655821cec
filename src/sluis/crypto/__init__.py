"""Canonical JSON, keys behind one interface, and pseudonyms. Certificates and sealing join here."""

from sluis.crypto.canonical import canonical, canonical_struct
from sluis.crypto.keys import FileKeyStore, KeyStore
from sluis.crypto.pseudonyms import Pseudonymiser, Rereading

__all__ = [
    "FileKeyStore",
    "KeyStore",
    "Pseudonymiser",
    "Rereading",
    "canonical",
    "canonical_struct",
]

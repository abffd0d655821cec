"""The connections of this node to inways, Managers and services: HTTP/1.1 (RFC 9112), kept open."""

from sluis.gateway.streams.exchange import Exchange
from sluis.gateway.streams.failures import (
    BECAUSE,
    FAILURES,
    Broken,
    RevokedPeer,
    Unreachable,
    Why,
    WrongPeer,
    why,
)
from sluis.gateway.streams.kept import Streams, speaks_for
from sluis.gateway.streams.stream import Stream

__all__ = [
    "BECAUSE",
    "FAILURES",
    "Broken",
    "Exchange",
    "RevokedPeer",
    "Stream",
    "Streams",
    "Unreachable",
    "Why",
    "WrongPeer",
    "speaks_for",
    "why",
]

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
    because,
    why,
)
from sluis.gateway.streams.kept import Streams, speaks_for
from sluis.gateway.streams.stream import Stream, head_of

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
    "because",
    "head_of",
    "speaks_for",
    "why",
]

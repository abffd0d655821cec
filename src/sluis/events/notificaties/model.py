"""What the ZGW Notificaties API 1.0.1 speaks of, in its own words; and the applications that speak it.

Applications are systems of this organisation itself, each with what it may do and where it may be called back. Other
organisations hear of events by notices and contracts, never here.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

CONSUMING: Final = "notificaties.consumeren"
PUBLISHING: Final = "notificaties.publiceren"
ScopeName = Literal["notificaties.consumeren", "notificaties.publiceren"]

API_VERSION: Final = "1.0.1"
BASE: Final = "/notificaties/api/v1"
"""Below which this API answers."""

HIDDEN: Final = "***"
"""What is shown for `auth`, which nobody gets to read; sent back, it means that it stays as it is."""

MOST_CHANNELS: Final = 200
MOST_EACH: Final = 100
"""Abonnementen of one application."""
MOST_GROUPS: Final = 100
MOST_FEATURES: Final = 50
"""Kenmerken of one channel, filter or message."""
LONGEST_URL: Final = 2_000
SHORTEST_SECRET: Final = 32
"""Bytes of the secret of an application (RFC 7518, 3.2)."""


class Application(msgspec.Struct, frozen=True):
    """A program that uses this API.

    Args:
        id: its `client_id`.
        secret: with which it signs its tokens; at least `SHORTEST_SECRET` bytes.
        scopes: what it may do.
        callbacks: addresses below which it may be called back; each ends with `/`.
    """

    id: str
    secret: bytes
    scopes: frozenset[ScopeName]
    callbacks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Application({self.id!r})"


class Kanaal(msgspec.Struct, frozen=True):
    """A channel: what messages there are about, and by which kenmerken they can be chosen."""

    id: str
    naam: str
    documentatieLink: str = ""
    filters: tuple[str, ...] = ()


class FilterGroup(msgspec.Struct, frozen=True):
    """A channel of an abonnement, with the values that kenmerken must have there; `*` is any value."""

    naam: str
    filters: Mapping[str, str] = {}


class Abonnement(msgspec.Struct, frozen=True):
    """Where an application wants which messages.

    Args:
        id: UUID.
        application: whose it is.
        callback: address of the application.
        auth: the header `Authorization` of each message. Kept sealed, never shown.
        kanalen: what it wants.
        created: milliseconds since the epoch.
        suspended: whether the address said that it wants nothing more (410), until it is changed.
    """

    id: str
    application: str
    callback: str
    auth: str
    kanalen: tuple[FilterGroup, ...]
    created: int
    suspended: bool = False

    def __repr__(self) -> str:
        return f"Abonnement({self.id!r})"


class Notificatie(msgspec.Struct, frozen=True):
    """A message, which goes to everyone as it came."""

    kanaal: str
    hoofdObject: str
    resource: str
    resourceUrl: str
    actie: str
    aanmaakdatum: str
    kenmerken: Mapping[str, str] = {}

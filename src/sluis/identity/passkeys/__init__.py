"""Passkeys: how staff sign in with a device of their own (WebAuthn)."""

from sluis.identity.passkeys.desk import desk_routes
from sluis.identity.passkeys.http import NAVIGATION, routes, way
from sluis.identity.passkeys.model import Passkey, Settings, settings_of
from sluis.identity.passkeys.service import Passkeys, open_passkeys

__all__ = [
    "NAVIGATION",
    "Passkey",
    "Passkeys",
    "Settings",
    "desk_routes",
    "open_passkeys",
    "routes",
    "settings_of",
    "way",
]

"""Passkeys: how staff sign in with a device of their own (WebAuthn)."""

from sluis.identity.passkeys.model import Passkey, Settings
from sluis.identity.passkeys.service import Passkeys, open_passkeys

__all__ = ["Passkey", "Passkeys", "Settings", "open_passkeys"]

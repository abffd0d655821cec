"""The sign-in provider: OpenID Connect and OAuth 2.0 for portals and programs that trust this node."""

from sluis.identity.provider.http import certificate_of, routes
from sluis.identity.provider.model import ACTS, DECISIONS, EVENTS, MESSAGES, OWN_LOG, READ_EVENTS
from sluis.identity.provider.service import Provider, open_provider
from sluis.identity.provider.telling import tell_of_sign_outs

__all__ = [
    "ACTS",
    "DECISIONS",
    "EVENTS",
    "MESSAGES",
    "OWN_LOG",
    "READ_EVENTS",
    "Provider",
    "certificate_of",
    "open_provider",
    "routes",
    "tell_of_sign_outs",
]

"""The sign-in provider: OpenID Connect and OAuth 2.0 for portals and programs that trust this node."""

from sluis.identity.provider.http import Portal, certificate_of, routes
from sluis.identity.provider.service import Present, Provider, open_provider

__all__ = ["Portal", "Present", "Provider", "certificate_of", "open_provider", "routes"]

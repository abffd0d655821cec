"""Signing in at OpenID providers of others: brokers for DigiD, eHerkenning and eIDAS, and directories of staff."""

from sluis.identity.upstream.http import routes
from sluis.identity.upstream.model import Begun, Completed, Fact, Method, Officials
from sluis.identity.upstream.remote import OwnKeys
from sluis.identity.upstream.service import Upstreams, open_upstreams

__all__ = [
    "Begun",
    "Completed",
    "Fact",
    "Method",
    "Officials",
    "OwnKeys",
    "Upstreams",
    "open_upstreams",
    "routes",
]

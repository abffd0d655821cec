"""How every API and page of a node behaves: who calls, what an answer looks like, and what goes wrong."""

from sluis.web.access import Access, Person, identified
from sluis.web.app import Api, make_api
from sluis.web.openapi import About
from sluis.web.refusals import Refusals
from sluis.web.server import LocalListener, LoopbackListener, PeerListener, Server
from sluis.web.short import SHORT
from sluis.web.stream import streamed

__all__ = [
    "SHORT",
    "About",
    "Access",
    "Api",
    "LocalListener",
    "LoopbackListener",
    "PeerListener",
    "Person",
    "Refusals",
    "Server",
    "identified",
    "make_api",
    "streamed",
]

"""How every API and page of a node behaves: who calls, what an answer looks like, and what goes wrong."""

from sluis.web.access import Access, OnRefusal, Person, identified
from sluis.web.app import MAX_BODY, Api, make_api
from sluis.web.openapi import API_VERSION, About
from sluis.web.refusals import Refusals
from sluis.web.server import LocalListener, PeerListener, Server
from sluis.web.stream import streamed

__all__ = [
    "API_VERSION",
    "MAX_BODY",
    "About",
    "Access",
    "Api",
    "LocalListener",
    "OnRefusal",
    "PeerListener",
    "Person",
    "Refusals",
    "Server",
    "identified",
    "make_api",
    "streamed",
]

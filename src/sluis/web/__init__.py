"""How every API and page of a node behaves: who calls, what an answer looks like, and what goes wrong."""

from sluis.web.access import CROSSED, LINE, Access, Crossed, Person, crossed, identified, write_line
from sluis.web.app import Api, make_api
from sluis.web.gate import Gate, subject_of
from sluis.web.openapi import About
from sluis.web.refusals import Refusals
from sluis.web.server import FROM_ONE, LocalListener, LoopbackListener, PeerListener, Server, place_of
from sluis.web.short import SHORT, header
from sluis.web.stream import streamed
from sluis.web.visitors import Audience, SignedIn, Visitors

__all__ = [
    "CROSSED",
    "FROM_ONE",
    "LINE",
    "SHORT",
    "About",
    "Access",
    "Api",
    "Audience",
    "Crossed",
    "Gate",
    "LocalListener",
    "LoopbackListener",
    "PeerListener",
    "Person",
    "Refusals",
    "Server",
    "SignedIn",
    "Visitors",
    "crossed",
    "header",
    "identified",
    "make_api",
    "place_of",
    "streamed",
    "subject_of",
    "write_line",
]

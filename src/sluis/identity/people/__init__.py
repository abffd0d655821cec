"""People and organisations, who may act for whom, and on what that rests: the register, mandates, guardians."""

from sluis.identity.people.catalogue import Service
from sluis.identity.people.desk import desk_routes
from sluis.identity.people.http import Caller, act_routes, routes
from sluis.identity.people.model import OWN_DATA, Act, Choice, Denied, Vouched
from sluis.identity.people.pages import NAVIGATION, page_routes
from sluis.identity.people.saying import refused
from sluis.identity.people.service import People, open_people
from sluis.identity.people.signing import PLACE as SIGNING
from sluis.identity.people.signing import signing_routes

__all__ = [
    "NAVIGATION",
    "OWN_DATA",
    "SIGNING",
    "Act",
    "Caller",
    "Choice",
    "Denied",
    "People",
    "Service",
    "Vouched",
    "act_routes",
    "desk_routes",
    "open_people",
    "page_routes",
    "refused",
    "routes",
    "signing_routes",
]

"""People and organisations, who may act for whom, and on what that rests: the trade register, mandates, guardians."""

from sluis.identity.people.catalogue import Service
from sluis.identity.people.company import RegisteredName, person_urn, urn_of
from sluis.identity.people.desk import desk_routes
from sluis.identity.people.http import Caller, act_routes, routes
from sluis.identity.people.model import Act, Choice, Denied, Vouched
from sluis.identity.people.online import Online
from sluis.identity.people.pages import NAVIGATION, page_routes
from sluis.identity.people.register import Folder, Register
from sluis.identity.people.saying import refused
from sluis.identity.people.service import People, open_people
from sluis.identity.people.signing import PLACE as SIGNING
from sluis.identity.people.signing import signing_routes

__all__ = [
    "NAVIGATION",
    "SIGNING",
    "Act",
    "Caller",
    "Choice",
    "Denied",
    "Folder",
    "Online",
    "People",
    "Register",
    "RegisteredName",
    "Service",
    "Vouched",
    "act_routes",
    "desk_routes",
    "open_people",
    "page_routes",
    "person_urn",
    "refused",
    "routes",
    "signing_routes",
    "urn_of",
]

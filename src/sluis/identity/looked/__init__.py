"""Who looked at a person's data, here and at other organisations: for the person themselves, by their own assertion."""

from sluis.identity.looked.http import routes
from sluis.identity.looked.model import Bounds, Look, Looked, Organisation, Silent, Trust
from sluis.identity.looked.pages import NAVIGATION, page_routes
from sluis.identity.looked.service import Asserting, Elsewhere, WhoLooked
from sluis.identity.looked.trusted import ASSERTED, Trusted

__all__ = [
    "ASSERTED",
    "NAVIGATION",
    "Asserting",
    "Bounds",
    "Elsewhere",
    "Look",
    "Looked",
    "Organisation",
    "Silent",
    "Trust",
    "Trusted",
    "WhoLooked",
    "page_routes",
    "routes",
]

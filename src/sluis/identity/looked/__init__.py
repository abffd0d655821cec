"""Who looked at a person's data, here and at other organisations: for the person themselves, by their own assertion."""

from sluis.identity.looked.http import routes
from sluis.identity.looked.model import Believed, Bounds, Look, Looked, Organisation, Silent, Trust
from sluis.identity.looked.pages import NAVIGATION, page_routes
from sluis.identity.looked.service import Asserting, Elsewhere, WhoLooked
from sluis.identity.looked.trusted import ASSERTED, Trusted, audience_of

__all__ = [
    "ASSERTED",
    "NAVIGATION",
    "Asserting",
    "Believed",
    "Bounds",
    "Elsewhere",
    "Look",
    "Looked",
    "Organisation",
    "Silent",
    "Trust",
    "Trusted",
    "WhoLooked",
    "audience_of",
    "page_routes",
    "routes",
]

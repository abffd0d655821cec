"""Interests: recipients say whom they must hear about, and the source keeps that as sealed pseudonyms."""

from sluis.events.interests.elsewhere import Registrar, Taken, WishedInterests
from sluis.events.interests.http import not_yours, official_routes, officials, routes
from sluis.events.interests.model import (
    MOST,
    Bounds,
    Ended,
    Ending,
    InterestsView,
    NewInterest,
    Reference,
    Registered,
    Registration,
    Whom,
)
from sluis.events.interests.references import Known, Meant, References, Referred, open_references
from sluis.events.interests.registered import RegisteredThere, open_registered
from sluis.events.interests.rules import is_key
from sluis.events.interests.service import Interests, open_interests

__all__ = [
    "MOST",
    "Bounds",
    "Ended",
    "Ending",
    "Interests",
    "InterestsView",
    "Known",
    "Meant",
    "NewInterest",
    "Reference",
    "References",
    "Referred",
    "Registered",
    "RegisteredThere",
    "Registrar",
    "Registration",
    "Taken",
    "Whom",
    "WishedInterests",
    "is_key",
    "not_yours",
    "official_routes",
    "officials",
    "open_interests",
    "open_references",
    "open_registered",
    "routes",
]

"""Interests: recipients say whom they must hear about, and the source keeps that as sealed pseudonyms."""

from sluis.events.interests.elsewhere import Registrar, WishedInterests
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
from sluis.events.interests.references import Known, References, Referred, open_references
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
    "NewInterest",
    "Reference",
    "References",
    "Referred",
    "Registered",
    "Registrar",
    "Registration",
    "Whom",
    "WishedInterests",
    "is_key",
    "not_yours",
    "official_routes",
    "officials",
    "open_interests",
    "open_references",
    "routes",
]

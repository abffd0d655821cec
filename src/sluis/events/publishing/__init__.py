"""Publishing: what happened here becomes news for who needs to know, in the commit of the fact."""

from sluis.events.publishing.http import official_routes, routes
from sluis.events.publishing.model import MOST, TOLD, Counted, Hearer, Occurrence, Published
from sluis.events.publishing.service import Publisher, Settings, open_publisher

__all__ = [
    "MOST",
    "TOLD",
    "Counted",
    "Hearer",
    "Occurrence",
    "Published",
    "Publisher",
    "Settings",
    "official_routes",
    "open_publisher",
    "routes",
]

"""The ZGW Notificaties API 1.0.1 as a face on the events of this node, for the organisation's own applications."""

from sluis.events.notificaties.http import make_app
from sluis.events.notificaties.model import BASE, SHORTEST_SECRET, Application, ScopeName
from sluis.events.notificaties.service import Deliveries, Notificaties, Settings, open_notificaties

__all__ = [
    "BASE",
    "SHORTEST_SECRET",
    "Application",
    "Deliveries",
    "Notificaties",
    "ScopeName",
    "Settings",
    "make_app",
    "open_notificaties",
]

"""The ZGW Notificaties API 1.0.1 as a face on the events of this node, for the organisation's own applications."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.events.notificaties.http import make_app
    from sluis.events.notificaties.model import BASE, SHORTEST_SECRET, Application, ScopeName
    from sluis.events.notificaties.service import (
        VAULT,
        Deliveries,
        Notificaties,
        Settings,
        open_notificaties,
        read_subscriptions,
    )
    from sluis.events.notificaties.sql import MIGRATIONS
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "BASE",
    "MIGRATIONS",
    "SHORTEST_SECRET",
    "VAULT",
    "Application",
    "Deliveries",
    "Notificaties",
    "ScopeName",
    "Settings",
    "make_app",
    "open_notificaties",
    "read_subscriptions",
]

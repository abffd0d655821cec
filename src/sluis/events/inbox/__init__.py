"""What other organisations tell this one: taken in once, in order, and handed to its own systems."""

from sluis.events.inbox.catching import Catching
from sluis.events.inbox.http import official_routes, routes
from sluis.events.inbox.model import Followed
from sluis.events.inbox.service import Inbox, Origin, open_inbox

__all__ = ["Catching", "Followed", "Inbox", "Origin", "official_routes", "open_inbox", "routes"]

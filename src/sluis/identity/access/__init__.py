"""Who has access to what: one list over disclosures, contracts and consents; and the consents, given and taken."""

from sluis.identity.access.http import routes
from sluis.identity.access.model import Agreed
from sluis.identity.access.pages import NAVIGATION, page_routes
from sluis.identity.access.service import Accesses

__all__ = ["NAVIGATION", "Accesses", "Agreed", "page_routes", "routes"]

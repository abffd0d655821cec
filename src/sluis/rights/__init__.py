"""What people ask about their own data: what is known of them and where, mistakes reported to the source, and their rights."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.rights.desk import NAVIGATION as DESK
    from sluis.rights.desk import desk_routes
    from sluis.rights.export import Part
    from sluis.rights.http import routes
    from sluis.rights.mine import Inspection
    from sluis.rights.model import Confirmed, DataSubject, Placed, Request, data_subject, request_urn
    from sluis.rights.pages import NAVIGATION, Traced, page_routes
    from sluis.rights.saying import KIND_NAMES, of_another, state_name
    from sluis.rights.sending import Sending
    from sluis.rights.service import Confirming, Rights, open_rights
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "DESK",
    "KIND_NAMES",
    "NAVIGATION",
    "Confirmed",
    "Confirming",
    "DataSubject",
    "Inspection",
    "Part",
    "Placed",
    "Request",
    "Rights",
    "Sending",
    "Traced",
    "data_subject",
    "desk_routes",
    "of_another",
    "open_rights",
    "page_routes",
    "request_urn",
    "routes",
    "state_name",
]

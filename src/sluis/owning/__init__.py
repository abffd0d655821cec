"""What the owner of data sees of it: what there is, who may see what, in words; who used it; how its sources are."""

from sluis.owning.health import Sources
from sluis.owning.history import open_history
from sluis.owning.model import Contracts, Covered, Holding, SourceSettings
from sluis.owning.pages import NAVIGATION, page_routes
from sluis.owning.service import Holdings

__all__ = [
    "NAVIGATION",
    "Contracts",
    "Covered",
    "Holding",
    "Holdings",
    "SourceSettings",
    "Sources",
    "open_history",
    "page_routes",
]

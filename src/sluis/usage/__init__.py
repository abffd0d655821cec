"""What was used of others and by others, per agreement and month, and statements of what it costs."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.usage.http import usage_routes
    from sluis.usage.model import Agreed, Compared, Line, Side, Statement, Tally, Tariff, Term, Unit
    from sluis.usage.pages import USAGE_NAVIGATION, usage_page_routes
    from sluis.usage.service import Prices, Usage, open_usage
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "USAGE_NAVIGATION",
    "Agreed",
    "Compared",
    "Line",
    "Prices",
    "Side",
    "Statement",
    "Tally",
    "Tariff",
    "Term",
    "Unit",
    "Usage",
    "open_usage",
    "usage_page_routes",
    "usage_routes",
]

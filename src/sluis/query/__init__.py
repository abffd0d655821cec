"""The asker's side: one question over many owners, asked lawfully, answered with where everything came from."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.query.desk import Desk
    from sluis.query.http import routes
    from sluis.query.model import Answer, Explanation, Question, Who
    from sluis.query.owners import Owner, Owners
    from sluis.query.pages import NAVIGATION, page_routes
    from sluis.query.saved import Content, Shelf, open_shelf
    from sluis.query.service import Asker
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "NAVIGATION",
    "Answer",
    "Asker",
    "Content",
    "Desk",
    "Explanation",
    "Owner",
    "Owners",
    "Question",
    "Shelf",
    "Who",
    "open_shelf",
    "page_routes",
    "routes",
]

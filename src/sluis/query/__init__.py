"""The asker's side: one question over many owners, asked lawfully, answered with where everything came from."""

from sluis.query.http import routes
from sluis.query.model import Answer, Explanation, Question, Who
from sluis.query.owners import Owner, Owners
from sluis.query.service import Asker

__all__ = [
    "Answer",
    "Asker",
    "Explanation",
    "Owner",
    "Owners",
    "Question",
    "Who",
    "routes",
]

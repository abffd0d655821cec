"""The asker's side: one question over many owners, asked lawfully, answered with where everything came from."""

from sluis.query.http import routes
from sluis.query.model import (
    Answer,
    Consulted,
    ExplainedPart,
    Explanation,
    Missing,
    Origin,
    Provenance,
    Question,
    StaysClosed,
    Who,
)
from sluis.query.owners import Owner, Owners
from sluis.query.service import Asker

__all__ = [
    "Answer",
    "Asker",
    "Consulted",
    "ExplainedPart",
    "Explanation",
    "Missing",
    "Origin",
    "Owner",
    "Owners",
    "Provenance",
    "Question",
    "StaysClosed",
    "Who",
    "routes",
]

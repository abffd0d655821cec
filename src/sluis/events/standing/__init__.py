"""Standing questions: a recipient hears that the answer to its question changed, and then asks."""

from sluis.events.standing.http import official_routes, routes
from sluis.events.standing.model import Checked, NewQuestion, Reader, StandingQuestion, StandingView
from sluis.events.standing.placing import Placer, Placing
from sluis.events.standing.service import StandingQuestions, open_standing

__all__ = [
    "Checked",
    "NewQuestion",
    "Placer",
    "Placing",
    "Reader",
    "StandingQuestion",
    "StandingQuestions",
    "StandingView",
    "official_routes",
    "open_standing",
    "routes",
]

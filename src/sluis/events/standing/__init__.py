"""Standing questions: a recipient hears that the answer to its question changed, and then asks."""

from sluis.events.standing.http import routes
from sluis.events.standing.model import TYPE, Checked, NewQuestion, Question, Reader, StandingView
from sluis.events.standing.service import StandingQuestions, open_standing

__all__ = [
    "TYPE",
    "Checked",
    "NewQuestion",
    "Question",
    "Reader",
    "StandingQuestions",
    "StandingView",
    "open_standing",
    "routes",
]

"""CESQL 1.0.0, the expression language of CloudEvents: read once, evaluated for every event."""

from sluis.events.cesql.casting import to_text
from sluis.events.cesql.expression import Expression, compile_expression
from sluis.events.cesql.model import MAX_DEPTH, MAX_TEXT, Fault, Outcome

__all__ = ["MAX_DEPTH", "MAX_TEXT", "Expression", "Fault", "Outcome", "compile_expression", "to_text"]

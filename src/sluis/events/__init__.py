"""Events for organisations: what happened here is told to who must know, and to nobody else.

The room has rooms of its own, in one order; this face shows what other rooms use of them.
"""

from sluis.events.cesql import Expression, compile_expression
from sluis.events.cloudevent import CloudEvent, Value, attributes
from sluis.events.filters import Predicate, compile_filters

__all__ = [
    "CloudEvent",
    "Expression",
    "Predicate",
    "Value",
    "attributes",
    "compile_expression",
    "compile_filters",
]

"""An expression that was compiled once and is evaluated for every event."""

from collections.abc import Iterator, Mapping
from typing import Any

from sluis.events.cesql.casting import ZERO, to_text
from sluis.events.cesql.compiling import compiled
from sluis.events.cesql.functions import function_of
from sluis.events.cesql.model import Fault, Outcome, Stop
from sluis.events.cesql.parse import parse
from sluis.events.cesql.tree import Attribute, Binary, Call, Exists, In, Like, Literal, Node, Unary


class Expression:
    """One expression. It keeps nothing of an event and changes nothing in one, so any number of threads may share it.

    Attributes:
        text: as it was written.
        names: the attributes that it looks at.
        doubts: errors that every event would meet where it comes to them: functions that do not exist.
    """

    __slots__ = ("_at", "_run", "_zero", "doubts", "names", "text")

    def __init__(self, text: str, tree: Node) -> None:
        part = compiled(tree)
        self.text = text
        self._run, self._at = part.run, tree.at
        self._zero = ZERO[part.kind or bool]
        self.names = frozenset(node.name for node in _within(tree) if isinstance(node, Attribute | Exists))
        self.doubts = tuple(
            Fault("missing-function", node.at, node.name)
            for node in _within(tree)
            if isinstance(node, Call) and function_of(node.name, len(node.arguments)) is None
        )

    def evaluate(self, attributes: Mapping[str, Any]) -> Outcome:
        """The value for an event with these attributes, and the first error that there was. Never raises.

        Args:
            attributes: by name; None, like absence, is no attribute, and bytes are read as base64 text.
        """
        try:
            value = self._run(attributes)
        except Stop as stop:
            fault = stop.fault
            own = stop.value if fault.at == self._at else None
            return Outcome(self._zero if own is None else own, fault)
        return Outcome(value if isinstance(value, str | int) else to_text(value))

    def holds(self, attributes: Mapping[str, Any]) -> bool:
        """Whether an event passes: the value is the Boolean true, and there was no error (section 1.2). Never raises."""
        try:
            return self._run(attributes) is True
        except Stop:
            return False


def compile_expression(text: str) -> Expression:
    """An expression of CESQL 1.0.0, ready to be evaluated.

    Args:
        text: at most `MAX_TEXT` characters, `MAX_DEPTH` deep.

    Raises:
        Invalid: a ParseError, with its place.
    """
    return Expression(text, parse(text))


def _within(node: Node) -> Iterator[Node]:
    """Every part of a tree, the whole first."""
    yield node
    match node:
        case Literal() | Attribute() | Exists():
            parts: tuple[Node, ...] = ()
        case Unary() | Like():
            parts = (node.operand,)
        case Binary():
            parts = (node.left, node.right)
        case In():
            parts = (node.operand, *node.elements)
        case Call():
            parts = node.arguments
    for part in parts:
        yield from _within(part)

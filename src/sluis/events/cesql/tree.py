"""The parts of an expression, as parsed. `at` is where in the text, in characters from 1."""

from typing import Literal as OneOf

import msgspec

from sluis.events.cesql.model import Result, unreadable
from sluis.kernel import Invalid, Text

Operator = OneOf["=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "AND", "OR", "XOR"]


class Literal(msgspec.Struct, frozen=True):
    """A text, a whole number or a truth value. `bare` is a number as digits without a sign."""

    at: int
    value: Result
    bare: bool = False


class Attribute(msgspec.Struct, frozen=True):
    """The value of an attribute of the event."""

    at: int
    name: str


class Unary(msgspec.Struct, frozen=True):
    """NOT or minus."""

    at: int
    operator: OneOf["NOT", "-"]
    operand: "Node"
    depth: int


class Binary(msgspec.Struct, frozen=True):
    """Two operands; `<>` is written as `!=`."""

    at: int
    operator: Operator
    left: "Node"
    right: "Node"
    depth: int


class Like(msgspec.Struct, frozen=True):
    """Whether a text fits a pattern."""

    at: int
    operand: "Node"
    pattern: str
    negated: bool
    depth: int


class Exists(msgspec.Struct, frozen=True):
    """Whether the event has an attribute."""

    at: int
    name: str


class In(msgspec.Struct, frozen=True):
    """Whether a value is one of several."""

    at: int
    operand: "Node"
    elements: tuple["Node", ...]
    negated: bool
    depth: int


class Call(msgspec.Struct, frozen=True):
    """A function with its arguments; the name is in upper case."""

    at: int
    name: str
    arguments: tuple["Node", ...]
    depth: int


Node = Literal | Attribute | Unary | Binary | Like | Exists | In | Call


def depth(node: Node) -> int:
    """How many operators and functions are inside each other here."""
    return 1 if isinstance(node, Literal | Attribute | Exists) else node.depth


def too_large(at: int) -> Invalid:
    """The ParseError of a number that is none of 32 bits."""
    return unreadable(Text("Het getal past niet in 32 bits.", "The number does not fit in 32 bits."), at)

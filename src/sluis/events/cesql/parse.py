"""From text to a tree, within bounds, and with the place where it cannot be read."""

from functools import cache
from typing import TYPE_CHECKING, Any

from sluis.events.cesql.model import MAX_TEXT, unreadable
from sluis.events.cesql.tree import Binary, Call, In, Like, Literal, Node, Unary, too_large
from sluis.kernel import Invalid, Text

if TYPE_CHECKING:
    from lark import Lark, UnexpectedInput


def parse(text: str) -> Node:
    """The tree of an expression.

    Args:
        text: the expression, at most `MAX_TEXT` characters and `MAX_DEPTH` deep.

    Raises:
        Invalid: it is no CESQL, or beyond those bounds; with the place where reading ended.
    """
    if len(text) > MAX_TEXT:
        raise unreadable(
            Text(f"Zij is langer dan {MAX_TEXT} tekens.", f"It is longer than {MAX_TEXT} characters."),
            MAX_TEXT + 1,
        )
    from lark import UnexpectedInput

    try:
        node: Any = _parser().parse(text)
    except UnexpectedInput as error:
        raise _unexpected(error, text) from None
    return _within(node)


@cache
def _parser() -> "Lark":
    """Made at the first expression: a node without events, and every command, does without."""
    from sluis.events.cesql.grammar import make_parser

    return make_parser()


def _unexpected(error: "UnexpectedInput", text: str) -> Invalid:
    from lark.exceptions import UnexpectedCharacters, UnexpectedEOF

    token = getattr(error, "token", None)
    if isinstance(error, UnexpectedEOF) or (token is not None and token.type == "$END"):
        return unreadable(Text("Zij houdt te vroeg op.", "It ends too soon."), len(text) + 1)
    at = (error.pos_in_stream or 0) + 1
    if isinstance(error, UnexpectedCharacters):
        return unreadable(
            Text(
                "Hier kan geen deel van een expressie beginnen.", "No part of an expression can begin here."
            ),
            at,
        )
    return unreadable(Text("Dit deel hoort hier niet.", "This part does not belong here."), at)


def _within(node: Node) -> Node:
    """Sees that a number is one of 32 bits; whether it has a sign is known when what stands around it was read."""
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Literal):
            if one.bare and one.value == 2**31:
                raise too_large(one.at)
        elif isinstance(one, Binary):
            waiting += (one.left, one.right)
        elif isinstance(one, Unary | Like):
            waiting.append(one.operand)
        elif isinstance(one, In):
            waiting += (one.operand, *one.elements)
        elif isinstance(one, Call):
            waiting += one.arguments
    return node

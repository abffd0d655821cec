"""From a tree to functions: every part becomes one closure over its operands, with the casts between them chosen once.

No text is executed. What is not known before there is an event is the type of an attribute; everything else has its type,
so a cast stands only where one can be needed (section 3.7 of CESQL 1.0.0). An error raises `Stop`.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sluis.events.cesql.casting import CASTS, Cast, in_32_bits, to_text, type_of
from sluis.events.cesql.functions import Unfit, function_of
from sluis.events.cesql.like import matcher
from sluis.events.cesql.model import Stop
from sluis.events.cesql.tree import Attribute, Binary, Call, Exists, In, Like, Literal, Node, Unary

Attributes = Mapping[str, Any]
Run = Callable[[Attributes], Any]


class Part(NamedTuple):
    """A compiled part: how it runs, and the type of its value; None when only the event knows."""

    run: Run
    kind: type | None


def compiled(node: Node) -> Part:
    """The functions of a tree. Its depth is bounded where it was parsed, so this may call itself."""
    match node:
        case Literal():
            return Part(_constant(node.value), type(node.value))
        case Attribute():
            return Part(_attribute(node.name, node.at), None)
        case Exists():
            return Part(_exists(node.name), bool)
        case Unary():
            return _unary(node)
        case Like():
            return Part(_like(node), bool)
        case In():
            return Part(_among(node), bool)
        case Call():
            return _call(node)
        case Binary():
            return _binary(node)


def _as(node: Node, kind: type, at: int, name: str) -> Run:
    """A part with its value cast to `kind`; a cast that fails is an error of `name`, at `at`."""
    cast = CASTS.get(kind)
    if isinstance(node, Attribute) and cast is not None:
        return _attribute_as(node, kind, cast, at, name)
    part = compiled(node)
    if part.kind is kind or cast is None:
        return part.run
    run = part.run

    def casting(attributes: Attributes) -> Any:
        value = run(attributes)
        return value if type(value) is kind else cast(value, at, name)

    return casting


def _attribute_as(node: Attribute, kind: type, cast: Cast, at: int, name: str) -> Run:
    """Reading and casting in one step: what most operands are."""
    attribute, place = node.name, node.at

    def read(attributes: Attributes) -> Any:
        value = attributes.get(attribute)
        if type(value) is kind:
            return value
        if value is None:
            raise Stop("missing-attribute", place, attribute)
        return cast(value, at, name)

    return read


def _constant(value: Any) -> Run:
    return lambda attributes: value


def _attribute(name: str, at: int) -> Run:
    def read(attributes: Attributes) -> Any:
        value = attributes.get(name)
        if value is None:
            raise Stop("missing-attribute", at, name)
        return value

    return read


def _exists(name: str) -> Run:
    return lambda attributes: attributes.get(name) is not None


def _unary(node: Unary) -> Part:
    at = node.at
    if node.operator == "NOT":
        truth = _as(node.operand, bool, at, "NOT")
        return Part(lambda attributes: not truth(attributes), bool)
    number = _as(node.operand, int, at, "-")

    def minus(attributes: Attributes) -> int:
        return _bounded(-number(attributes), at, "-")

    return Part(minus, int)


def _like(node: Like) -> Run:
    fits, negated = matcher(node.pattern), node.negated
    operand = _as(node.operand, str, node.at, "LIKE")
    if negated:
        return lambda attributes: not fits(operand(attributes))
    return lambda attributes: True if fits(operand(attributes)) else False  # noqa: SIM210 - half of bool()


def _among(node: In) -> Run:
    """The left operand gives the type; elements are cast to it one by one, until one is equal."""
    at, negated = node.at, node.negated
    operand = compiled(node.operand).run
    elements = tuple(compiled(element).run for element in node.elements)

    def among(attributes: Attributes) -> bool:
        value = operand(attributes)
        kind = type_of(value)
        cast, wanted = CASTS[kind], value if type(value) is kind else to_text(value)
        for element in elements:
            if cast(element(attributes), at, "IN") == wanted:
                return not negated
        return negated

    return among


def _call(node: Call) -> Part:
    at, name = node.at, node.name
    function = function_of(name, len(node.arguments))
    if function is None:
        return Part(_raising("missing-function", at, name), bool)
    run, more = function.run, len(node.arguments) - len(function.takes)
    kinds = (*function.takes, *((function.rest,) * more if function.rest else ()))
    arguments = [_as(one, kind, at, name) for one, kind in zip(node.arguments, kinds, strict=True)]
    if len(arguments) == 1 and name in ("INT", "BOOL", "STRING"):
        return Part(arguments[0], function.gives)

    def call(attributes: Attributes) -> Any:
        values = [argument(attributes) for argument in arguments]
        try:
            return run(*values)
        except Unfit as unfit:
            raise Stop(unfit.kind, at, name, unfit.value) from None

    return Part(call, function.gives)


def _raising(kind: Any, at: int, name: str) -> Run:
    def fail(attributes: Attributes) -> Any:
        raise Stop(kind, at, name)

    return fail


def _binary(node: Binary) -> Part:
    sign = node.operator
    if sign in ("AND", "OR", "XOR"):
        return Part(_logic(node), bool)
    if sign in ("=", "!="):
        return Part(_equality(node), bool)
    left = _as(node.left, int, node.at, sign)
    right = _as(node.right, int, node.at, sign)
    if sign in _ORDERS:
        if isinstance(node.right, Literal) and type(node.right.value) is int:
            return Part(_AGAINST[sign](left, node.right.value), bool)
        return Part(_ordered(_ORDERS[sign], left, right), bool)
    return Part(_arithmetic(sign, node.at, left, right), int)


def _logic(node: Binary) -> Run:
    if node.operator == "XOR":
        left, right = (_as(one, bool, node.at, "XOR") for one in (node.left, node.right))
        return lambda attributes: left(attributes) is not right(attributes)
    return _every(_chain(node)) if node.operator == "AND" else _some(_chain(node))


def _chain(node: Binary) -> list[Run]:
    """The operands of one AND or OR after another, from left to right: one step each, however many there are."""
    operands = [_as(node.right, bool, node.at, node.operator)]
    left = node.left
    while isinstance(left, Binary) and left.operator == node.operator:
        operands.append(_as(left.right, bool, left.at, node.operator))
        node, left = left, left.left
    operands.append(_as(left, bool, node.at, node.operator))
    return operands[::-1]


def _every(operands: list[Run]) -> Run:
    first, second, *more = operands
    if not more:
        return lambda attributes: first(attributes) and second(attributes)
    if len(more) == 1:
        third = more[0]
        return lambda attributes: first(attributes) and second(attributes) and third(attributes)

    def every(attributes: Attributes) -> bool:
        for operand in operands:  # noqa: SIM110 - all() over a generator takes twice the time
            if not operand(attributes):
                return False
        return True

    return every


def _some(operands: list[Run]) -> Run:
    first, second, *more = operands
    if not more:
        return lambda attributes: first(attributes) or second(attributes)

    def some(attributes: Attributes) -> bool:
        for operand in operands:  # noqa: SIM110 - as above
            if operand(attributes):
                return True
        return False

    return some


def _equality(node: Binary) -> Run:
    """The right operand gives the type that the left one is cast to."""
    at, sign, same = node.at, node.operator, node.operator == "="
    second = compiled(node.right)
    right = second.run
    if second.kind is not None:
        cast_left = _as(node.left, second.kind, at, sign)
        if isinstance(node.right, Literal):
            value = node.right.value
            return (
                (lambda attributes: cast_left(attributes) == value)
                if same
                else (lambda attributes: cast_left(attributes) != value)
            )
        return lambda attributes: (cast_left(attributes) == right(attributes)) is same

    left = compiled(node.left).run

    def equal(attributes: Attributes) -> bool:
        a, b = left(attributes), right(attributes)
        kind = type_of(b)
        return bool(CASTS[kind](a, at, sign) == CASTS[kind](b, at, sign)) is same

    return equal


_ORDERS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_AGAINST: dict[str, Callable[[Run, int], Run]] = {
    "<": lambda left, value: lambda attributes: left(attributes) < value,
    "<=": lambda left, value: lambda attributes: left(attributes) <= value,
    ">": lambda left, value: lambda attributes: left(attributes) > value,
    ">=": lambda left, value: lambda attributes: left(attributes) >= value,
}
"""Against a number that stands in the expression: without calling for it, nor for the comparison."""


def _ordered(order: Callable[[int, int], bool], left: Run, right: Run) -> Run:
    return lambda attributes: order(left(attributes), right(attributes))


def _divided(dividend: int, divisor: int) -> int:
    """Rounded towards 0."""
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


_SUMS: dict[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divided,
    "%": lambda dividend, divisor: dividend - divisor * _divided(dividend, divisor),
}


def _arithmetic(sign: str, at: int, left: Run, right: Run) -> Run:
    work, divides = _SUMS[sign], sign in "/%"

    def run(attributes: Attributes) -> int:
        a, b = left(attributes), right(attributes)
        if divides and b == 0:
            raise Stop("math", at, sign)
        return _bounded(work(a, b), at, sign)

    return run


def _bounded(value: int, at: int, sign: str) -> int:
    if not in_32_bits(value):
        raise Stop("math", at, sign)
    return value

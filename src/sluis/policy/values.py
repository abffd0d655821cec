"""JSON of a request as values of Cedar: which has no fractions beyond four digits, no null, and types that are names.

Pure. What does not fit is refused, never bent: a value that silently became another could open what it should not.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sluis.kernel import Invalid, Text
from sluis.policy.model import DATASET, PEER

Uid = tuple[str, str]
"""Type and id of an entity, as Cedar names it."""

DEEPEST = 16
MOST = 5_000
LONGEST = 10_000
_WHOLE = 2**63
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(::[A-Za-z_][A-Za-z0-9_]*)*")
_RESERVED = frozenset(
    {"true", "false", "if", "then", "else", "in", "is", "like", "has", "__cedar", "principal", "action", "resource",
     "context", "Action", "Linked"}
)  # fmt: skip


def uid_of(type: str, id: str) -> Uid:
    """The entity of an AuthZEN type and id. A type that is a name in Cedar stays what it is; any other (NL GOV: it should
    be a URI) becomes `Linked::"<type> <id>"`, so that no two are ever the same.

    Raises:
        Invalid: the type has white space in it.
    """
    if type in (PEER, DATASET) or (_NAME.fullmatch(type) and _RESERVED.isdisjoint(type.split("::"))):
        return type, id
    if any(one.isspace() for one in type):
        raise _unfit(
            Text("Een `type` met witruimte erin kan niet.", "A `type` with white space in it cannot be.")
        )
    return "Linked", f"{type} {id}"


def values_of(properties: dict[str, Any]) -> dict[str, Any]:
    """The properties of something in a request, as attributes for Cedar; what is null is left out.

    Raises:
        Invalid: too deep or too many; a number that is not whole and has more than four decimals; a name that has a meaning
            in Cedar's JSON.
    """
    return _record(properties, 0, [MOST]) if properties else {}


def references(value: Any) -> Iterator[Uid]:
    """Every entity that a value in Cedar's JSON form points at."""
    if isinstance(value, dict):
        found = value.get("__entity")
        if isinstance(found, dict):
            yield str(found.get("type")), str(found.get("id"))
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)


def _record(value: dict[str, Any], depth: int, left: list[int]) -> dict[str, Any]:
    made = {}
    for name, one in value.items():
        if name[:2] == "__":
            raise _unfit(Text("Een naam begint met `__`.", "A name begins with `__`."))
        if len(name) > LONGEST:
            raise _unfit(_TOO_LONG)
        if one is not None:
            made[name] = _value(one, depth + 1, left)
    return made


def _value(value: Any, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if depth > DEEPEST or left[0] < 0:
        raise _unfit(
            Text("Het zijn te veel waarden, of ze zitten te diep.", "There are too many values, or too deep.")
        )
    if isinstance(value, str):
        if len(value) > LONGEST:
            raise _unfit(_TOO_LONG)
        return value
    if isinstance(value, dict):
        return _record(value, depth, left)
    if isinstance(value, list):
        return [_value(one, depth + 1, left) for one in value if one is not None]
    if isinstance(value, float):
        return _fraction(value)
    if isinstance(value, int) and not -_WHOLE <= value < _WHOLE:
        raise _unfit(_NUMBER)
    return value


def _fraction(value: float) -> Any:
    """A whole number as such, any other as Cedar's `decimal`, which has four decimals."""
    exact = Decimal(repr(value))
    if not exact.is_finite() or abs(exact) >= _WHOLE // 10_000:
        raise _unfit(_NUMBER)
    if exact == exact.to_integral_value():
        return int(exact)
    if exact != round(exact, 4):
        raise _unfit(_NUMBER)
    return {"__extn": {"fn": "decimal", "arg": f"{exact:.4f}"}}


_TOO_LONG = Text(f"Een tekst is langer dan {LONGEST} tekens.", f"A text is longer than {LONGEST} characters.")
_NUMBER = Text(
    "Een getal is te groot, of heeft meer dan vier decimalen.",
    "A number is too large, or has more than four decimals.",
)


def _unfit(why: Text) -> Invalid:
    return Invalid(
        "value-does-not-fit",
        Text("Dit verzoek is niet te beoordelen.", "This request cannot be decided on."),
        why,
        Text("Pas het verzoek aan.", "Change the request."),
    )

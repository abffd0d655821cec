"""JSON that everyone reads alike: I-JSON (RFC 7493) over RFC 8259, parsed strictly.

What is signed or hashed must mean one thing. So a member that stands twice, half a surrogate pair, a number that a
double cannot hold, or a second way to write text is refused here, before anything is made of it.
"""

import json
import re
from itertools import chain
from typing import Any, NoReturn

from sluis.kernel import Invalid, Text

DEEPEST = 32
"""Levels of objects and arrays."""

MOST = 20_000
"""Values."""

_LARGEST = 2**53 - 1  # RFC 7493, 2.2
# RFC 7493, 2.1: surrogates, and the code points that Unicode keeps out of texts.
_NOT_TEXT = re.compile(
    "[\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
    + "]"
)


def read_json(raw: bytes, deepest: int = DEEPEST, most: int = MOST) -> Any:
    """The value that I-JSON text stands for: dict, list, str, int, float, bool or None.

    Args:
        raw: UTF-8, without a byte order mark. The caller has bounded its size.
        deepest: how many levels of objects and arrays it may have.
        most: how many values it may have, at all levels together: canonical JSON costs more than reading does.

    Raises:
        Invalid: it is not JSON, or not I-JSON.
    """
    try:
        value = json.loads(
            raw.decode(),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_constant,
        )
        _check(value, deepest, most)
    except (ValueError, RecursionError) as problem:
        raise _not_strict(str(problem) if isinstance(problem, _Broken) else "syntax") from None
    return value


class _Broken(ValueError):
    """A rule of I-JSON, by its name; never with what stood there."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Broken("a member twice")
    return made


def _integer(digits: str) -> int:
    # Twenty digits are too many, and a million cost a second.
    value = int(digits) if len(digits) < 20 else _LARGEST + 1
    if abs(value) > _LARGEST:
        raise _Broken("a number too large")
    return value


def _number(digits: str) -> float:
    value = float(digits)
    if value in (float("inf"), float("-inf")):
        raise _Broken("a number too large")
    return value


def _constant(_name: str) -> NoReturn:
    raise _Broken("not a number")


def _check(value: Any, deepest: int, most: int) -> None:
    """Text, number and depth, level by level, in a value that was parsed: only here are escapes gone."""
    level, count = [value], 0
    for _ in range(deepest + 1):
        objects = [one for one in level if type(one) is dict]
        arrays = [one for one in level if type(one) is list]
        if _NOT_TEXT.search("".join(chain((one for one in level if type(one) is str), *objects))):
            raise _Broken("not a character")
        count += len(level)
        if count > most:
            raise _Broken("too many values")
        if not (objects or arrays):
            return
        level = list(chain(*(one.values() for one in objects), *arrays))
    raise _Broken("nested too deeply")


_WORDS = {
    "syntax": Text("De tekst is geen JSON in UTF-8.", "The text is not JSON in UTF-8."),
    "a member twice": Text("Een naam staat twee keer in één object.", "A name stands in one object twice."),
    "a number too large": Text("Een getal is groter dan 2^53 - 1.", "A number is larger than 2^53 - 1."),
    "not a number": Text("NaN en Infinity zijn geen JSON.", "NaN and Infinity are not JSON."),
    "not a character": Text(
        "Er staat een teken in dat geen geldig Unicode is.", "It holds a character that is not valid Unicode."
    ),
    "too many values": Text("Er staan te veel waarden in.", "It holds too many values."),
    "nested too deeply": Text("De objecten zijn te diep genest.", "The objects are nested too deeply."),
}


def _not_strict(rule: str) -> Invalid:
    return Invalid(
        "not-i-json",
        Text(
            "Deze JSON is niet voor iedereen hetzelfde te lezen.",
            "This JSON does not read the same for everyone.",
        ),
        _WORDS[rule],
        Text("Stuur I-JSON (RFC 7493).", "Send I-JSON (RFC 7493)."),
    )

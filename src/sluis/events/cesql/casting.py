"""From one type to another: section 3.7 of CESQL 1.0.0. A cast that cannot be is a CastError, where it was asked for."""

import re
from base64 import b64encode
from collections.abc import Callable
from typing import Any

from sluis.events.cesql.model import Result, Stop

_INTEGER = re.compile(r"[+-]?0*[0-9]{1,10}")
_BOOLEANS = {"true": True, "false": False}
ZERO: dict[type, Result] = {str: "", int: 0, bool: False}
"""The zero value of each type (section 3.1)."""

Cast = Callable[[Any, int, str], Any]
"""A value, and where and by what it is cast; to one type."""


def in_32_bits(value: int) -> bool:
    """Whether a whole number is one of the language."""
    return -0x80000000 <= value <= 0x7FFFFFFF


def to_integer(value: Any, at: int, name: str) -> int:
    """A whole number of 32 bits in base 10; truth is 1. Raises `Stop` for anything else."""
    if type(value) is str and len(value) < 10 and value.isdecimal() and value.isascii():
        return int(value)  # what nearly every number looks like, at a third of the time
    if isinstance(value, int) or (isinstance(value, str) and _INTEGER.fullmatch(value)):
        number = int(value)
        if in_32_bits(number):
            return number
    raise Stop("cast", at, name)


def to_boolean(value: Any, at: int, name: str) -> bool:
    """`true` and `false` in any case; a number other than 0 is true. Raises `Stop` for anything else."""
    if isinstance(value, int):
        return bool(value)
    found = _BOOLEANS.get(value.lower()) if isinstance(value, str) else None
    if found is None:
        raise Stop("cast", at, name)
    return found


def to_text(value: Any, at: int = 0, name: str = "") -> str:
    """The text of any value; bytes are base64, as CloudEvents writes them."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return b64encode(value).decode() if isinstance(value, bytes) else str(value)


CASTS: dict[type, Cast] = {int: to_integer, bool: to_boolean, str: to_text}


def type_of(value: Any) -> type:
    """The type of the language that a value has; what is neither of the others counts as text (section 3.2)."""
    kind = type(value)
    return kind if kind is int or kind is bool else str

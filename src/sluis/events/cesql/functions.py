"""The functions of the language (section 3.5 of CESQL 1.0.0), with those that cast and that ask whether a cast can be done.

Arguments come already cast to the types of the parameters. A function that can do nothing with them raises `Unfit`, with
the value that it has nevertheless.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from sluis.events.cesql.casting import to_boolean, to_integer
from sluis.events.cesql.model import Kind, Result, Stop

_WHITE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
"""White space as Unicode defines it (property White_Space); Python's own also takes separators that are controls."""

LONGEST: Final = 4_096
"""Characters of a text that is put together. Without a bound a short expression makes one of megabytes, for every event."""


class Unfit(Exception):
    """A function cannot work with these arguments.

    Args:
        value: what it returns all the same.
        kind: the error of the specification.
    """

    def __init__(self, value: Result, kind: Kind = "function-evaluation") -> None:
        self.value, self.kind = value, kind


class Function(msgspec.Struct, frozen=True):
    """One function of a name and a number of arguments.

    Args:
        run: what it does, with arguments of the types in `takes`.
        takes: the type of each parameter; `object` takes any value as it is.
        gives: the type of what it returns.
        rest: the type of all further arguments; None when there are none.
    """

    run: Callable[..., Any]
    takes: tuple[type, ...]
    gives: type
    rest: type | None = None


def _left(text: str, count: int) -> str:
    if count < 0:
        raise Unfit(text)
    return text[:count]


def _right(text: str, count: int) -> str:
    if count < 0:
        raise Unfit(text)
    return text[max(0, len(text) - count) :]


def _substring(text: str, position: int, count: int | None = None) -> str:
    if abs(position) > len(text) or (count is not None and count < 0):
        raise Unfit("")
    if position == 0:
        return ""
    begin = position - 1 if position > 0 else len(text) + position
    return text[begin:] if count is None else text[begin : begin + count]


def _joined(between: str, texts: tuple[str, ...]) -> str:
    if sum(map(len, texts)) + len(between) * len(texts) > LONGEST:
        raise Unfit("")
    return between.join(texts)


def _absolute(number: int) -> int:
    if number == -(2**31):
        raise Unfit(2**31 - 1, "math")
    return abs(number)


def _casts(cast: Callable[[Any, int, str], Any], value: Any) -> bool:
    try:
        cast(value, 0, "")
    except Stop:
        return False
    return True


_ALL: Final[tuple[tuple[str, Function], ...]] = (
    ("LENGTH", Function(len, (str,), int)),
    ("CONCAT", Function(lambda *texts: _joined("", texts), (), str, rest=str)),
    ("CONCAT_WS", Function(lambda between, *texts: _joined(between, texts), (str,), str, rest=str)),
    ("LOWER", Function(str.lower, (str,), str)),
    ("UPPER", Function(str.upper, (str,), str)),
    ("TRIM", Function(lambda text: text.strip(_WHITE), (str,), str)),
    ("LEFT", Function(_left, (str, int), str)),
    ("RIGHT", Function(_right, (str, int), str)),
    ("SUBSTRING", Function(_substring, (str, int), str)),
    ("SUBSTRING", Function(_substring, (str, int, int), str)),
    ("ABS", Function(_absolute, (int,), int)),
    ("INT", Function(lambda number: number, (int,), int)),
    ("BOOL", Function(lambda truth: truth, (bool,), bool)),
    ("STRING", Function(lambda text: text, (str,), str)),
    ("IS_INT", Function(lambda value: _casts(to_integer, value), (object,), bool)),
    ("IS_BOOL", Function(lambda value: _casts(to_boolean, value), (object,), bool)),
)
_FIXED: Final = {(name, len(function.takes)): function for name, function in _ALL if function.rest is None}
_VARIADIC: Final = {name: function for name, function in _ALL if function.rest is not None}


def function_of(name: str, count: int) -> Function | None:
    """The function of a name, in upper case, that takes `count` arguments; None when there is none."""
    found = _FIXED.get((name, count))
    if found is not None:
        return found
    variadic = _VARIADIC.get(name)
    return variadic if variadic is not None and count >= len(variadic.takes) else None

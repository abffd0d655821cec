"""Patterns of LIKE (section 3.4.3 of CESQL 1.0.0) as a test whose time is at most that of the text times the longest piece.

Each `%` takes as little as it can and never gives it back (an atomic group), which is right because the piece after it may
as well match at its first place; so no number of `%` makes a text be read again and again.
"""

import re
from collections.abc import Callable
from operator import methodcaller

_PIECE = re.compile(r"\\([%_])|(%+)|(_)|(.)", re.DOTALL)

_Parts = list[str | None]
"""Characters one by one; None stands for `_`."""


def matcher(pattern: str) -> Callable[[str], object]:
    """What tells, with something true or something false, whether a whole text fits a pattern.

    Args:
        pattern: `%` for any characters, `_` for one; both as themselves behind a backslash.
    """
    pieces = _split(pattern)
    literal = ["".join(one or "" for one in piece) for piece in pieces if None not in piece]
    if len(literal) == len(pieces):
        if len(pieces) == 1:
            return literal[0].__eq__
        if len(pieces) == 2 and not literal[1]:
            return methodcaller("startswith", literal[0])
        if len(pieces) == 2 and not literal[0]:
            return methodcaller("endswith", literal[1])
    return re.compile(_expression(pieces), re.DOTALL).fullmatch


def _split(pattern: str) -> list[_Parts]:
    """The pieces between runs of `%`; one piece when there are none."""
    pieces: list[_Parts] = [[]]
    for found in _PIECE.finditer(pattern):
        escaped, percent, underscore, plain = found.groups()
        if percent:
            pieces.append([])
        else:
            pieces[-1].append(None if underscore else escaped or plain)
    return pieces


def _expression(pieces: list[_Parts]) -> str:
    first, *others = ["".join("." if one is None else re.escape(one) for one in piece) for piece in pieces]
    if not others:
        return first
    *middle, last = others
    between = "".join(f"(?>.*?{piece})" for piece in middle)
    # the last piece can only be at one place, since it has a length: look back from the end, once
    return f"{first}{between}(?>.{{{len(pieces[-1])},}})(?<={last})"

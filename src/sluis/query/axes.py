"""Along what the figures of an answer are drawn, and which of them: found by what its columns are, not by where they stand. Pure."""

import re
from collections.abc import Sequence
from typing import Literal

import msgspec

MOST_SERIES = 4
"""Columns of figures in one chart; more could not be told apart by their lines."""

_TIMES = frozenset(("jaar", "kwartaal", "maand", "week", "year", "quarter", "month"))
"""Words that end the name of a whole number which says when."""

_NAMES_OF = frozenset(
    (
        "bsn",
        "oin",
        "rsin",
        "kvk",
        "id",
        "nr",
        "no",
        "code",
        "postcode",
        "zip",
        "pc4",
        "iban",
        "kenteken",
        "telefoon",
    )
)
"""Words that end the name of what tells things apart, and is not counted, measured or added up."""

_NUMBERED = ("nummer", "number", "code")
"""The same, as the end of such a word."""


class Trait(msgspec.Struct, frozen=True):
    """What a column is, as far as drawing it goes.

    Args:
        name: of the column, as the question or its owner calls it.
        kind: as a table writes it: words, a day, a moment, an amount, a figure, a whole number as it is; or one that
            nothing is drawn along, such as whom a row is about, and `other`: yes or no.
        unit: of its figures.
        identifies: whether it is known to tell people or things apart.
    """

    name: str
    kind: Literal["text", "day", "moment", "amount", "number", "plain", "bsn", "masked", "other"]
    unit: str = ""
    identifies: bool = False


class Axes(msgspec.Struct, frozen=True):
    """What lies along the bottom, and what is drawn above it, by the place of the column."""

    along: int
    figures: tuple[int, ...]


def axes(columns: Sequence[Trait]) -> Axes | None:
    """Along which column which others are drawn.

    Along a day or a moment where there is one; then along a year or such; then along words, rather those that are no name of
    a thing. Above it figures of one kind and unit, since there is one scale: amounts first. A number is drawn only as a figure,
    and what tells people or things apart (a BSN, a postcode) never is.

    Args:
        columns: of the answer, in their order.

    Returns:
        None when there is nothing to draw, or nothing to draw it along.
    """
    places = range(len(columns))
    orders = (
        [at for at in places if columns[at].kind in ("day", "moment")],
        [at for at in places if _says_when(columns[at])],
        [at for at in places if columns[at].kind == "text" and not _tells_apart(columns[at])],
        [at for at in places if columns[at].kind == "text"],
    )
    along = next((order[0] for order in orders if order), None)
    for kind in ("amount", "number", "plain"):
        figures = [
            at
            for at in places
            if columns[at].kind == kind and not _says_when(columns[at]) and not _tells_apart(columns[at])
        ]
        if figures and along is not None:
            same = [at for at in figures if columns[at].unit == columns[figures[0]].unit]
            return Axes(along, tuple(same[:MOST_SERIES]))
    return None


def _says_when(column: Trait) -> bool:
    return column.kind in ("plain", "number") and _words(column)[-1] in _TIMES and not column.unit


def _tells_apart(column: Trait) -> bool:
    last = _words(column)[-1]
    return column.identifies or last in _NAMES_OF or last.endswith(_NUMBERED)


def _words(column: Trait) -> list[str]:
    return re.split(r"[\W_]+", column.name.casefold().strip(" _")) or [""]

"""An answer as a picture of relations: whom it is about, what was found, and which organisation gave it. Pure: rows in, places of
nodes and lines out; the page draws them as SVG, and writes the same as a list beside it.

Two things are tied when they stand in one row. What was found is one node however many rows it is in.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from sluis.kernel import Text
from sluis.query.model import Provenance

MOST_ROWS = 200
MOST_FOUND = 40
"""Rows that are looked at, and things that are drawn."""

_WIDTH, _HIGH, _STEP, _TOP = 250, 46, 62, 30
_AT = (10, 340, 670)  # where each of the three columns begins
WIDTH = _AT[2] + _WIDTH + 10
_LONGEST = 26  # characters of a label that fit

Dataset = tuple[str, str]


class Node(msgspec.Struct, frozen=True):
    """Something in the picture: kind, what it says, a line below that, and where it stands."""

    kind: str
    label: Text
    below: Text
    x: int
    y: int

    @property
    def short(self) -> Text:
        """What fits of the label."""
        return _cut(self.label)

    @property
    def short_below(self) -> Text:
        """What fits of the line below."""
        return _cut(self.below)


class Line(msgspec.Struct, frozen=True):
    """Between two nodes."""

    x1: int
    y1: int
    x2: int
    y2: int


class Told(msgspec.Struct, frozen=True):
    """The same in words: of whom, what was found, and who gave it."""

    about: Text
    found: tuple[tuple[Text, Text, Text], ...]


class Picture(msgspec.Struct, frozen=True):
    """Nodes and lines, how high the picture is, the same in words, and how much is not drawn."""

    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]
    height: int
    told: tuple[Told, ...]
    more: int
    width: int = WIDTH


def picture(
    rows: Sequence[Sequence[str]],
    provenance: Sequence[Provenance],
    subject: int | None,
    titles: Mapping[Dataset, Text],
    owners: Mapping[str, str],
) -> Picture | None:
    """Draw an answer.

    Args:
        rows: of the answer, each value as text, empty where there is none; the first are looked at.
        provenance: of its columns, in their order.
        subject: the column that says whom a row is about; None when none does.
        titles: of datasets.
        owners: their names.

    Returns None when there is nothing to draw.
    """
    of = _by_dataset(provenance, subject)
    if not rows or not of:
        return None
    people: dict[str, dict[int, None]] = {}
    found: dict[tuple[Dataset, tuple[str, ...]], int] = {}
    left = set[Any]()
    for row in rows[:MOST_ROWS]:
        about = people.setdefault(row[subject] if subject is not None else "", {})
        for dataset, columns in of.items():
            values = tuple(row[at] for at in columns if row[at])
            if not values:
                continue
            thing = (dataset, values)
            if thing not in found and len(found) >= MOST_FOUND:
                left.add(thing)
                continue
            about[found.setdefault(thing, len(found))] = None
    return _drawn(people, list(found), titles, owners, len(left))


def _by_dataset(provenance: Sequence[Provenance], subject: int | None) -> dict[Dataset, list[int]]:
    found: dict[Dataset, list[int]] = {}
    for at, column in enumerate(provenance):
        if at != subject:
            for dataset in dict.fromkeys((one.owner, one.dataset) for one in column.origins):
                found.setdefault(dataset, []).append(at)
    return found


def _drawn(
    people: Mapping[str, Mapping[int, None]],
    found: Sequence[tuple[Dataset, tuple[str, ...]]],
    titles: Mapping[Dataset, Text],
    owners: Mapping[str, str],
    more: int,
) -> Picture | None:
    if not found:
        return None
    organisations = list(dict.fromkeys(dataset[0] for dataset, _ in found))
    sizes = (len(people), len(found), len(organisations))
    height = _TOP * 2 + max(sizes) * _STEP - (_STEP - _HIGH)
    y = [_spread(size, height) for size in sizes]
    left = [Node("person", _person(name), Text("", ""), _AT[0], y[0][at]) for at, name in enumerate(people)]
    middle = [
        Node("found", _same(", ".join(values)), titles.get(dataset, _same(dataset[1])), _AT[1], y[1][at])
        for at, (dataset, values) in enumerate(found)
    ]
    right = [
        Node("owner", _same(owners.get(alias, alias)), Text("bronhouder", "owner"), _AT[2], y[2][at])
        for at, alias in enumerate(organisations)
    ]
    lines = [_line(left[at], middle[thing]) for at, ties in enumerate(people.values()) for thing in ties]
    lines += [
        _line(middle[at], right[organisations.index(dataset[0])]) for at, (dataset, _) in enumerate(found)
    ]
    told = tuple(
        Told(_person(name), tuple(
            (middle[thing].below, middle[thing].label, right[organisations.index(found[thing][0][0])].label)
            for thing in ties
        ))
        for name, ties in people.items()
    )  # fmt: skip
    return Picture((*left, *middle, *right), tuple(lines), height, told, more)


def _spread(count: int, height: int) -> list[int]:
    """The tops of so many nodes, in the middle of the height."""
    high = count * _STEP - (_STEP - _HIGH)
    return [(height - high) // 2 + at * _STEP for at in range(count)]


def _line(one: Node, other: Node) -> Line:
    return Line(one.x + _WIDTH, one.y + _HIGH // 2, other.x, other.y + _HIGH // 2)


def _person(name: str) -> Text:
    return _same(name) if name else Text("Over wie u vroeg", "Whom you asked about")


def _same(text: str) -> Text:
    return Text(text, text)


def _cut(text: Text) -> Text:
    return Text(*(one if len(one) <= _LONGEST else one[: _LONGEST - 1] + "…" for one in (text.nl, text.en)))

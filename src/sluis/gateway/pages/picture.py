"""The group as a picture: this organisation in the middle, the others around it. Pure, and always the same for the same group.

Up to thirty stand by themselves; of more, those with which most passes, and the rest together. Lines are contracts, as wide as
there is traffic. Every name has a row of its own, in as many lines as it takes, so that none lies over another and none runs out
of the picture. It is drawn twice, one for a broad screen and one for a narrow. What it shows stands in a table as well.
"""

import math
import textwrap
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from sluis.gateway.pages.model import Agreement
from sluis.gateway.pages.neighbours import Health, Neighbour
from sluis.kernel import PeerId

MOST = 30
"""Organisations that stand by themselves."""

LINE_HEIGHT = 20
"""Of a line of a name; its letters are some 10 wide at most."""

_BROAD, _NARROW = 1120, 340  # across
_ROW = 64  # down, for each organisation in a broad picture: three lines of its name
_LEAST = 400  # down, of a broad picture
_FAR, _NEAR = 280.0, 130.0  # from the middle: halfway down, and at top and bottom
_TRUNK, _BRANCH = 34.0, 110.0  # in a narrow picture: where lines begin, and where they end
_HEAD = 80  # down, in a narrow picture, for this organisation itself
_LETTERS, _FEW_LETTERS = 24, 20  # of a line of a name, in a broad picture and in a narrow
_LINES, _MORE_LINES = 3, 4  # the same
_LITTLE, _GAP = 52, 16  # down in it: of the others the least that one takes, and between names
_THIN, _WIDE = 1.5, 12.0

Line = Literal["valid", "waiting", "none"]


class Node(msgspec.Struct, frozen=True):
    """An organisation in the picture, or several together.

    Attributes:
        x: of its middle.
        y: the same.
        label: its name, in lines that fit.
        peer: which; None for several together.
        health: how it is with it.
        anchor: on which side of it its name stands.
        count: how many it stands for.
    """

    x: float
    y: float
    label: tuple[str, ...]
    peer: Neighbour | None
    health: Health
    anchor: Literal["start", "end"]
    count: int = 1

    @property
    def text(self) -> tuple[float, float]:
        """Where the first line of its name stands."""
        return self.x + (26 if self.anchor == "start" else -26), self.y + 5 - (
            len(self.label) - 1
        ) * LINE_HEIGHT / 2


class Edge(msgspec.Struct, frozen=True):
    """A line from the middle, or between two others that are in one contract with this organisation."""

    x1: float
    y1: float
    x2: float
    y2: float
    width: float
    line: Line
    trouble: bool = False
    between: bool = False


class Picture(msgspec.Struct, frozen=True):
    """Everything that is drawn.

    Attributes:
        width: of all of it.
        height: the same.
        own: this organisation: where it stands, its name, and on which side of it that is.
        trunk: where the line ends from which the others branch off; None where each has a line to the middle.
        nodes: the others.
        edges: lines.
        together: how many the last of them stands for; 0 when each stands by itself.
    """

    width: int
    height: int
    own: tuple[float, float, tuple[str, ...]]
    trunk: float | None
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    together: int


def picture_of(
    own: str, found: Sequence[Neighbour], rows: Iterable[Agreement], now: int, narrow: bool = False
) -> Picture:
    """The picture of a group.

    Args:
        own: what this organisation is called.
        found: the others.
        rows: the contracts.
        now: seconds since the epoch.
        narrow: for a screen on which names have no room on both sides: all below each other, without lines between others.
    """
    alone, rest = parted(found)
    labels = [_label(one.name, narrow) for one in alone] + [()] * bool(rest)
    places = below([len(one) for one in labels]) if narrow else around(len(labels))
    width, height = (_NARROW, _under(places)) if narrow else (_BROAD, _high(len(labels)))
    nodes = [
        Node(*place, label, one, one.health(now), _side(place[0], narrow))
        for one, label, place in zip(alone, labels, places, strict=False)
    ]
    middle = (_TRUNK, _HEAD / 2) if narrow else (_BROAD / 2, height / 2)
    most = max([one.requests for one in found], default=0)

    def line(x: float, y: float, requests: int, kind: Line, trouble: bool = False) -> Edge:
        begin = (_TRUNK, y) if narrow else middle
        return Edge(*begin, x, y, _width(requests, most), kind, trouble)

    edges = [
        line(node.x, node.y, one.requests, line_of(one), node.health == "error")
        for one, node in zip(alone, nodes, strict=True)
        if line_of(one) != "none" or one.requests
    ]
    if not narrow:
        where = {one.id: node for one, node in zip(alone, nodes, strict=True)}
        edges = [*_between(rows, where), *edges]
    if rest:
        x, y = places[-1]
        nodes.append(Node(x, y, (), None, _worst(rest, now), _side(x, narrow), len(rest)))
        edges.append(line(x, y, sum(one.requests for one in rest), "valid"))
    trunk = max((edge.y1 for edge in edges), default=None) if narrow else None
    return Picture(
        width,
        height,
        (*middle, in_lines(own, _LETTERS, _LINES)),
        trunk,
        tuple(nodes),
        tuple(edges),
        len(rest),
    )


def parted(found: Sequence[Neighbour]) -> tuple[list[Neighbour], list[Neighbour]]:
    """Those that stand by themselves, in the order of their names; and the others."""
    if len(found) <= MOST:
        return list(found), []
    by_use = sorted(found, key=lambda one: (-one.requests, -sum(one.contracts.values()), one.id))
    chosen = {one.id for one in by_use[: MOST - 1]}
    return [one for one in found if one.id in chosen], [one for one in found if one.id not in chosen]


def around(count: int) -> list[tuple[float, float]]:
    """So many places around the middle, with the clock from the top: half of them on its right, each at a height of its own."""
    right = (count + 1) // 2
    height = _high(count)
    places = []
    for some, side in ((right, 1), (count - right, -1)):
        step = (height - _ROW) / max(some, 1)
        downward = [_ROW / 2 + (at + 0.5) * step for at in range(some)]
        for y in downward if side > 0 else reversed(downward):
            away = (y - height / 2) / (height / 2)
            across = _NEAR + (_FAR - _NEAR) * math.sqrt(1 - away**2)
            places.append((round(_BROAD / 2 + side * across, 1), round(y, 1)))
    return places


def below(lines: Sequence[int]) -> list[tuple[float, float]]:
    """Places below each other, for names of so many lines."""
    places, y = [], float(_HEAD)
    for some in lines:
        down = max(_LITTLE, some * LINE_HEIGHT + _GAP)
        places.append((_BRANCH, y + down / 2))
        y += down
    return places


def in_lines(name: str, wide: int, most: int) -> tuple[str, ...]:
    """A name in lines that fit, without what would turn the writing of the rest around.

    Args:
        name: as the organisation gave it.
        wide: characters that a line has room for.
        most: lines; what is longer ends in an ellipsis.
    """
    plain = "".join(one for one in name if unicodedata.category(one) not in ("Cc", "Cf", "Zl", "Zp"))
    return tuple(textwrap.wrap(plain, wide, max_lines=most, placeholder="…"))


def line_of(one: Neighbour) -> Line:
    """What there is between this organisation and another."""
    if one.contracts.get("valid"):
        return "valid"
    return "waiting" if one.contracts.get("us") or one.contracts.get("them") else "none"


def _high(count: int) -> int:
    return max(_LEAST, _ROW * ((count + 1) // 2 + 1))


def _under(places: Sequence[tuple[float, float]]) -> int:
    """Where a narrow picture ends: half the room of a long name below the last of it."""
    return round(max((y for _, y in places), default=0.0) + (_MORE_LINES * LINE_HEIGHT + _GAP) / 2)


def _side(x: float, narrow: bool) -> Literal["start", "end"]:
    """On which side of a node its name stands: away from the middle."""
    return "start" if narrow or x > _BROAD / 2 else "end"


def _label(name: str, narrow: bool) -> tuple[str, ...]:
    return in_lines(name, _FEW_LETTERS, _MORE_LINES) if narrow else in_lines(name, _LETTERS, _LINES)


def _between(rows: Iterable[Agreement], where: Mapping[PeerId, Node]) -> list[Edge]:
    """Lines between others: who do something for somebody in a contract with this organisation."""
    pairs = {
        (one, other)
        for row in rows
        if row.section == "valid"
        for one in row.others
        for other in row.others
        if one < other and one in where and other in where
    }
    return [
        Edge(where[a].x, where[a].y, where[b].x, where[b].y, _THIN, "valid", between=True)
        for a, b in sorted(pairs)
    ]


def _width(requests: int, most: int) -> float:
    if not requests or not most:
        return _THIN
    return round(_THIN + (_WIDE - _THIN) * math.log1p(requests) / math.log1p(most), 1)


def _worst(some: Sequence[Neighbour], now: int) -> Health:
    found = {one.health(now) for one in some}
    order: tuple[Health, ...] = ("error", "warning", "ok", "unknown")
    return next(one for one in order if one in found)

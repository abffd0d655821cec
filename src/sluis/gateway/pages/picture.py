"""The group as a picture: this organisation in the middle, the others around it. Pure, and always the same for the same group.

Up to thirty stand by themselves, on one ring or, when they are many, on two; of more, those with which most passes, and the rest
together. Lines are contracts, as wide as there is traffic. What it shows stands in a table as well.
"""

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import msgspec

from sluis.gateway.pages.model import Agreement
from sluis.gateway.pages.neighbours import Health, Neighbour
from sluis.kernel import PeerId

MOST = 30
"""Organisations that stand by themselves."""

WIDTH, HEIGHT = 1120, 720
_MIDDLE = WIDTH / 2, HEIGHT / 2
_ONE_RING = 14  # organisations on one ring; more stand on two in turn
_FAR, _NEAR = (300.0, 265.0), (205.0, 175.0)  # of the rings, across and down
_LABEL = 24  # characters
_THIN, _WIDE = 1.5, 12.0

Line = Literal["valid", "waiting", "none"]


class Node(msgspec.Struct, frozen=True):
    """An organisation in the picture, or several together.

    Attributes:
        x: of its middle.
        y: the same.
        label: its name, made short.
        peer: which; None for several together.
        health: how it is with it.
        anchor: on which side of it its name stands.
        count: how many it stands for.
    """

    x: float
    y: float
    label: str
    peer: Neighbour | None
    health: Health
    anchor: Literal["start", "middle", "end"]
    count: int = 1

    @property
    def text(self) -> tuple[float, float]:
        """Where its name stands."""
        if self.anchor == "middle":
            return self.x, self.y + (40 if self.y >= _MIDDLE[1] else -28)
        return self.x + (24 if self.anchor == "start" else -24), self.y + 5


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
    """Everything that is drawn."""

    own: str
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    together: int


def picture_of(own: str, found: Sequence[Neighbour], rows: Iterable[Agreement], now: int) -> Picture:
    """The picture of a group.

    Args:
        own: what this organisation is called.
        found: the others.
        rows: the contracts.
        now: seconds since the epoch.
    """
    alone, rest = parted(found)
    places = around(len(alone) + bool(rest))
    nodes = [_node(one, place, now) for one, place in zip(alone, places, strict=False)]
    most = max([one.requests for one in found], default=0)
    edges = [
        _edge(one, node, most)
        for one, node in zip(alone, nodes, strict=True)
        if line_of(one) != "none" or one.requests
    ]
    where = {one.id: node for one, node in zip(alone, nodes, strict=True)}
    edges = [*_between(rows, where), *edges]
    if rest:
        x, y = places[-1]
        nodes.append(Node(x, y, "", None, _worst(rest, now), anchor_of(x), len(rest)))
        edges.append(Edge(*_MIDDLE, x, y, _width(sum(one.requests for one in rest), most), "valid"))
    return Picture(short(own), tuple(nodes), tuple(edges), len(rest))


def parted(found: Sequence[Neighbour]) -> tuple[list[Neighbour], list[Neighbour]]:
    """Those that stand by themselves, in the order of their names; and the others."""
    if len(found) <= MOST:
        return list(found), []
    by_use = sorted(found, key=lambda one: (-one.requests, -sum(one.contracts.values()), one.id))
    chosen = {one.id for one in by_use[: MOST - 1]}
    return [one for one in found if one.id in chosen], [one for one in found if one.id not in chosen]


def around(count: int) -> list[tuple[float, float]]:
    """So many places around the middle, beginning at the top."""
    places = []
    for at in range(count):
        near = count > _ONE_RING and at % 2
        across, down = _NEAR if near else _FAR
        turn = 2 * math.pi * at / max(count, 1) - math.pi / 2
        places.append(
            (round(_MIDDLE[0] + across * math.cos(turn), 1), round(_MIDDLE[1] + down * math.sin(turn), 1))
        )
    return places


def anchor_of(x: float) -> Literal["start", "middle", "end"]:
    """On which side of a node its name stands: away from the middle."""
    if abs(x - _MIDDLE[0]) < 40:
        return "middle"
    return "start" if x > _MIDDLE[0] else "end"


def short(name: str) -> str:
    """A name that fits, without what would turn the writing of the rest around."""
    plain = "".join(one for one in name if unicodedata.category(one) not in ("Cc", "Cf", "Zl", "Zp"))
    plain = " ".join(plain.split())
    return plain if len(plain) <= _LABEL else plain[: _LABEL - 1].rstrip() + "…"


def line_of(one: Neighbour) -> Line:
    """What there is between this organisation and another."""
    if one.contracts.get("valid"):
        return "valid"
    return "waiting" if one.contracts.get("us") or one.contracts.get("them") else "none"


def _node(one: Neighbour, place: tuple[float, float], now: int) -> Node:
    x, y = place
    return Node(x, y, short(one.name), one, one.health(now), anchor_of(x))


def _edge(one: Neighbour, node: Node, most: int) -> Edge:
    trouble = node.health == "error"
    return Edge(*_MIDDLE, node.x, node.y, _width(one.requests, most), line_of(one), trouble)


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

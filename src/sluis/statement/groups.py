"""Small groups: which groups of an aggregate may be told, so that none of fewer than `minimum` people can be read or
computed. Pure; the owner applies it to its own answer, a combiner to the answer it joined.

Statistical disclosure control for tables of magnitudes and counts (Hundepool and others, *Handbook on Statistical
Disclosure Control*, chapter 4): *primary* suppression of small cells, and *complementary* suppression so that no small
cell follows from a total. What follows from two answers together is for `differencing`.

The asker is taken to know which groups exist, and every total over every subset of the grouping columns that the same
rules would tell it. Where those totals by themselves determine a small group, nothing of the finer table is told. A
group that is not told is simply absent. What these rules do not cover: a group in which one person's value is nearly
the whole sum.
"""

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import combinations

import msgspec

MAX_COLUMNS = 4
"""Grouping columns at most: totals double with each."""
MAX_CELLS = 20_000
"""Groups at most in one answer."""
MAX_SOLVED = 256
"""Hidden groups above which three or more grouping columns give no answer, as the totals cannot be solved in time."""

Key = tuple[Hashable, ...]
Subset = tuple[int, ...]
"""Places of grouping columns, ascending."""

_PRIME = (1 << 61) - 1


class Cell(msgspec.Struct, frozen=True):
    """One group: the values of its grouping columns, and how many distinct subjects are in it."""

    key: Key
    subjects: int


def released(cells: Sequence[Cell], minimum: int, *, additive: bool) -> list[bool]:
    """Which groups may be told.

    Args:
        cells: all groups of the answer, keys of equal length; no key for an ungrouped aggregate.
        minimum: fewest distinct subjects in what can be read or computed.
        additive: whether a subject is in at most one group (the rows have the subject as their key). If not, the
            subjects of two groups together are only known to be as many as in the larger one.

    Returns:
        per cell whether it may be told. The same cells in any order give the same groups.
    """
    width = len(cells[0].key) if cells else 0
    if len(cells) > MAX_CELLS or width > MAX_COLUMNS:
        return [False] * len(cells)
    keys = [tuple(_comparable(value) for value in cell.key) for cell in cells]
    known: dict[Subset, set[Key]] = {}
    for size in range(width + 1):
        for kept in combinations(range(width), size):
            totals: dict[Key, int] = {}
            for key, cell in zip(keys, cells, strict=True):
                total = tuple(key[at] for at in kept)
                totals[total] = totals.get(total, 0) + cell.subjects
            known[kept] = _Table(kept, totals, known, minimum, additive).told()
    shown = known[tuple(range(width))]
    return [key in shown for key in keys]


class _Table:
    """The groups by some of the columns, beside what is told of the coarser tables (`known`).

    A *line* is the cells that one coarser total adds up; `solvable` are the lines whose total is told.
    """

    def __init__(
        self,
        kept: Subset,
        totals: Mapping[Key, int],
        known: Mapping[Subset, set[Key]],
        minimum: int,
        additive: bool,
    ) -> None:
        self.minimum, self.additive, self.width = minimum, additive, len(kept)
        self.keys, self.sizes = list(totals), list(totals.values())
        self.order = sorted(range(len(self.keys)), key=lambda i: (self.sizes[i], repr(self.keys[i])))
        self.lines: list[list[int]] = []
        self.solvable: list[list[int]] = []
        for size in range(len(kept)):
            for coarser in combinations(kept, size):
                for total, line in _lines(self.keys, [kept.index(at) for at in coarser]).items():
                    self.lines.append(line)
                    if total in known[coarser]:
                        self.solvable.append(line)
        self.small = {i for i, size in enumerate(self.sizes) if size < minimum}
        self.hidden = set(self.small)

    def told(self) -> set[Key]:
        while self.small and (self._hide_in_lines() or self._hide_against_solving()):
            pass
        return {key for i, key in enumerate(self.keys) if i not in self.hidden}

    def _together(self, cells: Iterable[int]) -> int:
        sizes = [self.sizes[i] for i in cells]
        return sum(sizes) if self.additive else max(sizes, default=0)

    def _hide_in_lines(self) -> bool:
        """What is hidden in a line must be two groups or more, and together not small."""
        changed = False
        for line in self.lines:
            hidden = [i for i in line if i in self.hidden]
            while hidden and (len(hidden) < 2 or self._together(hidden) < self.minimum):
                more = self._smallest(line)
                if more is None:
                    break
                self.hidden.add(more)
                hidden.append(more)
                changed = True
        return changed

    def _smallest(self, line: Iterable[int]) -> int | None:
        among = set(line)
        return next((i for i in self.order if i in among and i not in self.hidden), None)

    def _hide_against_solving(self) -> bool:
        """No small group may follow from the totals taken together."""
        if self.width < 2:
            return False
        if self.width > 2 and len(self.hidden) > MAX_SOLVED:
            self.hidden = set(range(len(self.sizes)))
            return False
        totals = [[i for i in line if i in self.hidden] for line in self.solvable]
        solved = _solved_in_pairs(totals) if self.width == 2 else _solved(totals)
        exposed = min(solved & self.small, default=None)
        if exposed is None:
            return False
        near = {i for line in self.lines if exposed in line for i in line}
        more = self._smallest(near)
        more = self._smallest(range(len(self.sizes))) if more is None else more
        if more is None:
            return False
        self.hidden.add(more)
        return True


def _comparable(value: Hashable) -> Hashable:
    """A key value that equals itself; NaN does not."""
    return "NaN" if isinstance(value, float) and math.isnan(value) else value


def _lines(keys: Sequence[Key], places: Sequence[int]) -> dict[Key, list[int]]:
    """The cells that agree on the values at some places, under those values."""
    lines: dict[Key, list[int]] = {}
    for i, key in enumerate(keys):
        lines.setdefault(tuple(key[at] for at in places), []).append(i)
    return lines


def _solved_in_pairs(totals: Sequence[Sequence[int]]) -> set[int]:
    """The cells of a two-column table that its totals determine.

    Elimination over the field of two elements: the matrix of rows and columns is that of a bipartite graph, which is
    totally unimodular, so what can be solved there is what can be solved over the rationals (the grand total adds
    nothing to the row totals).
    """
    pivots: dict[int, int] = {}
    for total in totals:
        row = sum(1 << i for i in total)
        for pivot, other in pivots.items():
            if row >> pivot & 1:
                row ^= other
        if not row:
            continue
        new = row.bit_length() - 1
        for pivot in pivots:
            if pivots[pivot] >> new & 1:
                pivots[pivot] ^= row
        pivots[new] = row
    return {pivot for pivot, row in pivots.items() if row == 1 << pivot}


def _solved(totals: Sequence[Sequence[int]]) -> set[int]:
    """The cells that the totals determine: elimination modulo a 61-bit prime, where a cell that rational elimination
    finds is missed only if the prime divides one of its small minors."""
    pivots: dict[int, dict[int, int]] = {}
    for total in totals:
        row = dict.fromkeys(total, 1)
        for pivot, other in pivots.items():
            _eliminate(row, other, pivot)
        if not row:
            continue
        new = min(row)
        inverse = pow(row[new], -1, _PRIME)
        row = {i: value * inverse % _PRIME for i, value in row.items()}
        for other in pivots.values():
            _eliminate(other, row, new)
        pivots[new] = row
    return {pivot for pivot, row in pivots.items() if len(row) == 1}


def _eliminate(row: dict[int, int], by: Mapping[int, int], pivot: int) -> None:
    factor = row.get(pivot, 0)
    if not factor:
        return
    for i, value in by.items():
        left = (row.get(i, 0) - factor * value) % _PRIME
        if left:
            row[i] = left
        else:
            row.pop(i, None)

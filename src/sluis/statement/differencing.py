"""Differencing: two answers over groups that each tell of enough people, and subtracted tell of too few. Pure.

An asker who was told the income of a town, and then that of the town without one condition, has the income of whoever
the condition left out. So what was told is remembered, as counts per group, and a new answer is held against it:

- *pairs*: two groups that may overlap, one resting on no other columns than the other, may not differ by a few people;
- *remainders*: the groups that a coarser group is made of, told in any number of questions, may not leave a few people.

A group rests on the columns it was grouped by and those that a condition set equal to a constant. Other conditions are
not looked into: two questions that differ in these alone are compared as if they were about the same people. Groups
are surely of other people only when one expression has another value in each.

Not covered: two columns that say the same in other words (a town's code and its name), swaps of as many people for as
many others, combinations of three questions that are not sums, and the same question before and after a change in the
data. The daily budget of a disclosure limits how much of that there can be (Hundepool and others, *Handbook on
Statistical Disclosure Control*, chapters 4 and 5).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence

import msgspec

Key = tuple[str, ...]
Sizes = tuple[int, ...]

ROWS = "rows"
"""The measure that counts rows; it adds up whatever the rows are about."""


class Level(msgspec.Struct, frozen=True, array_like=True):
    """Groups that were told, apart by the same expressions.

    Attributes:
        expressions: what tells them apart, ascending; those that a condition fixes among them.
        columns: `dataset.column` of all columns that pick the people in them, ascending; more than the expressions
            rest on, where they are totals of groups of which some were not told.
        measures: what was counted, by name.
        additive: whether nobody is in two of these groups, so that their counts add up.
        cells: per group a digest of the value of each expression, and a count per measure.
    """

    expressions: tuple[str, ...]
    columns: tuple[str, ...]
    measures: tuple[str, ...]
    additive: bool
    cells: tuple[tuple[Key, Sizes], ...]


def too_close(now: Sequence[Level], before: Sequence[Level], minimum: int) -> bool:
    """Whether what is about to be told and what was told before could show fewer than `minimum` when subtracted.

    Args:
        now: the groups of the answer.
        before: those of all earlier answers to this asker about the same dataset.
        minimum: fewest people (or rows) that a difference may be about.
    """
    return any(_close(one, other, minimum) for one in now for other in before) or _leaves_few(
        now, before, minimum
    )


def cells_in(levels: Iterable[Level]) -> int:
    """How many groups these are."""
    return sum(len(level.cells) for level in levels)


def _close(one: Level, other: Level, minimum: int) -> bool:
    """Pairs. Groups are compared where they agree on the expressions they share."""
    mine, theirs = set(one.columns), set(other.columns)
    if not (mine <= theirs or theirs <= mine):
        return False
    shared = [name for name in one.expressions if name in other.expressions]
    for measure in (name for name in one.measures if name in other.measures):
        known: dict[Key, list[int]] = {}
        for key, size in _projected(other, shared, measure):
            known.setdefault(key, []).append(size)
        for sizes in known.values():
            sizes.sort()
        if any(_near(known.get(key, ()), size, minimum) for key, size in _projected(one, shared, measure)):
            return True
    return False


def _near(sizes: Sequence[int], size: int, minimum: int) -> bool:
    """Whether one of these sizes, ascending, differs from `size` by less than `minimum`, and differs."""
    below = bisect_left(sizes, size) > bisect_right(sizes, size - minimum)
    return below or bisect_left(sizes, size + minimum) > bisect_right(sizes, size)


def _leaves_few(now: Sequence[Level], before: Sequence[Level], minimum: int) -> bool:
    """Remainders. Of a group that was told more than once, with other conditions, the largest counts as a part."""
    new = {level.expressions for level in now}
    merged: dict[tuple[str, ...], list[Level]] = {}
    for level in (*now, *before):
        merged.setdefault(level.expressions, []).append(level)
    for coarse, wholes in merged.items():
        for fine, parts in merged.items():
            if not (set(coarse) < set(fine) and (coarse in new or fine in new)):
                continue
            within = {column for level in parts for column in level.columns}
            about = [level for level in wholes if within.issuperset(level.columns)]
            for measure in {name for level in parts for name in level.measures}:
                if _remains(about, parts, coarse, measure, minimum):
                    return True
    return False


def _remains(
    wholes: Sequence[Level], parts: Sequence[Level], coarse: Sequence[str], measure: str, minimum: int
) -> bool:
    if measure != ROWS and not all(level.additive for level in parts):
        return False
    largest: dict[Key, tuple[Key, int]] = {}
    for level in parts:
        full = _projected(level, level.expressions, measure)
        for (key, size), (above, _) in zip(full, _projected(level, coarse, measure), strict=True):
            if size > largest.get(key, (above, -1))[1]:
                largest[key] = above, size
    together: dict[Key, int] = {}
    for above, size in largest.values():
        together[above] = together.get(above, 0) + size
    return any(
        key in together and 0 < abs(size - together[key]) < minimum
        for level in wholes
        for key, size in _projected(level, coarse, measure)
    )


def _projected(level: Level, expressions: Sequence[str], measure: str) -> Iterator[tuple[Key, int]]:
    """Per group its values of these expressions, and its count; nothing when it was not counted."""
    if measure not in level.measures:
        return
    places = [level.expressions.index(name) for name in expressions]
    counted = level.measures.index(measure)
    for key, sizes in level.cells:
        yield tuple([key[at] for at in places]), sizes[counted]

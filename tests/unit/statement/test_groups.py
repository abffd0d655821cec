from collections.abc import Hashable, Mapping
from fractions import Fraction
from itertools import combinations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from sluis.statement.groups import MAX_CELLS, Cell, released

Key = tuple[Hashable, ...]
Sizes = Mapping[Key, int]


def cells_of(sizes: Sizes) -> list[Cell]:
    return [Cell(key, size) for key, size in sizes.items()]


def told(sizes: Sizes, minimum: int, additive: bool = True) -> set[Key]:
    cells = cells_of(sizes)
    return {
        cell.key for cell, may in zip(cells, released(cells, minimum, additive=additive), strict=True) if may
    }


def test_a_group_below_the_minimum_is_absent() -> None:
    assert ("a",) not in told({("a",): 4, ("b",): 20, ("c",): 30}, 5)


def test_an_ungrouped_small_aggregate_gives_nothing() -> None:
    assert told({(): 4}, 5) == set()
    assert told({(): 5}, 5) == {()}


def test_one_hidden_group_takes_the_smallest_other_with_it() -> None:
    assert told({("a",): 4, ("b",): 20, ("c",): 30}, 5) == {("c",)}


def test_what_is_hidden_together_is_not_small() -> None:
    assert told({("a",): 1, ("b",): 2, ("c",): 9, ("d",): 10}, 5) == {("d",)}


def test_subjects_in_several_groups_are_not_added_up() -> None:
    assert told({("a",): 4, ("b",): 4, ("c",): 9, ("d",): 10}, 5, additive=False) == {("d",)}
    assert told({("a",): 4, ("b",): 4, ("c",): 9, ("d",): 10}, 5, additive=True) == {("c",), ("d",)}


def test_nothing_is_hidden_when_no_group_is_small() -> None:
    assert len(told({("a", "x"): 5, ("a", "y"): 6, ("b", "x"): 7}, 5)) == 3


def test_a_cell_between_two_rings_does_not_follow_from_them() -> None:
    # Two squares of hidden cells joined by one: every line has two hidden cells, yet the joint can be computed.
    sizes: dict[Key, int] = {(f"r{r}", f"c{c}"): 50 for r in range(5) for c in range(5)}
    for cell in [(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 2), (2, 3), (3, 2), (3, 3)]:
        sizes[f"r{cell[0]}", f"c{cell[1]}"] = 6 if cell != (1, 2) else 3
    assert not exposed(sizes, told(sizes, 5), 5)


def test_a_not_a_number_key_is_one_group() -> None:
    assert released([Cell((float("nan"),), 9), Cell((None,), 9)], 5, additive=True) == [True, True]


def test_too_many_groups_give_no_answer() -> None:
    assert not any(released([Cell((i,), 100) for i in range(MAX_CELLS + 1)], 5, additive=True))


def exposed(sizes: Sizes, shown: set[Key], minimum: int) -> set[Key]:
    """Small cells that the shown cells and all totals that are told determine, by elimination over the rationals."""
    hidden = [key for key in sizes if key not in shown]
    width = len(next(iter(sizes)))
    rows = []
    for kept in (kept for size in range(width) for kept in combinations(range(width), size)):
        totals: dict[Key, int] = {}
        for key, size in sizes.items():
            total = tuple(key[i] for i in kept)
            totals[total] = totals.get(total, 0) + size
        for value in told(totals, minimum):
            rows.append([Fraction(int(tuple(key[i] for i in kept) == value)) for key in hidden])
    pivots: list[tuple[int, list[Fraction]]] = []
    for row in rows:
        for at, other in pivots:
            row = [a - row[at] * b for a, b in zip(row, other, strict=True)]
        at = next((i for i, value in enumerate(row) if value), -1)
        if at < 0:
            continue
        row = [value / row[at] for value in row]
        pivots = [(i, [a - other[at] * b for a, b in zip(other, row, strict=True)]) for i, other in pivots]
        pivots.append((at, row))
    return {hidden[at] for at, row in pivots if sum(map(bool, row)) == 1 and sizes[hidden[at]] < minimum}


@given(st.data(), st.integers(1, 3), st.integers(2, 8))
@settings(max_examples=200, deadline=None)
def test_no_small_group_is_told_or_follows_from_totals(data: st.DataObject, width: int, minimum: int) -> None:
    keys: list[Key] = list(product(*["abc"[: data.draw(st.integers(1, 3))] for _ in range(width)]))
    present = data.draw(st.sets(st.sampled_from(keys), min_size=1))
    sizes: dict[Key, int] = {key: data.draw(st.integers(1, 12)) for key in sorted(present)}
    shown = told(sizes, minimum)
    assert all(sizes[key] >= minimum for key in shown)
    assert not shown or exposed(sizes, shown, minimum) == set()


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.randoms())
def test_the_order_of_groups_does_not_matter(sizes: list[int], random: object) -> None:
    table: Sizes = {(str(i),): size for i, size in enumerate(sizes)}
    shuffled = list(table.items())
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert told(table, 5) == told(dict(shuffled), 5)

"""Two answers that each tell of enough people, and subtracted tell of too few."""

import pytest

from sluis.statement.differencing import Level, too_close

K = 5


def level(cells: dict[tuple[str, ...], int], *expressions: str, additive: bool = True) -> Level:
    """Groups by plain columns, counted in people."""
    return measured({key: (size,) for key, size in cells.items()}, *expressions, additive=additive)


def measured(
    cells: dict[tuple[str, ...], tuple[int, ...]],
    *expressions: str,
    measures: tuple[str, ...] = ("people",),
    additive: bool = True,
) -> Level:
    return Level(expressions, tuple(sorted(expressions)), measures, additive, tuple(cells.items()))


def everyone(size: int) -> Level:
    return level({(): size})


@pytest.mark.parametrize(
    ("size", "close"), [(100, False), (99, True), (96, True), (95, False), (104, True), (105, False)]
)
def test_totals_that_differ_by_a_few_people_are_too_close(size: int, close: bool) -> None:
    assert too_close([everyone(size)], [everyone(100)], K) is close


def test_a_group_is_compared_with_the_same_group_only() -> None:
    towns = level({("a",): 100, ("b",): 60}, "p.town")
    assert too_close([level({("a",): 99}, "p.town")], [towns], K)
    assert not too_close([level({("c",): 99}, "p.town")], [towns], K)


def test_a_total_is_compared_with_the_groups_that_make_it_up() -> None:
    assert too_close([level({("a",): 97}, "p.town")], [everyone(100)], K)
    assert too_close([everyone(100)], [level({("a",): 97}, "p.town")], K)


def test_a_group_is_compared_with_finer_groups_in_it_alone() -> None:
    finer = level({("a", "f"): 96, ("b", "f"): 99}, "p.town", "p.sex")
    assert too_close([level({("a",): 100}, "p.town")], [finer], K)
    assert not too_close([level({("b",): 110}, "p.town")], [finer], K)


def test_groups_by_unrelated_columns_may_be_as_large_by_chance() -> None:
    assert not too_close([level({("a",): 99}, "p.town")], [level({("1970",): 100}, "p.year")], K)


def test_another_expression_of_the_same_column_hides_nothing() -> None:
    other = Level(("LEFT(p.town, 1)",), ("p.town",), ("people",), True, ((("A",), (99,)),))
    assert too_close([other], [level({("a",): 100}, "p.town")], K)


def test_what_is_left_of_a_total_must_be_many_or_none() -> None:
    told = [everyone(100), level({("a",): 60}, "p.town"), level({("b",): 30}, "p.town")]
    assert too_close([level({("c",): 7}, "p.town")], told, K)
    assert not too_close([level({("c",): 10}, "p.town")], told, K)
    assert not too_close([level({("c",): 5}, "p.town")], told, K)


def test_a_total_that_would_leave_few_is_not_told_after_its_parts() -> None:
    parts = [level({(name,): size}, "p.town") for name, size in (("a", 60), ("b", 30), ("c", 7))]
    assert too_close([everyone(100)], parts, K)
    assert not too_close([everyone(97)], parts, K)


def test_a_part_told_twice_counts_once() -> None:
    told = [everyone(100), level({("a",): 60}, "p.town"), level({("a",): 45}, "p.town")]
    assert not too_close([level({("b",): 20}, "p.town")], told, K)
    assert too_close([level({("b",): 38}, "p.town")], told, K)


def test_where_somebody_may_be_in_two_groups_only_rows_add_up() -> None:
    told = [everyone(100), level({("a",): 60}, "j.job", additive=False)]
    assert not too_close([level({("b",): 37}, "j.job", additive=False)], told, K)
    rows = [
        measured({(): (100,)}, measures=("rows",)),
        measured({("a",): (60,)}, "j.job", measures=("rows",), additive=False),
    ]
    assert too_close([measured({("b",): (37,)}, "j.job", measures=("rows",), additive=False)], rows, K)


def test_people_who_have_a_value_are_compared_apart() -> None:
    """The condition leaves out fifty people, of whom one has an income."""
    measures = ("people", "p.income")
    told = measured({(): (100, 40)}, measures=measures)
    assert too_close([measured({(): (50, 39)}, measures=measures)], [told], K)
    assert not too_close([measured({(): (50, 30)}, measures=measures)], [told], K)


def test_what_was_counted_in_one_answer_only_is_not_compared() -> None:
    told = measured({(): (100, 40)}, measures=("people", "p.income"))
    assert not too_close([measured({(): (50, 41)}, measures=("people", "p.wealth"))], [told], K)


def test_sums_of_what_was_told_of_two_unrelated_tables_may_be_close_by_chance() -> None:
    """Of each table some groups were not told, so that the sums are about different people."""
    towns = [
        Level((), ("p.town",), ("people",), True, (((), (97,)),)),
        level({("a",): 60, ("b",): 37}, "p.town"),
    ]
    years = [
        Level((), ("p.year",), ("people",), True, (((), (96,)),)),
        level({("1970",): 50, ("1980",): 46}, "p.year"),
    ]
    assert not too_close(years, towns, K)
    assert too_close([everyone(96)], towns, K)

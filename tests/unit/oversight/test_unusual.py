"""What counts as unusual: never a small number, never what is always so, and always what stands far out."""

from datetime import date, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sluis.oversight import unusual
from sluis.oversight.unusual import (
    FEWEST,
    askers,
    before,
    hours,
    is_unusual,
    normal,
    off_hours,
    often_looked_up,
    streaks,
    volumes,
)

DAY = date(2026, 11, 20)
COUNTS = st.lists(st.integers(0, 1000), max_size=60)


@given(COUNTS, st.integers(0, 50))
def test_what_is_normal_does_not_depend_on_the_order(counts: list[int], least: int) -> None:
    shuffled = list(counts)
    Random(1).shuffle(shuffled)
    often = {one: counts.count(one) for one in counts}
    assert normal(counts, least) == normal(shuffled, least) == normal(often, least)


@given(COUNTS, st.integers(0, 50), st.integers(0, 2000))
def test_a_small_count_is_never_unusual_and_more_is_not_less_unusual(
    counts: list[int], least: int, count: int
) -> None:
    of = normal(counts, least)
    assert not is_unusual(least, of)
    assert not is_unusual(int(of.typical), of)
    assert not is_unusual(count, of) or is_unusual(count + 1, of)


@given(st.integers(0, 500), st.integers(1, 40))
def test_what_is_always_so_is_not_unusual_and_a_hundred_times_as_much_is(value: int, days: int) -> None:
    of = normal([value] * days, 10)
    assert not is_unusual(value, of)
    assert is_unusual(100 * value + 100, of)


@given(st.lists(st.integers(0, 20), min_size=10, max_size=60), st.integers(1000, 10**6))
def test_one_very_large_count_does_not_make_itself_normal(counts: list[int], large: int) -> None:
    """As an average would: with many of the others below it."""
    assert is_unusual(large, normal([*counts, large], 10))


@given(st.dictionaries(st.integers(0, 60).map(lambda back: DAY - timedelta(days=back)), st.integers(1, 9)))
def test_the_days_before_are_before_alike_and_without_gaps(series: dict[date, int]) -> None:
    past = before(series, DAY)
    assert len(past) <= unusual.BACK
    earlier = sum(one for day, one in series.items() if DAY - timedelta(days=unusual.BACK) <= day < DAY)
    assert sum(past) <= earlier
    if series and len(past) >= unusual.ENOUGH and min(series) <= DAY - timedelta(days=unusual.BACK):
        assert len(past) == 20  # days of work in four weeks


def test_who_asks_far_more_than_before_is_found_and_who_always_does_not() -> None:
    days = [DAY - timedelta(days=back) for back in range(1, 25)]
    usual = {day: 40 for day in days if day.weekday() < 5}
    series = {("", "vlijtig"): {**usual, DAY: 44}, ("", "vreemd"): {**dict.fromkeys(usual, 4), DAY: 44}}
    assert [one.key for one in askers(series, [DAY])] == ["vreemd"]


def test_who_is_new_is_held_against_colleagues() -> None:
    series = {("", f"collega-{number}"): {DAY: 5} for number in range(9)} | {("", "nieuw"): {DAY: 80}}
    found = askers(series, [DAY])
    assert [(one.key, one.count) for one in found] == [("nieuw", 80)]
    assert found[0].normal.typical == 5


def test_who_asks_much_on_a_day_on_which_nobody_else_works_is_held_against_their_other_days() -> None:
    saturday = date(2026, 11, 21)
    days = {saturday - timedelta(days=back): 4 for back in range(1, 25)}
    worked = {day: count for day, count in days.items() if day.weekday() < 5}
    assert [one.count for one in askers({("", "alleen"): {**worked, saturday: 34}}, [saturday])] == [34]


def test_volumes_need_days_before_and_hours_need_other_hours() -> None:
    days = {DAY - timedelta(days=back): 10 for back in range(1, 25)}
    assert [one.count for one in volumes({("p", "a"): {**days, DAY: 200}}, [DAY])] == [200]
    assert volumes({("p", "a"): {DAY: 200}}, [DAY]) == []
    assert volumes({("p", "a"): {**days, DAY: 45}}, [DAY], "persons") == []
    (many,) = volumes({("p", "a"): {**days, DAY: 60}}, [DAY], "persons")
    assert (many.kind, many.count, many.peer, many.activity) == ("persons", 60, "p", "a")
    every = {(DAY, hour): 12 for hour in range(8, 17)}
    assert [one.hour for one in hours({"p": {**every, (DAY, 17): 90}}, [DAY])] == [17]
    assert hours({"p": {(DAY, 17): 90}}, [DAY]) == []


def test_work_outside_office_hours_is_unusual_for_who_does_not_always_do_it() -> None:
    nights = {DAY - timedelta(days=back): (20, 20) for back in range(1, 25)}
    series = {("", "nachtdienst"): {**nights, DAY: (20, 20)}, ("", "dagdienst"): {DAY: (20, 6)}}
    assert [one.key for one in off_hours(series, [DAY])] == ["dagdienst"]


def test_refusals_in_a_row_and_people_looked_up_have_a_least_number() -> None:
    assert [one.key for one in streaks({("p", "a", DAY): 11, ("p", "b", DAY): 10})] == ["a"]
    assert often_looked_up({1: 1000, 2: 50}).limit == FEWEST["person"]
    assert often_looked_up({40: 1000}).limit > 40

"""Groups of enough people from which the value of one could be read, and answers that tell it together."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.disclose.owner import Owner, disclosure, fill

from sluis.grounds import Aggregate
from sluis.kernel import Refused

Make = Callable[..., Owner]
K = 5


def person(number: int, city: str, income: int | None, secret: int = 0) -> tuple[Any, ...]:
    return (f"{number:04}", f"name{number}", "1000AA", 30 + number % 3, income, secret, city, number % 2)


def owner_of(path: Path, people: list[tuple[Any, ...]], *more: Any, **rules: Any) -> Owner:
    fill(path / "people.sqlite", people, [(i, one[0], "Kok", 100) for i, one in enumerate(people)])
    rule = Aggregate(**{"minimum": K, "budget": 50, **rules})
    return Owner(path, disclosure(aggregate=rule), *more)


async def refused(owner: Owner, sql: str, **changed: Any) -> str | None:
    with pytest.raises(Refused) as caught:
        await owner.ask(sql, **changed)
    return caught.value.rule


@pytest.mark.parametrize(
    "told", ["sum(p.income)", "avg(p.income)", "count(p.income)", "sum(p.income) + count(*)"]
)
async def test_a_large_group_in_which_one_has_a_value_is_not_told(tmp_path: Path, told: str) -> None:
    owner = owner_of(tmp_path, [person(at, "Zwolle", 777 if at == 3 else None) for at in range(9)])
    sql = f"SELECT p.city AS city, {told} AS x FROM persons AS p GROUP BY p.city"
    assert (await owner.ask(sql)).rows == []
    assert (
        await owner.ask("SELECT p.city AS city, count(*) AS n FROM persons AS p GROUP BY p.city")
    ).rows == [("Zwolle", 9)]


async def test_a_value_in_having_counts_as_told(tmp_path: Path) -> None:
    owner = owner_of(tmp_path, [person(at, "Zwolle", 777 if at == 3 else None) for at in range(9)])
    sql = "SELECT p.city AS city, count(*) AS n FROM persons AS p GROUP BY p.city HAVING sum(p.income) > 700"
    assert (await owner.ask(sql)).rows == []


async def test_a_group_without_values_does_not_hide_the_one_value_of_another(tmp_path: Path) -> None:
    """Zwolle has one income and Assen none: hiding the two would leave the one, as the total minus Emmen."""
    people = [person(at, "Zwolle", 777 if at == 3 else None) for at in range(9)]
    people += [person(at, "Assen", None) for at in range(10, 19)]
    people += [person(at, "Emmen", 100) for at in range(20, 29)]
    people += [person(at, "Goes", 100) for at in range(30, 45)]
    owner = owner_of(tmp_path, people)
    told = (
        await owner.ask("SELECT p.city AS city, sum(p.income) AS x FROM persons AS p GROUP BY p.city")
    ).rows
    assert sorted(told, key=str) == [("Assen", None), ("Goes", 1500)]


async def test_a_group_in_which_nobody_has_a_value_may_be_told(tmp_path: Path) -> None:
    owner = owner_of(tmp_path, [person(at, "Zwolle", None) for at in range(9)])
    assert (await owner.ask("SELECT sum(p.income) AS x FROM persons AS p")).rows == [(None,)]


async def test_people_of_data_whose_rows_may_be_seen_count_in_a_group_too(tmp_path: Path) -> None:
    people = [person(at, "Zwolle", 100) for at in range(9)]
    owner = owner_of(tmp_path, people, disclosure("jobs", subject_required=False))
    jobs = "SELECT j.job AS job, count(*) AS n FROM jobs AS j {} JOIN persons AS p ON p.bsn = j.bsn {} GROUP BY j.job"
    assert (await owner.ask(jobs.format("", ""))).rows == [("Kok", 9)]
    assert (await owner.ask(jobs.format("LEFT", "WHERE j.id = 3"))).rows == []


TOTAL = "SELECT sum(p.income) AS x FROM persons AS p"


@pytest.mark.parametrize(
    "second",
    [
        "SELECT sum(p.income) AS x FROM persons AS p WHERE p.name <> 'name4' GROUP BY left(p.city, 0)",
        "SELECT sum(p.income) AS x FROM persons AS p WHERE p.name <> 'name4' GROUP BY p.secret",
        "SELECT p.city AS c, sum(p.income) AS x FROM persons AS p WHERE p.name <> 'name4' GROUP BY p.city",
        "SELECT upper(p.city) AS c, sum(p.income) AS x FROM persons AS p WHERE p.name <> 'name4' GROUP BY upper(p.city)",
        "SELECT sum(p.income) AS x FROM persons AS p JOIN cities AS c ON c.city = p.city WHERE p.name <> 'name4'",
        "SELECT c.province AS x, sum(p.income) AS y FROM persons AS p JOIN cities AS c ON c.city = p.city "
        "WHERE p.name <> 'name4' GROUP BY c.province",
    ],
)
@pytest.mark.parametrize(
    "first", [TOTAL, "SELECT p.city AS c, sum(p.income) AS x FROM persons AS p GROUP BY p.city"]
)
async def test_another_grouping_or_a_join_does_not_get_past_differencing(
    tmp_path: Path, first: str, second: str
) -> None:
    people = [person(at, "Zwolle", 100 + at) for at in range(20)]
    owner = owner_of(tmp_path, people, disclosure("cities"))
    assert (await owner.ask(first)).rows
    assert await refused(owner, second) == "differencing"


async def test_the_parts_of_a_total_told_one_by_one_do_not_leave_a_few(tmp_path: Path) -> None:
    """Every town by itself, and the total: what is left is the one town that was not told."""
    people = [person(at, "Zwolle", 100) for at in range(9)] + [
        person(at, "Assen", 100) for at in range(10, 18)
    ]
    people += [person(at, "Emmen", 100) for at in range(20, 23)]
    owner = owner_of(tmp_path, people)
    for city in ("Zwolle", "Assen"):
        assert (await owner.ask(f"{TOTAL} WHERE p.city = $c", parameters={"c": city})).rows
    assert await refused(owner, TOTAL) == "differencing"


@pytest.mark.parametrize(
    "condition",
    [
        "p.bsn <> '0004'",
        "p.bsn = ANY($k)",
        "p.bsn > '0004'",
        "NOT p.bsn = '0004'",
        "lower(p.bsn) <> '0004'",
        "(p.bsn = p.name) IS NOT TRUE",
        "p.bsn = concat(p.name, '')",
    ],
)
async def test_people_are_not_picked_by_their_key(tmp_path: Path, condition: str) -> None:
    owner = owner_of(tmp_path, [person(at, "Zwolle", 100) for at in range(20)])
    people = ["0001", "0002"] if "$k" in condition else None
    with pytest.raises(Refused) as caught:
        await owner.ask(f"{TOTAL} WHERE {condition}", people)
    assert caught.value.rule == "aggregate-only"


async def test_a_dataset_is_not_joined_with_itself(tmp_path: Path) -> None:
    owner = owner_of(tmp_path, [person(at, "Zwolle", 100) for at in range(20)])
    sql = "SELECT sum(p.income) AS x FROM persons AS p JOIN persons AS q ON q.bsn = p.bsn WHERE p.city = 'Zwolle'"
    assert await refused(owner, sql) == "aggregate-only"

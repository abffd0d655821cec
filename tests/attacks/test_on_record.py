"""Whoever an answer tells something about is on record, or there is no answer."""

from collections.abc import Callable

import pytest
from tests.unit.disclose.owner import ANN, BOB, CIM, DEE, Owner, disclosure

from sluis.kernel import Refused

Make = Callable[..., Owner]


def owner(make: Make, **changed: object) -> Owner:
    names = ("persons", "jobs", "cities")
    return make(*(disclosure(name, subject_required=False, **changed) for name in names))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT p.bsn AS bsn, max(p.income) AS x FROM persons AS p GROUP BY p.bsn",
        "SELECT array_agg(p.name) AS x FROM persons AS p",
        "SELECT string_agg(p.name, ',') AS x FROM persons AS p",
        "SELECT p.city AS city, count(*) AS x FROM persons AS p GROUP BY p.city",
        "SELECT x.city AS city, max(x.name) AS n FROM (SELECT p.city AS city, p.name AS name FROM persons AS p) AS x GROUP BY x.city",
    ],
)
async def test_an_aggregate_of_rows_that_may_be_seen_is_about_everyone_in_it(make: Make, sql: str) -> None:
    one = owner(make)
    answered = await one.ask(sql)
    assert sorted(one.log.subjects()) == [ANN, BOB, CIM, DEE]
    assert answered.closing.receipt.subjects == 4
    with pytest.raises(Refused) as caught:
        await owner(make, max_subjects=3).ask(sql)
    assert caught.value.rule == "too-many-subjects"


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT (SELECT p.income FROM persons AS p WHERE p.name = 'Ann') AS x FROM cities AS c",
        "SELECT c.city AS x FROM cities AS c WHERE EXISTS (SELECT 1 AS y FROM persons AS p WHERE p.name = 'Ann' AND p.city = c.city)",
        "SELECT c.city AS x FROM cities AS c WHERE c.city IN (SELECT p.city FROM persons AS p WHERE p.name = 'Ann')",
        "SELECT c.city AS x FROM cities AS c SEMI JOIN persons AS p ON p.city = c.city AND p.name = 'Ann'",
        "SELECT p.name AS x, (SELECT max(q.income) FROM persons AS q WHERE q.city = p.city) AS y FROM persons AS p WHERE p.name = 'Bob'",
        "SELECT p.name AS x FROM persons AS p WHERE p.name = 'Bob' AND EXISTS (SELECT 1 AS y FROM jobs AS j WHERE j.bsn = p.city OR j.job = 'Kok')",
        "SELECT p.name AS x, lag(p.name) OVER (ORDER BY p.bsn) AS y FROM persons AS p ORDER BY p.bsn DESC LIMIT 1",
        "SELECT string_agg(p.name, ',') OVER () AS x FROM persons AS p LIMIT 1",
        "SELECT x.y AS y FROM (SELECT p.name AS n, max(p.income) OVER () AS y FROM persons AS p) AS x WHERE x.n = 'Ann'",
        "SELECT p.name AS x, max(p.income) OVER () AS y FROM persons AS p QUALIFY row_number() OVER (ORDER BY p.bsn) = 1",
    ],
)  # fmt: skip
async def test_nothing_is_told_of_people_outside_the_rows(make: Make, sql: str) -> None:
    with pytest.raises(Refused) as caught:
        await owner(make).ask(sql)
    assert caught.value.rule == "not-traceable"


@pytest.mark.parametrize(
    ("sql", "people"),
    [
        ("SELECT p.name AS x FROM persons AS p SEMI JOIN jobs AS j ON j.bsn = p.bsn AND j.job = 'Smid'", [BOB]),
        ("SELECT p.name AS x FROM persons AS p WHERE p.bsn IN (SELECT j.bsn FROM jobs AS j WHERE j.job = 'Smid')", [BOB]),
        ("SELECT p.name AS x FROM persons AS p WHERE NOT EXISTS (SELECT 1 AS y FROM jobs AS j WHERE p.bsn = j.bsn)", [DEE]),
        ("SELECT p.name AS x, (SELECT max(j.wage) FROM jobs AS j WHERE j.bsn = p.bsn) AS y FROM persons AS p WHERE p.name = 'Ann'", [ANN]),
        ("SELECT c.city AS x FROM cities AS c WHERE EXISTS (SELECT 1 AS y FROM persons AS p WHERE p.bsn = '999990019' AND p.city = c.city)", [ANN]),
        ("SELECT p.name AS x, row_number() OVER (ORDER BY p.income) AS n FROM persons AS p ORDER BY n LIMIT 1", [ANN]),
        ("SELECT j.job AS x, sum(j.wage) OVER (PARTITION BY j.bsn) AS y FROM jobs AS j WHERE j.job = 'Bakker' LIMIT 1", [ANN]),
    ],
)  # fmt: skip
async def test_what_is_about_the_people_in_the_rows_is_answered(
    make: Make, sql: str, people: list[str]
) -> None:
    one = owner(make)
    await one.ask(sql)
    assert one.log.subjects() == people


async def test_a_masked_key_ties_nobody_to_the_rows(make: Make) -> None:
    masked = make(
        disclosure(subject_required=False, masks={"bsn": "'x'"}),
        disclosure("jobs", subject_required=False, masks={"bsn": "'x'"}),
    )
    with pytest.raises(Refused) as caught:
        await masked.ask("SELECT p.name AS x FROM persons AS p SEMI JOIN jobs AS j ON j.bsn = p.bsn")
    assert caught.value.rule == "not-traceable"

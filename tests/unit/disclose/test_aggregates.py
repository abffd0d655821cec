import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlglot import exp
from tests.unit.disclose.owner import ASKER, OTHER, PERSONS, Owner, disclosure, fill

from sluis.grounds import Aggregate
from sluis.kernel import Invalid, Refused, Upstream
from sluis.ledger import Processing
from sluis.statement import Guarded, Seal, guarded, parse, qualify

Make = Callable[..., Owner]
CITIES = {"Zwolle": 9, "Assen": 7, "Emmen": 3, "Goes": 6}
PEOPLE = [
    (f"{place}{number:03}", f"name{number}", None, 30 + number % 3, 1000 * (place + 1), 0, city, place)
    for place, (city, count) in enumerate(CITIES.items())
    for number in range(count)
]
BY_CITY = "SELECT p.city AS city, count(*) AS n FROM persons AS p GROUP BY p.city"


@pytest.fixture
def groups(tmp_path: Path) -> Callable[..., Owner]:
    fill(tmp_path / "people.sqlite", PEOPLE, [(i, person[0], "Kok", 100) for i, person in enumerate(PEOPLE)])

    def make(**rules: Any) -> Owner:
        rule = Aggregate(**{"minimum": 5, "budget": 50, **rules})
        return Owner(
            tmp_path, disclosure(aggregate=rule), disclosure("jobs", aggregate=rule),
            disclosure("cities", columns={"city": "output", "province": "output"}),
        )  # fmt: skip

    return make


async def rule_of(owner: Owner, sql: str, **changed: Any) -> str | None:
    with pytest.raises(Refused) as caught:
        await owner.ask(sql, **changed)
    return caught.value.rule


async def test_small_groups_and_what_would_tell_them_are_absent(groups: Make) -> None:
    assert sorted((await groups().ask(BY_CITY)).rows) == [("Assen", 7), ("Zwolle", 9)]


async def test_an_ungrouped_small_aggregate_gives_no_row(groups: Make) -> None:
    sql = "SELECT avg(p.income) AS x FROM persons AS p WHERE p.city = $c"
    assert (await groups().ask(sql, parameters={"c": "Emmen"})).rows == []
    assert (await groups().ask(sql, parameters={"c": "Goes"})).rows == [(4000.0,)]
    assert (await groups().ask(sql, parameters={"c": "Nowhere"})).rows == []


async def test_groups_are_counted_in_people_not_in_rows(tmp_path: Path) -> None:
    fill(tmp_path / "people.sqlite", PEOPLE, [(i, PEOPLE[0][0], "Kok", 100) for i in range(20)])
    owner = Owner(tmp_path, disclosure("jobs", aggregate=Aggregate(5)))
    assert (await owner.ask("SELECT j.job AS job, count(*) AS n FROM jobs AS j GROUP BY j.job")).rows == []


async def test_a_key_that_only_the_dataset_declares_does_not_make_rows_people(tmp_path: Path) -> None:
    fill(tmp_path / "people.sqlite", [], [])
    with sqlite3.connect(tmp_path / "people.sqlite") as connection:
        connection.execute("CREATE TABLE loose AS SELECT * FROM person")
        connection.executemany("INSERT INTO loose VALUES (?, ?, ?, ?, ?, ?, ?, ?)", PEOPLE[:1] * 20)
        connection.execute("DROP TABLE person")
        connection.execute("ALTER TABLE loose RENAME TO person")
    owner = Owner(tmp_path, disclosure(aggregate=Aggregate(5)))
    assert (await owner.ask(BY_CITY)).rows == []


def test_people_are_counted_apart_unless_each_row_is_somebody_else() -> None:
    persons = Guarded(disclosure(aggregate=Aggregate(5)), PERSONS.subject, PERSONS.key, "bsn")
    apart = msgspec.structs.replace(persons, one_row_each=True)
    types = {"": {"persons": {column.name: column.type for column in PERSONS.columns}}}
    tree = qualify(parse(BY_CITY), types, types)
    assert guarded(tree, {("", "persons"): persons})[0].find(exp.Distinct)
    assert not guarded(tree, {("", "persons"): apart})[0].find(exp.Distinct)


async def test_hidden_columns_do_not_leave(groups: Make) -> None:
    answered = await groups().ask(BY_CITY)
    assert answered.table.column_names == ["city", "n"]


async def test_order_and_limit_work_on_what_is_told(groups: Make) -> None:
    answered = await groups().ask(BY_CITY + " ORDER BY count(*) LIMIT 1")
    assert answered.rows == [("Assen", 7)]
    answered = await groups().ask(BY_CITY + " ORDER BY n DESC LIMIT 1 OFFSET 1")
    assert answered.rows == [("Assen", 7)]


async def test_having_works_on_what_is_told(groups: Make) -> None:
    answered = await groups().ask(BY_CITY + " HAVING sum(p.income) > 9000")
    assert answered.rows == [("Assen", 7)]
    assert (await groups().ask(BY_CITY + " HAVING count(*) < 5")).rows == []


async def test_a_group_may_be_a_steady_function_of_a_column(groups: Make) -> None:
    sql = "SELECT left(p.city, 1) AS c, avg(p.income) AS x FROM persons AS p GROUP BY left(p.city, 1)"
    assert sorted((await groups().ask(sql)).rows) == [("A", 2000.0), ("Z", 1000.0)]


async def test_groups_over_a_join_by_the_whole_key(groups: Make) -> None:
    sql = "SELECT c.city AS city, sum(p.income) AS x FROM persons AS p JOIN cities AS c ON c.city = p.city GROUP BY c.city"
    assert sorted((await groups().ask(sql)).rows) == [("Assen", 14000), ("Zwolle", 9000)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT p.name AS x FROM persons AS p",
        "SELECT DISTINCT p.city AS x FROM persons AS p",
        "SELECT p.city AS x FROM persons AS p GROUP BY p.city, p.bsn HAVING max(p.income) > 1",
        "SELECT max(p.income) AS x FROM persons AS p",
        "SELECT count(DISTINCT p.income) AS x FROM persons AS p",
        "SELECT array_agg(p.name) AS x FROM persons AS p",
        "SELECT median(p.income) AS x FROM persons AS p",
        "SELECT sum(CASE WHEN p.bsn = '0000' THEN p.income ELSE 0 END) AS x FROM persons AS p",
        "SELECT sum(p.income) FILTER (WHERE p.bsn = '0000') AS x FROM persons AS p",
        "SELECT sum(p.income * p.age) AS x FROM persons AS p",
        "SELECT count(*) AS x FROM persons AS p GROUP BY p.bsn = '0000'",
        "SELECT count(*) AS x FROM persons AS p GROUP BY CASE WHEN p.bsn = '0000' THEN 1 ELSE 2 END",
        "SELECT p.city AS x, count(*) AS n FROM persons AS p GROUP BY ROLLUP (p.city)",
        "SELECT p.city AS x, count(*) AS n FROM persons AS p GROUP BY CUBE (p.city)",
        "SELECT p.city AS x, count(*) AS n FROM persons AS p GROUP BY p.city ORDER BY sum(p.income)",
        "SELECT p.city AS x, sum(count(*)) OVER () AS n FROM persons AS p GROUP BY p.city",
        "SELECT x.n AS n FROM (SELECT p.city AS c, count(*) AS n FROM persons AS p GROUP BY p.city) AS x",
        "SELECT count(*) AS n FROM persons AS p WHERE p.income > (SELECT avg(q.income) AS a FROM persons AS q)",
        "SELECT count(*) AS n FROM persons AS p UNION ALL SELECT count(*) AS n FROM persons AS p",
        "SELECT sum(p.income) AS n FROM persons AS p JOIN jobs AS j ON j.bsn = p.bsn",
        "SELECT sum(p.income) AS n FROM persons AS p CROSS JOIN cities AS c",
    ],
)  # fmt: skip
async def test_nothing_but_groups_may_be_asked(groups: Make, sql: str) -> None:
    assert await rule_of(groups(), sql) == "aggregate-only"


async def test_a_function_that_the_disclosure_names_is_allowed(groups: Make) -> None:
    functions = {"income": ("max", "count_distinct")}
    sql = "SELECT max(p.income) AS x, count(DISTINCT p.income) AS y FROM persons AS p"
    assert (await groups(functions=functions).ask(sql)).rows == [(4000, 4)]
    assert (
        await rule_of(groups(functions=functions), "SELECT min(p.income) AS x FROM persons AS p")
        == "aggregate-only"
    )


async def test_different_questions_draw_on_the_budget_and_the_same_does_not(groups: Make) -> None:
    owner = groups(budget=2)
    sql = "SELECT count(*) AS n FROM persons AS p WHERE p.house = $h"
    for house in (0, 1, 0, 1):
        await owner.ask(sql, parameters={"h": house})
    assert await rule_of(owner, sql, parameters={"h": 3}) == "aggregate-budget"


async def test_two_questions_that_differ_by_a_few_people_are_refused(groups: Make) -> None:
    owner = groups()
    await owner.ask("SELECT sum(p.income) AS x FROM persons AS p")
    assert (
        await rule_of(owner, "SELECT sum(p.income) AS x FROM persons AS p WHERE p.city <> 'Emmen'")
        == "differencing"
    )
    await owner.ask("SELECT avg(p.income) AS x FROM persons AS p WHERE p.city <> 'Goes'")
    sql = "SELECT count(*) AS x FROM persons AS q WHERE q.name <> $n OR q.house <> 0"
    assert await rule_of(owner, sql, parameters={"n": "name0"}) == "differencing"


async def test_questions_about_different_people_are_not_too_close(groups: Make) -> None:
    owner = groups()
    sql = "SELECT sum(p.income) AS x FROM persons AS p WHERE p.city = $c"
    for city in ("Zwolle", "Assen", "Goes"):
        assert len((await owner.ask(sql, parameters={"c": city})).rows) == 1


async def test_two_spellings_of_one_value_do_not_make_two_groups_of_people(groups: Make) -> None:
    owner = groups()
    sql = "SELECT sum(p.income) AS x FROM persons AS p WHERE p.house = {} AND p.name <> {}"
    await owner.ask(sql.format("1", "'x'"))
    assert await rule_of(owner, sql.format("1.0", "'name0'")) == "differencing"
    assert await rule_of(owner, sql.format("$h", "'name1'"), parameters={"h": 1}) == "differencing"


async def test_the_same_question_again_gives_the_same_answer(groups: Make) -> None:
    owner = groups()
    assert (await owner.ask(BY_CITY)).rows == (await owner.ask(BY_CITY)).rows


async def test_a_bulk_aggregate_is_one_line_without_subject(groups: Make) -> None:
    owner = groups()
    await owner.ask(BY_CITY)
    lines = [one for one in owner.log.records if isinstance(one, Processing)]
    assert len(lines) == 1
    assert owner.log.subjects() == []


COMBINED = "SELECT p.bsn AS bsn, p.income AS income FROM persons AS p"
SEAL = Seal("q1", columns=("bsn",))


async def test_the_combiner_gets_rows_with_the_subject_sealed(groups: Make) -> None:
    owner = groups(combiner=ASKER)
    answered = await owner.ask(COMBINED, seal=SEAL, combining=True)
    assert answered.table.num_rows == len(PEOPLE)
    assert not {row[0] for row in answered.rows} & {person[0] for person in PEOPLE}
    assert sorted(row[1] for row in answered.rows) == sorted(person[4] for person in PEOPLE)


@pytest.mark.parametrize(
    "changed",
    [{"seal": SEAL}, {"seal": Seal("q1"), "combining": True}, {"combining": True}],
    ids=["not-said", "not-sealed", "no-seal"],
)
async def test_rows_leave_to_a_combiner_only_when_it_says_so_and_seals(
    groups: Make, changed: dict[str, Any]
) -> None:
    assert await rule_of(groups(combiner=ASKER), COMBINED, **changed) in {
        "aggregate-only",
        "column-join-only",
    }


async def test_another_than_the_combiner_gets_no_rows(groups: Make) -> None:
    assert await rule_of(groups(combiner=OTHER), COMBINED, seal=SEAL, combining=True) == "aggregate-only"
    assert await rule_of(groups(), COMBINED, seal=SEAL, combining=True) == "aggregate-only"


async def test_an_aggregate_that_overflows_reads_as_a_source_that_fails(tmp_path: Path) -> None:
    people = [(f"{i}", "n", None, 1, 2**62, 0, "Goes", 1) for i in range(9)]
    fill(tmp_path / "people.sqlite", people, [])
    owner = Owner(tmp_path, disclosure(aggregate=Aggregate(5)))
    with pytest.raises(Upstream):
        await owner.ask("SELECT sum(p.income) AS x FROM persons AS p")


async def test_a_question_for_groups_is_still_checked_for_roles(groups: Make, tmp_path: Path) -> None:
    owner = Owner(tmp_path, disclosure(columns={"city": "output"}, aggregate=Aggregate(5)))
    assert await rule_of(owner, "SELECT avg(p.income) AS x FROM persons AS p") == "column-closed"
    with pytest.raises(Invalid):
        await owner.ask("SELECT avg(p.wage) AS x FROM persons AS p")

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.unit.disclose.owner import (
    ANN,
    BOB,
    CIM,
    DEE,
    JOBS,
    PEOPLE,
    PERSONS,
    WORK,
    Owner,
    dataset,
    disclosure,
    fill,
)

from sluis.grounds import Column
from sluis.kernel import Invalid, Refused

Make = Callable[..., Owner]
EVERYONE = "SELECT p.bsn AS bsn FROM persons AS p WHERE "
MASKED: dict[str, Any] = {
    "masks": {"postcode": "left(postcode, 4)", "income": "NULL"},
    "subject_required": False,
}


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("p.postcode = '1000AA'", []),
        ("p.postcode = '1000'", [ANN, BOB]),
        ("p.postcode LIKE '%AA'", []),
        ("length(p.postcode) = 4", [ANN, BOB, CIM, DEE]),
        ("p.income > 0", []),
        ("p.income IS NULL", [ANN, BOB, CIM, DEE]),
        ("EXISTS (SELECT 1 AS x FROM persons AS q WHERE q.postcode = '1000AA' AND q.bsn = p.bsn)", []),
    ],
)
async def test_mask_is_seen_by_predicates(make: Make, where: str, found: list[str]) -> None:
    answered = await make(disclosure(**MASKED)).ask(EVERYONE + where)
    assert sorted(row[0] for row in answered.rows) == found


@pytest.mark.parametrize(
    "tail", ["ORDER BY p.income, p.bsn DESC", "ORDER BY p.income DESC, p.bsn DESC"], ids=["up", "down"]
)
async def test_mask_is_seen_by_orders(make: Make, tail: str) -> None:
    answered = await make(disclosure(**MASKED)).ask(f"{EVERYONE}true {tail}")
    assert [row[0] for row in answered.rows] == [DEE, CIM, BOB, ANN]


async def test_mask_is_seen_by_joins(make: Make) -> None:
    sql = "SELECT p.bsn AS a, q.bsn AS b FROM persons AS p JOIN persons AS q ON p.postcode = q.postcode WHERE p.bsn < q.bsn"
    answered = await make(disclosure(**MASKED)).ask(sql)
    assert sorted(answered.rows) == [(ANN, BOB), (CIM, DEE)]


async def test_a_masked_subject_is_still_on_record_as_who_it_is(make: Make) -> None:
    owner = make(disclosure(masks={"bsn": "'x' || right(bsn, 2)"}, subject_required=False))
    answered = await owner.ask("SELECT p.bsn AS bsn FROM persons AS p WHERE p.name = 'Ann'")
    assert (answered.rows, owner.log.subjects()) == ([("x19",)], [ANN])


async def test_the_owners_condition_looks_at_real_values(make: Make) -> None:
    one = disclosure(rows="income > 200000 AND postcode LIKE '%B'", **MASKED)
    answered = await make(one).ask(EVERYONE + "true")
    assert sorted(answered.rows) == [(BOB,)]


async def test_a_condition_without_a_value_hides_the_row(make: Make) -> None:
    answered = await make(disclosure(rows="age > 0", subject_required=False)).ask(EVERYONE + "true")
    assert DEE not in {row[0] for row in answered.rows}


async def test_a_hidden_row_never_drops_the_other_side_of_an_outer_join(make: Make) -> None:
    owner = make(
        disclosure(rows="secret = 0", subject_required=False), disclosure("jobs", subject_required=False)
    )
    sql = "SELECT j.id AS id, p.name AS name FROM jobs AS j LEFT JOIN persons AS p ON p.bsn = j.bsn"
    assert sorted((await owner.ask(sql)).rows) == [(1, "Ann"), (2, "Ann"), (3, "Bob"), (4, None)]


async def test_today_in_an_owners_condition_is_the_owners_day(make: Make) -> None:
    owner = make(disclosure(rows="CURRENT_DATE = DATE '2026-06-01'", subject_required=False))
    assert len((await owner.ask(EVERYONE + "true")).rows) == 4
    owner = make(disclosure(rows="CURRENT_DATE = DATE '2026-06-02'", subject_required=False))
    assert (await owner.ask(EVERYONE + "$today = $today", parameters={"today": "2026-06-02"})).rows == []


async def test_an_asker_cannot_set_the_owners_day(make: Make) -> None:
    owner = make(disclosure(rows="CURRENT_DATE = DATE '2026-06-02'", subject_required=False))
    for name in ("sluis_own_day", "Sluis_Own_Day"):
        with pytest.raises(Invalid):
            await owner.ask(f"{EVERYONE}${name} = ${name}", parameters={name: "2026-06-02"})


async def test_hidden_columns_cannot_be_named(make: Make) -> None:
    owner = make(disclosure(masks={"bsn": "'x'"}, subject_required=False))
    with pytest.raises(Invalid):
        await owner.ask('SELECT p."subject$" AS x FROM persons AS p')


def viewed(path: Path, **columns: Any) -> Owner:
    """Persons with columns that the view computes or casts."""
    made = dataset("persons", "bsn:VARCHAR", "bsn", ("bsn",), table="person")
    extra = tuple(Column(name, **told) for name, told in columns.items())
    view = type(made)(**{
        **{field: getattr(made, field) for field in made.__struct_fields__}, "columns": (*made.columns, *extra)
    })  # fmt: skip
    one = disclosure(columns={column.name: "output" for column in view.columns}, subject_required=False)
    return Owner(path, one, datasets=(view,))


async def test_a_column_may_be_renamed_computed_and_cast(tmp_path: Path) -> None:
    owner = viewed(
        tmp_path,
        town={"type": "VARCHAR", "source": "city"},
        adult={"type": "BOOLEAN", "expression": "age >= 18"},
        number={"type": "BIGINT", "source": "bsn"},
    )
    sql = (
        "SELECT p.town AS town, p.adult AS adult, p.number AS number FROM persons AS p WHERE p.bsn = ANY($k)"
    )
    assert (await owner.ask(sql, [ANN])).rows == [("Zwolle", True, int(ANN))]


async def test_two_datasets_over_one_table_keep_their_own_views(tmp_path: Path) -> None:
    fill(tmp_path / "people.sqlite", PEOPLE, JOBS)
    again = dataset("again", "bsn:VARCHAR name:VARCHAR", "bsn", ("bsn",), table="person")
    owner = Owner(
        tmp_path,
        disclosure(rows="name <> 'Bob'", subject_required=False),
        disclosure("again", columns={"bsn": "output", "name": "output"}, masks={"name": "upper(name)"}, subject_required=False),
        datasets=(PERSONS, WORK, again),
    )  # fmt: skip
    sql = "SELECT p.name AS one, a.name AS other FROM persons AS p JOIN again AS a ON a.bsn = p.bsn WHERE p.city = 'Zwolle'"
    assert (await owner.ask(sql)).rows == [("Ann", "ANN")]


@pytest.mark.parametrize("column", ["bsn", "name"])
async def test_a_join_column_does_not_leave_in_the_clear(make: Make, column: str) -> None:
    one = disclosure(columns={"bsn": "join", "name": "output"}, subject_required=False)
    owner = make(one, disclosure("jobs", subject_required=False))
    sql = f"SELECT p.{column} AS x, j.job AS job FROM persons AS p JOIN jobs AS j ON j.bsn = p.bsn WHERE j.job = 'Smid'"
    if column == "name":
        assert (await owner.ask(sql)).rows == [("Bob", "Smid")]
        return
    with pytest.raises(Refused) as caught:
        await owner.ask(sql)
    assert caught.value.rule == "column-join-only"

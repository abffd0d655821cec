"""A value at the source that does not fit its column is a broken row: told, never dropped; and a hidden one tells nothing.

All persons are fictitious.
"""

import logging
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from tests.servers import Server
from tests.unit.disclose.owner import ANN, BOB, CIM, DEE, Owner, dataset, disclosure

from sluis.grounds import Aggregate, Column, Dataset
from sluis.kernel import Upstream
from sluis.sources import open_source

BIRTHS = dataset("births", "bsn:VARCHAR day:DATE town:VARCHAR", "bsn", ("bsn",), table="birth")
WEDDINGS = dataset("weddings", "bsn:VARCHAR day:DATE", "bsn", ("bsn",), table="wedding")
ROWS = [(ANN, "1990-02-03", "Zwolle"), (BOB, "19900200", "Zwolle"), (CIM, "1970-01-01", "Assen")]
WED = [(ANN, "2020-01-01"), (BOB, "no day")]
OPEN: dict[str, Any] = {"bsn": "output", "day": "output", "town": "output"}

Make = Callable[..., Owner]


@pytest.fixture(params=["sqlite", "csv", "postgres"])
def births(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """An owner whose sources keep days as text, BOB's not as a day."""
    url = {"sqlite": _sqlite, "csv": _csv, "postgres": _postgres}[request.param](request, tmp_path)
    source = open_source(url)

    def make(*disclosures: Any, datasets: tuple[Dataset, ...] = (BIRTHS, WEDDINGS), **told: Any) -> Owner:
        shown = disclosures or (
            disclosure("births", columns=OPEN, **{"subject_required": False, **told}),
            disclosure("weddings", columns={"bsn": "output", "day": "output"}, subject_required=False),
        )
        return Owner(tmp_path, *shown, datasets=datasets, source=source)

    yield make
    source.close()


def _sqlite(request: pytest.FixtureRequest, path: Path) -> str:
    with sqlite3.connect(path / "births.sqlite") as connection:
        connection.execute("CREATE TABLE birth (bsn TEXT PRIMARY KEY, day TEXT, town TEXT)")
        connection.execute("CREATE TABLE wedding (bsn TEXT PRIMARY KEY, day TEXT)")
        connection.executemany("INSERT INTO birth VALUES (?, ?, ?)", ROWS)
        connection.executemany("INSERT INTO wedding VALUES (?, ?)", WED)
    connection.close()
    return f"sqlite:///{path / 'births.sqlite'}"


def _csv(request: pytest.FixtureRequest, path: Path) -> str:
    folder = path / "csv"
    folder.mkdir()
    for name, header, rows in (("birth", "bsn,day,town", ROWS), ("wedding", "bsn,day", WED)):
        lines = "\n".join([header, *(",".join(row) for row in rows)])
        (folder / f"{name}.csv").write_text(lines + "\n")
    return f"file://{folder}"


def _postgres(request: pytest.FixtureRequest, path: Path) -> str:
    server: Server = request.getfixturevalue("postgres")
    with psycopg.connect(server.url, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS birth, wedding")
        cursor.execute("CREATE TABLE birth (bsn text PRIMARY KEY, day text, town text)")
        cursor.execute("CREATE TABLE wedding (bsn text PRIMARY KEY, day text)")
        cursor.executemany("INSERT INTO birth VALUES (%s, %s, %s)", ROWS)
        cursor.executemany("INSERT INTO wedding VALUES (%s, %s)", WED)
    return server.reader


ALL = "SELECT b.bsn AS bsn, b.day AS day FROM births AS b"


async def broken(owner: Owner, sql: str, *more: Any, **told: Any) -> bool:
    try:
        await owner.ask(sql, *more, **told)
    except Upstream as problem:
        return problem.code == "source-unavailable"
    return False


@pytest.mark.parametrize(
    "sql",
    [
        ALL,
        f"{ALL} WHERE b.day > DATE '1980-01-01'",
        f"{ALL} WHERE b.day IS NULL",
        "SELECT b.bsn AS bsn FROM births AS b ORDER BY b.day LIMIT 1",
        "SELECT COUNT(b.day) AS days FROM births AS b",
        "SELECT b.town AS town, w.day AS day FROM births AS b JOIN weddings AS w ON w.bsn = b.bsn",
        "SELECT b.town AS town FROM births AS b JOIN weddings AS w ON w.bsn = b.bsn AND w.day > b.day",
        "SELECT b.town AS town, w.day AS day FROM births AS b LEFT JOIN weddings AS w ON w.bsn = b.bsn",
        "SELECT b.town AS town FROM births AS b JOIN weddings AS w ON w.day = b.day",
        "SELECT b.town AS town FROM births AS b CROSS JOIN weddings AS w WHERE w.day = b.day AND b.town = 'Assen'",
        f"{ALL} WHERE b.town = 'Assen' OR b.day IS NULL",
        "SELECT b.town AS town FROM births AS b WHERE b.bsn IN (SELECT w.bsn FROM weddings AS w WHERE w.day IS NULL)",
        "WITH c AS (SELECT b.bsn AS bsn, b.day AS day FROM births AS b) SELECT c.day AS day FROM c",
        "SELECT s.day AS day FROM (SELECT b.day AS day FROM births AS b) AS s",
        "SELECT b.day AS day FROM births AS b UNION ALL SELECT w.day AS day FROM weddings AS w",
        "SELECT b.town AS town, MIN(b.day) AS first FROM births AS b GROUP BY b.town HAVING COUNT(*) > 9",
    ],
)
async def test_a_broken_value_that_counts_fails_the_question(births: Make, sql: str) -> None:
    assert await broken(births(), sql)


async def test_the_operator_is_told_the_place_and_no_person(
    births: Make, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert await broken(births(), ALL)
    assert "broken-row at birth.day" in caplog.text
    assert BOB not in caplog.text


async def test_columns_that_are_not_asked_for_are_not_looked_at(births: Make) -> None:
    answered = await births().ask("SELECT b.bsn AS bsn, b.town AS town FROM births AS b")
    assert len(answered.rows) == 3


async def test_a_row_that_the_key_leaves_out_fails_nothing(births: Make) -> None:
    owner = births()
    assert len((await owner.ask(f"{ALL} WHERE b.bsn = ANY($k)", [ANN, CIM, DEE])).rows) == 2
    assert await broken(owner, f"{ALL} WHERE b.bsn = ANY($k)", [ANN, BOB])


async def test_a_row_that_the_key_leaves_out_through_a_join_fails_nothing(births: Make) -> None:
    sql = "SELECT w.day AS day FROM births AS b JOIN weddings AS w ON w.bsn = b.bsn WHERE b.bsn = ANY($k)"
    owner = births()
    assert len((await owner.ask(sql, [ANN])).rows) == 1
    assert await broken(owner, sql, [BOB])


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        (f"{ALL} WHERE b.town = 'Assen' AND b.day > DATE '1900-01-01'", 1),
        ("SELECT MIN(b.day) AS first FROM births AS b WHERE b.town LIKE 'A%'", 1),
        (
            "SELECT w.day AS day FROM births AS b JOIN weddings AS w ON w.bsn = b.bsn AND b.town = 'Assen'",
            0,
        ),
    ],
)
async def test_a_row_that_the_question_drops_anyhow_fails_nothing(births: Make, sql: str, rows: int) -> None:
    assert len((await births().ask(sql)).rows) == rows


async def test_a_row_that_the_owner_hides_fails_nothing_and_reads_as_absent(births: Make) -> None:
    owner = births(rows=f"bsn <> '{BOB}'")
    assert {row[0] for row in (await owner.ask(ALL)).rows} == {ANN, CIM}
    assert (await owner.ask(f"{ALL} WHERE b.bsn = ANY($k)", [BOB])).rows == []


async def test_a_value_that_the_owners_condition_cannot_judge_hides_its_row(births: Make) -> None:
    owner = births(rows="day > DATE '1900-01-01'")
    assert {row[0] for row in (await owner.ask(ALL)).rows} == {ANN, CIM}


async def test_an_expression_of_the_owner_keeps_making_of_it_what_it_makes(births: Make) -> None:
    year = Column("year", "BIGINT", expression="year(CAST(day AS DATE))")
    computed = msgspec.structs.replace(BIRTHS, columns=(*BIRTHS.columns, year))
    shown = disclosure("births", columns=OPEN | {"year": "output"}, subject_required=False)
    owner = births(shown, datasets=(computed,))
    answered = await owner.ask("SELECT b.bsn AS bsn, b.year AS year FROM births AS b")
    assert dict(answered.rows) == {ANN: 1990, BOB: None, CIM: 1970}


async def test_a_mask_keeps_making_of_it_what_it_makes(births: Make) -> None:
    answered = await births(masks={"town": "CAST(year(day) AS VARCHAR)"}).ask(
        "SELECT b.bsn AS bsn, b.town AS town FROM births AS b"
    )
    assert dict(answered.rows) == {ANN: "1990", BOB: None, CIM: "1970"}


async def test_of_data_whose_rows_are_closed_failing_does_not_follow_the_asker(births: Make) -> None:
    owner = births(disclosure("births", columns=OPEN, aggregate=Aggregate(2), subject_required=False))
    for town in ("Zwolle", "Assen", "Nergens"):
        assert await broken(owner, f"SELECT COUNT(b.day) AS days FROM births AS b WHERE b.town = '{town}'")

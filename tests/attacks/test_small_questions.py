"""A small question makes little work: what would double, nest or grow without end is refused before it is planned."""

import time
from collections.abc import Callable

import pytest
from tests.unit.disclose.owner import Owner, disclosure

from sluis.kernel import Invalid

Make = Callable[..., Owner]

BY = "SELECT p.name AS x FROM persons AS p WHERE "
DOUBLING = ", ".join(
    f"x{n} AS (SELECT a.n AS n FROM x{n - 1} AS a JOIN x{n - 1} AS b ON a.n = b.n)" for n in range(1, 18)
)
SQL = {
    "common tables": f"WITH x0 AS (SELECT p.name AS n FROM persons AS p), {DOUBLING} SELECT x17.n AS n FROM x17",
    "derived columns": "SELECT x.n AS n FROM "
    + "(SELECT x.n || x.n AS n FROM " * 20
    + "(SELECT p.name AS n FROM persons AS p) AS x"
    + ") AS x" * 20,
    "names of outputs": "SELECT p.age AS a0, "
    + ", ".join(f"a{n - 1} + a{n - 1} AS a{n}" for n in range(1, 30))
    + " FROM persons AS p",
    "and": BY + " AND ".join(["p.age = 1"] * 800),
    "or": BY + " OR ".join(["p.age = 1"] * 800),
    "plus": BY + "p.age = 1" + "+1" * 800,
    "not": BY + "NOT " * 800 + "p.age = 1",
    "parentheses": BY + "(" * 800 + "p.age = 1" + ")" * 800,
    "union": " UNION ALL ".join(["SELECT p.name AS x FROM persons AS p"] * 800),
    "joins": "SELECT p0.name AS x FROM persons AS p0 "
    + " ".join(f"JOIN persons AS p{n} ON p{n}.bsn = p0.bsn" for n in range(1, 200)),
    "padding": "SELECT lpad(p.name, 2000000000, 'x') AS x FROM persons AS p",
    "padding by a column": "SELECT lpad(p.name, p.income, 'x') AS x FROM persons AS p",
    "padding twice": "SELECT replace(lpad(p.name, 1000, 'x'), 'x', '"
    + "y" * 1000
    + "') AS x FROM persons AS p",
    "replacing": "SELECT replace(replace(p.name, 'n', '"
    + "n" * 100
    + "'), 'n', '"
    + "n" * 100
    + "') AS x FROM persons AS p",
    "a pattern": BY + "p.name LIKE '%a_%a_%a_%a_%b'",
    "a pattern from a column": BY + "lpad(p.name, 60, 'a') LIKE concat('%a_%a_%a_%a_%', p.name)",
    "an escaped pattern": BY + "p.name LIKE '%a%a%a%' ESCAPE '!'",
}


@pytest.mark.parametrize("sql", SQL.values(), ids=SQL)
async def test_a_small_question_makes_little_work(make: Make, sql: str) -> None:
    owner = make(disclosure(subject_required=False))
    began = time.process_time()
    with pytest.raises(Invalid) as caught:
        await owner.ask(sql)
    assert caught.value.code in {"sql-too-long", "sql-syntax", "not-allowed"}
    assert time.process_time() - began < 10


async def test_a_pattern_in_a_parameter_is_held_to_the_same(make: Make) -> None:
    owner = make(disclosure(subject_required=False))
    with pytest.raises(Invalid) as caught:
        await owner.ask(BY + "p.name LIKE $p", parameters={"p": "%a_%a_%a_%a_%b"})
    assert caught.value.code == "parameter-type"


@pytest.mark.parametrize(
    "sql",
    [
        BY + "p.name LIKE '%n%n'",
        BY + "p.name LIKE 'A_n' AND replace(p.postcode, 'AA', '') = '1000'",
        BY + "lpad(p.name, 5, ' ') = '  Ann'",
        BY + "p.name = 'Ann' AND p.age IN (" + ",".join(map(str, range(2_000))) + ")",
        BY + "p.name = 'Ann' AND (" + " OR ".join(f"p.age = {age}" for age in range(100)) + ")",
    ],
    ids=["pattern", "replace", "pad", "long list", "many alternatives"],
)
async def test_an_ordinary_question_is_not_in_the_way(make: Make, sql: str) -> None:
    assert (await make(disclosure(subject_required=False)).ask(sql)).rows == [("Ann",)]

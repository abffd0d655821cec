"""No row and no column ever comes out that the reference does not give: the same question over views with the same
columns, conditions and masks, in one DuckDB that holds everything.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.disclose.owner import CITIES, PERSONS, WORK, Owner, disclosure, fill

from sluis.grounds import Dataset, Disclosure
from sluis.kernel import Refused

DATASETS = {one.name: one for one in (PERSONS, WORK, CITIES)}
CONDITIONS: dict[str, list[str | None]] = {
    "persons": [None, "secret = 0", "age > 35", "name <> 'Bob' OR age IS NULL"],
    "jobs": [None, "wage > 50000", "job IN ('Kok', 'Smid')"],
    "cities": [None, "province = 'Drenthe'"],
}
MASKS: dict[str, list[dict[str, str]]] = {
    "persons": [{}, {"postcode": "left(postcode, 4)"}, {"income": "NULL", "name": "'x'"}, {"age": "age // 10 * 10"}],
    "jobs": [{}, {"wage": "CASE WHEN wage > 100000 THEN 100000 ELSE wage END"}],
    "cities": [{}],
}  # fmt: skip
NAMES, CODES = (
    st.sampled_from(["Ann", "Bob", "Cim", "", "x"]),
    st.sampled_from(["1000AA", "1000AB", "1000", None]),
)
SMALL = st.one_of(st.none(), st.integers(0, 60))
KEYS = [f"99999{number:04}" for number in range(6)]


@st.composite
def people(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=5))
    return [
        (
            key, draw(NAMES), draw(CODES), draw(SMALL), draw(SMALL), draw(st.sampled_from([0, 1, None])),
            draw(st.sampled_from(["Zwolle", "Assen", None])), draw(SMALL),
        )
        for key in keys
    ]  # fmt: skip


@st.composite
def jobs(draw: st.DrawFn) -> list[tuple[Any, ...]]:
    return [
        (number, draw(st.sampled_from([*KEYS, None])), draw(st.sampled_from(["Kok", "Smid", "Arts"])), draw(st.sampled_from([40000, 60000, 200000, None])))
        for number in range(draw(st.integers(0, 6)))
    ]  # fmt: skip


@st.composite
def disclosures(draw: st.DrawFn) -> list[Disclosure]:
    made = []
    for name, dataset in DATASETS.items():
        every = [column.name for column in dataset.columns]
        closed = draw(st.sets(st.sampled_from(every), max_size=2)) - {"bsn", "city"}
        masks = {k: v for k, v in draw(st.sampled_from(MASKS[name])).items() if k not in closed}
        made.append(
            disclosure(
                name, rows=draw(st.sampled_from(CONDITIONS[name])), masks=masks, subject_required=False,
                columns={column: "output" for column in every if column not in closed},
            )
        )  # fmt: skip
    return made


COLUMNS = {name: [column.name for column in dataset.columns] for name, dataset in DATASETS.items()}
NUMBERS = {"p": ["age", "income", "house"], "j": ["id", "wage"]}
TEXTS = {"p": ["name", "postcode", "city", "bsn"], "j": ["bsn", "job"]}


@st.composite
def predicates(draw: st.DrawFn, alias: str) -> str:
    number = f"{alias}.{draw(st.sampled_from(NUMBERS[alias]))}"
    words = f"{alias}.{draw(st.sampled_from(TEXTS[alias]))}"
    limit = draw(st.integers(0, 60))
    return draw(
        st.sampled_from([
            f"{number} > {limit}", f"{number} IS NULL", f"{number} BETWEEN 10 AND {limit}", f"{words} = 'Ann'",
            f"{words} IN ('Ann', 'Kok', '1000AA', '999990001')", f"NOT {words} = 'x'", f"{words} IS NOT NULL",
            f"length({words}) = 4", f"{words} LIKE '1000%'", f"coalesce({number}, 30) = 30", f"{number} / 2 > 10",
            f"CASE WHEN {number} > 20 THEN {words} = 'Bob' ELSE true END", f"upper({words}) = 'ANN'",
        ])
    )  # fmt: skip


@st.composite
def questions(draw: st.DrawFn) -> str:
    one, other = draw(predicates("p")), draw(predicates("p"))
    work = draw(predicates("j"))
    shown = draw(st.sampled_from(COLUMNS["persons"]))
    both = f"{one} {draw(st.sampled_from(['AND', 'OR']))} {other}"
    where = draw(st.sampled_from(["true", one, both]))
    side = draw(st.sampled_from(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"]))
    join = f"persons AS p {side} jobs AS j ON j.bsn = p.bsn"
    return draw(
        st.sampled_from([
            f"SELECT p.bsn AS a, p.{shown} AS b FROM persons AS p WHERE {where}",
            f"SELECT p.bsn AS a, j.job AS b, p.{shown} AS c FROM {join} WHERE {where}",
            f"SELECT p.{shown} AS a, j.wage AS b FROM {join} AND {work}",
            f"SELECT j.job AS a, count(*) AS n, min(p.{shown}) AS m FROM {join} WHERE {where} GROUP BY j.job",
            f"SELECT DISTINCT p.{shown} AS a, p.city AS b FROM persons AS p WHERE {where}",
            f"SELECT p.bsn AS a FROM persons AS p WHERE EXISTS (SELECT 1 AS x FROM jobs AS j WHERE j.bsn = p.bsn AND {work})",
            f"SELECT p.bsn AS a FROM persons AS p WHERE p.bsn NOT IN (SELECT j.bsn AS x FROM jobs AS j WHERE {work} AND j.bsn IS NOT NULL)",
            f"SELECT x.a AS a, x.b AS b FROM (SELECT p.bsn AS a, p.{shown} AS b FROM persons AS p WHERE {where}) AS x",
            f"SELECT p.{shown} AS a, c.province AS b FROM persons AS p LEFT JOIN cities AS c ON c.city = p.city WHERE {where}",
            f"SELECT p.city AS a FROM persons AS p WHERE {where} UNION SELECT j.job AS a FROM jobs AS j WHERE {work}",
            f"SELECT p.bsn AS a, rank() OVER (ORDER BY p.{shown}) AS r FROM persons AS p WHERE {where}",
            f"WITH x AS (SELECT p.bsn AS a, p.{shown} AS b FROM persons AS p WHERE {where}) SELECT x.b AS b, count(*) AS n FROM x AS x GROUP BY x.b",
            f"SELECT count(*) AS n, sum(p.age) AS s, avg(p.income) AS v FROM persons AS p WHERE {where}",
            f"SELECT p.bsn AS a FROM persons AS p ANTI JOIN jobs AS j ON j.bsn = p.bsn AND {work}",
        ])
    )  # fmt: skip


def reference(
    sql: str, rows: Sequence[Sequence[tuple[Any, ...]]], opened: Sequence[Disclosure]
) -> list[tuple[Any, ...]]:
    """The question over the views."""
    connection = duckdb.connect()
    cities = [("Zwolle", "Overijssel"), ("Assen", "Drenthe")]
    for dataset, content, one in zip(DATASETS.values(), (*rows, cities), opened, strict=True):
        _make_view(connection, dataset, content, one)
    table = connection.execute(sql).to_arrow_table()
    return [tuple(row.values()) for row in table.to_pylist()]


def _make_view(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, rows: Sequence[tuple[Any, ...]], one: Disclosure
) -> None:
    columns = ", ".join(f"{column.name} {column.type}" for column in dataset.columns)
    connection.execute(f"CREATE TABLE {dataset.name}_table ({columns})")
    if rows:
        marks = ", ".join("?" * len(dataset.columns))
        connection.executemany(f"INSERT INTO {dataset.name}_table VALUES ({marks})", rows)
    seen = ", ".join(
        f"CAST({one.masks.get(column.name, column.name)} AS {column.type}) AS {column.name}"
        for column in dataset.columns
        if column.name in one.columns
    )
    where = f"WHERE {one.rows}" if one.rows else ""
    # Masked above, filtered below: the condition looks at the real values.
    connection.execute(
        f"CREATE VIEW {dataset.name} AS SELECT {seen} FROM (SELECT * FROM {dataset.name}_table {where})"
    )


@given(people(), jobs(), disclosures(), questions())
@settings(max_examples=60, deadline=None)
async def test_no_row_and_no_column_comes_out_that_the_reference_does_not_give(
    tmp_path_factory: pytest.TempPathFactory,
    persons: list[tuple[Any, ...]],
    work: list[tuple[Any, ...]],
    opened: list[Disclosure],
    sql: str,
) -> None:
    folder = tmp_path_factory.mktemp("owner")
    fill(folder / "people.sqlite", persons, work)
    owner = Owner(folder, *opened)
    try:
        expected = reference(sql, (persons, work), opened)
    except duckdb.BinderException:  # a closed column is no column of the view
        with pytest.raises(Refused) as caught:
            await owner.ask(sql)
        assert caught.value.rule == "column-closed"
        assert len(owner.log.refusals()) > 0
        return
    answered = await owner.ask(sql)
    assert Counter(map(repr, answered.rows)) == Counter(map(repr, expected))
    assert answered.closing.receipt.rows == len(expected)

"""A hidden row and an absent one read the same everywhere: answers, refusals, receipts, records."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.unit.disclose.owner import ANN, BOB, CIM, JOBS, NOBODY, PEOPLE, Owner, disclosure, fill

from sluis.kernel import Problem
from sluis.statement import KeyList

HIDES = "secret = 0"
QUESTIONS = [
    "SELECT p.name AS name FROM persons AS p WHERE p.bsn = ANY($k)",
    "SELECT p.bsn AS bsn, p.income / p.age AS x FROM persons AS p WHERE p.bsn = ANY($k) ORDER BY p.income",
    "SELECT count(*) AS n, sum(p.income) AS s FROM persons AS p WHERE p.bsn = ANY($k)",
    "SELECT j.job AS job, p.name AS name FROM jobs AS j LEFT JOIN persons AS p ON p.bsn = j.bsn AND p.bsn = ANY($k) WHERE j.bsn = ANY($k)",
    "SELECT j.job AS job FROM jobs AS j WHERE j.bsn = ANY($k) AND NOT EXISTS (SELECT 1 AS y FROM persons AS p WHERE p.bsn = j.bsn AND p.bsn = ANY($k))",
    "SELECT p.name AS name FROM persons AS p WHERE p.bsn = ANY($k) AND CAST(p.postcode AS BIGINT) = 1",
    "SELECT p.house AS house, p.unknown AS x FROM persons AS p WHERE p.bsn = ANY($k)",
    "SELECT p.secret AS x FROM persons AS p WHERE p.bsn = ANY($k)",
    "SELECT DISTINCT p.city AS city FROM persons AS p WHERE p.bsn = ANY($k) LIMIT 5",
]  # fmt: skip


def owner_with(path: Path, people: list[tuple[Any, ...]]) -> Owner:
    """Jobs stay: they are another dataset, whose rows about the hidden person are open or hidden by themselves."""
    path.mkdir()
    fill(path / "people.sqlite", people, JOBS)
    open_columns = dict.fromkeys(("bsn", "name", "postcode", "age", "income", "city", "house"), "output")
    return Owner(
        path, disclosure(rows=HIDES, columns=open_columns, max_subjects=3, max_rows=3), disclosure("jobs")
    )


async def seen(owner: Owner, sql: str, keys: list[str]) -> tuple[Any, ...]:
    """Everything the asker gets to see of a question, and what is on record, but for ids, nonces and signatures."""
    await owner.discloser.close()
    owner.log.records.clear()
    try:
        answered = await owner.ask(sql, keys=({"k": KeyList("VARCHAR", list(keys))}))
    except Problem as problem:
        outcome: Any = json.dumps(problem.members())
    else:
        receipt = msgspec.structs.replace(answered.closing.receipt, commitment="")
        outcome = (sorted(map(repr, answered.rows)), answered.table.schema, receipt)
    records = [msgspec.structs.replace(one, span_id="") for one in owner.log.records]
    return outcome, records


@pytest.mark.parametrize("sql", QUESTIONS)
async def test_a_hidden_person_reads_as_an_absent_one(tmp_path: Path, sql: str) -> None:
    hidden = owner_with(tmp_path / "hidden", PEOPLE)
    absent = owner_with(tmp_path / "absent", [person for person in PEOPLE if person[0] != CIM])
    for keys in ([CIM], [CIM, ANN], [CIM, ANN, BOB], [CIM, ANN, BOB, NOBODY]):
        assert await seen(hidden, sql, keys) == await seen(absent, sql, keys)


@given(
    sql=st.sampled_from(QUESTIONS),
    keys=st.lists(st.sampled_from([ANN, BOB, CIM, NOBODY]), max_size=5),
    value=st.sampled_from(["", "x", "1" * 30, None]),
    income=st.sampled_from([0, -1, 2**62, None]),
)
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
async def test_whatever_a_hidden_row_holds_it_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, sql: str, keys: list[str], value: str | None, income: int | None
) -> None:
    others = [person for person in PEOPLE if person[0] != CIM]
    folder = tmp_path_factory.mktemp("both")
    hidden = owner_with(folder / "hidden", [*others, (CIM, value, value, income, income, 1, value, income)])
    absent = owner_with(folder / "absent", others)
    assert await seen(hidden, sql, keys) == await seen(absent, sql, keys)

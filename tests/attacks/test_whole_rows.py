"""The name of a table in the place of a column is its whole row in DuckDB and PostgreSQL: closed columns and all."""

from collections.abc import Callable

import pytest
from tests.unit.disclose.owner import Owner, disclosure

from sluis.kernel import Invalid

Make = Callable[..., Owner]

WHOLE = [
    "SELECT CAST(p AS VARCHAR) AS x FROM persons AS p",
    "SELECT concat(p, '') AS x FROM persons AS p",
    "SELECT max(p) AS x FROM persons AS p",
    "SELECT p.name AS x FROM persons AS p ORDER BY p",
    "SELECT p.name AS x FROM persons AS p WHERE p IS NOT NULL",
    "SELECT row_number() OVER (ORDER BY p) AS x FROM persons AS p",
    "SELECT (SELECT p) AS x FROM persons AS p",
    "SELECT count(DISTINCT p) AS x FROM persons AS p",
    "SELECT count(DISTINCT *) AS x FROM persons AS p",
    "SELECT count(p.*) AS x FROM persons AS p",
    "SELECT coalesce(*) AS x FROM persons AS p",
    "SELECT (*) AS x FROM persons AS p",
    "SELECT p.name.bsn AS x FROM persons AS p",
]


@pytest.mark.parametrize("sql", WHOLE)
async def test_a_whole_row_is_no_column(make_files: Make, sql: str) -> None:
    owner = make_files(disclosure(columns={"name": "output"}, subject_required=False))
    with pytest.raises(Invalid):
        await owner.ask(sql)


async def test_a_table_may_not_rename_its_columns_by_place(make_files: Make) -> None:
    """`name` would be the first column of the table, closed or not; here it would silently be another."""
    owner = make_files(disclosure(columns={"name": "output"}, subject_required=False))
    with pytest.raises(Invalid, match="COLUMN ALIAS"):
        await owner.ask("SELECT p.name AS x FROM persons AS p(name, bsn)")

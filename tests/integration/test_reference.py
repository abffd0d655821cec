"""Whatever is asked, under whatever disclosure: the engine gives exactly what views in one database give, or refuses.

Four owners, six tables, random questions (`grammar`), and activities that open everything, hide rows, mask values or
close columns. The reference is DuckDB with one view per table, written by hand here: rows and masks as the disclosure
says, and a closed column simply not there.
"""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.federation import ASKER, Federation, OwnerSetup
from tests.unit.statement.grammar import COLUMNS, TABLES, Writer

from sluis.grounds import Activity, Article, Column, Dataset, Disclosure, Role, Subject
from sluis.kernel import Invalid, Oin, PeerId, Period, Refused, Text

LAW = Article("Fictieve wet", "1")
BASE = "https://asker.example/verwerkingen/"
ALL: dict[str, Role] = dict.fromkeys(COLUMNS, "output")


class Case:
    """What one activity opens of every table, and the view that says the same."""

    def __init__(self, columns: dict[str, Role] = ALL, rows: str | None = None, **masks: str) -> None:
        self.columns, self.rows, self.masks = columns, rows, masks

    def view(self, table: str) -> str:
        shown = ", ".join(
            f"CAST({self.masks[name]} AS {kind}) AS {name}" if name in self.masks else name
            for name, kind in COLUMNS.items()
            if name in self.columns
        )
        return f"SELECT {shown} FROM {table}" + (f" WHERE {self.rows}" if self.rows else "")


CASES = {
    "all": Case(),
    "rows": Case(rows="k <> 2 or v is null"),
    "masks": Case(v="v % 2", s="left(s, 1) || '*'"),
    "both": Case(rows="g is not null", k="coalesce(k, 9)", m="round(m, 0)"),
    "closed": Case({"k": "output", "v": "output", "s": "output"}),
}


def text(word: str) -> Text:
    return Text(word, word)


def contents() -> dict[str, list[tuple[Any, ...]]]:
    """Rows with NULLs, duplicates and keys that often match; the same at every run."""
    numbers, words = [0, 1, 1, 2, 2, 2, 3, None], [None, "", "a", "b", "Ab"]
    found = {}
    for place, table in enumerate(TABLES):
        found[table] = [
            tuple(numbers[(place * 7 + row * (3 + field) + field * field) % 8] for field in range(3))
            + (words[(place + row * 3) % 5], None if row % 4 == 3 else Decimal(row * 25 - 30) / 100)
            for row in range(5 + place % 3)
        ]
    return found


def disclosure(table: str, name: str, case: Case) -> Disclosure:
    return Disclosure(
        id=f"{table}-{name}", version=1, dataset=table, recipient=ASKER, activity=BASE + name, columns=case.columns,
        rows=case.rows, masks={column: mask for column, mask in case.masks.items() if column in case.columns},
        subject_required=False, max_subjects=1000, articles=(LAW,), ground="public-task", controller=Oin(ASKER),
        valid=Period(date(2026, 1, 1)),
    )  # fmt: skip


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    home = tmp_path_factory.mktemp("reference")
    setups = []
    for number, alias in enumerate(sorted({table.split(".")[0] for table in TABLES})):
        (home / alias).mkdir()
        tables = [table for table in TABLES if table.startswith(f"{alias}.")]
        with sqlite3.connect(home / f"{alias}.db") as database:
            for table in tables:
                name = table.split(".")[1]
                database.execute(f"create table {name} (k int, g int, v int, s text, m numeric)")
                rows = [(*row[:4], None if row[4] is None else float(row[4])) for row in contents()[table]]
                database.executemany(f"insert into {name} values (?, ?, ?, ?, ?)", rows)
        database.close()
        names = [table.split(".")[1] for table in tables]
        datasets = [
            Dataset(
                name, text(name), "db", name, tuple(Column(column, kind) for column, kind in COLUMNS.items()),
                subject=Subject("k", "urn:example:nummer") if name in {"p", "t"} else None, rows=5,
            )
            for name in names
        ]  # fmt: skip
        opened = [disclosure(name, kind, case) for name in names for kind, case in CASES.items()]
        peer = PeerId(f"0000000990000000000{number + 1}")
        setups.append(OwnerSetup(alias, peer, {"db": f"sqlite:///{home / f'{alias}.db'}"}, datasets, opened))
    activities = [
        Activity(
            BASE + name, text(name), text(name), Oin(ASKER), "public-task", (LAW,), Period(date(2026, 1, 1))
        )
        for name in CASES
    ]
    (home / "asker").mkdir()
    running = Federation(home, setups, activities)
    yield running
    running.close()


@pytest.fixture(scope="module")
def references() -> Iterator[dict[str, duckdb.DuckDBPyConnection]]:
    found = {}
    for name, case in CASES.items():
        connection = duckdb.connect()
        connection.execute("create schema raw")
        for table, rows in contents().items():
            alias, short = table.split(".")
            columns = ", ".join(f"{column} {kind}" for column, kind in COLUMNS.items())
            connection.execute(f"create table raw.{alias}_{short} ({columns})")
            connection.executemany(f"insert into raw.{alias}_{short} values (?, ?, ?, ?, ?)", rows)
            connection.execute(f"create schema if not exists {alias}")
            connection.execute(f"create view {table} as {case.view(f'raw.{alias}_{short}')}")
        found[name] = connection
    yield found
    for connection in found.values():
        connection.close()


def comparable(rows: list[tuple[Any, ...]]) -> Counter[tuple[Any, ...]]:
    def plain(value: Any) -> Any:
        return round(float(value), 6) if isinstance(value, float | Decimal) else value

    return Counter(tuple(plain(value) for value in row) for row in rows)


async def asked(federation: Federation, sql: str, name: str) -> list[tuple[Any, ...]]:
    table = (await federation.ask(sql, BASE + name)).table
    columns = [column.to_pylist() for column in table.columns]
    return list(zip(*columns, strict=True)) if columns else []


_References = dict[str, duckdb.DuckDBPyConnection]
_always_the_same = settings(
    deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip


@settings(_always_the_same, max_examples=25)
@given(data=st.data())
def test_no_row_or_column_comes_out_that_the_reference_does_not_give(
    federation: Federation, references: _References, data: st.DataObject
) -> None:
    _compare(federation, references, data)


@pytest.mark.prove
def test_no_row_or_column_comes_out_that_the_reference_does_not_give_six_hundred_times(
    federation: Federation, references: _References
) -> None:
    forms: Counter[bool] = Counter()

    @settings(_always_the_same, max_examples=600)
    @given(data=st.data())
    def each(data: st.DataObject) -> None:
        forms[_compare(federation, references, data)] += 1

    each()
    assert forms[False] < 0.02 * forms.total(), forms


def test_keys_can_be_compared_with_what_an_owner_computes(
    federation: Federation, references: _References
) -> None:
    sql = (
        "SELECT count(*) OVER (PARTITION BY u.v) AS n FROM (SELECT v FROM b.u GROUP BY v HAVING min(g) > 1) AS u WHERE u.v IN ("
        "SELECT CAST(t.k AS INTEGER) FROM b.t AS t WHERE t.g = u.v AND t.v IN ("
        "SELECT DISTINCT CAST(p.v AS INTEGER) FROM a.p AS p WHERE COALESCE(p.g, 1) = 1))"
    )
    got = _loop().run_until_complete(asked(federation, sql, "all"))
    assert comparable(got) == comparable(references["all"].execute(sql).fetchall())


@pytest.mark.parametrize("condition", ["t.k = CAST(NULL AS INTEGER)", "t.k = 1 AND u.k = 2"])
def test_of_rows_without_repeats_a_part_of_the_columns_is_read(
    federation: Federation, references: _References, condition: str
) -> None:
    sql = f"SELECT d.k FROM (SELECT DISTINCT u.m AS m, t.k AS k FROM b.u AS u CROSS JOIN b.t AS t WHERE {condition}) AS d"
    got = _loop().run_until_complete(asked(federation, sql, "all"))
    assert comparable(got) == comparable(references["all"].execute(sql).fetchall())


def _compare(federation: Federation, references: _References, data: st.DataObject) -> bool:
    """Whether there is something to compare: there are forms of questions that DuckDB cannot plan."""
    name = data.draw(st.sampled_from(list(CASES)))
    sql, _ = data.draw(st.composite(lambda draw: Writer(draw).question())())
    loop = _loop()
    try:
        got = loop.run_until_complete(asyncio.wait_for(asked(federation, sql, name), 60))
    except Refused as refused:
        # A closed column is the one rule these disclosures have; the reference must not have it either.
        if refused.code != "column-closed":
            raise
        with pytest.raises(duckdb.Error):
            references[name].execute(sql)
        return True
    except Invalid as invalid:
        # What the reference cannot compute, or what is said to be not supported.
        if invalid.code == "form-unsupported":
            return False
        if invalid.code not in UNSUPPORTED:
            with pytest.raises(duckdb.Error):
                references[name].execute(sql)
        return True
    try:
        expected = references[name].execute(sql).fetchall()
    except duckdb.NotImplementedException:  # the engine gets on better: split, it has no such form
        return False
    assert comparable(got) == comparable(expected), sql
    return True


UNSUPPORTED = {"needs-everything", "join-unsupported", "not-allowed", "sql-too-long"}
"""Refusals that are limits of the engine, not of the question."""

_LOOPS: list[Any] = []


def _loop() -> Any:
    """One event loop for all examples: the federation's ledgers and links belong to it."""
    if not _LOOPS:
        _LOOPS.append(asyncio.new_event_loop())
    return _LOOPS[0]


@pytest.fixture(scope="module", autouse=True)
def close_loop() -> Iterator[None]:
    yield
    for loop in _LOOPS:
        loop.close()
    _LOOPS.clear()

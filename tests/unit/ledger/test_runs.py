"""Runs: what stands in the database to find records by is what the records say, also of what was destroyed."""

import asyncio
import os
import random
import sqlite3
import struct
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.ledger.examples import appended, change, decision, fill, opened, processing

from sluis.kernel import Conflict, new_span_id, new_trace_id
from sluis.ledger import Ledger, Search, sql
from sluis.ledger.model import Record
from sluis.ledger.rules import prepare
from sluis.ledger.runs import Seen

RUN = 16


@pytest.fixture(autouse=True)
def run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "RUN", RUN)


def rows(directory: Path, statement: str) -> list[Any]:
    connection = sqlite3.connect(directory / "node.db")
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


TERMS = f"""
    SELECT idx / {RUN}, trace, idx % {RUN} FROM ledger_records
        WHERE salted IS NOT NULL AND idx < (SELECT COUNT(*) FROM ledger_runs) * {RUN}
    UNION ALL SELECT idx / {RUN}, subject, idx % {RUN} FROM ledger_records
        WHERE subject IS NOT NULL AND idx < (SELECT COUNT(*) FROM ledger_runs) * {RUN}
    ORDER BY 1, 2, 3"""
"""Of each run the terms that the records say there should be, and the places they lead to."""


def terms(directory: Path) -> list[tuple[int, int, int]]:
    """The same as they are kept, in their order."""
    kept = []
    for part, packed in rows(directory, "SELECT part, entries FROM ledger_terms ORDER BY part"):
        run, within = divmod(part, sql.PARTS)
        for entry in struct.unpack(f"={len(packed) // 8}q", packed):
            term, place = divmod(entry, 2**13)
            assert term // 2**23 == within
            kept.append((run, term, place))
    return kept


ACTIVITIES = f"""SELECT idx / {RUN}, activity, MIN(start), MAX(start) FROM ledger_records
    WHERE activity IS NOT NULL AND idx < (SELECT COUNT(*) FROM ledger_runs) * {RUN} GROUP BY 1, 2 ORDER BY 1, 2"""


def agrees(directory: Path, runs: int) -> None:
    assert rows(directory, "SELECT COUNT(*) FROM ledger_runs") == [(runs,)]
    assert terms(directory) == rows(directory, TERMS)
    kept = "SELECT run, activity, since, until FROM ledger_activities ORDER BY 1, 2"
    assert rows(directory, kept) == rows(directory, ACTIVITIES)


def mixed(ledger: Ledger, count: int) -> None:
    for number in range(count):
        one = (
            decision() if number % 3 else processing("me", activity=f"urn:{number % 2}", start=1000 - number)
        )
        appended(ledger, [one])


def test_a_run_has_the_terms_of_its_records(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, ledger):
        mixed(ledger, 4 * RUN + 5)
        agrees(tmp_path, 4)


def test_more_than_a_run_may_come_at_once(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, ledger):
        mixed(ledger, 3)
        fill(ledger, 5 * RUN)
        agrees(tmp_path, 5)
        mixed(ledger, RUN)
        agrees(tmp_path, 6)


def test_who_opens_the_log_makes_the_runs_that_are_not_there(tmp_path: Path) -> None:
    """As after an update of Sluis that keeps them in another way."""
    with opened(tmp_path) as (_, ledger):
        mixed(ledger, 3 * RUN + 2)
        asyncio.run(ledger.destroy([(RUN + 2, RUN + 4)], "selection list"))
    change(
        tmp_path, *[f"DELETE FROM {table}" for table in ("ledger_terms", "ledger_activities", "ledger_runs")]
    )
    with opened(tmp_path) as (_, ledger):
        agrees(tmp_path, 3)
        mixed(ledger, RUN)
        agrees(tmp_path, 4)
        assert asyncio.run(ledger.verify()).faults == ()


def test_a_log_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, ledger):
        mixed(ledger, RUN + 2)
    change(
        tmp_path,
        "DELETE FROM sluis_migrations WHERE room = 'ledger' AND name = 'packed-terms'",
        "DROP TABLE ledger_terms",
        "CREATE TABLE ledger_terms (entry INTEGER PRIMARY KEY)",
    )
    with opened(tmp_path) as (_, ledger):
        agrees(tmp_path, 1)
        assert len(ledger.log.processing(Search(subjects=("me",)))) == RUN // 3 + 1


async def test_a_record_of_a_run_is_one_record(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, ledger):
        records = fill(ledger, RUN - 1)
        for number in range(2 * RUN):
            assert (await ledger.append([records[5]])).index == 5
            with pytest.raises(Conflict):
                await ledger.append([msgspec.structs.replace(records[9], name="other")])
            assert (await ledger.append([processing()])).index == RUN - 1 + number


@pytest.mark.parametrize("again", [False, True], ids=["at once", "after opening again"])
@pytest.mark.parametrize("first", [2, RUN - 2, RUN + 2], ids=["of a run", "of both", "after it"])
async def test_a_destroyed_record_has_no_terms(tmp_path: Path, again: bool, first: int) -> None:
    with opened(tmp_path) as (_, ledger):
        mixed(ledger, RUN + 8)
        await ledger.destroy([(first, first + 5)], "selection list")
        assert terms(tmp_path) == rows(tmp_path, TERMS)
        if not again:
            mixed(ledger, 2 * RUN)
    with opened(tmp_path) as (_, ledger):
        if again:
            mixed(ledger, 2 * RUN)
        assert terms(tmp_path) == rows(tmp_path, TERMS)
        assert (await ledger.verify()).faults == ()


async def test_a_destroyed_record_has_no_key_in_its_run(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, ledger):
        mixed(ledger, RUN)
        await ledger.destroy([(2, 4)], "selection list")
        kept = rows(tmp_path, "SELECT spot FROM ledger_records WHERE idx < 16 ORDER BY idx")
        ((packed,),) = rows(tmp_path, "SELECT spots FROM ledger_runs")
        assert [(spot,) for spot in struct.unpack(f"={RUN}q", packed)] == kept


async def test_many_records_of_a_run_are_taken_out_at_once(tmp_path: Path) -> None:
    """Everybody who writes waits for it."""
    with opened(tmp_path):
        pass
    change(
        tmp_path,
        "CREATE TABLE written (part)",
        "CREATE TRIGGER each AFTER UPDATE ON ledger_terms BEGIN INSERT INTO written VALUES (old.part); END",
    )
    with opened(tmp_path) as (_, ledger):
        fill(ledger, RUN)
        appended(ledger, [processing("me", trace_id="ab" * 16) for _ in range(RUN)])
        await ledger.destroy([(RUN, 2 * RUN - 2)], "selection list")
    assert len(rows(tmp_path, "SELECT part FROM written")) == 2  # that of the trace, that of the subject
    assert len([run for run, _, _ in terms(tmp_path) if run == 1]) == 2


@pytest.mark.parametrize(
    "column", ["trace = 5", "trace = 'a text'", "subject = NULL", "subject = 1099511627776"]
)
async def test_a_destroyed_record_has_no_terms_whatever_its_columns_said(tmp_path: Path, column: str) -> None:
    with opened(tmp_path) as (_, ledger):
        mixed(ledger, RUN)
        change(tmp_path, f"UPDATE ledger_records SET {column} WHERE idx = 3")
        await ledger.destroy([(3, 3)], "selection list")
        assert 3 not in {place for _, _, place in terms(tmp_path)}
        assert (await ledger.verify()).faults == ()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ledger_runs WHERE run = 1",
        "DELETE FROM ledger_runs WHERE run = 2",
        "DELETE FROM ledger_runs",
        "UPDATE ledger_runs SET run = run + 7",
        "UPDATE ledger_runs SET spots = substr(spots, 4)",
        "UPDATE ledger_runs SET spots = 'a text'",
        "UPDATE ledger_runs SET spots = 7",
        "INSERT INTO ledger_runs VALUES (3, zeroblob(8 * 16))",
        "INSERT INTO ledger_runs VALUES (-1, zeroblob(8 * 16))",
        f"INSERT INTO ledger_terms VALUES ({3 * sql.PARTS}, x''), (-1, x''), ({2**62}, x'')",
        f"INSERT INTO ledger_activities VALUES (3, 0, 0, 0), (-1, 0, 0, 0), ({2**62}, 0, 0, 0), ('a text', 0, 0, 0)",
    ],
)
def test_what_is_kept_of_runs_that_are_none_is_made_anew(tmp_path: Path, statement: str) -> None:
    with opened(tmp_path) as (_, ledger):
        mixed(ledger, 3 * RUN + 2)
    change(tmp_path, statement)
    with opened(tmp_path) as (_, ledger):
        agrees(tmp_path, 3)
        mixed(ledger, RUN)
        agrees(tmp_path, 4)
        assert asyncio.run(ledger.verify()).faults == ()


@pytest.mark.parametrize("column", ["trace", "subject", "activity", "start", "spot"])
@pytest.mark.parametrize(
    "value", ["-5", "1099511627776", "'a text'", "x'00ff'", "CAST(x'ff' AS TEXT)", "1.5"]
)
def test_a_column_that_is_no_such_number_keeps_nobody_from_writing(
    tmp_path: Path, column: str, value: str
) -> None:
    with opened(tmp_path) as (_, ledger):
        mixed(ledger, RUN - 2)
    change(tmp_path, f"UPDATE ledger_records SET {column} = {value} WHERE idx = 3")
    with opened(tmp_path) as (_, ledger):
        mixed(ledger, RUN)
        faults = [(one.kind, one.index) for one in asyncio.run(ledger.verify()).faults]
        assert faults == ([] if column == "spot" else [("hidden", 3)])


def test_a_record_that_is_missing_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "RUN", 512)
    with opened(tmp_path) as (_, ledger):
        records = fill(ledger, 300)
    change(tmp_path, "DELETE FROM ledger_records WHERE idx = 100")
    with opened(tmp_path) as (_, ledger):
        fill(ledger, 300)
        assert [(one.kind, one.index) for one in asyncio.run(ledger.verify()).faults] == [("missing", 100)]
        assert appended(ledger, [records[200]]).index == 200


async def test_the_last_term_of_a_part_can_be_taken_out(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, ledger):
        mixed(ledger, RUN)
        await ledger.destroy([(0, RUN - 1)], "selection list")
        assert rows(tmp_path, "SELECT COUNT(*) FROM ledger_terms") == [(0,)]


def test_what_was_written_is_always_seen_and_what_was_not_hardly_ever() -> None:
    numbers, seen = random.Random(1), Seen([])
    written = list[int]()
    while not seen.is_full:
        some = [numbers.getrandbits(63) for _ in range(10_000)]
        seen.add(some)
        written += some
    assert seen.among(written) == written
    others = [numbers.getrandbits(63) for _ in range(20_000)]
    assert len(seen.among(others)) < len(others) / 250


def test_each_number_is_reckoned_as_one_by_one() -> None:
    records: list[Record] = [processing(), decision(), processing("me"), decision()]
    together = prepare(records, os.urandom(64))
    alone = [prepare([record], os.urandom(16)) for record in records]
    assert together.spots == [one.spots[0] for one in alone]
    assert together.traces == [int(record.trace_id[-8:], 16) % 2**29 for record in records]


def test_a_number_is_of_trace_span_and_kind() -> None:
    trace_id, span_id = new_trace_id(), new_span_id()
    one = processing(trace_id=trace_id)
    one = type(one)(trace_id, span_id, one.name, one.status, one.start_time, one.end_time)
    high, low, span = int(trace_id[:16], 16), int(trace_id[16:], 16), int(span_id, 16)
    assert prepare([one], bytes(16)).spots == [(high ^ low ^ span) % 2**63]

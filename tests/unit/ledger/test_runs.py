"""Runs: what the writer remembers of the log is what the database says, also of what was destroyed meanwhile."""

import os
import random
import sqlite3
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.ledger.examples import appended, decision, fill, opened, processing

from sluis.kernel import Conflict, new_span_id, new_trace_id
from sluis.ledger import Ledger, sql
from sluis.ledger.model import Record
from sluis.ledger.rules import prepare
from sluis.ledger.runs import SHARES, Seen

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
    SELECT idx / {RUN} * {sql.RUN_STEP} + trace * {sql.TERM_STEP} + idx % {RUN} FROM ledger_records
        WHERE salted IS NOT NULL AND idx < (SELECT COUNT(*) FROM ledger_runs) * {RUN}
    UNION ALL SELECT idx / {RUN} * {sql.RUN_STEP} + subject * {sql.TERM_STEP} + idx % {RUN} FROM ledger_records
        WHERE subject IS NOT NULL AND idx < (SELECT COUNT(*) FROM ledger_runs) * {RUN}
    ORDER BY 1"""
"""The entries that the records say there should be."""

ACTIVITIES = f"""SELECT idx / {RUN}, activity, MIN(start), MAX(start) FROM ledger_records
    WHERE activity IS NOT NULL AND idx < (SELECT COUNT(*) FROM ledger_runs) * {RUN} GROUP BY 1, 2 ORDER BY 1, 2"""


def agrees(directory: Path, runs: int) -> None:
    assert rows(directory, "SELECT COUNT(*) FROM ledger_runs") == [(runs,)]
    added = f"SELECT entry FROM ledger_terms WHERE entry < {runs * sql.RUN_STEP} ORDER BY 1"
    assert rows(directory, added) == rows(directory, TERMS)
    kept = "SELECT run, activity, since, until FROM ledger_activities ORDER BY 1, 2"
    assert rows(directory, kept) == rows(directory, ACTIVITIES)


def mixed(ledger: Ledger, count: int) -> None:
    for number in range(count):
        one = (
            decision() if number % 3 else processing("me", activity=f"urn:{number % 2}", start=1000 - number)
        )
        appended(ledger, [one])


def settled(store: Any) -> None:
    """What was left to tidy up is done."""
    store.write_blocking(lambda _connection: None)


def test_a_run_has_the_terms_of_its_records(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, ledger):
        mixed(ledger, 4 * RUN + 5)
        agrees(tmp_path, 3)


def test_a_run_is_added_while_the_next_is_written(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, ledger):
        mixed(ledger, RUN)
        counts = []
        for _ in range(RUN):
            mixed(ledger, 1)
            counts += [rows(tmp_path, "SELECT COUNT(*) FROM ledger_terms")[0][0]]
        assert counts == sorted(counts)
        assert max(after - before for before, after in pairwise([0, *counts])) <= 2 * RUN / SHARES
        agrees(tmp_path, 1)


def test_what_comes_in_more_than_a_run_at_once_leaves_one_run_to_add(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, ledger):
        fill(ledger, 5 * RUN + 3)
        settled(store)
        agrees(tmp_path, 4)


def test_a_run_that_was_being_added_when_the_node_stopped_is_whole(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, ledger):
        mixed(ledger, RUN + 7)
        assert rows(tmp_path, "SELECT COUNT(*) FROM ledger_terms") != [(0,)]
    with opened(tmp_path) as (_, ledger):
        mixed(ledger, RUN)
        agrees(tmp_path, 1)


async def test_a_record_of_a_run_that_is_being_added_is_one_record(tmp_path: Path) -> None:
    with opened(tmp_path) as (_, ledger):
        records = fill(ledger, RUN)
        for number in range(2 * RUN):
            assert (await ledger.append([records[5]])).index == 5
            with pytest.raises(Conflict):
                await ledger.append([msgspec.structs.replace(records[9], name="other")])
            assert (await ledger.append([processing()])).index == RUN + number


@pytest.mark.parametrize("again", [False, True], ids=["at once", "after opening again"])
@pytest.mark.parametrize("first", [2, RUN + 2], ids=["of a run that is being added", "after it"])
async def test_a_destroyed_record_gets_no_terms(tmp_path: Path, again: bool, first: int) -> None:
    with opened(tmp_path) as (_, ledger):
        mixed(ledger, RUN + 8)
        await ledger.destroy([(first, first + 5)], "selection list")
        if not again:
            mixed(ledger, 2 * RUN)
            agrees(tmp_path, 2)
    if again:
        with opened(tmp_path) as (_, ledger):
            mixed(ledger, 2 * RUN)
            agrees(tmp_path, 2)
    with opened(tmp_path) as (_, ledger):
        assert (await ledger.verify()).faults == ()


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

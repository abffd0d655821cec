"""A record that is there, and that no search finds: the verifier tells."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.unit.ledger.examples import NOW_MS, appended, change, decision, opened, processing

from sluis.ledger import ACTIVITY, Ledger, Processing, Search, lines_with, sql, terms

RUN = 64


@pytest.fixture(params=[RUN, 8192], ids=["in runs", "in the tail"])
def ledger(
    tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ledger]:
    """300 records; number 70 is about somebody, and of an activity and a trace of its own."""
    monkeypatch.setattr(sql, "RUN", request.param)
    with opened(tmp_path) as (_, made):
        appended(made, [processing(f"p{number}") for number in range(70)])
        appended(made, [processing("me", trace_id="ab" * 16, activity="urn:own")])
        more = [one for _ in range(115) for one in (processing(), decision())]
        appended(made, more[:229])
        yield made


def found(ledger: Ledger) -> list[list[Processing]]:
    """What searches by subject, trace and activity find of number 70."""
    searches = Search(subjects=("me",)), Search(trace_id="ab" * 16), Search(activity="urn:own")
    period = {"since": NOW_MS - 1, "until": NOW_MS + 100}
    return [ledger.log.processing(msgspec.structs.replace(search, **period)) for search in searches]


def hidden(ledger: Ledger) -> list[tuple[str, int]]:
    return [(fault.kind, fault.index) for fault in asyncio.run(ledger.verify()).faults]


def test_an_honest_log_hides_nothing(ledger: Ledger) -> None:
    assert all(found(ledger))
    assert hidden(ledger) == []


@pytest.mark.parametrize(
    "column",
    ["subject = subject + 1", "subject = NULL", "trace = 0", "activity = NULL", "activity = 5", "start = 0"],
)
def test_a_changed_search_column_is_found(ledger: Ledger, tmp_path: Path, column: str) -> None:
    change(tmp_path, f"UPDATE ledger_records SET {column} WHERE idx = 70")
    assert hidden(ledger) == [("hidden", 70)]


@pytest.mark.parametrize(
    "statement",
    [
        f"DELETE FROM ledger_terms WHERE part >= {sql.PARTS} AND part < {2 * sql.PARTS}",
        "UPDATE ledger_terms SET entries = zeroblob(length(entries))",
        "UPDATE ledger_terms SET entries = substr(entries, 9)",
        "UPDATE ledger_terms SET entries = 'a text'",
        "UPDATE ledger_terms SET entries = CAST(x'ffffffffffffffff' AS TEXT)",
        "UPDATE ledger_terms SET entries = 99999999999999",
        f"UPDATE ledger_terms SET part = part + {16 * sql.PARTS}",
        "UPDATE ledger_activities SET since = until + 1000 WHERE activity = {own}",
        "DELETE FROM ledger_activities WHERE activity = {own}",
        "UPDATE ledger_activities SET until = 1",
    ],
)
@pytest.mark.parametrize("ledger", [RUN], indirect=True)
def test_search_terms_that_lead_nowhere_are_found(ledger: Ledger, tmp_path: Path, statement: str) -> None:
    own = "(SELECT activity FROM ledger_records WHERE idx = 70)"
    change(tmp_path, statement.replace("{own}", own))
    assert not all(found(ledger))
    assert ("hidden", 70) in hidden(ledger)


@pytest.mark.parametrize("run", ["4", "-1", "9000000000000000000", "'a text'"])
@pytest.mark.parametrize("ledger", [RUN], indirect=True)
def test_a_note_of_a_run_that_is_none_shows_nothing_twice(ledger: Ledger, tmp_path: Path, run: str) -> None:
    appended(ledger, [processing("me", activity="urn:own")])
    change(
        tmp_path,
        f"INSERT INTO ledger_activities SELECT {run}, activity, 0, {2**62} FROM ledger_records WHERE idx = 70",
    )
    assert len(ledger.log.processing(Search(activity="urn:own"))) == 2


@pytest.mark.parametrize("column", ["salted", "trace", "subject", "leaf", "entry"])
def test_text_that_is_none_keeps_nobody_from_checking(ledger: Ledger, tmp_path: Path, column: str) -> None:
    change(tmp_path, f"UPDATE ledger_records SET {column} = CAST(x'ff' AS TEXT) WHERE idx = 70")
    assert {index for _, index in hidden(ledger)} <= {70, 0}
    assert ({kind for kind, _ in hidden(ledger)} & {"altered", "hidden"}) or column == "entry"


@pytest.mark.parametrize(
    "value", ["zeroblob(99)", "99999999999999", "'a text'", "x''", "CAST(x'ff' AS TEXT)"]
)
def test_a_record_that_cannot_be_read_hides_no_other(ledger: Ledger, tmp_path: Path, value: str) -> None:
    appended(ledger, [processing("me", trace_id="ab" * 16, activity="urn:own")])
    change(tmp_path, f"UPDATE ledger_records SET salted = {value} WHERE idx = 70")
    assert [len(one) for one in found(ledger)] == [1, 1, 1]
    assert len(list(lines_with(ledger._store, ACTIVITY, NOW_MS, NOW_MS + 100))) == 70 + 115 + 1
    assert ("altered", 70) in hidden(ledger)
    asyncio.run(ledger.destroy([(70, 70)], "selectielijst"))


@pytest.mark.parametrize("ledger", [RUN, 8192], indirect=True)
def test_a_run_that_is_said_to_be_there_and_is_not_is_found(ledger: Ledger, tmp_path: Path) -> None:
    change(tmp_path, "INSERT INTO ledger_runs (run, spots) VALUES (1000, x'')")
    assert hidden(ledger) == [("hidden", 300 // sql.RUN * sql.RUN)]


def test_a_run_about_one_person_is_looked_through_in_no_time() -> None:
    wanted = terms.by_part([5] * 8192, [terms.LIMIT - 1] * 8192)
    there = {part: entries[:-1] for part, entries in wanted.items()}
    start = time.monotonic()
    assert terms.not_among(there, wanted) == [8191, 8191]
    assert time.monotonic() - start < 1  # of each entry by itself it takes five


def test_what_was_destroyed_is_not_missed(ledger: Ledger) -> None:
    asyncio.run(ledger.destroy([(60, 80)], "selectielijst"))
    assert hidden(ledger) == []


def test_a_record_altered_as_well_is_told_once(ledger: Ledger, tmp_path: Path) -> None:
    change(tmp_path, "UPDATE ledger_records SET salted = zeroblob(99), subject = 1 WHERE idx = 70")
    assert hidden(ledger) == [("altered", 70)]

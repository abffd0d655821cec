"""Going through the log by time."""

import asyncio
from pathlib import Path

import pytest
from tests.unit.ledger.examples import NOW_MS, appended, decision, opened, processing

from sluis.ledger import decisions, lines_with, scan


@pytest.fixture(autouse=True, params=[3, 4096])
def _stretch(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan, "_STRETCH", request.param)


def test_decisions_of_the_last_while_are_found_in_their_order(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, ledger):
        made = [decision() for _ in range(10)]
        for one in made:
            appended(ledger, [one, processing(start=NOW_MS - 5)])
        assert list(decisions(store, NOW_MS)) == made
        assert list(decisions(store, NOW_MS + 1)) == []


def test_lines_with_an_attribute_are_found_in_their_period(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, ledger):
        for start in (10, 20, 30, 40):
            appended(ledger, [processing(start=start, **{"x.cost": start}), processing(start=start)])
        found = [line.attributes["x.cost"] for line in lines_with(store, "x.cost", 20, 40)]
        assert found == [20, 30]


def test_what_merely_mentions_an_attribute_is_not_found(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, ledger):
        appended(ledger, [processing(start=1, nested={"x.cost": 1})])
        assert list(lines_with(store, "x.cost", 0, 9)) == []


def test_what_was_destroyed_is_passed_over(tmp_path: Path) -> None:
    with opened(tmp_path) as (store, ledger):
        appended(ledger, [decision() for _ in range(5)])
        asyncio.run(ledger.destroy([(1, 3)], "x"))
        assert len(list(decisions(store, NOW_MS))) == 2

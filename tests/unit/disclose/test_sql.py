from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from sluis.disclose import open_budget
from sluis.disclose.sql import StoredBudget
from sluis.statement.groups import Size
from sluis.store import open_store

DAY = date(2026, 6, 1)


@pytest.fixture
def budget(tmp_path: Path) -> Iterator[StoredBudget]:
    store = open_store(tmp_path / "node.db")
    yield open_budget(store)
    store.close()


async def test_a_budget_is_spent_by_different_questions_only(budget: StoredBudget) -> None:
    spent = [await budget.spend("purse", DAY, question, 2) for question in ("a", "b", "a", "c", "b")]
    assert spent == [True, True, True, False, True]


async def test_a_budget_is_of_one_purse_and_one_day(budget: StoredBudget) -> None:
    assert await budget.spend("purse", DAY, "a", 1)
    assert not await budget.spend("purse", DAY, "b", 1)
    assert await budget.spend("other", DAY, "b", 1)
    assert await budget.spend("purse", DAY + timedelta(days=1), "b", 1)


async def test_a_budget_survives_a_restart(tmp_path: Path) -> None:
    for expected in (True, False):
        store = open_store(tmp_path / "node.db")
        assert await open_budget(store).spend("purse", DAY, str(expected), 1) is expected
        store.close()


async def tell(
    budget: StoredBudget, question: str, size: int, day: date = DAY, board: str = "b", **fixed: str
) -> bool:
    return await budget.tell(board, day, question, fixed, {"g": Size(size, size)}, 5)


async def test_groups_too_close_to_earlier_ones_are_not_told(budget: StoredBudget) -> None:
    assert await tell(budget, "a", 100)
    assert not await tell(budget, "b", 99)
    assert await tell(budget, "b", 95)
    assert await tell(budget, "c", 90)


async def test_what_was_refused_is_not_remembered(budget: StoredBudget) -> None:
    await tell(budget, "a", 100)
    await tell(budget, "b", 97)
    assert await tell(budget, "c", 94)


async def test_the_same_question_is_never_too_close_to_itself(budget: StoredBudget) -> None:
    assert await tell(budget, "a", 100)
    assert await tell(budget, "a", 99)


async def test_questions_about_other_rows_are_not_compared(budget: StoredBudget) -> None:
    assert await tell(budget, "a", 100, year="2025")
    assert await tell(budget, "b", 99, year="2026")
    assert not await tell(budget, "c", 98, city="x")


async def test_other_askers_and_shapes_are_not_compared(budget: StoredBudget) -> None:
    assert await tell(budget, "a", 100)
    assert await tell(budget, "b", 99, board="other")


async def test_groups_are_forgotten_after_a_year(budget: StoredBudget) -> None:
    assert await tell(budget, "a", 100)
    assert await tell(budget, "b", 99, DAY + timedelta(days=400))

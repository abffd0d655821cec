import asyncio
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from sluis.crypto import FileKeyStore
from sluis.statement import Memory, open_memory, sql
from sluis.statement.differencing import Level
from sluis.store import Store, open_store

DAY = date(2026, 6, 1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(tmp_path / "node.db")
    yield opened
    opened.close()


@pytest.fixture
def memory(store: Store, tmp_path: Path) -> Memory:
    return open_memory(store, FileKeyStore(tmp_path / "keys"))


async def test_a_budget_is_spent_by_different_questions_only(memory: Memory) -> None:
    spent = [await memory.spend("purse", DAY, question, 2) for question in ("a", "b", "a", "c", "b")]
    assert spent == [True, True, True, False, True]


async def test_a_budget_is_of_one_purse_and_one_day(memory: Memory) -> None:
    assert await memory.spend("purse", DAY, "a", 1)
    assert not await memory.spend("purse", DAY, "b", 1)
    assert await memory.spend("other", DAY, "b", 1)
    assert await memory.spend("purse", DAY + timedelta(days=1), "b", 1)


async def test_budgets_and_told_groups_survive_a_restart(tmp_path: Path) -> None:
    for expected in (True, False):
        store = open_store(tmp_path / "node.db")
        memory = open_memory(store, FileKeyStore(tmp_path / "keys"))
        assert await memory.spend("purse", DAY, str(expected), 1) is expected
        assert await tell(memory, str(expected), 100 if expected else 99) is expected
        store.close()


async def tell(memory: Memory, question: str, size: int, day: date = DAY, board: str = "b") -> bool:
    whole = Level((), (), ("people",), True, (((), (size,)),))
    return await memory.tell(board, day, question, [whole], 5)


async def test_groups_too_close_to_earlier_ones_are_not_told(memory: Memory) -> None:
    assert await tell(memory, "a", 100)
    assert not await tell(memory, "b", 99)
    assert await tell(memory, "b", 95)
    assert await tell(memory, "c", 90)


async def test_what_was_refused_is_not_remembered(memory: Memory) -> None:
    await tell(memory, "a", 100)
    await tell(memory, "b", 97)
    assert await tell(memory, "c", 94)


async def test_the_same_question_is_never_too_close_to_itself(memory: Memory) -> None:
    assert await tell(memory, "a", 100)
    assert await tell(memory, "a", 99)


async def test_other_askers_and_datasets_are_not_compared(memory: Memory) -> None:
    assert await tell(memory, "a", 100)
    assert await tell(memory, "b", 99, board="other")


async def test_groups_are_forgotten_after_a_year(memory: Memory) -> None:
    assert await tell(memory, "a", 100)
    assert await tell(memory, "b", 99, DAY + timedelta(days=400))


async def test_of_two_questions_at_once_one_is_compared_with_the_other(memory: Memory) -> None:
    told = await asyncio.gather(*(tell(memory, str(size), size) for size in (100, 99, 98, 97)))
    assert sum(told) == 1


async def test_what_is_remembered_is_bounded(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql, "MAX_CELLS", 2)
    assert [await tell(memory, str(size), size) for size in (100, 200, 300)] == [True, True, False]


async def test_values_are_remembered_by_a_hash_with_a_key(memory: Memory, tmp_path: Path) -> None:
    other = Memory(memory._store, FileKeyStore(tmp_path / "other"))
    assert memory.digest("999990019") == memory.digest("999990019") != other.digest("999990019")

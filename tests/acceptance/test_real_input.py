"""Real input: official test data behind eleven owners, twenty questions, every answer computed a second time.

Skipped where the shared data does not lie beside the checkout.
"""

import sqlite3
from collections.abc import AsyncIterator, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.owners import ASKER, owners
from tests.acceptance.questions import QUESTIONS, Question
from tests.acceptance.raw import database
from tests.conftest import SHARED
from tests.federation import Ask, federation

pytestmark = pytest.mark.skipif(
    SHARED is None, reason="the shared test data does not lie beside the checkout"
)


@pytest.fixture(scope="module")
def raw() -> Iterator[sqlite3.Connection]:
    assert SHARED is not None
    connection = database(SHARED)
    yield connection
    connection.close()


@pytest.fixture
async def ask(tmp_path: Path) -> AsyncIterator[Ask]:
    assert SHARED is not None
    async with federation(owners(SHARED, tmp_path), asker=ASKER, environment="test") as asking:
        yield asking


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
async def test_the_engine_gives_what_plain_sqlite_gives(
    question: Question, ask: Ask, raw: sqlite3.Connection
) -> None:
    expected = raw.execute(question.raw, question.parameters).fetchall()
    assert expected, "a question without an answer proves nothing"
    answer = await ask(question.sql, question.activity, "Z-2026-0001", question.parameters)
    assert _comparable(answer.rows, question.ordered) == _comparable(expected, question.ordered)


def test_there_are_at_least_fifteen_questions_and_each_has_its_own_name() -> None:
    assert len({question.name for question in QUESTIONS}) >= 15


def _comparable(rows: Any, ordered: bool) -> list[tuple[str, ...]]:
    cells = [tuple(_cell(value) for value in row) for row in rows]
    return cells if ordered else sorted(cells)


def _cell(value: object) -> str:
    """One spelling for the same value: numbers to six digits, days in ISO form, NULL apart from the word."""
    match value:
        case None:
            return "∅"
        case date():
            return value.isoformat()
        case int() | float() | Decimal():
            return f"{float(value):.6g}"
        case _:
            return str(value)

"""Real input: official test data behind eleven owners, twenty questions, every answer computed a second time.

Skipped where the shared data does not lie beside the checkout.
"""

import sqlite3
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.acceptance.owners import ACTIVITIES, owners
from tests.acceptance.questions import QUESTIONS, Question
from tests.acceptance.raw import database
from tests.conftest import SHARED
from tests.federation import Federation

pytestmark = pytest.mark.skipif(
    SHARED is None, reason="the shared test data does not lie beside the checkout"
)


@pytest.fixture(scope="module")
def raw() -> Iterator[sqlite3.Connection]:
    assert SHARED is not None
    connection = database(SHARED)
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def federation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Federation]:
    assert SHARED is not None
    home = tmp_path_factory.mktemp("real")
    one = Federation(home, owners(SHARED, home), ACTIVITIES)
    yield one
    one.close()


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
async def test_the_engine_gives_what_plain_sqlite_gives(
    question: Question, federation: Federation, raw: sqlite3.Connection
) -> None:
    expected = raw.execute(question.raw, question.parameters).fetchall()
    assert expected, "a question without an answer proves nothing"
    answer = await federation.ask(question.sql, question.activity, **question.parameters)
    rows = [tuple(row.values()) for row in answer.table.to_pylist()]
    assert _comparable(rows, question.ordered) == _comparable(expected, question.ordered)


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

"""A large answer keeps nobody else waiting: of a page that is neither sorted nor looked through, only its own rows are read."""

from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from sluis.query import showing
from sluis.query.showing import View
from sluis.web.listing import Asked

ROWS = 5_000


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    found: list[Any] = []
    monkeypatch.setattr(showing, "cell", lambda value: found.append(value) or value)
    return found


def view() -> View:
    table = pa.table({"naam": [f"n{ROWS - number:05}" for number in range(ROWS)]})
    answer: Any = SimpleNamespace(table=table, provenance=[SimpleNamespace(origins=(), unit=None)])
    return View(answer, SimpleNamespace(), {}, {})  # type: ignore[arg-type]


@pytest.mark.parametrize(("page", "first"), [(1, "n05000"), (2, "n04975"), (9_999, "n00025")])
def test_a_page_reads_its_own_rows(read: list[Any], page: int, first: str) -> None:
    listing = view().listing(Asked("/x", page=page), "nl")
    assert (len(listing.rows), listing.total, listing.rows[0].cells) == (25, ROWS, (first,))
    assert len(read) == 25
    assert listing.exports
    assert listing.asked.page <= 200


def test_what_is_sorted_looked_through_or_taken_along_is_the_same_as_ever(read: list[Any]) -> None:
    assert view().listing(Asked("/x", sort="naam"), "nl").rows[0].cells == ("n00001",)
    assert view().listing(Asked("/x"), "nl", wanted="N00007").total == 1
    assert len(view().listing(Asked("/x", form="csv"), "nl").rows) == ROWS
    assert len(read) == 3 * ROWS


def test_a_column_with_the_name_of_something_else_in_an_address_is_told_from_all_others() -> None:
    table = pa.table({"page": [1], "page_": [2], "sort": [3]})
    answer: Any = SimpleNamespace(table=table, provenance=[SimpleNamespace(origins=(), unit=None)] * 3)
    shown = View(answer, SimpleNamespace(), {}, {}).columns()  # type: ignore[arg-type]
    assert [one.name for one in shown] == ["page__", "page_", "sort_"]

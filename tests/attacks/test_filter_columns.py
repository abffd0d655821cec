"""A `filter` column restricts rows; it is not read through the rows that are left."""

from collections.abc import Callable

import pytest
from tests.unit.disclose.owner import Owner, disclosure

from sluis.grounds import Filter
from sluis.kernel import Refused

Make = Callable[..., Owner]

COLUMNS = {"bsn": "output", "name": "output", "age": "filter"}


def owner(make: Make, budget: int = 100) -> Owner:
    filters = {"age": Filter(("=", "<"), (), budget)}
    return make(
        disclosure(columns=COLUMNS, filters=filters, subject_required=False),
        disclosure("cities", subject_required=False),
    )


@pytest.mark.parametrize(
    "marker",
    [
        "EXISTS (SELECT 1 AS y FROM cities AS c WHERE p.age = 30)",
        "(SELECT max(c.city) FROM cities AS c WHERE p.age = 30)",
        "CASE WHEN 'Assen' IN (SELECT c.city FROM cities AS c WHERE p.age = 30) THEN 1 END",
    ],
)
async def test_a_filter_does_not_mark_rows_from_a_subquery(make: Make, marker: str) -> None:
    with pytest.raises(Refused) as caught:
        await owner(make).ask(f"SELECT p.name AS name, {marker} AS x FROM persons AS p")
    assert caught.value.rule == "column-filter-only"


async def test_each_comparison_draws_on_the_budget(make: Make) -> None:
    """Else a value is found by halving, all of it in one question."""
    halves = " UNION ALL ".join(
        f"SELECT p.name AS name, {age} AS x FROM persons AS p WHERE p.age < {age}" for age in (35, 45)
    )
    with pytest.raises(Refused) as caught:
        await owner(make, budget=1).ask(halves)
    assert caught.value.rule == "filter-budget"

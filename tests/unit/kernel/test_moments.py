"""Days begin here when people say that they do, also on those when the clock is changed."""

from datetime import UTC, date, datetime

import pytest

from sluis.kernel import beginning


@pytest.mark.parametrize(
    ("day", "at"),
    [
        (date(2026, 1, 31), datetime(2026, 1, 30, 23, tzinfo=UTC)),
        (date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC)),
        (date(2026, 3, 30), datetime(2026, 3, 29, 22, tzinfo=UTC)),
        (date(2026, 10, 26), datetime(2026, 10, 25, 23, tzinfo=UTC)),
    ],
)
def test_a_day_begins_at_midnight_here(day: date, at: datetime) -> None:
    assert beginning(day) == at.timestamp()

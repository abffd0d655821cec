"""Durations in words."""

import pytest

from sluis.grounds import lasting
from sluis.kernel import Text


@pytest.mark.parametrize(
    ("duration", "nl", "en"),
    [
        ("P1Y", "1 jaar", "1 year"),
        ("P5Y", "5 jaar", "5 years"),
        ("P1Y6M", "1 jaar en 6 maanden", "1 year and 6 months"),
        ("P1W2D", "1 week en 2 dagen", "1 week and 2 days"),
        ("P0Y1D", "1 dag", "1 day"),
    ],
)
def test_a_duration_is_told_as_people_say_it(duration: str, nl: str, en: str) -> None:
    assert lasting(duration) == Text(nl, en)


@pytest.mark.parametrize("duration", ["PT36H", "P1DT12H", "P0D"])
def test_a_duration_with_hours_or_of_nothing_is_told_as_it_is_written(duration: str) -> None:
    assert lasting(duration) == Text(duration, duration)

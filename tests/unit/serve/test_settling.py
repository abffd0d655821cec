"""What start-up made costs nobody time afterwards."""

import gc
from collections.abc import Iterator

import pytest

from sluis.serve import settle


@pytest.fixture
def collector() -> Iterator[None]:
    """The garbage collector, put back as it was."""
    before = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*before)


@pytest.mark.usefixtures("collector")
def test_what_start_up_made_is_never_looked_through_again() -> None:
    made = {"disclosures": ["d1"]}
    settle()
    later = {"questions": ["q1"]}
    looked_through = set(map(id, gc.get_objects()))
    assert id(made) not in looked_through
    assert id(later) in looked_through


@pytest.mark.usefixtures("collector")
def test_what_comes_in_at_once_is_not_looked_through_each_time() -> None:
    settle()
    before = gc.get_stats()[0]["collections"]
    waiting = [[number] for number in range(1_000)]
    assert (len(waiting), gc.get_stats()[0]["collections"] - before) == (1_000, 0)

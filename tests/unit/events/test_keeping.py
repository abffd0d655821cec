"""Who does not take what it is sent, takes no room from others: not from other owners, and not from publishing."""

from hypothesis import given
from hypothesis import strategies as st

from sluis.events.queue import MOST_WAITING
from sluis.events.sending.keeping import room_for
from sluis.kernel import PeerId

ANN, BOB = PeerId("00000001234567890000"), PeerId("00000009876543210000")


def test_one_owner_has_the_same_room_however_many_subscriptions_it_has() -> None:
    waiting = {f"a-{number}": 20_000 for number in range(100)} | {"b": 90_000}
    owners = dict.fromkeys(waiting, ANN) | {"b": BOB}
    room = room_for(waiting, owners, 100_000)
    assert sum(room[name] for name in room if name != "b") == 100_000
    assert room["b"] == 90_000


def test_within_an_owner_the_one_that_is_away_gives_up_and_not_the_others() -> None:
    assert room_for({"a": 150_000, "b": 40}, dict.fromkeys("ab", ANN), 100_000) == {"a": 99_960, "b": 40}


def test_what_nobody_knows_is_left_alone() -> None:
    assert room_for({"gone": 5}, {}, 1) == {}


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 200_000)), max_size=60))
def test_whoever_is_away_publishing_goes_on(lanes: list[tuple[int, int]]) -> None:
    waiting = {str(place): count for place, (_, count) in enumerate(lanes)}
    owners = {str(place): PeerId(f"{owner:020}") for place, (owner, _) in enumerate(lanes)}
    room = room_for(waiting, owners, 100_000)
    assert sum(room.values()) <= MOST_WAITING * 4 // 5
    assert all(room[name] <= waiting[name] for name in room)
    if sum(waiting.values()) <= 100_000:
        assert room == waiting

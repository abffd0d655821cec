"""What waits for an answer: once, in time, for one browser; and nobody takes the room of others."""

from tests.clocks import Clock

from sluis.identity.waiting import Waiting


def test_it_is_taken_once_by_the_browser_that_asked() -> None:
    waiting = Waiting[str](60, Clock())
    key = waiting.put("browser", "thing")
    assert waiting.take(key, "another") is None
    assert [waiting.take(key, "browser") for _ in range(2)] == ["thing", None]


def test_it_does_not_wait_longer_than_that() -> None:
    clock = Clock()
    waiting = Waiting[str](60, clock)
    key = waiting.put("browser", "thing")
    clock.later(seconds=60)
    assert waiting.look(key) is None
    waiting.put("browser", "other")
    assert len(waiting._waiting) == len(waiting._of[""]) == 1


def test_whoever_asks_often_pushes_out_their_own_and_nobody_elses() -> None:
    waiting = Waiting[int](60, Clock(), most=100, each=10)
    others = [waiting.put("browser", one, f"address-{one}") for one in range(5)]
    mine = [waiting.put("browser", one, "flood") for one in range(50)]
    assert [waiting.look(key) for key in others] == list(range(5))
    assert [waiting.look(key) for key in mine] == [None] * 40 + list(range(40, 50))


def test_when_there_is_no_room_whoever_has_most_gives_way() -> None:
    waiting = Waiting[int](60, Clock(), most=20, each=18)
    first = waiting.put("browser", 0, "somebody")
    for one in range(18):
        waiting.put("browser", one, "flood")
    late = [waiting.put("browser", one, f"address-{one}") for one in range(9)]
    assert waiting.look(first) == 0
    assert [waiting.look(key) for key in late] == list(range(9))
    assert (len(waiting._waiting), len(waiting._of["flood"])) == (20, 10)


def test_what_was_dropped_leaves_nothing_behind() -> None:
    waiting = Waiting[str](60, Clock())
    waiting.drop(waiting.put("browser", "thing", "somebody"))
    waiting.drop("unknown")
    assert (waiting._waiting, waiting._of) == ({}, {})

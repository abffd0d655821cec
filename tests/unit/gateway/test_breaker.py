"""The circuit of a peer opens after failures in a row, lets one trial through at a time, and closes when it answers."""

from sluis.gateway.breaker import FAILURES, FIRST, LONGEST, Breaker


def opened(draw: float = 1.0) -> Breaker:
    breaker = Breaker(lambda: draw)
    for _ in range(FAILURES):
        assert breaker.closed("p", 0.0)
        breaker.failed("p", 0.0)
    return breaker


def test_circuit_opens_after_failures_in_a_row_only() -> None:
    breaker = Breaker()
    for _ in range(FAILURES - 1):
        breaker.failed("p", 0.0)
    breaker.answered("p")
    breaker.failed("p", 0.0)
    assert breaker.closed("p", 0.0)
    assert not opened().closed("p", FIRST / 2)


def test_circuit_of_one_peer_says_nothing_about_another() -> None:
    assert opened().closed("q", 0.0)


def test_peers_that_are_left_alone_are_counted_until_they_answer() -> None:
    breaker = opened()
    breaker.failed("q", 0.0)
    assert breaker.paused() == 1
    breaker.answered("p")
    assert breaker.paused() == 0


def test_one_trial_at_a_time_after_the_pause() -> None:
    breaker = opened()
    assert breaker.closed("p", FIRST)
    assert not breaker.closed("p", FIRST)


def test_trial_that_is_answered_closes_the_circuit() -> None:
    breaker = opened()
    assert breaker.closed("p", FIRST)
    breaker.answered("p")
    assert breaker.closed("p", FIRST)
    breaker.failed("p", FIRST)
    assert breaker.closed("p", FIRST)


def test_pauses_double_up_to_the_longest() -> None:
    breaker, now, pauses = opened(), 0.0, list[float]()
    for _ in range(8):
        begun = now
        while not breaker.closed("p", now):
            now += 0.5
        pauses.append(now - begun)
        breaker.failed("p", now)
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (FIRST, LONGEST)


def test_half_of_a_pause_is_by_lot() -> None:
    assert opened(0.0).closed("p", FIRST / 2)
    assert not opened(1.0).closed("p", FIRST / 2)

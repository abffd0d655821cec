"""Who fails too often waits, longer each time, and never for good."""

import pytest

from sluis.web import TooOften, Tries
from sluis.web.tries import _KEYS, neighbourhood


class Seconds:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def tries(seconds: Seconds) -> Tries:
    return Tries(most=3, seconds=60, longest=200, clock=seconds)


def fail(tries: Tries, times: int, who: str = "192.0.2.1") -> None:
    for _ in range(times):
        tries.failed(who)


def wait_of(tries: Tries, who: str = "192.0.2.1") -> int:
    try:
        tries.check(who)
    except TooOften as problem:
        return problem.seconds
    return 0


def test_a_few_failures_are_nobodys_business(tries: Tries) -> None:
    fail(tries, 2)
    assert wait_of(tries) == 0


def test_too_many_failures_lock_who_failed_and_nobody_else(tries: Tries) -> None:
    fail(tries, 3)
    assert wait_of(tries) == 60
    assert wait_of(tries, "192.0.2.2") == 0


def test_a_lock_ends_by_itself(tries: Tries, seconds: Seconds) -> None:
    fail(tries, 3)
    seconds.now = 60.0
    assert wait_of(tries) == 0


def test_each_failure_after_a_lock_locks_twice_as_long_up_to_a_bound(tries: Tries, seconds: Seconds) -> None:
    fail(tries, 3)
    waits = []
    for _ in range(4):
        seconds.now += wait_of(tries)
        fail(tries, 1)
        waits.append(wait_of(tries))
    assert waits == [120, 200, 200, 200]


def test_failures_long_ago_are_forgotten(tries: Tries, seconds: Seconds) -> None:
    fail(tries, 2)
    seconds.now = 61.0
    fail(tries, 2)
    assert wait_of(tries) == 0


def test_what_is_remembered_is_bounded(tries: Tries) -> None:
    for number in range(_KEYS + 10):
        tries.failed(str(number))
    assert len(tries._failures) == _KEYS


def test_one_connection_of_ipv6_is_one_address() -> None:
    assert neighbourhood("2001:db8:1:2:aaaa::1") == neighbourhood("2001:db8:1:2:bbbb::2")
    assert neighbourhood("2001:db8:1:2::1") != neighbourhood("2001:db8:1:3::1")
    assert neighbourhood("192.0.2.1") != neighbourhood("192.0.2.2")


def test_a_wait_is_told_in_minutes() -> None:
    assert "Wacht 1 minuut en" in TooOften(60).next.nl
    assert "Wait 2 minutes and" in TooOften(61).next.en

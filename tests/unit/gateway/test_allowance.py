"""What a peer may ask at once and each second, and that it takes nothing from another."""

from sluis.gateway.allowance import Allowance


def test_what_is_used_comes_back_with_time() -> None:
    allowance = Allowance(at_once=10, a_second=2)
    assert [allowance.wait("a", 5, 100.0) for _ in range(3)] == [0.0, 0.0, 2.5]
    assert allowance.wait("a", 5, 102.5) == 0.0
    assert allowance.wait("a", 10, 10_000.0) == 0.0
    assert allowance.wait("a", 1, 10_000.0) == 0.5  # it never grows beyond what may be used at once


def test_nobody_uses_what_is_anothers() -> None:
    allowance = Allowance(at_once=1, a_second=1)
    assert allowance.wait("a", 1, 0.0) == 0.0
    assert allowance.wait("a", 1, 0.0) == 1.0
    assert allowance.wait("b", 1, 0.0) == 0.0


def test_what_was_known_afterwards_counts_too() -> None:
    allowance = Allowance(at_once=10, a_second=1)
    allowance.charge("a", 25, 0.0)
    assert allowance.wait("a", 1, 0.0) == 16.0


def test_a_clock_that_goes_back_gives_nothing() -> None:
    allowance = Allowance(at_once=1, a_second=1)
    allowance.charge("a", 1, 100.0)
    assert allowance.wait("a", 1, 50.0) == 1.0

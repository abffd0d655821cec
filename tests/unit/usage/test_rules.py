"""What was used comes to whole cents: nothing is rounded but VAT, once, halves up; a subscription begins no period twice."""

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluis.kernel import PeerId
from sluis.usage import Agreed, Tally, Tariff, Term
from sluis.usage.rules import (
    after,
    lines_of,
    month_of,
    number_of,
    periods_begun,
    quantity_of,
    read_month,
    tax_of,
)

NOVEMBER = date(2026, 11, 1)
PEER = PeerId("00000001000000000002")


def seconds(year: int, month: int, day: int = 1) -> int:
    return int(datetime(year, month, day, tzinfo=UTC).timestamp())


YEAR = Term("c", seconds(2026, 2, 10), seconds(2028, 2, 9))
_CENTS, _RATES = st.integers(-(10**12), 10**12), st.integers(0, 30)


@given(net=_CENTS, rate=_RATES)
def test_vat_is_whole_cents_as_near_as_can_be_with_halves_up(net: int, rate: int) -> None:
    tax, exact = tax_of(net, rate), Fraction(net * rate, 100)
    assert abs(tax - exact) <= Fraction(1, 2)
    if abs(tax - exact) == Fraction(1, 2):
        assert abs(tax) > abs(exact)
    assert tax_of(-net, rate) == -tax


@given(net=_CENTS)
def test_without_vat_there_is_none(net: int) -> None:
    assert tax_of(net, None) == tax_of(net, 0) == 0


@given(
    counted=st.builds(
        Tally, calls=st.integers(0, 10**6), failed=st.just(0), questions=st.integers(0, 10**6),
        persons=st.integers(0, 10**6), cents=st.integers(0, 10**9),
    ),
    price=st.integers(0, 10**6),
)  # fmt: skip
def test_lines_come_to_what_was_counted_times_the_price(counted: Tally, price: int) -> None:
    lines = lines_of(counted, [Tariff("call", price)], (), NOVEMBER)
    charged = counted.cents if counted.questions else 0
    assert sum(one.cents for one in lines) == charged + counted.calls * price
    assert all(isinstance(one.cents, int) and one.quantity for one in lines)
    assert all(one.each is None or one.cents == one.each * one.quantity for one in lines)


def test_what_failed_and_what_never_runs_costs_nothing() -> None:
    counted = Tally(calls=10, failed=4)
    assert quantity_of(Tariff("call", 5), counted, (), NOVEMBER) == 6
    assert quantity_of(Tariff("run", 5), counted, (), NOVEMBER) == 0
    assert lines_of(Tally(), [Tariff("call", 5)], (), NOVEMBER) == ()


@given(months=st.integers(1, 24), length=st.integers(0, 40))
def test_every_period_of_a_subscription_begins_once(months: int, length: int) -> None:
    end = date(2026 + (1 + length) // 12, (1 + length) % 12 + 1, 1)
    terms = [Term("c", seconds(2026, 2, 10), seconds(end.year, end.month, 20))]
    begun, month = 0, date(2025, 1, 1)
    while month < date(2031, 1, 1):
        begun += periods_begun(terms, months, month)
        month = after(month)
    assert begun == length // months + 1


def test_a_renewal_begins_no_period_anew() -> None:
    renewed = Term("d", seconds(2026, 12, 1), seconds(2029, 2, 9))
    for month, begun in (((2026, 2), 1), ((2026, 12), 0), ((2027, 2), 1), ((2028, 2), 1), ((2030, 2), 0)):
        assert periods_begun([YEAR, renewed], 12, date(*month, 1)) == begun
    assert periods_begun([], 12, NOVEMBER) == 0


def test_a_number_is_alike_each_time_and_another_for_another_agreement() -> None:
    one, other = Agreed("use", PEER, "sluis", "urn:a"), Agreed("supply", PEER, "sluis", "urn:a")
    assert number_of(NOVEMBER, one) == number_of(NOVEMBER, Agreed("use", PEER, "sluis", "urn:a"))
    assert len({number_of(NOVEMBER, one), number_of(NOVEMBER, other), number_of(after(NOVEMBER), one)}) == 3
    assert number_of(NOVEMBER, one).startswith("2026-11-")


@pytest.mark.parametrize("text", ["", "november", "2026", "2026-13", "2026-11-01", "２０２６-１３", "-1-01"])
def test_what_is_no_month_is_none(text: str) -> None:
    assert read_month(text) is None


def test_months_are_those_of_utc() -> None:
    assert month_of(seconds(2026, 12) * 1000 - 1) == NOVEMBER
    assert month_of(seconds(2026, 12) * 1000) == after(NOVEMBER) == date(2026, 12, 1)
    assert after(date(2026, 12, 1)) == date(2027, 1, 1)
    assert read_month("2026-11") == NOVEMBER

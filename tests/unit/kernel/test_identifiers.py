"""Identifiers are checked when they are made, and show nothing of themselves in a log."""

import pytest

from sluis.kernel import Invalid, Kvk, Oin, Rsin, Vestiging, decode, nine_digits


@pytest.mark.parametrize("number", ["992386032", "123456782"])
def test_an_rsin_passes_the_eleven_test(number: str) -> None:
    assert Rsin(number) == number


@pytest.mark.parametrize(
    "number", ["992386033", "000000000", "12345678", "1234567820", "99238603a", "٩٩٢٣٨٦٠٣٢"]
)
def test_what_fails_it_is_no_rsin(number: str) -> None:
    with pytest.raises(Invalid, match="eleven-test"):
        Rsin(number)


def test_an_establishment_number_has_twelve_digits() -> None:
    assert Vestiging("990000489902") == "990000489902"


@pytest.mark.parametrize("number", ["99000048990", "9900004899022", "99000048990x", ""])
def test_other_numbers_name_no_establishment(number: str) -> None:
    with pytest.raises(Invalid, match="twelve digits"):
        Vestiging(number)


@pytest.mark.parametrize("kind", [Kvk, Rsin, Vestiging, Oin])
def test_each_is_checked_where_json_is_read(kind: type) -> None:
    with pytest.raises(Invalid):
        decode(b'"1"', kind)


@pytest.mark.parametrize(
    ("value", "test", "fits"),
    [
        ("999990019", False, True),
        ("123456789", False, False),
        ("123456789", True, True),
        ("12345678", True, False),
        ("٩٩٩٩٩٠٠١٩", True, False),
    ],
)
def test_only_a_test_node_takes_nine_digits_that_fail_the_eleven_test(
    value: str, test: bool, fits: bool
) -> None:
    assert nine_digits(value, test) is fits

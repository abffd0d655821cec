"""Along what an answer is drawn, and which figures: by what its columns are."""

import pytest

from sluis.query.axes import MOST_SERIES, Axes, Trait, axes

AGE = Trait("pensioenleeftijd", "plain")
PAID = Trait("bedrag_per_maand", "amount", "eurocent")
YEAR = Trait("jaar", "plain")
DISTRICT = Trait("wijk", "text")
BORN = Trait("geboren", "day")
PEOPLE = Trait("mensen", "number")


@pytest.mark.parametrize(("columns", "found"), [
    ([AGE, PAID, DISTRICT], Axes(2, (1,))),  # an age is no axis, wherever it stands
    ([AGE, DISTRICT], Axes(1, (0,))),  # and a figure where there is no other
    ([AGE, PAID], None),  # a number is never an axis
    ([DISTRICT, PAID, YEAR, BORN], Axes(3, (1,))),  # days come before years, and years before words
    ([DISTRICT, PAID, YEAR], Axes(2, (1,))),
    ([Trait("inkomen_jaar", "plain"), PAID], Axes(0, (1,))),
    ([Trait("year", "number"), PEOPLE], Axes(0, (1,))),  # computed: date_part('year', …) AS year
    ([Trait("gemeten", "moment"), PEOPLE], Axes(0, (1,))),
    ([DISTRICT, PAID, PEOPLE, AGE], Axes(0, (1,))),  # one scale: euros, and nothing else
    ([DISTRICT, Trait("afstand", "number", "km"), Trait("duur", "number", "min"), Trait("route", "number", "km")], Axes(0, (1, 3))),
    ([Trait("kenteken", "text"), DISTRICT, PEOPLE], Axes(1, (2,))),  # names of things only where no other words are
    ([Trait("kenteken", "text"), PEOPLE], Axes(0, (1,))),
    ([Trait("ontvangt", "other"), PAID], None),  # yes, yes, no is no axis
    ([DISTRICT], None),
    ([], None),
])  # fmt: skip
def test_time_comes_before_words_and_a_number_is_only_a_figure(
    columns: list[Trait], found: Axes | None
) -> None:
    assert axes(columns) == found


@pytest.mark.parametrize(
    "name",
    ["bsn", "partner_bsn", "oin", "rsin", "KvK", "kvknummer", "postcode", "huisnummer", "zaaknummer", "gemeente_code",
     "pc4", "id", "order id", "number"],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["plain", "number"])
def test_what_tells_people_or_things_apart_is_no_figure(name: str, kind: str) -> None:
    assert axes([DISTRICT, Trait(name, kind)]) is None  # type: ignore[arg-type]
    assert axes([DISTRICT, Trait(name, kind), PEOPLE]) == Axes(0, (2,))  # type: ignore[arg-type]


def test_what_an_owner_says_that_tells_apart_is_no_figure_whatever_its_name() -> None:
    assert axes([DISTRICT, Trait("volg", "plain", identifies=True)]) is None


@pytest.mark.parametrize("name", ["leeftijd", "aantal", "kinderen", "identiteit_score", "periode"])
def test_what_only_looks_like_a_name_is_a_figure(name: str) -> None:
    assert axes([DISTRICT, Trait(name, "plain")]) == Axes(0, (1,))


def test_there_are_no_more_lines_than_can_be_told_apart() -> None:
    drawn = axes([DISTRICT, *[Trait(f"som_{letter}", "number") for letter in "abcdef"]])
    assert drawn is not None
    assert len(drawn.figures) == MOST_SERIES

"""A disclosure in words says all that it opens, and all that it keeps closed."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.disclose.owner import LAW, OTHER, PERSONS, disclosure

from sluis.grounds import Aggregate, Closed, Filter, Price, StandingRule, Withhold
from sluis.kernel import Period, Text
from sluis.owning.matrix import OPENNESS, matrix, openness
from sluis.owning.wording import differences, masked_as, told

NAMES = [column.name for column in PERSONS.columns]


@given(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["output", "join", "filter"])),
    st.sets(st.sampled_from(NAMES)),
    st.sets(st.sampled_from(NAMES)),
)
def test_every_column_is_told_of_exactly_once(
    roles: dict[str, Any], masks: set[str], closed: set[str]
) -> None:
    why = (
        (Closed(tuple(sorted(closed - roles.keys())), Text("Niet nodig.", "Not needed.")),)
        if closed - roles.keys()
        else ()
    )
    one = disclosure(
        columns=roles, masks=dict.fromkeys(masks & roles.keys(), "NULL"), closed=why,
        filters={name: Filter(("=",)) for name, role in roles.items() if role == "filter"},
    )  # fmt: skip
    words = told(PERSONS, one)
    said = [
        each.name
        for some in (words.sees, words.masked, words.joins, words.chooses, words.silent)
        for each in some
    ]
    said += [each.name for some, _ in words.closed for each in some]
    assert sorted(said) == sorted(NAMES)
    for line in matrix(PERSONS, [one]):
        assert (line.cells == ("closed",)) == (line.column.name not in roles)


@pytest.mark.parametrize(
    ("changed", "nl"),
    [
        ({}, "De vrager moet noemen over wie het gaat."),
        ({"subject_required": False}, "hoeft niet te noemen"),
        ({"ground": "consent"}, "alleen wie daarin toestemde"),
        ({"max_subjects": 12_345}, "Hoogstens 12.345 personen in één vraag."),
        ({"max_rows": 7}, "Hoogstens 7 rijen in één antwoord."),
        ({"questions_per_hour": 40}, "Hoogstens 40 vragen per uur."),
        ({"minimum_level": "substantial"}, "betrouwbaarheidsniveau substantieel of hoger"),
        ({"refuse_acr": ("local",)}, "Niet voor wie zo is ingelogd: local."),
        ({"aggregate": Aggregate(25)}, "groepen van minstens 25 personen."),
        ({"aggregate": Aggregate(25, combiner=OTHER)}, "verzegelde sleutels"),
        ({"aggregate": Aggregate(25, budget=9)}, "Hoogstens 9 verschillende vragen per dag."),
        ({"retention": "P0D"}, "niet bewaren nadat het is getoond"),
        ({"retention": "P5Y1M"}, "5 jaar en 1 maand bewaren"),
        ({"price": Price(150, 5)}, "€ 1,50 per vraag en € 0,05 per persoon"),
        ({"withhold": Withhold(LAW, 30)}, "pas na 30 dagen"),
        ({"standing": StandingRule("P1D", 50)}, "Hoogstens 50 tegelijk"),
        ({"columns": {"city": "filter"}, "filters": {"city": Filter(("=", "in"), ("Zwolle",), 3)}},
         "is gelijk aan, is een van, met ‘Zwolle’; hoogstens 3 keer per dag"),
        ({"rows": "secret = 0", "rows_because": Text("Geheim.", "Secret.")}, "Geheim."),
    ],
)  # fmt: skip
def test_what_a_disclosure_says_is_told_in_words(changed: dict[str, Any], nl: str) -> None:
    words = told(PERSONS, disclosure(**changed))
    texts = [
        words.asks,
        words.groups,
        words.keeps,
        words.costs,
        words.hidden,
        words.standing,
        words.rows,
        *words.limits,
    ]
    texts += [each.told for each in words.chooses]
    assert any(nl in one.nl for one in texts if one is not None)
    assert all(one.nl and one.en for one in texts if one is not None)


@pytest.mark.parametrize(
    ("expression", "nl", "code"),
    [
        ("NULL", "altijd leeg", False),
        ("'•••'", "altijd ‘•••’", False),
        ("left(postcode, 4)", "alleen de eerste 4 tekens", False),
        ('substr("postcode", 1, 4)', "alleen de eerste 4 tekens", False),
        ("date_trunc('year', born)", "alleen het jaar", False),
        ("date_trunc('month', born)", "alleen jaar en maand", False),
        ("make_date(year(born), 1, 1)", "alleen het jaar", False),
        ("income // 100 * 100", "berekend als", True),
        ("left(postcode, 4) || 'x'", "berekend als", True),
    ],
)
def test_a_mask_is_told_in_words_or_as_it_is_written(expression: str, nl: str, code: bool) -> None:
    words, shown = masked_as(expression)
    assert nl in words.nl
    assert (shown == expression) == code


def test_a_column_under_groups_is_open_for_groups_alone() -> None:
    assert openness("income", disclosure(aggregate=Aggregate(10))) == "groups"
    assert openness("income", disclosure(masks={"income": "NULL"})) == "masked"
    assert set(OPENNESS) >= {openness(name, disclosure()) for name in NAMES}


def test_what_changed_between_versions_is_told_by_column_and_field() -> None:
    before = disclosure(columns={"name": "output", "age": "join"}, max_rows=10)
    after = disclosure(
        version=2, columns={"name": "output", "age": "output", "city": "output"}, masks={"age": "NULL"}, max_rows=10,
        valid=Period(date(2026, 2, 1)),
    )  # fmt: skip
    found = {one.what.nl.split(" – ")[-1]: (one.before, one.after) for one in differences(before, after)}
    assert found["age"] in (("join", "output"), (None, "NULL"))
    assert found["city"] == (None, "output")
    assert "name" not in found
    assert len(found) == 3 if found["age"] else False
    assert not differences(
        before, disclosure(columns={"name": "output", "age": "join"}, max_rows=10, version=9)
    )

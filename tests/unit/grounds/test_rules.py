"""Which disclosure holds, what the offer says, and every contradiction between files."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.grounds.examples import DAY, OWNER, RECIPIENT, THIRD, activity, dataset, disclosure

from sluis.grounds import (
    Aggregate,
    Article,
    Closed,
    Column,
    Disclosure,
    Filter,
    Grounds,
    Price,
    StandingRule,
    Subject,
    Surroundings,
    make_offer,
)
from sluis.grounds.expressions import expression_fault
from sluis.grounds.rules import consistency, offer_digest
from sluis.kernel import Period, Text, decode, encode

AROUND = Surroundings(DAY, OWNER, frozenset({RECIPIENT}), frozenset({"main"}))


def grounds(**changed: Any) -> Grounds:
    return Grounds((dataset(),), (activity(),), (disclosure(**changed),))


def codes(files: Grounds, around: Surroundings = AROUND) -> list[str]:
    return [fault.code for _, fault in consistency(files, around)]


def test_an_offer_shows_every_column_and_the_role_of_opened_ones_only() -> None:
    offer = make_offer(OWNER, "eigenaar", dataset(), disclosure())
    assert [(column.name, column.role) for column in offer.columns] == [
        ("bsn", "output"),
        ("jaar", None),
        ("inkomen", "output"),
        ("vermogen", None),
    ]


def test_the_digest_survives_the_wire_and_changes_with_any_part() -> None:
    offer = make_offer(OWNER, "eigenaar", dataset(), disclosure())
    received = decode(encode(offer), type(offer))
    assert received == offer
    assert offer_digest(received) == offer.digest
    for changed in (
        msgspec.structs.replace(offer, alias="ander"),
        msgspec.structs.replace(offer, disclosure=disclosure(max_subjects=2)),
        msgspec.structs.replace(offer, columns=offer.columns[1:]),
    ):
        assert offer_digest(changed) != offer.digest


def test_files_that_agree_have_no_findings() -> None:
    assert codes(grounds()) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"dataset": "inkomens"}, "unknown-dataset"),
        ({"ground": "consent", "subject_required": False}, "consent-without-subject"),
        ({"ground": "consent", "aggregate": Aggregate(10)}, "consent-without-rows"),
        ({"ground": "consent", "aggregate": Aggregate(10, combiner=RECIPIENT)}, "consent-without-rows"),
        ({"activity": "urn:other"}, "unknown-activity"),
        ({"columns": {"bsn": "output", "naam": "output"}}, "unknown-column"),
        ({"valid": Period(date(2026, 1, 1), date(2026, 5, 31))}, "expired-disclosure"),
        ({"valid": Period(date(2026, 7, 1), date(2026, 1, 1))}, "period-reversed"),
        ({"columns": {"bsn": "output", "jaar": "filter"}}, "filter-without-rule"),
        ({"filters": {"inkomen": Filter(("=",))}}, "rule-without-filter"),
        ({"columns": {"bsn": "join"}}, "no-output"),
        ({"masks": {"vermogen": "0"}}, "column-not-opened"),
        ({"masks": {"inkomen": "salaris / 2"}}, "expression"),
        ({"masks": {"inkomen": "inkomen +"}}, "expression"),
        ({"rows": "jaar > 2020; drop table x"}, "expression"),
        ({"aggregate": Aggregate(10, {"vermogen": ("max",)})}, "column-not-opened"),
        ({"aggregate": Aggregate(10, combiner=THIRD)}, "unknown-peer"),
        ({"closed": (Closed(("naam",), Text("-", "-")),)}, "unknown-column"),
        ({"closed": (Closed(("inkomen",), Text("-", "-")),)}, "open-and-closed"),
        ({"columns": {"inkomen": "output"}}, "subject-cannot-be-named"),
        ({"columns": {"inkomen": "output", "bsn": "filter"}, "filters": {"bsn": Filter((">",))}}, "subject-cannot-be-named"),
        ({"masks": {"bsn": "0"}}, "masked-subject"),
    ],
)  # fmt: skip
def test_a_contradiction_in_a_disclosure_is_found_once(changed: dict[str, Any], code: str) -> None:
    assert codes(grounds(**changed)) == [code]


@pytest.mark.parametrize(
    ("others", "found"),
    [
        ((), []),
        ((disclosure(id="d2", recipient=THIRD, standing=StandingRule("PT1H")),), []),
        ((disclosure(id="d2", recipient=THIRD),), ["standing-shares-activity"]),
    ],
)
def test_standing_questions_have_an_activity_of_their_own(
    others: tuple[Disclosure, ...], found: list[str]
) -> None:
    standing = disclosure(standing=StandingRule("PT1H"))
    assert codes(Grounds((dataset(),), (activity(),), (standing, *others))) == found


def test_standing_questions_have_no_price() -> None:
    standing = disclosure(standing=StandingRule("PT1H"), price=Price(per_question=10))
    assert codes(Grounds((dataset(),), (activity(),), (standing,))) == ["standing-with-price"]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"source": "mian"}, "unknown-source"),
        ({"key": ("nummer",)}, "unknown-column"),
        ({"subject": Subject("nummer", "BSN")}, "unknown-column"),
        ({"columns": (Column("bsn", "BIGINT", source="x", expression="y"),)}, "two-origins"),
        ({"columns": (Column("bsn", "BIGINT", expression="sum(y)"),)}, "expression"),
    ],
)
def test_a_contradiction_in_a_dataset_is_found(changed: dict[str, Any], code: str) -> None:
    assert codes(Grounds((dataset(**changed),))) == [code]


def test_a_person_cannot_be_required_or_counted_in_rows_about_nobody() -> None:
    about_nobody = dataset(subject=None)
    files = Grounds((about_nobody,), (activity(),), (disclosure(aggregate=Aggregate(10)),))
    assert codes(files) == ["no-subject", "no-subject"]
    assert codes(Grounds((about_nobody,), (activity(),), (disclosure(subject_required=False),))) == []


def test_a_name_used_twice_is_found_at_the_second() -> None:
    again = dataset(title=Text("Nog eens", "Again"))
    found = list(consistency(Grounds((dataset(), again), (activity(), activity())), AROUND))
    assert [(fault.code, item is again) for item, fault in found] == [
        ("name-used-twice", True),
        ("name-used-twice", False),
    ]


@given(st.tuples(*[st.integers(0, 6)] * 4), st.booleans())
def test_two_disclosures_clash_exactly_when_some_day_has_both(
    bounds: tuple[int, int, int, int], open_end: bool
) -> None:
    first, second = sorted(bounds[:2]), sorted(bounds[2:])
    periods = [
        Period(DAY + timedelta(a), None if open_end else DAY + timedelta(b)) for a, b in (first, second)
    ]
    shared = any(all(period.holds(DAY + timedelta(day)) for period in periods) for day in range(8))
    pair = tuple(disclosure(id=f"d{number}", valid=period) for number, period in enumerate(periods))
    assert ("overlapping-disclosures" in codes(Grounds((dataset(),), (activity(),), pair))) == shared


def test_the_nodes_own_peers_and_the_recipient_may_combine() -> None:
    for combiner in (OWNER, RECIPIENT):
        assert codes(grounds(aggregate=Aggregate(10, combiner=combiner))) == []


@pytest.mark.parametrize(
    "text",
    [
        "a", "a + 1", "NULL", "'x'", "a IS NOT NULL AND NOT b IN (1, 2)", "CASE WHEN a > 1 THEN b END", "CAST(a AS DATE)",
        "a::VARCHAR", "date_trunc('year', a)", "a BETWEEN 1 AND 2", "coalesce(a, b)", "left(a, 4) || '**'", "(a)", "-a",
        "a = 1 OR b = 2", "a LIKE 'x%'", "CURRENT_DATE", "year(a)", "not b", "round(a / 100) * 100", "TRY_CAST(a AS INTEGER)",
        "a % 2", "extract(year from a)", "regexp_matches(a, 'x')", "A", "INTERVAL 1 YEAR", "true",
    ],
)  # fmt: skip
def test_one_scalar_expression_over_known_columns_is_taken(text: str) -> None:
    assert expression_fault(text, {"a", "b"}) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "a; b", "SELECT 1", "(SELECT a)", "a IN (SELECT 1)", "EXISTS (SELECT 1)", "sum(a)", "count(*)", "max(a) > 1",
        "row_number() OVER ()", "sum(a) OVER (PARTITION BY b)", "$p", "?", "*", "COLUMNS('a')", "a AS b", "a, b", "t.a", "c",
        "DROP TABLE x", "a FROM t", "1) OR (1=1", "a -- x\n;b", "random()", "uuid()", "now()", "getenv('HOME')",
        "read_text('/etc/passwd')", "nextval('s')", "a = (", "'open", "list_transform(a, x -> x + 1)", "current_timestamp",
        "(" * 3000 + "a" + ")" * 3000, "any_value(a)", "unnest(a)", "a FILTER (WHERE b)", "PRAGMA x", "string_agg(a, ',')",
        "current_setting('x')", "median(a)", "(a, b)", "VALUES (1)", "FROM a", "@x",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    assert expression_fault(text, {"a", "b"}) is not None


def test_a_column_of_the_source_is_not_held_against_the_datasets_columns() -> None:
    assert expression_fault("LOON + UITKERING", None) is None


@pytest.mark.parametrize(
    ("article", "address"),
    [
        (Article("Participatiewet", "53a", "BWBR0015703"), "https://wetten.overheid.nl/jci1.3:c:BWBR0015703&artikel=53a"),
        (Article("Awb", "2:5, lid 1", "BWBR0005537"), "https://wetten.overheid.nl/jci1.3:c:BWBR0005537&artikel=2:5"),
        (Article("Wet", "3.2, lid 1", "BWBR0005537"), "https://wetten.overheid.nl/jci1.3:c:BWBR0005537&artikel=3.2"),
        (Article("Wet", " 31A, tweede lid", "BWBR0005537"), "https://wetten.overheid.nl/jci1.3:c:BWBR0005537&artikel=31a"),
        (Article("Wet", "Artikel 31, onder a", "BWBR0005537"), "https://wetten.overheid.nl/jci1.3:c:BWBR0005537&artikel=31"),
        (Article("Wet", "<b>", "BWBR0005537"), "https://wetten.overheid.nl/jci1.3:c:BWBR0005537"),
        (Article("Wet", "bijlage", "BWBR0005537"), "https://wetten.overheid.nl/jci1.3:c:BWBR0005537"),
        (Article("AVG", "6"), None),
    ],
)  # fmt: skip
def test_an_article_leads_to_the_law(article: Article, address: str | None) -> None:
    assert article.page == address

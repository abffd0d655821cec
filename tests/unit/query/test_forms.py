"""What is ticked becomes SQL that says just that: values are parameters, joins are on keys that both have, groups stay groups."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp
from tests.unit.query.test_plan import offer

from sluis.grounds import Aggregate, Filter, Offer
from sluis.kernel import Invalid
from sluis.query.filled import filled_in
from sluis.query.forms import Keys, Link, make, read_value, wish_in
from sluis.statement import parse

PERSONS = offer("rvig", "personen", {"bsn": "output", "naam": "output", "order": "output"}, "bsn", "bsn", 10)
UNIONS = offer(
    "rvig", "relaties", {"bsn": "output", "partner_bsn": "join", "soort": "output"}, "bsn", "bsn", 10
)
INCOME = offer("bd", "inkomen", {"bsn": "output", "jaar": "filter", "naam": "output"}, "bsn", "bsn", 10,
               filters={"jaar": Filter(("=",), (2025,))})  # fmt: skip
TOWNS = offer("bag", "plaatsen", {"plaats": "output"}, None, "plaats", 10)
COUNTED = offer(
    "bd",
    "wijken",
    {"bsn": "join", "wijk": "output"},
    "bsn",
    "bsn",
    10,
    aggregate=Aggregate(10),
    subject_required=False,
)
ALL = (PERSONS, UNIONS, INCOME, TOWNS, COUNTED)


def sql(*ticked: str, keyed: bool = True, offers: tuple[Offer, ...] = ALL, **fields: str) -> str:
    form = {f"c.{one}": "on" for one in ticked} | {
        name.replace("__", "."): value for name, value in fields.items()
    }
    return " ".join(make(wish_in(form), offers, keyed).sql.split())


def test_one_dataset_is_asked_by_the_key_that_was_given() -> None:
    assert (
        sql("rvig.personen.naam")
        == "SELECT personen.naam FROM rvig.personen AS personen WHERE personen.bsn = $bsn"
    )


def test_others_are_joined_on_the_person_and_columns_of_one_name_are_told_apart() -> None:
    assert sql("rvig.personen.naam", "bd.inkomen.naam") == (
        "SELECT personen.naam AS personen_naam, inkomen.naam AS inkomen_naam FROM rvig.personen AS personen "
        "LEFT JOIN bd.inkomen AS inkomen ON inkomen.bsn = personen.bsn WHERE personen.bsn = $bsn"
    )


def test_a_dataset_can_be_about_the_partner_by_a_key_that_leads_there() -> None:
    made = sql("rvig.personen.naam", "bd.inkomen.naam", j__bd__inkomen="bsn=rvig.relaties.partner_bsn")
    assert "LEFT JOIN rvig.relaties AS relaties ON relaties.bsn = personen.bsn" in made
    assert "LEFT JOIN bd.inkomen AS inkomen ON inkomen.bsn = relaties.partner_bsn" in made


def test_a_condition_on_a_joined_dataset_drops_no_row_of_another() -> None:
    made = sql("rvig.personen.naam", "bd.inkomen.naam", w1__column="bd.inkomen.jaar", w1__is="eq", w2__column="rvig.personen.naam", w2__is="filled")  # fmt: skip
    assert "ON inkomen.bsn = personen.bsn AND inkomen.jaar = $jaar" in made
    assert made.endswith("WHERE personen.bsn = $bsn AND NOT personen.naam IS NULL")


def test_groups_are_counted_and_nobody_is_named() -> None:
    assert (
        sql("bd.wijken.wijk")
        == "SELECT wijken.wijk, COUNT(*) AS aantal FROM bd.wijken AS wijken GROUP BY wijken.wijk"
    )


def test_a_column_that_is_named_as_a_word_of_sql_is_quoted() -> None:
    assert parse(sql("rvig.personen.order")).named_selects == ["order"]


@pytest.mark.parametrize(("ticked", "fields", "code"), [
    ((), {}, "nothing-ticked"),
    (("rvig.personen.geheim",), {}, "column-not-open"),
    (("rvig.relaties.partner_bsn",), {}, "column-not-open"),
    (("elders.iets.naam",), {}, "column-not-open"),
    (("rvig.personen.naam", "bag.plaatsen.plaats"), {}, "no-shared-key"),
    (("bd.inkomen.naam",), {"w1__column": "bd.inkomen.jaar", "w1__is": "gt"}, "column-not-open"),
    (("bd.inkomen.naam",), {"j__bd__inkomen": "bsn=elders.iets.bsn"}, "column-not-open"),
])  # fmt: skip
def test_what_is_not_open_or_has_no_key_is_refused_at_its_field(
    ticked: tuple[str, ...], fields: dict[str, str], code: str
) -> None:
    with pytest.raises(Invalid) as problem:
        sql(*ticked, **fields)
    assert problem.value.code == code
    assert problem.value.field


@given(st.dictionaries(
    st.sampled_from(["c.rvig.personen.naam", "j.bd.inkomen", "w1.column", "w1.is", "w1.value", "key", "c.bd.inkomen.naam'; drop", "case", "sql"]),
    st.text(max_size=60) | st.sampled_from(["on", "eq", "' or 1=1 --", "rvig.personen.naam", "bsn=rvig.relaties.partner_bsn"]),
))  # fmt: skip
def test_no_field_is_ever_read_as_sql(fields: dict[str, str]) -> None:
    try:
        made = make(wish_in(fields), ALL, True)
    except Invalid:
        return
    tree = parse(made.sql)
    assert not list(tree.find_all(exp.Literal))
    names = {f"{one.alias}.{one.dataset}" for one in ALL}
    assert {f"{table.db}.{table.name}" for table in tree.find_all(exp.Table)} <= names
    assert {str(one.this) for one in tree.find_all(exp.Placeholder)} == {one.name for one in made.parameters}


def test_only_a_way_to_somebody_else_is_proposed() -> None:
    keys = Keys(ALL)
    assert keys.links(INCOME) == (Link("bsn", ("rvig", "relaties", "partner_bsn")),)
    assert keys.links(TOWNS) == ()


def test_ways_to_join_are_found_among_a_thousand_datasets_at_once() -> None:
    many = [
        offer("o", f"d{number}", {f"k{number % 7}": "output", "naam": "output"}, None, f"k{number % 7}", 10)
        for number in range(1_000)
    ]
    keys = Keys(many)
    began = time.perf_counter()
    assert len(keys.links(many[0])) == 20
    assert time.perf_counter() - began < 0.05


@pytest.mark.parametrize(("text", "kind", "value"), [
    ("22-11-2026", "DATE", "2026-11-22"),
    (" 1-2-2026 ", "DATE", "2026-02-01"),
    ("2026-11-22", "DATE", "2026-11-22"),
    ("ja", "BOOLEAN", "true"),
    ("1.234.567", "BIGINT", "1234567"),
    ("1.234,56", "DECIMAL(9,2)", "1234.56"),
    ("12.5", "DOUBLE", "12.5"),
    ("1.234", "VARCHAR", "1.234"),
])  # fmt: skip
def test_values_are_read_as_people_here_write_them(text: str, kind: str, value: Any) -> None:
    assert read_value(text, kind) == value


def test_unknown_and_too_many_fields_are_left_out() -> None:
    fields = {f"c.a.b.c{number}": "on" for number in range(450)} | {
        "csrf": "x",
        "next": "https://elders.example",
        "c.A.b.c": "on",
    }
    kept = filled_in(fields)
    assert len(kept.fields) == 400
    assert not {"csrf", "next", "c.A.b.c"} & {*kept.fields}
    assert len(filled_in({"case": "x" * 10**6}).case) == 8_000

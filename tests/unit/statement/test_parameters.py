"""Constants become typed parameters; values are taken exactly or not at all."""

from datetime import date
from typing import Any

import pytest

from sluis.kernel import Invalid
from sluis.statement import bind, list_parameters, parameterise, parse, qualify, text

COLUMNS = {
    "bsn": "VARCHAR",
    "geboren": "DATE",
    "jaar": "INTEGER",
    "bedrag": "DECIMAL(10,2)",
    "actief": "BOOLEAN",
}
SCHEMA = {"a": {"t": COLUMNS}}


def taken(condition: str) -> tuple[str, dict[str, Any], dict[str, str]]:
    tree = qualify(parse(f"select 1 from a.t where {condition}"), SCHEMA, SCHEMA)
    tree, values, types = parameterise(tree, {("a", "t"): COLUMNS})
    return text(tree).split(" WHERE ")[1], values, types


@pytest.mark.parametrize(
    ("condition", "written", "values"),
    [
        ("bsn = '1'", "t.bsn = $p0", {"p0": "1"}),
        ("'1' = bsn", "$p0 = t.bsn", {"p0": "1"}),
        ("bsn in ('1', '2')", "t.bsn = ANY($p0)", {"p0": ["1", "2"]}),
        ("jaar > -5", "t.jaar > $p0", {"p0": -5}),
        ("geboren >= '1990-01-31'", "t.geboren >= $p0", {"p0": date(1990, 1, 31)}),
        ("geboren >= date '1990-01-31'", "t.geboren >= $p0", {"p0": date(1990, 1, 31)}),
        ("jaar between 1 and 2", "t.jaar BETWEEN $p0 AND $p1", {"p0": 1, "p1": 2}),
        ("not bsn in ('1')", "NOT t.bsn = ANY($p0)", {"p0": ["1"]}),
    ],
)
def test_a_constant_becomes_a_parameter(condition: str, written: str, values: dict[str, Any]) -> None:
    assert taken(condition)[:2] == (written, values)


@pytest.mark.parametrize(
    "condition", ["bsn = 5", "bedrag > 1.5", "geboren > '1990'", "jaar = 1.5", "bsn = bsn || 'x'"]
)
def test_a_constant_the_column_cannot_hold_exactly_stays(condition: str) -> None:
    assert taken(condition)[1] == {}


def test_the_callers_own_names_are_left_alone() -> None:
    written, values, types = taken("bsn = $p0 and jaar = 3 and geboren < current_date")
    assert written == "t.bsn = $p0 AND t.jaar = $p1 AND t.geboren < $today"
    assert (values, types) == ({"p1": 3}, {"p0": "VARCHAR", "p1": "INTEGER", "today": "DATE"})


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("VARCHAR", "x", "x"), ("BIGINT", 5, 5), ("BIGINT", "-5", -5), ("DATE", "2026-01-31", date(2026, 1, 31)),
        ("BOOLEAN", "true", True), ("VARCHAR", None, None),
    ],
)  # fmt: skip
def test_a_value_of_the_columns_type_is_taken(kind: str, given: Any, value: Any) -> None:
    assert bind((), {"v": kind}, {"v": given}) == {"v": value}


@pytest.mark.parametrize(
    ("kind", "given"),
    [("VARCHAR", 5), ("BIGINT", "five"), ("BIGINT", 1.5), ("BIGINT", True), ("BIGINT", 2**63), ("DATE", "31-01-2026"),
     ("DATE", "2026-02-30"), ("BOOLEAN", 1), ("DECIMAL(10,2)", "x"), ("VARCHAR", ["x"]), ("TIMESTAMP", 5)],
)  # fmt: skip
def test_a_value_is_never_bent_to_fit(kind: str, given: Any) -> None:
    with pytest.raises(Invalid) as caught:
        bind((), {"v": kind}, {"v": given})
    assert caught.value.code == "parameter-type"


def test_a_missing_or_spare_parameter_is_told() -> None:
    with pytest.raises(Invalid, match="no value"):
        bind((), {"v": "VARCHAR"}, {})
    with pytest.raises(Invalid, match="does not use"):
        bind((), {}, {"v": "x"})


def test_a_list_is_a_list() -> None:
    lists = list_parameters(parse("select 1 from t where a = any($k)"))
    assert bind(lists, {"k": "VARCHAR"}, {"k": ["1", "2"]}) == {"k": ["1", "2"]}
    with pytest.raises(Invalid):
        bind(lists, {"k": "VARCHAR"}, {"k": "12"})

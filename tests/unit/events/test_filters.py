"""Every dialect of the CloudEvents Subscriptions API ("Filters"), and what is no filter."""

from typing import Any

import pytest

from sluis.events.filters import MAX_DEPTH, MAX_FILTERS, MAX_SQL, characters_of_sql, compile_filters
from sluis.kernel import Invalid

EVENT = {
    "type": "nl.zaken.zaak-geopend.v1",
    "source": "/zaken",
    "id": "1",
    "sequence": 5,
    "urgent": True,
    "raw": b"a",
}


@pytest.mark.parametrize(
    ("document", "passes"),
    [
        ({"exact": {"type": "nl.zaken.zaak-geopend.v1"}}, True),
        ({"exact": {"type": "nl.zaken"}}, False),
        ({"exact": {"type": "NL.zaken.zaak-geopend.v1"}}, False),
        ({"exact": {"subject": "s"}}, False),
        ({"exact": {"type": "nl.zaken.zaak-geopend.v1", "source": "/zaken"}}, True),
        ({"exact": {"type": "nl.zaken.zaak-geopend.v1", "source": "/anders"}}, False),
        ({"exact": {"sequence": "5"}}, True),
        ({"exact": {"urgent": "true"}}, True),
        ({"exact": {"raw": "YQ=="}}, True),
        ({"prefix": {"type": "nl.zaken."}}, True),
        ({"prefix": {"type": "zaken."}}, False),
        ({"prefix": {"subject": "s"}}, False),
        ({"prefix": {"type": "nl.", "source": "/z"}}, True),
        ({"suffix": {"type": ".v1"}}, True),
        ({"suffix": {"type": ".v2"}}, False),
        ({"suffix": {"subject": "s"}}, False),
        ({"all": [{"exact": {"id": "1"}}]}, True),
        ({"all": [{"exact": {"id": "1"}}, {"exact": {"source": "/zaken"}}]}, True),
        ({"all": [{"exact": {"id": "1"}}, {"exact": {"source": "/anders"}}]}, False),
        ({"any": [{"exact": {"id": "2"}}, {"exact": {"source": "/zaken"}}]}, True),
        ({"any": [{"exact": {"id": "2"}}, {"exact": {"source": "/anders"}}]}, False),
        ({"any": [{"exact": {"id": "2"}}]}, False),
        ({"not": {"exact": {"id": "2"}}}, True),
        ({"not": {"exact": {"id": "1"}}}, False),
        ({"not": {"exact": {"subject": "s"}}}, True),
        ({"not": {"not": {"exact": {"id": "1"}}}}, True),
        ({"sql": "sequence > 4 AND urgent"}, True),
        ({"sql": "sequence > 5"}, False),
        ({"sql": "subject = 'a'"}, False),
        ({"sql": "type"}, False),
        ({"sql": "'true'"}, False),
        ({"not": {"sql": "subject = 'a'"}}, True),
    ],
)
def test_each_dialect_says_which_events_pass(document: dict[str, Any], passes: bool) -> None:
    assert compile_filters([document])(EVENT) is passes


def test_all_filters_of_a_subscription_must_hold() -> None:
    assert compile_filters([{"exact": {"id": "1"}}, {"prefix": {"type": "nl."}}])(EVENT)
    assert not compile_filters([{"exact": {"id": "1"}}, {"prefix": {"type": "be."}}])(EVENT)


def test_without_filters_everything_passes() -> None:
    assert compile_filters([])({})


def nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {"exact": {"id": "1"}}
    for _ in range(depth):
        found = {"all": [found]}
    return found


@pytest.mark.parametrize(
    ("document", "where"),
    [
        ({}, "/filters/0"),
        ("exact", "/filters/0"),
        ({"fuzzy": {"id": "1"}}, "/filters/0"),
        ({"exact": {"id": "1"}, "prefix": {"id": "1"}}, "/filters/0"),
        ({"exact": {}}, "/filters/0/exact"),
        ({"exact": "id"}, "/filters/0/exact"),
        ({"exact": {"id": 1}}, "/filters/0/exact"),
        ({"exact": {"id": None}}, "/filters/0/exact"),
        ({"prefix": {"id": ""}}, "/filters/0/prefix"),
        ({"suffix": {"": "a"}}, "/filters/0/suffix"),
        ({"exact": {"id": "a" * 2049}}, "/filters/0/exact"),
        ({"all": []}, "/filters/0/all"),
        ({"any": []}, "/filters/0/any"),
        ({"any": {}}, "/filters/0/any"),
        ({"all": [{"exact": {"id": "1"}}, {"not": 3}]}, "/filters/0/all/1/not"),
        ({"not": [{"exact": {"id": "1"}}]}, "/filters/0/not"),
        ({"sql": 1}, "/filters/0/sql"),
        ({"sql": "id = "}, "/filters/0/sql"),
        ({"sql": "ONBEKEND(id)"}, "/filters/0/sql"),
        (nested(MAX_DEPTH), "/filters/0" + "/all/0" * (MAX_DEPTH - 1) + "/all"),
        ({"any": [{"exact": {"id": "1"}}] * MAX_FILTERS}, f"/filters/0/any/{MAX_FILTERS - 1}"),
        ({"exact": {f"a{number}": "1" for number in range(MAX_FILTERS + 1)}}, "/filters/0"),
        ({"all": [{"sql": "id = '1'" + " " * (MAX_SQL // 2)}] * 2}, "/filters/0/all/1/sql"),
    ],
)
def test_what_is_no_filter_is_refused_at_its_place(document: Any, where: str) -> None:
    with pytest.raises(Invalid) as raised:
        compile_filters([document])
    assert raised.value.code == "unfit-filter"
    assert f"`{where}`" in raised.value.what.en


def test_a_filter_at_the_bound_is_taken() -> None:
    assert compile_filters([nested(MAX_DEPTH - 1)])(EVENT)
    assert compile_filters([{"any": [{"exact": {"id": "1"}}] * (MAX_FILTERS - 1)}])(EVENT)


def test_expressions_are_counted_wherever_they_are() -> None:
    inside = [{"sql": "TRUE"}, {"any": [{"not": {"sql": "FALSE"}}, {"exact": {"id": "1"}}]}]
    assert characters_of_sql([{"all": inside}, {"sql": "1"}]) == len("TRUE") + len("FALSE") + len("1")

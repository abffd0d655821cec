"""A hostile peer publishes a catalogue, and says of it what went wrong: neither costs this node its time, nor others their
catalogues."""

import contextlib
import json
import time
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from sluis.catalogue.model import Accepting, Acknowledged
from sluis.catalogue.reading import MOST_WORDS, read_catalogue_of
from sluis.kernel import Invalid, Problem, Unkept, convert
from sluis.web.notation import day, moment

PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "csvw": "http://www.w3.org/ns/csvw#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "schema": "https://schema.org/",
}


def document(*nodes: Any, **more: str) -> bytes:
    catalogue = {"@id": "https://a.nl", "@type": "dcat:Catalog"}
    return json.dumps({"@context": PREFIXES | more, "@graph": [catalogue, *nodes]}).encode()


def dataset(number: int = 0, **more: Any) -> dict[str, Any]:
    return {"@id": f"https://a.nl/{number}", "@type": "dcat:Dataset", "dct:title": "D", **more}


def to(name: str, times: int = 1) -> list[dict[str, str]]:
    return [{"@id": name}] * times


def seconds(raw: bytes) -> float:
    began = time.process_time()
    with contextlib.suppress(Invalid):
        read_catalogue_of(raw)
    return time.process_time() - began


def test_what_leads_to_the_same_again_and_again_is_read_as_quickly_as_it_is_small() -> None:
    """200 times to one distribution, 200 times to one schema, 200 times to one column: 10 kB took 26 seconds, and twice as much
    takes eight times as long."""
    raw = document(
        dataset(**{"dcat:distribution": to("a:d", 200)}),
        {"@id": "a:d", "dct:conformsTo": to("a:s", 200)},
        {"@id": "a:s", "csvw:column": {"@list": to("a:k", 200)}},
        {"@id": "a:k", "csvw:name": "kolom"},
    )
    assert seconds(raw) < 1
    (found,) = read_catalogue_of(raw).entries
    assert found.columns == ("kolom",)


def test_many_prefixes_of_one_space_are_refused() -> None:
    raw = document(*map(dataset, range(1500)), **{f"p{number}": PREFIXES["dct"] for number in range(1500)})
    assert seconds(raw) < 1
    with pytest.raises(Invalid):
        read_catalogue_of(raw)


def test_what_many_entries_share_is_looked_at_so_often_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each entry has so many columns of which none is its own."""
    columns = [{"@id": f"a:k{number}", "csvw:name": f"k{number}"} for number in range(MOST_WORDS)]
    schema = {"@id": "a:s", "csvw:column": {"@list": [{"@id": one["@id"]} for one in columns]}}
    shared = [{"@id": "a:d", "dct:conformsTo": {"@id": "a:s"}}, schema, *columns]
    few = [dataset(number, **{"dcat:distribution": {"@id": "a:d"}}) for number in range(20)]
    assert {len(one.columns) for one in read_catalogue_of(document(*shared, *few)).entries} == {MOST_WORDS}
    monkeypatch.setattr("sluis.catalogue.reading.MOST_LOOKS", 2000)
    with pytest.raises(Invalid):
        read_catalogue_of(document(*shared, *few))


def test_a_column_that_is_named_by_no_name_is_left_out() -> None:
    """It ended the reading of all catalogues."""
    raw = document(
        dataset(**{"dcat:distribution": {"@id": "a:d"}}),
        {"@id": "a:d", "dct:conformsTo": {"@id": "a:s"}},
        {"@id": "a:s", "csvw:column": {"@list": [{"@id": []}, {"@id": {}}, {"@id": "a:k"}]}},
        {"@id": "a:k", "csvw:name": "kolom"},
    )
    assert [one.columns for one in read_catalogue_of(raw).entries] == [("kolom",)]


@pytest.mark.parametrize("at", [2**53, 253_402_300_800, -(2**62), 1e300, float("inf"), float("nan")])
def test_a_moment_beyond_the_calendar_takes_no_page_away(at: float) -> None:
    """A peer that accepted terms in the year 287396 took the page of terms away from everybody, for good."""
    for language in ("nl", "en"):
        assert "<time" in moment(at, language)


@pytest.mark.parametrize("one", [datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)])
def test_the_last_day_of_the_calendar_is_a_day_here_as_well(one: datetime) -> None:
    assert "<time" in day(one, "nl")
    assert "<time" in moment(one, "nl")


def test_nobody_accepts_terms_after_the_calendar_ends() -> None:
    said = {"iri": "https://a.nl/1", "version": "1", "digest": "0" * 64, "reference": "0" * 32, "at": 2**53}
    with pytest.raises(msgspec.ValidationError):
        convert(said, Accepting)
    with pytest.raises(msgspec.ValidationError):
        convert({"reference": "0" * 32, "received": 2**53}, Acknowledged)


@pytest.mark.parametrize("code", ["a\x00b", "\u202eedoc", "", "a b", "x" * 101, "a\n", 7, None])
def test_the_code_of_a_problem_that_a_peer_sends_is_one_or_none(code: Any) -> None:
    """It is kept, where PostgreSQL takes no NUL, and stands in logs."""
    problem = Problem.from_members(
        {"status": 503, "code": code, "title": "Zo\u202e is\x07 het.", "rule": "r\x00"}
    )
    assert (type(problem), problem.code, problem.what.nl, problem.rule) == (
        Unkept,
        "unknown-problem",
        "Zo is het.",
        "r",
    )
    assert Problem.from_members({"code": "terms-changed"}).code == "terms-changed"

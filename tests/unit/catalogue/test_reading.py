"""Another organisation's catalogue is read for what it says, and believed in nothing else."""

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.catalogue.examples import BASE, EVENT, OF, full, hostile, sparse

from sluis.catalogue import Found, reading
from sluis.catalogue.graph import PREFIXES, catalogue_graph, written
from sluis.catalogue.model import Wording
from sluis.catalogue.reading import LONGEST_TITLE, read_catalogue_of
from sluis.catalogue.rules import published
from sluis.kernel import Invalid

DCAT = {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"}
CATALOG = {"@id": "https://a.nl", "@type": "dcat:Catalog"}


def entries_of(raw: bytes) -> tuple[Found, ...]:
    return read_catalogue_of(raw).entries


def document(*nodes: Any, context: Any = DCAT) -> bytes:
    return json.dumps({"@context": context, "@graph": [CATALOG, *nodes]}).encode()


def dataset(**more: Any) -> dict[str, Any]:
    return {
        "@id": "https://a.nl/d",
        "@type": "dcat:Dataset",
        "dct:title": {"@value": "D", "@language": "nl"},
        **more,
    }


@pytest.mark.parametrize("catalogue", [full, sparse, hostile])
def test_what_a_node_publishes_another_reads(catalogue: Any) -> None:
    whole, entries = catalogue()
    found = {
        one.iri: one for one in entries_of(written(catalogue_graph(whole, published(entries), OF), "json-ld"))
    }
    assert set(found) == {one.iri for one in published(entries)}
    for entry in entries:
        one = found[entry.iri]
        assert (one.kind, one.access_rights, set(one.themes)) == (
            entry.kind,
            entry.access_rights,
            set(entry.themes),
        )
        assert one.columns == tuple(column.name for column in entry.columns)


def test_texts_keywords_and_the_day_come_along() -> None:
    whole, entries = full()
    found = {one.iri: one for one in entries_of(written(catalogue_graph(whole, entries, OF), "json-ld"))}
    one = found[f"{BASE}/datasets/inkomen"]
    assert (one.title.nl, one.title.en, one.description.en) == (
        "Inkomen per jaar",
        "Income per year",
        "Wat het is (en)",
    )
    assert (one.words, one.modified) == (Wording(("inkomen", "loon"), ("income",)), date(2026, 11, 20))
    assert found[f"{BASE}/event-types/{EVENT}"].kind == "event-type"


@pytest.mark.parametrize(
    "context",
    [
        "https://elders.nl/context.jsonld",
        ["https://elders.nl/context.jsonld", DCAT],
        {**DCAT, "@import": "https://elders.nl/context.jsonld"},
        {**DCAT, "@vocab": "https://elders.nl/"},
        {**DCAT, "@base": "https://elders.nl/"},
        {**DCAT, "d": {"@id": "dcat:Dataset", "@context": "https://elders.nl/"}},
        {**DCAT, "id": "@id"},
        None,
    ],
)
def test_a_context_that_is_elsewhere_or_changes_meaning_is_refused(context: Any) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        entries_of(document(dataset(), context=context))


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"7", b"\xff", b"{}", b'{"@context": {}, "@graph": {}}', b'{"@context": {}, "@graph": []}',
     b"[" * 100_000, json.dumps({"@context": PREFIXES, "@graph": [dataset()]}).encode()],
)  # fmt: skip
def test_what_is_no_catalogue_is_refused(raw: bytes) -> None:
    with pytest.raises(Invalid, match="cannot be read"):
        read_catalogue_of(raw)


@pytest.mark.parametrize(
    "node",
    [
        {"@id": "javascript:alert(1)"},
        {"@id": "https://a.nl/een twee"},
        {"@id": f"https://a.nl/{'x' * 2000}"},
        {"@id": 7},
        {"@id": None},
        {"dct:title": None},
        {"dct:title": {"@value": 7}},
        {"dct:title": [[]]},
        {"dct:title": " "},
        {"@type": "dcat:Wat"},
        {"@type": [None, 7, {}]},
    ],
)
def test_what_is_no_entry_is_left_out_and_the_rest_is_read(node: dict[str, Any]) -> None:
    other = dataset(**{"@id": "https://a.nl/goed"})
    assert [one.iri for one in entries_of(document(dataset(**node), other))] == ["https://a.nl/goed"]


def test_what_is_long_is_cut_and_too_many_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = entries_of(document(dataset(**{"dct:title": "x" * 100_000, "dcat:keyword": ["y" * 999] * 999})))
    assert (len(one.title.nl), one.words) == (LONGEST_TITLE, Wording(other=("y" * 200,)))
    monkeypatch.setattr(reading, "MOST_ENTRIES", 3)
    many = [dataset(**{"@id": f"https://a.nl/{number}"}) for number in range(4)]
    assert len(entries_of(document(*many[:3]))) == 3
    with pytest.raises(Invalid):
        entries_of(document(*many))


_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["dcat:Dataset", "https://a.nl/x"])
)
_KEYS = st.sampled_from(
    ["@id", "@type", "@value", "@list", "@language", "dct:title", "dct:type", "dct:modified", "dcat:theme", "dcat:keyword",
     "dcat:distribution", "dct:conformsTo", "csvw:column", "dct:accessRights", "x"],
)  # fmt: skip
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(nodes=st.lists(st.dictionaries(_KEYS, _VALUES, max_size=6) | _VALUES, max_size=4))
def test_whatever_is_in_it_reading_ends_with_entries_or_a_problem(nodes: list[Any]) -> None:
    try:
        found = entries_of(document(*nodes))
    except Invalid:
        return
    assert all(one.iri.startswith("http") for one in found)

"""What is published is valid under the official shapes of DCAT-AP and DCAT-AP-NL, and says what is known and no more."""

import json
from functools import cache
from typing import Any

import pytest
from rdflib import DCAT, DCTERMS, FOAF, RDF, SH, Graph, URIRef
from rdflib.compare import isomorphic
from tests.conftest import SHARED
from tests.servers import missing
from tests.unit.catalogue.examples import BASE, EVENT, EVIL, OF, full, hostile, sparse, whole

from sluis.catalogue import Of
from sluis.catalogue.graph import DQV, PREFIXES, catalogue_graph, entry_graph, written
from sluis.catalogue.reading import read_catalogue_of
from sluis.catalogue.rules import project, published
from sluis.grounds import Grounds
from sluis_demo.described import DATASETS, WHOLES
from sluis_demo.organisations import ORGANISATIONS

pytestmark = pytest.mark.filterwarnings(
    "ignore:ConjunctiveGraph is deprecated"
)  # by the reader of JSON-LD itself

SHAPES = "specs/standards/dcat-ap-nl"
STRICT = (
    "dcat-ap-SHACL.ttl", "dcat-ap-nl-SHACL.ttl", "dcat-ap-nl-SHACL-klassebereik.ttl",
    "dcat-ap-nl-SHACL-klassebereik-codelijsten.ttl",
)  # fmt: skip
RECOMMENDED = "dcat-ap-nl-SHACL-aanbevolen.ttl"
CATALOGUES = {"full": full, "sparse": sparse, "hostile": hostile}


@cache
def shapes(*files: str) -> Graph:
    if SHARED is None or not (SHARED / SHAPES).is_dir():
        missing("the shapes of DCAT-AP-NL do not lie beside the checkout")
    assert SHARED is not None
    found = Graph()
    for file in files:
        found.parse(SHARED / SHAPES / file)
    for named in set(found.objects(None, SH.property)):
        if (named, SH.path, None) not in found:  # DCAT-AP 3.0.1 names two that it does not write
            found.remove((None, SH.property, named))
    return found


@cache
def catalogue(name: str) -> Graph:
    """As a harvester has it: read back from what was written."""
    whole, entries = CATALOGUES[name]()
    return Graph().parse(
        data=written(catalogue_graph(whole, published(entries), OF), "json-ld"), format="json-ld"
    )


def found(graph: Graph, *files: str) -> list[tuple[str, str]]:
    """What the shapes find: the thing, and the property."""
    from pyshacl import validate

    _, report, _ = validate(graph, shacl_graph=shapes(*files), advanced=False, inference="none")
    assert isinstance(report, Graph)
    return sorted(
        (str(report.value(one, SH.focusNode)), str(report.value(one, SH.resultPath)))
        for one in report.subjects(RDF.type, SH.ValidationResult)
    )


@pytest.mark.parametrize("name", CATALOGUES)
def test_a_catalogue_is_valid(name: str) -> None:
    assert found(catalogue(name), *STRICT) == []


def test_all_is_there_that_is_recommended_but_a_file_to_download() -> None:
    """Nothing can be downloaded: whoever wants data asks, with a ground in the law."""
    assert {path for _, path in found(catalogue("full"), RECOMMENDED)} == {str(DCAT.downloadURL)}


def test_who_describes_nothing_lacks_no_more_than_what_nobody_else_knows() -> None:
    """Pages about it, for the rest follows from what is there."""
    lacking = {path for _, path in found(catalogue("sparse"), RECOMMENDED)}
    assert lacking == {str(DCAT.downloadURL), str(DCAT.landingPage), str(FOAF.page)}


def test_the_catalogues_of_the_demo_are_valid() -> None:
    """All in one graph, which is read once."""
    every = Graph()
    for organisation in ORGANISATIONS:
        base = f"https://{organisation.alias}.example"
        of = Of(organisation.oin, organisation.name, f"{base}/v1/catalogue", base, f"{base}/v1/openapi.json")
        known = Grounds(organisation.datasets, (), organisation.disclosures, organisation.events)
        entries = project(
            WHOLES[organisation.alias], DATASETS[organisation.alias], known, (), "sluis", of, {}
        )
        every += catalogue_graph(WHOLES[organisation.alias], published(entries), of)
    assert found(every, *STRICT) == []


@pytest.mark.parametrize(
    ("subject", "predicate"),
    [
        (BASE, DCTERMS.title),
        (BASE, DCAT.contactPoint),
        (BASE, DCAT.dataset),
        (f"{BASE}/datasets/bomen", DCAT.theme),
        (f"{BASE}/datasets/bomen", DCTERMS.identifier),
        (f"{BASE}/datasets/bomen#distribution", DCTERMS.license),
        (f"{BASE}/services/sluis", DCAT.endpointURL),
        ("http://publications.europa.eu/resource/authority/data-theme/GOVE", RDF.type),
    ],
)
def test_the_shapes_find_what_is_missing(subject: str, predicate: URIRef) -> None:
    graph = Graph()
    for triple in catalogue("sparse"):
        graph.add(triple)
    graph.remove((URIRef(subject), predicate, None))
    assert found(graph, *STRICT) != []


@pytest.mark.parametrize("name", CATALOGUES)
def test_both_forms_say_the_same_and_the_same_each_time(name: str) -> None:
    whole, entries = CATALOGUES[name]()
    graph = catalogue_graph(whole, published(entries), OF)
    turtle, linked = written(graph, "turtle"), written(graph, "json-ld")
    assert isomorphic(
        Graph().parse(data=turtle, format="turtle"), Graph().parse(data=linked, format="json-ld")
    )
    again = catalogue_graph(whole, published(entries), OF)
    assert (written(again, "turtle"), written(again, "json-ld")) == (turtle, linked)


def test_json_ld_fetches_no_context() -> None:
    document = json.loads(written(catalogue_graph(*_whole_and_entries("sparse"), OF), "json-ld"))
    assert document["@context"] == PREFIXES


def _whole_and_entries(name: str) -> tuple[Any, Any]:
    whole, entries = CATALOGUES[name]()
    return whole, published(entries)


def test_one_entry_is_what_the_catalogue_says_of_it() -> None:
    whole, entries = full()
    entry = next(one for one in entries if one.name == "inkomen")
    alone, every = entry_graph(whole, entry, entries, OF), catalogue_graph(whole, entries, OF)
    about = URIRef(entry.iri)
    assert set(alone.predicate_objects(about)) == set(every.predicate_objects(about)) != set()
    assert list(alone.subjects(RDF.type, DCAT.Catalog)) == []


def test_nothing_is_said_of_recipients_sources_facts_or_how_a_column_comes_about() -> None:
    whole, entries = full()
    for form in ("turtle", "json-ld"):
        text = written(catalogue_graph(whole, entries, OF), form).decode()  # type: ignore[arg-type]
        for hidden in (
            "00000001000000000002",
            "register.voorbeeld.nl",
            "BSN_NR",
            "INKOMEN",
            "geheim",
            '"main"',
        ):
            assert hidden not in text, hidden
        assert EVENT in text


def test_prices_of_disclosures_are_told_where_the_owner_says_so() -> None:
    text = written(catalogue_graph(*full(), OF), "turtle").decode()
    offers = [line for line in text.splitlines() if "schema:price " in line]
    assert sorted(offers) == sorted(
        f"    schema:price {price} ;" for price in ("0.25", "0.10", "0.05", "0.00", "0.25", "12.00", "0.25")
    )


def test_measurements_are_dqv() -> None:
    graph, dataset = catalogue("full"), URIRef(f"{BASE}/datasets/inkomen")
    found = {
        (
            str(graph.value(one, DQV.isMeasurementOf)).rpartition(":")[2],
            str(graph.value(one, DQV.value)),
            str(graph.value(one, DQV.computedOn)).removeprefix(dataset),
        )
        for one in graph.objects(dataset, DQV.hasQualityMeasurement)
    }
    assert found == {
        ("rows", "4100", ""), ("milliseconds", "42", ""), ("newest", "2026-11-20", ""),
        ("filled", "100", "#column-bsn"), ("filled", "97", "#column-inkomen"),
    }  # fmt: skip


def test_a_law_is_where_the_government_publishes_it() -> None:
    laws = {
        str(one)
        for one in catalogue("full").objects(None, URIRef(f"{PREFIXES['dcatap']}applicableLegislation"))
    }
    assert "https://wetten.overheid.nl/jci1.3:c:BWBR0015703&artikel=64" in laws


def test_hostile_text_stays_text() -> None:
    """It comes back as it was written, but for control characters; and no address holds what an address may not."""
    graph = catalogue("hostile")
    said = EVIL.replace("\u0000", "").replace("\u001b", "")
    assert {str(one) for one in graph.objects(URIRef(f"{BASE}/datasets/bomen"), DCTERMS.title)} == {said}
    for triple in graph:
        for node in triple:
            if isinstance(node, URIRef):
                assert not set(str(node)) & set(' <>"{}|\\^`\n'), node


def test_a_catalogue_of_nothing_is_valid_and_offers_nothing() -> None:
    graph = catalogue_graph(whole(), (), OF)
    assert found(graph, *STRICT) == []
    assert read_catalogue_of(written(graph, "json-ld")).entries == ()

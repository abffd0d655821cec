"""What is published is valid under the official shapes of DCAT-AP and DCAT-AP-NL, and says what is known and no more."""

import json
from functools import cache
from typing import Any

import pytest
from rdflib import DCAT, DCTERMS, RDF, SH, Graph, URIRef
from rdflib.compare import isomorphic
from tests.conftest import SHARED
from tests.servers import missing
from tests.unit.catalogue.examples import BASE, EVENT, EVIL, OF, full, hostile, sparse

from sluis.catalogue.graph import PREFIXES, catalogue_graph, entry_graph, written
from sluis.catalogue.rules import published

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # by the reader of JSON-LD itself

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
    return Graph().parse(data=written(catalogue_graph(whole, published(entries), OF), "json-ld"), format="json-ld")


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

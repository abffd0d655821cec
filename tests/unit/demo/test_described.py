"""The seven organisations of the demo describe all that they have, and their catalogues are valid."""

from pathlib import Path

import pytest
from rdflib import Graph
from tests.unit.catalogue.test_dcat import RECOMMENDED, STRICT, found

from sluis.catalogue import Of, advice, examine_catalogue, read_catalogue
from sluis.catalogue.graph import catalogue_graph
from sluis.catalogue.rules import project, published
from sluis.grounds import Grounds
from sluis_demo.described import catalogue_files
from sluis_demo.organisations import ORGANISATIONS, Organisation


def grounds(organisation: Organisation) -> Grounds:
    return Grounds(organisation.datasets, (), organisation.disclosures, organisation.events)


def written(organisation: Organisation, folder: Path) -> Path:
    (folder / "descriptions").mkdir(parents=True)
    for name, text in catalogue_files(organisation):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("organisation", ORGANISATIONS, ids=lambda one: one.alias)
def test_all_is_described_and_nothing_is_to_be_said_about_it(
    organisation: Organisation, tmp_path: Path
) -> None:
    reading = read_catalogue(written(organisation, tmp_path / "node"))
    assert examine_catalogue(reading, grounds(organisation)) == ()
    assert list(advice(reading, grounds(organisation), tmp_path)) == []
    assert {one.name for one in reading.descriptions} == {one.name for one in organisation.datasets}


def test_the_catalogues_are_valid(tmp_path: Path) -> None:
    every = Graph()
    for organisation in ORGANISATIONS:
        reading = read_catalogue(written(organisation, tmp_path / organisation.alias))
        assert reading.whole is not None
        base = f"https://{organisation.alias}.example"
        of = Of(organisation.oin, organisation.name, f"{base}/v1/catalogue", base, f"{base}/v1/openapi.json")
        entries = project(reading.whole, reading.descriptions, grounds(organisation), (), "sluis", of, {})
        every += catalogue_graph(reading.whole, published(entries), of)
    assert found(every, *STRICT) == []
    lacking = {path.rpartition("#")[2].rpartition("/")[2] for _, path in found(every, RECOMMENDED)}
    assert lacking == {"conformsTo", "landingPage", "keyword", "downloadURL"}


def test_what_its_owner_keeps_to_itself_is_in_no_catalogue(tmp_path: Path) -> None:
    hidden = {
        (organisation.alias, one.name)
        for organisation in ORGANISATIONS
        for one in read_catalogue(written(organisation, tmp_path / organisation.alias)).descriptions
        if not one.published
    }
    opened = {(one.alias, each.dataset) for one in ORGANISATIONS for each in one.disclosures}
    assert hidden == {("belastingdienst", "belastingschulden"), ("kvk", "functionarissen")}
    assert hidden & opened == set()

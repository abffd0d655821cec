"""The seven organisations of the demo describe all that they have; that their catalogues are valid, the tests of the
catalogue show."""

from pathlib import Path

import pytest

from sluis.catalogue import advice, examine_catalogue, read_catalogue
from sluis.grounds import Grounds
from sluis_demo.described import catalogue_files
from sluis_demo.organisations import CHANGED, ORGANISATIONS, Organisation


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
    assert {one.name for one in reading.descriptions} == {
        *(one.name for one in organisation.datasets),
        *(one.type for one in organisation.events),
    }


def test_what_its_owner_keeps_to_itself_is_in_no_catalogue(tmp_path: Path) -> None:
    hidden = {
        (organisation.alias, one.name)
        for organisation in ORGANISATIONS
        for one in read_catalogue(written(organisation, tmp_path / organisation.alias)).descriptions
        if not one.published
    }
    opened = {(one.alias, each.dataset) for one in ORGANISATIONS for each in one.disclosures}
    assert hidden == {
        ("belastingdienst", "belastingschulden"),
        ("kvk", "functionarissen"),
        ("sluiswijk", CHANGED.type),
    }
    assert hidden & opened == set()

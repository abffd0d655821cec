"""The migration chain of the demo: invented people, and tables from a folder. Nobody in it exists."""

from pathlib import Path

import pytest
from tests.conftest import SHARED

from sluis.kernel import Bsn
from sluis_demo.chain.cases import cases_of, invented
from sluis_demo.chain.partners import NOTICES, PARTNERS, PEERS
from sluis_demo.organisations import ORGANISATIONS
from sluis_demo.people import generate


def test_the_people_are_the_same_each_time_and_nobody_elses() -> None:
    cases = invented()
    assert cases == invented()
    known = {bsn for relation in cases.relations.values() for bsn in relation}
    assert all(Bsn.accepts(bsn) for bsn in known)
    assert known.isdisjoint(person.bsn for person in generate().people)


def test_somebody_must_hear_and_somebody_must_not() -> None:
    cases = invented()
    about = cases.decision.bsn
    assert about in cases.relations["coa"]
    assert about in cases.relations["dtv"]
    assert about not in cases.relations["bz"]
    assert {one.bsn for one in cases.moves} <= cases.relations["dtv"].keys()


def test_no_reference_is_shared_by_two_partners_or_tells_who_it_is() -> None:
    relations = invented().relations.values()
    references = [reference for relation in relations for reference in relation.values()]
    assert len(references) == len(set(references))
    assert not any(bsn in reference for relation in relations for bsn in relation for reference in references)


def test_partners_are_other_organisations_than_those_of_the_federation() -> None:
    assert len(PARTNERS) == 5
    assert {one.oin for one in ORGANISATIONS}.isdisjoint(PEERS.values())
    assert {one.recipient for some in NOTICES.values() for one in some} <= set(PEERS.values())


@pytest.mark.skipif(SHARED is None, reason="the shared test data does not lie beside the checkout")
def test_tables_of_the_chain_are_found_and_give_a_decision_about_somebody_who_moves() -> None:
    assert SHARED is not None
    for folder in (SHARED / "data/personas/sources", SHARED / "data", SHARED / "data/migratieketen"):
        cases = cases_of(folder)
        assert cases is not None
        assert cases.decision.bsn in {one.bsn for one in cases.moves}
        assert cases.decision.bsn in cases.relations["coa"]


def test_a_folder_without_the_chain_gives_no_cases(tmp_path: Path) -> None:
    assert cases_of(tmp_path) is None

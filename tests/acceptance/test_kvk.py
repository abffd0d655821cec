"""Real answers of the trade register, as its test environment gives them: who may act for whom, and who may not.

The person is Jan Klaasen of 1 January 2000, whose name is one letter apart from an owner's. Skipped where the shared data does
not lie beside the checkout.
"""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.conftest import SHARED

from sluis.crypto import FileKeyStore
from sluis.identity.people import People, open_people
from sluis.identity.people.model import Act, Allowed, Denied
from sluis.identity.register import Answer, RegisteredName, urn_of
from sluis.kernel import Acting, Kvk, NotFound
from sluis.ledger import open_ledger
from sluis.store import open_store

pytestmark = pytest.mark.skipif(
    SHARED is None, reason="the shared test data does not lie beside the checkout"
)

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
JAN, FRANCISCA = "j" * 43, "f" * 43
NAMES = {
    JAN: RegisteredName("Jan", "", "Klaasen", date(2000, 1, 1)),
    FRANCISCA: RegisteredName("Francisca", "", "Cupit", date(1969, 7, 9)),
}


class Answers:
    """The register as it answered, by the number that stands in each answer."""

    def __init__(self, directory: Path) -> None:
        self._bodies = {path.name[:8]: path.read_bytes() for path in directory.glob("9*.xml")}
        profiles = {"69599084": "basisprofiel_response.json", "90000749": "basisprofiel_response_vve.json"}
        self._bodies |= {number: (directory / name).read_bytes() for number, name in profiles.items()}

    async def company(self, kvk: Kvk) -> Answer:
        return Answer(self._bodies[kvk], NOW)


@pytest.fixture
async def people(tmp_path: Path) -> AsyncIterator[People]:
    assert SHARED is not None
    keys, store = FileKeyStore(tmp_path / "keys"), open_store(tmp_path / "node.db")
    ledger = open_ledger(store, keys, "node.example/log", lambda: NOW)
    made = open_people(store, ledger, keys, lambda: NOW, register=Answers(SHARED / "data/kvk"))
    for person, name in NAMES.items():
        await made.recognise(person, name)
    yield made
    store.close()


async def ask(people: People, person: str, number: str) -> Allowed | Denied:
    entity = urn_of(Kvk(number))
    return await people.may(Acting(person, entity), Act(entity, None, "permits", "apply"))


@pytest.mark.parametrize("number", ["90000002", "90000003"])
async def test_the_owner_of_a_one_man_business_and_a_director_alone_may_act(
    people: People, number: str
) -> None:
    found = await ask(people, JAN, number)
    assert isinstance(found, Allowed)
    assert (found.kind, found.needs_second) == ("director", False)
    assert found.evidence[0].reference == f"urn:nl:kvk:{number}"


async def test_a_person_whose_name_is_one_letter_apart_may_not(people: People) -> None:
    found = await ask(people, JAN, "90000001")
    assert isinstance(found, Denied)
    assert found.rule == "no-representation"
    with pytest.raises(NotFound):
        await people.look_up(JAN, Kvk("90000001"))


@pytest.mark.parametrize("number", ["90000001", "90000002"])
async def test_a_representative_of_whom_nothing_is_said_has_no_authority_and_that_is_told(
    people: People, number: str
) -> None:
    found = await ask(people, FRANCISCA, number)
    assert isinstance(found, Denied)
    assert found.rule == "office-not-understood"
    held = await people.read(Kvk(number))
    assert held.company.notes == ("volmacht",)


@pytest.mark.parametrize("number", ["69599084", "90000749"])
async def test_by_a_profile_alone_nobody_acts(people: People, number: str) -> None:
    found = await ask(people, JAN, number)
    assert isinstance(found, Denied)
    assert found.rule == "company-unstated"
    assert (await people.read(Kvk(number))).company.notes[0] == "profile"

"""The room at work: the register is read again, guardians act and stop, a company keeps its contact persons, and nobody reads
it in the database."""

import asyncio
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.identity.companies import (
    ANNE,
    BRAM,
    CARLA,
    COMPANY,
    INTERMEDIARY,
    KVK,
    NOW,
    OTHER,
    OTHER_COMPANY,
    acting,
    director,
    registration,
)
from tests.unit.identity.people_node import Node, act, opened, rule

from sluis.crypto import FileKeyStore
from sluis.identity.people import Vouched, open_people
from sluis.identity.people.guardians import Appointment
from sluis.identity.people.model import Allowed, Contact
from sluis.identity.register import Folder, person_urn
from sluis.kernel import Conflict, Invalid, Kvk, NotFound, Refused, Upstream
from sluis.ledger import open_ledger
from sluis.store import open_store


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with opened(tmp_path) as one:
        yield one


# The register


async def test_a_director_is_known_after_the_register_and_their_name_were_read(node: Node) -> None:
    assert rule(await node.people.may(acting(ANNE), act())) == "no-representation"
    await node.know(ANNE)
    assert isinstance(await node.people.may(acting(ANNE), act()), Allowed)
    assert rule(await node.people.may(acting(BRAM), act())) == "no-representation"


async def test_what_was_read_is_read_again_when_it_is_too_old_and_then_counts_anew(node: Node) -> None:
    await node.know(ANNE)
    for _ in range(3):
        await node.people.may(acting(ANNE), act())
    assert node.register.asked == 1
    node.register.put(director(BRAM))
    node.later(hours=24)
    assert isinstance(await node.people.may(acting(ANNE), act()), Allowed)
    node.later(seconds=1)
    assert rule(node.people.decide(acting(ANNE), act())) == "register-too-old"
    assert rule(await node.people.may(acting(ANNE), act())) == "no-representation"
    assert node.register.asked == 2


async def test_a_register_that_is_away_refuses_once_what_is_known_is_too_old(node: Node) -> None:
    await node.know(ANNE)
    node.register.away = True
    assert rule(await node.people.may(acting(ANNE), act())) == "register-unavailable"
    node.register.away = False
    node.later(seconds=11)
    found = await node.people.may(acting(ANNE), act())
    assert isinstance(found, Allowed)
    node.register.away = True
    node.later(hours=23)
    found = await node.people.may(acting(ANNE), act())
    assert isinstance(found, Allowed)
    assert found.evidence[0].age == 23 * 3600
    node.later(hours=2)
    assert rule(await node.people.may(acting(ANNE), act())) == "register-too-old"


async def test_a_register_that_had_nothing_new_is_left_alone_for_a_while(node: Node) -> None:
    node.register.away = True
    for _ in range(5):
        await node.people.may(acting(ANNE), act())
    assert node.register.asked == 1


@pytest.mark.parametrize("answer", [None, b"<nonsense/>"])
async def test_an_answer_that_takes_a_company_away_leaves_nothing_of_it(
    node: Node, answer: bytes | None
) -> None:
    await node.know(ANNE)
    await node.people.may(acting(ANNE), act())
    if answer is None:
        del node.register.answers[KVK]
    else:
        node.register.answers[KVK] = answer
    node.later(hours=25)
    assert rule(await node.people.may(acting(ANNE), act())) == "register-unavailable"


async def test_who_ask_for_a_company_at_once_share_one_answer(node: Node) -> None:
    await asyncio.gather(*[node.people.read(KVK) for _ in range(10)])
    assert node.register.asked == 1


async def test_whoever_looks_up_a_company_in_which_they_are_nobody_learns_nothing_of_it(node: Node) -> None:
    await node.know(ANNE)
    chosen = await node.people.look_up(ANNE, KVK)
    assert (chosen.entity, chosen.name) == (COMPANY, "Fictieve Fietsen B.V.")
    problems = []
    for who, number in [(BRAM, KVK), (ANNE, Kvk("99999999"))]:
        with pytest.raises(NotFound) as problem:
            await node.people.look_up(who, number)
        problems.append(problem.value.members())
    assert problems[0] == problems[1]


async def test_an_establishment_that_two_companies_claim_is_of_neither(node: Node) -> None:
    place = "<commercieleVestiging><vestigingsnummer>990000489902</vestigingsnummer></commercieleVestiging>"
    led = f"<wordtGeleidVanuit>{place}</wordtGeleidVanuit>"
    node.register.put(director(ANNE), activity=led)
    await node.know(ANNE)
    await node.people.read(KVK)
    there = acting(ANNE, "urn:nl:vestiging:990000489902")
    assert isinstance(node.people.decide(there, act(there.entity or "")), Allowed)
    node.register.put(director(BRAM), kvk=OTHER, activity=led)
    await node.people.read(OTHER)
    assert rule(node.people.decide(there, act(there.entity or ""))) == "unknown-entity"


async def test_a_folder_gives_the_newest_file_of_a_number_and_says_when_it_came(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with pytest.raises(Upstream):
        await folder.company(KVK)
    (tmp_path / "90000010.xml").write_bytes(registration(director(ANNE)))
    answer = await folder.company(KVK)
    assert answer.body == registration(director(ANNE))
    assert answer.at.timestamp() == pytest.approx((tmp_path / "90000010.xml").stat().st_mtime)


# Guardians


def appointment(**changed: Any) -> Appointment:
    given: dict[str, Any] = {"kind": "curator", "guardian": ANNE, "ward": BRAM, "evidence": "C/16/1234"}
    return Appointment(**{**given, "guardian_name": "Fictieve Anne", "ward_name": "Fictieve Bram", **changed})


def of_child(born: date) -> Appointment:
    return appointment(kind="parent", born=born, evidence="BRP")


async def test_a_parent_acts_for_a_child_until_the_day_it_is_eighteen(node: Node) -> None:
    guardians = node.people.guardians
    child, parent = person_urn(BRAM), acting(ANNE, person_urn(BRAM))
    await guardians.appoint("official", of_child(date(2008, 11, 24)))
    assert isinstance(node.people.decide(parent, act(child)), Allowed)
    assert [one.name for one in node.people.entities_for(ANNE)] == ["", "Fictieve Bram"]
    node.again()
    node.clock.now = NOW.replace(day=23, hour=22, minute=59)
    assert isinstance(node.people.decide(parent, act(child)), Allowed)
    node.later(minutes=1)
    assert rule(node.people.decide(parent, act(child))) == "guardian-ended"
    with pytest.raises(Conflict):
        await guardians.appoint("official", of_child(date(2008, 11, 22)))


async def test_a_child_is_eighteen_when_the_day_begins_here_also_in_summer(node: Node) -> None:
    made = await node.people.guardians.appoint("official", of_child(date(2009, 7, 1)))
    assert made.until == int(datetime(2027, 6, 30, 22, tzinfo=UTC).timestamp())


async def test_a_curator_acts_until_that_is_ended(node: Node) -> None:
    guardians = node.people.guardians
    made = await guardians.appoint("official", appointment())
    assert isinstance(node.people.decide(acting(ANNE, person_urn(BRAM)), act(person_urn(BRAM))), Allowed)
    await guardians.end("official", made.id)
    assert rule(node.people.decide(acting(ANNE, person_urn(BRAM)), act(person_urn(BRAM)))) == "guardian-ended"
    assert [one.action for _, one in node.ledger.log.arrangements(made.id)] == [
        "guardian.appoint",
        "guardian.end",
    ]
    with pytest.raises(NotFound):
        await guardians.end("official", made.id)


async def test_an_administrator_acts_only_for_the_services_of_the_administration(node: Node) -> None:
    await node.people.guardians.appoint("official", appointment(kind="administrator", services=("permits",)))
    ward, who = person_urn(BRAM), acting(ANNE, person_urn(BRAM))
    assert isinstance(node.people.decide(who, act(ward)), Allowed)
    assert rule(node.people.decide(who, act(ward, service="subsidies"))) == "other-service"


@pytest.mark.parametrize(
    "wrong",
    [
        {"ward": ANNE},
        {"evidence": " "},
        {"guardian_name": ""},
        {"kind": "parent"},
        {"born": date(2010, 1, 1)},
        {"kind": "administrator"},
        {"services": ("permits",)},
        {"until": 1},
    ],
)
async def test_a_guardianship_that_cannot_be_is_refused(node: Node, wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        await node.people.guardians.appoint("official", appointment(**wrong))


async def test_a_guardian_is_written_down_once(node: Node) -> None:
    made = await node.people.guardians.appoint("official", appointment())
    with pytest.raises(Conflict) as problem:
        await node.people.guardians.appoint("official", appointment())
    assert problem.value.code == "guardian-there"
    await node.people.guardians.end("official", made.id)
    await node.people.guardians.appoint("official", appointment())


# For whom


async def test_for_whom_somebody_may_choose_to_act(node: Node) -> None:
    node.register.put(director(CARLA), kvk=OTHER, name="Andere Fictie B.V.")
    await node.know(ANNE, CARLA)
    await node.people.read(OTHER)
    await node.given()
    said = Vouched(INTERMEDIARY, "Fictieve Adviseur")
    chosen = [(one.entity, one.name, one.kind) for one in node.people.entities_for(CARLA, said)]
    assert chosen == [
        (None, "", "self"),
        (OTHER_COMPANY, "Andere Fictie B.V.", "director"),
        (INTERMEDIARY, "Fictieve Adviseur", "mandate"),
        (COMPANY, "Fictieve Fietsen B.V.", "mandate"),
    ]


# Contact persons


def contact(**changed: Any) -> Contact:
    given = {"id": "", "entity": "", "name": "Fictieve Kees", "roles": ("finance",), "preferred": "email"}
    return Contact(**{**given, "email": "kees@bedrijf.example", **changed})


async def test_a_company_keeps_its_contact_persons(node: Node) -> None:
    await node.know(ANNE)
    contacts = node.people.contacts
    kept = await contacts.put(acting(ANNE), contact())
    await contacts.put(
        acting(ANNE),
        contact(name="Fictieve Mies", roles=("permits",), preferred="phone", phone="+31 10 999 99 99"),
    )
    assert [one.name for one in await contacts.of(acting(ANNE))] == ["Fictieve Kees", "Fictieve Mies"]
    assert [one.name for one in contacts.about(COMPANY, "permits")] == ["Fictieve Mies"]
    assert len(contacts.about(COMPANY, "other")) == 2
    await contacts.put(acting(ANNE), msgspec.structs.replace(kept, email="k@bedrijf.example"))
    node.again()
    contacts = node.people.contacts
    assert {one.email for one in await contacts.of(acting(ANNE))} == {
        "k@bedrijf.example",
        "kees@bedrijf.example",
    }
    await contacts.remove(acting(ANNE), kept.id)
    assert [one.name for one in await contacts.of(acting(ANNE))] == ["Fictieve Mies"]
    records = [one for _, one in node.ledger.log.arrangements(kept.id)]
    assert [one.action for one in records] == ["contact.put", "contact.put", "contact.remove"]
    assert "kees" not in str(records).lower()


async def test_contact_persons_of_another_company_are_out_of_reach(node: Node) -> None:
    node.register.put(director(BRAM), kvk=OTHER)
    await node.know(ANNE, BRAM)
    kept = await node.people.contacts.put(acting(ANNE), contact())
    with pytest.raises(Refused):
        await node.people.contacts.of(acting(BRAM))
    for change in (
        node.people.contacts.put(acting(BRAM, OTHER_COMPANY), msgspec.structs.replace(kept, name="Ander")),
        node.people.contacts.remove(acting(BRAM, OTHER_COMPANY), kept.id),
    ):
        with pytest.raises(NotFound):
            await change


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "x" * 201}, {"email": ""}, {"email": "a b@c.nl"}, {"email": "x"}, {"roles": ("",)},
     {"preferred": "phone"}, {"phone": "bel mij"}],
)  # fmt: skip
async def test_contact_details_that_are_wrong_are_refused(node: Node, wrong: dict[str, Any]) -> None:
    await node.know(ANNE)
    with pytest.raises(Invalid):
        await node.people.contacts.put(acting(ANNE), contact(**wrong))


# What is kept


async def test_the_database_shows_no_names(node: Node) -> None:
    await node.know(ANNE)
    await node.given()
    await node.people.contacts.put(acting(ANNE), contact())
    node.store.close()
    raw = b"".join(path.read_bytes() for path in node.folder.glob("node.db*"))
    for name in (b"Fictief", b"Fictieve", b"kees@", b"1980"):
        assert name not in raw


async def test_another_node_does_not_open_what_is_kept(node: Node, tmp_path: Path) -> None:
    await node.know(ANNE)
    node.store.close()
    with closing(open_store(tmp_path / "node.db")) as store:
        keys = FileKeyStore(tmp_path / "other")
        ledger = open_ledger(store, FileKeyStore(tmp_path / "keys"), "node.example/log", node.clock)
        with pytest.raises(Invalid):
            open_people(store, ledger, keys, node.clock)

"""Whom the trade register knows, and for whom those who signed in may choose to act."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from tests.unit.identity.companies import COMPANY, KVK, NAMES, OTHER_COMPANY, acting, director
from tests.unit.identity.people import established
from tests.unit.identity.people_node import Node

from sluis.crypto import FileKeyStore
from sluis.identity.passport import Issuer
from sluis.identity.passport.model import Presentation, Way
from sluis.identity.passport.rules import established as established_by
from sluis.identity.register import RegisteredName, person_urn
from sluis.identity.sessions import Sessions, open_sessions
from sluis.kernel import Acting, Refused, Text
from sluis.ledger import decisions
from sluis.serve.people import Representing

NAME = next(iter(NAMES.values()))
CLAIMS = {
    "bsn": "999990019",
    "given_name": NAME.given,
    "family_name": NAME.surname,
    "birthdate": "1980-05-01",
}
WAY = Way(
    "pid", Text("Paspoort", "Passport"), "citizen", "urn:pid",
    {"bsn": (("bsn",),), "given": (("given_name",),), "surname": (("family_name",),), "born": (("birthdate",),)},
    "high", Text("Om u te herkennen", "To recognise you"),
)  # fmt: skip
ISSUER = Issuer("fictief", "Fictieve uitgever", (), frozenset({"urn:pid"}), None, ())


def shown(way: Way = WAY, **changed: str) -> Any:
    claims: dict[Any, Any] = {(name,): told for name, told in {**CLAIMS, **changed}.items()}
    return established_by(way, Presentation(ISSUER, claims, None), 0, True)


class World(Node):
    """A node with sessions, and what tells for whom one may act."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        keys = FileKeyStore(folder / "keys")
        self.sessions: Sessions = open_sessions(self.store, keys, self.clock)
        self.representing = Representing(self.sessions, self.people, keys)
        self.register.put(director(next(iter(NAMES))))

    async def choices(self, **who: Any) -> list[tuple[str | None, str]]:
        _, signed_in = await self.sessions.begin(established(**who))
        return [(one.entity, one.name) for one in await self.representing.choices(signed_in)]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


def test_a_passport_tells_the_name_by_which_the_register_knows_somebody() -> None:
    assert shown().registered == RegisteredName(NAME.given, "", NAME.surname, date(1980, 5, 1))
    without = Way(WAY.name, WAY.title, "citizen", WAY.type, {"bsn": (("bsn",),)}, "high", WAY.why)
    assert shown(without).registered is None


@pytest.mark.parametrize("born", ["1 mei 1980", "1980-13-01", "1980"])
def test_a_date_of_birth_that_is_none_signs_nobody_in(born: str) -> None:
    with pytest.raises(Refused):
        shown(birthdate=born)


async def test_a_director_who_showed_a_passport_is_known_and_their_name_is_not_kept(world: World) -> None:
    who = await world.representing.recognised(shown())
    assert who.registered is None
    _, signed_in = await world.sessions.begin(who)
    await world.people.look_up(signed_in.acting.person, KVK)
    choices = [one.entity for one in await world.representing.choices(signed_in)]
    assert choices == [None, COMPANY]


async def test_who_tells_no_name_is_as_they_were(world: World) -> None:
    who = established()
    assert await world.representing.recognised(who) is who


async def test_a_citizen_chooses_among_themselves_and_others_and_a_company_only_among_companies(
    world: World,
) -> None:
    assert await world.choices() == [(None, "Fictieve Burger")]
    company = {"audience": "company", "entity": OTHER_COMPANY, "entity_name": "Andere Fictie B.V."}
    assert await world.choices(**company) == [(OTHER_COMPANY, "Andere Fictie B.V.")]
    assert await world.choices(audience="staff", kind="staff", value="fictief") == []


async def test_what_was_chosen_is_not_vouched_for(world: World) -> None:
    who = established(audience="company", entity=OTHER_COMPANY, entity_name="Andere Fictie B.V.")
    _, signed_in = await world.sessions.begin(who)
    _, signed_in = await world.sessions.act_for(signed_in.session, COMPANY, "Fictieve Fietsen B.V.")
    said = world.representing.vouched(signed_in)
    assert said.entity == OTHER_COMPANY


async def test_a_mandate_that_is_revoked_is_no_reason_any_more_in_a_session_that_goes_on(
    world: World,
) -> None:
    giver = next(iter(NAMES))
    await world.know(giver)
    _, signed_in = await world.sessions.begin(established())
    person = signed_in.acting.person
    mandate = await world.given(person_urn(person), giver)
    _, chosen = await world.sessions.act_for(signed_in.session, COMPANY, "Fictieve Fietsen B.V.")
    assert world.representing.refusal(chosen.session, chosen.acting) is None
    told = list[bool]()
    world.people.on_change(lambda: told.append(True))
    await world.people.mandates.revoke(acting(giver), mandate.id)
    refusal = world.representing.refusal(chosen.session, chosen.acting)
    assert (refusal and refusal.rule, told) == ("mandate-revoked", [True])


async def test_a_company_that_cannot_act_is_refused_with_the_reason_whoever_vouches(world: World) -> None:
    who = established(audience="company", entity=COMPANY, entity_name="Fictieve Fietsen B.V.")
    _, signed_in = await world.sessions.begin(who)
    await world.representing.read_again(signed_in.acting)
    assert world.representing.refusal(signed_in.session, signed_in.acting) is None
    bankrupt = "<bijzondereRechtstoestand><soort><code>FAIL</code></soort></bijzondereRechtstoestand>"
    world.register.put(director(next(iter(NAMES))), about=bankrupt)
    world.later(hours=23, minutes=55)  # read again before the first answer is too old
    _, signed_in = await world.sessions.begin(who)
    await world.representing.read_again(signed_in.acting)
    refusal = world.representing.refusal(signed_in.session, signed_in.acting)
    assert refusal is not None
    assert refusal.rule == "company-bankrupt"


async def test_who_acts_for_themselves_is_never_refused(world: World) -> None:
    _, signed_in = await world.sessions.begin(established())
    assert world.representing.refusal(signed_in.session, signed_in.acting) is None


async def test_who_is_turned_away_at_a_portal_is_on_record_once_a_minute(world: World) -> None:
    refusal = Refused("may-not-represent", *[Text("-", "-")] * 3, rule="mandate-revoked")
    who = Acting("p" * 43, COMPANY)
    for _ in range(3):
        await world.representing.turned_away(who, "portal", refusal)
    await world.representing.turned_away(who, "other", refusal)
    world.clock.later(minutes=1)
    await world.representing.turned_away(who, "portal", refusal)
    found = [one.body for one in decisions(world.store, 0)]
    assert found[0]["adl.core.request"] == {
        "subject": {"type": "person", "id": "p" * 43, "properties": {"entity": COMPANY}},
        "action": {"name": "represent"}, "resource": {"type": "client", "id": "portal"},
    }  # fmt: skip
    told = [(one["adl.core.request"]["resource"]["id"], one["adl.core.response"]["context"]) for one in found]
    rule = "mandate-revoked"
    assert told == [
        ("portal", {"rule": rule, "times": 1}), ("other", {"rule": rule, "times": 1}),
        ("portal", {"rule": rule, "times": 3}),
    ]  # fmt: skip

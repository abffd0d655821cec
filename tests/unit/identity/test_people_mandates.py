"""Mandates begin and end at once, two sign one act, and all of it is on record."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.identity.companies import (
    ANNE,
    BRAM,
    BROKER,
    CARLA,
    COMPANY,
    INTERMEDIARY,
    KVK,
    NAMES,
    OTHER,
    OTHER_COMPANY,
    SECONDS,
    acting,
    director,
    function,
)
from tests.unit.identity.people_node import DAY, Node, act, opened, rule, terms

from sluis.identity.people.model import Allowed
from sluis.identity.register import person_urn
from sluis.kernel import Conflict, Invalid, NotFound, Refused, Unkept
from sluis.ledger.verifier import check_receipt
from sluis.store import unkept


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with opened(tmp_path) as one:
        yield one


# Mandates


async def test_a_mandate_is_offered_accepted_used_and_revoked_at_once(node: Node) -> None:
    await node.know(ANNE)
    mandate, code = await node.people.mandates.give(acting(ANNE), terms())
    assert (mandate.state, code) == ("offered", None)
    assert rule(node.people.decide(acting(CARLA), act())) == "mandate-offered"
    await node.people.mandates.accept(acting(CARLA, None), mandate.id)
    assert isinstance(node.people.decide(acting(CARLA), act()), Allowed)
    await node.people.mandates.revoke(acting(ANNE), mandate.id)
    assert rule(node.people.decide(acting(CARLA), act())) == "mandate-revoked"


async def test_all_of_it_is_there_after_a_restart(node: Node) -> None:
    await node.know(ANNE)
    kept, gone = await node.given(), await node.given(services=("other",))
    await node.people.mandates.revoke(acting(ANNE), gone.id)
    before = node.people.facts(acting(CARLA))
    node.again()
    after = node.people.facts(acting(CARLA))
    assert {*after.mandates} == {*before.mandates}
    assert (after.companies, after.offices) == (before.companies, before.offices)
    assert isinstance(node.people.decide(acting(CARLA), act()), Allowed)
    assert node.people.mandates.get(gone.id, acting(ANNE)).state == "revoked"
    assert {one.id for one in node.people.mandates.held(acting(CARLA, None))} == {kept.id, gone.id}


async def test_what_happened_to_a_mandate_is_on_record_and_proved(node: Node) -> None:
    await node.know(ANNE)
    mandate = await node.given()
    node.later(days=2)
    await node.people.mandates.revoke(acting(ANNE), mandate.id)
    history = await node.people.mandates.history(mandate.id, acting(ANNE))
    assert [(one.action, one.actor, one.body["state"]) for _, one in history] == [
        ("mandate.give", ANNE, "offered"),
        ("mandate.accept", CARLA, "accepted"),
        ("mandate.revoke", ANNE, "revoked"),
    ]
    assert history[2][1].timestamp - history[1][1].timestamp == 2 * DAY * 1000
    assert {one.about for _, one in history} == {mandate.urn}
    evidence = history[0][1].body["evidence"][0]
    assert (evidence["kind"], evidence["reference"], evidence["age"]) == ("register", COMPANY, 0)
    for index, _ in history:
        check_receipt(await node.ledger.prove(index), node.ledger.log.stored(index).entry, node.ledger.key)
    assert NAMES[ANNE].surname not in str(history)


async def test_nobody_who_holds_a_mandate_gives_one_sees_others_or_ends_them(node: Node) -> None:
    await node.know(ANNE)
    everything = await node.given(services=("*",), actions=("*",))
    other = await node.given(holder=person_urn(BRAM))
    with pytest.raises(Refused):
        await node.people.mandates.give(acting(CARLA), terms(holder=person_urn(BRAM)))
    with pytest.raises(Refused):
        node.people.mandates.given(acting(CARLA))
    with pytest.raises(Refused):
        await node.people.mandates.revoke(acting(CARLA), other.id)
    with pytest.raises(NotFound):
        await node.people.mandates.revoke(acting(CARLA, None), other.id)
    assert node.people.mandates.held(acting(CARLA, None)) == [everything]


async def test_a_holder_gives_a_mandate_back(node: Node) -> None:
    await node.know(ANNE)
    mandate = await node.given()
    await node.people.mandates.revoke(acting(CARLA, None), mandate.id)
    assert rule(node.people.decide(acting(CARLA), act())) == "mandate-revoked"


@pytest.mark.parametrize("who", [acting(ANNE), acting(BRAM, None), acting(CARLA, OTHER_COMPANY)])
async def test_an_offer_is_accepted_by_nobody_else(node: Node, who: Any) -> None:
    await node.know(ANNE)
    mandate, _ = await node.people.mandates.give(acting(ANNE), terms())
    with pytest.raises((NotFound, Refused)):
        await node.people.mandates.accept(who, mandate.id)
    assert node.people.mandates.state(mandate) == "offered"


async def test_an_invitation_is_for_whoever_has_the_code_once(node: Node) -> None:
    await node.know(ANNE)
    mandate, code = await node.people.mandates.give(acting(ANNE), terms(holder=""))
    assert code is not None
    assert len(code.replace("-", "")) == 20
    for wrong in ("", code[:-1], code + "x"):
        with pytest.raises(NotFound):
            await node.people.mandates.accept(acting(CARLA, None), mandate.id, wrong)
    with pytest.raises(NotFound):
        await node.people.mandates.accept(acting(ANNE), mandate.id, code)
    await node.people.mandates.accept(acting(CARLA, None), mandate.id, code)
    assert isinstance(node.people.decide(acting(CARLA), act()), Allowed)
    with pytest.raises(NotFound):
        await node.people.mandates.accept(acting(BRAM, None), mandate.id, code)


async def test_an_offer_that_nobody_accepted_ends(node: Node) -> None:
    await node.know(ANNE)
    mandate, _ = await node.people.mandates.give(acting(ANNE), terms(until=SECONDS + 90 * DAY))
    node.later(days=30)
    with pytest.raises(Conflict):
        await node.people.mandates.accept(acting(CARLA, None), mandate.id)


async def test_an_offer_is_declined_and_that_is_that(node: Node) -> None:
    await node.know(ANNE)
    mandate, _ = await node.people.mandates.give(acting(ANNE), terms())
    await node.people.mandates.decline(acting(CARLA, None), mandate.id)
    with pytest.raises(Conflict):
        await node.people.mandates.accept(acting(CARLA, None), mandate.id)


async def test_a_mandate_ends_with_its_period(node: Node) -> None:
    await node.know(ANNE)
    await node.given(until=SECONDS + 3600)
    node.later(minutes=59)
    assert isinstance(node.people.decide(acting(CARLA), act()), Allowed)
    node.later(minutes=1)
    assert rule(node.people.decide(acting(CARLA), act())) == "mandate-ended"


async def test_a_bankrupt_company_gives_nothing_its_mandates_stop_and_it_can_still_revoke_them(
    node: Node,
) -> None:
    await node.know(ANNE)
    mandate = await node.given()
    broke = "<bijzondereRechtstoestand><soort><code>FAIL</code></soort></bijzondereRechtstoestand>"
    node.register.put(director(ANNE), about=broke)
    await node.people.read(KVK)
    assert rule(node.people.decide(acting(CARLA), act())) == "company-bankrupt"
    with pytest.raises(Refused) as problem:
        await node.people.mandates.give(acting(ANNE), terms())
    assert problem.value.rule == "company-bankrupt"
    assert "failliet" in problem.value.why.nl
    await node.people.mandates.revoke(acting(ANNE), mandate.id)


async def test_a_person_gives_a_mandate_for_themselves(node: Node) -> None:
    mandate, _ = await node.people.mandates.give(acting(BRAM, None), terms(giver=person_urn(BRAM)))
    await node.people.mandates.accept(acting(CARLA, None), mandate.id)
    assert isinstance(node.people.decide(acting(CARLA, person_urn(BRAM)), act(person_urn(BRAM))), Allowed)


@pytest.mark.parametrize(
    "changed",
    [
        {"giver": "urn:nl:kvk:9000001"},
        {"giver": "urn:nl:vestiging:990000489902"},
        {"holder": "Fictieve Fietsen B.V."},
        {"holder": "urn:nl:vestiging:990000489902"},
        {"holder": COMPANY},
        {"services": ()},
    ],
)
async def test_terms_that_name_nobody_are_refused(node: Node, changed: dict[str, Any]) -> None:
    await node.know(ANNE)
    await node.people.read(KVK)
    with pytest.raises(Invalid):
        await node.people.mandates.give(acting(ANNE), terms(**changed))
    assert node.people.mandates.given(acting(ANNE)) == []


async def test_nobody_gives_a_mandate_of_another(node: Node) -> None:
    await node.know(ANNE)
    node.register.put(director(BRAM), kvk=OTHER)
    with pytest.raises(Refused):
        await node.people.mandates.give(acting(ANNE), terms(giver=OTHER_COMPANY))


async def test_a_mandate_that_cannot_be_recorded_is_not_given(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    await node.know(ANNE)
    mandate = await node.given()

    def full(records: Any, along: Any) -> Any:
        raise unkept()

    monkeypatch.setattr(node.ledger, "append", full)
    with pytest.raises(Unkept):
        await node.people.mandates.give(acting(ANNE), terms(services=("other",)))
    with pytest.raises(Unkept):
        await node.people.mandates.revoke(acting(ANNE), mandate.id)
    assert isinstance(node.people.decide(acting(CARLA), act()), Allowed)
    monkeypatch.undo()
    node.again()
    assert [one.id for one in node.people.mandates.given(acting(ANNE))] == [mandate.id]
    assert isinstance(node.people.decide(acting(CARLA), act()), Allowed)


async def test_a_revocation_whose_caller_went_away_is_known_before_anything_else_happens(node: Node) -> None:
    await node.know(ANNE)
    mandate = await node.given()
    revoking = asyncio.ensure_future(node.people.mandates.revoke(acting(ANNE), mandate.id))
    for _ in range(3):
        await asyncio.sleep(0)
    revoking.cancel()
    with pytest.raises(Conflict):
        await node.people.mandates.revoke(acting(CARLA, None), mandate.id)
    assert revoking.cancelled()
    assert rule(node.people.decide(acting(CARLA), act())) == "mandate-revoked"


# Chains


async def test_a_chain_holds_while_both_links_do(node: Node) -> None:
    node.register.put(director(BRAM), kvk=BROKER)
    await node.know(ANNE, BRAM)
    upper = await node.given(INTERMEDIARY)
    await node.people.mandates.accept(acting(BRAM, INTERMEDIARY), upper.id)
    through = acting(BRAM, COMPANY, INTERMEDIARY)
    found = await node.people.may(through, act(COMPANY, INTERMEDIARY))
    assert isinstance(found, Allowed)
    assert found.kind == "chain"
    assert [one.entity for one in node.people.entities_for(BRAM) if one.intermediary] == [COMPANY]
    own, _ = await node.people.mandates.give(
        acting(BRAM, INTERMEDIARY), terms(giver=INTERMEDIARY, onward=True)
    )
    await node.people.mandates.accept(acting(CARLA, None), own.id)
    employee = acting(CARLA, COMPANY, INTERMEDIARY)
    assert isinstance(node.people.decide(employee, act(COMPANY, INTERMEDIARY)), Allowed)
    await node.people.mandates.revoke(acting(BRAM, INTERMEDIARY), own.id)
    assert rule(node.people.decide(employee, act(COMPANY, INTERMEDIARY))) == "mandate-revoked"
    await node.people.mandates.revoke(acting(ANNE), upper.id)
    assert rule(node.people.decide(through, act(COMPANY, INTERMEDIARY))) == "mandate-revoked"


# Two together


async def together(node: Node) -> None:
    node.register.put(
        director(ANNE, "gb"), director(BRAM, "gb"), function("overigeFunctionaris", CARLA, "03")
    )
    await node.know(ANNE, BRAM, CARLA)
    await node.people.read(KVK)


async def test_a_mandate_of_two_is_proposed_until_another_of_them_signs(node: Node) -> None:
    await together(node)
    mandate, _ = await node.people.mandates.give(acting(ANNE), terms())
    assert mandate.state == "proposed"
    with pytest.raises(Conflict):
        await node.people.mandates.accept(acting(CARLA, None), mandate.id)
    for who in (acting(ANNE), acting(CARLA), acting(CARLA, None)):
        with pytest.raises(Refused):
            await node.people.mandates.sign(who, mandate.id)
    assert (await node.people.mandates.sign(acting(BRAM), mandate.id)).state == "offered"
    await node.people.mandates.accept(acting(CARLA, None), mandate.id)
    assert isinstance(node.people.decide(acting(CARLA), act()), Allowed)


async def test_the_same_person_who_signs_in_otherwise_does_not_sign_a_mandate_twice(node: Node) -> None:
    await together(node)
    twin = "e" * 43
    await node.people.recognise(twin, NAMES[ANNE])
    mandate, _ = await node.people.mandates.give(acting(ANNE), terms())
    with pytest.raises(Refused):
        await node.people.mandates.sign(acting(twin), mandate.id)


async def test_directors_of_a_holder_accept_together(node: Node) -> None:
    await together(node)
    node.register.put(director(CARLA), kvk=OTHER)
    mandate, _ = await node.people.mandates.give(
        acting(CARLA, OTHER_COMPANY), terms(giver=OTHER_COMPANY, holder=COMPANY)
    )
    first = await node.people.mandates.accept(acting(ANNE), mandate.id)
    assert first.state == "offered"
    with pytest.raises(Refused) as problem:
        await node.people.mandates.accept(acting(ANNE), mandate.id)
    assert problem.value.rule == "cannot-sign"
    node.again()
    assert (await node.people.mandates.accept(acting(BRAM), mandate.id)).state == "accepted"
    records = [one for _, one in node.ledger.log.arrangements(mandate.id)]
    assert [(one.action, one.actor) for one in records[1:]] == [
        ("mandate.accept-first", ANNE),
        ("mandate.accept", BRAM),
    ]

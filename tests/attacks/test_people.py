"""What a hostile citizen, director, official or register tries on who may act for whom, and on how they sign in; each named after
the rule that holds against it. All fictitious."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tests.unit.grounds.test_consents import ANN, BOB, Kept
from tests.unit.grounds.test_consents import terms as consented
from tests.unit.identity.companies import (
    ANNE,
    BRAM,
    CARLA,
    COMPANY,
    KVK,
    OTHER_COMPANY,
    SECONDS,
    acting,
    director,
    read,
    registration,
)
from tests.unit.identity.people_node import DAY, Node, act, opened, terms

from sluis.grounds import Grounds
from sluis.grounds.consents import service as consents
from sluis.identity.looked.rules import look_of
from sluis.identity.people import mandates
from sluis.identity.people.acts import Asking
from sluis.identity.people.http import appointment
from sluis.identity.people.views import NewGuardian
from sluis.identity.register import person_urn
from sluis.kernel import HERE, Conflict, Invalid, NotFound, new_trace_id
from sluis.ledger import Line, decisions
from sluis.web.tries import neighbourhood

PORTAL = Asking("loket", "Fictief Loket", "Vraag een vergunning voor een fictief terras aan")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with opened(tmp_path) as one:
        yield one


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept(tmp_path)
    yield made
    made.stores[-1].close()


# Addresses: one who fails does not keep out all the others


@pytest.mark.parametrize("prefix", ["::ffff:", "64:ff9b::"])
def test_visitors_over_ipv4_are_not_one_address_where_a_listener_takes_ipv6_too(prefix: str) -> None:
    assert neighbourhood(f"{prefix}192.0.2.1") == neighbourhood("192.0.2.1")
    assert neighbourhood(f"{prefix}192.0.2.1") != neighbourhood(f"{prefix}192.0.2.2")


# Moments that no calendar has


@pytest.mark.parametrize("since", [-62_135_597_972, -(2**53), SECONDS - 6 * 366 * DAY])
async def test_a_mandate_begins_on_a_day_that_its_holder_can_be_shown(node: Node, since: int) -> None:
    with pytest.raises(Invalid) as problem:
        await node.people.mandates.give(
            acting(BRAM, None), terms(giver=person_urn(BRAM), holder=COMPANY, since=since)
        )
    assert problem.value.code == "mandate-terms"


@pytest.mark.parametrize("began", [2**53 - 1, 2**53, 2**70, 253_402_300_799_999])
def test_a_moment_that_another_makes_up_can_be_shown(began: int) -> None:
    line = Line(new_trace_id(), "a" * 16, "Ok", "Raadpleging", began, 0, {})
    look = look_of(line, "Organisatie", Grounds(), lambda address: None)
    assert datetime.fromtimestamp(look.began // 1000, UTC).astimezone(HERE).year == 9999


@pytest.mark.parametrize("born", [date(9999, 1, 1), date(2026, 11, 24)])
async def test_nobody_is_a_parent_of_who_is_yet_to_be_born(node: Node, born: date) -> None:
    new = NewGuardian("parent", "1", "Fictieve Ouder", "2", "Fictief Kind", "Uittreksel 1", born=born)
    with pytest.raises(Invalid) as problem:
        await node.people.guardians.appoint("olga", appointment(node.people, new, lambda bsn: bsn))
    assert problem.value.code == "guardianship-unreadable"


async def test_a_guardianship_ends_on_a_day_that_there_is(node: Node) -> None:
    new = NewGuardian("curator", "1", "Fictieve Curator", "2", "Fictief Persoon", "Zaak 1", until=date.max)
    made = await node.people.guardians.appoint("olga", appointment(node.people, new, lambda bsn: bsn))
    assert datetime.fromtimestamp(made.until or 0, UTC).astimezone(HERE).year == 9999


# Acts of two


async def test_who_was_dismissed_neither_reads_nor_stops_what_directors_do_together(node: Node) -> None:
    node.register.put(director(ANNE, "gb"), director(BRAM, "gb"))
    await node.know(ANNE, BRAM, CARLA)
    await node.people.read(KVK)
    one = await node.people.acts.ask(acting(ANNE), act(), PORTAL)
    node.register.put(director(ANNE, "gb"), director(CARLA, "gb"))
    node.later(days=2)  # nobody looked at the register meanwhile
    assert await node.people.acts.of(BRAM) == []
    with pytest.raises(NotFound):
        await node.people.acts.refuse(BRAM, one.id)
    assert [each.id for each in await node.people.acts.of(CARLA)] == [one.id]


async def test_who_was_dismissed_stops_nothing_without_looking_first(node: Node) -> None:
    node.register.put(director(ANNE, "gb"), director(BRAM, "gb"))
    await node.know(ANNE, BRAM)
    await node.people.read(KVK)
    one = await node.people.acts.ask(acting(ANNE), act(), PORTAL)
    node.register.put(director(ANNE, "gb"), director(CARLA, "gb"))
    node.later(days=2)
    with pytest.raises(NotFound):
        await node.people.acts.refuse(BRAM, one.id)
    assert node.people.acts.state(one) == "waiting"


# Refusals on record


async def test_every_try_of_who_is_turned_away_is_on_record_also_of_who_then_stops(node: Node) -> None:
    for _ in range(50):
        await node.people.turning.record(acting(BRAM), "loket", "no-representation")
    node.later(minutes=2)
    await node.people.tidy()
    await node.people.tidy()
    times = [one.body["adl.core.response"]["context"]["times"] for one in decisions(node.store, 0)]
    assert times == [1, 49]


def test_a_day_of_birth_that_a_register_makes_up_breaks_nothing() -> None:
    answer = registration(director(ANNE)).replace(b"19800501", b"99991231")
    assert [one.authority for one in read(answer).officers] == ["sole"]


# Much of what anybody can make


async def test_nobody_buries_a_company_under_offers(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mandates, "MOST_OFFERED", 3)
    offered = terms(giver=person_urn(BRAM), holder=OTHER_COMPANY)
    for _ in range(3):
        first, _ = await node.people.mandates.give(acting(BRAM, None), offered)
    with pytest.raises(Conflict) as problem:
        await node.people.mandates.give(acting(BRAM, None), offered)
    assert problem.value.code == "too-many-mandates"
    await node.people.mandates.revoke(acting(BRAM, None), first.id)
    await node.people.mandates.give(acting(BRAM, None), offered)


async def test_giving_and_revoking_without_end_fills_no_memory(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mandates, "MOST_OVER", 3)
    gone = list[str]()
    for _ in range(8):
        node.later(seconds=1)
        mandate, _ = await node.people.mandates.give(
            acting(BRAM, None), terms(giver=person_urn(BRAM), holder="")
        )
        await node.people.mandates.revoke(acting(BRAM, None), mandate.id)
        gone.append(mandate.id)
    assert sorted(one.id for one in node.people.mandates.given(acting(BRAM, None))) == sorted(gone[-4:])
    node.again()
    assert len(node.people.mandates.given(acting(BRAM, None))) == 4
    assert len(node.ledger.log.arrangements(gone[0])) == 2, "the log tells of it"


async def test_a_person_gives_no_end_of_consents_for_one_purpose(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consents, "MOST_STANDING", 2)
    first = await kept.consents.give(ANN, consented(), "p")
    await kept.consents.give(ANN, consented(), "p")
    with pytest.raises(Conflict) as problem:
        await kept.consents.give(ANN, consented(), "p")
    assert problem.value.code == "too-many-consents"
    await kept.consents.give(BOB, consented(), "p")
    await kept.consents.revoke(first.id, "p", ANN)
    await kept.consents.give(ANN, consented(), "p")

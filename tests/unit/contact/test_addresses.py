"""An address counts when its owner proved it: by a code that went there, a few at a time, for a short while."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.unit.contact.world import Fake, World

from sluis.contact import Failed, Preference, own_party
from sluis.contact.proving import (
    CODE_SECONDS,
    CODE_TRIES,
    CODES_A_DAY,
    CODES_AN_HOUR,
    CODES_TO_ONE,
    DAY,
    normal_address,
)
from sluis.contact.service import MOST_CASES
from sluis.kernel import Invalid, NotFound, Refused, Upstream


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, {"mail": Fake("email"), "sms": Fake("sms")})
    yield made
    made.store.close()


def code(world: World, channel: str = "mail", number: int = -1) -> str:
    """The code that was sent."""
    fake: Any = world.channels[channel]
    match = re.search(r"\d{6}", fake.got[number].text)
    assert match is not None
    return match[0]


async def offer(world: World, value: str = "anna@voorbeeld.nl") -> None:
    await world.contact.proving.offer(world.party, "email", value, "nl")


async def test_the_code_proves_the_address(world: World) -> None:
    await offer(world)
    assert (await world.contact.known(world.party)).addresses == ()
    await world.contact.proving.prove(world.party, "email", f" {code(world)} ")
    (address,) = (await world.contact.known(world.party)).addresses
    assert (address.kind, address.value) == ("email", "anna@voorbeeld.nl")


async def test_a_code_works_after_a_restart_and_only_once(world: World) -> None:
    await offer(world)
    world.again()
    await world.contact.proving.prove(world.party, "email", code(world))
    with pytest.raises(NotFound):
        await world.contact.proving.prove(world.party, "email", code(world))


async def test_an_old_code_is_no_good(world: World) -> None:
    await offer(world)
    world.clock.later(CODE_SECONDS)
    with pytest.raises(NotFound):
        await world.contact.proving.prove(world.party, "email", code(world))


async def test_a_code_cannot_be_found_by_trying(world: World) -> None:
    await offer(world)
    right = code(world)
    for _ in range(CODE_TRIES):
        with pytest.raises(Invalid):
            await world.contact.proving.prove(
                world.party, "email", "000000" if right != "000000" else "111111"
            )
    with pytest.raises(NotFound):
        await world.contact.proving.prove(world.party, "email", right)


async def test_a_code_is_of_one_person_and_one_address(world: World) -> None:
    await offer(world)
    first = code(world)
    with pytest.raises(NotFound):
        await world.contact.proving.prove(own_party("iemand anders"), "email", first)
    await offer(world, "bob@voorbeeld.nl")
    if first != code(world):
        with pytest.raises(Invalid):
            await world.contact.proving.prove(world.party, "email", first)


async def test_nobody_is_bothered_with_many_codes(world: World) -> None:
    for _ in range(CODES_AN_HOUR):
        await offer(world)
    with pytest.raises(Refused) as refused:
        await offer(world)
    assert refused.value.rule == "codes-pace"
    world.clock.later(3_600)
    await offer(world)


async def test_who_proves_an_address_between_bothers_another_no_more_than_others_do(world: World) -> None:
    for _ in range(CODES_AN_HOUR - 1):
        await offer(world, "bob@voorbeeld.nl")
    await offer(world)
    await world.contact.proving.prove(world.party, "email", code(world))
    with pytest.raises(Refused):
        await offer(world, "bob@voorbeeld.nl")


async def test_a_day_has_fewer_codes_than_its_hours(world: World) -> None:
    for _ in range(CODES_A_DAY):
        await offer(world)
        world.clock.later(3_600)
    with pytest.raises(Refused):
        await offer(world)
    world.clock.later(DAY - CODES_A_DAY * 3_600)
    await world.contact.tidy()
    await offer(world)


async def test_many_together_do_not_bother_one_address(world: World) -> None:
    for number in range(CODES_TO_ONE):
        await world.contact.proving.offer(own_party(f"iemand {number}"), "email", "bob@voorbeeld.nl", "nl")
    with pytest.raises(Refused):
        await offer(world, "bob@voorbeeld.nl")
    await offer(world, "carla@voorbeeld.nl")


@pytest.mark.parametrize("removed", [False, True])
async def test_an_address_that_is_left_is_told_so(world: World, removed: bool) -> None:
    """Who took over a session and sends messages elsewhere does not go unseen."""
    await world.reachable_by("email", "anna@voorbeeld.nl")
    if removed:
        await world.contact.proving.forget(world.party, "email")
    else:
        await offer(world, "bob@voorbeeld.nl")
        await world.contact.proving.prove(world.party, "email", code(world))
    fake: Any = world.channels["mail"]
    assert fake.got[-1].to == ("anna@voorbeeld.nl",)
    assert "bob" not in fake.got[-1].text


async def test_an_address_is_left_although_it_cannot_be_told(world: World) -> None:
    await world.reachable_by("email", "anna@voorbeeld.nl")
    fake: Any = world.channels["mail"]
    fake.says = [Failed("no-such-address", "never")]
    await world.contact.proving.forget(world.party, "email")
    assert (await world.contact.known(world.party)).addresses == ()


async def test_the_same_address_again_is_told_nothing(world: World) -> None:
    await world.reachable_by("email", "anna@voorbeeld.nl")
    await offer(world)
    await world.contact.proving.prove(world.party, "email", code(world))
    fake: Any = world.channels["mail"]
    assert len(fake.got) == 1


async def test_a_code_that_did_not_leave_counts_all_the_same(world: World) -> None:
    fake: Any = world.channels["mail"]
    fake.says = [
        Failed("mail-later", "later"),
        Failed("no-such-address", "never"),
        Failed("mail-later", "later"),
    ]
    for kind in (Upstream, Invalid, Upstream, Refused):
        with pytest.raises(kind):
            await offer(world)


async def test_an_address_that_is_taken_away_is_used_no_more(world: World) -> None:
    await offer(world)
    await world.contact.proving.prove(world.party, "email", code(world))
    await world.contact.proving.forget(world.party, "email")
    assert (await world.contact.known(world.party)).addresses == ()


async def test_an_address_that_nobody_proved_is_forgotten(world: World) -> None:
    await offer(world)
    world.clock.later(DAY + 1)
    await world.contact.tidy()
    assert (await world.contact.known(world.party)).pending == ()


async def test_what_somebody_changes_is_on_record(world: World) -> None:
    await world.contact.prefer(world.party, Preference(kinds=("sms",)))
    await offer(world)
    await world.contact.proving.prove(world.party, "email", code(world))
    await world.contact.proving.forget(world.party, "email")
    records = [world.ledger.log.stored(number).json or b"" for number in range(3)]
    assert [b"contact.address" in one for one in records] == [False, True, True]
    assert not any(b"voorbeeld.nl" in one for one in records)


async def test_a_preference_for_what_there_is_not_is_refused(world: World) -> None:
    for kinds in (("letter",), ("sms", "sms")):
        with pytest.raises(Invalid):
            await world.contact.prefer(world.party, Preference(kinds=kinds))  # type: ignore[arg-type]


async def test_preferences_about_cases_have_a_bound(world: World) -> None:
    for number in range(MOST_CASES):
        await world.contact.prefer(world.party, Preference(case=f"Z-{number}"))
    with pytest.raises(Invalid):
        await world.contact.prefer(world.party, Preference(case="Z-nog-een"))
    await world.contact.prefer(world.party, Preference(case="Z-1", kinds=("sms",)))
    await world.contact.forget_preference(world.party, "Z-1")
    await world.contact.prefer(world.party, Preference(case="Z-nog-een"))


@pytest.mark.parametrize(
    ("kind", "given", "kept"),
    [
        ("email", " Anna@Voorbeeld.NL ", "Anna@voorbeeld.nl"),
        ("sms", "06 1234 5678", "+31612345678"),
        ("sms", "0031612345678", "+31612345678"),
        ("sms", "+32 (470) 12-34-56", "+32470123456"),
    ],
)
def test_an_address_is_kept_in_one_form(kind: str, given: str, kept: str) -> None:
    assert normal_address(kind, given).value == kept


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("email", "anna"), ("email", "anna@voorbeeld"), ("email", "anna@voorbeeld.nl\nBcc: x@y.nl"), ("email", "a b@voorbeeld.nl"),
        ("email", "anna@voorbeeld.nl,bob@voorbeeld.nl"), ("email", "<anna@voorbeeld.nl>"), ("email", ".a@voorbeeld.nl"), ("email", ""),
        ("email", "a" * 250 + "@voorbeeld.nl"), ("email", "=?utf-8?q?bob=40elders.nl?=@voorbeeld.nl"),
        ("sms", "112"), ("sms", "020 1234567"), ("sms", "+31612345678;999"), ("fax", "1"),
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(kind: str, given: str) -> None:
    with pytest.raises(Invalid):
        normal_address(kind, given)

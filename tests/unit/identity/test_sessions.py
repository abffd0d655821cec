"""Sessions: begun, found, replaced, listed, ended; and what a copy of the database tells."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.clocks import Clock
from tests.unit.identity.people import established

from sluis.crypto import FileKeyStore
from sluis.identity.sessions import Sessions, open_sessions, person_of
from sluis.identity.sessions.rules import IDLE, LONGEST, MOST
from sluis.kernel import NotFound
from sluis.store import Store, open_store
from sluis.web import SignedIn

COMPANY = "urn:nl:kvk:90000003"


class World:
    """A store with keys and a clock, in which sessions can be opened again as after a restart."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.clock = directory, Clock()
        self.keys = FileKeyStore(directory / "keys")
        self.store: Store = open_store(directory / "node.db")
        self.ended: list[SignedIn] = []
        self.sessions = self.reopened()

    def reopened(self) -> Sessions:
        sessions = open_sessions(self.store, self.keys, self.clock)
        sessions.on_end(self.ended.append)
        return sessions

    def rows(self) -> int:
        with self.store.read() as connection:
            return int(connection.execute(text("SELECT count(*) FROM identity_sessions")).scalar_one())


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.store.close()


async def test_a_session_is_found_by_its_secret_alone(world: World) -> None:
    secret, signed_in = await world.sessions.begin(established())
    assert world.sessions.by_cookie(secret) == signed_in
    assert world.sessions.by_cookie(signed_in.session) is None
    assert world.sessions.by_cookie("") is None


async def test_a_secret_has_256_random_bits(world: World) -> None:
    made = {(await world.sessions.begin(established()))[0] for _ in range(5)}
    assert len(made) == 5
    assert {len(secret) for secret in made} == {43}  # base64url of 32 bytes


async def test_a_session_outlives_the_process(world: World) -> None:
    secret, signed_in = await world.sessions.begin(established())
    assert world.reopened().by_cookie(secret) == signed_in


async def test_a_copy_of_the_database_tells_no_secret_and_no_person(world: World) -> None:
    secret, signed_in = await world.sessions.begin(established())
    content = b"".join(path.read_bytes() for path in world.directory.glob("node.db*"))
    person = signed_in.acting.person
    for told in (secret, "999990019", "Fictieve Burger", person):
        assert told.encode() not in content


async def test_sessions_that_other_keys_sealed_are_no_more(world: World, tmp_path: Path) -> None:
    secret, _ = await world.sessions.begin(established())
    other = open_sessions(world.store, FileKeyStore(tmp_path / "others"), world.clock)
    assert other.by_cookie(secret) is None
    await other.tidy()
    assert world.rows() == 0


async def test_signing_in_again_gives_another_secret_and_the_old_one_opens_nothing(world: World) -> None:
    first, before = await world.sessions.begin(established(level="low"))
    second, after = await world.sessions.begin(established(level="high"), replaces=first)
    assert world.sessions.by_cookie(first) is None
    assert world.sessions.by_cookie(second) == after
    assert (after.session, after.level) == (before.session, "high")  # a step up: what was signed in stays so
    assert world.ended == []
    assert world.rows() == 1


async def test_a_secret_that_was_never_given_out_begins_nothing(world: World) -> None:
    secret, _ = await world.sessions.begin(established(), replaces="planted-by-an-attacker")
    assert secret != "planted-by-an-attacker"
    assert world.sessions.by_cookie("planted-by-an-attacker") is None


async def test_another_person_at_the_same_browser_ends_the_session_of_the_first(world: World) -> None:
    first, before = await world.sessions.begin(established())
    _, after = await world.sessions.begin(established(value="999990020"), replaces=first)
    assert after.session != before.session
    assert [one.session for one in world.ended] == [before.session]


async def test_a_session_ends_when_it_is_not_used(world: World) -> None:
    secret, _ = await world.sessions.begin(established())
    world.clock.later(seconds=IDLE - 1)
    assert world.sessions.by_cookie(secret) is not None
    world.clock.later(seconds=IDLE - 1)
    assert world.sessions.by_cookie(secret) is not None  # its use a moment ago counts
    world.clock.later(seconds=IDLE)
    assert world.sessions.by_cookie(secret) is None


async def test_a_session_ends_however_busily_it_is_used(world: World) -> None:
    secret, _ = await world.sessions.begin(established())
    for _ in range(LONGEST // 600 - 1):
        world.clock.later(seconds=600)
        assert world.sessions.by_cookie(secret) is not None
    world.clock.later(seconds=600)
    assert world.sessions.by_cookie(secret) is None


async def test_choosing_for_whom_does_not_make_a_session_last_longer(world: World) -> None:
    _, signed_in = await world.sessions.begin(established(audience="company"))
    world.clock.later(seconds=IDLE - 1)
    secret, _ = await world.sessions.act_for(signed_in.session, COMPANY, "Fictief BV")
    for _ in range((LONGEST - IDLE) // 600):
        world.clock.later(seconds=600)
        world.sessions.by_cookie(secret)
    world.clock.later(seconds=1)
    assert world.sessions.by_cookie(secret) is None


async def test_what_somebody_chooses_is_not_what_their_way_of_signing_in_vouches_for(world: World) -> None:
    _, signed_in = await world.sessions.begin(established(audience="company", entity=COMPANY))
    for other in ("urn:nl:kvk:90000011", None, "urn:nl:kvk:90000012"):
        _, signed_in = await world.sessions.act_for(signed_in.session, other, "Ander")
        assert signed_in.acting.entity == other
        assert world.sessions.established(signed_in.session).vouched.entity == COMPANY


async def test_what_is_over_is_forgotten_and_told(world: World) -> None:
    _, signed_in = await world.sessions.begin(established())
    world.clock.later(seconds=IDLE)
    await world.sessions.tidy()
    assert world.rows() == 0
    assert [one.session for one in world.ended] == [signed_in.session]


async def test_last_use_survives_a_restart_once_written(world: World) -> None:
    secret, _ = await world.sessions.begin(established())
    world.clock.later(seconds=IDLE - 1)
    world.sessions.by_cookie(secret)
    await world.sessions.tidy()
    world.clock.later(seconds=IDLE - 1)
    assert world.reopened().by_cookie(secret) is not None


async def test_an_ended_session_is_not_found_any_more_also_after_a_restart(world: World) -> None:
    secret, signed_in = await world.sessions.begin(established())
    await world.sessions.end(signed_in.session)
    assert world.sessions.by_cookie(secret) is None
    assert world.reopened().by_cookie(secret) is None
    assert [one.session for one in world.ended] == [signed_in.session]


async def test_a_session_is_over_before_its_end_is_written(world: World) -> None:
    secret, signed_in = await world.sessions.begin(established())
    ending = asyncio.ensure_future(world.sessions.end(signed_in.session))
    await asyncio.sleep(0)
    assert world.sessions.by_cookie(secret) is None
    await ending


async def test_a_person_sees_their_own_sessions_and_nobody_elses(world: World) -> None:
    _, mine = await world.sessions.begin(established())
    world.clock.later(minutes=1)
    _, also_mine = await world.sessions.begin(established(method="digid-app"))
    _, other = await world.sessions.begin(established(value="999990020"))
    listed = world.sessions.of(mine.acting.person, lambda handle: ["Fictief portaal"])
    assert [one.handle for one in listed] == [also_mine.session, mine.session]
    assert {one.programs for one in listed} == {("Fictief portaal",)}
    assert [one.handle for one in world.sessions.of(other.acting.person)] == [other.session]


async def test_all_sessions_but_this_one_can_be_ended(world: World) -> None:
    one, mine = await world.sessions.begin(established())
    two, _ = await world.sessions.begin(established())
    await world.sessions.end_all(mine.acting.person, but=mine.session)
    assert world.sessions.by_cookie(one) == mine
    assert world.sessions.by_cookie(two) is None


async def test_a_person_has_a_bounded_number_of_sessions(world: World) -> None:
    made = []
    for _ in range(MOST + 1):
        made.append(await world.sessions.begin(established()))
        world.clock.later(seconds=1)
    assert world.sessions.by_cookie(made[0][0]) is None
    assert all(world.sessions.by_cookie(secret) for secret, _ in made[1:])
    assert world.rows() == MOST


async def test_choosing_for_whom_gives_a_new_secret_and_keeps_what_was_signed_in(world: World) -> None:
    first, before = await world.sessions.begin(established(audience="company"))
    second, after = await world.sessions.act_for(before.session, COMPANY, "Fictief BV", "urn:nl:kvk:90000011")
    assert world.sessions.by_cookie(first) is None
    assert world.sessions.by_cookie(second) == after
    assert (after.acting.entity, after.acting.intermediary) == (COMPANY, "urn:nl:kvk:90000011")
    assert after.represented == "Fictief BV"
    assert after.session == before.session
    assert world.ended == []
    assert world.reopened().by_cookie(second) == after


async def test_changing_for_whom_ends_what_was_signed_in_for_the_other(world: World) -> None:
    _, before = await world.sessions.begin(established(audience="company", entity="urn:nl:kvk:90000038"))
    _, after = await world.sessions.act_for(before.session, COMPANY, "Fictief BV")
    assert after.session != before.session
    assert [one.session for one in world.ended] == [before.session]


async def test_an_ended_session_does_not_come_back_by_choosing_for_whom(world: World) -> None:
    _, signed_in = await world.sessions.begin(established(audience="company"))
    choosing = asyncio.ensure_future(world.sessions.act_for(signed_in.session, COMPANY, "Fictief BV"))
    await asyncio.sleep(0)
    await world.sessions.end(signed_in.session)
    with pytest.raises(NotFound):
        await choosing
    assert world.sessions.of(signed_in.acting.person) == []
    assert world.rows() == 0


async def test_what_ends_at_another_provider_ends_here(world: World) -> None:
    secret, _ = await world.sessions.begin(established(upstream_session="s-1"))
    await world.sessions.end_upstream("https://other.example", "s-1")
    assert world.sessions.by_cookie(secret) is not None
    await world.sessions.end_upstream("https://digid.example", "s-1")
    assert world.sessions.by_cookie(secret) is None


async def test_rooms_that_must_have_it_get_the_identifier(world: World) -> None:
    _, signed_in = await world.sessions.begin(established())
    assert world.sessions.subject(signed_in.session) == ("BSN", "999990019")
    await world.sessions.end(signed_in.session)
    with pytest.raises(NotFound):
        world.sessions.subject(signed_in.session)


async def test_a_person_has_one_pseudonym_whatever_the_way_of_signing_in(world: World) -> None:
    _, one = await world.sessions.begin(established())
    _, two = await world.sessions.begin(established(method="broker", issuer="https://broker.example"))
    assert one.acting.person == two.acting.person == person_of(world.keys, "BSN", "999990019")
    assert person_of(world.keys, "staff", "999990019") != one.acting.person

"""What is used once, on a real PostgreSQL: by many at the same moment, and by processes that share the database."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest
from sqlalchemy import text
from tests.unit.identity.provider.world import World, asking, returned

from sluis.identity.clients import ASSERTION_TYPE
from sluis.identity.provider import grants as kept
from sluis.identity.provider.faults import OAuthProblem
from sluis.identity.provider.grants import Grants
from sluis.identity.provider.model import Asked, Grant
from sluis.kernel import Acting, Unkept
from sluis.store import open_once, open_store

pytestmark = pytest.mark.postgres

MANY = 12


@pytest.fixture
def world(tmp_path: Path, empty_postgres: str) -> Iterator[World]:
    made = World(tmp_path / "node", empty_postgres)
    yield made
    made.store.close()


def outcomes(answers: list[httpx.Response]) -> Counter[str]:
    return Counter(one.json().get("error", "tokens") for one in answers)


async def test_a_code_that_many_redeem_at_once_is_good_for_none_of_them_in_the_end(world: World) -> None:
    """RFC 6749, 4.1.2: one gets tokens, and since others tried too, those are revoked."""
    await world.sign_in()
    code, more = await world.code()
    answers = await asyncio.gather(*(world.trade(code, more) for _ in range(MANY)))
    found = outcomes(answers)
    assert found["tokens"] <= 1
    assert found["tokens"] + found["invalid_grant"] == MANY
    for one in answers:
        if one.status_code == 200:
            bearer = {"authorization": f"Bearer {one.json()['access_token']}"}
            assert (await world.http.get("/oauth/userinfo", headers=bearer)).status_code == 401


async def test_a_code_is_spent_by_one_of_many_writers(world: World) -> None:
    grants: Grants = world.provider._grants
    code = await grants.grant(granted(world), None)
    assert code is not None

    async def redeem(at: int) -> str:
        try:
            await grants.redeem(code, f"jti-{at}", 2**40, lambda grant, made: None)
        except OAuthProblem as problem:
            return problem.error
        return "redeemed"

    assert Counter(await asyncio.gather(*map(redeem, range(MANY)))) == {
        "redeemed": 1,
        "invalid_grant": MANY - 1,
    }
    assert [grants.of(f"jti-{at}") for at in range(MANY)] == [None] * MANY  # used twice: revoked


async def test_a_pushed_request_is_used_once_however_many_come(world: World) -> None:
    await world.sign_in()
    form, _ = asking()
    pushed = (await world.post("/oauth/par", "portal", **form)).json()["request_uri"]
    found = await asyncio.gather(
        *(world.get("/oauth/authorize", client_id="portal", request_uri=pushed) for _ in range(MANY))
    )
    assert Counter(one.status_code for one in found) == {303: 1, 400: MANY - 1}


async def test_a_request_that_waited_for_a_sign_in_gives_one_code(world: World) -> None:
    form, _ = asking()
    waiting = await world.get("/oauth/authorize", **form)
    path = returned(waiting)["next"]
    await world.sign_in()
    found = await asyncio.gather(*(world.get(path) for _ in range(MANY)))
    assert Counter(one.status_code for one in found) == {303: 1, 400: MANY - 1}


async def test_an_assertion_proves_a_client_once_however_many_show_it(world: World) -> None:
    proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": world.assertion("cases")}
    form = {**proof, "grant_type": "client_credentials", "scope": "read"}
    answers = await asyncio.gather(*(world.http.post("/oauth/token", data=form) for _ in range(MANY)))
    assert outcomes(list(answers)) == {"tokens": 1, "invalid_client": MANY - 1}


async def test_of_too_many_unfinished_sign_ins_those_of_whoever_has_most_give_way(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_PENDING", 4)
    other = await world.provider.authorize(asking()[0], None, "192.0.2.1")
    for _ in range(10):
        await world.provider.authorize(asking()[0], None, "203.0.113.9")
    await world.provider.endings.tidy()
    with world.store.read() as connection:
        counted = (
            connection.execute(text("SELECT count(*) FROM oauth_requests GROUP BY origin")).scalars().all()
        )
    assert sorted(counted) == [1, 3]
    await world.sign_in()
    assert (await world.get(parse_qs(urlsplit(other).query)["next"][0])).status_code == 303


async def test_who_lost_the_database_to_another_process_trades_nothing_more(
    world: World, empty_postgres: str
) -> None:
    """Two nodes on one database, as after a failover: what one hands out the other knows, and only one of them writes."""
    grants: Grants = world.provider._grants
    code = str(await grants.grant(granted(world), None))
    other = open_store(empty_postgres)
    try:
        cut_off(empty_postgres)
        taken_over = Grants(other, world.keys, world.clock)
        await taken_over.redeem(code, "jti-other", 2**40, lambda grant, made: None)
        assert await open_once(other).spend("client portal", "jti", 2**40)
        with pytest.raises(Unkept):
            await grants.redeem(code, "jti-here", 2**40, lambda grant, made: None)
    finally:
        other.close()
    with pytest.raises(OAuthProblem) as told:  # here again, and the database knows
        await grants.redeem(code, "jti-here", 2**40, lambda grant, made: None)
    assert told.value.error == "invalid_grant"
    assert not await world.clients._once.spend("client portal", "jti", 2**40)
    assert grants.of("jti-here") is None


@pytest.mark.prove
def test_of_many_processes_one_trades_a_code(world: World, empty_postgres: str) -> None:
    code = asyncio.run(world.provider._grants.grant(granted(world), None))
    world.store.close()
    command = [
        sys.executable,
        "-m",
        "tests.integration.redeeming",
        empty_postgres,
        str(world.directory / "keys"),
        str(code),
    ]
    racing = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)
    ]
    for one in racing:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in racing:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    found = Counter(one.communicate(timeout=30)[0].strip() for one in racing)
    assert found["redeemed"] == 1
    assert found["redeemed"] + found["invalid_grant"] + found["store-has-a-writer"] == 4


def granted(world: World) -> Grant:
    asked = Asked(
        "portal", "https://portal.example/back", ("openid",), "s" * 22, "n" * 22, "c" * 43, "low", 0
    )
    return Grant(asked, "session", Acting("person"), "citizen", "low", "acr", "digid", 0)


def cut_off(url: str) -> None:
    """End every connection to a database, as when its server fails over."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

"""Who signed in for a company and may act for it no more gets no tokens, and those that there are serve nobody."""

import pytest
from tests.unit.identity.provider.world import ACCESS_TYPE, COMPANY, EXCHANGE, World, asking, place, returned

from sluis.kernel import Refused, Text

REVOKED = Refused("no", *[Text(word, word) for word in ("No.", "This mandate was revoked.", "Choose.")])
FOR_A_COMPANY = {"audience": "company", "entity": COMPANY, "entity_name": "Fictieve Fietsen B.V."}


@pytest.fixture
async def world(world: World) -> World:
    await world.sign_in(**FOR_A_COMPANY)
    return world


async def test_there_is_no_code_before_they_sign_in_again(world: World) -> None:
    world.obstacle = REVOKED
    assert place(await world.get("/oauth/authorize", **asking()[0]))[0] == "/sign-in"
    answer = returned(await world.get("/oauth/authorize", **asking(prompt="none")[0]))
    assert answer["error"] == "login_required"


async def test_a_code_of_before_is_not_traded(world: World) -> None:
    code, more = await world.code()
    world.obstacle = REVOKED
    answer = await world.trade(code, more)
    assert answer.json() == {"error": "invalid_grant", "error_description": "This mandate was revoked."}
    world.obstacle = None
    assert (await world.trade(code, more)).status_code == 400  # it was spent


async def test_a_token_of_before_is_good_for_nothing_until_the_person_may_act_again(world: World) -> None:
    token = (await world.tokens_of())["access_token"]
    exchanging = {"grant_type": EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TYPE, "audience": "ledger"}  # fmt: skip

    async def good() -> set[bool]:
        header = {"authorization": f"Bearer {token}"}
        return {
            (await world.http.get("/oauth/userinfo", headers=header)).status_code == 200,
            (await world.post("/oauth/introspect", "portal", token=token)).json()["active"],
            (await world.post("/oauth/token", "portal", **exchanging)).status_code == 200,
            world.provider.by_token(token) is not None,
        }

    assert await good() == {True}
    world.obstacle = REVOKED
    assert await good() == {False}
    world.obstacle = None
    assert await good() == {True}


async def test_a_token_that_is_good_for_nothing_can_be_revoked(world: World) -> None:
    token = (await world.tokens_of())["access_token"]
    world.obstacle = REVOKED
    assert (await world.post("/oauth/revoke", "portal", token=token)).status_code == 200
    world.obstacle = None
    assert world.provider.by_token(token) is None


async def test_who_acts_for_themselves_is_not_concerned(world: World) -> None:
    world.obstacle = REVOKED
    await world.sign_in()
    assert "access_token" in await world.tokens_of()

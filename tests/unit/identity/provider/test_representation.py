"""Who may no longer act for somebody is not said to represent them, by no token and to no portal, from that moment on."""

import asyncio

import pytest
from tests.unit.identity.provider.test_sign_out import Told, settled
from tests.unit.identity.provider.world import API, COMPANY, EXCHANGE, World, asking, returned

from sluis.kernel import Refused, Text

REVOKED = Refused(
    "may-not-represent", Text("Nee.", "No."), Text("De machtiging is ingetrokken.", "The mandate was revoked."),
    Text("-", "-"), rule="mandate-revoked",
)  # fmt: skip


async def for_the_company(world: World) -> str:
    """A token of somebody who acts for the company."""
    await world.sign_in(audience="company", entity=COMPANY, entity_name="Fictie B.V.")
    return str((await world.tokens_of())["access_token"])


async def test_a_code_is_not_given_and_the_reason_is_told(world: World) -> None:
    await world.sign_in(audience="company", entity=COMPANY)
    world.refusals[COMPANY] = REVOKED
    answer = await world.get("/oauth/authorize", **asking()[0])
    assert answer.status_code == 403
    assert "ingetrokken" in answer.text or "revoked" in answer.text
    assert world.turned == [(COMPANY, "portal", REVOKED.rule)]


async def test_a_portal_that_may_not_ask_is_told_that_somebody_must_sign_in(world: World) -> None:
    await world.sign_in(audience="company", entity=COMPANY)
    world.refusals[COMPANY] = REVOKED
    answer = returned(await world.get("/oauth/authorize", **asking(prompt="none")[0]))
    assert answer["error"] == "login_required"
    assert world.turned == [(COMPANY, "portal", REVOKED.rule)]


async def test_a_code_of_before_gives_no_token(world: World) -> None:
    await world.sign_in(audience="company", entity=COMPANY)
    code, more = await world.code()
    world.refusals[COMPANY] = REVOKED
    answer = await world.trade(code, more)
    assert answer.json()["error"] == "invalid_grant"
    del world.refusals[COMPANY]
    assert (await world.trade(code, more)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("again", [False, True], ids=["running", "after a restart"])
async def test_a_token_of_before_is_good_no_more(world: World, again: bool) -> None:
    token = await for_the_company(world)
    if again:
        world.open()
    introspected = await world.post("/oauth/introspect", "portal", token=token)
    assert introspected.json()["active"] is True
    world.refusals[COMPANY] = REVOKED
    assert (await world.post("/oauth/introspect", "portal", token=token)).json() == {"active": False}
    userinfo = await world.http.get("/oauth/userinfo", headers={"authorization": f"Bearer {token}"})
    assert userinfo.status_code == 401
    assert world.provider.by_token(token) is None
    exchanged = await world.post(
        "/oauth/token", "portal", grant_type=EXCHANGE, subject_token=token, resource=API,
        subject_token_type="urn:ietf:params:oauth:token-type:access_token",
    )  # fmt: skip
    assert exchanged.json()["error"] == "invalid_grant"
    world.refusals.clear()


async def test_portals_are_told_at_once_and_the_session_itself_goes_on(world: World) -> None:
    await for_the_company(world)
    world.refusals[COMPANY] = REVOKED
    world.provider.endings.look_again()
    await settled(world)
    told = Told()
    assert await world.provider.endings.tell(told) == 0
    assert len(told.heard) == 1
    assert world.secret is not None
    assert world.sessions.by_cookie(world.secret) is not None


async def test_many_changes_are_looked_at_together(world: World) -> None:
    """Or who gives and revokes mandates all day keeps the node looking through everybody's sessions."""
    await for_the_company(world)
    for _ in range(50):
        world.provider.endings.look_again()
    assert len(world.provider.endings._tasks) == 1
    await asyncio.sleep(0)
    world.refusals[COMPANY] = REVOKED
    world.provider.endings.look_again()
    await settled(world)
    told = Told()
    await world.provider.endings.tell(told)
    assert len(told.heard) == 1, "the last change is seen"


async def test_who_acts_for_themselves_is_signed_out_of_nothing(world: World) -> None:
    await world.sign_in()
    token = (await world.tokens_of())["access_token"]
    world.refusals[COMPANY] = REVOKED
    world.provider.endings.look_again()
    await settled(world)
    assert (await world.post("/oauth/introspect", "portal", token=token)).json()["active"] is True

"""Signing out everywhere: OpenID Connect RP-Initiated Logout 1.0 and Back-Channel Logout 1.0."""

import asyncio
import re
from typing import Any

import pytest
from sqlalchemy import Connection
from tests.unit.identity.provider.world import ISSUER, World, place

from sluis.crypto import check_claims
from sluis.identity.provider import telling
from sluis.kernel import Text
from sluis.web import Answer, Unreached

BYE = "https://portal.example/bye"


class Told:
    """Clients that are told of sign-outs."""

    def __init__(self, takes: bool = True) -> None:
        self.takes, self.heard = takes, list[tuple[str, str]]()

    async def __call__(self, address: str, token: str) -> bool:
        self.heard.append((address, token))
        return self.takes


async def settled(world: World) -> None:
    """What the end of a session sets going is done."""
    await asyncio.gather(*world.provider.endings._tasks)


async def test_a_client_signs_its_own_user_out_at_once(world: World) -> None:
    signed_in = await world.sign_in()
    hint = (await world.tokens_of())["id_token"]
    answer = await world.get("/oauth/end", id_token_hint=hint, post_logout_redirect_uri=BYE, state="abc")
    assert place(answer) == (BYE, {"state": ["abc"]})
    assert world.sessions.by_handle(signed_in.session) is None


async def test_who_is_signed_out_by_a_client_is_signed_out_at_the_provider_too_and_comes_back(
    world: World,
) -> None:
    world.elsewhere = "https://broker.example/end"
    signed_in = await world.sign_in()
    hint = (await world.tokens_of())["id_token"]
    answer = await world.get("/oauth/end", id_token_hint=hint, post_logout_redirect_uri=BYE, state="abc")
    where, query = place(answer)
    assert where == "https://broker.example/end"
    assert world.sessions.by_handle(signed_in.session) is None
    [browser] = re.findall(r"__Host-sluis-browser=([^;]+)", str(answer.headers.get_list("set-cookie")))
    assert world.leaving.back("another browser", query["state"][0]) is None
    assert world.leaving.back(browser, query["state"][0]) == f"{BYE}?state=abc"
    assert world.leaving.back(browser, query["state"][0]) is None  # once


async def test_who_is_asked_first_still_goes_back_to_the_client(world: World) -> None:
    await world.sign_in()
    answer = await world.get("/oauth/end", client_id="portal", post_logout_redirect_uri=BYE)
    where, query = place(answer)
    [browser] = re.findall(r"__Host-sluis-browser=([^;]+)", str(answer.headers.get_list("set-cookie")))
    assert (where, world.leaving.back(browser, query["state"][0])) == ("/sign-out", BYE)


async def test_an_id_token_that_ended_still_says_whose_session_it_was(world: World) -> None:
    await world.sign_in()
    hint = (await world.tokens_of())["id_token"]
    world.clock.later(minutes=20)
    assert place(await world.get("/oauth/end", id_token_hint=hint, post_logout_redirect_uri=BYE))[0] == BYE


async def test_without_proof_of_this_session_the_person_is_asked(world: World) -> None:
    """Sign-out by another's page (CSRF)."""
    await world.sign_in()
    old = (await world.tokens_of())["id_token"]
    world.secret = None
    signed_in = await world.sign_in(value="999990020")
    for how in ({}, {"client_id": "portal"}, {"id_token_hint": old}):
        where, _ = place(await world.get("/oauth/end", **how))
        assert where == "/sign-out"
        assert world.sessions.by_handle(signed_in.session) is not None


async def test_a_proof_for_another_provider_signs_nobody_out(world: World) -> None:
    """A node may be called elsewhere what it is called itself: then that provider has a token of it that names no session."""
    signed_in = await world.sign_in()
    proof = world.tokens.proof({"iss": ISSUER, "sub": ISSUER, "aud": "https://broker.example"})
    for hint in (proof, world.tokens.proof({"iss": ISSUER, "aud": "portal"})):
        shown = await world.get("/oauth/end", id_token_hint=hint)
        assert shown.headers["location"] == "/sign-out"
    assert world.sessions.by_handle(signed_in.session) is not None


async def test_who_is_not_signed_in_goes_straight_back(world: World) -> None:
    assert place(await world.get("/oauth/end", client_id="portal", post_logout_redirect_uri=BYE))[0] == BYE
    assert place(await world.get("/oauth/end"))[0] == "/sign-out"


@pytest.mark.parametrize(
    "how",
    [
        {"client_id": "portal", "post_logout_redirect_uri": "https://evil.example/"},
        {"client_id": "portal", "post_logout_redirect_uri": BYE + "/"},
        {"client_id": "other", "post_logout_redirect_uri": BYE},
        {"post_logout_redirect_uri": BYE},
        {"id_token_hint": "x", "post_logout_redirect_uri": BYE},
    ],
)
async def test_signing_out_leads_nowhere_that_is_not_registered(world: World, how: dict[str, str]) -> None:
    answer = await world.get("/oauth/end", **how)
    assert answer.status_code == 400
    assert "location" not in answer.headers


async def test_a_hint_of_one_client_is_not_used_by_another(world: World) -> None:
    await world.sign_in()
    hint = (await world.tokens_of())["id_token"]
    answer = await world.get("/oauth/end", id_token_hint=hint, client_id="other")
    assert answer.json()["code"] == "stray-sign-out"


async def test_clients_are_told_of_a_session_that_ended(world: World) -> None:
    signed_in = await world.sign_in()
    identity = world.read((await world.tokens_of())["id_token"])
    await world.tokens_of("other")
    await world.tokens_of()
    await world.sessions.end(signed_in.session)
    await settled(world)
    told = Told()
    assert await world.provider.endings.tell(told) == 0
    ((address, token),) = told.heard
    assert address == "https://portal.example/out"
    claims = world.read(token, "logout+jwt")
    check_claims(claims, issuer=ISSUER, audience="portal", now=world.clock().timestamp(), longest=120)
    assert (claims["sub"], claims["sid"]) == (identity["sub"], identity["sid"])
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert "nonce" not in claims
    assert await world.provider.endings.tell(told) == 0
    assert len(told.heard) == 1


async def test_who_does_not_answer_is_told_again_also_after_a_restart(world: World) -> None:
    signed_in = await world.sign_in()
    await world.tokens_of()
    await world.sessions.end(signed_in.session)
    await settled(world)
    assert await world.provider.endings.tell(Told(takes=False)) == 1
    world.open()
    told = Told()
    assert await world.provider.endings.tell(told) == 0
    assert len(told.heard) == 1


async def test_a_session_that_ended_while_nobody_looked_is_told_of(world: World) -> None:
    await world.sign_in()
    await world.tokens_of()
    world.clock.later(hours=13)
    world.open()
    await world.provider.endings.tidy()
    told = Told()
    await world.provider.endings.tell(told)
    assert len(told.heard) == 1


async def test_nobody_is_told_for_two_hours_long(world: World) -> None:
    signed_in = await world.sign_in()
    await world.tokens_of()
    await world.sessions.end(signed_in.session)
    await settled(world)
    world.clock.later(hours=2)
    assert await world.provider.endings.tell(Told()) == 0


async def test_a_code_that_was_not_traded_is_worth_nothing_after_signing_out(world: World) -> None:
    signed_in = await world.sign_in()
    code, more = await world.code()
    await world.sessions.end(signed_in.session)
    await settled(world)
    assert (await world.trade(code, more)).json()["error"] == "invalid_grant"
    told: Any = Told()
    await world.provider.endings.tell(told)
    assert told.heard == [], "the client never knew of anybody"


async def test_a_person_sees_where_a_session_was_used(world: World) -> None:
    signed_in = await world.sign_in()
    await world.tokens_of()
    await world.tokens_of("other")
    assert world.provider.programs(signed_in.session) == ["Ander", "Portaal"]
    (listed,) = world.sessions.of(signed_in.acting.person, world.provider.programs)
    assert listed.programs == ("Ander", "Portaal")


class Web:
    """What the network answers."""

    def __init__(self, answer: Answer | Unreached) -> None:
        self.answer, self.heard = answer, list[tuple[Any, ...]]()

    async def call(self, *asked: Any, seconds: float, most: int) -> Answer:
        self.heard.append((*asked, most))
        if isinstance(self.answer, Unreached):
            raise self.answer
        return self.answer


@pytest.mark.parametrize(
    ("status", "taken"), [(200, True), (204, True), (303, False), (400, False), (503, False)]
)
async def test_a_sign_out_is_told_by_a_form_and_taken_by_a_success_alone(status: int, taken: bool) -> None:
    """Only addresses in the settings are called, and of the answer no more is read than how it begins."""
    web: Any = Web(Answer(status, {"location": "https://evil.example/"}))
    assert await telling._post(web, "https://portal.example/out", "a.b.c") is taken
    assert web.heard == [("POST", "https://portal.example/out", {"logout_token": "a.b.c"}, 0)]


async def test_a_portal_that_is_away_is_told_later() -> None:
    web: Any = Web(Unreached("call-late", *3 * [Text("", "")]))
    assert not await telling._post(web, "https://portal.example/out", "a.b.c")


async def test_a_portal_that_is_away_keeps_no_other_from_being_told(world: World) -> None:
    grants, until = world.provider._grants, int(world.clock().timestamp()) + 60

    def wait(connection: Connection) -> None:
        for _ in range(550):
            grants._tell(connection, "portal", ("subject", "session"), until)
        for _ in range(30):
            grants._tell(connection, "other", ("subject", "session"), until + 1)

    await world.store.write(wait)
    away = Told(takes=False)
    await world.provider.endings.tell(away)
    assert {one.client for one in grants.to_tell()} == {"portal"}
    assert len(away.heard) < 50

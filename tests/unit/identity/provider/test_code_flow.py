"""Signing in with a code: OpenID Connect Core 1.0, RFC 6749, 7636 and 9207, OIDC-NLGOV 1.0.1."""

import base64
import json
from typing import Any

import pytest
from tests.clocks import BEGIN
from tests.unit.identity.provider.world import (
    API,
    BACK,
    COMPANY,
    ISSUER,
    World,
    asking,
    challenge,
    place,
    returned,
)

from sluis.crypto import check_claims
from sluis.kernel import ACR

SUBSTANTIAL, HIGH = (f"http://eidas.europa.eu/LoA/{level}" for level in ("substantial", "high"))
NOW = int(BEGIN.timestamp())


async def test_a_whole_sign_in_gives_an_identity_and_access(world: World) -> None:
    await world.sign_in()
    form, more = asking(scope="openid read")
    answer = await world.get("/oauth/authorize", **form)
    came = returned(answer)
    assert (came["state"], came["from"]) == (form["state"], "sluis")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    tokens = await world.trade(came["code"], more)
    assert tokens.headers["cache-control"] == "no-store"
    assert set(tokens.json()) == {"access_token", "token_type", "expires_in", "scope", "id_token"}
    identity = world.read(tokens.json()["id_token"])
    check_claims(identity, issuer=ISSUER, audience="portal", now=NOW, longest=300)
    assert identity["nonce"] == form["nonce"]
    assert (identity["acr"], identity["sub_id_type"]) == (SUBSTANTIAL, "urn:nl-eid-gdi:1.0:id:Pseudonym")
    assert len(identity["jti"]) >= 22
    assert {"amr", "name", "represents"} & set(identity) == set()
    access = world.read(tokens.json()["access_token"], "at+jwt")
    assert (access["aud"], access["azp"], access["client_id"]) == (ISSUER, "portal", "portal")
    assert (access["scope"], access["sub"], access["acr"]) == ("openid read", identity["sub"], SUBSTANTIAL)
    assert {"iss", "exp", "iat", "jti"} <= set(access)


async def test_rfc9068_the_header_says_what_it_is_and_which_key_signed_it(world: World) -> None:
    await world.sign_in()
    head = (await world.tokens_of())["access_token"].split(".")[0]
    header = json.loads(base64.urlsafe_b64decode(head + "=="))
    assert header == {"alg": "RS256", "typ": "at+jwt", "kid": next(iter(world.keys_published())).kid}


async def test_rfc9207_every_answer_names_its_issuer(world: World) -> None:
    form, _ = asking(prompt="none")
    assert returned(await world.get("/oauth/authorize", **form))["iss"] == ISSUER
    await world.sign_in()
    assert returned(await world.get("/oauth/authorize", **form))["iss"] == ISSUER
    document = (await world.get("/.well-known/openid-configuration")).json()
    assert document["authorization_response_iss_parameter_supported"] is True


async def test_who_is_not_signed_in_signs_in_first_and_comes_back(world: World) -> None:
    form, more = asking(acr_values=SUBSTANTIAL)
    where, how = place(await world.get("/oauth/authorize", **form))
    assert (where, how["level"], "again" in how) == ("/sign-in", ["substantial"], False)
    (back,) = how["next"]
    assert back.startswith("/oauth/authorize/continue/")
    await world.sign_in()
    came = returned(await world.get(back))
    assert came["state"] == form["state"]
    assert (await world.trade(came["code"], more)).status_code == 200


async def test_a_request_that_waited_is_answered_once(world: World) -> None:
    (back,) = place(await world.get("/oauth/authorize", **asking()[0]))[1]["next"]
    await world.sign_in()
    assert "code" in returned(await world.get(back))
    again = await world.get(back)
    assert (again.status_code, again.json()["code"]) == (400, "sign-in-gone")


async def test_a_request_waits_a_quarter_of_an_hour(world: World) -> None:
    (back,) = place(await world.get("/oauth/authorize", **asking()[0]))[1]["next"]
    world.clock.later(minutes=15)
    await world.sign_in()
    assert (await world.get(back)).json()["code"] == "sign-in-gone"


async def test_who_breaks_off_is_told_of_to_the_client(world: World) -> None:
    (back,) = place(await world.get("/oauth/authorize", **asking()[0]))[1]["next"]
    assert returned(await world.get(back, cancelled="1"))["error"] == "access_denied"
    assert (await world.get(back)).status_code == 400


async def test_a_weak_session_is_asked_for_more(world: World) -> None:
    await world.sign_in(level="low", acr="http://eidas.europa.eu/LoA/low")
    where, how = place(await world.get("/oauth/authorize", **asking(acr_values=f"{HIGH} {SUBSTANTIAL}")[0]))
    assert (where, how["level"]) == ("/sign-in", ["substantial"])
    (back,) = how["next"]
    assert place(await world.get(back))[0] == "/sign-in", "nothing changed, and no code is given"
    await world.sign_in(level="high", acr=HIGH)
    assert "code" in returned(await world.get(back))


@pytest.mark.parametrize("claims", [{"value": HIGH}, {"values": [HIGH], "essential": True}])
async def test_a_level_can_be_asked_as_a_claim(world: World, claims: dict[str, Any]) -> None:
    await world.sign_in()
    form, _ = asking(claims=json.dumps({"id_token": {"acr": claims}, "userinfo": {"name": None}}))
    assert place(await world.get("/oauth/authorize", **form))[1]["level"] == ["high"]


async def test_a_level_that_is_asked_as_a_claim_is_not_lowered_by_another_parameter(world: World) -> None:
    await world.sign_in(level="low")
    claims = json.dumps({"id_token": {"acr": {"essential": True, "value": ACR["high"]}}})
    shown = await world.get("/oauth/authorize", **asking(claims=claims, acr_values=ACR["low"])[0])
    assert place(shown)[1]["level"] == ["high"]


async def test_a_level_that_is_not_known_is_never_replaced_by_a_lower_one(world: World) -> None:
    await world.sign_in()
    form, _ = asking(acr_values="urn:etoegang:core:assurance-class:loa4")
    assert (
        returned(await world.get("/oauth/authorize", **form))["error"] == "unmet_authentication_requirements"
    )


async def test_below_the_level_of_a_client_nobody_signs_in(world: World) -> None:
    await world.sign_in(level="basic", acr="basic")
    assert place(await world.get("/oauth/authorize", **asking()[0]))[1]["level"] == ["low"]
    await world.sign_in(level=None, acr="local")
    assert place(await world.get("/oauth/authorize", **asking()[0]))[1]["level"] == ["low"]


async def test_prompt_none_asks_nobody_anything(world: World) -> None:
    form, _ = asking(prompt="none")
    assert returned(await world.get("/oauth/authorize", **form))["error"] == "login_required"
    await world.sign_in()
    assert "code" in returned(await world.get("/oauth/authorize", **form))
    form, _ = asking(prompt="none", acr_values=HIGH)
    assert returned(await world.get("/oauth/authorize", **form))["error"] == "login_required"


@pytest.mark.parametrize("how", [{"prompt": "login"}, {"max_age": "0"}, {"max_age": "3600"}])
async def test_who_signed_in_where_no_time_is_told_is_not_asked_over_and_over(
    world: World, how: dict[str, str]
) -> None:
    await world.sign_in(at=0)
    where, query = place(await world.get("/oauth/authorize", **asking(**how)[0]))
    assert where == "/sign-in"  # once: there may be a way that tells
    await world.sign_in(at=0)
    assert returned(await world.get(query["next"][0]))["error"] == "unmet_authentication_requirements"


@pytest.mark.parametrize("how", [{"prompt": "login"}, {"max_age": "0"}, {"prompt": "select_account"}])
async def test_who_must_prove_it_anew_does(world: World, how: dict[str, str]) -> None:
    await world.sign_in()
    world.clock.later(seconds=1)
    where, parameters = place(await world.get("/oauth/authorize", **asking(**how)[0]))
    assert (where, parameters["again"]) == ("/sign-in", ["1"])
    (back,) = parameters["next"]
    assert place(await world.get(back))[0] == "/sign-in"
    await world.sign_in()
    world.clock.later(seconds=5)
    assert "code" in returned(await world.get(back))


async def test_a_session_that_is_too_old_for_a_client_is_not_enough(world: World) -> None:
    await world.sign_in()
    world.clock.later(seconds=100)
    assert "code" in returned(await world.get("/oauth/authorize", **asking(max_age="100")[0]))
    assert place(await world.get("/oauth/authorize", **asking(max_age="99")[0]))[0] == "/sign-in"


async def test_a_client_that_expects_one_person_gets_no_other(world: World) -> None:
    await world.sign_in()
    own = world.read((await world.tokens_of())["id_token"])["sub"]
    for value, found in ((own, "code"), ("someone", "error")):
        form, _ = asking(claims=json.dumps({"id_token": {"sub": {"value": value}}}))
        assert found in returned(await world.get("/oauth/authorize", **form))


async def test_portals_of_other_sectors_cannot_compare_their_subjects(world: World) -> None:
    signed_in = await world.sign_in()
    subjects = [world.read((await world.tokens_of(one))["id_token"]) for one in ("portal", "other", "portal")]
    assert subjects[0]["sub"] == subjects[2]["sub"] != subjects[1]["sub"]
    assert subjects[0]["sid"] == subjects[2]["sid"] != subjects[1]["sid"]
    for claims in subjects:
        assert signed_in.session not in json.dumps(claims)
        assert signed_in.acting.person not in json.dumps(claims)


async def test_who_acts_for_a_company_is_another_subject_and_says_for_whom(world: World) -> None:
    await world.sign_in()
    alone = world.read((await world.tokens_of())["id_token"])
    await world.sign_in(entity=COMPANY, entity_name="Fictief BV", intermediary="urn:nl:kvk:90000011")
    tokens = await world.tokens_of()
    claims = world.read(tokens["id_token"])
    assert claims["sub"] != alone["sub"]
    kind = "urn:nl-eid-gdi:1.0:id:KvKnr"
    company = {"sub": "90000003", "iss": ISSUER, "sub_id_type": kind}
    assert claims["represents"] == {
        "sub": "90000011",
        "iss": ISSUER,
        "sub_id_type": kind,
        "represents": company,
    }
    assert world.read(tokens["access_token"], "at+jwt")["represents"] == claims["represents"]


async def test_whom_a_guardian_acts_for_is_a_pseudonym_too(world: World) -> None:
    ward = "urn:sluis:person:PvT6cBWg"
    await world.sign_in(entity=ward)
    found = world.read((await world.tokens_of())["id_token"])["represents"]
    assert found["sub_id_type"].endswith(":Pseudonym")
    assert found["sub"] != ward
    assert "PvT6cBWg" not in found["sub"]


async def test_roles_are_told_only_to_who_may_ask_them(world: World) -> None:
    await world.sign_in(audience="staff", kind="staff", value="x", roles=("beheer",))
    assert world.read((await world.tokens_of(scope="openid roles"))["id_token"])["roles"] == ["beheer"]
    assert "roles" not in world.read((await world.tokens_of())["id_token"])
    form, _ = asking(client_id="other", scope="openid roles")
    assert returned(await world.get("/oauth/authorize", **form))["error"] == "invalid_scope"


async def test_rfc8707_a_token_for_an_audience_names_it_and_its_own_subject(world: World) -> None:
    await world.sign_in()
    tokens = await world.tokens_of(resource=API)
    access, identity = world.read(tokens["access_token"], "at+jwt"), world.read(tokens["id_token"])
    assert access["aud"] == API
    assert access["sub"] != identity["sub"]
    form, _ = asking(resource="https://elsewhere.example")
    assert returned(await world.get("/oauth/authorize", **form))["error"] == "invalid_target"


async def test_userinfo_tells_who_it_is(world: World) -> None:
    await world.sign_in(entity=COMPANY)
    tokens = await world.tokens_of()
    answer = await world.http.get(
        "/oauth/userinfo", headers={"authorization": f"Bearer {tokens['access_token']}"}
    )
    identity = world.read(tokens["id_token"])
    assert answer.json() == {
        name: identity[name] for name in ("sub", "sub_id_type", "represents", "acr", "auth_time")
    }


async def test_userinfo_takes_a_token_in_the_header_alone(world: World) -> None:
    await world.sign_in()
    token = (await world.tokens_of())["access_token"]
    for answer in (
        await world.http.get("/oauth/userinfo", params={"access_token": token}),
        await world.post("/oauth/userinfo", access_token=token),
        await world.http.get("/oauth/userinfo", headers={"authorization": f"Basic {token}"}),
        await world.http.get("/oauth/userinfo", headers={"authorization": "Bearer x"}),
    ):
        assert (answer.status_code, answer.headers["www-authenticate"]) == (
            401,
            'Bearer error="invalid_token"',
        )


async def test_userinfo_is_not_for_tokens_of_another_audience(world: World) -> None:
    await world.sign_in()
    token = (await world.tokens_of(resource=API))["access_token"]
    answer = await world.http.get("/oauth/userinfo", headers={"authorization": f"Bearer {token}"})
    assert answer.json()["error"] == "invalid_token"


# RFC 7636


async def test_rfc7636_a_public_client_proves_itself_with_its_verifier(world: World) -> None:
    await world.sign_in()
    code, more = await world.code(client_id="app")
    assert (await world.trade(code, more, "app")).status_code == 200


@pytest.mark.parametrize("client", ["portal", "app"])
@pytest.mark.parametrize(
    "how",
    [
        {"code_challenge_method": "plain"},
        {"code_challenge_method": ""},
        {"code_challenge_method": "s256"},
        {"code_challenge": ""},
        {"code_challenge": "short"},
        {"code_challenge": challenge("x") + "="},
    ],
)
async def test_rfc7636_without_s256_there_is_no_code(world: World, client: str, how: dict[str, str]) -> None:
    await world.sign_in()
    form, _ = asking(client_id=client, **how)
    assert returned(await world.get("/oauth/authorize", **form))["error"] == "invalid_request"


@pytest.mark.parametrize("verifier", ["", "a" * 43, "a" * 42, "a" * 129, "ë" * 43])
async def test_rfc7636_a_code_without_its_verifier_is_worth_nothing(world: World, verifier: str) -> None:
    await world.sign_in()
    code, more = await world.code()
    answer = await world.trade(code, more, code_verifier=verifier)
    assert (answer.status_code, answer.json()["error"]) in {(400, "invalid_grant"), (400, "invalid_request")}


async def test_rfc7636_a_challenge_that_is_the_verifier_itself_does_not_verify(world: World) -> None:
    """PKCE downgrade: the verifier shown openly as the challenge."""
    await world.sign_in()
    verifier = "v" * 43
    code, more = await world.code(code_challenge=verifier)
    assert (await world.trade(code, more, code_verifier=verifier)).json()["error"] == "invalid_grant"


# What a request must be


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": ""}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"state": ""}, "invalid_request"),
        ({"state": "a" * 21}, "invalid_request"),
        ({"nonce": ""}, "invalid_request"),
        ({"nonce": "a" * 21}, "invalid_request"),
        ({"nonce": "a" * 513}, "invalid_request"),
        ({"scope": "read"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "openid admin"}, "invalid_scope"),
        ({"prompt": "consent"}, "invalid_request"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"max_age": "1e9"}, "invalid_request"),
        ({"claims": "{"}, "invalid_request"),
        ({"claims": "[]"}, "invalid_request"),
        ({"claims": '{"id_token":[1]}'}, "invalid_request"),
        ({"claims": '{"id_token":{},"id_token":{}}'}, "invalid_request"),
        ({"request": "e30.e30."}, "request_not_supported"),
        ({"request_uri": "https://evil.example/request"}, "request_uri_not_supported"),
    ],
)
async def test_a_request_that_is_wrong_is_told_to_the_client(
    world: World, how: dict[str, str], error: str
) -> None:
    await world.sign_in()
    form, _ = asking(**how)
    answer = await world.get("/oauth/authorize", **form)
    assert answer.headers["location"].startswith(BACK + "&")
    told = returned(answer)
    assert (told["error"], told["iss"], "code" in told) == (error, ISSUER, False)
    assert told.get("state") == form.get("state")


@pytest.mark.parametrize("name", ["state", "redirect_uri", "client_id", "scope"])
async def test_a_parameter_that_stands_there_twice_is_refused(world: World, name: str) -> None:
    form, _ = asking()
    answer = await world.http.get("/oauth/authorize", params=[*form.items(), (name, form[name])])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_a_client_that_only_acts_for_itself_signs_nobody_in(world: World) -> None:
    form, _ = asking(client_id="machine")
    assert (await world.get("/oauth/authorize", **form)).json()["code"] == "stray-sign-in"


async def test_authorizing_works_by_post_too(world: World) -> None:
    form, _ = asking(prompt="none")
    answer = await world.post("/oauth/authorize", None, **form)
    assert returned(answer)["error"] == "login_required"

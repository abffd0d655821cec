"""What the provider tells of itself, and its other endpoints: RFC 7009, 7662, 8414, 8693, 8705 and 9126."""

from typing import Any

import pytest
from tests.unit.identity.provider.world import (
    ACCESS_TYPE,
    API,
    BACK,
    COMPANY,
    EXCHANGE,
    ISSUER,
    World,
    asking,
    certificate,
    place,
    returned,
)

from sluis.crypto import certificate_thumbprint
from sluis.identity.clients import ASSERTION_TYPE
from sluis.identity.provider.model import REQUEST_URI

# RFC 8414 and OpenID Connect Discovery


async def test_rfc8414_both_addresses_tell_the_same(world: World) -> None:
    oidc, oauth = [
        await world.http.get(f"/.well-known/{name}")
        for name in ("openid-configuration", "oauth-authorization-server")
    ]
    assert oidc.json() == oauth.json()
    assert oidc.headers["cache-control"] == "public, max-age=604800"
    assert oidc.json()["issuer"] == ISSUER


async def test_rfc8414_every_address_that_is_told_of_answers(world: World) -> None:
    document = (await world.http.get("/.well-known/openid-configuration")).json()
    told = [value for name, value in document.items() if name.endswith(("_endpoint", "jwks_uri"))]
    assert len(told) == 8
    for address in told:
        assert address.startswith(ISSUER)
        assert (await world.http.request("DELETE", address)).status_code == 405


async def test_rfc8414_what_is_not_done_is_not_told(world: World) -> None:
    document = (await world.http.get("/.well-known/openid-configuration")).json()
    assert document["response_types_supported"] == ["code"]
    assert document["code_challenge_methods_supported"] == ["S256"]
    assert document["subject_types_supported"] == ["pairwise"]
    assert document["claims_parameter_supported"] is True
    assert {"implicit", "password", "refresh_token"} & set(document["grant_types_supported"]) == set()
    assert not [one for one in document["token_endpoint_auth_methods_supported"] if "secret" in one]
    assert "amr" not in document["claims_supported"]
    assert "mtls_endpoint_aliases" not in document


async def test_the_key_set_holds_public_keys_for_signatures_and_one_to_encrypt_with(world: World) -> None:
    answer = await world.http.get("/oauth/jwks")
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert [(key["use"], key["alg"]) for key in answer.json()["keys"]] == [
        ("sig", "RS256"),
        ("enc", "RSA-OAEP"),
    ]
    assert not {"d", "p", "q"} & {name for key in answer.json()["keys"] for name in key}


# RFC 9126


async def pushed(world: World, **changed: str) -> tuple[dict[str, Any], dict[str, str], dict[str, str]]:
    form, more = asking(**changed)
    answer = await world.post("/oauth/par", "portal", **form)
    assert answer.status_code == 201, answer.text
    return answer.json(), form, more


async def test_rfc9126_a_pushed_request_signs_in(world: World) -> None:
    await world.sign_in()
    told, form, more = await pushed(world)
    assert told["expires_in"] == 90
    assert told["request_uri"].startswith(REQUEST_URI)
    came = returned(await world.get("/oauth/authorize", client_id="portal", request_uri=told["request_uri"]))
    assert came["state"] == form["state"]
    assert (await world.trade(came["code"], more)).status_code == 200


async def test_rfc9126_a_pushed_request_waits_for_who_must_sign_in(world: World) -> None:
    told, form, _ = await pushed(world)
    where, how = place(
        await world.get("/oauth/authorize", client_id="portal", request_uri=told["request_uri"])
    )
    assert where == "/sign-in"
    world.clock.later(minutes=10)
    await world.sign_in()
    assert returned(await world.get(how["next"][0]))["state"] == form["state"]


async def test_rfc9126_a_pushed_request_is_used_once(world: World) -> None:
    await world.sign_in()
    told, _, _ = await pushed(world)
    asked = {"client_id": "portal", "request_uri": told["request_uri"]}
    assert "code" in returned(await world.get("/oauth/authorize", **asked))
    assert (await world.get("/oauth/authorize", **asked)).json()["code"] == "sign-in-gone"


async def test_rfc9126_a_pushed_request_lasts_a_minute_and_a_half(world: World) -> None:
    await world.sign_in()
    told, _, _ = await pushed(world)
    world.clock.later(seconds=90)
    answer = await world.get("/oauth/authorize", client_id="portal", request_uri=told["request_uri"])
    assert answer.json()["code"] == "sign-in-gone"


async def test_rfc9126_a_pushed_request_is_its_clients_alone(world: World) -> None:
    await world.sign_in()
    told, _, _ = await pushed(world)
    answer = await world.get("/oauth/authorize", client_id="other", request_uri=told["request_uri"])
    assert (answer.status_code, answer.json()["code"]) == (400, "sign-in-gone")


async def test_rfc9126_what_stands_beside_a_pushed_request_is_not_looked_at(world: World) -> None:
    await world.sign_in()
    told, form, _ = await pushed(world)
    beside = asking(state="x" * 30, redirect_uri="https://portal.example/other")[0]
    came = await world.get("/oauth/authorize", **{**beside, "request_uri": told["request_uri"]})
    assert came.headers["location"].startswith(BACK)
    assert returned(came)["state"] == form["state"]


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
        ({"request_uri": "urn:x"}, "request_uri_not_supported"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"scope": "openid admin"}, "invalid_scope"),
    ],
)
async def test_rfc9126_a_wrong_request_is_refused_when_it_is_pushed(
    world: World, how: dict[str, str], error: str
) -> None:
    answer = await world.post("/oauth/par", "portal", **asking(**how)[0])
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_rfc9126_who_pushes_proves_who_it_is(world: World) -> None:
    answer = await world.post("/oauth/par", None, **asking()[0])
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_rfc9126_a_public_client_may_push(world: World) -> None:
    answer = await world.post("/oauth/par", None, **asking(client_id="app")[0])
    assert answer.status_code == 201


# RFC 8705


async def machine(world: World, **form: str) -> Any:
    world.certificate = certificate("machine")
    return await world.post(
        "/oauth/token", None, grant_type="client_credentials", client_id="machine", **form
    )


async def test_rfc8705_a_client_proves_itself_by_the_subject_of_its_certificate(world: World) -> None:
    answer = await machine(world)
    access = world.read(answer.json()["access_token"], "at+jwt")
    assert (access["sub"], access["scope"], access["aud"]) == ("machine", "read", ISSUER)
    assert access["cnf"] == {"x5t#S256": certificate_thumbprint(certificate("machine"))}
    assert "acr" not in access


@pytest.mark.parametrize("shown", [None, "other", "own"])
async def test_rfc8705_another_certificate_or_none_proves_nothing(world: World, shown: str | None) -> None:
    world.certificate = None if shown is None else certificate(shown)
    answer = await world.post("/oauth/token", None, grant_type="client_credentials", client_id="machine")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_rfc8705_a_certificate_of_the_clients_own_key_set_proves_it(world: World) -> None:
    world.certificate = certificate("own")
    answer = await world.post("/oauth/token", None, grant_type="client_credentials", client_id="own")
    assert answer.status_code == 200
    world.certificate = certificate("machine")
    answer = await world.post("/oauth/token", None, grant_type="client_credentials", client_id="own")
    assert answer.json()["error"] == "invalid_client"


async def test_rfc8705_a_bound_token_is_good_over_its_own_certificate_alone(world: World) -> None:
    await world.sign_in()
    world.certificate = certificate("portal")
    token = (await world.tokens_of())["access_token"]
    thumbprint = certificate_thumbprint(certificate("portal"))
    assert world.read(token, "at+jwt")["cnf"] == {"x5t#S256": thumbprint}
    header = {"authorization": f"Bearer {token}"}
    assert (await world.http.get("/oauth/userinfo", headers=header)).status_code == 200
    assert world.provider.by_token(token, thumbprint) is not None
    for other in (certificate("other"), None):
        world.certificate = other
        assert (await world.http.get("/oauth/userinfo", headers=header)).status_code == 401
    assert world.provider.by_token(token) is None
    assert world.provider.by_token(token, "x" * 43) is None


async def test_rfc8705_addresses_for_certificates_are_told_when_they_are_others(world: World) -> None:
    world.open(mutual="https://mutual.example:8471")
    document = (await world.http.get("/.well-known/openid-configuration")).json()
    assert document["mtls_endpoint_aliases"]["token_endpoint"] == "https://mutual.example:8471/oauth/token"
    assertion = world.assertion("portal", aud="https://mutual.example:8471/oauth/token")
    answer = await world.post("/oauth/introspect", "portal", client_assertion=assertion, token="x")
    assert answer.json() == {"active": False}


# Clients for themselves


async def test_a_client_for_itself_gets_no_identity(world: World) -> None:
    assert (await machine(world, scope="openid")).json()["error"] == "invalid_scope"
    answer = await machine(world, scope="read", resource=API)
    assert set(answer.json()) == {"access_token", "token_type", "expires_in", "scope"}
    assert world.read(answer.json()["access_token"], "at+jwt")["aud"] == API
    assert (await machine(world, resource="https://elsewhere.example")).json()["error"] == "invalid_target"


async def test_a_clients_own_token_is_nobody(world: World) -> None:
    token = (await machine(world)).json()["access_token"]
    assert world.provider.by_token(token, certificate_thumbprint(certificate("machine"))) is None
    answer = await world.http.get("/oauth/userinfo", headers={"authorization": f"Bearer {token}"})
    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    ("client", "grant", "error"),
    [
        ("portal", "client_credentials", "unauthorized_client"),
        ("archive", "authorization_code", "unauthorized_client"),
        ("other", EXCHANGE, "unauthorized_client"),
        ("portal", "password", "unsupported_grant_type"),
        ("portal", "refresh_token", "unsupported_grant_type"),
        ("portal", "", "unsupported_grant_type"),
    ],
)
async def test_a_client_gets_tokens_only_in_its_own_ways(
    world: World, client: str, grant: str, error: str
) -> None:
    answer = await world.post("/oauth/token", client, grant_type=grant)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


# RFC 8693


async def exchanged(world: World, client: str, token: str, audience: str, **changed: str) -> Any:
    form = {
        "grant_type": EXCHANGE,
        "subject_token": token,
        "subject_token_type": ACCESS_TYPE,
        "audience": audience,
    }
    return await world.post("/oauth/token", client, **{**form, **changed})


async def test_rfc8693_a_token_is_exchanged_for_another_audience(world: World) -> None:
    await world.sign_in(entity=COMPANY)
    token = (await world.tokens_of(scope="openid read write"))["access_token"]
    answer = await exchanged(world, "portal", token, "ledger")
    assert answer.json()["issued_token_type"] == ACCESS_TYPE
    before, after = world.read(token, "at+jwt"), world.read(answer.json()["access_token"], "at+jwt")
    assert (after["aud"], after["azp"], after["act"]) == ("ledger", "portal", {"sub": "portal"})
    assert (after["acr"], after["represents"]["sub"]) == (before["acr"], "90000003")
    assert after["sub"] != before["sub"], "the audience is another sector"
    assert after["exp"] <= before["exp"]


async def test_rfc8693_who_did_it_earlier_stands_behind(world: World) -> None:
    await world.sign_in()
    first = await exchanged(
        world, "portal", (await world.tokens_of(scope="openid read"))["access_token"], "ledger"
    )
    second = await exchanged(world, "ledger", first.json()["access_token"], "archive")
    claims = world.read(second.json()["access_token"], "at+jwt")
    assert claims["act"] == {"sub": "ledger", "act": {"sub": "portal"}}
    assert claims["scope"] == "openid read"


async def test_rfc8693_never_more_scope_level_or_time(world: World) -> None:
    await world.sign_in(level="low", acr="http://eidas.europa.eu/LoA/low")
    token = (await world.tokens_of(scope="openid read"))["access_token"]
    first = (await exchanged(world, "portal", token, "ledger")).json()["access_token"]
    for scope in ("write", "admin", "read admin"):
        answer = await exchanged(world, "ledger", first, "archive", scope=scope)
        assert answer.json()["error"] == "invalid_scope"
    world.clock.later(seconds=200)
    high = "http://eidas.europa.eu/LoA/high"
    answer = await exchanged(world, "ledger", first, "archive", acr_values=high)
    claims = world.read(answer.json()["access_token"], "at+jwt")
    assert claims["acr"].endswith("/low")
    assert (answer.json()["expires_in"], claims["exp"]) == (100, world.read(first, "at+jwt")["exp"])


async def test_rfc8693_only_for_an_audience_of_that_client(world: World) -> None:
    await world.sign_in()
    token = (await world.tokens_of())["access_token"]
    assert (await exchanged(world, "portal", token, "archive")).json()["error"] == "invalid_target"
    assert (await exchanged(world, "portal", token, "")).json()["error"] == "invalid_target"
    assert (await exchanged(world, "portal", token, API, resource="ledger")).json()[
        "error"
    ] == "invalid_target"


async def test_rfc8693_only_a_token_that_is_of_or_for_that_client(world: World) -> None:
    await world.sign_in()
    token = (await world.tokens_of())["access_token"]
    assert (await exchanged(world, "ledger", token, "archive")).json()["error"] == "invalid_grant"


async def test_rfc8693_a_token_that_is_bound_is_exchanged_by_its_holder(world: World) -> None:
    await world.sign_in()
    world.certificate = certificate("portal")
    token = (await world.tokens_of())["access_token"]
    world.certificate = None
    assert (await exchanged(world, "portal", token, API)).json()["error"] == "invalid_grant"
    world.certificate = certificate("portal")
    assert (await exchanged(world, "portal", token, API)).status_code == 200


@pytest.mark.parametrize(
    "changed",
    [
        {"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"},
        {"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"},
        {"actor_token": "x"},
    ],
)
async def test_rfc8693_other_kinds_of_tokens_are_refused(world: World, changed: dict[str, str]) -> None:
    await world.sign_in()
    token = (await world.tokens_of())["access_token"]
    assert (await exchanged(world, "portal", token, API, **changed)).json()["error"] == "invalid_request"


async def test_rfc8693_an_identity_is_no_access(world: World) -> None:
    await world.sign_in()
    identity = (await world.tokens_of())["id_token"]
    assert (await exchanged(world, "portal", identity, API)).json()["error"] == "invalid_grant"


async def test_rfc8693_a_clients_own_token_is_not_exchanged(world: World) -> None:
    token = (await machine(world)).json()["access_token"]
    assert (await exchanged(world, "portal", token, API)).json()["error"] == "invalid_grant"


async def test_rfc8693_what_came_of_a_token_ends_with_it(world: World) -> None:
    await world.sign_in()
    token = (await world.tokens_of(scope="openid read"))["access_token"]
    after = (await exchanged(world, "portal", token, "ledger")).json()["access_token"]
    await world.post("/oauth/revoke", "portal", token=token)
    assert (await exchanged(world, "ledger", after, "archive")).json()["error"] == "invalid_grant"


# RFC 7662 and RFC 7009


async def introspected(world: World, client: str, token: str) -> dict[str, Any]:
    return dict((await world.post("/oauth/introspect", client, token=token)).json())


async def test_rfc7662_who_a_token_is_for_may_ask_what_it_is(world: World) -> None:
    await world.sign_in()
    token = (await world.tokens_of(resource="ledger", scope="openid read"))["access_token"]
    told = await introspected(world, "ledger", token)
    assert {"active", "scope", "exp", "sub", "client_id"} <= set(told)
    assert (told["active"], told["client_id"], told["scope"]) == (True, "portal", "openid read")
    assert (await introspected(world, "portal", token))["active"] is True


async def test_rfc7662_others_hear_only_that_it_is_nothing(world: World) -> None:
    await world.sign_in()
    token = (await world.tokens_of())["access_token"]
    assert await introspected(world, "other", token) == {"active": False}
    answer = await world.post("/oauth/introspect", None, client_id="app", token=token)
    assert answer.json() == {"active": False}
    assert (await world.post("/oauth/introspect", None, token=token)).status_code == 401


async def test_rfc7662_what_ended_is_not_active(world: World) -> None:
    signed_in = await world.sign_in()
    tokens = [(await world.tokens_of())["access_token"] for _ in range(2)]
    assert await introspected(world, "portal", (await world.tokens_of())["id_token"]) == {"active": False}
    await world.sessions.end(signed_in.session)
    assert await introspected(world, "portal", tokens[0]) == {"active": False}
    await world.sign_in()
    token = (await world.tokens_of())["access_token"]
    assert (await introspected(world, "portal", token))["active"] is True
    world.clock.later(seconds=300)
    assert await introspected(world, "portal", token) == {"active": False}


async def test_rfc7009_a_revoked_token_is_good_for_nothing_and_stays_so(world: World) -> None:
    await world.sign_in()
    token = (await world.tokens_of())["access_token"]
    assert world.provider.by_token(token) is not None
    assert (await world.post("/oauth/revoke", "other", token=token)).status_code == 200
    assert world.provider.by_token(token) is not None, "another client revokes nothing"
    assert (await world.post("/oauth/revoke", "portal", token=token)).status_code == 200
    assert world.provider.by_token(token) is None
    world.open()
    assert world.provider.by_token(token) is None


async def test_rfc7009_a_clients_own_token_can_be_revoked(world: World) -> None:
    token = (await machine(world)).json()["access_token"]
    form = {"client_id": "machine", "token": token}
    assert (await world.post("/oauth/introspect", None, **form)).json()["active"] is True
    await world.post("/oauth/revoke", None, **form)
    assert (await world.post("/oauth/introspect", None, **form)).json()["active"] is False
    world.open()
    assert (await world.post("/oauth/introspect", None, **form)).json()["active"] is False


async def test_rfc7009_what_is_no_token_is_no_error(world: World) -> None:
    assert (await world.post("/oauth/revoke", "portal", token="x")).status_code == 200
    assert (await world.post("/oauth/revoke", None, token="x")).status_code == 401


async def test_what_is_issued_and_refused_is_counted(world: World) -> None:
    await world.sign_in()
    code, more = await world.code()
    await world.trade(code, more)
    await world.trade(code, more)
    await machine(world)
    await world.post("/oauth/token", None, grant_type="client_credentials", client_id="nobody")
    assert dict(world.provider.counts) == {
        ("code", "issued"): 1,
        ("token", "authorization_code"): 1,
        ("token", "client_credentials"): 1,
        ("token", "invalid_grant"): 1,
        ("token", "invalid_client"): 1,
        ("client", "unknown"): 1,
    }


@pytest.mark.parametrize(
    ("form", "name", "rule"),
    [
        ({"client_id": "evil\nclient"}, "-", "unknown"),
        ({"client_id": "machine"}, "machine", "certificate"),
        ({"client_id": "portal", "client_secret": "hunter2"}, "portal", "form"),
    ],
)
async def test_the_operator_is_told_which_program_failed_and_why_and_no_secret(
    world: World, caplog: pytest.LogCaptureFixture, form: dict[str, str], name: str, rule: str
) -> None:
    world.clock.later(minutes=2)
    before = world.provider.counts["client", rule]
    caplog.set_level("WARNING", "sluis.identity")
    for _ in range(2):
        assert (await world.post("/oauth/token", None, **form)).status_code == 401
    told = [one.getMessage() for one in caplog.records]
    assert told == [f"a program did not prove itself at /oauth/token: {name}: {rule}"]  # once a minute
    assert world.provider.counts["client", rule] == before + 2


async def test_the_operator_is_told_of_a_wrong_signature_and_of_a_secret(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("WARNING", "sluis.identity")
    proof = {
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": world.assertion("portal", by="other"),
    }
    await world.post("/oauth/par", None, **proof)
    await world.http.post("/oauth/token", data={"a": "b"}, auth=("portal", "hunter2"))
    told = [one.getMessage() for one in caplog.records]
    assert told == [
        "a program did not prove itself at /oauth/par: portal: assertion-key",
        "a program did not prove itself at /oauth/token: -: secret",
    ]

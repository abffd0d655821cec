"""What must not work: replay, mix-up, open redirects, downgrades, confusion, impersonation; and what holds after a restart.

RFC 9700 (best current practice for the security of OAuth 2.0), RFC 6819.
"""

import ast
import asyncio
import hashlib
import hmac
import inspect
import json
import logging
import textwrap
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text
from tests.unit.identity.people import established
from tests.unit.identity.provider.world import (
    BACK,
    ISSUER,
    World,
    asking,
    certificate,
    key_set,
    place,
    private,
    returned,
)

from sluis.crypto import encode_base64url, jwk_of, sign_jws, sign_jwt
from sluis.identity import clients as clients_module
from sluis.identity.clients import ASSERTION_TYPE, make_client
from sluis.identity.provider import granting, grants, rules
from sluis.identity.provider.model import MOVES, State
from sluis.kernel import Invalid

# Replay


async def test_a_code_is_traded_once_and_a_replay_revokes_what_came_of_it(world: World) -> None:
    await world.sign_in()
    code, more = await world.code()
    token = (await world.trade(code, more)).json()["access_token"]
    assert world.provider.by_token(token) is not None
    assert (await world.trade(code, more)).json()["error"] == "invalid_grant"
    assert world.provider.by_token(token) is None
    world.open()
    assert world.provider.by_token(token) is None


async def test_of_two_who_trade_one_code_at_once_neither_keeps_anything(world: World) -> None:
    await world.sign_in()
    code, more = await world.code()
    answers = await asyncio.gather(*(world.trade(code, more) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [200, 400, 400, 400]
    (good,) = [one.json()["access_token"] for one in answers if one.status_code == 200]
    assert world.provider.by_token(good) is None


async def test_of_several_who_show_one_assertion_at_once_one_is_believed(world: World) -> None:
    form = {"grant_type": "client_credentials", "client_assertion": world.assertion("archive")}
    answers = await asyncio.gather(*(world.post("/oauth/token", "archive", **form) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [200, 401, 401, 401]


async def test_of_several_who_come_back_at_once_one_gets_a_code(world: World) -> None:
    (back,) = place(await world.get("/oauth/authorize", **asking()[0]))[1]["next"]
    await world.sign_in()
    answers = await asyncio.gather(*(world.get(back) for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [303, 400, 400, 400]


async def test_a_replay_after_an_exchange_revokes_that_too(world: World) -> None:
    await world.sign_in()
    code, more = await world.code(scope="openid read")
    token = (await world.trade(code, more)).json()["access_token"]
    form = {
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
        "subject_token": token,
        "subject_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "audience": "ledger",
    }
    exchanged = (await world.post("/oauth/token", "portal", **form)).json()["access_token"]
    await world.trade(code, more)
    assert (await world.post("/oauth/introspect", "ledger", token=exchanged)).json() == {"active": False}


async def test_a_code_that_was_used_stays_used_after_a_restart(world: World) -> None:
    await world.sign_in()
    code, more = await world.code()
    token = (await world.trade(code, more)).json()["access_token"]
    world.open()
    assert world.provider.by_token(token) is not None, "and its token stays good"
    assert (await world.trade(code, more)).json()["error"] == "invalid_grant"
    assert world.provider.by_token(token) is None


async def test_a_code_that_was_handed_out_is_good_after_a_restart(world: World) -> None:
    await world.sign_in()
    code, more = await world.code()
    world.open()
    assert (await world.trade(code, more)).status_code == 200


async def test_a_code_lasts_a_minute(world: World) -> None:
    await world.sign_in()
    code, more = await world.code()
    world.clock.later(seconds=59)
    assert (await world.trade(code, more)).status_code == 200
    code, more = await world.code()
    world.clock.later(seconds=60)
    assert (await world.trade(code, more)).json()["error"] == "invalid_grant"


@pytest.mark.parametrize("how", ["redirect_uri", "code_verifier", "client"])
async def test_a_code_that_was_tried_wrongly_is_spent(world: World, how: str) -> None:
    await world.sign_in()
    code, more = await world.code()
    if how == "client":
        wrong = await world.trade(code, more, "other")
    else:
        wrong = await world.trade(
            code, more, **{how: "https://portal.example/other" if "_uri" in how else "a" * 43}
        )
    assert wrong.json()["error"] == "invalid_grant"
    assert (await world.trade(code, more)).json()["error"] == "invalid_grant"


async def test_a_code_that_never_was_is_refused(world: World) -> None:
    for code in ("", "x" * 43):
        assert (await world.trade(code, asking()[1])).json()["error"] == "invalid_grant"


async def test_an_assertion_is_used_once_and_stays_used_after_a_restart(world: World) -> None:
    assertion = world.assertion("archive")
    form = {"grant_type": "client_credentials", "client_assertion": assertion}
    assert (await world.post("/oauth/token", "archive", **form)).status_code == 200
    assert (await world.post("/oauth/token", "archive", **form)).json()["error"] == "invalid_client"
    world.open()
    assert (await world.post("/oauth/token", "archive", **form)).json()["error"] == "invalid_client"
    await world.provider.endings.tidy()
    assert (await world.post("/oauth/token", "archive", **form)).json()["error"] == "invalid_client"


async def test_the_same_jti_of_another_client_is_another_one(world: World) -> None:
    for client in ("archive", "other"):
        assertion = world.assertion(client, jti="a" * 32)
        answer = await world.post("/oauth/revoke", client, client_assertion=assertion, token="x")
        assert answer.status_code == 200


# Who is who


@pytest.mark.parametrize(
    "changed",
    [
        {"by": "other"},
        {"iss": "other"},
        {"sub": "other"},
        {"sub": None},
        {"aud": "https://evil.example"},
        {"aud": [ISSUER, "https://evil.example"]},
        {"aud": None},
        {"exp": None},
        {"iat": None},
        {"jti": None},
        {"jti": "short"},
        {"jti": 7},
        {"exp": 4_000_000_000},
        {"exp": 1_000_000_000},
        {"nbf": 4_000_000_000},
    ],
)
async def test_an_assertion_that_is_not_quite_right_proves_nothing(
    world: World, changed: dict[str, Any]
) -> None:
    form = {"client_assertion": world.assertion("archive", **changed), "grant_type": "client_credentials"}
    answer = await world.post("/oauth/token", "archive", **form)
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
    assert answer.headers["www-authenticate"]


async def test_a_client_cannot_pass_for_another(world: World) -> None:
    own = world.assertion("other")
    form = {"grant_type": "client_credentials", "client_id": "archive", "client_assertion": own}
    assert (await world.post("/oauth/token", "other", **form)).json()["error"] == "invalid_client"


async def test_a_client_with_a_key_cannot_leave_its_proof_out(world: World) -> None:
    for form in (
        {"client_id": "archive"},
        {"client_id": "archive", "client_secret": ""},
        {"client_id": "archive", "client_secret": "x"},
        {
            "client_id": "archive",
            "client_assertion": world.assertion("archive"),
            "client_assertion_type": "x",
        },
        {"client_id": "app", "client_secret": "x"},
    ):
        answer = await world.post("/oauth/token", None, grant_type="client_credentials", **form)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_secrets_in_a_header_are_not_known(world: World) -> None:
    form = {"grant_type": "client_credentials", "client_id": "archive"}
    answer = await world.http.post("/oauth/token", data=form, auth=("archive", "secret"))
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_the_token_endpoint_takes_forms_alone(world: World) -> None:
    answer = await world.http.post("/oauth/token", json={"grant_type": "client_credentials"})
    assert answer.json()["error"] == "invalid_request"
    assert (await world.http.get("/oauth/token")).status_code == 405
    answer = await world.http.post("/oauth/token", content=b"a=1&" * 10_000, headers=FORM)
    assert answer.status_code in (400, 413)


FORM = {"content-type": "application/x-www-form-urlencoded"}


async def test_algorithm_confusion_makes_no_assertion(world: World) -> None:
    """The public key of a client as the secret of an HMAC, and no signature at all."""
    claims = json.loads(json.dumps({"iss": "archive", "sub": "archive", "aud": ISSUER, "jti": "j" * 32}))
    now = int(world.clock().timestamp())
    claims |= {"iat": now, "exp": now + 60}
    for algorithm in ("none", "HS256"):
        signed = ".".join(
            encode_base64url(json.dumps(part).encode())
            for part in ({"alg": algorithm, "kid": "archive"}, claims)
        )
        mac = (
            hmac.digest(key_set("archive"), signed.encode(), hashlib.sha256) if algorithm == "HS256" else b""
        )
        form = {"client_assertion": f"{signed}.{encode_base64url(mac)}", "grant_type": "client_credentials"}
        assert (await world.post("/oauth/token", "archive", **form)).json()["error"] == "invalid_client"


@pytest.mark.parametrize("typ", ["JWT", "logout+jwt", "subject-assertion+jwt"])
async def test_another_token_of_ours_is_no_access_token(world: World, typ: str) -> None:
    await world.sign_in()
    token = (await world.tokens_of())["access_token"]
    claims = world.read(token, "at+jwt")
    assert world.provider.by_token(token) is not None
    assert (
        world.provider.by_token(sign_jwt(jwk_of(private("tokens"), algorithm="RS256"), claims, typ=typ))
        is None
    )


async def test_a_token_that_someone_else_signed_is_nobody(world: World) -> None:
    await world.sign_in()
    claims = world.read((await world.tokens_of())["access_token"], "at+jwt")
    kid = next(iter(world.keys_published())).kid
    header = {"kid": kid, "typ": "at+jwt", "jwk": jwk_of(private("evil")).public}
    forged = sign_jws(private("evil"), "RS256", header, json.dumps(claims).encode())
    assert world.provider.by_token(forged) is None


async def test_a_token_for_another_audience_is_nobody_here(world: World) -> None:
    await world.sign_in()
    assert world.provider.by_token((await world.tokens_of(resource="ledger"))["access_token"]) is None


async def test_a_token_is_who_signed_in_and_ends_with_the_session(world: World) -> None:
    signed_in = await world.sign_in(entity="urn:nl:kvk:90000003")
    token = (await world.tokens_of())["access_token"]
    found = world.provider.by_token(token)
    assert found is not None
    assert (found.acting, found.level, found.session) == (signed_in.acting, "substantial", signed_in.session)
    assert found.name is None
    await world.sessions.end(signed_in.session)
    assert world.provider.by_token(token) is None


async def test_a_token_keeps_for_whom_it_was_when_the_person_chooses_another(world: World) -> None:
    signed_in = await world.sign_in(entity="urn:nl:kvk:90000003")
    token = (await world.tokens_of())["access_token"]
    world.secret, _ = await world.sessions.act_for(signed_in.session, "urn:nl:kvk:90000011", None)
    found = world.provider.by_token(token)
    assert found is None or found.acting.entity == "urn:nl:kvk:90000003"


async def test_a_token_ends(world: World) -> None:
    await world.sign_in()
    token = (await world.tokens_of())["access_token"]
    world.clock.later(seconds=299)
    assert world.provider.by_token(token) is not None
    world.clock.later(seconds=1)
    assert world.provider.by_token(token) is None


# Where a browser is sent


@pytest.mark.parametrize(
    "redirect_uri",
    [
        "",
        "https://evil.example/",
        "https://portal.example/back",
        "https://portal.example/back?from=sluis&x=1",
        "https://portal.example/back?from=sluis#x",
        "https://portal.example/back/../other?from=sluis",
        "https://portal.example/back/%2e%2e/evil?from=sluis",
        "https://portal.example@evil.example/back?from=sluis",
        "https://portal.example.evil.example/back?from=sluis",
        "https://PORTAL.example/back?from=sluis",
        "https://portal.example:443/back?from=sluis",
        "http://portal.example/back?from=sluis",
        "https://portal.example/back?from=sluis%0d%0aSet-Cookie:x",
        " " + BACK,
        BACK + " ",
        "//portal.example/back?from=sluis",
        "javascript:alert(1)//" + BACK,
        "https://other.example/back",
    ],
)
async def test_nobody_is_sent_to_an_address_that_is_not_literally_registered(
    world: World, redirect_uri: str
) -> None:
    await world.sign_in()
    for how in ({}, {"response_type": "token"}, {"prompt": "none"}):
        answer = await world.get("/oauth/authorize", **asking(redirect_uri=redirect_uri, **how)[0])
        assert (answer.status_code, answer.json()["code"]) == (400, "stray-sign-in")
        assert "location" not in answer.headers


async def test_an_unknown_client_sends_nobody_anywhere(world: World) -> None:
    for client in ("", "nobody", "portal "):
        answer = await world.get("/oauth/authorize", **asking(client_id=client)[0])
        assert (answer.status_code, answer.json()["code"]) == (400, "stray-sign-in")


async def test_signing_in_leads_back_to_a_path_of_this_node_alone(world: World) -> None:
    where, how = place(
        await world.get("/oauth/authorize", **asking(state="https://evil.example/#" + "x" * 20)[0])
    )
    assert where == "/sign-in"
    assert how["next"][0].startswith("/oauth/authorize/continue/")
    assert (
        how["next"][0].removeprefix("/oauth/authorize/continue/").replace("-", "").replace("_", "").isalnum()
    )


@pytest.mark.parametrize(
    "uri",
    [
        "http://portal.example/back",
        "https://portal.example/back#x",
        "https://user@portal.example/",
        "https:///back",
        "https://portal.example/\\evil.example",
        "https://portal.example/*",
        "javascript:alert(1)",
        "app:/back",
        "https://portal.example/ë",
    ],
)
def test_an_unsafe_address_is_not_registered(uri: str) -> None:
    with pytest.raises(Invalid):
        make_client("x", title="x", keys=key_set("x"), redirect_uris=(uri,))


def test_a_program_on_somebodys_own_machine_may_have_a_local_address() -> None:
    local = ("http://127.0.0.1:8080/back",)
    assert make_client("x", title="x", public=True, redirect_uris=local).redirect_uris == local
    with pytest.raises(Invalid):
        make_client("x", title="x", keys=key_set("x"), redirect_uris=local)


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"public": True, "keys": key_set("x")},
        {"public": True, "grants": ("client_credentials",)},
        {"keys": b'{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}'},
        {"certificate_subject": ""},
        {"certificate_subject": "machine"},
        {"keys": key_set("x"), "redirect_uris": ()},
    ],
)
def test_a_client_that_could_not_prove_itself_well_is_not_registered(how: dict[str, Any]) -> None:
    given: dict[str, Any] = {"title": "x", "redirect_uris": ("https://x.example/",), **how}
    with pytest.raises(Invalid):
        make_client("x", **given)


async def test_mix_up_every_answer_can_be_told_from_that_of_another_provider(world: World) -> None:
    await world.sign_in()
    ours = returned(await world.get("/oauth/authorize", **asking()[0]))
    wrong = returned(await world.get("/oauth/authorize", **asking(scope="openid admin")[0]))
    assert ours["iss"] == wrong["iss"] == ISSUER
    code, more = await world.code()
    tokens = (await world.trade(code, more)).json()
    assert world.read(tokens["id_token"])["iss"] == ISSUER


async def test_a_parameter_of_an_attacker_in_the_registered_query_does_not_win(world: World) -> None:
    await world.sign_in()
    answer = await world.get("/oauth/authorize", **asking(from_="evil", **{"from": "evil"})[0])
    assert returned(answer)["from"] == "sluis"


# Timing


def test_secrets_are_compared_in_constant_time() -> None:
    """Each function that sees a secret and its like compares them with hmac.compare_digest, never with ==."""
    for function in (rules.verifies, granting.TokenEndpoint._subject_token, clients_module._by_certificate):
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        assert "compare_digest" in ast.unparse(tree)
        compared = [ast.unparse(one) for one in ast.walk(tree) if isinstance(one, ast.Compare)]
        assert not [one for one in compared if "==" in one and ("verifier" in one or "thumbprint" in one)]


async def test_a_code_is_found_by_its_digest(world: World) -> None:
    """How long a search for a code takes tells nothing about any other."""
    await world.sign_in()
    code, _ = await world.code()
    with world.store.read() as connection:
        rows = connection.execute(text("SELECT * FROM oauth_grants")).all()
    assert len(rows) == 1
    assert code not in str(rows)


# What is kept, and what is said


async def test_a_copy_of_the_database_names_nobody(world: World, tmp_path: Any) -> None:
    signed_in = await world.sign_in(entity="urn:nl:kvk:90000003")
    await world.tokens_of()
    await world.post("/oauth/par", "portal", **asking()[0])
    world.store.close()
    raw = b"".join(path.read_bytes() for path in world.directory.glob("node.db*"))
    for secret in (established().value, "Fictieve", "90000003", signed_in.acting.person, "portal.example"):
        assert secret.encode() not in raw


async def test_nothing_about_anybody_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await world.sign_in()
    tokens = await world.tokens_of()
    await world.get("/oauth/authorize", **asking(redirect_uri="https://evil.example")[0])
    for word in (
        established().value,
        "Fictieve",
        world.read(tokens["id_token"])["sub"],
        tokens["access_token"],
    ):
        assert word not in caplog.text.replace("https://node.example", "")


async def test_what_is_over_is_let_go(world: World) -> None:
    signed_in = await world.sign_in()
    await world.tokens_of()
    world.clock.later(seconds=1)
    await world.get("/oauth/authorize", **asking(prompt="login")[0])
    world.clock.later(minutes=20)
    await world.provider.endings.tidy()
    assert rows(world) == {"oauth_requests": 0, "oauth_tokens": 0, "oauth_grants": 1, "once": 0}
    assert world.provider.programs(signed_in.session) == ["Portaal"]
    world.clock.later(hours=13)
    await world.provider.endings.tidy()
    assert rows(world)["oauth_grants"] == 0


async def test_requests_of_nobody_fill_no_disk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "MOST_PENDING", 5)
    for _ in range(10):
        world.clock.later(seconds=1)
        claims = json.dumps({"id_token": {"sub": {"value": "x" * 20_000}}})
        shown = await world.get("/oauth/authorize", **asking(claims=claims)[0])
    await world.provider.endings.tidy()
    assert rows(world)["oauth_requests"] == 5
    with world.store.read() as connection:
        longest = connection.execute(text("SELECT max(length(sealed)) FROM oauth_requests")).scalar_one()
    assert longest < 2_000
    await world.sign_in()
    _, sent = place(shown)
    assert (await world.get(sent["next"][0])).status_code == 303, "the last one is still there"


async def test_one_address_does_not_push_out_the_sign_ins_that_others_have_not_finished(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "MOST_PENDING", 5)
    others = [await world.provider.authorize(asking()[0], None, f"192.0.2.{one}") for one in range(3)]
    for _ in range(20):
        world.clock.later(seconds=1)
        last = await world.provider.authorize(asking()[0], None, "203.0.113.9")
    await world.provider.endings.tidy()
    assert rows(world)["oauth_requests"] == 5
    await world.sign_in()
    for url in (*others, last):
        assert (await world.get(parse_qs(urlsplit(url).query)["next"][0])).status_code == 303
    with world.store.read() as connection:
        kept = connection.execute(text("SELECT origin FROM oauth_requests")).scalars().all()
    assert not any(b"203.0.113" in bytes(one) for one in kept)


async def test_one_address_does_not_push_out_the_pushed_requests_of_others(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grants, "MOST_PENDING", 5)

    async def come(origin: str) -> str:
        told = (await world.post("/oauth/par", "portal", **asking()[0])).json()
        sent = {"client_id": "portal", "request_uri": told["request_uri"]}
        return await world.provider.authorize(sent, None, origin)

    others = [await come(f"192.0.2.{one}") for one in range(3)]
    for _ in range(20):
        world.clock.later(seconds=1)
        await come("203.0.113.9")
    await world.provider.endings.tidy()
    await world.sign_in()
    for url in others:
        assert (await world.get(parse_qs(urlsplit(url).query)["next"][0])).status_code == 303


async def test_codes_that_nobody_trades_are_let_go(world: World) -> None:
    await world.sign_in()
    for _ in range(3):
        await world.code()
    world.clock.later(minutes=3)
    await world.provider.endings.tidy()
    assert rows(world)["oauth_grants"] == 0


def rows(world: World) -> dict[str, int]:
    with world.store.read() as connection:
        return {
            table: connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one()
            for table in ("oauth_requests", "oauth_tokens", "oauth_grants", "once")
        }


def test_a_grant_never_goes_back() -> None:
    order = list(State)
    assert set(MOVES) == set(State)
    assert all(order.index(after) > order.index(before) for before, moves in MOVES.items() for after in moves)


async def test_certificates_of_others_do_not_help_a_client_with_a_key(world: World) -> None:
    world.certificate = certificate("archive")
    answer = await world.post("/oauth/token", None, grant_type="client_credentials", client_id="archive")
    assert answer.json()["error"] == "invalid_client"
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": world.assertion("archive")}
    answer = await world.post("/oauth/token", None, grant_type="client_credentials", **form)
    assert answer.status_code == 200

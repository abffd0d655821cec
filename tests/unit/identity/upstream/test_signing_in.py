"""Signing in at another's provider, from the first redirect to who is there."""

import base64
import hashlib
import json
from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import text
from tests.unit.identity.upstream.conftest import Opener
from tests.unit.identity.upstream.providers import (
    BSN,
    CLIENT,
    ISSUER,
    NODE_KEY,
    NODE_OPENS,
    PORTAL,
    Broker,
    Clock,
    Visit,
    method,
)

from sluis.crypto import Jwk, check_claims, encrypt_jwt, read_jwt, sign_jwt
from sluis.identity.upstream.calls import Answer
from sluis.kernel import ACR, NotFound, Problem, Refused, Text, Unidentified, Upstream
from sluis.store import Store

AWAY = Upstream("sign-in-unreachable", Text("-", "-"), Text("-", "-"), Text("-", "-"), retry=True)


async def test_a_sign_in_ends_in_who_is_there(visit: Visit) -> None:
    completed = await visit.sign_in()
    told = completed.established
    assert (told.kind, told.value, told.level, told.acr) == ("BSN", BSN, "substantial", ACR["substantial"])
    assert (told.method, told.issuer, told.audience) == ("digid", ISSUER, "citizen")
    assert completed.next == "/zaken"


async def test_the_request_has_pkce_state_and_nonce_of_enough_bits(visit: Visit) -> None:
    asked = await visit.begin()
    assert (asked["response_type"], asked["client_id"], asked["scope"]) == ("code", CLIENT, "openid")
    assert asked["redirect_uri"] == f"{PORTAL}/sign-in/at/digid/return"
    assert asked["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert len(base64.urlsafe_b64decode(asked[name] + "=")) == 32


async def test_the_verifier_that_is_sent_belongs_to_the_challenge(visit: Visit, broker: Broker) -> None:
    asked = await visit.begin()
    await visit.come_back()
    form, _ = broker.last("/token")
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == asked["code_challenge"]
    assert form["redirect_uri"] == asked["redirect_uri"]


async def test_no_two_sign_ins_share_anything(visit: Visit) -> None:
    one, other = await visit.begin(), await visit.begin()
    assert all(one[name] != other[name] for name in ("state", "nonce", "code_challenge"))
    assert len(visit.cookies) == 2


async def test_what_is_kept_opens_nothing_for_who_reads_the_database(visit: Visit, store: Store) -> None:
    asked = await visit.begin()
    with store.read() as connection:
        row = connection.execute(text("SELECT * FROM identity_upstream_started")).one()
    kept = repr(tuple(row))
    assert not [one for one in (*asked.values(), *visit.cookies.values()) if len(one) >= 43 and one in kept]


async def test_this_node_signs_when_it_has_no_secret(visit: Visit, broker: Broker, clock: Clock) -> None:
    await visit.sign_in()
    form, _ = broker.last("/token")
    claims = read_jwt(form["client_assertion"], [NODE_KEY], algorithms=["ES256"])
    check_claims(claims, issuer=CLIENT, audience=ISSUER, now=clock.seconds, longest=60)
    assert claims["sub"] == CLIENT
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    await visit.sign_in()
    again = [form["client_assertion"] for _, path, form, _ in broker.asked if path == "/token"]
    assert read_jwt(again[1], [NODE_KEY], algorithms=["ES256"])["jti"] != claims["jti"]


async def test_a_secret_goes_in_the_header_and_a_new_one_is_taken_at_once(
    visiting: Opener, broker: Broker, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    visit = visiting(method(secret_file=file))
    sent = []
    for secret in ("geheim: één", "ander"):
        file.write_text(f"{secret}\n")
        await visit.sign_in()
        sent.append(
            base64.b64decode(broker.last("/token")[1]["authorization"].removeprefix("Basic ")).decode()
        )
    assert sent == [f"{CLIENT}:geheim%3A+%C3%A9%C3%A9n", f"{CLIENT}:ander"]


async def test_a_secret_goes_in_the_body_where_the_provider_wants_that(
    visiting: Opener, broker: Broker, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("geheim")
    broker.discovery = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    await visiting(method(secret_file=tmp_path / "secret")).sign_in()
    form, headers = broker.last("/token")
    assert (form["client_id"], form["client_secret"]) == (CLIENT, "geheim")
    assert "authorization" not in headers


async def test_a_secret_that_is_not_there_is_told(visiting: Opener, tmp_path: Path) -> None:
    visit = visiting(method(secret_file=tmp_path / "nergens"))
    await visit.begin()
    with pytest.raises(Problem) as told:
        await visit.come_back()
    assert told.value.code == "unreadable-file"


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("basic", "urn:basis urn:midden urn:hoog"),
        ("low", "urn:midden urn:hoog"),
        ("high", "urn:hoog"),
    ],
)
async def test_a_level_is_asked_for_by_what_this_provider_calls_it(
    visiting: Opener, level: str, expected: str
) -> None:
    levels = {"urn:hoog": "high", "urn:basis": "basic", "urn:midden": "low"}
    asked = await visiting(method(levels=levels)).begin(level=level)  # type: ignore[arg-type]
    assert asked["acr_values"] == expected


async def test_a_step_up_asks_for_the_level_and_gets_it(visit: Visit, broker: Broker) -> None:
    asked = await visit.begin(level="high")
    assert asked["acr_values"] == ACR["high"]
    broker.claims["acr"] = ACR["high"]
    assert (await visit.come_back()).established.level == "high"


async def test_who_must_prove_it_anew_is_asked_to_by_the_provider(visit: Visit) -> None:
    assert "prompt" not in await visit.begin()
    assert (await visit.begin(again=True))["prompt"] == "login"


async def test_a_way_that_never_reaches_a_level_does_not_begin(visiting: Opener, broker: Broker) -> None:
    with pytest.raises(Refused) as refused:
        await visiting(method(levels={"urn:basis": "basic"})).begin(level="low")
    assert refused.value.code == "level-not-given"
    assert broker.asked == []


async def test_a_way_that_is_not_there_is_not_found(visit: Visit) -> None:
    with pytest.raises(NotFound):
        await visit.begin("ander")


@pytest.mark.parametrize("error", ["access_denied", "login_required", "consent_required"])
async def test_who_cancels_reads_that_they_did(visit: Visit, error: str) -> None:
    await visit.begin()
    with pytest.raises(Unidentified) as told:
        await visit.come_back(error=error)
    assert told.value.code == "sign-in-cancelled"


async def test_an_error_of_the_provider_is_named_and_nothing_else_of_it(visit: Visit) -> None:
    await visit.begin()
    with pytest.raises(Upstream) as told:
        await visit.come_back(error="temporarily_unavailable", error_description="<b>u</b>")
    assert "temporarily_unavailable" in told.value.why.nl
    assert told.value.retry
    assert "<b>" not in str(told.value.members())
    await visit.begin()
    with pytest.raises(Upstream) as told:
        await visit.come_back(error="<script>")
    assert "<script>" not in str(told.value.members())


async def test_a_level_that_cannot_be_met_there_is_told_as_too_low(visit: Visit) -> None:
    await visit.begin(level="high")
    with pytest.raises(Refused) as told:
        await visit.come_back(error="unmet_authentication_requirements")
    assert told.value.code == "level-too-low"


async def test_a_code_that_the_provider_refuses_is_told(visit: Visit, broker: Broker) -> None:
    broker.answers["/token"] = Answer(400, b'{"error":"invalid_grant"}', "application/json")
    await visit.begin()
    with pytest.raises(Upstream) as told:
        await visit.come_back()
    assert "invalid_grant" in told.value.why.en


async def test_a_provider_that_is_away_is_told_before_anything_is_kept(
    visit: Visit, broker: Broker, store: Store
) -> None:
    broker.answers["/.well-known/openid-configuration"] = AWAY
    with pytest.raises(Upstream):
        await visit.begin()
    with store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM identity_upstream_started")).scalar() == 0


async def test_a_description_is_fetched_once_an_hour(visit: Visit, broker: Broker, clock: Clock) -> None:
    path = "/.well-known/openid-configuration"
    await visit.sign_in()
    await visit.sign_in()
    assert (broker.count(path), broker.count("/jwks")) == (1, 1)
    clock.later(hours=1)
    await visit.sign_in()
    assert (broker.count(path), broker.count("/jwks")) == (2, 2)


async def test_a_provider_whose_description_is_away_is_known_by_the_one_before(
    visit: Visit, broker: Broker, clock: Clock
) -> None:
    await visit.sign_in()
    broker.answers["/.well-known/openid-configuration"] = broker.answers["/jwks"] = AWAY
    clock.later(hours=23)
    await visit.sign_in()
    clock.later(days=7)
    with pytest.raises(Upstream):
        await visit.sign_in()


async def test_a_provider_that_hangs_is_not_waited_for_by_everybody_in_turn(
    visit: Visit, broker: Broker, clock: Clock
) -> None:
    path = "/.well-known/openid-configuration"
    await visit.sign_in()
    broker.answers[path] = broker.answers["/jwks"] = AWAY
    clock.later(hours=2)
    for _ in range(5):
        await visit.sign_in()
    assert (broker.count(path), broker.count("/jwks")) == (2, 2)
    clock.later(seconds=30)
    del broker.answers[path], broker.answers["/jwks"]
    await visit.sign_in()
    assert (broker.count(path), broker.count("/jwks")) == (3, 3)


async def test_keys_that_have_been_away_for_a_day_are_not_believed(
    visit: Visit, broker: Broker, clock: Clock
) -> None:
    await visit.sign_in()
    broker.answers["/jwks"] = AWAY
    clock.later(hours=25)
    with pytest.raises(Upstream):
        await visit.sign_in()


async def test_a_provider_may_change_its_key(
    visit: Visit, broker: Broker, clock: Clock, other_key: Jwk
) -> None:
    await visit.sign_in()
    broker.key, broker.published = other_key, [other_key.public]
    clock.later(minutes=1)
    assert (await visit.sign_in()).established.value == BSN
    assert broker.count("/jwks") == 2


async def test_a_withdrawn_key_is_not_believed_after_the_hour(
    visit: Visit, broker: Broker, clock: Clock, key: Jwk, other_key: Jwk
) -> None:
    await visit.sign_in()
    broker.published = [other_key.public]  # and tokens are still signed with the one before
    clock.later(hours=1)
    with pytest.raises(Refused):
        await visit.sign_in()


async def test_unknown_keys_do_not_make_this_node_ask_again_and_again(
    visit: Visit, broker: Broker, clock: Clock, other_key: Jwk
) -> None:
    await visit.sign_in()
    broker.sign = lambda claims: sign_jwt(other_key, claims)
    clock.later(minutes=1)
    for _ in range(5):
        with pytest.raises(Refused):
            await visit.sign_in()
    assert broker.count("/jwks") == 2


async def test_what_the_token_does_not_tell_userinfo_may(visiting: Opener, broker: Broker) -> None:
    broker.claims["bsn"] = None
    broker.userinfo = {"sub": "onderwerp-1", "bsn": BSN}
    assert (await visiting().sign_in()).established.value == BSN
    assert broker.last("/userinfo")[1]["authorization"] == "Bearer a"


async def test_a_token_may_be_encrypted_for_this_node(visit: Visit, broker: Broker, key: Jwk) -> None:
    def sign(claims: dict[str, object]) -> str:
        return encrypt_jwt(sign_jwt(key, claims).encode(), NODE_OPENS, content_type="JWT")

    broker.sign = sign
    assert (await visit.sign_in()).established.value == BSN


async def test_what_is_encrypted_and_not_signed_is_refused(visit: Visit, broker: Broker) -> None:
    """Anybody can encrypt with a key that is public."""
    broker.sign = lambda claims: encrypt_jwt(json.dumps(claims).encode(), NODE_OPENS)
    await visit.begin()
    with pytest.raises(Refused) as told:
        await visit.come_back()
    assert told.value.rule == "form"


async def test_userinfo_is_not_asked_for_what_is_known(visiting: Opener, broker: Broker) -> None:
    broker.userinfo = {"sub": "onderwerp-1"}
    await visiting().sign_in()
    assert broker.count("/userinfo") == 0


async def test_userinfo_cannot_change_what_the_token_says(visiting: Opener, broker: Broker) -> None:
    broker.claims |= {"bsn": None, "acr": ACR["low"]}
    broker.userinfo = {"sub": "onderwerp-1", "bsn": BSN, "acr": ACR["high"]}
    assert (await visiting().sign_in()).established.level == "low"


async def test_userinfo_of_somebody_else_is_refused(visiting: Opener, broker: Broker) -> None:
    broker.claims["bsn"] = None
    broker.userinfo = {"sub": "onderwerp-2", "bsn": BSN}
    with pytest.raises(Refused):
        await visiting().sign_in()


@pytest.mark.parametrize(
    ("changed", "good"), [({}, True), ({"iss": "https://ander.nl"}, False), ({"aud": "x"}, False)]
)
async def test_signed_userinfo_is_checked_as_a_token_is(
    visiting: Opener, broker: Broker, key: Jwk, changed: dict[str, str], good: bool
) -> None:
    broker.claims["bsn"], broker.userinfo = None, {}
    claims = {"iss": ISSUER, "aud": CLIENT, "sub": "onderwerp-1", "bsn": BSN, **changed}
    broker.answers["/userinfo"] = Answer(200, sign_jwt(key, claims).encode(), "application/jwt")
    visit = visiting()
    if good:
        assert (await visit.sign_in()).established.value == BSN
    else:
        with pytest.raises(Refused):
            await visit.sign_in()


async def test_userinfo_signed_by_another_is_refused(
    visiting: Opener, broker: Broker, other_key: Jwk
) -> None:
    broker.claims["bsn"], broker.userinfo = None, {}
    claims = {"iss": ISSUER, "aud": CLIENT, "sub": "onderwerp-1", "bsn": BSN}
    broker.answers["/userinfo"] = Answer(200, sign_jwt(other_key, claims).encode(), "application/jwt")
    with pytest.raises(Refused):
        await visiting().sign_in()


async def test_when_somebody_proved_who_they_are_is_as_told_and_never_in_the_future(
    visit: Visit, broker: Broker, clock: Clock
) -> None:
    broker.claims["auth_time"] = clock.seconds - 3600
    assert (await visit.sign_in()).established.at == clock.seconds - 3600
    broker.claims["auth_time"] = clock.seconds + 3600
    assert (await visit.sign_in()).established.at == clock.seconds


async def test_a_provider_that_does_not_tell_when_proves_nothing_anew(visit: Visit, broker: Broker) -> None:
    """Who has somebody's browser decides what the provider is asked, and can leave out that it must be proven anew."""
    broker.claims.pop("auth_time", None)
    assert (await visit.sign_in()).established.at == 0
    assert (await visit.begin(again=True))["max_age"] == "43200"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"<html>", "sign-in-not-understood"),
        (b"[]", "sign-in-not-understood"),
        (b'{"id_token":1,"access_token":"a","token_type":"Bearer"}', "sign-in-not-understood"),
        (b'{"id_token":"x","access_token":"a","token_type":"DPoP"}', "sign-in-not-understood"),
        (b'{"id_token":"x","access_token":"a","token_type":"Bearer"}', "sign-in-not-believed"),
        (b'{"a":1,"a":2}', "sign-in-not-understood"),
        (b"\xff", "sign-in-not-understood"),
    ],
)
async def test_garbage_instead_of_tokens_is_told_and_signs_nobody_in(
    visit: Visit, broker: Broker, answer: bytes, code: str
) -> None:
    broker.answers["/token"] = Answer(200, answer, "application/json")
    await visit.begin()
    with pytest.raises(Problem) as told:
        await visit.come_back()
    assert told.value.code == code


async def test_signing_out_there_too_names_this_node_and_nobody_else(visit: Visit) -> None:
    established = (await visit.sign_in()).established
    url = await visit.upstreams.farewell(established, "s")
    assert url is not None
    back = "post_logout_redirect_uri=https%3A%2F%2Fmijn.voorbeeld.nl%2Fsign-out"
    assert url.startswith(f"{ISSUER}/end?client_id={CLIENT}&{back}&state=")
    assert await visit.upstreams.farewell(replace(established, method="passkey"), "s") is None


async def test_where_the_provider_has_no_place_to_sign_out_there_is_none(
    visit: Visit, broker: Broker
) -> None:
    broker.discovery["end_session_endpoint"] = None
    assert await visit.upstreams.farewell((await visit.sign_in()).established, "s") is None


async def test_who_signs_out_while_the_provider_is_away_is_not_held_up(
    visit: Visit, visiting: Opener, broker: Broker
) -> None:
    established = (await visit.sign_in()).established
    broker.answers["/.well-known/openid-configuration"] = AWAY
    assert await visiting().upstreams.farewell(established, "s") is None


def test_ways_say_for_whom_they_are_and_what_they_reach(visiting: Opener, broker: Broker) -> None:
    simulator = "https://localhost/sluis-simulator/digid"
    ways = visiting(
        method(levels={"a": "high", "b": "basic"}),
        method("staf", audience="staff"),
        method("proef", issuer=simulator),
        brokers={ISSUER: broker, simulator: broker},
    ).upstreams.ways()
    assert [(way.name, way.levels, way.start, way.test) for way in ways] == [
        ("digid", ("basic", "high"), "/sign-in/at/digid", False),
        ("staf", (), "/sign-in/at/staf", False),
        ("proef", ("low", "substantial", "high"), "/sign-in/at/proef", True),
    ]

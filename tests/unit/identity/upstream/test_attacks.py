"""What somebody tries who wants to be somebody else, or wants somebody else to be them."""

import base64
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import text
from tests.clocks import Clock
from tests.unit.identity.upstream.conftest import Opener
from tests.unit.identity.upstream.providers import BSN, CLIENT, ISSUER, Broker, Visit, method, rsa_key

from sluis.crypto import Jwk, encode_base64url, sign_jwt
from sluis.identity.upstream import service
from sluis.identity.upstream.calls import Answer
from sluis.kernel import ACR, Problem, Refused, Unidentified, Upstream
from sluis.store import Store

EVIL = "https://kwaad.voorbeeld.nl"


async def refused(visit: Visit, rule: str, **query: str) -> None:
    """An answer that is refused by this rule."""
    with pytest.raises(Problem) as told:
        await visit.come_back(**query)
    assert told.value.rule == rule


async def test_an_answer_is_good_once(visit: Visit) -> None:
    await visit.begin()
    await visit.come_back()
    await refused(visit, "state")


async def test_an_answer_that_failed_cannot_be_tried_again(visit: Visit, broker: Broker) -> None:
    await visit.begin()
    broker.claims["acr"] = "urn:onbekend"
    await refused(visit, "level")
    broker.claims["acr"] = ACR["high"]
    await refused(visit, "state")


async def test_who_is_lured_into_anothers_sign_in_is_not_signed_in(visit: Visit, broker: Broker) -> None:
    """Login CSRF: the attacker begins, and has the victim's browser bring the answer."""
    nonce = (await visit.begin())["nonce"]
    victim = Visit(visit.upstreams, visit.broker)
    victim.state = visit.state
    await refused(victim, "state")
    await victim.begin()
    victim.state = visit.state  # a browser with a sign-in of its own
    await refused(victim, "state")
    broker.nonce = nonce
    assert (await visit.come_back()).established.value == BSN  # and what they tried spoilt nothing


async def test_a_cookie_of_another_sign_in_does_not_do(visit: Visit, broker: Broker) -> None:
    nonce = (await visit.begin())["nonce"]
    (name, secret), first = next(iter(visit.cookies.items())), visit.state
    visit.cookies.clear()
    await visit.begin()
    visit.state = first
    visit.cookies = {name: visit.cookies.popitem()[1]}
    await refused(visit, "state")
    visit.cookies, broker.nonce = {name: secret}, nonce
    assert (await visit.come_back()).established.value == BSN


@pytest.mark.parametrize("state", ["", "x", "é" * 43, "a" * 201])
async def test_a_made_up_state_leads_nowhere(visit: Visit, state: str) -> None:
    await visit.begin()
    visit.state = state
    await refused(visit, "state")


async def test_a_sign_in_ends_after_ten_minutes(visit: Visit, clock: Clock) -> None:
    await visit.begin()
    clock.later(minutes=10)
    await refused(visit, "state")


async def test_an_answer_at_the_address_of_another_way_is_refused(
    visiting: Opener, broker: Broker, clock: Clock, key: Jwk
) -> None:
    """Mix-up: each way has an address of its own, so that a code of one provider never goes to another."""
    evil = Broker(clock, key, EVIL)
    visit = visiting(method(), method("ander", issuer=EVIL), brokers={ISSUER: broker, EVIL: evil})
    await visit.begin("digid")
    with pytest.raises(Refused) as told:
        await visit.come_back("ander")
    assert told.value.rule == "issuer"
    assert evil.count("/token") == 0


async def test_an_answer_that_names_another_issuer_is_refused(visit: Visit, broker: Broker) -> None:
    await visit.begin()
    await refused(visit, "issuer", iss=EVIL)
    assert broker.count("/token") == 0


async def test_a_provider_that_names_itself_must_do_so_every_time(visit: Visit, broker: Broker) -> None:
    broker.discovery["authorization_response_iss_parameter_supported"] = True
    await visit.begin()
    await refused(visit, "issuer")
    await visit.begin()
    await visit.come_back(iss=ISSUER)


async def test_an_error_too_must_come_from_the_provider_that_was_asked(visit: Visit) -> None:
    await visit.begin()
    await refused(visit, "issuer", iss=EVIL, error="access_denied")


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": EVIL},
        {"issuer": f"{ISSUER}/"},
        {"token_endpoint": f"{EVIL}/token"},
        {"jwks_uri": f"{EVIL}/jwks"},
        {"authorization_endpoint": f"{EVIL}/authorize"},
        {"userinfo_endpoint": "http://169.254.169.254/"},
        {"token_endpoint": "http://broker.voorbeeld.nl/token"},
        {"token_endpoint": "https://broker.voorbeeld.nl@kwaad.voorbeeld.nl/token"},
        {"token_endpoint": "https://voorbeeld.nl/token"},
        {"token_endpoint": "https://kwaadbroker.voorbeeld.nl/token"},
        {"token_endpoint": "https://[::1/token"},
        {"token_endpoint": 7},
        {"token_endpoint": None},
        {"code_challenge_methods_supported": ["plain"]},
    ],
    ids=str,
)
async def test_a_description_that_leads_elsewhere_is_not_used(
    visit: Visit, broker: Broker, discovery: dict[str, Any]
) -> None:
    broker.discovery = discovery
    with pytest.raises(Upstream):
        await visit.begin()
    assert [path for _, path, _, _ in broker.asked] == ["/.well-known/openid-configuration"]


async def test_hosts_below_the_issuer_and_those_of_the_settings_may_be_used(
    visiting: Opener, broker: Broker
) -> None:
    broker.discovery = {
        "token_endpoint": "https://tokens.broker.voorbeeld.nl/token",
        "jwks_uri": "https://sleutels.ander.nl/jwks",
    }
    with pytest.raises(Upstream):
        await visiting().begin()
    assert (await visiting(method(hosts=("sleutels.ander.nl",))).sign_in()).established.value == BSN


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"nonce": "van-een-ander"}, "token"),
        ({"nonce": None}, "token"),
        ({"nonce": 1}, "token"),
        ({"aud": "een-ander"}, "audience"),
        ({"aud": [CLIENT, "een-ander"]}, "token"),
        ({"aud": None}, "audience"),
        ({"azp": "een-ander"}, "token"),
        ({"iss": EVIL}, "issuer"),
        ({"iss": f"{ISSUER}/"}, "issuer"),
        ({"sub": ""}, "token"),
        ({"sub": None}, "token"),
        ({"sub": "x" * 256}, "token"),
        ({"exp": None}, "expired"),
        ({"iat": None}, "too-long"),
        ({"iat": "nu"}, "form"),
    ],
    ids=str,
)
async def test_a_token_that_is_not_for_this_sign_in_is_refused(
    visit: Visit, broker: Broker, claims: dict[str, Any], why: str
) -> None:
    broker.claims |= claims
    await visit.begin()
    await refused(visit, why)


@pytest.mark.parametrize(
    ("iat", "exp", "nbf", "why"),
    [
        (-400, -60, None, "expired"),
        (61, 300, None, "future"),
        (0, 300, 61, "future"),
        (-700, 300, None, "token"),
        (0, 90_000, None, "too-long"),
        (-359, -59, -300, None),
        (60, 300, 60, None),
    ],
)
async def test_clocks_may_differ_by_a_minute_and_no_more(
    visit: Visit, broker: Broker, clock: Clock, iat: int, exp: int, nbf: int | None, why: str | None
) -> None:
    now = clock.seconds
    broker.claims |= {"iat": now + iat, "exp": now + exp, "nbf": None if nbf is None else now + nbf}
    await visit.begin()
    if why is None:
        await visit.come_back()
    else:
        await refused(visit, why)


async def test_a_token_of_an_earlier_sign_in_is_refused(visit: Visit, broker: Broker) -> None:
    """Nonce replay: the provider, or who stands between, gives the token of another sign-in."""
    await visit.begin()
    token = broker.id_token()
    await visit.come_back()
    broker.sign = lambda claims: token
    await visit.begin()
    await refused(visit, "token")


def unsigned(header: dict[str, Any], sign: Callable[[bytes], bytes]) -> Callable[[dict[str, Any]], str]:
    def made(claims: dict[str, Any]) -> str:
        signed = ".".join(encode_base64url(json.dumps(part).encode()) for part in (header, claims))
        return f"{signed}.{encode_base64url(sign(signed.encode()))}"

    return made


@pytest.mark.parametrize("algorithm", ["none", "None", "nOnE"])
async def test_a_token_without_a_signature_is_refused(visit: Visit, broker: Broker, algorithm: str) -> None:
    broker.sign = unsigned({"alg": algorithm, "typ": "JWT"}, lambda signed: b"")
    await visit.begin()
    await refused(visit, "algorithm")


async def test_a_public_key_is_no_secret_to_sign_with(visit: Visit, broker: Broker, key: Jwk) -> None:
    """Algorithm confusion: HS256 with the bytes of the public key."""
    public = key.raw.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    modulus = base64.urlsafe_b64decode(key.public["n"] + "==")
    for secret in (public, modulus):
        header = {"alg": "HS256", "typ": "JWT", "kid": key.kid}
        broker.sign = unsigned(header, lambda signed, secret=secret: hmac.digest(secret, signed, "sha256"))  # type: ignore[misc]
        await visit.begin()
        await refused(visit, "algorithm")


async def test_a_key_that_the_token_brings_itself_is_not_believed(visit: Visit, broker: Broker) -> None:
    own = rsa_key()
    private = own.raw
    header = {"alg": "RS256", "typ": "JWT", "jwk": own.public, "jku": f"{EVIL}/jwks"}

    def sign(signed: bytes) -> bytes:
        token = sign_jwt(own, {})
        assert private is not None
        return base64.urlsafe_b64decode(token.rsplit(".", 1)[1] + "==")

    broker.sign = unsigned(header, sign)
    await visit.begin()
    await refused(visit, "signature")


async def test_a_token_of_somebody_elses_key_is_refused(visit: Visit, broker: Broker, other_key: Jwk) -> None:
    broker.sign = lambda claims: sign_jwt(other_key, claims)
    await visit.begin()
    await refused(visit, "key")


async def test_a_token_for_something_else_is_no_id_token(visit: Visit, broker: Broker, key: Jwk) -> None:
    broker.sign = lambda claims: sign_jwt(key, claims, typ="at+jwt")
    await visit.begin()
    await refused(visit, "typ")


@pytest.mark.parametrize(
    ("acr", "code"),
    [
        (ACR["low"], "level-too-low"),
        ("urn:onbekend", "unknown-level"),
        (None, "unknown-level"),
        (["x"], "unknown-level"),
    ],
)
async def test_a_lower_level_than_was_asked_for_signs_nobody_in(
    visit: Visit, broker: Broker, acr: Any, code: str
) -> None:
    broker.claims["acr"] = acr
    await visit.begin(level="substantial")
    with pytest.raises(Refused) as told:
        await visit.come_back()
    assert told.value.code == code


async def test_what_another_provider_calls_high_is_nothing_here(visiting: Opener, broker: Broker) -> None:
    broker.claims["acr"] = "urn:hoog"
    visit = visiting(method(levels={"urn:laag": "low"}))
    await visit.begin()
    with pytest.raises(Refused):
        await visit.come_back()


async def test_staff_without_a_level_do_not_get_in_where_one_is_needed(
    visiting: Opener, broker: Broker
) -> None:
    broker.claims = {}
    staff = method("staf", audience="staff", claims={}, levels={"urn:mfa": "substantial"})
    visit = visiting(staff, officials={"staf": {"onderwerp-1": ("anna", ("consulent",))}})
    assert (await visit.sign_in("staf")).established.level is None
    await visit.begin("staf", level="low")
    with pytest.raises(Refused) as told:
        await visit.come_back("staf")
    assert told.value.code == "level-too-low"


@pytest.mark.parametrize(
    "issuer",
    [
        "https://localhost:8490/sluis-simulator/digid",
        "https://echt.voorbeeld.nl/sluis-simulator",
        "https://echt.voorbeeld.nl/a/Sluis-Simulator/eherkenning",
    ],
)
async def test_production_does_not_begin_with_a_simulator(
    visiting: Opener, broker: Broker, issuer: str
) -> None:
    visit = visiting(method(issuer=issuer), brokers={issuer: broker})
    with pytest.raises(Refused) as told:
        await visit.begin()
    assert told.value.rule == "simulator"
    with pytest.raises(Refused):
        await visit.upstreams.signed_out("digid", "x")
    assert broker.asked == []


@pytest.mark.parametrize("depth", [1, 2])
async def test_production_refuses_a_real_broker_that_leans_on_a_simulator(
    visiting: Opener, broker: Broker, depth: int
) -> None:
    party: dict[str, Any] = {
        "iss": "https://x.nl/sluis-simulator/digid",
        "sub": BSN,
        "sub_id_type": "urn:nl-eid-gdi:1.0:id:BSN",
    }
    for _ in range(depth - 1):
        party = {"iss": ISSUER, "sub": BSN, "sub_id_type": "urn:nl-eid-gdi:1.0:id:BSN", "represents": party}
    broker.claims["represents"] = party
    visit = visiting()
    await visit.begin()
    await refused(visit, "simulator")


@pytest.mark.parametrize(
    "next",
    [
        "https://kwaad.nl",
        "//kwaad.nl",
        "/\\kwaad.nl",
        "\\\\kwaad.nl",
        "javascript:alert(1)",
        "kwaad",
        "",
        "/a\r\nb",
        "/a\tb",
    ],
)
async def test_a_link_to_sign_in_leads_nobody_to_another_site(visit: Visit, next: str) -> None:
    await visit.begin(next=next)
    assert (await visit.come_back()).next == "/"


async def test_a_code_that_is_missing_or_endless_is_not_sent_on(visit: Visit, broker: Broker) -> None:
    for code in ("", "c" * 5000):
        await visit.begin()
        with pytest.raises(Upstream):
            await visit.come_back(code=code)
    assert broker.count("/token") == 0


async def test_an_answer_with_a_redirect_is_no_answer(visit: Visit, broker: Broker) -> None:
    broker.answers["/jwks"] = Answer(302, json.dumps({"keys": broker.published}).encode(), "application/json")
    await visit.begin()
    with pytest.raises(Upstream):
        await visit.come_back()


def logout(broker: Broker, clock: Clock, typ: str = "logout+jwt", **changed: Any) -> str:
    now = clock.seconds
    claims = {
        "iss": ISSUER,
        "aud": CLIENT,
        "iat": now,
        "exp": now + 120,
        "jti": "bericht-1",
        "sid": "sessie-1",
        "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        **changed,
    }
    return sign_jwt(broker.key, {name: value for name, value in claims.items() if value is not None}, typ=typ)


async def test_who_signed_out_there_is_known_by_session_or_by_person(
    visit: Visit, broker: Broker, clock: Clock
) -> None:
    broker.claims["sid"] = "sessie-1"
    session = (await visit.sign_in()).established.upstream_session
    assert await visit.upstreams.signed_out("digid", logout(broker, clock)) == (ISSUER, [session])
    broker.claims["sid"] = None
    session = (await visit.sign_in()).established.upstream_session
    token = logout(broker, clock, typ="JWT", jti="bericht-2", sid=None, sub="onderwerp-1")
    assert await visit.upstreams.signed_out("digid", token) == (ISSUER, [session])


async def test_a_message_that_somebody_signed_out_is_heard_once(
    visit: Visit, broker: Broker, clock: Clock
) -> None:
    token = logout(broker, clock)
    assert (await visit.upstreams.signed_out("digid", token))[1]
    assert (await visit.upstreams.signed_out("digid", token))[1] == []


@pytest.mark.parametrize(
    "changed",
    [
        {"nonce": "x"},
        {"events": None},
        {"events": {"iets": {}}},
        {"events": {"http://schemas.openid.net/event/backchannel-logout": True}},
        {"jti": None},
        {"sid": None},
        {"aud": "een-ander"},
        {"iss": EVIL},
        {"exp": 1},
        {"typ": "at+jwt"},
    ],
    ids=str,
)
async def test_nobody_can_sign_somebody_else_out(
    visit: Visit, broker: Broker, clock: Clock, changed: dict[str, Any]
) -> None:
    with pytest.raises(Problem):
        await visit.upstreams.signed_out("digid", logout(broker, clock, **changed))


async def test_an_id_token_signs_nobody_out(visit: Visit, broker: Broker) -> None:
    broker.nonce = "n" * 43
    with pytest.raises(Problem):
        await visit.upstreams.signed_out("digid", broker.id_token())


async def test_no_problem_names_anybody(visit: Visit, broker: Broker) -> None:
    told = []
    for claims in ({"acr": "urn:x"}, {"nonce": "x"}, {"bsn": "123456789"}, {"represents": {"sub": BSN}}):
        before = dict(broker.claims)
        broker.claims |= claims
        await visit.begin()
        with pytest.raises(Problem) as problem:
            await visit.come_back()
        told.append(json.dumps(problem.value.members()))
        broker.claims = before
    assert not [one for one in told if BSN in one or "123456789" in one or "onderwerp-1" in one]


async def test_cancelling_and_an_unknown_sign_in_can_be_begun_anew(visit: Visit) -> None:
    await visit.begin()
    with pytest.raises(Unidentified):
        await visit.come_back(error="access_denied")
    assert (await visit.sign_in()).established.value == BSN


async def test_one_address_fills_no_disk_with_sign_ins_and_does_not_push_out_those_of_others(
    visiting: Opener, store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "MOST_UNDERWAY", 3)
    visit = visiting()
    nonce = (await visit.begin(origin="192.0.2.1"))["nonce"]
    for _ in range(10):
        clock.later(seconds=1)
        await visiting().begin(origin="203.0.113.9")
    await visit.upstreams.tidy()
    with store.read() as connection:
        kept = connection.execute(text("SELECT origin FROM identity_upstream_started")).scalars().all()
    assert len(kept) == 3
    assert not any(b"203.0.113" in bytes(one) for one in kept)
    visit.broker.nonce = nonce
    assert (await visit.come_back()).next == "/zaken"


async def test_a_sign_in_that_took_too_long_is_forgotten(visit: Visit, store: Store, clock: Clock) -> None:
    await visit.begin()
    clock.later(seconds=service.SECONDS + 1)
    await visit.upstreams.tidy()
    with store.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM identity_upstream_started")).scalar_one() == 0

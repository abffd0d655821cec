"""Signing in with a digital passport: what is asked, what is believed, and who gets the answer."""

import base64
import hashlib
import json
import time
import zlib
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK
from jwcrypto.jws import JWS
from sd_jwt.common import SDObj
from tests.passports import AWAY, BROWSER, PERSON, STATUS, Counter, certified, proof_in

from sluis.identity.passport.service import TRIES
from sluis.kernel import Invalid, Problem, Refused
from sluis_demo.simulators.model import CITIZEN, COMPANY
from sluis_demo.simulators.passports import REVOKED, SUSPENDED, VALID, SimulatedIssuer
from sluis_demo.simulators.wallet import Card, presentation


@pytest.fixture
def counter(tmp_path: Path) -> Counter:
    return Counter(tmp_path)


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def bound(presented: str, key: JWK, header: dict[str, Any] | None = None, **said: Any) -> str:
    """A presentation with a key binding of one's own making. `said` goes before what would be right."""
    shown = presented.rpartition("~")[0] + "~"
    right = json.loads(unb64(presented.rpartition("~")[2].split(".")[1]))
    digest = b64(hashlib.sha256(shown.encode()).digest())
    claims = {
        name: value for name, value in (right | {"sd_hash": digest} | said).items() if value is not None
    }
    token = JWS(json.dumps(claims))
    heading = {"alg": "ES256", "typ": "kb+jwt"} | (header or {})
    token.add_signature(key, alg=heading["alg"], protected=json.dumps(heading))
    return shown + str(token.serialize(compact=True))


def signed_again(
    counter: Counter, card: Card, change: Callable[[dict[str, Any]], Any], **header: Any
) -> Card:
    """A card whose issuer signed something else; disclosures as they were."""
    issued, *rest = card.credential.split("~")
    head, body, _ = (part for part in issued.split("."))
    claims, heading = json.loads(unb64(body)), json.loads(unb64(head)) | header
    change(claims)
    token = JWS(json.dumps(claims))
    token.add_signature(counter.issuer._key, alg="ES256", protected=json.dumps(heading))
    return msgspec.structs.replace(card, credential="~".join([str(token.serialize(compact=True)), *rest]))


async def test_a_citizen_signs_in_with_a_passport(counter: Counter) -> None:
    handle, proof = await counter.answered()
    found, next = counter.passports.take(handle, BROWSER, proof)
    assert (found.method, found.audience, found.kind, found.value) == (
        "passport",
        "citizen",
        "BSN",
        "999990019",
    )
    assert (found.name, found.level, found.acr) == (
        "Fenna Fictief",
        "high",
        "http://eidas.europa.eu/LoA/high",
    )
    assert next == "/zaken"


async def test_somebody_signs_in_for_a_company(counter: Counter) -> None:
    handle, proof = await counter.answered("bedrijf")
    found, _ = counter.passports.take(handle, BROWSER, proof)
    assert (found.audience, found.kind, found.value) == ("company", "pseudonym", "simulator|p-1")
    assert (found.entity, found.entity_name) == (
        "urn:nl:kvk:90000003",
        "Verzonnen Fietsen B.V. (fictief)",
    )


async def test_no_more_is_asked_than_the_purpose_needs(counter: Counter) -> None:
    _, shown = await counter.asked()
    assert shown.request["dcql_query"] == {
        "credentials": [
            {
                "id": "passport",
                "format": "dc+sd-jwt",
                "meta": {"vct_values": [CITIZEN]},
                "claims": [{"path": ["bsn"]}, {"path": ["given_name"]}, {"path": ["family_name"]}],
            }
        ]
    }
    assert shown.verifier == "Dienst Voorbeeld (fictief)"
    assert "birthdate" not in counter.presented(shown)


async def test_the_request_is_one_of_its_own_and_says_where_the_answer_goes(counter: Counter) -> None:
    (first, one), (_, other) = await counter.asked(), await counter.asked()
    request = one.request
    assert request["response_uri"] == f"https://portaal.dienst.example/passport/{first}/answer"
    assert (request["response_type"], request["response_mode"]) == ("vp_token", "direct_post.jwt")
    assert request["aud"] == "https://self-issued.me/v2"
    assert "redirect_uri" not in request
    [key] = request["client_metadata"]["jwks"]["keys"]
    assert (key["alg"], key["use"], key["crv"]) == ("ECDH-ES", "enc", "P-256")
    assert "d" not in key
    for name in ("nonce", "state", "response_uri", "client_metadata"):
        assert request[name] != other.request[name]


async def test_an_answer_may_come_unencrypted_where_the_settings_say_so(tmp_path: Path) -> None:
    counter = Counter(tmp_path, mode="direct_post")
    handle, proof = await counter.answered()
    assert counter.passports.take(handle, BROWSER, proof)[0].value == "999990019"


async def test_an_answer_that_must_be_encrypted_is(counter: Counter) -> None:
    handle, shown = await counter.asked()
    token = json.dumps({"passport": [counter.presented(shown)]})
    with pytest.raises(Invalid):
        await counter.passports.answer(handle, {"vp_token": token, "state": shown.request["state"]})
    status, _ = await counter.wallet.show(shown, counter.person)
    assert status == 200


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "ECDH-ES+A128KW"},
        {"enc": "A128CBC-HS256"},
        {"zip": "DEF"},
        {"kid": "another"},
        {"kid": None},
        {"crit": ["exp"]},
        {"jku": "https://evil.example"},
    ],
)
async def test_an_answer_is_encrypted_in_the_ways_that_were_asked(
    counter: Counter, header: dict[str, Any]
) -> None:
    handle, shown = await counter.asked()
    [key] = shown.request["client_metadata"]["jwks"]["keys"]
    said = {"vp_token": {"passport": [counter.presented(shown)]}, "state": shown.request["state"]}
    heading = {"alg": "ECDH-ES", "enc": "A128GCM", "kid": key["kid"]} | header
    heading = {name: value for name, value in heading.items() if value is not None}
    plain = JWK(**{**key, "alg": heading["alg"]})
    token = JWE(json.dumps(said).encode(), protected=json.dumps({"alg": "ECDH-ES", "enc": "A128GCM"}))
    token.allowed_algs = ["ECDH-ES", "ECDH-ES+A128KW", "A128GCM", "A128CBC-HS256"]
    try:
        made = JWE(json.dumps(said).encode(), protected=json.dumps(heading), recipient=plain).serialize(True)
    except Exception:
        token.add_recipient(plain)
        _, *rest = token.serialize(True).split(".")
        made = ".".join([b64(json.dumps(heading).encode()), *rest])
    with pytest.raises(Invalid):
        await counter.passports.answer(handle, {"response": made})


async def test_a_person_may_show_nothing(counter: Counter) -> None:
    handle, shown = await counter.asked()
    status, said = await counter.wallet.refuse(shown)
    assert status == 200
    with pytest.raises(Refused) as refused:
        counter.passports.take(handle, BROWSER, proof_in(said["redirect_uri"]))
    assert refused.value.code == "passport-declined"


async def test_the_answer_is_for_the_browser_that_asked(counter: Counter) -> None:
    handle, proof = await counter.answered()
    with pytest.raises(Refused) as refused:
        counter.passports.take(handle, "browser-2", proof)
    assert refused.value.code == "passport-gone"
    assert counter.passports.take(handle, BROWSER, proof)


async def test_the_browser_that_asked_gets_nothing_without_proof(counter: Counter) -> None:
    handle, proof = await counter.answered()
    for _ in range(TRIES - 1):
        with pytest.raises(Refused) as refused:
            counter.passports.take(handle, BROWSER, "BCDFGHJK")
        assert refused.value.code == "passport-code"
    with pytest.raises(Refused) as refused:
        counter.passports.take(handle, BROWSER, "BCDFGHJK")
    assert refused.value.code == "passport-gone"
    with pytest.raises(Refused):
        counter.passports.take(handle, BROWSER, proof)


async def test_a_wallet_elsewhere_shows_a_code_to_type(counter: Counter) -> None:
    handle, proof = await counter.answered()
    assert counter.passports.code(handle, BROWSER, proof) is None
    code = counter.passports.code(handle, "phone", proof)
    assert code is not None
    with pytest.raises(Refused):
        counter.passports.code(handle, "phone", "guess")
    assert counter.passports.take(handle, BROWSER, f" {code[:4].lower()}-{code[4:]} ")


async def test_an_answer_is_taken_once(counter: Counter) -> None:
    handle, proof = await counter.answered()
    counter.passports.take(handle, BROWSER, proof)
    with pytest.raises(Refused):
        counter.passports.take(handle, BROWSER, proof)


async def test_a_request_is_answered_once(counter: Counter) -> None:
    handle, shown = await counter.asked()
    said = {"vp_token": {"passport": [counter.presented(shown)]}, "state": shown.request["state"]}
    assert (await counter.wallet.send(shown.request, said))[0] == 200
    status, refused = await counter.wallet.send(shown.request, said)
    assert (status, refused["code"]) == (403, "passport-gone")
    with pytest.raises(Refused):
        counter.passports.request(handle)


async def test_a_presentation_is_not_believed_a_second_time(counter: Counter) -> None:
    (_, one), (_, other) = await counter.asked(), await counter.asked()
    text = counter.presented(one)
    assert (
        await counter.wallet.send(
            one.request, {"vp_token": {"passport": [text]}, "state": one.request["state"]}
        )
    )[0] == 200
    assert await counter.refusal(text, other) == "binding"


async def test_an_answer_to_one_request_does_not_answer_another(counter: Counter) -> None:
    (first, one), (second, other) = await counter.asked(), await counter.asked(browser="browser-2")
    said = {"vp_token": {"passport": [counter.presented(one)]}, "state": one.request["state"]}
    crossed = dict(other.request) | {"response_uri": one.request["response_uri"]}
    assert (await counter.wallet.send(crossed, said))[0] == 400
    crossed = dict(one.request) | {"response_uri": other.request["response_uri"]}
    assert (await counter.wallet.send(crossed, said))[0] == 400
    stolen = said | {"state": other.request["state"]}
    assert (await counter.wallet.send(one.request, stolen))[0] == 400
    assert (await counter.wallet.send(one.request, said))[0] == 200
    with pytest.raises(Refused):
        counter.passports.take(second, "browser-2", "x")
    with pytest.raises(Refused):
        counter.passports.take(first, "browser-2", "x")


async def test_a_request_ends_after_five_minutes(counter: Counter) -> None:
    handle, shown = await counter.asked()
    proof = (await counter.answered())[1]
    counter.now += timedelta(seconds=300)
    status, _ = await counter.wallet.show(shown, counter.person)
    assert status == 403
    with pytest.raises(Refused):
        counter.passports.take(handle, BROWSER, proof)


@pytest.mark.parametrize(
    "said",
    [
        {"nonce": "another"},
        {"aud": "x509_hash:another"},
        {"aud": "https://portaal.dienst.example"},
        {"sd_hash": "AAAA"},
        {"nonce": None},
        {"iat": None},
        {"iat": True},
        {"sd_hash": None},
    ],
)
async def test_the_wallet_proves_it_for_us_for_this_request(counter: Counter, said: dict[str, Any]) -> None:
    _, shown = await counter.asked()
    text = bound(counter.presented(shown), counter.person.key, **said)
    assert await counter.refusal(text, shown) in ("binding", "form")


@pytest.mark.parametrize("ago", [-120, 361 + 60])
async def test_the_wallet_proves_it_now(counter: Counter, ago: int) -> None:
    _, shown = await counter.asked()
    text = bound(counter.presented(shown), counter.person.key, iat=int(time.time()) + 5 - ago)
    assert await counter.refusal(text, shown) == "binding"


async def test_a_binding_by_another_key_is_refused(counter: Counter) -> None:
    _, shown = await counter.asked()
    text = bound(counter.presented(shown), JWK.generate(kty="EC", crv="P-256"))
    assert await counter.refusal(text, shown) == "binding"


async def test_a_presentation_without_binding_is_refused(counter: Counter) -> None:
    _, shown = await counter.asked()
    assert await counter.refusal(counter.presented(shown).rpartition("~")[0] + "~", shown) == "binding"


@pytest.mark.parametrize("header", [{"typ": "JWT"}, {"typ": "dc+sd-jwt"}])
async def test_a_binding_of_another_kind_is_refused(counter: Counter, header: dict[str, Any]) -> None:
    _, shown = await counter.asked()
    text = bound(counter.presented(shown), counter.person.key, header)
    assert await counter.refusal(text, shown) == "binding"


async def test_a_binding_without_signature_or_with_a_shared_key_is_refused(counter: Counter) -> None:
    _, shown = await counter.asked()
    text = counter.presented(shown)
    secret = JWK(kty="oct", k=b64(counter.person.key.export_public().encode()))
    assert await counter.refusal(bound(text, secret, {"alg": "HS256"}), shown) == "binding"
    _, shown = await counter.asked()
    text = counter.presented(shown)
    head, binding = text.rpartition("~")[0] + "~", text.rpartition("~")[2]
    none = b64(b'{"alg":"none","typ":"kb+jwt"}')
    assert await counter.refusal(f"{head}{none}.{binding.split('.')[1]}.", shown) == "binding"


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_a_credential_without_a_real_signature_is_refused(counter: Counter, algorithm: str) -> None:
    _, shown = await counter.asked()
    issued, *rest = counter.presented(shown).split("~")
    head = json.loads(unb64(issued.split(".")[0])) | {"alg": algorithm}
    forged = f"{b64(json.dumps(head).encode())}.{issued.split('.')[1]}.{b64(b'x' * 32)}"
    text = bound("~".join([forged, *rest]), counter.person.key)
    assert await counter.refusal(text, shown) == "signature"


async def test_a_tampered_credential_is_refused(counter: Counter) -> None:
    _, shown = await counter.asked()
    issued, *rest = counter.presented(shown).split("~")
    head, body, signature = issued.split(".")
    claims = json.loads(unb64(body)) | {"exp": 4_000_000_000}
    text = "~".join([".".join([head, b64(json.dumps(claims).encode()), signature]), *rest])
    assert await counter.refusal(bound(text, counter.person.key), shown) == "signature"


async def test_a_tampered_disclosure_is_refused(counter: Counter) -> None:
    _, shown = await counter.asked()
    parts = counter.presented(shown).split("~")
    at = next(n for n, part in enumerate(parts) if n and b"999990019" in unb64(part))
    salt, name, _ = json.loads(unb64(parts[at]))
    parts[at] = b64(json.dumps([salt, name, "999990020"]).encode())
    assert await counter.refusal(bound("~".join(parts), counter.person.key), shown) == "disclosures"


async def test_a_disclosure_of_another_credential_is_refused(counter: Counter) -> None:
    _, shown = await counter.asked()
    other = counter.firm.credential.split("~")[1]
    head, *rest = counter.presented(shown).split("~")
    assert (
        await counter.refusal(bound("~".join([head, other, *rest]), counter.person.key), shown)
        == "disclosures"
    )


async def test_a_disclosure_twice_is_refused(counter: Counter) -> None:
    _, shown = await counter.asked()
    head, one, *rest = counter.presented(shown).split("~")
    text = bound("~".join([head, one, one, *rest]), counter.person.key)
    assert await counter.refusal(text, shown) == "disclosures"


async def test_more_than_was_asked_is_refused(counter: Counter) -> None:
    _, shown = await counter.asked()
    text = presentation(shown.request, counter.person, (*shown.claims, ("birthdate",)))
    assert await counter.refusal(text, shown) == "more"


async def test_less_than_was_asked_is_refused(counter: Counter) -> None:
    _, shown = await counter.asked()
    text = presentation(shown.request, counter.person, shown.claims[:-1])
    assert await counter.refusal(text, shown) == "claims"


async def test_another_type_of_credential_is_refused(counter: Counter) -> None:
    _, shown = await counter.asked()
    card = counter.held(COMPANY, PERSON)
    assert await counter.refusal(counter.presented(shown, card), shown) == "type"


def _drop(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda claims: claims.pop(name)


def _with(**others: Any) -> Callable[[dict[str, Any]], Any]:
    return lambda claims: claims.update(others)


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_with(exp=1), "expired"),
        (_with(exp="tomorrow"), "form"),
        (_with(nbf=4_000_000_000), "future"),
        (_with(iat=4_000_000_000), "future"),
        (_with(_sd_alg="sha-512"), "disclosures"),
        (_with(_sd_alg="md5"), "disclosures"),
        (lambda claims: claims["_sd"].append(claims["_sd"][0]), "disclosures"),
        (lambda claims: claims.update(other={"_sd": [claims["_sd"][0]]}), "disclosures"),
        (lambda claims: claims.update(other=[{"...": claims["_sd"][0]}]), "disclosures"),
        (_with(other={"...": "x"}), "disclosures"),
        (_with(other=[{"...": "x", "y": 1}]), "disclosures"),
        (_with(other={"_sd_alg": "sha-256"}), "disclosures"),
        (_with(_sd="x"), "disclosures"),
        (_with(bsn="999990020"), "disclosures"),
        (_drop("cnf"), "binding"),
        (_with(cnf={"jwk": {"kty": "oct", "k": "AAAA"}}), "binding"),
        (_drop("status"), "status"),
        (_with(status={"status_list": {"idx": -1, "uri": "x"}}), "status"),
        (_with(status={"status_list": {"idx": True, "uri": "x"}}), "status"),
        (_with(vct=COMPANY), "type"),
        (_with(vct="urn:another"), "issuer"),
        (lambda claims: claims.update(deep=_deep(40)), "form"),
    ],
)
async def test_what_an_issuer_may_not_say(
    counter: Counter, change: Callable[[dict[str, Any]], Any], rule: str
) -> None:
    _, shown = await counter.asked()
    card = signed_again(counter, counter.person, change)
    assert await counter.refusal(counter.presented(shown, card), shown) == rule


def _deep(levels: int) -> Any:
    found: Any = "x"
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize(
    ("parts", "place"),
    [
        (["salt", "x"], lambda claims, digest: claims["_sd"].append(digest)),
        (["salt", "bsn", "x"], lambda claims, digest: claims.update(bsn=[{"...": digest}])),
        (["salt"], lambda claims, digest: claims["_sd"].append(digest)),
        (["salt", 1, "x"], lambda claims, digest: claims["_sd"].append(digest)),
    ],
)
async def test_a_disclosure_stands_where_its_form_belongs(
    counter: Counter, parts: list[Any], place: Callable[[dict[str, Any], str], Any]
) -> None:
    _, shown = await counter.asked()
    made = b64(json.dumps(parts).encode())
    digest = b64(hashlib.sha256(made.encode()).digest())
    card = signed_again(counter, counter.person, lambda claims: place(claims, digest))
    text = f"{card.credential.split('~')[0]}~{made}~x.{b64(b'{}')}.x"
    assert await counter.refusal(text, shown) == "disclosures"


@pytest.mark.parametrize("typ", ["JWT", "vc+sd-jwt", "at+jwt"])
async def test_a_token_of_another_kind_is_no_credential(counter: Counter, typ: str) -> None:
    _, shown = await counter.asked()
    card = signed_again(counter, counter.person, lambda claims: None, typ=typ)
    assert await counter.refusal(counter.presented(shown, card), shown) == "form"


@pytest.mark.parametrize("name", ["exp", "vct", "status", "cnf", "iss", "nbf", "_sd", "..."])
async def test_what_must_be_plain_cannot_be_disclosed(counter: Counter, name: str) -> None:
    _, shown = await counter.asked()
    card = counter.held(CITIZEN, PERSON | {name: "x"}) if name in ("nbf",) else None
    if card is None:
        made = b64(json.dumps(["salt", name, "x"]).encode())
        digest = b64(hashlib.sha256(made.encode()).digest())
        card = signed_again(counter, counter.person, lambda claims: claims["_sd"].append(digest))
        text = counter.presented(shown, card).rpartition("~")[0] + f"~{made}~x.{b64(b'{}')}.x"
    else:
        text = presentation(shown.request, card, (*shown.claims, (name,)))
    assert await counter.refusal(text, shown) == "disclosures"


async def test_an_issuer_that_is_not_trusted_is_refused(counter: Counter, tmp_path: Path) -> None:
    other = SimulatedIssuer(
        certified(counter.authority, tmp_path / "other", "anders.example"), STATUS, counter.clock
    )
    _, shown = await counter.asked()
    card = msgspec.structs.replace(
        counter.person, credential=other.issue(CITIZEN, PERSON, counter.person.key)
    )
    assert await counter.refusal(counter.presented(shown, card), shown) == "issuer"


async def test_an_issuer_is_believed_for_its_own_types_and_name_alone(counter: Counter) -> None:
    counter.passports = counter.opened(msgspec.structs.replace(counter.trusted, types=frozenset({COMPANY})))
    _, shown = await counter.asked()
    assert await counter.refusal(counter.presented(shown), shown) == "issuer"
    counter.passports = counter.opened(
        msgspec.structs.replace(counter.trusted, identifier="https://other.example")
    )
    _, shown = await counter.asked()
    assert await counter.refusal(counter.presented(shown), shown) == "issuer"


async def test_production_believes_no_test_issuer(tmp_path: Path) -> None:
    counter = Counter(tmp_path, test=False)
    _, shown = await counter.asked()
    assert await counter.refusal(counter.presented(shown), shown) == "test"


async def test_a_credential_without_certificate_is_refused(counter: Counter) -> None:
    _, shown = await counter.asked()
    card = signed_again(counter, counter.person, lambda claims: None, x5c=[])
    assert await counter.refusal(counter.presented(shown, card), shown) == "issuer"


@pytest.mark.parametrize(("status", "rule"), [(REVOKED, "revoked"), (SUSPENDED, "suspended"), (3, "revoked")])
async def test_a_credential_that_was_taken_back_is_refused(counter: Counter, status: int, rule: str) -> None:
    counter.issuer.set_status(0, status)
    handle, shown = await counter.asked()
    assert await counter.refusal(counter.presented(shown), shown) == rule
    with pytest.raises(Refused):
        counter.passports.take(handle, BROWSER, "x")
    counter.issuer.set_status(0, VALID)
    counter.now += timedelta(seconds=61)
    assert await counter.answered()


async def test_a_list_is_kept_for_as_long_as_it_says(counter: Counter) -> None:
    await counter.answered()
    await counter.answered()
    assert counter.fetched == 1
    counter.now += timedelta(seconds=61)
    await counter.answered()
    assert counter.fetched == 2


async def test_without_its_list_a_credential_is_refused_with_the_reason(counter: Counter) -> None:
    counter.lists[counter.issuer.list_at] = AWAY
    _, shown = await counter.asked()
    status, said = await counter.wallet.show(shown, counter.person)
    assert (status, said["code"], said["retry"]) == (502, "status-away", True)


async def test_status_is_fetched_from_declared_hosts_alone(counter: Counter) -> None:
    for uri in (
        "https://evil.example/status/1",
        f"{STATUS}.evil.example/1",
        f"{STATUS}@evil.example/1",
        "http://x",
    ):
        _, shown = await counter.asked()
        status = {"status_list": {"idx": 0, "uri": uri}}
        card = signed_again(counter, counter.person, _with(status=status))
        assert await counter.refusal(counter.presented(shown, card), shown) == "status-host"
    assert counter.fetched == 0


def _list(**other: Any) -> dict[str, Any]:
    return {"status_list": {"bits": 2, "lst": b64(zlib.compress(bytes(64)))} | other}


@pytest.mark.parametrize(
    "other",
    [
        {"sub": "https://status.uitgever.example/status/2"},
        {"exp": 1},
        {"iat": 4_000_000_000},
        {"iat": None},
        {"ttl": 0},
        {"ttl": "long"},
        {"status_list": None},
        _list(bits=3),
        _list(bits=True),
        _list(lst="AAAA"),
        _list(lst=b64(zlib.compress(b""))),
        _list(lst=b64(zlib.compress(bytes(20 * 1024 * 1024)))),
        _list(lst=b64(zlib.compress(bytes(64)) + b"x")),
        _list(lst=b64(zlib.compress(bytes(64))[:-1])),
    ],
)
async def test_a_list_that_is_not_right_is_no_list(counter: Counter, other: dict[str, Any]) -> None:
    counter.lists[counter.issuer.list_at] = counter.issuer.status_list(**other)
    _, shown = await counter.asked()
    assert await counter.refusal(counter.presented(shown), shown) == "status-list"


@pytest.mark.parametrize(
    ("own", "typ", "rule"), [(False, "statuslist+jwt", "signature"), (True, "JWT", "status-list")]
)
async def test_a_list_is_one_that_its_issuer_signed_as_a_list(
    counter: Counter, own: bool, typ: str, rule: str
) -> None:
    head, body, _ = counter.issuer.status_list().decode().split(".")
    token = JWS(unb64(body))
    key = counter.issuer._key if own else JWK.generate(kty="EC", crv="P-256")
    token.add_signature(key, alg="ES256", protected=json.dumps(json.loads(unb64(head)) | {"typ": typ}))
    counter.lists[counter.issuer.list_at] = str(token.serialize(compact=True)).encode()
    _, shown = await counter.asked()
    assert await counter.refusal(counter.presented(shown), shown) == rule


async def test_a_list_of_another_issuer_is_no_list(counter: Counter, tmp_path: Path) -> None:
    other = SimulatedIssuer(
        certified(counter.authority, tmp_path / "other", "anders.example"), STATUS, counter.clock
    )
    counter.lists[counter.issuer.list_at] = other.status_list()
    _, shown = await counter.asked()
    assert await counter.refusal(counter.presented(shown), shown) == "issuer"


@pytest.mark.parametrize(
    "text",
    ["", "~", "~~~", "a.b.c~", "x" * 40_000, "~" * 500, "[" * 30_000, "..~..~..", "é.é.é~é~é"],
)
async def test_what_is_no_presentation_is_refused(counter: Counter, text: str) -> None:
    _, shown = await counter.asked()
    assert await counter.refusal(text, shown) in ("form", "binding", "issuer")


@pytest.mark.parametrize(
    "token",
    [None, [], {}, "x", {"passport": []}, {"passport": ["a", "b"]}, {"passport": [1]}, {"p": ["a"]}, 7],
)
async def test_a_token_of_another_form_is_refused(counter: Counter, token: Any) -> None:
    _, shown = await counter.asked()
    status, said = await counter.wallet.send(
        shown.request, {"vp_token": token, "state": shown.request["state"]}
    )
    assert (status, said["code"]) == (400, "answer-unreadable")


@pytest.mark.parametrize("form", [{}, {"response": ""}, {"response": "a.b.c.d.e"}, {"response": "." * 4}, {"x": "y"},
                                  {"response": "x" * 200_000}, {"state": "x"}])  # fmt: skip
async def test_a_form_that_is_no_answer_leaves_the_request_open(
    counter: Counter, form: dict[str, str]
) -> None:
    handle, shown = await counter.asked()
    with pytest.raises(Invalid):
        await counter.passports.answer(handle, form)
    assert (await counter.wallet.show(shown, counter.person))[0] == 200


@pytest.mark.parametrize("bsn", ["99999001", "9999900199", "a99990019", 999990019, "", None, ["999990019"]])
async def test_a_value_of_another_kind_signs_nobody_in(counter: Counter, bsn: Any) -> None:
    handle, shown = await counter.asked()
    card = counter.held(CITIZEN, PERSON | {"bsn": bsn})
    status, said = await counter.wallet.show(shown, card)
    assert status == 200
    with pytest.raises(Refused) as refused:
        counter.passports.take(handle, BROWSER, proof_in(said["redirect_uri"]))
    assert refused.value.rule == "presentation-value"


async def test_claims_within_claims_and_decoys_are_fine(counter: Counter) -> None:
    way = counter.passports.ways["burger"]
    deeper = msgspec.structs.replace(way, claims={**way.claims, "name": (("address", "locality"),)})
    counter.passports.ways["burger"] = deeper
    address = {SDObj("locality"): "Verzonnendam", SDObj("street"): "Nepstraat"}
    card = counter.held(CITIZEN, PERSON | {"address": address})
    handle, shown = await counter.asked()
    status, said = await counter.wallet.show(shown, card)
    assert status == 200
    found, _ = counter.passports.take(handle, BROWSER, proof_in(said["redirect_uri"]))
    assert found.name == "Verzonnendam"


async def test_nothing_that_was_shown_is_told_by_a_problem_or_a_repr(counter: Counter) -> None:
    handle, shown = await counter.asked()
    text = presentation(shown.request, counter.person, (*shown.claims, ("birthdate",)))
    status, said = await counter.wallet.send(
        shown.request, {"vp_token": {"passport": [text]}, "state": shown.request["state"]}
    )
    assert status == 403
    assert not {"Fenna", "999990019", "1990"} & set(json.dumps(said).split('"'))
    request = counter.passports._waiting.look(handle)
    assert request is not None
    assert isinstance(request.outcome, Problem)
    assert "Fenna" not in repr(request.outcome)

"""FSC Core 2.0.0, Signatures: whose signature it is, over what, for what, and with which key."""

import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.gateway.contracts.making import (
    CONSUMER,
    NOW,
    PROVIDER,
    STRANGER,
    as_json,
    connection,
    content,
)
from tests.unit.gateway.contracts.signing import Root, b64u, jws, key_for, rsa_key, thumbprint

from sluis.crypto import Chain, Identity, Peer
from sluis.gateway.contracts import (
    Action,
    Content,
    Signature,
    certificate_named,
    check_path,
    check_signature,
    read_content,
    sign,
)
from sluis.gateway.contracts.rules import counts_instead
from sluis.gateway.faults import FscProblem
from sluis.kernel import PeerId

ROOT = Root()
KEY = key_for("ES256")
CERTIFICATE = ROOT.issue(CONSUMER, KEY)
CONTENT = read_content(as_json(content(iv="06338364-8305-7b74-8000-de4963503139")))
HEADER = {"alg": "ES256", "x5t#S256": thumbprint(CERTIFICATE)}
PAYLOAD = {"contract_content_hash": CONTENT.hash, "type": "accept", "signed_at": NOW}


def check(
    text: str,
    chain: Chain = (CERTIFICATE,),
    action: Action = "accept",
    submitter: str = CONSUMER,
    over: Content = CONTENT,
    **more: Any,
) -> Signature:
    given_in = {"anchors": [ROOT.certificate], "moment": datetime.fromtimestamp(NOW, UTC), **more}
    return check_signature(text, over, action, PeerId(submitter), chain, **given_in)


def ends(certificate: x509.Certificate) -> int:
    return int(certificate.not_valid_after_utc.timestamp())


def refusal(text: str, **more: Any) -> tuple[str, int, str]:
    with pytest.raises(FscProblem) as refused:
        check(text, **more)
    return refused.value.fsc_code, refused.value.status, refused.value.code


VERIFICATION = "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED"


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512"])
def test_each_algorithm_of_fsc_is_believed(algorithm: str) -> None:
    key = key_for(algorithm)
    certificate = ROOT.issue(CONSUMER, key)
    text = jws(key, {"alg": algorithm, "x5t#S256": thumbprint(certificate)}, PAYLOAD)
    assert certificate_named(text) == thumbprint(certificate)
    assert check(text, (certificate,)) == Signature(
        PeerId(CONSUMER), "accept", text, NOW, thumbprint(certificate), ends(certificate)
    )


@pytest.mark.parametrize("algorithm", ["PS256", "PS384", "PS512"])
def test_pss_is_an_unknown_algorithm(algorithm: str) -> None:
    certificate = ROOT.issue(CONSUMER, rsa_key())
    text = jws(rsa_key(), {"alg": algorithm, "x5t#S256": thumbprint(certificate)}, PAYLOAD)
    found = refusal(text, chain=(certificate,))
    assert found[:2] == ("ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE", 422)


@pytest.mark.parametrize("algorithm", ["none", "None", "EdDSA", "HS256", "es256", "ES256K", ""])
def test_other_algorithms_are_unknown(algorithm: str) -> None:
    text = jws(KEY, HEADER | {"alg": algorithm}, PAYLOAD, "ES256")
    assert refusal(text)[:2] == ("ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE", 422)
    with pytest.raises(FscProblem) as refused:
        certificate_named(text)
    assert refused.value.fsc_code == "ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE"


def test_nothing_is_no_signature() -> None:
    head, body, _ = jws(KEY, HEADER, PAYLOAD).split(".")
    assert refusal(f"{head}.{body}.") == (VERIFICATION, 422, "signature-not-genuine")


def test_an_algorithm_that_does_not_fit_the_key_is_not_believed() -> None:
    text = jws(rsa_key(), HEADER | {"alg": "RS256"}, PAYLOAD)
    assert refusal(text) == (VERIFICATION, 422, "signature-not-genuine")


def test_another_key_than_that_of_the_certificate_is_not_believed() -> None:
    text = jws(ec.generate_private_key(ec.SECP256R1()), HEADER, PAYLOAD)
    assert refusal(text) == (VERIFICATION, 422, "signature-not-genuine")


def test_an_altered_payload_is_not_believed() -> None:
    head, _, signature = jws(KEY, HEADER, PAYLOAD | {"signed_at": NOW - 1}).split(".")
    altered = f"{head}.{b64u(json.dumps(PAYLOAD).encode())}.{signature}"
    assert refusal(altered) == (VERIFICATION, 422, "signature-not-genuine")


def test_a_signature_over_another_content_is_refused() -> None:
    other = read_content(as_json(content(connection("adressen"))))
    found = refusal(jws(KEY, HEADER, PAYLOAD), over=other)
    assert found[:2] == ("ERROR_CODE_SIGNATURE_CONTRACT_CONTENT_HASH_MISMATCH", 422)


@pytest.mark.parametrize("action", ["reject", "revoke"])
def test_a_signature_is_good_for_one_action(action: Action) -> None:
    assert refusal(jws(KEY, HEADER, PAYLOAD), action=action) == (
        VERIFICATION,
        422,
        "signature-of-another-type",
    )
    assert check(jws(KEY, HEADER, PAYLOAD | {"type": action}), action=action).action == action


def test_the_clocks_of_peers_may_differ_a_minute() -> None:
    assert check(jws(KEY, HEADER, PAYLOAD | {"signed_at": NOW + 60})).signed_at == NOW + 60
    found = refusal(jws(KEY, HEADER, PAYLOAD | {"signed_at": NOW + 61}))
    assert found == (VERIFICATION, 422, "signature-from-the-future")


def test_the_signature_of_another_party_is_refused() -> None:
    theirs = ROOT.issue(PROVIDER, KEY)
    text = jws(KEY, HEADER | {"x5t#S256": thumbprint(theirs)}, PAYLOAD)
    found = refusal(text, chain=(theirs,))
    assert found[:2] == ("ERROR_CODE_PEER_ID_SIGNATURE_MISMATCH", 422)


def test_who_is_in_no_grant_cannot_sign() -> None:
    theirs = ROOT.issue(STRANGER, KEY)
    text = jws(KEY, HEADER | {"x5t#S256": thumbprint(theirs)}, PAYLOAD)
    found = refusal(text, chain=(theirs,), submitter=STRANGER)
    assert found[:2] == ("ERROR_CODE_SUBMITTING_PEER_NOT_PART_OF_CONTRACT", 422)


def test_a_certificate_of_another_authority_is_not_believed() -> None:
    assert refusal(jws(KEY, HEADER, PAYLOAD), anchors=[Root().certificate])[::2] == (
        VERIFICATION,
        "certificate-not-trusted",
    )


def test_a_revoked_certificate_is_not_believed() -> None:
    found = refusal(jws(KEY, HEADER, PAYLOAD), crls=[ROOT.revoked(CERTIFICATE)])
    assert found == (VERIFICATION, 422, "certificate-revoked")


def test_a_certificate_that_is_over_is_not_believed() -> None:
    over = ROOT.issue(CONSUMER, KEY, days=-1)
    text = jws(KEY, HEADER | {"x5t#S256": thumbprint(over)}, PAYLOAD)
    assert refusal(text, chain=(over,)) == (VERIFICATION, 422, "certificate-not-trusted")


@pytest.mark.parametrize("peer", [None, "123", "geen-nummer-van-ons-"])
def test_a_certificate_without_a_peer_id_is_of_no_use(peer: str | None) -> None:
    odd = ROOT.issue(peer, KEY)
    text = jws(KEY, HEADER | {"x5t#S256": thumbprint(odd)}, PAYLOAD)
    found = refusal(text, chain=(odd,))
    assert found[:2] == ("ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED", 400)


@pytest.mark.parametrize("chain", [(), (ROOT.issue(CONSUMER, KEY),)])
def test_only_the_certificate_it_names_counts(chain: Chain) -> None:
    found = refusal(jws(KEY, HEADER, PAYLOAD), chain=chain)
    assert found == (VERIFICATION, 422, "signature-certificate-unknown")


@pytest.mark.parametrize("spelling", ["x5t#S256", "x5t#s256"])
@pytest.mark.parametrize(
    "value",
    [thumbprint(CERTIFICATE), thumbprint(CERTIFICATE).translate({45: 43, 95: 47}) + "="],
    ids=["url", "standard"],
)
def test_a_thumbprint_is_read_in_each_spelling(spelling: str, value: str) -> None:
    assert check(jws(KEY, {"alg": "ES256", spelling: value}, PAYLOAD)).thumbprint == thumbprint(CERTIFICATE)


def test_a_content_hash_is_read_in_standard_base64_too() -> None:
    old = "$1$1$" + CONTENT.hash[5:].translate({45: 43, 95: 47}) + "=="
    assert check(jws(KEY, HEADER, PAYLOAD | {"contract_content_hash": old})).action == "accept"


@pytest.mark.parametrize(
    "header",
    [
        {"alg": "ES256"},
        HEADER | {"x5t#s256": "A" * 43},
        HEADER | {"crit": ["exp"]},
        b'{"alg":"ES256","alg":"ES256","x5t#S256":"%s"}' % thumbprint(CERTIFICATE).encode(),
        b'{"alg":"ES256","x5t#S256":"%s"' % thumbprint(CERTIFICATE).encode(),
    ],
    ids=["no certificate", "two certificates", "crit", "alg twice", "cut off"],  # the values differ each run
)
def test_a_header_that_is_not_clear_is_not_believed(header: Any) -> None:
    assert refusal(jws(KEY, header, PAYLOAD, "ES256"))[:2] == (VERIFICATION, 422)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b'"accept"',
        {"contract_content_hash": CONTENT.hash, "type": "accept"},
        {"contentHash": CONTENT.hash, "type": "accept"},
        PAYLOAD | {"signed_at": "nu"},
        PAYLOAD | {"signed_at": True},
        PAYLOAD | {"signed_at": -1},
        PAYLOAD | {"type": None},
        json.dumps(PAYLOAD).encode()[:-1] + b',"type":"accept"}',
        json.dumps(PAYLOAD).encode()[:-1] + b',"n":9007199254740993}',
    ],
)
def test_a_payload_that_is_not_clear_is_not_believed(payload: Any) -> None:
    assert refusal(jws(KEY, HEADER, payload)) == (VERIFICATION, 422, "signature-payload-wrong")


def test_another_way_to_write_a_signature_is_the_same_signature() -> None:
    # Of (r, s) anybody makes (r, n - s), which fits the same key: nothing may be put in the place of what a peer signed.
    text = jws(KEY, HEADER, PAYLOAD)
    head, _, own = text.rpartition(".")
    raw = urlsafe_b64decode(own + "==")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    twin = f"{head}.{b64u(raw[:32] + (order - int.from_bytes(raw[32:])).to_bytes(32))}"
    found, other = check(text), check(twin)
    assert not counts_instead(other, found)
    assert not counts_instead(found, other)


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "e30.e30.e30", "e30.e30", "é.é.é", "A" * 100_000])
def test_what_is_no_jws_is_no_signature(text: str) -> None:
    assert refusal(text)[:2] == (VERIFICATION, 422)


@given(st.data())
def test_no_change_of_one_character_is_believed(data: st.DataObject) -> None:
    text = jws(KEY, HEADER, PAYLOAD)
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.sampled_from("AQgw._-=").filter(lambda one: one != text[place]))
    with pytest.raises(FscProblem):
        check(text[:place] + other + text[place + 1 :])


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "ES512", "RS256"])
@pytest.mark.parametrize("action", ["accept", "reject", "revoke"])
def test_an_own_signature_says_what_the_standard_asks(algorithm: str, action: Action) -> None:
    key = key_for(algorithm)
    certificate = ROOT.issue(CONSUMER, key)
    identity = Identity((certificate,), key, Peer(PeerId(CONSUMER), "Gemeente Voorbeeld"))
    text = sign(identity, CONTENT.hash, action, NOW)
    header, payload = (json.loads(decoded(part)) for part in text.split(".")[:2])
    assert header == {"alg": algorithm, "x5t#S256": thumbprint(certificate)}
    assert payload == {"contract_content_hash": CONTENT.hash, "type": action, "signed_at": NOW}
    assert check(text, (certificate,), action).signed_at == NOW


def decoded(part: str) -> bytes:
    return urlsafe_b64decode(part + "==")


def test_the_path_names_the_content() -> None:
    for path in (
        CONTENT.hash,
        CONTENT.hash.replace("$", "%24"),
        "$1$1$" + CONTENT.hash[5:].translate({45: 43, 95: 47}) + "==",
    ):
        check_path(path, CONTENT)
    for path in ("", "$1$1$", CONTENT.hash[:-1], CONTENT.grants[0].hash):
        with pytest.raises(FscProblem) as refused:
            check_path(path, CONTENT)
        assert (refused.value.fsc_code, refused.value.status) == (
            "ERROR_CODE_URL_PATH_CONTENT_HASH_MISMATCH",
            422,
        )

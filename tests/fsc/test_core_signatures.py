"""Core 2.0.0 sections 4.2.3 and 4.4.1.3: which signatures the product takes, and what it signs itself."""

import base64
import datetime as dt
import json
import time

import pytest
from tests.fsc import jose
from tests.fsc.authority import Authority, Identity
from tests.fsc.conftest import Make
from tests.fsc.jcs import content_hash
from tests.fsc.manager import drops, fails, garbage, garbled_json
from tests.fsc.meeting import consuming, held, introduced, providing, refused, turned_down, wanted
from tests.fsc.musts import holds
from tests.fsc.papers import Json, connection, content
from tests.fsc.peer import Peer
from tests.fsc.product import Product
from tests.fsc.wire import until

pytestmark = pytest.mark.fsc


def offered(peer: Peer, product: Product) -> Json:
    """A contract this peer may offer."""
    introduced(peer, product)
    return wanted(peer, product)


def statement(found: Json, kind: str = "accept", **more: object) -> bytes:
    """The payload of a signature."""
    members = {
        "contract_content_hash": content_hash(found),
        "type": kind,
        "signed_at": int(time.time()),
        **more,
    }
    return json.dumps({name: value for name, value in members.items() if value is not None}).encode()


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        ("RSA-2048", "RS256"),
        ("RSA-2048", "RS384"),
        ("RSA-2048", "RS512"),
        ("P-256", "ES256"),
        ("P-384", "ES384"),
        ("P-521", "ES512"),
    ],
)
@holds("core-4.2.3-algorithms", "core-4.2.3-jws")
def test_4_2_3_the_six_algorithms_are_taken(
    make_peer: Make, product: Product, key: str, algorithm: str
) -> None:
    peer = make_peer(key=key)
    found = offered(peer, product)
    answer = peer.submit(found, product.manager_address, signature=peer.statement(found, algorithm=algorithm))
    assert answer.status == 201, answer.body


@pytest.mark.parametrize("algorithm", ["PS256", "PS384", "PS512"])
@holds("core-4.2.3-algorithms")
def test_4_2_3_pss_is_refused(make_peer: Make, product: Product, algorithm: str) -> None:
    peer = make_peer(key="RSA-2048")
    found = offered(peer, product)
    answer = peer.submit(found, product.manager_address, signature=peer.statement(found, algorithm=algorithm))
    refused(answer, "ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "EdDSA", "HS256", "ES256K", "es256", ""])
@holds("core-4.2.3-algorithms", "core-4.4.1.3-error")
def test_4_2_3_another_algorithm_is_refused_by_name(peer: Peer, product: Product, algorithm: object) -> None:
    found = offered(peer, product)
    header = json.dumps({"alg": algorithm, "x5t#S256": peer.signing.thumbprint}).encode()
    signed = jose.sign_raw(peer.signing.key, "ES256", header, statement(found))
    refused(
        peer.submit(found, product.manager_address, signature=signed),
        "ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE",
    )


@pytest.mark.parametrize("algorithm", [None, 5, ["ES256"], {"ES256": 1}])
@holds("core-4.4.1.3-error")
def test_4_2_3_an_algorithm_that_is_no_text_is_refused(
    peer: Peer, product: Product, algorithm: object
) -> None:
    found = offered(peer, product)
    header = json.dumps({"alg": algorithm, "x5t#S256": peer.signing.thumbprint}).encode()
    signed = jose.sign_raw(peer.signing.key, "ES256", header, statement(found))
    turned_down(peer.submit(found, product.manager_address, signature=signed))


def test_4_2_3_none_without_a_signature_is_refused(peer: Peer, product: Product) -> None:
    found = offered(peer, product)
    signed = jose.unsigned(peer.statement(found))
    refused(
        peer.submit(found, product.manager_address, signature=signed),
        "ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE",
    )


def test_4_2_3_a_public_key_is_no_secret(peer: Peer, product: Product) -> None:
    found = offered(peer, product)
    signed = jose.with_public_key_as_secret(peer.signing, statement(found))
    refused(
        peer.submit(found, product.manager_address, signature=signed),
        "ERROR_CODE_UNKNOWN_ALGORITHM_SIGNATURE",
    )


def test_4_2_3_the_algorithm_fits_the_key(peer: Peer, product: Product) -> None:
    found = offered(peer, product)
    header = json.dumps({"alg": "RS256", "x5t#S256": peer.signing.thumbprint}).encode()
    signed = jose.sign_raw(peer.signing.key, "ES256", header, statement(found))
    refused(
        peer.submit(found, product.manager_address, signature=signed),
        "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED",
    )


@holds("core-4.4.1.3-error", "core-4.2.4-compared")
def test_4_2_3_an_altered_payload_is_refused(peer: Peer, product: Product) -> None:
    found = offered(peer, product)
    signed = jose.altered(peer.statement(found), signed_at=int(time.time()) - 1)
    refused(
        peer.submit(found, product.manager_address, signature=signed),
        "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED",
    )


@holds("core-4.2.3-thumbprint")
def test_4_2_3_another_key_than_the_certificate_names_is_refused(peer: Peer, product: Product) -> None:
    found = offered(peer, product)
    header = json.dumps({"alg": "ES256", "x5t#S256": peer.signing.thumbprint}).encode()
    signed = jose.sign_raw(peer.outway_identity.key, "ES256", header, statement(found))
    refused(
        peer.submit(found, product.manager_address, signature=signed),
        "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED",
    )


@pytest.mark.parametrize("thumbprint", [None, "", "x", 5, "A" * 43])
@holds("core-4.2.3-thumbprint")
def test_4_2_3_a_header_without_a_known_certificate_is_refused(
    peer: Peer, product: Product, thumbprint: object
) -> None:
    found = offered(peer, product)
    header = json.dumps({"alg": "ES256", **({} if thumbprint is None else {"x5t#S256": thumbprint})}).encode()
    signed = jose.sign_raw(peer.signing.key, "ES256", header, statement(found))
    refused(
        peer.submit(found, product.manager_address, signature=signed),
        "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED",
    )


def test_the_spelling_of_the_openapi_file_is_understood(peer: Peer, product: Product) -> None:
    found = offered(peer, product)
    header = json.dumps({"alg": "ES256", "x5t#s256": peer.signing.thumbprint}).encode()
    signed = jose.sign_raw(peer.signing.key, "ES256", header, statement(found))
    assert peer.submit(found, product.manager_address, signature=signed).status == 201


def test_4_2_3_a_header_that_must_be_understood_is_refused(peer: Peer, product: Product) -> None:
    found = offered(peer, product)
    signed = peer.statement(found, header={"crit": ["b64"], "b64": True})
    turned_down(peer.submit(found, product.manager_address, signature=signed))


@pytest.mark.parametrize(
    "header",
    [
        '{"alg":"ES256","alg":"none","x5t#S256":"%s"}',
        '{"alg":"none","alg":"ES256","x5t#S256":"%s"}',
        '["ES256"]',
        "{",
        "",
    ],
)
def test_a_header_with_a_name_twice_is_refused(peer: Peer, product: Product, header: str) -> None:
    found = offered(peer, product)
    raw = (header % peer.signing.thumbprint if "%s" in header else header).encode()
    turned_down(
        peer.submit(
            found,
            product.manager_address,
            signature=jose.sign_raw(peer.signing.key, "ES256", raw, statement(found)),
        )
    )


def test_a_payload_with_a_name_twice_is_refused(peer: Peer, product: Product) -> None:
    found = offered(peer, product)
    payload = statement(found)[:-1] + b',"type":"accept"}'
    turned_down(peer.submit(found, product.manager_address, signature=jose.sign(peer.signing, payload)))


@pytest.mark.parametrize("member", ["contract_content_hash", "type", "signed_at"])
@holds("core-4.2.3-payload")
def test_4_2_3_every_member_of_the_payload_is_there(peer: Peer, product: Product, member: str) -> None:
    found = offered(peer, product)
    signed = jose.sign(peer.signing, statement(found, **{member: None}))
    turned_down(peer.submit(found, product.manager_address, signature=signed))


@pytest.mark.parametrize("moment", ["now", 1.5, True])
@holds("core-4.2.3-payload")
def test_4_2_3_the_moment_of_signing_is_seconds(peer: Peer, product: Product, moment: object) -> None:
    found = offered(peer, product)
    signed = jose.sign(peer.signing, statement(found, signed_at=moment))
    turned_down(peer.submit(found, product.manager_address, signature=signed))


@pytest.mark.parametrize(
    ("path", "kind"), [("accept", "revoke"), ("accept", "reject"), ("reject", "accept"), ("revoke", "accept")]
)
@holds("core-4.2.3-payload")
def test_4_2_3_2_the_kind_of_signature_is_that_of_the_endpoint(
    peer: Peer, product: Product, path: str, kind: str
) -> None:
    found = offered(peer, product)
    assert peer.submit(found, product.manager_address).status == 201
    turned_down(peer.put(path, found, product.manager_address, signature=peer.statement(found, kind)))


@pytest.mark.parametrize("kind", ["reject", "revoke", "x"])
@holds("core-4.2.3-payload")
def test_a_contract_is_offered_with_an_accept(peer: Peer, product: Product, kind: str) -> None:
    found = offered(peer, product)
    turned_down(peer.submit(found, product.manager_address, signature=peer.statement(found, kind)))


@pytest.mark.parametrize("shape", ["", "a.b", "a.b.c.d", "%s.", ".%s", " %s", "%s\n", "%s="])
@holds("core-4.2.3-jws")
def test_4_2_3_a_signature_is_compact(peer: Peer, product: Product, shape: str) -> None:
    found = offered(peer, product)
    signed = shape.replace("%s", peer.statement(found))
    turned_down(peer.submit(found, product.manager_address, signature=signed))


@holds("core-4.2.3-jws")
def test_4_2_3_a_json_serialisation_is_refused(peer: Peer, product: Product) -> None:
    found = offered(peer, product)
    head, payload, signature = peer.statement(found).split(".")
    payload_ = json.dumps(
        {"content": found, "signature": {"protected": head, "payload": payload, "signature": signature}}
    )
    turned_down(peer.ask("POST", product.manager_address + "/v1/contracts", payload_.encode()))


def test_base64url_written_in_another_way_is_refused(peer: Peer, product: Product) -> None:
    """The last letter has bits that say nothing; with other ones the text decodes to the same signature."""
    found = offered(peer, product)
    signed = peer.statement(found)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = signed[:-1] + alphabet[alphabet.index(signed[-1]) + 1]
    tail, changed = (text.split(".")[2] for text in (signed, other))
    assert base64.urlsafe_b64decode(tail + "==") == base64.urlsafe_b64decode(changed + "==")
    turned_down(peer.submit(found, product.manager_address, signature=other))


@holds("core-4.4.5.3-codes")
def test_4_4_5_3_a_signature_of_another_peer_is_refused_by_name(
    peer: Peer, product: Product, other_peer: Peer
) -> None:
    """The submitting Manager publishes the other peer's certificate, so it can be found and is genuine."""
    found = offered(peer, product)
    peer.published_keys.append(other_peer.signing)
    signed = peer.statement(found, identity=other_peer.signing)
    refused(
        peer.submit(found, product.manager_address, signature=signed), "ERROR_CODE_PEER_ID_SIGNATURE_MISMATCH"
    )


def test_a_certificate_the_manager_does_not_publish_is_refused(peer: Peer, product: Product) -> None:
    found = offered(peer, product)
    fresh = peer.authority.issue(peer.id, peer.name, ["nieuw.test"])
    signed = peer.statement(found, identity=fresh)
    refused(
        peer.submit(found, product.manager_address, signature=signed),
        "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED",
    )


def signs_with(peer: Peer, product: Product, identity: Identity) -> None:
    """The product refuses a signature by this certificate, though the Manager publishes it."""
    found = offered(peer, product)
    peer.published_keys = [identity]
    signed = peer.statement(found, identity=identity)
    refused(
        peer.submit(found, product.manager_address, signature=signed),
        "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED",
    )


def test_a_certificate_of_another_anchor_signs_nothing(
    peer: Peer, product: Product, foreign: Authority
) -> None:
    signs_with(peer, product, foreign.issue(peer.id, peer.name, ["vreemd.test"]))


def test_an_expired_certificate_signs_nothing(peer: Peer, product: Product) -> None:
    day = dt.timedelta(days=1)
    signs_with(
        peer, product, peer.authority.issue(peer.id, peer.name, ["oud.test"], starts=-3 * day, ends=-day)
    )


def test_a_certificate_that_is_not_valid_yet_signs_nothing(peer: Peer, product: Product) -> None:
    day = dt.timedelta(days=1)
    signs_with(
        peer, product, peer.authority.issue(peer.id, peer.name, ["later.test"], starts=day, ends=3 * day)
    )


@pytest.mark.parametrize("step", [garbage, garbled_json, drops, fails(500), fails(404)])
def test_keys_that_cannot_be_had_verify_nothing(peer: Peer, product: Product, step: object) -> None:
    found = offered(peer, product)
    peer.manager.script.then(step, times=9, path="jwks")  # type: ignore[arg-type]
    refused(peer.submit(found, product.manager_address), "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED")
    peer.manager.script.steps.clear()
    until(lambda: peer.submit(found, product.manager_address).status == 201, "the keys are fetched again")


@holds("core-4.2.3-peers")
def test_4_2_3_a_peer_outside_the_contract_does_not_sign(
    peer: Peer, product: Product, other_peer: Peer
) -> None:
    found = offered(peer, product)
    assert peer.submit(found, product.manager_address).status == 201
    introduced(other_peer, product)
    for action in ("accept", "reject", "revoke"):
        answer = other_peer.put(action, found, product.manager_address)
        refused(answer, "ERROR_CODE_SUBMITTING_PEER_NOT_PART_OF_CONTRACT")
    assert product.state(content_hash(found)) == "proposed"


@holds("core-4.2.3-peers")
def test_4_2_3_a_peer_does_not_sign_for_another(peer: Peer, product: Product, other_peer: Peer) -> None:
    """A delegator's accept may not be brought by the delegatee, even when it is genuine."""
    introduced(other_peer, product)
    found = offered(peer, product)
    grant = connection(
        peer.id, peer.outway_identity.public_key_thumbprint, product.id, "echo", delegator=other_peer.id
    )
    found = content(product.group, grant)
    assert peer.submit(found, product.manager_address).status == 201
    answer = peer.put("accept", found, product.manager_address, signature=other_peer.statement(found))
    assert answer.status == 422, answer.body
    shown = held(peer, product.manager_address, content_hash(found))
    assert shown
    assert other_peer.id not in shown["signatures"]["accept"]


def test_a_signature_on_a_contract_that_is_unknown_makes_it_known(
    peer: Peer, product: Product, other_peer: Peer
) -> None:
    """The accept of the delegator may come before the contract itself: both bring the whole content."""
    introduced(other_peer, product)
    introduced(peer, product)
    grant = connection(
        peer.id, peer.outway_identity.public_key_thumbprint, product.id, "echo", delegator=other_peer.id
    )
    found = content(product.group, grant)
    assert other_peer.put("accept", found, product.manager_address).status == 201
    assert peer.submit(found, product.manager_address).status == 201
    shown = held(peer, product.manager_address, content_hash(found))
    assert shown
    assert shown["signatures"]["accept"].keys() >= {peer.id, other_peer.id}


@holds(
    "core-4.2.3-jws",
    "core-4.2.3-thumbprint",
    "core-4.2.3-algorithms",
    "core-4.2.3-payload",
    "core-4.1.6.2-thumbprints",
)
def test_4_2_3_what_the_product_signs_is_as_the_standard_says(peer: Peer, product: Product) -> None:
    before = int(time.time()) - 1
    contract, _ = consuming(peer, product)
    header, payload, _, _ = jose.parts(contract.signatures["accept"][product.id])
    assert header["alg"] in jose.ALGORITHMS
    assert header["x5t#S256"] in {
        one.get("x5t#S256", one.get("x5t#s256")) for one in peer.keys_of(product.id)
    }
    assert payload["contract_content_hash"] == contract.hash
    assert payload["type"] == "accept"
    assert before <= payload["signed_at"] <= time.time() + 1


@holds("core-4.4.1.3-propagate")
@pytest.mark.parametrize("action", ["reject", "revoke"])
def test_4_4_1_3_what_the_product_says_reaches_every_peer(
    peer: Peer, product: Product, other_peer: Peer, action: str
) -> None:
    introduced(peer, product)
    introduced(other_peer, product)
    peer.known[other_peer.id] = (other_peer.name, other_peer.manager_address)
    other_peer.known |= {
        peer.id: (peer.name, peer.manager_address),
        product.id: (product.name, product.manager_address),
    }
    grant = connection(
        peer.id, peer.outway_identity.public_key_thumbprint, product.id, "echo", delegator=other_peer.id
    )
    contract = peer.propose(content(product.group, grant))
    product.act(contract.hash, action)
    for one in (peer, other_peer):
        until(
            lambda one=one: product.id in one.contracts[contract.hash].signatures[action],
            f"{action} at {one.name}",
        )


def test_what_the_product_proposes_can_be_verified_by_its_keys(peer: Peer, product: Product) -> None:
    hash_, _ = providing(product, peer)
    assert peer.contracts[hash_].signatures["accept"].keys() == {peer.id, product.id}

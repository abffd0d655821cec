"""Core 2.0.0 sections 4.2.4 and 4.2.5: both sides come to the same hashes, over what was received and nothing else."""

import json

import pytest
from tests.fsc.jcs import content_hash, unb64u
from tests.fsc.meeting import body, consuming, held, introduced, providing, refused, wanted
from tests.fsc.musts import holds
from tests.fsc.papers import Json, connection, content
from tests.fsc.peer import Peer
from tests.fsc.product import Product

pytestmark = pytest.mark.fsc

AWKWARD: list[Json] = [
    {},
    {"b": 1, "a": 2, "\u20ac": 3, "\ufb33": 4, "\U0001f600": 5},
    {"n": [0.1, 1e21, 1e-7, 123456789012345680000.0, 5e-324, -0.0, 100.0, 1e22]},
    {"s": '"\\\b\f\n\r\t\u0000\u001f\u007f\u2028é/<>&'},
    {"deep": {"er": {"est": [[[[]]], {}, [{}]]}}},
    {"null": None, "true": True, "false": False, "": ""},
    {"large": 9007199254740991, "small": -9007199254740991},
]


@pytest.mark.parametrize("properties", AWKWARD)
@holds("core-4.2.4-hash", "core-4.2.5-hash", "core-4.2.2.1-hash")
def test_4_2_5_the_product_finds_the_hashes_this_peer_finds(
    peer: Peer, product: Product, properties: Json
) -> None:
    contract, grant = consuming(peer, product, properties=properties)
    signed = contract.signatures["accept"][product.id]
    assert json.loads(_payload(signed))["contract_content_hash"] == contract.hash
    assert peer.outway.token(grant, product.manager_address).status == 200


@holds("core-4.2.4-hash")
def test_4_2_4_what_the_product_makes_hashes_the_same_here(peer: Peer, product: Product) -> None:
    hash_, grant = providing(product, peer, properties={"é": [1.5, "x"]})
    assert list(peer.contracts[hash_].grants()) == [grant]


@holds("core-4.2.2.1-hash")
def test_4_2_2_1_other_properties_are_another_grant(peer: Peer, product: Product) -> None:
    introduced(peer, product)
    first = wanted(peer, product, properties={"doel": "a"})
    second = json.loads(json.dumps(first))
    second["grants"][0]["data"]["properties"] = {"doel": "b"}
    answer = peer.submit(second, product.manager_address, signature=peer.statement(first))
    refused(answer, "ERROR_CODE_SIGNATURE_CONTRACT_CONTENT_HASH_MISMATCH")


@holds("core-4.4.1.2-order")
def test_4_4_1_2_the_order_of_grants_is_kept(peer: Peer, product: Product) -> None:
    introduced(peer, product)
    thumbprint = peer.outway_identity.public_key_thumbprint
    grants = [
        connection(peer.id, thumbprint, product.id, "echo", properties={"n": [number, 0]})
        for number in (3, 1, 2)
    ]
    found = content(product.group, *grants)
    assert peer.submit(found, product.manager_address).status == 201
    shown = held(peer, product.manager_address, content_hash(found))
    assert shown
    assert shown["content"]["grants"] == found["grants"]


@holds("core-4.2.4-compared")
@pytest.mark.parametrize("action", ["accept", "reject", "revoke"])
def test_4_2_4_a_signature_on_another_contract_is_refused(peer: Peer, product: Product, action: str) -> None:
    introduced(peer, product)
    found, other = wanted(peer, product), wanted(peer, product)
    assert peer.submit(found, product.manager_address).status == 201
    answer = peer.put(action, found, product.manager_address, signature=peer.statement(other, action))
    refused(answer, "ERROR_CODE_SIGNATURE_CONTRACT_CONTENT_HASH_MISMATCH")


@pytest.mark.parametrize("action", ["accept", "reject", "revoke"])
@holds("core-4.4.5.3-codes")
def test_4_4_5_3_the_hash_in_the_path_is_the_hash_of_the_content(
    peer: Peer, product: Product, action: str
) -> None:
    introduced(peer, product)
    found, other = wanted(peer, product), wanted(peer, product)
    assert peer.submit(found, product.manager_address).status == 201
    answer = peer.put(action, found, product.manager_address, hash_=content_hash(other))
    refused(answer, "ERROR_CODE_URL_PATH_CONTENT_HASH_MISMATCH")


def test_the_hash_in_the_path_may_be_percent_encoded(peer: Peer, product: Product) -> None:
    introduced(peer, product)
    found = wanted(peer, product)
    for encoded in (content_hash(found), content_hash(found).replace("$", "%24")):
        assert peer.put("accept", found, product.manager_address, hash_=encoded).status == 201


@pytest.mark.parametrize("hash_", ["x", "$1$1$", "$2$1$" + "a" * 86, "$1$3$" + "a" * 86])
@holds("core-4.4.5.3-codes")
def test_4_4_5_3_a_path_with_another_hash_is_refused(peer: Peer, product: Product, hash_: str) -> None:
    introduced(peer, product)
    answer = peer.put("accept", wanted(peer, product), product.manager_address, hash_=hash_)
    assert answer.status == 422, answer.body
    assert body(answer)["code"] in (
        "ERROR_CODE_URL_PATH_CONTENT_HASH_MISMATCH",
        "ERROR_CODE_UNKNOWN_HASH_ALGORITHM_HASH",
    )


def _payload(jws: str) -> bytes:
    return unb64u(jws.split(".")[1])

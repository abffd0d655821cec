"""Core 2.0.0 sections 4.1.8 and 4.2.1: what a contract must be. Each test offers the product one contract that is wrong in
one way."""

import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from tests.fsc.jcs import content_hash
from tests.fsc.meeting import introduced, refused, turned_down, wanted
from tests.fsc.musts import holds
from tests.fsc.papers import BY_DOMAIN, BY_THUMBPRINT, Json, connection, content, publication
from tests.fsc.peer import Peer
from tests.fsc.product import Product

pytestmark = pytest.mark.fsc


@pytest.fixture
def consumer(peer: Peer, product: Product) -> Peer:
    """A peer the product knows."""
    introduced(peer, product)
    return peer


def test_a_good_contract_is_taken(consumer: Peer, product: Product) -> None:
    assert consumer.submit(wanted(consumer, product), product.manager_address).status == 201


@holds("core-4.2.1-group")
def test_4_2_1_a_contract_of_another_group_is_refused(consumer: Peer, product: Product) -> None:
    found = {**wanted(consumer, product), "group_id": "andere-groep"}
    refused(consumer.submit(found, product.manager_address), "ERROR_CODE_INCORRECT_GROUP_ID")


@pytest.mark.parametrize("version", ["1.0.0", "1.1.2", "2.0.1", "3.0.0", ""])
@holds("core-4.4.5.3-codes")
def test_4_4_5_3_another_version_of_fsc_is_refused_by_name(
    consumer: Peer, product: Product, version: str
) -> None:
    found = {**wanted(consumer, product), "fsc_version": version}
    refused(consumer.submit(found, product.manager_address), "ERROR_CODE_UNKNOWN_FSC_VERSION")


@holds("core-4.2.1-hash-algorithm")
def test_4_2_1_an_unknown_hash_algorithm_is_refused(consumer: Peer, product: Product) -> None:
    found = {**wanted(consumer, product), "hash_algorithm": "HASH_ALGORITHM_MD5"}
    refused(consumer.submit(found, product.manager_address), "ERROR_CODE_UNKNOWN_HASH_ALGORITHM_HASH")


@pytest.mark.parametrize(
    "iv", ["", "x", "06338364-8305-7b74-8000-de496350313", 7, None, "{06338364-8305-7b74-8000-de4963503139}"]
)
@holds("core-4.2.1-iv")
def test_4_2_1_iv_is_a_uuid(consumer: Peer, product: Product, iv: Any) -> None:
    turned_down(consumer.submit({**wanted(consumer, product), "iv": iv}, product.manager_address))


@holds("core-4.2.1-iv")
def test_4_2_1_iv_may_be_any_uuid(consumer: Peer, product: Product) -> None:
    found = {**wanted(consumer, product), "iv": str(uuid.uuid4())}
    assert consumer.submit(found, product.manager_address).status == 201


@holds("core-4.2.1-iv")
def test_4_2_1_the_same_iv_with_other_content_is_refused(consumer: Peer, product: Product) -> None:
    first = wanted(consumer, product)
    assert consumer.submit(first, product.manager_address).status == 201
    second = {
        **wanted(consumer, product),
        "iv": first["iv"],
        "validity": {**first["validity"], "not_after": int(time.time()) + 99},
    }
    turned_down(consumer.submit(second, product.manager_address))


@holds("core-4.2.1-iv")
def test_4_2_1_the_same_iv_in_capitals_is_the_same_iv(consumer: Peer, product: Product) -> None:
    first = {
        **wanted(consumer, product),
        "iv": "06338364-8305-7b74-8000-" + consumer.id[-12:].replace("0", "a"),
    }
    assert consumer.submit(first, product.manager_address).status == 201
    turned_down(consumer.submit({**first, "iv": first["iv"].upper()}, product.manager_address))


@holds("core-4.2.1-iv", "core-3.2.1-immutable")
def test_4_2_1_the_same_contract_twice_is_one_contract(consumer: Peer, product: Product) -> None:
    found = wanted(consumer, product)
    assert consumer.submit(found, product.manager_address).status == 201
    again = consumer.submit(found, product.manager_address)
    assert again.status in (200, 201), (again.status, again.body)
    listed = json.loads(consumer.ask("GET", product.manager_address + "/v1/contracts?limit=1000").body)[
        "contracts"
    ]
    assert sum(content_hash(one["content"]) == content_hash(found) for one in listed) == 1


@holds("core-4.2.1-created-at")
def test_4_2_1_created_at_is_not_in_the_future(consumer: Peer, product: Product) -> None:
    found = {**wanted(consumer, product), "created_at": int(time.time()) + 3600}
    turned_down(consumer.submit(found, product.manager_address))


def test_4_2_1_clocks_may_differ_by_less_than_a_minute(consumer: Peer, product: Product) -> None:
    found = {**wanted(consumer, product), "created_at": int(time.time()) + 40}
    assert consumer.submit(found, product.manager_address).status == 201


DATES: dict[str, Callable[[int], Json]] = {
    "not_after before not_before": lambda now: {"not_before": now + 100, "not_after": now + 50},
    "not_after equal to not_before": lambda now: {"not_before": now + 100, "not_after": now + 100},
    "not_after in the past": lambda now: {"not_before": now - 7200, "not_after": now - 3600},
    "not_before missing": lambda now: {"not_after": now + 100},
    "not_after missing": lambda now: {"not_before": now},
    "not_before text": lambda now: {"not_before": str(now), "not_after": now + 100},
    "not_before negative": lambda now: {"not_before": -1, "not_after": now + 100},
    "not_after fraction": lambda now: {"not_before": now, "not_after": now + 100.5},
    "not_after true": lambda now: {"not_before": 0, "not_after": True},
}


@pytest.mark.parametrize("wrong", DATES)
@holds("core-4.2.1-not-before", "core-4.2.1-not-after")
def test_4_2_1_validity_is_two_dates_in_order(consumer: Peer, product: Product, wrong: str) -> None:
    found = {**wanted(consumer, product), "validity": DATES[wrong](int(time.time()))}
    turned_down(consumer.submit(found, product.manager_address))


@holds("core-4.2.1-grants")
def test_4_2_1_a_contract_has_a_grant(consumer: Peer, product: Product) -> None:
    turned_down(consumer.submit(content(product.group), product.manager_address))


@holds("core-4.2.1-mixed")
def test_4_2_1_publications_do_not_stand_beside_connections(consumer: Peer, product: Product) -> None:
    use = connection(consumer.id, consumer.outway_identity.public_key_thumbprint, product.id, "echo")
    publish = publication(product.id, consumer.id, "mijn-dienst")
    for order in ((use, publish), (publish, use)):
        answer = consumer.submit(content(product.group, *order), product.manager_address)
        refused(answer, "ERROR_CODE_GRANT_COMBINATION_NOT_ALLOWED")


def test_4_2_1_several_connections_stand_in_one_contract(consumer: Peer, product: Product) -> None:
    use = connection(consumer.id, consumer.outway_identity.public_key_thumbprint, product.id, "echo")
    back = connection(product.id, product.outway_thumbprint, consumer.id, "echo")
    assert consumer.submit(content(product.group, use, back), product.manager_address).status == 201


def test_3_2_connections_of_several_peers_stand_in_one_contract(
    consumer: Peer, product: Product, other_peer: Peer
) -> None:
    """Section 3.2: one contract may hold all connections of an application."""
    grants = [
        connection(one.id, one.outway_identity.public_key_thumbprint, product.id, "echo")
        for one in (consumer, other_peer)
    ]
    assert consumer.submit(content(product.group, *grants), product.manager_address).status == 201


def test_3_2_1_a_provider_may_submit_what_it_offers(consumer: Peer, product: Product) -> None:
    """Section 3.2.1: any peer can submit a contract. Section 4.2.1.3 only says who offers it to the provider, and here the
    provider itself offers it to the one who is to connect."""
    found = content(product.group, connection(product.id, product.outway_thumbprint, consumer.id, "echo"))
    assert consumer.submit(found, product.manager_address).status == 201


GAPS = [
    "type",
    "outway",
    "service",
    "outway.peer_id",
    "outway.identification",
    "service.type",
    "service.peer_id",
    "service.name",
]


@pytest.mark.parametrize("gap", GAPS)
def test_4_2_1_3_every_member_of_a_connection_is_there(consumer: Peer, product: Product, gap: str) -> None:
    found = wanted(consumer, product)
    *way, last = gap.split(".")
    place = found["grants"][0]["data"]
    for step in way:
        place = place[step]
    del place[last]
    turned_down(consumer.submit(found, product.manager_address))


@pytest.mark.parametrize("service", ["SERVICE_TYPE_DELEGATED_SERVICE", "SERVICE_TYPE_X", ""])
def test_4_2_1_3_the_type_of_a_service_fits_it(consumer: Peer, product: Product, service: str) -> None:
    found = wanted(consumer, product)
    found["grants"][0]["data"]["service"]["type"] = service
    turned_down(consumer.submit(found, product.manager_address))


def test_4_2_1_4_a_delegated_connection_has_a_delegator(consumer: Peer, product: Product) -> None:
    found = wanted(consumer, product, type="GRANT_TYPE_DELEGATED_SERVICE_CONNECTION")
    turned_down(consumer.submit(found, product.manager_address))


@pytest.mark.parametrize("peer_id", ["", "1", "0000000100000000000A", None, 20, "00000001 0000000001"])
def test_4_2_1_a_peer_in_a_grant_is_one(consumer: Peer, product: Product, peer_id: Any) -> None:
    found = wanted(consumer, product, delegator="x")
    found["grants"][0]["data"]["delegator"]["peer_id"] = peer_id
    turned_down(consumer.submit(found, product.manager_address))


@pytest.mark.parametrize(
    "missing", ["fsc_version", "iv", "group_id", "validity", "grants", "hash_algorithm", "created_at"]
)
@holds("core-4.2.1-hash-algorithm")
def test_4_2_1_every_member_is_there(consumer: Peer, product: Product, missing: str) -> None:
    found = {name: value for name, value in wanted(consumer, product).items() if name != missing}
    turned_down(consumer.submit(found, product.manager_address))


@holds("core-4.2.1.3-provider")
def test_4_2_1_3_a_connection_to_a_third_peer_is_not_taken(
    consumer: Peer, product: Product, other_peer: Peer
) -> None:
    grant = connection(consumer.id, consumer.outway_identity.public_key_thumbprint, other_peer.id, "echo")
    answer = consumer.submit(content(product.group, grant), product.manager_address)
    refused(answer, "ERROR_CODE_RECEIVING_PEER_NOT_PART_OF_CONTRACT")


@holds("core-4.2.1.3-consumer")
def test_4_2_1_3_a_connection_is_offered_by_a_peer_in_it(
    consumer: Peer, product: Product, other_peer: Peer
) -> None:
    grant = connection(other_peer.id, other_peer.outway_identity.public_key_thumbprint, product.id, "echo")
    answer = consumer.submit(content(product.group, grant), product.manager_address)
    refused(answer, "ERROR_CODE_SUBMITTING_PEER_NOT_PART_OF_CONTRACT")


@holds("core-4.2.1.3-offered")
def test_4_2_1_3_the_service_is_offered(consumer: Peer, product: Product) -> None:
    turned_down(consumer.submit(wanted(consumer, product, service="bestaat-niet"), product.manager_address))


@pytest.mark.parametrize("thumbprint", [None, "", "ab" * 31, "AB" * 32, "zz" * 32, 5])
@holds("core-4.2.1.3-thumbprint")
def test_4_2_1_3_an_outway_with_a_key_has_its_thumbprint(
    consumer: Peer, product: Product, thumbprint: Any
) -> None:
    found = wanted(consumer, product)
    found["grants"][0]["data"]["outway"]["identification"] = {
        "type": BY_THUMBPRINT,
        "public_key_thumbprint": thumbprint,
    }
    turned_down(consumer.submit(found, product.manager_address))


@pytest.mark.parametrize(
    "identification", [{"type": BY_DOMAIN}, {"type": BY_DOMAIN, "domain_name": ""}, {"type": "X"}, {}]
)
@holds("core-4.2.1.3-domain")
def test_4_2_1_3_an_outway_with_a_domain_has_its_name(
    consumer: Peer, product: Product, identification: Json
) -> None:
    found = wanted(consumer, product)
    found["grants"][0]["data"]["outway"]["identification"] = identification
    turned_down(consumer.submit(found, product.manager_address))


@pytest.mark.parametrize("properties", [[], "x", 1, None, True])
@holds("core-4.2.2.1-object")
def test_4_2_2_1_properties_are_an_object(consumer: Peer, product: Product, properties: Any) -> None:
    turned_down(consumer.submit(wanted(consumer, product, properties=properties), product.manager_address))


def test_4_2_2_2_properties_larger_than_a_megabyte_are_refused(consumer: Peer, product: Product) -> None:
    found = wanted(consumer, product, properties={"x": "a" * (1024 * 1024 + 1)})
    turned_down(consumer.submit(found, product.manager_address))


@pytest.mark.parametrize("kind", ["GRANT_TYPE_X", "", None, 2, ["GRANT_TYPE_SERVICE_CONNECTION"]])
def test_4_2_1_a_grant_of_an_unknown_type_is_refused(consumer: Peer, product: Product, kind: Any) -> None:
    turned_down(consumer.submit(wanted(consumer, product, type=kind), product.manager_address))


@pytest.mark.parametrize("name", ["", "a b", "é", "a/b", "x" * 101, "a\n"])
@holds("core-4.2.1.1-name")
def test_4_2_1_1_a_service_has_a_name_that_is_allowed(consumer: Peer, product: Product, name: str) -> None:
    turned_down(
        consumer.submit(
            content(product.group, publication(product.id, consumer.id, name)), product.manager_address
        )
    )


def raw(found: Json, signature: str, old: str, new: str) -> bytes:
    """The bytes of a submission in which one text is replaced by another."""
    text = json.dumps({"content": found, "signature": signature})
    assert old in text
    return text.replace(old, new, 1).encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"group_id"', '"group_id": "andere-groep", "group_id"'),
        ('"peer_id"', '"peer_id": "00000001999999999999", "peer_id"'),
        ('"created_at": 1', '"created_at": 1, "created_at": 1'),
        ('"fsc_version"', '"x": "\\ud800", "fsc_version"'),
        ('"fsc_version"', '"x": 12345678901234567890123, "fsc_version"'),
        ('"fsc_version"', '"x": NaN, "fsc_version"'),
        ('"fsc_version"', '"x": 1e999, "fsc_version"'),
        ('"fsc_version"', '"x": 01, "fsc_version"'),
        ('"content"', '"content": {}, "content"'),
        ('"signature"', '"signature": "x", "signature"'),
    ],
)
@holds("core-4.1.8-json")
def test_4_1_8_what_is_no_i_json_is_refused(consumer: Peer, product: Product, old: str, new: str) -> None:
    found = wanted(consumer, product)
    payload = raw(found, consumer.statement(found), old, new)
    turned_down(consumer.ask("POST", product.manager_address + "/v1/contracts", payload))


@pytest.mark.parametrize(
    "payload", [b"", b"{", b"[]", b"null", b'"x"', b"\xff\xfe", b"{}", b'{"content": 1, "signature": 2}']
)
@holds("core-4.1.8-json")
def test_4_1_8_what_is_no_submission_is_refused(consumer: Peer, product: Product, payload: bytes) -> None:
    turned_down(consumer.ask("POST", product.manager_address + "/v1/contracts", payload))


def test_4_1_8_unknown_members_are_hashed_and_kept(consumer: Peer, product: Product) -> None:
    found = {**wanted(consumer, product), "a_later_member": {"é": [1.5, 1e21, -0.0, None, {"b": 1, "a": 2}]}}
    assert consumer.submit(found, product.manager_address).status == 201
    listed = json.loads(consumer.ask("GET", product.manager_address + "/v1/contracts?limit=1000").body)[
        "contracts"
    ]
    assert content_hash(found) in {content_hash(one["content"]) for one in listed}


def test_the_older_name_of_the_content_is_understood(consumer: Peer, product: Product) -> None:
    found = wanted(consumer, product)
    payload = {"contract_content": found, "signature": consumer.statement(found)}
    assert consumer.ask("POST", product.manager_address + "/v1/contracts", payload).status == 201


@pytest.mark.parametrize(
    "address", ["", "http://127.30.0.1:8443", "https://127.30.0.1", "https://", "x", "https://a:8443/\u00e9"]
)
def test_4_4_4_a_manager_address_is_https_with_a_port(consumer: Peer, product: Product, address: str) -> None:
    found = wanted(consumer, product)
    turned_down(consumer.submit(found, product.manager_address, address=address))

"""Core 2.0.0 sections 3.2.1, 4.2.1.1 to 4.2.1.4 and 4.4.1.2: from offer to end, with two, three and four peers.

What state a contract is in at the product is seen from what it then does: give a token or not, list a service or not.
"""

import time

import pytest
from tests.fsc.authority import peer_id
from tests.fsc.jcs import content_hash
from tests.fsc.manager import drops, fails
from tests.fsc.meeting import body, consuming, held, introduced, providing, settled, wanted
from tests.fsc.musts import holds
from tests.fsc.papers import connection, content
from tests.fsc.peer import Peer
from tests.fsc.product import Product
from tests.fsc.wire import until

pytestmark = pytest.mark.fsc


def gives_token(peer: Peer, product: Product, grant: str) -> bool:
    """Whether the product gives this peer a token for a grant."""
    answer = peer.outway.token(grant, product.manager_address)
    assert answer.status in (200, 400), answer.body
    return answer.status == 200


@holds("core-4.2.1.3-signatures", "core-3.2.1-accepted", "core-4.4.1.2-support")
def test_3_2_1_a_connection_is_valid_once_both_accepted(peer: Peer, product: Product) -> None:
    introduced(peer, product)
    contract = peer.propose(wanted(peer, product))
    grant = next(iter(contract.grants()))
    assert product.state(contract.hash) == "proposed"
    assert not gives_token(peer, product, grant)
    product.accept(contract.hash)
    until(lambda: contract.state() == "valid", "the product's accept arrives")
    assert gives_token(peer, product, grant)


@holds("core-3.2.1-revoked")
@pytest.mark.parametrize("who", ["peer", "product"])
def test_3_2_1_a_revoked_contract_is_invalid_at_once(peer: Peer, product: Product, who: str) -> None:
    contract, grant = consuming(peer, product)
    if who == "peer":
        assert peer.put("revoke", contract.content, product.manager_address).status == 201
    else:
        product.revoke(contract.hash)
    assert not gives_token(peer, product, grant)
    assert product.state(contract.hash) == "revoked"


@holds("core-3.2.1-rejected")
@pytest.mark.parametrize("who", ["peer", "product"])
def test_3_2_1_a_rejected_contract_never_becomes_valid(peer: Peer, product: Product, who: str) -> None:
    introduced(peer, product)
    contract = peer.propose(wanted(peer, product))
    if who == "peer":
        assert peer.put("reject", contract.content, product.manager_address).status == 201
    else:
        product.reject(contract.hash)
    assert product.state(contract.hash) == "rejected"
    assert not gives_token(peer, product, next(iter(contract.grants())))


@holds("core-3.2.1-rejected")
def test_3_2_1_an_accept_after_a_reject_changes_nothing(peer: Peer, product: Product) -> None:
    introduced(peer, product)
    contract = peer.propose(wanted(peer, product))
    product.reject(contract.hash)
    peer.put("accept", contract.content, product.manager_address)
    assert product.state(contract.hash) == "rejected"


@holds("core-3.2.1-expired")
def test_3_2_1_a_contract_ends_with_its_validity(peer: Peer, product: Product) -> None:
    now = int(time.time())
    introduced(peer, product)
    found = {**wanted(peer, product), "validity": {"not_before": now - 5, "not_after": now + 3}}
    _, grant = settled(peer, product, found)
    assert gives_token(peer, product, grant)
    time.sleep(max(0.0, now + 4.1 - time.time()))
    assert not gives_token(peer, product, grant)
    assert product.state(content_hash(found)) == "expired"


@holds("core-3.2.1-expired")
def test_3_2_1_a_contract_begins_with_its_validity(peer: Peer, product: Product) -> None:
    now = int(time.time())
    introduced(peer, product)
    contract = peer.propose(
        {**wanted(peer, product), "validity": {"not_before": now + 600, "not_after": now + 3600}}
    )
    product.accept(contract.hash)
    until(lambda: product.id in contract.signatures["accept"], "the product's accept arrives")
    assert not gives_token(peer, product, next(iter(contract.grants())))


@holds("core-3.2.1-immutable")
def test_3_2_1_content_comes_back_as_it_was_sent(peer: Peer, product: Product) -> None:
    introduced(peer, product)
    contract = peer.propose(wanted(peer, product, properties={"b": [2, 1], "a": {"z": 1, "y": 2}}))
    shown = held(peer, product.manager_address, contract.hash)
    assert shown
    assert shown["content"] == contract.content
    assert set(shown["signatures"]) == {"accept", "reject", "revoke"}
    assert shown["signatures"]["accept"] == contract.signatures["accept"]


@holds("core-4.2.1.4-signatures", "core-4.2.1.4-peers", "core-4.4.1.3-propagate")
def test_4_2_1_4_a_delegated_connection_needs_three_signatures(
    peer: Peer, product: Product, other_peer: Peer
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
    hash_ = next(iter(contract.grants()))
    product.accept(contract.hash)
    until(
        lambda: product.id in other_peer.contracts[contract.hash].signatures["accept"],
        "the accept reaches the delegator",
    )
    assert not gives_token(peer, product, hash_)
    other_peer.say(contract.hash, "accept")
    assert gives_token(peer, product, hash_)


@holds("core-4.2.1.4-signatures", "core-4.2.1.4-peers")
def test_4_2_1_4_four_peers_sign_when_the_service_is_delegated_too(
    peer: Peer, product: Product, other_peer: Peer, third_peer: Peer
) -> None:
    grant = connection(
        peer.id,
        peer.outway_identity.public_key_thumbprint,
        product.id,
        "echo",
        delegator=other_peer.id,
        publisher=third_peer.id,
    )
    contract, hash_ = settled(peer, product, content(product.group, grant), other_peer, third_peer)
    assert len(contract.signatures["accept"]) == 4
    assert gives_token(peer, product, hash_)


@holds("core-4.2.1.4-peers")
def test_4_2_1_4_the_delegator_may_offer_the_contract(peer: Peer, product: Product, other_peer: Peer) -> None:
    introduced(other_peer, product)
    introduced(peer, product)
    grant = connection(
        peer.id, peer.outway_identity.public_key_thumbprint, product.id, "echo", delegator=other_peer.id
    )
    assert other_peer.submit(content(product.group, grant), product.manager_address).status == 201


@holds("core-4.4.1.3-propagate", "core-4.4.4-address")
def test_4_4_1_3_the_product_offers_a_contract_to_every_peer(
    product: Product, peer: Peer, other_peer: Peer
) -> None:
    introduced(peer, product)
    introduced(other_peer, product)
    for one in (peer, other_peer):
        one.accepts = lambda _: True
    peer.known[other_peer.id] = (other_peer.name, other_peer.manager_address)
    other_peer.known[peer.id] = (peer.name, peer.manager_address)
    found = content(
        product.group,
        connection(product.id, product.outway_thumbprint, peer.id, "echo", delegator=other_peer.id),
    )
    found = product.propose(found)
    hash_ = content_hash(found)
    until(lambda: product.state(hash_) == "valid", "all three signed")
    for one in (peer, other_peer):
        sent = [
            request
            for request in one.manager.script.seen
            if request.method in ("POST", "PUT") and "token" not in request.target
        ]
        assert any(request.target == "/v1/contracts" for request in sent)
        assert {
            request.header("Fsc-Manager-Address")
            for request in sent
            if request.client and _from(request, product)
        } == {product.manager_address}


def _from(request: object, product: Product) -> bool:
    return peer_id(request.client) == product.id  # type: ignore[attr-defined]


def test_a_push_that_fails_is_tried_again(product: Product, peer: Peer) -> None:
    introduced(peer, product)
    peer.accepts = lambda _: True
    peer.manager.script.then(fails(503), path="contracts").then(drops, path="contracts")
    found = content(product.group, connection(product.id, product.outway_thumbprint, peer.id, "echo"))
    found = product.propose(found)
    hash_ = content_hash(found)
    until(lambda: product.state(hash_) == "valid", "valid after two failures", 30)
    assert (
        sum(
            request.target == "/v1/contracts" and request.method == "POST"
            for request in peer.manager.script.seen
        )
        >= 3
    )


def test_a_peer_that_was_away_is_told_when_it_is_back(product: Product, peer: Peer) -> None:
    contract, _ = consuming(peer, product)
    peer.away()
    product.revoke(contract.hash)
    time.sleep(1)
    peer.back()
    until(lambda: contract.state() == "revoked", "the revocation arrives", 30)


def test_an_accept_that_was_lost_is_fetched(product: Product, peer: Peer) -> None:
    """The peer signs but never tells: the product finds the signature in the peer's list (reconciliation)."""
    introduced(peer, product)
    found = content(product.group, connection(product.id, product.outway_thumbprint, peer.id, "echo"))
    found = product.propose(found)
    hash_ = content_hash(found)
    until(lambda: hash_ in peer.contracts, "the contract arrives")
    peer.contracts[hash_].signatures["accept"][peer.id] = peer.statement(found)
    product.reconcile()
    until(lambda: product.state(hash_) == "valid", "the accept is fetched", 30)


def test_what_the_product_knows_survives_a_restart(product_alone: Product, peer: Peer) -> None:
    product = product_alone
    contract, grant = consuming(peer, product)
    product.restart()
    assert product.state(contract.hash) == "valid"
    assert gives_token(peer, product, grant)


@holds("core-4.4.1.2-persist", "core-4.4.1.9-persist")
def test_4_4_1_2_peers_survive_a_restart(product_alone: Product, peer: Peer, other_peer: Peer) -> None:
    product = product_alone
    introduced(other_peer, product)
    assert peer.submit(wanted(peer, product), product.manager_address).status == 201
    product.restart()
    listed = body(peer.ask("GET", product.manager_address + "/v1/peers"))["peers"]
    rows = {(one["id"], one["name"], one["manager_address"]) for one in listed}
    assert rows >= {(one.id, one.name, one.manager_address) for one in (peer, other_peer)}


def test_both_directions_at_once(product: Product, peer: Peer) -> None:
    _, use = consuming(peer, product)
    hash_, _ = providing(product, peer)
    assert gives_token(peer, product, use)
    assert peer.contracts[hash_].state() == "valid"

"""Certificates in the life of a group: revoked (group rules, Core 2.0.0 section 1.3.2) and renewed (section 4.2.7)."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.fsc import jose
from tests.fsc.authority import Authority
from tests.fsc.conftest import next_oin
from tests.fsc.meeting import consuming, held, introduced, providing, refused, wanted
from tests.fsc.musts import holds
from tests.fsc.papers import uuid7
from tests.fsc.peer import Peer, echo
from tests.fsc.product import Product
from tests.fsc.wire import Caller, until

pytestmark = pytest.mark.fsc


@pytest.fixture
def listed(authority: Authority, tmp_path: Path) -> Iterator[Product]:
    """The product with a revocation list on which nobody stands yet."""
    with Product(
        authority, tmp_path, next_oin(), "Ministerie van Verzinsels", crl=authority.revocations()
    ) as product:
        yield product


def test_nobody_on_the_list_means_everybody_comes_in(peer: Peer, listed: Product) -> None:
    _, grant = consuming(peer, listed)
    assert peer.call(grant, listed.manager_address).status == 200


def test_a_revoked_certificate_does_not_come_in_at_the_manager(peer: Peer, listed: Product) -> None:
    introduced(peer, listed)
    peer.authority.revocations(peer.signing)
    listed.read_revocations()
    with pytest.raises((OSError, EOFError)):
        peer.ask("GET", listed.manager_address + "/v1/peer")


def test_a_revoked_certificate_does_not_come_in_at_the_inway(peer: Peer, listed: Product) -> None:
    _, grant = consuming(peer, listed)
    token = peer.outway.access(grant, listed.manager_address)
    peer.authority.revocations(peer.outway_identity)
    listed.read_revocations()
    with pytest.raises((OSError, EOFError)):
        peer.outway.send(token)
    assert [request.target for request in listed.upstream.script.seen] == []


def test_a_certificate_revoked_during_a_connection_is_refused_on_it(peer: Peer, listed: Product) -> None:
    """The connection is open already: the handshake will not say it again."""
    _, grant = consuming(peer, listed)
    token = peer.outway.access(grant, listed.manager_address)
    headers = [("Fsc-Authorization", f"Bearer {token}")]
    with peer.outway.connect(listed.inway_address) as connection:
        assert connection.ask("GET", "/", [*headers, ("Fsc-Transaction-Id", uuid7())]).status == 200
        peer.authority.revocations(peer.outway_identity)
        listed.read_revocations()
        answer = connection.ask("GET", "/", [*headers, ("Fsc-Transaction-Id", uuid7())])
    refused(answer, "ERROR_CODE_ACCESS_TOKEN_INVALID", 401, "ERROR_DOMAIN_INWAY")


def test_a_certificate_revoked_during_a_connection_gets_no_token_on_it(peer: Peer, listed: Product) -> None:
    introduced(peer, listed)
    with Caller(listed.manager_address, peer.signing, peer.authority) as caller:
        assert caller.ask("GET", "/v1/peer").status == 200
        peer.authority.revocations(peer.signing)
        listed.read_revocations()
        refused(caller.ask("GET", "/v1/peer"), "ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED")


def test_a_revoked_certificate_signs_nothing(peer: Peer, listed: Product) -> None:
    introduced(peer, listed)
    found = wanted(peer, listed)
    other = peer.authority.issue(peer.id, peer.name, ["tekent.test"])
    peer.published_keys = [other]
    peer.authority.revocations(other)
    listed.read_revocations()
    answer = peer.submit(found, listed.manager_address, signature=peer.statement(found, identity=other))
    refused(answer, "ERROR_CODE_SIGNATURE_VERIFICATION_FAILED")


def test_nothing_is_sent_to_an_inway_whose_certificate_is_revoked(peer: Peer, listed: Product) -> None:
    _, grant = providing(listed, peer)
    peer.authority.revocations(peer.inway_identity)
    listed.read_revocations()
    answer = listed.app("GET", "/", [("Fsc-Grant-Hash", grant)], None)
    assert answer.status >= 500
    assert answer.header("Fsc-Error-Code")
    assert peer.inway.script.seen == []


@holds("core-4.2.7-verifiable", "core-4.2.7-again")
def test_4_2_7_a_contract_ends_with_a_certificate_under_it_until_it_is_signed_again(
    peer: Peer, listed: Product
) -> None:
    contract, grant = consuming(peer, listed)
    token = peer.outway.access(grant, listed.manager_address)
    assert peer.outway.send(token).status == 200
    peer.authority.revocations(peer.signing)  # the outway's own certificate is as good as before
    listed.read_revocations()
    until(lambda: listed.state(contract.hash) == "proposed", "what hangs on it is not valid any more")
    refused(peer.outway.send(token), "ERROR_CODE_ACCESS_TOKEN_INVALID", 401, "ERROR_DOMAIN_INWAY")
    answer = peer.outway.token(grant, listed.manager_address)
    assert (answer.status, json.loads(answer.body)["error"]) == (400, "invalid_grant")

    peer.signing = peer.authority.issue(peer.id, peer.name, [peer.manager_host])
    peer.published_keys = [peer.signing]
    peer.away()
    peer.back()  # with it
    until(lambda: peer.put("accept", contract.content, listed.manager_address).status == 201, "it is taken")
    assert listed.state(contract.hash) == "valid"
    assert peer.outway.send(token).status == 200


def test_a_renewed_certificate_signs_again_what_the_old_one_signed(
    peer: Peer, product_alone: Product
) -> None:
    product = product_alone
    contract, grant = consuming(peer, product)
    before = contract.signatures["accept"][product.id]
    product.renew()
    until(lambda: contract.signatures["accept"][product.id] != before, "the accept comes again")
    header, payload, _, _ = jose.parts(contract.signatures["accept"][product.id])
    assert header["x5t#S256"] == product.signing.thumbprint
    assert (payload["type"], payload["contract_content_hash"]) == ("accept", contract.hash)
    assert product.state(contract.hash) == "valid"
    assert peer.outway.token(grant, product.manager_address).status == 200


def test_a_renewed_accept_replaces_the_old_one(peer: Peer, product: Product) -> None:
    contract, grant = consuming(peer, product)
    peer.signing = peer.authority.issue(peer.id, peer.name, [peer.manager_host], key=peer.signing.key)
    peer.published_keys = [peer.signing]
    until(lambda: peer.put("accept", contract.content, product.manager_address).status == 201, "it is taken")
    shown = held(peer, product.manager_address, contract.hash)
    assert shown
    header, _, _, _ = jose.parts(shown["signatures"]["accept"][peer.id])
    assert header["x5t#S256"] == peer.signing.thumbprint
    assert peer.outway.token(grant, product.manager_address).status == 200


@pytest.mark.parametrize("key", ["RSA-2048", "RSA-3072", "P-384", "P-521"])
def test_the_product_signs_with_every_kind_of_key(
    authority: Authority, tmp_path: Path, peer: Peer, key: str
) -> None:
    with Product(authority, tmp_path, next_oin(), "Ministerie van Verzinsels", key=key) as product:
        contract, grant = consuming(peer, product)
        (certificate, *_) = product.certificates(peer)
        for signed in (
            contract.signatures["accept"][product.id],
            peer.outway.access(grant, product.manager_address),
        ):
            assert jose.verify(signed, certificate)
        assert peer.call(grant, product.manager_address).status == 200


@holds("core-4.1.5-anchors")
def test_4_1_5_every_anchor_of_the_group_counts(tmp_path: Path) -> None:
    """Two anchors, a peer under each: contract, token and call pass between them."""
    one, two = Authority(tmp_path / "one", "Een"), Authority(tmp_path / "two", "Twee", intermediate=False)
    one.accept(two)
    two.accept(one)
    with (
        Product(one, tmp_path / "product", next_oin(), "Ministerie van Verzinsels") as product,
        Peer(two, next_oin(), "Onder het andere anker") as peer,
    ):
        peer.services["echo"] = echo
        _, grant = consuming(peer, product)
        assert peer.call(grant, product.manager_address).status == 200
        _, back = providing(product, peer)
        assert product.app("GET", "/", [("Fsc-Grant-Hash", back)], None).status == 200


def test_the_product_shows_the_keys_of_both_certificates(peer: Peer, product_alone: Product) -> None:
    """What was signed with the old certificate can still be verified."""
    product = product_alone
    consuming(peer, product)
    old = product.signing.thumbprint
    product.renew()
    keys = {json.dumps(key["x5c"]): key for key in peer.keys_of(product.id)}
    shown = {key.get("x5t#S256", key.get("x5t#s256")) for key in keys.values()}
    assert shown >= {old, product.signing.thumbprint}

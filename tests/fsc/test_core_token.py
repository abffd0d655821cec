"""Core 2.0.0 sections 4.3 and 4.4.1.6: who gets a token, and what is in it."""

import json
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from tests.fsc import jose
from tests.fsc.authority import certificate_thumbprint
from tests.fsc.meeting import body, consuming, introduced, providing, settled
from tests.fsc.musts import holds
from tests.fsc.papers import Json, connection, content, publication
from tests.fsc.peer import Peer
from tests.fsc.product import Product
from tests.fsc.wire import Caller, Response

pytestmark = pytest.mark.fsc

OAUTH = {
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
}


def denied(answer: Response, *errors: str) -> None:
    """An error as RFC 6749 section 5.2 says."""
    assert answer.status == 400, (answer.status, answer.body)
    found = body(answer)
    assert found["error"] in (errors or OAUTH), found
    assert (answer.header("Content-Type") or "").startswith("application/json")


def claims(peer: Peer, product: Product, grant: str) -> Json:
    """The claims of a token, after its signature is checked with the keys the product publishes."""
    answer = peer.outway.token(grant, product.manager_address)
    assert answer.status == 200, answer.body
    found = body(answer)
    assert found["token_type"].lower() == "bearer"
    return verified(peer, product, found["access_token"])[1]


def verified(peer: Peer, product: Product, token: str) -> tuple[Json, Json]:
    header, _, _, _ = jose.parts(token)
    certificate = next(
        one for one in product.certificates(peer) if certificate_thumbprint(one) == header["x5t#S256"]
    )
    return header, jose.verify(token, certificate)


@holds("core-4.4.1.6-token", "core-4.3.1-claims", "core-4.4.1.6-cnf", "core-4.4.1.6-aud", "core-4.3.1-aud")
def test_4_3_1_a_token_says_who_may_do_what_where(peer: Peer, product: Product) -> None:
    _, grant = consuming(peer, product)
    found = claims(peer, product, grant)
    assert found["gth"] == grant
    assert found["gid"] == product.group
    assert (found["sub"], found["iss"], found["svc"]) == (peer.id, product.id, "echo")
    assert found["cnf"] == {"x5t#S256": peer.outway_identity.thumbprint}
    assert found["aud"] == product.inway_address
    aud = urlsplit(found["aud"])
    assert (aud.scheme, aud.port) in {("https", 443), ("https", 8443)}
    assert isinstance(found["exp"], int)
    assert isinstance(found["nbf"], int)
    assert found["nbf"] <= time.time() + 1 < found["exp"]
    assert "act" not in found
    assert "pdi" not in found
    assert "prp" not in found


@holds("core-4.3-thumbprint", "core-4.3-algorithms", "core-4.1.6.2-thumbprints")
def test_4_3_a_token_is_signed_with_a_published_key(peer: Peer, product: Product) -> None:
    _, grant = consuming(peer, product)
    header, _ = verified(peer, product, peer.outway.access(grant, product.manager_address))
    assert header["alg"] in jose.ALGORITHMS
    assert "x5t#S256" in header


def test_a_token_lives_no_longer_than_a_minute(peer: Peer, product: Product) -> None:
    """Where a revocation does not reach, it bites when the token ends."""
    _, grant = consuming(peer, product)
    assert claims(peer, product, grant)["exp"] <= time.time() + 61


@holds("core-4.2.2.1-token", "core-4.4.1.6-prp")
def test_4_4_1_6_properties_are_in_prp(peer: Peer, product: Product) -> None:
    properties = {"doel": "fictief", "n": [1, 2.5, None], "o": {"é": True}}
    _, grant = consuming(peer, product, properties=properties)
    assert claims(peer, product, grant)["prp"] == properties


@holds("core-4.4.1.6-act")
def test_4_4_1_6_a_delegated_connection_has_act(peer: Peer, product: Product, other_peer: Peer) -> None:
    _, grant = consuming(peer, product, other_peer, delegator=other_peer.id)
    found = claims(peer, product, grant)
    assert (found["sub"], found["act"]) == (peer.id, {"sub": other_peer.id})


@holds("core-4.4.1.6-pdi")
def test_4_4_1_6_a_service_on_behalf_of_another_has_pdi(
    peer: Peer, product: Product, other_peer: Peer
) -> None:
    _, grant = consuming(peer, product, other_peer, publisher=other_peer.id)
    found = claims(peer, product, grant)
    assert (found["pdi"], "act" in found) == (other_peer.id, False)


@holds("core-4.4.1.6-scope")
def test_4_4_1_6_scope_is_a_grant_of_a_valid_contract(peer: Peer, product: Product) -> None:
    contract, grant = consuming(peer, product)
    for scope in (
        contract.hash,
        "x",
        "",
        grant[:-1] + ("A" if grant[-1] != "A" else "B"),
        grant.replace("$1$3$", "$1$4$"),
        "a" * 5000,
    ):
        denied(peer.outway.token(scope, product.manager_address))


@holds("core-4.4.1.6-scope")
def test_4_4_1_6_a_publication_gives_no_token(peer: Peer, product: Product) -> None:
    introduced(peer, product)
    contract = peer.propose(content(product.group, publication(product.id, peer.id, "dienst")))
    product.accept(contract.hash)
    denied(peer.outway.token(next(iter(contract.grants())), product.manager_address))


@holds("core-4.4.1.6-client")
def test_4_4_1_6_client_id_is_the_peer_of_the_certificate(
    peer: Peer, product: Product, other_peer: Peer
) -> None:
    _, grant = consuming(peer, product)
    for client in (other_peer.id, product.id, "", "x"):
        denied(peer.outway.token(grant, product.manager_address, client_id=client))


@holds("core-4.4.1.6-outway")
def test_4_4_1_6_another_peer_gets_no_token(peer: Peer, product: Product, other_peer: Peer) -> None:
    _, grant = consuming(peer, product)
    denied(other_peer.outway.token(grant, product.manager_address))
    denied(other_peer.outway.token(grant, product.manager_address, client_id=peer.id))


@holds("core-4.4.1.6-outway")
def test_4_4_1_6_the_delegator_itself_gets_no_token(peer: Peer, product: Product, other_peer: Peer) -> None:
    _, grant = consuming(peer, product, other_peer, delegator=other_peer.id)
    denied(other_peer.outway.token(grant, product.manager_address))


@holds("core-4.4.1.6-outway")
def test_4_4_1_6_the_key_of_the_outway_makes_no_other_peer_its_owner(
    peer: Peer, product: Product, other_peer: Peer
) -> None:
    """A certificate of the delegator for the very key in the grant: the key fits, the peer does not."""
    _, grant = consuming(peer, product, other_peer, delegator=other_peer.id)
    shared = peer.authority.issue(
        other_peer.id, other_peer.name, ["gedeeld.test"], key=peer.outway_identity.key
    )
    fields = {"grant_type": "client_credentials", "scope": grant, "client_id": other_peer.id}
    denied(other_peer.form(product.manager_address + "/v1/token", fields, identity=shared))


@holds("core-4.4.1.6-key")
def test_4_4_1_6_another_key_of_the_same_peer_gets_no_token(peer: Peer, product: Product) -> None:
    _, grant = consuming(peer, product)
    fields = {"grant_type": "client_credentials", "scope": grant, "client_id": peer.id}
    denied(peer.form(product.manager_address + "/v1/token", fields, identity=peer.signing))


@holds("core-4.4.1.6-key", "core-4.4.1.6-cnf", "core-4.1.6.2-thumbprints")
def test_4_4_1_6_a_renewed_certificate_with_the_same_key_gets_one(peer: Peer, product: Product) -> None:
    _, grant = consuming(peer, product)
    renewed = peer.authority.issue(peer.id, peer.name, [peer.outway_domain], key=peer.outway_identity.key)
    peer.outway_identity = renewed
    assert claims(peer, product, grant)["cnf"] == {"x5t#S256": renewed.thumbprint}


@holds("core-4.4.1.6-domain", "core-4.2.1.3-domain")
def test_4_4_1_6_an_outway_known_by_domain_shows_that_domain(peer: Peer, product: Product) -> None:
    introduced(peer, product)
    found = content(product.group, connection(peer.id, None, product.id, "echo", domain=peer.outway_domain))
    _, grant = settled(peer, product, found)
    assert claims(peer, product, grant)["cnf"] == {"x5t#S256": peer.outway_identity.thumbprint}
    fields = {"grant_type": "client_credentials", "scope": grant, "client_id": peer.id}
    denied(peer.form(product.manager_address + "/v1/token", fields, identity=peer.signing))


@holds("core-4.4.1.6-domain")
@pytest.mark.parametrize(
    "name", ["outway.{oin}.fsc.test.kwaad.test", "{oin}.fsc.test", "xoutway.{oin}.fsc.test"]
)
def test_4_4_1_6_a_domain_that_looks_like_it_is_not_it(peer: Peer, product: Product, name: str) -> None:
    introduced(peer, product)
    found = content(product.group, connection(peer.id, None, product.id, "echo", domain=peer.outway_domain))
    _, grant = settled(peer, product, found)
    other = peer.authority.issue(peer.id, peer.name, ["a.test", name.format(oin=peer.id)])
    fields = {"grant_type": "client_credentials", "scope": grant, "client_id": peer.id}
    denied(peer.form(product.manager_address + "/v1/token", fields, identity=other))


@holds("core-4.4.1.6-provider")
def test_4_4_1_6_a_service_of_another_peer_gets_no_token_here(peer: Peer, product: Product) -> None:
    """The contract is valid and the product is in it, but as consumer."""
    _, grant = providing(product, peer)
    denied(peer.outway.token(grant, product.manager_address))


@holds("core-4.4.1.6-offered")
def test_4_4_1_6_a_service_that_is_no_longer_offered_gets_no_token(
    peer: Peer, product_alone: Product
) -> None:
    _, grant = consuming(peer, product_alone)
    product_alone.withdraw("echo")
    denied(peer.outway.token(grant, product_alone.manager_address))


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"grant_type": "password"}, {"unsupported_grant_type"}),
        ({"grant_type": "authorization_code"}, {"unsupported_grant_type"}),
        ({"grant_type": None}, {"invalid_request", "unsupported_grant_type"}),
        ({"scope": None}, {"invalid_request", "invalid_scope"}),
        ({"client_id": None}, {"invalid_request", "invalid_client"}),
    ],
)
@holds("core-4.4.5.1-oauth")
def test_4_4_5_1_errors_are_those_of_oauth(
    peer: Peer, product: Product, fields: dict[str, Any], error: set[str]
) -> None:
    _, grant = consuming(peer, product)
    good = {"grant_type": "client_credentials", "scope": grant, "client_id": peer.id}
    sent = {name: value for name, value in {**good, **fields}.items() if value is not None}
    denied(peer.form(product.manager_address + "/v1/token", sent), *error)


@holds("core-4.4.5.1-oauth")
@pytest.mark.parametrize(
    "payload",
    [b"", b"{}", b"\xff=\xff", b"&&&==", b"grant_type=client_credentials&grant_type=client_credentials"],
)
def test_4_4_5_1_a_body_that_is_no_form_is_an_invalid_request(
    peer: Peer, product: Product, payload: bytes
) -> None:
    headers = [("Content-Type", "application/x-www-form-urlencoded")]
    with Caller(product.manager_address, peer.outway_identity, peer.authority) as caller:
        denied(caller.ask("POST", "/v1/token", headers, payload))


@holds("core-4.4.5.1-oauth")
def test_4_4_5_1_a_field_twice_is_an_invalid_request(peer: Peer, product: Product) -> None:
    _, grant = consuming(peer, product)
    fields = [("grant_type", "client_credentials"), ("scope", "x"), ("scope", grant), ("client_id", peer.id)]
    headers = [("Content-Type", "application/x-www-form-urlencoded")]
    with Caller(product.manager_address, peer.outway_identity, peer.authority) as caller:
        denied(caller.ask("POST", "/v1/token", headers, urlencode(fields).encode()), "invalid_request")


def test_a_token_may_not_be_kept_by_caches(peer: Peer, product: Product) -> None:
    """RFC 6749 section 5.1."""
    _, grant = consuming(peer, product)
    answer = peer.outway.token(grant, product.manager_address)
    assert answer.status == 200
    assert "no-store" in (answer.header("Cache-Control") or "")
    assert json.loads(answer.body)["access_token"]

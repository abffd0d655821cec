"""Core 2.0.0 section 4.6: how the product's Outway goes to a service of the peer of the tests."""

import json
import time
from collections.abc import Callable

import pytest
from tests.fsc import jose
from tests.fsc.authority import Authority, certificate_thumbprint, peer_id, public_key_thumbprint
from tests.fsc.jcs import content_hash, grant_hash
from tests.fsc.manager import drops, fails, garbage, garbled_json
from tests.fsc.meeting import body, introduced, providing, refused
from tests.fsc.musts import holds
from tests.fsc.papers import Json, connection, content
from tests.fsc.peer import Peer
from tests.fsc.product import Product
from tests.fsc.wire import BadMessage, Caller, Raw, Request, Response, until

pytestmark = pytest.mark.fsc
PLANES = ("process", "nginx")


def app(product: Product, grant: str, method: str = "GET", target: str = "/", **more: object) -> Response:
    """A request of an application to the product's Outway, with the grant in the header OpenFSC has for it."""
    headers = [("Fsc-Grant-Hash", grant), *more.pop("headers", [])]  # type: ignore[misc]
    return product.app(method, target, headers, more.pop("body", None))  # type: ignore[arg-type]


@holds("core-4.6.1.2-header", "core-4.6.1.2-path", "core-4.6.1.2-aud", "core-4.6.1.2-token")
def test_4_6_1_2_a_request_reaches_the_inway_as_it_was_sent(product: Product, peer: Peer) -> None:
    _, grant = providing(product, peer)
    target = "/a%2Fb/../c//d/%7Euser;v=1?x=1&x=2&e=%C3%A9"
    answer = app(product, grant, "POST", target, headers=[("X-Eigen", "ja")], body=b"\x00\xffbody")
    assert answer.status == 200, answer.body
    seen = json.loads(answer.body)
    assert (seen["method"], seen["target"], seen["body"]) == ("POST", target, "\x00\xffbody")
    got = {name.lower(): value for name, value in seen["headers"]}
    assert got["x-eigen"] == "ja"
    scheme, _, token = got["fsc-authorization"].partition(" ")
    assert scheme == "Bearer"
    assert jose.verify(token, peer.signing.certificate)["gth"] == grant


@holds("core-4.6.1.1-mtls", "core-4.6.1.3-token")
def test_4_6_1_3_token_and_request_show_the_same_certificate(product: Product, peer: Peer) -> None:
    _, grant = providing(product, peer)
    assert app(product, grant).status == 200
    (asked,) = (one for one in peer.manager.script.seen if one.target == "/v1/token")
    (came,) = peer.inway.script.seen
    assert asked.client
    assert came.client
    assert certificate_thumbprint(asked.client) == certificate_thumbprint(came.client)
    assert peer_id(came.client) == product.id
    assert public_key_thumbprint(came.client) == product.outway_thumbprint
    fields = dict(pair.split("=") for pair in asked.body.decode().split("&"))
    assert asked.method == "POST"
    assert fields["grant_type"] == "client_credentials"
    assert fields["client_id"] == product.id
    assert fields["scope"].replace("%24", "$") == grant


@holds("core-4.2.1.3-domain")
def test_4_2_1_3_an_outway_may_be_known_by_its_domain(product: Product, peer: Peer) -> None:
    introduced(peer, product)
    peer.accepts = lambda _: True
    grant = connection(product.id, None, peer.id, "echo", domain="localhost")
    found = product.propose(content(product.group, grant))
    until(lambda: product.state(content_hash(found)) == "valid", "valid at the product")
    known = grant_hash(found, found["grants"][0])
    until(lambda: app(product, known).status == 200, "known at the outway")  # which hears of it after


@holds("core-4.6.1.2-token")
def test_a_token_is_used_again_until_it_is_old(product: Product, peer: Peer) -> None:
    _, grant = providing(product, peer)
    for _ in range(5):
        assert app(product, grant).status == 200
    assert sum(one.target == "/v1/token" for one in peer.manager.script.seen) == 1


def test_a_token_is_renewed_before_it_is_old(product: Product, peer: Peer) -> None:
    peer.lasts = 4
    _, grant = providing(product, peer)
    assert app(product, grant).status == 200
    time.sleep(4.2)
    assert app(product, grant).status == 200


def test_a_token_the_inway_no_longer_takes_is_asked_again_or_told(product: Product, peer: Peer) -> None:
    """After a restart of the other side with new keys, the Outway does not hold on to what it has for ever."""
    _, grant = providing(product, peer)
    assert app(product, grant).status == 200
    peer.signing = peer.authority.issue(
        peer.id, peer.name, [f"manager.{peer.id}.fsc.test", peer.manager_host]
    )
    peer.published_keys = [peer.signing]
    until(lambda: app(product, grant).status == 200, "another token is fetched")


@holds("core-4.6.1.2-aud")
def test_4_6_1_2_the_address_is_the_one_in_the_token(product: Product, peer: Peer, other_peer: Peer) -> None:
    """The peer's tokens send to another Inway address; the Outway goes there and nowhere else."""
    _, grant = providing(product, peer)
    peer.inway_address = other_peer.inway_address
    app(product, grant)
    assert peer.inway.script.seen == []
    assert len(other_peer.inway.script.seen) <= 1


def tampered(peer: Peer, **claims: object) -> Callable[[Request], Response]:
    """A token endpoint that gives tokens with other claims."""

    def step(request: Request) -> Response:
        assert request.client
        scope = next(iter(peer.valid_grants()))
        made: Json = {**peer.claims(scope, peer.valid_grants()[scope], request.client), **claims}
        return Response(
            200,
            [("Content-Type", "application/json")],
            json.dumps(
                {
                    "access_token": peer.make_token({k: v for k, v in made.items() if v is not None}),
                    "token_type": "bearer",
                }
            ).encode(),
        )

    return step


@holds("core-4.6.1.2-gid", "core-4.6.1.4-own")
def test_4_6_1_2_a_token_of_another_group_is_not_used(product: Product, peer: Peer) -> None:
    _, grant = providing(product, peer)
    peer.manager.script.then(tampered(peer, gid="andere-groep"), path="token", times=5)
    answer = app(product, grant)
    assert answer.status >= 400
    assert answer.header("Fsc-Error-Code")
    assert body(answer)["domain"] == "ERROR_DOMAIN_OUTWAY"
    assert peer.inway.script.seen == []


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "http://127.30.0.1:443"},
        {"aud": "https://127.30.0.1"},
        {"aud": "x"},
        {"aud": None},
        {"aud": "https://127.30.0.1:22"},
        {"gid": None},
    ],
    ids=str,
)
def test_a_token_that_leads_astray_is_not_used(product: Product, peer: Peer, claims: Json) -> None:
    _, grant = providing(product, peer)
    peer.manager.script.then(tampered(peer, **claims), path="token", times=5)
    answer = app(product, grant)
    assert answer.status >= 400
    assert answer.header("Fsc-Error-Code")
    assert peer.inway.script.seen == []


@pytest.mark.parametrize("step", [garbage, garbled_json, drops, fails(500), fails(404), fails(400)])
def test_a_token_endpoint_that_fails_is_told_to_the_application(
    product: Product, peer: Peer, step: object
) -> None:
    _, grant = providing(product, peer)
    peer.manager.script.then(step, path="token", times=9)  # type: ignore[arg-type]
    answer = app(product, grant)
    assert answer.status >= 400
    refused(answer, str(answer.header("Fsc-Error-Code")), answer.status, "ERROR_DOMAIN_OUTWAY")
    peer.manager.script.steps.clear()
    until(lambda: app(product, grant).status == 200, "a token is fetched again")


@holds("core-4.6.1.4-unaltered")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 429, 500, 503])
def test_4_6_1_4_an_error_of_the_service_passes_unchanged(product: Product, peer: Peer, status: int) -> None:
    _, grant = providing(product, peer)
    headers = [("Content-Type", "application/problem+json"), ("X-Van-De-Dienst", "ja")]
    peer.services["echo"] = lambda _: Response(status, headers, b'{"fout":1}')
    answer = app(product, grant, "POST", body=b"")
    assert (answer.status, answer.body, answer.header("X-Van-De-Dienst")) == (status, b'{"fout":1}', "ja")


@holds("core-4.6.1.4-unaltered")
@pytest.mark.parametrize(
    "code",
    ["ERROR_CODE_SERVICE_UNREACHABLE", "ERROR_CODE_SERVICE_NOT_FOUND", "ERROR_CODE_WRONG_GROUP_ID_IN_TOKEN"],
)
def test_4_6_1_4_an_error_of_the_inway_passes_unchanged(product: Product, peer: Peer, code: str) -> None:
    _, grant = providing(product, peer)
    error = {"message": "x", "domain": "ERROR_DOMAIN_INWAY", "code": code}
    answer_ = Response(
        502, [("Fsc-Error-Code", code), ("Content-Type", "application/json")], json.dumps(error).encode()
    )
    peer.inway.script.then(lambda _: answer_, times=9)
    answer = app(product, grant, "POST", body=b"")
    refused(answer, code, 502, "ERROR_DOMAIN_INWAY")
    assert body(answer) == error


@holds("core-4.6.1.4.1-connect", "core-4.6.1.4-own", "core-4.1.7-header")
def test_4_6_1_4_1_connect_is_not_supported(product: Product, peer: Peer) -> None:
    with Caller(product.outway_address, None, peer.authority) as caller:
        caller.send(b"CONNECT dienst.test:443 HTTP/1.1\r\nHost: dienst.test:443\r\n\r\n")
        refused(caller.answer(), "ERROR_CODE_METHOD_UNSUPPORTED", 405, "ERROR_DOMAIN_OUTWAY")


@pytest.mark.parametrize("grant", ["x", "", "$1$3$" + "a" * 86, "$1$1$" + "a" * 86])
@holds("core-4.6.1.4-own")
def test_an_unknown_grant_is_told_to_the_application(product: Product, grant: str) -> None:
    answer = app(product, grant)
    assert 400 <= answer.status < 500
    refused(answer, str(answer.header("Fsc-Error-Code")), answer.status, "ERROR_DOMAIN_OUTWAY")


def test_a_contract_hash_is_not_taken_for_a_grant_hash(product: Product, peer: Peer) -> None:
    hash_, _ = providing(product, peer)
    answer = app(product, hash_)
    assert 400 <= answer.status < 500
    assert answer.header("Fsc-Error-Code")


def test_a_revoked_contract_lets_nothing_out(product: Product, peer: Peer) -> None:
    hash_, grant = providing(product, peer)
    assert app(product, grant).status == 200
    product.revoke(hash_)
    seen = len(peer.inway.script.seen)
    answer = app(product, grant)
    assert answer.status >= 400
    assert answer.header("Fsc-Error-Code")
    assert len(peer.inway.script.seen) == seen


def test_what_the_other_side_revoked_lets_nothing_out(product: Product, peer: Peer) -> None:
    hash_, grant = providing(product, peer)
    assert app(product, grant).status == 200
    assert all(answer.status == 201 for answer in peer.say(hash_, "revoke"))
    assert app(product, grant).status >= 400


@holds("core-4.6.1.1-mtls", "core-4.1.6-names")
def test_4_6_1_1_an_inway_of_another_anchor_gets_nothing(
    product: Product, peer: Peer, foreign: Authority
) -> None:
    _, grant = providing(product, peer)
    peer.inway_identity = foreign.issue(peer.id, peer.name, [peer.inway_host])
    peer.away()
    peer.back()
    answer = app(product, grant)
    assert answer.status >= 400
    assert answer.header("Fsc-Error-Code")
    assert peer.inway.script.seen == []


@holds("core-4.1.6-names")
def test_4_1_6_an_inway_with_another_name_gets_nothing(product: Product, peer: Peer) -> None:
    _, grant = providing(product, peer)
    peer.inway_identity = peer.authority.issue(peer.id, peer.name, ["heel-anders.test"])
    peer.away()
    peer.back()
    answer = app(product, grant)
    assert answer.status >= 400
    assert peer.inway.script.seen == []


@holds("core-4.1.6-names")
def test_an_inway_of_another_peer_gets_nothing(product: Product, peer: Peer, other_peer: Peer) -> None:
    """A genuine certificate with the right address, but of another Peer ID: never send a token there."""
    _, grant = providing(product, peer)
    peer.inway_identity = peer.authority.issue(
        other_peer.id, other_peer.name, [peer.inway_host, peer.inway_name]
    )
    peer.away()
    peer.back()
    answer = app(product, grant)
    assert answer.status >= 400
    assert peer.inway.script.seen == []


@pytest.mark.parametrize("step", [garbage, drops])
def test_a_request_that_changes_something_is_sent_once(product: Product, peer: Peer, step: object) -> None:
    _, grant = providing(product, peer)
    assert app(product, grant).status == 200
    peer.inway.script.seen.clear()
    peer.inway.script.then(step)  # type: ignore[arg-type]
    answer = app(product, grant, "POST", body=b"x")
    assert answer.status >= 500
    assert answer.header("Fsc-Error-Code")
    assert len(peer.inway.script.seen) == 1


def test_a_link_is_the_first_segment_of_the_path(product: Product, peer: Peer) -> None:
    _, grant = providing(product, peer)
    product.link("mijn-link", grant)
    answer = product.app("GET", "/mijn-link/a%2Fb?c=1", [], None)
    assert answer.status == 200, answer.body
    assert json.loads(answer.body)["target"] == "/a%2Fb?c=1"


def test_large_bodies_pass_both_ways(product: Product, peer: Peer) -> None:
    _, grant = providing(product, peer)
    peer.services["echo"] = lambda request: Response(200, [], request.body * 2)
    answer = app(product, grant, "POST", body=b"0123456789" * 100_000)
    assert len(answer.body) == 2_000_000


def test_an_answer_that_is_cut_short_is_not_taken_for_whole(product: Product, peer: Peer) -> None:
    _, grant = providing(product, peer)
    peer.inway.script.then(lambda _: Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"), times=9)
    try:
        answer = app(product, grant, "POST", body=b"x")
    except (EOFError, OSError, BadMessage):
        return
    assert answer.status >= 500


def test_what_a_client_says_of_itself_does_not_leave(product: Product, peer: Peer) -> None:
    """A token the application brings is replaced, and the way the grant was chosen stays inside."""
    _, grant = providing(product, peer)
    seen = json.loads(app(product, grant, headers=[("Fsc-Authorization", "Bearer x")]).body)
    tokens = [value for name, value in seen["headers"] if name.lower() == "fsc-authorization"]
    assert len(tokens) == 1
    assert tokens[0] != "Bearer x"


def test_a_peer_that_is_unknown_is_not_called(product: Product, peer: Peer) -> None:
    introduced(peer, product)
    answer = product.app("GET", "/", [], None)
    assert 400 <= answer.status < 500
    assert peer.inway.script.seen == []

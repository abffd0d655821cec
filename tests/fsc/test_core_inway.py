"""Core 2.0.0 section 4.7: what the Inway of the product lets through, and what it answers otherwise.

Its tokens come from the product's Manager. Tokens that are wrong in one way are signed here with the product's own key,
which these tests hold because they made it.
"""

import contextlib
import datetime as dt
import json
import time
from collections.abc import Callable, Iterator

import pytest
from tests.fsc import jose
from tests.fsc.authority import Authority, Identity
from tests.fsc.conftest import next_oin
from tests.fsc.jcs import b64u, grant_hash
from tests.fsc.meeting import consuming, refused, settled, wanted
from tests.fsc.musts import holds
from tests.fsc.papers import Json, connection, content, uuid7
from tests.fsc.peer import Peer, echo
from tests.fsc.product import Product
from tests.fsc.proxies import claims_of
from tests.fsc.wire import Caller, Raw, Request, Response

pytestmark = pytest.mark.fsc
PLANES = ("process", "nginx")


def denied(answer: Response, code: str, status: int) -> None:
    """An error of the Inway: section 4.7.2.2."""
    refused(answer, code, status, "ERROR_DOMAIN_INWAY")
    if status == 401:
        assert answer.header("WWW-Authenticate") == "Bearer"


@pytest.fixture(scope="module")
def peer(authority: Authority, plane: str) -> Iterator[Peer]:
    """One peer for the whole module: agreeing takes more time than asking."""
    with Peer(authority, next_oin(), "Gemeente Fictiestad") as peer:
        peer.services["echo"] = echo
        yield peer


def forged(product: Product, token: str, **claims: object) -> str:
    """The same token with other claims (None leaves one out), signed with the product's key."""
    body = {**claims_of(token), **claims}
    payload = {name: value for name, value in body.items() if value is not None}
    return jose.sign(product.signing, json.dumps(payload).encode())


@holds("core-4.7.1.3-routing", "core-4.7.1.3-kept", "core-4.7.2.1-endpoint")
def test_4_7_1_3_a_request_reaches_its_service_as_it_was_sent(
    peer: Peer, product: Product, token: str
) -> None:
    id_ = uuid7()
    headers = [("X-Eigen", "a, b"), ("X-Eigen", "c"), ("Content-Type", "text/plain"), ("Accept", "*/*")]
    answer = peer.outway.send(
        token, "POST", "/a%2Fb/c//d?x=1&x=2&e=%C3%A9", headers, b"\x00\xffbody", transaction=id_
    )
    assert answer.status == 200
    seen = json.loads(answer.body)
    assert (seen["method"], seen["target"], seen["body"]) == (
        "POST",
        "/a%2Fb/c//d?x=1&x=2&e=%C3%A9",
        "\x00\xffbody",
    )
    got = [(name.lower(), value) for name, value in seen["headers"]]
    assert ("fsc-authorization", f"Bearer {token}") in got
    assert ("fsc-transaction-id", id_) in got
    assert ", ".join(value for name, value in got if name == "x-eigen") == "a, b, c"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT"])
def test_every_method_passes(peer: Peer, product: Product, token: str, method: str) -> None:
    answer = peer.outway.send(token, method, "/", body=b"x" if method in ("POST", "PUT", "PATCH") else None)
    assert answer.status == 200
    if method != "HEAD":
        assert json.loads(answer.body)["method"] == method


@holds("core-4.7.1.3-routing")
def test_4_7_1_3_each_service_has_its_own_way(peer: Peer, product: Product) -> None:
    answers = []
    for name in ("echo", "anders"):
        _, grant = consuming(peer, product, service=name)
        answers.append(peer.call(grant, product.manager_address).body)
    assert json.loads(answers[0])["method"] == "GET"
    assert answers[1] == b"anders"


@holds("core-4.7.2.2-unaltered")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 418, 429, 500, 502, 503])
def test_4_7_2_2_an_error_of_the_service_passes_unchanged(
    peer: Peer, product: Product, token: str, status: int
) -> None:
    headers = [
        ("Content-Type", "application/problem+json"),
        ("X-Van-De-Dienst", "ja"),
        ("WWW-Authenticate", 'Basic realm="x"'),
    ]
    product.upstream.script.then(lambda _: Response(status, headers, b'{"fout":"van de dienst"}'))
    answer = peer.outway.send(token)
    assert (answer.status, answer.body) == (status, b'{"fout":"van de dienst"}')
    assert answer.header("Fsc-Error-Code") is None
    assert answer.header("X-Van-De-Dienst") == "ja"
    assert answer.header("WWW-Authenticate") == 'Basic realm="x"'


def shut_out(peer: Peer, product: Product, token: str, identity: Identity | None) -> None:
    """Who shows this certificate gets no further than TLS; or is told so in HTTP, as nginx does, and no further than that."""
    product.upstream.script.seen.clear()
    before = len(peer.ask("GET", product.manager_address + "/v1/logs?limit=1000").body)
    with contextlib.suppress(OSError, EOFError):
        answer = peer.outway.send(token, identity=identity)
        assert answer.status in (400, 403, 421), (answer.status, answer.body)
    assert product.upstream.script.seen == []
    assert len(peer.ask("GET", product.manager_address + "/v1/logs?limit=1000").body) == before


@holds("core-4.7.1.1-mtls", "core-4.1.5-anchors")
def test_4_7_1_1_a_certificate_of_another_anchor_does_not_come_in(
    peer: Peer, product: Product, token: str, foreign: Authority
) -> None:
    shut_out(peer, product, token, foreign.issue(peer.id, peer.name, [peer.outway_domain]))


@holds("core-4.7.1.1-mtls")
def test_4_7_1_1_without_a_certificate_nobody_comes_in(peer: Peer, product: Product, token: str) -> None:
    shut_out(peer, product, token, None)


@holds("core-4.7.1.1-mtls")
def test_4_7_1_1_an_expired_certificate_does_not_come_in(peer: Peer, product: Product, token: str) -> None:
    day = dt.timedelta(days=1)
    shut_out(
        peer,
        product,
        token,
        peer.authority.issue(peer.id, peer.name, ["oud.test"], starts=-3 * day, ends=-day),
    )


def bare(peer: Peer, product: Product, *headers: tuple[str, str], target: str = "/") -> Response:
    """A request to the Inway with these headers and no others of FSC."""
    with Caller(product.inway_address, peer.outway_identity, peer.authority) as caller:
        return caller.ask("GET", target, [("Fsc-Transaction-Id", uuid7()), *headers])


@holds("core-4.7.2.2.1-missing", "core-4.7.1.3-header", "core-4.7.2.2-own", "core-4.1.7-header")
def test_4_7_2_2_1_a_request_without_token_is_denied(peer: Peer, product: Product) -> None:
    denied(bare(peer, product), "ERROR_CODE_ACCESS_TOKEN_MISSING", 401)
    denied(bare(peer, product, ("Fsc-Authorization", "")), "ERROR_CODE_ACCESS_TOKEN_MISSING", 401)


def test_4_7_1_3_authorization_is_not_fsc_authorization(peer: Peer, product: Product, token: str) -> None:
    denied(bare(peer, product, ("Authorization", f"Bearer {token}")), "ERROR_CODE_ACCESS_TOKEN_MISSING", 401)
    denied(bare(peer, product, target=f"/?access_token={token}"), "ERROR_CODE_ACCESS_TOKEN_MISSING", 401)


def test_two_tokens_are_one_too_many(peer: Peer, product: Product, token: str) -> None:
    for pair in ((token, "x"), ("x", token)):
        answer = bare(peer, product, *(("Fsc-Authorization", f"Bearer {one}") for one in pair))
        assert answer.status in (400, 401), answer.status


@holds("core-4.7.2.2.1-invalid")
@pytest.mark.parametrize(
    "given", ["x", "Bearer", "Bearer x", "Bearer a.b.c", "Basic eDp5", "Bearer " + "a" * 6000]
)
def test_4_7_2_2_1_what_is_no_token_is_invalid(peer: Peer, product: Product, given: str) -> None:
    answer = bare(peer, product, ("Fsc-Authorization", given))
    assert answer.header("Fsc-Error-Code") in (
        "ERROR_CODE_ACCESS_TOKEN_INVALID",
        "ERROR_CODE_ACCESS_TOKEN_MISSING",
    )
    denied(answer, str(answer.header("Fsc-Error-Code")), 401)


@holds("core-4.7.1.2-signed")
def test_4_7_1_2_a_token_of_another_peer_is_invalid(
    peer: Peer, product: Product, token: str, other_peer: Peer
) -> None:
    for signer in (peer, other_peer):
        made = signer.make_token(claims_of(token))
        denied(peer.outway.send(made), "ERROR_CODE_ACCESS_TOKEN_INVALID", 401)


@holds("core-4.7.1.2-signed")
def test_4_7_1_2_a_token_by_an_own_key_that_signs_no_tokens_is_invalid(
    peer: Peer, product: Product, token: str, authority: Authority
) -> None:
    """Genuine certificate of the same peer under the same anchor, but not one its Manager publishes."""
    fresh = authority.issue(product.id, product.name, ["los.test"])
    made = jose.sign(fresh, json.dumps(claims_of(token)).encode())
    denied(peer.outway.send(made), "ERROR_CODE_ACCESS_TOKEN_INVALID", 401)


FORGERIES: dict[str, Callable[[Product, str], str]] = {
    "none": lambda product, token: jose.unsigned(token),
    "altered claim": lambda product, token: jose.altered(token, svc="anders"),
    "public key as secret": lambda product, token: jose.with_public_key_as_secret(
        product.signing, json.dumps(claims_of(token)).encode()
    ),
    "no thumbprint": lambda product, token: jose.sign_raw(
        product.signing.key, "ES256", b'{"alg":"ES256"}', json.dumps(claims_of(token)).encode()
    ),
    "claim twice": lambda product, token: jose.sign(
        product.signing, json.dumps(claims_of(token)).encode()[:-1] + b',"svc":"anders"}'
    ),
    "no json": lambda product, token: jose.sign(product.signing, b"x"),
    "a list": lambda product, token: jose.sign(product.signing, b"[]"),
    "signature cut": lambda product, token: token[:-4],
    "padding": lambda product, token: token + "==",
    "white space": lambda product, token: token.replace(".", " .", 1),
    "four parts": lambda product, token: token + ".x",
    "crit": lambda product, token: jose.sign(
        product.signing, json.dumps(claims_of(token)).encode(), header={"crit": ["exp"], "exp": 1}
    ),
}


@holds("core-4.7.2.2.1-invalid")
@pytest.mark.parametrize("how", FORGERIES)
def test_4_7_2_2_1_a_forged_token_is_invalid(peer: Peer, product: Product, token: str, how: str) -> None:
    made = FORGERIES[how](product, token)
    with Caller(product.inway_address, peer.outway_identity, peer.authority) as caller:
        headers = [("Fsc-Authorization", f"Bearer {made}"), ("Fsc-Transaction-Id", uuid7())]
        denied(caller.ask("GET", "/", headers), "ERROR_CODE_ACCESS_TOKEN_INVALID", 401)


@holds("core-4.7.1.2-bound")
def test_4_7_1_2_a_token_with_another_certificate_is_invalid(
    peer: Peer, product: Product, token: str, other_peer: Peer
) -> None:
    for thief in (other_peer.outway_identity, peer.signing, peer.inway_identity):
        denied(peer.outway.send(token, identity=thief), "ERROR_CODE_ACCESS_TOKEN_INVALID", 401)


@holds("core-4.7.1.2-bound")
def test_4_7_1_2_the_binding_is_compared_on_every_request(peer: Peer, product: Product, token: str) -> None:
    """A token that was accepted once, and may be cached, is still refused with another certificate."""
    assert peer.outway.send(token).status == 200
    denied(peer.outway.send(token, identity=peer.signing), "ERROR_CODE_ACCESS_TOKEN_INVALID", 401)
    assert peer.outway.send(token).status == 200


@holds("core-4.7.1.2-bound")
@pytest.mark.parametrize("cnf", [None, {}, {"x5t#S256": ""}, {"x5t#S256": None}, {"x5t": "x"}, "x", []])
def test_4_7_1_2_a_token_bound_to_nothing_is_invalid(
    peer: Peer, product: Product, token: str, cnf: object
) -> None:
    denied(peer.outway.send(forged(product, token, cnf=cnf)), "ERROR_CODE_ACCESS_TOKEN_INVALID", 401)


CLAIMS: list[Json] = [
    {"iss": "00000001999999999999"},
    {"iss": None},
    {"aud": "https://127.30.255.254:443"},
    {"aud": None},
    {"nbf": 4102444800},
    {"sub": "00000001999999999999"},
    {"sub": None},
    {"exp": None},
    {"exp": "4102444800"},
    {"gth": None},
    {"gth": "$1$3$" + "a" * 86},
]


@holds("core-4.7.2.2.1-invalid")
@pytest.mark.parametrize("wrong", CLAIMS, ids=str)
def test_4_7_2_2_1_a_token_with_wrong_claims_is_invalid(
    peer: Peer, product: Product, token: str, wrong: Json
) -> None:
    made = forged(product, token, **wrong)
    with Caller(product.inway_address, peer.outway_identity, peer.authority) as caller:
        headers = [("Fsc-Authorization", f"Bearer {made}"), ("Fsc-Transaction-Id", uuid7())]
        denied(caller.ask("GET", "/", headers), "ERROR_CODE_ACCESS_TOKEN_INVALID", 401)


@holds("core-4.7.2.2.1-expired")
def test_4_7_2_2_1_an_old_token_is_expired(peer: Peer, product: Product, token: str) -> None:
    made = forged(product, token, exp=int(time.time()) - 3600, nbf=int(time.time()) - 7200)
    denied(peer.outway.send(made), "ERROR_CODE_ACCESS_TOKEN_EXPIRED", 401)


@holds("core-4.7.2.2.1-group", "core-4.7.1.2-group")
def test_4_7_2_2_1_a_token_of_another_group_is_denied(peer: Peer, product: Product, token: str) -> None:
    made = forged(product, token, gid="andere-groep")
    with Caller(product.inway_address, peer.outway_identity, peer.authority) as caller:
        headers = [("Fsc-Authorization", f"Bearer {made}"), ("Fsc-Transaction-Id", uuid7())]
        denied(caller.ask("GET", "/", headers), "ERROR_CODE_WRONG_GROUP_ID_IN_TOKEN", 403)


@holds("core-4.7.2.2.1-not-found", "core-4.7.1.2-service")
def test_4_7_2_2_1_a_service_that_is_not_offered_is_not_found(
    peer: Peer, product: Product, token: str
) -> None:
    denied(peer.outway.send(forged(product, token, svc="bestaat-niet")), "ERROR_CODE_SERVICE_NOT_FOUND", 404)


def test_a_token_opens_no_other_service_than_its_grant(peer: Peer, product: Product, token: str) -> None:
    answer = peer.outway.send(forged(product, token, svc="anders"))
    assert answer.status in (401, 403, 404), answer.status
    assert answer.body != b"anders"


@holds("core-4.7.2.2.1-unreachable")
def test_4_7_2_2_1_a_service_that_is_away_is_unreachable(peer: Peer, product_alone: Product) -> None:
    _, grant = consuming(peer, product_alone)
    token = peer.outway.access(grant, product_alone.manager_address)
    product_alone.upstream.close()
    denied(peer.outway.send(token), "ERROR_CODE_SERVICE_UNREACHABLE", 502)


@holds("core-4.7.2.2.1-unreachable")
def test_4_7_2_2_1_a_service_that_answers_garbage_is_unreachable(
    peer: Peer, product: Product, token: str
) -> None:
    product.upstream.script.then(lambda _: Raw(b"this is no answer\r\n\r\n"))
    denied(peer.outway.send(token, "POST", body=b""), "ERROR_CODE_SERVICE_UNREACHABLE", 502)


def test_revocation_bites_at_the_next_request(peer: Peer, product: Product) -> None:
    contract, grant = consuming(peer, product)
    token = peer.outway.access(grant, product.manager_address)
    assert peer.outway.send(token).status == 200
    product.revoke(contract.hash)
    answer = peer.outway.send(token)
    assert answer.status in (401, 403), (answer.status, answer.body)
    assert answer.header("Fsc-Error-Code")


def test_a_renewed_certificate_needs_a_new_token(peer: Peer, product: Product, token: str) -> None:
    renewed = peer.authority.issue(peer.id, peer.name, [peer.outway_domain], key=peer.outway_identity.key)
    denied(peer.outway.send(token, identity=renewed), "ERROR_CODE_ACCESS_TOKEN_INVALID", 401)


def test_a_connection_serves_many_requests(peer: Peer, product: Product, token: str) -> None:
    with peer.outway.connect(product.inway_address) as connection_:
        for number in range(20):
            headers = [("Fsc-Authorization", f"Bearer {token}"), ("Fsc-Transaction-Id", uuid7())]
            answer = connection_.ask("POST", f"/{number}", headers, b"x" * number * 100)
            assert json.loads(answer.body)["target"] == f"/{number}"


def test_several_services_of_one_contract(peer: Peer, product: Product) -> None:
    thumbprint = peer.outway_identity.public_key_thumbprint
    found = content(
        product.group, *(connection(peer.id, thumbprint, product.id, name) for name in ("echo", "anders"))
    )
    contract, _ = settled(peer, product, found)
    bodies = [peer.call(grant, product.manager_address).body for grant in contract.grants()]
    assert json.loads(bodies[0])["method"] == "GET"
    assert bodies[1] == b"anders"


def test_a_large_body_passes_whole(peer: Peer, product: Product, token: str) -> None:
    def size(request: Request) -> Response:
        return Response(200, [], str(len(request.body)).encode())

    product.upstream.script.then(size)
    answer = peer.outway.send(token, "POST", "/", body=b"0123456789abcdef" * 300_000)
    assert answer.body == b"4800000"


def test_hop_by_hop_headers_stay_behind(peer: Peer, product: Product, token: str) -> None:
    """RFC 9110 section 7.6.1: Connection and what it names are for one connection only."""
    headers = [
        ("Connection", "keep-alive, X-Stil"),
        ("X-Stil", "geheim"),
        ("Proxy-Authorization", "Basic eDp5"),
        ("TE", "trailers"),
    ]
    seen = json.loads(peer.outway.send(token, headers=headers).body)
    names = {name.lower() for name, _ in seen["headers"]}
    assert "x-stil" not in names
    assert "te" not in names


def test_a_client_certificate_in_a_header_means_nothing(
    peer: Peer, product: Product, token: str, other_peer: Peer
) -> None:
    """No header stands in for the certificate of the connection."""
    der = b64u(peer.outway_identity.certificate_pem)
    spoofs = [
        ("X-Client-Cert", der),
        ("X-SSL-Cert", der),
        ("X-Forwarded-Client-Cert", der),
        ("Client-Cert", f":{der}:"),
    ]
    answer = peer.outway.send(token, headers=spoofs, identity=other_peer.outway_identity)
    denied(answer, "ERROR_CODE_ACCESS_TOKEN_INVALID", 401)


def test_what_was_agreed_for_a_delegated_connection_passes(
    peer: Peer, product: Product, other_peer: Peer
) -> None:
    _, grant = consuming(peer, product, other_peer, delegator=other_peer.id)
    assert peer.call(grant, product.manager_address).status == 200


def test_a_contract_of_which_an_inway_heard_nothing_opens_nothing(
    peer: Peer, product: Product, token: str
) -> None:
    """Signed by the product's own key, for a contract that exists only here: the state of the contract is checked."""
    found = wanted(peer, product)
    made = forged(product, token, gth=grant_hash(found, found["grants"][0]))
    answer = peer.outway.send(made)
    assert answer.status in (401, 403), answer.status

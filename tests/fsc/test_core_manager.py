"""Core 2.0.0 sections 4.1 and 4.4: who the product's Manager lets in, what it lists, and how it refuses."""

import base64
import datetime as dt
import json
import socket
import ssl
import warnings
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from cryptography import x509
from tests.fsc.authority import Authority, certificate_thumbprint, peer_id
from tests.fsc.conftest import Make
from tests.fsc.jcs import content_hash
from tests.fsc.meeting import MANAGER_CODES, body, consuming, introduced, refused, wanted
from tests.fsc.musts import holds
from tests.fsc.papers import Json, content
from tests.fsc.peer import Peer
from tests.fsc.product import Product
from tests.fsc.wire import Caller, Response

pytestmark = pytest.mark.fsc


def listed(peer: Peer, product: Product, what: str, query: str = "") -> Json:
    """A listing of the product."""
    answer = peer.ask("GET", f"{product.manager_address}/v1/{what}{query}")
    assert answer.status == 200, (answer.status, answer.body)
    return body(answer)


@holds("core-4.1-http11")
def test_4_1_the_manager_speaks_http_1_1(peer: Peer, product: Product) -> None:
    with Caller(product.manager_address, peer.signing, peer.authority) as caller:
        answers = [caller.ask("GET", "/v1/peer").status for _ in range(3)]
    assert answers == [200, 200, 200]


@holds("core-4.1.1-ports")
def test_4_1_1_components_use_the_ports_of_the_standard(product: Product) -> None:
    assert product.manager_address.endswith((":443", ":8443"))
    assert product.inway_address.endswith((":443", ":8443"))


@holds("core-4.4.1.1-mtls", "core-4.1.5-anchors")
def test_4_4_1_1_a_certificate_of_another_anchor_does_not_come_in(
    peer: Peer, product: Product, foreign: Authority
) -> None:
    stranger = foreign.issue(peer.id, peer.name, ["vreemd.test"])
    with pytest.raises((OSError, EOFError)):
        peer.ask("GET", product.manager_address + "/v1/peer", identity=stranger)


@holds("core-4.4.1.1-mtls")
@pytest.mark.parametrize(
    "path", ["/v1/peer", "/v1/.well-known/jwks.json", "/v1/contracts", "/v1/token", "/v1/logs", "/"]
)
def test_4_4_1_1_without_a_certificate_nobody_comes_in(peer: Peer, product: Product, path: str) -> None:
    with pytest.raises((OSError, EOFError)), Caller(product.manager_address, None, peer.authority) as caller:
        caller.ask("GET", path)


@holds("core-4.4.1.1-mtls")
@pytest.mark.parametrize(("starts", "ends"), [(-3, -1), (1, 3)])
def test_4_4_1_1_a_certificate_out_of_its_time_does_not_come_in(
    peer: Peer, product: Product, starts: int, ends: int
) -> None:
    day = dt.timedelta(days=1)
    old = peer.authority.issue(peer.id, peer.name, ["oud.test"], starts=starts * day, ends=ends * day)
    with pytest.raises((OSError, EOFError)):
        peer.ask("GET", product.manager_address + "/v1/peer", identity=old)


def test_a_certificate_that_is_for_servers_only_does_not_come_in(peer: Peer, product: Product) -> None:
    one = peer.authority.issue(peer.id, peer.name, ["server.test"], client=False)
    with pytest.raises((OSError, EOFError)):
        peer.ask("GET", product.manager_address + "/v1/peer", identity=one)


@holds("core-4.1.3-peer-id", "core-4.4.5.3-codes")
@pytest.mark.parametrize(
    "serial", [None, "", "123", "0000000100000000000A", "000000010000000000011", "00000001 0000000001"]
)
def test_4_1_3_a_certificate_without_a_good_peer_id_is_refused(
    peer: Peer, product: Product, serial: str | None
) -> None:
    one = peer.authority.issue(serial or None, peer.name, ["naamloos.test"])
    for method, path in (("GET", "/v1/peer"), ("PUT", "/v1/announce"), ("GET", "/v1/contracts")):
        answer = peer.ask(method, product.manager_address + path, identity=one)
        refused(answer, "ERROR_CODE_PEER_CERTIFICATE_VERIFICATION_FAILED")


@holds("core-4.1.4-peer-name", "core-4.1.3-peer-id", "core-4.4.3-interface")
def test_4_4_3_the_manager_says_who_it_is(peer: Peer, product: Product) -> None:
    found = listed(peer, product, "peer")
    assert (found["peer_id"], found["peer_name"], found["fsc_version"]) == (product.id, product.name, "2.0.0")
    assert found["enabled_extensions"]["EXTENSION_TRANSACTION_LOGGING"] == "1.0.0"


@holds("core-4.1.6-names")
def test_4_1_6_the_manager_shows_its_own_name(peer: Peer, product: Product) -> None:
    with Caller(product.manager_address, peer.signing, peer.authority) as caller:
        assert peer_id(caller.server) == product.id


@holds("core-4.1.6.1-tls")
def test_4_1_6_1_old_tls_is_refused(peer: Peer, product: Product) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(peer.authority.root_file)
    context.load_cert_chain(peer.signing.chain_file, peer.signing.key_file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    for address in (product.manager_address, product.inway_address):
        split = urlsplit(address)
        with (
            socket.create_connection((str(split.hostname), split.port or 443), timeout=5) as plain,
            pytest.raises(ssl.SSLError),
            context.wrap_socket(plain, server_hostname=split.hostname),
        ):
            pass


# Listings


@holds("core-4.4.1.9-listed", "core-4.4.1.9-persist", "core-4.1.4-peer-name")
def test_4_4_1_9_peers_that_announced_or_offered_are_listed(
    peer: Peer, other_peer: Peer, product: Product
) -> None:
    introduced(peer, product)
    assert other_peer.submit(wanted(other_peer, product), product.manager_address).status == 201
    rows = {one["id"]: one for one in listed(peer, product, "peers", "?limit=1000")["peers"]}
    for one in (peer, other_peer):
        assert rows[one.id] == {"id": one.id, "name": one.name, "manager_address": one.manager_address}


@holds("core-4.4.2-announce", "core-4.4.1.9-persist")
def test_4_4_2_another_address_replaces_the_old_one(peer: Peer, product: Product) -> None:
    introduced(peer, product)
    assert (
        peer.ask("PUT", product.manager_address + "/v1/announce", address="https://127.30.9.9:443").status
        == 200
    )
    (row,) = listed(peer, product, "peers", f"?peer_id={peer.id}")["peers"]
    assert row["manager_address"] == "https://127.30.9.9:443"
    introduced(peer, product)


def test_peers_are_found_by_part_of_their_name(peer: Peer, other_peer: Peer, product: Product) -> None:
    introduced(peer, product)
    introduced(other_peer, product)
    part = quote(peer.name.split()[1].upper())
    found = listed(peer, product, "peers", f"?peer_name={part}&limit=1000")["peers"]
    assert peer.id in {one["id"] for one in found}
    assert other_peer.id not in {one["id"] for one in found}


def test_peers_are_found_by_id_whatever_else_is_asked(peer: Peer, other_peer: Peer, product: Product) -> None:
    introduced(peer, product)
    introduced(other_peer, product)
    query = f"?peer_id={peer.id},{other_peer.id}&limit=1&peer_name=niemand"
    found = listed(peer, product, "peers", query)
    assert {one["id"] for one in found["peers"]} == {peer.id, other_peer.id}
    assert found["pagination"]["next_cursor"] == ""


def pages(peer: Peer, product: Product, what: str, query: str) -> list[Json]:
    """All rows of a listing, page after page."""
    rows: list[Json] = []
    cursor = ""
    for _ in range(200):
        found = listed(peer, product, what, f"?{query}&cursor={quote(cursor)}")
        rows += found[what]
        cursor = found["pagination"]["next_cursor"]
        if not cursor:
            return rows
    raise AssertionError("the pages do not end")


@holds("core-4.4.3-interface", "core-4.4.1.5-contracts")
@pytest.mark.parametrize("limit", [1, 2, 7, 1000])
@pytest.mark.parametrize("order", ["SORT_ORDER_ASCENDING", "SORT_ORDER_DESCENDING"])
def test_4_4_3_contracts_come_in_pages_by_date(peer: Peer, product: Product, limit: int, order: str) -> None:
    introduced(peer, product)
    base = wanted(peer, product)["created_at"] - 100
    made = [{**wanted(peer, product), "created_at": base + number // 2} for number in range(7)]
    for one in made:
        assert peer.submit(one, product.manager_address).status == 201
    rows = pages(peer, product, "contracts", f"limit={limit}&sort_order={order}")
    hashes = [content_hash(one["content"]) for one in rows]
    assert sorted(hashes) == sorted(map(content_hash, made))
    dates = [one["content"]["created_at"] for one in rows]
    assert dates == sorted(dates, reverse=order.endswith("DESCENDING"))


def test_contracts_come_newest_first_by_default(peer: Peer, product: Product) -> None:
    introduced(peer, product)
    for number in range(3):
        found = {**wanted(peer, product)}
        assert (
            peer.submit(
                {**found, "created_at": found["created_at"] - 100 + number}, product.manager_address
            ).status
            == 201
        )
    dates = [one["content"]["created_at"] for one in listed(peer, product, "contracts")["contracts"]]
    assert dates == sorted(dates, reverse=True)


@holds("core-4.4.1.5-contracts")
def test_4_4_1_5_a_peer_sees_only_contracts_in_which_it_occurs(
    peer: Peer, other_peer: Peer, product: Product
) -> None:
    contract, grant = consuming(peer, product)
    introduced(other_peer, product)
    assert content_hash(listed(peer, product, "contracts")["contracts"][0]["content"]) == contract.hash
    assert listed(other_peer, product, "contracts")["contracts"] == []
    assert listed(other_peer, product, "contracts", f"?grant_hash={quote(grant)}")["contracts"] == []


def test_contracts_are_found_by_grant_hash_whatever_else_is_asked(peer: Peer, product: Product) -> None:
    found = [consuming(peer, product) for _ in range(3)]
    wanted_ = ",".join(quote(grant) for _, grant in found[:2])
    rows = listed(
        peer, product, "contracts", f"?grant_hash={wanted_}&limit=1&grant_type=GRANT_TYPE_SERVICE_PUBLICATION"
    )
    assert {content_hash(one["content"]) for one in rows["contracts"]} == {
        contract.hash for contract, _ in found[:2]
    }


def test_contracts_are_found_by_the_type_of_a_grant(peer: Peer, product: Product) -> None:
    contract, _ = consuming(peer, product)
    found = listed(peer, product, "contracts", "?grant_type=GRANT_TYPE_SERVICE_CONNECTION")["contracts"]
    assert [content_hash(one["content"]) for one in found] == [contract.hash]
    assert (
        listed(peer, product, "contracts", "?grant_type=GRANT_TYPE_DELEGATED_SERVICE_CONNECTION")["contracts"]
        == []
    )


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=x",
        "limit=1.5",
        "sort_order=x",
        "grant_type=x",
        "cursor=x",
        "cursor=%00",
    ],
)
def test_a_question_outside_the_openapi_file_is_refused(peer: Peer, product: Product, query: str) -> None:
    answer = peer.ask("GET", f"{product.manager_address}/v1/contracts?{query}")
    assert 400 <= answer.status < 500, (answer.status, answer.body)


# Keys


@holds("core-4.4.1.4-certificates", "core-4.4.1.4-chain", "core-4.1.6.2-thumbprints")
def test_4_4_1_4_keys_bear_their_chain_without_the_root(peer: Peer, product: Product) -> None:
    keys = listed(peer, product, ".well-known/jwks.json")["keys"]
    assert keys
    for key in keys:
        chain = [x509.load_der_x509_certificate(base64.b64decode(one, validate=True)) for one in key["x5c"]]
        assert peer.authority.trusts(chain)
        assert peer.authority.root not in chain
        assert len(chain) == 2
        assert peer_id(chain[0]) == product.id
        named = key.get("x5t#S256", key.get("x5t#s256"))
        assert named in (None, certificate_thumbprint(chain[0]))
        assert key["kty"] in ("EC", "RSA")
        assert "d" not in key


# Errors


@holds("core-4.4.5.2-error", "core-4.4.5.3-codes")
@pytest.mark.parametrize(
    "wrong",
    [
        {"validity": {"not_before": 5, "not_after": 4}},
        {"iv": "x"},
        {"created_at": 4102444800},
        {"grants": []},
        {"grants": [{}]},
        {"grants": [{"data": {"type": "x"}}]},
        {"validity": None},
    ],
    ids=str,
)
def test_4_4_5_2_every_refusal_has_a_code_of_the_standard_or_one_that_is_told(
    peer: Peer, product: Product, wrong: Json
) -> None:
    """The standard has no code for these. A code that is about something else would send its reader the wrong way, so
    there are two of our own; `docs/reference/fsc.md` tells of them."""
    introduced(peer, product)
    answer = peer.submit({**wanted(peer, product), **wrong}, product.manager_address)
    found = body(answer)
    told = Path(__file__).parents[2].joinpath("docs/reference/fsc.md").read_text()
    assert found["code"] in MANAGER_CODES or f"`{found['code']}`" in told, found
    assert (answer.status, answer.header("Fsc-Error-Code")) in ((422, found["code"]), (400, found["code"]))


@holds("core-4.4.5.2-error")
def test_4_4_5_2_an_error_says_what_is_wrong_without_personal_data(peer: Peer, product: Product) -> None:
    introduced(peer, product)
    answer = peer.submit({**wanted(peer, product), "group_id": "andere"}, product.manager_address)
    refused(answer, "ERROR_CODE_INCORRECT_GROUP_ID")
    assert len(body(answer)["message"]) > 10


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/v1/contracts"), ("GET", "/v1/announce"), ("POST", "/v1/peer"), ("GET", "/v1/token")],
)
def test_a_method_that_does_not_exist_is_refused(
    peer: Peer, product: Product, method: str, path: str
) -> None:
    assert peer.ask(method, product.manager_address + path).status in (404, 405)


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/v1",
        "/v2/peer",
        "/v1/contracts/x",
        "/v1/contracts/x/sign",
        "/metrics",
        "/v1/../v1/peer",
        "/v1//peer",
    ],
)
def test_a_path_that_does_not_exist_is_refused(peer: Peer, product: Product, path: str) -> None:
    assert peer.ask("GET", product.manager_address + path).status in (400, 404, 405)


def test_an_oversized_submission_is_refused(peer: Peer, product: Product) -> None:
    introduced(peer, product)
    found = content(product.group, *[{"x": "a" * 1_000_000} for _ in range(20)])
    try:
        answer: Response | None = peer.submit(found, product.manager_address)
    except (OSError, EOFError):
        answer = None
    assert answer is None or answer.status in (400, 413, 422)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", None])
def test_a_submission_is_json(peer: Peer, product: Product, kind: str | None) -> None:
    """Other media types are refused or read as JSON; they never crash."""
    introduced(peer, product)
    found = wanted(peer, product)
    payload = json.dumps({"content": found, "signature": peer.statement(found)}).encode()
    headers = [("Fsc-Manager-Address", peer.manager_address), *([("Content-Type", kind)] if kind else [])]
    with Caller(product.manager_address, peer.signing, peer.authority) as caller:
        answer = caller.ask("POST", "/v1/contracts", headers, payload)
    assert answer.status in (201, 400, 415, 422), answer.status


def test_a_manager_of_another_name_is_still_that_peer(make_peer: Make, product: Product) -> None:
    """The name of a peer may change and need not be unique; its ID says who it is."""
    first, second = make_peer(), make_peer()
    second.name = first.name
    second.signing = second.authority.issue(second.id, first.name, [second.manager_host])
    for one in (first, second):
        introduced(one, product)
    rows = listed(first, product, "peers", f"?peer_id={first.id},{second.id}")["peers"]
    assert {one["id"]: one["name"] for one in rows} == {first.id: first.name, second.id: first.name}

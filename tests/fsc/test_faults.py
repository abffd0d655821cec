"""The other side is slow, silent, gone, or sends something else: what must not pass does not pass, nobody else waits, and
no contract is lost or doubled."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.fsc.conftest import Make
from tests.fsc.jcs import content_hash
from tests.fsc.manager import Step, drops, fails, garbage, garbled_json
from tests.fsc.meeting import body, consuming, held, introduced, providing, wanted
from tests.fsc.papers import connection, content, uuid7
from tests.fsc.peer import Peer
from tests.fsc.product import Product
from tests.fsc.wire import BadMessage, Caller, Drop, Raw, Request, Response, until

pytestmark = pytest.mark.fsc


@pytest.fixture
def never() -> Iterator[Step]:
    """A step that answers nothing for as long as the test lasts."""
    over = threading.Event()

    def step(_: Request) -> Response:
        over.wait(60)
        raise Drop

    yield step
    over.set()


def timed(work: Callable[[], Response]) -> tuple[Response, float]:
    """An answer, and how long it took."""
    started = time.monotonic()
    return work(), time.monotonic() - started


# At the Manager


def test_keys_that_never_come_end_in_a_refusal(peer: Peer, product: Product, never: Step) -> None:
    introduced(peer, product)
    peer.manager.script.then(never, path="jwks")
    answer, took = timed(lambda: peer.submit(wanted(peer, product), product.manager_address, patience=30))
    assert answer.status == 422
    assert took < 20


def test_a_peer_that_says_nothing_holds_up_no_other(
    peer: Peer, other_peer: Peer, product: Product, never: Step
) -> None:
    introduced(peer, product)
    peer.manager.script.then(never, path="jwks")
    found = wanted(peer, product)
    stuck = threading.Thread(target=lambda: peer.submit(found, product.manager_address, patience=30))
    stuck.start()
    _, took = timed(lambda: peer.ask("GET", product.manager_address + "/v1/peer"))
    assert took < 3
    _, grant = consuming(other_peer, product)
    assert other_peer.call(grant, product.manager_address).status == 200
    stuck.join()


def test_a_contract_reaches_the_others_when_one_says_nothing(
    peer: Peer, other_peer: Peer, product: Product, never: Step
) -> None:
    for one in (peer, other_peer):
        introduced(one, product)
    peer.manager.script.then(never, path="contracts")
    grant = connection(product.id, product.outway_thumbprint, peer.id, "echo", delegator=other_peer.id)
    hash_ = content_hash(product.propose(content(product.group, grant)))
    until(lambda: hash_ in other_peer.contracts, "the other has it", 4)


@pytest.mark.parametrize(
    "step", [garbage, garbled_json, drops, fails(404), fails(500), fails(503), fails(429)]
)
def test_a_push_that_is_answered_with_anything_else_arrives_once(
    peer: Peer, product: Product, step: Step
) -> None:
    introduced(peer, product)
    peer.manager.script.then(step, path="/v1/contracts")
    grant = connection(product.id, product.outway_thumbprint, peer.id, "echo")
    hash_ = content_hash(product.propose(content(product.group, grant)))
    product.reconcile()
    until(lambda: hash_ in peer.contracts or _reconciled(product, peer, hash_), "the contract arrives", 40)
    assert len([one for one in peer.contracts.values() if one.hash == hash_]) == 1


def _reconciled(product: Product, peer: Peer, hash_: str) -> bool:
    """What was refused for good is brought by the comparison, which here does not wait for its hour."""
    time.sleep(0.5)
    product.reconcile()
    return hash_ in peer.contracts


def test_the_same_contract_from_many_threads_is_one_contract(peer: Peer, product: Product) -> None:
    introduced(peer, product)
    found = wanted(peer, product)
    signature = peer.statement(found)
    with ThreadPoolExecutor(12) as pool:
        work = [
            pool.submit(peer.submit, found, product.manager_address, signature=signature) for _ in range(24)
        ]
        assert {one.result().status for one in work} <= {200, 201}
    listed = body(peer.ask("GET", product.manager_address + "/v1/contracts?limit=1000"))["contracts"]
    assert [content_hash(one["content"]) for one in listed] == [content_hash(found)]


def test_one_iv_from_many_threads_is_one_contract(peer: Peer, product: Product) -> None:
    introduced(peer, product)
    base = wanted(peer, product)
    rivals = [
        {**base, "validity": {**base["validity"], "not_after": base["validity"]["not_after"] + n}}
        for n in range(12)
    ]
    with ThreadPoolExecutor(12) as pool:
        statuses = [
            one.status for one in pool.map(lambda one: peer.submit(one, product.manager_address), rivals)
        ]
    assert statuses.count(201) == 1
    listed = body(peer.ask("GET", product.manager_address + "/v1/contracts?limit=1000"))["contracts"]
    assert len(listed) == 1


def test_accept_and_revoke_at_once_end_revoked(peer: Peer, product: Product) -> None:
    introduced(peer, product)
    contract = peer.propose(wanted(peer, product))
    with ThreadPoolExecutor(8) as pool:
        actions = ["accept", "revoke"] * 4
        list(pool.map(lambda action: peer.put(action, contract.content, product.manager_address), actions))
    assert product.state(contract.hash) == "revoked"


def test_a_partition_heals_by_itself(make_peer: Make, product: Product) -> None:
    """Both sides act while they do not see each other; afterwards both hold the same signatures."""
    peer = make_peer()
    contract, _ = consuming(peer, product)
    second = peer.propose(wanted(peer, product))
    peer.away()
    product.revoke(contract.hash)
    product.reject(second.hash)
    peer.back()
    until(lambda: (contract.state(), second.state()) == ("revoked", "rejected"), "both arrive", 30)
    for one in (contract, second):
        shown = held(peer, product.manager_address, one.hash)
        assert shown
        assert shown["signatures"] == one.signatures


# At the Outway


def test_a_token_that_never_comes_is_told_in_time(peer: Peer, product: Product, never: Step) -> None:
    _, grant = providing(product, peer)
    peer.manager.script.then(never, path="token")
    answer, took = timed(lambda: product.app("GET", "/", [("Fsc-Grant-Hash", grant)], None))
    assert answer.status >= 500
    assert answer.header("Fsc-Error-Code")
    assert took < 15


def test_an_inway_that_is_gone_is_told_in_time(peer: Peer, product: Product) -> None:
    _, grant = providing(product, peer)
    headers = [("Fsc-Grant-Hash", grant)]
    assert product.app("GET", "/", headers, None).status == 200
    peer._listeners[1].close()
    answer, took = timed(lambda: product.app("GET", "/", headers, None))
    assert answer.status >= 500
    assert answer.header("Fsc-Error-Code")
    assert took < 10


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\na\r\n0\r\n\r\n",
    ],
)
def test_an_answer_that_can_be_read_in_two_ways_is_not_passed_on(
    peer: Peer, product: Product, sent: bytes
) -> None:
    """RFC 9112 section 6.3: an answer with two lengths is an error, or at the least is passed on with one."""
    _, grant = providing(product, peer)
    peer.inway.script.then(lambda _: Raw(sent), times=9)
    try:
        answer = product.app("POST", "/", [("Fsc-Grant-Hash", grant)], b"")
    except (BadMessage, EOFError):
        pytest.fail("two lengths passed the Outway")
    assert answer.status >= 500 or answer.body == b"a"


# Bodies that break off


def test_half_a_request_reaches_no_service_as_a_whole(peer: Peer, product: Product) -> None:
    _, grant = consuming(peer, product)
    token = peer.outway.access(grant, product.manager_address)
    product.upstream.script.seen.clear()
    head = f"POST / HTTP/1.1\r\nHost: x\r\nFsc-Authorization: Bearer {token}\r\nFsc-Transaction-Id: {uuid7()}\r\n"
    with Caller(product.inway_address, peer.outway_identity, peer.authority) as caller:
        caller.send(head.encode() + b"Content-Length: 100000\r\n\r\n" + b"x" * 5000)
        time.sleep(0.3)
    time.sleep(0.5)
    assert product.upstream.script.seen == []
    assert json.loads(peer.outway.send(token).body)["method"] == "GET"


def test_half_an_answer_of_a_service_is_seen_to_be_half(peer: Peer, product: Product) -> None:
    _, grant = consuming(peer, product)
    product.upstream.script.then(
        lambda _: Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf"), times=3
    )
    token = peer.outway.access(grant, product.manager_address)
    with pytest.raises((EOFError, OSError)):
        peer.outway.send(token, "POST", body=b"x")


_STOPS = Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n")


def test_a_chunked_answer_that_stops_at_a_service_is_seen_to_have_stopped(
    peer: Peer, product: Product
) -> None:
    _, grant = consuming(peer, product)
    token = peer.outway.access(grant, product.manager_address)
    product.upstream.script.then(lambda _: _STOPS)
    with pytest.raises((EOFError, OSError)):
        peer.outway.send(token, "POST", body=b"x")


def test_a_chunked_answer_that_stops_at_a_peer_is_seen_to_have_stopped(peer: Peer, product: Product) -> None:
    _, grant = providing(product, peer)
    peer.inway.script.then(lambda _: _STOPS)
    with pytest.raises((EOFError, OSError)):
        product.app("POST", "/", [("Fsc-Grant-Hash", grant)], b"x")

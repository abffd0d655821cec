"""FSC Logging 1.0.0: the line of every crossing, on both sides, before it passes."""

import json
import threading
import time
import uuid
from urllib.parse import quote

import pytest
from tests.fsc.manager import slowly
from tests.fsc.meeting import body, consuming, providing, refused
from tests.fsc.musts import holds
from tests.fsc.papers import Json, uuid7
from tests.fsc.peer import Peer
from tests.fsc.product import Product
from tests.fsc.proxies import UUID7
from tests.fsc.wire import Caller, Request, Response

pytestmark = pytest.mark.fsc
PLANES = ("process", "nginx")

FIELDS = {"transaction_id", "direction", "grant_hash", "source", "destination", "service_name", "created_at"}
OPTIONAL = {"additional_data", "trace_id", "span_id"}


def records(peer: Peer, product: Product, query: str = "") -> list[Json]:
    """What the product's Manager tells a peer of its log."""
    answer = peer.ask("GET", f"{product.manager_address}/v1/logs{query}")
    assert answer.status == 200, (answer.status, answer.body)
    found: list[Json] = body(answer)["records"]
    return found


def of(peer: Peer, product: Product, transaction: str) -> list[Json]:
    return records(peer, product, f"?transaction_ids={transaction}")


def app(
    product: Product, grant: str, method: str = "GET", headers: list[tuple[str, str]] | None = None
) -> Response:
    """A request of an application to the product's Outway."""
    return product.app(method, "/", [("Fsc-Grant-Hash", grant), *(headers or [])], None)


# 3.1: the record


@holds(
    "logging-3.1-fields",
    "logging-3.1.1-token",
    "logging-3.3.1.1-writes",
    "logging-3.3.1.1-id",
    "logging-3.2.1.1-provides",
)
def test_3_1_a_request_through_the_inway_leaves_a_record(peer: Peer, product: Product) -> None:
    _, grant = consuming(peer, product)
    id_, before = uuid7(), int(time.time())
    assert peer.call(grant, product.manager_address, transaction=id_).status == 200
    (found,) = of(peer, product, id_)
    assert set(found) >= FIELDS
    assert set(found) <= FIELDS | OPTIONAL
    assert (found["transaction_id"], found["direction"], found["grant_hash"]) == (
        id_,
        "DIRECTION_INCOMING",
        grant,
    )
    assert found["source"] == {"type": "SOURCE_TYPE_SOURCE", "outway_peer_id": peer.id}
    assert found["destination"] == {"type": "DESTINATION_TYPE_DESTINATION", "service_peer_id": product.id}
    assert found["service_name"] == "echo"
    assert isinstance(found["created_at"], int)
    assert before <= found["created_at"] <= time.time() + 1


@holds(
    "logging-3.1-fields",
    "logging-3.1.1-token",
    "logging-3.4.1.1-writes",
    "logging-3.4.1.1-inway",
    "logging-3.4.1.1-client",
)
def test_3_4_1_1_a_request_through_the_outway_leaves_a_record(peer: Peer, product: Product) -> None:
    _, grant = providing(product, peer)
    answer = app(product, grant)
    assert answer.status == 200
    id_ = str(answer.header("Fsc-Transaction-Id"))
    assert UUID7.fullmatch(id_)
    assert peer.inway.script.seen[0].header("Fsc-Transaction-Id") == id_
    (found,) = of(peer, product, id_)
    assert (found["direction"], found["grant_hash"]) == ("DIRECTION_OUTGOING", grant)
    assert found["source"] == {"type": "SOURCE_TYPE_SOURCE", "outway_peer_id": product.id}
    assert found["destination"] == {"type": "DESTINATION_TYPE_DESTINATION", "service_peer_id": peer.id}
    assert found["service_name"] == "echo"
    (mine,) = [one for one in peer.log if one["transaction_id"] == id_]
    assert {name: mine[name] for name in FIELDS - {"direction", "created_at"}} == {
        name: found[name] for name in FIELDS - {"direction", "created_at"}
    }


@holds("logging-3.1.1-delegator", "logging-3.3.1.2-delegated")
def test_3_3_1_2_the_delegator_of_a_connection_is_in_the_source(
    peer: Peer, product: Product, other_peer: Peer
) -> None:
    _, grant = consuming(peer, product, other_peer, delegator=other_peer.id)
    id_ = uuid7()
    assert peer.call(grant, product.manager_address, transaction=id_).status == 200
    (found,) = of(peer, product, id_)
    assert found["source"] == {
        "type": "SOURCE_TYPE_DELEGATED_SOURCE",
        "outway_peer_id": peer.id,
        "delegator_peer_id": other_peer.id,
    }
    assert of(other_peer, product, id_) == [found]


@holds("logging-3.1.1-publisher", "logging-3.3.1.2-delegated")
def test_3_3_1_2_the_delegator_of_a_publication_is_in_the_destination(
    peer: Peer, product: Product, other_peer: Peer
) -> None:
    _, grant = consuming(peer, product, other_peer, publisher=other_peer.id)
    id_ = uuid7()
    assert peer.call(grant, product.manager_address, transaction=id_).status == 200
    (found,) = of(peer, product, id_)
    assert found["destination"] == {
        "type": "DESTINATION_TYPE_DELEGATED_DESTINATION",
        "service_peer_id": product.id,
        "delegator_peer_id": other_peer.id,
    }
    assert of(other_peer, product, id_) == [found]


@holds("logging-3.4.1.2-delegated")
@pytest.mark.parametrize("role", ["delegator", "publisher"])
def test_3_4_1_2_the_outway_names_the_delegators(
    peer: Peer, product: Product, other_peer: Peer, role: str
) -> None:
    other_peer.accepts = lambda _: True
    assert other_peer.announce(product.manager_address).status == 200
    for one, another in ((peer, other_peer), (other_peer, peer)):
        one.known |= {
            another.id: (another.name, another.manager_address),
            product.id: (product.name, product.manager_address),
        }
    _, grant = providing(product, peer, **{role: other_peer.id})
    answer = app(product, grant)
    assert answer.status == 200, answer.body
    (found,) = of(peer, product, str(answer.header("Fsc-Transaction-Id")))
    end = found["source" if role == "delegator" else "destination"]
    assert "DELEGATED" in end["type"]
    assert end["delegator_peer_id"] == other_peer.id


# 3.3: the Inway


@holds("logging-3.3.1.1-service")
def test_3_3_1_1_the_service_gets_the_transaction_id(peer: Peer, product: Product) -> None:
    _, grant = consuming(peer, product)
    id_ = uuid7()
    seen = json.loads(peer.call(grant, product.manager_address, transaction=id_).body)
    assert [value for name, value in seen["headers"] if name.lower() == "fsc-transaction-id"] == [id_]


@holds("logging-3.3.1.3-codes")
def test_3_3_1_3_a_request_without_transaction_id_is_denied(peer: Peer, product: Product) -> None:
    _, grant = consuming(peer, product)
    token = peer.outway.access(grant, product.manager_address)
    product.upstream.script.seen.clear()
    with Caller(product.inway_address, peer.outway_identity, peer.authority) as caller:
        answer = caller.ask("GET", "/", [("Fsc-Authorization", f"Bearer {token}")])
    refused(answer, "MISSING_LOG_RECORD_ID", 400, "ERROR_DOMAIN_INWAY")
    assert product.upstream.script.seen == []


@holds("logging-3.3.1.3-codes")
@pytest.mark.parametrize(
    "id_",
    [
        "x",
        "1",
        "06338364-8305-7b74-8000-de496350313",
        str(uuid.UUID(int=4)),
        "{%s}",
        "' OR 1=1 --",
        "a" * 1000,
    ],
)
def test_3_3_1_3_a_transaction_id_of_another_form_is_denied(peer: Peer, product: Product, id_: str) -> None:
    _, grant = consuming(peer, product)
    product.upstream.script.seen.clear()
    answer = peer.call(grant, product.manager_address, transaction=id_.replace("%s", uuid7()))
    refused(answer, "INVALID_LOG_RECORD_ID", 400, "ERROR_DOMAIN_INWAY")
    assert product.upstream.script.seen == []


@holds("logging-3.3.1.1-denies", "logging-3.3.1.3-codes")
def test_3_3_1_1_nothing_passes_when_the_inway_cannot_write(peer: Peer, product_alone: Product) -> None:
    product = product_alone
    _, grant = consuming(peer, product)
    assert peer.call(grant, product.manager_address).status == 200
    product.upstream.script.seen.clear()
    with product.log_broken():
        refused(
            peer.call(grant, product.manager_address),
            "TRANSACTION_LOG_WRITE_ERROR",
            500,
            "ERROR_DOMAIN_INWAY",
        )
    assert product.upstream.script.seen == []
    assert peer.call(grant, product.manager_address).status == 200


@holds("logging-3.3.1.1-writes")
def test_3_3_1_1_the_record_is_there_before_the_service_is_asked(peer: Peer, product: Product) -> None:
    _, grant = consuming(peer, product)
    id_ = uuid7()
    seen: list[Json] = []

    def look(_: Request) -> None:
        seen.extend(of(peer, product, id_))

    product.upstream.script.then(look)
    assert peer.call(grant, product.manager_address, transaction=id_).status == 200
    assert [one["transaction_id"] for one in seen] == [id_]


@holds("logging-3.3.1.1-writes")
def test_3_3_1_1_a_request_the_service_refuses_is_recorded_too(peer: Peer, product: Product) -> None:
    _, grant = consuming(peer, product)
    id_ = uuid7()
    product.upstream.script.then(lambda _: Response(404))
    assert peer.call(grant, product.manager_address, transaction=id_).status == 404
    assert len(of(peer, product, id_)) == 1


# 3.4: the Outway


@holds("logging-3.4.1.1-unique")
def test_3_4_1_1_every_request_has_an_id_of_its_own(peer: Peer, product: Product) -> None:
    _, grant = providing(product, peer)
    ids = [app(product, grant).header("Fsc-Transaction-Id") for _ in range(20)]
    assert len(set(ids)) == 20
    assert all(UUID7.fullmatch(str(one)) for one in ids)


@holds("logging-3.4.1.1-denies", "logging-3.4.1.3-codes")
def test_3_4_1_1_nothing_leaves_when_the_outway_cannot_write(peer: Peer, product_alone: Product) -> None:
    product = product_alone
    _, grant = providing(product, peer)
    assert app(product, grant).status == 200
    peer.inway.script.seen.clear()
    with product.log_broken():
        refused(app(product, grant), "TRANSACTION_LOG_WRITE_ERROR", 500, "ERROR_DOMAIN_OUTWAY")
    assert peer.inway.script.seen == []
    assert app(product, grant).status == 200


@holds("logging-3.4.1.1-writes")
def test_3_4_1_1_the_record_is_there_before_the_request_leaves(peer: Peer, product: Product) -> None:
    _, grant = providing(product, peer)
    seen: list[Json] = []

    def look(request: Request) -> None:
        seen.extend(of(peer, product, str(request.header("Fsc-Transaction-Id"))))

    peer.inway.script.then(look)
    answer = app(product, grant)
    assert [one["transaction_id"] for one in seen] == [answer.header("Fsc-Transaction-Id")]


@holds("logging-3.4.1.3-codes")
@pytest.mark.parametrize("id_", ["x", str(uuid.UUID(int=4))])
def test_3_4_1_3_an_id_of_another_form_from_a_client_is_denied(
    peer: Peer, product: Product, id_: str
) -> None:
    _, grant = providing(product, peer)
    answer = app(product, grant, headers=[("Fsc-Transaction-Id", id_)])
    refused(answer, "INVALID_LOG_RECORD_ID", 400, "ERROR_DOMAIN_OUTWAY")
    assert peer.inway.script.seen == []


@holds("logging-3.4.1.1-client")
def test_3_4_1_1_the_client_gets_the_id_with_an_error_too(peer: Peer, product: Product) -> None:
    _, grant = providing(product, peer)
    peer.services["echo"] = lambda _: Response(404)
    answer = app(product, grant)
    assert answer.status == 404
    assert of(peer, product, str(answer.header("Fsc-Transaction-Id")))


# 3.2: the Manager


@holds("logging-3.2.1.1-own")
def test_3_2_1_1_a_peer_sees_only_records_in_which_it_occurs(
    peer: Peer, product: Product, other_peer: Peer
) -> None:
    _, grant = consuming(peer, product)
    _, others = consuming(other_peer, product)
    mine, theirs = uuid7(), uuid7()
    assert peer.call(grant, product.manager_address, transaction=mine).status == 200
    assert other_peer.call(others, product.manager_address, transaction=theirs).status == 200
    assert {one["transaction_id"] for one in records(peer, product)} == {mine}
    assert of(peer, product, theirs) == []
    assert records(peer, product, f"?grant_hash={quote(others)}") == []
    assert {one["transaction_id"] for one in records(peer, product, f"?transaction_ids={mine},{theirs}")} == {
        mine
    }


@holds("logging-3.2.2-interface")
def test_3_2_2_records_are_found_by_time_grant_and_service(peer: Peer, product: Product) -> None:
    _, first = consuming(peer, product)
    _, second = consuming(peer, product, service="anders")
    for grant in (first, second):
        assert peer.call(grant, product.manager_address).status == 200
    now = int(time.time())
    assert {one["grant_hash"] for one in records(peer, product, f"?grant_hash={quote(first)}")} == {first}
    assert {one["grant_hash"] for one in records(peer, product, "?service_name=anders")} == {second}
    either = records(peer, product, f"?grant_hash={quote(first)}&service_name=anders")
    assert {one["grant_hash"] for one in either} == {first, second}
    assert records(peer, product, f"?after={now + 100}") == []
    assert records(peer, product, f"?before={now - 100}") == []
    assert len(records(peer, product, f"?after={now - 100}&before={now + 100}")) == 2


@holds("logging-3.2.2-interface")
@pytest.mark.parametrize("order", ["SORT_ORDER_ASCENDING", "SORT_ORDER_DESCENDING"])
def test_3_2_2_records_come_in_pages(peer: Peer, product: Product, order: str) -> None:
    _, grant = consuming(peer, product)
    ids = [uuid7() for _ in range(5)]
    for id_ in ids:
        assert peer.call(grant, product.manager_address, transaction=id_).status == 200
    found: list[str] = []
    cursor = ""
    while True:
        page = body(
            peer.ask(
                "GET", f"{product.manager_address}/v1/logs?limit=2&sort_order={order}&cursor={quote(cursor)}"
            )
        )
        found += [one["transaction_id"] for one in page["records"]]
        cursor = page["pagination"]["next_cursor"]
        if not cursor:
            break
    assert found == (ids if order.endswith("_ASCENDING") else ids[::-1])


@holds("logging-3.2.2-interface")
def test_3_2_2_a_page_has_25_records_unless_asked(peer: Peer, product: Product) -> None:
    _, grant = consuming(peer, product)
    for _ in range(27):
        assert peer.call(grant, product.manager_address).status == 200
    answer = body(peer.ask("GET", product.manager_address + "/v1/logs"))
    assert len(answer["records"]) == 25
    assert answer["pagination"]["next_cursor"]


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "after=x", "before=-1", "sort_order=x", "transaction_ids=x"]
)
def test_a_question_outside_the_openapi_file_is_refused_or_finds_nothing(
    peer: Peer, product: Product, query: str
) -> None:
    answer = peer.ask("GET", f"{product.manager_address}/v1/logs?{query}")
    assert 400 <= answer.status < 500 or body(answer)["records"] == []


def test_trace_context_passes_the_gateway(peer: Peer, product: Product) -> None:
    """W3C Trace Context goes through both proxies; the trace, not necessarily the same span."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    _, grant = consuming(peer, product)
    seen = json.loads(peer.call(grant, product.manager_address, headers=[("traceparent", trace)]).body)
    got = {name.lower(): value for name, value in seen["headers"]}
    assert got["traceparent"].split("-")[1] == trace.split("-")[1]


def test_a_slow_service_holds_up_nobody_else(peer: Peer, product: Product) -> None:
    _, grant = consuming(peer, product)
    product.upstream.script.then(slowly(3), path="/langzaam")
    token = peer.outway.access(grant, product.manager_address)
    slow = threading.Thread(target=lambda: peer.outway.send(token, "GET", "/langzaam"))
    slow.start()
    started = time.monotonic()
    assert peer.outway.send(token, "GET", "/snel").status == 200
    took = time.monotonic() - started
    slow.join()
    assert took < 2

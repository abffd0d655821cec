"""Programs that call a service through the outway: which connection, which errors."""

from collections.abc import Callable

import httpx
import pytest

from nlx_client import NLXClient
from sluis.client import AsyncClient, Client, Connection, GatewayError, InwayError, NoOutway, OutwayError

PEER, GRANT = "00000001000000000002", "$1$3$" + "A" * 86
OUTWAY = "http://outway.test"

Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler) -> Client:
    return Client(OUTWAY, transport=httpx.MockTransport(handler))


def echo(request: httpx.Request) -> httpx.Response:
    return httpx.Response(
        200,
        json={
            "method": request.method,
            "target": request.url.raw_path.decode(),
            "grant": request.headers.get("fsc-grant-hash"),
            "own": request.headers.get("x-own"),
            "body": request.content.decode(),
        },
    )


def refusing(code: str, domain: str, status: int) -> Handler:
    def handler(_: httpx.Request) -> httpx.Response:
        headers = {"Fsc-Error-Code": code, "Fsc-Transaction-Id": "0198c5e0-0000-7000-8000-000000000000"}
        return httpx.Response(
            status, headers=headers, json={"message": "No.", "domain": domain, "code": code}
        )

    return handler


def test_a_grant_travels_as_header_and_leaves_the_path_alone() -> None:
    with client(echo) as sluis:
        seen = sluis.get(Connection(grant=GRANT), "/personen?naam=x%2Fy", headers={"x-own": "1"}).json()
    assert seen["target"] == "/personen?naam=x%2Fy"
    assert (seen["grant"], seen["own"]) == (GRANT, "1")


def test_a_link_and_a_peer_with_service_stand_before_the_path() -> None:
    with client(echo) as sluis:
        assert sluis.get(Connection(link="bevolking"), "personen").json()["target"] == "/bevolking/personen"
        by_peer = sluis.get(Connection(peer=PEER, service="personen"), "/v1").json()
    assert by_peer["target"] == f"/{PEER}/personen/v1"
    assert by_peer["grant"] is None


@pytest.mark.parametrize("given", [{}, {"peer": PEER}, {"service": "personen"}])
def test_a_connection_must_lead_somewhere(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="grant"):
        Connection(**given)


def test_a_name_cannot_reach_another_path() -> None:
    with client(echo) as sluis:
        assert sluis.get(Connection(link="a/../b"), "/x").json()["target"] == "/a%2F..%2Fb/x"


@pytest.mark.parametrize(
    ("code", "domain", "status", "kind", "retry"),
    [
        ("ERROR_CODE_ACCESS_TOKEN_INVALID", "ERROR_DOMAIN_INWAY", 401, InwayError, False),
        ("ERROR_CODE_ACCESS_TOKEN_EXPIRED", "ERROR_DOMAIN_INWAY", 401, InwayError, True),
        ("ERROR_CODE_SERVICE_UNREACHABLE", "ERROR_DOMAIN_INWAY", 502, InwayError, True),
        ("ERROR_CODE_METHOD_UNSUPPORTED", "ERROR_DOMAIN_OUTWAY", 405, OutwayError, False),
        ("TRANSACTION_LOG_WRITE_ERROR", "ERROR_DOMAIN_OUTWAY", 500, OutwayError, True),
    ],
)
def test_what_a_gateway_refuses_says_which_side_which_code_and_whether_to_try_again(
    code: str, domain: str, status: int, kind: type[GatewayError], retry: bool
) -> None:
    with client(refusing(code, domain, status)) as sluis, pytest.raises(kind) as caught:
        sluis.get(Connection(peer=PEER, service="personen"), "/personen/999990019")
    error = caught.value
    assert (error.code, error.peer, error.retry, error.status) == (code, PEER, retry, status)
    assert error.transaction_id in str(error)
    assert "999990019" not in str(error)


def test_an_answer_of_the_service_is_no_error_whatever_its_status() -> None:
    with client(lambda _: httpx.Response(404, json={"title": "no such case"})) as sluis:
        assert sluis.get(Connection(link="zaken"), "/1").status_code == 404


def test_an_error_that_is_no_json_is_an_error_all_the_same() -> None:
    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(502, headers={"Fsc-Error-Code": "X"}, content=b"<html>")

    with client(handler) as sluis, pytest.raises(OutwayError, match="502"):
        sluis.get(Connection(link="zaken"), "/")


def test_an_outway_that_is_not_there_is_named_without_what_was_asked() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError(f"no route to {request.url}")

    with client(handler) as sluis, pytest.raises(NoOutway) as caught:
        sluis.post(Connection(peer=PEER, service="personen"), "/personen/999990019", json={})
    assert caught.value.retry
    assert "999990019" not in str(caught.value)


def test_an_answer_that_breaks_off_is_not_taken_for_a_missing_outway() -> None:
    class Broken(httpx.SyncByteStream):
        def __iter__(self):  # type: ignore[no-untyped-def]
            yield b"half"
            raise httpx.ReadError("gone")

    with (
        client(lambda _: httpx.Response(200, stream=Broken())) as sluis,
        pytest.raises(OutwayError, match="broke off"),
    ):
        sluis.get(Connection(link="zaken"), "/")


@pytest.mark.parametrize(
    "path", ["/../andere/x", "../andere/x", "/a/../../x", "/./x", "/a/..#x", "//elders.example/x"]
)
@pytest.mark.parametrize("connection", [Connection(link="zaken"), Connection(grant=GRANT)])
def test_no_path_leads_to_another_connection(connection: Connection, path: str) -> None:
    """Part of a path often comes from somebody else."""
    with client(echo) as sluis:
        with pytest.raises(ValueError, match="segment"):
            sluis.get(connection, path)
        assert sluis.get(connection, "/a?of=/../b").status_code == 200


async def test_the_same_for_asyncio() -> None:
    transport = httpx.MockTransport(echo)
    async with AsyncClient(OUTWAY, transport=transport) as sluis:
        answer = await sluis.post(Connection(link="zaken"), "/", json={"a": 1})
    assert answer.json()["body"] == '{"a":1}'
    refused = httpx.MockTransport(refusing("ERROR_CODE_SERVICE_NOT_FOUND", "ERROR_DOMAIN_INWAY", 404))
    async with AsyncClient(OUTWAY, transport=refused) as sluis:
        with pytest.raises(InwayError):
            await sluis.get(Connection(link="zaken"), "/")


def test_existing_examples_for_nlx_work() -> None:
    nlx = NLXClient(OUTWAY, transport=httpx.MockTransport(echo))
    response = nlx.get(service="brp-service", path="/personen", headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["target"]) == (200, "/brp-service/personen")
    assert nlx.put(service=f"{PEER}/brp", path="/x", json={"a": 1}).json()["target"] == f"/{PEER}/brp/x"
    for name in ("post", "patch", "delete"):
        assert getattr(nlx, name)(service="brp", path="/x").json()["method"] == name.upper()
    assert nlx.get(service="brp", path="/x").text.startswith("{")

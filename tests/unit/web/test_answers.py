"""What every answer has in common, and what the API says of itself."""

import logging
from typing import Any

import pytest

from sluis.web import Api
from sluis.web.openapi import API_VERSION

REQUIRED = {
    "api-version": API_VERSION,
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


@pytest.mark.parametrize(
    "path",
    ["/v1/identifiers", "/v1/openapi.json", "/v1/nothing", "/v1/me", "/v1/failures/bug", "/v1/me/", "/"],
)
async def test_every_answer_has_the_headers_of_the_design_rules(call: Any, path: str) -> None:
    reply = await call("GET", path)
    assert {name: reply.headers.get(name) for name in REQUIRED} == REQUIRED
    assert "content-type" in reply.headers


async def test_identifiers_are_plain_strings_in_an_answer(call: Any) -> None:
    assert (await call("GET", "/v1/identifiers")).json == ["999990019"]


async def test_request_without_trace_begins_one(call: Any, as_uwv: dict[str, Any]) -> None:
    body = {"owner": "00000001826002785000"}
    traces = {(await call("POST", "/v1/echoes", body, extensions=as_uwv)).json["trace"] for _ in range(2)}
    assert len(traces) == 2


async def test_access_log_tells_route_status_and_caller_only(
    call: Any, as_uwv: dict[str, Any], as_me: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "sluis.access"):
        await call("GET", "/v1/failures/missing?bsn=999990019")
        await call("GET", "/v1/nothing/999990019")
        await call("POST", "/v1/echoes", {"owner": "00000001826002785000"}, extensions=as_uwv)
        await call("GET", "/v1/me", extensions=as_me)
    told = [[record.args[index] for index in (0, 1, 2, 4)] for record in caplog.records]  # type: ignore[index]
    assert told == [
        ["GET", "/v1/failures/{kind}", 404, "-"],
        ["GET", "-", 404, "-"],
        ["POST", "/v1/echoes", 200, "00000001826002785000"],
        ["GET", "/v1/me", 200, "local"],
    ]


async def test_document_is_open_to_all_and_to_pages_of_others(call: Any) -> None:
    reply = await call("GET", "/v1/openapi.json")
    assert reply.status == 200
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.json["openapi"].startswith("3.")


def test_document_names_version_in_the_server_and_contact(api: Api) -> None:
    document = api.document()
    assert document["servers"] == [{"url": "https://node.example/v1"}]
    assert set(document["info"]["contact"]) == {"name", "email", "url"}
    assert not any(path.startswith("/v1") for path in document["paths"])


def test_every_documented_error_is_a_problem_and_every_answer_has_a_version(api: Api) -> None:
    for path, item in api.document()["paths"].items():
        for operation in item.values():
            for status, response in operation["responses"].items():
                assert "API-Version" in response["headers"], path
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"], path


def test_documented_statuses_follow_from_who_may_call_and_what_is_sent(api: Api) -> None:
    paths = api.document()["paths"]
    assert {"200", "400", "401", "403", "404", "409", "500", "502", "503"} == set(
        paths["/echoes"]["post"]["responses"]
    )
    assert {"200", "401", "403", "500", "503"} == set(paths["/me"]["get"]["responses"])
    assert {"200", "400", "500"} == set(paths["/counts"]["get"]["responses"])
    assert {"200", "500"} == set(paths["/identifiers"]["get"]["responses"])


def test_document_says_how_callers_identify_themselves(api: Api) -> None:
    paths = api.document()["paths"]
    assert paths["/echoes"]["post"]["security"] == [{"peer": []}]
    assert paths["/identifiers"]["get"]["security"] == []
    assert "unix-socket" in paths["/me"]["get"]["description"]


def test_identifiers_are_digits_in_the_document(api: Api) -> None:
    owner = api.document()["components"]["schemas"]["Request"]["properties"]["owner"]
    assert owner == {"type": "string", "pattern": "^[0-9]{20}$"}


def test_operations_have_ids_of_their_own(api: Api) -> None:
    operations = [one["operationId"] for item in api.document()["paths"].values() for one in item.values()]
    assert len(set(operations)) == len(operations)
    assert "postEchoes" in operations


@pytest.mark.parametrize("body", [b"[", b'{"a":', b'{"x": ' + b"["])
async def test_a_body_nested_without_end_is_not_right(call: Any, as_uwv: dict[str, Any], body: bytes) -> None:
    reply = await call("POST", "/v1/echoes", body * 50_000, extensions=as_uwv)
    assert (reply.status, reply.json["status"]) == (400, 400)

"""What goes wrong reaches the caller as RFC 9457, in the caller's language, and gives nothing away."""

import logging
from typing import Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluis.kernel import Oin, decode
from sluis.web.app import MAX_BODY
from sluis.web.problems import of_decoding, preferred


async def test_problem_has_the_members_of_the_standard_and_ours(call: Any) -> None:
    reply = await call("GET", "/v1/failures/refused")
    assert reply.status == 403
    assert reply.headers["content-type"] == "application/problem+json"
    members = reply.json
    assert members["type"] == "urn:sluis:problem:no-ground"
    assert (members["status"], members["rule"], members["legalBasis"], members["peer"]) == (
        403,
        "ground",
        "Wet X, art. 1",
        "UWV",
    )
    assert set(members["texts"]) == {"nl", "en"}


async def test_a_problem_that_passes_says_when_to_come_again(call: Any) -> None:
    assert (await call("GET", "/v1/failures/full")).headers["retry-after"] == "3"
    assert "retry-after" not in (await call("GET", "/v1/failures/unkept")).headers


@pytest.mark.parametrize(
    ("header", "language", "title"),
    [
        ("en", "en", "No."),
        ("nl", "nl", "Nee."),
        ("de, en;q=0.5, nl;q=0.4", "en", "No."),
        ("fr", "nl", "Nee."),
    ],
)
async def test_title_is_in_the_language_the_caller_prefers(
    call: Any, header: str, language: str, title: str
) -> None:
    reply = await call("GET", "/v1/failures/missing", headers={"accept-language": header})
    assert (reply.headers["content-language"], reply.json["title"]) == (language, title)


@given(st.text(max_size=60))
def test_no_language_header_breaks_the_answer(header: str) -> None:
    assert preferred(header) in {"nl", "en"}


async def test_fault_of_ours_gives_an_id_and_no_detail(call: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "sluis.web"):
        reply = await call("GET", "/v1/failures/bug")
    reference = reply.json["instance"].removeprefix("urn:uuid:")
    assert reply.status == 500
    assert b"secret" not in reply.body
    assert reference in caplog.text
    assert "ValueError at" in caplog.text
    assert "secret" not in caplog.text


async def test_fault_in_a_begun_answer_leaves_it_incomplete(
    call: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "sluis.web"):
        reply = await call("GET", "/v1/breaking")
    assert not reply.complete
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    ("body", "code", "named"),
    [
        (b"{", "malformed-json", "byte"),
        (b"", "invalid-request", "data"),
        (b"{}", "invalid-body", "'owner'"),
        (b'{"owner": 12}', "invalid-oin", "twenty"),
        (b'{"owner": "00000001826002785000", "count": "999990019"}', "invalid-body", "'count'"),
        (b'{"owner": "00000001826002785000", "names": {"a": ["x"]}}', "invalid-body", "names"),
        (b'{"owner": "00000001826002785000", "999990019": 1}', "invalid-body", "$"),
    ],
)
async def test_body_that_is_not_right_is_400_and_names_the_field_never_the_value(
    call: Any, as_uwv: dict[str, Any], body: bytes, code: str, named: str
) -> None:
    reply = await call("POST", "/v1/echoes", body, {"accept-language": "en"}, as_uwv)
    assert (reply.status, reply.json["code"]) == (400, code)
    assert named in reply.json["detail"]
    assert b"999990019" not in reply.body


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    kind: Oin
    choice: Literal["red", "green"]


@given(st.recursive(st.none() | st.booleans() | st.text("0123456789", min_size=3), st.lists, max_leaves=4))
def test_no_value_of_a_body_comes_back_in_a_problem(value: Any) -> None:
    try:
        decode(msgspec.json.encode({"kind": "1" * 20, "choice": value}), _Body)
    except msgspec.DecodeError as failure:
        text = str(of_decoding(failure))
        assert not any(found in text for found in _strings(value))


def _strings(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [found for item in value for found in _strings(item)] if isinstance(value, list) else []


async def test_parameter_of_another_type_is_400_and_named(call: Any) -> None:
    reply = await call("GET", "/v1/counts?limit=999990019x")
    assert (reply.status, reply.json["code"]) == (400, "invalid-request")
    assert "limit" in reply.json["detail"]
    assert b"999990019" not in reply.body


async def test_body_over_the_limit_is_refused(call: Any, as_uwv: dict[str, Any]) -> None:
    reply = await call("POST", "/v1/echoes", b" " * (MAX_BODY + 1), extensions=as_uwv)
    assert (reply.status, reply.json["code"]) == (400, "body-too-large")


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/v1/me/", "//v1/me", "/v1//me", "/", "/schema", "/schema/openapi.json"]
)
async def test_path_that_is_no_route_is_404(call: Any, path: str) -> None:
    reply = await call("GET", path)
    assert (reply.status, reply.json["code"]) == (404, "unknown-path")


@pytest.mark.parametrize("method", ["DELETE", "OPTIONS", "POST"])
async def test_method_that_a_path_does_not_have_is_405_with_those_it_has(call: Any, method: str) -> None:
    reply = await call(method, "/v1/counts")
    assert (reply.status, reply.headers["allow"]) == (405, "GET")
    assert reply.json["status"] == 405

"""The ZGW Notificaties API 1.0.1 over HTTP; every answer is held against the official document (`world.conforms`)."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from tests.unit.events.notificaties.world import ABONNEMENT, KANAAL, MESSAGE, Caller, Node, official, token


async def channel(api: Caller, **changed: Any) -> str:
    answer = await api("POST", "/kanaal", {**KANAAL, **changed})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["url"]).removeprefix("https://node.example/notificaties/api/v1")


async def subscription(api: Caller, **changed: Any) -> str:
    answer = await api("POST", "/abonnement", {**ABONNEMENT, **changed})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["url"]).removeprefix("https://node.example/notificaties/api/v1")


async def test_a_channel_is_made_and_found(api: Caller) -> None:
    made = await api("POST", "/kanaal", KANAAL)
    assert made.status_code == 201
    assert made.headers["location"] == made.json()["url"]
    assert {name: made.json()[name] for name in KANAAL} == KANAAL
    place = await channel(api, naam="besluiten")
    assert (await api("GET", place)).json()["naam"] == "besluiten"
    assert [one["naam"] for one in (await api("GET", "/kanaal")).json()] == ["besluiten", "zaken"]
    assert [one["naam"] for one in (await api("GET", "/kanaal?naam=zaken")).json()] == ["zaken"]
    assert (await api("GET", "/kanaal?naam=onbekend")).json() == []


async def test_a_channel_needs_no_more_than_a_name(api: Caller) -> None:
    made = await api("POST", "/kanaal", {"naam": "kaal"})
    assert made.json()["filters"] == []


@pytest.mark.parametrize("text", ["a\\u0000b", "a\\ud800b", "a\\nb"])
async def test_what_cannot_be_written_is_told_and_breaks_nothing(api: Caller, text: str) -> None:
    await channel(api)
    naam, features = f'{{"naam": "{text}"}}', f'{{"naam": "x", "filters": ["{text}"]}}'
    message = json.dumps({**MESSAGE, "kenmerken": {"bronorganisatie": "?"}}).replace("?", text)
    for path, body in (("/kanaal", naam), ("/kanaal", features), ("/notificaties", message)):
        answer = await api("POST", path, body.encode())
        assert answer.status_code == 400, (path, answer.text)


async def test_a_name_of_a_channel_is_given_once(api: Caller) -> None:
    await channel(api)
    answer = await api("POST", "/kanaal", KANAAL)
    assert answer.status_code == 400
    assert [(one["name"], one["code"]) for one in answer.json()["invalidParams"]] == [("naam", "unique")]


async def test_an_abonnement_is_made_read_changed_and_ended(api: Caller) -> None:
    await channel(api)
    place = await subscription(api)
    shown = (await api("GET", place)).json()
    assert (shown["callbackUrl"], shown["kanalen"]) == (ABONNEMENT["callbackUrl"], ABONNEMENT["kanalen"])
    assert [one["url"] for one in (await api("GET", "/abonnement")).json()] == [shown["url"]]
    other = {**ABONNEMENT, "callbackUrl": "https://zaken.example/anders"}
    assert (await api("PUT", place, other)).json()["callbackUrl"] == other["callbackUrl"]
    moved = await api("PATCH", place, {"callbackUrl": ABONNEMENT["callbackUrl"]})
    assert [one["name"] for one in moved.json()["invalidParams"]] == ["auth"]  # it goes to no other address
    patched = await api("PATCH", place, {"kanalen": [{"naam": "zaken"}]})
    assert patched.json()["kanalen"] == [{"naam": "zaken", "filters": {}}]
    assert patched.json()["callbackUrl"] == other["callbackUrl"]
    assert (await api("DELETE", place)).status_code == 204
    assert (await api("GET", place)).status_code == 404
    assert (await api("GET", "/abonnement")).json() == []


async def test_what_is_shown_at_the_callback_is_never_shown_again(api: Caller, node: Node) -> None:
    await channel(api)
    place = await subscription(api)
    for answer in (await api("GET", place), await api("GET", "/abonnement")):
        assert "abc123" not in answer.text
    assert b"abc123" not in b"".join(file.read_bytes() for file in node.directory.glob("node.db*"))


async def test_what_is_hidden_stays_when_it_is_sent_back_to_the_same_address(api: Caller, node: Node) -> None:
    await channel(api)
    place = await subscription(api)
    shown = (await api("GET", place)).json()
    assert (await api("PUT", place, shown)).status_code == 200
    assert node.notificaties.subscriptions()[0].headers == {"authorization": "Bearer abc123"}
    elsewhere = await api("PUT", place, {**shown, "callbackUrl": "https://zaken.example/elders"})
    assert [one["name"] for one in elsewhere.json()["invalidParams"]] == ["auth"]


async def test_another_application_sees_no_abonnement_and_changes_none(api: Caller, node: Node) -> None:
    await channel(api)
    place = await subscription(api)
    other = node.caller("formulieren")
    assert (await other("GET", "/abonnement")).json() == []
    for method, body in (("GET", None), ("PUT", ABONNEMENT), ("PATCH", {}), ("DELETE", None)):
        assert (await other(method, place, body)).status_code == 404
    assert (await api("GET", place)).status_code == 200


@pytest.mark.parametrize(
    ("callback", "taken"),
    [
        ("https://formulieren.example/api/notificaties", True),
        ("https://FORMULIEREN.example/api/", True),
        ("https://formulieren.example:443/api/x?y=1", True),
        ("https://formulieren.example:8443/wat/ook", True),
        ("https://formulieren.example/anders", False),
        ("https://formulieren.example/api", False),
        ("https://formulieren.example/api/../beheer", False),
        ("https://formulieren.example/api/%2e%2E/beheer", False),
        ("https://formulieren.example/api/..;/beheer", False),
        ("https://formulieren.example/api/%2e%2e%3bx=1/beheer", False),
        ("https://formulieren.example/api/%252e%252e/beheer", False),
        ("https://formulieren.example/api/..", False),
        ("https://formulieren.example/api/a%2fb", False),
        ("http://formulieren.example/api/x", False),
        ("https://formulieren.example.evil.example/api/x", False),
        ("https://evil.example/https://formulieren.example/api/", False),
        ("https://gebruiker@formulieren.example/api/x", False),
        ("https://formulieren.example:9000/api/x", False),
        ("https://formulieren.example/api/x#deel", False),
        ("https://169.254.169.254/api/", False),
        ("https://zaken.example/callbacks", False),
        ("ftp://formulieren.example/api/", False),
    ],
)
async def test_an_application_is_called_back_only_where_the_operator_said(
    api: Caller, node: Node, callback: str, taken: bool
) -> None:
    await channel(api)
    answer = await node.caller("formulieren")("POST", "/abonnement", {**ABONNEMENT, "callbackUrl": callback})
    assert answer.status_code == (201 if taken else 400)
    if not taken:
        assert [one["name"] for one in answer.json()["invalidParams"]] == ["callbackUrl"]


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"callbackUrl": None}, [("callbackUrl", "null")]),
        ({"callbackUrl": 5}, [("callbackUrl", "invalid")]),
        ({"callbackUrl": "geen adres"}, [("callbackUrl", "invalid")]),
        ({"auth": ""}, [("auth", "blank")]),
        ({"auth": "Bearer a\r\nx: y"}, [("auth", "invalid")]),
        ({"auth": "a" * 1001}, [("auth", "max_length")]),
        ({"auth": "***"}, [("auth", "required")]),
        ({"kanalen": None}, [("kanalen", "required")]),
        ({"kanalen": {}}, [("kanalen", "not_a_list")]),
        ({"kanalen": [5]}, [("kanalen", "not_a_list")]),
        ({"kanalen": [{}]}, [("kanalen.0.naam", "required")]),
        ({"kanalen": [{"naam": "zaken"}, {"naam": "onbekend"}]}, [("kanalen.1.naam", "kanaal_naam")]),
        (
            {"kanalen": [{"naam": "zaken", "filters": {"vreemd": "x"}}]},
            [("kanalen.0.filters", "inconsistent-abonnement-filters")],
        ),
        ({"kanalen": [{"naam": "zaken", "filters": []}]}, [("kanalen.0.filters", "not_a_dict")]),
        ({"kanalen": [{"naam": "zaken", "filters": {"zaaktype": 5}}]}, [("kanalen.0.filters", "max_length")]),
        ({"auth": "", "callbackUrl": ""}, [("callbackUrl", "blank"), ("auth", "blank")]),
    ],
)
async def test_every_field_that_is_not_right_is_named(
    api: Caller, changed: dict[str, Any], wrong: list[tuple[str, str]]
) -> None:
    await channel(api)
    answer = await api("POST", "/abonnement", {**ABONNEMENT, **changed})
    assert answer.status_code == 400
    assert [(one["name"], one["code"]) for one in answer.json()["invalidParams"]] == wrong


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"naam": "a" * 51}, "naam"),
        ({"naam": ""}, "naam"),
        ({"documentatieLink": "x"}, "documentatieLink"),
        ({"documentatieLink": "https://a.example/" + "a" * 200}, "documentatieLink"),
        ({"filters": "zaaktype"}, "filters"),
        ({"filters": [""]}, "filters"),
        ({"filters": ["a" * 101]}, "filters"),
        ({"filters": ["a"] * 51}, "filters"),
    ],
)
async def test_a_channel_that_is_not_right_is_refused(
    api: Caller, changed: dict[str, Any], wrong: str
) -> None:
    answer = await api("POST", "/kanaal", {**KANAAL, **changed})
    assert [one["name"] for one in answer.json()["invalidParams"]] == [wrong]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"5", b"null", b'{"naam":"a","naam":"b"}', b"\xff", b"NaN"]
)
async def test_a_body_that_is_no_object_is_invalid(api: Caller, body: bytes) -> None:
    for path in ("/kanaal", "/abonnement", "/notificaties"):
        assert (await api("POST", path, body)).status_code == 400


async def test_another_media_type_and_too_much_have_a_status_of_their_own(api: Caller) -> None:
    assert (await api("POST", "/kanaal", KANAAL, content_type="text/plain")).status_code == 415
    assert (await api("POST", "/kanaal", {"naam": "a" * 70_000})).status_code == 400
    assert (await api("GET", "/onbekend")).status_code == 404
    assert (await api("DELETE", "/kanaal")).status_code == 405


async def test_problems_are_in_the_language_that_is_asked_for(api: Caller) -> None:
    dutch, english = await api("POST", "/kanaal", {}), await api("POST", "/kanaal", {}, accept_language="en")
    assert (dutch.json()["title"], english.json()["title"]) == (
        "Deze invoer klopt niet.",
        "This input is not right.",
    )


@pytest.mark.parametrize(
    ("application", "method", "path", "body"),
    [
        ("formulieren", "POST", "/kanaal", KANAAL),
        ("formulieren", "POST", "/notificaties", MESSAGE),
        ("meldingen", "POST", "/abonnement", ABONNEMENT),
        ("meldingen", "DELETE", "/abonnement/4d9c0ffe-0000-4000-8000-000000000000", None),
    ],
)
async def test_without_the_scope_an_application_is_refused_and_that_is_recorded(
    node: Node, application: str, method: str, path: str, body: Any
) -> None:
    answer = await node.caller(application)(method, path, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert node.refused == ["permission_denied"]


SECRET = b"geheim-van-openzaak-voor-de-proef!"


@pytest.mark.parametrize(
    ("changed", "header", "secret"),
    [
        ({"iat": None}, None, SECRET),
        ({"iat": "1"}, None, SECRET),
        ({"iat": True}, None, SECRET),
        ({"iat": 0}, None, SECRET),
        ({"iat": 9_999_999_999}, None, SECRET),
        ({"exp": 1}, None, SECRET),
        ({"nbf": 9_999_999_999}, None, SECRET),
        ({"client_id": "onbekend", "iss": "onbekend"}, None, SECRET),
        ({"client_id": "formulieren"}, None, SECRET),
        ({"client_id": None, "iss": None}, None, SECRET),
        ({"client_id": 5, "iss": None}, None, SECRET),
        ({}, None, b"een-ander-geheim-dan-dat-van-openzaak"),
        ({}, None, b""),
        ({}, {"alg": "none"}, b""),
        ({}, {"alg": "HS512"}, SECRET),
        ({}, {"alg": "RS256"}, SECRET),
        ({}, {"alg": "HS256", "typ": "at+jwt"}, SECRET),
        ({}, {"alg": "HS256", "crit": ["b64"], "b64": False}, SECRET),
        ({}, {"alg": "HS256", "b64": True}, SECRET),
        ({}, {"typ": "JWT"}, SECRET),
    ],
)
async def test_a_token_that_is_not_right_identifies_nobody(
    api: Caller, changed: dict[str, Any], header: dict[str, Any] | None, secret: bytes
) -> None:
    answer = await api("GET", "/kanaal", auth=f"Bearer {token(api.claims(**changed), secret, header)}")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "auth", ["", "Bearer", "Bearer x", "Bearer a.b.c", "Basic YTpi", "Bearer " + "a" * 5_000]
)
async def test_without_a_token_nobody_is_identified(api: Caller, auth: str) -> None:
    assert (await api("GET", "/kanaal", auth=auth)).status_code == 401


@pytest.mark.parametrize(
    "changed", [{}, {"client_id": None}, {"iss": None}, {"exp": 9_999_999_999}, {"iat": 1795348800 - 3600}]
)
async def test_a_token_as_the_zgw_practice_makes_it_is_believed(api: Caller, changed: dict[str, Any]) -> None:
    if "iat" in changed:
        changed = {"iat": int(api.clock().timestamp()) - 3_600}
    answer = await api("GET", "/kanaal", auth=f"bearer {token(api.claims(**changed), SECRET)}")
    assert answer.status_code == 200


@pytest.mark.prove
async def test_whatever_the_document_allows_to_be_sent_is_answered_as_it_says(
    api: Caller, node: Node
) -> None:
    document = official()
    if document is None:
        pytest.skip("the official document does not lie beside the checkout")
    schemathesis = pytest.importorskip("schemathesis")
    await channel(api)
    cases = list[tuple[str, str, Any]]()
    for operation in schemathesis.openapi.from_dict(document).get_all_operations():

        @settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck), database=None)
        @given(case=operation.ok().as_strategy())
        def gather(case: Any) -> None:
            body = case.body if isinstance(case.body, dict | list | str | int | float | bool) else None
            cases.append((case.method, case.formatted_path, body))

        gather()
    for method, path, body in cases:
        sent = body if method in ("POST", "PUT", "PATCH") else None
        answer = await api(method, path.removeprefix("/api/v1"), sent)
        assert answer.status_code < 500

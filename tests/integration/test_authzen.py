"""The certification scenario of AuthZEN (authorization-api-1_0-scenario): Basic, Batch, Search and Discovery, over HTTP.

The policies, what is known and the eight decisions stand beside this file, in `authzen/`, as an organisation would write
them. Each test names the section of the scenario that it is; all but the last run against one decision point.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
from tests.conftest import SHARED
from tests.unit.ledger.examples import NOW, clock, opened
from tests.unit.web.conftest import ABOUT

from sluis.grounds import Grounds
from sluis.kernel import Refused, Text, Unidentified, encode
from sluis.ledger import Decision, Ledger, decisions
from sluis.policy import DecisionPoint, open_versions, policies_of, read_own, replay, routes
from sluis.policy.engine import Engine
from sluis.policy.files import try_cases
from sluis.store import Store
from sluis.web import Access, LoopbackListener, Server, make_api

FOLDER = Path(__file__).parent / "authzen"
ALICE: dict[str, Any] = {"type": "user", "id": "alice"}
BOB: dict[str, Any] = {"type": "user", "id": "bob"}
ADMIN: dict[str, Any] = {**BOB, "properties": {"role": "admin"}}
RECORD: dict[str, Any] = {"type": "record", "id": "record-1"}
ACTIVE: dict[str, Any] = {**RECORD, "properties": {"status": "active"}}
ARCHIVED: dict[str, Any] = {"type": "record", "id": "record-2", "properties": {"status": "archived"}}
READ, WRITE = {"name": "read"}, {"name": "write"}
FIRST = {"subject": ALICE, "action": READ, "resource": RECORD}
BSN = "999990019"  # fictitious


class Client:
    """A program that asks the decision point; `records` are those that it left."""

    def __init__(self, http: httpx.AsyncClient, store: Store, ledger: Ledger, point: DecisionPoint) -> None:
        self.http, self.store, self.ledger, self.point = http, store, ledger, point
        self.versions = open_versions(store)
        self.versions.keep(point.engine.policies, NOW)

    async def ask(self, path: str, body: Any, status: int = 200, **headers: str) -> Any:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"content-type": "application/json", "authorization": "a-program", **headers}
        answer = await self.http.post(f"/v1/access/v1/{path}", content=sent, headers=given)
        assert answer.status_code == status, answer.text
        wanted = "application/json" if status == 200 else "application/problem+json"
        assert answer.headers["content-type"] == wanted
        return answer.json()

    def records(self) -> list[Decision]:
        return list(decisions(self.store, 0))


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[Client]:
    with opened(tmp_path) as (store, ledger):
        point = DecisionPoint(policies_of(read_own(FOLDER), Grounds(), "own", False), "own", ledger, clock)
        api = make_api(routes(point, who, "https://pdp.example/v1"), Access([], lambda user: None), ABOUT)
        server = Server(api)
        host, port = await server.listen(LoopbackListener("127.0.0.1", 0))  # type: ignore[misc]
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}") as http:
            yield Client(http, store, ledger, point)
        await server.stop(1)


async def who(request: Any) -> str:
    name = request.headers.get("authorization")
    said = Text("-", "-")
    if name is None:
        raise Unidentified("no-token", said, said, said)
    if name == "stranger":
        raise Refused("unknown-program", said, said, said)
    return str(name)


def test_the_eight_decisions_come_out_as_the_files_say() -> None:
    own = read_own(FOLDER)
    tried = list(try_cases(own, Engine(policies_of(own, Grounds(), "own", False)), clock))
    assert len(tried) == 8
    assert [one.problem for one in tried] == [None] * 8


# Basic


@pytest.mark.parametrize(
    ("request_", "decision"),
    [
        (FIRST, True),
        ({"subject": BOB, "action": WRITE, "resource": RECORD}, False),
        ({**FIRST, "context": {"time": "2025-06-27T18:03-07:00", "ip": "192.168.1.1"}}, True),
        ({"subject": ALICE, "action": WRITE, "resource": ARCHIVED}, False),
        ({"subject": ADMIN, "action": WRITE, "resource": ARCHIVED}, True),
        ({"subject": ALICE, "action": {"name": "delete", "properties": {"soft": True}}, "resource": RECORD}, True),
        ({"subject": ALICE, "action": {"name": "delete", "properties": {"soft": False}}, "resource": RECORD}, False),
        (
            {"subject": {**ALICE, "properties": {"department": "Sales", "role": "manager"}},
             "action": {"name": "read", "properties": {"method": "GET"}},
             "resource": {**RECORD, "properties": {"status": "active", "owner": "bob"}}},
            True,
        ),
        ({**FIRST, "foo": "bar", "futureField": {"nested": True}}, True),
    ],
)  # fmt: skip
async def test_basic_requests_are_decided(client: Client, request_: dict[str, Any], decision: bool) -> None:
    for _ in range(2):  # 3.6: the same each time
        answer = await client.ask("evaluation", request_)
        assert answer["decision"] is decision
        assert isinstance(answer.get("context", {}), dict)


BROKEN: list[Any] = [
    *({name: FIRST[name] for name in FIRST if name != left} for left in FIRST),
    {**FIRST, "subject": {"id": "alice"}},
    {**FIRST, "subject": {"type": "user"}},
    {**FIRST, "action": {}},
    {**FIRST, "resource": {"id": "record-1"}},
    {**FIRST, "resource": {"type": "record"}},
    {**FIRST, "subject": "alice"},
    {**FIRST, "action": {"name": 123}},
    b"{",
    b"",
    b"[]",
]


@pytest.mark.parametrize("body", BROKEN, ids=range(len(BROKEN)))
async def test_basic_what_is_missing_or_wrong_is_400_and_decides_nothing(client: Client, body: Any) -> None:
    problem = await client.ask("evaluation", body, 400)
    assert problem["status"] == 400
    assert client.records() == []


async def test_basic_another_content_type_is_400(client: Client) -> None:
    await client.ask("evaluation", FIRST, 400, **{"content-type": "text/plain"})


@pytest.mark.parametrize("body", [FIRST, {}])
async def test_basic_the_request_id_comes_back_with_an_answer_and_with_a_problem(
    client: Client, body: Any
) -> None:
    headers = {"content-type": "application/json", "authorization": "a", "X-Request-ID": "bfe9eb29-ab87"}
    answer = await client.http.post("/v1/access/v1/evaluation", json=body, headers=headers)
    assert answer.headers.get_list("x-request-id") == ["bfe9eb29-ab87"]
    del headers["X-Request-ID"]
    answer = await client.http.post("/v1/access/v1/evaluation", json=body, headers=headers)
    assert "x-request-id" not in answer.headers


async def test_who_is_nobody_gets_401_and_who_may_not_403(client: Client) -> None:
    answer = await client.http.post("/v1/access/v1/evaluation", json=FIRST)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    answer = await client.http.post(
        "/v1/access/v1/evaluation", json=FIRST, headers={"authorization": "stranger"}
    )
    assert answer.status_code == 403
    assert client.records() == []


# Batch


async def many(client: Client, **body: Any) -> list[bool]:
    answer = await client.ask("evaluations", body)
    assert "decision" not in answer
    return [one["decision"] for one in answer["evaluations"]]


async def test_batch_defaults_are_taken_over_and_answers_come_in_order(client: Client) -> None:
    second = {"type": "record", "id": "record-2"}
    resources = [{"resource": RECORD}, {"resource": second}]
    actions = [{"action": READ}, {"action": WRITE}]
    whole = [FIRST, {"subject": BOB, "action": WRITE, "resource": RECORD}]
    later = {"resource": second, "context": {"time": "2025-06-27T19:00-07:00", "source": "batch-override"}}
    context = {"time": "2025-06-27T18:03-07:00"}
    assert await many(client, subject=ALICE, action=READ, evaluations=resources) == [True, True]
    assert await many(client, subject=BOB, resource=RECORD, evaluations=actions) == [True, False]
    assert await many(client, evaluations=whole) == [True, False]
    inherited = [{"resource": RECORD}, later]
    assert len(await many(client, subject=ALICE, action=READ, context=context, evaluations=inherited)) == 2


async def test_batch_properties_count_for_each_item(client: Client) -> None:
    resources = [{"resource": ACTIVE}, {"resource": ARCHIVED}]
    assert await many(client, subject=ALICE, action=WRITE, evaluations=resources) == [True, False]
    subjects = [{"subject": ALICE}, {"subject": ADMIN}]
    assert await many(client, action=WRITE, resource=ARCHIVED, evaluations=subjects) == [False, True]
    merged = [{"resource": {"id": "record-1", "properties": {"status": "active"}}}, {"resource": ARCHIVED}]
    default = {"type": "record"}
    assert await many(client, subject=ALICE, action=WRITE, resource=default, evaluations=merged) == [
        True,
        False,
    ]


async def test_batch_an_item_that_is_wrong_is_denied_in_its_place(client: Client) -> None:
    body = {
        "subject": ALICE,
        "action": READ,
        "evaluations": [{"resource": RECORD}, {}, "x", {"resource": RECORD}],
    }
    answer = await client.ask("evaluations", body)
    assert [one["decision"] for one in answer["evaluations"]] == [True, False, False, True]
    assert answer["evaluations"][1]["context"]["error"]["status"] == 400


@pytest.mark.parametrize("more", [{}, {"evaluations": []}])
async def test_batch_without_evaluations_is_one_evaluation(client: Client, more: dict[str, Any]) -> None:
    assert (await client.ask("evaluations", {**FIRST, **more}))["decision"] is True
    await client.ask("evaluations", {"subject": ALICE, **more}, 400)


@pytest.mark.parametrize(
    ("semantic", "decided"),
    [
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
async def test_batch_semantics_end_where_they_say(client: Client, semantic: str, decided: list[bool]) -> None:
    items = [{"resource": RECORD}, {"resource": ARCHIVED}, {"resource": RECORD}]
    options = {"evaluations_semantic": semantic, "another_option": "value"}
    assert await many(client, subject=ALICE, action=WRITE, options=options, evaluations=items) == decided


async def test_batch_too_many_or_an_unknown_semantic_is_400(client: Client) -> None:
    await client.ask("evaluations", {**FIRST, "evaluations": [{}] * 201}, 400)
    await client.ask("evaluations", {**FIRST, "evaluations": {"a": 1}}, 400)
    await client.ask(
        "evaluations", {**FIRST, "evaluations": [{}], "options": {"evaluations_semantic": "x"}}, 400
    )


# Search


def ids(answer: dict[str, Any]) -> list[str]:
    return [one["id"] for one in answer["results"]]


async def test_search_finds_subjects(client: Client) -> None:
    body = {"subject": {"type": "user"}, "action": READ, "resource": RECORD}
    found = await client.ask("search/subject", {**body, "context": {"time": "2025-06-27T18:03-07:00"}})
    assert found == {
        "results": [{"type": "user", "id": "alice"}, {"type": "user", "id": "bob"}],
        "page": {"next_token": "", "count": 2},
    }
    assert ids(await client.ask("search/subject", {**body, "action": WRITE, "resource": ARCHIVED})) == ["bob"]


async def test_search_finds_resources(client: Client) -> None:
    body = {"subject": ALICE, "action": READ, "resource": {"type": "record"}}
    assert ids(await client.ask("search/resource", body)) == ["record-1", "record-2"]
    assert ids(await client.ask("search/resource", {**body, "subject": ADMIN, "action": WRITE})) == [
        "record-2"
    ]


async def test_search_finds_actions(client: Client) -> None:
    body = {"subject": ALICE, "resource": RECORD, "context": {}}
    assert (await client.ask("search/action", body))["results"] == [{"name": "read"}, {"name": "write"}]
    found = await client.ask("search/action", {"subject": ADMIN, "resource": ARCHIVED})
    assert found["results"] == [{"name": "read"}, {"name": "write"}]


@pytest.mark.parametrize("name", ["token", "next_token"])
async def test_search_goes_by_the_page_and_comes_to_an_end(client: Client, name: str) -> None:
    body: dict[str, Any] = {"subject": {"type": "user"}, "action": READ, "resource": RECORD}
    first = await client.ask("search/subject", {**body, "page": {"limit": 1}})
    assert ids(first) == ["alice"]
    token = first["page"]["next_token"]
    second = await client.ask("search/subject", {**body, "page": {name: token, "limit": 1}})
    assert ids(second) == ["bob"]
    assert second["page"]["next_token"] == ""
    await client.ask("search/subject", {**body, "action": WRITE, "page": {name: token}}, 400)
    for wrong in ("x", "Ww", token[:-3] + "AAA"):
        await client.ask("search/subject", {**body, "page": {name: wrong}}, 400)


async def test_search_for_what_is_not_known_finds_nothing(client: Client) -> None:
    for path, body in (
        ("search/action", {"subject": {"type": "user", "id": "nonexistent-user"}, "resource": RECORD}),
        ("search/subject", {"subject": {"type": "spaceship"}, "action": READ, "resource": RECORD}),
        ("search/resource", {"subject": ALICE, "action": READ, "resource": {"type": "urn:spaceship"}}),
    ):
        assert (await client.ask(path, body))["results"] == []


async def test_search_what_is_missing_is_400(client: Client) -> None:
    for path, body in (
        ("search/subject", {"subject": {"type": "user"}, "resource": RECORD}),
        ("search/subject", {"subject": {"type": "user"}, "action": READ, "resource": {"type": "record"}}),
        ("search/resource", {"action": READ, "resource": {"type": "record"}}),
        ("search/resource", {"subject": {"type": "user"}, "action": READ, "resource": {"type": "record"}}),
        ("search/action", {"subject": ALICE}),
        ("search/action", {"subject": ALICE, "resource": RECORD, "page": {"limit": 0}}),
        ("search/action", {"subject": ALICE, "resource": RECORD, "page": {"limit": "x"}}),
    ):
        await client.ask(path, body, 400)


# Discovery


async def test_discovery_names_every_endpoint(client: Client) -> None:
    answer = await client.http.get("/v1/.well-known/authzen-configuration")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    base = "https://pdp.example/v1"
    assert answer.json() == {
        "policy_decision_point": base,
        "access_evaluation_endpoint": f"{base}/access/v1/evaluation",
        "access_evaluations_endpoint": f"{base}/access/v1/evaluations",
        "search_subject_endpoint": f"{base}/access/v1/search/subject",
        "search_resource_endpoint": f"{base}/access/v1/search/resource",
        "search_action_endpoint": f"{base}/access/v1/search/action",
    }


# The record (Authorization Decision Log 0.0.1)

SEARCHED = {"subject": {"type": "user"}, "action": READ, "resource": RECORD, "page": {"limit": 1}}
CALLS: list[tuple[str, Any]] = [
    ("evaluation", FIRST),
    ("evaluation", {"subject": BOB, "action": WRITE, "resource": RECORD}),
    ("evaluations", {"subject": ALICE, "action": WRITE, "evaluations": [{"resource": ACTIVE}, {}, {"resource": ARCHIVED}]}),
    ("search/subject", SEARCHED),
    ("search/resource", {"subject": ALICE, "action": READ, "resource": {"type": "record"}}),
    ("search/action", {"subject": ALICE, "resource": RECORD}),
]  # fmt: skip


async def test_every_call_leaves_exactly_one_record_of_the_standard_and_is_replayed_from_it(
    client: Client,
) -> None:
    schema = json.loads((SHARED / "specs/standards/adl/adl-logrecord.schema.json").read_text())
    for number, (path, body) in enumerate(CALLS, 1):
        answer = await client.ask(path, body)
        records = client.records()
        assert len(records) == number
        record = records[-1]
        jsonschema.validate(json.loads(encode(record)), schema)
        assert (
            record.event_name == "adl.access_" + path if path[0] == "e" else "adl." + path.replace("/", "_")
        )
        assert record.body == {"adl.core.request": body, "adl.core.response": answer}
        for key in ("adl.core.policies", "adl.core.information"):
            assert record.attributes[key] == {"cedar": client.point.version}
        assert record.attributes["adl.core.configuration"].keys() == {"sluis"}
        assert record.attributes["sluis.policy.caller"] == "a-program"
        assert record.status == "Unset"
        assert replay(record, client.versions).same


async def test_the_record_is_in_the_trace_of_the_request_and_names_its_crossing(client: Client) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"
    crossing = "0190f0c4-5a5e-7000-8000-000000000001"
    await client.ask(
        "evaluation", {**FIRST, "context": {"traceparent": parent}}, **{"fsc-transaction-id": crossing}
    )
    await client.ask("evaluation", FIRST, traceparent=parent)
    await client.ask("evaluation", FIRST, **{"fsc-transaction-id": "x"})
    told, header, alone = client.records()
    for one in (told, header):
        assert (one.trace_id, one.parent_span_id) == (parent[3:35], parent[36:52])
        assert one.span_id != one.parent_span_id
    assert told.attributes["adl.fsc.transaction_id"] == crossing
    assert alone.parent_span_id is None
    assert "adl.fsc.transaction_id" not in alone.attributes


async def test_a_citizen_service_number_is_decided_on_and_kept_as_a_pseudonym(client: Client) -> None:
    person = {"type": "BSN", "id": BSN}
    await client.ask("evaluation", {**FIRST, "resource": person})
    await client.ask("evaluations", {**FIRST, "evaluations": [{"resource": person}, {}]})
    pseudonym = client.ledger.subject("BSN", BSN, NOW)
    for record in client.records():
        assert BSN not in str(record.body) + str(record.attributes)
        assert record.attributes["dpl.core.data_subject_id"] == pseudonym
        assert replay(record, client.versions).same


async def test_what_was_not_asked_of_the_decision_point_is_not_written_down(client: Client) -> None:
    await client.ask("evaluation", {**FIRST, "remark": "999990019"})
    assert client.records()[0].body["adl.core.request"] == FIRST


# Hostile requests

DEEP: Any = {}
for _ in range(200):
    DEEP = {"a": DEEP}


SEVENTEEN: Any = {}
for _ in range(17):
    SEVENTEEN = {"a": SEVENTEEN}


def soft(value: Any) -> dict[str, Any]:
    """A request that says something odd where a policy looks."""
    return {**FIRST, "action": {"name": "delete", "properties": {"soft": value}}}


@pytest.mark.parametrize(
    "body",
    [
        {**FIRST, "context": DEEP},
        {**FIRST, "context": {"a": list(range(20_000))}},
        soft({"__entity": {"type": "user", "id": "bob"}}),
        soft({"a": {"__extn": {"fn": "ip", "arg": "x"}}}),
        soft([{"__entity": {"type": "user", "id": "bob"}}]),
        soft(0.00001),
        soft(1e300),
        soft("x" * 10_001),
        soft(SEVENTEEN),
        {**FIRST, "subject": {"type": "a b", "id": "x"}},
        {**FIRST, "subject": {"type": "user", "id": "x" * 2_001}},
        {**FIRST, "subject": {"type": "", "id": "x"}},
        b'{"subject":{"type":"user","id":"alice"},"subject":{"type":"user","id":"bob"},'
        b'"action":{"name":"read"},"resource":{"type":"record","id":"record-1"}}',
    ],
)  # fmt: skip
async def test_what_could_mean_something_else_is_refused(client: Client, body: Any) -> None:
    await client.ask("evaluation", body, 400)
    assert client.records() == []


async def test_what_is_too_large_is_not_read(client: Client) -> None:
    large = json.dumps({**FIRST, "remark": "x" * 300_000}).encode()
    headers = {"content-type": "application/json", "authorization": "a"}
    answer = await client.http.post("/v1/access/v1/evaluation", content=large, headers=headers)
    assert answer.status_code in (400, 413)
    assert client.records() == []


async def test_names_and_numbers_that_cedar_cannot_hold_change_nothing(client: Client) -> None:
    odd = {
        "status": None,
        "soft": 1.5,
        "b": 1.5,
        "c": 3.0,
        "d": [1, None, "x"],
        "e": {},
        '"; permit': '\\"\n\u2028',
        "f": 2**53 - 1,
    }
    for thing in ("subject", "action", "resource"):
        body = {**FIRST, thing: {**FIRST[thing], "properties": odd}, "context": odd}
        assert (await client.ask("evaluation", body))["decision"] is True
    for id in ('alice"', "alice\n", "\u202ealice", "alice\\", "*", 'alice" || true || "'):
        body = {"subject": {"type": "user", "id": id}, "action": WRITE, "resource": RECORD}
        assert (await client.ask("evaluation", body))["decision"] is False

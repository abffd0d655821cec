"""Publishing over HTTP: structured and batched, only for who may, and without repeating what it refuses."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.unit.events.samples import FIRST, NOTICE, TYPE, Source, grounds, notice, source
from tests.unit.events.test_interests import ANNA, BEN
from tests.unit.web.conftest import ABOUT

from sluis.events.cloudevent import BATCH, STRUCTURED
from sluis.events.publishing import routes
from sluis.events.publishing.http import LARGEST
from sluis.kernel import Refused, Text
from sluis.web import Access, make_api


class Publishing:
    """A source, and its route."""

    def __init__(self, at: Source, counted: bool = True) -> None:
        self.at, self.may = at, True
        found = routes(at.publisher, self._who, counted=counted)
        api: Any = make_api(found, Access([], lambda user: None), ABOUT)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self._within(api)), base_url="http://node"
        )

    async def post(self, body: Any, media_type: str = STRUCTURED, **headers: str) -> tuple[int, Any]:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = await self.http.post(
            "/v1/events", content=content, headers={"content-type": media_type, **headers}
        )
        return answer.status_code, answer.json()

    async def _who(self, request: Any) -> str:
        if not self.may:
            raise Refused("events-not-yours", *[Text("Nee", "No")] * 3)
        return "client:besluiten"

    @staticmethod
    def _within(api: Any) -> Any:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            await api({**scope, "extensions": {}}, receive, send)

        return app


@pytest.fixture
async def publishing(tmp_path: Path) -> AsyncIterator[Publishing]:
    with source(tmp_path, grounds(notice(interest=False, condition="uitkomst = 'afgewezen'"))) as at:
        made = Publishing(at)
        yield made
        await made.http.aclose()


def event(id: str = "b-1", **more: Any) -> dict[str, Any]:
    data = {"about": {"kind": "BSN", "value": "999990019"}, "facts": {"uitkomst": "afgewezen"}}
    made = {"specversion": "1.0", "type": TYPE, "source": "urn:x", "id": id, "data": data}
    return {name: value for name, value in {**made, **more}.items() if value is not None}


async def test_one_event_gets_one_answer(publishing: Publishing) -> None:
    assert await publishing.post(event()) == (
        200,
        {"id": "b-1", "repeated": False, "told": 1, "withheld": {}},
    )
    status, again = await publishing.post(event())
    assert (status, again["repeated"]) == (200, True)


async def test_a_program_does_not_hear_who_has_a_relation_with_whom(tmp_path: Path) -> None:
    with source(tmp_path) as at:
        await at.interested(FIRST, NOTICE.id, {ANNA: "zaak-1"})
        made = Publishing(at, counted=False)
        answers = [
            await made.post(event(whom.value, data={"about": {"kind": "BSN", "value": whom.value}}))
            for whom in (ANNA, BEN)
        ]
        await made.http.aclose()
        assert [{**body, "id": ""} for _, body in answers] == [
            {"id": "", "repeated": False, "told": None, "withheld": None}
        ] * 2
        assert len(at.queue.told()) == 1


async def test_a_batch_gets_an_answer_for_each_in_order(publishing: Publishing) -> None:
    other = {"about": {"kind": "BSN", "value": "999990019"}}
    status, found = await publishing.post([event("b-2"), event("b-1", data=other)], BATCH)
    assert status == 200
    assert [(one["id"], one["told"], one["withheld"]) for one in found] == [
        ("b-2", 1, {}),
        ("b-1", 0, {"condition": 1}),
    ]
    assert await publishing.post([], BATCH) == (200, [])


async def test_the_trace_and_the_address_of_an_event_go_along(publishing: Publishing) -> None:
    parent = f"00-{'0a' * 16}-{'0b' * 8}-01"
    await publishing.post(event(traceparent=parent, dataref="https://bron.example/1"))
    ((told, outgoing),) = publishing.at.queue.added
    assert (outgoing[0].trace_id, told.extensions) == ("0a" * 16, {"dataref": "https://bron.example/1"})


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"type": "nl.example.ander.ding"}, "unknown-event-type"),
        ({"subject": "999990019"}, "unfit-occurrence"),
        ({"data": {"about": {"kind": "BSN", "value": 999990019}}}, "unfit-occurrence"),
        ({"data": {"over": "999990019"}}, "unfit-occurrence"),
        ({"data": "999990019"}, "unfit-occurrence"),
        ({"data": None}, "unfit-occurrence"),
        ({"type": "besluit"}, "unfit-occurrence"),
        ({"time": "2026-12-31T23:59:60Z"}, "unfit-occurrence"),
        ({"time": "0001-01-01T00:00:00+23:59"}, "unfit-occurrence"),
        ({"time": "0000-01-01T00:00:00Z"}, "unfit-occurrence"),
        ({"time": "gisteren"}, "unfit-event"),
        ({"id": None}, "unfit-event"),
    ],
)
async def test_what_is_not_right_is_told_without_a_value(
    publishing: Publishing, changed: dict[str, Any], code: str
) -> None:
    status, problem = await publishing.post(event(**changed))
    assert (status, problem["code"]) == (404 if code == "unknown-event-type" else 400, code)
    assert "999990019" not in json.dumps(problem)
    assert publishing.at.queue.added == []


async def test_a_batch_with_one_that_is_not_right_publishes_none(publishing: Publishing) -> None:
    status, _ = await publishing.post([event("b-1"), event("b-2", subject="x")], BATCH)
    assert (status, publishing.at.queue.added) == (400, [])


async def test_another_content_under_one_id_is_a_conflict(publishing: Publishing) -> None:
    await publishing.post(event())
    status, problem = await publishing.post(event(data={"about": {"kind": "BSN", "value": "999990020"}}))
    assert (status, problem["code"]) == (409, "event-published-before")


async def test_another_form_is_not_taken(publishing: Publishing) -> None:
    status, problem = await publishing.post(b"<event/>", "application/cloudevents+xml")
    assert (status, problem["code"]) == (415, "unsupported-event-format")


async def test_there_is_an_end_to_what_is_read(publishing: Publishing) -> None:
    large = event(data={"about": {"kind": "BSN", "value": "999990019"}, "facts": {"uitkomst": "x" * 70_000}})
    status, problem = await publishing.post(large)
    assert (status, problem["code"]) == (400, "event-too-large")
    status, problem = await publishing.post(b"[" + b" " * LARGEST + b"]", BATCH)
    assert (status, problem["code"]) == (400, "body-too-large")
    assert f" {LARGEST} bytes" in problem["detail"]
    assert publishing.at.queue.added == []


async def test_who_may_not_publishes_nothing(publishing: Publishing) -> None:
    publishing.may = False
    status, problem = await publishing.post(event())
    assert (status, problem["code"], publishing.at.queue.added) == (403, "events-not-yours", [])
    assert NOTICE.id not in json.dumps(problem)

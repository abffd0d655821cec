"""Subscriptions and what became of deliveries, over HTTP: the Subscriptions API as specified, and whose is whose."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from tests.unit.events.test_subscriptions import ANN, BOB, SINK, Calls
from tests.unit.web.conftest import ABOUT, crossing

from sluis.crypto import FileKeyStore
from sluis.events import queue as queue_room
from sluis.events.cloudevent import CloudEvent
from sluis.events.queue import (
    DEAD,
    DELIVERED,
    Outcome,
    Outgoing,
    Place,
    Queue,
    Readers,
    open_queue,
    reading,
)
from sluis.events.sending import Signer
from sluis.events.subscriptions import (
    Here,
    SubscriptionRequest,
    Subscriptions,
    open_routes,
    open_subscriptions,
    routes,
)
from sluis.kernel import Refused, Text, utc_now
from sluis.ledger import open_ledger
from sluis.store import Store, open_store
from sluis.web import Access, Api, Person, make_api


class Gate:
    """Lets nobody."""

    async def require(self, who: Any, action: str, resource: Any, otherwise: Refused) -> None:
        raise otherwise


def refusal() -> Refused:
    said = Text("-", "-")
    return Refused("events-not-yours", said, said, said)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "node.db")) as store:
        yield store


@pytest.fixture
def keys(tmp_path: Path) -> FileKeyStore:
    return FileKeyStore(tmp_path / "keys")


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
def subscriptions(store: Store, keys: FileKeyStore, calls: Calls) -> Subscriptions:
    ledger = open_ledger(store, keys, "test.example/log", utc_now)
    here = Here("node.example", "https://node.example/v1/events/permissions")
    return open_subscriptions(store, keys, ledger, calls, here, utc_now)


@pytest.fixture
def queue(store: Store, keys: FileKeyStore) -> Queue:
    return open_queue(store, keys, utc_now)


@pytest.fixture
def api(subscriptions: Subscriptions, queue: Queue, keys: FileKeyStore) -> Api:
    gate: Any = Gate()
    found = [
        *routes(subscriptions, gate, ANN, refusal, lambda person: person.person),
        *open_routes(subscriptions, Signer(keys, utc_now).jwks),
        *queue_room.routes(
            queue,
            Readers(queue),
            subscriptions,
            gate,
            ANN,
            refusal,
            lambda notice, recipient: None if notice == "revoked" else ("ingang",),
        ),
    ]
    return make_api(found, Access([ANN, BOB], lambda user: Person(user, "p-1")), ABOUT)


class As:
    """A peer that came through the inway, a person on the machine itself, or nobody."""

    def __init__(self, api: Api, peer: Any = None, local: bool = False) -> None:
        extensions = {"sluis.local": {"uid": os.getuid()}} if local else {}

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope["extensions"] = extensions if peer is None else crossing(peer, "Een organisatie")
            await api(scope, receive, send)

        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://node")

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        content = None if body is None else json.dumps(body).encode()
        given = {"content-type": "application/json", **headers}
        return await self.http.request(method, f"/v1{path}", content=content, headers=given)


@pytest.fixture
async def ann(api: Api) -> AsyncIterator[As]:
    made = As(api, ANN)
    async with made.http:
        yield made


@pytest.fixture
async def bob(api: Api) -> AsyncIterator[As]:
    made = As(api, BOB)
    async with made.http:
        yield made


DOCUMENT = {"sink": SINK, "protocol": "HTTP", "types": ["nl.x.y"], "config": {"content": "binary"}}


async def test_a_subscription_is_made_read_changed_and_ended(ann: As) -> None:
    made = await ann.ask("POST", "/subscriptions", DOCUMENT)
    assert made.status_code == 201
    name = made.json()["id"]
    assert made.headers["location"] == f"/v1/subscriptions/{name}"
    assert made.json()["state"] == "active"
    assert [one["id"] for one in (await ann.ask("GET", "/subscriptions")).json()] == [name]
    changed = await ann.ask("PUT", f"/subscriptions/{name}", {**DOCUMENT, "id": name, "types": []})
    assert (changed.status_code, changed.json().get("types", [])) == (200, [])
    assert (await ann.ask("GET", f"/subscriptions/{name}")).json()["config"] == {"content": "binary"}
    assert (await ann.ask("DELETE", f"/subscriptions/{name}")).status_code == 200
    assert (await ann.ask("GET", f"/subscriptions/{name}")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [{}, {"sink": SINK}, {**DOCUMENT, "protocol": "SMTP"}, {**DOCUMENT, "sink": "http://x.example/"}, []],
)
async def test_a_document_that_is_not_right_is_400_and_a_problem(ann: As, body: Any) -> None:
    answer = await ann.ask("POST", "/subscriptions", body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


async def test_what_is_not_there_is_404_for_every_method(ann: As) -> None:
    for method, body in (("GET", None), ("PUT", DOCUMENT), ("DELETE", None)):
        answer = await ann.ask(method, "/subscriptions/none", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown-subscription")


async def test_options_say_what_can_be_done(ann: As) -> None:
    everywhere = await ann.ask("OPTIONS", "/subscriptions")
    assert (everywhere.status_code, everywhere.headers["allow"]) == (200, "GET,POST,OPTIONS")
    one = await ann.ask("OPTIONS", "/subscriptions/x")
    assert (one.status_code, one.headers["allow"]) == (200, "GET,PUT,DELETE,OPTIONS")


async def test_a_change_must_name_the_same_subscription(ann: As) -> None:
    name = (await ann.ask("POST", "/subscriptions", DOCUMENT)).json()["id"]
    assert (await ann.ask("PUT", f"/subscriptions/{name}", {**DOCUMENT, "id": "x"})).status_code == 400


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_a_person_without_the_role_has_nothing_to_do_with_what_the_organisation_hears(
    api: Api, subscriptions: Subscriptions, method: str
) -> None:
    asked = msgspec.convert({**DOCUMENT, "sink": "urn:sluis:feed"}, SubscriptionRequest)
    own = await subscriptions.create(ANN, asked, "test")
    path = "/subscriptions" if method == "POST" else f"/subscriptions/{own.id}"
    visitor = As(api, local=True)
    async with visitor.http:
        answer = await visitor.ask(method, path, DOCUMENT if method in ("POST", "PUT") else None)
        listed = await visitor.ask("GET", "/subscriptions")
    assert (answer.status_code, listed.status_code) == (403, 403)
    assert subscriptions.of(ANN) == [own]


async def test_the_callback_is_open_and_takes_only_its_secret(api: Api, ann: As, calls: Calls) -> None:
    calls.says = {}
    name = (await ann.ask("POST", "/subscriptions", DOCUMENT)).json()["id"]
    secret = calls.asked[0][2]["webhook-request-callback"].rpartition("/")[2]
    anyone = As(api)
    assert (await anyone.ask("GET", f"/events/permissions/{name}/wrong")).status_code == 404
    given = await anyone.ask("POST", f"/events/permissions/{name}/{secret}", **{"webhook-allowed-rate": "30"})
    assert given.status_code == 204
    found = (await ann.ask("GET", f"/subscriptions/{name}")).json()
    assert (found["state"], found["rate"]) == ("active", 30)
    assert (await anyone.ask("GET", "/subscriptions")).status_code == 401


async def test_keys_are_published_for_everyone(api: Api) -> None:
    answer = await As(api).ask("GET", "/events/keys")
    assert answer.headers["content-type"] == "application/jwk-set+json"
    assert {key["crv"] for key in answer.json()["keys"]} == {"Ed25519"}


async def test_owners_see_and_replay_what_did_not_arrive_and_nobody_else(
    ann: As, bob: As, store: Store, queue: Queue
) -> None:
    name = (await ann.ask("POST", "/subscriptions", DOCUMENT)).json()["id"]
    additions = [
        (CloudEvent(str(n), "urn:x", "nl.x.y"), [Outgoing(name, "s", "zaak 7", "notice", "1" * 32)])
        for n in (1, 2, 3)
    ]
    await store.write(lambda connection: queue.add(connection, additions))
    outcomes = [
        Outcome(name, 1, DEAD, "wrong-format"),
        Outcome(name, 2, DELIVERED),
        Outcome(name, 3, DEAD, "gone"),
    ]
    await queue.note(outcomes, {name: Place(3)})
    letters = (await ann.ask("GET", f"/subscriptions/{name}/dead-letters")).json()
    assert [(one["sequence"], one["event"], one["trouble"]) for one in letters] == [
        (1, "1", "wrong-format"), (3, "3", "gone"),
    ]  # fmt: skip
    assert "415" in letters[0]["because"]["nl"]
    page = (await ann.ask("GET", f"/subscriptions/{name}/events?after=1")).json()
    assert [(one["sequence"], one["subject"]) for one in page["events"]] == [("2", "zaak 7"), ("3", "zaak 7")]
    assert page["after"] == 3
    for method, rest, body in (
        ("GET", "dead-letters", None), ("GET", "events", None), ("POST", "replays", {"first": 1, "last": 3}),
    ):  # fmt: skip
        assert (await bob.ask(method, f"/subscriptions/{name}/{rest}", body)).status_code == 404
    assert (
        await ann.ask("POST", f"/subscriptions/{name}/replays", {"first": 2, "last": 1})
    ).status_code == 400
    again = await ann.ask("POST", f"/subscriptions/{name}/replays", {"first": 1, "last": 3})
    assert again.json() == {"replayed": 2}


FEED = {"sink": "urn:sluis:feed", "protocol": "HTTP"}


@pytest.mark.parametrize("number", [-1, 2**53, 10**30])
async def test_a_number_that_no_delivery_can_have_is_400(ann: As, number: int) -> None:
    feed = {**DOCUMENT, "sink": "urn:sluis:feed"}
    place = (await ann.ask("POST", "/subscriptions", feed)).headers["location"].removeprefix("/v1")
    answers = [
        await ann.ask("GET", f"{place}/events?after={number}"),
        await ann.ask("GET", f"{place}/events?done={number}"),
        await ann.ask("GET", f"{place}/dead-letters?after={number}"),
        await ann.ask("POST", f"{place}/replays", {"first": min(number, 1), "last": number}),
    ]
    assert [one.status_code for one in answers] == [400] * 4


async def test_who_comes_itself_says_what_it_has(ann: As, bob: As, store: Store, queue: Queue) -> None:
    name = (await ann.ask("POST", "/subscriptions", FEED)).json()["id"]
    additions = [
        (CloudEvent(str(n), "urn:x", "nl.x.y"), [Outgoing(name, "s", None, "notice", "1" * 32)])
        for n in (1, 2, 3)
    ]
    await store.write(lambda connection: queue.add(connection, additions))
    assert (await bob.ask("GET", f"/subscriptions/{name}/events?after=2&done=2")).status_code == 404
    assert queue.standing()[name].waiting == 3
    page = (await ann.ask("GET", f"/subscriptions/{name}/events?after=2&done=2")).json()
    assert [one["id"] for one in page["events"]] == ["3"]
    assert queue.standing()[name].waiting == 1


async def test_a_peer_reads_nothing_that_is_not_agreed_any_more(ann: As, store: Store, queue: Queue) -> None:
    name = (await ann.ask("POST", "/subscriptions", FEED)).json()["id"]
    additions = [
        (CloudEvent(str(n), "urn:x", "nl.x.y"), [Outgoing(name, "s", None, notice, "1" * 32)])
        for n, notice in ((1, "notice"), (2, "revoked"))
    ]
    await store.write(lambda connection: queue.add(connection, additions))
    page = (await ann.ask("GET", f"/subscriptions/{name}/events")).json()
    assert [(one["id"], one["notice"], one["traceparent"][3:35]) for one in page["events"]] == [
        ("1", "notice", "1" * 32)
    ]
    assert page["after"] == 2


async def test_a_peer_reads_no_more_data_than_is_agreed_now(ann: As, store: Store, queue: Queue) -> None:
    name = (await ann.ask("POST", "/subscriptions", FEED)).json()["id"]
    event = CloudEvent(
        "1", "urn:x", "nl.x.y", datacontenttype="application/json", data=b'{"ingang":1,"bedrag":2}'
    )
    addition = (event, [Outgoing(name, "s", None, "notice", "1" * 32)])
    await store.write(lambda connection: queue.add(connection, [addition]))
    page = (await ann.ask("GET", f"/subscriptions/{name}/events")).json()
    assert page["events"][0]["data"] == {"ingang": 1}


async def test_a_dead_letter_by_a_notice_that_is_not_agreed_any_more_says_nothing_of_its_event(
    ann: As, store: Store, queue: Queue
) -> None:
    name = (await ann.ask("POST", "/subscriptions", FEED)).json()["id"]
    addition = (CloudEvent("e-1", "urn:x", "nl.x.y"), [Outgoing(name, "s", None, "revoked", "1" * 32)])
    await store.write(lambda connection: queue.add(connection, [addition]))
    await queue.note([Outcome(name, 1, DEAD, "no-contract")], {name: Place()})
    [letter] = (await ann.ask("GET", f"/subscriptions/{name}/dead-letters")).json()
    assert (letter["sequence"], letter["notice"], letter["trouble"]) == (1, "revoked", "no-contract")
    assert (letter["event"], letter["type"], letter["trace"]) == ("", "", "")


async def test_events_are_streamed(
    ann: As, bob: As, store: Store, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "LONGEST_STREAM", 0.3)
    monkeypatch.setattr(reading, "HEARTBEAT", 0.2)
    name = (await ann.ask("POST", "/subscriptions", {**FEED, "sink": "urn:sluis:sse"})).json()["id"]
    additions = [
        (CloudEvent(str(n), "urn:x", "nl.x.y"), [Outgoing(name, "s", None, "notice", "1" * 32)])
        for n in (1, 2)
    ]
    await store.write(lambda connection: queue.add(connection, additions))
    answer = await ann.ask("GET", f"/subscriptions/{name}/stream", **{"last-event-id": "1"})
    assert answer.headers["content-type"].startswith("text/event-stream")
    told = [line for line in answer.text.splitlines() if line.startswith(("id", "data"))]
    assert told[0] == "id: 2"
    assert json.loads(told[1].removeprefix("data: "))["id"] == "2"
    assert len(told) == 2
    assert queue.standing()[name].waiting == 1
    assert (await bob.ask("GET", f"/subscriptions/{name}/stream")).status_code == 404

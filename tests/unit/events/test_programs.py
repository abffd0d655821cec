"""A program reads the subscriptions that it was given to read, with a token for that; nobody else does, and no other."""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from tests.unit.events.test_subscriptions import ANN, BOB, Calls
from tests.unit.web.conftest import ABOUT

from sluis.crypto import FileKeyStore
from sluis.events.cloudevent import CloudEvent
from sluis.events.queue import Outgoing, Queue, Readers, open_queue, program_routes
from sluis.events.subscriptions import Here, SubscriptionRequest, Subscriptions, open_subscriptions
from sluis.kernel import Invalid, PeerId, Refused, utc_now
from sluis.ledger import open_ledger
from sluis.serve.deciding import READING, by_token
from sluis.store import Store, open_store
from sluis.web import Access, TokenAccess, make_api

TOKENS = {
    "good": ("zaken", ("events-read",)),
    "other": ("inkomen", ("events-read",)),
    "tells": ("zaken", ("events",)),
}


class Provider:
    """Knows a few tokens of programs."""

    def program(self, token: str, thumbprint: str | None) -> Any:
        found = TOKENS.get(token)
        return None if found is None else SimpleNamespace(client=found[0], scope=found[1])


class Nobody:
    """No token is a person's."""

    def by_token(self, token: str, thumbprint: str | None = None) -> None:
        return None


class World:
    """A node with two programs, and its portal's API."""

    def __init__(self, store: Store, directory: Path) -> None:
        keys = FileKeyStore(directory / "keys")
        ledger = open_ledger(store, keys, "test.example/log", utc_now)
        here = Here("node.example", own=ANN, readers=frozenset({"zaken", "inkomen"}))
        self.store, self.refusals = store, list[str]()
        self.subscriptions: Subscriptions = open_subscriptions(store, keys, ledger, Calls(), here, utc_now)
        self.queue: Queue = open_queue(store, keys, utc_now)
        self.readers = Readers(self.queue)
        visitors: Any = Nobody()
        provider: Any = Provider()
        who = by_token(READING, provider, TokenAccess(visitors), self._refused)
        api: Any = make_api(
            program_routes(self.readers, self.subscriptions, ANN, who), Access([], lambda user: None), ABOUT
        )

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await api({**scope, "extensions": {}}, receive, send)

        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://node")

    async def _refused(self, refusal: Refused) -> None:
        self.refusals.append(refusal.code)

    async def taken(self, reader: str = "zaken", sink: str = "urn:sluis:feed", owner: PeerId = ANN) -> str:
        asked = SubscriptionRequest(sink, "HTTP", config={"reader": reader} if reader else {})
        return (await self.subscriptions.create(owner, asked, "p-1")).id

    async def told(self, subscription: str, *ids: str) -> None:
        some = [
            (
                CloudEvent(id=id, source="urn:x", type="nl.x"),
                [Outgoing(subscription, "", "z-1", "n", "1" * 32)],
            )
            for id in ids
        ]
        await self.store.write(lambda connection: self.queue.add(connection, some))

    async def get(self, path: str, token: str | None = "good") -> httpx.Response:
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return await self.http.get(f"/v1{path}", headers=headers)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "node.db")) as store:
        yield store


@pytest.fixture
async def world(store: Store, tmp_path: Path) -> AsyncIterator[World]:
    made = World(store, tmp_path)
    async with made.http:
        yield made


async def test_a_program_reads_what_it_was_given_and_says_what_it_has(world: World) -> None:
    name = await world.taken()
    await world.told(name, "a", "b")
    assert [one["id"] for one in (await world.get("/subscriptions")).json()] == [name]
    page = (await world.get(f"/subscriptions/{name}/events")).json()
    assert [(one["id"], one["subject"]) for one in page["events"]] == [("a", "z-1"), ("b", "z-1")]
    assert (await world.get(f"/subscriptions/{name}/events?after=2&done=2")).json()["events"] == []
    assert world.queue.standing()[name].waiting == 0


async def test_a_stream_goes_on_after_what_the_program_has(world: World) -> None:
    name = await world.taken(sink="urn:sluis:sse")
    await world.told(name, "a", "b")
    world.readers.close()  # so that the stream ends when it has told what there is
    headers = {"authorization": "Bearer good", "last-event-id": "1"}
    answer = await world.http.get(f"/v1/subscriptions/{name}/stream", headers=headers)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert world.queue.standing()[name].waiting == 1


@pytest.mark.parametrize(
    ("token", "status", "code"),
    [
        (None, 401, "token-needed"),
        ("wrong", 401, "token-needed"),
        ("tells", 403, "insufficient-scope"),
        ("other", 404, "unknown-subscription"),
    ],
)
@pytest.mark.parametrize("path", ["/events", "/stream", "/events?done=1"])
async def test_who_has_no_token_for_it_reads_nothing_and_confirms_nothing(
    world: World, path: str, token: str | None, status: int, code: str
) -> None:
    name = await world.taken()
    await world.told(name, "a")
    answer = await world.get(f"/subscriptions/{name}{path}", token)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert world.queue.standing()[name].waiting == 1
    assert world.refusals == (["insufficient-scope"] if status == 403 else [])


async def test_what_has_no_reader_or_is_anothers_no_program_reads(world: World) -> None:
    for name in (await world.taken(reader=""), await world.taken(reader="", owner=BOB)):
        assert (await world.get(f"/subscriptions/{name}/events")).status_code == 404
    assert (await world.get("/subscriptions")).json() == []


@pytest.mark.parametrize(
    "asked",
    [
        {"reader": "niemand"},
        {"sink": "https://x.example/in"},
        {"owner": BOB},  # another organisation names no program of this one
    ],
)
async def test_a_reader_is_a_program_of_ours_that_comes_itself(world: World, asked: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="reader"):
        await world.taken(**asked)
    assert json.dumps([one.id for one in world.subscriptions.all()]) == "[]"

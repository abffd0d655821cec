"""What a mark opens: one request, the one that was decided, once; and what the node is told of it."""

import asyncio
from typing import Any

import pytest
from tests.unit.gateway.contracts.making import CONSUMER, as_json, connection, content

from sluis.gateway.contracts import read_content
from sluis.gateway.forward import Forward, Target
from sluis.gateway.planes.marked import MarkedDoor
from sluis.web import CROSSED
from sluis.web.access import LOCAL

HERE = Target(False, "", 0, "sluis")


class Node:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.scopes: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scopes.append(scope)


def let(door: MarkedDoor, method: str = "GET", path: str = "/v1/offers?a=b") -> bytes:
    """The mark of a request that was let in."""
    grant = read_content(as_json(content(connection("sluis")))).grants[0]
    told = door.leave_word(Forward(HERE, path, (), "-", grant=grant), method)
    assert told.startswith(b"T: http://here\r\nN: ")
    return told.split(b"N: ")[1].rstrip()


async def bring(
    door: MarkedDoor, *marks: bytes, method: str = "GET", path: bytes = b"/v1/offers", query: bytes = b"a=b"
) -> list[Any]:
    """A request as nginx, or somebody else, brings it; what was answered."""
    headers = [(b"sluis-mark", mark) for mark in marks]
    scope = {
        "type": "http", "method": method, "raw_path": path, "query_string": query, "headers": headers,
        "extensions": {LOCAL: {"uid": 0}},
    }  # fmt: skip
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await door(scope, None, send)
    return sent


async def test_node_is_told_who_asks_and_not_who_brings_it() -> None:
    node = Node()
    door = MarkedDoor(node)
    assert await bring(door, let(door)) == []
    [scope] = node.scopes
    assert set(scope["extensions"]) == {CROSSED}
    assert scope["extensions"][CROSSED].peer.id == CONSUMER


async def test_mark_opens_one_request_once() -> None:
    node = Node()
    door = MarkedDoor(node)
    mark = let(door)
    assert let(door) != mark
    await bring(door, mark)
    assert (await bring(door, mark))[0]["status"] == 401
    assert len(node.scopes) == 1


@pytest.mark.parametrize(
    "changed", [{"method": "POST"}, {"path": b"/v1/card"}, {"query": b""}, {"query": b"a=c"}], ids=str
)
async def test_mark_of_another_request_opens_nothing_and_is_spent(changed: dict[str, Any]) -> None:
    node = Node()
    door = MarkedDoor(node)
    mark = let(door)
    assert (await bring(door, mark, **changed))[0]["status"] == 401
    assert (await bring(door, mark))[0]["status"] == 401
    assert node.scopes == []


async def test_no_mark_a_made_up_one_and_two_open_nothing() -> None:
    node = Node()
    door = MarkedDoor(node)
    for marks in ((), (b"",), (b"made up",), (let(door), let(door))):
        [start, _] = await bring(door, *marks)
        assert start["status"] == 401
        assert (b"fsc-error-code", b"ERROR_CODE_ACCESS_TOKEN_MISSING") in start["headers"]
    assert node.scopes == []


async def test_mark_that_nobody_came_with_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    node = Node()
    door = MarkedDoor(node)
    mark = let(door)
    loop = asyncio.get_running_loop()
    now = loop.time()
    monkeypatch.setattr(loop, "time", lambda: now + 31)
    assert (await bring(door, mark))[0]["status"] == 401
    for _ in range(3):
        let(door)
    monkeypatch.setattr(loop, "time", lambda: now + 62)
    let(door)
    assert len(door._words) == 1


async def test_empty_query_is_the_same_request() -> None:
    node = Node()
    door = MarkedDoor(node)
    await bring(door, let(door, path="/v1/offers?"), query=b"")
    assert len(node.scopes) == 1

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from sluis.gateway.forward import Forward, Target
from sluis.gateway.meter import Meter
from sluis.gateway.planes.inprocess import InwayPlane
from sluis.kernel import PeerId
from sluis.web import write_line

GRANT: Any = SimpleNamespace(
    hash="$1$3$x", outway=SimpleNamespace(peer_id=PeerId("0" * 19 + "1")), properties=None
)
SCOPE = {
    "type": "http",
    "method": "POST",
    "raw_path": b"/v1/x",
    "query_string": b"",
    "headers": [],
    "extensions": {},
}


class Crossing:
    """An inway that lets everything pass to the node itself, and what became of the line of it."""

    def __init__(self) -> None:
        self.begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.durable: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent: list[Any] = []

    def line(self) -> "asyncio.Future[None]":
        if not self.begun.done():
            self.begun.set_result(None)
        return self.durable

    def admit(self, request: object) -> Any:
        return Forward(Target(False, "", 0, "sluis"), "/v1/x", (), "t", grant=GRANT), self.line

    async def send(self, message: Any) -> None:
        self.sent.append(message["type"])

    def come(self, node: Any) -> "asyncio.Task[None]":
        inway: Any = self
        streams: Any = None
        plane = InwayPlane(inway, streams, Meter(), node)
        return asyncio.create_task(plane(dict(SCOPE), _nothing, self.send))


async def _nothing() -> Any:
    await asyncio.Event().wait()


async def _answer(send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def test_the_line_waits_for_the_records_of_the_node() -> None:
    crossing, seen = Crossing(), []

    async def node(scope: Any, receive: Any, send: Any) -> None:
        seen.append(crossing.begun.done())
        write_line(scope)
        seen.append(crossing.begun.done())
        await _answer(send)

    crossing.durable.set_result(None)
    await crossing.come(node)
    assert seen == [False, True]


async def test_nothing_of_the_answer_leaves_before_the_line_is_there() -> None:
    crossing = Crossing()
    coming = crossing.come(lambda scope, receive, send: _answer(send))
    await crossing.begun
    for _ in range(5):
        await asyncio.sleep(0)
    assert crossing.sent == []
    crossing.durable.set_result(None)
    await coming
    assert crossing.sent == ["http.response.start", "http.response.body"]


async def test_the_line_does_not_wait_for_a_node_that_takes_its_time() -> None:
    crossing = Crossing()

    async def node(scope: Any, receive: Any, send: Any) -> None:
        await crossing.begun  # though nobody wrote anything
        await _answer(send)

    crossing.durable.set_result(None)
    async with asyncio.timeout(5):
        await crossing.come(node)


async def test_what_fails_has_its_line_too() -> None:
    crossing = Crossing()

    async def node(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await crossing.come(node)
    assert crossing.begun.done()

"""A request that is at hand whole: what counts as one, what its answer is, and how long that may take."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from tests.unit.gateway.streams.wires import CHUNKED, OK, Wire

from sluis.gateway.forward import Target
from sluis.gateway.streams import Exchange, Stream, Streams

TARGET = Target(True, "peer.example", 8443, "peer.example:8443")


class Wired(Streams):
    """Connections that are wires; keeps what was given back."""

    def __init__(self) -> None:
        super().__init__()
        self.wire, self.stream = Wire(), Stream()
        self.stream.connection_made(self.wire)
        self.back: list[Stream] = []

    async def open(self, target: Target, fresh: bool = False, by: float = 0) -> Stream:
        return self.stream

    def release(self, target: Target, stream: Stream) -> None:
        stream.end()
        self.back.append(stream)


async def exchanged(
    streams: Wired, *parts: bytes, seconds: float = 5, method: str = "POST"
) -> tuple[Any, ...]:
    """What `parts` are as the answer: status, headers and body."""
    async with Exchange(streams, TARGET, seconds) as exchange:
        asked = asyncio.create_task(
            exchange.send(method, "/v1/x", {"a": "b"}, b"c" if method == "POST" else b"")
        )
        await asyncio.sleep(0)
        for part in parts:
            streams.stream.data_received(part)
        await asked
        return exchange.status, exchange.headers, b"".join([piece async for piece in exchange.body()])


async def test_answer_has_status_headers_in_lower_case_and_body() -> None:
    streams = Wired()
    answer = await exchanged(streams, OK + b"Content-Length: 3\r\nX-Y: z\r\n\r\nabc")
    assert answer == (200, {"content-length": "3", "x-y": "z"}, b"abc")
    assert (streams.back, streams.stream.reusable) == ([streams.stream], True)
    streams.stream.close()


async def test_request_goes_out_whole() -> None:
    streams = Wired()
    await exchanged(streams, CHUNKED)
    expected = b"POST /v1/x HTTP/1.1\r\nhost: peer.example:8443\r\na: b\r\ncontent-length: 1\r\n\r\nc"
    assert streams.wire.written == expected
    streams.stream.close()


async def test_answer_to_head_has_no_body_whatever_it_says() -> None:
    streams = Wired()
    assert (await exchanged(streams, OK + b"content-length: 5\r\n\r\n", method="HEAD"))[2] == b""
    streams.stream.close()


async def test_deadline_holds_until_the_last_byte() -> None:
    streams = Wired()
    with pytest.raises(TimeoutError):
        await exchanged(streams, OK + b"Content-Length: 2\r\n\r\na", seconds=0.02)
    assert (streams.wire.ended, streams.back) == (True, [streams.stream])


async def test_deadline_of_an_answer_that_came_whole_is_over() -> None:
    streams = Wired()
    async with Exchange(streams, TARGET, 0.02) as exchange:
        asked = asyncio.create_task(exchange.send("GET", "/v1/x", {}))
        await asyncio.sleep(0)
        streams.stream.data_received(CHUNKED)
        await asked
        await asyncio.sleep(0.03)  # whoever reads it takes longer
        assert [piece async for piece in exchange.body()] == [b"abcdef"]
    assert streams.stream.reusable
    streams.stream.close()


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/x\r\nhost: other", {}),
        ("/v1/x y", {}),
        ("/v1/x", {"a": "b\r\nc: d"}),
        ("/v1/x", {"a": "b\nc: d"}),
        ("/v1/x", {"a": "\0"}),
        ("/v1/x", {"a": "€"}),
    ],
)
async def test_no_line_of_a_request_can_be_broken(path: str, headers: Mapping[str, str]) -> None:
    streams = Wired()
    with pytest.raises(ValueError):
        async with Exchange(streams, TARGET, 5) as exchange:
            await exchange.send("GET", path, headers)
    assert (streams.wire.written, streams.back) == (b"", [streams.stream])
    streams.stream.close()

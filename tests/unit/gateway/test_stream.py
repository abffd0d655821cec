"""A connection that a plane forwards over: bounded in both directions, given up when nothing moves, used again only when
both bodies ended well."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sluis.gateway.exchange import Broken
from sluis.gateway.forward import Target
from sluis.gateway.planes import stream as module
from sluis.gateway.planes.stream import Stream, Streams
from sluis.gateway.pool import Unreachable

OK = b"HTTP/1.1 200 OK\r\n"


class Wire(asyncio.Transport):
    """A transport that keeps what happens to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.ended = False
        self.reading: list[bool] = []

    def write(self, data: Any) -> None:
        self.written += data

    def abort(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.ended = True

    def pause_reading(self) -> None:
        self.reading.append(False)

    def resume_reading(self) -> None:
        self.reading.append(True)


@pytest.fixture
async def wire() -> Wire:
    return Wire()


@pytest.fixture
async def stream(wire: Wire) -> AsyncIterator[Stream]:
    stream = Stream()
    stream.connection_made(wire)
    yield stream
    stream.close()


def answered(stream: Stream, *parts: bytes, bodiless: bool = False) -> None:
    """A request without body, and what came of its answer."""
    stream.begin(b"head", bodiless, True)
    for part in parts:
        stream.data_received(part)


async def test_headers_come_in_their_order_each_as_often_as_it_was_sent(stream: Stream) -> None:
    answered(stream, OK + b"Set-Cookie: a\r\nX: y\r\nset-cookie: b\r\ncontent-length: 0\r\n\r\n")
    await stream.head()
    expected = [(b"set-cookie", b"a"), (b"x", b"y"), (b"set-cookie", b"b"), (b"content-length", b"0")]
    assert (stream.status, stream.headers) == (200, expected)


async def test_peer_waits_while_its_answer_is_not_read(stream: Stream, wire: Wire) -> None:
    answered(stream, OK + b"content-length: 600000\r\n\r\n" + b"x" * 250_000)
    assert wire.reading == []
    stream.data_received(b"x" * 50_000)
    assert wire.reading == [False]
    assert len(await stream.read()) == 300_000
    assert wire.reading == [False, True]


async def test_writer_waits_while_the_peer_does_not_read(stream: Stream) -> None:
    stream.begin(b"head", False, False)
    stream.pause_writing()
    writing = asyncio.create_task(stream.write(b"x", False))
    await asyncio.sleep(0)
    assert not writing.done()
    stream.resume_writing()
    await writing


async def test_writer_that_waits_hears_that_the_connection_is_gone(stream: Stream) -> None:
    stream.begin(b"head", False, False)
    stream.pause_writing()
    writing = asyncio.create_task(stream.write(b"x", False))
    await asyncio.sleep(0)
    stream.connection_lost(None)
    with pytest.raises(Broken):
        await writing


async def test_connection_is_used_again_only_when_both_bodies_ended(stream: Stream) -> None:
    stream.begin(b"head", False, False)
    stream.data_received(OK + b"content-length: 1\r\n\r\na")
    await stream.head()
    assert await stream.read() == b"a"
    await stream.write(b"begin", False)
    assert not stream.reusable
    await stream.write(b"end", True)
    assert stream.reusable


@pytest.mark.parametrize("length", [b"content-length: 5\r\n", b"transfer-encoding: chunked\r\n", b""])
async def test_answer_to_head_has_no_body_whatever_it_says(stream: Stream, length: bytes) -> None:
    answered(stream, OK + length + b"\r\n", bodiless=True)
    await stream.head()
    assert await stream.read() == b""


async def test_body_after_an_answer_to_head_ends_the_connection(stream: Stream, wire: Wire) -> None:
    answered(stream, OK + b"content-length: 5\r\n\r\nhello", bodiless=True)
    assert (wire.ended, stream.reusable) == (True, False)


async def test_peer_that_closes_after_its_answer_is_not_asked_again(stream: Stream) -> None:
    answered(stream, OK + b"connection: close\r\ncontent-length: 1\r\n\r\na")
    await stream.head()
    assert (await stream.read(), stream.end()) == (b"a", False)


@pytest.mark.parametrize("what", ["busy", "idle"])
async def test_connection_on_which_nothing_moves_is_given_up(
    wire: Wire, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.01)
    monkeypatch.setattr(module, "_STALLED" if what == "busy" else "_KEEP", 0.03)
    stream = Stream()
    stream.connection_made(wire)
    if what == "busy":
        stream.begin(b"head", False, True)
        with pytest.raises(TimeoutError):
            await stream.head()
    else:
        await asyncio.sleep(0.1)
    assert (wire.ended, stream.reusable) == (True, False)


async def test_connection_on_which_something_moves_is_not(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.01)
    monkeypatch.setattr(module, "_STALLED", 0.2)
    stream = Stream()
    stream.connection_made(wire)
    answered(stream, OK + b"content-length: 10\r\n\r\n")
    for _ in range(8):
        await asyncio.sleep(0.05)
        stream.data_received(b"x")
    assert not wire.ended
    stream.close()


async def test_tls_without_a_context_is_no_connection() -> None:
    with pytest.raises(Unreachable):
        await Streams().open(Target(True, "127.0.0.1", 1, "x"))


async def test_port_where_nobody_listens_is_no_connection() -> None:
    streams = Streams()
    for _ in range(300):  # more than may be under way at once: none is kept
        with pytest.raises(Unreachable):
            await streams.open(Target(False, "127.0.0.1", 1, "x"))


async def test_who_waits_longest_is_next_and_who_gives_up_takes_no_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_PER_TARGET", 1)
    place, order = module._Place(), list[int]()

    async def one(number: int) -> None:
        await place.enter()
        order.append(number)
        await asyncio.sleep(0)
        place.leave()

    await place.enter()
    waiting = [asyncio.create_task(one(number)) for number in range(4)]
    await asyncio.sleep(0)
    waiting[1].cancel()
    place.leave()
    waiting[0].cancel()  # its turn came, and it goes all the same
    await asyncio.gather(*waiting, return_exceptions=True)
    assert order == [2, 3]
    await asyncio.wait_for(place.enter(), 1)

"""A connection that a plane forwards over: bounded in both directions, given up when nothing moves, used again only when
both bodies ended well."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.gateway.streams.wires import CHUNKED, OK, Wire

from sluis.gateway.streams import Broken, Stream, because
from sluis.gateway.streams import stream as module


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


@pytest.mark.parametrize("settings", [b"", b"\0\3\0\0\0\x64"])
@pytest.mark.parametrize("before", [True, False])
async def test_who_speaks_only_http_2_is_told_apart_from_a_connection_that_broke(
    stream: Stream, settings: bytes, before: bool
) -> None:
    frame = len(settings).to_bytes(3) + b"\4\0\0\0\0\0" + settings  # RFC 9113 section 4.1
    if not before:
        stream.begin(b"head", False, True)
    stream.data_received(frame)
    with pytest.raises(Broken) as failure:
        stream.begin(b"head", False, True) if before else await stream.head()
    assert "HTTP/2" in because(failure.value).en


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
    monkeypatch.setattr(module, "STALLED" if what == "busy" else "_KEEP", 0.03)
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
    monkeypatch.setattr(module, "STALLED", 0.6)
    stream = Stream()
    stream.connection_made(wire)
    answered(stream, OK + b"content-length: 20\r\n\r\n")
    for _ in range(14):
        await asyncio.sleep(0.05)
        stream.data_received(b"x")
    assert not wire.ended
    stream.close()


def whole_of(*parts: bytes) -> tuple[bytes, bool]:
    """The body that came in these parts, and whether the connection may be used again."""

    async def asked() -> tuple[bytes, bool]:
        stream = Stream()
        stream.connection_made(Wire())
        answered(stream, *parts)
        await stream.head()
        body = await stream.read()
        reusable = stream.reusable
        stream.close()
        return body, reusable

    return asyncio.run(asked())


@given(st.lists(st.integers(1, len(CHUNKED) - 1), max_size=6))
def test_it_does_not_matter_how_an_answer_is_cut(cuts: list[int]) -> None:
    places = [0, *sorted(set(cuts)), len(CHUNKED)]
    assert whole_of(*(CHUNKED[start:end] for start, end in pairwise(places))) == (b"abcdef", True)


async def test_what_only_announces_an_answer_is_none(stream: Stream) -> None:
    answered(stream, b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + CHUNKED)
    await stream.head()
    assert (stream.status, b"link" in dict(stream.headers), await stream.read()) == (200, False, b"abcdef")


async def test_connection_serves_one_request_after_another(stream: Stream) -> None:
    answered(stream, CHUNKED)
    assert (await stream.read(), stream.end(), stream.fresh) == (b"abcdef", True, False)
    answered(stream, b"HTTP/1.1 204 No Content\r\n\r\n")
    await stream.head()
    assert (stream.status, stream.reusable) == (204, True)


@pytest.mark.parametrize(
    "answer",
    [
        b"no HTTP\r\n\r\n",
        OK + b"x: " + b"y" * module.HEAD_LIMIT + b"\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
)
async def test_what_is_no_answer_ends_the_connection(stream: Stream, wire: Wire, answer: bytes) -> None:
    answered(stream, answer)
    with pytest.raises(Broken):
        await stream.head()
    assert wire.ended


async def test_second_answer_to_one_request_ends_the_connection(stream: Stream, wire: Wire) -> None:
    answered(stream, CHUNKED + CHUNKED)
    await stream.head()
    assert (await stream.read(), wire.ended, stream.reusable) == (b"abcdef", True, False)


async def test_what_nobody_asked_for_ends_the_connection(stream: Stream, wire: Wire) -> None:
    stream.data_received(CHUNKED)
    assert (wire.ended, stream.reusable) == (True, False)


@pytest.mark.parametrize("headers", [b"Content-Length: 9\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_answer_that_is_cut_off_is_broken(stream: Stream, headers: bytes) -> None:
    answered(stream, OK + headers + b"\r\n")
    await stream.head()
    stream.connection_lost(None)
    with pytest.raises(Broken):
        await stream.read()


async def test_answer_without_length_ends_with_the_connection(stream: Stream) -> None:
    answered(stream, OK + b"\r\nabc")
    await stream.head()
    stream.connection_lost(None)
    assert (await stream.read(), await stream.read(), stream.reusable) == (b"abc", b"", False)


async def test_request_with_a_deadline_may_be_still_until_then(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOOK", 0.005)
    monkeypatch.setattr(module, "STALLED", 0.01)
    stream = Stream()
    stream.connection_made(wire)
    stream.begin(b"head", False, True, by=asyncio.get_running_loop().time() + 5)
    await asyncio.sleep(0.05)
    stream.data_received(CHUNKED)
    await stream.head()
    assert (await stream.read(), stream.reusable) == (b"abcdef", True)
    stream.close()

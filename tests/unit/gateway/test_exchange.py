"""HTTP/1.1 as nodes speak it: what counts as an answer, and what ends the connection."""

import asyncio
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluis.gateway.exchange import HEAD_LIMIT, Broken, Connection
from sluis.gateway.pool import _place, _written

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n2\r\nef\r\n0\r\n\r\n"


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


def connected() -> tuple[Connection, Wire]:
    connection, wire = Connection(), Wire()
    connection.connection_made(wire)
    return connection, wire


async def exchanged(*parts: bytes, seconds: float = 5.0) -> tuple[Connection, Wire, bytes]:
    """A connection over which `parts` came in answer to a request, one after another, and the body."""
    connection, wire = connected()
    deadline = asyncio.get_running_loop().time() + seconds
    asked = asyncio.create_task(connection.send(b"request", deadline))
    await asyncio.sleep(0)
    for part in parts:
        connection.data_received(part)
    await asked
    return connection, wire, b"".join([chunk async for chunk in connection.chunks()])


async def test_answer_has_status_headers_in_lower_case_and_body() -> None:
    connection, wire, body = await exchanged(OK + b"Content-Length: 3\r\nX-Y: z\r\n\r\nabc")
    assert (connection.status, connection.headers, body) == (200, {"content-length": "3", "x-y": "z"}, b"abc")
    assert (wire.written, wire.ended, connection.reusable) == (b"request", False, True)


@given(st.lists(st.integers(1, len(CHUNKED) - 1), max_size=6))
def test_it_does_not_matter_how_an_answer_is_cut(cuts: list[int]) -> None:
    places = [0, *sorted(set(cuts)), len(CHUNKED)]
    parts = [CHUNKED[start:end] for start, end in pairwise(places)]
    connection, _, body = asyncio.run(exchanged(*parts))
    assert (body, connection.reusable) == (b"abcdef", True)


async def test_what_only_announces_an_answer_is_none() -> None:
    connection, _, body = await exchanged(b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + CHUNKED)
    assert (connection.status, "link" in connection.headers, body) == (200, False, b"abcdef")


async def test_connection_serves_one_exchange_after_another() -> None:
    connection, _, _ = await exchanged(CHUNKED)
    again = asyncio.create_task(connection.send(b"next", asyncio.get_running_loop().time() + 5))
    await asyncio.sleep(0)
    connection.data_received(b"HTTP/1.1 204 No Content\r\n\r\n")
    await again
    assert (connection.status, connection.reusable) == (204, True)


async def test_peer_that_closes_after_its_answer_is_not_asked_again() -> None:
    connection, _, body = await exchanged(OK + b"Connection: close\r\nContent-Length: 1\r\n\r\na")
    assert (body, connection.reusable) == (b"a", False)


@pytest.mark.parametrize(
    "answer",
    [
        b"no HTTP\r\n\r\n",
        OK + b"x: " + b"y" * HEAD_LIMIT + b"\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
)
async def test_what_is_no_answer_ends_the_connection(answer: bytes) -> None:
    with pytest.raises(Broken):
        await exchanged(answer)


async def test_second_answer_to_one_question_ends_the_connection() -> None:
    connection, wire, body = await exchanged(CHUNKED + CHUNKED)
    assert (body, wire.ended, connection.reusable) == (b"abcdef", True, False)


async def test_what_nobody_asked_for_ends_the_connection() -> None:
    connection, wire = connected()
    connection.data_received(CHUNKED)
    assert (wire.ended, connection.reusable) == (True, False)


@pytest.mark.parametrize("headers", [b"Content-Length: 9\r\n", b"Transfer-Encoding: chunked\r\n"])
async def test_answer_that_is_cut_off_is_broken(headers: bytes) -> None:
    connection, _ = connected()
    asked = asyncio.create_task(connection.send(b"", asyncio.get_running_loop().time() + 5))
    await asyncio.sleep(0)
    connection.data_received(OK + headers + b"\r\n")
    await asked
    connection.connection_lost(None)
    with pytest.raises(Broken):
        [chunk async for chunk in connection.chunks()]


async def test_answer_without_length_ends_with_the_connection() -> None:
    connection, _ = connected()
    asked = asyncio.create_task(connection.send(b"", asyncio.get_running_loop().time() + 5))
    await asyncio.sleep(0)
    connection.data_received(OK + b"\r\nabc")
    await asked
    connection.connection_lost(None)
    assert [chunk async for chunk in connection.chunks()] == [b"abc"]
    assert not connection.reusable


async def test_peer_waits_while_its_answer_is_not_read() -> None:
    large = b"x" * 600_000
    _, wire, body = await exchanged(OK + b"Content-Length: 1200000\r\n\r\n" + large, large)
    assert (len(body), wire.reading) == (1_200_000, [False, True])


async def test_deadline_holds_until_the_last_byte() -> None:
    connection, wire = connected()
    asked = asyncio.create_task(connection.send(b"", asyncio.get_running_loop().time() + 0.02))
    await asyncio.sleep(0)
    connection.data_received(OK + b"Content-Length: 2\r\n\r\na")
    await asked
    with pytest.raises(TimeoutError):
        [chunk async for chunk in connection.chunks()]
    assert wire.ended


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
def test_no_line_of_a_request_can_be_broken(path: str, headers: Mapping[str, str]) -> None:
    with pytest.raises(ValueError):
        _written("GET", _place("https://peer.example"), path, headers, b"")


def test_request_goes_below_the_path_of_the_peer() -> None:
    written = _written("POST", _place("https://peer.example:8443/node/"), "/v1/x", {"a": "b"}, b"c")
    assert (
        written
        == b"POST /node/v1/x HTTP/1.1\r\nhost: peer.example:8443\r\na: b\r\ncontent-length: 1\r\n\r\nc"
    )

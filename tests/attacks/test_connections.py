"""A hostile client at the HTTP level: slow, silent, greedy, or not speaking HTTP. On the unix socket, where TLS is
not in the way; the protocol is the same on both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from litestar import Response, get
from tests.unit.web.conftest import ABOUT

from sluis.web import Access, LocalListener, Server, connection, make_api, server, streamed

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class App:
    """Answers `/` at once, reads a body to its end, and sends without end at `/endless`."""

    def __init__(self) -> None:
        self.sending = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        while (message := await receive())["type"] == "http.request" and message["more_body"]:
            pass
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/endless":
            self.sending += 1
            gone = asyncio.ensure_future(receive())
            while not gone.done():
                await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
            self.sending -= 1
        await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def serving(path: Path) -> AsyncIterator[App]:
    app = App()
    node = Server(app)
    await node.listen(LocalListener(path / "s"))
    try:
        yield app
    finally:
        await node.stop(0)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (connection, server):
        monkeypatch.setattr(module, "KEEP_ALIVE", 0.3)
    monkeypatch.setattr(connection, "_REQUEST", 0.3)
    monkeypatch.setattr(connection, "_STALLED", 0.3)
    monkeypatch.setattr(connection.NodeProtocol, "from_one", 8)


async def dripping(path: Path, pieces: list[bytes]) -> float:
    """Seconds until the server ends a connection on which these bytes come one by one, over and over the last."""
    reader, writer = await asyncio.open_unix_connection(path / "s")
    began = asyncio.get_running_loop().time()

    async def drip() -> None:
        for piece in pieces + [pieces[-1]] * 1000:
            writer.write(piece)
            await asyncio.sleep(0.05)

    dropping = asyncio.create_task(drip())
    try:
        while await asyncio.wait_for(reader.read(1000), 5):
            pass
    except ConnectionError:
        pass
    finally:
        dropping.cancel()
        writer.close()
    return asyncio.get_running_loop().time() - began


@pytest.mark.parametrize(
    "pieces",
    [
        [b"\r\n"],
        [b"G", b"E", b"T"],
        [b"GET / HTTP/1.1\r\n", b"a: b\r\n"],
        [b"POST / HTTP/1.1\r\ncontent-length: 100000\r\n\r\n", b"x"],
        [b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n", b"1\r\nx\r\n"],
        [b"GET / HTTP/1.1\r\n\r\n", b"\r\n"],
    ],
)
async def test_a_request_that_does_not_come_ends_the_connection(tmp_path: Path, pieces: list[bytes]) -> None:
    async with serving(tmp_path):
        assert await dripping(tmp_path, pieces) < 2


async def test_an_answer_that_nobody_takes_is_given_up(tmp_path: Path) -> None:
    async with serving(tmp_path) as app:
        _, writer = await asyncio.open_unix_connection(tmp_path / "s")
        writer.write(b"GET /endless HTTP/1.1\r\n\r\n")
        await asyncio.sleep(0.15)
        assert app.sending == 1
        await asyncio.sleep(0.6)
        assert app.sending == 0
        writer.close()


async def test_an_answer_that_is_taken_may_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        connection, "_STALLED", 1.0
    )  # a machine that does much else stops for a third of a second
    async with serving(tmp_path) as app:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
        writer.write(b"GET /endless HTTP/1.1\r\n\r\n")
        try:
            for _ in range(130):
                assert await reader.readexactly(65_536)
                await asyncio.sleep(0.01)
            assert app.sending == 1
        finally:
            writer.close()


async def test_one_caller_has_not_all_connections(tmp_path: Path) -> None:
    async with serving(tmp_path):
        opened = [await asyncio.open_unix_connection(tmp_path / "s") for _ in range(9)]
        for _, writer in opened:
            writer.write(b"GET / HTTP/1.1\r\n\r\n")
        answers = await asyncio.gather(*(reader.read(12) for reader, _ in opened), return_exceptions=True)
        assert answers[:8] == [b"HTTP/1.1 200"] * 8
        assert answers[8] == b"" or isinstance(answers[8], ConnectionError)
        for _, writer in opened:
            writer.close()


@pytest.mark.parametrize(
    "request_",
    [
        b"POST / HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 3\r\ncontent-length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\ncontent-length: +3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\ncontent-length : 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n-1\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: gzip, identity\r\n\r\nabc",
        b"GET / HTTP/1.1\r\na: b\x00c\r\n\r\n",
        b"GET / HTTP/1.1\r\na: b\nc: d\r\n\r\n\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/1.1\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"y" * 70_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_two_parsers_could_read_two_ways_is_answered_once_or_not_at_all(
    tmp_path: Path, request_: bytes
) -> None:
    async with serving(tmp_path):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
        writer.write(request_)
        try:
            answer = await asyncio.wait_for(reader.read(-1), 5)
        except ConnectionError:
            answer = b""
        assert answer.count(b"HTTP/1.1 200") <= 1
        if b"transfer-encoding" in request_ or b"content-length" in request_:
            assert b"200 OK" not in answer
        writer.close()


async def test_what_an_answer_holds_is_given_back_when_nobody_takes_it(tmp_path: Path) -> None:
    held = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 65_536
                await asyncio.sleep(0)  # as one that waits for its source
        finally:
            held.set()

    @get("/all", opt={"open": True})
    async def whole() -> Response[Any]:
        return await streamed(pieces(), "text/plain")

    node = Server(make_api([whole], Access([], lambda _: None), ABOUT))
    await node.listen(LocalListener(tmp_path / "s"))
    _, writer = await asyncio.open_unix_connection(tmp_path / "s")
    writer.write(b"GET /v1/all HTTP/1.1\r\nhost: x\r\n\r\n")
    await asyncio.sleep(0.1)
    assert not held.is_set()
    await asyncio.wait_for(held.wait(), 2)
    writer.close()
    await node.stop(0)


async def said(path: Path, request: bytes) -> list[bytes]:
    """What comes in answer, piece by piece, until the server has no more to say."""
    reader, writer = await asyncio.open_unix_connection(path / "s")
    writer.write(request)
    pieces = []
    while piece := await asyncio.wait_for(reader.read(100_000), 5):
        pieces.append(piece)
    writer.close()
    return pieces


async def test_head_and_body_of_an_answer_come_together(tmp_path: Path) -> None:
    async with serving(tmp_path):
        pieces = await said(tmp_path, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert len(pieces) == 1
    assert pieces[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert pieces[0].endswith(b"ok\r\n0\r\n\r\n")


@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"])
async def test_an_answer_that_is_a_head_alone_is_sent(tmp_path: Path, more: bytes) -> None:
    async with serving(tmp_path):
        pieces = await said(tmp_path, b"HEAD / HTTP/1.1\r\nHost: a\r\n" + more + b"\r\n")
    assert b"".join(pieces).startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"ok" not in b"".join(pieces)


async def test_who_asks_whether_to_go_on_is_told_at_once(tmp_path: Path) -> None:
    async with serving(tmp_path):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
        writer.write(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 0.2) == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"x")
        assert (await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_a_few_addresses_that_hold_every_connection_keep_out_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    addresses = iter(["192.0.2.1"] * 3 + ["198.51.100.7"] + ["192.0.2.1"])

    def find(self: Any, transport: Any) -> dict[str, Any]:
        return {connection.ADDRESS: next(addresses)}

    monkeypatch.setattr(connection, "_BROWSERS", 3)
    monkeypatch.setattr(connection, "KEEP_ALIVE", 5)
    monkeypatch.setattr(connection.BrowserProtocol, "find_credentials", find)
    node = Server(App(), browsers=True)
    await node.listen(LocalListener(tmp_path / "s"))
    held = [await asyncio.open_unix_connection(tmp_path / "s") for _ in range(3)]
    reader, writer = await asyncio.open_unix_connection(tmp_path / "s")
    writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert (await asyncio.wait_for(reader.readuntil(b"\r\n"), 2)).startswith(b"HTTP/1.1 200")
    more, again = await asyncio.open_unix_connection(tmp_path / "s")
    assert await asyncio.wait_for(more.read(), 2) == b"", "who holds most gets no more"
    ended = [one.at_eof() for one, _ in held]
    assert ended.count(True) == 1
    for each in (writer, again, *(one for _, one in held)):
        each.close()
    await node.stop(0)


def test_addresses_of_one_ipv6_connection_count_as_one() -> None:
    """Or one visitor, who has 2**64 of them, holds every connection there is."""
    protocol = object.__new__(connection.BrowserProtocol)
    known = []
    for address in ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1", "192.0.2.1", "192.0.2.2"):
        said = {"peername": (address, 1)}
        transport = SimpleNamespace(get_extra_info=said.get)
        known.append(protocol.find_credentials(cast(Any, transport)))
    assert known[0] == known[1]
    assert len({str(one) for one in known}) == 4

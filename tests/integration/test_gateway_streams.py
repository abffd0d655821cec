"""Bodies through both gateways: whole, in order, in bounded memory, and broken off on both sides when either goes away."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.gateways import Gateways, answer, gateways, read_answer, whole

from sluis.kernel import Invalid
from sluis.web import LoopbackListener, Server

MIB = 1024 * 1024
LARGE = 24 * MIB
HELD = 32 * MIB
"""What three connections may hold of a body that nobody reads: the kernel's buffers alone grow to ten for each."""
ENDLESS = 2 * HELD


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[Gateways]:
    async with gateways(tmp_path) as pair:
        pair.links["l"] = (await pair.agree()).hash
        yield pair


async def eventually(happened: asyncio.Event) -> None:
    async with asyncio.timeout(10):
        await happened.wait()


async def started(pair: Gateways, request: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A request at the outway that has begun."""
    reader, writer = await asyncio.open_connection(*pair.outway_address)
    writer.write(request)
    return reader, writer


async def sends(send: Any, pieces: list[bytes], length: bool = False, pause: float = 0) -> None:
    headers = [(b"content-length", b"%d" % sum(map(len, pieces)))] if length else []
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(pause)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


@pytest.mark.parametrize("length", [True, False])
async def test_large_answer_comes_whole(pair: Gateways, length: bool) -> None:
    piece = bytes(range(256)) * 1024

    async def handler(_scope: Any, receive: Any, send: Any) -> None:
        await whole(receive)
        await sends(send, [piece] * (LARGE // len(piece)), length)

    pair.backend.handler = handler
    got = await pair.call("GET", "/l/x")
    assert (len(got.body), got.body == piece * (LARGE // len(piece))) == (LARGE, True)
    assert ("content-length" in got.headers) == length


@pytest.mark.parametrize("chunked", [True, False])
async def test_large_request_comes_whole(pair: Gateways, chunked: bool) -> None:
    async def handler(_scope: Any, receive: Any, send: Any) -> None:
        digest, size, more = hashlib.sha256(), 0, True
        while more:
            message = await receive()
            digest.update(message["body"])
            size, more = size + len(message["body"]), message["more_body"]
        await answer(send, 200, f"{size} {digest.hexdigest()}".encode())

    pair.backend.handler = handler
    piece = bytes(range(256)) * 1024
    body = piece * (LARGE // len(piece))
    framing = b"transfer-encoding: chunked" if chunked else b"content-length: %d" % LARGE
    sent = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for _ in range(LARGE // len(piece))) + b"0\r\n\r\n"
    raw = await pair.raw(
        b"POST /l/x HTTP/1.1\r\nhost: outway\r\nconnection: close\r\n%b\r\n\r\n" % framing
        + (sent if chunked else body)
    )
    assert read_answer(raw).body == f"{LARGE} {hashlib.sha256(body).hexdigest()}".encode()


async def test_answer_streams_as_it_is_made(pair: Gateways) -> None:
    go_on = asyncio.Event()

    async def handler(_scope: Any, receive: Any, send: Any) -> None:
        await whole(receive)
        await send(
            {
                "type": "http.response.start",
                "status": 200,
                "headers": [(b"content-type", b"text/event-stream")],
            }
        )
        for number in range(3):
            await send({"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True})
            await eventually(go_on)
            go_on.clear()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    pair.backend.handler = handler
    reader, writer = await started(pair, b"GET /l/x HTTP/1.1\r\nhost: outway\r\n\r\n")
    for number in range(3):
        async with asyncio.timeout(10):
            await reader.readuntil(b"data: %d\n\n" % number)
        go_on.set()
    async with asyncio.timeout(10):
        await reader.readuntil(b"0\r\n\r\n")
    writer.close()


async def test_request_streams_as_it_is_made_and_is_answered_before_its_end(pair: Gateways) -> None:
    async def handler(_scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            await send({"type": "http.response.body", "body": message["body"], "more_body": more})

    pair.backend.handler = handler
    reader, writer = await started(
        pair, b"POST /l/x HTTP/1.1\r\nhost: outway\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    for word in (b"een", b"twee", b"drie"):
        writer.write(b"%x\r\n%b\r\n" % (len(word), word))
        async with asyncio.timeout(10):
            await reader.readuntil(word)
    writer.write(b"0\r\n\r\n")
    async with asyncio.timeout(10):
        await reader.readuntil(b"0\r\n\r\n")
    writer.close()


async def test_caller_that_expects_to_be_told_to_go_on_is(pair: Gateways) -> None:
    head = b"POST /l/x HTTP/1.1\r\nhost: outway\r\nexpect: 100-continue\r\nconnection: close\r\ncontent-length: 4\r\n\r\n"
    reader, writer = await started(pair, head)
    async with asyncio.timeout(10):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
    writer.write(b"four")
    got = read_answer(await reader.read())
    assert got.json["body"] == "four"
    writer.close()


async def test_service_waits_while_its_answer_is_not_read(pair: Gateways) -> None:
    sent, gone = 0, asyncio.Event()

    async def handler(_scope: Any, receive: Any, send: Any) -> None:
        nonlocal sent
        await send({"type": "http.response.start", "status": 200, "headers": []})
        watching = asyncio.create_task(goes_away(receive, gone))
        while not gone.is_set():
            await send({"type": "http.response.body", "body": b"x" * 65_536, "more_body": True})
            sent += 65_536
        await watching

    pair.backend.handler = handler
    _, writer = await started(pair, b"GET /l/x HTTP/1.1\r\nhost: outway\r\n\r\n")
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    before = -1
    while before != sent:
        before = sent
        await asyncio.sleep(0.5)
    assert 0 < sent < HELD
    writer.transport.abort()
    await eventually(gone)


async def goes_away(receive: Any, gone: asyncio.Event) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    gone.set()


async def test_caller_waits_while_its_request_is_not_read(pair: Gateways) -> None:
    go_on = asyncio.Event()

    async def handler(_scope: Any, receive: Any, send: Any) -> None:
        await eventually(go_on)
        size, more = 0, True
        while more:
            message = await receive()
            size, more = size + len(message["body"]), message["more_body"]
        await answer(send, 200, b"%d" % size)

    pair.backend.handler = handler
    head = b"POST /l/x HTTP/1.1\r\nhost: outway\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % ENDLESS
    reader, writer = await started(pair, head)
    taken, held = 0, False
    while taken < ENDLESS:
        writer.write(b"x" * MIB)
        taken += MIB
        try:
            async with asyncio.timeout(None if held else 1):
                await writer.drain()
        except TimeoutError:
            held = True
            assert taken < HELD
            go_on.set()
    assert held
    async with asyncio.timeout(20):
        assert read_answer(await reader.read()).body == b"%d" % ENDLESS
    writer.close()


async def test_service_hears_at_once_that_nobody_waits_any_more(pair: Gateways) -> None:
    begun, gone = asyncio.Event(), asyncio.Event()

    async def handler(_scope: Any, receive: Any, _send: Any) -> None:
        begun.set()
        await goes_away(receive, gone)

    pair.backend.handler = handler
    _, writer = await started(pair, b"GET /l/x HTTP/1.1\r\nhost: outway\r\n\r\n")
    await eventually(begun)
    writer.transport.abort()
    await eventually(gone)


@pytest.mark.parametrize("framing", [b"transfer-encoding: chunked", b"content-length: 1000"])
async def test_request_that_breaks_off_is_never_whole(pair: Gateways, framing: bytes) -> None:
    begun, gone, bodies = asyncio.Event(), asyncio.Event(), list[dict[str, Any]]()

    async def handler(_scope: Any, receive: Any, _send: Any) -> None:
        while (message := await receive())["type"] != "http.disconnect":
            bodies.append(message)
            begun.set()
        gone.set()

    pair.backend.handler = handler
    _, writer = await started(pair, b"POST /l/x HTTP/1.1\r\nhost: outway\r\n%b\r\n\r\n3\r\nabc\r\n" % framing)
    await eventually(begun)
    writer.transport.abort()
    await eventually(gone)
    assert all(message["more_body"] for message in bodies)


@pytest.mark.parametrize("head", [b"content-length: 1000", b"transfer-encoding: chunked"])
async def test_answer_that_breaks_off_is_never_whole(pair: Gateways, head: bytes) -> None:
    async def serve(reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n%b\r\n\r\n3\r\nabc\r\n" % head)
        await writer.drain()
        await asyncio.sleep(0.1)
        writer.close()

    await pair.serve_raw(serve)
    raw = await pair.raw(b"GET /l/x HTTP/1.1\r\nhost: outway\r\nconnection: close\r\n\r\n")
    assert b"abc" in raw
    assert not raw.endswith(b"0\r\n\r\n")


async def test_answer_without_length_is_whole_when_the_service_ends_it(pair: Gateways) -> None:
    async def serve(reader: Any, writer: Any) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nabc")
        await writer.drain()
        writer.close()

    await pair.serve_raw(serve)
    assert (await pair.call("GET", "/l/x")).body == b"abc"


async def test_early_answer_reaches_the_caller_while_it_still_sends(pair: Gateways) -> None:
    async def handler(_scope: Any, _receive: Any, send: Any) -> None:
        await answer(send, 413, b"too large", [(b"connection", b"close")])

    pair.backend.handler = handler
    reader, writer = await started(
        pair, b"POST /l/x HTTP/1.1\r\nhost: outway\r\ncontent-length: %d\r\n\r\nabc" % LARGE
    )
    async with asyncio.timeout(10):
        assert (await reader.readuntil(b"too large")).startswith(b"HTTP/1.1 413 ")
    writer.close()


@pytest.mark.parametrize("side", ["inway", "outway"])
async def test_gateway_that_stops_lets_a_body_in_hand_finish(pair: Gateways, side: str) -> None:
    async def handler(_scope: Any, receive: Any, send: Any) -> None:
        await whole(receive)
        await sends(send, [b"x" * 1000] * 20, pause=0.02)

    pair.backend.handler = handler
    reader, writer = await started(pair, b"GET /l/x HTTP/1.1\r\nhost: outway\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    stopping = asyncio.create_task(pair.servers[side].stop(seconds=10))
    async with asyncio.timeout(10):
        body = await reader.readuntil(b"0\r\n\r\n")
    assert body.count(b"x") == 20_000
    await stopping
    writer.close()


async def test_connections_are_used_again(pair: Gateways) -> None:
    for number in range(5):
        got = await pair.call("POST" if number % 2 else "GET", "/l/x", body=b"b" * (number % 2))
        assert got.status == 200
    assert [len(streams._all) for streams in pair.streams] == [1, 1]


async def test_no_more_connections_than_a_peer_takes(pair: Gateways, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sluis.gateway.streams.kept._PER_TARGET", 3)

    async def handler(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.02)
        await pair.backend.tell(scope, receive, send)

    pair.backend.handler = handler
    got = await asyncio.gather(*[pair.call("GET", "/l/x") for _ in range(20)])
    assert {one.status for one in got} == {200}
    assert all(len(streams._all) <= 3 for streams in pair.streams)


async def test_meter_counts_what_passed_and_what_was_refused(pair: Gateways) -> None:
    await pair.call("POST", "/l/x", body=b"abc")
    await pair.call("GET", "/onbekend")
    meter = pair.asker.meter
    assert (dict(meter.requests), dict(meter.refusals)) == ({2: 1, 4: 1}, {"ERROR_CODE_NO_CONTRACT": 1})
    assert (sum(meter.seconds), meter.upward, meter.downward > 3) == (2, 3, True)
    assert dict(pair.owner.meter.requests) == {2: 1}


async def slow_body(pair: Gateways, steps: int, then: float) -> bytes:
    """A request whose body comes in steps of 0.2 s, and after the last of them a pause; gives what is answered."""
    reader, writer = await started(
        pair,
        b"POST /l/x HTTP/1.1\r\nhost: outway\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        % (steps + 1),
    )
    for _ in range(steps):
        writer.write(b"x")
        await asyncio.sleep(0.2)
    await asyncio.sleep(then)
    writer.write(b"x")
    try:
        return await asyncio.wait_for(reader.read(), 10)
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(("steps", "pause", "passes"), [(10, 0.0, True), (2, 2.0, False)])
async def test_body_may_be_slow_but_not_stand_still(
    pair: Gateways, monkeypatch: pytest.MonkeyPatch, steps: int, pause: float, passes: bool
) -> None:
    await pair.call("GET", "/l/x")  # so that everything is at hand
    monkeypatch.setattr("sluis.web.connection._REQUEST", 1.0)
    monkeypatch.setattr("sluis.web.connection._STALLED", 1.0)
    got = await slow_body(pair, steps, pause)
    assert got.startswith(b"HTTP/1.1 200 ") == passes
    assert len(pair.backend.requests) == 1 + passes


async def test_without_tls_only_this_machine_is_listened_to() -> None:
    server = Server(lambda scope, receive, send: None)
    for host in ("0.0.0.0", "10.0.0.1", "localhost", "::"):
        with pytest.raises(Invalid) as problem:
            await server.listen(LoopbackListener(host, 0))
        assert problem.value.code == "not-loopback"
    await server.stop(seconds=0)

"""Calls to others: bounded, never led elsewhere, and never to what lies inside, whatever a name says that it means."""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from tests.answering import Writer, answering, bytes_of, head
from tests.integration.openid import Tls

from sluis.crypto import browser_context, calling_context
from sluis.web import EVERYWHERE, Answer, Outgoing, Unreached

INSIDE = [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16",
    "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.168.0.1", "198.18.0.1",
    "203.0.113.9", "224.0.0.251", "239.255.255.250", "240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1", "fc00::1",
    "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
]  # fmt: skip
OUTSIDE = [
    "1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "172.15.255.255", "172.32.0.1",
    "192.0.1.1", "198.17.255.255", "223.255.255.255", "2001:200::1", "2606:4700::1111", "2a00:1450::1",
    "::ffff:1.1.1.1", "64:ff9b::101:101",
]  # fmt: skip
BOUNDS: Any = {"seconds": 5.0, "most": 1000}


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Tls:
    return Tls(tmp_path_factory.mktemp("tls"))


async def called(write: Writer, method: str = "GET", **bounds: Any) -> Answer:
    """What a call without TLS brings."""
    async with answering(None, write) as address, Outgoing(calling_context(), EVERYWHERE, plain=True) as web:
        return await web.call(method, address, **{**BOUNDS, **bounds})


def meaning(*addresses: str) -> Callable[..., Any]:
    """A look-up in which every name means these."""

    def look_up(host: str, port: int, *_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in addresses]

    return look_up


async def code_of(url: str, *inside: str) -> str:
    """What becomes of a call to an address."""
    async with Outgoing(calling_context(), [ip_network(one) for one in inside], plain=True) as web:
        try:
            return str((await web.call("GET", url, **BOUNDS)).status)
        except Unreached as told:
            return told.code


async def test_an_answer_comes_with_its_status_headers_and_body() -> None:
    answer = await called(
        bytes_of(head("Content-Type: text/plain; charset=utf-8", "content-length: 2") + b"ok")
    )
    assert (answer.status, answer.body, answer.whole, answer.media_type) == (200, b"ok", True, "text/plain")


async def test_a_redirect_is_an_answer() -> None:
    raw = b"HTTP/1.1 307 Temporary Redirect\r\nlocation: http://localhost:1/\r\ncontent-length: 0\r\n\r\n"
    answer = await called(bytes_of(raw))
    assert (answer.status, answer.headers["location"]) == (307, "http://localhost:1/")


@pytest.mark.parametrize(("length", "whole"), [(999, True), (1000, True), (1001, False), (300_000, False)])
async def test_no_more_than_was_wanted_is_kept_of_an_answer(length: int, whole: bool) -> None:
    answer = await called(bytes_of(head() + b"x" * length))
    assert (answer.body, answer.whole) == (b"x" * min(length, 1000), whole)


async def test_who_wants_the_head_alone_waits_for_nothing_else() -> None:
    ended = asyncio.Event()

    async def endless(writer: asyncio.StreamWriter) -> None:
        writer.write(head())
        with suppress(OSError):
            while True:
                writer.write(b".")
                await writer.drain()
                await asyncio.sleep(0)
        ended.set()

    async with asyncio.timeout(5):
        answer = await called(endless, most=0)
        await ended.wait()
    assert (answer.status, answer.body, answer.whole) == (200, b"", False)


@pytest.mark.parametrize("begins", [b"", head("content-length: 9")])
async def test_all_of_an_answer_has_one_time(begins: bytes) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(begins)
        with suppress(OSError):
            for _ in range(8):
                writer.write(b"x" if begins else b"")
                await writer.drain()
                await asyncio.sleep(0.03)

    with pytest.raises(Unreached) as told:
        await called(drip, seconds=0.1)
    assert (told.value.code, told.value.retry) == ("call-late", True)


@pytest.mark.parametrize("raw", [b"", b"garbage\r\n\r\n", head("content-length: 9") + b"half"])
async def test_what_is_no_answer_is_told_as_that(raw: bytes) -> None:
    with pytest.raises(Unreached) as told:
        await called(bytes_of(raw))
    assert told.value.code == "call-broken"


@pytest.mark.parametrize(
    "url", ["http://localhost/", "ftp://localhost/", "https://a:b@localhost/", "//x", "https://["]
)
async def test_only_tls_without_a_name_in_the_address_is_called(url: str) -> None:
    async with Outgoing(calling_context(), EVERYWHERE) as web:
        with pytest.raises(Unreached) as told:
            await web.call("GET", url, **BOUNDS)
    assert told.value.code == "call-broken"


async def test_the_certificate_must_be_of_the_name_that_was_called(
    tls: Tls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", meaning("127.0.0.1"))
    async with (
        answering(browser_context(tls.certificate, tls.key), bytes_of(head("content-length: 0"))) as at,
        Outgoing(calling_context([tls.authority]), EVERYWHERE) as web,
    ):
        assert (await web.call("GET", at, **BOUNDS)).status == 200
        with pytest.raises(Unreached):
            await web.call("GET", at.replace("localhost", "ander.example"), **BOUNDS)


async def test_a_connection_is_kept_for_the_next_call() -> None:
    made = list[int]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        made.append(1)
        with suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with server:
        async with Outgoing(calling_context(), EVERYWHERE, plain=True) as web:
            for most in (0, 0, 100):
                assert (await web.call("POST", address, b"{}", seconds=5.0, most=most)).status == 204
        await asyncio.sleep(0)
    assert made == [1]


async def test_who_does_not_answer_keeps_no_other_waiting() -> None:
    over = asyncio.Event()

    async def never(writer: asyncio.StreamWriter) -> None:
        await over.wait()

    async with (
        answering(None, never) as away,
        answering(None, bytes_of(head("content-length: 0"))) as there,
        Outgoing(calling_context(), EVERYWHERE, plain=True, each=2) as web,
    ):
        calls = [asyncio.create_task(web.call("POST", away, **BOUNDS)) for _ in range(50)]
        async with asyncio.timeout(2):
            assert (await web.call("POST", there, **BOUNDS)).status == 200
        assert not any(one.done() for one in calls)
        for one in calls:
            one.cancel()
        await asyncio.gather(*calls, return_exceptions=True)
        over.set()


@pytest.mark.parametrize("address", INSIDE)
async def test_what_lies_inside_is_not_reached_by_its_number(address: str) -> None:
    shown = f"[{address}]" if ":" in address else address
    assert await code_of(f"http://{shown}:9/".replace("%eth0", "")) == "call-inside"


@pytest.mark.parametrize("name", ["127.1", "0x7f.0.0.1", "2130706433", "017700000001", "localhost"])
async def test_nor_by_another_way_to_write_it(name: str) -> None:
    assert await code_of(f"http://{name}:9/") in ("call-inside", "call-broken")
    async with answering(None, bytes_of(head("content-length: 0"))) as at:
        assert await code_of(at.replace("localhost", name)) != "200"


@pytest.mark.parametrize("address", OUTSIDE)
async def test_what_all_the_world_reaches_is_tried(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = list[str]()

    async def connect(loop: Any, sock: Any, place: Any) -> None:
        tried.append(place[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(type(asyncio.get_running_loop()), "sock_connect", connect)
    shown = f"[{address}]" if ":" in address else address
    assert await code_of(f"http://{shown}/") == "call-broken"
    assert len(tried) == 1


async def test_a_name_of_something_inside_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    async with answering(None, bytes_of(head("content-length: 0"))) as at:
        named = at.replace("localhost", "afnemer.example")
        monkeypatch.setattr(socket, "getaddrinfo", meaning("127.0.0.1"))
        assert await code_of(named) == "call-inside"
        assert await code_of(named, "127.0.0.0/8") == "200"
        assert await code_of(named, "10.0.0.0/8", "::/0") == "call-inside"


async def test_a_name_that_means_something_else_each_time_reaches_nothing_inside(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Looked up once, and what was judged is what is connected to (DNS rebinding)."""
    looked, tried = list[str](), list[str]()

    def look_up(host: str, port: int, *_: Any) -> list[Any]:
        looked.append(host)
        return meaning("1.1.1.1" if len(looked) == 1 else "127.0.0.1")(host, port)

    async def connect(loop: Any, sock: Any, place: Any) -> None:
        tried.append(place[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(type(asyncio.get_running_loop()), "sock_connect", connect)
    assert await code_of("http://afnemer.example/") == "call-broken"
    assert (looked, tried) == (["afnemer.example"], ["1.1.1.1"])
    assert await code_of("http://afnemer.example/") == "call-inside"
    assert tried == ["1.1.1.1"]


async def test_of_a_name_with_addresses_on_both_sides_only_those_outside_are_tried(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried = list[str]()

    async def connect(loop: Any, sock: Any, place: Any) -> None:
        tried.append(place[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", meaning("10.0.0.1", "1.1.1.1", "192.168.1.1"))
    monkeypatch.setattr(type(asyncio.get_running_loop()), "sock_connect", connect)
    assert await code_of("http://afnemer.example/") in ("call-broken", "call-inside")
    assert set(tried) == {"1.1.1.1"}


async def test_the_proxy_of_the_environment_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with answering(None, bytes_of(head("content-length: 0"))) as at:
        monkeypatch.setenv("http_proxy", "http://localhost:1/")
        assert await code_of(at, "127.0.0.0/8", "::1/128") == "200"


async def test_nothing_is_left_behind() -> None:
    web = Outgoing(calling_context(), EVERYWHERE, plain=True)
    async with answering(None, bytes_of(head("content-length: 0"))) as at:
        assert (await web.call("GET", at, **BOUNDS)).status == 200
    threads = [one for one in threading.enumerate() if one.name.startswith("names")]
    assert threads
    await web.close()
    await asyncio.to_thread(lambda: [one.join(2) for one in threads])
    assert not any(one.is_alive() for one in threads)

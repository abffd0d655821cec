"""Connections to peers and the listeners, over real sockets: who may connect, whom a request reaches, and how it fails."""

import asyncio
import os
import socket
import ssl
import stat
import warnings
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from litestar import get, post
from litestar.response import Stream
from tests.integration.managers import until

from sluis.crypto import Authority, Peer, client_context, make_authority, peer_of, server_context
from sluis.gateway.contracts import Grant
from sluis.gateway.crossing import SERVICE, GroupLink
from sluis.gateway.forward import Forward, Outgoing, read_url
from sluis.gateway.link import Answer
from sluis.gateway.outway import Outway
from sluis.gateway.streams import Streams
from sluis.kernel import Conflict, Invalid, PeerId, Upstream, utc_now
from sluis.web import (
    CROSSED,
    About,
    Access,
    Api,
    Crossed,
    LocalListener,
    PeerListener,
    Person,
    Server,
    make_api,
)

ASKER, OWNER = PeerId("00000001001000001000"), PeerId("00000001826002785000")
ABOUT = About("API", "https://node.example", "Beheer", "api@node.example", "https://node.example")
HEADERS = {"content-type": "application/json"}


class Sum(msgspec.Struct):
    """What is added."""

    numbers: list[int]


@post("/sums", status_code=200)
async def add(data: Sum, peer: Peer) -> dict[str, Any]:
    """Add, and say for whom."""
    return {"sum": sum(data.numbers), "for": str.__str__(peer.id)}


@get("/streams")
async def stream(peer: Peer, size: int, breaks: bool = False) -> Stream:
    """Send so many bytes, and perhaps break."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(0, size, 65_536):
            yield b"x" * 65_536
        if breaks:
            raise RuntimeError

    return Stream(chunks())


@get("/slow")
async def slow(peer: Peer) -> None:
    """Never answer."""
    await asyncio.Event().wait()


@get("/me")
async def me(person: Person) -> str:
    """Say who asks."""
    return person.person


class Door:
    """Lets in whoever has a certificate of the group, as an inway that asks for nothing more."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        chain = scope["extensions"].get("tls", {}).get("client_cert_chain") or ()
        crossed = {CROSSED: Crossed(peer_of(ssl.PEM_cert_to_DER_cert(chain[0])))} if chain else {}
        await self._api({**scope, "extensions": {**scope["extensions"], **crossed}}, receive, send)


class LetsOut:
    """An outway that lets everything leave for one address, and keeps count of what came of it."""

    def __init__(self, url: str, instead: str = "") -> None:
        self._target, self._instead = read_url(url, OWNER)[0], instead
        self.lines = 0
        self.told: list[str] = []

    async def admit(self, request: Outgoing) -> tuple[Forward, Any]:
        return Forward(self._target, request.path, (), "t-1", instead=self._instead), self._write

    def _write(self) -> "asyncio.Future[None]":
        self.lines += 1
        written = asyncio.get_running_loop().create_future()
        written.set_result(None)
        return written

    def answered(self, peer: PeerId) -> None:
        self.told.append("answered")

    def failed(self, peer: PeerId) -> None:
        self.told.append("failed")

    def note(self, peer: PeerId, transaction_id: str, code: str) -> None:
        self.told.append("noted")


class Straight:
    """The asker's own link to one peer."""

    def __init__(
        self,
        url: str,
        context: ssl.SSLContext,
        revoked: Callable[[bytes], bool] = lambda _: False,
        instead: str = "",
    ) -> None:
        self.outway = LetsOut(url, instead)
        grant = Grant("GRANT_TYPE_SERVICE_CONNECTION", "$1$3$x", OWNER, SERVICE)
        streams = Streams(context, revoked=revoked)
        self._link = GroupLink(
            cast(Outway, self.outway), lambda *_: [grant], streams, lambda _: "UWV", utc_now
        )
        self.close = streams.close

    def send(
        self, method: str, path: str, body: bytes, seconds: float
    ) -> AbstractAsyncContextManager[Answer]:
        return self._link.send(OWNER, method, path, HEADERS, body, seconds)


class Place(msgspec.Struct):
    """A node that listens, and the files to reach it with."""

    authority: Authority
    directory: Path
    url: str
    server: Server

    def link(self, authority: Authority | None = None, days: int = 30, **more: Any) -> Straight:
        """The asker's link, with a certificate of this group unless `authority` says otherwise."""
        directory = self.directory / "asker"
        files = (authority or self.authority).issue(directory, ASKER, "Vrager", ["localhost"], days)
        return Straight(self.url, client_context(*files, [self.authority.path]), **more)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    authority = make_authority(tmp_path / "authority", "Groep")
    files = authority.issue(tmp_path / "owner", OWNER, "UWV", ["localhost", "127.0.0.1"])
    access = Access([ASKER], {"root": Person("root", "p-1")}.get)
    server = Server(Door(make_api([add, stream, slow, me], access, ABOUT)))
    heard = await server.listen(PeerListener("127.0.0.1", 0, server_context(*files, [authority.path])))
    assert isinstance(heard, tuple)
    yield Place(authority, tmp_path, f"https://localhost:{heard[1]}", server)
    await server.stop(seconds=0)


async def ask(
    link: Straight, method: str, path: str, body: bytes = b"", seconds: float = 5
) -> tuple[int, bytes]:
    async with link.send(method, path, body, seconds) as answer:
        return answer.status, b"".join([chunk async for chunk in answer.body])


async def failure(link: Straight, *request: Any, **more: Any) -> Upstream:
    with pytest.raises(Upstream) as problem:
        await ask(link, *request, **more)
    link.close()
    assert problem.value.peer == "UWV"
    return problem.value


async def test_owner_knows_the_asker_by_its_certificate(place: Place) -> None:
    link = place.link()
    status, body = await ask(link, "POST", "/v1/sums", b'{"numbers":[1,2]}')
    assert (status, msgspec.json.decode(body)) == (200, {"sum": 3, "for": ASKER})
    link.close()


async def test_problem_of_the_owner_is_an_answer(place: Place) -> None:
    link = place.link()
    status, body = await ask(link, "POST", "/v1/sums", b"{}")
    assert (status, msgspec.json.decode(body)["code"]) == (400, "invalid-body")
    link.close()


async def test_connection_is_kept_for_the_next_request(place: Place) -> None:
    link = place.link()
    for _ in range(3):
        await ask(link, "POST", "/v1/sums", b'{"numbers":[]}')
    assert len(place.server._state.connections) == 1
    link.close()


async def test_large_answer_streams_whole(place: Place) -> None:
    link = place.link()
    size = 32 * 1024 * 1024
    status, body = await ask(link, "GET", f"/v1/streams?size={size}")
    assert (status, len(body)) == (200, size)
    link.close()


async def test_answer_that_breaks_off_is_no_answer(place: Place) -> None:
    link = place.link()
    problem = await failure(link, "GET", "/v1/streams?size=200000&breaks=true")
    assert (problem.code, problem.retry) == ("peer-broke-off", True)
    assert (link.outway.lines, link.outway.told) == (1, ["answered"])


async def test_owner_that_takes_too_long_is_given_up(place: Place) -> None:
    link = place.link()
    problem = await failure(link, "GET", "/v1/slow", seconds=0.2)
    assert (problem.code, problem.retry) == ("peer-too-slow", True)
    assert (link.outway.lines, link.outway.told) == (1, ["failed", "noted"])


async def test_owner_that_is_down_may_be_tried_again(place: Place) -> None:
    link = place.link()
    await place.server.stop(seconds=0)
    problem = await failure(link, "GET", "/v1/slow")
    assert (problem.code, problem.retry) == ("peer-unreachable", True)


async def test_nothing_is_sent_to_another_organisation_of_the_group(place: Place, tmp_path: Path) -> None:
    files = place.authority.issue(tmp_path / "other", PeerId("00000009999999999000"), "Iemand", ["localhost"])
    received: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.append(await reader.read(1))
        writer.close()

    context = server_context(*files, [place.authority.path])
    other = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = other.sockets[0].getsockname()[1]
    mine = place.authority.issue(tmp_path / "mine", ASKER, "Vrager", ["localhost"])
    link = Straight(f"https://localhost:{port}", client_context(*mine, [place.authority.path]))
    problem = await failure(link, "POST", "/v1/sums", b'{"numbers":[1]}')
    assert (problem.code, problem.retry) == ("wrong-peer", False)
    assert (link.outway.lines, link.outway.told) == (0, ["failed"])
    other.close()
    await other.wait_closed()
    assert received in ([], [b""])


async def test_owner_that_was_revoked_gets_nothing_more_also_over_a_connection_that_was_open(
    place: Place,
) -> None:
    revoked: list[bool] = []
    link = place.link(revoked=lambda _: bool(revoked))
    await ask(link, "POST", "/v1/sums", b'{"numbers":[1]}')
    revoked.append(True)
    problem = await failure(link, "POST", "/v1/sums", b'{"numbers":[1]}')
    assert (problem.code, problem.retry) == ("peer-not-trusted", False)
    assert (link.outway.lines, link.outway.told) == (1, ["answered", "failed"])


async def test_question_is_for_one_peer_and_never_goes_to_its_alternative(place: Place) -> None:
    link = place.link(instead="00000009999999999000/sluis")
    problem = await failure(link, "POST", "/v1/sums", b'{"numbers":[1]}')
    assert (problem.code, link.outway.lines) == ("peer-unreachable", 0)
    assert not place.server._state.connections


async def test_asker_of_another_authority_does_not_get_in(place: Place, tmp_path: Path) -> None:
    other = make_authority(tmp_path / "other-authority", "Groep")
    problem = await failure(place.link(authority=other), "GET", "/v1/slow")
    assert problem.code in {"peer-not-trusted", "peer-broke-off"}


async def test_owner_of_another_authority_gets_nothing(place: Place, tmp_path: Path) -> None:
    other = make_authority(tmp_path / "other-authority", "Groep")
    files = other.issue(tmp_path / "mine", ASKER, "Vrager", ["localhost"])
    link = Straight(place.url, client_context(*files, [other.path]))
    problem = await failure(link, "GET", "/v1/slow")
    assert (problem.code, problem.retry) == ("peer-not-trusted", False)


async def test_certificate_that_has_ended_does_not_get_in(place: Place) -> None:
    problem = await failure(place.link(days=-1), "GET", "/v1/slow")
    assert problem.code in {"peer-not-trusted", "peer-broke-off"}


async def test_owner_under_another_host_name_gets_nothing(place: Place, tmp_path: Path) -> None:
    files = place.authority.issue(tmp_path / "named", OWNER, "UWV", ["uwv.example"])
    server = Server(make_api([slow], Access([ASKER], lambda user: None), ABOUT))
    heard = await server.listen(PeerListener("127.0.0.1", 0, server_context(*files, [place.authority.path])))
    mine = place.authority.issue(tmp_path / "mine", ASKER, "Vrager", ["localhost"])
    url = f"https://localhost:{heard[1]}"  # type: ignore[index]
    link = Straight(url, client_context(*mine, [place.authority.path]))
    assert (await failure(link, "GET", "/v1/slow")).code == "peer-not-trusted"
    await server.stop(seconds=0)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1])
async def test_older_tls_is_refused(place: Place, version: ssl.TLSVersion) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context.minimum_version = context.maximum_version = version
        context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection("127.0.0.1", int(place.url.rsplit(":", 1)[1]), ssl=context)


async def raw(path: Path, request: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(request)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


@pytest.fixture
async def socket_path(place: Place, tmp_path: Path) -> Path:
    path = tmp_path / "run" / "node.sock"
    await place.server.listen(LocalListener(path, 0o600))
    return path


GET_ME = b"GET /v1/me HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n"


async def test_person_is_known_by_the_user_at_the_other_end_of_the_socket(socket_path: Path) -> None:
    answer = await raw(socket_path, GET_ME)
    expected = b"200 OK" if os.getuid() == 0 else b"403 Forbidden"
    assert expected in answer.split(b"\r\n")[0]


def test_socket_is_open_to_its_owner_only(socket_path: Path) -> None:
    assert stat.S_IMODE(socket_path.stat().st_mode) == 0o600


async def test_socket_left_by_a_killed_node_is_taken_over(place: Place, tmp_path: Path) -> None:
    path = tmp_path / "stale.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert await place.server.listen(LocalListener(path)) == path


async def test_socket_of_a_running_node_is_not_taken(place: Place, socket_path: Path) -> None:
    with pytest.raises(Conflict) as problem:
        await place.server.listen(LocalListener(socket_path))
    assert problem.value.code == "socket-in-use"


async def test_port_in_use_is_told(place: Place) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with pytest.raises(Conflict) as problem:
        await place.server.listen(PeerListener("127.0.0.1", int(place.url.rsplit(":", 1)[1]), context))
    assert problem.value.code == "port-in-use"


async def test_socket_path_that_cannot_be_is_told(place: Place, tmp_path: Path) -> None:
    with pytest.raises(Invalid) as problem:
        await place.server.listen(LocalListener(tmp_path / ("x" * 120)))
    assert problem.value.code == "cannot-listen"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"GET /v1/me HTTP/1.1\r\nhost: node\r\ncontent-length: x\r\n\r\n",
        b"GET /v1/me HTTP/1.1\r\n" + b"x: " + b"y" * 70_000 + b"\r\n\r\n",
        b"GET /" + b"y" * 70_000 + b" HTTP/1.1\r\n\r\n",
        b"POST /v1/me HTTP/1.1\r\nhost: n\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_answered_with_a_problem_and_the_end(
    socket_path: Path, request_bytes: bytes
) -> None:
    answer = await raw(socket_path, request_bytes)
    assert answer.startswith(b"HTTP/1.1 400")
    assert b"application/problem+json" in answer


async def test_stopping_lets_a_request_in_hand_finish(place: Place) -> None:
    link, size = place.link(), 8_388_608
    async with link.send("GET", f"/v1/streams?size={size}", b"", 10) as answer:
        stopping = asyncio.create_task(place.server.stop(seconds=10))
        assert sum([len(chunk) async for chunk in answer.body]) == size
    await stopping
    link.close()


async def test_what_the_caller_raises_while_reading_is_the_callers(place: Place) -> None:
    link = place.link()
    with pytest.raises(TimeoutError):
        async with link.send("GET", "/v1/streams?size=65536", b"", 5):
            raise TimeoutError
    link.close()


def silent_peer(place: Place) -> ssl.SSLSocket:
    """The asker's connection, on which nobody answers that it ends."""
    files = place.authority.issue(place.directory / "asker", ASKER, "Vrager", ["localhost"])
    plain = socket.create_connection(("127.0.0.1", int(place.url.rsplit(":", 1)[1])))
    return client_context(*files, [place.authority.path]).wrap_socket(plain, server_hostname="localhost")


async def test_stopping_leaves_no_connection_to_a_peer_that_does_not_say_goodbye(place: Place) -> None:
    with await asyncio.to_thread(silent_peer, place) as silent:
        await until(lambda: place.server._state.connections)
        (connection,) = place.server._state.connections
        under = connection.transport.under._ssl_protocol._transport  # type: ignore[attr-defined]
        await place.server.stop(seconds=0)
        await asyncio.sleep(0)
        assert under._sock is None
        assert await asyncio.to_thread(silent.recv, 1) == b""


async def test_stopping_breaks_off_a_request_of_a_peer_that_does_not_say_goodbye(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    with await asyncio.to_thread(silent_peer, place) as silent:
        await asyncio.to_thread(silent.sendall, b"GET /v1/slow HTTP/1.1\r\nhost: localhost\r\n\r\n")
        await until(lambda: place.server._state.tasks)
        async with asyncio.timeout(5):
            await place.server.stop(seconds=0.1)
    assert not place.server._state.connections
    assert not caplog.records  # that is no failure


async def test_who_is_closed_twice_can_still_be_broken_off(place: Place) -> None:
    link = place.link()
    await ask(link, "GET", "/v1/streams?size=1")
    (connection,) = place.server._state.connections
    connection.transport.close()
    connection.transport.close()
    connection.transport.abort()
    await until(lambda: not place.server._state.connections)
    link.close()


@pytest.mark.parametrize("waiting", [False, True], ids=["at once", "while a request is in hand"])
async def test_who_shakes_hands_while_a_server_stops_gets_no_connection(place: Place, waiting: bool) -> None:
    link = place.link()
    async with asyncio.TaskGroup() as asking:
        if waiting:
            asking.create_task(failure(link, "GET", "/v1/slow", seconds=3))
            await until(lambda: place.server._state.tasks)
        await shakes_hands_too_late(place)
    link.close()


async def shakes_hands_too_late(place: Place) -> None:
    files = place.authority.issue(place.directory / "asker", ASKER, "Vrager", ["localhost"])
    port = int(place.url.rsplit(":", 1)[1])
    came, went = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context(*files, [place.authority.path]).wrap_bio(came, went, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(went.read())
    came.write(await reader.readexactly(5))  # the server has answered, so it has taken the connection
    others = len(place.server._state.connections)
    stopping = asyncio.create_task(place.server.stop(seconds=10))
    await asyncio.sleep(0)
    came.write(await reader.read(65536))
    tls.do_handshake()
    writer.write(went.read())
    async with asyncio.timeout(2):  # and not when those in hand are done
        await reader.read()
    assert len(place.server._state.connections) <= others
    await stopping
    assert not place.server._state.connections
    writer.close()

"""The listeners of one process: mTLS over TCP for peers, TLS for browsers, a unix socket for the people of this machine.

uvicorn parses HTTP; the protocol class below adds what no Python ASGI server passes on by itself: the client
certificate, as the ASGI TLS extension 0.2 writes it, and on a unix socket the user at the other end (SO_PEERCRED,
unix(7)), which the kernel vouches for.
"""

import asyncio
import errno
import logging
import os
import socket
import ssl
import struct
import time
from collections.abc import Callable
from email.utils import formatdate
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import msgspec
from httptools import HttpParserUpgrade, HttpRequestParser
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from sluis.kernel import Conflict, Invalid, Text, Unkept
from sluis.web.access import LOCAL, shown_certificate
from sluis.web.problems import MEDIA_TYPE, body_of, malformed_request
from sluis.web.tries import neighbourhood

HEAD_LIMIT = 64 * 1024
"""Bytes of request line and headers together; more closes the connection."""

FROM_ONE = 256
"""Connections of one certificate or user; a node itself makes at most 200 to a peer."""

ADDRESS = "sluis.address"
"""Key in the ASGI scope's `extensions` of the address that a browser connects from."""

_BROWSERS = 4096  # connections of browsers together
_KEEP_ALIVE = 75  # seconds between an answer and the next request
_REQUEST = 60.0  # seconds from a request's first byte to its last
_STALLED = 60.0  # seconds in which nobody takes what is sent; whoever waits for that holds a source
_HANDSHAKE = 10.0  # seconds
_CONTINUE = b"HTTP/1.1 100 "  # no answer yet (RFC 9110 §15.2.1)
_MALFORMED = body_of(malformed_request(), None)[0]


class _Joining:
    """A transport that keeps an answer's head until there is something to send it with: the two are one TLS record, one
    system call, and one event at the other end. uvicorn writes the head by itself, and first."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._head: bytes | None = None
        self.is_closing = transport.is_closing

    def write(self, data: bytes) -> None:
        if self._head is None and not data.startswith(_CONTINUE):
            self._head = data
        else:
            self._transport.write((self._head or b"") + data)
            self._head = b""

    def flush(self) -> None:
        """Nothing comes after the head."""
        if self._head:
            self.write(b"")

    def close(self) -> None:
        self.flush()
        self._transport.close()


class _Parser(HttpRequestParser):
    """Lets who asks to go on in another protocol go on in this one (RFC 9110 §7.8). httptools takes what follows such a head
    for that other protocol, so that a body is lost, or is read as the next request."""

    def __init__(self, protocol: "NodeProtocol") -> None:
        super().__init__(protocol)
        self.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn has it
        self._protocol = protocol

    def feed_data(self, data: Any) -> None:
        """Read on. Raises what httptools does."""
        parser: HttpRequestParser = self
        while True:
            try:
                HttpRequestParser.feed_data(parser, data)
                return
            except HttpParserUpgrade as wish:
                head = self._protocol.plain_head()
                if head is None:
                    raise
                parser = self._protocol.parser = _Parser(self._protocol)
                HttpRequestParser.feed_data(parser, head)
                data = memoryview(data)[wish.args[0] :]


class NodeProtocol(HttpToolsProtocol):
    """One connection, with its credentials in every request's scope."""

    from_one = FROM_ONE

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.credentials = self.find_credentials(transport)
        self.head = 0
        self.parser = _Parser(self)
        self._request_due = self.loop.call_later(_KEEP_ALIVE, transport.abort)
        self._taken_due: asyncio.TimerHandle | None = None
        others = self.server_state.connections
        if sum(getattr(one, "credentials", None) == self.credentials for one in others) > self.from_one:
            transport.abort()

    def find_credentials(self, transport: asyncio.BaseTransport) -> dict[str, Any]:
        """What is known of the other end, for the scope of every request."""
        return _credentials(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._request_due.cancel()
        super().connection_lost(exc)  # which resumes writing

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.head = 0
        self._headed = self._wishing = False
        self._expect_request(_REQUEST)
        self.scope["extensions"] = self.credentials

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        if not self._headed:  # behind the body it is a trailer, and no header (RFC 9110 §6.5.1)
            super().on_header(name, value)

    def _count(self, size: int) -> None:
        self.head += size
        if self.head > HEAD_LIMIT:
            raise ValueError("request head too large")  # the parser reports it as a parser error

    def on_headers_complete(self) -> None:
        self._headed = True
        self._wishing = self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"
        if not self._wishing:
            self._begin()

    def plain_head(self) -> bytes | None:
        """The head that came, when it asked to go on in another protocol, without that wish."""
        if not self._wishing:
            return None
        version = self.parser.get_http_version().encode()
        first = b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)
        lines = [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join([first, *lines, b"", b""])

    def _begin(self) -> None:
        super().on_headers_complete()
        if self.scope["method"] != "HEAD":  # whose answer is a head alone
            self.cycle.transport = _Joining(self.transport)  # type: ignore[assignment]

    def on_message_complete(self) -> None:
        if not self._wishing:
            self._request_due.cancel()
            super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:  # no request is waiting
            self._expect_request(_KEEP_ALIVE)

    def _expect_request(self, seconds: float) -> None:
        """uvicorn's own clock stops at any byte, and does not watch how slowly the rest comes; this one does."""
        self._request_due.cancel()
        self._request_due = self.loop.call_later(seconds, self.transport.abort)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._taken_due = self.loop.call_later(_STALLED, self.transport.abort)

    def resume_writing(self) -> None:
        if self._taken_due is not None:
            self._taken_due.cancel()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Not HTTP at all: a problem document and the end of the connection."""
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: {MEDIA_TYPE}\r\ncontent-length: {len(_MALFORMED)}\r\n"
            "cache-control: no-store\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + _MALFORMED)
        self.transport.close()


class StreamingProtocol(NodeProtocol):
    """A connection whose bodies may take as long as they need, as long as they go on; and CONNECT reaches the app, as a
    request for `/`: its target is no path."""

    def on_headers_complete(self) -> None:
        if self.parser.get_method() == b"CONNECT":
            self.url = b"/"
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        self._expect_request(_STALLED)


class ProxiedProtocol(StreamingProtocol):
    """A connection of a proxy, which brings requests of many and bounds them itself."""

    from_one = 16_384


class BrowserProtocol(NodeProtocol):
    """A connection of a browser, known by its address alone, of which many may be behind one."""

    from_one = 1024

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.server_state.connections) > _BROWSERS:
            transport.abort()

    def find_credentials(self, transport: asyncio.BaseTransport) -> dict[str, Any]:
        """Also the address: without a client certificate all look the same. Of IPv6 one connection has a whole /64."""
        client = transport.get_extra_info("peername")
        return {**_credentials(transport), ADDRESS: neighbourhood(client[0]) if client else None}


class PeerListener(msgspec.Struct, frozen=True):
    """Where peers connect. Port 0 lets the system choose."""

    host: str
    port: int
    context: ssl.SSLContext


class BrowserListener(PeerListener, frozen=True):
    """Where browsers connect, and programs that have people signed in: `context` asks for no client certificate, or takes
    one when it comes. Its server is made for `browsers`."""


class LoopbackListener(msgspec.Struct, frozen=True):
    """Where programs of this machine connect, without TLS: a loopback address. Port 0 lets the system choose."""

    host: str
    port: int


class LocalListener(msgspec.Struct, frozen=True):
    """Where the people of this machine connect: a unix socket with these permissions."""

    path: Path
    mode: int = 0o660


class Server:
    """Serves one ASGI app on several listeners until it is stopped.

    Args:
        app: the app.
        streaming: whether request bodies may take longer than a minute; then only a pause of one ends them.
        proxied: whether one proxy brings the requests of all; streaming too.
        browsers: whether browsers connect.
    """

    def __init__(
        self, app: Any, streaming: bool = False, proxied: bool = False, browsers: bool = False
    ) -> None:
        self._protocol_class = StreamingProtocol if streaming else NodeProtocol
        if proxied:
            self._protocol_class = ProxiedProtocol
        if browsers:
            self._protocol_class = BrowserProtocol
        self._config = Config(
            app,
            http=self._protocol_class,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=_KEEP_ALIVE,
        )
        self._config.load()
        # What is wrong with a request its sender is told; a line for each would let anyone fill the operator's log.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
        self._state = ServerState()
        self._servers: list[asyncio.Server] = []
        self._sockets: list[Path] = []
        self._dating: asyncio.Task[None] | None = None

    async def listen(
        self, listener: PeerListener | LoopbackListener | LocalListener
    ) -> tuple[str, int] | Path:
        """Open a listener; returns where it listens.

        Raises `Conflict` (`port-in-use`, `socket-in-use`), `Invalid` (`cannot-listen`, `not-loopback`), `Unkept`
        (`disk-full`).
        """
        if self._dating is None:
            self._dating = asyncio.get_running_loop().create_task(self._keep_date())
        sock = _bind_local(listener) if isinstance(listener, LocalListener) else _bind(listener)
        tls: dict[str, Any] = {}
        if isinstance(listener, PeerListener):
            tls = {"ssl": listener.context, "ssl_handshake_timeout": _HANDSHAKE}
        elif isinstance(listener, LocalListener):
            self._sockets.append(listener.path)
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_server(self._protocol, sock=sock, backlog=2048, **tls))
        if isinstance(listener, LocalListener):
            return listener.path
        host, port, *_ = sock.getsockname()
        return host, port

    def cut_off(self, unwanted: Callable[[bytes], bool]) -> None:
        """Close every connection whose client certificate (DER) is unwanted, whatever it is doing."""
        for connection in list(self._state.connections):
            assert isinstance(connection, NodeProtocol)
            shown = shown_certificate(connection.credentials)
            if shown is not None and unwanted(ssl.PEM_cert_to_DER_cert(shown)):
                connection.transport.close()

    async def stop(self, seconds: float = 10.0) -> None:
        """Take no new connections, let requests in hand finish for at most `seconds`, then break off the rest."""
        for server in self._servers:
            server.close()
        for path in self._sockets:
            path.unlink(missing_ok=True)
        for connection in list(self._state.connections):
            connection.shutdown()
        tasks = set(self._state.tasks)
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
        for connection in list(self._state.connections):
            connection.transport.close()
        if self._dating is not None:
            self._dating.cancel()
        self._servers.clear()
        self._sockets.clear()

    def _protocol(self) -> asyncio.Protocol:
        return self._protocol_class(self._config, self._state, {}, asyncio.get_running_loop())

    async def _keep_date(self) -> None:
        """Keep the Date header (RFC 9110 §6.6.1) at hand, renewed each second."""
        while True:
            self._state.default_headers = [(b"date", formatdate(time.time(), usegmt=True).encode())]
            await asyncio.sleep(1)


def _credentials(transport: asyncio.BaseTransport) -> dict[str, Any]:
    tls = transport.get_extra_info("ssl_object")
    if tls is not None:
        der = tls.getpeercert(binary_form=True)
        chain = [ssl.DER_cert_to_PEM_cert(der)] if der else []
        return {"tls": {"server_cert": None, "client_cert_chain": chain, "client_cert_error": None}}
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family == socket.AF_UNIX:
        pid_uid_gid = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        return {LOCAL: {"uid": struct.unpack("3i", pid_uid_gid)[1]}}
    return {}


def place_of(listener: PeerListener | LoopbackListener) -> tuple[str, int]:
    """The IP address and port that a listener would have, for who listens in another process; nothing is opened.

    Raises as `Server.listen`.
    """
    with _bind(listener) as sock:
        host, port, *_ = sock.getsockname()
        return host, port


def _bind(listener: PeerListener | LoopbackListener) -> socket.socket:
    if isinstance(listener, LoopbackListener) and not _is_loopback(listener.host):
        raise Invalid(
            "not-loopback",
            Text(
                "Dit knooppunt luistert daar niet zonder TLS.", "This node does not listen there without TLS."
            ),
            Text(f"{listener.host} is geen loopback-adres.", f"{listener.host} is no loopback address."),
            Text("Kies een adres als 127.0.0.1.", "Choose an address like 127.0.0.1."),
        )
    family = socket.AF_INET6 if ":" in listener.host else socket.AF_INET
    # Named as TCP: only then asyncio sends small writes at once (TCP_NODELAY); uvloop always does.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((listener.host, listener.port))
    except OSError as failure:
        sock.close()
        raise _cannot_bind(failure, f"{listener.host}:{listener.port}") from None
    return sock


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _bind_local(listener: LocalListener) -> socket.socket:
    path = listener.path
    if _answers(path):
        raise _in_use("socket-in-use", path.name)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        before = os.umask(0o177)  # nobody else may connect before the mode is set
        try:
            sock.bind(str(path))
        finally:
            os.umask(before)
        path.chmod(listener.mode)
    except OSError as failure:
        sock.close()
        raise _cannot_bind(failure, path.name) from None
    return sock


def _answers(path: Path) -> bool:
    """Whether somebody listens on this socket file; a file left by a killed process answers nobody."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True


def _in_use(code: str, where: str) -> Conflict:
    return Conflict(
        code,
        Text("Dit knooppunt kan niet luisteren.", "This node cannot listen."),
        Text(f"Een ander proces luistert al op {where}.", f"Another process already listens on {where}."),
        Text("Stop dat proces, of kies een andere plek in de configuratie.",
             "Stop that process, or choose another place in the configuration."),
    )  # fmt: skip


def _cannot_bind(failure: OSError, where: str) -> Conflict | Invalid | Unkept:
    if failure.errno == errno.EADDRINUSE:
        return _in_use("port-in-use", where)
    if failure.errno == errno.ENOSPC:
        return Unkept(
            "disk-full",
            Text("Dit knooppunt kan niet luisteren.", "This node cannot listen."),
            Text("De schijf is vol.", "The disk is full."),
            Text("Maak ruimte en start opnieuw.", "Make room and start again."),
        )
    cause = failure.strerror or str(failure)
    return Invalid(
        "cannot-listen",
        Text("Dit knooppunt kan niet luisteren.", "This node cannot listen."),
        Text(f"{where}: {cause}.", f"{where}: {cause}."),
        Text("Kies een ander adres, of een korter pad voor de socket.",
             "Choose another address, or a shorter path for the socket."),
    )  # fmt: skip

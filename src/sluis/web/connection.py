"""One connection: HTTP/1.1 parsed by uvicorn, with what no Python ASGI server passes on by itself: the client certificate, as
the ASGI TLS extension 0.2 writes it, and on a unix socket the user at the other end (SO_PEERCRED, unix(7)), which the
kernel vouches for. And with an end to whatever a client can make last.
"""

import asyncio
import socket
import ssl
import struct
from collections import Counter
from typing import Any

from httptools import HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from sluis.web.access import LOCAL
from sluis.web.problems import MEDIA_TYPE, body_of, malformed_request
from sluis.web.tries import neighbourhood

HEAD_LIMIT = 64 * 1024
"""Bytes of request line and headers together; more closes the connection."""

FROM_ONE = 256
"""Connections of one certificate or user; a node itself makes at most 200 to a peer."""

ADDRESS = "sluis.address"
"""Key in the ASGI scope's `extensions` of the address that a browser connects from."""

KEEP_ALIVE = 75
"""Seconds between an answer and the next request."""

_BROWSERS = 4096  # connections of browsers together
_REQUEST = 60.0  # seconds from a request's first byte to its last
_STALLED = 60.0  # seconds in which nobody takes what is sent; whoever waits for that holds a source
_CONTINUE = b"HTTP/1.1 100 "  # no answer yet (RFC 9110 §15.2.1)
_MALFORMED = body_of(malformed_request(), None)[0]


class State(ServerState):
    """What the connections of one server share.

    Attributes:
        stopping: whether a new one is closed at once.
    """

    stopping = False


class _ClosingOnce:
    """A transport to which a second `close` does nothing. One over TLS forgets then what it is the transport of, and can neither
    be written to nor broken off (asyncio of Python 3.11); and who stops a server, who cuts a peer off and whoever answers
    all close."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.under = transport
        self.write, self.abort, self.is_closing = transport.write, transport.abort, transport.is_closing

    def close(self) -> None:
        if not self.is_closing():
            self.under.close()


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
    server_state: State

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.transport = _ClosingOnce(transport)  # type: ignore[assignment]
        self.credentials = self.find_credentials(transport)
        self.head = 0
        self.parser = _Parser(self)
        self._request_due = self.loop.call_later(KEEP_ALIVE, transport.abort)
        self._taken_due: asyncio.TimerHandle | None = None
        others = self.server_state.connections
        of_one = sum(getattr(one, "credentials", None) == self.credentials for one in others)
        if self.server_state.stopping or of_one > self.from_one:
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
            self._expect_request(KEEP_ALIVE)

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
        if len(self.server_state.connections) > _BROWSERS and not transport.is_closing():
            self._make_room()

    def _make_room(self) -> None:
        """Close one connection of the address that holds most, one that waits for a request if there is any: so a few addresses
        keep out nobody else."""
        there: list[Any] = [one for one in self.server_state.connections if not one.transport.is_closing()]
        held = Counter(one.credentials.get(ADDRESS) for one in there)
        most = max(held.values())
        if held[self.credentials.get(ADDRESS)] == most:
            self.transport.abort()
            return
        theirs = [one for one in there if held[one.credentials.get(ADDRESS)] == most]
        idle = [one for one in theirs if one.cycle is None or one.cycle.response_complete]
        (idle or theirs)[0].transport.abort()

    def find_credentials(self, transport: asyncio.BaseTransport) -> dict[str, Any]:
        """Also the address: without a client certificate all look the same. Of IPv6 one connection has a whole /64."""
        client = transport.get_extra_info("peername")
        return {**_credentials(transport), ADDRESS: neighbourhood(client[0]) if client else None}


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

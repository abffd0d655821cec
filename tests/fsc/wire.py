"""HTTP/1.1 over TLS for the peer of the tests (RFC 9112): a listener and a caller on plain sockets and threads.

Small and strict on purpose: what two readers could take in two ways is refused, and a caller can send any bytes at all,
because both sides of an argument about framing have to be playable.
"""

import contextlib
import errno
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from urllib.parse import urlsplit

from cryptography import x509
from tests.fsc.authority import Authority, Identity, client_context

_MOST_HEAD = 65536
_MOST_BODY = 32 * 1024 * 1024
PATIENCE = 10.0
"""Seconds after which a test no longer waits for an answer."""


class BadMessage(ValueError):
    """Bytes that are no HTTP, or that can be read in two ways."""


@dataclass
class Request:
    """What came in. `client` is the caller's certificate."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    client: x509.Certificate | None = None

    def header(self, name: str) -> str | None:
        return _header(self.headers, name)


@dataclass(repr=False)
class Response:
    """What goes out, or what came back. `server` is the certificate of who answered."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    server: x509.Certificate | None = None

    def __repr__(self) -> str:
        return f"<{self.status} {self.body[:300]!r}>"

    def header(self, name: str) -> str | None:
        return _header(self.headers, name)


class Drop(Exception):
    """Raised by a handler: end the connection without a word."""


@dataclass
class Raw:
    """Given by a handler: exactly these bytes, then the end of the connection."""

    payload: bytes


Handler = Callable[[Request], Response | Raw]


def _header(headers: list[tuple[str, str]], name: str) -> str | None:
    return next((value for key, value in headers if key.lower() == name.lower()), None)


def _line(stream: BinaryIO, most: int) -> bytes:
    line = stream.readline(most)
    if not line:
        raise EOFError
    if not line.endswith(b"\r\n"):
        raise BadMessage("a line does not end in CRLF")
    line = line[:-2]
    if b"\r" in line or b"\0" in line:
        raise BadMessage("a bare CR or NUL in a line")
    return line


def _head(stream: BinaryIO) -> tuple[str, list[tuple[str, str]]]:
    first = _line(stream, _MOST_HEAD).decode("latin-1")
    headers: list[tuple[str, str]] = []
    size = 0
    while line := _line(stream, _MOST_HEAD):
        size += len(line)
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon or not name or name != name.strip() or size > _MOST_HEAD:
            raise BadMessage("a header line that is none")
        headers.append((name, value.strip(" \t")))
    return first, headers


def _body(stream: BinaryIO, headers: list[tuple[str, str]], *, till_end: bool) -> bytes:
    lengths = [value for name, value in headers if name.lower() == "content-length"]
    codings = [value.lower() for name, value in headers if name.lower() == "transfer-encoding"]
    if len(lengths) > 1 or len(codings) > 1 or (lengths and codings):
        raise BadMessage("the length of the body is told in two ways")
    if codings:
        if codings[0] != "chunked":
            raise BadMessage("a transfer coding other than chunked")
        return b"".join(_chunks(stream))
    if lengths:
        if not lengths[0].isdigit():
            raise BadMessage("a length that is no number")
        wanted = int(lengths[0])
        if wanted > _MOST_BODY:
            raise BadMessage("more body than this peer reads")
        found = stream.read(wanted)
        if len(found) != wanted:
            raise EOFError
        return found
    return stream.read() if till_end else b""


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while True:
        digits = _line(stream, 80).partition(b";")[0]
        if not digits or not all(sign in b"0123456789abcdefABCDEF" for sign in digits):
            raise BadMessage("a chunk without a length")
        size = int(digits, 16)
        if not size:
            while _line(stream, _MOST_HEAD):
                pass
            return
        chunk = stream.read(size)
        if len(chunk) != size or _line(stream, 2) != b"":
            raise EOFError
        yield chunk


def write_request(
    method: str, target: str, host: str, headers: list[tuple[str, str]], body: bytes | None
) -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in headers)]
    if body is not None and _header(headers, "content-length") is None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (body or b"")


class Caller:
    """One connection to one address, kept open. Use it in a `with`."""

    def __init__(
        self,
        address: str,
        identity: Identity | None,
        authority: Authority,
        *,
        name: str | None = None,
        patience: float = PATIENCE,
    ) -> None:
        split = urlsplit(address)
        assert split.hostname
        self.host = split.netloc
        plain = socket.create_connection((split.hostname, split.port or 443), timeout=patience)
        try:
            if split.scheme == "https":
                context = client_context(identity, authority)
                self.socket: socket.socket = context.wrap_socket(
                    plain, server_hostname=name or split.hostname
                )
                der = self.socket.getpeercert(binary_form=True)  # type: ignore[attr-defined]
                self.server = x509.load_der_x509_certificate(der)
            else:
                self.socket, self.server = plain, None  # type: ignore[assignment]
        except BaseException:
            plain.close()
            raise
        self.stream = self.socket.makefile("rb")

    def __enter__(self) -> "Caller":
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()
        self.socket.close()

    def send(self, payload: bytes) -> None:
        self.socket.sendall(payload)

    def answer(self, *, bodiless: bool = False) -> Response:
        """The next answer on this connection, past any 1xx."""
        while True:
            first, headers = _head(self.stream)
            version, _, rest = first.partition(" ")
            if version not in ("HTTP/1.1", "HTTP/1.0") or not rest[:3].isdigit():
                raise BadMessage(f"no status line: {first!r}")
            status = int(rest[:3])
            if status >= 200:
                break
        body = b"" if bodiless or status in (204, 304) else _body(self.stream, headers, till_end=True)
        return Response(status, headers, body, self.server)

    def ask(
        self,
        method: str,
        target: str,
        headers: list[tuple[str, str]] | None = None,
        body: bytes | None = None,
    ) -> Response:
        self.send(write_request(method, target, self.host, headers or [], body))
        return self.answer(bodiless=method == "HEAD")


class Listener:
    """A server on an own thread, a thread for every connection."""

    def __init__(self, handle: Handler, context: ssl.SSLContext | None, host: str, port: int) -> None:
        self.handle = handle
        self.context = context
        self.socket = socket.create_server((host, port), backlog=64)
        self.host, self.port = host, self.socket.getsockname()[1]
        self.open: set[socket.socket] = set()
        self.ending = threading.Event()
        self.threads: list[threading.Thread] = []
        self.main = threading.Thread(target=self._accept, daemon=True)
        self.main.start()

    def close(self) -> None:
        """Stop listening, end every connection."""
        self.ending.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.main.join(PATIENCE)
        self.socket.close()
        for one in list(self.open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(PATIENCE)

    def _accept(self) -> None:
        while not self.ending.is_set():
            try:
                plain, _ = self.socket.accept()
            except OSError:
                return
            self.threads = [thread for thread in self.threads if thread.is_alive()]
            thread = threading.Thread(target=self._connection, args=(plain,), daemon=True)
            self.threads.append(thread)
            thread.start()

    def _connection(self, plain: socket.socket) -> None:
        plain.settimeout(60)
        current: socket.socket = plain
        self.open.add(plain)
        try:
            if self.context is not None:
                current = self.context.wrap_socket(plain, server_side=True)
                self.open.add(current)
            with current.makefile("rb") as stream:
                while not self.ending.is_set() and self._one(current, stream):
                    pass
        except (OSError, EOFError, Drop):
            pass
        finally:
            self.open -= {plain, current}
            with contextlib.suppress(OSError):
                current.close()
            plain.close()

    def _one(self, current: socket.socket, stream: BinaryIO) -> bool:
        """Read and answer one request; whether the connection stays open."""
        client = None
        if isinstance(current, ssl.SSLSocket) and (der := current.getpeercert(binary_form=True)):
            client = x509.load_der_x509_certificate(der)
        try:
            first, headers = _head(stream)
            method, target, version = first.split(" ")
            if version != "HTTP/1.1" or _header(headers, "host") is None:
                raise BadMessage("not HTTP/1.1")
            body = _body(stream, headers, till_end=False)
        except ValueError:
            current.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return False
        made = self.handle(Request(method, target, headers, body, client))
        if isinstance(made, Raw):
            current.sendall(made.payload)
            return False
        lines = [f"HTTP/1.1 {made.status} Status", *(f"{name}: {value}" for name, value in made.headers)]
        lines.append(f"Content-Length: {len(made.body)}")
        ends = (_header(headers, "connection") or "").lower() == "close"
        current.sendall(
            "\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if method == "HEAD" else made.body)
        )
        return not ends


# Addresses

_SOME = random.Random()


def free_address(*ports: int) -> str:
    """A loopback address on which nobody listens on these ports; several test processes draw from the same range."""
    while True:
        host = f"127.30.{_SOME.randrange(1, 255)}.{_SOME.randrange(1, 255)}"
        try:
            for port in ports:
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            continue
        return host


def data_port() -> int:
    """443, which the standard recommends for data, or the other port it allows when this account may not use that one."""
    try:
        with socket.socket() as probe:
            probe.bind(("127.30.0.1", 443))
    except PermissionError:
        return 8443
    except OSError:
        return 443
    return 443


def until(done: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Wait until something is so; what it is."""
    ends = time.monotonic() + patience
    while time.monotonic() < ends:
        if found := done():
            return found
        time.sleep(0.02)
    raise AssertionError(f"after {patience} s still not: {what}")

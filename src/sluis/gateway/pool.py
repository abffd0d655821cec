"""The connections of this node to its peers, kept open.

TLS has verified the chain and the host name before a connection is there; what is added here is that the
certificate speaks for the peer that was meant. Only then a byte of a request leaves.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from functools import lru_cache
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from sluis.crypto import peer_of
from sluis.gateway.exchange import Broken, Connection
from sluis.kernel import PeerId, Problem

FAILURES = (OSError,)
"""What a request, or reading its answer, can fail with; `TimeoutError` and `ssl.SSLError` are among them."""

Why = Literal["wrong-peer", "peer-not-trusted", "peer-too-slow", "peer-unreachable", "peer-broke-off"]

_KEEP = 60.0  # seconds; below the 75 after which a node closes an idle connection, so that none is lost in between
_CONNECT = 5.0  # seconds
_PER_PEER = 64


class WrongPeer(OSError):
    """The certificate at the other end is trusted, but speaks for another organisation."""


class RevokedPeer(OSError):
    """The certificate at the other end was revoked, perhaps after it was connected to."""


class Unreachable(OSError):
    """Nothing answers at the peer's address."""


class _Place(msgspec.Struct):
    """Where a peer is, how many exchanges may be under way with it, and the connections that are free."""

    host: str
    port: int
    prefix: str
    authority: str
    slots: asyncio.Semaphore
    free: list[Connection]


class Exchange:
    """A connection that is held for one request, and its answer. `release` must be called, whatever happens.

    Attributes:
        status: of the answer.
        headers: of the answer, names in lower case.
        body: of the answer, as it comes in.
    """

    status: int
    headers: Mapping[str, str]
    body: AsyncIterator[bytes]

    def __init__(self, place: _Place, connection: Connection, deadline: float) -> None:
        self._place, self._connection, self._deadline = place, connection, deadline

    async def send(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Send the request and read the head of its answer. Raises `OSError`; `ValueError` for what is no request."""
        connection = self._connection
        await connection.send(_written(method, self._place, path, headers, body), self._deadline)
        self.status, self.headers, self.body = connection.status, connection.headers, connection.chunks()

    def release(self) -> None:
        """Give the connection back; one whose answer was not read to its end is closed."""
        if self._connection.reusable:
            self._place.free.append(self._connection)
        else:
            self._connection.close()
        self._place.slots.release()


class Pool:
    """Connections to peers, kept open.

    Args:
        urls: the base URL of every peer.
        context: for TLS, with this node's certificate.
        revoked: whether a certificate (DER) was revoked, also after it was connected to.
    """

    def __init__(
        self, urls: Mapping[PeerId, str], context: ssl.SSLContext, revoked: Callable[[bytes], bool]
    ) -> None:
        self._context, self._revoked = context, revoked
        self._places = {peer: _place(url) for peer, url in urls.items()}
        self._all: set[Connection] = set()

    async def open(self, peer: PeerId, seconds: float) -> Exchange:
        """Hold a connection for a request; nothing is sent yet. `seconds` count until the last byte of the answer.

        Raises `OSError`: nobody answers there, or not the one who should.
        """
        place = self._places[peer]
        deadline = asyncio.get_running_loop().time() + seconds
        if place.slots.locked():
            async with asyncio.timeout_at(deadline):
                await place.slots.acquire()
        else:
            await place.slots.acquire()
        try:
            connection = self._free(place) or await self._connected(peer, place, deadline)
        except BaseException:
            place.slots.release()
            raise
        return Exchange(place, connection, deadline)

    async def request(
        self, peer: PeerId, method: str, path: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> Exchange:
        """Send a request and read the head of its answer; `seconds` count until the last byte of the body."""
        exchange = await self.open(peer, seconds)
        try:
            await exchange.send(method, path, headers, body)
        except BaseException:
            exchange.release()
            raise
        return exchange

    def close(self) -> None:
        """Close every connection."""
        for connection in self._all:
            connection.close()
        self._all.clear()

    def _free(self, place: _Place) -> Connection | None:
        """The free connection that was used last, if it is still good."""
        oldest = asyncio.get_running_loop().time() - _KEEP
        while place.free:
            connection = place.free.pop()
            certificate = connection.certificate if connection.reusable else None
            if certificate and connection.idle_since > oldest and not self._revoked(certificate):
                return connection
            connection.close()
            self._all.discard(connection)
        return None

    async def _connected(self, peer: PeerId, place: _Place, deadline: float) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout_at(min(deadline, loop.time() + _CONNECT)):
                _, connection = await loop.create_connection(
                    Connection, place.host, place.port, ssl=self._context, server_hostname=place.host
                )
        except (TimeoutError, ssl.SSLError):
            raise
        except (ConnectionResetError, ConnectionAbortedError) as failure:
            raise Broken(*failure.args) from None
        except OSError as failure:
            raise Unreachable(*failure.args) from None
        self._all = {one for one in self._all if one.alive}
        self._all.add(connection)
        certificate = connection.certificate
        if certificate is None or not speaks_for(certificate, peer):
            connection.close()
            raise WrongPeer
        if self._revoked(certificate):
            connection.close()
            raise RevokedPeer
        return connection


def why(failure: BaseException) -> Why:
    """What a failure comes down to."""
    if isinstance(failure, WrongPeer):
        return "wrong-peer"
    if isinstance(failure, RevokedPeer | ssl.SSLError):
        return "peer-not-trusted"
    if isinstance(failure, TimeoutError):
        return "peer-too-slow"
    if isinstance(failure, Unreachable):
        return "peer-unreachable"
    return "peer-broke-off"


def _place(url: str) -> _Place:
    parts = urlsplit(url)
    host = parts.hostname or ""
    slots = asyncio.Semaphore(_PER_PEER)
    return _Place(host, parts.port or 443, parts.path.rstrip("/"), parts.netloc, slots, [])


def _written(method: str, place: _Place, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """A request as bytes. Raises `ValueError` for what would end a line, or the path, before its end."""
    lines = [f"{method} {place.prefix}{path} HTTP/1.1", f"host: {place.authority}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method == "POST":
        lines.append(f"content-length: {len(body)}")
    head = "\r\n".join(lines)
    ends = len(lines) - 1
    if (head.count("\r"), head.count("\n"), lines[0].count(" ")) != (ends, ends, 2) or "\0" in head:
        raise ValueError("a line of a request may not be broken")
    return head.encode("latin-1") + b"\r\n\r\n" + body


@lru_cache(maxsize=1024)
def speaks_for(der: bytes, peer: PeerId) -> bool:
    """Whether a certificate (DER) is that of a peer."""
    try:
        return peer_of(der).id == peer
    except Problem:
        return False

"""Connections to recipients that are no peers, kept open: HTTP/1.1 as between nodes (decision 010), and kept from what lies
inside as all calls to others are (`web.Outgoing`).

An address is judged when a connection is made, and it is that address that is connected to.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import msgspec

from sluis.gateway import HttpStream
from sluis.web import Network, is_inside

_CONNECT = 5.0  # seconds
_LOOKING_UP = 32  # names at once

MOST_OPEN = 512
"""Connections open at once, those that are kept included. More are never needed at once (`slots.MOST`)."""


class Inside(OSError):
    """The address lies inside the network of this node."""


class Place(msgspec.Struct, frozen=True):
    """Where a request goes: of whom (connections are not shared between subscriptions), host, port, and whether over TLS."""

    of: str
    host: str
    port: int
    tls: bool


class Address(msgspec.Struct, frozen=True):
    """A sink, taken apart. `authority` is for `Host`, `path` the request target."""

    place: Place
    authority: str
    path: str


def address_of(sink: str, of: str) -> Address:
    """The address of a sink, an absolute URL that was checked when it was given."""
    parts = urlsplit(sink)
    tls = parts.scheme == "https"
    place = Place(of, parts.hostname or "", parts.port or (443 if tls else 80), tls)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(place, parts.netloc.rpartition("@")[2], path)


class Connections:
    """Connections that are kept. For one event loop.

    Args:
        context: makes what TLS needs, when the first is reached.
        inside: networks that may be reached although they lie inside.
        most: open at once.
    """

    def __init__(
        self, context: Callable[[], ssl.SSLContext], inside: Sequence[Network] = (), most: int = MOST_OPEN
    ) -> None:
        self._make_context, self._inside, self._most = context, inside, most
        self._opening = 0
        self._context: ssl.SSLContext | None = None
        self._free: dict[Place, list[HttpStream]] = {}
        self._all: set[HttpStream] = set()
        self._threads = ThreadPoolExecutor(_LOOKING_UP, "names")
        self._looking: dict[Place, asyncio.Future[list[tuple[int, str]]]] = {}

    async def open(self, place: Place, fresh: bool = False) -> HttpStream:
        """A connection over which nothing is under way; give it back with `release`, whatever happens.

        Args:
            place: where to.
            fresh: whether one that was kept open will not do.

        Raises `OSError`: nobody answers there, the certificate is not good, or it lies inside (`Inside`).
        """
        free = [] if fresh else self._free.pop(place, [])
        while free:
            stream = free.pop()
            if stream.reusable:
                if free:
                    self._free[place] = free
                return stream
            self._drop(stream)
        self._make_room()
        self._opening += 1
        try:
            return await self._connected(place)
        finally:
            self._opening -= 1

    def release(self, place: Place, stream: HttpStream) -> None:
        """Give a connection back; one whose answer was not read to its end is closed."""
        if not stream.end():
            self._all.discard(stream)
            return
        self._free.setdefault(place, []).append(stream)

    async def close(self) -> None:
        """Close every connection."""
        for stream in self._all:
            stream.close()
        self._all.clear()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _make_room(self) -> None:
        """For one more: close what was kept open for the place that was reached longest ago."""
        while self._free and len(self._all) + self._opening >= self._most:
            for one in self._free.pop(next(iter(self._free))):
                self._drop(one)

    def _drop(self, stream: HttpStream) -> None:
        stream.close()
        self._all.discard(stream)

    async def _connected(self, place: Place) -> HttpStream:
        loop = asyncio.get_running_loop()
        if place.tls and self._context is None:
            self._context = await asyncio.to_thread(self._make_context)
        context = self._context if place.tls else None
        name = place.host if place.tls else None
        failure: OSError = OSError("no address")
        async with asyncio.timeout(_CONNECT):
            for family, address in await self._addresses(place):
                if is_inside(address, self._inside):
                    failure = Inside("inside")
                    continue
                try:
                    _, stream = await loop.create_connection(
                        HttpStream, address, place.port, ssl=context, server_hostname=name, family=family
                    )
                except ssl.SSLError:
                    raise
                except OSError as problem:
                    failure = problem
                    continue
                stream.context = context
                self._all.add(stream)
                return stream
        raise failure

    async def _addresses(self, place: Place) -> list[tuple[int, str]]:
        """Where a name leads. One look-up of each place at a time: who owns a name can make it last, and others look up too."""
        looking = self._looking.get(place)
        if looking is None:
            looking = self._looking[place] = asyncio.ensure_future(self._looked_up(place))
            looking.add_done_callback(lambda _: self._looking.pop(place))
        return await asyncio.shield(looking)

    async def _looked_up(self, place: Place) -> list[tuple[int, str]]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, socket.getaddrinfo, place.host, place.port, 0, socket.SOCK_STREAM
        )
        return [(int(family), str(where[0])) for family, _, _, _, where in found]

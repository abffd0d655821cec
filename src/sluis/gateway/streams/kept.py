"""The connections of this node, kept open: to inways and Managers of peers, and to services of our own.

TLS has verified the chain and the host name before a connection is there; what is added here is that the certificate
speaks for the peer that was meant. Only then a byte of a request leaves.
"""

import asyncio
import math
import ssl
from collections import deque
from collections.abc import Callable, Mapping
from functools import lru_cache

from sluis.crypto import peer_of
from sluis.gateway.clientcerts import ClientContexts
from sluis.gateway.forward import Target
from sluis.gateway.streams.failures import Broken, RevokedPeer, Unreachable, WrongPeer
from sluis.gateway.streams.stream import STALLED, Stream
from sluis.kernel import PeerId, Problem

_CONNECT = 5.0  # seconds
_PER_TARGET = 200  # connections; a node takes 256 of one certificate
_TARGETS = 1024  # with connections kept open; peers may change their addresses as often as they like


@lru_cache(maxsize=1024)
def speaks_for(der: bytes, peer: PeerId) -> bool:
    """Whether a certificate (DER) is that of a peer."""
    try:
        return peer_of(der).id == peer
    except Problem:
        return False


class _Place:
    """The connections to one target: how many are under way, which are free, and who waits for one to end."""

    def __init__(self) -> None:
        self.free: list[Stream] = []
        self._busy = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def unused(self) -> bool:
        """Whether nothing is under way."""
        return self._busy == 0

    async def enter(self, by: float) -> None:
        """Wait until one more may be under way, until `by` at most (seconds of the loop's clock). Raises `TimeoutError`."""
        if self._busy < _PER_TARGET:
            self._busy += 1
            return
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout_at(min(by, loop.time() + STALLED)):
                await turn
        except BaseException:
            if turn.done() and not turn.cancelled():  # it was this one's turn, just too late
                self.leave()
            raise

    def leave(self) -> None:
        """One is no longer under way: whoever waits longest is next."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._busy -= 1


class Streams:
    """Connections, kept open.

    Attributes:
        peers: for TLS to peers now.

    Args:
        peers: for TLS to peers, with this node's certificate; None where none are reached.
        services: makes what TLS to services of our own needs, when the first is reached; None where none are.
        revoked: whether a certificate (DER) was revoked, also after it was connected to.
    """

    def __init__(
        self,
        peers: ssl.SSLContext | None = None,
        services: Callable[[], ssl.SSLContext] | None = None,
        revoked: Callable[[bytes], bool] = lambda certificate: False,
    ) -> None:
        self.peers, self._make_services, self._revoked = peers, services, revoked
        self._before: dict[str, ssl.SSLContext] = {}
        self._services: ssl.SSLContext | None = None
        self._clients = ClientContexts(services) if services is not None else None
        self._places: dict[Target, _Place] = {}
        self._all: set[Stream] = set()

    async def open(self, target: Target, fresh: bool = False, by: float = math.inf) -> Stream:
        """A connection over which nothing is under way; give it back with `release`, whatever happens.

        Args:
            target: where to.
            fresh: whether one that was kept open will not do.
            by: seconds of the loop's clock; it must be there by then.

        Raises:
            OSError: nobody answers there, or not the one who should, or this side has nothing to show (`Unshown`).
                Nothing was sent.
        """
        place = self._place(target)
        await place.enter(by)
        try:
            return (None if fresh else self._free(place, target)) or await self._connected(target, by)
        except BaseException:
            place.leave()
            raise

    def release(self, target: Target, stream: Stream) -> None:
        """Give a connection back; one whose answer was not read to its end is closed."""
        place = self._places[target]
        if stream.end():
            place.free.append(stream)
        else:
            self._all.discard(stream)
        place.leave()

    def renew(self, peers: ssl.SSLContext, before: str) -> None:
        """Show peers this node's new certificate from now on; the one before is still shown where a target names it, for
        tokens are bound to it. What is under way ends in its own time.

        Args:
            peers: for TLS to peers, with the new certificate.
            before: the thumbprint of the certificate that was shown until now.
        """
        if self.peers is not None:
            self._before = {before: self.peers}
        self.peers = peers

    def remake(self, peers: ssl.SSLContext, before: Mapping[str, ssl.SSLContext]) -> None:
        """Show the same certificates, in contexts that were made anew; connections made with the ones before them are used
        no longer, and go as soon as nothing is under way on them.

        Args:
            peers: for TLS to peers, with the present certificate.
            before: with certificates that a target may name, by their thumbprints.
        """
        self.peers, self._before = peers, dict(before)
        for target, place in self._places.items():
            if target.peer is not None:
                self._empty(place)

    def close(self) -> None:
        """Close every connection."""
        for stream in self._all:
            stream.close()
        self._all.clear()

    def _place(self, target: Target) -> _Place:
        place = self._places.get(target)
        if place is None:
            if len(self._places) >= _TARGETS:
                self._forget_one()
            place = self._places[target] = _Place()
        return place

    def _forget_one(self) -> None:
        """Make room: the connections of the target that was reached first, of those where nothing is under way, go."""
        for target, place in self._places.items():
            if place.unused:
                del self._places[target]
                self._empty(place)
                return

    def _empty(self, place: _Place) -> None:
        """Close what is free."""
        for stream in place.free:
            stream.close()
        self._all.difference_update(place.free)
        place.free.clear()

    def _context(self, target: Target) -> ssl.SSLContext | None:
        if not target.tls:
            return None
        if target.peer is not None:
            return self._before.get(target.shows[0], self.peers) if target.shows else self.peers
        if target.shows and self._clients is not None:
            return self._clients.get(target.shows)
        if self._services is None and self._make_services is not None:
            # Every authority of this machine: long to read, seldom needed.
            self._services = self._make_services()
        return self._services

    def _free(self, place: _Place, target: Target) -> Stream | None:
        """The free connection that was used last, if it is still good."""
        while place.free:
            stream = place.free.pop()
            if stream.reusable and stream.context is self._context(target):
                certificate = stream.certificate
                if certificate is None or not self._revoked(certificate):
                    return stream
            stream.close()
            self._all.discard(stream)
        return None

    async def _connected(self, target: Target, by: float) -> Stream:
        loop = asyncio.get_running_loop()
        context = self._context(target)
        name = target.host if context else None
        if target.tls and context is None:
            raise Unreachable("no TLS here")
        try:
            async with asyncio.timeout_at(min(by, loop.time() + _CONNECT)):
                _, stream = await loop.create_connection(
                    Stream, target.host, target.port, ssl=context, server_hostname=name
                )
        except (TimeoutError, ssl.SSLError):
            raise
        except (ConnectionResetError, ConnectionAbortedError) as failure:
            raise Broken(*failure.args) from None
        except OSError as failure:
            raise Unreachable(*failure.args) from None
        stream.context = context
        self._all.add(stream)
        self._check(stream, target.peer)
        return stream

    def _check(self, stream: Stream, peer: PeerId | None) -> None:
        """Make sure who is at the other end, before a byte of a request leaves."""
        if peer is None:
            return
        certificate = stream.certificate
        if certificate is not None and speaks_for(certificate, peer) and not self._revoked(certificate):
            return
        stream.close()
        self._all.discard(stream)
        raise WrongPeer if certificate is None or not speaks_for(certificate, peer) else RevokedPeer

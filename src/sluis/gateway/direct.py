"""Straight to the peer: HTTP/1.1 over mTLS, connections kept open. Stands where the FSC outway will stand.

What is asked of a `Link` is held here before a byte of a request leaves: TLS has verified the chain and the host
name; the connector then compares the certificate's serialNumber with the peer that was meant.
"""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import lru_cache
from typing import Any

import aiohttp
from yarl import URL

from sluis.crypto import peer_of
from sluis.gateway.link import Answer
from sluis.kernel import PeerId, Problem, Text, Upstream

_KEEP = 60.0  # seconds; below the 75 after which a node closes an idle connection, so that none is lost in between
_CONNECT = 5.0  # seconds
_PER_PEER = 64
_BUFFER = 256 * 1024


class DirectLink:
    """A `Link` over direct mTLS connections.

    Args:
        peers: the base URL (`https://host:port`) of every peer.
        context: `crypto.client_context` of this node.
        names: what peers are called, for problems; a peer without name is called by its id.
    """

    def __init__(
        self, peers: Mapping[PeerId, str], context: ssl.SSLContext, names: Mapping[PeerId, str] | None = None
    ) -> None:
        self._urls = {peer: url.rstrip("/") for peer, url in peers.items()}
        self._names = names or {}
        self._context = context
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def send(
        self, peer: PeerId, method: str, path: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> AsyncIterator[Answer]:
        """See `Link.send`."""
        base = self._urls.get(peer)
        if base is None:
            raise self._problem(peer, "peer-without-address", _NO_ADDRESS, retry=False)
        timeout = aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, _CONNECT))
        try:
            async with self._connections().request(
                method,
                URL(base + path, encoded=True),
                headers=headers,
                data=body or None,
                timeout=timeout,
                allow_redirects=False,
            ) as response:
                lowered = {name.lower(): value for name, value in response.headers.items()}
                yield Answer(response.status, lowered, self._stream(peer, response))
        except Problem:
            raise
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            raise self._explained(peer, failure) from None

    async def close(self) -> None:
        """See `Link.close`."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _connections(self) -> aiohttp.ClientSession:
        if self._session is None:
            parsed = {peer: URL(url) for peer, url in self._urls.items()}
            expected = {(url.host or "", url.port or 443): peer for peer, url in parsed.items()}
            self._session = aiohttp.ClientSession(
                connector=_PeerConnector(expected, self._context),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("accept-encoding", "user-agent", "accept", "content-type"),
                auto_decompress=False,
                read_bufsize=_BUFFER,
            )
        return self._session

    async def _stream(self, peer: PeerId, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        try:
            async for chunk in response.content.iter_any():
                yield chunk
        except (aiohttp.ClientError, TimeoutError, OSError) as failure:
            raise self._explained(peer, failure) from None

    def _explained(self, peer: PeerId, failure: Exception) -> Upstream:
        if isinstance(failure, WrongPeer):
            return self._problem(peer, "wrong-peer", _WRONG_PEER, retry=False)
        if isinstance(failure, aiohttp.ClientSSLError | ssl.SSLError):
            return self._problem(peer, "peer-not-trusted", _NOT_TRUSTED, retry=False)
        if isinstance(failure, TimeoutError):
            return self._problem(peer, "peer-too-slow", _TOO_SLOW, retry=True)
        if isinstance(failure, aiohttp.ClientConnectorError):
            return self._problem(peer, "peer-unreachable", _UNREACHABLE, retry=True)
        return self._problem(peer, "peer-broke-off", _BROKE_OFF, retry=True)

    def _problem(self, peer: PeerId, code: str, because: tuple[Text, Text], retry: bool) -> Upstream:
        name = self._names.get(peer, str.__str__(peer))
        what = Text(f"{name} gaf geen antwoord.", f"{name} gave no answer.")
        return Upstream(code, what, *because, peer=name, retry=retry)


class WrongPeer(aiohttp.ClientError):
    """The certificate at the other end is trusted, but speaks for another organisation."""


class _PeerConnector(aiohttp.TCPConnector):
    """A pool whose connections have proved whom they lead to, before anything is sent."""

    def __init__(self, expected: Mapping[tuple[str, int], PeerId], context: ssl.SSLContext) -> None:
        super().__init__(
            ssl=context, limit=0, limit_per_host=_PER_PEER, keepalive_timeout=_KEEP, use_dns_cache=True
        )
        self._expected = expected

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:  # noqa: ASYNC109 (the base class's)
        """Take a connection from the pool or make one; one that leads to another peer is closed unused."""
        connection = await super().connect(req, traces, timeout)
        transport = connection.transport
        tls = transport.get_extra_info("ssl_object") if transport is not None else None
        der = tls.getpeercert(binary_form=True) if tls is not None else None
        if der is None or not _speaks_for(der, self._expected[req.url.host, req.url.port]):
            connection.close()
            raise WrongPeer
        return connection


@lru_cache(maxsize=1024)
def _speaks_for(der: bytes, peer: PeerId) -> bool:
    try:
        return peer_of(der).id == peer
    except Problem:
        return False


_NO_ADDRESS = (
    Text("Van deze organisatie is geen adres bekend.", "No address is known of this organisation."),
    Text("Zet haar in de configuratie bij de partners.", "Put it among the peers in the configuration."),
)
_WRONG_PEER = (
    Text("Op haar adres antwoordt een andere organisatie.", "Another organisation answers at its address."),
    Text("Controleer het adres in de configuratie.", "Check the address in the configuration."),
)
_NOT_TRUSTED = (
    Text("De beveiligde verbinding kwam niet tot stand: een van beide certificaten wordt niet vertrouwd.",
         "The secure connection failed: one of the two certificates is not trusted."),
    Text("Controleer certificaten, ankers, hostnaam en geldigheid aan beide kanten.",
         "Check certificates, anchors, host name and validity at both ends."),
)  # fmt: skip
_TOO_SLOW = (
    Text("Het duurde te lang.", "It took too long."),
    Text(
        "Probeer het later opnieuw, of stel een kleinere vraag.",
        "Try again later, or ask a smaller question.",
    ),
)
_UNREACHABLE = (
    Text("Haar node is niet te bereiken.", "Its node cannot be reached."),
    Text("Probeer het later opnieuw.", "Try again later."),
)
_BROKE_OFF = (
    Text("De verbinding werd verbroken.", "The connection broke off."),
    Text("Probeer het opnieuw.", "Try again."),
)

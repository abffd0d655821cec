"""The connections under `direct`: aiohttp's pool, made to know whom each connection leads to.

TLS has verified the chain and the host name before `connect` returns; what is added here is that the certificate
speaks for the peer that was meant. Loaded at the first request, because aiohttp takes a quarter second to import
and a node that only answers needs it seldom.
"""

import ssl
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Literal

import aiohttp
from yarl import URL

from sluis.crypto import peer_of
from sluis.kernel import PeerId, Problem

FAILURES = (aiohttp.ClientError, TimeoutError, OSError)
"""What a request, or reading its answer, can fail with."""

Why = Literal["wrong-peer", "peer-not-trusted", "peer-too-slow", "peer-unreachable", "peer-broke-off"]

_KEEP = 60.0  # seconds; below the 75 after which a node closes an idle connection, so that none is lost in between
_CONNECT = 5.0  # seconds
_PER_PEER = 64
_BUFFER = 256 * 1024


class WrongPeer(aiohttp.ClientError):
    """The certificate at the other end is trusted, but speaks for another organisation."""


class RevokedPeer(aiohttp.ClientError):
    """The certificate at the other end was revoked after it was connected to."""


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
        parsed = {peer: URL(url) for peer, url in urls.items()}
        self._session = aiohttp.ClientSession(
            connector=_PeerConnector(
                {(url.host, url.port): peer for peer, url in parsed.items()}, context, revoked
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=("accept-encoding", "user-agent", "accept", "content-type"),
            auto_decompress=False,
            read_bufsize=_BUFFER,
        )

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> aiohttp.ClientResponse:
        """Send a request and read the head of its answer; `seconds` count until the last byte of the body."""
        return await self._session.request(
            method,
            URL(url, encoded=True),
            headers=headers,
            data=body or None,
            timeout=aiohttp.ClientTimeout(total=seconds, sock_connect=min(seconds, _CONNECT)),
            allow_redirects=False,
        )

    async def close(self) -> None:
        """Close every connection."""
        await self._session.close()


class _PeerConnector(aiohttp.TCPConnector):
    def __init__(
        self,
        expected: Mapping[tuple[str | None, int | None], PeerId],
        context: ssl.SSLContext,
        revoked: Callable[[bytes], bool],
    ) -> None:
        super().__init__(ssl=context, limit=0, limit_per_host=_PER_PEER, keepalive_timeout=_KEEP)
        self._expected, self._revoked = expected, revoked

    async def connect(self, req: Any, traces: Any, timeout: Any) -> Any:  # noqa: ASYNC109 (the base class's)
        """Take a connection from the pool or make one; one that leads to another peer is closed unused."""
        connection = await super().connect(req, traces, timeout)
        transport = connection.transport
        tls = transport.get_extra_info("ssl_object") if transport is not None else None
        der = tls.getpeercert(binary_form=True) if tls is not None else None
        if der is None or not _speaks_for(der, self._expected[req.url.host, req.url.port]):
            connection.close()
            raise WrongPeer
        if self._revoked(der):
            connection.close()
            raise RevokedPeer
        return connection


def why(failure: BaseException) -> Why:
    """What a failure comes down to."""
    if isinstance(failure, WrongPeer):
        return "wrong-peer"
    if isinstance(failure, RevokedPeer | aiohttp.ClientSSLError | ssl.SSLError):
        return "peer-not-trusted"
    if isinstance(failure, TimeoutError):
        return "peer-too-slow"
    if isinstance(failure, aiohttp.ClientConnectorError):
        return "peer-unreachable"
    return "peer-broke-off"


@lru_cache(maxsize=1024)
def _speaks_for(der: bytes, peer: PeerId) -> bool:
    try:
        return peer_of(der).id == peer
    except Problem:
        return False

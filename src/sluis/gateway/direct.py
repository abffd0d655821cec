"""Straight to the peer: HTTP/1.1 over mTLS, connections kept open. For a node that is in no group.

What is asked of a `Link` is held before a byte of a request leaves: see `pool`.
"""

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType

from sluis.gateway.link import Answer, Covers, Ready
from sluis.gateway.pool import FAILURES, Exchange, Pool, why
from sluis.kernel import PeerId, Text, Upstream


class DirectLink:
    """A `Link` over direct mTLS connections.

    Args:
        peers: the base URL (`https://host:port`) of every peer.
        context: `crypto.client_context` of this node.
        names: what peers are called, for problems; a peer without name is called by its id.
        revoked: whether a certificate (DER) was revoked; asked at every request, also over an open connection.
    """

    def __init__(
        self,
        peers: Mapping[PeerId, str],
        context: ssl.SSLContext,
        names: Mapping[PeerId, str] | None = None,
        revoked: Callable[[bytes], bool] = lambda certificate: False,
    ) -> None:
        self._urls = {peer: url.rstrip("/") for peer, url in peers.items()}
        self._names = names or {}
        self._context, self._revoked = context, revoked
        self._pool: Pool | None = None

    def send(
        self,
        peer: PeerId,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: bytes,
        seconds: float,
        covers: Covers | None = None,
        ready: Ready | None = None,
    ) -> "Pooled":
        """See `Link.send`."""
        if peer not in self._urls:
            raise _problem(self._name(peer), "peer-without-address", _NO_ADDRESS)
        if self._pool is None:
            self._pool = Pool(self._urls, self._context, self._revoked)
        before = None if ready is None else lambda: ready
        return Pooled(self._pool, self._name(peer), (peer, method, path, headers, body, seconds), before)

    async def close(self) -> None:
        """See `Link.close`."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _name(self, peer: PeerId) -> str:
        return self._names.get(peer, str.__str__(peer))


class Pooled:
    """One request and its answer. What the caller raises between the two ends goes through untouched.

    Args:
        pool: connections.
        name: what the peer is called.
        request: peer, method, path, headers, body, and the seconds that all of it may take.
        before: what must be done before a byte leaves; begun once there is a connection.
    """

    def __init__(
        self,
        pool: Pool,
        name: str,
        request: tuple[PeerId, str, str, Mapping[str, str], bytes, float],
        before: Callable[[], Ready] | None = None,
    ) -> None:
        self._pool, self._name, self._request, self._before = pool, name, request, before
        self._exchange: Exchange | None = None

    async def __aenter__(self) -> Answer:
        try:
            exchange = await self._pool.open(self._request[0], self._request[-1])
        except FAILURES as failure:
            raise self._explained(failure) from None
        try:
            if self._before is not None:
                await self._before()
            await self._send(exchange)
        except BaseException:
            exchange.release()
            raise
        self._exchange = exchange
        return Answer(exchange.status, exchange.headers, self._stream(exchange))

    async def _send(self, exchange: Exchange) -> None:
        _, method, path, headers, body, _ = self._request
        try:
            await exchange.send(method, path, headers, body)
        except FAILURES as failure:
            raise self._explained(failure) from None

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._exchange is not None:
            self._exchange.release()

    async def _stream(self, exchange: Exchange) -> AsyncIterator[bytes]:
        try:
            async for chunk in exchange.body:
                yield chunk
        except FAILURES as failure:
            raise self._explained(failure) from None

    def _explained(self, failure: BaseException) -> Upstream:
        code = why(failure)
        return _problem(self._name, code, _BECAUSE[code], retry=code not in _LASTING)


def _problem(name: str, code: str, because: tuple[Text, Text], retry: bool = False) -> Upstream:
    what = Text(f"{name} gaf geen antwoord.", f"{name} gave no answer.")
    return Upstream(code, what, *because, peer=name, retry=retry)


_LASTING = frozenset({"wrong-peer", "peer-not-trusted"})

_NO_ADDRESS = (
    Text("Van deze organisatie is geen adres bekend.", "No address is known of this organisation."),
    Text("Zet haar in de configuratie bij de partners.", "Put it among the peers in the configuration."),
)
_BECAUSE: dict[str, tuple[Text, Text]] = {
    "wrong-peer": (
        Text(
            "Op haar adres antwoordt een andere organisatie.", "Another organisation answers at its address."
        ),
        Text("Controleer het adres in de configuratie.", "Check the address in the configuration."),
    ),
    "peer-not-trusted": (
        Text(
            "De beveiligde verbinding kwam niet tot stand: een van beide certificaten wordt niet vertrouwd of is ingetrokken.",
            "The secure connection failed: one of the two certificates is not trusted, or was revoked.",
        ),
        Text(
            "Controleer certificaten, ankers, hostnaam en geldigheid aan beide kanten.",
            "Check certificates, anchors, host name and validity at both ends.",
        ),
    ),
    "peer-too-slow": (
        Text("Het duurde te lang.", "It took too long."),
        Text(
            "Probeer het later opnieuw, of stel een kleinere vraag.",
            "Try again later, or ask a smaller question.",
        ),
    ),
    "peer-unreachable": (
        Text("Haar knooppunt is niet te bereiken.", "Its node cannot be reached."),
        Text("Probeer het later opnieuw.", "Try again later."),
    ),
    "peer-broke-off": (
        Text("De verbinding werd verbroken.", "The connection broke off."),
        Text("Probeer het opnieuw.", "Try again."),
    ),
}

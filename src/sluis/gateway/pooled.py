"""One request over kept connections, as the links of this room offer it: what fails becomes a problem that names the peer."""

from collections.abc import AsyncIterator, Callable, Mapping
from types import TracebackType

from sluis.gateway.link import Answer, Ready
from sluis.gateway.pool import FAILURES, Exchange, Pool, Why, why
from sluis.kernel import PeerId, Text, Upstream


class Pooled:
    """One request over a pool and its answer. What the caller raises between the two ends goes through untouched.

    Args:
        pool: of connections to the peer.
        name: what the peer is called, for problems.
        request: as `Pool.request` takes it.
        before: what must be done before a byte leaves; begun once there is a connection.
    """

    def __init__(
        self,
        pool: Pool,
        name: str,
        request: tuple[PeerId, str, str, Mapping[str, str], bytes, float],
        before: Callable[[], Ready],
    ) -> None:
        self._pool, self._name, self._request, self._before = pool, name, request, before
        self._exchange: Exchange | None = None

    async def __aenter__(self) -> Answer:
        peer, method, path, headers, body, seconds = self._request
        try:
            exchange = await self._pool.open(peer, seconds)
        except FAILURES as failure:
            raise self._explained(failure) from None
        try:
            await self._before()
            await self._send(exchange, method, path, headers, body)
        except BaseException:
            exchange.release()
            raise
        self._exchange = exchange
        return Answer(exchange.status, exchange.headers, self._stream(exchange))

    async def __aexit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._exchange is not None:
            self._exchange.release()

    async def _send(
        self, exchange: Exchange, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> None:
        try:
            await exchange.send(method, path, headers, body)
        except FAILURES as failure:
            raise self._explained(failure) from None

    async def _stream(self, exchange: Exchange) -> AsyncIterator[bytes]:
        try:
            async for chunk in exchange.body:
                yield chunk
        except FAILURES as failure:
            raise self._explained(failure) from None

    def _explained(self, failure: BaseException) -> Upstream:
        return no_answer(self._name, why(failure))


def no_answer(name: str, code: Why) -> Upstream:
    """A peer gave no answer, or not a whole one."""
    what = Text(f"{name} gaf geen antwoord.", f"{name} gave no answer.")
    return Upstream(code, what, *_BECAUSE[code], peer=name, retry=code not in _LASTING)


_LASTING = frozenset({"wrong-peer", "peer-not-trusted"})

_BECAUSE: dict[Why, tuple[Text, Text]] = {
    "wrong-peer": (
        Text(
            "Op haar adres antwoordt een andere organisatie.", "Another organisation answers at its address."
        ),
        Text("Loop de weg na met `sluis fsc doctor`.", "Walk the way with `sluis fsc doctor`."),
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

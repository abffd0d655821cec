"""Webhooks: a POST to the recipient's own address (CloudEvents HTTP Protocol Binding 1.0.2, HTTP Webhooks 1.0.2 §2), signed.

What a recipient may do to us is bounded: ten seconds for all of it, a head of 64 KiB, and of what it says after its head so
much that the connection can be kept. It has an event when the head of a good answer is here; what comes after is not waited for.
"""

import asyncio
import ssl
from collections.abc import Sequence
from contextlib import suppress

from sluis.events.queue import Delivery
from sluis.events.sending.base import Result
from sluis.events.sending.connections import Address, Connections, Inside, address_of
from sluis.events.sending.messages import Messages
from sluis.events.sending.rules import result_of
from sluis.events.sending.signing import Signer
from sluis.events.sending.slots import Slots
from sluis.events.subscriptions import Subscription
from sluis.gateway import HttpStream, head_of
from sluis.kernel import Clock, new_span_id

SECONDS = 10.0
"""For one request, from looking the name up to the head of the answer."""

_REST, _PATIENCE = (
    16 * 1024,
    1.0,
)  # bytes after the head, and seconds, that are read so that the connection can be kept


class Webhook:
    """A `Transport` to addresses of the recipients' own.

    Args:
        connections: to them.
        signer: of this node.
        origin: by which this node makes itself known (`WebHook-Request-Origin`).
        clock: aware UTC.
        seconds: for one request.
        slots: how many at once; shared by all that send from one process.
    """

    def __init__(
        self, connections: Connections, signer: Signer, origin: str, clock: Clock,
        seconds: float = SECONDS, slots: Slots | None = None,
    ) -> None:  # fmt: skip
        self._slots = slots or Slots()
        self._connections, self._signer, self._clock, self._seconds = connections, signer, clock, seconds
        self._origin = ("webhook-request-origin", origin)
        self._addresses: dict[tuple[str, str], Address] = {}
        self._messages = Messages()

    async def send(self, subscription: Subscription, deliveries: Sequence[Delivery]) -> Result:
        """Send one delivery, or in the mode `batch` several."""
        credential = subscription.credential
        if credential is not None and credential.accesstokenexpiresutc <= self._clock():
            return Result("again", "credential-expired", whole=True)
        if not await self._slots.take(subscription.owner):
            return Result("again", "crowded", whole=True)
        try:
            return await self._sent(subscription, deliveries)
        finally:
            self._slots.give(subscription.owner)

    async def _sent(self, subscription: Subscription, deliveries: Sequence[Delivery]) -> Result:
        address = self._address(subscription)
        request = self._request(subscription, address, deliveries)
        try:
            return await self._exchange(address, request, asyncio.get_running_loop().time() + self._seconds)
        except TimeoutError:
            return Result("again", "too-slow", whole=True)
        except Inside:
            return Result("again", "inside", whole=True)
        except ssl.SSLError:
            return Result("again", "not-trusted", whole=True)
        except OSError:
            return Result("again", "unreachable", whole=True)

    async def close(self) -> None:
        """Close every connection."""
        await self._connections.close()

    def _address(self, subscription: Subscription) -> Address:
        key = subscription.id, subscription.sink
        found = self._addresses.get(key)
        if found is None:
            found = self._addresses[key] = address_of(subscription.sink, subscription.id)
        return found

    def _request(self, subscription: Subscription, address: Address, deliveries: Sequence[Delivery]) -> bytes:
        covered, body = self._messages.of(subscription.config.content, deliveries)
        signed = self._signer.headers(subscription.sink, covered, body)
        others = [self._origin, ("traceparent", f"00-{deliveries[0].trace_id}-{new_span_id()}-01")]
        if subscription.credential is not None:
            others.append(("authorization", f"Bearer {subscription.credential.accesstoken}"))
        others += subscription.headers.items()
        lines = [f"{name}: {value}".encode("latin-1") for name, value in (*covered, *signed, *others)]
        lines.append(b"content-length: %d" % len(body))
        return head_of("POST", address.path, address.authority, lines) + body

    async def _exchange(self, address: Address, request: bytes, by: float) -> Result:
        place = address.place
        stream = await self._connections.open(place)
        if not stream.fresh:
            try:
                return await self._answer(address, stream, request, by)
            except TimeoutError:
                raise
            except OSError:  # the recipient closed what was kept, which may be before it looked at this
                stream = await self._connections.open(place, fresh=True)
        try:
            return await self._answer(address, stream, request, by)
        except TimeoutError:
            raise
        except OSError:
            return Result("again", "broke-off", whole=True)

    async def _answer(self, address: Address, stream: HttpStream, request: bytes, by: float) -> Result:
        try:
            stream.begin(request, False, True, by)
            await stream.head()
            result = result_of(stream.status, _retry_after(stream), self._clock())
            if not stream.whole:
                await _read_rest(stream)
            return result
        finally:
            self._connections.release(address.place, stream)


def _retry_after(stream: HttpStream) -> str | None:
    return next((value.decode("latin-1") for name, value in stream.headers if name == b"retry-after"), None)


async def _read_rest(stream: HttpStream) -> None:
    """Read what comes after the head, so that the connection can be kept; not much, and not long."""
    read = 0
    with suppress(OSError):
        async with asyncio.timeout(_PATIENCE):
            while read < _REST and (piece := await stream.read()):
                read += len(piece)

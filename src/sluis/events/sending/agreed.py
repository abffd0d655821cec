"""What was agreed when it was published may not be agreed any more when it is sent: a contract is revoked, a notice ends or
names less data than it did, the recipient ended its interest."""

import asyncio
from collections.abc import Callable, Sequence

from sluis.events.queue import Agreed, Delivery, held_to
from sluis.events.sending.base import Result, Transport
from sluis.events.subscriptions import Subscription
from sluis.kernel import Clock, PeerId, milliseconds

_FRESH = 30_000  # ms for which what was read is sent without looking again


class WhileAgreed:
    """A `Transport` over another: nothing leaves for another organisation that is not agreed at that moment. What is not, is
    not kept waiting: it becomes a dead letter, that can be replayed when it is agreed again. Data that its notice does not name
    any more stays behind, and the rest leaves (docs/decisions/057).

    Args:
        transport: that sends.
        own: this organisation, whose own systems need no agreement.
        agreed: asked for every delivery; from memory.
        waits: whether deliveries of a subscription (its id, their numbers) still wait; blocks.
        clock: aware UTC.
    """

    def __init__(
        self,
        transport: Transport,
        own: PeerId,
        agreed: Agreed,
        waits: Callable[[str, Sequence[int]], bool],
        clock: Clock,
    ) -> None:
        self._transport, self._own, self._agreed = transport, own, agreed
        self._waits, self._clock = waits, clock

    async def send(self, subscription: Subscription, deliveries: Sequence[Delivery]) -> Result:
        """See `Transport.send`."""
        owner = subscription.owner
        if owner != self._own:
            held = list[Delivery]()
            for one in deliveries:
                names = self._agreed(one.notice, owner)
                if names is None:
                    return Result("refused", "no-contract")
                held.append(held_to(one, names))
            deliveries = held
        fresh = milliseconds(self._clock()) - _FRESH
        late = [one.sequence for one in deliveries if one.began < fresh]
        if late and not await asyncio.to_thread(self._waits, subscription.id, late):
            return Result("refused", "withdrawn")
        return await self._transport.send(subscription, deliveries)

    async def close(self) -> None:
        """See `Transport.close`."""
        await self._transport.close()

"""What was agreed when it was published may not be agreed any more when it is sent: a contract is revoked, a notice ends."""

from collections.abc import Callable, Sequence

from sluis.events.queue import Delivery
from sluis.events.sending.base import Result, Transport
from sluis.events.subscriptions import Subscription
from sluis.kernel import PeerId


class WhileAgreed:
    """A `Transport` over another: nothing leaves for another organisation that is not agreed at that moment. What is not, is
    not kept waiting: it becomes a dead letter, that can be replayed when it is agreed again (docs/decisions/057).

    Args:
        transport: that sends.
        own: this organisation, whose own systems need no agreement.
        agreed: whether what a notice (its id) tells a recipient may leave now; from memory.
    """

    def __init__(self, transport: Transport, own: PeerId, agreed: Callable[[str, PeerId], bool]) -> None:
        self._transport, self._own, self._agreed = transport, own, agreed

    async def send(self, subscription: Subscription, deliveries: Sequence[Delivery]) -> Result:
        """See `Transport.send`."""
        owner = subscription.owner
        if owner != self._own and not all(self._agreed(one.notice, owner) for one in deliveries):
            return Result("refused", "no-contract")
        return await self._transport.send(subscription, deliveries)

    async def close(self) -> None:
        """See `Transport.close`."""
        await self._transport.close()

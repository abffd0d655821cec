"""What every way of sending promises."""

from collections.abc import Sequence
from typing import Literal, Protocol

import msgspec

from sluis.events.queue import Delivery
from sluis.events.subscriptions import Subscription

Verdict = Literal["arrived", "again", "refused", "gone"]
"""`again`: it may arrive another time. `refused`: the same would be refused again. `gone`: nothing more is wanted."""


class Result(msgspec.Struct, frozen=True, gc=False):
    """How sending went.

    Args:
        verdict: what it comes down to.
        trouble: a code of `queue.TROUBLES`; empty when it arrived.
        wait: seconds in which nothing more is wanted; 0 when that was not said.
        whole: whether the trouble is with the recipient as such, and not with this one event.
    """

    verdict: Verdict
    trouble: str = ""
    wait: float = 0.0
    whole: bool = False


ARRIVED = Result("arrived")


class Transport(Protocol):
    """A way to a recipient.

    Guarantees: `arrived` is given only when the recipient has said that it has all of them; whatever it does, an answer
    comes within a bounded time; nothing that belongs to one subscription is waited for by another; nothing is raised but
    what is a fault of ours.
    """

    async def send(self, subscription: Subscription, deliveries: Sequence[Delivery]) -> Result:
        """Send deliveries of one subscription: one, or in the mode `batch` more."""

    async def close(self) -> None:
        """Close what is open."""

"""A lane, and what belongs to it in this process."""

import asyncio
from collections.abc import Callable

from sluis.events.queue import Place
from sluis.events.sending.base import Transport
from sluis.events.sending.lane import Lane
from sluis.events.subscriptions import Subscription


class Runner:
    """One lane at work.

    Args:
        subscription: whose.
        transport: to its recipient; without one nothing is sent from here: its owner comes for it.
        place: how far it is.
        spread: a number from 0 up to 1.

    Attributes:
        turn: in which it is.
        newest: the number given last, as the database last said.
        leaving: whether it is being let go.
        couriers: what is under way.
    """

    def __init__(
        self,
        subscription: Subscription,
        transport: Transport | None,
        place: Place,
        spread: Callable[[], float],
    ) -> None:
        self.lane = Lane(subscription, place.settled, spread)
        self.turn, self.newest, self.leaving = place.turn, 0, False
        self.couriers: set[asyncio.Task[None]] = set()
        self.timer: asyncio.TimerHandle | None = None
        self.configure(subscription, transport)

    def configure(self, subscription: Subscription, transport: Transport | None) -> None:
        """Go by the subscription as it is now."""
        self.subscription, self.transport = subscription, transport
        self.lane.configure(subscription)
        self.lane.stopped |= transport is None or self.leaving

    def again(self, place: Place) -> None:
        """Something earlier waits again, from that place on."""
        self.turn = place.turn
        self.lane.again(place.settled)

    def end_timer(self) -> None:
        """Wake it no more."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    @property
    def ended(self) -> bool:
        """Whether nothing of it has to be kept."""
        return self.subscription.state == "ended"

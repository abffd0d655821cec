"""What came in, and where a subscription stands at its recipient."""

from collections.abc import Sequence

import msgspec

from sluis.events.cloudevent import CloudEvent
from sluis.kernel import PeerId

MOST = 500
"""Events in one request."""

MOST_HELD = 2000
"""Events of one subscription that wait for an earlier one."""

MOST_FOLLOWED = 100
"""Subscriptions of one source."""

KEEP_DAYS = 45
"""Days that it is known that an event came: longer than a source tries and keeps what did not arrive (seven and thirty)."""


class Came(msgspec.Struct, frozen=True):
    """An event of a subscription, and its number there."""

    sequence: int
    event: CloudEvent


class Followed(msgspec.Struct, frozen=True):
    """A subscription of this organisation at a source.

    Args:
        source: the organisation.
        subscription: its id there.
        upto: all up to this number was handed over, or is not to be had any more.
        held: the numbers that wait for an earlier one.
    """

    source: PeerId
    subscription: str
    upto: int = 0
    held: Sequence[int] = ()


class Plan(msgspec.Struct, frozen=True):
    """What follows from what came in.

    Args:
        release: numbers to hand over, in this order.
        hold: numbers to keep until an earlier one is here.
        upto: where the subscription stands then.
    """

    release: Sequence[int]
    hold: Sequence[int]
    upto: int


class FollowedView(msgspec.Struct, frozen=True):
    """How a subscription at a source stands, for operators. `waiting` is for an earlier one."""

    source: str
    subscription: str
    upto: int
    waiting: int

"""What came in, and where a subscription stands at its recipient."""

from collections.abc import Collection, Sequence

import msgspec

from sluis.events.cloudevent import CloudEvent
from sluis.events.interests import Meant
from sluis.events.records import Ground
from sluis.kernel import PeerId

MOST = 500
"""Events in one request."""

MOST_HELD = 2000
"""Events of one subscription that wait for an earlier one."""

MOST_FOLLOWED = 100
"""Subscriptions of one source."""

KEEP_DAYS = 45
"""Days that it is known that an event came: longer than a source tries and keeps what did not arrive (seven and thirty)."""

Key = tuple[PeerId, str]
"""A subscription: the source, and its id there."""


class Came(msgspec.Struct, frozen=True):
    """An event of a subscription, and its number there."""

    sequence: int
    event: CloudEvent


class Item(msgspec.Struct, frozen=True):
    """An event that may be taken in.

    Args:
        came: the event.
        digest: by which it is known again.
        ground: what it rests on.
        title: what it is called.
        meant: by which reference it says whom it is about; None when it is about nobody.
    """

    came: Came
    digest: bytes
    ground: Ground
    title: str
    meant: Meant | None


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
    held: Collection[int] = frozenset()

    @property
    def key(self) -> Key:
        """Which one it is."""
        return self.source, self.subscription


class Plan(msgspec.Struct, frozen=True):
    """What follows from what came in.

    Args:
        release: numbers to hand over, in this order.
        hold: numbers to keep until an earlier one is here.
        put_off: numbers for which there is no room until an earlier one is here.
        upto: where the subscription stands then.
    """

    release: Sequence[int]
    hold: Sequence[int]
    put_off: Sequence[int]
    upto: int


class Step(msgspec.Struct, frozen=True):
    """What a commit does with what came of one subscription.

    Args:
        key: which subscription.
        came: what came, by number; None for what was here before.
        release: as in a plan.
        hold: as in a plan.
    """

    key: Key
    came: dict[int, Item | None]
    release: Sequence[int]
    hold: Sequence[int]


class FollowedView(msgspec.Struct, frozen=True):
    """How a subscription at a source stands, for operators. `waiting` is for an earlier one."""

    source: str
    subscription: str
    upto: int
    waiting: int

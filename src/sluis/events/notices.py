"""The notices of this node as they are used: conditions compiled, and whether each may tell its recipient anything now.

The decision point decides, but not once per event: a permit stands for `STANDS` seconds, and is asked again at once when
the policies, the day, or what contracts cover is another. Each asking is one record of the Authorization Decision Log.
Whether a contract covers a notice is looked at every time (docs/decisions/049-standing-permits.md).
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Literal, Protocol

import msgspec

from sluis.events.cesql import compile_expression
from sluis.grounds import Attribute, EventType, Grounds, Notice, OfferedNotice, Purpose, offered_notice
from sluis.kernel import Clock, PeerId
from sluis.policy import DecisionPoint, notification

STANDS = 60.0
"""Seconds for which a permit stands."""

Verdict = Literal["not-permitted", "no-contract"] | None
"""Why a notice may tell nothing now; None when it may."""


class Agreements(Protocol):
    """What contracts in force say."""

    def purposes(self, peer: PeerId) -> Iterable[Purpose]:
        """The purposes of the contracts under which a peer may reach this node now; from memory."""


class Told(msgspec.Struct, frozen=True):
    """A notice, ready for use.

    Args:
        notice: as its file says.
        event: that it is of.
        offered: as the recipient knows it.
        holds: whether facts meet its condition. Never raises.
    """

    notice: Notice
    event: EventType
    offered: OfferedNotice
    holds: Callable[[Mapping[str, Attribute]], bool]


class _Permit(msgspec.Struct, frozen=True):
    verdict: Verdict
    basis: tuple[object, ...]
    until: float


class InForce:
    """The notices of a node, and what contracts cover of them.

    Args:
        grounds: as loaded and checked.
        own: this node.
        agreements: contracts; None in a node without a group, whose peers come under none.
        clock: aware UTC.

    Raises `Invalid` when a condition cannot be read.
    """

    def __init__(self, grounds: Grounds, own: PeerId, agreements: Agreements | None, clock: Clock) -> None:
        self._agreements, self._clock = agreements, clock
        self.events = {one.type: one for one in grounds.events}
        self._of_event: dict[str, list[Told]] = {}
        self._of_id: dict[str, list[Told]] = {}
        for notice in grounds.notices:
            told = _told(own, self.events[notice.event], notice)
            self._of_event.setdefault(notice.event, []).append(told)
            self._of_id.setdefault(notice.id, []).append(told)

    def of_event(self, type: str) -> list[Told]:
        """The notices of an event type that hold today."""
        day = self._clock().date()
        return [one for one in self._of_event.get(type, ()) if one.notice.valid.holds(day)]

    def of_id(self, id: str, recipient: PeerId) -> Told | None:
        """The notice of that id to that recipient, if it holds today."""
        day = self._clock().date()
        return next(
            (
                one
                for one in self._of_id.get(id, ())
                if one.notice.recipient == recipient and one.notice.valid.holds(day)
            ),
            None,
        )

    def offered(self, recipient: PeerId) -> tuple[OfferedNotice, ...]:
        """What this recipient is told of today, if its contracts cover it."""
        day = self._clock().date()
        return tuple(
            one.offered
            for notices in self._of_id.values()
            for one in notices
            if one.notice.recipient == recipient and one.notice.valid.holds(day)
        )

    def agreed(self, id: str, recipient: PeerId) -> Collection[str] | None:
        """What of the data that is on its way by a notice may still leave, by name; None when nothing may: it does not hold today,
        or no contract covers it. From memory."""
        told = self.of_id(id, recipient)
        return None if told is None or self._covered(told) is False else told.offered.data

    def _covered(self, told: Told) -> bool | None:
        if self._agreements is None:
            return None
        notice, digest = told.notice, told.offered.digest
        return any(
            one.tells(notice.activity, notice.id, digest)
            for one in self._agreements.purposes(notice.recipient)
        )


class Notices(InForce):
    """The notices of a node, and whether each may tell anything now. For one event loop.

    Args:
        grounds: as loaded and checked.
        own: this node.
        point: decides.
        agreements: as `InForce`.
        clock: aware UTC.
        seconds: a clock that only goes forward.

    Raises `Invalid` when a condition cannot be read.
    """

    def __init__(
        self,
        grounds: Grounds,
        own: PeerId,
        point: DecisionPoint,
        agreements: Agreements | None,
        clock: Clock,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(grounds, own, agreements, clock)
        self._point, self._seconds = point, seconds
        self._permits: dict[str, _Permit] = {}
        self._asking = asyncio.Lock()

    async def verdicts(self, notices: Sequence[Told]) -> dict[str, Verdict]:
        """Why each of these may tell nothing now, by the id of the notice; None for one that may.

        Raises `Unkept`: the decision point was asked and it could not be recorded.
        """
        found = {one.notice.id: self._standing(one) for one in notices}
        missing = [one for one in notices if found[one.notice.id] is None]
        if missing:
            async with self._asking:
                for one in missing:
                    found[one.notice.id] = self._standing(one) or await self._ask(one)
        return {id: permit.verdict for id, permit in found.items() if permit is not None}

    def _standing(self, told: Told) -> _Permit | None:
        permit = self._permits.get(told.notice.id)
        fresh = permit is not None and permit.basis == self._basis(told) and self._seconds() < permit.until
        return permit if fresh else None

    def _basis(self, told: Told) -> tuple[object, ...]:
        return told.notice.version, self._point.version, self._clock().date(), self._covered(told)

    async def _ask(self, told: Told) -> _Permit:
        notice, basis = told.notice, self._basis(told)
        covered = basis[-1]
        decided = await self._point.evaluate(
            notification(
                notice.recipient, notice.activity, notice.event,
                agreed=None if covered is None else [notice.id] if covered else [],
                context={"notice": notice.id},
            )
        )  # fmt: skip
        permitted = decided.permit and decided.disclosure == notice.id
        verdict: Verdict = None if permitted else "no-contract" if covered is False else "not-permitted"
        permit = self._permits[notice.id] = _Permit(verdict, basis, self._seconds() + STANDS)
        return permit


def _told(own: PeerId, event: EventType, notice: Notice) -> Told:
    condition = notice.condition
    holds = _always if condition is None else compile_expression(condition).holds
    return Told(notice, event, offered_notice(own, event, notice), holds)


def _always(facts: Mapping[str, Attribute]) -> bool:
    return True

"""Whose rows a question may see where a disclosure rests on consent: looked up when it comes, and again for as long as its answer
is under way. What was taken back leaves no more, also when the answer is long or its asker slow.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from typing import Any

from sluis.disclose import rules
from sluis.disclose.model import Consenting, Opened
from sluis.disclose.understand import Statement
from sluis.kernel import PeerId, Refused
from sluis.statement import bind

LOOK = 1.0
"""Seconds between two looks at whether consents still stand, while an answer is under way."""

_Person = tuple[str, str]


class Standing:
    """The consents that one answer rests on.

    Args:
        consents: of people.
        peer: who asks.
        activity: URI of its processing activity.
        opened: that the question is about; those that rest on no consent are left out.
    """

    def __init__(
        self, consents: Consenting | None, peer: PeerId, activity: str, opened: Collection[Opened]
    ) -> None:
        self._consents, self._peer, self._activity = consents, peer, activity
        self._opened = [one for one in opened if one.by_consent is not None]
        self._rests: list[tuple[str, set[str], list[_Person]]] = []
        self._seen: object = None if consents is None else consents.changed()

    @property
    def rests(self) -> bool:
        """Whether the answer rests on consent at all."""
        return bool(self._opened)

    def shown(self, statement: Statement, asked: Collection[_Person]) -> dict[str, Any]:
        """Whose rows are shown, of the people that the question names: a parameter for each dataset. Looks everybody up, which of
        very many takes a while."""
        found: dict[str, Any] = {}
        for one in self._opened:
            name, subject, parameter = one.dataset.name, one.dataset.subject, one.by_consent
            if parameter is None or subject is None:
                continue
            columns = set(statement.columns[name]) - {subject.column}
            of_kind = [who for who in sorted(asked) if who[0] == subject.type]
            people = [who for who in of_kind if self._opens(who, name, columns)]
            self._rests.append((name, columns, people))
            column_type = statement.column_types[("", name), subject.column]
            found |= bind({parameter}, {parameter: column_type}, {parameter: [key for _, key in people]})
        return found

    def hold(self) -> None:
        """Raises `Refused` (`consent-changed`) when somebody of those who consented does so no more. Looks again only once
        something has changed."""
        if self._consents is None or self._consents.changed() == self._seen:
            return
        now = self._consents.changed()
        if not all(
            self._opens(who, name, columns) for name, columns, people in self._rests for who in people
        ):
            raise rules.refused("consent-changed", rules.legal_of(self._opened), retry=True)
        self._seen = now

    async def guarded(
        self, body: AsyncIterator[bytes], stopped: Callable[[Refused], None]
    ) -> AsyncIterator[bytes]:
        """The bytes of an answer, each held to the consents before it is given. While somebody takes them slowly, a look every
        second; then the task that carries them over is cancelled, and `stopped` is told why."""
        watch = _Watch(self.hold, stopped)
        try:
            async for chunk in body:
                self.hold()
                watch.carried_by(asyncio.current_task())
                yield chunk
        finally:
            watch.stop()

    def _opens(self, who: _Person, dataset: str, columns: set[str]) -> bool:
        consents = self._consents
        return consents is not None and consents.opens(who, self._peer, self._activity, dataset, columns)


class _Watch:
    """Looks every second, and cancels whoever carries an answer that may not go on."""

    def __init__(self, hold: Callable[[], None], stopped: Callable[[Refused], None]) -> None:
        self._hold, self._stopped = hold, stopped
        self._carrier: asyncio.Task[Any] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def carried_by(self, task: "asyncio.Task[Any] | None") -> None:
        self._carrier = task
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LOOK, self._look)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        try:
            self._hold()
        except Refused as refusal:
            if self._carrier is not None:
                self._carrier.cancel()
            self._stopped(refusal)
            return
        self._timer = asyncio.get_running_loop().call_later(LOOK, self._look)

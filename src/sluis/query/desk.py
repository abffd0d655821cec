"""Questions that officials ask in a browser: under way, and for a few minutes answered. Each has a handle that nobody can
guess, for one person in one session; nobody else finds it, and after minutes nobody does.

What is held is bounded: how many per person and of all, how large one answer and all together, and how long. Nothing of it is
ever written to a disk.
"""

import asyncio
import logging
import secrets
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

import msgspec
import pyarrow as pa

from sluis.kernel import Clock, Conflict, Invalid, NotFound, Problem, Text, Upstream
from sluis.query.filled import Filled
from sluis.query.leaving import Leaving, left_out
from sluis.query.model import Answer, Explanation, Question, Who
from sluis.query.owners import Sight
from sluis.query.partial import without
from sluis.query.service import Asker
from sluis.statement import datasets, parse

T = TypeVar("T")

log = logging.getLogger("sluis.query")

State = Literal["waits", "met", "asked", "answered", "failed", "spared"]
"""Of an owner's part: it waits for keys of another, the owner was asked what it opens, it was asked, it came, it failed, or it
need not be asked."""

SOON = 0.8
"""Seconds for which a page waits for an answer before it shows how far it is."""

AWAITED: frozenset[State] = frozenset(("met", "asked"))
"""States in which an owner keeps the question waiting."""


class Limits(msgspec.Struct, frozen=True):
    """What is held at most: answers of one person and of all, bytes of one answer and of all, and minutes."""

    each: int = 5
    all: int = 200
    bytes_each: int = 16 << 20
    bytes_all: int = 256 << 20
    minutes: int = 15


class Part(msgspec.Struct):
    """An owner's part of a question, as who waits sees it. `since` is when it came into this state."""

    owner: str
    state: State
    since: datetime
    problem: Problem | None = None


class Asked:
    """One question of one person, under way or answered.

    Attributes:
        handle: by which its person finds it.
        question: as it was asked.
        explanation: what it was said beforehand to do.
        filled: what its person filled in, to ask it again otherwise.
        sight: what was open for it.
        wanted: text of the rows that its person wants to see; empty for all.
        began: when.
        ended: when it was answered, or failed; None while it is under way.
        parts: by owner.
        answer: None while there is none.
        problem: why there is none.
        cut: how many rows were left out because they were too many to hold.
        cancelled: whether its person stopped it.
        rounds: how often owners were asked; more than once when one failed and the rest was asked again.
    """

    def __init__(
        self,
        question: Question,
        who: Who,
        session: str,
        explanation: Explanation,
        filled: Filled,
        sight: Sight,
        clock: Clock,
    ) -> None:
        self.handle = secrets.token_urlsafe(24)
        self.question, self.who, self.session, self.explanation = question, who, session, explanation
        self.filled, self.sight, self.wanted = filled, sight, ""
        self._clock = clock
        self.began = clock()
        self.ended: datetime | None = None
        self.parts = {
            alias: Part(alias, "waits", self.began)
            for alias in dict.fromkeys(alias for alias, _ in datasets(parse(question.sql)))
        }
        self.answer: Answer | None = None
        self.problem: Problem | None = None
        self.cut = 0
        self.cancelled = False
        self.rounds = 0
        self._leaving, self._enough = Leaving(), dict[frozenset[str], bool]()
        self.task: asyncio.Task[None] | None = None

    # As `model.Watch`

    def planned(self, owners: Sequence[str]) -> None:
        """A round begins."""
        self.rounds += 1
        for part in self.parts.values():
            if part.owner in owners:
                self._move(part.owner, "waits")

    def meets(self, owner: str) -> None:
        """It is asked what it opens."""
        self._move(owner, "met")

    def asks(self, owner: str) -> None:
        """A part leaves."""
        self._move(owner, "asked")

    def answered(self, owner: str) -> None:
        """A part came."""
        self._move(owner, "answered")

    def failed(self, owner: str, problem: Problem) -> None:
        """A part cannot be had."""
        self._move(owner, "failed", problem)

    async def unless_left(self, owner: str, work: Coroutine[Any, Any, T]) -> T:
        """The work for an owner, unless its person goes on without it."""
        return await self._leaving.unless(owner, work)

    def dispensable(self, owner: str) -> bool:
        """Whether the question can go on without this owner: it may be answered in part, and something of it is left."""
        if self.question.partial == "never":
            return False
        gone = frozenset(one.owner for one in self.parts.values() if one.state == "failed") | {owner}
        if gone not in self._enough:
            try:
                self._enough[gone] = bool(without(parse(self.question.sql), gone))
            except Invalid:
                self._enough[gone] = False
        return self._enough[gone]

    @property
    def leavable(self) -> list[Part]:
        """The parts that have not come, without which the question can go on."""
        coming = AWAITED | {"waits"}
        return [one for one in self.parts.values() if one.state in coming and self.dispensable(one.owner)]

    def leave(self, owner: str) -> None:
        """Go on without an owner that keeps the question waiting; of another one this does nothing."""
        part = self.parts.get(owner)
        if part is not None and part.state in AWAITED and self.dispensable(owner):
            name = self.sight.names.get(owner, owner)
            self._leaving.leave(owner, left_out(name, self.seconds(part.since)))

    def _move(self, owner: str, state: State, problem: Problem | None = None) -> None:
        part = self.parts.get(owner)
        if part is not None and (part.state != state or problem is not None):
            self.parts[owner] = Part(owner, state, self._clock(), problem)

    def seconds(self, since: datetime) -> int:
        """Whole seconds from a moment until now, or until it ended."""
        return max(0, int(((self.ended or self._clock()) - since).total_seconds()))


class Desk:
    """Where questions wait for their answers, and answers for their people.

    Args:
        asker: asks them.
        clock: of this node.
        failure: what to tell of something that is no problem but a fault of this node.
        limits: what is held.
    """

    def __init__(
        self, asker: Asker, clock: Clock, failure: Callable[[Exception], Problem], limits: Limits | None = None
    ) -> None:  # fmt: skip
        self._asker, self._clock, self._failure = asker, clock, failure
        self._limits = limits or Limits()
        self._held: dict[str, Asked] = {}

    async def ask(
        self, question: Question, who: Who, session: str, explanation: Explanation, filled: Filled, sight: Sight
    ) -> Asked:  # fmt: skip
        """Begin to ask.

        Args:
            question: what is asked.
            who: asks it.
            session: in which; the answer is shown in no other.
            explanation: what it would do, as it was shown beforehand.
            filled: what stood in the form, for who wants to change it.
            sight: what was seen to be open when it was asked.

        Returns:
            the question under its handle; its answer comes later.

        Raises:
            Conflict: this person, or everybody, has too much under way.
        """
        self.tidy()
        self._make_room(who.acting.person)
        asked = Asked(question, who, session, explanation, filled, sight, self._clock)
        self._held[asked.handle] = asked
        asked.task = asyncio.create_task(self._run(asked))
        return asked

    async def wait(self, asked: Asked) -> None:
        """Until it ended, or for a moment."""
        if asked.task is not None:
            await asyncio.wait([asked.task], timeout=SOON)

    def find(self, handle: str, person: str, session: str) -> Asked:
        """The question with that handle, for its person in its session. Raises `NotFound`."""
        self.tidy()
        asked = self._held.get(handle)
        if asked is None or (asked.who.acting.person, asked.session) != (person, session):
            raise NotFound(
                "answer-forgotten",
                Text("Dit antwoord is er niet (meer).", "This answer is not there (any more)."),
                Text(f"Een antwoord wordt na {self._limits.minutes} minuten vergeten, of als u opnieuw inlogt. Alleen wie vroeg, kan het zien.",
                     f"An answer is forgotten after {self._limits.minutes} minutes, or when you sign in again. Only who asked can see it."),
                Text("Stel de vraag opnieuw.", "Ask the question again."),
            )  # fmt: skip
        return asked

    def of(self, person: str, session: str) -> list[Asked]:
        """All of a person in a session, the newest first."""
        self.tidy()
        found = [
            one for one in self._held.values() if (one.who.acting.person, one.session) == (person, session)
        ]
        return found[::-1]

    def until(self, asked: Asked) -> datetime:
        """When an answer will be forgotten."""
        return (asked.ended or self._clock()) + timedelta(minutes=self._limits.minutes)

    async def cancel(self, asked: Asked) -> None:
        """Stop asking. What was sent is on record, as of a question that failed."""
        if asked.task is not None and not asked.task.done():
            asked.cancelled = True
            asked.task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([asked.task])

    async def forget(self, asked: Asked) -> None:
        """Hold it no longer."""
        await self.cancel(asked)
        self._held.pop(asked.handle, None)

    def leave(self, session: str) -> None:
        """A session is over: what was asked in it is stopped, and forgotten."""
        for handle, asked in list(self._held.items()):
            if asked.session == session:
                if asked.task is not None:
                    asked.task.cancel()
                del self._held[handle]

    def tidy(self) -> None:
        """Forget what was held long enough."""
        now = self._clock()
        for handle, asked in list(self._held.items()):
            if asked.ended is not None and self.until(asked) <= now:
                del self._held[handle]

    async def close(self) -> None:
        """Stop everything, and forget it."""
        for asked in list(self._held.values()):
            await self.forget(asked)

    @property
    def held(self) -> int:
        """How many bytes of answers there are."""
        return sum(asked.answer.table.nbytes for asked in self._held.values() if asked.answer is not None)

    def _make_room(self, person: str) -> None:
        """Forget the oldest answers of this person, and of all, as far as there would be too many."""
        for mine, most in ((True, self._limits.each), (False, self._limits.all)):
            some = [one for one in self._held.values() if not mine or one.who.acting.person == person]
            over = [one for one in some if one.ended is not None][: max(0, len(some) - most + 1)]
            for one in over:
                del self._held[one.handle]
            if len(some) - len(over) >= most:
                raise _too_many(most if mine else None)

    async def _run(self, asked: Asked) -> None:
        try:
            answer = await self._asker.rendered(asked.question, asked.who, lambda answer: answer, asked)
            asked.answer, asked.cut = _bounded(answer, self._limits.bytes_each)
            for part in asked.parts.values():
                if part.state == "waits":
                    asked.parts[part.owner] = Part(part.owner, "spared", self._clock())
        except asyncio.CancelledError:
            asked.problem = _cancelled()
        except Problem as problem:
            asked.problem = problem
        except Exception as exception:
            asked.problem = self._failure(exception)
        asked.ended = self._clock()
        self._shrink(asked)

    def _shrink(self, newest: Asked) -> None:
        """Forget the oldest answers while all together are too large."""
        for handle, asked in list(self._held.items()):
            if self.held <= self._limits.bytes_all:
                return
            if asked is not newest and asked.ended is not None:
                del self._held[handle]


def _bounded(answer: Answer, most: int) -> tuple[Answer, int]:
    """An answer of so many bytes at most, and how many rows were left out for that."""
    table = answer.table
    if table.nbytes <= most:
        return answer, 0
    rows = table.num_rows * most // max(table.nbytes, 1)
    while rows and table.slice(0, rows).nbytes > most:
        rows //= 2
    # Taken, not sliced: a slice would keep all of it.
    kept = table.take(pa.array(range(rows), pa.int64()))
    return msgspec.structs.replace(answer, table=kept), table.num_rows - rows


def _too_many(most: int | None) -> Conflict:
    return Conflict(
        "too-many-questions",
        Text("Er zijn te veel vragen tegelijk onderweg.", "There are too many questions under way."),
        Text(f"U kunt {most} vragen tegelijk stellen.", f"You can ask {most} questions at a time.")
        if most else Text("Ook collega's stellen nu vragen.", "Colleagues are asking as well."),
        Text("Wacht op een antwoord, of stop een vraag.", "Wait for an answer, or stop a question."),
    )  # fmt: skip


def _cancelled() -> Upstream:
    return Upstream(
        "question-stopped",
        Text("U stopte deze vraag.", "You stopped this question."),
        Text("Wat al aan bronhouders was gevraagd, staat in de logboeken. U kreeg niets te zien.",
             "What owners had been asked already is in the logs. You were shown nothing."),
        Text("Stel de vraag opnieuw als u haar toch nodig hebt.", "Ask the question again if you need it after all."),
    )  # fmt: skip

"""The decision point: one place says yes or no, and keeps a record that it did.

Whoever asks from within this node either decides and takes the record along in its own commit (`decide` and `record`),
or has it kept before the answer is known (`evaluate`).
"""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from sluis.kernel import LEVELS, Clock, Level, Trace
from sluis.ledger import Decision, Position
from sluis.policy import records
from sluis.policy.calls import EVALUATION, PARTS, answer, is_of, written_out
from sluis.policy.engine import Engine
from sluis.policy.model import Decided, Evaluation, Policies
from sluis.policy.records import Event, Occasion

NUMBERS = frozenset({"BSN", "urn:nl-eid-gdi:1.0:id:BSN"})
"""Types whose ids are citizen service numbers."""


class Log(Protocol):
    """The part of the ledger that this room needs."""

    def append(self, records: Sequence[Decision]) -> Awaitable[Position]:
        """Keep records durably, all in one commit. Raises `Unkept`, at the latest when awaited."""

    def subject(self, kind: str, value: str, moment: datetime) -> str:
        """The pseudonym of a data subject."""


class Call(msgspec.Struct, frozen=True):
    """A call of the AuthZEN API.

    Args:
        event: which.
        request: as plain values.
        trace: of whoever calls; None when the trace begins here.
        caller: who calls, by name.
        transaction_id: of the crossing that it is about, if any.
    """

    event: Event
    request: dict[str, Any]
    trace: Trace | None
    caller: str
    transaction_id: str | None = None


class DecisionPoint:
    """Decides by the present policies.

    Args:
        policies: as `rulings_of` and `read_own` give them.
        service: name of this node in its records.
        log: the ledger.
        clock: aware UTC.

    Attributes:
        engine: decides by the present version.
    """

    def __init__(self, policies: Policies, service: str, log: Log, clock: Clock) -> None:
        self.engine = Engine(policies)
        self._service, self._log, self._clock = service, log, clock

    @property
    def version(self) -> str:
        """The digest of the present policies."""
        return self.engine.version

    def decide(self, evaluation: Evaluation, moment: datetime | None = None) -> Decided:
        """Decide, and write down nothing: whoever asks does, with `record`.

        Args:
            evaluation: the request.
            moment: aware UTC, the present when absent; the same must be given to `record`.

        Raises:
            Invalid: a value in the request has no meaning for policies.
        """
        return self.engine.decide(evaluation, moment or self._clock())

    def level_asked(self, decided: Decided) -> Level | None:
        """The assurance level that a refusal asks for, so that who was refused can sign in again: that of the disclosure,
        or what an own policy says in `@level`; None when it was refused for another reason."""
        if decided.permit:
            return None
        if decided.rule == "sign-in-too-weak":
            return self.engine.minimum_level(decided.disclosure)
        own = self.engine.own.get(decided.rule)
        return next((level for level in LEVELS if own and own.annotations.get("level") == level), None)

    def record(self, evaluation: Evaluation, decided: Decided, occasion: Occasion) -> Decision:
        """The record of a decision, to be appended by whoever asked; arguments as `records.record`."""
        return records.record(evaluation, decided, occasion, self._service)

    async def evaluate(
        self,
        evaluation: Evaluation,
        trace: Trace | None = None,
        *,
        transaction_id: str | None = None,
        data_subject: str | None = None,
    ) -> Decided:
        """Decide, and answer only when the record is durable.

        Args:
            evaluation: the request.
            trace: of whoever asks; None when it begins here.
            transaction_id: of the crossing, if any.
            data_subject: pseudonym of whom it is about, if any.

        Raises:
            Invalid: a value in the request has no meaning for policies.
            Unkept: it could not be recorded: then nothing is permitted.
        """
        moment = self._clock()
        decided = self.decide(evaluation, moment)
        occasion = Occasion(trace or Trace.begin(), moment, trace is None, transaction_id, data_subject)
        await self._log.append([self.record(evaluation, decided, occasion)])
        return decided

    async def call(self, call: Call) -> dict[str, Any]:
        """Answer a call of the AuthZEN API, when the one record of it is durable.

        A citizen service number that it names, as the id of a subject or resource of type `BSN`, is its pseudonym before
        anything is decided or written down.

        Raises:
            Invalid: the request misses something, or does not fit; then nothing was decided.
            Unkept: it could not be recorded.
        """
        moment = self._clock()
        people: set[str] = set()
        known = {name: value for name, value in call.request.items() if name in PARTS}
        request = self._without_numbers(written_out(known, NUMBERS), moment, people)
        if call.event == EVALUATION:
            response, failed = answer(self.engine, call.event, request, moment)
        else:  # hundreds of decisions: others get their turns meanwhile
            response, failed = await asyncio.to_thread(answer, self.engine, call.event, request, moment)
        person = people.pop() if len(people) == 1 else None
        trace, began = call.trace or Trace.begin(), call.trace is None
        occasion = Occasion(trace, moment, began, call.transaction_id, person, call.caller)
        record = records.call_record(
            call.event, request, response, self.version, occasion, self._service, failed=failed
        )
        await self._log.append([record])
        return response

    def _without_numbers(self, value: Any, moment: datetime, people: set[str]) -> Any:
        if isinstance(value, list):
            return [self._without_numbers(one, moment, people) for one in value]
        if not isinstance(value, dict):
            return value
        made = {name: self._without_numbers(one, moment, people) for name, one in value.items()}
        if "id" in value and is_of(value, NUMBERS):
            number = made.pop(
                "id"
            )  # what is neither text nor a number is no identifier, and is not written down
            if isinstance(number, str | int):
                made["id"] = self._log.subject("BSN", str(number), moment)
                people.add(made["id"])
        return made

"""What the owner writes down of a question: one decision per dataset (Authorization Decision Log 0.0.1) and one
processing line per person (Logboek Dataverwerkingen core 1.0.0; for bulk the object extension, one line without
subject). Nothing here holds a value out of the data; people are pseudonyms.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import msgspec

from sluis.disclose.model import Opened
from sluis.kernel import Clock, PeerId, Problem, Trace, from_milliseconds, milliseconds
from sluis.ledger import ACTIVITY, PROCESSOR, SUBJECT, SUBJECT_TYPE, Decision, Position, Processing, Withheld
from sluis.policy import Decided, DecisionPoint, Evaluation, Occasion, consultation, references_of
from sluis.statement import CHARGE, SubQuestion

_OBJECTS = "dpl.objects.dataset"


class Log(Protocol):
    """The part of the ledger that this room needs."""

    def append(self, records: Sequence[Processing | Decision]) -> Awaitable[Position]:
        """Keep records durably, all in one commit. Raises `Unkept`, at the latest when awaited."""

    def subject(self, kind: str, value: str, moment: datetime) -> str:
        """The pseudonym of a data subject."""


class Permit(msgspec.Struct, frozen=True):
    """A question that a disclosure let through: which one, whose question, and when it began."""

    disclosure: str
    peer: PeerId
    moment: datetime


def permit(decision: Decision) -> Permit | None:
    """What `Crossing.permits` wrote, read back; None for a decision of another kind."""
    used = references_of(decision).get("disclosure")
    if not isinstance(used, dict):
        return None
    moment = from_milliseconds(decision.timestamp)
    return Permit(used["id"], PeerId(decision.body["adl.core.request"]["subject"]["id"]), moment)


class Asked(msgspec.Struct, frozen=True):
    """What the decision point was asked about one dataset, and what it said."""

    evaluation: Evaluation
    decided: Decided


class Crossing(msgspec.Struct, frozen=True):
    """One question as it crossed: who asked, where in the trace, when it began.

    `processor` is the address of the asker's node; `alias` this owner's name before the dot; `point` decides, and `asked`
    is what it was asked so far, by dataset.
    """

    peer: PeerId
    processor: str
    alias: str
    trace: Trace
    transaction_id: str
    question: SubQuestion
    began: datetime
    point: DecisionPoint
    asked: dict[str, Asked] = {}

    def ask(self, dataset: str, agreed: Iterable[str] | None) -> Decided:
        """Ask the decision point whether this peer may use a dataset, and remember what it said for the record.

        Args:
            dataset: as the question names it; of one that is not here, what fits in a record.
            agreed: ids of the disclosures that the contract covers; None where there are no contracts.
        """
        question, acting = self.question, self.question.acting
        evaluation = consultation(
            self.peer,
            acting.person,
            acting.acr,
            question.activity,
            f"{self.alias}.{dataset[:100]}",
            agreed=agreed,
            level=acting.reached,
            context={"case": question.case, "traceparent": self.trace.traceparent},
        )
        decided = self.point.decide(evaluation, self.began)
        self.asked[dataset] = Asked(evaluation, decided)
        return decided

    def permits(
        self, opened: Iterable[Opened], shape: str, sealed: Mapping[str, Any] | None = None
    ) -> list[Decision]:
        """One decision per dataset, each naming the disclosure and the statement with its constants taken out; and,
        where keys crossed `sealed`, who could read them: peers that work together could open each other's."""
        more = {"statement": {"sql": shape}} | ({"sealed": dict(sealed)} if sealed else {})
        return [self._decision(self.asked[one.dataset.name], {**_reference(one), **more}) for one in opened]

    def decisions(self) -> list[Decision]:
        """One decision per dataset that the decision point was asked about, of a question that nothing was read for."""
        return [self._decision(one) for one in self.asked.values()]

    def refusal(self, problem: Problem) -> list[Decision]:
        """One decision per dataset that the decision point was asked about. What it permitted was refused by what a
        disclosure says further, or with the rest of the question: then the record says that too."""
        return [
            self._decision(one, limit=problem if one.decided.permit else None) for one in self.asked.values()
        ]

    def _decision(
        self, asked: Asked, policies: dict[str, Any] | None = None, limit: Problem | None = None
    ) -> Decision:
        legal = {"legal": limit.legal} if limit is not None and limit.legal is not None else {}
        occasion = Occasion(
            self.trace,
            self.began,
            transaction_id=self.transaction_id,
            policies=policies or {},
            response=legal,
            limit=None if limit is None else limit.rule or limit.code,
        )
        return self.point.record(asked.evaluation, asked.decided, occasion)

    def about(
        self,
        subjects: Iterable[tuple[str, str]],
        opened: Sequence[Opened],
        pseudonym: Callable[[tuple[str, str]], str],
        now: datetime,
        failed: bool,
    ) -> list[Processing]:
        """The lines of the log about people, each a span of its own.

        Args:
            subjects: (kind of number, number) of each.
            opened: what they were in.
            pseudonym: of one of them, as the log has it.
            now: the moment at which it ended, aware UTC.
            failed: whether it went wrong on the way.
        """
        withheld = self._withheld(opened)
        template = self._line(opened, now, failed, {}, withheld)
        lines = []
        for subject in subjects:
            attributes = {
                ACTIVITY: self.question.activity,
                SUBJECT: pseudonym(subject),
                SUBJECT_TYPE: subject[0],
                PROCESSOR: self.processor,
            }
            span = self.trace.child().span_id
            lines.append(msgspec.structs.replace(template, span_id=span, attributes=attributes))
        return lines

    def in_bulk(
        self, opened: Sequence[Opened], columns: dict[str, tuple[str, ...]], now: datetime, failed: bool
    ) -> Processing:
        """The one line of a consultation that is about nobody in particular: which datasets, which columns.

        Args:
            opened: the datasets.
            columns: used, by dataset.
            now, failed: as `about`.
        """
        objects = [
            {
                "dataset_id": f"{self.alias}.{one.dataset.name}",
                "dataset_port": "output",
                "feature": [{"feature_id": column} for column in columns[one.dataset.name]],
            }
            for one in opened
        ]
        attributes = {ACTIVITY: self.question.activity, PROCESSOR: self.processor, _OBJECTS: objects}
        return self._line(opened, now, failed, attributes, self._withheld(opened))

    def charged(self, charge: dict[str, Any], opened: Sequence[Opened], now: datetime) -> Processing:
        """The line of what a consultation costs; about nobody, and beside the lines of the people in it."""
        attributes = {ACTIVITY: self.question.activity, PROCESSOR: self.processor, CHARGE: charge}
        return self._line(opened, now, False, attributes, self._withheld(opened))

    def _line(
        self,
        opened: Sequence[Opened],
        now: datetime,
        failed: bool,
        attributes: dict[str, Any],
        withheld: Withheld | None,
    ) -> Processing:
        return Processing(
            trace_id=self.trace.trace_id,
            span_id=self.trace.child().span_id,
            name=f"Raadpleging {', '.join(one.dataset.title.nl for one in opened)}",
            status="Error" if failed else "Ok",
            start_time=milliseconds(self.began),
            end_time=milliseconds(now),
            parent_span_id=self.trace.span_id,
            attributes=attributes,
            resource=self._resource(),
            withheld=withheld,
        )

    def _resource(self) -> dict[str, Any]:
        return {"attributes": {"service.name": self.alias, "sluis.transaction_id": self.transaction_id}}

    def _withheld(self, opened: Sequence[Opened]) -> Withheld | None:
        """Withheld when one of the disclosures says so; the longest counts."""
        rules = [one.disclosure.withhold for one in opened if one.disclosure.withhold is not None]
        if not rules:
            return None
        longest = max(rules, key=lambda rule: rule.days)
        return Withheld(str(longest.article), milliseconds(self.began + timedelta(days=longest.days)))


def _reference(opened: Opened) -> dict[str, Any]:
    one = opened.disclosure
    return {"disclosure": {"id": one.id, "version": one.version, "digest": opened.digest}}


class Refusals:
    """Every refusal is a record; when one peer causes very many, the rest of that minute is one record with a number.

    Args:
        log: where the records go.
        clock: aware UTC.
        limit: refusals of one peer each minute that get a record of their own.
    """

    def __init__(self, log: Log, clock: Clock, limit: int) -> None:
        self._log, self._clock, self._limit = log, clock, limit
        self._minutes: dict[PeerId, tuple[datetime, int]] = {}
        self._over: dict[PeerId, tuple[int, Decision]] = {}
        self._closing: dict[PeerId, asyncio.Task[None]] = {}

    async def record(self, peer: PeerId, decisions: Sequence[Decision]) -> None:
        """Keep the record of one refusal, or count it. Raises `Unkept`."""
        minute = self._clock().replace(second=0, microsecond=0)
        since, count = self._minutes.get(peer, (minute, 0))
        if since != minute:
            await self._close(peer)
            count = 0
        self._minutes[peer] = (minute, count + 1)
        if count < self._limit:
            await self._log.append(decisions)
            return
        self._over[peer] = (self._over.get(peer, (0, decisions[0]))[0] + 1, decisions[0])
        if peer not in self._closing:
            self._closing[peer] = asyncio.create_task(self._close_later(peer))

    async def flush(self) -> None:
        """Keep what was only counted so far; when the node stops."""
        for task in self._closing.values():
            task.cancel()
        for peer in list(self._over):
            await self._close(peer)

    async def _close_later(self, peer: PeerId) -> None:
        await asyncio.sleep(60 - self._clock().second)
        self._closing.pop(peer, None)
        await self._close(peer)

    async def _close(self, peer: PeerId) -> None:
        count, last = self._over.pop(peer, (0, None))
        if last is None:
            return
        response = last.body["adl.core.response"]
        told = {"decision": False, "context": {**response["context"], "count": count}}
        trace = Trace(last.trace_id, last.span_id).child()
        await self._log.append(
            [
                msgspec.structs.replace(
                    last, span_id=trace.span_id, body={**last.body, "adl.core.response": told},
                    timestamp=milliseconds(self._clock()),
                )
            ]
        )  # fmt: skip

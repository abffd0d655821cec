"""What the asking node writes down: that a person of this organisation asked (decision), and per person it was about
that their data was asked for, where, and for what (processing). Who the official is stands in the first only.

Logboek Dataverwerkingen core and reading extension; Authorization Decision Log 0.0.1.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from sluis.grounds import Offer
from sluis.kernel import Problem, Trace, milliseconds, new_span_id
from sluis.ledger import ACTIVITY, DATASETS, PROCESSOR, SUBJECT, SUBJECT_TYPE, Decision, Processing, Withheld
from sluis.policy import Decided, DecisionPoint, Evaluation, Occasion, asking, person
from sluis.query.model import Question, Who
from sluis.statement import CHARGE


class Asking(msgspec.Struct, frozen=True):
    """A question put to the decision point: may this person ask under this activity?

    Args:
        trace: the question's first span.
        evaluation: what the decision point was asked.
        decided: what it said.
        moment: when.
    """

    trace: Trace
    evaluation: Evaluation
    decided: Decided
    moment: datetime

    @classmethod
    def of(
        cls, point: DecisionPoint, trace: Trace, question: Question, who: Who, moment: datetime
    ) -> "Asking":
        """Ask it. Raises `Invalid` for values that have no meaning for policies."""
        subject = person(who.acting, who.acr, audience=who.audience, level=who.level, roles=who.roles)
        context = {"case": question.case, "traceparent": trace.traceparent}
        evaluation = asking(subject, question.activity, context)
        return cls(trace, evaluation, point.decide(evaluation, moment), moment)

    def record(
        self,
        point: DecisionPoint,
        shape: str = "",
        digests: Mapping[str, str] | None = None,
        problem: Problem | None = None,
        *,
        again: bool = False,
    ) -> Decision:
        """The record of it, with what became of the question; one per question, and one more when it goes wrong later.

        Args:
            point: which decided.
            shape: the SQL without constants.
            digests: per dataset the digest of the offer relied on.
            problem: why it did not go on; None when it did.
            again: whether a record of it stands in the log already.
        """
        response, limit = {}, None
        if problem is not None and self.decided.permit:
            limit = problem.rule or problem.code
            response = {"reason": problem.code} | ({"legal": problem.legal} if problem.legal else {})
        policies = {"statement": {"sql": shape}} if shape else {}
        occasion = Occasion(
            self.trace.child() if again else self.trace,
            self.moment,
            began=not again,
            policies=policies | ({"offers": dict(digests)} if digests else {}),
            response=response,
            limit=limit,
        )
        return point.record(self.evaluation, self.decided, occasion)


def processing(
    span: Trace,
    activity: str,
    name: str,
    started: int,
    ended: int,
    processor: str,
    subjects: Sequence[tuple[str, str]],
    parent: str,
    datasets: Sequence[str],
    withheld: Withheld | None = None,
    status: Literal["Ok", "Error"] = "Ok",
    charge: Mapping[str, Any] | None = None,
) -> list[Processing]:
    """The lines of one crossing: its own span, and below it one for each person it was about.

    Args:
        span: the span that was sent to the owner as its parent.
        processor: URL of the owner's node.
        subjects: (type, pseudonym) pairs.
        parent: the question's span.
        datasets: that were asked for, with the name of their owner; of this crossing alone: another one of the same question may be
            withheld.
        withheld: until when the subjects are not shown this, and why; as the owner's disclosure says.
        status: `Error` when it was sent and no answer came of it.
        charge: what the answer costs, as `statement.charge_attribute` writes it; on the span's own line.
    """
    shared = {
        ACTIVITY: activity,
        PROCESSOR: processor,
        "dpl.read.externalReadAPI_id": f"{processor.rstrip('/')}/v1",
        DATASETS: [*datasets],
    }

    def line(span_id: str, parent_id: str, more: Mapping[str, Any]) -> Processing:
        return Processing(
            trace_id=span.trace_id,
            span_id=span_id,
            parent_span_id=parent_id,
            name=name,
            status=status,
            start_time=started,
            end_time=ended,
            attributes={**shared, **more},
            withheld=withheld,
        )

    lines = [line(span.span_id, parent, {} if charge is None else {CHARGE: dict(charge)})]
    for kind, pseudonym in subjects:
        subject = {SUBJECT: pseudonym, SUBJECT_TYPE: kind}
        lines.append(line(new_span_id(), span.span_id, subject))
    return lines


def withheld(offers: Sequence[Offer], moment: datetime) -> Withheld | None:
    """Whether the people in an answer are not shown this consultation: the longest of what the owners ask for."""
    asked = [offer.disclosure.withhold for offer in offers if offer.disclosure.withhold]
    if not asked:
        return None
    longest = max(asked, key=lambda one: one.days)
    return Withheld(str(longest.article), milliseconds(moment + timedelta(days=longest.days)))

"""What this room writes down about people: one line per person and recipient (Logboek Dataverwerkingen core 1.0.0), about
pseudonyms, without anything that happened."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Protocol

from sluis.grounds import Withhold
from sluis.kernel import Trace, milliseconds, new_span_id
from sluis.ledger import ACTIVITY, PROCESSOR, SUBJECT, SUBJECT_TYPE, Processing, Withheld

TOLD_OF = "sluis.event"
"""The attribute that says by which notice of which type of event somebody was told."""


SIGNAL = "nl.sluis.antwoord.gewijzigd"
"""The type of what tells that the answer to a standing question changed (CloudEvents, `type`). It says nothing about the
question; its `notice` is the disclosure that the question rests on."""


class Ground(Protocol):
    """What a line rests on: a notice, or a question that stands."""

    @property
    def activity(self) -> str:
        """The processing activity."""

    @property
    def withhold(self) -> Withhold | None:
        """Whether the line is withheld from the person for a while."""


def about(
    name: str,
    ground: Ground,
    trace: Trace,
    now: datetime,
    *,
    service: str,
    processor: str,
    subject: tuple[str, str] | None,
    more: Mapping[str, Any],
) -> Processing:
    """One line.

    Args:
        name: what was done, in Dutch.
        ground: on which it rests; it says whether the line is withheld from the person for a while.
        trace: of what it is part of; the line is a span below it.
        now: when.
        service: name of this node.
        processor: address of the other organisation.
        subject: kind of key and pseudonym of the person; None when it is about nobody.
        more: attributes besides.
    """
    attributes: dict[str, Any] = {ACTIVITY: ground.activity, PROCESSOR: processor, **more}
    if subject is not None:
        attributes[SUBJECT_TYPE], attributes[SUBJECT] = subject
    moment = milliseconds(now)
    return Processing(
        trace_id=trace.trace_id,
        span_id=new_span_id(),
        name=name,
        status="Ok",
        start_time=moment,
        end_time=moment,
        parent_span_id=trace.span_id,
        attributes=attributes,
        resource={"attributes": {"service.name": service}},
        withheld=_withheld(ground, now),
    )


def _withheld(ground: Ground, now: datetime) -> Withheld | None:
    rule = ground.withhold
    if rule is None:
        return None
    return Withheld(str(rule.article), milliseconds(now + timedelta(days=rule.days)))

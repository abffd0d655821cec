"""What this room writes down about people: one line per person and recipient (Logboek Dataverwerkingen core 1.0.0), about
pseudonyms, without anything that happened."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sluis.grounds import Notice
from sluis.kernel import Trace, milliseconds, new_span_id
from sluis.ledger import ACTIVITY, PROCESSOR, SUBJECT, SUBJECT_TYPE, Processing, Withheld

TOLD_OF = "sluis.event"
"""The attribute that says by which notice of which type of event somebody was told."""


def about(
    name: str,
    notice: Notice,
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
        notice: on which it rests; it says whether the line is withheld from the person for a while.
        trace: of what it is part of; the line is a span below it.
        now: when.
        service: name of this node.
        processor: address of the other organisation.
        subject: kind of key and pseudonym of the person; None when it is about nobody.
        more: attributes besides.
    """
    attributes: dict[str, Any] = {ACTIVITY: notice.activity, PROCESSOR: processor, **more}
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
        withheld=_withheld(notice, now),
    )


def _withheld(notice: Notice, now: datetime) -> Withheld | None:
    rule = notice.withhold
    if rule is None:
        return None
    return Withheld(str(rule.article), milliseconds(now + timedelta(days=rule.days)))

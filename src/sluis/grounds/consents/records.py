"""What the log says of a consent that was given, narrowed or taken back: to what, whose, and who recorded it."""

from datetime import date, datetime
from typing import Literal

from sluis.grounds.consents.model import Consent
from sluis.kernel import milliseconds, new_span_id, new_trace_id, plain
from sluis.ledger import ACTIVITY, SUBJECT, SUBJECT_TYPE, Arrangement

Change = Literal["give", "narrow", "revoke"]

_TOLD = ("recipient", "datasets", "since", "until")


def changed(change: Change, consent: Consent, by: str, moment: datetime) -> Arrangement:
    """The record of one change; all of one consent have its id as their trace.

    Args:
        change: what was done.
        consent: as it stands after it.
        by: who recorded it.
        moment: when.
    """
    document = plain(consent)
    return Arrangement(
        trace_id=consent.id,
        span_id=new_span_id(),
        action=f"consent.{change}",
        actor=by,
        about=f"urn:sluis:consent:{consent.id}",
        timestamp=milliseconds(moment),
        attributes={ACTIVITY: consent.activity, SUBJECT: consent.subject, SUBJECT_TYPE: consent.kind},
        body={name: document[name] for name in _TOLD},
    )


def forgotten(count: int, before: date, moment: datetime) -> Arrangement:
    """The record that consents which ended long ago are kept no longer: how many, and before which day they ended."""
    return Arrangement(
        trace_id=new_trace_id(),
        span_id=new_span_id(),
        action="consent.forget",
        actor="node",
        about="urn:sluis:consents",
        timestamp=milliseconds(moment),
        body={"count": count, "ended_before": before.isoformat()},
    )

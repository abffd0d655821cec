"""What the log says of a consent that was given, narrowed or taken back: whose, to what, and who recorded it."""

from datetime import datetime
from typing import Literal

from sluis.grounds.consents.model import Consent
from sluis.kernel import Trace, milliseconds
from sluis.ledger import ACTIVITY, SUBJECT, SUBJECT_TYPE, Processing

Change = Literal["give", "narrow", "revoke"]

_NAMES: dict[Change, str] = {
    "give": "Toestemming gegeven",
    "narrow": "Toestemming beperkt",
    "revoke": "Toestemming ingetrokken",
}


def changed(change: Change, consent: Consent, by: str, moment: datetime) -> Processing:
    """The record of one change.

    Args:
        change: what was done.
        consent: as it stands after it.
        by: who recorded it.
        moment: when.
    """
    trace, now = Trace.begin(), milliseconds(moment)
    return Processing(
        trace_id=trace.trace_id,
        span_id=trace.span_id,
        name=_NAMES[change],
        status="Ok",
        start_time=now,
        end_time=now,
        attributes={ACTIVITY: consent.activity, SUBJECT: consent.subject, SUBJECT_TYPE: consent.kind},
        resource={"attributes": {"sluis.consent": consent.id, "sluis.by": by}},
    )

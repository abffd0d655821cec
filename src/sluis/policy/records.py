"""What the decision point writes down: one record per call (Authorization Decision Log 0.0.1, levels 1 to 4).

The request stands in the body as it was decided on, so that with the policies of then, found by their digest, and the
record's own time, the same decision follows again.
"""

from datetime import datetime
from importlib.metadata import version
from typing import Any, Final, Literal

import msgspec

from sluis.kernel import Trace, milliseconds, plain
from sluis.ledger import SUBJECT, Decision
from sluis.policy.model import Decided, Evaluation

Event = Literal[
    "adl.access_evaluation",
    "adl.access_evaluations",
    "adl.search_subject",
    "adl.search_action",
    "adl.search_resource",
]

CALLER = "sluis.policy.caller"
TRANSACTION = "adl.fsc.transaction_id"
REQUEST, RESPONSE = "adl.core.request", "adl.core.response"
POLICIES, CONFIGURATION = "adl.core.policies", "adl.core.configuration"
INFORMATION = "adl.core.information"
VERSION = "cedar"
"""Under which the policies, and what is known besides the request, refer to the version that both are part of."""

_EVALUATION: Final = "adl.access_evaluation"
_SOFTWARE = {"sluis": version("sluis")}


def references_of(record: Decision) -> dict[str, Any]:
    """What a decision rests on besides, by name, as its `Occasion` had it; nothing for one of another kind."""
    found = record.attributes.get(POLICIES)
    return found if isinstance(found, dict) else {}


BEYOND = "decided"
"""Where an answer that a limit turned into a refusal keeps what the policies had decided."""


def refused_beyond(response: dict[str, Any], rule: str, **more: Any) -> dict[str, Any]:
    """The answer when the policies permitted, and a limit of the disclosure then refused: `rule` is its name."""
    return {"decision": False, "context": {"rule": rule, BEYOND: response, **more}}


def response_of(decided: Decided, **more: Any) -> dict[str, Any]:
    """A decision as AuthZEN answers it (1.0, Access Evaluation Response), with what decided in its context."""
    context: dict[str, Any] = {"rule": decided.rule, "policies": list(decided.policies)}
    if decided.disclosure is not None and decided.permit:
        context["disclosure"] = decided.disclosure
    if decided.legal is not None:
        context["legal"] = decided.legal
    if decided.reason is not None:
        context["reason_user"] = {"nl": decided.reason.nl, "en": decided.reason.en}
    return {"decision": decided.permit, "context": {**context, **more}}


class Occasion(msgspec.Struct, frozen=True):
    """On what occasion something was decided, as far as its record tells.

    Args:
        trace: of whoever asks; the record is a span below it, or that very span when the trace `began` here.
        moment: when it was decided, aware UTC, as given to the engine.
        began: whether the trace begins here; then the record has no parent.
        transaction_id: of the crossing, when it came over an inway or leaves by an outway.
        data_subject: pseudonym of whom it is about, as `Ledger.subject` gives it; never the identifier.
        caller: name of the program or person that called the API.
        policies: what else the decision rests on, by name, as references.
        response: what else the answer's context holds.
        limit: the limit of the disclosure that refused what the policies permitted, if one did.
    """

    trace: Trace
    moment: datetime
    began: bool = False
    transaction_id: str | None = None
    data_subject: str | None = None
    caller: str | None = None
    policies: dict[str, Any] = {}
    response: dict[str, Any] = {}
    limit: str | None = None


def record(evaluation: Evaluation, decided: Decided, occasion: Occasion, service: str) -> Decision:
    """The record of one decision, for whoever asked to append in a commit of their own.

    Args:
        evaluation: the request.
        decided: the decision.
        occasion: when, whose, and what came of it.
        service: name of this node, where records of many are put together.
    """
    if occasion.limit is None:
        told = response_of(decided, **occasion.response)
    else:
        told = refused_beyond(response_of(decided), occasion.limit, **occasion.response)
    request, digest = plain(evaluation), decided.version
    return call_record(_EVALUATION, request, told, digest, occasion, service, failed=decided.failed)


def call_record(
    event: Event,
    request: dict[str, Any],
    response: dict[str, Any],
    digest: str,
    occasion: Occasion,
    service: str,
    *,
    failed: bool = False,
) -> Decision:
    """The record of one call, of whichever kind.

    Args:
        event: which call.
        request: as it was decided on.
        response: as it was answered.
        digest: of the policies.
        occasion: as `record`.
        service: as `record`.
        failed: whether no decision could be made.
    """
    attributes: dict[str, Any] = {
        POLICIES: {VERSION: digest, **occasion.policies},
        INFORMATION: {VERSION: digest},
        CONFIGURATION: _SOFTWARE,
    }
    if occasion.transaction_id is not None:
        attributes[TRANSACTION] = occasion.transaction_id
    if occasion.caller is not None:
        attributes[CALLER] = occasion.caller
    if occasion.data_subject is not None:
        attributes[SUBJECT] = occasion.data_subject
    trace, began = occasion.trace, occasion.began
    return Decision(
        trace_id=trace.trace_id,
        span_id=trace.span_id if began else trace.child().span_id,
        event_name=event,
        timestamp=milliseconds(occasion.moment),
        status="Error" if failed else "Unset",
        parent_span_id=None if began else trace.span_id,
        attributes=attributes,
        resource={"attributes": {"service.name": service}},
        body={REQUEST: request, RESPONSE: response},
    )

"""What the decision point is asked, what it knows, and what it answers.

Requests have the form of the AuthZEN Authorization API 1.0 (subject, action, resource, context), with what AuthZEN NL GOV
1.0.0 adds: `action.properties.processing_activity_id`, `context.traceparent`, `context.time`.
"""

from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any

import msgspec

from sluis.kernel import Level, PeerId, Period, Text

Label = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Id = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
Properties = dict[str, Any]

CONSULT = "consult"
"""The action of a peer that asks for data; only a disclosure permits it."""

NOTIFY = "notify"
"""The action of a peer that hears of events; only a notice permits it."""

PEER, DATASET, EVENT_TYPE = "peer", "dataset", "event_type"
"""Types of the subject of a consultation or a notice, and of the resource of each."""

OPENED = {CONSULT: DATASET, NOTIFY: EVENT_TYPE}
"""The actions that only a file of the owner permits, each with the type of its resource."""

ACTIVITY_ID = "processing_activity_id"


class Subject(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who would do it (AuthZEN 1.0, Subject)."""

    type: Label
    id: Id
    properties: Properties = {}

    def __repr__(self) -> str:
        return "Subject(•)"


class Action(msgspec.Struct, frozen=True, omit_defaults=True):
    """What would be done (AuthZEN 1.0, Action)."""

    name: Label
    properties: Properties = {}


class Resource(msgspec.Struct, frozen=True, omit_defaults=True):
    """To what (AuthZEN 1.0, Resource)."""

    type: Label
    id: Id
    properties: Properties = {}

    def __repr__(self) -> str:
        return "Resource(•)"


class Evaluation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request for a decision (AuthZEN 1.0, Access Evaluation Request). What else it holds is passed over."""

    subject: Subject
    action: Action
    resource: Resource
    context: Properties = {}


def consultation(
    peer: PeerId,
    person: str,
    acr: str,
    activity: str,
    dataset: str,
    *,
    agreed: Iterable[str] | None = None,
    level: Level | None = None,
    context: Properties | None = None,
) -> Evaluation:
    """May this peer use that dataset for this activity?

    Args:
        peer: who asks, as its certificate proves.
        person: the asking node's pseudonym of who acts.
        acr: how that person signed in.
        activity: URI of the processing activity.
        dataset: as it is named in questions: `owner.name`.
        agreed: ids of the disclosures that the contract covers under which the peer came; None without contracts.
        level: of assurance, where `acr` itself does not name it.
        context: what else belongs in the record, such as `case` and `traceparent`.
    """
    signed_in = {"person": person, "acr": acr} | ({} if level is None else {"level": level})
    told = dict(context or {}) | ({} if agreed is None else {"agreed": sorted(agreed)})
    return Evaluation(
        Subject(PEER, str.__str__(peer), signed_in),
        Action(CONSULT, {ACTIVITY_ID: activity}),
        Resource(DATASET, dataset),
        told,
    )


def notification(
    peer: PeerId,
    activity: str,
    event: str,
    *,
    agreed: Iterable[str] | None = None,
    context: Properties | None = None,
) -> Evaluation:
    """May this peer hear of events of that type for this activity?

    Args:
        peer: who would hear.
        activity: URI of the processing activity.
        event: the type of the events.
        agreed: ids of the notices that contracts in force with the peer cover; None without contracts.
        context: what else belongs in the record, such as `notice`.
    """
    told = dict(context or {}) | ({} if agreed is None else {"agreed": sorted(agreed)})
    return Evaluation(
        Subject(PEER, str.__str__(peer)),
        Action(NOTIFY, {ACTIVITY_ID: activity}),
        Resource(EVENT_TYPE, event),
        told,
    )


class Ruling(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of one disclosure decides about a consultation, or of one notice about who hears of an event; and the Cedar
    policy that says the same.

    Args:
        disclosure: its id.
        version: its version.
        recipient: the peer.
        activity: URI of the processing activity.
        dataset: as questions name it: `owner.name`; of a notice, the type of the events.
        valid: when it holds.
        activity_valid: when the activity is in force.
        refuse_acr: ways of signing in that are not accepted.
        minimum_level: how sure it must be who acts; None when that does not matter.
        article: the law behind it.
        text: the Cedar policy.
        action: that it permits.
    """

    disclosure: str
    version: int
    recipient: str
    activity: str
    dataset: str
    valid: Period
    activity_valid: Period
    refuse_acr: tuple[str, ...] = ()
    minimum_level: Level | None = None
    article: str | None = None
    text: str = ""
    action: str = CONSULT

    @property
    def policy(self) -> str:
        """The id of its policy."""
        kind = "disclosure" if self.action == CONSULT else "notice"
        return f"{kind}:{self.disclosure}@{self.version}"


class Policies(msgspec.Struct, frozen=True, omit_defaults=True):
    """Everything that decisions follow from: this, a request and a moment give one answer, now and later.

    Args:
        own: the organisation's Cedar texts, by file name.
        rulings: what the disclosures come down to.
        entities: what is known of people and things, in Cedar's JSON form for entities.
        schema: Cedar schema, when there is one.
        contracts: whether peers come under contracts, so that only what one covers is open to them.
    """

    own: dict[str, str] = {}
    rulings: tuple[Ruling, ...] = ()
    entities: tuple[dict[str, Any], ...] = ()
    schema: str | None = None
    contracts: bool = False


class Facts(msgspec.Struct, frozen=True):
    """What counts of a consultation, or of a peer that would hear of events. `level` counts from 0, none, to 4, high; `agreed` is None where there are no
    contracts; `day` is the owner's own."""

    peer: str
    acr: str
    level: int
    activity: str
    dataset: str
    day: date
    agreed: frozenset[str] | None = None
    action: str = CONSULT


class Refusal(msgspec.Struct, frozen=True):
    """Why no disclosure permits: the rule that left none, and the one that came closest."""

    rule: str
    closest: Ruling | None = None


class Decided(msgspec.Struct, frozen=True, omit_defaults=True):
    """A decision.

    Args:
        permit: yes or no.
        rule: what decided: `disclosed`, `notified`, a step of `rules.why_not`, the id of an own policy, `no-policy` when none permits,
            `policy-failed` when one that forbids could not be worked out.
        disclosure: id of the disclosure or notice that permits, or that came closest.
        legal: the article behind it, where there is one.
        policies: ids of the Cedar policies that determined it, sorted.
        version: digest of the policies.
        reason: what the policy's author says of it.
        failed: no decision could be made; then `permit` is false.
    """

    permit: bool
    rule: str
    disclosure: str | None = None
    legal: str | None = None
    policies: tuple[str, ...] = ()
    version: str = ""
    reason: Text | None = None
    failed: bool = False

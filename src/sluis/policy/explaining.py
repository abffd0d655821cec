"""What the policies would say, for whoever runs a node: why a request is permitted or not, and what a subject would be
allowed over all that is known. Nothing is decided for anybody here, so nothing of it is recorded.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

import msgspec

from sluis.kernel import Level, Place
from sluis.policy.cedar import read_policies
from sluis.policy.engine import Engine
from sluis.policy.known import ACTIVITY, PERSON, ROLE
from sluis.policy.model import (
    ACTIVITY_ID,
    OPENED,
    PEER,
    Action,
    Decided,
    Evaluation,
    Resource,
    Ruling,
    Subject,
)
from sluis.policy.rules import facts_of, why_not
from sluis.policy.standard import ASK, asking


class Tried(msgspec.Struct, frozen=True, omit_defaults=True):
    """A disclosure of the dataset to the peer, or a notice of the event to it, and the rule at which it fell; None when it permits."""

    disclosure: str
    version: int
    activity: str
    fell: str | None = None
    article: str | None = None
    minimum_level: Level | None = None


class Why(msgspec.Struct, frozen=True, omit_defaults=True):
    """A decision and where it comes from.

    Args:
        decided: the decision.
        policies: where the policies stand that determined it, by id; those of disclosures stand in no file.
        disclosures: of a consultation: every disclosure of that dataset to that peer; so the notices of an event.
    """

    decided: Decided
    policies: dict[str, Place | None]
    disclosures: tuple[Tried, ...] = ()


class Would(msgspec.Struct, frozen=True, omit_defaults=True):
    """What would be decided on one request; `activity` where the request has one."""

    action: str
    resource: Resource
    decided: Decided
    activity: str | None = None

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What the request is about."""
        return self.action, self.resource.type, self.resource.id, self.activity or ""


class Difference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A request that two sets of policies answer differently; None on the side where there is no such request."""

    before: Would | None
    after: Would | None


def explained(engine: Engine, evaluation: Evaluation, moment: datetime) -> Why:
    """Why a request is permitted or not. Raises `Invalid` for values that have no meaning for policies."""
    decided = engine.decide(evaluation, moment)
    places = dict(_places(engine))
    return Why(
        decided,
        {id: places.get(id) for id in decided.policies},
        tuple(_tried(engine, evaluation, moment)) if evaluation.action.name in OPENED else (),
    )


def simulated(
    engine: Engine, subject: Subject, moment: datetime, also: Sequence[tuple[str, Resource]] = ()
) -> list[Would]:
    """What a subject would be allowed: a peer to consult every dataset and hear of every event for every activity, anyone
    else to ask for every activity; and every other action that policies name, on everything that is known.

    Args:
        engine: the policies.
        subject: who.
        moment: aware UTC.
        also: actions on resources that are not among what is known.

    Raises:
        Invalid: a property has no meaning for policies.
    """
    requests = list(_requests(engine, subject, also))
    return [
        Would(
            one.action.name,
            one.resource,
            engine.decide(one, moment),
            one.action.properties.get(ACTIVITY_ID),
        )
        for one in requests
    ]


def differences(before: Iterable[Would], after: Iterable[Would]) -> list[Difference]:
    """Where the answers are not the same: yes or no, the rule, or the disclosure."""
    one, other = ({each.key: each for each in side} for side in (before, after))
    return [
        Difference(one.get(key), other.get(key))
        for key in dict.fromkeys((*one, *other))
        if _answer(one.get(key)) != _answer(other.get(key))
    ]


def _answer(would: Would | None) -> tuple[bool, str, str | None] | None:
    return None if would is None else (would.decided.permit, would.decided.rule, would.decided.disclosure)


def _places(engine: Engine) -> Iterator[tuple[str, Place]]:
    for file, text in engine.policies.own.items():
        for one in read_policies(text, file):
            yield one.id, Place(file, one.line)


def _tried(engine: Engine, evaluation: Evaluation, moment: datetime) -> Iterator[Tried]:
    facts = facts_of(evaluation, moment, engine.policies.contracts)
    for one in engine.policies.rulings:
        if (one.action, one.recipient, one.dataset) == (facts.action, facts.peer, facts.dataset):
            refusal = why_not(facts, [one])
            yield _as_tried(one, None if refusal is None else refusal.rule)


def _as_tried(one: Ruling, fell: str | None) -> Tried:
    return Tried(one.disclosure, one.version, one.activity, fell, one.article, one.minimum_level)


def _requests(engine: Engine, subject: Subject, also: Sequence[tuple[str, Resource]]) -> Iterator[Evaluation]:
    actions, activities = engine.actions(), engine.known(ACTIVITY)
    agreed = sorted({one.disclosure for one in engine.policies.rulings})
    for activity in activities:
        if subject.type == PEER:
            for name, kind in OPENED.items():
                action = Action(name, {ACTIVITY_ID: activity})
                for id in engine.known(kind):
                    yield Evaluation(subject, action, Resource(kind, id), {"agreed": agreed})
        else:
            yield asking(subject, activity, {})
    things = [uid for uid in sorted(engine.entities) if uid[0] not in (PEER, PERSON, ROLE, "Action")]
    listed = {action for action, _ in also}
    for one in actions:
        if one not in (*OPENED, ASK) and one not in listed:
            for kind, id in things:
                yield Evaluation(subject, Action(one), _resource(kind, id))
    for one, resource in also:
        yield Evaluation(subject, Action(one), resource)


def _resource(kind: str, id: str) -> Resource:
    if kind != "Linked":
        return Resource(kind, id)
    kind, _, id = id.partition(" ")
    return Resource(kind, id)

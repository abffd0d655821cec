"""Why a consultation is refused, and which disclosure applies when it is not. Pure: the same facts, the same answer.

Whether it is permitted, the Cedar policy of each disclosure decides; a property test holds this table against it.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from sluis.kernel import LEVELS, Level, level_of
from sluis.policy.model import ACTIVITY_ID, OPENED, PEER, Evaluation, Facts, Refusal, Ruling

_STEPS: tuple[tuple[str, Callable[[Facts, Ruling], bool]], ...] = (
    ("not-disclosed", lambda facts, one: (one.action, one.dataset) == (facts.action, facts.dataset)),
    ("not-disclosed", lambda facts, one: one.recipient == facts.peer),
    ("not-disclosed", lambda facts, one: one.activity == facts.activity),
    ("contract-missing", lambda facts, one: facts.agreed is None or one.disclosure in facts.agreed),
    ("activity-ended", lambda facts, one: one.activity_valid.holds(facts.day)),
    ("not-valid-today", lambda facts, one: one.valid.holds(facts.day)),
    ("sign-in-refused", lambda facts, one: facts.acr not in one.refuse_acr),
    ("sign-in-too-weak", lambda facts, one: facts.level >= rank(one.minimum_level)),
)
"""Rules in the order they are tried; each must leave a disclosure standing, else its name is the refusal."""


def rank(level: Level | None) -> int:
    """A level as a number, for comparing: 0 for none, 1 for basic, up to 4 for high."""
    return 0 if level is None else LEVELS.index(level) + 1


def facts_of(evaluation: Evaluation, moment: datetime, contracts: bool) -> Facts:
    """What counts of a request; what is not there, or not of its kind, counts as nothing.

    Args:
        evaluation: the request.
        moment: aware UTC; the day is taken from it, whatever the request says.
        contracts: whether peers come under contracts.
    """
    subject, action, resource = evaluation.subject, evaluation.action, evaluation.resource
    acr = _text(subject.properties.get("acr"))
    level = subject.properties.get("level")
    kind = OPENED.get(action.name)
    agreed = evaluation.context.get("agreed")
    ids = (
        frozenset(one for one in agreed if isinstance(one, str)) if isinstance(agreed, list) else frozenset()
    )
    return Facts(
        peer=subject.id if kind is not None and subject.type == PEER else "",
        acr=acr,
        level=rank(level if level in LEVELS else level_of(acr)),
        activity=_text(action.properties.get(ACTIVITY_ID)),
        dataset=resource.id if resource.type == kind else "",
        day=moment.date(),
        agreed=ids if contracts else None,
        action=action.name,
    )


def why_not(facts: Facts, rulings: Iterable[Ruling]) -> Refusal | None:
    """Why these facts permit no use of the dataset; None when a disclosure permits it.

    A peer for whom nothing was opened gets `not-disclosed` and nothing else, whether or not the dataset exists.
    """
    standing = tuple(rulings)
    closest: Ruling | None = None
    for rule, holds in _STEPS:
        left = tuple(one for one in standing if holds(facts, one))
        if not left:
            return Refusal(rule, None if rule == "not-disclosed" else closest)
        standing, closest = left, left[0]
    return None


def applies(permitting: Iterable[Ruling]) -> Ruling:
    """Of several disclosures that permit, the one with the highest version."""
    return max(permitting, key=lambda one: (one.version, one.disclosure))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""

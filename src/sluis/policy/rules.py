"""Which disclosure, if any, a peer may use. One pure function: the same facts give the same decision."""

from collections.abc import Callable

from sluis.grounds import Disclosure
from sluis.kernel import reaches
from sluis.policy.model import Decision, Facts

_STEPS: tuple[tuple[str, Callable[[Facts, Disclosure], bool]], ...] = (
    ("not-disclosed", lambda facts, one: one.dataset == facts.dataset and one.recipient == facts.peer),
    ("not-disclosed", lambda facts, one: one.activity == facts.activity),
    ("not-disclosed", lambda facts, one: facts.activity_valid is not None),
    ("contract-missing", lambda facts, one: facts.agreed is None or one.id in facts.agreed),
    (
        "activity-ended",
        lambda facts, one: facts.activity_valid is not None and facts.activity_valid.holds(facts.day),
    ),
    ("not-valid-today", lambda facts, one: one.valid.holds(facts.day)),
    ("sign-in-refused", lambda facts, one: facts.acr not in one.refuse_acr),
    (
        "sign-in-too-weak",
        lambda facts, one: one.minimum_level is None or reaches(facts.level, one.minimum_level),
    ),
)
"""Rules in the order they are tried; each must leave a disclosure standing, else its name is the refusal."""


def decide(facts: Facts) -> Decision:
    """Whether these facts permit use, under which disclosure.

    A peer for whom nothing was opened gets `not-disclosed` and nothing else, whether or not the dataset exists.
    Of several disclosures that permit, the one with the highest version decides.
    """
    standing = facts.candidates
    closest: Disclosure | None = None
    for rule, holds in _STEPS:
        left = tuple(one for one in standing if holds(facts, one))
        if not left:
            if closest is None or rule == "not-disclosed":
                return Decision(False, rule)
            return Decision(False, rule, closest.id, _article(closest))
        standing, closest = left, left[0]
    chosen = max(standing, key=lambda one: (one.version, one.id))
    return Decision(True, "disclosed", chosen.id, _article(chosen))


def _article(disclosure: Disclosure) -> str | None:
    return str(disclosure.articles[0]) if disclosure.articles else None

"""What asks Cedar's compiled part itself gets what everybody gets, and a slice is what its policies are together."""

from typing import Any

import pytest
from cedarpy import Decision, is_authorized

from sluis.policy.cedar import Outcome, Slice, read_generated, read_policies

OWN = """
@id("closed") forbid (principal, action, resource) when { context.acr == "none" };
@id("careless") forbid (principal, action, resource) when { context.missing };
@id("policy0") permit (principal == peer::"1", action == Action::"read", resource);
"""
OPENING = """
@id("disclosure:a@1") permit (principal == peer::"1", action == Action::"consult", resource == dataset::"d")
when { context.day >= 20200101 };
@id("disclosure:b@1") permit (principal == peer::"1", action == Action::"consult", resource == dataset::"d")
when { context.agreed.contains("b") };
"""
REQUESTS = [
    ("consult", {"acr": "x", "day": 20260101, "agreed": [], "missing": False}),
    ("consult", {"acr": "x", "day": 20260101, "agreed": ["b"], "missing": False}),
    ("consult", {"acr": "none", "day": 20260101, "agreed": ["b"], "missing": True}),
    ("consult", {"acr": "x", "day": 20190101, "agreed": []}),
    ("consult", {"acr": "x", "day": 20190101}),
    ("read", {"acr": "x", "day": 0, "agreed": [], "missing": False}),
    ("consult", {"acr": 1.5}),
]


def asked(one: Slice, action: str, context: dict[str, Any]) -> Outcome:
    return one.evaluate(("peer", "1"), action, ("dataset", "d"), context, [])


@pytest.mark.parametrize(("action", "context"), REQUESTS)
def test_the_compiled_part_says_what_the_library_around_it_says(action: str, context: dict[str, Any]) -> None:
    request = {
        "principal": {"type": "peer", "id": "1"},
        "action": {"type": "Action", "id": action},
        "resource": {"type": "dataset", "id": "d"},
        "context": context,
    }
    told = is_authorized(request, OWN + OPENING, "[]")
    names = told.diagnostics.id_annotations_by_reason
    outcome = asked(Slice(read_policies(OWN, "own.cedar")).opening(OPENING), action, context)
    assert (outcome.permit, outcome.undone) == (told.allowed, told.decision is Decision.NoDecision)
    assert outcome.determining == tuple(sorted(names.values()))
    assert len(outcome.failed) == len(told.diagnostics.errors) - outcome.undone


@pytest.mark.parametrize(("action", "context"), REQUESTS)
def test_policies_beside_shared_ones_decide_as_all_of_them_together(
    action: str, context: dict[str, Any]
) -> None:
    shared = Slice(read_policies(OWN, "own.cedar")).opening(OPENING)
    whole = Slice([*read_policies(OWN, "own.cedar"), *read_generated([OPENING])])
    one, other = asked(shared, action, context), asked(whole, action, context)
    assert (one.permit, one.determining, one.undone) == (other.permit, other.determining, other.undone)
    own = {"closed", "careless", "policy0"}
    assert own.intersection(one.failed) == own.intersection(other.failed)


def test_what_is_looked_at_is_what_shared_and_own_policies_look_at() -> None:
    own = Slice(read_policies(OWN, "own.cedar"))
    assert own.looks_at == {"acr", "missing"}
    assert own.opening(OPENING).looks_at == {"acr", "missing", "day", "agreed"}
    whole = '@id("all") forbid (principal, action, resource) when { context == {} };'
    assert Slice(read_policies(whole, "own.cedar")).opening(OPENING).looks_at is None

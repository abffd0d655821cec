"""What holds for every disclosure and every request, whatever is written in them."""

from datetime import UTC, date, datetime, time
from typing import Any

import msgspec
from cedarpy import PolicySet, is_authorized
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.policy.samples import ACTIVITY, ASKER, OPEN, OTHER

from sluis.grounds import Activity, Disclosure, Grounds
from sluis.kernel import ACR, LEVELS, Invalid, Level, Period, level_of, plain
from sluis.policy import Action, Engine, Evaluation, Policies, Resource, Subject, consultation, rulings_of
from sluis.policy.cedar import read_generated
from sluis.policy.disclosures import quoted

DAYS = st.dates(date(2026, 1, 1), date(2026, 1, 6))
ACTIVITIES = ("urn:activity", "urn:other", "urn:unknown")
ACRS = ("local", "basic", *ACR.values())


def mostly(usual: Any, *others: Any) -> st.SearchStrategy[Any]:
    """The usual nine times in ten: so that all conditions but one often hold."""
    return st.sampled_from([usual] * 9 * max(1, len(others)) + list(others))


@st.composite
def periods(draw: Any) -> Period:
    return Period(*sorted((draw(DAYS), draw(DAYS)))) if draw(st.booleans()) else Period(date(2026, 1, 1))


@st.composite
def disclosures(draw: Any) -> Disclosure:
    return msgspec.structs.replace(
        OPEN,
        id=draw(st.sampled_from(("d1", "d2", "d3", "d4"))),
        version=draw(st.integers(1, 3)),
        dataset=draw(mostly("people", "income")),
        recipient=draw(mostly(ASKER, OTHER)),
        activity=draw(mostly(*ACTIVITIES)),
        valid=draw(periods()),
        refuse_acr=tuple(draw(st.sets(st.sampled_from(ACRS), max_size=2))),
        minimum_level=draw(st.none() | st.sampled_from(LEVELS)),
    )


@st.composite
def requests(draw: Any) -> Evaluation:
    return consultation(
        draw(mostly(ASKER, OTHER)),
        "p",
        draw(st.sampled_from(ACRS)),
        draw(mostly(*ACTIVITIES)),
        draw(mostly("own.people", "own.income", "people")),
        agreed=draw(st.none() | st.sets(st.sampled_from(("d1", "d2", "d3", "d4")))),
        level=draw(st.none() | st.sampled_from(LEVELS)),
    )


def expected(
    opened: list[Disclosure], valid: dict[str, Period], request: Evaluation, day: date, contracts: bool
) -> tuple[str, int] | None:
    """Written from the words of the standard and the decision documents, not from the code: the disclosure that applies."""
    said = request.subject.properties
    level: Level | None = said.get("level") or level_of(said["acr"])
    strength = LEVELS.index(level) if level else -1
    agreed = request.context.get("agreed", [])
    standing = [
        one
        for one in opened
        if f"own.{one.dataset}" == request.resource.id
        and one.recipient == request.subject.id
        and one.activity == request.action.properties["processing_activity_id"]
        and one.activity in valid
        and valid[one.activity].since <= day <= (valid[one.activity].until or date.max)
        and one.valid.since <= day <= (one.valid.until or date.max)
        and said["acr"] not in one.refuse_acr
        and (one.minimum_level is None or LEVELS.index(one.minimum_level) <= strength)
        and (not contracts or one.id in agreed)
    ]
    return max(((one.id, one.version) for one in standing), key=lambda key: (key[1], key[0]), default=None)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(disclosures(), max_size=3, unique_by=lambda one: (one.id, one.version)),
    st.lists(periods(), min_size=2, max_size=2), requests(), DAYS, st.times(), st.booleans(),
)  # fmt: skip
def test_every_decision_is_that_of_a_reference_and_the_steps_say_why_not_exactly_when_it_is_no(
    opened: list[Disclosure], valid: list[Period], request: Evaluation, day: date, at: time, contracts: bool
) -> None:
    activities = [replaced(ACTIVITY, id=id, valid=one) for id, one in zip(ACTIVITIES, valid, strict=False)]
    grounds = Grounds((), tuple(activities), tuple(opened))
    engine = Engine(Policies({}, rulings_of(grounds, "own", contracts), contracts=contracts))
    decided = engine.decide(request, datetime.combine(day, at, UTC))
    wanted = expected(opened, {one.id: one.valid for one in activities}, request, day, contracts)
    if wanted is None:
        assert not decided.permit
        # the table of steps is what names the reason: none of its rules may be missing one that Cedar has
        assert decided.rule not in ("no-policy", "disclosed", "policy-failed")
    else:
        assert (decided.permit, decided.rule, decided.disclosure) == (True, "disclosed", wanted[0])
        assert f"disclosure:{wanted[0]}@{wanted[1]}" in decided.policies


def replaced(activity: Activity, **changed: Any) -> Activity:
    return msgspec.structs.replace(activity, **changed)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
def test_a_literal_holds_exactly_what_was_put_in_it(text: str, other: str) -> None:
    policies = PolicySet.from_str(
        f"permit (principal, action, resource) when {{ context.a == {quoted(text)} }};"
    )
    for value in (text, other):
        request = {
            "principal": 'a::"a"',
            "action": 'Action::"a"',
            "resource": 'a::"a"',
            "context": {"a": value},
        }
        assert is_authorized(request, policies, "[]").allowed == (value == text)


@settings(max_examples=100, deadline=None)
@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_whatever_a_disclosure_says_it_is_one_policy_that_opens_just_that(
    dataset: str, activity: str, acr: str, law: str
) -> None:
    article = msgspec.structs.replace(OPEN.articles[0], law=law)
    hostile = msgspec.structs.replace(
        OPEN, dataset=dataset, activity=activity, refuse_acr=(acr,), articles=(article,)
    )
    grounds = Grounds((), (replaced(ACTIVITY, id=activity),), (hostile,))
    (ruling,) = rulings_of(grounds, "own", False)
    (policy,) = read_generated([ruling.text])
    assert (policy.id, policy.effect) == (ruling.policy, "permit")
    engine = Engine(Policies({}, (ruling,)))
    moment = datetime(2026, 6, 1, tzinfo=UTC)
    if dataset and activity and acr != "x":
        assert engine.decide(consultation(ASKER, "p", "x", activity, f"own.{dataset}"), moment).permit
    assert not engine.decide(consultation(ASKER, "p", acr, activity or "-", f"own.{dataset}"), moment).permit
    assert not engine.decide(consultation(OTHER, "p", "x", activity or "-", f"own.{dataset}"), moment).permit


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(TEXTS, VALUES, max_size=3),
    st.just("user") | TEXTS.filter(bool),
    st.just("a") | TEXTS.filter(bool),
)
def test_nothing_that_a_request_holds_makes_it_permitted(said: dict[str, Any], kind: str, id: str) -> None:
    own = {
        "a.cedar": '@id("one") permit (principal == user::"a", action, resource) when { context == {} || true };'
    }
    engine = Engine(Policies(own))
    request = Evaluation(Subject(kind, id, said), Action("a", said), Resource(kind, id, said), said)
    try:
        decided = engine.decide(request, datetime(2026, 6, 1, tzinfo=UTC))
    except Invalid:  # which is 400
        pass
    else:
        assert decided.permit == ((kind, id) == ("user", "a"))
        assert plain(decided)

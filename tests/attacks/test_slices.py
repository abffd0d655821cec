"""A decision is made with a part of the policies, and of what is known: it is the same as with all of it. Who finds a policy
that forbids and is left out, or that is not shown what it looks at, may do what nobody meant."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from cedarpy import Decision, PolicySet, is_authorized

from sluis.kernel import Period
from sluis.policy.cedar import read_generated, read_policies
from sluis.policy.disclosures import _text
from sluis.policy.engine import Engine, _context
from sluis.policy.model import Action, Evaluation, Policies, Resource, Ruling, Subject
from sluis.policy.rules import facts_of
from sluis.policy.values import uid_of, values_of

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
ASKER, OTHER = "00000001000000000001", "00000001000000000002"
CONDITIONS = (
    'context.activity == "urn:a"', "context has x && context.x == 1", '{"a": context}.a has x', "context has action && context.action has q",
    'principal has roles && principal.roles.contains("r")', 'principal has name && principal.name like "b*"',
    'principal in role::"top"', 'principal is person in role::"r"', 'principal.hasTag("t") && principal.getTag("t") == "v"',
    'principal has type && principal.type == "urn:q/z"', 'person::"x" in role::"r"', 'person::"x".roles.contains("r")',
    '(if context has x then principal else resource) has name', '[principal, resource].contains(person::"x")',
    'resource in group::"g"', 'resource has owner && resource.owner.dept == "d"', 'resource has owner && resource.owner in role::"top"',
    'resource has owner && resource.owner has boss && resource.owner.boss has dept', "resource has nest && resource.nest.deep.val == 3",
    'resource has people && resource.people.contains(person::"x")', "action has sensitive && action.sensitive", 'action in Action::"all"',
)  # fmt: skip
PRINCIPALS = ("principal", 'principal == person::"x"', "principal is peer", 'principal in role::"r"')
ACTIONS = (
    "action",
    'action == Action::"consult"',
    'action in [Action::"consult", Action::"read"]',
    'action in Action::"all"',
)
RESOURCES = ("resource", 'resource == dataset::"own.d"', "resource is dataset", 'resource in group::"g"')


def entity(
    type: str, id: str, attrs: dict[str, Any], *parents: tuple[str, str], **tags: Any
) -> dict[str, Any]:
    made = {
        "uid": {"type": type, "id": id},
        "attrs": attrs,
        "parents": [{"type": one, "id": of} for one, of in parents],
    }
    return {**made, "tags": tags} if tags else made


def known(dice: random.Random) -> Iterator[dict[str, Any]]:
    """Some of what could be known, some of it with what could be known of it."""
    x, y = ({"__entity": {"type": "person", "id": one}} for one in "xy")
    nest = {"title": "T", "owner": x, "nest": {"deep": {"val": 3}}, "people": [x]}
    every = (
        (("person", "x", {"roles": ["r"], "name": "bob", "boss": y}), [("role", "r")], {"t": "v"}),
        (("person", "y", {"dept": "d"}), [("role", "r")], {}),
        (("role", "r", {}), [("role", "top")], {}),
        (("dataset", "own.d", nest), [("group", "g")], {}),
        (("page", "p", {"owner": x}), [("group", "g")], {"t": "v"}),
        (("Action", "consult", {"sensitive": True}), [("Action", "all")], {}),
        (("Action", "read", {}), [("Action", "all")], {}),
    )
    for (type, id, attrs), parents, tags in every:
        if dice.random() < 0.9:
            yield entity(
                type, id, attrs if dice.random() < 0.7 else {}, *(parents if dice.random() < 0.6 else ()),
                **(tags if dice.random() < 0.5 else {}),
            )  # fmt: skip


def policies(dice: random.Random, condition: str) -> Policies:
    """What forbids where this holds, beside others."""

    def ruling(number: int) -> Ruling:
        period, dataset = Period(date(2020, 1, 1)), dice.choice(["own.d", "own.e"])
        made = Ruling(f"d{number}", 1, ASKER, dice.choice(["urn:a", "urn:b"]), dataset, period, period)
        return msgspec.structs.replace(made, text=_text(made, False))

    own = (
        f'@id("p0") forbid (principal, action, resource) when {{ {condition} }};\n'
        '@id("p1") permit (principal, action == Action::"read", resource);\n'
        f'@id("p2") {dice.choice(["forbid", "permit"])} ({dice.choice(PRINCIPALS)}, {dice.choice(ACTIONS)}, '
        f"{dice.choice(RESOURCES)}) when {{ {dice.choice(CONDITIONS)} {dice.choice(['&&', '||'])} {dice.choice(CONDITIONS)} }};\n"
    )
    rulings = tuple(sorted((ruling(one) for one in range(3)), key=lambda one: one.policy))
    return Policies({"a.cedar": own}, rulings, tuple(known(dice)))


def request(dice: random.Random) -> Evaluation:
    subject = [
        ("person", "x"),
        ("person", "y"),
        ("peer", ASKER),
        ("peer", ASKER),
        ("peer", OTHER),
        ("urn:q/z", "x"),
    ]
    resource = [
        ("dataset", "own.d"),
        ("dataset", "own.d"),
        ("dataset", "own.e"),
        ("page", "p"),
        ("person", "x"),
    ]
    said: list[dict[str, Any]] = [{}, {"name": "bea"}, {"roles": ["q"], "level": "high"}, {"name": None}]
    told: list[dict[str, Any]] = [{}, {"nest": {"deep": {"val": 3}}}]
    why: list[dict[str, Any]] = [
        {"processing_activity_id": "urn:a"},
        {"processing_activity_id": "urn:b", "q": 1},
        {},
    ]
    context: list[dict[str, Any]] = [{}, {"x": 1}, {"x": 2}]
    return Evaluation(
        Subject(*dice.choice(subject), dice.choice(said)),
        Action(dice.choice(["consult", "consult", "read", "other"]), dice.choice(why)),
        Resource(*dice.choice(resource), dice.choice(told)),
        dice.choice(context),
    )


def all_of(given: Policies) -> dict[bool, tuple[PolicySet, list[str]]]:
    """Every policy that can decide, with the names of those that forbid: for a consultation (which nothing but a disclosure
    permits), and for all else."""
    made = {}
    opening, own = (
        read_generated(one.text for one in given.rulings),
        read_policies(given.own["a.cedar"], "a.cedar"),
    )
    for consulting in (True, False):
        chosen = [one for one in own if one.effect == "forbid" or not consulting]
        trees = {one.id: one.tree for one in (*chosen, *opening)}
        document = {"staticPolicies": trees, "templates": {}, "templateLinks": []}
        forbidding = [one.id for one in chosen if one.effect == "forbid"]
        made[consulting] = PolicySet.from_json_str(json.dumps(document)), forbidding
    return made


def whole(given: Policies, every: tuple[PolicySet, list[str]], asked: Evaluation) -> bool:
    """The decision of the library itself, by every policy, with all that is known and all that was said."""
    entities = {(one["uid"]["type"], one["uid"]["id"]): one for one in json.loads(json.dumps(given.entities))}
    parties = [uid_of(one.type, one.id) for one in (asked.subject, asked.resource)]
    for uid, one in zip(parties, (asked.subject, asked.resource), strict=True):
        linked = {"type": one.type, "id": one.id} if uid[0] == "Linked" else {}
        entities.setdefault(uid, entity(*uid, {}))["attrs"].update(values_of(one.properties) | linked)
    (principal, resource), (policy_set, forbidding) = parties, every
    found = is_authorized(
        {
            "principal": {"type": principal[0], "id": principal[1]},
            "action": {"type": "Action", "id": asked.action.name},
            "resource": {"type": resource[0], "id": resource[1]},
            "context": _context(asked, facts_of(asked, NOW, False), NOW, None),
        },
        policy_set,
        [*entities.values()],
    )
    failed = any(f"`{one}`" in error for error in found.diagnostics.errors for one in forbidding)
    return found.decision is Decision.Allow and not failed


def test_a_decision_with_some_policies_and_some_of_what_is_known_is_that_with_all() -> None:
    dice, permitted = random.Random(4), 0
    for condition in CONDITIONS:
        given = policies(dice, condition)
        engine, every = Engine(given), all_of(given)
        for asked in [request(dice) for _ in range(8)]:
            decided = engine.decide(asked, NOW).permit
            assert decided == whole(given, every[asked.action.name == "consult"], asked), (given.own, asked)
            permitted += decided
    assert permitted > 20

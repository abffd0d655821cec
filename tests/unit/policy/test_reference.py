"""Every combination of who, for whom, how sure, with what, for what and when: the decision is the one that a small
reference gives, written from the rules in words; and from its record the same decision follows again.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import product
from typing import Any

import msgspec
import pytest

from sluis.crypto import canonical
from sluis.grounds import Activity, Article, Disclosure, Grounds
from sluis.kernel import ACR, LEVELS, Acting, Oin, PeerId, Period, Text, Trace, plain
from sluis.ledger import Decision
from sluis.policy import (
    STANDARD,
    Action,
    DecisionPoint,
    Engine,
    Evaluation,
    Occasion,
    Policies,
    Resource,
    Subject,
    asking,
    consultation,
    person,
    replay,
    rulings_of,
)

ONE, OTHER, OWNER = (PeerId(f"0000000300000000000{i}") for i in (1, 2, 3))
LAW = Article("Participatiewet", "64")
BENEFIT, ENFORCING, SECRET, ENDED, UNKNOWN = (f"urn:voorbeeld:{name}" for name in (
    "bijstand", "handhaving", "geheim", "voorbij", "onbekend"))  # fmt: skip
YEAR = Period(date(2026, 1, 1), date(2026, 12, 31))
FIRST, LATER = Period(date(2026, 1, 1), date(2026, 6, 30)), Period(date(2026, 4, 1), date(2026, 12, 31))
OWN = {
    "own.cedar": """
@id("enforcers-only")
forbid (principal is person, action == Action::"ask", resource == activity::"urn:voorbeeld:handhaving")
unless { principal.roles.contains("handhaver") };

@id("sure-enough")
@level("substantial")
forbid (principal is person, action == Action::"ask", resource == activity::"urn:voorbeeld:geheim")
unless { context.level >= 3 };

@id("for-that-company-itself")
forbid (principal is person, action == Action::"ask", resource)
when { principal has entity && (principal.entity != "urn:nl:kvk:90000003" || principal has intermediary) };

@id("by-day")
forbid (principal, action in [Action::"ask", Action::"consult"], resource)
when { context.minute < 360 };

@id("sign-for-a-year")
permit (principal == peer::"00000003000000000001", action == Action::"autosign_contract", resource is contract)
when { resource.services == ["sluis"] && resource.not_after - resource.not_before <= 31536000 };
"""
}


def activity(id: str, valid: Period) -> Activity:
    return Activity(id, Text(id, id), Text(id, id), Oin(OWNER), "public-task", (LAW,), valid)


def opened(id: str, version: int, valid: Period, **changed: Any) -> Disclosure:
    told: dict[str, Any] = {
        "id": id, "version": version, "dataset": "people", "recipient": ONE, "activity": BENEFIT,
        "columns": {"name": "output"}, "articles": (LAW,), "ground": "public-task", "controller": Oin(OWNER),
        "valid": valid,
    }  # fmt: skip
    return Disclosure(**{**told, **changed})


GROUNDS = Grounds(
    (),
    (activity(BENEFIT, YEAR), activity(ENFORCING, YEAR), activity(ENDED, Period(date(2025, 1, 1), date(2026, 3, 31)))),
    (
        opened("a", 1, FIRST, refuse_acr=("local",)),
        opened("b", 2, LATER, minimum_level="substantial"),
        opened("c", 3, LATER, minimum_level="high", recipient=OTHER),
        opened("d", 1, YEAR, activity=ENDED),
    ),
)  # fmt: skip
SIGNED_IN = (
    ("local", None), (ACR["low"], None), (ACR["substantial"], None), (ACR["high"], None),
    ("urn:voorbeeld:twee-factoren", "substantial"), ("urn:voorbeeld:digid-basis", "basic"),
)  # fmt: skip
MOMENTS = tuple(
    datetime(2026, month, day, hour, tzinfo=UTC)
    for month, day, hour in ((1, 1, 12), (4, 1, 5), (4, 1, 6), (6, 30, 23), (7, 1, 7), (12, 31, 12))
) + (datetime(2025, 12, 31, 12, tzinfo=UTC), datetime(2027, 1, 1, 12, tzinfo=UTC))


class Versions:
    """The version of a test, by its digest."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def engine(self, digest: str) -> Engine:
        assert digest == self._engine.version
        return self._engine


def point(contracts: bool) -> DecisionPoint:
    policies = Policies({**STANDARD, **OWN}, rulings_of(GROUNDS, "own", contracts), (), None, contracts)
    return DecisionPoint(policies, "own", None, lambda: MOMENTS[0])  # type: ignore[arg-type]  # it keeps nothing here


def held(one: DecisionPoint, evaluation: Evaluation, moment: datetime) -> tuple[bool, str, str | None]:
    """What is decided; and the record of it, as the ledger keeps it, must lead to the same."""
    decided = one.decide(evaluation, moment)
    record = one.record(evaluation, decided, Occasion(Trace.begin(), moment, began=True))
    kept = msgspec.json.decode(canonical(plain(record)), type=Decision)
    again = replay(kept, Versions(one.engine))
    assert (again.same, again.again["decision"]) == (True, decided.permit)
    return decided.permit, decided.rule, decided.disclosure


def level_number(acr: str, level: str | None) -> int:
    named = {uri: name for name, uri in ACR.items()}.get(acr) or level
    return 0 if named is None else 1 + list(LEVELS).index(named)


# A consultation


def consult_by_the_rules(
    peer: PeerId, acr: str, level: str | None, activity: str, dataset: str, agreed: Any, moment: datetime
) -> tuple[bool, str, str | None]:
    """Of the disclosures of this dataset to this peer for this activity: those that the contract covers, then, when the
    activity is in force, those that hold today, then those that take this way of signing in, then this level; the highest
    version opens it. Not before six in the morning."""
    left = [one for one in GROUNDS.disclosures if (one.recipient, f"own.{one.dataset}") == (peer, dataset)]
    left = [one for one in left if one.activity == activity and activity != UNKNOWN]
    if not left:
        return False, "not-disclosed", None
    in_force = {one.id: one.valid for one in GROUNDS.activities}
    steps: list[tuple[str, Any]] = [
        ("contract-missing", lambda one: agreed is None or one.id in agreed),
        ("activity-ended", lambda one: within(in_force[one.activity], moment)),
        ("not-valid-today", lambda one: within(one.valid, moment)),
        ("sign-in-refused", lambda one: acr not in one.refuse_acr),
        (
            "sign-in-too-weak",
            lambda one: level_number(acr, level) >= level_number("", one.minimum_level),
        ),
    ]
    for rule, holds in steps:
        fits = [one for one in left if holds(one)]
        if not fits:
            return False, rule, min(left, key=lambda one: one.id).id
        left = fits
    if moment.hour < 6:
        return False, "by-day", None
    return True, "disclosed", max(left, key=lambda one: one.version).id


def within(period: Period, moment: datetime) -> bool:
    return period.since <= moment.date() and (period.until is None or moment.date() <= period.until)


@pytest.mark.parametrize(
    "agreed", [None, (), ("a",), ("a", "b", "c", "d")], ids=["no-contracts", "none", "one", "all"]
)
def test_a_consultation_is_decided_as_the_rules_say(agreed: tuple[str, ...] | None) -> None:
    one = point(contracts=agreed is not None)
    for peer, signed_in, purpose, dataset, moment in product(
        (ONE, OTHER), SIGNED_IN, (BENEFIT, ENDED, UNKNOWN), ("own.people", "own.others"), MOMENTS
    ):
        acr, level = signed_in
        asked = consultation(peer, "p", acr, purpose, dataset, agreed=agreed, level=level)  # type: ignore[arg-type]
        wanted = consult_by_the_rules(peer, acr, level, purpose, dataset, agreed, moment)
        assert held(one, asked, moment) == wanted, (peer, signed_in, purpose, dataset, moment)


# A question


def ask_by_the_rules(
    audience: str,
    acting: Acting,
    roles: tuple[str, ...],
    acr: str,
    level: str | None,
    activity: str,
    moment: datetime,
) -> tuple[bool, str, str | None]:
    """Staff ask; for enforcing only enforcers, for what is secret only who is sure enough; for a company only that one,
    without anybody in between; not before six in the morning."""
    forbidden = []
    if moment.hour < 6:
        forbidden.append("by-day")
    if activity == ENFORCING and "handhaver" not in roles:
        forbidden.append("enforcers-only")
    if acting.entity is not None and (acting.entity, acting.intermediary) != ("urn:nl:kvk:90000003", None):
        forbidden.append("for-that-company-itself")
    if activity == SECRET and level_number(acr, level) < 3:
        forbidden.append("sure-enough")
    if forbidden:
        return False, forbidden[0], None
    return (True, "standard-ask", None) if audience == "staff" else (False, "no-policy", None)


def represented() -> Iterator[Acting]:
    yield Acting("p")
    for entity, intermediary in product(
        ("urn:nl:kvk:90000003", "urn:nl:kvk:90000004", "urn:nl:rsin:900000032"), (None, "urn:nl:kvk:90000005")
    ):
        yield Acting("p", entity, intermediary)


@pytest.mark.parametrize("audience", ["staff", "company", "citizen"])
def test_a_question_is_decided_as_the_rules_say(audience: str) -> None:
    one = point(contracts=False)
    for acting, roles, signed_in, purpose, moment in product(
        represented(), ((), ("handhaver", "lezer")), SIGNED_IN, (BENEFIT, ENFORCING, SECRET), MOMENTS[1:3]
    ):
        acr, level = signed_in
        who = person(acting, acr, audience=audience, level=level, roles=roles)  # type: ignore[arg-type]
        wanted = ask_by_the_rules(audience, acting, roles, acr, level, purpose, moment)
        assert held(one, asking(who, purpose, {}), moment) == wanted, (
            acting,
            roles,
            signed_in,
            purpose,
            moment,
        )


def test_a_policy_that_forbids_for_want_of_a_level_says_which_it_asks() -> None:
    one = point(contracts=False)
    who = person(Acting("p"), "local", audience="staff")
    decided = one.decide(asking(who, SECRET, {}), MOMENTS[0])
    assert (decided.rule, one.level_asked(decided)) == ("sure-enough", "substantial")
    assert one.level_asked(one.decide(asking(who, ENFORCING, {}), MOMENTS[0])) is None


# What a node does by itself, and people at it


def test_a_contract_is_signed_without_asking_as_the_rules_say() -> None:
    one, year = point(contracts=True), 365 * 86_400
    for peer, kind, service, seconds, action in product(
        (ONE, OTHER),
        ("contract", "grant"),
        ("sluis", "loon"),
        (year, year + 1),
        ("autosign_contract", "consult"),
    ):
        properties = {"services": [service], "not_before": 1, "not_after": 1 + seconds}
        asked = Evaluation(
            Subject("peer", str.__str__(peer)), Action(action), Resource(kind, "c", properties)
        )
        permit = (peer, kind, service, seconds, action) == (
            ONE,
            "contract",
            "sluis",
            year,
            "autosign_contract",
        )
        assert held(one, asked, MOMENTS[0])[0] == permit


def test_log_group_access_and_people_are_for_the_roles_that_every_node_knows() -> None:
    one = point(contracts=True)
    may = {
        "privacy-officer": {
            ("read-log", "log"),
            ("read-access", "access"),
            ("read-people", "people"),
            ("read-oversight", "oversight"),
            ("change-oversight", "oversight"),
        },
        "auditor": {("read-oversight", "oversight")},
        "people-admin": {("read-people", "people"), ("change-people", "people")},
        "access-admin": {("read-access", "access"), ("change-access", "access")},
        "fsc-readonly": {("read-group", "group"), ("read-contracts", "group")},
        "fsc-admin": {
            (action, "group")
            for action in (
                "read-group",
                "change-group",
                "read-contracts",
                "request-contract",
                "decide-contract",
            )
        },
        "data-owner": {("read-contracts", "group"), ("decide-contract", "group"), ("read-data", "data")},
        "contract-requester": {("read-contracts", "group"), ("request-contract", "group")},
        "lezer": set(),
    }
    for role, action, kind in product(
        may,
        (
            "read-log",
            "read-group",
            "change-group",
            "read-access",
            "change-access",
            "read-people",
            "change-people",
            "read-contracts",
            "request-contract",
            "decide-contract",
            "read-oversight",
            "change-oversight",
            "read-data",
            "preview-data",
            "preview-secret",
            "other",
        ),
        ("log", "group", "access", "people", "oversight", "data"),
    ):
        who = person(Acting("p"), "local", audience="staff", roles=(role,))
        asked = Evaluation(who, Action(action), Resource(kind, "x"))
        assert held(one, asked, MOMENTS[0])[0] == ((action, kind) in may[role])


def test_a_preview_is_for_an_owner_of_data_who_is_sure_enough() -> None:
    one = point(contracts=True)
    for role, signed_in in product(("data-owner", "privacy-officer"), SIGNED_IN):
        acr, level = signed_in
        who = person(Acting("p"), acr, audience="staff", level=level, roles=(role,))  # type: ignore[arg-type]
        asked = Evaluation(who, Action("preview-data"), Resource("data", "x"))
        permit = held(one, asked, MOMENTS[0])[0]
        assert permit == (role == "data-owner" and level_number(acr, level) >= 3)


def test_own_log_lines_are_for_a_citizen_who_is_sure_enough() -> None:
    one = point(contracts=True)
    for audience, signed_in in product(("staff", "citizen", "company"), SIGNED_IN):
        acr, level = signed_in
        who = person(Acting("p"), acr, audience=audience, level=level, roles=("privacy-officer",))  # type: ignore[arg-type]
        asked = Evaluation(who, Action("read-own-lines"), Resource("log", "x"))
        permit, rule, _ = held(one, asked, MOMENTS[0])
        assert permit == (audience == "citizen" and level_number(acr, level) >= 3)
        assert permit or rule == (
            "no-policy" if level_number(acr, level) >= 3 else "standard-own-lines-level"
        )

from datetime import UTC, date, datetime

import msgspec
import pytest
from tests.unit.policy.samples import ACTIVITY, NOW, OTHER, asked, engine, like

from sluis.kernel import Period, Text
from sluis.policy import Action, Decided, Evaluation, Resource, Subject

SEE = Evaluation(Subject("user", "a"), Action("see"), Resource("page", "p"))
NIGHT = """
@id("night")
@nl("Niet 's nachts.")
@en("Not at night.")
@article("Eigen regel, art. 1")
forbid (principal, action == Action::"consult", resource)
when { context.minute < 60 };
"""


def test_what_was_opened_is_permitted_with_its_article() -> None:
    decided = engine().decide(asked(), NOW)
    wanted = Decided(
        True, "disclosed", "d1", "Participatiewet, art. 64", ("disclosure:d1@1",), decided.version
    )
    assert decided == wanted


@pytest.mark.parametrize(
    "changed",
    [{"peer": OTHER}, {"activity": "urn:other"}, {"dataset": "own.others"}, {"dataset": "people"}],
    ids=["peer", "activity", "dataset", "owner"],
)
def test_what_was_not_opened_reads_the_same_as_what_does_not_exist(changed: dict[str, str]) -> None:
    decided = engine(contracts=True).decide(asked(**changed, agreed=()), NOW)
    assert decided == Decided(False, "not-disclosed", version=decided.version)


def test_an_activity_that_is_not_known_opens_nothing() -> None:
    assert engine(activity=None).decide(asked(), NOW).rule == "not-disclosed"


@pytest.mark.parametrize(
    ("day", "rule"),
    [
        (date(2025, 12, 31), "not-valid-today"),
        (date(2026, 1, 1), "disclosed"),
        (date(2026, 12, 31), "disclosed"),
        (date(2027, 1, 1), "not-valid-today"),
    ],
)
def test_a_disclosure_counts_within_its_validity_only(day: date, rule: str) -> None:
    moment = datetime(day.year, day.month, day.day, tzinfo=UTC)
    request = asked(context={"day": 20260601, "time": "2026-06-01T12:00:00Z"})
    assert engine().decide(request, moment).rule == rule


def test_a_way_of_signing_in_can_be_refused() -> None:
    decided = engine().decide(asked(acr="local"), NOW)
    assert (decided.permit, decided.rule, decided.disclosure) == (False, "sign-in-refused", "d1")


def test_the_newest_version_that_permits_decides() -> None:
    future = Period(date(2027, 1, 1))
    one = engine(like(), like(id="d2", version=2), like(id="d3", version=3, valid=future))
    assert one.decide(asked(), NOW).disclosure == "d2"


def test_an_activity_that_ended_opens_nothing() -> None:
    ended = msgspec.structs.replace(ACTIVITY, valid=Period(date(2025, 1, 1), date(2025, 12, 31)))
    assert engine(activity=ended).decide(asked(), NOW).rule == "activity-ended"


def test_in_a_group_only_what_a_contract_covers_is_permitted() -> None:
    one = engine(like(), like(id="d2", version=2), contracts=True)
    for agreed in (None, (), ("d3",)):
        missing = one.decide(asked(agreed=agreed), NOW)
        assert (missing.permit, missing.rule, missing.disclosure) == (False, "contract-missing", "d1")
    assert one.decide(asked(agreed=("d1",)), NOW).disclosure == "d1"


def test_who_was_opened_nothing_does_not_learn_that_something_forbids_it() -> None:
    one = engine(own={"a.cedar": NIGHT})
    night = NOW.replace(hour=0)
    assert one.decide(asked(peer=OTHER), night).rule == "not-disclosed"
    assert one.decide(asked(), night).rule == "night"


def test_what_forbids_goes_before_a_disclosure_and_says_why() -> None:
    decided = engine(own={"a.cedar": NIGHT}).decide(asked(), NOW.replace(hour=0))
    assert decided == Decided(
        False, "night", None, "Eigen regel, art. 1", ("night",), decided.version,
        Text("Niet 's nachts.", "Not at night."),
    )  # fmt: skip


def test_no_own_policy_opens_a_dataset() -> None:
    own = {"a.cedar": '@id("all") permit (principal, action, resource);'}
    assert engine(own=own).decide(asked(peer=OTHER), NOW).rule == "not-disclosed"
    assert engine(own=own).decide(SEE, NOW).rule == "all"


def test_what_no_policy_permits_is_denied() -> None:
    decided = engine().decide(SEE, NOW)
    assert decided == Decided(False, "no-policy", version=decided.version)


def test_what_forbids_and_cannot_be_worked_out_forbids() -> None:
    own = {
        "a.cedar": '@id("all") permit (principal, action, resource);'
        '@id("bad") forbid (principal, action, resource) when { context.nothing == 1 };'
    }
    for request in (SEE, asked()):
        decided = engine(own=own).decide(request, NOW)
        assert (decided.permit, decided.rule, decided.failed) == (False, "policy-failed", True)
        assert decided.policies == ("bad",)


def test_what_permits_and_cannot_be_worked_out_permits_nothing() -> None:
    own = {"a.cedar": '@id("bad") permit (principal, action, resource) when { context.nothing == 1 };'}
    assert engine(own=own).decide(SEE, NOW).rule == "no-policy"


def test_a_request_cannot_say_what_the_node_itself_knows() -> None:
    own = {"a.cedar": '@id("bad") permit (principal, action, resource) when { context.level >= 1 };'}
    claimed = msgspec.structs.replace(SEE, context={"level": 4, "activity": "urn:activity", "minute": 1})
    assert not engine(own=own).decide(claimed, NOW).permit


def test_day_and_minute_are_those_of_utc() -> None:
    own = {
        "a.cedar": '@id("one") permit (principal, action, resource) when { context.day == 20260531 && context.minute == 1425 };'
    }
    assert engine(own=own).decide(SEE, datetime.fromisoformat("2026-06-01T01:45:00+02:00")).permit


def test_properties_of_all_three_reach_the_policies() -> None:
    own = {
        "a.cedar": """@id("see") permit (principal, action == Action::"see", resource)
        when { principal.role == "admin" && resource.status == "open" && context.action.soft };"""
    }
    request = Evaluation(
        Subject("user", "a", {"role": "admin"}), Action("see", {"soft": True}), Resource("page", "p", {"status": "open"})
    )  # fmt: skip
    one = engine(own=own)
    assert one.decide(request, NOW).permit
    for changed in (
        {"subject": Subject("user", "a", {"role": "x"})},
        {"action": Action("see", {"soft": False})},
        {"resource": Resource("page", "p", {"status": "closed"})},
    ):
        assert not one.decide(msgspec.structs.replace(request, **changed), NOW).permit


def test_what_is_known_counts_through_groups_and_references() -> None:
    own = {
        "a.cedar": """@id("see") permit (principal in Group::"staff", action == Action::"see", resource)
        when { resource.owner.city == "Delft" && Setting::"all".on };"""
    }
    entities = (
        {"uid": {"type": "user", "id": "a"}, "attrs": {}, "parents": [{"type": "Group", "id": "team"}]},
        {"uid": {"type": "Group", "id": "team"}, "attrs": {}, "parents": [{"type": "Group", "id": "staff"}]},
        {"uid": {"type": "Group", "id": "staff"}, "attrs": {}, "parents": []},
        {"uid": {"type": "page", "id": "p"},
         "attrs": {"owner": {"__entity": {"type": "office", "id": "o"}}}, "parents": []},
        {"uid": {"type": "office", "id": "o"}, "attrs": {"city": "Delft"}, "parents": []},
        {"uid": {"type": "Setting", "id": "all"}, "attrs": {"on": True}, "parents": []},
    )  # fmt: skip
    one = engine(own=own, entities=entities)
    assert one.decide(SEE, NOW).permit
    assert not one.decide(msgspec.structs.replace(SEE, subject=Subject("user", "b")), NOW).permit


def test_types_that_are_uris_never_meet_one_another_or_a_name() -> None:
    own = {"a.cedar": '@id("one") permit (principal == Linked::"urn:x a", action, resource);'}
    one = engine(own=own)
    assert one.decide(msgspec.structs.replace(SEE, subject=Subject("urn:x", "a")), NOW).permit
    assert not one.decide(msgspec.structs.replace(SEE, subject=Subject("Linked", "urn:x a")), NOW).permit


def test_another_text_is_another_version() -> None:
    versions = {
        engine().version, engine(like(version=2)).version, engine(contracts=True).version,
        engine(own={"a.cedar": NIGHT}).version, engine(own={"b.cedar": NIGHT}).version,
        engine(entities=({"uid": {"type": "user", "id": "a"}, "attrs": {}, "parents": []},)).version,
    }  # fmt: skip
    assert len(versions) == 6
    assert engine().version == engine().version

"""A notice, and nothing else, permits that a peer hears of events."""

from datetime import UTC, date, datetime

import pytest
from tests.unit.events.samples import (
    ACTIVITY,
    ACTIVITY_ID,
    EVENT,
    FIRST,
    LAW,
    NOTICE,
    NOW,
    SECOND,
    SOURCE,
    TYPE,
    notice,
)

from sluis.grounds import Disclosure, Grounds
from sluis.kernel import Oin, PeerId, Period
from sluis.policy import Engine, Policies, notification, rulings_of
from sluis.policy.explaining import explained


def engine(
    contracts: bool = False, own: dict[str, str] | None = None, grounds: Grounds | None = None
) -> Engine:
    known = grounds or Grounds(activities=(ACTIVITY,), events=(EVENT,), notices=(NOTICE,))
    return Engine(Policies(own or {}, rulings_of(known, "source", contracts), (), None, contracts))


def test_a_notice_permits_its_recipient_for_its_activity() -> None:
    decided = engine().decide(notification(FIRST, ACTIVITY_ID, TYPE), NOW)
    assert (decided.permit, decided.rule, decided.disclosure) == (True, "notified", NOTICE.id)
    assert decided.policies == (f"notice:{NOTICE.id}@1",)
    assert decided.legal == str(LAW)


@pytest.mark.parametrize(
    ("peer", "activity", "type", "moment", "rule"),
    [
        (SECOND, ACTIVITY_ID, TYPE, NOW, "not-disclosed"),
        (FIRST, "urn:other", TYPE, NOW, "not-disclosed"),
        (FIRST, ACTIVITY_ID, "nl.example.ander.ding", NOW, "not-disclosed"),
        (FIRST, ACTIVITY_ID, TYPE, datetime(2027, 1, 1, tzinfo=UTC), "not-valid-today"),
        (FIRST, ACTIVITY_ID, TYPE, datetime(2025, 1, 1, tzinfo=UTC), "not-valid-today"),
    ],
)
def test_nobody_else_and_nothing_else(
    peer: PeerId, activity: str, type: str, moment: datetime, rule: str
) -> None:
    decided = engine().decide(notification(peer, activity, type), moment)
    assert (decided.permit, decided.rule) == (False, rule)


def test_under_contracts_only_what_one_covers() -> None:
    under = engine(contracts=True)
    assert not under.decide(notification(FIRST, ACTIVITY_ID, TYPE), NOW).permit
    refused = under.decide(notification(FIRST, ACTIVITY_ID, TYPE, agreed=["other"]), NOW)
    assert (refused.permit, refused.rule) == (False, "contract-missing")
    assert under.decide(notification(FIRST, ACTIVITY_ID, TYPE, agreed=[NOTICE.id]), NOW).permit


def test_an_own_policy_forbids_beside_it_and_cannot_permit() -> None:
    forbid = '@id("not-now") forbid (principal, action == Action::"notify", resource);'
    decided = engine(own={"a.cedar": forbid}).decide(notification(FIRST, ACTIVITY_ID, TYPE), NOW)
    assert (decided.permit, decided.rule) == (False, "not-now")
    permit = '@id("all") permit (principal, action == Action::"notify", resource);'
    assert not engine(own={"a.cedar": permit}).decide(notification(SECOND, ACTIVITY_ID, TYPE), NOW).permit


def test_a_disclosure_opens_no_events_and_a_notice_no_data() -> None:
    """A dataset and an event type of one name stay apart."""
    disclosure = Disclosure(
        "d1", 1, "x", SECOND, ACTIVITY_ID, {"name": "output"}, (LAW,), "public-task", Oin(SOURCE),
        Period(date(2026, 1, 1)),
    )  # fmt: skip
    both = Grounds(
        activities=(ACTIVITY,),
        disclosures=(disclosure,),
        events=(EVENT,),
        notices=(notice(event="source.x"),),
    )
    assert not engine(grounds=both).decide(notification(SECOND, ACTIVITY_ID, "source.x"), NOW).permit


def test_it_is_explained_why_not() -> None:
    why = explained(engine(), notification(FIRST, "urn:other", TYPE), NOW)
    assert [(one.disclosure, one.fell) for one in why.disclosures] == [(NOTICE.id, "not-disclosed")]

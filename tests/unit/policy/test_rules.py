from datetime import date

import msgspec
import pytest

from sluis.grounds import Article, Disclosure
from sluis.kernel import Level, Oin, PeerId, Period
from sluis.policy import Decision, Facts, decide

ASKER, OTHER, OWNER = (PeerId(f"0000000300000000000{i}") for i in (1, 2, 3))
LAW = Article("Participatiewet", "64", "BWBR0015703")
OPEN = Disclosure(
    "d1", 1, "people", ASKER, "urn:activity", {"name": "output"}, (LAW,), "public-task", Oin(OWNER),
    Period(date(2026, 1, 1), date(2026, 12, 31)), refuse_acr=("local",),
)  # fmt: skip
FACTS = Facts(
    ASKER, "p", "substantial", "urn:activity", "people", date(2026, 6, 1), (OPEN,), Period(date(2020, 1, 1))
)


def test_what_was_opened_is_permitted_with_its_article() -> None:
    assert decide(FACTS) == Decision(True, "disclosed", "d1", "Participatiewet, art. 64")


@pytest.mark.parametrize(
    "changed",
    [
        {"peer": OTHER},
        {"activity": "urn:other"},
        {"dataset": "others"},
        {"candidates": ()},
        {"activity_valid": None},
    ],
    ids=["peer", "activity", "dataset", "none", "activity-unknown"],
)
def test_what_was_not_opened_reads_the_same_as_what_does_not_exist(changed: dict[str, object]) -> None:
    assert decide(msgspec.structs.replace(FACTS, **changed)) == Decision(False, "not-disclosed")


@pytest.mark.parametrize("day", [date(2025, 12, 31), date(2027, 1, 1)])
def test_a_disclosure_counts_within_its_validity_only(day: date) -> None:
    assert decide(msgspec.structs.replace(FACTS, day=day)).rule == "not-valid-today"


def test_a_way_of_signing_in_can_be_refused() -> None:
    decision = decide(msgspec.structs.replace(FACTS, acr="local"))
    assert (decision.permit, decision.rule, decision.disclosure) == (False, "sign-in-refused", "d1")


@pytest.mark.parametrize(("level", "permit"), [(None, False), ("basic", False), ("low", False), ("substantial", True), ("high", True)])  # fmt: skip
def test_a_disclosure_may_ask_for_an_assurance_level(level: Level | None, permit: bool) -> None:
    asks = msgspec.structs.replace(OPEN, minimum_level="substantial")
    decision = decide(msgspec.structs.replace(FACTS, candidates=(asks,), level=level))
    assert (decision.permit, decision.rule) == (permit, "disclosed" if permit else "sign-in-too-weak")


def test_the_newest_version_that_permits_decides() -> None:
    newer = msgspec.structs.replace(OPEN, id="d2", version=2)
    future = msgspec.structs.replace(OPEN, id="d3", version=3, valid=Period(date(2027, 1, 1)))
    assert decide(msgspec.structs.replace(FACTS, candidates=(newer, OPEN, future))).disclosure == "d2"


def test_an_activity_that_ended_opens_nothing() -> None:
    ended = Period(date(2025, 1, 1), date(2025, 12, 31))
    assert decide(msgspec.structs.replace(FACTS, activity_valid=ended)).rule == "activity-ended"


def test_in_a_group_only_what_a_contract_covers_is_permitted() -> None:
    missing = decide(msgspec.structs.replace(FACTS, agreed=frozenset()))
    assert (missing.permit, missing.rule, missing.disclosure) == (False, "contract-missing", "d1")
    assert decide(msgspec.structs.replace(FACTS, agreed=frozenset({"d1"}))).permit
    newer = msgspec.structs.replace(OPEN, id="d2", version=2)
    both = msgspec.structs.replace(FACTS, candidates=(newer, OPEN), agreed=frozenset({"d1"}))
    assert decide(both).disclosure == "d1"


def test_who_was_opened_nothing_does_not_learn_that_a_contract_is_missing() -> None:
    assert decide(msgspec.structs.replace(FACTS, peer=OTHER, agreed=frozenset())).rule == "not-disclosed"

"""Event types and notices: what files must say, what a recipient is told, and what a fact may be."""

from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.events.samples import ACTIVITY, EVENT, FIRST, NOTICE, SECOND, SOURCE, TYPE, grounds, notice
from tests.unit.grounds.examples import ACTIVITY as ACTIVITY_FILE
from tests.unit.grounds.examples import ACTIVITY_ID, RECIPIENT

from sluis.config import examine_node
from sluis.grounds import Fact, Grounds, Surroundings, attributes_of, offered_notice, value_fits
from sluis.grounds.notices import notice_consistency
from sluis.kernel import PeerId, Period, Text

DAY = date(2026, 6, 1)
AROUND = Surroundings(DAY, SOURCE, frozenset({FIRST, SECOND}))
_TEXT = Text("Test", "Test")


def codes(known: Grounds) -> list[str]:
    return [fault.code for _, fault in notice_consistency(known, AROUND)]


def test_files_that_agree_have_no_findings() -> None:
    assert codes(grounds(NOTICE)) == []


def event(**changed: Any) -> Any:
    return msgspec.structs.replace(EVENT, **changed)


@pytest.mark.parametrize(
    ("known", "code"),
    [
        (grounds(notice(event="nl.example.ander.ding")), "unknown-event-type"),
        (grounds(notice(activity="urn:other")), "unknown-activity"),
        (grounds(notice(recipient=PeerId("0" * 20))), "unknown-peer"),
        (grounds(notice(data=("naam",))), "unknown-data"),
        (grounds(notice(ground="consent")), "notice-by-consent"),
        (grounds(NOTICE, event=event(subject=None)), "no-subject"),
        (grounds(NOTICE, notice(id="other")), "overlapping-notices"),
        (grounds(NOTICE, notice(event="nl.example.a.b")), "name-used-twice"),
        (grounds(NOTICE, notice(version=2, recipient=SECOND)), "another-notice"),
        (grounds(NOTICE, notice(version=2, event="nl.example.a.b")), "another-notice"),
        (grounds(NOTICE, notice(version=2, activity="urn:other")), "another-notice"),
        (grounds(notice(valid=Period(date(2025, 1, 1), date(2025, 12, 31)))), "expired-notice"),
        (grounds(notice(valid=Period(date(2026, 2, 1), date(2026, 1, 1)))), "period-reversed"),
        (grounds(event=event(facts={"subject": Fact("text", _TEXT)})), "reserved-name"),
        (grounds(event=event(facts={"exists": Fact("text", _TEXT)})), "reserved-name"),
        (Grounds(activities=(ACTIVITY,), events=(EVENT, EVENT)), "name-used-twice"),
    ],
)
def test_files_that_contradict_one_another_are_told(known: Grounds, code: str) -> None:
    assert code in codes(known)


def test_a_notice_without_interest_needs_nobody_to_be_about() -> None:
    assert codes(grounds(notice(interest=False), event=event(subject=None))) == []


def test_two_notices_may_follow_one_another() -> None:
    first = notice(valid=Period(date(2026, 1, 1), date(2026, 6, 30)))
    assert codes(grounds(first, notice(version=2, valid=Period(date(2026, 7, 1))))) == []


def test_the_digest_changes_with_every_rule_and_with_the_face_of_the_event() -> None:
    told = offered_notice(SOURCE, EVENT, NOTICE)
    others = [
        offered_notice(SOURCE, EVENT, notice(condition="uitkomst = 'afgewezen'")),
        offered_notice(SOURCE, EVENT, notice(data=("team",))),
        offered_notice(SOURCE, event(title=Text("Anders", "Other")), NOTICE),
        offered_notice(SECOND, EVENT, NOTICE),
    ]
    assert len({told.digest, *(one.digest for one in others)}) == 5
    assert offered_notice(SOURCE, EVENT, NOTICE) == told


def test_a_recipient_sees_the_data_that_leaves_and_no_facts() -> None:
    told = offered_notice(SOURCE, EVENT, notice(data=("team",)))
    assert [*told.data] == ["team"]
    assert "uitkomst" not in repr(told)


@pytest.mark.parametrize(
    ("kind", "value", "fits"),
    [
        ("text", "a", True), ("text", 1, False), ("number", 1, True), ("number", True, False), ("number", 1.5, False),
        ("number", 2**31, False), ("number", -(2**31), True), ("boolean", True, True), ("boolean", 1, False),
        ("date", "2026-06-01", True), ("date", "20260601", False), ("date", "1 juni", False), ("date", None, True),
    ],
)  # fmt: skip
def test_a_value_is_of_the_kind_of_its_fact(kind: Any, value: Any, fits: bool) -> None:
    assert value_fits(Fact(kind, _TEXT), value) == fits


def test_a_condition_does_not_see_what_is_not_known() -> None:
    assert attributes_of({"a": None, "b": 1, "c": False}) == {"b": 1, "c": False}


EVENT_FILE = f"""\
type = "{TYPE}"
title.nl = "Besluit genomen"
title.en = "Decision made"
description.nl = "Er is besloten."
description.en = "It was decided."
subject = "BSN"

[facts.uitkomst]
type = "text"
meaning.nl = "Uitkomst"
meaning.en = "Outcome"
"""

NOTICE_FILE = f"""\
id = "besluiten"
version = 1
event = "{TYPE}"
recipient = "{RECIPIENT}"
activity = "{ACTIVITY_ID}"
tells.nl = "Er is besloten."
tells.en = "It was decided."
ground = "public-task"
controller = "{SOURCE}"
condition = "uitkomst = 'afgewezen'"

[[articles]]
law = "Vreemdelingenwet 2000"
article = "107"

[valid]
since = 2026-01-01
"""


def checked(directory: Path, notice: str = NOTICE_FILE, event: str = EVENT_FILE) -> list[tuple[str, int]]:
    """The findings of `sluis check` in the two files, by code and line."""
    for folder, name, text in (
        ("activities", "activity", ACTIVITY_FILE),
        ("event-types", "event", event),
        ("notices", "notice", notice),
    ):
        (directory / folder).mkdir()
        (directory / folder / f"{name}.toml").write_text(text)
    found = examine_node(directory, {}, DAY)
    return [
        (one.code, one.place.line)
        for one in found
        if one.place and Path(one.place.file).name in ("event.toml", "notice.toml")
    ]


def test_good_files_pass_the_check(tmp_path: Path) -> None:
    assert checked(tmp_path) == []


@pytest.mark.parametrize("condition", ["uitkomst =", "besluit = 'a'", "WEG(uitkomst)"])
def test_a_condition_that_cannot_work_is_told_with_its_line(tmp_path: Path, condition: str) -> None:
    text = NOTICE_FILE.replace("uitkomst = 'afgewezen'", condition)
    assert checked(tmp_path, text) == [("condition", 10)]


def test_the_name_of_a_type_is_a_reverse_domain_name(tmp_path: Path) -> None:
    assert ("wrong-value", 1) in checked(tmp_path, event=EVENT_FILE.replace(TYPE, "Besluit genomen"))

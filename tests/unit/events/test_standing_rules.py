"""When a standing question has its turn, and when its answer is another one: held against what that means."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sluis.events.standing import StandingQuestion, rules
from sluis.events.standing.model import STATES
from sluis.grounds import CADENCES, Bound, Purpose
from sluis.kernel import milliseconds

MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)
MOMENTS = st.integers(0, 3 * 86_400_000).map(lambda ms: MIDNIGHT + timedelta(milliseconds=ms))
ROWS = st.lists(st.binary(max_size=3), max_size=5)


def test_every_cadence_divides_a_day() -> None:
    assert [86_400 % seconds for seconds in CADENCES.values()] == [0] * len(CADENCES)
    assert CADENCES["PT1H"] == 3600


@given(MOMENTS, st.sampled_from([*CADENCES.values()]))
def test_rounds_begin_at_the_same_moments_whoever_asks_and_whenever(now: datetime, cadence: int) -> None:
    began, coming = rules.round_of(now, cadence), rules.next_round(now, cadence)
    assert began <= milliseconds(now) < coming == began + cadence * 1000
    assert (began - milliseconds(MIDNIGHT)) % (cadence * 1000) == 0


@given(ROWS, ROWS)
def test_two_answers_are_the_same_exactly_when_they_have_the_same_rows(
    one: list[bytes], other: list[bytes]
) -> None:
    same = Counter(one) == Counter(other)
    assert (rules.fingerprint(one) == rules.fingerprint(other)) == same


@given(st.lists(st.sampled_from([b"a", b"b", b"c"]), max_size=12))
def test_a_signal_goes_exactly_when_the_answer_is_not_the_one_of_the_round_before(
    answers: list[bytes],
) -> None:
    before, told = b"", []
    for one in answers:
        told.append(rules.verdict(before, one) == "changed")
        before = one
    assert told == [at > 0 and answers[at] != answers[at - 1] for at in range(len(answers))]


def test_the_contract_that_is_looked_for_covers_the_question_as_it_is() -> None:
    question = StandingQuestion("SELECT 1", "urn:a", "Z", "persons", "sha256:" + "1" * 64, "p", "local")
    other = Purpose("urn:b", (Bound("d", question.digest),))
    older = Purpose("urn:a", (Bound("d", "sha256:" + "0" * 64),))
    right = Purpose("urn:a", (Bound("d", question.digest),))
    assert rules.purpose_for([other, older, right], question) == right
    assert rules.purpose_for([other, older], question) == older
    assert rules.purpose_for([other], question) is None


def test_what_ended_stays_so() -> None:
    assert STATES["ended"] == ()


@pytest.mark.parametrize(("days", "fits"), [(-1, False), (0, True), (366, True), (367, False)])
def test_the_last_day_lies_ahead_and_within_a_year(days: int, fits: bool) -> None:
    today = MIDNIGHT.date()
    try:
        rules.check_until(today + timedelta(days=days), today)
    except Exception as problem:
        assert not fits and getattr(problem, "code", "") == "invalid-until"  # noqa: PT017, PT018
    else:
        assert fits

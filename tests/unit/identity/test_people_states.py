"""What can become of a mandate, and what its terms may say."""

from itertools import product
from typing import Any, get_args

import msgspec
import pytest
from tests.unit.identity.companies import ANNE, COMPANY, INTERMEDIARY, SECONDS

from sluis.identity.people.model import TRANSITIONS, Event, Mandate, State, Terms
from sluis.identity.people.states import LONGEST_MANDATE, check_terms, next_state, state_at
from sluis.kernel import Conflict, Invalid

TERMS = Terms(COMPANY, INTERMEDIARY, ("permits",), ("apply",), SECONDS - 100, SECONDS + 100)
MANDATE = Mandate("1" * 32, TERMS, "accepted", ANNE, SECONDS + 50, holder=INTERMEDIARY)

OPEN: dict[str, dict[str, str]] = {
    "proposed": {"sign": "offered", "revoke": "revoked", "end": "ended"},
    "offered": {"accept": "accepted", "decline": "declined", "revoke": "revoked", "end": "ended"},
    "accepted": {"begin": "active", "revoke": "revoked", "end": "ended"},
    "active": {"revoke": "revoked", "end": "ended"},
    "declined": {},
    "revoked": {},
    "ended": {},
}
"""Written once more, by state."""


@pytest.mark.parametrize(("state", "event"), [*product(get_args(State), get_args(Event))])
def test_every_event_in_every_state_leads_where_the_table_says_or_is_refused(
    state: State, event: Event
) -> None:
    after = OPEN[state].get(event)
    if after is None:
        with pytest.raises(Conflict):
            next_state(state, event)
    else:
        assert next_state(state, event) == after


def test_nothing_comes_back_from_what_is_over() -> None:
    assert {state for state, _ in TRANSITIONS} & {"declined", "revoked", "ended"} == set()


@pytest.mark.parametrize(
    ("state", "moment", "found"),
    [
        ("accepted", -101, "accepted"),
        ("accepted", -100, "active"),
        ("accepted", 99, "active"),
        ("accepted", 100, "ended"),
        ("offered", -100, "offered"),
        ("offered", 49, "offered"),
        ("offered", 50, "ended"),
        ("proposed", 49, "proposed"),
        ("proposed", 50, "ended"),
        ("revoked", 0, "revoked"),
        ("revoked", 200, "revoked"),
        ("declined", 200, "declined"),
    ],
)
def test_time_begins_and_ends_a_mandate(state: State, moment: int, found: State) -> None:
    assert state_at(msgspec.structs.replace(MANDATE, state=state), SECONDS + moment) == found


def test_terms_as_they_should_be_pass() -> None:
    check_terms(TERMS, SECONDS)


@pytest.mark.parametrize(
    "changed",
    [
        {"services": ()},
        {"services": ("",)},
        {"services": tuple(map(str, range(101)))},
        {"services": ("urn:sluis:service:mandates",)},
        {"actions": ()},
        {"actions": ("",)},
        {"since": SECONDS + 100},
        {"until": SECONDS, "since": SECONDS - 1},
        {"until": SECONDS + LONGEST_MANDATE + 1},
        {"cap": -1},
        {"cap": 2**53},
        {"holder": COMPANY},
    ],
)
def test_terms_that_say_nothing_or_too_much_are_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(Invalid, match="mandate"):
        check_terms(msgspec.structs.replace(TERMS, **changed), SECONDS)

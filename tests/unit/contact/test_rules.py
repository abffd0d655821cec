"""What comes next with a message: by which channel, and when."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.contact.world import NOON, QUIET, scenario

from sluis.contact.keeping import with_state
from sluis.contact.model import MESSAGE, TRY, Kind, Preference, Try, TryState
from sluis.contact.rules import (
    DISTURBS,
    HERE,
    Action,
    Later,
    Offered,
    Over,
    Quiet,
    Resolve,
    Route,
    Send,
    delay,
    next_action,
    preferred,
    routes,
    seconds,
)

HOUR, DAY = 3_600, 86_400
AT = int(NOON.timestamp())
BOX, MAIL, SMS, LETTER = (
    Route("box", "box", 3 * DAY, "delivered"),
    Route("mail", "email", 2 * DAY, "sent"),
    Route("sms", "sms", DAY, "delivered"),
    Route("post", "letter", 5 * DAY, "sent"),
)
ALL = (BOX, MAIL, SMS, LETTER)


def tried(route: Route, state: TryState, ago: int = 0, **more: int) -> Try:
    return Try("m", 1, route.channel, route.kind, state, 1, AT - ago, AT - ago, **more)


def after(*tries: Try, quiet: Quiet | None = None, now: datetime = NOON) -> Action:
    return next_action(ALL, tries, now, quiet)


def test_the_first_channel_is_used_first() -> None:
    assert after() == Send(BOX, 1)


@pytest.mark.parametrize("state", ["refused", "bounced"])
def test_a_channel_that_gave_it_back_is_followed_by_the_next(state: TryState) -> None:
    assert after(tried(BOX, state)) == Send(MAIL, 2)


def test_a_silent_channel_is_waited_for_and_then_followed() -> None:
    assert after(tried(BOX, "sent", 3 * DAY - 1)) == Later(AT + 1)
    assert after(tried(BOX, "sent", 3 * DAY)) == Send(MAIL, 2)


def test_nothing_is_sent_once_it_arrived() -> None:
    assert after(tried(BOX, "delivered")) == Over("reached")
    assert after(tried(BOX, "read", 99 * DAY)) == Over("reached")


def test_a_report_that_comes_late_ends_it_too() -> None:
    assert after(tried(BOX, "delivered"), tried(MAIL, "refused")) == Over("reached")


def test_mail_that_comes_back_after_it_was_sent_is_followed_by_the_next() -> None:
    assert after(tried(BOX, "refused"), tried(MAIL, "sent")) == Over("reached")
    assert after(tried(BOX, "refused"), tried(MAIL, "bounced")) == Send(SMS, 3)


def test_a_channel_that_said_later_gets_it_later_as_the_same_try() -> None:
    delayed = tried(BOX, "delayed", 60, due=AT + 60)
    assert after(delayed) == Later(AT + 60)
    assert after(delayed, now=NOON + timedelta(seconds=60)) == Send(BOX, 1)


def test_a_channel_that_keeps_saying_later_is_followed_by_the_next() -> None:
    assert after(tried(BOX, "delayed", 3 * DAY, due=AT)) == Send(MAIL, 2)


def test_the_last_channel_is_tried_on() -> None:
    delayed = tried(LETTER, "delayed", 40 * DAY, due=AT)
    assert next_action([LETTER], [delayed], NOON, None) == Send(LETTER, 1)


def test_what_arrived_by_a_channel_that_was_closed_since_counts() -> None:
    assert next_action([MAIL], [tried(SMS, "delivered")], NOON, None) == Over("reached")
    assert next_action([MAIL], [tried(SMS, "sent")], NOON, None) == Send(MAIL, 2)


def test_what_was_sent_to_an_address_that_was_taken_away_since_counts() -> None:
    channels = {one.channel: Offered(one.kind, one.enough) for one in ALL}
    assert next_action([LETTER], [tried(MAIL, "sent")], NOON, None, channels) == Over("reached")
    assert next_action([LETTER], [tried(SMS, "sent")], NOON, None, channels) == Send(LETTER, 2)


def test_a_claimed_try_is_found_out_about() -> None:
    claimed = tried(BOX, "claimed")
    assert after(claimed) == Resolve(BOX, claimed)


def test_what_nobody_knows_left_is_followed_after_its_wait() -> None:
    assert after(tried(BOX, "refused"), tried(MAIL, "doubtful", 2 * DAY - 1)) == Later(AT + 1)
    assert after(tried(BOX, "refused"), tried(MAIL, "doubtful", 2 * DAY)) == Send(SMS, 3)


def test_when_no_channel_is_left_nobody_was_reached() -> None:
    assert next_action([BOX], [tried(BOX, "refused")], NOON, None) == Over("unreachable")
    assert next_action([], [], NOON, None) == Over("unreachable")


def test_silence_at_the_end_and_doubt_are_not_called_arrival() -> None:
    assert next_action([BOX], [tried(BOX, "sent", 3 * DAY)], NOON, None) == Over("unsure")
    assert next_action([MAIL], [tried(MAIL, "doubtful", 2 * DAY)], NOON, None) == Over("unsure")
    assert after(*(tried(one, "refused") for one in (BOX, MAIL, LETTER)), tried(SMS, "sent", DAY)) == Over(
        "unsure"
    )


# Quiet hours

NIGHT = datetime(2026, 11, 23, 21, 30, tzinfo=UTC)  # half past ten in Amsterdam


def test_nobody_is_disturbed_at_night() -> None:
    assert after(quiet=QUIET, now=NIGHT) == Later(int(datetime(2026, 11, 24, 7, 0, tzinfo=UTC).timestamp()))


def test_a_letter_disturbs_nobody() -> None:
    assert next_action([LETTER], [], NIGHT, QUIET) == Send(LETTER, 1)


def test_the_same_moment_twice_is_never_quiet() -> None:
    assert not Quiet(time(0, 0), time(0, 0)).holds(NIGHT)


moments = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC))
clock_times = st.times().map(lambda one: one.replace(microsecond=0))


@given(moments, clock_times, clock_times)
def test_quiet_ends_at_the_first_moment_that_is_not(moment: datetime, since: time, until: time) -> None:
    quiet = Quiet(since, until)
    over = quiet.over(moment)
    assert over >= moment
    assert not quiet.holds(over)
    if over > moment:
        assert quiet.holds(moment)
        assert over - moment <= timedelta(hours=26)


@pytest.mark.parametrize(
    ("since", "until"), [((22, 0), (2, 30)), ((1, 30), (2, 15)), ((2, 30), (2, 45)), ((2, 0), (3, 0))]
)
@pytest.mark.parametrize("night", [datetime(2026, 10, 25, tzinfo=UTC), datetime(2027, 3, 28, tzinfo=UTC)])
def test_quiet_ends_soon_after_it_is_over_also_in_the_night_that_clocks_change(
    since: tuple[int, int], until: tuple[int, int], night: datetime
) -> None:
    quiet = Quiet(time(*since), time(*until))
    for minute in range(-300, 300, 5):
        moment = night + timedelta(minutes=minute)
        first = moment
        while quiet.holds(first):
            first += timedelta(minutes=5)
        assert first <= quiet.over(moment) <= first + timedelta(minutes=30)
        assert not quiet.holds(quiet.over(moment))


@given(moments, st.permutations(ALL), st.integers(1, 4), st.booleans())
def test_who_is_disturbed_is_never_asleep(
    moment: datetime, order: list[Route], most: int, loud: bool
) -> None:
    action = next_action(order[:most], [], moment, None if loud else QUIET)
    if isinstance(action, Send) and not loud and action.route.kind in DISTURBS:
        assert not QUIET.holds(moment)
        assert time(8, 0) <= moment.astimezone(HERE).time() < time(21, 0)


# Over a whole story

outcomes = st.sampled_from(
    ["sent", "delivered", "read", "bounced", "refused", "delayed", "doubtful", "claimed"]
)


@given(st.permutations(ALL), st.integers(1, 4), st.lists(outcomes, min_size=60, max_size=60), moments)
def test_every_message_ends_each_channel_is_a_try_of_its_own_and_the_order_holds(
    order: list[Route], most: int, happens: list[TryState], start: datetime
) -> None:
    """Whatever channels do, deciding ends; no channel gets a second try; later channels come only after earlier ones; and
    nothing is sent after it arrived."""
    open_routes, now = order[:most], start
    tries: dict[int, Try] = {}
    for outcome in [*happens, *["refused"] * 20]:
        action = next_action(open_routes, list(tries.values()), now, QUIET)
        match action:
            case Over():
                break
            case Later(at):
                assert at > now.timestamp()
                now = datetime.fromtimestamp(at, UTC)
            case Send(route, number) | Resolve(route, Try(number=number)):
                assert not any(one.state in ("delivered", "read") for one in tries.values())
                before = tries.get(number)
                assert before is None or before.channel == route.channel
                moment = int(now.timestamp())
                attempts = 1 if before is None else before.attempts + 1
                began = moment if before is None else before.began
                tries[number] = Try("m", number, route.channel, route.kind, outcome, attempts, began, moment,
                                    due=moment + delay(attempts))  # fmt: skip
                now += timedelta(seconds=delay(attempts))
    else:
        raise AssertionError("it did not end")
    used = [tries[number].channel for number in sorted(tries)]
    assert len(set(used)) == len(used)
    assert used == [one.channel for one in open_routes][: len(used)]


# Preferences

OFFERED = {
    "box": Offered("box", "delivered"), "mail": Offered("email", "sent"), "sms": Offered("sms", "delivered"),
    "post": Offered("letter", "sent"),
}  # fmt: skip
EVERY: set[Kind] = {"box", "email", "sms", "letter"}


def chosen(preference: Preference, reachable: set[Kind] = EVERY, must: bool = True) -> list[str]:
    told = scenario("box", "mail", "sms", "post", must=must)
    return [one.channel for one in routes(told, OFFERED, preference, reachable)]


def test_without_a_preference_the_organisation_chooses() -> None:
    assert chosen(Preference()) == ["box", "mail", "sms", "post"]


def test_a_person_chooses_and_orders_channels() -> None:
    assert chosen(Preference(kinds=("sms", "email")), must=False) == ["sms", "mail"]


def test_what_must_arrive_goes_by_the_last_step_in_the_end() -> None:
    assert chosen(Preference(kinds=("email",))) == ["mail", "post"]


def test_a_channel_without_an_address_is_passed_over() -> None:
    assert chosen(Preference(), {"letter"}) == ["post"]


def test_what_is_said_about_a_case_counts_before_what_is_said_in_general() -> None:
    general = Preference(kinds=("email",), language="en")
    assert preferred(general, None) == Preference(("email",), "en", twice=True)
    assert preferred(Preference(twice=False), Preference(case="Z-1")).twice is False
    found = preferred(general, Preference(kinds=("sms",), twice=False, case="Z-1"))
    assert (found.kinds, found.language, found.twice) == (("sms",), "en", False)


# Small things


@pytest.mark.parametrize(
    ("text", "expected"), [("P2D", 2 * DAY), ("PT30M", 1_800), ("P1DT2H", DAY + 2 * HOUR), ("P0D", 0)]
)
def test_a_wait_is_read(text: str, expected: int) -> None:
    assert seconds(text) == expected


def test_each_failure_waits_longer_up_to_a_bound_and_as_long_as_the_channel_asks() -> None:
    assert [delay(one) for one in (1, 2, 3)] == [60, 120, 240]
    assert delay(40) == 7_200
    assert delay(1, asked=600) == 600
    assert delay(1, asked=10**9) == DAY


def test_states_that_follow_are_states() -> None:
    for table in (TRY, MESSAGE):
        assert {after for following in table.values() for after in following} <= set(table)


@pytest.mark.parametrize("before", sorted(TRY))
@pytest.mark.parametrize("after", sorted(TRY))
def test_a_try_comes_in_no_state_that_does_not_follow(before: TryState, after: TryState) -> None:
    one = tried(BOX, before)
    if after in TRY[before]:
        assert with_state(one, after, AT).state == after
    else:
        with pytest.raises(ValueError, match="does not follow"):
            with_state(one, after, AT)


def test_what_came_back_or_was_refused_stays_so() -> None:
    assert not TRY["bounced"]
    assert not TRY["refused"]
    assert not TRY["read"]

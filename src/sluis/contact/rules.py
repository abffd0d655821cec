"""What to do next with a message: by which channel, and when. A function of scenario, history, preferences and moment alone.

The channels of a scenario stand in order. The next one is used when the one before cannot take the message, gave it back, or
was silent for too long. Once a channel says that the message is there, nothing more is sent.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

import msgspec

from sluis.contact.model import ARRIVED, Enough, Kind, MessageState, Preference, Scenario, Try

HERE = ZoneInfo("Europe/Amsterdam")

DISTURBS: frozenset[Kind] = frozenset({"box", "email", "sms"})
"""What may wake somebody. A letter does not."""

FIRST_DELAY, LONGEST_DELAY = 60, 7_200
"""Seconds before a channel that said `later` is tried again, and at most; each time doubles it. Greylisting asks for minutes."""

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?")


class Quiet(msgspec.Struct, frozen=True):
    """From when to when nobody is disturbed, Dutch time; the same moment twice: never quiet."""

    since: time
    until: time

    def holds(self, moment: datetime) -> bool:
        """Whether an aware moment is in it."""
        at = moment.astimezone(HERE).time()
        if self.since <= self.until:
            return self.since <= at < self.until
        return at >= self.since or at < self.until

    def over(self, moment: datetime) -> datetime:
        """The first moment from `moment` on that is not quiet, in UTC."""
        if not self.holds(moment):
            return moment
        here = moment.astimezone(HERE)
        day = here.date() if here.time() < self.until else here.date() + timedelta(days=1)
        at = datetime.combine(day, self.until, HERE).astimezone(UTC)
        if at < moment:  # clocks went back: the second time it is so late today
            at = datetime.combine(day, self.until.replace(fold=1), HERE).astimezone(UTC)
        # When clocks go forward this may name an hour that is not there.
        return at if not self.holds(at) else self.over(at + timedelta(hours=1))


class Route(msgspec.Struct, frozen=True):
    """A channel that is open for one message.

    Args:
        channel: its name.
        kind: what it is.
        wait: seconds that it may be silent.
        enough: how far the message must get by it.
    """

    channel: str
    kind: Kind
    wait: int
    enough: Enough


class Offered(msgspec.Struct, frozen=True):
    """What is known of a channel: its kind, and how far it can tell that a message got."""

    kind: Kind
    enough: Enough


class Send(msgspec.Struct, frozen=True):
    """Hand it to this channel, now; `number` is that of the try."""

    route: Route
    number: int


class Resolve(msgspec.Struct, frozen=True):
    """Find out about a try that was claimed by a process that is gone."""

    route: Route
    tried: Try


class Later(msgspec.Struct, frozen=True):
    """Look again at this moment, seconds since the epoch."""

    at: int


class Over(msgspec.Struct, frozen=True):
    """Nothing is left to do."""

    state: MessageState


Action = Send | Resolve | Later | Over


def seconds(duration: str) -> int:
    """The seconds of a `Wait`."""
    match = _DURATION.fullmatch(duration)
    if match is None:
        raise ValueError(f"no duration: {duration}")
    days, hours, minutes = (int(part or 0) for part in match.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60


def preferred(general: Preference, of_case: Preference | None) -> Preference:
    """What counts for a case: what was said about it, and in general where nothing was."""
    first = of_case or general
    said = [one.twice for one in (first, general) if one.twice is not None]
    return Preference(
        first.kinds or general.kinds,
        first.language or general.language,
        said[0] if said else True,
        first.case,
    )


def routes(
    scenario: Scenario, channels: Mapping[str, Offered], preference: Preference, reachable: Collection[Kind]
) -> tuple[Route, ...]:
    """The channels that are open for a message, in the order in which they are used.

    Args:
        scenario: names channels, in an order.
        channels: those that there are.
        preference: of the person. It chooses among those of the scenario and orders them.
        reachable: kinds by which there is an address, or may be.
    """
    every = [
        Route(step.channel, channels[step.channel].kind, seconds(step.wait), channels[step.channel].enough)
        for step in scenario.steps
        if step.channel in channels
    ]
    chosen = every
    if preference.kinds:
        chosen = [one for kind in preference.kinds for one in every if one.kind == kind]
        if scenario.must and every and every[-1] not in chosen:
            chosen.append(every[-1])
    return tuple(one for one in chosen if one.kind in reachable)


def next_action(
    open_routes: Sequence[Route],
    tries: Iterable[Try],
    now: datetime,
    quiet: Quiet | None,
    channels: Mapping[str, Offered] = MappingProxyType({}),
) -> Action:
    """What to do next.

    Args:
        open_routes: as `routes` gave them.
        tries: every try of this message.
        now: aware UTC.
        quiet: when nobody is disturbed; None for a message that cannot wait.
        channels: those that there are; what went by one that is not open any more went all the same.
    """
    done = {one.channel: one for one in tries}
    moment = int(now.timestamp())
    enough = {name: ARRIVED[one.enough] for name, one in channels.items()}
    enough |= {one.channel: ARRIVED[one.enough] for one in open_routes}
    if any(
        ARRIVED.get(one.state, 0) >= enough.get(one.channel, ARRIVED["delivered"]) for one in done.values()
    ):
        return Over("reached")
    for route in open_routes:
        tried = done.get(route.channel)
        if tried is None:
            return _send(route, len(done) + 1, now, quiet)
        # Where there is no other channel to go to, this one is tried on.
        tries_on = route is open_routes[-1] or moment - tried.began < max(route.wait, LONGEST_DELAY)
        match tried.state:
            case "claimed":
                if tries_on:
                    return Resolve(route, tried)
            case "delayed":
                if tries_on:
                    return Later(tried.due) if moment < tried.due else _send(route, tried.number, now, quiet)
            case "bounced" | "refused":
                pass
            case _:
                if moment < tried.changed + route.wait:
                    return Later(tried.changed + route.wait)
    left = any(one.state in ARRIVED or one.state == "doubtful" for one in done.values())
    return Over("unsure" if left else "unreachable")


def delay(attempts: int, asked: int = 0) -> int:
    """Seconds before another attempt, after so many; not sooner than the channel asked."""
    longest: int = min(FIRST_DELAY * 2 ** min(max(attempts - 1, 0), 20), LONGEST_DELAY)
    return max(longest, min(asked, 86_400))


def _send(route: Route, number: int, now: datetime, quiet: Quiet | None) -> Action:
    if quiet is None or route.kind not in DISTURBS or not quiet.holds(now):
        return Send(route, number)
    return Later(int(quiet.over(now).timestamp()))

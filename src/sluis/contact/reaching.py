"""Getting messages to people: what is due is decided, claimed, handed over, noted. On the event loop of the node.

A try stands in the database, with its line in the log, before anything leaves: durable, in one commit. What became of it is
written after. Between the two this process may end; who finds such a try later asks the channel where that can tell, sends it
again where that has no second effect, and otherwise does as the person prefers (`Preference.twice`).
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Protocol

import msgspec
from sqlalchemy import Connection

from sluis.contact.channels.base import Channel, Failed, Parcel, Waiting, box_of
from sluis.contact.keeping import Keeping, Known, with_state
from sluis.contact.model import (
    TRY,
    Content,
    Kind,
    Language,
    Message,
    MessageState,
    PostalAddress,
    Preference,
    Scenario,
    Try,
)
from sluis.contact.rendering import Templates
from sluis.contact.rules import (
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
)
from sluis.kernel import Clock, Problem, Trace, cause_of, milliseconds, new_span_id, new_trace_id
from sluis.ledger import ACTIVITY, MESSAGE, SUBJECT, SUBJECT_TYPE, Ledger, Processing
from sluis.store import Store

log = logging.getLogger("sluis.contact")

_LANE = 8  # messages with one channel at the same time
_TAKEN = 400  # in hand for one channel: one that hangs keeps no other waiting
_STALE = 60  # seconds in hand after which it is read anew what is known of a person
_BUSY = 60  # seconds at most until a message is looked at again whose channel has enough in hand
_TURNED_AWAY = 200  # for each so many messages that found a channel full since it finished one, a second more
_MEND = 3_600  # seconds until a message is looked at again that our own files stand in the way of
_ATTEMPTS = 3  # of a message of which nobody can tell whether it left


class Addresses(Protocol):
    """Where somebody lives or a company is registered, when nothing else is known of them. `serve` fills it in with questions to
    the registers of persons and of companies, each under an activity of its own."""

    def asks(self, kind: str) -> bool:
        """Whether addresses of this kind of number can be asked for."""

    async def postal(self, kind: str, value: str, case: str, trace: Trace) -> PostalAddress | None:
        """The address that belongs to a number of this kind; None when there is none, or it is secret. Raises `Problem`."""


class Settings(msgspec.Struct, frozen=True):
    """How this organisation reaches people.

    Args:
        organisation: who says it.
        language: of who did not choose one.
        quiet: when nobody is disturbed; None: never.
    """

    organisation: str
    language: Language
    quiet: Quiet | None


class _Overtaken(Exception):
    """What was decided about a message holds no more."""


class _Due(msgspec.Struct, frozen=True):
    """A message with which something must be done, and all that is known of it."""

    message: Message
    content: Content
    tries: list[Try]
    known: Known


class Reaching:
    """The messages of one node under way.

    Args:
        store, keeping: where they are.
        channels: by name.
        scenarios: by id.
        templates: makes words of them.
        ledger: gets a line for each try.
        addresses: where people live, and companies are registered.
        clock: aware UTC.
        settings: how.
    """

    def __init__(
        self,
        store: Store,
        keeping: Keeping,
        channels: Mapping[str, Channel],
        scenarios: Mapping[str, Scenario],
        templates: Templates,
        ledger: Ledger,
        addresses: Addresses | None,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._store, self._keeping, self._channels, self._scenarios = store, keeping, channels, scenarios
        self._templates, self._ledger, self._addresses = templates, ledger, addresses
        self._clock, self._settings = clock, settings
        self._offered = {name: Offered(one.kind, one.enough) for name, one in channels.items()}
        self._in_hand: dict[str, asyncio.Task[None]] = {}
        self._most = _TAKEN * (len(channels) + 1)
        self._lanes = {name: asyncio.Semaphore(_LANE) for name in channels}
        self._taken, self._full = dict.fromkeys(channels, 0), dict.fromkeys(channels, 0)

    async def round(self) -> int:
        """Begin with what is due; gives how many messages that is. Raises `Unkept`."""
        room = self._most - len(self._in_hand)
        if room <= 0:
            return 0
        fresh, broken = await asyncio.to_thread(self._due, self._now() + 1, room, frozenset(self._in_hand))
        for name, why in broken:
            log.error("message %s cannot be read: %s", name[:8], why)
            await self._put_off(name, _MEND)
        for due in fresh:
            task = asyncio.create_task(self._handle(due))
            self._in_hand[due.message.id] = task
            task.add_done_callback(partial(self._let_go, due.message.id))
        return len(fresh)

    def _let_go(self, name: str, _task: asyncio.Task[None]) -> None:
        self._in_hand.pop(name, None)

    async def settled(self) -> None:
        """Wait until nothing is in hand."""
        while self._in_hand:
            await asyncio.wait(list(self._in_hand.values()))

    async def stop(self, seconds: float) -> None:
        """Let what is in hand finish for so long. What is let go of after that is claimed, and found again."""
        if self._in_hand:
            await asyncio.wait(list(self._in_hand.values()), timeout=seconds)
        for task in list(self._in_hand.values()):
            task.cancel()
        await asyncio.gather(*self._in_hand.values(), return_exceptions=True)

    # Deciding

    def _due(self, now: int, room: int, in_hand: Collection[str]) -> tuple[list[_Due], list[tuple[str, str]]]:
        """What is due and not in hand, with all that deciding takes: read together, for a thread each would cost more than it
        reads. And what cannot be read, with why: a row that was damaged, or whose key is gone, keeps no other waiting."""
        found, broken = list[_Due](), list[tuple[str, str]]()
        with self._store.read() as connection:
            names = self._keeping.due(connection, now, room + len(in_hand))
            for name in [one for one in names if one not in in_hand][:room]:
                try:
                    found += self._read(connection, name)
                except Exception as failure:
                    broken.append((name, cause_of(failure)))
        return found, broken

    def _read(self, connection: Connection, name: str) -> list[_Due]:
        one = self._keeping.message(connection, name)
        if one is None:
            return []
        tries = self._keeping.tries(connection, name)
        return [_Due(*one, tries, self._keeping.known(connection, one[0].person))]

    async def _handle(self, due: _Due) -> None:
        message = due.message
        try:
            await self._do(due)
        except _Overtaken:
            await self._put_off(message.id, 0)
        except Problem as problem:
            log.error("message %s waits: %s", message.id[:8], problem.code)
            await self._put_off(message.id, _MEND if problem.code.startswith("template") else _BUSY)
        except Exception as failure:  # one message must not hold up the others
            log.error("message %s waits: %s", message.id[:8], cause_of(failure))
            await self._put_off(message.id, _MEND)

    async def _do(self, due: _Due) -> None:
        message, content, tries, known = due.message, due.content, due.tries, due.known
        scenario = self._scenarios.get(message.scenario)
        if scenario is None:
            log.error("scenario %s is gone; message %s is not sent", message.scenario, message.id[:8])
            await self._store.write(
                lambda connection: self._keeping.set_message(connection, message.id, "unreachable", None)
            )
            return
        preference, action = self._next(scenario, content, known, tries)
        match action:
            case Later() | Over():
                await self._settle(message, content, scenario)
            case Send(route, number):
                now = self._now()
                before = next((one for one in tries if one.number == number), None)
                blank = Try(message.id, number, route.channel, route.kind, "claimed", 0, now, now)
                await self._in_lane(message, content, scenario, route, before or blank, known, preference)
            case Resolve(route, tried):
                await self._in_lane(message, content, scenario, route, tried, known, preference, found=True)

    def _next(
        self, scenario: Scenario, content: Content, known: Known, tries: Sequence[Try]
    ) -> tuple[Preference, Action]:
        of_case = known.preference(content.case) if content.case else None
        preference = preferred(known.preference("") or Preference(), of_case)
        reachable: set[Kind] = {"box", *(one.kind for one in known.addresses)}
        if self._addresses is not None and self._addresses.asks(content.about[0]):
            reachable.add("letter")
        quiet = None if scenario.urgent else self._settings.quiet
        open_routes = routes(scenario, self._offered, preference, reachable)
        return preference, next_action(open_routes, tries, self._clock(), quiet, self._offered)

    # Handing over

    async def _in_lane(
        self,
        message: Message,
        content: Content,
        scenario: Scenario,
        route: Route,
        tried: Try,
        known: Known,
        preference: Preference,
        *,
        found: bool = False,
    ) -> None:
        if self._taken[route.channel] >= _TAKEN:
            self._full[route.channel] += 1
            await self._put_off(message.id, min(1 + self._full[route.channel] // _TURNED_AWAY, _BUSY))
            return
        self._taken[route.channel] += 1
        try:
            began = self._now()
            async with self._lanes[route.channel]:
                if self._now() - began > _STALE:
                    await self._put_off(message.id, 0)
                elif found and (resolved := await self._resolve(route, tried, preference)) is not None:
                    await self._note(message, content, scenario, resolved)
                else:
                    await self._hand_over(message, content, scenario, tried, known, preference)
        finally:
            self._taken[route.channel] -= 1
            self._full[route.channel] = 0

    async def _resolve(self, route: Route, tried: Try, preference: Preference) -> Try | None:
        """What is known of a try that was claimed and never noted; None when it may be sent again."""
        channel, now = self._channels[route.channel], self._now()
        match channel.doubt:
            case "again":
                return None
            case "ask":
                try:
                    sent = await channel.find(_waiting(tried))
                except Failed as failed:
                    due = now + delay(tried.attempts, failed.after)
                    return with_state(tried, "claimed", now, attempts=tried.attempts + 1, due=due)
                return None if sent is None else with_state(tried, sent.state, now, remote=sent.remote)
            case "unknown":
                again = preference.twice and tried.attempts < _ATTEMPTS
                return None if again else with_state(tried, "doubtful", now, trouble="unknown")

    async def _hand_over(
        self,
        message: Message,
        content: Content,
        scenario: Scenario,
        tried: Try,
        known: Known,
        preference: Preference,
    ) -> None:
        now, channel = self._now(), self._channels[tried.channel]
        claimed = with_state(tried, "claimed", now, attempts=tried.attempts + 1, due=0, trouble="")
        try:
            to = await self._address(tried.kind, content, known)
        except Problem as problem:
            log.warning("no address for message %s yet: %s", message.id[:8], problem.code)
            late = with_state(
                claimed, "delayed", now, due=now + delay(claimed.attempts), trouble="address-unknown"
            )
            await self._note(message, content, scenario, late)
            return
        if to is None:
            none = with_state(claimed, "refused", now, trouble="no-address")
            await self._note(message, content, scenario, none)
            return
        if content.said is None:
            language = preference.language or self._settings.language
            said = await asyncio.to_thread(self._templates.render, scenario, language, content.facts)
            content = msgspec.structs.replace(content, said=said)
        await self._claim(claimed, content, scenario, partial(self._hold_on, message.person, tried, to))
        done = await self._send(
            channel, claimed, _parcel(claimed, to, content, self._settings.organisation), preference
        )
        await self._note(message, content, scenario, done)

    async def _address(self, kind: Kind, content: Content, known: Known) -> tuple[str, ...] | None:
        if kind == "box":
            return (box_of(*content.about),)
        if kind == "letter":
            if self._addresses is None:
                return None
            trace = Trace(content.trace, new_span_id())
            found = await self._addresses.postal(*content.about, content.case, trace)
            return None if found is None else found.lines
        address = known.address(kind)
        return None if address is None else (address.value,)

    def _hold_on(self, person: str, tried: Try, to: tuple[str, ...], connection: Connection) -> None:
        """Raises `_Overtaken` when, while a message waited for its turn, a report came in or its address was taken away."""
        now = self._keeping.tried(connection, tried.reference)
        if now is not None and now.state != tried.state:
            raise _Overtaken
        if tried.kind in ("email", "sms"):
            address = self._keeping.known(connection, person).address(tried.kind)
            if address is None or (address.value,) != to:
                raise _Overtaken

    async def _claim(
        self, tried: Try, content: Content, scenario: Scenario, check: Callable[[Connection], None]
    ) -> None:
        """Keep that this is about to leave, and its line in the log. Raises `Unkept`, and what `check` raises; then it does not
        leave."""

        def work(connection: Connection) -> None:
            check(connection)
            self._keeping.set_content(connection, tried.message, content)
            self._keeping.keep_try(connection, tried)

        moment = self._clock()
        line = Processing(
            trace_id=content.trace or new_trace_id(),
            span_id=new_span_id(),
            name=f"Bericht: {scenario.title.nl}",
            status="Ok",
            start_time=milliseconds(moment),
            end_time=milliseconds(moment),
            attributes={
                ACTIVITY: scenario.activity,
                SUBJECT: self._ledger.subject(*content.about, moment),
                SUBJECT_TYPE: content.about[0],
                MESSAGE: scenario.id,
            },
        )
        await self._ledger.append([line], along=work)

    async def _send(self, channel: Channel, tried: Try, parcel: Parcel, preference: Preference) -> Try:
        try:
            sent = await channel.send(parcel)
        except Failed as failed:
            return self._failed(channel, tried, failed, preference)
        except Exception as failure:  # a channel that breaks its promise may have sent it
            log.error("channel %s: %s", tried.channel, cause_of(failure))
            return self._failed(channel, tried, Failed("channel-broke", "doubtful"), preference)
        return with_state(tried, sent.state, self._now(), remote=sent.remote)

    def _failed(self, channel: Channel, tried: Try, failed: Failed, preference: Preference) -> Try:
        now = self._now()
        due = now + delay(tried.attempts, failed.after)
        log.info("channel %s did not take %s: %s", tried.channel, tried.reference[:8], failed.trouble)
        if failed.how == "never":
            return with_state(tried, "refused", now, trouble=failed.trouble)
        if failed.how == "later":
            return with_state(tried, "delayed", now, due=due, trouble=failed.trouble)
        if channel.doubt == "unknown" and not (preference.twice and tried.attempts < _ATTEMPTS):
            return with_state(tried, "doubtful", now, trouble=failed.trouble)
        return with_state(tried, "claimed", now, due=due, trouble=failed.trouble)

    # Noting

    async def _note(self, message: Message, content: Content, scenario: Scenario, tried: Try) -> None:
        """Keep what became of a try, and what that means for its message."""

        def work(connection: Connection) -> None:
            due = self._keep_try(connection, tried)
            self._keep_next(connection, message, content, scenario, due)

        await self._store.write(work)

    def _keep_try(self, connection: Connection, tried: Try) -> int | None:
        """Keep a try, unless a report that was quicker than the channel's own answer says more; gives when it is due."""
        known = self._keeping.tried(connection, tried.reference)
        if known is not None and known.state != "claimed" and tried.state not in TRY[known.state]:
            tried = msgspec.structs.replace(known, remote=tried.remote or known.remote)
        self._keeping.keep_try(connection, tried)
        return tried.due or None

    def _keep_next(
        self,
        connection: Connection,
        message: Message,
        content: Content,
        scenario: Scenario,
        due: int | None = None,
    ) -> None:
        known, tries = (
            self._keeping.known(connection, message.person),
            self._keeping.tries(connection, message.id),
        )
        state, at = _after(self._next(scenario, content, known, tries)[1], self._now())
        self._keeping.set_message(connection, message.id, state, due or at)

    async def _settle(self, message: Message, content: Content, scenario: Scenario) -> None:
        """Keep what is to be done next, as it is by now."""
        await self._store.write(lambda connection: self._keep_next(connection, message, content, scenario))

    async def _put_off(self, name: str, later: int) -> None:
        due = self._now() + later
        try:
            await self._store.write(
                lambda connection: self._keeping.set_message(connection, name, "open", due)
            )
        except Problem as problem:
            log.error("message %s: %s", name[:8], problem.code)

    def _now(self) -> int:
        return int(self._clock().timestamp())


def _after(action: Action, now: int) -> tuple[MessageState, int | None]:
    match action:
        case Over(state):
            if state == "unreachable":
                log.warning("a person was reached by no channel; they see so among their messages")
            return state, None
        case Later(at):
            return "open", at
        case _:
            return "open", now


def _waiting(tried: Try) -> Waiting:
    return Waiting(tried.reference, tried.remote)


def _parcel(tried: Try, to: tuple[str, ...], content: Content, organisation: str) -> Parcel:
    said = content.said
    assert said is not None
    return Parcel(
        tried.reference,
        to,
        said.language,
        said.subject,
        said.text,
        said.html,
        said.short,
        organisation,
        tried.began,
        content.case,
    )

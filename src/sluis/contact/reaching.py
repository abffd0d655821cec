"""Getting messages to people: what is due is decided, claimed, handed over (`handing`), noted. On the event loop of the node.

A try stands in the database, with its line in the log, before anything leaves: durable, in one commit. What became of it is
written after. Between the two this process may end; who finds such a try later asks the channel where that can tell, sends it
again where that has no second effect, and otherwise does as the person prefers (`Preference.twice`).
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from functools import partial

import msgspec
from sqlalchemy import Connection

from sluis.contact.channels.base import Channel
from sluis.contact.handing import Addresses, Handing, Overtaken, Settings
from sluis.contact.keeping import Keeping, Known
from sluis.contact.model import TRY, Content, Kind, Message, MessageState, Preference, Scenario, Try
from sluis.contact.rendering import Templates
from sluis.contact.rules import (
    Action,
    Later,
    Offered,
    Over,
    Resolve,
    Route,
    Send,
    next_action,
    preferred,
    routes,
)
from sluis.kernel import Clock, Problem, cause_of
from sluis.ledger import Ledger
from sluis.store import Store

log = logging.getLogger("sluis.contact")

_LANE = 8  # messages with one channel at the same time
_TAKEN = 400  # in hand for one channel: one that hangs keeps no other waiting
_STALE = 60  # seconds in hand after which it is read anew what is known of a person
_BUSY = 60  # seconds at most until a message is looked at again whose channel has enough in hand
_TURNED_AWAY = 200  # for each so many messages that found a channel full since it finished one, a second more
_MEND = 3_600  # seconds until a message is looked at again that our own files stand in the way of


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
        self._addresses, self._clock, self._settings = addresses, clock, settings
        self._handing = Handing(keeping, channels, templates, ledger, addresses, clock, settings)
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
        except Overtaken:
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

    # One message at its turn

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
                    return
                done = await self._handing.resolve(tried, preference) if found else None
                if done is None:
                    done = await self._handing.over(
                        message.person, content, scenario, tried, known, preference
                    )
                await self._note(message, content, scenario, done)
        finally:
            self._taken[route.channel] -= 1
            self._full[route.channel] = 0

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

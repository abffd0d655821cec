"""Reaching people, as the rest of the node knows it: hear what happened, run, and let people see and say how they are reached."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial

import msgspec
from sqlalchemy import Connection

from sluis.contact import sql
from sluis.contact.channels.base import Channel, Report
from sluis.contact.consulted import Consulted, Telling
from sluis.contact.handing import Addresses, Settings
from sluis.contact.hearing import Hearing
from sluis.contact.keeping import Keeping, Known, has_messages
from sluis.contact.model import HOWS, How, Kind, Occurrence, Preference, Try
from sluis.contact.parties import Parties, Party, Reach
from sluis.contact.proving import DAY, Proving
from sluis.contact.reaching import Reaching
from sluis.contact.recording import Recording
from sluis.contact.rendering import Templates
from sluis.contact.saying import no_channel, too_many_cases, unknown_how, unknown_kind
from sluis.contact.scenarios import Listening
from sluis.contact.views import Entry, Step, reason_of, state_of
from sluis.crypto import KeyStore
from sluis.kernel import Clock, Text, cause_of, new_trace_id
from sluis.ledger import Ledger
from sluis.store import Store, migrate

log = logging.getLogger("sluis.contact")

MOST_CASES = 50
"""Cases about which one person may prefer something else than in general."""

SHOWN = 200
"""Messages on one page of a history."""

EVER = 2**53 - 1
"""A moment after all others, as every reader of JSON knows it."""

_TICK = 1.0  # seconds between two looks at what is due
_HEAR = 15.0  # seconds between two looks at what channels say

Work = Callable[[], Awaitable[None]]


class Contact:
    """Made by `open_contact`.

    Args:
        store, ledger, keys, clock: of the node.
        channels: by name, in the order of the settings.
        listening: the scenarios.
        templates: makes words.
        addresses: where people live; None: then there are no letters.
        settings: how people are reached.
        telling: how they are told that they were consulted; None: nobody is.

    Attributes:
        parties: whose messages somebody may look after.
        proving: the addresses of people.
        hearing: the reports of channels.
        reaching: messages under way.
        consulted: tells people that they were consulted.
    """

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        keys: KeyStore,
        clock: Clock,
        channels: Mapping[str, Channel],
        listening: Sequence[Listening],
        templates: Templates,
        addresses: Addresses | None,
        settings: Settings,
        telling: Telling | None = None,
    ) -> None:
        self._store, self._clock, self._channels = store, clock, channels
        self._keeping, self._recording = Keeping(keys), Recording(ledger, clock)
        self._listening: dict[str, list[Listening]] = {}
        for one in listening:
            self._listening.setdefault(one.scenario.event, []).append(one)
        self._tasks: list[asyncio.Task[None]] = []
        scenarios = {one.scenario.id: one.scenario for one in listening}
        if telling is not None:
            scenarios.setdefault(telling.scenario.id, telling.scenario)
        self._titles = {id: one.title for id, one in scenarios.items()}
        self.consulted = Consulted(store, ledger, keys, clock, self._keeping, telling)
        self.parties = Parties(self._keeping, scenarios, None)
        self.proving = Proving(store, self._keeping, self._recording, channels, clock, settings.organisation)
        self.hearing = Hearing(store, self._keeping, channels, clock)
        self.reaching = Reaching(
            store,
            self._keeping,
            channels,
            scenarios,
            templates,
            ledger,
            addresses,
            clock,
            settings,
        )

    # Hearing

    def heard(self, connection: Connection, occurrence: Occurrence) -> None:
        """Take note of what happened, in the transaction of the event: who must be told is told, whatever happens next.

        People are told, and companies: of what is about nobody there is nobody to tell. Hearing the same again does nothing.

        Args:
            connection: of the transaction; on the writer's thread.
            occurrence: what happened.
        """
        if not has_messages(occurrence.about):
            return
        now, trace = self._now(), occurrence.trace_id or new_trace_id()
        for one in self._listening.get(occurrence.type, ()):
            if one.concerns(occurrence):
                self._keeping.add(connection, one.scenario, occurrence, trace, now)
        if occurrence.about is not None and occurrence.type in self._listening:
            self.consulted.meet(connection, occurrence.about.kind, occurrence.about.value)

    # Life

    def start(self) -> None:
        """Begin to send, and to hear of channels."""
        self._tasks = [
            asyncio.create_task(self._repeat(_TICK, self.work)),
            *(
                asyncio.create_task(self._repeat(_HEAR, partial(self.hearing.listen, name)))
                for name in self._channels
            ),
        ]

    async def stop(self, seconds: float = 5.0) -> None:
        """Stop. What is in hand gets so long to finish; the rest is found again at the next start. May be called twice."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        await self.reaching.stop(seconds)
        for channel in self._channels.values():
            await channel.close()

    async def work(self) -> None:
        """Begin with everything that is due."""
        while await self.reaching.round():
            pass

    async def tidy(self) -> None:
        """Destroy what was kept long enough; to be called every hour. Raises `Unkept`."""
        now = self._now()
        await self._store.write(lambda connection: self._keeping.sweep(connection, now, now - DAY))
        await self._store.write(self.consulted.sweep)

    async def take(self, channel: str, reports: Sequence[Report]) -> None:
        """What a channel calls to say. Raises `NotFound` for a channel that there is not; `Unkept`."""
        if channel not in self._channels:
            raise no_channel()
        await self.hearing.take(channel, reports)

    @staticmethod
    async def _repeat(seconds: float, work: Work) -> None:
        while True:
            try:
                await work()
            except Exception as failure:  # people must go on being reached, whatever one round meets
                log.error("reaching people: %s", cause_of(failure))
            await asyncio.sleep(seconds)

    # What people see

    def represented_by(self, reach: Reach) -> None:
        """Let those who represent others look after their messages, as far as `reach` says."""
        self.parties.reach = reach

    async def history(self, party: Party, until: int = EVER) -> list[Entry]:
        """What somebody was told, newest first, and how it got there. That another sees it, is on record first. Raises `Unkept`.

        Args:
            party: of whom, and as far as whoever looks may see.
            until: only what is from before this moment, in seconds since the epoch. Of that the newest `SHOWN`; what is of the same
                second as the last of these comes with them, so that who goes on at that moment misses nothing.
        """
        await self._recording.read(party)
        return await asyncio.to_thread(self._history, party, until)

    async def latest(self, party: Party, most: int) -> list[tuple[Text, int, Text]]:
        """The newest messages of somebody: title, moment in seconds since the epoch, and state, in words; not what they say. That
        another sees it, is on record first. Raises `Unkept`."""
        await self._recording.read(party)
        return await asyncio.to_thread(self._latest, party, most)

    def _latest(self, party: Party, most: int) -> list[tuple[Text, int, Text]]:
        with self._store.read() as connection:
            found = self._keeping.of_person(connection, party.whose, party.scenarios, EVER, most)[:most]
        return [(self._title(one.scenario), one.created, state_of(one.state)) for one, _ in found]

    def _title(self, scenario: str) -> Text:
        return self._titles.get(scenario, Text(scenario, scenario))

    def _history(self, party: Party, until: int) -> list[Entry]:
        with self._store.read() as connection:
            messages = self._keeping.of_person(connection, party.whose, party.scenarios, until, SHOWN)
            tries = self._keeping.tries_of_person(connection, party.whose)
        by_message: dict[str, list[Try]] = {}
        for one in tries:
            by_message.setdefault(one.message, []).append(one)
        return [
            Entry(
                id=message.id,
                at=message.created,
                title=self._title(message.scenario),
                case=content.case,
                subject=content.said.subject if content.said else "",
                text=content.said.text if content.said else "",
                language=content.said.language if content.said else "",
                state=message.state,
                state_text=state_of(message.state),
                steps=tuple(_step(one) for one in by_message.get(message.id, ())),
            )
            for message, content in messages
        ]

    async def known(self, party: Party) -> Known:
        """How somebody can be reached, and wants to be."""
        return await asyncio.to_thread(self._known, party.whose)

    def _known(self, person: str) -> Known:
        with self._store.read() as connection:
            known, now = self._keeping.known(connection, person), self._now()
        waiting = tuple(one for one in known.pending if one.until > now and one.left > 0)
        return msgspec.structs.replace(known, pending=waiting)

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """By what people are reached here, in the order of the settings."""
        return tuple(dict.fromkeys(one.kind for one in self._channels.values()))

    # What people say

    async def prefer(self, party: Party, preference: Preference) -> None:
        """Keep how somebody wants to hear; durable, on record, when this returns. What they said before changes nothing.

        Raises `Invalid` (`unknown-kind`, `too-many-cases`), `Refused` (`changes-pace`), `Unkept`.
        """
        self._check(preference)
        known = await self.known(party)
        if known.preference(preference.case) == preference:
            return
        cases = {one.case for one in known.preferences if one.case}
        if preference.case and preference.case not in cases and len(cases) >= MOST_CASES:
            raise too_many_cases()
        now = self._now()
        await self._recording.change(
            party,
            "contact.preference",
            lambda connection: self._keeping.keep(connection, party.whose, preference, now),
        )

    async def prefer_all(self, party: Party, preferences: Sequence[Preference]) -> None:
        """Keep this, and nothing else, of how somebody wants to hear: one in general, and one for each case that they name.

        Raises as `prefer`.
        """
        for one in preferences:
            self._check(one)
        if len({one.case for one in preferences if one.case}) > MOST_CASES:
            raise too_many_cases()
        now, wanted = self._now(), {one.case: one for one in preferences}
        if {one.case: one for one in (await self.known(party)).preferences} == wanted:
            return

        def work(connection: Connection) -> None:
            for one in self._keeping.known(connection, party.whose).preferences:
                self._keeping.forget(connection, party.whose, one)
            for one in wanted.values():
                self._keeping.keep(connection, party.whose, one, now)

        await self._recording.change(party, "contact.preference", work)

    async def told_of_consultations(self, party: Party) -> How:
        """Whether somebody is told that they were consulted, and how."""
        return await asyncio.to_thread(self.consulted.wanted, party.whose)

    async def tell_of_consultations(self, party: Party, about: tuple[str, str], how: str) -> None:
        """Keep whether somebody wants to be told that they were consulted; durable, on record, when this returns.

        Args:
            party: of whom, and who says it.
            about: type and value of their number.
            how: they want it, one of `HOWS`.

        Raises `Invalid` (`unknown-how`), `Refused` (`changes-pace`), `Unkept`.
        """
        wanted = next((one for one in HOWS if one == how), None)
        if wanted is None or not self.consulted.offered:
            raise unknown_how()
        await self._recording.change(
            party,
            "contact.consulted",
            lambda connection: self.consulted.keep(connection, party.whose, about, wanted),
        )

    def _check(self, preference: Preference) -> None:
        kinds = preference.kinds
        if any(kind not in self.kinds for kind in kinds) or len(set(kinds)) != len(kinds):
            raise unknown_kind()

    async def forget_preference(self, party: Party, case: str) -> None:
        """Let what somebody said in general count for a case again. Raises `Refused` (`changes-pace`), `Unkept`."""
        if (await self.known(party)).preference(case) is None:
            return
        await self._recording.change(
            party,
            "contact.preference",
            lambda connection: self._keeping.forget(connection, party.whose, Preference(case=case)),
        )

    def _now(self) -> int:
        return int(self._clock().timestamp())


def open_contact(
    store: Store,
    ledger: Ledger,
    keys: KeyStore,
    clock: Clock,
    channels: Mapping[str, Channel],
    listening: Sequence[Listening],
    templates: Templates,
    addresses: Addresses | None,
    settings: Settings,
    telling: Telling | None = None,
) -> Contact:
    """This room, its tables made when they are not there; arguments as `Contact`. Blocks. Raises `Conflict`, `Unkept`."""
    migrate(store, "contact", sql.MIGRATIONS)
    return Contact(store, ledger, keys, clock, channels, listening, templates, addresses, settings, telling)


def _step(tried: Try) -> Step:
    return Step(tried.kind, tried.changed, tried.state, state_of(tried.state), reason_of(tried.trouble))

"""Word to a person that they were consulted: which organisation asked for data about them, what for, on which law and when; never
what it was. GDPR articles 12 to 15; Logboek Dataverwerkingen, reading extension.

It comes from the log, read in its order beside everything else: whoever asks or answers a question waits for nothing, and how
far the log was read is kept in the same commit as the messages that came of it. So nothing is lost and nothing is told twice,
whatever restarts.

The log has pseudonyms of a year. Of those who want to be told, or whom this organisation knows, the number is kept sealed, and
beside it their pseudonyms of this year and the one before: no others, for a pseudonym whose secret was destroyed must join nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import Connection, bindparam, text

from sluis.contact import sql
from sluis.contact.keeping import Keeping
from sluis.contact.model import Content, How, Scenario, Step
from sluis.contact.rules import HERE, seconds
from sluis.crypto import KeyStore, Vault
from sluis.grounds import Activity
from sluis.kernel import Clock, Text, decode, encode, from_milliseconds, milliseconds, new_trace_id
from sluis.ledger import (
    ACTIVITY,
    PROCESSOR,
    SUBJECT,
    Batch,
    Ledger,
    Processing,
    Records,
    is_withheld,
    subject_term,
)
from sluis.store import Store

EVENT = "nl.sluis.geraadpleegd"
"""What the message is about, as events are called; nobody publishes it."""

MOST = 50
"""Consultations that one message names; of what comes on top it says how many."""

MOST_A_DAY = 20
"""Messages to who wants one of each consultation; what comes on top on that day is told in one message, the next morning. Else whoever
asks about somebody again and again fills that person's mailbox."""

_GDPR = {"avg", "gdpr", "algemene verordening gegevensbescherming", "general data protection regulation"}
_AT_ONCE = 200  # people whose pseudonyms are made in one round
_TERMS = 500  # in one statement
_LOG = "ledger"
_ASKED_ON = "dpl.read.externalReadAPI_id"  # of a line by which this organisation asked another
_EVENT_TOLD = "sluis.event"  # of a line by which somebody was told of an event: no question
_RENEWED = 30 * 86_400  # seconds after which it is kept again that somebody was met
_UNSEEN = 2 * 365 * 86_400  # seconds after which who said nothing is forgotten


class Telling(msgspec.Struct, frozen=True):
    """How people are told that they were consulted.

    Args:
        scenario: of the message.
        known: who is known here by number is told too, who did not say how they want it: once a day.
        silent: activities of which nobody is told: inspection by the person themselves, and finding an address for a letter.
        ready: learns where organisations are; awaited before names are asked for.
        organisation: the name of the organisation at an address, None for one that is not known.
        activity: of the register, by its id.
    """

    scenario: Scenario
    known: bool
    silent: frozenset[str]
    ready: Callable[[], Awaitable[None]]
    organisation: Callable[[str], str | None]
    activity: Callable[[str], Activity | None]


class _Watched(msgspec.Struct, frozen=True):
    person: str
    how: How
    since: int
    about: tuple[str, str]


_Told = tuple[_Watched, Processing]


class Consulted:
    """Tells people that they were consulted.

    Args:
        store, ledger, keys, clock: of the node.
        keeping: of this room.
        telling: how; None: nobody is told.
    """

    def __init__(
        self,
        store: Store,
        ledger: Ledger,
        keys: KeyStore,
        clock: Clock,
        keeping: Keeping,
        telling: Telling | None,
    ) -> None:
        self._store, self._ledger, self._clock, self._keeping = store, ledger, clock, keeping
        self._vault, self._telling = Vault(keys, "contact"), telling
        self._lane = ledger.following.add(self) if telling is not None else None

    @property
    def offered(self) -> bool:
        """Whether anybody is told here."""
        return self._telling is not None

    # Who wants to be told

    def wanted(self, person: str) -> How:
        """What somebody (a pseudonym) wants, or gets when they said nothing. Blocks."""
        with self._store.read() as connection:
            how: How | None = connection.execute(text(sql.WATCHED), {"person": person}).scalar()
        return how or ("day" if self._telling is not None and self._telling.known else "never")

    def keep(self, connection: Connection, person: str, about: tuple[str, str], how: How) -> None:
        """Keep what somebody said. What happened before is not told.

        Args:
            connection: of a transaction.
            person: pseudonym, under which their messages are kept.
            about: type and value of their number.
            how: they want it.
        """
        self._watch(connection, sql.WATCH, person, about, {"how": how, "said": 1})

    def meet(self, connection: Connection, kind: str, value: str) -> None:
        """Somebody signed in, or was told of an event: where people are told unless they said otherwise, they are from now on."""
        if self._telling is None or not self._telling.known:
            return
        renewed = milliseconds(self._clock()) - _RENEWED * 1000
        self._watch(
            connection, sql.MEET, self._keeping.whose(kind, value), (kind, value), {"renewed": renewed}
        )

    async def met(self, kind: str, value: str) -> None:
        """The same, durable when this returns. Raises `Unkept`."""
        if self._telling is not None and self._telling.known:
            await self._store.write(lambda connection: self.meet(connection, kind, value))

    def _watch(
        self,
        connection: Connection,
        statement: str,
        person: str,
        about: tuple[str, str],
        more: dict[str, Any],
    ) -> None:
        """Their pseudonym comes with it: a line that is kept after this is theirs already."""
        now = self._clock()
        kept = {
            "person": person,
            "since": milliseconds(now),
            "year": now.year,
            "sealed": self._sealed(person, about),
        }
        connection.execute(text(statement), kept | more)
        connection.execute(text(sql.JOIN), self._join(person, about, now))

    def _join(self, person: str, about: tuple[str, str], moment: datetime) -> dict[str, Any]:
        subject = self._ledger.subject(*about, moment)
        return {"subject": subject, "term": subject_term(subject), "person": person, "year": moment.year}

    # Following the log

    async def work(self) -> None:
        """Tell of everything that came into the log. Raises `Unkept`."""
        if self._lane is not None:
            await self._lane.catch_up()

    def place(self) -> int:
        """How far the log was read. Blocks."""
        with self._store.read() as connection:
            return connection.execute(text(sql.READ_UNTIL), {"log": _LOG}).scalar() or 0

    async def take(self, batch: Batch) -> None:
        """Tell of a stretch of the log. Raises `Unkept`."""
        assert self._telling is not None  # else nobody follows
        telling, found = self._telling, list[_Told]()
        await self._join_all()
        if await asyncio.to_thread(self._anybody):
            found = await asyncio.to_thread(self._found, telling, await batch.records())
        if found:
            await telling.ready()
        await self._store.write(lambda connection: self._tell(connection, telling, found, batch.end))

    async def _join_all(self) -> None:
        """Make the pseudonyms of this year that are not there yet. Nothing in a stretch that was read before this is of a later year."""
        now = self._clock()
        while behind := await asyncio.to_thread(self._behind, now):
            await self._store.write(partial(_join, found=behind, year=now.year))

    def _behind(self, moment: datetime) -> list[dict[str, Any]]:
        values = {"year": moment.year, "most": _AT_ONCE}
        with self._store.read() as connection:
            rows = connection.execute(text(sql.BEHIND), values).all()
        return [self._join(row.person, self._opened(row.person, row.sealed), moment) for row in rows]

    def _anybody(self) -> bool:
        with self._store.read() as connection:
            return connection.execute(text(sql.ANYBODY)).scalar() is not None

    def _found(self, telling: Telling, records: Records) -> list[_Told]:
        """The consultations in a stretch of which somebody wants to know and may, each with whom to tell."""
        now = milliseconds(self._clock())
        lines = [
            line for _, line in records if isinstance(line, Processing) and self._is_told(telling, line, now)
        ]
        watched = self._by_subject({subject_term(_subject(line)) for line in lines})
        return [
            (whom, line)
            for line in lines
            if (whom := watched.get(_subject(line))) is not None and line.start_time >= whom.since
        ]

    def _by_subject(self, terms: Iterable[int]) -> dict[str, _Watched]:
        every, found = sorted(terms), dict[str, _Watched]()
        statement = text(sql.BY_TERM).bindparams(bindparam("terms", expanding=True))
        with self._store.read() as connection:
            for at in range(0, len(every), _TERMS):
                for row in connection.execute(statement, {"terms": every[at : at + _TERMS]}):
                    about = self._opened(row.person, row.sealed)
                    found[row.subject] = _Watched(row.person, row.how, row.since, about)
        return found

    @staticmethod
    def _is_told(telling: Telling, line: Processing, now: int) -> bool:
        """Whether a line is a consultation that the person may be told of: the rule by which they see it is the same."""
        activity, other = line.attributes.get(ACTIVITY), line.attributes.get(PROCESSOR)
        if other is None or SUBJECT not in line.attributes:
            return False
        if line.status == "Error" or _EVENT_TOLD in line.attributes:
            return False
        return activity not in telling.silent and not is_withheld(line, now)

    # Messages

    def _tell(self, connection: Connection, telling: Telling, found: list[_Told], end: int) -> None:
        """The messages of a stretch, and that it was read: both or neither."""
        now = self._clock()
        for whom, line in found:
            self._note(connection, telling, whom, line, now)
        _set_read(connection, end)

    def _note(
        self, connection: Connection, telling: Telling, whom: _Watched, line: Processing, now: datetime
    ) -> None:
        item, other = _item(telling, line), str(line.attributes[PROCESSOR])
        name = self._name(whom, "each", other, line.trace_id, str(line.attributes.get(ACTIVITY)))
        due = int(now.timestamp())
        if whom.how == "day" or self._is_too_much(connection, telling, whom, name, now):
            name = self._name(whom, "day", other, now.astimezone(HERE).date().isoformat())
            if self._joined(connection, name, item):
                return
            due = _tomorrow(now)
        # A trace of its own: the message is no part of the question.
        content = Content(whom.about, {"items": [item], "more": 0}, new_trace_id())
        values = {
            "id": name, "person": whom.person, "scenario": telling.scenario.id, "created": int(now.timestamp()),
            "due": due, "ends": due + seconds(telling.scenario.retention),
            "sealed": self._keeping.sealed(name, content),
        }  # fmt: skip
        connection.execute(text(sql.ADD_LATER), values)

    def _is_too_much(
        self, connection: Connection, telling: Telling, whom: _Watched, name: str, now: datetime
    ) -> bool:
        """Whether somebody got so many messages today that this one, unless it is there already, waits until tomorrow."""
        values = {
            "person": whom.person, "scenario": telling.scenario.id, "since": _tomorrow(now - timedelta(days=1)), "id": name,
        }  # fmt: skip
        return int(connection.execute(text(sql.COUNT_TODAY), values).scalar_one()) >= MOST_A_DAY

    def _joined(self, connection: Connection, name: str, item: dict[str, Any]) -> bool:
        """Put a consultation in the message of its day; False when there is none yet."""
        known = self._keeping.message(connection, name)
        if known is None:
            return False
        content = known[1]
        facts: Mapping[str, Any] = content.facts
        items = list(facts["items"])
        if any((one["trace"], one["activity"]) == (item["trace"], item["activity"]) for one in items):
            return True
        changed = {"items": items, "more": facts["more"] + 1}
        if len(items) < MOST:
            changed = {"items": [*items, item], "more": 0}
        self._keeping.set_content(connection, name, msgspec.structs.replace(content, facts=changed))
        return True

    def _name(self, whom: _Watched, *parts: str) -> str:
        return self._keeping.digest("message", whom.person, EVENT, *parts)[:16].hex()

    def _sealed(self, person: str, about: tuple[str, str]) -> bytes:
        return self._vault.seal(encode(about), f"watched|{person}")

    def _opened(self, person: str, sealed: bytes) -> tuple[str, str]:
        return decode(self._vault.open(bytes(sealed), f"watched|{person}"), tuple[str, str])

    def sweep(self, connection: Connection) -> None:
        """Forget what is not needed any more."""
        now = self._clock()
        connection.execute(text(sql.FORGET_YEARS), {"year": now.year - 1})
        connection.execute(text(sql.FORGET_UNSEEN), {"before": milliseconds(now) - _UNSEEN * 1000})


def is_inspection(activity: Activity) -> bool:
    """Whether people or companies look at their own data under an activity: it says so, or rests on article 15 of the GDPR. Nobody
    is told of that."""
    return activity.inspection is not None or any(
        one.law.casefold() in _GDPR and one.article.split()[0].strip(",.").partition("(")[0] == "15"
        for one in activity.articles
    )


def _subject(line: Processing) -> str:
    return str(line.attributes.get(SUBJECT))


def _item(telling: Telling, line: Processing) -> dict[str, Any]:
    """What a message says of one consultation. Where this organisation asked another, `asked` is true."""
    id = str(line.attributes.get(ACTIVITY, ""))
    activity, other = telling.activity(id), str(line.attributes[PROCESSOR])
    began = from_milliseconds(line.start_time).astimezone(HERE)
    return {
        "trace": line.trace_id,
        "activity": id,
        "asked": _ASKED_ON in line.attributes,
        "other": telling.organisation(other) or "",
        "day": began.date().isoformat(),
        "time": f"{began:%H:%M}",
        "purpose_nl": activity.purpose.nl if activity else "",
        "purpose_en": activity.purpose.en if activity else "",
        "law": "; ".join(map(str, activity.articles)) if activity else "",
    }


def _tomorrow(now: datetime) -> int:
    """The beginning of the next Dutch day; quiet hours see to it that nobody is woken."""
    day = now.astimezone(HERE).date() + timedelta(days=1)
    return int(datetime(day.year, day.month, day.day, tzinfo=HERE).timestamp())


def _join(connection: Connection, found: list[dict[str, Any]], year: int) -> None:
    for one in found:
        connection.execute(text(sql.JOIN), one)
        connection.execute(text(sql.JOINED), {"year": year, "person": one["person"]})


def _set_read(connection: Connection, until: int) -> None:
    connection.execute(text(sql.SET_READ), {"log": _LOG, "until": until})


def consulted_scenario(activity: str, channels: Iterable[str]) -> Scenario:
    """The scenario of these messages.

    Args:
        activity: under which they are sent; of the register.
        channels: by name, in order.
    """
    return Scenario(
        "consulted",
        Text("Uw gegevens zijn opgevraagd", "Data about you was asked for"),
        EVENT,
        activity,
        "consulted",
        Text("Uw gegevens zijn opgevraagd", "Data about you was asked for"),
        Text(
            "{{ organisation }}: er zijn gegevens over u opgevraagd. Log in op {{ portal }}/looked om te zien door wie en waarom.",
            "{{ organisation }}: data about you was asked for. Sign in at {{ portal }}/looked to see by whom and why.",
        ),
        tuple(Step(one, "P2D") for one in channels),
        must=False,
    )


SAMPLE: dict[str, Any] = {
    "items": [
        {
            "trace": "", "activity": "", "asked": asked, "other": "Dienst Voorbeeld", "day": "2026-11-22", "time": "14:05",
            "purpose_nl": "Recht vaststellen.", "purpose_en": "Establishing a right.", "law": "Voorbeeldwet, art. 1",
        }
        for asked in (True, False)
    ],
    "more": 1,
}  # fmt: skip
"""Facts, made up, to try the templates with."""

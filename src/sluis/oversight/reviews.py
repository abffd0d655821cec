"""Reviews of processing activities, kept for good and written down in the log; and the watch over versions of laws."""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec
from sqlalchemy import Connection, text

from sluis.kernel import HERE, Clock, Invalid, Problem, Text, decode, encode, milliseconds, new_span_id
from sluis.ledger import Arrangement, Ledger
from sluis.oversight import sql
from sluis.oversight.laws import LAWS_FILE, read_laws
from sluis.oversight.model import Dpia, Entry, Outcome, Review, Standing, Version
from sluis.oversight.reviewing import LONGEST, cited, standing
from sluis.store import Store

log = logging.getLogger("sluis.oversight")

MOST_NOTE = 2000
"""Characters of what somebody writes at a review."""
_NODE = "urn:sluis:node"
"""Who does what nobody asked for."""


class Filled(msgspec.Struct, frozen=True):
    """What somebody filled in at a review."""

    outcome: Outcome
    note: str
    due: date
    dpia: Dpia
    dpia_day: date | None = None


class Reviews:
    """The reviews of a node.

    Args:
        store: of the node.
        ledger: takes a line about each.
        directory: of the node, where the list of versions of laws may lie.
        clock: aware UTC.
    """

    def __init__(self, store: Store, ledger: Ledger, directory: Path, clock: Clock) -> None:
        self._store, self._ledger, self._clock = store, ledger, clock
        self._file = directory / LAWS_FILE
        self._read: tuple[tuple[int, int] | None, tuple[Version, ...]] = (None, ())
        self.problem: Problem | None = None
        """What is wrong with the list of versions, when it cannot be read; the one before stays in use."""

    def today(self) -> date:
        """The day here."""
        return self._clock().astimezone(HERE).date()

    def versions(self) -> tuple[Version, ...]:
        """The versions of laws that are known; read again when the file is another."""
        try:
            told = self._file.stat()
            stamp = (told.st_mtime_ns, told.st_size)
        except OSError:
            stamp = None
        if stamp != self._read[0]:
            try:
                self._read, self.problem = (stamp, read_laws(self._file) if stamp else ()), None
            except Problem as problem:
                self._read, self.problem = (stamp, self._read[1]), problem
                log.error("the versions of laws: %s", problem)
        return self._read[1]

    def newest(self) -> dict[str, Review]:
        """The newest review of every activity."""
        with self._store.read() as connection:
            rows = connection.execute(text(sql.REVIEWS)).all()
        return {row.activity: decode(bytes(row.body), Review) for row in rows}

    def of(self, activity: str) -> list[Review]:
        """The reviews of one activity, newest first."""
        with self._store.read() as connection:
            rows = connection.execute(text(sql.REVIEWS_OF), {"activity": activity}).scalars()
            return [decode(bytes(body), Review) for body in rows]

    def standings(self, entries: Sequence[Entry]) -> dict[str, Standing]:
        """How every entry stands today, by the URI of its activity."""
        newest, versions, day = self.newest(), self.versions(), self.today()
        return {one.activity.id: standing(one, newest.get(one.activity.id), versions, day) for one in entries}

    async def add(self, entry: Entry, filled: Filled, person: str, name: str) -> Review:
        """Keep a review, with the versions of the law that it saw.

        Args:
            entry: as it was shown.
            filled: what was filled in.
            person: this node's pseudonym of who reviewed.
            name: of who reviewed, for the pages of this organisation.

        Raises:
            Invalid: the next review is not in the years to come, or the note is too long.
            Unkept: it could not be kept.
        """
        today = self.today()
        _check(filled, today)
        at, activity = milliseconds(self._clock()), entry.activity
        review = Review(
            activity.id, at, name, filled.outcome, filled.note.strip(), filled.due, filled.dpia, filled.dpia_day, entry.digest,
            cited(activity.articles, self.versions(), today),
        )  # fmt: skip
        body = {
            "outcome": filled.outcome,
            "due": filled.due.isoformat(),
            "dpia": filled.dpia,
            "digest": entry.digest,
        }
        line = Arrangement(
            _trace(activity.id), new_span_id(), "activity.review", person, activity.id, at, body=body
        )
        values = {"activity": activity.id, "at": at, "body": encode(review)}

        def along(connection: Connection) -> None:
            connection.execute(text(sql.REVIEW), values)

        await self._ledger.append([line], along)
        return review

    async def watch(self, entries: Sequence[Entry]) -> int:
        """Tell, once for each, of articles that changed since the last review: in the node's log for operators, and as a line of
        the ledger. Gives how many activities rest on a changed article now."""
        standings = await asyncio.to_thread(self.standings, entries)
        known = await asyncio.to_thread(self._told)
        touched, at = 0, milliseconds(self._clock())
        for one in entries:
            changed = standings[one.activity.id].changed
            touched += bool(changed)
            for article in changed:
                place = f"{one.activity.id}\n{article.place}\n{article.since}"
                if place not in known:
                    await self._tell(one, article.place, article.since, place, at)
        return touched

    async def _tell(self, entry: Entry, article: str, since: date, place: str, at: int) -> None:
        body = {"article": article, "since": since.isoformat()}
        activity = entry.activity.id
        line = Arrangement(_trace(activity), new_span_id(), "law.changed", _NODE, activity, at, body=body)

        def along(connection: Connection) -> None:
            connection.execute(text(sql.ALERT), {"place": place, "at": at})

        await self._ledger.append([line], along)
        log.warning("an article that %s rests on reads otherwise since %s: %s", activity, since, article)

    def _told(self) -> frozenset[str]:
        with self._store.read() as connection:
            return frozenset(str(one) for one in connection.execute(text(sql.ALERTS)).scalars())


def _trace(activity: str) -> str:
    """All that happened to one activity has the same trace."""
    return hashlib.sha256(activity.encode()).hexdigest()[:32]


def _check(filled: Filled, today: date) -> None:
    if not today < filled.due <= today + LONGEST:
        raise Invalid(
            "review-date",
            Text("De volgende toets valt niet op een goede dag.", "The next review is not on a right day."),
            Text("Die ligt na vandaag, en binnen drie jaar.", "It is after today, and within three years."),
            Text("Kies een andere dag.", "Choose another day."),
            field="due",
        )
    if len(filled.note) > MOST_NOTE:
        raise Invalid(
            "note-too-long",
            Text("De toelichting is te lang.", "The note is too long."),
            Text(f"Zij heeft hoogstens {MOST_NOTE} tekens.", f"It has at most {MOST_NOTE} characters."),
            Text(
                "Maak haar korter, of verwijs naar een document.", "Make it shorter, or refer to a document."
            ),
            field="note",
        )
    if filled.dpia == "done" and (filled.dpia_day is None or filled.dpia_day > today):
        raise Invalid(
            "dpia-date",
            Text(
                "De dag van de DPIA ontbreekt, of moet nog komen.",
                "The day of the DPIA is missing, or still to come.",
            ),
            Text("Een DPIA die is gemaakt, heeft een dag.", "A DPIA that was made has a day."),
            Text(
                "Vul die dag in, of kies dat zij nog moet.",
                "Fill in that day, or choose that it is still to be made.",
            ),
            field="dpia_day",
        )

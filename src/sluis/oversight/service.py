"""Oversight of a node, put together: the register with its reviews, what was decided, whether the log is whole, what is unusual,
and the file for an impact assessment."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import text

from sluis.grounds import Grounds
from sluis.kernel import Clock, NotFound, PeerId, Problem, Text, convert, decode, milliseconds
from sluis.ledger import Anchors, Decision, Ledger
from sluis.oversight import sql
from sluis.oversight.checking import Checking
from sluis.oversight.findings import Findings, Gave
from sluis.oversight.model import Entry, Standing
from sluis.oversight.register import Agreement, entries
from sluis.oversight.reviews import Reviews
from sluis.oversight.summary import Summary
from sluis.oversight.summing import REQUEST, Row, row_of
from sluis.policy import Evaluation, Replayed, Versions, Why, explained, replay
from sluis.store import Store, migrate

YEAR = timedelta(days=365)

Agreements = Callable[[], Awaitable[Sequence[Agreement]]]
"""Gives the contracts in force. Raises `Unkept`."""


class Organisation(msgspec.Struct, frozen=True):
    """Whose node this is, and how it protects what it does, in words that follow from its settings."""

    oin: PeerId
    name: str
    security: tuple[Text, ...] = ()


class Through(msgspec.Struct, frozen=True):
    """What one disclosure was used for: questions answered, people in the answers, questions refused."""

    peer: str
    disclosure: str
    questions: int
    persons: int
    refused: int


Uses = Callable[[str, date, date], Sequence[Through]]
"""Gives what was used for an activity from a day to before another, per organisation and disclosure."""


class Used(msgspec.Struct, frozen=True):
    """What an activity was used for in a year.

    Args:
        through: per disclosure of this node.
        peers: per organisation (OIN; empty for this one) how often it was permitted, and refused.
        rules: by which rules it was refused, and how often.
        asked: datasets of others that were asked for it: how often, and when last (ms).
    """

    through: tuple[Through, ...] = ()
    peers: tuple[tuple[str, int, int], ...] = ()
    rules: tuple[tuple[str, int], ...] = ()
    asked: tuple[tuple[str, int, int], ...] = ()

    @property
    def times(self) -> int:
        """How often in all, permitted or not."""
        return sum(permitted + refused for _, permitted, refused in self.peers)


class Told(msgspec.Struct, frozen=True):
    """One decision: its record, as it is looked for, what came of deciding it again (the problem when that cannot be), and why."""

    index: int
    record: Decision
    row: Row
    again: Replayed | None
    why: Why | None
    trouble: Text | None


class Oversight:
    """Oversight of a node; its tables are made when they are not there. Making it blocks, and raises what `store.migrate` raises.

    Args:
        of: whose node.
        grounds: its files.
        name: what organisations are called.
        agreements: contracts in force; None where there are none.
        store: its database.
        ledger: its log.
        versions: the policies that ever decided.
        anchors: timestamps of checkpoints.
        directory: of the node.
        clock: aware UTC.
        uses: what was used of this node's data.
        gave: of how many persons data was given.

    Attributes:
        summary: of the log.
        findings: what is unusual.
        reviews: of the register.
        checking: verifies the log.
    """

    def __init__(
        self,
        of: Organisation,
        grounds: Grounds,
        name: Callable[[PeerId], str],
        agreements: Agreements | None,
        store: Store,
        ledger: Ledger,
        versions: Versions,
        anchors: Anchors,
        directory: Path,
        clock: Clock,
        uses: Uses,
        gave: Gave,
    ) -> None:
        self.of, self._grounds, self.name = of, grounds, name
        self._agreements, self._store, self._ledger, self._versions = agreements, store, ledger, versions
        self._clock, self._uses = clock, uses
        migrate(store, "oversight", sql.MIGRATIONS)
        self.summary = Summary(store, ledger, clock)
        self.findings = Findings(store, ledger, clock, gave)
        self.reviews = Reviews(store, ledger, directory, clock)
        self.checking = Checking(store, ledger, anchors, clock)
        self._seen, self._looked, self._once_more = -1, 0.0, False
        self._made: tuple[tuple[Agreement, ...], tuple[Entry, ...]] | None = None

    def called(self, activity: str) -> Text:
        """What an activity is called, by its id; the end of that, where no file here says what it is."""
        known = self._grounds.activity(activity)
        short = activity.rstrip("/").rpartition("/")[2] or activity
        return known.name if known is not None else Text(short, short)

    async def entries(self) -> tuple[Entry, ...]:
        """The register, its own activities first."""
        agreed = tuple(await self._agreements()) if self._agreements is not None else ()
        if self._made is None or self._made[0] != agreed:  # files stay as they are while a node runs
            made = await asyncio.to_thread(entries, self._grounds, self.of.oin, self.name, agreed)
            self._made = agreed, made
        return self._made[1]

    async def entry(self, key: str) -> tuple[Entry, Standing]:
        """An entry by what addresses name it by, and how it stands. Raises `NotFound`."""
        for one in await self.entries():
            if one.key == key:
                standings = await asyncio.to_thread(self.reviews.standings, [one])
                return one, standings[one.activity.id]
        raise _no_entry()

    def used(self, activity: str) -> Used:
        """What an activity was used for in the last year. Blocks."""
        since = self._clock() - YEAR
        given = {"activity": activity, "day": since.date().toordinal(), "at": milliseconds(since)}
        with self._store.read() as connection:

            def rows(statement: str) -> list[Any]:
                values = {name: value for name, value in given.items() if f":{name}" in statement}
                return list(connection.execute(text(statement), values))

            return Used(
                tuple(self._uses(activity, since.date(), self._clock().date() + timedelta(days=1))),
                tuple((row.peer, int(row.permitted), int(row.refused)) for row in rows(sql.VOLUME)),
                tuple((row.rule, int(row.times)) for row in rows(sql.REFUSED)),
                self.asked(activity),
            )

    def asked(self, activity: str) -> tuple[tuple[str, int, int], ...]:
        """What was asked elsewhere for an activity, as in `Used`. Blocks."""
        with self._store.read() as connection:
            rows = connection.execute(text(sql.ASKED_FOR), {"activity": activity})
            return tuple((row.dataset, int(row.times), int(row.newest)) for row in rows)

    def decision(self, index: int) -> Told:
        """A decision, and the same decided again by the policies of then. Blocks.

        Raises:
            NotFound: there is no decision there, or not any more.
        """
        stored = self._ledger.log.stored(index)
        try:
            record = decode(stored.json or b"{}", Decision)
        except msgspec.ValidationError:
            raise _no_decision(index) from None
        row = row_of(index, record)
        try:
            again = replay(record, self._versions)
        except Problem as problem:
            return Told(index, record, row, None, None, problem.why)
        except (KeyError, TypeError, ValueError):  # a record that does not say enough is shown all the same
            return Told(index, record, row, None, None, _NO_REPLAY)
        return Told(index, record, row, again, self._why(record, again), None)

    def _why(self, record: Decision, again: Replayed) -> Why | None:
        """Why it was decided so, by the policies of then; None of a call that asks more than one thing."""
        try:
            evaluation = convert(record.body[REQUEST], Evaluation)
            return explained(self._versions.engine(again.version), evaluation, again.moment)
        except (Problem, KeyError, TypeError, ValueError):
            return None

    async def round(self) -> None:
        """Look for what is unusual when there was anything in the log, once a minute. To be called every second."""
        now = self._clock().timestamp()
        changed = self.summary.changes != self._seen
        if (changed or self._once_more) and now - self._looked >= 60:
            # Once more after the last change: what was given is counted beside the summary, and may be known a moment later.
            self._seen, self._looked, self._once_more = self.summary.changes, now, changed
            await self.findings.examine()

    async def catch_up(self) -> None:
        """Read the log to its end, and look for what is unusual."""
        await self.summary.catch_up()
        await self.findings.examine()

    async def watch(self) -> None:
        """Look whether articles changed, and take out what is too old. To be called every hour."""
        await self.reviews.watch(await self.entries())
        await self.summary.tidy()


_NO_REPLAY = Text("Het verzoek is niet opnieuw te beoordelen.", "The request cannot be decided on again.")


def _no_entry() -> NotFound:
    return NotFound(
        "unknown-activity",
        Text("Deze verwerking staat niet in het register.", "This activity is not in the register."),
        Text("Het bestand is weg, of het adres klopt niet.", "Its file is gone, or the address is wrong."),
        Text("Kies er een uit het register.", "Choose one from the register."),
    )


def _no_decision(index: int) -> NotFound:
    return NotFound(
        "unknown-decision",
        Text(f"Regel {index} is geen besluit.", f"Record {index} is no decision."),
        Text("Het is een andere regel, of hij is vernietigd.", "It is another record, or it was destroyed."),
        Text("Kies een besluit uit de lijst.", "Choose a decision from the list."),
    )

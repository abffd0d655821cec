"""Findings: made of the summary when it changed, kept, and marked by who looked at them. A mark is durable, and a line of the log."""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, text

from sluis.kernel import HERE, Clock, Invalid, NotFound, Text, decode, encode, milliseconds, new_span_id
from sluis.ledger import Arrangement, Ledger
from sluis.oversight import sql, unusual
from sluis.oversight.model import Finding, Given, Looked
from sluis.oversight.summing import as_day
from sluis.store import Store

LOOKED_AT = 7
"""Days back that are looked at."""
WINDOW = 30
"""Days over which it is counted how often a person was looked up."""
LONGEST = 1000
"""Characters of a reason."""
EVERY = timedelta(minutes=1)
"""How often findings are made anew, at most."""


class Kept(msgspec.Struct, frozen=True):
    """A finding as it is kept: its number, when it was found (milliseconds), and who looked at it."""

    id: str
    finding: Finding
    found: int
    looked: Looked | None = None


Gave = Callable[[date, date], Sequence[Given]]
"""Gives of how many persons data was given, per day, organisation and activity, from a day to before another. Blocks."""


class Findings:
    """What is unusual at a node.

    Args:
        store: with the summary.
        ledger: takes the lines about who looked at what.
        clock: aware UTC.
        gave: tells of how many persons data was given.
    """

    def __init__(self, store: Store, ledger: Ledger, clock: Clock, gave: Gave) -> None:
        self._store, self._ledger, self._clock, self._gave = store, ledger, clock, gave

    async def examine(self) -> int:
        """Look for what is unusual; gives how many findings there are in what was looked at. Raises `Unkept`."""
        found = await asyncio.to_thread(self._found)
        at = milliseconds(self._clock())
        rows = [
            {
                "id": id_of(one),
                "day": one.day.toordinal(),
                "kind": one.kind,
                "activity": one.activity,
                "body": encode(one),
                "found": at,
            }
            for one in found
        ]
        if rows:
            await self._store.write(lambda connection: connection.execute(text(sql.FOUND), rows) and None)
        return len(found)

    def page(self, kind: str, state: str, number: int, size: int) -> list[Kept]:
        """A page of findings, newest first, and one more when there are more.

        Args:
            kind: only these; "" for all.
            state: `open` for those that nobody looked at, `seen` for the others, "" for all.
            number: of the page, from 1.
            size: of a page.
        """
        filters = {"kind"} if kind else set()
        filters |= {state} if state in ("open", "seen") else set()
        values = {"kind": kind, "most": size + 1, "skip": (number - 1) * size}
        given = {name: value for name, value in values.items() if name != "kind" or kind}
        with self._store.read() as connection:
            rows = connection.execute(text(sql.findings(frozenset(filters))), given).all()
        return [_kept(row) for row in rows]

    def counts(self) -> dict[str, tuple[int, int]]:
        """Per kind how many nobody looked at, and how many there are."""
        with self._store.read() as connection:
            rows = connection.execute(text(sql.COUNT_FINDINGS)).all()
        return {row.kind: (int(row.fresh), int(row.every)) for row in rows}

    def of_activity(self, activity: str) -> int:
        """How many about an activity nobody looked at."""
        with self._store.read() as connection:
            return int(connection.execute(text(sql.OPEN_OF), {"activity": activity}).scalar_one())

    def one(self, id: str) -> Kept:
        """A finding. Raises `NotFound`."""
        with self._store.read() as connection:
            row = connection.execute(text(sql.FINDING), {"id": id}).first()
        if row is None:
            raise _no_finding()
        return _kept(row)

    def series(self, finding: Finding) -> list[tuple[int, int]]:
        """The counts that a finding stands out of: per day (its ordinal), or per hour of that day."""
        kind = finding.kind
        first = finding.day - timedelta(days=WINDOW - 1)
        if kind == "persons":
            of = self._persons(first, finding.day).get((finding.peer, finding.activity), {})
            return [
                (day.toordinal(), of.get(day, 0))
                for day in map(as_day, range(first.toordinal(), finding.day.toordinal() + 1))
            ]
        given = {
            "key": finding.key, "peer": finding.peer, "activity": finding.activity, "day": first.toordinal(),
            "on": finding.day.toordinal(), "opens": unusual.OFFICE.start, "closes": unusual.OFFICE.stop,
        }  # fmt: skip
        statement = sql.DAYS_OF[kind]
        values = {name: value for name, value in given.items() if f":{name}" in statement}
        with self._store.read() as connection:
            counts = {int(row.day): int(row.times) for row in connection.execute(text(statement), values)}
        places = range(24) if kind == "hour" else range(first.toordinal(), finding.day.toordinal() + 1)
        return [(place, counts.get(place, 0)) for place in places]

    async def look(self, id: str, person: str, name: str, reason: str) -> None:
        """Mark a finding as looked at, and why it is as it is.

        Args:
            id: of the finding.
            person: this node's pseudonym of who looked.
            name: of who looked, for the pages of this organisation.
            reason: what they made of it.

        Raises:
            NotFound: there is none.
            Invalid: there is no reason, or a very long one.
            Unkept: it could not be kept.
        """
        said = " ".join(reason.split())
        if not 3 <= len(said) <= LONGEST:
            raise _no_reason()
        await asyncio.to_thread(self.one, id)
        at = milliseconds(self._clock())
        line = Arrangement(
            id, new_span_id(), "finding.look", person, f"urn:sluis:finding:{id}", at,
            body={"reason": hashlib.sha256(said.encode()).hexdigest()},
        )  # fmt: skip
        values = {"id": id, "at": at, "who": name, "reason": said}

        def along(connection: Connection) -> None:
            connection.execute(text(sql.LOOK), values)

        await self._ledger.append([line], along)

    def _persons(self, first: date, last: date) -> dict[tuple[str, str], dict[date, int]]:
        counts: dict[tuple[str, str], dict[date, int]] = {}
        for one in self._gave(first, last + timedelta(days=1)):
            if one.persons:
                counts.setdefault((one.peer, one.activity), {})[one.day] = one.persons
        return counts

    def _found(self) -> list[Finding]:
        today = self._clock().astimezone(HERE).date()
        days = [today - timedelta(days=back) for back in range(LOOKED_AT)]
        first = days[-1] - timedelta(days=unusual.BACK)
        persons = unusual.volumes(self._persons(first, today), days, "persons")
        with self._store.read() as connection:
            return [
                *persons,
                *_people(connection, today),
                *_by_person(connection, first, days),
                *_by_activity(connection, first, days),
                *_by_hour(connection, first, days),
                *_streaks(connection, days),
            ]


def id_of(finding: Finding) -> str:
    """The number of a finding: the same for the same thing, so that it is found once; 32 hex digits. Of a person once a month."""
    when = f"{finding.day:%Y-%m}" if finding.kind == "person" else finding.day.isoformat()
    what = f"{finding.kind}\n{finding.peer}\n{finding.key}\n{when}"
    return hashlib.sha256(what.encode()).hexdigest()[:32]


def _people(connection: Connection, today: date) -> list[Finding]:
    day = (today - timedelta(days=WINDOW - 1)).toordinal()
    histogram = {
        int(row.times): int(row.people) for row in connection.execute(text(sql.HISTOGRAM), {"day": day})
    }
    of = unusual.often_looked_up(histogram)
    rows = connection.execute(text(sql.OFTEN), {"day": day, "limit": of.limit})
    return [Finding("person", row.subject, as_day(int(row.newest)), int(row.total), of) for row in rows]


def _by_person(connection: Connection, first: date, days: list[date]) -> list[Finding]:
    counts: dict[unusual.Who, dict[date, int]] = {}
    off: dict[unusual.Who, dict[date, tuple[int, int]]] = {}
    given = {"day": first.toordinal(), "opens": unusual.OFFICE.start, "closes": unusual.OFFICE.stop}
    for row in connection.execute(text(sql.BY_PERSON), given):
        who, day = (row.peer, row.person), as_day(row.day)
        counts.setdefault(who, {})[day] = int(row.times)
        off.setdefault(who, {})[day] = (int(row.times), int(row.off))
    return [*unusual.askers(counts, days), *unusual.off_hours(off, days)]


def _by_activity(connection: Connection, first: date, days: list[date]) -> list[Finding]:
    counts: dict[tuple[str, str], dict[date, int]] = {}
    for row in connection.execute(text(sql.BY_ACTIVITY), {"day": first.toordinal()}):
        counts.setdefault((row.peer, row.activity), {})[as_day(row.day)] = int(row.times)
    return unusual.volumes(counts, days)


def _by_hour(connection: Connection, first: date, days: list[date]) -> list[Finding]:
    counts: dict[str, dict[tuple[date, int], int]] = {}
    for row in connection.execute(text(sql.BY_HOUR), {"day": first.toordinal()}):
        counts.setdefault(row.peer, {})[as_day(row.day), int(row.hour)] = int(row.times)
    return unusual.hours(counts, days)


def _streaks(connection: Connection, days: list[date]) -> list[Finding]:
    given = {"day": days[-1].toordinal(), "least": unusual.FEWEST["refused"]}
    rows = connection.execute(text(sql.STREAKS), given)
    return unusual.streaks({(row.peer, row.person, as_day(row.day)): int(row.longest) for row in rows})


def _kept(row: Any) -> Kept:
    looked = None if row.looked is None else Looked(row.looked, row.who, row.reason)
    return Kept(row.id, decode(bytes(row.body), Finding), row.found, looked)


def _no_finding() -> NotFound:
    return NotFound(
        "unknown-finding",
        Text("Deze bevinding is er niet.", "There is no such finding."),
        Text("Zij is verwijderd, of het adres klopt niet.", "It was taken out, or the address is wrong."),
        Text("Kies er een uit de lijst.", "Choose one from the list."),
    )


def _no_reason() -> Invalid:
    return Invalid(
        "reason-needed",
        Text("Schrijf op wat u ervan vindt.", "Write down what you make of it."),
        Text(f"Een reden heeft drie tot {LONGEST} tekens.", f"A reason has three to {LONGEST} characters."),
        Text("Vul in waarom dit gewoon is, of wat u doet.", "Fill in why this is usual, or what you do."),
        field="reason",
    )


__all__ = ["Findings", "Kept", "id_of"]

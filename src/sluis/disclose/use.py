"""What was used of this organisation's data: per day, dataset, disclosure, asking organisation and processing activity how many
questions were answered, about how many people, how many were refused or failed, and what was charged.

The log is the only truth (decisions 016 and 017): these counts are added up from its records, stretch after stretch, in a table
of their own, so that no page and no statement ever goes through the log. They follow it by seconds; whoever wants to be up to date
calls `count`. Take the table away, and it is counted again from the first record.

To read it: `Use.totals(since, until, by=("peer", "disclosure"), only={"dataset": "personen"})` gives sums over days (UTC, like the months
of `sluis ledger costs`); leave `by` empty for one total. No personal data is in it: no subjects, no persons who acted.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any, Literal

import msgspec
from sqlalchemy import Connection, text

from sluis.disclose import sql
from sluis.kernel import PeerId
from sluis.ledger import ACTIVITY, SUBJECT, Batch, Decision, Ledger, Processing, Records
from sluis.policy import ACTIVITY_ID, CONSULT, references_of
from sluis.statement import CHARGE
from sluis.store import Store, migrate

PREVIEW = "sluis.preview"
"""Attribute of a processing record: an official of the owner looked what a disclosure shows. Its value names both."""

TRANSACTION = "sluis.transaction_id"
"""Attribute of the resource of a processing record: of the crossing that it is part of."""

Name = Literal["day", "dataset", "disclosure", "peer", "activity"]

_BATCH = 2000  # records at a time: some fifty milliseconds
_LITTLE = 256  # records that nobody notices waiting for
_UNDER_WAY = 10_000  # answers of which more records may come
_FIRST = date(1970, 1, 1)

_EVERYTHING: Mapping[Name, str] = MappingProxyType({})

_Key = tuple[int, str, str, str, str]


class Total(msgspec.Struct, frozen=True):
    """Sums over a period; of `day` to `activity` those that it was not summed by are None.

    Args:
        day: UTC.
        dataset: its name, without the owner's.
        disclosure: id; empty for what was refused before a disclosure was found.
        peer: who asked.
        activity: URI for which was asked.
        questions: that were answered. A question about two datasets counts for both.
        persons: in these answers; who is in ten answers counts ten times.
        refused: questions that were refused.
        failed: of `questions`, or beside them, those that a source did not answer.
        previews: how often an official here looked what would be shown.
        cents: charged, in eurocents; of a question about several datasets under the first.
    """

    questions: int = 0
    persons: int = 0
    refused: int = 0
    failed: int = 0
    previews: int = 0
    cents: int = 0
    day: date | None = None
    dataset: str | None = None
    disclosure: str | None = None
    peer: str | None = None
    activity: str | None = None


class Use:
    """The counts of one node. Made by `open_use`.

    Args:
        store: where they are kept.
        ledger: its log is counted.
        own: this node, under whose name previews are counted.
        known: datasets and activities; whatever else an asker names counts without a name.
    """

    def __init__(self, store: Store, ledger: Ledger, own: PeerId, known: Collection[str]) -> None:
        self._store, self._log, self._own, self._known = store, ledger.log, str.__str__(own), known
        self._lane = ledger.following.add(self, _BATCH)
        self._kept = 0
        self._answers: OrderedDict[str, tuple[_Key, ...]] = OrderedDict()
        self._failed: OrderedDict[str, None] = OrderedDict()

    async def count(self) -> None:
        """Add what came into the log since the last time. Raises `Unkept`."""
        await self._lane.catch_up()

    async def freshen(self) -> bool:
        """The same for who cannot wait: what is little is added; much is left for the next round.

        Returns whether all of it is counted. Raises `Unkept`.
        """
        if await self._lane.behind() > _LITTLE:
            return False
        await self.count()
        return True

    def totals(
        self,
        since: date,
        until: date,
        by: tuple[Name, ...] = (),
        only: Mapping[Name, str] = _EVERYTHING,
        most: int = 10_000,
    ) -> list[Total]:
        """Sums over the days from `since` to before `until`. Blocks, for milliseconds.

        Args:
            since: first day, UTC.
            until: the day after the last.
            by: what to keep apart; by day they come in order of time, else most questions first.
            only: narrows to one dataset, disclosure, peer or activity.
            most: totals at most; of days the newest.
        """
        given: dict[str, Any] = {"since": _number(since), "until": _number(until), "most": most}
        given.update({str(name): value for name, value in only.items()})
        statement = sql.totals(by, tuple(only))
        with self._store.read() as connection:
            rows = connection.execute(text(statement), given).mappings().all()
        found = [_total(row) for row in rows]
        return found[::-1] if "day" in by else found

    # Counting

    def place(self) -> int:
        """How many records were looked at. Blocks."""
        with self._store.read() as connection:
            self._kept = int(connection.execute(text(sql.COUNTED)).scalar_one())
        return self._kept

    async def take(self, batch: Batch) -> None:
        """Count a stretch of the log. Raises `Unkept`."""
        failed = set(self._failed)
        try:
            sums = await asyncio.to_thread(self._summed, await batch.records())
            # What is of no question is not worth a write to say so.
            if sums or batch.end - self._kept >= _LITTLE:
                await self._store.write(lambda connection: _add(connection, sums, batch.end))
                self._kept = batch.end
        except (
            BaseException
        ):  # these records come again; what is remembered of answers is looked up in the log then
            self._answers.clear()
            for one in set(self._failed) - failed:
                del self._failed[one]
            raise

    def _summed(self, records: Records) -> dict[_Key, dict[str, int]]:
        sums: dict[_Key, dict[str, int]] = {}
        for _, record in records:
            for key, what, number in self._counted(record):
                of = sums.setdefault(key, dict.fromkeys(sql.SUMS, 0))
                of[what] += number
        return sums

    def _counted(self, record: object) -> Iterable[tuple[_Key, str, int]]:
        """What one record adds to which counts."""
        if isinstance(record, Decision):
            return self._decision(record)
        if isinstance(record, Processing):
            return self._line(record)
        return ()

    def _decision(self, record: Decision) -> Iterable[tuple[_Key, str, int]]:
        key = self._key_of(record)
        if key is None:
            return
        response = record.body["adl.core.response"]
        if not response.get("decision"):
            yield key, "refused", int((response.get("context") or {}).get("count", 1))
        elif "disclosure" in references_of(
            record
        ):  # without, nothing was read: a question that was left standing
            transaction = str(record.attributes.get("adl.fsc.transaction_id") or record.trace_id)
            self._answers[transaction] = (*self._answers.pop(transaction, ()), key)
            while len(self._answers) > _UNDER_WAY:
                self._answers.popitem(last=False)
            yield key, "questions", 1

    def _line(self, record: Processing) -> Iterable[tuple[_Key, str, int]]:
        preview = record.attributes.get(PREVIEW)
        if isinstance(preview, dict):
            activity = str(record.attributes.get(ACTIVITY, ""))
            yield (_day(record.start_time), str(preview.get("dataset")), str(preview.get("disclosure")), self._own, activity), "previews", 1  # fmt: skip
            return
        transaction = ((record.resource or {}).get("attributes") or {}).get(TRANSACTION)
        if not isinstance(transaction, str):
            return
        keys = self._answers.get(transaction) or self._looked_up(record.trace_id, transaction)
        if record.status == "Error" and transaction not in self._failed:
            self._failed[transaction] = None
            while len(self._failed) > _UNDER_WAY:
                self._failed.popitem(last=False)
            yield from ((key, "failed", 1) for key in keys)
        if SUBJECT in record.attributes:
            yield from ((key, "persons", 1) for key in keys)
        charge = record.attributes.get(CHARGE)
        if isinstance(charge, dict) and keys and charge.get("payee") == self._own:
            yield keys[0], "cents", int(charge.get("cents", 0))

    def _looked_up(self, trace: str, transaction: str) -> tuple[_Key, ...]:
        """The same of an answer that began before what this process remembers."""
        found = tuple(
            key
            for _, one in self._log.decisions(trace)
            if one.attributes.get("adl.fsc.transaction_id") == transaction
            and "disclosure" in references_of(one)
            and (key := self._key_of(one)) is not None
        )
        self._answers[transaction] = found
        return found

    def _key_of(self, record: Decision) -> _Key | None:
        """Which count a decision belongs to; None where it is about no dataset of this owner, or a call over the API."""
        request = record.body.get("adl.core.request") or {}
        action, who, what = (request.get(name) or {} for name in ("action", "subject", "resource"))
        if action.get("name") != CONSULT or "adl.fsc.transaction_id" not in record.attributes:
            return None
        dataset = str(what.get("id", "")).partition(".")[2]
        activity = str((action.get("properties") or {}).get(ACTIVITY_ID, ""))
        used = references_of(record).get("disclosure") or _decided(record)
        disclosure = str(used["id"]) if isinstance(used, dict) else str(used or "")
        named = (dataset if dataset in self._known else "", disclosure)
        asked = activity if activity in self._known else ""
        return _day(record.timestamp), *named, str(who.get("id", "")), asked


def open_use(store: Store, ledger: Ledger, own: PeerId, known: Collection[str]) -> Use:
    """The counts in a database; their table is made when it is not there. Blocks. Arguments as of `Use`; raises as `migrate`."""
    migrate(store, "disclose", sql.MIGRATIONS)
    return Use(store, ledger, own, known)


def _decided(record: Decision) -> Any:
    """The disclosure that the policies had permitted, of what a limit then refused."""
    context = record.body["adl.core.response"].get("context") or {}
    return ((context.get("decided") or {}).get("context") or {}).get("disclosure")


def _add(connection: Connection, sums: Mapping[_Key, Mapping[str, int]], end: int) -> None:
    rows = [dict(zip(sql.NAMES, key, strict=True)) | dict(of) for key, of in sums.items()]
    if rows:
        connection.execute(text(sql.ADD), rows)
    connection.execute(text(sql.GO_ON), {"end": end})


def _total(row: Mapping[Any, Any]) -> Total:
    told: dict[str, Any] = {name: int(row[name] or 0) for name in sql.SUMS}
    told |= {name: row[name] for name in sql.NAMES if name in row}
    if "day" in told:
        told["day"] = date.fromordinal(_FIRST.toordinal() + told["day"])
    return Total(**told)


def _day(moment: int) -> int:
    return moment // 86_400_000


def _number(day: date) -> int:
    return day.toordinal() - _FIRST.toordinal()

"""An answer on its way out. A batch leaves only after the records of the people in it are durable; the receipt comes
last; when anything goes wrong in between, the stream ends without one, and what was sent stays on record.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC
from functools import cached_property
from typing import Any

import msgspec
import pyarrow as pa

from sluis.crypto import KeyStore
from sluis.disclose import rules
from sluis.disclose.readers import Pulled
from sluis.disclose.records import Crossing, Log
from sluis.disclose.seals import Sealing
from sluis.disclose.understand import Statement
from sluis.kernel import Clock, PeerId
from sluis.ledger import Decision, Position, Processing
from sluis.sources import Limits
from sluis.statement import Charge, Receipt, charge_attribute, charge_for
from sluis.statement.receipt import NONCE_BYTES, SEALS, AnswerWriter, seal_receipt

Subjects = set[tuple[str, str]]


class Answer:
    """One answer. `begin` decides that there will be one; `body` then gives its bytes."""

    def __init__(
        self,
        crossing: Crossing,
        statement: Statement,
        asked: Subjects,
        sealing: Sealing,
        own: PeerId,
        keys: KeyStore,
        log: Log,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._crossing, self._statement, self._asked, self._sealing = crossing, statement, asked, sealing
        self._own, self._keys, self._log, self._clock, self._limits = own, keys, log, clock, limits
        self._pseudonyms: dict[tuple[str, str], str] = {}
        self._logged: Subjects = set()
        self._position: Position | None = None
        self._max_rows = min(one.disclosure.max_rows for one in statement.opened)
        self._max_subjects = statement.max_subjects

    def foresee(self) -> None:
        """Make ready what need not wait for rows; best while the source looks for them."""
        _ = self._writer, self._permits
        self._pseudonyms = {one: self._log.subject(*one, self._crossing.began) for one in self._asked}

    @cached_property
    def _writer(self) -> AnswerWriter:
        return AnswerWriter(self._statement.form, secrets.token_bytes(NONCE_BYTES))

    @cached_property
    def _permits(self) -> list[Decision]:
        opened, shape = self._statement.opened, self._statement.shape
        return self._crossing.permits(opened, shape, self._sealing.parties)

    def _pseudonym(self, subject: tuple[str, str]) -> str:
        return self._pseudonyms.get(subject) or self._log.subject(*subject, self._crossing.began)

    async def begin(
        self,
        first: Pulled,
        more: Callable[[], Awaitable[Pulled]],
        recording: Callable[[], object] = lambda: None,
    ) -> Callable[[], AsyncIterator[bytes]]:
        """Write down the first batch and who was asked about, together with the decisions. `more` gives what comes next;
        `recording` is called with these records, for what shares their commit.

        Raises:
            Refused: `too-many-rows`, `too-many-subjects`.
            Unkept: nothing leaves.
        """
        opened = self._statement.opened
        ready = self._prepared(first.batches)
        subjects = self._asked | ready.subjects
        records: list[Any] = [
            *self._permits,
            *self._lines(subjects),
        ]
        in_bulk = not subjects and (first.ended or not self._statement.trails)
        if in_bulk:
            records.append(
                self._crossing.in_bulk(opened, self._statement.columns, self._clock(), failed=False)
            )
        if first.ended:
            records += self._charged()
        recording()
        position = self._log.append(records)
        await asyncio.sleep(0)  # the log has it; the rest goes on while the disk is busy
        sending = self._writer.head + b"".join(map(self._writer.write, ready.batches))
        draft = self._receipt() if first.ended else None
        self._position = await position
        return lambda: self._body(more, sending, draft)

    async def whole(self, first: Pulled, more: Callable[[], Awaitable[Pulled]]) -> pa.Table:
        """All rows that would leave, for who looks at them here: nothing is sent, so there is no receipt. They are given when
        it is on record whom they are about.

        Raises: as `begin`.
        """
        pulled, leaving, subjects = first, list[pa.RecordBatch](), set(self._asked)
        while True:
            ready = self._prepared(pulled.batches)
            subjects |= ready.subjects
            leaving += ready.batches
            for batch in ready.batches:
                self._writer.write(batch)  # counts the rows, as of an answer that is sent
            if pulled.ended:
                break
            pulled = await more()
        await self._log.append([*self._permits, *self._lines(subjects)])
        return pa.Table.from_batches(leaving, self._statement.schema)

    async def failed(self) -> None:
        """A source did not do its part: write down that these people were asked about, and that it failed."""
        opened, now = self._statement.opened, self._clock()
        lines: list[Any] = list(
            self._crossing.about(sorted(self._asked), opened, self._pseudonym, now, failed=True)
        )
        if not lines:
            lines.append(self._crossing.in_bulk(opened, self._statement.columns, now, failed=True))
        await self._log.append([*self._permits, *lines])

    async def _body(
        self, more: Callable[[], Awaitable[Pulled]], sending: bytes, draft: Receipt | None
    ) -> AsyncIterator[bytes]:
        ended = draft is not None
        try:
            while not ended:
                yield sending
                pulled = await more()
                ready, ended = self._prepared(pulled.batches), pulled.ended
                records: list[Any] = list(self._lines(ready.subjects))
                if ended and not self._logged and self._statement.trails:
                    now = self._clock()
                    records.append(
                        self._crossing.in_bulk(
                            self._statement.opened, self._statement.columns, now, failed=False
                        )
                    )
                if ended:
                    records += self._charged()
                if records:
                    self._position = await self._log.append(records)
                sending = b"".join(map(self._writer.write, ready.batches))
            yield sending + self._closing(draft or self._receipt())
        finally:
            self._limits.cancelled.set()

    def _lines(self, subjects: Subjects) -> Sequence[Decision | Any]:
        new = sorted(subjects - self._logged)
        self._logged.update(new)
        return self._crossing.about(new, self._statement.opened, self._pseudonym, self._clock(), failed=False)

    def _charge(self) -> Charge | None:
        return charge_for([one.disclosure.price for one in self._statement.opened], len(self._logged))

    def _charged(self) -> list[Processing]:
        """The line of what the whole answer costs, where it costs something: written with its last records."""
        charge = self._charge()
        if charge is None:
            return []
        attribute = charge_attribute(charge, self._crossing.peer, self._own)
        return [self._crossing.charged(attribute, self._statement.opened, self._clock())]

    def _prepared(self, batches: Sequence[pa.RecordBatch]) -> "_Ready":
        """Batches as they leave, and whom they are about; the bounds of the disclosures are held here."""
        statement = self._statement
        subjects: Subjects = set()
        leaving = []
        for batch in batches:
            subjects |= _subjects(batch, statement)
            leaving.append(self._leaving(batch))
        if self._writer.rows + sum(batch.num_rows for batch in leaving) > self._max_rows:
            raise rules.refused("too-many-rows", rules.legal_of(statement.opened))
        if len(subjects | self._asked | self._logged) > self._max_subjects:
            raise rules.refused("too-many-subjects", rules.legal_of(statement.opened))
        return _Ready([batch for batch in leaving if batch.num_rows], subjects)

    def _leaving(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        schema = self._statement.schema
        if True not in self._statement.sealed and batch.schema.equals(schema):
            return batch
        columns = [
            self._sealing.sealed(batch.column(at)) if hide else batch.column(at)
            for at, hide in enumerate(self._statement.sealed)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    def _receipt(self) -> Receipt:
        """Of all that was written and is about to be: complete, but for the time and where it stands in the log."""
        crossing, statement = self._crossing, self._statement
        return Receipt(
            owner=self._own,
            asker=crossing.peer,
            activity=crossing.question.activity,
            case=crossing.question.case,
            disclosures={
                one.dataset.name: f"{one.disclosure.id}@{one.disclosure.version} {one.digest}"
                for one in statement.opened
            },
            columns=statement.columns,
            rows=self._writer.rows,
            subjects=len(self._logged),
            transaction_id=crossing.transaction_id,
            trace_id=crossing.trace.trace_id,
            time="",
            commitment=self._writer.commitment,
            position=0,
            origin="",
            size=0,
            charge=self._charge(),
        )

    def _closing(self, draft: Receipt) -> bytes:
        position = self._position
        assert position is not None
        receipt = msgspec.structs.replace(
            draft,
            position=position.index,
            origin=position.origin,
            size=position.size,
            witnesses=position.witnesses,
            time=self._clock().astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        )
        seals = self._sealing.metadata
        return self._writer.close(seal_receipt(receipt, self._keys.sign), {SEALS: seals} if seals else None)


class _Ready(msgspec.Struct, frozen=True):
    batches: list[pa.RecordBatch]
    subjects: Subjects


def _subjects(batch: pa.RecordBatch, statement: Statement) -> Subjects:
    found: Subjects = set()
    first = len(statement.sealed)
    for at, trail in enumerate(statement.trails):
        column = batch.column(first + at)
        column = column.flatten() if pa.types.is_list(column.type) else column
        found.update((trail.subject.type, str(one)) for one in column.unique().to_pylist() if one is not None)
    return found

"""One question on its way: every owner is asked its part, what came back is held against what was asked, and a line is
made of whom it was about.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
import pyarrow as pa

from sluis.gateway import Link, headers_for, problem_from
from sluis.grounds import Purpose
from sluis.kernel import Clock, PeerId, Problem, Trace, Upstream, encode, milliseconds, new_transaction_id
from sluis.ledger import ACTIVITY, Decision, Ledger, Position, Processing
from sluis.query import records
from sluis.query.asked import Held, held, strays
from sluis.query.model import Consulted, OwnerFailed, Question, Watch, Who
from sluis.query.owners import Known, Owners, unusable
from sluis.query.plan import Part, Ready, check_keys
from sluis.query.seals import Seals
from sluis.statement import (
    MEDIA_TYPE,
    Acting,
    AnswerReader,
    Closing,
    Fetch,
    KeyList,
    Receipt,
    SubQuestion,
    charge_attribute,
    charge_for,
    checked,
    to_plain,
)

Values = Mapping[str, Any]

_LEAVING = 0.001
"""Seconds in which a request leaves: most of these its line is on its way to the disk."""

_FEW = 100
"""Values that Python tells apart before Arrow has begun."""


class Means(msgspec.Struct):
    """What every crossing of a node's questions uses: who asks, the book of owners, how a request reaches them, this
    node's ledger and clock, how many seconds one owner may take, and how many bytes it may send."""

    peer: PeerId
    owners: Owners
    link: Link
    ledger: Ledger
    clock: Clock
    seconds: float
    answer_bytes: int


class Crossing:
    """One question under way: what was asked of whom, what came back, and the lines to write about it.

    Args:
        means: of the node.
        ready: the question, checked and split.
        question: as it was asked.
        who: the person who acts.
        trace: the question's own span.
        values: of its parameters.
        recorded: writes the question in the ledger, once, and gives the future that is done when it stands there; nothing
            is sent before. Called with the first part, so that it shares a commit with the lines of the crossings.
        watch: looks on.

    Attributes:
        lines: of the crossings that ended, well or not; to be made durable before anything is shown.
        consulted: what each owner did.

    An answer is proven (its receipt, its price, and then the lines about it) once the last owner has been asked: that
    takes half a millisecond, in which that owner would have nothing to do. Before a key in it goes to another owner, it
    has come whole, over mTLS from its own, and holds only rows that were asked for. Before it is proven nothing of it
    is shown, and an answer with tokens is proven at once.
    """

    def __init__(
        self,
        means: Means,
        ready: Ready,
        question: Question,
        who: Who,
        trace: Trace,
        values: Values,
        recorded: Callable[[], asyncio.Future[Position]],
        watch: Watch | None = None,
    ) -> None:
        self._means, self._ready, self._question, self._who = means, ready, question, who
        self._watch = watch
        self._trace, self._values, self._recorded = trace, values, recorded
        self._seals = Seals(trace.trace_id, ready, means.owners)
        self.lines: list[Processing | Decision] = []
        self.consulted: list[Consulted] = []
        self._unproven: list[_Came] = []
        self._at_leisure = False
        self._failed: OwnerFailed | None = None
        self._pseudonyms: dict[tuple[str, str], str] = {}

    def permit(self, fetch: Fetch, keys: Mapping[str, pa.Array]) -> None:
        """What `statement.run` calls before any piece of a fetch is sent. Raises `Refused`."""
        check_keys(self._ready, fetch, keys)

    def everyone_asked(self) -> None:
        """What `statement.run` calls when the last owner is about to be asked: in a moment this node has time."""
        asyncio.get_running_loop().call_later(_LEAVING, self._prove_meanwhile)

    def prove(self) -> None:
        """Prove what was not proven yet. Raises `OwnerFailed` for the first answer that did not hold, then or earlier."""
        while self._unproven:
            came = self._unproven.pop(0)
            try:
                self._proven(came)
            except Problem as problem:
                self._failed = self._failed or OwnerFailed(came.part.alias, problem)
        if self._failed is not None:
            raise self._failed from self._failed.problem

    def _prove_meanwhile(self) -> None:
        self._at_leisure = True
        with suppress(OwnerFailed):  # who asked hears of it when all answers are there
            self.prove()

    async def fetch(self, fetch: Fetch, keys: Mapping[str, pa.Array]) -> pa.Table:
        """What `statement.run` calls for each part, as soon as its keys are known."""
        part, watch = self._ready.part(fetch, frozenset(keys)), self._watch
        if watch is not None:
            watch.asks(part.alias)
        work = self._seals.around(part, lambda seal: self._consult(fetch, part, keys, seal))
        try:
            table = await (work if watch is None else watch.unless_left(part.alias, work))
        except Problem as problem:
            if watch is not None:
                watch.failed(part.alias, problem)
            raise OwnerFailed(part.alias, problem) from problem
        if watch is not None:
            watch.answered(part.alias)
        return table

    async def _consult(
        self, fetch: Fetch, part: Part, keys: Mapping[str, pa.Array], seal: Any
    ) -> tuple[pa.Table, Any]:
        means, span, transaction = self._means, self._trace.child(), new_transaction_id()
        sub = self._sub_question(part, keys, seal)
        owner, known = means.owners.by_alias[part.alias], await means.owners.known(part.alias)
        body = encode(sub)
        started, began = milliseconds(means.clock()), time.perf_counter()
        table, leaving = None, _Leaving(self._recorded())
        try:
            reader, batches = await consult(means, part, sub.activity, body, span, transaction, leaving)
            elapsed = round((time.perf_counter() - began) * 1000, 3)
            if not reader.whole or reader.schema is None:
                opened(means, part, known, sub, span, transaction, reader)  # tells what is wrong
                raise unusable(owner)
            answer = checked(fetch, pa.Table.from_batches(batches, reader.schema))
            if strays(answer, self._held(fetch, frozenset(keys)), {**self._values, **keys}):
                raise unusable(owner)
            table = answer
        finally:
            if table is None and leaving.left:
                self._write(part, sub, span, started, means.clock(), known, None, None)
        came = _Came(part, known, sub, span, transaction, reader, table, started, means.clock(), elapsed)
        if seal is None and not self._at_leisure:
            self._unproven.append(came)
            return table, None
        return table, self._proven(came)

    def _proven(self, came: "_Came") -> Closing:
        """Hold an answer against its receipt, and write of it. Raises `Upstream`."""
        part, table, charge = came.part, None, None
        try:
            closing = opened(
                self._means, part, came.known, came.sub, came.span, came.transaction, came.reader
            )
            charge = self._charge(part, closing.receipt)
            table = came.table
        finally:
            self._write(part, came.sub, came.span, came.started, came.ended, came.known, table, charge)
        names = tuple(offer.dataset for offer in part.offers)
        peer = self._means.owners.by_alias[part.alias].peer
        self.consulted.append(
            Consulted(
                part.alias,
                peer,
                names,
                came.table.num_rows,
                came.elapsed,
                closing.receipt,
                closing.jws,
                closing.nonce,
            )
        )
        return closing

    def _sub_question(self, part: Part, keys: Mapping[str, pa.Array], seal: Any) -> SubQuestion:
        types, lists = self._ready.types, self._ready.lists
        scalars = [name for name in part.parameters if name in self._values and name not in lists]
        key_lists = {
            name: KeyList(types[name], _plain_list(self._values[name]))
            for name in part.parameters
            if name in lists
        }
        for name, column in keys.items():
            key_lists[name] = KeyList(
                part.key_types[name], _plain_list(column.to_pylist()), sealed=name in part.sealed_keys
            )
        return SubQuestion(
            sql=part.sql,
            activity=self._question.activity,
            case=self._question.case,
            acting=Acting(self._who.acting.person, self._who.acr, self._who.level),
            disclosures={offer.dataset: offer.digest for offer in part.offers},
            parameters={name: to_plain(self._values[name]) for name in scalars},
            types={name: types[name] for name in scalars},
            keys=key_lists,
            seal=seal,
            combining=self._ready.groups is not None,
        )

    def _held(self, fetch: Fetch, given: frozenset[str]) -> Held:
        """Which outputs of a fetch are held to a parameter; found once per plan."""
        memory, key = self._ready.plan.memory, ("held", fetch.id, given)
        if key not in memory:
            memory[key] = held(fetch.select(given))
        found: Held = memory[key]
        return found

    def _charge(self, part: Part, receipt: Receipt) -> dict[str, Any] | None:
        """What this answer costs. Raises `Upstream` when the owner asks another sum than its own terms come to, or
        counts more people than it opens at once: whom an aggregate was about, only the owner knows."""
        owner = self._means.owners.by_alias[part.alias]
        most = max(one.disclosure.max_subjects for one in part.offers)
        if not 0 <= receipt.subjects <= most or receipt.charge != charge_for(
            [one.disclosure.price for one in part.offers], receipt.subjects
        ):
            raise unusable(owner)
        if receipt.charge is None:
            return None
        return charge_attribute(receipt.charge, self._means.peer, owner.peer)

    def _write(
        self,
        part: Part,
        sub: SubQuestion,
        span: Trace,
        started: int,
        moment: datetime,
        known: Known,
        table: pa.Table | None,
        charge: dict[str, Any] | None,
    ) -> None:
        """The lines of this crossing, to be made durable before anything of it is shown."""
        subjects = sorted(self._subjects(part, sub, table))
        pseudonyms = [(subject[0], self._pseudonym(subject, moment)) for subject in subjects]
        self.lines += records.processing(
            span, self._question.activity, f"Bevraging bij {self._means.owners.by_alias[part.alias].name}", started,
            milliseconds(moment), known.keys.url, pseudonyms, self._trace.span_id,
            [f"{part.alias}.{one.dataset}" for one in part.offers], records.withheld(part.offers, moment),
            "Error" if table is None else "Ok", charge,
        )  # fmt: skip

    def _pseudonym(self, subject: tuple[str, str], moment: datetime) -> str:
        """Made once per question: more owners than one are asked about the same people."""
        known = self._pseudonyms.get(subject)
        if known is None:
            known = self._pseudonyms[subject] = self._means.ledger.subject(*subject, moment)
        return known

    def _subjects(self, part: Part, sub: SubQuestion, table: pa.Table | None) -> set[tuple[str, str]]:
        """Everyone this part was about, as far as this node may know: those it named, and those in the answer."""
        found: set[tuple[str, str]] = set()
        for name, kind in part.subject_parameters.items():
            if name in part.sealed_keys:
                continue
            values = sub.keys[name].values if name in sub.keys else [sub.parameters.get(name)]
            found |= {(kind, str(value)) for value in values if value is not None}
        for name, kind in part.subject_outputs.items():
            if table is None:
                continue
            column = table.column(name)
            told = column.unique() if len(column) > _FEW else column
            found |= {(kind, str(value)) for value in told.to_pylist() if value is not None}
        return found

    def nothing_came(self) -> Processing:
        """The line of a question that was sent and brought nothing: it failed on the way."""
        now = milliseconds(self._means.clock())
        return Processing(
            trace_id=self._trace.trace_id,
            span_id=self._trace.child().span_id,
            parent_span_id=self._trace.span_id,
            name="Bevraging mislukt",
            status="Error",
            start_time=now,
            end_time=now,
            attributes={ACTIVITY: self._question.activity},
        )


class _Came(msgspec.Struct, frozen=True):
    """An answer that came, to be proven: of whom, on what, with which rows, from when until when."""

    part: Part
    known: Known
    sub: SubQuestion
    span: Trace
    transaction: str
    reader: AnswerReader
    table: pa.Table
    started: int
    ended: datetime
    elapsed: float


class _Leaving:
    """What a sub-question waits for before it leaves: that the decision to ask is durable.

    Attributes:
        left: whether it may have left since.
    """

    def __init__(self, recorded: "asyncio.Future[Any]") -> None:
        self._recorded, self.left = recorded, False

    def __await__(self) -> Generator[Any, None, None]:
        if not self._recorded.done():
            # Others wait for it too, and go on when this is cancelled.
            yield from asyncio.shield(self._recorded).__await__()
        self._recorded.result()
        self.left = True


async def consult(
    means: Means,
    part: Part,
    activity: str,
    body: bytes,
    trace: Trace,
    transaction: str,
    recorded: Awaitable[Any],
) -> tuple[AnswerReader, list[pa.RecordBatch]]:
    """Ask one owner its part.

    Args:
        means: of the node that asks.
        part: what is asked, and of whom.
        activity: what for; a contract must cover it.
        body: the question, encoded.
        trace: the span of this crossing.
        transaction: id of this crossing.
        recorded: done once the decision to ask is durable; nothing is sent before.

    Returns:
        what came, to be checked with `opened`.

    Raises:
        Problem: the owner's own, or `Upstream` when it broke off.
    """
    owner = means.owners.by_alias[part.alias]
    headers = headers_for(trace, MEDIA_TYPE, transaction) | {"content-type": "application/json"}
    reader, batches = AnswerReader(means.answer_bytes), []

    def covers(purpose: Purpose) -> bool:
        return all(purpose.covers(activity, one.disclosure.id, one.digest) for one in part.offers)

    async with means.link.send(
        owner.peer, "POST", "/v1/consultations", headers, body, means.seconds, covers, recorded
    ) as answer:
        if answer.status != 200:
            raise await problem_from(answer, unusable(owner))
        async for chunk in answer.body:
            batches += reader.feed(chunk)
    return reader, batches


def opened(
    means: Means,
    part: Part,
    known: Known,
    sub: SubQuestion,
    trace: Trace,
    transaction: str,
    reader: AnswerReader,
) -> Closing:
    """Hold an answer against its receipt, and that against the question.

    Args:
        known: of the owner that answered.
        sub: the question.
        reader: of what came.

    Returns:
        how the answer closed: receipt, its JWS, the nonce, other metadata.

    Raises:
        Upstream: it broke off, or its receipt does not hold.
    """
    owner = means.owners.by_alias[part.alias]
    try:
        closing = reader.finish(known.keys.verification_key)
    except Upstream:
        means.owners.forget(part.alias)
        raise
    said = closing.receipt
    told = (said.owner, said.asker, said.activity, said.case, said.transaction_id, said.trace_id)
    under = {dataset: stated.rpartition(" ")[2] for dataset, stated in said.disclosures.items()}
    if (
        told != (owner.peer, means.peer, sub.activity, sub.case, transaction, trace.trace_id)
        or under != sub.disclosures
    ):
        raise unusable(owner)
    return closing


def _plain_list(values: Sequence[Any]) -> list[Any]:
    """A key list as JSON carries it."""
    return [to_plain(value) for value in values]

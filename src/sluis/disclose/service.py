"""The owner answers a question. Read this module from top to bottom to see every step, in order: understand, decide,
hold to the limits, read, write down, send, and give a receipt.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping
from datetime import date
from typing import Any

import msgspec

from sluis.crypto import KeyStore
from sluis.disclose import rules
from sluis.disclose.answer import Answer
from sluis.disclose.budgets import Budgets
from sluis.disclose.consenting import Standing
from sluis.disclose.model import Bounds, Consenting, Consultation, Opened
from sluis.disclose.own_rows import OwnRows
from sluis.disclose.preview import (
    Looking,
    Rehearsal,
    Shown,
    question_of,
    secret,
    shown,
    unknown_disclosure,
)
from sluis.disclose.readers import Pulled, Readers
from sluis.disclose.records import Crossing, Log, Permit, Refusals
from sluis.disclose.seals import CardOf, Sealer, Sealing
from sluis.disclose.understand import Statement, check_values
from sluis.disclose.understood import Understood
from sluis.disclose.views import OWN_DAY
from sluis.grounds import Disclosure, Grounds, Offer, Purpose, make_offer
from sluis.kernel import Clock, PeerId, Problem, Refused, Text, Trace, Unkept, Upstream
from sluis.policy import DecisionPoint
from sluis.sources import Limits, Source, SourceFailure
from sluis.statement import (
    Combiner,
    Memory,
    SubQuestion,
    bind,
    keys_asked,
    parse,
    require_steady,
)

_MANY_KEYS = 1_000
"""Keys that take a worker's time, not that of everyone who waits: opening a hundred thousand takes two seconds."""

operator_log = logging.getLogger("sluis.disclose")


class _Ready(msgspec.Struct, frozen=True):
    """A question, ready to be read: its parameters as values, and (type, key) of the people that it names."""

    statement: Statement
    sealing: Sealing
    values: dict[str, Any]
    asked: set[tuple[str, str]]


class Discloser:
    """The owner's side of every question to this node.

    Args:
        own: this node's peer id.
        alias: the name that askers put before the dot.
        grounds: datasets, activities and disclosures, as loaded and checked.
        sources: by the name that datasets use.
        log: the ledger.
        memory: of budgets and groups that were told.
        keys: this node's keys.
        card: this node's signed card, as it is now.
        card_of: reads another node's card, or raises a `Problem`.
        combiner: computes what sources cannot.
        address: where a peer is, for the processing log.
        point: decides which disclosure, if any, opens a dataset.
        clock: aware UTC.
        bounds: what one question may cost.
        contracts: whether peers come under contracts, so that only what one covers is open to them.
        consents: of people, for disclosures that rest on them; without any, these open nobody's rows.
        terms: why a peer may not use some datasets yet: it did not accept their terms; None when it may.
    """

    def __init__(
        self,
        *,
        own: PeerId,
        alias: str,
        grounds: Grounds,
        sources: Mapping[str, Source],
        log: Log,
        memory: Memory,
        keys: KeyStore,
        card: Callable[[], str],
        card_of: CardOf,
        combiner: Combiner,
        address: Callable[[PeerId], str],
        point: DecisionPoint,
        clock: Clock,
        bounds: Bounds | None = None,
        contracts: bool = False,
        consents: Consenting | None = None,
        terms: Callable[[PeerId, Collection[str]], Refused | None] = lambda peer, datasets: None,
    ) -> None:
        self._terms = terms
        self._contracts, self._consents = contracts, consents
        self._own, self._alias = own, alias
        self._log, self._keys, self._clock = log, keys, clock
        self._address, self._bounds, self._point = address, bounds or Bounds(), point
        self._activities = {one.id: one.valid for one in grounds.activities}
        self._candidates = {
            dataset.name: tuple(one for one in grounds.disclosures if one.dataset == dataset.name)
            for dataset in grounds.datasets
        }
        datasets = {dataset.name: dataset for dataset in grounds.datasets}
        self._offers = {
            one.id: make_offer(own, alias, datasets[one.dataset], one) for one in grounds.disclosures
        }
        self._opened = {
            one.id: Opened(datasets[one.dataset], one, self._offers[one.id].digest)
            for one in grounds.disclosures
        }
        self._sealer = Sealer(own, card, keys, card_of, self._bounds.seal_seconds)
        self._readers = Readers()
        self._refusals = Refusals(log, clock, self._bounds.refusals_a_minute)
        self._understood = Understood(sources, combiner, self._bounds)
        self._budgets = Budgets(memory)
        self._own_rows = OwnRows(own, datasets, sources, combiner, self._readers, self._bounds)
        self._recording = set[asyncio.Task[None]]()

    def offers(self, peer: PeerId) -> tuple[Offer, ...]:
        """What is open to this peer today, by any way of signing in."""
        day = self._clock().date()
        return tuple(
            self._offers[one.id]
            for candidates in self._candidates.values()
            for one in candidates
            if one.recipient == peer and one.valid.holds(day) and self._in_force(one.activity, day)
        )

    def recall(self, permits: Iterable[Permit]) -> None:
        """Count what was permitted before this node started: starting again gives nobody a new hour.

        Args:
            permits: of the last hour, oldest first; see `records.permit`.
        """
        self._budgets.recall(permits)

    async def consult(
        self,
        peer: PeerId,
        trace: Trace,
        transaction_id: str,
        question: SubQuestion,
        purpose: Purpose | None = None,
        recording: Callable[[], object] = lambda: None,
        *,
        standing: bool = False,
    ) -> Consultation:
        """Answer a question, or say why not.

        Args:
            peer: who asks, as its certificate proves.
            trace: the asker's trace and span.
            transaction_id: of the crossing.
            question: as it came, decoded strictly.
            purpose: of the contract under which it came; None when that has none.
            recording: called with the first records of an answer; what else it writes shares their commit.
            standing: whether it is the turn of a standing question; disclosures are for those or for others.

        Returns:
            An answer that has begun: its first records are durable.

        Raises:
            Invalid: it cannot be understood.
            Refused: a rule forbids it; that is on record too.
            Conflict: `disclosure-changed`.
            Upstream: `source-unavailable`; what was wrong stays with the owner.
            Unkept: this node cannot record, so nothing leaves.
        """
        crossing = self._crossing(peer, trace, transaction_id, question)
        try:
            return await self._consult(crossing, purpose, recording, standing)
        except Unkept:
            raise
        except Problem as problem:
            await self._record(crossing, problem)
            raise

    async def check_standing(
        self,
        peer: PeerId,
        trace: Trace,
        transaction_id: str,
        question: SubQuestion,
        purpose: Purpose | None = None,
    ) -> tuple[Disclosure, tuple[tuple[str, str], ...]]:
        """Whether a question may be left standing, as far as that can be seen without reading a source: all that `consult`
        holds it to before it reads, and the disclosure allows it.

        Args: as `consult`.

        Returns:
            The disclosure, and (type, key) of everybody whom the question names.

        Raises: as `consult`; `Invalid` when it is about more than one dataset, or sealed (`not-one-dataset`), or
            its answer hangs on the order of rows (`answer-by-order`).
        """
        crossing = self._crossing(peer, trace, transaction_id, question)
        try:
            rules.require_one_dataset(question)
            ready = await self._ready(crossing, purpose, standing=True)
            require_steady(parse(question.sql))
        except Unkept:
            raise
        except Problem as problem:
            await self._record(crossing, problem)
            raise
        await self._log.append(crossing.decisions())
        return ready.statement.opened[0].disclosure, tuple(sorted(ready.asked))

    def _crossing(self, peer: PeerId, trace: Trace, transaction_id: str, question: SubQuestion) -> Crossing:
        return Crossing(
            peer,
            self._address(peer),
            self._alias,
            trace,
            transaction_id,
            question,
            self._clock(),
            self._point,
        )

    async def close(self) -> None:
        """Write down what was only counted; when the node stops."""
        await asyncio.gather(*self._recording)
        await self._refusals.flush()

    async def _ready(
        self, crossing: Crossing, purpose: Purpose | None, standing: bool, sealing: Sealing | None = None
    ) -> _Ready:
        """A question that was understood and may be read, as far as it and the disclosures say. `sealing` is there when no other
        owner made the keys that come sealed."""
        question, peer, now = crossing.question, crossing.peer, crossing.began
        rules.require_bounds(question, self._bounds)
        opened = self._decided(crossing, purpose)
        rules.require_meant_for(opened.values(), standing)
        if (lacking := self._terms(peer, opened.keys())) is not None:
            raise lacking
        try:
            statement = await self._understood.of(peer, question, opened)
        except SourceFailure as failure:
            raise _unavailable(crossing, failure) from None
        check_values(statement, question)
        sealing = sealing or self._sealer.sealing(peer, question, now)
        if sum(len(keys.values) for keys in question.keys.values()) > _MANY_KEYS:
            values = await asyncio.to_thread(self._values, statement, question, sealing.values)
        else:
            values = self._values(statement, question, sealing.values)
        asked = set(keys_asked(statement.asked, values))
        if len(asked) > statement.max_subjects:
            raise rules.refused("too-many-subjects", rules.legal_of(statement.opened))
        return _Ready(statement, sealing, values, asked)

    async def _consult(
        self, crossing: Crossing, purpose: Purpose | None, recording: Callable[[], object], standing_one: bool
    ) -> Consultation:
        question, peer, now = crossing.question, crossing.peer, crossing.began
        ready = await self._ready(crossing, purpose, standing_one)
        statement, values, asked = ready.statement, ready.values, ready.asked
        standing = Standing(self._consents, peer, question.activity, statement.opened)
        if standing.rests and len(asked) > _MANY_KEYS:
            values |= await asyncio.to_thread(standing.shown, statement, asked)
        else:
            values |= standing.shown(statement, asked)
        self._budgets.hold_rate(peer, statement, now)
        identity = self._budgets.identity(statement, question)
        await self._budgets.spend(crossing, statement, identity)
        answer, first, more = await self._reading(crossing, ready, values)
        if statement.groups is not None:
            groups = statement.groups
            first = await self._budgets.reduced(crossing, statement, groups, first, identity, values)
        standing.hold()
        body = await answer.begin(first, more, recording)
        sent = (
            standing.guarded(body(), lambda why: self._stopped(crossing, why)) if standing.rests else body()
        )
        return Consultation(statement.schema, self._guarded(crossing, sent))

    async def _reading(
        self, crossing: Crossing, ready: _Ready, values: Mapping[str, Any]
    ) -> tuple[Answer, Pulled, Callable[[], Awaitable[Pulled]]]:
        """Have the source begin: the answer to be, what it holds first, and what gives the rest of it."""
        statement, most = ready.statement, self._bounds.scanned_rows
        limits = Limits(
            self._bounds.seconds, most, self._bounds.batch_rows if statement.groups is None else most
        )
        answer = Answer(
            crossing, statement, ready.asked, ready.sealing, self._own, self._keys, self._log, self._clock, limits
        )  # fmt: skip
        try:
            source = await statement.reading.start({**values, OWN_DAY: crossing.began.date()}, limits)
            first = await self._readers.pull(source, limits, answer.foresee)
        except SourceFailure as failure:
            await answer.failed()
            crossing.asked.clear()  # that is on record now
            raise _unavailable(crossing, failure) from None
        return answer, first, lambda: self._readers.pull(source, limits)

    async def preview(
        self,
        disclosure: str,
        key: str,
        looking: Looking,
        purposes: Iterable[Purpose] = (),
        secrecy: Iterable[tuple[str, str]] = (),
    ) -> Shown:
        """What the recipient of a disclosure would see of one person, for an official of this organisation who may look.

        Args:
            disclosure: id.
            key: of the person, as the dataset has it.
            looking: who looks, and how that goes on record.
            purposes: of the contracts in force with the recipient.
            secrecy: (dataset, column) that say whether somebody's data are under secrecy; then they are not shown.

        Raises:
            NotFound: there is no such disclosure.
            Refused: the recipient would be refused, with the reason that it would be given; or the data are under secrecy.
            Invalid: the key does not fit the data.
            Upstream: the source does not answer.
            Unkept: it cannot be recorded, so nothing is shown.
        """
        one = self._opened.get(disclosure)
        if one is None:
            raise unknown_disclosure()
        rule, now = one.disclosure, self._clock()
        question, sealing = question_of(one, key, rule.recipient, self._own, now)
        crossing = Rehearsal(
            rule.recipient, self._address(self._own), self._alias, looking.trace, "", question, now, self._point,
            looking=looking,
        )  # fmt: skip
        covering = next((each for each in purposes if each.covers(rule.activity, rule.id, one.digest)), None)
        try:
            ready = await self._ready(crossing, covering, rule.standing is not None, sealing)
        except Problem:
            await self._log.append(looking.decisions)
            raise
        standing = Standing(self._consents, rule.recipient, rule.activity, ready.statement.opened)
        consents = standing.shown(ready.statement, ready.asked)
        answer, first, more = await self._reading(crossing, ready, {**ready.values, **consents})
        standing.hold()
        table = await answer.whole(first, more)
        try:
            if await self._own_rows.under_secrecy(one, key, secrecy, now.date()):
                raise secret()
            whom = tuple(one.column for one in [one.dataset.subject] if one is not None)
            there = await self._own_rows.of(one.dataset, rule, whom, key, now.date())
        except SourceFailure as failure:
            raise _unavailable(crossing, failure) from None
        consented = None if not standing.rests else any(consents.values())
        return shown(table, len(there), consented)

    def _decided(self, crossing: Crossing, purpose: Purpose | None) -> dict[str, Opened]:
        """Per dataset the disclosure that opens it, as the decision point says; its digest as the asker knows it."""
        opened, question = {}, crossing.question
        for name, digest in question.disclosures.items():
            agreed = self._agreed(purpose, question.activity, self._candidates.get(name, ()))
            decided = crossing.ask(name, agreed)
            if not decided.permit or decided.disclosure is None:
                raise rules.refusal(decided, self._point.level_asked(decided))
            opened[name] = self._opened[decided.disclosure]
            if opened[name].digest != digest:
                raise rules.changed(name)
        return opened

    def _agreed(
        self, purpose: Purpose | None, activity: str, candidates: Iterable[Disclosure]
    ) -> frozenset[str] | None:
        """Which of these disclosures the contract covers, each with its rules as they are now."""
        if not self._contracts:
            return None
        return frozenset(
            one.id
            for one in candidates
            if purpose is not None and purpose.covers(activity, one.id, self._offers[one.id].digest)
        )

    def _in_force(self, activity: str, day: date) -> bool:
        valid = self._activities.get(activity)
        return valid is not None and valid.holds(day)

    def _values(self, statement: Statement, question: SubQuestion, opens: Any) -> dict[str, Any]:
        """Every parameter as a value of its type; tokens opened."""
        sealed = question.seal.parameters if question.seal else ()
        if any((name in sealed) != keys.sealed for name, keys in question.keys.items()):
            raise rules.refused("sealed-only", rules.legal_of(statement.opened))
        given: dict[str, Any] = dict(question.parameters)
        for name, keys in question.keys.items():
            given[name] = opens(keys.values) if keys.sealed else keys.values
        return bind(statement.lists, statement.types, given)

    async def _guarded(self, crossing: Crossing, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The bytes; what goes wrong after the first is on record, and the stream ends without a receipt."""
        try:
            async for chunk in body:
                yield chunk
        except Refused as refusal:
            await self._record(crossing, refusal)
            raise
        except SourceFailure as failure:
            raise _unavailable(crossing, failure) from None

    def _stopped(self, crossing: Crossing, refusal: Refused) -> None:
        """An answer was broken off in the middle: that goes on record, without anybody waiting for it."""
        task = asyncio.get_running_loop().create_task(self._record(crossing, refusal))
        self._recording.add(task)
        task.add_done_callback(self._recording.discard)

    async def _record(self, crossing: Crossing, problem: Problem) -> None:
        """Every answer of the decision point is a record, whatever then became of the question."""
        if crossing.asked:
            await self._refusals.record(crossing.peer, crossing.refusal(problem))


def _unavailable(crossing: Crossing, failure: SourceFailure) -> Upstream:
    """One problem for everything a source can do wrong; the operator sees which kind, and the column it is about."""
    place = failure.place.partition(",")[0]  # what follows may name a person's key
    operator_log.error(
        "source failed: %s at %s, trace %s", failure.kind, place or "-", crossing.trace.trace_id
    )
    return Upstream(
        "source-unavailable",
        Text("Een bron van de bronhouder doet het nu niet.", "A source of the owner is not available now."),
        Text("Wat er mis is, weet de bronhouder.", "The owner knows what is wrong."),
        Text(
            "Probeer het later opnieuw; blijft dit zo, meld het dan bij de bronhouder.",
            "Try again later; if this goes on, tell the owner.",
        ),
        retry=True,
    )

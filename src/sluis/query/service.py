"""The asker's side of a question: check it, record it, ask every owner its part, combine, record, answer.

Nothing is sent before the question stands in this node's own ledger; nothing is shown before the lines of the people
it was about do. The rows live in memory until the answer has been given.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlglot import exp

from sluis.gateway import Link
from sluis.grounds import Activity, Offer
from sluis.kernel import (
    Clock,
    Conflict,
    Invalid,
    PeerId,
    Problem,
    Refused,
    Text,
    Trace,
    Upstream,
    encode,
    milliseconds,
    new_transaction_id,
)
from sluis.ledger import ACTIVITY, Decision, Ledger, Position, Processing
from sluis.query import records, rules
from sluis.query.asked import Held, held, strays
from sluis.query.explain import explanation
from sluis.query.model import Answer, Consulted, Explanation, Missing, OwnerFailed, Question, Who
from sluis.query.owners import Known, Owners, problem_of, unusable
from sluis.query.partial import without
from sluis.query.plan import Part, Plans, Ready, check_keys, check_roles, check_values, make_ready
from sluis.query.seals import Seals
from sluis.statement import (
    MEDIA_TYPE,
    TODAY,
    Acting,
    AnswerReader,
    Combiner,
    Fetch,
    KeyList,
    Memory,
    Receipt,
    SubQuestion,
    bind,
    charge_attribute,
    charge_for,
    checked,
    constants,
    datasets,
    levels,
    parse,
    reduce,
    run,
    to_plain,
)

Values = Mapping[str, Any]

_FEW = 100
"""Values that Python tells apart before Arrow has begun."""


class Asker:
    """Asks questions for the people of one organisation.

    Args:
        peer: this node's Peer ID.
        activities: its register of processing, by id.
        owners: the book of owners.
        link: how a request reaches them.
        ledger: this node's ledger.
        combiner: joins the answers in memory.
        memory: of budgets and of groups that this node made and told.
        clock: this node's clock.
        seconds: how long one owner may take.
        answer_bytes: how much one owner may send in answer.
    """

    def __init__(
        self,
        *,
        peer: PeerId,
        activities: Mapping[str, Activity],
        owners: Owners,
        link: Link,
        ledger: Ledger,
        combiner: Combiner,
        memory: Memory,
        clock: Clock,
        seconds: float = 30.0,
        answer_bytes: int = 1 << 30,
    ) -> None:
        self._peer, self._activities, self._owners = peer, activities, owners
        self._link, self._ledger, self._clock = link, ledger, clock
        self._seconds, self._answer_bytes = seconds, answer_bytes
        self._combiner, self._memory, self._plans = combiner, memory, Plans()

    def activities(self) -> tuple[Activity, ...]:
        """The register of processing, in order of id."""
        return tuple(self._activities[name] for name in sorted(self._activities))

    async def ask(self, question: Question, who: Who) -> Answer:
        """Answer a question.

        Args:
            question: what is asked, why, and for which case.
            who: the person who acts.

        Returns:
            the rows, where they came from, what each owner signed, and what stays closed.

        Raises:
            Problem: the question is not right, not allowed, or an owner did not do its part. A refusal is recorded.
        """
        missing: dict[str, Problem] = {}
        renewed = False
        while True:
            try:
                return await self._ask_once(question, who, missing)
            except Conflict as conflict:
                if conflict.code != "disclosure-changed" or renewed:
                    raise
                renewed = True
                self._owners.forget_all()
            except OwnerFailed as failed:
                if question.partial == "never" or isinstance(failed.problem, Conflict | Invalid):
                    raise failed.problem from None
                missing[failed.alias] = failed.problem

    async def explain(self, question: Question) -> Explanation:
        """Tell what a question would do, without asking it. Raises `Problem` when it is not right or not allowed."""
        rules.check_case(question)
        activity = self._activity(question)
        try:
            ready = await self._ready(question, activity, ())
        except OwnerFailed as failed:
            raise failed.problem from None
        check_values(ready, self._bind(ready, question))
        return explanation(question, ready)

    async def _ask_once(self, question: Question, who: Who, missing: Mapping[str, Problem]) -> Answer:
        clock = _Stopwatch()
        trace = Trace.begin()
        rules.check_case(question)
        activity = self._activity(question)
        try:
            ready = await self._ready(question, activity, tuple(sorted(missing)))
            values = self._bind(ready, question)
            check_values(ready, values)
            await self._hold_budget(ready, question, values)
        except Problem as problem:
            await self._record_refusal(trace, question, who, problem)
            raise
        clock.lap("plan")
        digests = {".".join(name): offer.digest for name, offer in ready.offers.items()}
        decided = records.decision(trace, question, who, ready.shape, digests, self._clock(), None)
        recorded = self._ledger.append([decided])
        recorded.add_done_callback(lambda _: clock.lap("record"))
        crossing = _Crossing(self, ready, question, who, trace, values, recorded)
        kept: list[asyncio.Future[Position]] = []

        def keep() -> None:
            clock.lap("ask")
            if crossing.lines:
                kept.append(self._ledger.append(crossing.lines))

        try:
            table = await run(
                ready.plan,
                crossing.fetch,
                values,
                self._combiner,
                bulk=ready.bulk,
                permit=crossing.permit,
                arrived=keep,
            )
        except BaseException:  # whatever it was: what crossed is on record
            await recorded  # when this failed, that is the problem, and nothing was sent
            if not kept:
                kept.append(self._ledger.append(crossing.lines or [crossing.nothing_came()]))
            await asyncio.gather(*kept)
            raise
        await recorded
        for lines in kept:
            await lines
        try:
            table = await self._told(table, ready, values)
        except Refused as refusal:
            await self._record_refusal(trace.child(), question, who, refusal)
            raise
        clock.lap("keep")
        return Answer(
            question=question.sql,
            trace_id=trace.trace_id,
            table=table,
            provenance=ready.provenance,
            consulted=tuple(crossing.consulted),
            closed=ready.closed,
            missing=tuple(Missing(alias, problem.members()) for alias, problem in missing.items()),
            timings=clock.total(),
        )

    async def _hold_budget(self, ready: Ready, question: Question, values: Values) -> None:
        """A combiner counts the different questions over data of which it makes groups, as their owners do."""
        if ready.groups is None:
            return
        identity, day = self._identity(ready, values), self._clock().date()
        for dataset in ready.groups.datasets:
            rule = ready.offers[_dataset(dataset)].disclosure.aggregate
            purse = f"combine|{question.activity}|{dataset}"
            if rule is not None and not await self._memory.spend(purse, day, identity, rule.budget):
                raise rules.group_budget_used(ready.offers[_dataset(dataset)])

    async def _told(self, table: pa.Table, ready: Ready, values: Values) -> pa.Table:
        """The answer, when this node is its combiner: the groups that may be told, after what was told before."""
        if ready.groups is None:
            return table
        told = await asyncio.to_thread(reduce, table, ready.groups)
        fixed = constants(ready.tree, ready.column_types, ready.types, values)
        found = await asyncio.to_thread(levels, told, ready.groups, fixed, self._memory.digest)
        identity, day = self._identity(ready, values), self._clock().date()
        for dataset in ready.groups.datasets:
            board = f"combine|{dataset}"
            if not await self._memory.tell(board, day, identity, found, ready.groups.minimum):
                raise rules.too_close(ready.offers[_dataset(dataset)])
        return told.answer

    def _identity(self, ready: Ready, values: Values) -> str:
        """What makes two questions the same: their form and values."""
        return self._memory.digest([ready.shape, *(f"{name}={values[name]}" for name in sorted(values))])

    def _activity(self, question: Question) -> Activity:
        activity = rules.activity_of(self._activities, question.activity)
        if not activity.valid.holds(self._clock().date()):
            raise Invalid(
                "activity-ended",
                Text("Deze verwerkingsactiviteit is niet van kracht.", "This activity is not in force."),
                Text("De datum van vandaag valt buiten de looptijd.", "Today is outside its period."),
                Text("Kies een verwerkingsactiviteit die nu geldt.", "Choose an activity that is in force."),
            )
        return activity

    async def _ready(self, question: Question, activity: Activity, missing: tuple[str, ...]) -> Ready:
        """The question, ready to be asked; made when this text was not asked before under the same offers."""
        text = (question.sql, missing)
        tree: exp.Query | None = None
        named = self._plans.names(text)
        if named is None:
            tree = self._parsed(text)
            named = datasets(tree)
        offers = await self._offers(named, activity.id)
        key = (text, activity.id, tuple(offer.digest for offer in offers.values()))
        ready = self._plans.get(key)
        if ready is None:
            ready = make_ready(tree or self._parsed(text), activity, offers, self._peer)
            check_roles(ready)
            self._plans.keep(key, ready)
        return ready

    @staticmethod
    def _parsed(text: tuple[str, tuple[str, ...]]) -> exp.Query:
        sql, missing = text
        tree = parse(sql)
        return without(tree, missing) if missing else tree

    async def _offers(self, named: Sequence[tuple[str, str]], activity: str) -> dict[tuple[str, str], Offer]:
        aliases = [
            alias for alias in dict.fromkeys(alias for alias, _ in named) if alias in self._owners.by_alias
        ]
        known = {alias: self._owners.kept(alias) for alias in aliases}
        unknown = [alias for alias, one in known.items() if one is None]
        if unknown:
            known |= zip(unknown, await asyncio.gather(*map(self._known, unknown)), strict=True)
        offers = {alias: one.offers for alias, one in known.items() if one is not None}
        chosen = rules.choose(named, self._owners.names, offers, activity)
        for (alias, dataset), offer in chosen.items():
            rules.check_in_force(alias, dataset, offer, self._clock().date())
        return chosen

    async def _known(self, alias: str) -> Known:
        try:
            return await self._owners.known(alias)
        except Problem as problem:
            raise OwnerFailed(alias, problem) from problem

    def _bind(self, ready: Ready, question: Question) -> dict[str, Any]:
        given = {**ready.constants, **question.parameters}
        if TODAY in ready.types:
            given[TODAY] = self._clock().date().isoformat()
        return bind(ready.lists, ready.types, given)

    async def _record_refusal(self, trace: Trace, question: Question, who: Who, problem: Problem) -> None:
        record = records.decision(trace, question, who, "", {}, self._clock(), problem)
        await self._ledger.append([record])

    async def consult(
        self, part: Part, sub: SubQuestion, body: bytes, trace: Trace, transaction: str
    ) -> tuple[pa.Table, Any]:
        """Ask one owner its part.

        Args:
            part: what is asked, and of whom.
            sub: the question.
            body: the same, encoded.
            trace: the span of this crossing.
            transaction: id of this crossing.

        Returns:
            the rows, and how the answer closed: receipt, its JWS, the nonce, other metadata.

        Raises:
            Problem: the owner's own, or `Upstream` when it broke off or its receipt does not hold.
        """
        owner = self._owners.by_alias[part.alias]
        known = await self._owners.known(part.alias)
        headers = {
            "content-type": "application/json",
            "accept": MEDIA_TYPE,
            "traceparent": trace.traceparent,
            "fsc-transaction-id": transaction,
        }
        reader, batches = AnswerReader(self._answer_bytes), []
        async with self._link.send(
            owner.peer, "POST", "/v1/consultations", headers, body, self._seconds
        ) as answer:
            if answer.status != 200:
                raise await problem_of(answer, owner)
            async for chunk in answer.body:
                batches += reader.feed(chunk)
        try:
            closing = reader.finish(known.keys.verification_key)
        except Upstream:
            self._owners.forget(part.alias)
            raise
        said = closing.receipt
        told = (said.owner, said.asker, said.activity, said.case, said.transaction_id, said.trace_id)
        under = {dataset: stated.rpartition(" ")[2] for dataset, stated in said.disclosures.items()}
        if (
            told != (owner.peer, self._peer, sub.activity, sub.case, transaction, trace.trace_id)
            or under != sub.disclosures
            or reader.schema is None
        ):
            raise unusable(owner)
        return pa.Table.from_batches(batches, reader.schema), closing


class _Crossing:
    """One question under way: what was asked of whom, what came back, and the lines to write about it."""

    def __init__(
        self,
        asker: Asker,
        ready: Ready,
        question: Question,
        who: Who,
        trace: Trace,
        values: Values,
        recorded: asyncio.Future[Position],
    ) -> None:
        self._asker, self._ready, self._question, self._who = asker, ready, question, who
        self._trace, self._values, self._recorded = trace, values, recorded
        self._seals = Seals(trace.trace_id, ready, asker._owners)
        self.lines: list[Processing | Decision] = []
        self.consulted: list[Consulted] = []
        self._pseudonyms: dict[tuple[str, str], str] = {}

    def permit(self, fetch: Fetch, keys: Mapping[str, pa.Array]) -> None:
        """What `statement.run` calls before any piece of a fetch is sent. Raises `Refused`."""
        check_keys(self._ready, fetch, keys)

    async def fetch(self, fetch: Fetch, keys: Mapping[str, pa.Array]) -> pa.Table:
        """What `statement.run` calls for each part, as soon as its keys are known."""
        part = self._ready.part(fetch, frozenset(keys))
        try:
            return await self._seals.around(part, lambda seal: self._consult(fetch, part, keys, seal))
        except Problem as problem:
            raise OwnerFailed(part.alias, problem) from problem

    async def _consult(
        self, fetch: Fetch, part: Part, keys: Mapping[str, pa.Array], seal: Any
    ) -> tuple[pa.Table, Any]:
        asker, span, transaction = self._asker, self._trace.child(), new_transaction_id()
        sub = self._sub_question(part, keys, seal)
        owner, known = asker._owners.by_alias[part.alias], await asker._owners.known(part.alias)
        body = encode(sub)
        if not self._recorded.done():
            await asyncio.shield(
                self._recorded
            )  # others wait for it too, and may go on when this is cancelled
        self._recorded.result()
        started, began = milliseconds(asker._clock()), time.perf_counter()
        table, charge = None, None
        try:
            answer, closing = await asker.consult(part, sub, body, span, transaction)
            answer = checked(fetch, answer)
            if strays(answer, self._held(fetch, frozenset(keys)), {**self._values, **keys}):
                raise unusable(owner)
            charge = self._charge(part, closing.receipt)
            table = answer
        finally:
            self._write(part, sub, span, started, known, table, charge)
        elapsed = round((time.perf_counter() - began) * 1000, 3)
        names = tuple(offer.dataset for offer in part.offers)
        self.consulted.append(
            Consulted(
                part.alias,
                owner.peer,
                names,
                table.num_rows,
                elapsed,
                closing.receipt,
                closing.jws,
                closing.nonce,
            )
        )
        return table, closing

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
            acting=Acting(self._who.person, self._who.acr),
            disclosures={offer.dataset: offer.digest for offer in part.offers},
            parameters={name: to_plain(self._values[name]) for name in scalars},
            types={name: types[name] for name in scalars},
            keys=key_lists,
            seal=seal,
            combining=self._ready.groups is not None,
        )

    def _held(self, fetch: Fetch, given: frozenset[str]) -> Held:
        """Which outputs of a fetch are held to a parameter; found once per plan."""
        memory, key = self._ready.plan.memory, f"held {fetch.id} {sorted(given)}"
        if key not in memory:
            memory[key] = held(fetch.select(given))
        found: Held = memory[key]
        return found

    def _charge(self, part: Part, receipt: Receipt) -> dict[str, Any] | None:
        """What this answer costs. Raises `Upstream` when the owner asks another sum than its own terms come to, or
        counts more people than it opens at once: whom an aggregate was about, only the owner knows."""
        owner = self._asker._owners.by_alias[part.alias]
        most = max(one.disclosure.max_subjects for one in part.offers)
        if not 0 <= receipt.subjects <= most or receipt.charge != charge_for(
            [one.disclosure.price for one in part.offers], receipt.subjects
        ):
            raise unusable(owner)
        if receipt.charge is None:
            return None
        return charge_attribute(receipt.charge, self._asker._peer, owner.peer)

    def _write(
        self,
        part: Part,
        sub: SubQuestion,
        span: Trace,
        started: int,
        known: Known,
        table: pa.Table | None,
        charge: dict[str, Any] | None,
    ) -> None:
        """The lines of this crossing, to be made durable before anything of it is shown."""
        asker, moment = self._asker, self._asker._clock()
        subjects = sorted(self._subjects(part, sub, table))
        pseudonyms = [(subject[0], self._pseudonym(subject, moment)) for subject in subjects]
        self.lines += records.processing(
            span, self._question.activity, f"Bevraging bij {asker._owners.by_alias[part.alias].name}", started,
            milliseconds(moment), known.keys.url, pseudonyms, self._trace.span_id, records.withheld(part.offers, moment),
            "Error" if table is None else "Ok", charge,
        )  # fmt: skip

    def _pseudonym(self, subject: tuple[str, str], moment: datetime) -> str:
        """Made once per question: more owners than one are asked about the same people."""
        known = self._pseudonyms.get(subject)
        if known is None:
            known = self._pseudonyms[subject] = self._asker._ledger.subject(*subject, moment)
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
        now = milliseconds(self._asker._clock())
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


def _dataset(name: str) -> tuple[str, str]:
    alias, _, dataset = name.partition(".")
    return alias, dataset


def _plain_list(values: Sequence[Any]) -> list[Any]:
    """A key list as JSON carries it."""
    return [to_plain(value) for value in values]


class _Stopwatch:
    """Milliseconds per step of a question."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._laps: dict[str, float] = {}

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self._laps[name] = round((now - self._last) * 1000, 3)
        self._last = now

    def total(self) -> dict[str, float]:
        return {**self._laps, "total": round((time.perf_counter() - self._start) * 1000, 3)}

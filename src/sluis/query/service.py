"""The asker's side of a question: check it, record it, ask every owner its part, combine, record, answer.

Nothing is sent before the question stands in this node's own ledger; nothing is shown before the lines of the people
it was about do. The rows live in memory until the answer has been given.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

import msgspec
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
)
from sluis.ledger import Ledger, Position
from sluis.policy import DecisionPoint, asking, person
from sluis.query import rules
from sluis.query.combining import Combining
from sluis.query.crossing import Crossing, Means
from sluis.query.explain import explanation
from sluis.query.model import Answer, Explanation, Missing, OwnerFailed, Question, Watch, Who
from sluis.query.owners import Known, Owners, Sight
from sluis.query.partial import fallen, through, without
from sluis.query.plan import Plans, Ready, check_roles, check_values, make_ready
from sluis.query.records import Asking
from sluis.statement import (
    TODAY,
    Combiner,
    Memory,
    bind,
    datasets,
    list_parameters,
    parameters_of,
    parse,
    run,
)

T = TypeVar("T")
Values = Mapping[str, Any]


class Needs(msgspec.Struct, frozen=True):
    """The parameters of a question: the DuckDB type of each, and which hold a list."""

    types: dict[str, str]
    lists: frozenset[str]


class Asker:
    """Asks questions for the people of one organisation.

    Args:
        peer: this node's Peer ID.
        activities: its register of processing, by id.
        owners: the book of owners.
        link: how a request reaches them.
        ledger: this node's ledger.
        point: decides who may ask under which activity.
        combiner: joins the answers in memory.
        memory: of budgets and of groups that this node made and told.
        clock: this node's clock.
        seconds: how long one owner may take.
        answer_bytes: how much one owner may send in answer to one part; all of it is held until the parts are combined.
    """

    def __init__(
        self,
        *,
        peer: PeerId,
        activities: Mapping[str, Activity],
        owners: Owners,
        link: Link,
        ledger: Ledger,
        point: DecisionPoint,
        combiner: Combiner,
        memory: Memory,
        clock: Clock,
        seconds: float = 30.0,
        answer_bytes: int = 64 << 20,
    ) -> None:
        self._means = Means(peer, owners, link, ledger, clock, seconds, answer_bytes)
        self._activities, self._owners, self._ledger, self._clock = activities, owners, ledger, clock
        self._combiner, self._combining, self._plans = combiner, Combining(memory, clock), Plans()
        self._point = point

    def activities(self) -> tuple[Activity, ...]:
        """The register of processing, in order of id."""
        return tuple(self._activities[name] for name in sorted(self._activities))

    async def ask(self, question: Question, who: Who) -> Answer:
        """`rendered` of the answer as it is."""
        return await self.rendered(question, who, lambda answer: answer)

    async def rendered(
        self,
        question: Question,
        who: Who,
        render: Callable[[Answer], T],
        watch: Watch | None = None,
        trace: Trace | None = None,
    ) -> T:
        """Answer a question.

        Args:
            question: what is asked, why, and for which case.
            who: the person who acts.
            render: what to make of the answer. It works while the log lines of the people in it become durable, and
                before the last of the answer's `timings` are there; what it made is given only when they are.
            watch: looks on.
            trace: what this question is a part of; None: it is one by itself.

        Returns:
            what was made of the rows, where they came from, what each owner signed, and what stays closed.

        Raises:
            Problem: the question is not right, not allowed, or an owner did not do its part. A refusal is recorded.
        """
        missing: dict[str, Problem] = {}
        renewed = False
        while True:
            try:
                return await self._ask_once(question, who, missing, render, watch, trace)
            except Conflict as conflict:
                if conflict.code != "disclosure-changed" or renewed:
                    raise
                renewed = True
                self._owners.forget_all()
            except OwnerFailed as failed:
                if question.partial == "never" or isinstance(failed.problem, Conflict | Invalid):
                    raise failed.problem from None
                missing[failed.alias] = failed.problem

    async def explain(self, question: Question, seconds: float | None = None) -> Explanation:
        """Tell what a question would do, without asking it.

        Args:
            question: which.
            seconds: for which owners are waited for that did not say yet what they open; None: as long as each may take.

        Returns:
            what it would do; of a question that may be answered in part, without owners that did not say so.

        Raises:
            Problem: it is not right, not allowed, or needs an owner that did not say what it opens.
        """
        rules.check_case(question)
        ready, missing = await self._foreseen(question, seconds)
        check_values(ready, self._bind(ready, question))
        return explanation(question, ready, missing)

    def activity(self, id: str) -> Activity:
        """The processing activity with that id. Raises `Invalid` when there is none, or it is not in force."""
        return self._activity(id)

    @property
    def peer(self) -> PeerId:
        """This node's Peer ID."""
        return self._means.peer

    def own(self, activity: Activity) -> bool:
        """Whether it is of this organisation, and not only in its register because it opens something for it."""
        mine = str.__str__(self._means.peer)
        return mine in (activity.controller, activity.processor)

    def in_force(self, activity: Activity) -> bool:
        """Whether it counts today."""
        return activity.valid.holds(self._clock().date())

    def may_ask(self, who: Who, activity: str) -> Refused | None:
        """Why this person may not ask under an activity; None when they may. Nothing is asked, and nothing recorded."""
        subject = person(who.acting, who.acr, audience=who.audience, level=who.level, roles=who.roles)
        decided = self._point.decide(asking(subject, activity, {}), self._clock())
        return None if decided.permit else rules.may_not_ask(decided, self._point.level_asked(decided))

    async def sight(self, activity: str) -> Sight:
        """What owners open for an activity, as far as they tell soon enough."""
        return await self._owners.sight(activity, self._clock().date())

    def seen(self, activity: str) -> Sight:
        """What is known to be open for an activity; nobody is asked."""
        return self._owners.seen(activity, self._clock().date(), {})

    async def needs(self, question: Question, seconds: float | None = None) -> Needs:
        """The values that a question needs, without asking it; those that it has are not looked at.

        A value that only an owner uses which did not say what it opens, is a text. Arguments and errors: see `explain`.
        """
        ready, missing = await self._foreseen(question, seconds)
        own = {name: kind for name, kind in ready.types.items() if name not in ready.constants}
        lists = ready.lists
        if missing:
            tree = parse(question.sql)
            own = dict.fromkeys(parameters_of(tree), "VARCHAR") | own
            lists |= list_parameters(tree)
        own.pop(TODAY, None)
        return Needs(own, lists)

    async def _foreseen(self, question: Question, seconds: float | None) -> tuple[Ready, dict[str, Problem]]:
        """A question ready to be told of, and the owners that it is without, and why."""
        activity = self._activity(question.activity)
        named = dict.fromkeys(alias for alias, _ in datasets(parse(question.sql)))
        missing = await self._owners.hear([one for one in named if one in self._owners.by_alias], seconds)
        if missing and question.partial == "never":
            raise next(iter(missing.values()))
        try:
            ready = await self._ready(question, activity, tuple(sorted(missing)))
        except OwnerFailed as failed:  # what it opened was forgotten meanwhile
            raise failed.problem from None
        return ready, missing | self._tied(question, missing)

    def _tied(self, question: Question, missing: Iterable[str]) -> dict[str, Problem]:
        """Owners with a part that falls away together with those that are missing, and why."""
        if not missing:
            return {}
        names = self._owners.names
        return {
            alias: through(names[alias], [names[one] for one in missing])
            for alias in fallen(parse(question.sql), tuple(missing))
            if alias not in missing
        }

    async def _ask_once(
        self,
        question: Question,
        who: Who,
        missing: Mapping[str, Problem],
        render: Callable[[Answer], T],
        watch: Watch | None,
        within: Trace | None,
    ) -> T:
        clock, trace = _Stopwatch(), within.child() if within else Trace.begin()
        asking, ready, values = await self._checked(trace, question, who, missing, watch)
        clock.lap("plan")
        tied = self._tied(question, missing)
        if watch is not None:
            watch.planned(tuple(dict.fromkeys(fetch.site for fetch in ready.plan.fetches)))
            for alias, problem in tied.items():
                watch.failed(alias, problem)
        digests = {".".join(name): offer.digest for name, offer in ready.offers.items()}
        decided = asking.record(self._point, ready.shape, digests)

        @cache
        def recorded() -> asyncio.Future[Position]:
            position = self._ledger.append([decided])
            position.add_done_callback(lambda _: clock.lap("record"))
            return position

        gaps = {**missing, **tied}
        crossing = Crossing(self._means, ready, question, who, trace, values, recorded, watch)
        kept: list[asyncio.Future[Position]] = []

        def keep() -> None:
            crossing.prove()
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
                asked=crossing.everyone_asked,
                arrived=keep,
            )
        except BaseException:  # whatever it was: what crossed is on record
            await recorded()  # when this failed, that is the problem, and nothing was sent
            await self._keep_what_crossed(crossing, kept)
            raise
        timings: dict[str, float] = {}

        def made(table: pa.Table) -> T:
            answer = Answer(
                question=question.sql,
                trace_id=trace.trace_id,
                table=table,
                provenance=ready.provenance,
                consulted=tuple(crossing.consulted),
                closed=ready.closed,
                missing=tuple(Missing(alias, problem.members()) for alias, problem in gaps.items()),
                timings=timings,
            )
            return render(answer)

        rendered = made(table) if ready.groups is None else None
        await recorded()
        for lines in kept:
            await lines
        if rendered is None:
            try:
                table = await self._combining.told(table, ready, values)
            except Refused as refusal:
                await self._ledger.append(
                    [asking.record(self._point, ready.shape, digests, refusal, again=True)]
                )
                raise
            rendered = made(table)
        clock.lap("keep")
        timings.update(clock.total())
        return rendered

    async def _checked(
        self, trace: Trace, question: Question, who: Who, missing: Iterable[str], watch: Watch | None
    ) -> tuple[Asking, Ready, dict[str, Any]]:
        """A question that may be asked, and its values. A refusal is recorded."""
        rules.check_case(question)
        activity = self._activity(question.activity)
        asking = Asking.of(self._point, trace, question, who, self._clock())
        try:
            if not asking.decided.permit:
                raise rules.may_not_ask(asking.decided, self._point.level_asked(asking.decided))
            ready = await self._ready(question, activity, tuple(sorted(missing)), watch)
            values = self._bind(ready, question)
            check_values(ready, values)
            await self._combining.hold_budget(ready, question.activity, values)
        except Problem as problem:
            await self._ledger.append([asking.record(self._point, problem=problem)])
            raise
        return asking, ready, values

    async def _keep_what_crossed(self, crossing: Crossing, kept: list[asyncio.Future[Position]]) -> None:
        """Have the lines of a question that failed on record; `kept` are those that are already on their way there."""
        with suppress(OwnerFailed):
            crossing.prove()
        if not kept:
            kept.append(self._ledger.append(crossing.lines or [crossing.nothing_came()]))
        await asyncio.gather(*kept)

    def _activity(self, id: str) -> Activity:
        activity = rules.activity_of(self._activities, id)
        if not self.in_force(activity):
            raise Invalid(
                "activity-ended",
                Text("Deze verwerkingsactiviteit is niet van kracht.", "This activity is not in force."),
                Text("De datum van vandaag valt buiten de looptijd.", "Today is outside its period."),
                Text("Kies een verwerkingsactiviteit die nu geldt.", "Choose an activity that is in force."),
            )
        return activity

    async def _ready(
        self, question: Question, activity: Activity, missing: tuple[str, ...], watch: Watch | None = None
    ) -> Ready:
        """The question, ready to be asked; made when this text was not asked before under the same offers."""
        text = (question.sql, missing)
        tree: exp.Query | None = None
        named = self._plans.names(text)
        if named is None:
            tree = self._parsed(text)
            named = datasets(tree)
        offers = await self._offers(named, activity.id, watch)
        key = (text, activity.id, tuple(offer.digest for offer in offers.values()))
        ready = self._plans.get(key)
        if ready is None:
            ready = make_ready(tree or self._parsed(text), activity, offers, self._means.peer)
            check_roles(ready)
            self._plans.keep(key, ready)
        return ready

    @staticmethod
    def _parsed(text: tuple[str, tuple[str, ...]]) -> exp.Query:
        sql, missing = text
        tree = parse(sql)
        return without(tree, missing) if missing else tree

    async def _offers(
        self, named: Sequence[tuple[str, str]], activity: str, watch: Watch | None
    ) -> dict[tuple[str, str], Offer]:
        aliases = [
            alias for alias in dict.fromkeys(alias for alias, _ in named) if alias in self._owners.by_alias
        ]
        known = {alias: self._owners.kept(alias) for alias in aliases}
        unknown = [alias for alias, one in known.items() if one is None]
        if unknown:
            told = await asyncio.gather(*(self._known(alias, watch) for alias in unknown))
            known |= zip(unknown, told, strict=True)
        offers = {alias: one.offers for alias, one in known.items() if one is not None}
        chosen = rules.choose(named, self._owners.names, offers, activity)
        for (alias, dataset), offer in chosen.items():
            rules.check_in_force(alias, dataset, offer, self._clock().date())
        return chosen

    async def _known(self, alias: str, watch: Watch | None) -> Known:
        work = self._owners.known(alias)
        if watch is not None:
            watch.meets(alias)
            work = watch.unless_left(alias, work)
        try:
            return await work
        except Problem as problem:
            if watch is not None:
                watch.failed(alias, problem)
            raise OwnerFailed(alias, problem) from problem

    def _bind(self, ready: Ready, question: Question) -> dict[str, Any]:
        given = {**ready.constants, **question.parameters}
        if not given.keys() <= ready.types.keys():
            # Of an owner that the question goes on without, the values fall away with its conditions.
            named = parameters_of(parse(question.sql))
            given = {name: one for name, one in given.items() if name in ready.types or name not in named}
        if TODAY in ready.types:
            given[TODAY] = self._clock().date().isoformat()
        return bind(ready.lists, ready.types, given)


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

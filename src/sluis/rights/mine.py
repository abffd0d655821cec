"""What is known about somebody, or about a company, and where: asked live at every organisation that opens something for it (AVG
art. 15; Wet open overheid art. 5.5), by the same questions as everybody asks, on record at both ends, and forgotten when the page has been shown.

Who it is about comes from the session, never from a browser. An organisation that does not answer in time leaves a gap that is
named; the page does not wait for it.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from sluis.grounds import Activity, Article, Offer, OfferedColumn
from sluis.kernel import Clock, Problem, Text, Trace
from sluis.query import Answer, Asker, Owners, Question, Who
from sluis.rights.model import DataSubject
from sluis.rights.saying import asked_too_often, too_slow

CASE = "inzage"
"""The reference of these questions: they belong to no case."""

AN_HOUR = 30
"""Times that one person asks in an hour; each is a question at every organisation."""

SECONDS = 8.0
"""That organisations get to answer, all of them at once."""

ROWS = 100
"""Of one dataset on the page."""

_AT_ONCE = 24  # questions of all people together

Kinds = Callable[[], Awaitable[Mapping[str, Sequence[tuple[str, Text]]]]]
"""By Peer ID, the name and title of datasets that organisations say that they have, whatever they open."""

MOST_NAMED = 50
"""Kinds of data that are named of one organisation, without what is in them."""


class Cell(msgspec.Struct, frozen=True):
    """A value on the page: what kind of value it is, so that it is written as people write it."""

    value: Any
    type: str
    unit: str | None = None
    number: bool = False
    """Whether it is the number of a person."""


class Shut(msgspec.Struct, frozen=True):
    """What stays closed of a dataset, why, and on which article."""

    titles: tuple[Text, ...]
    because: Text
    article: Article | None


class Group(msgspec.Struct, frozen=True):
    """What one dataset has of the person.

    Args:
        dataset: its name at the organisation.
        title: what it is called.
        names: of the columns.
        columns: what these are called.
        rows: of cells, in the order of the columns.
        more: whether there are more rows than are shown.
        shut: what stays closed.
        articles: on which it was opened.
        problem: why there is nothing to show; None when there is an answer.
    """

    dataset: str
    title: Text
    names: tuple[str, ...] = ()
    columns: tuple[Text, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    more: bool = False
    shut: tuple[Shut, ...] = ()
    articles: tuple[Article, ...] = ()
    problem: Problem | None = None


class Told(msgspec.Struct, frozen=True):
    """What one organisation has of the person.

    Args:
        alias: of the organisation, to ask it alone again.
        peer: its Peer ID.
        name: what it is called.
        groups: what it opened.
        offered: name and title of what it offers for whatever purpose.
        others: kinds of data that it says it has, and opens nothing of to who asks for themselves.
        problem: why nothing is known of what it opens; None when that is known.
    """

    alias: str
    peer: str
    name: str
    groups: tuple[Group, ...] = ()
    offered: tuple[tuple[str, Text], ...] = ()
    others: tuple[Text, ...] = ()
    problem: Problem | None = None

    @property
    def silent(self) -> bool:
        """Whether something is missing that may come when it is asked again."""
        return self.problem is not None or any(one.problem is not None for one in self.groups)


class Inspection:
    """Asks what is known about people.

    Args:
        asker: puts questions, and puts them on record.
        owners: whom it can ask.
        kinds: what organisations say that they have.
        clock: aware UTC.
        seconds: that all get together.
    """

    def __init__(
        self, asker: Asker, owners: Owners, kinds: Kinds, clock: Clock, seconds: float = SECONDS
    ) -> None:
        self._asker, self._owners, self._kinds, self._clock, self._seconds = (
            asker,
            owners,
            kinds,
            clock,
            seconds,
        )
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._hour, self._asked = 0, Counter[str]()

    def activity(self, company: bool) -> Activity | None:
        """The processing activity under which people ask; None when this node has none that is in force.

        Args:
            company: for a company, and not for themselves.
        """
        today, asks = self._today(), "companies" if company else "people"
        return next(
            (one for one in self._asker.activities() if one.inspection == asks and one.valid.holds(today)),
            None,
        )

    async def ask(self, who: Who, whom: Sequence[DataSubject], only: str | None = None) -> list[Told]:
        """Ask what is known about somebody; takes hardly longer than `seconds`.

        Args:
            who: the person who acts, for themselves or for a company.
            whom: the same person, or the company, under each number by which organisations know them; at least one.
            only: alias of the one organisation to ask; None: all.

        Returns what each said, in order of name; those that open nothing and have nothing to name are left out.
        Raises `Refused` (`inspection-pace`).
        """
        activity = self.activity(whom[0].company)
        numbers: _Numbers = {str(one.kind): one for one in whom}
        if activity is None:
            return []
        self._count(who.acting.person)
        trace, end = Trace.begin(), asyncio.get_running_loop().time() + self._seconds
        aliases = [alias for alias in self._owners.by_alias if only in (None, alias)]
        told, named = await asyncio.gather(
            asyncio.gather(*(self._one(alias, activity.id, who, numbers, trace, end) for alias in aliases)),
            self._known_kinds(whom[0].company),
        )
        told = [self._named(one, named.get(one.peer, ())) for one in told]
        there = (one for one in told if one.groups or one.others or one.problem)
        return sorted(there, key=lambda one: (not one.groups, one.name.casefold()))

    def title(self, peer: str, dataset: str) -> Text | None:
        """What an organisation calls a dataset; None as far as that is not known."""
        for alias, owner in self._owners.by_alias.items():
            kept = self._owners.kept(alias) if str.__str__(owner.peer) == peer else None
            for one in kept.offers if kept else ():
                if one.dataset == dataset:
                    return one.title
        return None

    async def _known_kinds(self, company: bool) -> Mapping[str, Sequence[tuple[str, Text]]]:
        """What organisations say that they have of people. A catalogue does not tell which of it is about companies."""
        return {} if company else await self._kinds()

    async def _one(
        self, alias: str, activity: str, who: Who, numbers: "_Numbers", trace: Trace, end: float
    ) -> Told:
        owner = self._owners.by_alias[alias]
        told = Told(alias, str.__str__(owner.peer), owner.name)
        try:
            async with asyncio.timeout_at(end):
                offers = (await self._owners.known(alias)).offers
        except TimeoutError:
            return msgspec.structs.replace(told, problem=too_slow(owner.name))
        except Problem as problem:
            return msgspec.structs.replace(told, problem=problem)
        by_version = sorted(offers, key=lambda one: one.disclosure.version)
        opened = {
            one.dataset: (one, found)
            for one in by_version
            if self._opens(one, activity) and (found := _number_for(one, numbers)) is not None
        }
        groups = await asyncio.gather(
            *(self._group(one, alias, owner.name, who, whom, trace, end) for one, whom in opened.values())
        )
        others = tuple((one.dataset, one.title) for one in offers if _number_for(one, numbers) is not None)
        return msgspec.structs.replace(told, groups=tuple(groups), offered=others)

    @staticmethod
    def _named(told: Told, named: Sequence[tuple[str, Text]]) -> Told:
        """With the titles of what an organisation has and opens nothing of: what it offers for other purposes, and what is in
        its catalogue."""
        opened = {one.dataset for one in told.groups}
        found = {name: title for name, title in (*named, *told.offered) if name not in opened}
        titles = sorted(found.values(), key=lambda one: one.nl.casefold())
        return msgspec.structs.replace(told, others=tuple(titles[:MOST_NAMED]), offered=())

    def _opens(self, offer: Offer, activity: str) -> bool:
        one = offer.disclosure
        return one.activity == activity and one.aggregate is None and one.valid.holds(self._today())

    async def _group(
        self, offer: Offer, alias: str, name: str, who: Who, whom: DataSubject, trace: Trace, end: float
    ) -> Group:
        group = Group(offer.dataset, offer.title, articles=offer.disclosure.articles)
        question = Question(statement(offer, alias), offer.disclosure.activity, CASE, {"oneself": whom.value})
        try:
            async with asyncio.timeout_at(end), self._turns:
                return await self._asker.rendered(
                    question, who, lambda answer: _filled(group, offer, answer), trace=trace
                )
        except TimeoutError:
            return msgspec.structs.replace(group, problem=too_slow(name))
        except Problem as problem:
            return msgspec.structs.replace(group, problem=problem)

    def _count(self, person: str) -> None:
        hour = int(self._clock().timestamp()) // 3600
        if hour != self._hour:
            self._hour, self._asked = hour, Counter()
        if self._asked[person] >= AN_HOUR:
            raise asked_too_often()
        self._asked[person] += 1

    def _today(self) -> date:
        return self._clock().date()


_Numbers = Mapping[str, DataSubject]


def _number_for(offer: Offer, numbers: _Numbers) -> DataSubject | None:
    """Under which number the rows of an offer can be about them; None when they are about another kind."""
    return numbers.get(offer.subject.type) if offer.subject is not None else None


def statement(offer: Offer, alias: str) -> str:
    """The question for everything that an offer opens about one person, `$oneself`."""
    assert offer.subject is not None
    columns = ", ".join(f'd."{one.name}"' for one in _open(offer))
    return (
        f'SELECT {columns} FROM "{alias}"."{offer.dataset}" AS d WHERE d."{offer.subject.column}" = $oneself'
    )


def _open(offer: Offer) -> list[OfferedColumn]:
    """What is asked of it; not the number of the person, who knows that, unless there is nothing else."""
    assert offer.subject is not None
    every = [one for one in offer.columns if one.role == "output"]
    return [one for one in every if one.name != offer.subject.column] or every


def _filled(group: Group, offer: Offer, answer: Answer) -> Group:
    columns = _open(offer)
    shown = answer.table.slice(0, ROWS).to_pylist()
    titles = {one.name: one.title or Text(one.name, one.name) for one in offer.columns}
    closing = (one.article for one in offer.disclosure.closed if one.article is not None)
    articles = {str(one): one for one in (*offer.disclosure.articles, *closing)}
    return msgspec.structs.replace(
        group,
        names=tuple(one.name for one in columns),
        columns=tuple(titles[one.name] for one in columns),
        rows=tuple(tuple(_cell(one, row.get(one.name)) for one in columns) for row in shown),
        more=answer.table.num_rows > ROWS,
        shut=tuple(
            Shut(
                tuple(titles.get(name, Text(name, name)) for name in one.columns),
                one.because,
                articles.get(one.article or ""),
            )
            for one in answer.closed
        ),
    )


def _cell(column: OfferedColumn, value: Any) -> Cell:
    number = column.name == "bsn" or column.name.endswith("_bsn")
    return Cell(value, column.type, column.unit, number)

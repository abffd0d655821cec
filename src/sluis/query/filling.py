"""The form on which a question is made: who is let in, what it shows of what is open, and what was filled in as a question."""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, Response

from sluis.grounds import Activity, Offer, OfferedColumn
from sluis.kernel import Invalid, PeerId, Problem, Text
from sluis.policy import REQUESTERS
from sluis.query.filled import Filled, asked_of, placeholders, ticked_question, written_question
from sluis.query.forms import CONDITIONS, OPERATORS, Keys, Link, Made, allows
from sluis.query.model import Explanation, Missing, Question, Who
from sluis.query.owners import Owner, Sight, unsaid
from sluis.query.partial import through
from sluis.query.service import Asker
from sluis.web import OnRefusal, SignedIn, page

MOST_SHOWN = 30
"""Datasets on the form; who has more, looks for them."""

_KEPT = 16  # activities of which it is known how datasets can be joined

_PATIENCE = 2.0
"""Seconds for which a page waits, once more, for owners that did not say yet what they open."""

_NOT_SAVED = Text("De vraag is niet bewaard.", "The question was not saved.")
_NOT_TURNED = Text("De vraag is nog niet als SQL te tonen.", "The question cannot be shown as SQL yet.")


class Open(msgspec.Struct, frozen=True):
    """A dataset that is open for an activity, as the form shows it, and the ways to join it to what is about somebody else."""

    offer: Offer
    links: tuple[Link, ...]

    @property
    def name(self) -> str:
        """As in a question."""
        return f"{self.offer.alias}.{self.offer.dataset}"

    @property
    def ticked(self) -> list[OfferedColumn]:
        """What can be ticked; not the number of the person, whom the official names."""
        subject = self.offer.subject.column if self.offer.subject else ""
        return [one for one in self.offer.columns if one.role == "output" and one.name != subject]


class Filling:
    """The form of a node.

    Args:
        asker: of the node.
        refused: told of each refusal before it is answered.
        contracts: whether the node has a page on which a contract is requested.
    """

    def __init__(self, asker: Asker, refused: OnRefusal, contracts: bool) -> None:
        self._asker, self._refused, self._contracts, self._known = asker, refused, contracts, _Known()

    async def let_in(self, person: SignedIn, id: str) -> Activity:
        """The activity, when this person may ask under it. Raises `Refused`, `NotFound`."""
        activity = self._asker.activity(id)
        refusal = self._asker.may_ask(who_of(person), id)
        if refusal is not None:
            await self._refused(refusal)
            raise refusal
        return activity

    async def shown(
        self, request: Request[Any, Any, Any], person: SignedIn, filled: Filled, wrong: Problem | None = None
    ) -> Response[bytes]:
        """The form with what was filled in, and what is wrong with it. Raises as `let_in`."""
        activity = await self.let_in(person, filled.activity)
        sight, made = await self._asker.sight(activity.id), None
        unseen = filled.of(sight.silent) if filled.mode == "form" else {}
        if filled.mode == "form" and (here := filled.without(sight.silent)).ticked():
            try:
                made = here.made(sight.offers)
            except Invalid as problem:
                wrong = wrong or problem
        elif filled.mode == "sql" and filled.sql.strip():
            wrong = wrong or _unreadable(filled.sql)
        shown = _shown(sight.offers, filled)
        return page(
            request, "query/question.html", status=200 if wrong is None else wrong.status, activity=activity, filled=filled,
            owners=_by_owner(shown, self._known.keys(sight.offers)), sight=sight, made=made, wrong=wrong, operators=OPERATORS, conditions=range(1, _rooms(filled) + 1), most_conditions=CONDITIONS,
            parameters=_named(filled), unseen=unseen, names=sight.names, contracts=self._contracts and not {*REQUESTERS}.isdisjoint(person.roles),
            filters=_filterable(shown), total=len(sight.offers), shown=len(shown), closed=_nothing_open(sight, self._asker.peer), keys=_keys(sight.offers),
        )  # fmt: skip

    async def ready(
        self, activity: Activity, filled: Filled
    ) -> tuple[Sight, Question, Explanation, Made | None]:
        """What was filled in as a question; of what was ticked, what owners say that it is open. Raises `Problem`."""
        made, gaps = None, dict[str, Problem]()
        if filled.mode == "form":
            sight = await self._asker.sight(activity.id)
            filled, gaps = _reached(filled, sight)
            made = filled.made(sight.offers)
            question = ticked_question(filled, made, sight.offers)
        else:
            needs = await self._asker.needs(asked_of(filled, filled.sql, {}), _PATIENCE)
            question = written_question(filled, needs.types, needs.lists)
        told = await self._asker.explain(question, _PATIENCE)
        missing = (*told.missing, *(Missing(alias, problem.members()) for alias, problem in gaps.items()))
        return self._asker.seen(activity.id), question, msgspec.structs.replace(told, missing=missing), made

    async def turned(self, filled: Filled, to: str) -> Filled:
        """The same question in the other way of making one. Values that were filled in go along where they have a place. Raises
        `Upstream` for an owner that is silent."""
        if to == "form" or filled.mode == "sql" or not filled.ticked():
            return filled.but(mode=to)
        try:
            made = _whole(filled, await self._asker.sight(filled.activity), _NOT_TURNED)
        except Invalid:
            return filled
        values = {
            f"p.{one.name}": filled.get(f"w{one.place}.value" if one.place else "key")
            for one in made.parameters
        }
        return filled.but(mode="sql", sql=made.sql, **values)

    async def written(self, person: SignedIn, filled: Filled) -> str:
        """The SQL of what was filled in, when this person may ask it. Raises as `let_in`, `Invalid`, and `Upstream` for an owner that is
        silent."""
        activity = await self.let_in(person, filled.activity)
        if filled.mode == "sql":
            return filled.sql
        return _whole(filled, await self._asker.sight(activity.id), _NOT_SAVED).sql


def who_of(person: SignedIn) -> Who:
    """The person as who asks."""
    return Who(person.acting, person.acr, person.level, person.roles, person.audience)


def _whole(filled: Filled, sight: Sight, undone: Text) -> Made:
    """The question that was ticked, of every owner in it. Raises `Invalid`, and `Upstream` when one of them does not say what is
    open; `undone` is then what does not go on."""
    tied = {alias for alias, _ in filled.tied_to(sight.silent)}
    if silent := [name for alias, name in sight.names.items() if alias in tied and alias in sight.silent]:
        raise unsaid(undone, silent)
    return filled.made(sight.offers)


def _reached(filled: Filled, sight: Sight) -> tuple[Filled, dict[str, Problem]]:
    """What was ticked without what is of owners that did not say what they open; those, and why. Raises that, when the question
    may not be answered in part, or nothing is left."""
    gone = dict.fromkeys(alias for alias, _ in filled.tied_to(sight.silent))
    if not gone:
        return filled, {}
    here = filled.without(sight.silent)
    gaps = {alias: problem for alias, problem in sight.silent.items() if alias in gone}
    if not (filled.get("partial") and here.ticked()):
        raise next(iter(gaps.values()))
    names = [sight.names[alias] for alias in gaps]
    return here, gaps | {alias: through(sight.names[alias], names) for alias in gone if alias not in gaps}


def _unreadable(sql: str) -> Problem | None:
    try:
        placeholders(sql)
    except Invalid as problem:
        problem.field = "sql"
        return problem
    return None


def _named(filled: Filled) -> list[str]:
    """The parameters of what was written; as long as it cannot be read, those that have a value: nothing typed is lost."""
    if filled.mode != "sql":
        return []
    try:
        return placeholders(filled.sql) if filled.sql.strip() else []
    except Invalid:
        return [name[2:] for name in filled.fields if name.startswith("p.")]


def _rooms(filled: Filled) -> int:
    """For how many conditions there is room: those that are there, and one more."""
    last = max((place for place in range(1, CONDITIONS + 1) if filled.get(f"w{place}.column")), default=0)
    return min(last + 1, CONDITIONS)


def _shown(offers: Sequence[Offer], filled: Filled) -> list[Offer]:
    """Those that the page shows: all, or of many the ones that are in the question and some that fit what is looked for."""
    if len(offers) <= MOST_SHOWN:
        return list(offers)
    ticked = {".".join(name.split(".")[1:3]) for name in filled.fields if name.startswith(("c.", "j."))}
    ticked |= {".".join(filled.get(f"w{place}.column").split(".")[:2]) for place in range(1, CONDITIONS + 1)}
    words = filled.get("find").casefold().split()[:10]
    found: list[Offer] = []
    for offer in offers:
        name = f"{offer.alias}.{offer.dataset}"
        text = f"{name} {offer.title.nl} {offer.title.en}".casefold()
        if name in ticked or (len(found) < MOST_SHOWN and all(word in text for word in words)):
            found.append(offer)
    return found


def _by_owner(shown: Sequence[Offer], keys: Keys) -> list[tuple[str, list[Open]]]:
    """What is shown, per owner, in the order of the book of owners."""
    found: dict[str, list[Open]] = {}
    for offer in shown:
        found.setdefault(offer.alias, []).append(Open(offer, keys.links(offer)))
    return list(found.items())


class _Known:
    """The keys of what is open for the activities that were asked for last: they are the same until an owner changes something."""

    def __init__(self) -> None:
        self._kept: dict[tuple[tuple[str, str, str], ...], Keys] = {}

    def keys(self, offers: Sequence[Offer]) -> Keys:
        name = tuple((offer.alias, offer.dataset, offer.digest) for offer in offers)
        found = self._kept.pop(name, None) or Keys(offers)
        self._kept[name] = found
        if len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]
        return found


def _nothing_open(sight: Sight, own: PeerId) -> list[Owner]:
    """Others of whom nothing is open, of those who said."""
    some = {offer.alias for offer in sight.offers} | {*sight.silent}
    return [one for one in sight.owners if one.alias not in some and one.peer != own]


def _filterable(offers: Sequence[Offer]) -> list[tuple[Offer, list[tuple[str, Text]]]]:
    """Per dataset the columns that a condition may be about."""
    found = []
    for offer in offers:
        known = {(offer.alias, offer.dataset): offer}
        columns = [
            (f"{offer.alias}.{offer.dataset}.{one.name}", one.title or Text(one.name, one.name))
            for one in offer.columns
            if any(allows(known, (offer.alias, offer.dataset, one.name), name) for name in OPERATORS)
        ]
        if columns:
            found.append((offer, columns))
    return found


def _keys(offers: Sequence[Offer]) -> list[str]:
    """By which kinds of numbers people, or things, are named."""
    kinds = dict.fromkeys(one.subject.type for one in offers if one.subject and not one.disclosure.aggregate)
    return [kind.rpartition(":")[2].upper() for kind in kinds]

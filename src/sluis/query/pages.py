"""An official asks a question in the browser: chooses an activity, ticks data or writes SQL, sees beforehand what would be fetched,
asks. What comes of it is shown by `answers`, under a handle; questions that are saved are in `shelves`.

The decision point's `ask` is the gate of all of it. Asking is recorded as ever; on the way there nobody is asked anything, so that
a refusal alone is recorded. No value is in an address.
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.grounds import Activity, Offer, OfferedColumn
from sluis.kernel import Invalid, PeerId, Problem, Text, Upstream
from sluis.policy import REQUESTERS
from sluis.query.answers import HANDLES, answer_routes, lost
from sluis.query.desk import Desk
from sluis.query.filled import Filled, asked_of, filled_in, placeholders, ticked_question, written_question
from sluis.query.forms import CONDITIONS, OPERATORS, Keys, Link, Made, allows
from sluis.query.model import Explanation, Missing, Question, Who
from sluis.query.owners import Owner, Sight, unsaid
from sluis.query.partial import through
from sluis.query.saved import Content, Shelf
from sluis.query.service import Asker
from sluis.query.shelves import shelf_routes
from sluis.query.showing import fetched
from sluis.web import STAFF, Entry, Form, Gate, OnRefusal, SignedIn, page, redirect, setting_of

NAVIGATION = (
    Entry(
        "/ask", Text("Stel een vraag", "Ask a question"), ("staff",), section="asking", without=("auditor",)
    ),
    Entry(
        "/ask/saved",
        Text("Bewaarde vragen", "Saved questions"),
        ("staff",),
        section="asking",
        without=("auditor",),
    ),
)
"""What the layout shows of this room."""

MOST_LISTED = 25
"""Activities on a page; who has more, searches."""

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


def page_routes(
    asker: Asker, desk: Desk, shelf: Shelf, gate: Gate, refused: OnRefusal, contracts: bool
) -> list[HTTPRouteHandler]:
    """The pages of this room.

    Args:
        asker: of this node.
        desk: where questions wait.
        shelf: where they are saved.
        gate: to what is saved.
        refused: told of each refusal before it is answered.
        contracts: whether this node has a page on which a contract is requested.
    """

    known = _Known()

    async def let_in(person: SignedIn, id: str) -> Activity:
        """The activity, when this person may ask under it."""
        activity = asker.activity(id)
        refusal = asker.may_ask(who_of(person), id)
        if refusal is not None:
            await refused(refusal)
            raise refusal
        return activity

    async def form_page(
        request: Request[Any, Any, Any], person: SignedIn, filled: Filled, wrong: Problem | None = None
    ) -> Response[bytes]:
        activity = await let_in(person, filled.activity)
        sight, made = await asker.sight(activity.id), None
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
            owners=_by_owner(shown, known.keys(sight.offers)), sight=sight, made=made, wrong=wrong, operators=OPERATORS, conditions=range(1, _rooms(filled) + 1), most_conditions=CONDITIONS,
            parameters=_named(filled), unseen=unseen, names=sight.names, contracts=contracts and not {*REQUESTERS}.isdisjoint(person.roles),
            filters=_filterable(shown), total=len(sight.offers), shown=len(shown), closed=_nothing_open(sight, asker.peer), keys=_keys(sight.offers),
        )  # fmt: skip

    async def ready(activity: Activity, filled: Filled) -> tuple[Sight, Question, Explanation, Made | None]:
        """What was filled in as a question; of what was ticked, what owners say that it is open. Raises `Problem`."""
        made, gaps = None, dict[str, Problem]()
        if filled.mode == "form":
            sight = await asker.sight(activity.id)
            filled, gaps = _reached(filled, sight)
            made = filled.made(sight.offers)
            question = ticked_question(filled, made, sight.offers)
        else:
            needs = await asker.needs(asked_of(filled, filled.sql, {}), _PATIENCE)
            question = written_question(filled, needs.types, needs.lists)
        told = await asker.explain(question, _PATIENCE)
        missing = (*told.missing, *(Missing(alias, problem.members()) for alias, problem in gaps.items()))
        return asker.seen(activity.id), question, msgspec.structs.replace(told, missing=missing), made

    @get("/ask", opt=STAFF)
    async def activities(person: SignedIn, request: Request[Any, Any, Any], q: str = "") -> Response[bytes]:
        """Choose what a question is for."""
        wanted, who = " ".join(q.split())[:100], who_of(person)
        fit = [
            one for one in asker.activities() if asker.own(one) and asker.in_force(one) and _fits(one, wanted)
        ]
        mine = [one for one in fit[: MOST_LISTED * 4] if asker.may_ask(who, one.id) is None]
        shown = mine[:MOST_LISTED]
        sights = {one.id: await asker.sight(one.id) for one in shown}
        return page(
            request, "query/activities.html", activities=shown, sights=sights, wanted=wanted, total=len(fit),
            more=len(mine) > len(shown) or len(fit) > MOST_LISTED * 4, by_owner=_titles, under_way=desk.of(person.acting.person, person.session),
            most=MOST_LISTED,
        )  # fmt: skip

    @get("/ask/question", opt=STAFF)
    async def blank(
        person: SignedIn, request: Request[Any, Any, Any], activity: str = "", mode: str = "", saved: str = ""
    ) -> Response[bytes]:
        """The form for a new question, or for one that was saved."""
        if saved:
            found = await shelf.use(person.acting.person, saved[:40])
            return await form_page(request, person, _of_saved(found.content))
        if not activity:
            return redirect("/ask")
        return await form_page(request, person, filled_in({"activity": activity, "mode": mode}))

    @post("/ask/question", opt=STAFF, status_code=200)
    async def question(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The form again, with what was filled in; and as SQL, for who wants to go on in that."""
        filled, wrong = filled_in(form), None
        if form.get("to") in ("sql", "form"):
            try:
                filled = await _turned(asker, filled, form["to"])
            except Upstream as problem:
                wrong = problem
        return await form_page(request, person, filled, wrong)

    @post("/ask/explain", opt=STAFF, status_code=200)
    async def explain(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[bytes]:
        """What the question would do, before anybody is asked."""
        filled = filled_in(form)
        activity = await let_in(person, filled.activity)
        try:
            sight, asked, told, made = await ready(activity, filled)
        except Problem as problem:
            return await form_page(request, person, filled, _at_place(problem, filled))
        return page(
            request, "query/explain.html", activity=activity, filled=filled, question=asked, told=told, made=made,
            offers={(one.alias, one.dataset): one for one in sight.offers}, names=sight.names,
            fetched=fetched(told), lost=lost(told.missing, sight.names),
        )  # fmt: skip

    @post("/ask/answers", opt=STAFF, status_code=200)
    async def ask(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Ask; the answer is under a handle."""
        filled = filled_in(form)
        activity = await let_in(person, filled.activity)
        try:
            sight, asked, told, _ = await ready(activity, filled)
            held = await desk.ask(asked, who_of(person), person.session, told, filled, sight)
        except Problem as problem:
            return await form_page(request, person, filled, _at_place(problem, filled))
        await desk.wait(held)
        return redirect(f"{HANDLES}/{held.handle}")

    @get("/ask/names", opt=STAFF)
    async def names(person: SignedIn, request: Request[Any, Any, Any], activity: str = "") -> dict[str, Any]:
        """What is open for an activity, for the script that completes names while somebody writes."""
        found, say = await let_in(person, activity), setting_of(request).say
        sight = await asker.sight(found.id)
        return {"datasets": [_completed(offer, say) for offer in sight.offers]}

    async def again(request: Request[Any, Any, Any], person: SignedIn, filled: Filled) -> Response[bytes]:
        return await form_page(request, person, filled)

    async def wrongly(request: Request[Any, Any, Any], person: SignedIn, filled: Filled, wrong: Problem) -> Response[bytes]:  # fmt: skip
        return await form_page(request, person, filled, wrong)

    async def written(person: SignedIn, filled: Filled) -> str:
        """The SQL of what was filled in, when this person may ask it."""
        activity = await let_in(person, filled.activity)
        if filled.mode == "sql":
            return filled.sql
        return _whole(filled, await asker.sight(activity.id), _NOT_SAVED).sql

    return [
        activities, blank, question, explain, ask, names,
        *answer_routes(asker, desk, again), *shelf_routes(shelf, gate, asker, written, wrongly),
    ]  # fmt: skip


def who_of(person: SignedIn) -> Who:
    """The person as who asks."""
    return Who(person.acting, person.acr, person.level, person.roles, person.audience)


async def _turned(asker: Asker, filled: Filled, to: str) -> Filled:
    """The same question in the other way of making one. Values that were filled in go along where they have a place. Raises as
    `_whole`, for an owner that is silent."""
    if to == "form" or filled.mode == "sql" or not filled.ticked():
        return filled.but(mode=to)
    try:
        made = _whole(filled, await asker.sight(filled.activity), _NOT_TURNED)
    except Invalid:
        return filled
    values = {
        f"p.{one.name}": filled.get(f"w{one.place}.value" if one.place else "key") for one in made.parameters
    }
    return filled.but(mode="sql", sql=made.sql, **values)


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


def _at_place(problem: Problem, filled: Filled) -> Problem:
    """A problem, tied to the field where it is mended."""
    if not problem.field and isinstance(problem, Invalid):
        problem.field = "sql" if filled.mode == "sql" else "columns"
    return problem


def _of_saved(content: Content) -> Filled:
    return filled_in(
        {**content.fields, "activity": content.activity, "mode": content.mode, "sql": content.sql}
    )


def _fits(activity: Activity, wanted: str) -> bool:
    text = " ".join(
        (
            activity.name.nl,
            activity.name.en,
            activity.purpose.nl,
            activity.purpose.en,
            *map(str, activity.articles),
        )
    )
    return all(word in text.casefold() for word in wanted.casefold().split())


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


def _titles(sight: Sight) -> list[tuple[str, list[Text]]]:
    found: dict[str, list[Text]] = {}
    for offer in sight.offers:
        found.setdefault(offer.alias, []).append(offer.title)
    return [(sight.names[alias], titles) for alias, titles in found.items()]


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


def _completed(offer: Offer, say: Any) -> dict[str, Any]:
    return {
        "name": f"{offer.alias}.{offer.dataset}",
        "title": say(offer.title),
        "columns": [
            {
                "name": one.name,
                "title": say(one.title) if one.title else "",
                "type": one.type,
                "role": one.role,
            }
            for one in offer.columns
            if one.role is not None
        ],
    }

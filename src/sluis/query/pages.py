"""An official asks a question in the browser: chooses an activity, ticks data or writes SQL, sees beforehand what would be fetched,
asks. What comes of it is shown by `answers`, under a handle; questions that are saved are in `shelves`.

The decision point's `ask` is the gate of all of it. Asking is recorded as ever; on the way there nobody is asked anything, so that
a refusal alone is recorded. No value is in an address.
"""

from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.grounds import Activity, Offer
from sluis.kernel import Invalid, Problem, Text, Upstream
from sluis.query.answers import HANDLES, answer_routes, lost
from sluis.query.desk import Desk
from sluis.query.filled import Filled, filled_in
from sluis.query.filling import Filling, who_of
from sluis.query.owners import Sight
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
    filling = Filling(asker, refused, contracts)

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
            return await filling.shown(request, person, _of_saved(found.content))
        if not activity:
            return redirect("/ask")
        return await filling.shown(request, person, filled_in({"activity": activity, "mode": mode}))

    @post("/ask/question", opt=STAFF, status_code=200)
    async def question(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The form again, with what was filled in; and as SQL, for who wants to go on in that."""
        filled, wrong = filled_in(form), None
        if form.get("to") in ("sql", "form"):
            try:
                filled = await filling.turned(filled, form["to"])
            except Upstream as problem:
                wrong = problem
        return await filling.shown(request, person, filled, wrong)

    @post("/ask/explain", opt=STAFF, status_code=200)
    async def explain(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[bytes]:
        """What the question would do, before anybody is asked."""
        filled = filled_in(form)
        activity = await filling.let_in(person, filled.activity)
        try:
            sight, asked, told, made = await filling.ready(activity, filled)
        except Problem as problem:
            return await filling.shown(request, person, filled, _at_place(problem, filled))
        return page(
            request, "query/explain.html", activity=activity, filled=filled, question=asked, told=told, made=made,
            offers={(one.alias, one.dataset): one for one in sight.offers}, names=sight.names,
            fetched=fetched(told), lost=lost(told.missing, sight.names),
        )  # fmt: skip

    @post("/ask/answers", opt=STAFF, status_code=200)
    async def ask(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Ask; the answer is under a handle."""
        filled = filled_in(form)
        activity = await filling.let_in(person, filled.activity)
        try:
            sight, asked, told, _ = await filling.ready(activity, filled)
            held = await desk.ask(asked, who_of(person), person.session, told, filled, sight)
        except Problem as problem:
            return await filling.shown(request, person, filled, _at_place(problem, filled))
        await desk.wait(held)
        return redirect(f"{HANDLES}/{held.handle}")

    @get("/ask/names", opt=STAFF)
    async def names(person: SignedIn, request: Request[Any, Any, Any], activity: str = "") -> dict[str, Any]:
        """What is open for an activity, for the script that completes names while somebody writes."""
        found, say = await filling.let_in(person, activity), setting_of(request).say
        sight = await asker.sight(found.id)
        return {"datasets": [_completed(offer, say) for offer in sight.offers]}

    return [
        activities, blank, question, explain, ask, names,
        *answer_routes(asker, desk, filling.shown), *shelf_routes(shelf, gate, asker, filling.written, filling.shown),
    ]  # fmt: skip


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


def _titles(sight: Sight) -> list[tuple[str, list[Text]]]:
    found: dict[str, list[Text]] = {}
    for offer in sight.offers:
        found.setdefault(offer.alias, []).append(offer.title)
    return [(sight.names[alias], titles) for alias, titles in found.items()]


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

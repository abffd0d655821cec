"""Saved questions as pages: the list, saving what was just made, another name, sharing, deleting. Running one again is the form with it."""

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.kernel import Problem, Refused, Text
from sluis.policy import CHANGE_QUESTIONS, QUESTIONS, READ_QUESTIONS, Resource
from sluis.query.filled import Filled, filled_in
from sluis.query.saved import LONGEST_NAME, Content, Saved, Shelf
from sluis.query.service import Asker
from sluis.web import (
    STAFF,
    Cell,
    Column,
    Form,
    Gate,
    Row,
    SignedIn,
    arranged,
    asked_in,
    page,
    redirect,
    setting_of,
)

SAVED = "/ask/saved"
_ALL = Resource(QUESTIONS, "saved")

Written = Callable[[SignedIn, Filled], Awaitable[str]]
Wrongly = Callable[[Request[Any, Any, Any], SignedIn, Filled, Problem], Awaitable[Response[bytes]]]

COLUMNS = (
    Column("name", Text("Vraag", "Question"), sort=True, filter=True, foreign=True),
    Column("activity", Text("Waarvoor", "What for"), sort=True),
    Column("of", Text("Van", "Of"), sort=True, filter=True, choices=(
        ("own", Text("uzelf", "yourself")), ("shared", Text("uzelf, gedeeld", "yourself, shared")), ("other", Text("een collega", "a colleague")),
    )),
    Column("used", Text("Laatst gebruikt", "Last used"), sort=True, kind="moment"),
)  # fmt: skip


def shelf_routes(
    shelf: Shelf, gate: Gate, asker: Asker, written: Written, wrongly: Wrongly
) -> list[HTTPRouteHandler]:
    """The pages of saved questions.

    Args:
        shelf: where they are.
        gate: to them.
        asker: knows the activities.
        written: the SQL of what was filled in, when that person may ask it.
        wrongly: the form again, with what is wrong.
    """

    @get(SAVED, opt=STAFF)
    async def listed(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """One's own saved questions, and those that colleagues share."""
        await gate.require(person, READ_QUESTIONS, _ALL, _not_these())
        found, titles = (
            await shelf.seen(person.acting.person),
            {one.id: one.name for one in asker.activities()},
        )
        rows = [_row(one, titles) for one in found if one.content.activity in titles]
        caption = Text("Bewaarde vragen", "Saved questions")
        listing = arranged(caption, COLUMNS, rows, asked_in(request, COLUMNS), setting_of(request).language)
        return page(request, "query/saved.html", listing=listing, longest=LONGEST_NAME)

    @get(f"{SAVED}/{{id:str}}", opt=STAFF)
    async def one(person: SignedIn, request: Request[Any, Any, Any], id: str) -> Response[bytes]:
        """A saved question."""
        await gate.require(person, READ_QUESTIONS, _ALL, _not_these())
        found = await shelf.one(person.acting.person, id)
        return page(
            request,
            "query/saved_one.html",
            saved=found,
            activity=asker.activity(found.content.activity),
            wrong=None,
            longest=LONGEST_NAME,
        )

    @post(SAVED, opt=STAFF, status_code=200)
    async def save(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Save what was made, without the values."""
        filled, name = filled_in(form), form.get("name", "")[:400]
        await gate.require(person, CHANGE_QUESTIONS, _ALL, _not_these())
        try:
            content = Content(
                name, filled.activity, filled.mode, await written(person, filled), dict(filled.fields)
            )
            await shelf.save(person.acting.person, content, form.get("shared") == "on")
        except Refused:
            raise
        except Problem as problem:
            return await wrongly(request, person, filled, problem)
        return redirect(SAVED)

    @post(f"{SAVED}/{{id:str}}/rename", opt=STAFF, status_code=200)
    async def rename(
        person: SignedIn, form: Form, request: Request[Any, Any, Any], id: str
    ) -> Response[bytes]:
        """Give one's own another name, and share it or not."""
        await gate.require(person, CHANGE_QUESTIONS, _ALL, _not_these())
        try:
            await shelf.rename(
                person.acting.person, id, form.get("name", "")[:400], form.get("shared") == "on"
            )
        except Refused:
            raise
        except Problem as problem:
            found = await shelf.one(person.acting.person, id)
            return page(
                request, "query/saved_one.html", status=problem.status, saved=found, activity=asker.activity(found.content.activity),
                wrong=problem, longest=LONGEST_NAME,
            )  # fmt: skip
        return redirect(SAVED)

    @post(f"{SAVED}/{{id:str}}/delete", opt=STAFF, status_code=200)
    async def delete(person: SignedIn, id: str) -> Response[bytes]:
        """Delete one's own."""
        await gate.require(person, CHANGE_QUESTIONS, _ALL, _not_these())
        await shelf.delete(person.acting.person, id)
        return redirect(SAVED)

    return [listed, one, save, rename, delete]


def _row(one: Saved, titles: dict[str, Text]) -> Row:
    of = "other" if not one.own else "shared" if one.shared else "own"
    name = Cell(one.content.name, href=f"{SAVED}/{one.id}")
    return Row((name, titles[one.content.activity], of, one.used), one)


def _not_these() -> Refused:
    return Refused(
        "saved-questions-closed",
        Text("U mag hier niet bij.", "You may not use this."),
        Text("Een regel van uw organisatie laat u geen vragen bewaren of gebruiken.", "A policy of your organisation does not let you save or use questions."),
        Text("Vraag het uw beheerder.", "Ask your operator."),
        rule="saved-questions-closed",
    )  # fmt: skip

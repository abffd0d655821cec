"""What comes of a question, under its handle: how far it is, owner by owner; then the answer as table, chart and picture, where each
column came from, what stayed closed, the receipts, and how the person that it is about will see it. For who asked, in that session.

An answer is kept in memory for some minutes, and forgotten. By which text its rows are filtered is kept there too, since that may
be somebody's name, and is in no address.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.kernel import Conflict, NotFound, Problem, Text, encode
from sluis.query.desk import AWAITED, Asked, Desk, State
from sluis.query.filled import Filled
from sluis.query.http import as_document
from sluis.query.model import Consulted, Missing
from sluis.query.service import Asker
from sluis.query.showing import View
from sluis.web import STAFF, Form, SignedIn, asked_in, export, page, redirect, setting_of

HANDLES = "/ask/answers"

STATES: dict[State, tuple[Text, str]] = {
    "waits": (Text("wacht op een ander antwoord", "waits for another answer"), "plain"),
    "met": (
        Text("gevraagd wat er open is, nog geen antwoord", "asked what is open, no answer yet"),
        "warning",
    ),
    "asked": (Text("gevraagd, nog geen antwoord", "asked, no answer yet"), "warning"),
    "answered": (Text("antwoord binnen", "answer is in"), "ok"),
    "failed": (Text("geen antwoord", "no answer"), "error"),
    "spared": (Text("hoefde niet gevraagd te worden", "did not need to be asked"), "plain"),
}
"""What an owner's part says of itself, and how that looks."""

RELOADED = 20
"""Seconds for which the page of a question under way loads again by itself, where no script runs: after that, who goes through it
by keyboard can reach its buttons (WCAG 2.2, 2.2.2)."""

_LONGEST = 100  # characters of a text that is looked for
_AT_ONCE = 2  # answers that are sorted, looked through or written as a document: one may take seconds

Again = Callable[[Request[Any, Any, Any], SignedIn, Filled], Awaitable[Response[bytes]]]


class Lost(msgspec.Struct, frozen=True):
    """An owner that is not in the answer, and why."""

    owner: str
    problem: Problem


def answer_routes(asker: Asker, desk: Desk, again: Again) -> list[HTTPRouteHandler]:
    """The pages of what was asked.

    Args:
        asker: of this node.
        desk: where it is held.
        again: the form on which a question is made.
    """

    some = asyncio.Semaphore(_AT_ONCE)

    def held(person: SignedIn, handle: str) -> Asked:
        return desk.find(handle, person.acting.person, person.session)

    def view_of(asked: Asked) -> View:
        if asked.answer is None:
            raise _no_answer()
        offers = {(one.alias, one.dataset): one for one in asked.sight.offers}
        return View(asked.answer, asker.activity(asked.question.activity), offers, _names(asked))

    @get(f"{HANDLES}/{{handle:str}}", opt=STAFF)
    async def one(
        person: SignedIn, request: Request[Any, Any, Any], handle: str, part: str = "table"
    ) -> Response[bytes]:
        """How far a question is; and when it is answered, the answer."""
        asked = held(person, handle)
        if asked.ended is None:
            return page(
                request, "query/under_way.html", asked=asked, states=STATES, awaited=AWAITED, names=_names(asked), most=RELOADED
            )  # fmt: skip
        activity = asker.activity(asked.question.activity)
        if asked.answer is None:
            status = 200 if asked.cancelled or asked.problem is None else asked.problem.status
            return page(
                request, "query/failed.html", status=status, asked=asked, activity=activity, states=STATES, awaited=AWAITED, names=_names(asked),
                problem=asked.problem,
            )  # fmt: skip
        view, language = view_of(asked), setting_of(request).language
        query = asked_in(request, view.columns(), keep=("part",))
        async with some:
            listing = await asyncio.to_thread(view.listing, query, language, asked.wanted)
            if query.form:
                name = "answer" if language == "en" else "antwoord"
                return await export(listing, name, language)
        return page(
            request, "query/answer.html", asked=asked, activity=activity, view=view, listing=listing, names=_names(asked),
            chart=view.chart(), picture=view.picture(language), lost=lost(_gaps(asked), _names(asked)), until=desk.until(asked), part=part,
        )  # fmt: skip

    @get(f"{HANDLES}/{{handle:str}}/state", opt=STAFF)
    async def state(person: SignedIn, request: Request[Any, Any, Any], handle: str) -> Response[bytes]:
        """How far it is, for the script that puts it in the page; 204 when it ended."""
        asked = held(person, handle)
        if asked.ended is not None:
            return Response(b"", status_code=204)
        return page(
            request,
            "query/parts_under_way.html",
            asked=asked,
            states=STATES,
            awaited=AWAITED,
            names=_names(asked),
        )

    @post(f"{HANDLES}/{{handle:str}}/rows", opt=STAFF, status_code=200)
    async def rows(person: SignedIn, form: Form, handle: str) -> Response[bytes]:
        """Show the rows with a text in them."""
        asked = held(person, handle)
        asked.wanted = " ".join(form.get("text", "").split())[:_LONGEST]
        return redirect(f"{HANDLES}/{handle}")

    @post(f"{HANDLES}/{{handle:str}}/without", opt=STAFF, status_code=200)
    async def leave(person: SignedIn, form: Form, handle: str) -> Response[bytes]:
        """Go on without an owner that does not answer."""
        asked = held(person, handle)
        if asked.ended is None and asked.question.partial == "never":
            raise _whole_or_nothing()
        asked.leave(form.get("owner", ""))
        await desk.wait(asked)
        return redirect(f"{HANDLES}/{handle}")

    @post(f"{HANDLES}/{{handle:str}}/stop", opt=STAFF, status_code=200)
    async def stop(person: SignedIn, handle: str) -> Response[bytes]:
        """Stop asking."""
        await desk.cancel(held(person, handle))
        return redirect(f"{HANDLES}/{handle}")

    @post(f"{HANDLES}/{{handle:str}}/forget", opt=STAFF, status_code=200)
    async def forget(person: SignedIn, handle: str) -> Response[bytes]:
        """Forget the answer now."""
        await desk.forget(held(person, handle))
        return redirect("/ask")

    @post(f"{HANDLES}/{{handle:str}}/again", opt=STAFF, status_code=200)
    async def change(person: SignedIn, request: Request[Any, Any, Any], handle: str) -> Response[bytes]:
        """The form with what was filled in, to ask otherwise."""
        return await again(request, person, held(person, handle).filled)

    @get(f"{HANDLES}/{{handle:str}}/receipts/{{number:str}}", opt=STAFF)
    async def receipt(
        person: SignedIn, request: Request[Any, Any, Any], handle: str, number: str
    ) -> Response[bytes]:
        """What an owner signed."""
        asked = held(person, handle)
        consulted = _consulted(asked, number)
        if "as" in request.query_params:
            return _download(consulted.jws.encode(), "application/jose", f"ontvangstbewijs-{number}.jws")
        members = msgspec.json.format(encode(consulted.receipt), indent=2).decode()
        return page(
            request, "query/receipt.html", asked=asked, consulted=consulted, number=number, names=_names(asked), members=members,
            activity=asker.activity(asked.question.activity),
        )  # fmt: skip

    @get(f"{HANDLES}/{{handle:str}}/receipts", opt=STAFF)
    async def receipts(person: SignedIn, handle: str) -> Response[bytes]:
        """All receipts, with where everything came from, as one document without the rows."""
        asked = held(person, handle)
        if asked.answer is None:
            raise _no_answer()
        document = msgspec.structs.replace(as_document(_bare(asked)), rows=[])
        return _download(encode(document), "application/json", "ontvangstbewijzen.json")

    return [one, state, rows, leave, stop, forget, change, receipt, receipts]


def _bare(asked: Asked) -> Any:
    """The answer without its rows."""
    assert asked.answer is not None
    return msgspec.structs.replace(asked.answer, table=asked.answer.table.slice(0, 0))


def _names(asked: Asked) -> dict[str, str]:
    return asked.sight.names


def lost(missing: Iterable[Missing], names: Mapping[str, str]) -> list[Lost]:
    """The gaps of a partial answer, or of what is told of it beforehand."""
    return [Lost(names.get(one.owner, one.owner), Problem.from_members(one.problem)) for one in missing]


def _gaps(asked: Asked) -> list[Missing]:
    """Who is not in an answer: who failed, and who had no part in the question, for they did not say what they open."""
    assert asked.answer is not None
    before = [one for one in asked.explanation.missing if one.owner not in asked.parts]
    return [*asked.answer.missing, *before]


def _consulted(asked: Asked, number: str) -> Consulted:
    """By its place in the answer, from 1 on."""
    found = {str(place): one for place, one in enumerate(asked.answer.consulted if asked.answer else (), 1)}
    if number not in found:
        raise _no_answer()
    return found[number]


def _download(content: bytes, media: str, name: str) -> Response[bytes]:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media, headers=headers)


def _whole_or_nothing() -> Conflict:
    return Conflict(
        "whole-answer-asked",
        Text("Deze vraag gaat niet verder zonder een bronhouder.", "This question does not go on without an owner."),
        Text("U vroeg een volledig antwoord.", "You asked for a complete answer."),
        Text("Stop de vraag, pas haar aan, en kruis aan dat er ook antwoord mag komen als een bronhouder niet antwoordt.",
             "Stop the question, change it, and tick that there may be an answer when an owner does not answer."),
    )  # fmt: skip


def _no_answer() -> NotFound:
    return NotFound(
        "no-answer-there",
        Text("Dit is er niet bij deze vraag.", "This question has no such thing."),
        Text("De vraag is niet beantwoord, of gaf dit niet.", "The question was not answered, or did not give this."),
        Text("Ga terug naar de vraag.", "Go back to the question."),
    )  # fmt: skip

"""The pages of the owner of data. Each asks the decision point first, so that who looked is on record; a preview, which shows data of
a person, is the answer to a form and stands under no address.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from sluis.grounds import AVG_GROUNDS, SENSITIVITIES
from sluis.kernel import Invalid, Refused, Text
from sluis.owning import views
from sluis.owning.matrix import OPENNESS, matrix
from sluis.owning.previewing import LONGEST_REASON, PREVIEWS_AN_HOUR
from sluis.owning.service import Holdings
from sluis.owning.wording import differences, masked_as, told
from sluis.policy import ASK_FOR_ROLE, DATA, READ_DATA, Resource, takes_role
from sluis.web import STAFF, Entry, Form, Gate, SignedIn, export, page, setting_of

ROLE = "data-owner"

NAVIGATION = tuple(
    Entry(path, title, ("staff",), roles=(ROLE,), section="owner", about=about)
    for path, title, about in (
        ("/data", Text("Datasets", "Datasets"),
         Text("Welke gegevens er zijn, en wie er wat van mag zien.", "Which data there are, and who may see what of them.")),
        ("/data/disclosures", Text("Verstrekkingen", "Disclosures"),
         Text("Elke afspraak over gegevens, in gewone woorden.", "Every agreement about data, in plain words.")),
        ("/data/preview", Text("Proefblik", "Preview"),
         Text("Zien wat een ontvanger van één persoon te zien krijgt.", "See what a recipient gets to see of one person.")),
        ("/data/use", Text("Wie wat gebruikte", "Who used what"),
         Text("Vragen, personen en weigeringen door de tijd.", "Questions, people and refusals over time.")),
        ("/data/sources", Text("Bronnen", "Sources"),
         Text("Of de bronnen antwoorden, en hoe snel.", "Whether the sources answer, and how fast.")),
    )
)  # fmt: skip
"""What the layout shows of this room."""

_SURELY: dict[str, Any] = {**STAFF, "level": "substantial"}
_AT_ONCE = 8  # disclosures beside each other

_Page = Request[Any, Any, Any]
_Name = Annotated[str, PathParameter()]


def page_routes(of: Holdings, gate: Gate) -> list[HTTPRouteHandler]:
    """The pages of this room.

    Args:
        of: the data of this node.
        gate: asks whether an official may look.
    """
    may = _may(of, gate)

    @get("/data", opt=STAFF)
    async def overview(person: SignedIn, request: _Page) -> Response[bytes]:
        """The datasets of this organisation."""
        await may(person)
        used, states = await asyncio.gather(of.used(views.LOOKED_BACK, ("dataset",)), of.sources.look())
        listing = views.datasets(request, of, used, states)
        if listing.asked.form:
            return await export(listing, "datasets", setting_of(request).language)
        troubled = [one for one in states if one.healthy is False]
        return page(
            request, "owning/data.html", listing=listing, troubled=troubled, waiting=await of.waiting(),
            disclosures=len(of.of.grounds.disclosures), previews=of.of.activity is not None and bool(of.previews.possible()),
        )  # fmt: skip

    @get("/data/datasets/{name:str}", opt=STAFF)
    async def dataset(person: SignedIn, request: _Page, name: _Name) -> Response[bytes]:
        """One dataset: its columns, and who may see what."""
        await may(person, name)
        one = of.dataset(name)
        every = of.disclosures_of(name)
        number = _number(request.query_params.get("page"), -(-len(every) // _AT_ONCE))
        some = every[(number - 1) * _AT_ONCE : number * _AT_ONCE]
        measured = await asyncio.to_thread(of.measured)
        covered = await of.covered()
        return page(
            request, "owning/dataset.html", one=one, some=some, lines=matrix(one, some), openness=OPENNESS, of=of,
            total=len(every), number=number, last=max(1, -(-len(every) // _AT_ONCE)), measured=measured.get(name),
            states={each.id: views.state_of(of, each, covered) for each in some},
            source=next((each for each in await of.sources.look() if each.name == one.source), None),
            health=views.HEALTH, place=of.place("datasets", name), masked_as=masked_as, sensitivities=SENSITIVITIES,
        )  # fmt: skip

    @get("/data/disclosures", opt=STAFF)
    async def disclosures(person: SignedIn, request: _Page) -> Response[bytes]:
        """All disclosures."""
        await may(person)
        used = await of.used(views.LOOKED_BACK, ("disclosure",))
        listing = views.disclosures(request, of, used, await of.covered())
        if listing.asked.form:
            return await export(listing, "verstrekkingen", setting_of(request).language)
        return page(request, "owning/disclosures.html", listing=listing)

    @get("/data/disclosures/{id:str}", opt=STAFF)
    async def disclosure(person: SignedIn, request: _Page, id: _Name) -> Response[bytes]:
        """One disclosure in words."""
        if not of.has(disclosure=id):  # who may not look, does not learn which there are
            await may(person)
        one = of.disclosure(id)
        await may(person, one.dataset)
        dataset, covered = of.dataset(one.dataset), await of.covered()
        since, before = await asyncio.to_thread(of.before, one)
        state = views.state_of(of, one, covered)
        (used,) = await of.used(views.LOOKED_BACK, (), {"disclosure": id})
        return page(
            request, "owning/disclosure.html", one=one, dataset=dataset, told=told(dataset, one), of=of, state=state,
            contracts=None if covered is None else covered.get(id, ()), place=of.place("disclosures", id), since=since,
            before=before, changes=() if before is None else differences(before.disclosure, one), grounds=AVG_GROUNDS,
            ruled=of.ruled(one, state == "open"), used=used, days=views.LOOKED_BACK,
            previews=of.of.activity is not None and one in of.previews.possible(),
        )  # fmt: skip

    @get("/data/preview", opt=_SURELY)
    async def ask(person: SignedIn, request: _Page) -> Response[bytes]:
        """What somebody would see: which disclosure, of whom, and why."""
        await may(person)
        return _asking(request, of, request.query_params.get("disclosure") or "")

    @post("/data/preview", opt=_SURELY, status_code=200)
    async def preview(person: SignedIn, request: _Page, form: Form) -> Response[bytes]:
        """What the recipient would see, once it is on record that this official looked."""
        id = form.get("disclosure", "")
        try:
            seen = await of.previews.take(person, id, form.get("key", ""), form.get("reason", ""))
        except Invalid as wrong:
            if wrong.field is None:
                raise
            return _asking(request, of, id, form, wrong)
        return page(
            request, "owning/preview.html", seen=seen, told=told(seen.dataset, seen.disclosure), of=of,
            key=form.get("key", ""), activity=of.activity_name(of.of.activity or ""),
        )  # fmt: skip

    @get("/data/use", opt=STAFF)
    async def use(person: SignedIn, request: _Page) -> Response[bytes]:
        """Who used what, over time."""
        await may(person)
        wanted = views.wanted_in(request, of)
        whole = await of.use.freshen()
        used = await of.used(wanted.days, wanted.names, wanted.only)
        listing = views.use(request, of, wanted, used)
        if listing.asked.form:
            return await export(listing, "gebruik", setting_of(request).language)
        days = await of.used(wanted.days, ("day",), wanted.only)
        return page(
            request, "owning/use.html", listing=listing, wanted=wanted, days=views.DAYS, by=views.BY, of=of,
            chart=views.by_day(of, wanted.days, days), any=bool(days), whole=whole,
        )  # fmt: skip

    @get("/data/sources", opt=STAFF)
    async def sources(person: SignedIn, request: _Page) -> Response[bytes]:
        """How the sources are."""
        await may(person)
        states = await of.sources.look()
        measured = await asyncio.to_thread(of.measured)
        failed = {one.dataset: one.failed for one in await of.used(7, ("dataset",)) if one.failed}
        by_source: dict[str, list[Any]] = {}
        for one in of.of.grounds.datasets:
            by_source.setdefault(one.source, []).append(one)
        return page(
            request, "owning/sources.html", states=states, health=views.HEALTH, by_source=by_source, measured=measured,
            failed=failed, settings=of.of.sources, most=_AT_ONCE * 3,
        )  # fmt: skip

    return [overview, dataset, disclosures, disclosure, ask, preview, use, sources]


def _asking(
    request: _Page, of: Holdings, chosen: str, form: Form | None = None, wrong: Invalid | None = None
) -> Response[bytes]:
    """The form of a preview; what was filled in stays in it."""
    return page(
        request, "owning/ask.html", status=200 if wrong is None else wrong.status, of=of, choices=of.previews.possible(),
        chosen=chosen, form=form or {}, wrong=wrong, longest=LONGEST_REASON, most=PREVIEWS_AN_HOUR,
        activity=None if of.of.activity is None else of.activity_name(of.of.activity),
    )  # fmt: skip


def _may(of: Holdings, gate: Gate) -> Callable[..., Awaitable[None]]:
    async def may(person: SignedIn, dataset: str = "") -> None:
        await gate.require(person, READ_DATA, Resource(DATA, dataset or of.of.alias), _not_yours())

    return may


def _not_yours() -> Refused:
    return Refused(
        "data-not-yours",
        Text("U mag deze gegevens niet beheren.", "You may not look after these data."),
        takes_role(ROLE),
        ASK_FOR_ROLE,
    )  # fmt: skip


def _number(text: str | None, last: int) -> int:
    fits = text is not None and text.isascii() and text.isdecimal() and len(text) <= 6
    return min(max(int(text or 1), 1), max(last, 1)) if fits else 1

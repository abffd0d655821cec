"""The register of processing for people: looked through, reviewed, exported, imported as files, and the file for an assessment."""

import asyncio
import io
import zipfile
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from sluis.grounds import COLUMN_ROLES, SENSITIVITIES
from sluis.kernel import Invalid, Problem, Text
from sluis.oversight.decision_pages import rule_words
from sluis.oversight.desk import Desk, called, changes
from sluis.oversight.dpia import Dossier, as_document, dossier
from sluis.oversight.importing import FIELDS, MOST_BYTES, Proposed, proposals
from sluis.oversight.model import Entry, Standing
from sluis.oversight.paper import as_pdf
from sluis.oversight.register import GROUNDS, document, duration
from sluis.oversight.reviewing import urgency
from sluis.oversight.reviews import Filled
from sluis.oversight.service import Oversight
from sluis.web import (
    STAFF,
    Cell,
    Column,
    Form,
    Listing,
    Row,
    SignedIn,
    arranged,
    asked_in,
    export,
    page,
    read_day,
    redirect,
    required_day,
    setting_of,
)

STATES: dict[str, tuple[Text, str]] = {
    "changed": (Text("artikel gewijzigd", "article changed"), "error"),
    "overdue": (Text("te laat", "overdue"), "error"),
    "never": (Text("nooit getoetst", "never reviewed"), "warning"),
    "soon": (Text("binnenkort", "soon"), "plain"),
    "fine": (Text("in orde", "in order"), "ok"),
}
OUTCOMES = {"agreed": Text("klopt zo", "right as it is"), "change": Text("moet anders", "must change")}
DPIAS = {
    "none": Text("niet nodig", "not needed"),
    "done": Text("gemaakt", "made"),
    "todo": Text("moet nog", "still to be made"),
}
_WHOSE = (
    ("own", Text("van ons", "ours")),
    ("other", Text("van een ander, met onze gegevens", "of another, with our data")),
)
COLUMNS = (
    Column("name", Text("Verwerking", "Activity"), sort=True, filter=True),
    Column("whose", Text("Van wie", "Whose"), sort=True, filter=True, choices=_WHOSE),
    Column("ground", Text("Grondslag (AVG)", "Ground (GDPR)"), filter=True, choices=tuple(GROUNDS.items())),
    Column("law", Text("Wet", "Law"), sort=True),
    Column("recipients", Text("Ontvangers", "Recipients"), sort=True, align="end", kind="number"),
    Column(
        "state",
        Text("Toets", "Review"),
        filter=True,
        choices=tuple((name, one) for name, (one, _) in STATES.items()),
    ),
    Column("due", Text("Volgende toets", "Next review"), sort=True, kind="day"),
)
_FULL = (
    ("id", Text("Kenmerk", "Id")), ("name", Text("Verwerking", "Activity")), ("purpose", Text("Doel", "Purpose")),
    ("controller", Text("Verantwoordelijke", "Controller")), ("ground", Text("Grondslag", "Ground")),
    ("articles", Text("Artikelen", "Articles")), ("subjects", Text("Betrokkenen", "Data subjects")),
    ("data", Text("Gegevens", "Data")), ("recipients", Text("Ontvangers", "Recipients")),
    ("retention", Text("Bewaartermijn", "Retention")), ("state", Text("Toets", "Review")), ("due", Text("Volgende toets", "Next review")),
    ("dpia", Text("DPIA", "DPIA")),
)  # fmt: skip
EXPORTED = tuple(Column(name, title) for name, title in _FULL)
_WORDS: dict[str, Any] = {
    "rule_words": rule_words,
    "grounds": GROUNDS, "roles": COLUMN_ROLES, "sensitivities": SENSITIVITIES, "states": STATES, "outcomes": OUTCOMES,
    "dpias": DPIAS, "duration": duration,
}  # fmt: skip


def register_routes(desk: Desk) -> list[HTTPRouteHandler]:
    """These pages."""
    return [*_list_routes(desk), *_import_routes(desk), *_entry_routes(desk), *_assessment_routes(desk)]


def _list_routes(desk: Desk) -> list[HTTPRouteHandler]:
    """The register, as a list and whole."""
    oversight, reviews = desk.oversight, desk.oversight.reviews

    @get("/register", opt=STAFF)
    async def listed(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Het register van verwerkingen."""
        await desk.may_read(person)
        pairs, asked = await _every(oversight), asked_in(request, COLUMNS)
        language = setting_of(request).language
        if asked.form:
            full = arranged(_CAPTION, COLUMNS, [row(*one) for one in pairs], asked, language, exports=True)
            rows = [exported(one.of[0], one.of[1], language) for one in full.rows]
            view = Listing(_CAPTION, EXPORTED, tuple(rows), asked, exports=True)
            return await export(view, "register-van-verwerkingen", language, rows)
        view = arranged(
            _CAPTION, COLUMNS, [row(*one) for one in pairs], asked, language, exports=True, nothing=_NOTHING
        )
        warned = [one for one in pairs if one[1].warns]
        return page(
            request, "oversight/register.html", view=view, warned=warned[:20], many=len(warned),
            changed=sum(bool(one.changed) for _, one in pairs), versions=len(reviews.versions()), problem=reviews.problem,
            change=changes(person), states=STATES,
        )  # fmt: skip

    @get("/register/whole", opt=STAFF)
    async def whole(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Het hele register, om af te drukken of als JSON."""
        await desk.may_read(person)
        pairs = await _every(oversight)
        if request.query_params.get("as") == "json":
            told = [document(one, standing, oversight.of.security) for one, standing in pairs]
            made = {"organisation": oversight.of.name, "day": reviews.today().isoformat(), "activities": told}
            return _file(msgspec.json.format(msgspec.json.encode(made)), "application/json", "register.json")
        return page(
            request,
            "oversight/whole.html",
            pairs=pairs,
            today=reviews.today(),
            security=oversight.of.security,
            **_WORDS,
        )

    return [listed, whole]


def _import_routes(desk: Desk) -> list[HTTPRouteHandler]:
    """Offering activities, to make files of."""

    @get("/register/import", opt=STAFF)
    async def bring(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Verwerkingen aanbieden om er bestanden van te maken."""
        await desk.may_change(person)
        return page(
            request,
            "oversight/import.html",
            given="",
            proposed=(),
            wrong=None,
            fields=FIELDS,
            most=MOST_BYTES // 1024,
        )

    @post("/register/import", opt=STAFF, status_code=200)
    async def brought(person: SignedIn, form: Form, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Laat zien welke bestanden het worden, met elke fout."""
        await desk.may_change(person)
        given = form.get("text", "")
        known = [one.activity.id for one in await desk.oversight.entries()]
        try:
            made = await asyncio.to_thread(proposals, given, known)
        except Invalid as problem:
            return page(
                request, "oversight/import.html", status=422, given=given, proposed=(), wrong=problem, fields=FIELDS,
                most=MOST_BYTES // 1024,
            )  # fmt: skip
        if form.get("as") == "zip":
            return _file(packed(made), "application/zip", "activities.zip")
        return page(
            request,
            "oversight/import.html",
            given=given,
            proposed=made,
            wrong=None,
            fields=FIELDS,
            most=MOST_BYTES // 1024,
        )

    return [bring, brought]


def _entry_routes(desk: Desk) -> list[HTTPRouteHandler]:
    """An activity, and its review."""
    oversight, reviews = desk.oversight, desk.oversight.reviews

    @get("/register/{key:str}", opt=STAFF)
    async def one(
        person: SignedIn, request: Request[Any, Any, Any], key: Annotated[str, PathParameter()]
    ) -> Response[bytes]:
        """Een verwerking met alles wat artikel 30 van de AVG vraagt."""
        await desk.may_read(person)
        return await _shown(oversight, request, person, key, {}, None)

    @post("/register/{key:str}/review", opt=STAFF, status_code=200)
    async def review(
        person: SignedIn, form: Form, request: Request[Any, Any, Any], key: Annotated[str, PathParameter()]
    ) -> Response[Any]:
        """Leg een toets vast."""
        await desk.may_change(person)
        entry, _ = await oversight.entry(key)
        try:
            await reviews.add(entry, filled_in(form), person.acting.person, called(person))
        except Problem as problem:
            if problem.status >= 500:
                raise
            return await _shown(oversight, request, person, key, form, problem)
        return redirect(f"/register/{key}?recorded=yes#recorded")  # or the browser goes on to #review

    return [one, review]


def _assessment_routes(desk: Desk) -> list[HTTPRouteHandler]:
    """The facts for an assessment."""
    oversight = desk.oversight
    # Documents: each keeps a thread busy for a second, and others need threads too.
    one_at_a_time = asyncio.Semaphore(1)

    @get("/register/{key:str}/dpia", opt=STAFF)
    async def assessment(
        person: SignedIn, request: Request[Any, Any, Any], key: Annotated[str, PathParameter()]
    ) -> Response[bytes]:
        """De feiten voor een DPIA: om af te drukken, als PDF of als JSON."""
        await desk.may_read(person)
        made = await _facts(oversight, key)
        form = request.query_params.get("as")
        if form == "json":
            raw = msgspec.json.format(msgspec.json.encode(as_document(made)))
            return _file(raw, "application/json", f"dpia-{made.version}.json")
        setting = setting_of(request)
        values: dict[str, Any] = {
            "dossier": made,
            "name": oversight.name,
            "organisation": oversight.of.name,
            **_WORDS,
        }
        if form == "pdf":
            async with one_at_a_time:
                raw = await asyncio.to_thread(as_pdf, setting, "oversight/dpia_paper.html", values)
            return _file(raw, "application/pdf", f"dpia-{made.version}.pdf")
        return page(request, "oversight/dpia.html", **values)

    return [assessment]


async def _every(oversight: Oversight) -> list[tuple[Entry, Standing]]:
    reviews, entries = oversight.reviews, await oversight.entries()
    standings = await asyncio.to_thread(reviews.standings, entries)
    pairs = [(one, standings[one.activity.id]) for one in entries]
    return sorted(pairs, key=lambda one: urgency(one[1]))


async def _facts(oversight: Oversight, key: str) -> Dossier:
    entry, standing = await oversight.entry(key)
    used = await asyncio.to_thread(oversight.used, entry.activity.id)
    open_findings = await asyncio.to_thread(oversight.findings.of_activity, entry.activity.id)
    return dossier(entry, standing, used, open_findings, oversight.of.security, oversight.reviews.today())


async def _shown(
    oversight: Oversight,
    request: Request[Any, Any, Any],
    person: SignedIn,
    key: str,
    filled: Form,
    wrong: Problem | None,
) -> Response[bytes]:
    reviews = oversight.reviews
    entry, standing = await oversight.entry(key)
    activity = entry.activity.id
    past, asked = await asyncio.gather(
        asyncio.to_thread(reviews.of, activity), asyncio.to_thread(oversight.asked, activity)
    )
    return page(
        request, "oversight/activity.html", status=422 if wrong else 200, entry=entry, standing=standing, past=past,
        asked=asked, security=oversight.of.security, filled=filled, wrong=wrong, change=changes(person),
        today=reviews.today(), name=oversight.name, recorded="recorded" in request.query_params, **_WORDS,
    )  # fmt: skip


_CAPTION = Text("Verwerkingen", "Processing activities")
_NOTHING = Text(
    "Er zijn nog geen verwerkingen. Zet ze als bestand in de map activities, of bied een register aan.",
    "There are no activities yet. Put them as files in the folder activities, or offer a register.",
)


def row(entry: Entry, standing: Standing) -> Row:
    """An entry in the list."""
    activity = entry.activity
    state = "changed" if standing.changed else standing.state
    told = _REWRITTEN if standing.rewritten else None
    peers = {one.peer for one in entry.recipients}
    return Row(
        (
            Cell(activity.name, f"/register/{entry.key}", told=None if entry.own else entry.controller),
            "own" if entry.own else "other",
            activity.ground,
            activity.articles[0].law,
            len(peers),
            Cell(state, tone=STATES[state][1], told=told),  # type: ignore[arg-type]
            standing.review.due if standing.review else None,
        ),
        (entry, standing),
    )


_REWRITTEN = Text("bestand gewijzigd sinds de laatste toets", "file changed since the last review")


def exported(entry: Entry, standing: Standing, language: str) -> Row:
    """An entry as a line of the file: every field of article 30."""

    def say(one: Text) -> str:
        return one.en if language == "en" else one.nl

    activity, review = entry.activity, standing.review
    data = "; ".join(
        f"{say(title)}: {', '.join(one.name for one in columns)}" for title, columns in entry.data
    )
    return Row(
        (
            activity.id, say(activity.name), say(activity.purpose), entry.controller, say(GROUNDS[activity.ground]),
            "; ".join(f"{one}{f' ({one.bwb})' if one.bwb else ''}" for one in activity.articles), say(activity.subjects) if activity.subjects else None, data,
            "; ".join(dict.fromkeys(one.name for one in entry.recipients)), activity.retention, say(STATES[standing.state][0]),
            review.due if review else None, say(DPIAS[review.dpia]) if review else None,
        )
    )  # fmt: skip


def filled_in(form: Form) -> Filled:
    """A review as it was filled in. Raises `Invalid`, naming the field."""
    outcome: Any = form.get("outcome", "")
    dpia: Any = form.get("dpia", "")
    if outcome not in OUTCOMES:
        raise _choose("outcome", Text("Kies wat de toets opleverde.", "Choose what came of the review."))
    if dpia not in DPIAS:
        raise _choose("dpia", Text("Kies of een DPIA nodig is.", "Choose whether a DPIA is needed."))
    day = read_day(form, "dpia_day") if dpia == "done" else None
    return Filled(outcome, form.get("note", ""), required_day(form, "due"), dpia, day)


def packed(made: tuple[Proposed, ...]) -> bytes:
    """The files that are right, in a zip; and of the others what is wrong."""
    out = io.BytesIO()
    wrong: list[str] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for one in made:
            if one.problems:
                wrong += [f"{one.file}: {problem.what.nl} {problem.why.nl}" for problem in one.problems]
            else:
                archive.writestr(zipfile.ZipInfo(f"activities/{one.file}", (2026, 1, 1, 0, 0, 0)), one.text)
        if wrong:
            archive.writestr(zipfile.ZipInfo("fouten.txt", (2026, 1, 1, 0, 0, 0)), "\n".join(wrong) + "\n")
    return out.getvalue()


def _choose(field: str, next: Text) -> Invalid:
    return Invalid(
        "review-incomplete",
        Text("De toets is nog niet compleet.", "The review is not complete yet."),
        Text("Er is iets niet gekozen.", "Something was not chosen."),
        next,
        field=field,
    )


def _file(raw: bytes, kind: str, name: str) -> Response[bytes]:
    return Response(raw, media_type=kind, headers={"content-disposition": f'attachment; filename="{name}"'})

"""What a person sees of their own data, and asks about it: where it is, what is wrong with it, what must be done with it, how far that
is; and everything that this node keeps of them, to take along.

AVG art. 12, 15-21; for a company, Wet open overheid art. 5.5 and Awb art. 4:1 and 6:4. What was found comes as the answer to a form and nowhere else: it is in no address, and is kept nowhere.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import msgspec
from litestar import Request as HttpRequest
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.identity.register import PERSON
from sluis.kernel import Problem, Refused, Text
from sluis.query import Who
from sluis.rights import rules
from sluis.rights.export import Part, bundle
from sluis.rights.mine import Inspection, Told
from sluis.rights.model import KINDS, About, DataSubject, Kind, Signed, data_subject
from sluis.rights.saying import KIND_NAMES, hint_of, no_number, state_name, unknown_kind
from sluis.rights.service import SHOWN, Rights
from sluis.rights.views import value_in_words
from sluis.web import Entry, Form, SignedIn, page, redirect, setting_of

NAVIGATION = (
    Entry("/mine", Text("Mijn gegevens", "My data"), ("citizen", "company"), section="mine"),
    Entry(
        "/corrections",
        Text("Verzoeken en meldingen", "Requests and reports"),
        ("citizen", "company"),
        section="mine",
    ),
)
"""What the layout shows of these pages."""

_FOR: dict[str, Any] = {"audience": ("citizen", "company"), "level": "substantial"}
_MOST_PAGES = 500
_AT_ONCE = 2  # downloads: each reads and packs all that there is of somebody


class Traced(msgspec.Struct, frozen=True):
    """What this node's log says of one question about somebody: by name of the activity, between which organisations (Peer IDs)."""

    activity: Text | None = None
    organisations: tuple[str, ...] = ()


Whose = Callable[[SignedIn, str], Awaitable[tuple[str, str]]]
"""Of whom somebody may `read` or `edit`: kind of number, and number; of themselves, of a child or ward, or of a company. Raises
`Refused`."""

Rsin = Callable[[str], str | None]
"""Under which number a company, by that of the trade register, is known as a legal person; None when that is not known here."""

Tracing = Callable[[DataSubject, str], Awaitable[Traced]]
"""Finds a question (its trace) about a person in this node's log, as far as that person may see it."""


class Filled(msgspec.Struct, frozen=True):
    """What stands in the form of a request."""

    kind: str = ""
    organisation: str = ""
    dataset: str = ""
    trace: str = ""
    now: str = ""
    should: str = ""
    remark: str = ""

    @classmethod
    def of(cls, form: Form) -> "Filled":
        """What was filled in; what is too long for its place is cut, but for what somebody wrote."""
        short = {name: form.get(name, "")[:200] for name in ("kind", "organisation", "dataset", "trace")}
        return cls(**short, **{name: form.get(name, "") for name in ("now", "should", "remark")})


def page_routes(
    rights: Rights,
    inspection: Inspection,
    whose: Whose,
    tracing: Tracing,
    parts: Sequence[Part],
    rsin: Rsin,
) -> list[HTTPRouteHandler]:
    """The pages of this room.

    Args:
        rights: requests.
        inspection: asks what is known.
        whose: knows the number of who is signed in, or of whom they act for.
        tracing: finds a question in the log.
        parts: of a download.
        rsin: knows the other number of a company.
    """
    return [*_known(rights, inspection, whose, parts, rsin), *_requests(rights, inspection, whose, tracing)]


def _known(
    rights: Rights, inspection: Inspection, whose: Whose, parts: Sequence[Part], rsin: Rsin
) -> list[HTTPRouteHandler]:
    """What is known of somebody, and all of it to take along."""
    some = asyncio.Semaphore(_AT_ONCE)
    turns = WeakValueDictionary[str, asyncio.Lock]()

    def numbers_of(whom: DataSubject) -> list[DataSubject]:
        other = rsin(whom.value) if whom.kind == "urn:nl:kvk" else None
        return [whom, *([DataSubject("urn:nl:rsin", other)] if other else [])]

    def mine_page(
        person: SignedIn,
        request: HttpRequest[Any, Any, Any],
        told: list[Told] | None = None,
        only: str | None = None,
        wrong: Problem | None = None,
    ) -> Response[bytes]:
        return page(
            request, "rights/mine.html", status=wrong.status if wrong else 200, told=told, only=only, wrong=wrong,
            company=_for_company(person), activity=inspection.activity(_for_company(person)), parts=parts, organisations=sorted(rights.names.values(), key=str.casefold),
            words=partial(value_in_words, language=setting_of(request).language),
        )  # fmt: skip

    @get("/mine", opt=_FOR)
    async def mine(person: SignedIn, request: HttpRequest[Any, Any, Any]) -> Response[bytes]:
        """Wat is er over mij bekend, en waar."""
        return mine_page(person, request)

    @post("/mine", opt=_FOR, status_code=200)
    async def ask(person: SignedIn, form: Form, request: HttpRequest[Any, Any, Any]) -> Response[bytes]:
        """Vraag het nu op."""
        whom = await _whom(whose, person, "read")
        who = Who(person.acting, person.acr, person.level, audience=person.audience)
        only = form.get("only", "")[:100] or None
        try:
            return mine_page(person, request, await inspection.ask(who, numbers_of(whom), only), only)
        except Refused as problem:
            return mine_page(person, request, wrong=problem)

    @post("/mine/download", opt=_FOR, status_code=200)
    async def download(person: SignedIn, request: HttpRequest[Any, Any, Any]) -> Response[bytes]:
        """Neem alles mee wat dit knooppunt over u bewaart."""
        await _whom(whose, person, "read")
        turn = turns.setdefault(person.acting.person, asyncio.Lock())
        async with turn, some:  # one of each person: who asks a hundred times keeps nobody else waiting
            content = await bundle(parts, person, setting_of(request))
        headers = {"content-disposition": 'attachment; filename="mijn-gegevens.zip"'}
        return Response(content, media_type="application/zip", headers=headers)

    return [mine, ask, download]


def _requests(
    rights: Rights, inspection: Inspection, whose: Whose, tracing: Tracing
) -> list[HTTPRouteHandler]:
    """What somebody asks about their data, and how far that is."""
    names = {str.__str__(peer): name for peer, name in rights.names.items()}

    @get("/corrections", opt=_FOR)
    async def listed(
        person: SignedIn, request: HttpRequest[Any, Any, Any], number: int = 1, placed: str = ""
    ) -> Response[bytes]:
        """Mijn verzoeken en meldingen, en hoe ver zij zijn."""
        number = min(max(number, 1), _MOST_PAGES)
        whom = await _whom(whose, person, "read")
        found = await rights.of_person(whom, number)
        return page(
            request, "rights/corrections.html", found=found[:SHOWN], number=number, more=len(found) > SHOWN,
            placed=next((one for one in found if one.receipt == placed), None), names=names, kinds=KIND_NAMES,
            state_name=state_name, answer_by=partial(rules.answer_by, company=whom.company),
            term=partial(rules.term_of, company=whom.company), company=whom.company, title=inspection.title,
        )  # fmt: skip

    async def shown(
        request: HttpRequest[Any, Any, Any], whom: DataSubject, filled: Filled, wrong: Problem | None = None
    ) -> Response[bytes]:
        traced = await tracing(whom, filled.trace) if filled.trace else Traced()
        first = [one for one in traced.organisations if one in names]
        rest = sorted((one for one in names if one not in first), key=lambda one: names[one].casefold())
        chosen = filled.organisation or (first[0] if first else "")
        return page(
            request, "rights/request.html", status=wrong.status if wrong else 200, filled=filled, wrong=wrong,
            names=names, first=first, rest=rest, chosen=chosen, traced=traced, kind_names=KIND_NAMES, company=whom.company,
            kinds=[one for one in rules.kinds_of(whom) if one != "correction"], hint=partial(hint_of, company=whom.company),
            term=partial(rules.term_of, company=whom.company), title=inspection.title(filled.organisation, filled.dataset),
        )  # fmt: skip

    @get("/requests/new", opt=_FOR)
    async def blank(
        person: SignedIn,
        request: HttpRequest[Any, Any, Any],
        about: str = "",
        organisation: str = "",
        kind: str = "",
    ) -> Response[bytes]:
        """Vraag iets over uw gegevens; `about` is het kenmerk van een regel van "wie keek er"."""
        filled = Filled(kind=kind[:20], organisation=organisation[:40], trace=_trace(about))
        return await shown(request, await _whom(whose, person, "edit"), filled)

    @post("/requests/new", opt=_FOR, status_code=200)
    async def begun(person: SignedIn, form: Form, request: HttpRequest[Any, Any, Any]) -> Response[bytes]:
        """Hetzelfde, over een gegeven dat op de pagina staat: dat reist niet in een adres."""
        filled = Filled.of(form)
        return await shown(
            request,
            await _whom(whose, person, "edit"),
            msgspec.structs.replace(filled, trace=_trace(filled.trace)),
        )

    words = {"kind": KIND_NAMES, "organisation": {peer: Text(name, name) for peer, name in names.items()}}

    @post("/requests", opt={**_FOR, "words": words}, status_code=200)
    async def place(person: SignedIn, form: Form, request: HttpRequest[Any, Any, Any]) -> Response[Any]:
        """Doe het verzoek."""
        whom, filled = await _whom(whose, person, "edit"), Filled.of(form)
        filled = msgspec.structs.replace(filled, trace=_trace(filled.trace))
        try:
            kind = _kind(filled.kind)
            asked = rules.asked_in(kind, filled.now, filled.should, filled.remark)
            traced = await tracing(whom, filled.trace) if filled.trace else Traced()
            title = inspection.title(filled.organisation, filled.dataset)
            about = About(
                filled.dataset,
                title.nl[:200] if title else "",
                filled.trace,
                traced.activity.nl[:200] if traced.activity else "",
            )
            assert person.level is not None
            signed = Signed(person.acting, person.acr, person.level, person.at)
            made = await rights.place(signed, whom, filled.organisation, kind, about, asked)
        except Problem as problem:
            if problem.status >= 500:
                raise
            return await shown(request, whom, filled, problem)
        return redirect("/corrections", placed=made.receipt)

    return [listed, blank, begun, place]


async def _whom(whose: Whose, person: SignedIn, action: str) -> DataSubject:
    """As `Whose`, as a request knows them. Raises `Refused`, also of who has no number that requests are about."""
    whom = data_subject(*await whose(person, action))
    if whom is None:
        raise no_number()
    return whom


def _for_company(person: SignedIn) -> bool:
    entity = person.acting.entity
    return entity is not None and not entity.startswith(PERSON)


def _kind(text: str) -> Kind:
    """The kind of request that was chosen. Raises `Invalid`."""
    found = next((one for one in KINDS if one == text), None)
    if found is None:
        raise unknown_kind()
    return found


def _trace(text: str) -> str:
    """A trace as it may stand in an address; empty for what is none."""
    plain = text.replace("-", "").lower()
    return plain if len(plain) == 32 and not set(plain) - set("0123456789abcdef") else ""

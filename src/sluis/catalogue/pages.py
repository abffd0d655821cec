"""The catalogue for people: looking for something, and one thing with all that may be known of it. For anybody, signed in or not.

What a link leads to is looked up again each time: what is not published is not there, whatever an address says. An address that
nobody here wrote does no harm: what it names and is not known, counts as not asked.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import quote, unquote, urlencode

import msgspec
from litestar import Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from sluis.catalogue.accepting import Accepted
from sluis.catalogue.agreeing import agreement_of
from sluis.catalogue.codes import ACCESS_RIGHTS, THEMES
from sluis.catalogue.finding import Finder
from sluis.catalogue.harvesting import Harvester
from sluis.catalogue.listing import FACETS, KINDS, LONGEST, MOST, ORDERS, Count, Facet, Finds, Hit, Order
from sluis.catalogue.model import FOLDERS, Form, Kind
from sluis.catalogue.reading import LONGEST_ADDRESS
from sluis.catalogue.rules import offered_terms
from sluis.catalogue.service import Catalogue, no_catalogue, not_there
from sluis.catalogue.views import is_web, view_of
from sluis.kernel import Text
from sluis.policy import REQUESTERS
from sluis.web import Entry as Link
from sluis.web import SignedIn, page

NAVIGATION = (Link("/catalogue", Text("Catalogus", "Catalogue"), open=True),)
"""What the layout shows of this room."""

PLURALS: dict[Kind, Text] = {
    "dataset": Text("Datasets", "Datasets"),
    "service": Text("Diensten", "Services"),
    "event-type": Text("Gebeurtenistypen", "Event types"),
}
_FACETS: dict[Facet, Text] = {
    "kind": Text("Soort", "Kind"),
    "owner": Text("Organisatie", "Organisation"),
    "theme": Text("Onderwerp", "Subject"),
    "access": Text("Hoe open", "How open"),
}
_RIGHTS: dict[str, Text] = {name: words for name, (_, words) in ACCESS_RIGHTS.items()}
_MOST_VALUES = 50  # of one facet
_SEARCHING = 20  # pages, for which a search counts: it reads all that there is
_AT_ONCE = 2  # readings of all that others offer: anybody may ask for one, and it may be much
_FORMS: dict[str, tuple[Form, str]] = {
    "json-ld": ("json-ld", "application/ld+json"),
    "turtle": ("turtle", "text/turtle"),
}
_KINDS: dict[str, Kind] = {folder: kind for kind, folder in FOLDERS.items()}


class Choice(msgspec.Struct, frozen=True):
    """A value of a facet, with the address of the list where it is chosen, or not any more."""

    title: Text
    count: int
    chosen: bool
    href: str


class Group(msgspec.Struct, frozen=True):
    """A facet with its values."""

    name: Facet
    title: Text
    choices: tuple[Choice, ...]


class Asked(msgspec.Struct, frozen=True):
    """What somebody looks for: words, and of each facet the values that they chose."""

    text: str = ""
    chosen: Mapping[Facet, frozenset[str]] = {}
    order: Order = "relevance"

    def address(self, **more: str) -> str:
        """Of the list that this gives."""
        pairs = [("q", self.text)] if self.text else []
        pairs += [(facet, value) for facet in FACETS for value in sorted(self.chosen.get(facet, ()))]
        pairs += [("sort", self.order)] if self.order != "relevance" and "sort" not in more else []
        query = urlencode([*pairs, *more.items()])
        return f"/catalogue?{query}" if query else "/catalogue"

    def pairs(self) -> list[tuple[str, str]]:
        """What is chosen, as fields of a form."""
        return [(facet, value) for facet in FACETS for value in sorted(self.chosen.get(facet, ()))]

    def turned(self, facet: Facet, value: str) -> "Asked":
        """With a value that was not chosen, or without one that was."""
        chosen = {**self.chosen, facet: self.chosen.get(facet, frozenset()) ^ {value}}
        return msgspec.structs.replace(self, chosen=chosen)


def page_routes(
    catalogue: Catalogue | None, harvester: Harvester | None, finder: Finder, terms: Accepted | None = None
) -> list[HTTPRouteHandler]:
    """The pages of this room.

    Args:
        catalogue: of this node; None where there is none.
        harvester: keeps those of others; None where there is no group.
        finder: searches in both.
        terms: which were accepted; None where nobody can.
    """

    some = asyncio.Semaphore(_AT_ONCE)

    @get("/catalogue", opt={"weight": _SEARCHING})
    async def listed(visitor: SignedIn | None, request: Request[Any, Any, Any]) -> Response[bytes]:
        """What there is, by what somebody looks for."""
        form = request.query_params.get("as")
        if form in _FORMS:
            if catalogue is None:
                raise no_catalogue()
            kind, media = _FORMS[form]
            return _data((await catalogue.whole(kind)).content, media)
        asked, number = asked_in(request.query_params.multi_items())
        finds = await finder.search(asked.text, asked.chosen, number, asked.order)
        if number > finds.pages:
            finds = await finder.search(asked.text, asked.chosen, max(finds.pages, 1), asked.order)
        return page(
            request, "catalogue/list.html", asked=asked, finds=finds, kinds=KINDS,
            rights=_RIGHTS, groups=groups(asked, finds), place=lambda one: place(one, catalogue), own=catalogue is not None,
            orders=ORDERS, around=around(finds.page, finds.pages),
        )  # fmt: skip

    @get("/catalogue/{folder:str}/{name:str}")
    async def one(
        visitor: SignedIn | None,
        request: Request[Any, Any, Any],
        folder: Annotated[str, PathParameter()],
        name: Annotated[str, PathParameter()],
    ) -> Response[bytes]:
        """One thing that this organisation offers."""
        if catalogue is None:
            raise no_catalogue()
        if folder not in _KINDS:
            raise not_there()
        entry = catalogue.entry(_KINDS[folder], name)
        if not entry.published:
            raise not_there()
        form = request.query_params.get("as")
        if form in _FORMS:
            kind, media = _FORMS[form]
            return _data((await catalogue.one(kind, entry.kind, entry.name)).content, media)
        services = {each.name for each in catalogue.entries() if each.published and each.kind == "service"}
        return page(
            request, "catalogue/one.html", entry=entry, view=view_of(entry), kinds=KINDS, plurals=PLURALS, rights=_RIGHTS,
            here=f"/catalogue/{folder}/{quote(name, safe='')}", reached=entry.service in services, is_web=is_web,
            owner=str.__str__(catalogue.of.oin), own=visitor is not None and visitor.audience == "staff",
            agreement=agreement_of(terms, visitor, catalogue.of.oin, entry.iri, offered_terms(entry.terms)),
        )  # fmt: skip

    @get("/catalogue/of/{owner:str}")
    async def others(
        visitor: SignedIn | None, request: Request[Any, Any, Any], owner: Annotated[str, PathParameter()]
    ) -> Response[bytes]:
        """One thing that another organisation offers, as its catalogue said when it was read."""
        iri = (request.query_params.get("entry") or "")[:LONGEST_ADDRESS]
        async with some:
            found = await asyncio.to_thread(harvester.entry, owner, iri) if harvester else None
        if found is None:
            raise not_there()
        harvest, entry = found
        name = entry.iri.rpartition("/")[2]
        staff = visitor is not None and visitor.audience == "staff"
        requests = staff and visitor is not None and not {*REQUESTERS}.isdisjoint(visitor.roles)
        asked = {
            "peer": str.__str__(harvest.peer),
            **({"service": unquote(name)} if entry.kind == "service" else {}),
        }
        contracts = f"/contracts/new?{urlencode(asked)}" if requests else ""
        return page(
            request, "catalogue/other.html", entry=entry, harvest=harvest, kinds=KINDS, plurals=PLURALS, rights=_RIGHTS,
            themes=THEMES, is_web=is_web,
            documented=name if entry.openapi == f"{entry.iri}/openapi" else "", contracts=contracts, staff=staff,
            agreement=agreement_of(terms, visitor, harvest.peer, entry.iri, entry.terms),
        )  # fmt: skip

    return [listed, one, others]


def asked_in(pairs: Iterable[tuple[str, str]]) -> tuple[Asked, int]:
    """What an address asks for, and the number of the page; whatever is unknown in it counts as not asked."""
    given: dict[str, list[str]] = {}
    for name, value in pairs:
        given.setdefault(name, []).append(value)
    text = " ".join((given.get("q") or [""])[-1].split())[:LONGEST]
    chosen: dict[Facet, frozenset[str]] = {
        facet: frozenset([value for value in given.get(facet, []) if _known(facet, value)][:_MOST_VALUES])
        for facet in FACETS
    }
    number = (given.get("page") or [""])[-1]
    at = int(number) if number.isascii() and number.isdecimal() and len(number) <= 6 else 1
    order = (given.get("sort") or [""])[-1]
    known: Order = order if order in ORDERS else "relevance"
    return Asked(text, chosen, known), min(max(at, 1), MOST)


def around(page: int, pages: int) -> tuple[int, ...]:
    """The pages that one can go to from here: the first, the last, and those beside it."""
    return tuple(sorted({one for one in (1, page - 1, page, page + 1, pages) if 1 <= one <= pages}))


def groups(asked: Asked, finds: Finds) -> tuple[Group, ...]:
    """The facets by which what was found can be made less; those in which there is something to choose."""
    made = []
    for facet in FACETS:
        counts: Sequence[Count] = getattr(finds.facets, facet)
        chosen = asked.chosen.get(facet, frozenset())
        choices = tuple(
            Choice(one.title, one.count, one.value in chosen, asked.turned(facet, one.value).address())
            for one in counts
        )
        if len(choices) > 1 or chosen:
            made.append(Group(facet, _FACETS[facet], choices))
    return tuple(made)


def place(one: Hit, catalogue: Catalogue | None) -> str:
    """The address of the page about something that was found."""
    if catalogue is not None and one.owner == catalogue.of.oin:
        return f"/catalogue/{FOLDERS[one.kind]}/{one.iri.rpartition('/')[2]}"
    return f"/catalogue/of/{str.__str__(one.owner)}?{urlencode({'entry': one.iri})}"


def _known(facet: Facet, value: str) -> bool:
    known: Mapping[Facet, Iterable[str]] = {"kind": KINDS, "theme": THEMES, "access": ACCESS_RIGHTS}
    if facet in known:
        return value in known[facet]
    return len(value) == 20 and value.isascii() and value.isdecimal()


def _data(content: bytes, media: str) -> Response[bytes]:
    """What programs read, at the address of the page."""
    return Response(content, media_type=media)

"""The catalogue over HTTP: for anybody, as DCAT-AP-NL in the form that is asked for (RFC 9110 §12.5.1), with a tag by which a
harvester sees that nothing changed (§8.8.3); and for the organisation's own people every entry, also what is not published.
"""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter, QueryParameter

from sluis.catalogue.codes import AccessRights, Theme
from sluis.catalogue.finding import Finder
from sluis.catalogue.harvesting import Harvester
from sluis.catalogue.listing import LONGEST, MOST, Facet, Finds, Order
from sluis.catalogue.model import FOLDERS, Entry, Form, Harvest, Kind
from sluis.catalogue.service import Catalogue, Written, no_catalogue, not_there
from sluis.kernel import Invalid, PeerId, Refused, Text
from sluis.policy import CHANGE_GROUP, GROUP, Resource, takes_role
from sluis.web import Gate, Person, header

FORMS: dict[str, Form] = {
    "application/ld+json": "json-ld",
    "text/turtle": "turtle",
    "application/json": "json-ld",
}
"""Media types that are given, the first where nothing is preferred."""

_TAGS = ["catalogus"]
_MOST = 50  # values of one facet
_KINDS: dict[str, Kind] = {folder: kind for kind, folder in FOLDERS.items()}


class NotGiven(Invalid):
    """No form in which it is there is one that was asked for (RFC 9110 §15.5.7)."""

    status = 406


def routes(catalogue: Catalogue | None, pages: str = "") -> list[HTTPRouteHandler]:
    """The routes for anybody.

    Args:
        catalogue: None where there is none.
        pages: the path below which people read the same: who wants a page rather than data is sent there, for the address of an
            entry is what catalogues of others link to. Empty where there are no pages.
    """

    @get(
        "/catalogue",
        opt={"open": True},
        media_type="application/ld+json",
        summary="De catalogus",
        tags=_TAGS,
        response_description="DCAT-AP-NL 3.0, als JSON-LD of Turtle.",
    )
    async def whole(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Wat deze organisatie aanbiedt: datasets, diensten en gebeurtenistypen."""
        if pages and wants_page(header(request.scope, b"accept")):
            return _to_page(pages)
        kind = _preferred(request)
        return _answer(request, await _there(catalogue).whole(FORMS[kind]), kind)

    @get(
        "/catalogue/{folder:str}/{name:str}",
        opt={"open": True},
        media_type="application/ld+json",
        summary="Eén ding uit de catalogus",
        tags=_TAGS,
        response_description="DCAT-AP-NL 3.0, als JSON-LD of Turtle.",
    )
    async def one(
        request: Request[Any, Any, Any],
        folder: Annotated[str, PathParameter()],
        name: Annotated[str, PathParameter()],
    ) -> Response[bytes]:
        """Een dataset, dienst of gebeurtenistype."""
        if folder not in _KINDS:
            raise not_there()
        if pages and wants_page(header(request.scope, b"accept")):
            return _to_page(f"{pages}/{folder}/{quote(name, safe='')}")
        kind = _preferred(request)
        return _answer(request, await _there(catalogue).one(FORMS[kind], _KINDS[folder], name), kind)

    return [whole, one]


def search_routes(finder: Finder) -> list[HTTPRouteHandler]:
    """The route by which anybody searches."""

    @get(
        "/catalogue/search",
        opt={"open": True},
        summary="Zoek in de catalogus",
        tags=_TAGS,
        response_description="Een bladzijde van wat gevonden is, en per facet hoeveel.",
    )
    async def search(
        q: Annotated[
            str,
            QueryParameter(
                max_length=LONGEST, description="Woorden, Nederlands of Engels; zonder is het alles."
            ),
        ] = "",
        kind: Annotated[list[Kind] | None, QueryParameter(description="Soorten.", max_items=_MOST)] = None,
        owner: Annotated[
            list[PeerId] | None, QueryParameter(description="OIN's van organisaties.", max_items=_MOST)
        ] = None,
        theme: Annotated[
            list[Theme] | None, QueryParameter(description="Codes van de lijst Data Theme.", max_items=_MOST)
        ] = None,
        access: Annotated[
            list[AccessRights] | None, QueryParameter(description="Hoe open het is.", max_items=_MOST)
        ] = None,
        page: Annotated[int, QueryParameter(ge=1, le=MOST, description="Bladzijde, vanaf 1.")] = 1,
        sort: Annotated[Order, QueryParameter(description="In welke volgorde.")] = "relevance",
    ) -> Finds:
        """Wat deze organisatie en de andere in haar groep publiceren. Alle woorden moeten voorkomen; vormen van een woord,
        samenstellingen en typefouten tellen mee. Van één facet mag meer dan één waarde gekozen zijn."""
        chosen: dict[Facet, frozenset[str]] = {
            "kind": frozenset(kind or ()),
            "owner": frozenset(map(str.__str__, owner or ())),
            "theme": frozenset(theme or ()),
            "access": frozenset(access or ()),
        }
        return await finder.search(q, chosen, page, sort)

    return [search]


def official_routes(catalogue: Catalogue | None) -> list[HTTPRouteHandler]:
    """The route for the organisation's own people."""

    @get(
        "/catalogue/entries",
        summary="Alles wat deze organisatie aanbiedt",
        tags=_TAGS,
        response_description="Ook wat anderen niet mogen kennen.",
    )
    async def entries(person: Person) -> list[Entry]:
        return list(_there(catalogue).entries())

    return [entries]


def harvest_routes(harvester: Harvester | None, gate: Gate, own: PeerId) -> list[HTTPRouteHandler]:
    """The routes about catalogues of others, for the organisation's own people.

    Args:
        harvester: reads and keeps them; None where there is no group.
        gate: asks who may have them read again.
        own: this node.
    """

    async def kept() -> list[Harvest]:
        return await asyncio.to_thread(harvester.found) if harvester else []

    @get(
        "/catalogue/harvests",
        summary="Wat andere organisaties aanbieden",
        tags=_TAGS,
        response_description="Per organisatie haar catalogus, zoals zij het laatst gelezen is.",
    )
    async def harvests(person: Person) -> list[Harvest]:
        return await kept()

    @post(
        "/catalogue/harvests",
        status_code=200,
        summary="Lees de catalogi van andere organisaties nu",
        tags=_TAGS,
        response_description="Per organisatie haar catalogus, en wat er in de weg stond.",
    )
    async def harvest(person: Person) -> list[Harvest]:
        await gate.require(person, CHANGE_GROUP, Resource(GROUP, str.__str__(own)), _not_yours())
        if harvester:
            await harvester.round()
        return await kept()

    return [harvests, harvest]


def _not_yours() -> Refused:
    return Refused(
        "harvest-not-yours",
        Text(
            "U mag de catalogi van anderen niet laten lezen.", "You may not have catalogues of others read."
        ),
        takes_role("fsc-admin"),
        Text("Wacht: het gebeurt elk uur vanzelf.", "Wait: it happens every hour by itself."),
        rule="catalogue-harvesters",
    )


def preferred(accept: str) -> str | None:
    """Of the media types that are given, the one that an `Accept` header wants most; None when it wants none of them."""
    wanted = _wanted(accept)
    if not wanted:
        return next(iter(FORMS))
    best = max(FORMS, key=lambda kind: _quality(wanted, kind))  # of those that are wanted as much, the first
    return best if _quality(wanted, best) > 0 else None


def wants_page(accept: str) -> bool:
    """Whether HTML is named in an `Accept` header, and wanted more than any form in which the catalogue is given."""
    wanted = _wanted(accept)
    return wanted.get("text/html", 0.0) > max(_quality(wanted, kind) for kind in FORMS)


def _wanted(accept: str) -> dict[str, float]:
    return {kind: quality for kind, quality in map(_range, accept.split(",")) if kind}


def _quality(wanted: Mapping[str, float], kind: str) -> float:
    ranges = (kind, f"{kind.partition('/')[0]}/*", "*/*")  # what is named most exactly counts
    return next((wanted[one] for one in ranges if one in wanted), 0.0)


def _to_page(path: str) -> Response[bytes]:
    """See other (RFC 9110 §15.4.4): what is read there is about the same, and is not the same."""
    return Response(b"", status_code=303, headers={"location": path, "vary": "accept"})


def _range(part: str) -> tuple[str, float]:
    kind, *parameters = (one.strip().lower() for one in part.split(";"))
    found = next((one[2:] for one in parameters if one.startswith("q=")), "1")
    try:
        return kind, min(max(float(found), 0.0), 1.0)
    except ValueError:
        return kind, 0.0


def _preferred(request: Request[Any, Any, Any]) -> str:
    kind = preferred(header(request.scope, b"accept"))
    if kind is None:
        raise NotGiven(
            "form-not-given",
            Text("De catalogus is er niet in deze vorm.", "The catalogue is not there in this form."),
            Text("Er is JSON-LD en Turtle.", "There is JSON-LD and Turtle."),
            Text("Vraag om `application/ld+json` of `text/turtle`.", "Ask for `application/ld+json` or `text/turtle`."),
        )  # fmt: skip
    return kind


def _there(catalogue: Catalogue | None) -> Catalogue:
    if catalogue is None:
        raise no_catalogue()
    return catalogue


def _answer(request: Request[Any, Any, Any], found: Written, kind: str) -> Response[bytes]:
    headers = {
        "etag": found.tag,
        "vary": "accept",
        "cache-control": "public, no-cache",  # kept by whom it pleases, asked about each time
        "access-control-allow-origin": "*",
    }
    held = [one.strip().removeprefix("W/") for one in header(request.scope, b"if-none-match").split(",")]
    if found.tag in held or "*" in held:
        return Response(b"", status_code=304, headers=headers, media_type=kind)
    return Response(found.content, headers=headers, media_type=kind)

"""Terms over HTTP and in the portal: peers tell that they accept; officials with the right accept on behalf of their organisation, and
see who accepted what (`read-terms`, `accept-terms`).
"""

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler

from sluis.catalogue.accepting import Accepted
from sluis.catalogue.harvesting import Harvester
from sluis.catalogue.model import FOLDERS, Acceptance, Accepting, Acknowledged, Entry, Offered
from sluis.catalogue.rules import offered_terms
from sluis.catalogue.service import Catalogue, not_there
from sluis.crypto import Peer
from sluis.kernel import Conflict, PeerId, Refused, Text
from sluis.policy import ACCEPT_TERMS, ASK_FOR_ROLE, CATALOGUE, READ_TERMS, Resource, takes_role
from sluis.web import (
    STAFF,
    Cell,
    Column,
    Form,
    Gate,
    Listing,
    Row,
    SignedIn,
    arranged,
    asked_in,
    export,
    page,
    redirect,
    setting_of,
)
from sluis.web import Entry as Link

TERMS_NAVIGATION = Link(
    "/catalogue/terms",
    Text("Voorwaarden", "Terms"),
    ("staff",),
    roles=("fsc-admin", "data-owner", "privacy-officer"),
    section="owner",
)
MAY_ACCEPT = ("fsc-admin", "data-owner")
"""Roles that the button is shown to; who may press it, the decision point says."""

_COLUMNS = (
    Column("organisation", Text("Organisatie", "Organisation"), sort=True, filter=True, foreign=True),
    Column("title", Text("Waarvan", "Of what"), sort=True, filter=True, foreign=True),
    Column("version", Text("Versie", "Version"), sort=True, foreign=True),
    Column("at", Text("Aanvaard", "Accepted"), sort=True, kind="moment"),
    Column("who", Text("Door", "By"), foreign=True),
    Column("state", Text("Stand", "State"), sort=True),
    Column("digest", Text("Kenmerk van de tekst", "Digest of the text")),
)
_RECEIVED = tuple(one for one in _COLUMNS if one.name != "who")
_STATES = {
    "now": Text("Geldt", "In force"),
    "before": Text("Oudere versie", "Earlier version"),
    "untold": Text("Nog niet gemeld aan de bronhouder", "The owner was not told yet"),
    "told": Text("Bekend bij de bronhouder", "Known to the owner"),
    "changed": Text("De voorwaarden zijn intussen anders", "The terms are others by now"),
}


class Agreement(msgspec.Struct, frozen=True):
    """What the page of an entry shows of its terms: `accepted` of this text, `before` the newest of another."""

    terms: Offered
    owner: str
    accepted: Acceptance | None
    before: Acceptance | None
    may: bool
    staff: bool


def agreement_of(
    terms: Accepted | None, person: SignedIn | None, owner: PeerId, iri: str, offered: Offered | None
) -> Agreement | None:
    """What is known of accepting these terms; None where there are none. Who accepted is for officials alone."""
    if offered is None:
        return None
    staff = person is not None and person.audience == "staff"
    given = terms.given(owner, iri) if terms and staff else []
    now = next((one for one in given if one.digest == offered.digest and not one.trouble), None)
    before = next((one for one in given if one.digest != offered.digest or one.trouble), None)
    may = staff and terms is not None and person is not None and not {*MAY_ACCEPT}.isdisjoint(person.roles)
    return Agreement(offered, str.__str__(owner), now, before, may, staff)


def terms_api_routes(terms: Accepted) -> list[HTTPRouteHandler]:
    """The route by which another organisation tells that it accepts terms of this one."""

    @post(
        "/catalogue/terms/acceptances",
        status_code=201,
        summary="Aanvaard voorwaarden van deze organisatie",
        tags=["catalogus"],
        response_description="Het is vastgelegd. Twee keer hetzelfde is één keer.",
    )
    async def accept(data: Accepting, peer: Peer) -> Acknowledged:
        """Namens de organisatie die het vraagt. De voorwaarden zijn die van nu, herkend aan hun kenmerk."""
        return await terms.receive(peer.id, data)

    return [accept]


def terms_routes(
    terms: Accepted, catalogue: Catalogue | None, harvester: Harvester | None, gate: Gate, own: PeerId
) -> list[HTTPRouteHandler]:
    """The pages about terms.

    Args:
        terms: which were accepted.
        catalogue: of this node; None where there is none.
        harvester: keeps those of others; None where there is no group.
        gate: asks who may see and accept.
        own: this node.
    """
    here = Resource(CATALOGUE, str.__str__(own))

    @get("/catalogue/terms", opt=STAFF)
    async def listed(person: SignedIn, request: Request[Any, Any, Any]) -> Response[bytes]:
        """Who accepted terms of this organisation, and what this organisation accepted."""
        await gate.require(person, READ_TERMS, here, not_yours())
        language = setting_of(request).language
        current = {one.iri: offered_terms(one.terms) for one in (catalogue.entries() if catalogue else ())}
        of_others = _table(
            Text("Wie onze voorwaarden aanvaardde", "Who accepted our terms"), _RECEIVED,
            [_received(terms, one, current.get(one.iri)) for one in terms.every("received")], request, "in-", language,
            Text("Nog niemand heeft voorwaarden van deze organisatie aanvaard.", "Nobody accepted terms of this organisation yet."),
        )  # fmt: skip
        of_own = _table(
            Text("Wat wij aanvaardden", "What we accepted"), _COLUMNS,
            [_given(terms, one, own) for one in terms.every("given")], request, "out-", language,
            Text("Deze organisatie heeft nog geen voorwaarden aanvaard. Dat doet u op de pagina van een dataset of dienst.",
                 "This organisation accepted no terms yet. You do so on the page of a dataset or service."),
        )  # fmt: skip
        for one, name in ((of_others, "voorwaarden-van-ons"), (of_own, "voorwaarden-van-anderen")):
            if one.asked.form:
                return await export(one, name, language)
        offered = [
            (one.title, terms_)
            for one in (catalogue.entries() if catalogue else ())
            if (terms_ := current[one.iri])
        ]
        return page(
            request, "catalogue/terms.html", others=of_others, ours=of_own, offered=len(offered),
            required=sum(one.required for _, one in offered),
        )  # fmt: skip

    @post("/catalogue/terms", opt=STAFF)
    async def accept(person: SignedIn, form: Form) -> Response[bytes]:
        """Accept the terms of an entry, in the version that was read, on behalf of this organisation."""
        await gate.require(person, ACCEPT_TERMS, here, not_yours())
        owner, iri = form.get("owner", ""), form.get("entry", "")[:2000]
        title, offered, back = await _read(owner, iri)
        if offered is None or offered.digest != form.get("digest"):
            raise _other_by_now()
        await terms.accept(person.acting.person, person.name or "", PeerId(owner), iri, title, offered)
        await asyncio.wait(
            [asyncio.ensure_future(terms.deliver())], timeout=3
        )  # the owner is told while the page waits, when it can be
        return redirect(back)

    async def _read(owner: str, iri: str) -> tuple[Text, Offered | None, str]:
        """The title, the terms as they are now, and the page."""
        if owner == str.__str__(own):
            entry = _own_entry(catalogue, iri)
            return (
                entry.title,
                offered_terms(entry.terms),
                f"/catalogue/{FOLDERS[entry.kind]}/{iri.rpartition('/')[2]}",
            )
        found = await asyncio.to_thread(harvester.entry, owner, iri) if harvester else None
        if found is None:
            raise not_there()
        return found[1].title, found[1].terms, f"/catalogue/of/{owner}?{urlencode({'entry': iri})}"

    return [listed, accept]


def _own_entry(catalogue: Catalogue | None, iri: str) -> Entry:
    for one in catalogue.entries() if catalogue else ():
        if one.iri == iri and one.published:
            return one
    raise not_there()


def _table(
    caption: Text,
    columns: Sequence[Column],
    rows: Sequence[Row],
    request: Request[Any, Any, Any],
    prefix: str,
    language: str,
    nothing: Text,
) -> Listing:
    asked = asked_in(request, columns, prefix=prefix, sort="-at")
    return arranged(caption, columns, rows, asked, language, exports=True, nothing=nothing)


def _received(terms: Accepted, one: Acceptance, now: Offered | None) -> Row:
    state = "now" if now is not None and now.digest == one.digest else "before"
    shown = Cell(_STATES[state], tone="ok" if state == "now" else "plain")
    return Row((terms.name(one.peer), one.title, one.version, one.at // 1000, shown, one.digest[:12]))


def _given(terms: Accepted, one: Acceptance, own: PeerId) -> Row:
    state = "changed" if one.trouble else "told" if one.told else "untold"
    tone: Any = {"changed": "warning", "told": "ok", "untold": "plain"}[state]
    if one.peer == own:
        href = ""
    else:
        href = f"/catalogue/of/{str.__str__(one.peer)}?{urlencode({'entry': one.iri})}"
    return Row((
        terms.name(one.peer), Cell(one.title, href=href), one.version, one.at // 1000, one.who, Cell(_STATES[state], tone=tone),
        one.digest[:12],
    ))  # fmt: skip


def not_yours() -> Refused:
    """Who may not see or accept terms for this organisation."""
    return Refused(
        "terms-not-yours",
        Text("U mag geen voorwaarden aanvaarden of zien voor uw organisatie.", "You may not accept or see terms for your organisation."),
        takes_role("fsc-admin", "data-owner", looks=["privacy-officer"]),
        ASK_FOR_ROLE,
        rule="terms-accepters",
    )  # fmt: skip


def _other_by_now() -> Conflict:
    return Conflict(
        "terms-changed",
        Text("Deze voorwaarden zijn intussen anders.", "These terms are others by now."),
        Text("Ze zijn gewijzigd nadat u ze las. Er is niets aanvaard.", "They changed after you read them. Nothing was accepted."),
        Text("Ga terug, lees de nieuwe versie, en aanvaard die.", "Go back, read the new version, and accept that."),
    )  # fmt: skip

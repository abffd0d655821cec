"""The document of a service, for programs and for people, and the form to try it out (`try-service`)."""

from typing import Annotated, Any
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import PathParameter

from sluis.catalogue.accepting import Accepted
from sluis.catalogue.openapi import Document
from sluis.catalogue.service import Catalogue, not_there
from sluis.catalogue.trying import Trying, no_document
from sluis.kernel import PeerId, Problem, Refused, Text
from sluis.policy import ASK_FOR_ROLE, CATALOGUE, TRY_SERVICE, Resource, takes_role
from sluis.web import STAFF, Form, Gate, SignedIn, page

MAY_TRY = ("fsc-admin", "data-owner", "developer")
"""Roles that the form is shown to; who may send it, the decision point says."""


def document_routes(trying: Trying, catalogue: Catalogue | None) -> list[HTTPRouteHandler]:
    """The route for programs: what stands there is what the organisation wrote."""

    @get(
        "/catalogue/services/{name:str}/openapi",
        opt={"open": True},
        summary="Het OpenAPI-document van een dienst",
        tags=["catalogus"],
        response_description="Zoals de organisatie het schreef, als JSON.",
    )
    async def document(name: Annotated[str, PathParameter(max_length=200)]) -> Response[bytes]:
        """Van een dienst die gepubliceerd is."""
        raw = (
            trying.raw(name) if catalogue is not None and catalogue.entry("service", name).published else None
        )
        if raw is None:
            raise no_document()
        return Response(raw, media_type="application/json", headers={"access-control-allow-origin": "*"})

    return [document]


def api_page_routes(
    trying: Trying, catalogue: Catalogue | None, terms: Accepted, gate: Gate, own: PeerId
) -> list[HTTPRouteHandler]:
    """The pages.

    Args:
        trying: has the documents, and sends.
        catalogue: of this node; None where there is none.
        terms: knows what organisations are called.
        gate: asks who may try.
        own: this node.
    """

    async def found(owner: str, name: str) -> tuple[PeerId, Document]:
        if owner == str.__str__(own):
            if catalogue is None or not catalogue.entry("service", name).published:
                raise not_there()
            document = await trying.own(name)
            if document is None:
                raise no_document()
            return own, document
        peer = next((one for one in terms.peers() if str.__str__(one) == owner), None)
        if peer is None:
            raise not_there()
        return peer, await trying.document(peer, name)

    def shown(
        request: Request[Any, Any, Any],
        visitor: SignedIn | None,
        peer: PeerId,
        name: str,
        document: Document,
        **more: Any,
    ) -> Response[bytes]:
        staff = (
            visitor is not None and visitor.audience == "staff" and not {*MAY_TRY}.isdisjoint(visitor.roles)
        )
        given: dict[str, Any] = {"sent": None, "tried": None, "problem": None, "filled": {}, **more}
        return page(
            request, "catalogue/api.html", document=document, owner=str.__str__(peer), organisation=terms.name(peer), service=name,
            staff=staff, barred=trying.may(document, peer, name), here=f"/catalogue/api/{peer!s}/{quote(name, safe='')}", **given,
        )  # fmt: skip

    @get("/catalogue/api/{owner:str}/{name:str}")
    async def read(
        visitor: SignedIn | None, request: Request[Any, Any, Any], owner: Annotated[str, PathParameter()],
        name: Annotated[str, PathParameter(max_length=200)],
    ) -> Response[bytes]:  # fmt: skip
        """What a service can do."""
        peer, document = await found(owner, name)
        return shown(request, visitor, peer, name, document)

    @post("/catalogue/api/{owner:str}/{name:str}", opt=STAFF, status_code=200)
    async def attempt(
        person: SignedIn, request: Request[Any, Any, Any], form: Form, owner: Annotated[str, PathParameter()],
        name: Annotated[str, PathParameter(max_length=200)],
    ) -> Response[bytes]:  # fmt: skip
        """Send a request that the document describes, and show what comes back."""
        peer, document = await found(owner, name)
        await gate.require(person, TRY_SERVICE, Resource(CATALOGUE, str.__str__(own)), not_yours())
        operation, tried, problem = form.get("operation", ""), None, None
        try:
            tried = await trying.send(peer, name, document, operation, form)
        except Problem as failure:
            problem = failure
        return shown(
            request,
            person,
            peer,
            name,
            document,
            sent=operation,
            tried=tried,
            problem=problem,
            filled=dict(form),
        )

    return [read, attempt]


def not_yours() -> Refused:
    """Who may not try services out."""
    return Refused(
        "trying-not-yours",
        Text("U mag hier geen diensten proberen.", "You may not try services out here."),
        takes_role("fsc-admin", "data-owner", "developer"),
        ASK_FOR_ROLE,
        rule="service-triers",
    )  # fmt: skip

"""The API of a node as a whole: which routes it has, and what its document says of it."""

from typing import Any
from urllib.parse import urlsplit

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from msgspec import structs

from sluis import catalogue, disclose, gateway, oversight, query, rights
from sluis.config import Config
from sluis.crypto import Peer
from sluis.events import doctor, interests, publishing, standing, subscriptions
from sluis.identity import access, looked, passkeys, people
from sluis.kernel import Invalid, PeerId, Refused, Text
from sluis.ledger import Allowed, Authorise, base_origin, log_routes, reading_routes
from sluis.policy import ASK_FOR_ROLE, LOG, READ_LOG, Resource, call_routes, takes_role
from sluis.serve.deciding import DECIDING, PUBLISHING, by_socket
from sluis.serve.events import event_routes
from sluis.serve.parts import Parts
from sluis.usage import usage_routes
from sluis.web import About, Access, Api, Gate, Person, identified, make_api


def published() -> Api:
    """The API of any node, for its document alone: no room behind it."""
    nobody = Access([], lambda user: None)
    nothing: Any = None
    routes = [
        *gateway.routes(str),
        *catalogue.routes(nothing),
        *catalogue.search_routes(nothing),
        *catalogue.official_routes(nothing),
        *catalogue.harvest_routes(nothing, nothing, nothing),
        *catalogue.terms_api_routes(nothing),
        *catalogue.document_routes(nothing, nothing),
        *usage_routes(nothing, nothing, nothing),
        *query.routes(nothing),
        *disclose.routes(nothing),
        *access.routes(nothing, nothing, nothing),
        *people.routes(nothing, nothing, nothing, nothing),
        *passkeys.desk_routes(nothing, nothing, nothing, nothing),
        *interests.routes(nothing, nothing, nothing),
        *interests.official_routes(nothing, nothing, nothing),
        *standing.routes(nothing),
        *standing.official_routes(nothing, nothing, nothing),
        *rights.routes(nothing),
        *subscriptions.routes(nothing, nothing, nothing, nothing, nothing),
        *publishing.routes(nothing, nothing, counted=True),
        *publishing.official_routes(nothing, nothing, nothing),
        *doctor.routes(nothing, nothing, nothing, nothing, nothing, nothing, nothing),
        *gateway.group_routes(nothing, nothing, nothing),
        *oversight.diagnosis_routes(nothing, nothing),
    ]
    return make_api(routes, nobody, _about("Sluis-knooppunt", "https://node.example"))


def about(config: Config) -> About:
    """What a node's API document says of it."""
    return _about(config.node.name, config.node.url)


def portal_about(config: Config) -> About:
    """What the document of the API behind the portal says of it."""
    return structs.replace(about(config), url=str(config.portal.address).rstrip("/"), by_token=True)


def _about(name: str, url: str) -> About:
    # Every domain that takes mail has a postmaster (RFC 5321 §4.5.1), so the contact needs no setting of its own.
    return About(f"Sluis: {name}", url.rstrip("/"), name, f"postmaster@{urlsplit(url).hostname}", url)


def routes(parts: Parts) -> list[HTTPRouteHandler]:
    """Every route of a node with these rooms."""
    gate, own = Gate(parts.point), parts.certificate.identity.peer.id
    known = None if parts.identity is None else parts.identity.representing.people
    return [
        *gateway.routes(parts.card),
        *catalogue.routes(parts.catalogue),
        *catalogue.search_routes(parts.finder),
        *catalogue.official_routes(parts.catalogue),
        *catalogue.harvest_routes(parts.harvester, gate, own),
        *catalogue.terms_api_routes(parts.terms),
        *catalogue.document_routes(parts.trying, parts.catalogue),
        *usage_routes(parts.usage, gate, own),
        *query.routes(parts.asker),
        *disclose.routes(parts.discloser),
        *access.routes(parts.accesses, gate, own),
        *(people.routes(known, gate, own, parts.whom) if known else ()),
        *_desk(parts, gate, own),
        *event_routes(
            parts.events,
            gate,
            parts.certificate.identity.peer.id,
            by_socket(PUBLISHING, parts.access, parts.refusals.record),
            parts.refusals.record,
        ),
        *standing.routes(parts.standing),
        *standing.official_routes(parts.placer, gate, own),
        *rights.routes(parts.rights),
        *log_routes(parts.ledger, parts.witness, parts.overlook),
        *reading_routes(parts.ledger, readers(parts)),
        *call_routes(parts.point, by_socket(DECIDING, parts.access, parts.refusals.record)),
        *(looked.routes(parts.looking.keys) if parts.looking else ()),
        *(gateway.group_routes(parts.operator, gate, own) if parts.operator else ()),
        *oversight.diagnosis_routes(parts.oversight, gate),
    ]


def _desk(parts: Parts, gate: Gate, own: PeerId) -> list[HTTPRouteHandler]:
    """The operator's passkeys, where staff have any."""
    rooms = parts.identity
    if rooms is None or rooms.passkeys is None:
        return []
    return passkeys.desk_routes(rooms.passkeys, rooms.sessions, gate, own)


def readers(parts: Parts) -> Authorise:
    """Who reads the log over the node's own listeners: officials who may read all of it, and for a person another
    organisation that brings an assertion about them. It reads the trace that it follows, and no more: whoever relays it
    could keep it."""
    official = officials(parts)

    async def allowed(request: Request[Any, Any, Any], traced: bool) -> Allowed:
        if not isinstance(identified(request.scope), Peer):
            return await official(request, traced)
        kind, _, assertion = request.headers.get("authorization", "").partition(" ")
        if parts.looking is None or kind.lower() != "bearer":
            raise _not_yours()
        if not traced:
            raise _no_trace()
        whom = await parts.looking.trusted.person(assertion.strip())
        return frozenset(parts.ledger.subjects(*whom))

    return allowed


def officials(parts: Parts) -> Authorise:
    """Who reads the log as an official of this organisation: who may read all of it, as the decision point says."""
    gate, log = Gate(parts.point), Resource(LOG, base_origin(parts.ledger.origin))

    async def may_read(request: Request[Any, Any, Any], traced: bool) -> Allowed:
        caller = identified(request.scope)
        if not isinstance(caller, Person):
            raise _not_yours()
        await gate.require(caller, READ_LOG, log, _not_yours())
        return "all"

    return may_read


def _not_yours() -> Refused:
    return Refused(
        "log-not-yours",
        Text("U mag deze logregels niet lezen.", "You may not read these log lines."),
        takes_role("privacy-officer"),
        ASK_FOR_ROLE,
        rule="log-readers",
    )


def _no_trace() -> Invalid:
    return Invalid(
        "trace-required",
        Text("Deze zoekvraag noemt geen trace.", "This search names no trace."),
        Text(
            "Een andere organisatie leest voor een betrokkene alleen de trace die zij volgt.",
            "For a data subject another organisation reads only the trace that it follows.",
        ),
        Text("Noem een traceId.", "Name a traceId."),
    )

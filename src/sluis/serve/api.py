"""The API of a node as a whole: which routes it has, and what its document says of it."""

from typing import Any, Literal
from urllib.parse import urlsplit

from litestar import Request
from litestar.handlers import HTTPRouteHandler

from sluis import disclose, gateway, query
from sluis.config import Config
from sluis.crypto import Peer
from sluis.identity import access, looked
from sluis.kernel import Invalid, Refused, Text
from sluis.ledger import Allowed, Authorise, log_routes, reading_routes
from sluis.serve.parts import Parts
from sluis.web import About, Access, Api, Person, identified, make_api

PRIVACY_OFFICER = "privacy-officer"
"""The role, in `people` of the settings, of who may read all processing records over the unix socket."""


def published() -> Api:
    """The API of any node, for its document alone: no room behind it."""
    nobody = Access([], lambda user: None)
    nothing: Any = None
    routes = [
        *gateway.routes(str),
        *query.routes(nothing),
        *disclose.routes(nothing),
        *access.routes(nothing),
        *gateway.group_routes(nothing),
    ]
    return make_api(routes, nobody, _about("Sluis-knooppunt", "https://node.example"))


def about(config: Config) -> About:
    """What a node's API document says of it."""
    return _about(config.node.name, config.node.url)


def _about(name: str, url: str) -> About:
    # Every domain that takes mail has a postmaster (RFC 5321 §4.5.1), so the contact needs no setting of its own.
    return About(f"Sluis: {name}", url.rstrip("/"), name, f"postmaster@{urlsplit(url).hostname}", url)


def routes(parts: Parts) -> list[HTTPRouteHandler]:
    """Every route of a node with these rooms."""
    return [
        *gateway.routes(parts.card),
        *query.routes(parts.asker),
        *disclose.routes(parts.discloser),
        *access.routes(parts.accesses),
        *log_routes(parts.ledger, parts.witness),
        *reading_routes(parts.ledger, readers(parts)),
        *(looked.routes(parts.looking.keys) if parts.looking else ()),
        *(gateway.group_routes(parts.operator) if parts.operator else ()),
    ]


def readers(parts: Parts) -> Authorise:
    """Who reads the log over the node's own listeners: officials, and for a person another organisation that brings an
    assertion about them. It reads the trace that it follows, and no more: whoever relays it could keep it."""

    async def allowed(request: Request[Any, Any, Any], traced: bool) -> Allowed:
        if not isinstance(identified(request.scope), Peer):
            return await may_read(request, traced)
        kind, _, assertion = request.headers.get("authorization", "").partition(" ")
        if parts.looking is None or kind.lower() != "bearer":
            return await may_read(request, traced)
        if not traced:
            raise _no_trace()
        whom = await parts.looking.trusted.person(assertion.strip())
        return frozenset(parts.ledger.subjects(*whom))

    return allowed


async def may_read(request: Request[Any, Any, Any], traced: bool) -> Literal["all"]:
    """Who reads the log as an official of this organisation: its privacy officer."""
    caller = identified(request.scope)
    if isinstance(caller, Person) and PRIVACY_OFFICER in caller.roles:
        return "all"
    raise Refused(
        "log-not-yours",
        Text("U mag deze logregels niet lezen.", "You may not read these log lines."),
        Text(
            f"Alleen wie de rol {PRIVACY_OFFICER} heeft, leest het logboek van dit knooppunt.",
            f"Only who has the role {PRIVACY_OFFICER} reads the log of this node.",
        ),
        Text("Vraag het de privacyfunctionaris.", "Ask the privacy officer."),
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

"""The API of a node as a whole: which routes it has, and what its document says of it."""

from typing import Any, Literal
from urllib.parse import urlsplit

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from msgspec import structs

from sluis import disclose, gateway, query
from sluis.config import Config
from sluis.kernel import Refused, Text
from sluis.ledger import Authorise, base_origin, log_routes, reading_routes
from sluis.policy import LOG, READ_LOG, Resource
from sluis.serve.parts import Parts
from sluis.web import About, Access, Api, Gate, Person, identified, make_api


def published() -> Api:
    """The API of any node, for its document alone: no room behind it."""
    nobody = Access([], lambda user: None)
    nothing: Any = None
    routes = [
        *gateway.routes(str),
        *query.routes(nothing),
        *disclose.routes(nothing),
        *gateway.group_routes(nothing, nothing, nothing),
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
    gate = Gate(parts.point)
    return [
        *gateway.routes(parts.card),
        *query.routes(parts.asker),
        *disclose.routes(parts.discloser),
        *log_routes(parts.ledger, parts.witness),
        *reading_routes(parts.ledger, readers(parts)),
        *(
            gateway.group_routes(parts.operator, gate, parts.certificate.identity.peer.id)
            if parts.operator
            else ()
        ),
    ]


def readers(parts: Parts) -> Authorise:
    """Who reads the log over HTTP: until people sign in as themselves, only who may read all of it."""
    gate, log = Gate(parts.point), Resource(LOG, base_origin(parts.ledger.origin))

    async def may_read(request: Request[Any, Any, Any]) -> Literal["all"]:
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
        Text(
            "Alleen wie de rol privacy-officer heeft, leest het logboek van dit knooppunt.",
            "Only who has the role privacy-officer reads the log of this node.",
        ),
        Text("Vraag het de privacyfunctionaris.", "Ask the privacy officer."),
        rule="log-readers",
    )

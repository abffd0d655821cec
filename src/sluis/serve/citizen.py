"""What a data subject does at a node's portal: see who looked at their data, and give and take access to it; in a browser,
or with a program that brings their access token."""

from typing import Any

from litestar import Request
from litestar.handlers import HTTPRouteHandler

from sluis.identity import access, looked
from sluis.identity.provider import MESSAGES, OWN_LOG
from sluis.identity.sessions import Sessions
from sluis.kernel import Refused, Text
from sluis.ledger import Allowed, Authorise, base_origin
from sluis.policy import LOG, READ_OWN_LINES, Resource
from sluis.serve.api import officials
from sluis.serve.parts import Parts
from sluis.serve.people import Representing
from sluis.web import Entry, Gate, SignedIn, TokenAccess, identified, keep_caller

NAVIGATION: tuple[Entry, ...] = (*looked.NAVIGATION, *access.NAVIGATION)
"""What the layout shows of these pages."""


def citizen_routes(parts: Parts, representing: Representing) -> list[HTTPRouteHandler]:
    """The pages of a node for data subjects."""
    looking = parts.looking
    pages = access.page_routes(parts.accesses, representing.whose)
    if looking is None:
        return pages
    return [*looked.page_routes(looking.over, representing.whose, looking.asserting), *pages]


class ReadingAccess(TokenAccess):
    """As its parent, and a data subject too, where a route serves more than officials: with a token of their own that was
    given for this. One that a portal got to learn who somebody is, does not open their log lines to that portal."""

    def _identify(self, scope: Any, callers: Any) -> None:
        if callers == "both":
            known = self.signed_in(scope)
            if known.audience != "staff" and {OWN_LOG, MESSAGES} & {*known.scope}:
                keep_caller(scope, known)
                return
        super()._identify(scope, callers)


def own_lines(parts: Parts, sessions: Sessions) -> Authorise:
    """Who reads the log through the portal: an official who may, and a data subject their own lines."""
    official = officials(parts)
    gate, log = Gate(parts.point), Resource(LOG, base_origin(parts.ledger.origin))

    async def allowed(request: Request[Any, Any, Any], traced: bool) -> Allowed:
        caller = identified(request.scope)
        if not isinstance(caller, SignedIn):
            return await official(request, traced)
        if OWN_LOG not in caller.scope:
            raise _not_for_this()
        await gate.require(caller, READ_OWN_LINES, log, _too_weak())
        return frozenset(parts.ledger.subjects(*sessions.subject(caller.session)))

    return allowed


def _not_for_this() -> Refused:
    return Refused(
        "token-not-for-this",
        Text("U mag dit niet met dit token.", "You may not do this with this token."),
        Text(f"Het token is niet gegeven voor de scope {OWN_LOG}.",
             f"The token was not given for the scope {OWN_LOG}."),
        Text("Vraag een token aan met die scope.", "Request a token with that scope."),
        rule="token-not-for-this",
    )  # fmt: skip


def _too_weak() -> Refused:
    return Refused(
        "sign-in-too-weak",
        Text("U bent te zwak ingelogd.", "You signed in too weakly."),
        Text("Voor uw eigen logregels is een hoger betrouwbaarheidsniveau nodig.",
             "Your own log lines take a higher level of assurance."),
        Text("Log sterker in.", "Sign in more surely."),
    )  # fmt: skip

"""Who calls: a peer that the inway let in, or a local person by the user of the process on the unix socket.

Every route says in its signature whom it serves: `peer: Peer`, `person: Person`, or `caller: Peer | Person`. A route
without any of these must say `opt={"open": True}`, or the app is not built. That happens before a body is read, so
nobody unknown reaches a decoder.
"""

import pwd
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Literal

import msgspec
from litestar import Request
from litestar.exceptions import MethodNotAllowedException

from sluis.crypto import Peer
from sluis.grounds import Purpose
from sluis.kernel import Level, PeerId, Refused, Text, Unidentified
from sluis.web.visitors import SignedIn

Callers = Literal["anyone", "peers", "people", "both", "visitors"]

OnRefusal = Callable[[Refused], Awaitable[None]]

LOCAL = "sluis.local"
"""Key in the ASGI scope's `extensions` of what the kernel says of the other end of the unix socket."""

CROSSED = "sluis.crossed"
"""Key in `extensions` of who an inway let in, and under which contract (`Crossed`). Only this process can set it."""

LINE = "sluis.line"
"""Key in `extensions` of what begins to write the line of a request that an inway let in. Only this process can set it."""

_CALLER = "sluis.caller"


def shown_certificate(extensions: Mapping[str, Any]) -> str | None:
    """The certificate with which a client opened its connection, PEM (ASGI TLS extension 0.2); None when it showed none.

    Args:
        extensions: of the ASGI scope.
    """
    chain = extensions.get("tls", {}).get("client_cert_chain")
    return chain[0] if chain else None


class Crossed(msgspec.Struct, frozen=True):
    """Who came through this node's inway.

    Args:
        peer: by the token, and by the certificate that the token is bound to.
        purpose: of the contract under which it came; None when that has none.
    """

    peer: Peer
    purpose: Purpose | None = None


class Person(msgspec.Struct, frozen=True):
    """A person of this organisation, known by the operating system.

    Args:
        user: the login name.
        person: who that is in this organisation's own administration.
        roles: what the person does here.
        acr: how the person signed in; `local` is the operating system's word.
        level: of assurance; None when the way of signing in has none.
    """

    user: str
    person: str
    roles: tuple[str, ...] = ()
    acr: str = "local"
    level: Level | None = None

    def __repr__(self) -> str:
        return "Person(•)"


class Access:
    """Decides who a connection is.

    Args:
        peers: the peers this node has dealings with.
        people: the person behind a login name, None when there is none.
        on_refusal: told of each refusal before it is answered; for a peer, `refusal.peer` says which.
    """

    def __init__(
        self,
        peers: Collection[PeerId],
        people: Callable[[str], Person | None],
        on_refusal: OnRefusal | None = None,
    ) -> None:
        self._peers, self._people, self._on_refusal = frozenset(peers), people, on_refusal

    def peer(self, scope: Mapping[str, Any]) -> Peer:
        """The peer that the inway let in, or this node itself. Raises `Unidentified`, `Refused`."""
        crossed: Crossed | None = scope["extensions"].get(CROSSED)
        if crossed is None:
            raise _unidentified("peers-only", _PEERS_ONLY)
        if crossed.peer.id not in self._peers:
            raise _refused("unknown-peer", _UNKNOWN_PEER, crossed.peer)
        return crossed.peer

    def person(self, scope: Mapping[str, Any]) -> Person:
        """The person at the other end of the unix socket. Raises `Unidentified`, `Refused`."""
        local = scope["extensions"].get(LOCAL)
        if local is None:
            raise _unidentified("local-only", _LOCAL_ONLY)
        try:
            user = pwd.getpwuid(local["uid"]).pw_name
        except KeyError:
            raise _unidentified("unknown-user", _NO_LOGIN) from None
        person = self._people(user)
        if person is None:
            raise _refused("unknown-person", _UNKNOWN_PERSON)
        return person

    async def identify(self, request: Request[Any, Any, Any]) -> None:
        """Identify the caller as the route asks, and keep it for the route's own use; before the body is read."""
        callers = request.route_handler.opt.get("callers")
        if callers is None:  # the framework's own OPTIONS handlers
            raise MethodNotAllowedException(headers={"allow": methods_at(request)})
        try:
            self._identify(request.scope, callers)
        except Refused as refusal:
            if self._on_refusal is not None:
                await self._on_refusal(refusal)
            raise

    def _identify(self, scope: Any, callers: Callers) -> None:
        if callers == "peers" or (callers == "both" and LOCAL not in scope["extensions"]):
            keep_caller(scope, self.peer(scope))
        elif callers != "anyone":
            keep_caller(scope, self.person(scope))


def methods_at(request: Request[Any, Any, Any]) -> str:
    """Those that the path of a request takes, as `Allow` writes them."""
    template = request.scope["path_template"]
    return ", ".join(
        {method for route in request.app.routes if route.path_format == template for method in route.methods}
    )


def keep_caller(scope: Any, caller: object) -> None:
    """Keep who was identified on this request, for the route's own use."""
    scope[_CALLER] = caller


def identified(scope: Mapping[str, Any]) -> Peer | Person | SignedIn | None:
    """Whom the guard identified on this request; in the portal a `SignedIn`, or None."""
    caller: Peer | Person | SignedIn | None = scope[_CALLER]
    return caller


def purpose_of(scope: Mapping[str, Any]) -> Purpose | None:
    """The purpose of the contract under which a request came; None when that has none, or it did not come through an inway."""
    found: Crossed | None = scope["extensions"].get(CROSSED)
    return None if found is None else found.purpose


def write_line(scope: Mapping[str, Any]) -> None:
    """To be called with the records of a request: the inway's line of it, when it came through one, shares their commit."""
    line = scope["extensions"].get(LINE)
    if line is not None:
        line()


def caller_label(scope: Mapping[str, Any]) -> str:
    """The caller for the access log: a Peer ID, `local`, or `-`. A person is never named."""
    caller = scope.get(_CALLER)
    if isinstance(caller, Peer):
        return str.__str__(caller.id)
    return "-" if caller is None else "local"


_WHO = Text("Wie u bent, is niet vastgesteld.", "Who you are has not been established.")
_MAY_NOT = Text("U mag hier niet bij.", "You may not use this.")

_PEERS_ONLY = (
    Text(
        "Dit is voor andere knooppunten, die via de inway komen.",
        "This is for other nodes, that come through the inway.",
    ),
    Text("Stel uw vraag aan uw eigen knooppunt, met `sluis ask`.", "Ask your own node, with `sluis ask`."),
)
_UNKNOWN_PEER = (
    Text(
        "Dit knooppunt kent uw organisatie niet als partner.",
        "This node does not know your organisation as a peer.",
    ),
    Text(
        "Vraag de beheerder van dit knooppunt om een aansluiting.",
        "Ask the operator of this node for a connection.",
    ),
)
_LOCAL_ONLY = (
    Text(
        "Dit kan alleen op de machine van het knooppunt zelf.",
        "This can only be done on the node's own machine.",
    ),
    Text("Gebruik de unix-socket van het knooppunt.", "Use the node's unix socket."),
)
_NO_LOGIN = (
    Text("Het besturingssysteem kent deze gebruiker niet.", "The operating system does not know this user."),
    Text("Meld u aan met een eigen account.", "Sign in with an account of your own."),
)
_UNKNOWN_PERSON = (
    Text(
        "Uw account staat niet bij de personen van dit knooppunt.",
        "Your account is not among this node's people.",
    ),
    Text("Vraag de beheerder om u toe te voegen.", "Ask the operator to add you."),
)


def _unidentified(code: str, because: tuple[Text, Text]) -> Unidentified:
    return Unidentified(code, _WHO, *because)


def _refused(code: str, because: tuple[Text, Text], peer: Peer | None = None) -> Refused:
    return Refused(code, _MAY_NOT, *because, rule=code, peer=str.__str__(peer.id) if peer else None)

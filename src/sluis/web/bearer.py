"""Access tokens at the API behind the portal: who a program comes for (RFC 6750; bound to a certificate, RFC 8705).

A cookie opens nothing here, so that no page of another site can ask in somebody's name. Neither does a token that a portal
got to learn who somebody is: it must have been given for this (`API_SCOPE`).
"""

import ssl
from collections.abc import Mapping
from typing import Any

from litestar.types import Message, Scope, Send

from sluis.crypto import Peer, certificate_thumbprint
from sluis.kernel import Refused, Text, Unidentified
from sluis.web.access import Access, Callers, OnRefusal, Person, keep_caller, shown_certificate
from sluis.web.short import header
from sluis.web.visitors import SignedIn, Visitors

API_SCOPE = "api"
"""What an access token must have been given for, to do with it what its official may do at this API (OAuth 2.0, 3.3)."""


def token_of(scope: Mapping[str, Any]) -> str:
    """The access token that came with a request (RFC 6750, 2.1). Raises `Unidentified` when none did."""
    kind, _, token = header(scope, b"authorization").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise _no_token(_TOKEN_MISSING)
    return token.strip()


class TokenAccess(Access):
    """Who calls the API through the portal: an official of this organisation, with an access token (RFC 6750, in a header).

    Args:
        visitors: who is behind a token.
        on_refusal: told of each refusal before it is answered.
    """

    def __init__(self, visitors: Visitors, on_refusal: OnRefusal | None = None) -> None:
        super().__init__([], lambda user: None, on_refusal)
        self._visitors = visitors

    def peer(self, scope: Mapping[str, Any]) -> Peer:
        """Nobody: peers come through the inway. Raises `Unidentified`."""
        return super().peer({"extensions": {}})

    def person(self, scope: Mapping[str, Any]) -> Person:
        """The person of the token. Raises `Unidentified`, `Refused`."""
        signed_in = self.signed_in(scope)
        if signed_in.audience != "staff":
            raise _officials_only()
        if API_SCOPE not in signed_in.scope:
            raise _not_given_for_this()
        return Person("", signed_in.acting.person, signed_in.roles, signed_in.acr, signed_in.level)

    def signed_in(self, scope: Mapping[str, Any]) -> SignedIn:
        """Whoever is behind the token that came, over the connection that it is bound to. Raises `Unidentified`."""
        signed_in = self._visitors.by_token(token_of(scope), thumbprint_of(scope))
        if signed_in is None:
            raise _no_token(_TOKEN_INVALID)
        return signed_in

    def _identify(self, scope: Any, callers: Callers) -> None:
        if callers == "peers":
            keep_caller(scope, self.peer(scope))
        elif callers != "anyone":
            keep_caller(scope, self.person(scope))


async def challenging(scope: Scope, send: Send, message: Message) -> None:
    """Say with a 401 how one identifies oneself (RFC 6750 §3)."""
    if message["type"] == "http.response.start" and message["status"] == 401:
        said = b'Bearer error="invalid_token"' if header(scope, b"authorization") else b"Bearer"
        message["headers"] = [*message["headers"], (b"www-authenticate", said)]
    await send(message)


def thumbprint_of(scope: Mapping[str, Any]) -> str | None:
    """Of the client certificate on this connection; None when there is none."""
    shown = shown_certificate(scope["extensions"])
    return None if shown is None else certificate_thumbprint(ssl.PEM_cert_to_DER_cert(shown))


def _officials_only() -> Refused:
    return Refused(
        "officials-only",
        Text("U mag dit niet.", "You may not do this."),
        Text("Alleen medewerkers van deze organisatie stellen hier vragen.",
             "Only officials of this organisation ask questions here."),
        Text("Log in als medewerker.", "Sign in as an official."),
        rule="officials-only",
    )  # fmt: skip


def _not_given_for_this() -> Refused:
    return Refused(
        "token-not-for-this",
        Text("U mag dit niet met dit token.", "You may not do this with this token."),
        Text(f"Het token is niet gegeven voor de scope {API_SCOPE}.", f"The token was not given for the scope {API_SCOPE}."),
        Text("Vraag een token aan met die scope.", "Request a token with that scope."),
        rule="token-not-for-this",
    )  # fmt: skip


_TOKEN_MISSING = (
    Text("Er is geen access token meegestuurd.", "No access token was sent."),
    Text("Vraag een access token aan en stuur het mee in de header Authorization.",
         "Request an access token and send it in the header Authorization."),
)  # fmt: skip
_TOKEN_INVALID = (
    Text("Het access token is verlopen, ingetrokken, of niet voor dit knooppunt.",
         "The access token expired, was revoked, or is not for this node."),
    Text("Vraag een nieuw access token aan.", "Request a new access token."),
)  # fmt: skip


def _no_token(because: tuple[Text, Text]) -> Unidentified:
    who = Text("Wie u bent, is niet vastgesteld.", "Who you are has not been established.")
    return Unidentified("token-needed", who, *because)

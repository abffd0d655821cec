"""Who is behind a page or a token: what the rooms of this node get to know of a person who signed in.

Sessions are kept by `identity`; here stands only what a route is given, and how it is found.
"""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import msgspec

from sluis.kernel import Acting, Level, Refused

Audience = Literal["citizen", "company", "staff"]
"""As whom someone signed in: for themselves, for a company, or as an official of this organisation."""

STAFF: dict[str, Any] = {"audience": ("staff",)}
"""What a route asks (`opt`) that is for officials alone; what more it asks of them, the decision point says."""


class Represents(msgspec.Struct, frozen=True):
    """How somebody represents another at this moment.

    Args:
        properties: for policies; plain values, none of them null.
        refusal: why they may do nothing for the other, any more; None when there is something that they may.
    """

    properties: Mapping[str, Any]
    refusal: Refused | None = None

    def __repr__(self) -> str:
        return "Represents(•)"


class SignedIn(msgspec.Struct, frozen=True):
    """A person with a session.

    Args:
        session: the handle of the session, which is not the secret in the cookie.
        acting: who acts, for whom.
        audience: as whom.
        level: of assurance; None when the way of signing in has none.
        acr: how it was signed in, as in tokens; `basic` and staff directories have names of their own.
        method: the name of the way of signing in, from the settings; `passkey`; or `passport`.
        at: when the person proved who they are, seconds since the epoch.
        name: of the person, for their own pages alone.
        represented: name of the company or person for whom they act, for their own pages alone.
        roles: of an official.
        represents: how they represent the other for whom they act, when this request came; None when it was not found out,
            as for who acts for themselves.
        scope: what an access token was given for; empty of who came with a cookie, which opens no API.
        client: `client_id` of the program that brought the access token; empty of who came with a cookie.
    """

    session: str
    acting: Acting
    audience: Audience
    level: Level | None
    acr: str
    method: str
    at: int
    name: str | None = None
    represented: str | None = None
    roles: tuple[str, ...] = ()
    represents: Represents | None = None
    scope: tuple[str, ...] = ()
    client: str = ""

    def __repr__(self) -> str:
        return "SignedIn(•)"


class Visitors(Protocol):
    """Finds who a request comes from. Guarantee: a session that was ended is not found any more."""

    def by_cookie(self, secret: str) -> SignedIn | None:
        """The person whose browser holds this secret; None when there is no such session, or not any more."""

    def by_token(self, token: str, thumbprint: str | None = None) -> SignedIn | None:
        """The person of an access token for this node; None when it is not valid.

        Args:
            token: as it came in a header.
            thumbprint: of the client certificate on the connection (`crypto.certificate_thumbprint`); a token that is bound
                to another, or to any when there is none, is not valid (RFC 8705 §3).
        """

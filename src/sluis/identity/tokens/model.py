"""What tokens of this node say, once they are believed.

RFC 9068 (access tokens), OpenID Connect Core 1.0 with OIDC-NLGOV 1.0.1 (id tokens), and the assertion that a sign-in
provider makes for one other organisation.
"""

from typing import Any, Literal

import msgspec

ACCESS = "at+jwt"
"""`typ` of an access token (RFC 9068, 2.1)."""

LOGOUT = "logout+jwt"
"""`typ` of a logout token (OpenID Connect Back-Channel Logout 1.0, 2.4)."""

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"  # a name, not an address
"""What a logout token says that happened (the same, 2.4)."""

ASSERTION = "subject-assertion+jwt"
"""`typ` of an assertion about who a person is, for one organisation."""

ID_TOKEN_SECONDS = 300
"""OIDC-NLGOV 1.0.1, 5.1: an id token lasts at most five minutes."""

ACCESS_SECONDS = 300
"""How long an access token lasts."""

ASSERTION_SECONDS = 120
"""How long an assertion lasts; it is used once."""

IdType = Literal["BSN", "Pseudonym", "RSIN", "KvKnr", "OIN"]

ID_TYPES: dict[IdType, str] = {
    kind: f"urn:nl-eid-gdi:1.0:id:{kind}" for kind in ("BSN", "Pseudonym", "RSIN", "KvKnr", "OIN")
}
"""How OIDC-NLGOV 1.0.1 writes what kind of identifier a subject is (`sub_id_type`)."""


class Access(msgspec.Struct, frozen=True):
    """An access token that is good now.

    Args:
        jti: its own name.
        subject: the person's pseudonym in the sector of the audience, or the client itself.
        client: to whom it was given (`azp`).
        audience: for whom it is.
        scope: what it may be used for.
        acr: how the person signed in; None when there is none.
        issued: seconds since the epoch.
        ends: seconds since the epoch.
        thumbprint: of the client certificate that it is bound to (RFC 8705); None when it is bound to none.
        claims: all that it says.
    """

    jti: str
    subject: str
    client: str
    audience: tuple[str, ...]
    scope: tuple[str, ...]
    acr: str | None
    issued: int
    ends: int
    thumbprint: str | None
    claims: dict[str, Any]

    def __repr__(self) -> str:
        return "Access(•)"


class Asserted(msgspec.Struct, frozen=True):
    """Who a person is, as their sign-in provider says to this organisation alone.

    Args:
        issuer: the sign-in provider.
        subject: its pseudonym of the person for this organisation.
        kind: of `value`, such as `BSN`; None when only the pseudonym was told.
        value: the identifier that was encrypted for us; never logged.
        acr: how the person signed in.
        at: when the person proved who they are, seconds since the epoch.
        jti: its own name: whoever reads it spends it (`store.Once`), until `ends`.
        ends: seconds since the epoch.
        purpose: the one thing that it is for, such as the URN of a request; None: reading log lines.
    """

    issuer: str
    subject: str
    kind: IdType | None
    value: str | None
    acr: str
    at: int
    jti: str
    ends: int
    purpose: str | None = None

    def __repr__(self) -> str:
        return "Asserted(•)"


class Standing(msgspec.Struct, frozen=True):
    """What may be done with each key of a ring at one moment; keys go by when they were made.

    Args:
        current: the one that is used.
        kept: those that others still need, `current` among them.
        ended: those to be destroyed.
        due: whether it is time to make a new one.
    """

    current: int
    kept: tuple[int, ...]
    ended: tuple[int, ...]
    due: bool

"""An access token as values (FSC Core 2.0.0, Access token; RFC 7519, RFC 8693 for `act`, RFC 8705 for `cnf`)."""

from typing import Any

import msgspec

from sluis.gateway.forward import Target

SECONDS = 60
"""How long a token is good: where a revocation cannot be told, it bites when the last token ends."""

SKEW = 60
"""Seconds by which the clocks of two peers may differ."""

LONGEST = 16 * 1024
"""Characters of a token; a grant's properties are in it. A longer one is not looked at."""


class Confirmation(msgspec.Struct, frozen=True):
    """The certificate that a token is bound to: its thumbprint (RFC 8705 §3.1)."""

    thumbprint: str = msgspec.field(name="x5t#S256")


class Actor(msgspec.Struct, frozen=True):
    """On whose behalf the outway connects (RFC 8693 §4.1, as FSC uses it)."""

    sub: str


class Claims(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a token says.

    Args:
        gth: hash of the grant it was given for.
        gid: the group.
        sub: Peer ID of the outway.
        iss: Peer ID of who gave it.
        svc: the service.
        aud: URI of the inway, with scheme and port.
        exp: seconds since the epoch; no longer good from then on.
        nbf: seconds since the epoch; not good before.
        cnf: the certificate it is bound to.
        act: the delegator of the connection, when there is one.
        pdi: Peer ID of the delegator of the service, when there is one.
        prp: the grant's properties, when it has any.
        add: whatever else; empty here.
    """

    gth: str
    gid: str
    sub: str
    iss: str
    svc: str
    aud: str
    exp: int
    nbf: int
    cnf: Confirmation
    act: Actor | None = None
    pdi: str | None = None
    prp: dict[str, Any] | None = None
    add: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


class Token(msgspec.Struct, frozen=True):
    """A token that this node got from a provider.

    Args:
        header: the value of `Fsc-Authorization`.
        claims: what it says; the provider's word, as nobody but its own inway has to believe it.
        inway: where it is good.
    """

    header: str
    claims: Claims
    inway: Target

"""Ways of signing in at an OpenID provider of others, what such a provider says of itself, and a sign-in underway."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from sluis.identity.sessions import Established
from sluis.kernel import ACR, LEVELS, Level
from sluis.web import Audience

Fact = Literal["bsn", "kvk", "rsin", "vestiging", "person", "name", "intermediary", "company", "services"]
"""What a claim may tell: who somebody is, for whom they act, through which company, and for which services."""


Officials = Mapping[str, tuple[str, tuple[str, ...]]]
"""Who may sign in with a way for staff: by what the provider calls somebody, the name in the settings and the roles."""


class Method(msgspec.Struct, frozen=True):
    """A way of signing in, as the settings describe it.

    Args:
        name: in the settings, and in the addresses of its routes.
        issuer: of the provider, literally.
        client: what this node is called there.
        audience: who signs in with it.
        title: on the button.
        scopes: to ask for.
        levels: of assurance by `acr`, beside the three of eIDAS.
        claims: in which claim each fact stands; a value that begins with `/` is a JSON pointer (RFC 6901).
        secret_file: holds the client secret; without it this node signs (`private_key_jwt`).
        hosts: that the provider may use besides the issuer's own and those below it.
        authorities: that vouch for its TLS certificate (PEM); empty: those of the system.
    """

    name: str
    issuer: str
    client: str
    audience: Audience
    title: str
    scopes: tuple[str, ...] = ("openid",)
    levels: Mapping[str, Level] = {}
    claims: Mapping[Fact, str] = {}
    secret_file: Path | None = None
    hosts: tuple[str, ...] = ()
    authorities: tuple[Path, ...] = ()

    def level_of(self, acr: object) -> Level | None:
        """The level that an `acr` of this provider means; None when no setting says so."""
        known: dict[str, Level] = {**{name: level for level, name in ACR.items()}, **self.levels}
        return known.get(acr) if isinstance(acr, str) else None

    @property
    def gives(self) -> tuple[Level, ...]:
        """The levels that it can give, from weak to strong."""
        if self.levels:
            return tuple(level for level in LEVELS if level in self.levels.values())
        return () if self.audience == "staff" else tuple(level for level in LEVELS if level in ACR)


class Provider(msgspec.Struct, frozen=True):
    """What an OpenID provider says of itself (OpenID Connect Discovery 1.0, 3), as far as it is of use here."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    authorization_response_iss_parameter_supported: bool = False
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)
    code_challenge_methods_supported: tuple[str, ...] | None = None


class Started(msgspec.Struct, frozen=True):
    """A sign-in underway.

    Args:
        method: by name.
        next: the local path to go to afterwards.
        level: that was asked for.
        ends: seconds since the epoch.
    """

    method: str
    next: str
    level: Level | None
    ends: int


class Begun(msgspec.Struct, frozen=True):
    """Where to send the browser, and the cookie by which it is known again.

    Args:
        url: at the provider.
        cookie: its name, different for each sign-in, so that two tabs do not get in each other's way.
        secret: its value.
        seconds: that it may stay.
    """

    url: str
    cookie: str
    secret: str
    seconds: int

    def __repr__(self) -> str:
        return "Begun(•)"


class Completed(msgspec.Struct, frozen=True):
    """A sign-in that succeeded: who is there, the local path to go to, and the cookie that has done its work."""

    established: Established
    next: str
    cookie: str

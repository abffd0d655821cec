"""What a client asked, and what it was granted: the nouns of the sign-in provider.

RFC 6749 with RFC 7636, RFC 9126 and RFC 9207; OpenID Connect Core 1.0; OIDC-NLGOV 1.0.1.
"""

from enum import IntEnum

import msgspec

from sluis.kernel import Acting, Level
from sluis.web import Audience

CODE_SECONDS = 60
"""How long a code may be traded."""

PUSHED_SECONDS = 90
"""How long a pushed request may be used (RFC 9126, 2.2)."""

PENDING_SECONDS = 900
"""How long somebody may take to sign in for a request."""

GRANT_SECONDS = 12 * 3600
"""How long it is remembered who was signed in where, at least: as long as a session lasts."""

MOST_PENDING = 100_000
"""Requests that wait at once: anybody can make one, and each is kept."""

REQUEST_URI = "urn:ietf:params:oauth:request_uri:"
"""What the address of a pushed request begins with (RFC 9126, 2.2)."""

CONTINUE = "/oauth/authorize/continue"
"""Where somebody comes back who had to sign in first."""

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
"""RFC 8693, 2.1."""

ACCESS_TYPE = "urn:ietf:params:oauth:token-type:access_token"
"""RFC 8693, 3."""


OPENID, OWN_LOG, DECISIONS, ACTS = "openid", "own-log", "decisions", "acts"
EVENTS, READ_EVENTS, MESSAGES = "events", "events-read", "messages"
"""What a token must have been given for (OAuth 2.0, 3.3), to learn from this node who somebody is, to read the log lines of
its person, to ask the decision point as a program, to ask for acts and their outcome, to tell what happened,
to read what others told, or to say for its person how they want to hear."""


class State(IntEnum):
    """Where a grant is."""

    CODE = 0  # the code was handed out
    SPENT = 1  # and traded, once
    REVOKED = 2  # nothing of it is good any more
    ENDED = 3  # its session is over, and its client was told or will be


MOVES: dict[State, frozenset[State]] = {
    State.CODE: frozenset({State.SPENT, State.REVOKED, State.ENDED}),
    State.SPENT: frozenset({State.REVOKED, State.ENDED}),
    State.REVOKED: frozenset({State.ENDED}),
    State.ENDED: frozenset(),
}
"""What may become of a grant."""


class Asked(msgspec.Struct, frozen=True, omit_defaults=True):
    """An authorization request that is right in itself.

    Args:
        client: who asks.
        redirect_uri: where the answer goes, one of the client's.
        scope: what for.
        state: goes back with the answer.
        nonce: goes into the id token.
        challenge: of PKCE, S256.
        level: the lowest that will do.
        made: when it was asked, seconds since the epoch.
        fresh: whether somebody must prove anew who they are.
        silent: whether nobody may be asked anything (`prompt=none`).
        max_age: seconds since somebody last proved it, at most.
        resource: for whom the access token is; None: for this provider.
        subject: who it must be.
    """

    client: str
    redirect_uri: str
    scope: tuple[str, ...]
    state: str
    nonce: str
    challenge: str
    level: Level
    made: int
    fresh: bool = False
    silent: bool = False
    max_age: int | None = None
    resource: str | None = None
    subject: str | None = None


class Grant(msgspec.Struct, frozen=True):
    """What somebody who signed in lets a client have: the content of a code, and of what came of it.

    Args:
        asked: the request.
        session: handle of the session that it rests on.
        acting: who, for whom.
        audience: as whom.
        level: of assurance.
        acr: as it goes into tokens.
        method: by which way of signing in.
        at: when the person proved who they are, seconds since the epoch.
        roles: of an official.
    """

    asked: Asked
    session: str
    acting: Acting
    audience: Audience
    level: Level | None
    acr: str
    method: str
    at: int
    roles: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Grant(•)"


class SignIn(msgspec.Struct, frozen=True):
    """Somebody has to sign in first.

    Args:
        level: at least.
        fresh: also when there is a session.
    """

    level: Level
    fresh: bool

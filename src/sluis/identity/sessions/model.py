"""What a way of signing in found out, and what is kept of it: the nouns of sessions.

OWASP ASVS 5.0, chapter 7 (session management). Who a person is to other organisations is not told here but by `tokens`.
"""

from typing import Literal

import msgspec

from sluis.identity.people import Vouched
from sluis.identity.register import RegisteredName
from sluis.kernel import Level, Text
from sluis.web import Audience, SignedIn

Kind = Literal["BSN", "pseudonym", "staff", "eidas"]
"""What identifies a person: a citizen service number, a pseudonym of eHerkenning, the name that a directory of this
organisation gives, or an identifier of another member state."""


class Established(msgspec.Struct, frozen=True):
    """What a way of signing in found out about who is there.

    Args:
        method: name of the way, as in the settings; `passkey`; or `passport`.
        audience: as whom.
        kind: of the identifier.
        value: the raw identifier; sealed at rest and never logged. No two persons may have the same within a kind: what is
            unique for one issuer alone has that issuer's name before it (`ISSUER|SUBJECT`).
        level: of assurance; None when the way of signing in has none.
        acr: how it was signed in, as in tokens.
        at: when the person proved who they are, seconds since the epoch.
        issuer: who says so.
        name: of the person.
        entity: the company or person that was chosen already, as a URN.
        entity_name: its name.
        entity_number: the BSN of a person that was chosen, by which what is about them is found.
        intermediary: through which company, in a chain mandate, as a URN.
        roles: of an official.
        services: for which services a mandate of eHerkenning is; empty when it does not say.
        registered: name and date of birth as an authoritative source has them, by which the trade register knows the
            person; taken out before the session is kept.
        upstream_session: the session there, to end it with this one.
        said: for whom the way of signing in said it was, once somebody chose to act for another: what they choose is not
            what that way vouches for. See `vouched`.
    """

    method: str
    audience: Audience
    kind: Kind
    value: str
    level: Level | None
    acr: str
    at: int
    issuer: str
    name: str | None = None
    entity: str | None = None
    entity_name: str | None = None
    entity_number: str = ""
    intermediary: str | None = None
    roles: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    upstream_session: str | None = None
    said: Vouched | None = None
    registered: RegisteredName | None = None

    @property
    def vouched(self) -> Vouched:
        """For whom the way of signing in says that somebody may act, whatever was chosen since."""
        return self.said or Vouched(
            self.entity,
            self.entity_name or "",
            self.intermediary,
            self.services,
            self.issuer,
            self.entity_number,
        )

    def __repr__(self) -> str:
        return "Established(•)"


class Session(msgspec.Struct, frozen=True):
    """One session, as it is kept in memory.

    Args:
        digest: SHA-256 of the secret in the cookie.
        signed_in: what routes get to know of it; `signed_in.session` is its handle.
        sealed: the whole `Established`, sealed.
        begun: seconds since the epoch.
        ends: when it is over whatever happens, seconds since the epoch.
        upstream: what names it when the provider that was signed in with says that it ended there.
    """

    digest: bytes
    signed_in: SignedIn
    sealed: bytes
    begun: int
    ends: int
    upstream: bytes | None = None

    def __repr__(self) -> str:
        return "Session(•)"


class Listed(msgspec.Struct, frozen=True):
    """A session as its owner sees it. Times in seconds since the epoch."""

    handle: str
    method: str
    audience: Audience
    begun: int
    seen: int
    represented: str | None = None
    programs: tuple[str, ...] = ()
    """Titles of the portals and programs that were signed in with it."""


class Way(msgspec.Struct, frozen=True):
    """A way of signing in, as the sign-in page offers it.

    Args:
        name: as in the settings.
        title: on the button.
        audience: who signs in with it.
        levels: of assurance that it can give, from weak to strong; empty when it has none.
        start: local path where it begins. It is called with `next` (a local path) and, when asked for, `level`.
        test: whether it is a simulator.
    """

    name: str
    title: Text
    audience: Audience
    levels: tuple[Level, ...]
    start: str
    test: bool = False

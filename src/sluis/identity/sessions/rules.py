"""What holds of sessions: how long they last, what names them, what one becomes. Pure.

OWASP ASVS 5.0, 7.2 (256-bit secrets, renewed at every sign-in) and 7.3 (idle and absolute timeouts).
"""

import hashlib

from sluis.identity.sessions.model import Established
from sluis.kernel import Acting
from sluis.web import SignedIn

IDLE = 30 * 60
"""Seconds without a request after which a session is over."""

LONGEST = 12 * 60 * 60
"""Seconds after which a session is over whatever happens."""

MOST = 20
"""Sessions of one person; the one that was used longest ago makes room for another."""


def digest_of(secret: str) -> bytes:
    """What is kept of a secret: SHA-256. It has 256 random bits, so that nothing slower is needed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()


def upstream_digest(issuer: str, session: str | None) -> bytes | None:
    """What a session at another provider is found by; None when there is none."""
    return None if session is None else hashlib.sha256(f"{issuer}\n{session}".encode()).digest()


def is_over(seen: int, ends: int, now: int) -> bool:
    """Whether a session is over at `now`. All in seconds since the epoch."""
    return now >= ends or now >= seen + IDLE


def continues(before: SignedIn, after: SignedIn) -> bool:
    """Whether a new session goes on where the one before it was: the same person, as the same, for the same; or for
    somebody when that had not been chosen yet."""
    return (
        before.audience == after.audience
        and before.acting.person == after.acting.person
        and before.acting.entity in (None, after.acting.entity)
    )


def signed_in(established: Established, handle: str, person: str) -> SignedIn:
    """What routes get to know of a session."""
    return SignedIn(
        session=handle,
        acting=Acting(person, established.entity, established.intermediary),
        audience=established.audience,
        level=established.level,
        acr=established.acr,
        method=established.method,
        at=established.at,
        name=established.name,
        represented=established.entity_name,
        roles=established.roles,
    )

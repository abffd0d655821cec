"""Passkeys of staff: the nouns (Web Authentication level 3, section 4)."""

from typing import Any, Literal
from urllib.parse import urlsplit

import msgspec

from sluis.kernel import Level

State = Literal["active", "revoked", "cloned"]
"""`cloned`: its counter went back, so that somebody else may have a copy."""

NEXT: dict[State, frozenset[State]] = {
    "active": frozenset({"revoked", "cloned"}),
    "cloned": frozenset({"revoked"}),
    "revoked": frozenset(),
}
"""Into which state a passkey may go; none comes back."""


class Settings(msgspec.Struct, frozen=True):
    """How passkeys are used here.

    Args:
        origin: of the pages, as a browser names it: `https://HOST[:PORT]`.
        host: of the pages; the relying party's id (WebAuthn, 5.1.2).
        title: of this organisation, for the dialogue of the browser.
        level: that a passkey gives at most; it never gives more than its owner had when it was made.
        enrol: that somebody must have signed in with to make one.
        days: that a passkey works after its owner last signed in in another way.
    """

    origin: str
    host: str
    title: str
    level: Level = "substantial"
    enrol: Level = "substantial"
    days: int = 30


def settings_of(address: str, title: str, **others: Any) -> Settings:
    """How passkeys are used at a portal.

    Args:
        address: of the portal, `https://HOST[:PORT]`; a path does not count.
        title: of the organisation.
        others: as in `Settings`.
    """
    parts = urlsplit(address)
    return Settings(f"{parts.scheme}://{parts.netloc}", str(parts.hostname), title, **others)


class Passkey(msgspec.Struct, frozen=True):
    """One passkey of one person.

    Args:
        id: of the credential, base64url.
        person: this node's pseudonym of the owner.
        name: as its owner calls it.
        public_key: COSE (RFC 9052, 7).
        count: what its counter said last; 0 for those that do not count.
        travels: whether it may be copied to other devices of its owner (backup eligible).
        copied: whether it is (backup state), as it said last.
        transports: how the browser may reach it.
        level: that its owner had when it was made.
        made: seconds since the epoch.
        used: when it last signed in, seconds since the epoch; None: never.
        confirmed: when its owner last signed in in another way, seconds since the epoch.
        state: whether it works.
        sealed: the `Established` of that other way, sealed.
    """

    id: str
    person: str
    name: str
    public_key: bytes
    count: int
    travels: bool
    copied: bool
    transports: tuple[str, ...]
    level: Level
    made: int
    used: int | None
    confirmed: int
    state: State
    sealed: bytes

    def __repr__(self) -> str:
        return "Passkey(•)"

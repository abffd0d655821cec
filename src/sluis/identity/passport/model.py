"""Digital passport: what is asked of a wallet, whose credentials are believed, and what came of it: the nouns.

OpenID for Verifiable Presentations 1.0, DCQL (its section 6), SD-JWT VC (draft-ietf-oauth-sd-jwt-vc), SD-JWT (RFC 9901).
"""

from typing import Any, Literal

import msgspec
from cryptography import x509

from sluis.crypto import Chain, SigningKey
from sluis.kernel import Level, Text
from sluis.web import Audience

Path = tuple[str, ...]
"""A claim by the names that lead to it (OpenID4VP 1.0, 7)."""

ResponseMode = Literal["direct_post", "direct_post.jwt"]
"""How a wallet answers; `.jwt`: encrypted to a key of this one request."""


class Signer(msgspec.Struct, frozen=True):
    """What requests are signed with.

    Args:
        chain: the certificate, and those that lead from it towards a root.
        key: its key.
    """

    chain: Chain
    key: SigningKey


class Issuer(msgspec.Struct, frozen=True):
    """Who makes credentials that are believed here.

    Args:
        name: as in the settings.
        title: as people know it.
        anchors: the certificates that its signatures must lead to.
        types: of the credentials that it may make (`vct`).
        identifier: what must stand in `iss`; None when it is known by its certificate alone.
        status: hosts (`https://HOST[:PORT]`) where it says which credentials are still good; empty when it takes none back.
    """

    name: str
    title: str
    anchors: tuple[x509.Certificate, ...]
    types: frozenset[str]
    identifier: str | None = None
    status: tuple[str, ...] = ()


class Asked(msgspec.Struct, frozen=True):
    """What is asked of a wallet, and why: no claim more than the purpose needs.

    Args:
        type: of the credential (`vct`).
        claims: that must be shown; none else is taken.
        why: in plain words, for the person.
    """

    type: str
    claims: tuple[Path, ...]
    why: Text


class Way(msgspec.Struct, frozen=True):
    """A way of signing in with a passport.

    Args:
        name: as in the settings.
        title: on the button.
        audience: as whom one signs in.
        type: of the credential (`vct`).
        claims: where something stands: `bsn` or `person` who it is; `name`, and `kvk` with `company` for whom they act; `given`,
            `surname` and `born` as the trade register knows them.
        level: that it gives.
        why: in plain words, for the person.
    """

    name: str
    title: Text
    audience: Audience
    type: str
    claims: dict[str, tuple[Path, ...]]
    level: Level
    why: Text

    @property
    def asked(self) -> Asked:
        """What signing in asks for."""
        found = dict.fromkeys(path for paths in self.claims.values() for path in paths)
        return Asked(self.type, tuple(found), self.why)


class StatusAt(msgspec.Struct, frozen=True):
    """Where it stands whether a credential is still good (Token Status List, 6)."""

    uri: str
    index: int


class Presentation(msgspec.Struct, frozen=True):
    """What a wallet showed and what was proven of it; nothing else of it is kept.

    Args:
        issuer: who made the credential.
        claims: those that were asked.
        status: where it stands whether it is still good; None when its issuer takes none back.
    """

    issuer: Issuer
    claims: dict[Path, Any]
    status: StatusAt | None

    def __repr__(self) -> str:
        return "Presentation(•)"

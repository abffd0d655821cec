"""Believing what another sign-in provider says about who a person is.

A node that merely says so is not believed. Who may read by an assertion: it was signed by an issuer that the settings
name, is meant for this organisation alone, is of now, was not used before, holds the number of the person, or of the
company that they act for, encrypted for this node, and the person signed in surely enough.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from sluis.crypto import LEEWAY, Keys, read_json, read_jws
from sluis.identity.looked.model import Believed, Trust
from sluis.identity.tokens import Asserted, IdType
from sluis.kernel import Invalid, PeerId, Refused, Text, Unidentified, level_of, reaches

_LONGEST = 16 * 1024  # characters

ASSERTED: Mapping[str, IdType] = MappingProxyType(
    {"BSN": "BSN", "urn:nl:kvk": "KvKnr", "urn:nl:rsin": "RSIN"}
)
"""By kind of number in the log, how an assertion names it: a person, or the company that somebody acts for."""


class Reader(Protocol):
    """The part of `identity.tokens` that this needs."""

    def read_assertion(self, text: str, keys: Keys, *, issuer: str, audience: str) -> Asserted:
        """What an assertion says. Raises `Invalid`."""


class Spender(Protocol):
    """The part of `store.Once` that this needs."""

    async def spend(self, kind: str, value: str, until: int) -> bool:
        """Use it; whether that was the first time."""


class Trusted:
    """The sign-in providers of others that one node believes.

    Args:
        own: this node's Peer ID.
        trusts: by the settings.
        reader: reads assertions, and opens what is encrypted for this node.
        once: remembers what was used.
    """

    def __init__(self, own: PeerId, trusts: Sequence[Trust], reader: Reader, once: Spender) -> None:
        self._audience = audience_of(own)
        self._trusts = {one.issuer: one for one in trusts}
        self._reader, self._once = reader, once

    async def person(self, text: str) -> tuple[str, str]:
        """Whom an assertion for reading log lines is about: type of key, and key. It is spent by this. Raises as `believed`."""
        found = await self.believed(text)
        return found.kind, found.value

    async def believed(self, text: str, purpose: str | None = None) -> Believed:
        """What an assertion says. It is spent by this.

        Args:
            text: the assertion.
            purpose: the one thing that it must be for; None: for reading log lines.

        Raises:
            Unidentified: it is not believed; why is not told.
            Refused: the person did not sign in surely enough.
            Unkept: that it was used could not be kept.
        """
        trust = self._trusts.get(_issuer(text))
        if trust is None:
            raise _not_believed()
        try:
            asserted = self._reader.read_assertion(
                text, trust.keys, issuer=trust.issuer, audience=self._audience
            )
        except Invalid:
            raise _not_believed() from None
        kind = next((one for one, told in ASSERTED.items() if told == asserted.kind), None)
        if kind is None or not asserted.value or asserted.purpose != purpose:
            raise _not_believed()
        level = level_of(asserted.acr)
        if level is None or not reaches(level, trust.level):
            raise _not_sure_enough()
        if not await self._once.spend(f"assertion {trust.issuer}", asserted.jti, asserted.ends + LEEWAY):
            raise _not_believed()
        return Believed(kind, asserted.value, trust.issuer, level, asserted.at)


def audience_of(peer: PeerId) -> str:
    """How an assertion names the organisation that it is for."""
    return f"urn:nld:oin:{str.__str__(peer)}"


def _issuer(text: str) -> str:
    """Who an assertion says made it; nothing is believed of it yet."""
    try:
        claims = read_json(read_jws(text, _LONGEST).payload)
    except Invalid:
        return ""
    issuer = claims.get("iss") if isinstance(claims, dict) else None
    return issuer if isinstance(issuer, str) else ""


def _not_believed() -> Unidentified:
    return Unidentified(
        "assertion-not-believed",
        Text("Over wie het gaat, is niet vastgesteld.", "Whom it is about has not been established."),
        Text(
            "Er is geen verklaring van een inlogvoorziening die dit knooppunt vertrouwt, voor dit knooppunt, van nu, en nog niet gebruikt.",
            "There is no assertion of a sign-in provider that this node trusts, for this node, of now, and not used before.",
        ),
        Text(
            "Laat de betrokkene opnieuw inloggen, en vraag voor elk verzoek een nieuwe verklaring.",
            "Have the person sign in again, and get a new assertion for each request.",
        ),
    )


def _not_sure_enough() -> Refused:
    return Refused(
        "assertion-too-weak",
        Text("De betrokkene is te zwak ingelogd.", "The person signed in too weakly."),
        Text(
            "Voor eigen logregels is een hoger betrouwbaarheidsniveau nodig.",
            "One's own log lines take a higher level of assurance.",
        ),
        Text("Laat de betrokkene sterker inloggen.", "Have the person sign in more surely."),
        rule="assertion-level",
    )

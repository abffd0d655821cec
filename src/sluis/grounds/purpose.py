"""The purpose in a contract: what a connection grant's `properties` say about why data may move.

FSC Core 2.0.0 lets a grant carry properties. Two organisations that both signed a contract with a purpose in it have
agreed on a processing activity and on the disclosures and notices that go with it, each with the digest of its exact
rules: an owner who changes a rule needs a new signature, and nobody can be held to rules that they did not see. Purposes stand
in connection grants and never in publications, so that a directory does not tell who looks at what.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec

from sluis.grounds.model import Article, Key, Offer, OfferedNotice, Uri
from sluis.kernel import Invalid, Text, convert, plain

PROPERTY = "sluis.purpose"
"""The name among a grant's properties."""


class Bound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One disclosure or notice that is part of the agreement, and the digest of it as both sides know it."""

    id: Key
    digest: Annotated[str, msgspec.Meta(pattern=r"^sha256:[0-9a-f]{64}$(?!\n)")]


_Listed = Annotated[tuple[Bound, ...], msgspec.Meta(max_length=1000)]


class Purpose(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What was agreed: a processing activity, the disclosures it opens, and the notices that come with it."""

    activity: Uri
    disclosures: _Listed = ()
    notices: _Listed = ()

    def __post_init__(self) -> None:
        if not self.disclosures and not self.notices:
            raise ValueError("a purpose names a disclosure or a notice")

    def covers(self, activity: str, id: str, digest: str) -> bool:
        """Whether this disclosure, with exactly these rules, is agreed for this activity."""
        return activity == self.activity and Bound(id, digest) in self.disclosures

    def tells(self, activity: str, id: str, digest: str) -> bool:
        """Whether this notice, with exactly these rules, is agreed for this activity."""
        return activity == self.activity and Bound(id, digest) in self.notices


class Opened(msgspec.Struct, frozen=True):
    """What an organisation's files open, by the id in them: its offers, and its notices."""

    offers: Mapping[str, Offer] = {}
    notices: Mapping[str, OfferedNotice] = {}

    @property
    def articles(self) -> tuple[Article, ...]:
        """Those that it rests on, each once."""
        offered = (one for offer in self.offers.values() for one in offer.disclosure.articles)
        told = (one for notice in self.notices.values() for one in notice.notice.articles)
        return tuple(dict.fromkeys((*offered, *told)))

    def agreed(self, purpose: Purpose) -> "Opened":
        """What of it a purpose covers, with its rules as they are now."""
        return Opened(
            {
                id: self.offers[id]
                for id, digest in _pairs(purpose.disclosures)
                if _same(self.offers, id, digest)
            },
            {
                id: self.notices[id]
                for id, digest in _pairs(purpose.notices)
                if _same(self.notices, id, digest)
            },
        )

    def wanted(self, activity: str) -> "Opened":
        """What of it is for a processing activity."""
        return Opened(
            {id: one for id, one in self.offers.items() if one.disclosure.activity == activity},
            {id: one for id, one in self.notices.items() if one.notice.activity == activity},
        )


def purpose_of(properties: Mapping[str, Any] | None) -> Purpose | None:
    """The purpose in a grant's properties; None when they hold none.

    Args:
        properties: the JSON object as it was signed.

    Raises `Invalid` (`malformed-purpose`) when what stands there is no purpose.
    """
    if not properties or PROPERTY not in properties:
        return None
    try:
        return convert(properties[PROPERTY], Purpose)
    except msgspec.ValidationError:
        raise _malformed() from None


def purpose_if_readable(properties: Mapping[str, Any] | None) -> Purpose | None:
    """`purpose_of`, for who weighs a contract that is signed: a purpose that nobody can read covers nothing."""
    try:
        return purpose_of(properties)
    except Invalid:
        return None


def purpose_properties(
    activity: str, offers: Iterable[Offer], notices: Iterable[OfferedNotice] = ()
) -> dict[str, Any]:
    """The properties of a grant that asks for these; in one order, so that the same wish is the same text."""
    disclosures = _in_order(Bound(one.disclosure.id, one.digest) for one in offers)
    told = _in_order(Bound(one.notice.id, one.digest) for one in notices)
    return {PROPERTY: plain(Purpose(activity, disclosures, told))}


def _pairs(bound: Iterable[Bound]) -> list[tuple[str, str]]:
    return [(one.id, one.digest) for one in bound]


def _same(known: Mapping[str, Offer] | Mapping[str, OfferedNotice], id: str, digest: str) -> bool:
    return id in known and known[id].digest == digest


def _in_order(bound: Iterable[Bound]) -> tuple[Bound, ...]:
    return tuple(sorted(set(bound), key=lambda one: (one.id, one.digest)))


def _malformed() -> Invalid:
    return Invalid(
        "malformed-purpose",
        Text("Het doel in dit contract is niet te lezen.", "The purpose in this contract cannot be read."),
        Text(
            f"`{PROPERTY}` hoort een verwerkingsactiviteit te noemen, en verstrekkingen of kennisgevingen met hun kenmerk.",
            f"`{PROPERTY}` must name a processing activity, and disclosures or notices with their digest.",
        ),
        Text("Teken het contract niet, en vraag om een nieuw.", "Do not sign it, and ask for a new one."),
    )

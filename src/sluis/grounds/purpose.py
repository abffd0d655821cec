"""The purpose in a contract: what a connection grant's `properties` say about why data may move.

FSC Core 2.0.0 lets a grant carry properties. Two organisations that both signed a contract with a purpose in it have
agreed on a processing activity and on the disclosures that it opens, each with the digest of its exact rules: an
owner who changes a rule needs a new signature, and nobody can be held to rules that they did not see. Purposes stand
in connection grants and never in publications, so that a directory does not tell who looks at what.
"""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import msgspec

from sluis.grounds.model import Key, Offer, Uri
from sluis.kernel import Invalid, Text, convert, plain

PROPERTY = "sluis.purpose"
"""The name among a grant's properties."""


class Bound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One disclosure that is part of the agreement, and the digest of the offer as both sides know it."""

    id: Key
    digest: Annotated[str, msgspec.Meta(pattern=r"^sha256:[0-9a-f]{64}$")]


class Purpose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was agreed: a processing activity, and the disclosures it opens."""

    activity: Uri
    disclosures: Annotated[tuple[Bound, ...], msgspec.Meta(min_length=1, max_length=1000)]

    def covers(self, activity: str, id: str, digest: str) -> bool:
        """Whether this disclosure, with exactly these rules, is agreed for this activity."""
        return activity == self.activity and Bound(id, digest) in self.disclosures


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


def purpose_properties(activity: str, offers: Iterable[Offer]) -> dict[str, Any]:
    """The properties of a grant that asks for these offers; in one order, so that the same wish is the same text."""
    bound = {Bound(offer.disclosure.id, offer.digest) for offer in offers}
    purpose = Purpose(activity, tuple(sorted(bound, key=lambda one: (one.id, one.digest))))
    return {PROPERTY: plain(purpose)}


def _malformed() -> Invalid:
    return Invalid(
        "malformed-purpose",
        Text("Het doel in dit contract is niet te lezen.", "The purpose in this contract cannot be read."),
        Text(
            f"`{PROPERTY}` hoort een verwerkingsactiviteit te noemen, en verstrekkingen met hun kenmerk.",
            f"`{PROPERTY}` must name a processing activity, and disclosures with their digest.",
        ),
        Text("Teken het contract niet, en vraag om een nieuw.", "Do not sign it, and ask for a new one."),
    )

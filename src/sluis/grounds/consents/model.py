"""A person's consent to disclosures of data about them (AVG article 6(1)(a) and article 7), and what changes it."""

from datetime import date

import msgspec

from sluis.grounds.model import Name, Uri
from sluis.kernel import PeerId

Datasets = dict[Name, tuple[Name, ...]]
"""Columns per dataset, always by name: what the owner opens later was never consented to."""


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a person consents to: who may see what, for which purpose, and until when.

    Args:
        recipient: the organisation that may ask.
        activity: URI of its processing activity.
        datasets: columns per dataset; no columns: all that is asked for now.
        until: the last day on which it holds.
        since: the first; today when absent.
    """

    recipient: PeerId
    activity: Uri
    datasets: Datasets
    until: date
    since: date | None = None


class Narrowing(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is left of a consent: these datasets and columns (absent: as they were), until then (absent: the same)."""

    datasets: Datasets | None = None
    until: date | None = None


class Consent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A consent as it stands. Every change of it is a record of the log.

    Args:
        id: 32 hex digits; says nothing about the person.
        subject: the person, as a pseudonym that only this room makes (HMAC under the secret `consent`).
        kind: type of the key that the pseudonym was made of (`BSN`, or a URI).
        recipient: the organisation that may ask.
        activity: URI of its processing activity.
        datasets: columns per dataset.
        since: the first day on which it holds.
        until: the last.
        given: when it was given, ms since the epoch.
        revoked: when it was taken back, ms since the epoch; None when it was not.
    """

    id: str
    subject: str
    kind: str
    recipient: PeerId
    activity: str
    datasets: Datasets
    since: date
    until: date
    given: int
    revoked: int | None = None

    def __repr__(self) -> str:
        return f"Consent({self.id})"


class Request(msgspec.Struct, frozen=True):
    """What may be consented to: a disclosure that rests on consent.

    Args:
        disclosure: its id.
        recipient: the organisation that would see it.
        activity: URI of its processing activity.
        dataset: of which data.
        columns: that it opens, the key of the person left out: who asks knows that already.
        kind: type of the key of the person that the data is about.
        until: the last day on which the disclosure itself holds; None without end.
    """

    disclosure: str
    recipient: PeerId
    activity: str
    dataset: str
    columns: tuple[str, ...]
    kind: str
    until: date | None = None

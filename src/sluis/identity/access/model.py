"""What an organisation sees of who has access to its data, and what it may write down for a person."""

from datetime import date
from typing import Annotated, Literal

import msgspec

from sluis.grounds import AvgGround, Name, Role
from sluis.grounds.consents import Consent, Datasets
from sluis.kernel import PeerId, Text

State = Literal["open", "contract-missing", "consent-missing", "not-today"]
"""`open`: the recipient may ask today. `contract-missing`: no contract in force covers the disclosure as it is now.
`consent-missing`: nobody consents today. `not-today`: the disclosure is outside its own period."""


class Agreed(msgspec.Struct, frozen=True):
    """A contract in force under which another organisation reaches something of this one.

    Args:
        contract: its hash.
        recipient: name of the other organisation.
        service: that the contract is about.
        activity: URI of the processing activity of its purpose; None when it has none.
        disclosures: ids of those that it covers, with their rules as they are now.
        notices: the same of notices.
        since: seconds since the epoch.
        until: seconds since the epoch.
    """

    contract: str
    recipient: str
    service: str
    activity: str | None
    disclosures: tuple[str, ...]
    notices: tuple[str, ...]
    since: int
    until: int


class DisclosedView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one disclosure opens, to whom, on which ground, and since when it really does.

    Attributes:
        disclosure: its id.
        version: of it.
        recipient: Peer ID of who may ask.
        recipient_name: what that organisation is called here.
        activity: URI of its processing activity.
        activity_name: in words; absent for an activity that is not known here.
        dataset: that is opened.
        columns: with their roles.
        ground: of AVG article 6(1).
        articles: that it rests on.
        state: whether it is open today, and if not, why.
        contracts: hashes of the contracts in force that cover it.
        since: first day of the disclosure.
        until: last day; absent without end.
        consents: how many people consent today; absent where the ground is another.
        last_used: when it last opened something, ms since the epoch, as far back as the log was looked through.
    """

    disclosure: str
    version: int
    recipient: PeerId
    recipient_name: str
    activity: str
    dataset: str
    columns: dict[Name, Role]
    ground: AvgGround
    articles: tuple[str, ...]
    state: State
    contracts: tuple[str, ...]
    since: date
    until: date | None = None
    activity_name: Text | None = None
    consents: int | None = None
    last_used: int | None = None


class NoticedView(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who hears of what happens here, on which ground, and whether it really does.

    Attributes:
        notice: its id.
        version: of it.
        recipient: Peer ID of who hears.
        recipient_name: what that organisation is called here.
        activity: URI of its processing activity.
        event: type of the events.
        tells: what the recipient knows by it.
        ground: of AVG article 6(1).
        articles: that it rests on.
        state: whether it holds today, and if not, why.
        contracts: hashes of the contracts in force that cover it.
        since: first day of the notice.
        until: last day; absent without end.
        activity_name: in words; absent for an activity that is not known here.
    """

    notice: str
    version: int
    recipient: PeerId
    recipient_name: str
    activity: str
    event: str
    tells: Text
    ground: AvgGround
    articles: tuple[str, ...]
    state: State
    contracts: tuple[str, ...]
    since: date
    until: date | None = None
    activity_name: Text | None = None


class ServiceAccess(msgspec.Struct, frozen=True):
    """A service of this organisation that another may call, whatever it answers. Times in seconds since the epoch."""

    service: str
    recipient_name: str
    contract: str
    since: int
    until: int


class AccessView(msgspec.Struct, frozen=True):
    """Who has access to what of this organisation."""

    disclosures: tuple[DisclosedView, ...]
    notices: tuple[NoticedView, ...]
    services: tuple[ServiceAccess, ...]


class Key(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The key of a person: its type (`BSN`, or a URI) and its value."""

    type: Annotated[str, msgspec.Meta(max_length=2000)]
    value: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]

    def __repr__(self) -> str:
        return "Key(•)"


class NewConsent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A consent that somebody gave, and an official writes down.

    Attributes:
        person: who gave it.
        recipient: who may ask.
        activity: URI of its processing activity.
        datasets: columns per dataset; no columns: all that is asked for now.
        until: the last day on which it holds.
        since: the first; today when absent.
    """

    person: Key
    recipient: PeerId
    activity: str
    datasets: Datasets
    until: date
    since: date | None = None


class ConsentView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A consent, without whose it is. Times in ms since the epoch.

    Attributes:
        id: of the consent.
        recipient: Peer ID of who may ask.
        recipient_name: what that organisation is called here.
        activity: URI of its processing activity.
        datasets: columns per dataset.
        since: the first day on which it holds.
        until: the last.
        given: when it was given.
        revoked: when it was taken back; absent when it was not.
        activity_name: in words; absent for an activity that is not known here.
        purpose: of the activity, in words.
    """

    id: str
    recipient: PeerId
    recipient_name: str
    activity: str
    datasets: Datasets
    since: date
    until: date
    given: int
    revoked: int | None = None
    activity_name: Text | None = None
    purpose: Text | None = None


def consent_view(
    consent: Consent, recipient_name: str, activity_name: Text | None, purpose: Text | None
) -> ConsentView:
    """A consent as people see it."""
    return ConsentView(
        consent.id, consent.recipient, recipient_name, consent.activity, consent.datasets, consent.since,
        consent.until, consent.given, consent.revoked, activity_name, purpose,
    )  # fmt: skip

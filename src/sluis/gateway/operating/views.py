"""From what the gateway knows to what an operator sees. Pure."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sluis.gateway.contracts import Contract, Grant, state, waiting_for
from sluis.gateway.operating.model import (
    AlternativeView,
    ContractView,
    DisclosureView,
    ExternalView,
    Granted,
    GrantView,
    NoticeView,
    PurposeView,
)
from sluis.gateway.properties import alternative_of, external_contract
from sluis.grounds import Bound, Offer, OfferedNotice, Opened, Purpose, purpose_if_readable
from sluis.kernel import PeerId

Name = Callable[[PeerId], str]
"""What a peer is called; its Peer ID when that is not known."""


def contract_view(
    contract: Contract, own: PeerId, now: int, name: Name, opens: Opened, reason: str
) -> ContractView:
    """A contract for people.

    Args:
        contract: that it is about.
        own: this peer.
        now: seconds since the epoch.
        name: what peers are called.
        opens: what this node's own files open.
        reason: why this node rejected or revoked it.
    """
    waiting, found = waiting_for(contract, now), state(contract, now)

    def names(peers: object) -> tuple[str, ...]:
        return tuple(sorted(map(name, peers)))  # type: ignore[call-overload]

    return ContractView(
        contract.content.hash,
        found,
        tuple(grant_view(grant, name, opens) for grant in contract.content.grants),
        contract.content.not_before,
        contract.content.not_after,
        contract.content.created_at,
        names(contract.signed("accept")),
        names(contract.signed("reject")),
        names(contract.signed("revoke")),
        names(waiting),
        found == "proposed" and own in waiting,
        reason,
    )


def grant_view(grant: Grant, name: Name, opens: Opened) -> GrantView:
    """A grant for people; of a purpose, what this node's own rules say that it opens."""

    def maybe(peer: PeerId | None) -> str | None:
        return None if peer is None else name(peer)

    # When it cannot be read, the properties are shown as they are; signing says what is wrong.
    purpose = purpose_if_readable(grant.properties)
    return GrantView(
        grant.type,
        grant.hash,
        name(grant.service_peer),
        grant.service_name,
        maybe(grant.outway.peer_id if grant.outway else None),
        maybe(grant.directory),
        maybe(grant.delegator),
        maybe(grant.service_delegator),
        purpose_view(purpose, opens) if purpose else None,
        grant.properties,
        external_view(grant.properties),
        alternative_view(grant.properties, name),
    )


def granted_of(contract: Contract, own: PeerId, name: Name, opens: Opened) -> Iterator[Granted]:
    """What a contract lets others reach at this peer.

    Args:
        contract: in force.
        own: this peer.
        name: what peers are called.
        opens: what this node's own files open.
    """
    content = contract.content
    for grant in content.grants:
        if grant.outway is None or grant.service_peer != own:
            continue
        purpose = purpose_if_readable(grant.properties)
        covered = opens.agreed(purpose) if purpose else Opened()
        yield Granted(
            content.hash, name(grant.delegator or grant.outway.peer_id), grant.service_name,
            purpose.activity if purpose else None, tuple(covered.offers), tuple(covered.notices),
            content.not_before, content.not_after,
        )  # fmt: skip


def external_view(properties: Mapping[str, Any] | None) -> ExternalView | None:
    """The external contract that properties refer to."""
    found = external_contract(properties)
    return ExternalView(found.reference, found.delegator_id, found.delegator_name) if found else None


def alternative_view(properties: Mapping[str, Any] | None, name: Name) -> AlternativeView | None:
    """The service that properties name for when this one cannot be reached."""
    found = alternative_of(properties)
    return AlternativeView(name(found.peer_id), found.service) if found else None


def purpose_view(purpose: Purpose, opens: Opened) -> PurposeView:
    """A purpose, and what it opens as far as this node knows."""
    return PurposeView(
        purpose.activity,
        tuple(_disclosure(bound, opens.offers.get(bound.id)) for bound in purpose.disclosures),
        tuple(_notice(bound, opens.notices.get(bound.id)) for bound in purpose.notices),
    )


def _notice(bound: Bound, offered: OfferedNotice | None) -> NoticeView:
    if offered is None or offered.digest != bound.digest:
        return NoticeView(bound.id, False)
    notice = offered.notice
    return NoticeView(bound.id, True, notice.event, notice.data, tuple(map(str, notice.articles)))


def _disclosure(bound: Bound, offer: Offer | None) -> DisclosureView:
    if offer is None or offer.digest != bound.digest:
        return DisclosureView(bound.id, False)
    disclosure = offer.disclosure
    return DisclosureView(
        bound.id,
        True,
        offer.dataset,
        dict(disclosure.columns),
        tuple(map(str, disclosure.articles)),
    )

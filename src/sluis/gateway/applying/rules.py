"""From declarations to grants, as FSC Core 2.0.0 writes them. Pure."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

import msgspec

from sluis.gateway.contracts import Content
from sluis.gateway.documents import Connection, ExternalContract, Instead, Publication, peer_named
from sluis.gateway.properties import (
    EXTERNAL_CONNECTION,
    EXTERNAL_PUBLICATION,
    Alternative,
    properties_of,
)
from sluis.gateway.properties import ExternalContract as Agreed
from sluis.grounds import PROPERTY
from sluis.kernel import PeerId, plain

YEAR = 365
"""Days that a contract counts when its declaration does not say."""

RENEW_BEFORE = 60 * 86_400
"""Seconds before its end at which the next contract is proposed; with a shorter one, when a third of its time is left."""

WARN_BEFORE = 30 * 86_400
"""Seconds before its end at which a contract whose next one nobody has signed is warned about."""


def publication_grant(
    wanted: Publication, own: PeerId, directory: PeerId, known: Mapping[str, PeerId]
) -> dict[str, Any]:
    """The grant that publishes a service.

    Args:
        wanted: as declared.
        own: who offers the service.
        directory: the group's, where the declaration names none.
        known: names of organisations.

    Raises `Invalid` (`unknown-organisation`).
    """
    where = peer_named(wanted.directory, known) if wanted.directory else directory
    grant: dict[str, Any] = {
        "type": "GRANT_TYPE_SERVICE_PUBLICATION",
        "directory": _peer(where),
        "service": {**_peer(own), "name": wanted.service, "protocol": wanted.protocol},
    }
    if wanted.delegator is not None:
        grant["type"] = "GRANT_TYPE_DELEGATED_SERVICE_PUBLICATION"
        grant["delegator"] = _peer(peer_named(wanted.delegator, known))
    return _with_properties(grant, wanted, wanted.properties, EXTERNAL_PUBLICATION, known)


def connection_grant(
    wanted: Connection, own: PeerId, thumbprint: str, known: Mapping[str, PeerId]
) -> dict[str, Any]:
    """The grant that connects this organisation's outway to a service.

    Args:
        wanted: as declared. Its purpose, external contract and alternative go into the properties.
        own: whose outway it is.
        thumbprint: of the outway's public key.
        known: names of organisations.

    Raises `Invalid` (`unknown-organisation`).
    """
    service: dict[str, Any] = {
        "type": "SERVICE_TYPE_SERVICE",
        **_peer(peer_named(wanted.service.peer, known)),
        "name": wanted.service.name,
    }
    if wanted.service.delegator is not None:
        service["type"] = "SERVICE_TYPE_DELEGATED_SERVICE"
        service["delegator"] = _peer(peer_named(wanted.service.delegator, known))
    grant: dict[str, Any] = {
        "type": "GRANT_TYPE_SERVICE_CONNECTION",
        "outway": {**_peer(own), "identification": _identification(thumbprint)},
        "service": service,
    }
    if wanted.delegator is not None:
        grant["type"] = "GRANT_TYPE_DELEGATED_SERVICE_CONNECTION"
        grant["delegator"] = _peer(peer_named(wanted.delegator, known))
    purpose = {PROPERTY: plain(wanted.purpose)} if wanted.purpose is not None else {}
    return _with_properties(grant, wanted, {**wanted.properties, **purpose}, EXTERNAL_CONNECTION, known)


def validity(wanted: Connection | Publication, now: int) -> tuple[int, int]:
    """From when and until when a contract counts: seconds since the epoch, both included."""
    stated = wanted.valid if isinstance(wanted, Connection) else None
    if stated is None:
        return now, now + int(timedelta(days=YEAR).total_seconds())
    first = datetime.combine(stated.since, time.min, UTC)
    last = datetime.combine(stated.until, time.min, UTC) + timedelta(days=1, seconds=-1)
    return int(first.timestamp()), int(last.timestamp())


def renewal_due(not_before: int, not_after: int, now: int) -> bool:
    """Whether the next contract is to be proposed; times in seconds since the epoch."""
    return now >= not_after - min(RENEW_BEFORE, (not_after - not_before) // 3)


def goes_on(old: Content, new: Content) -> bool:
    """Whether a contract says what another does, and counts for longer: then that one need not be taken back."""
    said = [[msgspec.structs.replace(grant, hash="") for grant in one.grants] for one in (old, new)]
    return said[0] == said[1] and old.not_after <= new.not_after


def for_key(grant: Mapping[str, Any], own: PeerId, thumbprint: str) -> dict[str, Any]:
    """A grant as it would be made now: for the outway's key of now.

    Args:
        grant: as it was made.
        own: this peer.
        thumbprint: of the outway's public key.
    """
    outway = grant.get("outway")
    if outway is None or outway["peer_id"] != own:
        return dict(grant)
    return {**grant, "outway": {**outway, "identification": _identification(thumbprint)}}


def _identification(thumbprint: str) -> dict[str, str]:
    return {
        "type": "OUTWAY_IDENTIFICATION_TYPE_PUBLIC_KEY_THUMBPRINT",
        "public_key_thumbprint": thumbprint,
    }


def _peer(peer: PeerId) -> dict[str, str]:
    return {"peer_id": str.__str__(peer)}


def _with_properties(
    grant: dict[str, Any],
    wanted: Connection | Publication,
    own: Mapping[str, Any],
    key: str,
    known: Mapping[str, PeerId],
) -> dict[str, Any]:
    external = (key, _agreed(wanted.external_contract)) if wanted.external_contract else None
    instead = _alternative(wanted.alternative, known) if wanted.alternative else None
    properties = properties_of(own, external, instead)
    return {**grant, "properties": properties} if properties else grant


def _agreed(stated: ExternalContract) -> Agreed:
    return Agreed(stated.reference, str.__str__(stated.delegator_id), stated.delegator_name)


def _alternative(stated: Instead, known: Mapping[str, PeerId]) -> Alternative:
    return Alternative(peer_named(stated.peer, known), stated.name)

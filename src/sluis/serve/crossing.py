"""How a node meets others: its membership of a group where it has one, the link over which it reaches them, the card by which they know
it, and who witnesses whose log."""

from collections.abc import Callable
from functools import lru_cache

import msgspec

from sluis.config import Config
from sluis.crypto import Identity
from sluis.gateway import Card, Link, Membership, OwnLink, Witnesses, read_card, sign_card, witness_name
from sluis.kernel import PeerId
from sluis.ledger import Witness
from sluis.query import Owner, Owners
from sluis.serve.foundation import Foundation
from sluis.serve.group import membership_of
from sluis.serve.names import addresses, peer_names


class Crossing(msgspec.Struct, frozen=True):
    """How a node meets others.

    Args:
        membership: None where there is no group.
        link: reaches them.
        own: the link, where there is no membership.
        owners: who can be asked.
        card: this node's own.
        card_of: reads those of others. Raises `Problem`.
        address: where an organisation is, for the log.
        witness: cosigns the logs of others.
        witnesses: who cosign this node's.
        overlook: told each transaction by which a log is witnessed, in either direction.
    """

    membership: Membership | None
    link: Link
    own: OwnLink | None
    owners: Owners
    card: Callable[[], str]
    card_of: Callable[[str], Card]
    address: Callable[[PeerId], str]
    witness: Witness
    witnesses: Witnesses
    overlook: Callable[[str], None]


def crossing_of(base: Foundation) -> Crossing:
    """This, for a node. Blocks. Raises `Problem`."""
    config, clock, certificate = base.config, base.clock, base.certificate

    def card_of(jws: str) -> Card:
        return read_card(jws, certificate.anchors, clock(), base.revocations.lists)

    membership = membership_of(
        config, certificate.identity, base.store, base.ledger, base.point, base.revocations, clock
    )
    own = OwnLink(certificate.identity.peer, peer_names(config))
    link: Link = membership.link if membership else own
    overlook = membership.evidence.overlook if membership else _overlook_nothing
    asked = [config.peers[name].oin for name in config.ledger.witnesses]
    witnesses = Witnesses(link, card_of, asked, [*peer_names(config)], clock, overlook)
    return Crossing(
        membership=membership,
        link=link,
        own=None if membership else own,
        owners=Owners(_known(config), link, card_of, clock, config.limits.peer_seconds),
        card=_card(base),
        card_of=card_of,
        address=addresses(config, membership),
        witness=Witness(base.store, base.keys, witness_name(config.log_origin), witnesses.known, clock),
        witnesses=witnesses,
        overlook=overlook,
    )


def _overlook_nothing(transaction_id: str) -> None:
    """Where there is no group, nothing crosses."""


def _known(config: Config) -> list[Owner]:
    """Who can be asked: every peer, and this node itself, which then answers as it would anybody."""
    known = [Owner(alias, peer.oin, peer.name) for alias, peer in config.peers.items()]
    return [*known, Owner(config.node.alias, config.node.oin, config.node.name)]


def _card(base: Foundation) -> Callable[[], str]:
    """This node's card, signed with the certificate that is in use then."""
    node, keys, origin = base.config.node, base.keys, base.config.log_origin

    @lru_cache(maxsize=1)
    def signed(identity: Identity) -> str:
        return sign_card(identity, node.alias, node.url, keys.public, keys.sealing_public, origin)

    return lambda: signed(base.certificate.identity)

"""What organisations are called at a node, and where they are: as its group knows them, or as its settings do."""

from collections.abc import Callable

from sluis.config import Config
from sluis.gateway import Membership
from sluis.kernel import PeerId


def peer_names(config: Config) -> dict[PeerId, str]:
    """The other organisations in a node's settings."""
    return {peer.oin: peer.name for peer in config.peers.values()}


def all_names(config: Config) -> dict[PeerId, str]:
    """The same, and this organisation's own."""
    return {**peer_names(config), config.node.oin: config.node.name}


def namer(config: Config, membership: Membership | None = None) -> Callable[[PeerId], str]:
    """Says what an organisation is called: as the group knows it, where there is one; by its number, who is known to nobody."""
    names = all_names(config)

    def name(peer: PeerId) -> str:
        if peer == config.node.oin or membership is None:
            return names.get(peer, str.__str__(peer))
        return membership.running.peers.name(peer)

    return name


def addresses(config: Config, membership: Membership | None) -> Callable[[PeerId], str]:
    """Says where the other party of a consultation is, for the processing log: as the group knows it."""

    def address(peer: PeerId) -> str:
        if peer == config.node.oin:
            return config.node.url
        known = membership.running.peers.known(peer) if membership else None
        return known.address if known and known.address else f"urn:nld:oin:{peer!s}"

    return address

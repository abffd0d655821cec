"""The node as a peer of its FSC group, where its settings name one: Manager, inway and outway, with their listeners."""

import ssl
from collections.abc import Sequence
from typing import Any

from sluis import __version__
from sluis.config import Config, read_group
from sluis.crypto import Identity, Revocations, client_context, hand_over, read_certificates, server_context
from sluis.gateway import (
    SERVICE,
    AutoSign,
    DecisionPoint,
    Group,
    ManagerSettings,
    Membership,
    MetricsApp,
    Operator,
    Trust,
    hold_to,
    open_membership,
    open_operator,
    open_telemetry,
    reader_of,
)
from sluis.grounds import Grounds, Offer, make_offer
from sluis.kernel import Clock, PeerId
from sluis.ledger import Ledger
from sluis.query import Owners
from sluis.serve.planes import plane_of
from sluis.store import Store
from sluis.web import LoopbackListener, PeerListener, Server


def membership_of(
    config: Config,
    identity: Identity,
    store: Store,
    ledger: Ledger,
    revocations: Revocations,
    clock: Clock,
) -> Membership | None:
    """What this node is in its group; None when it is in none. Raises `Problem`."""
    if config.fsc.group is None:
        return None
    group = read_group(config.fsc.group)
    point = config.fsc.decision_point
    settings = ManagerSettings(
        config.manager_address,
        config.inway_address,
        config.node.test,
        (*config.fsc.auto_sign, *_between_nodes(config)),
        DecisionPoint(point) if point else None,
    )
    anchors = tuple(anchor for path in group.anchors for anchor in read_certificates(path))
    context = connecting(identity, group, revocations)
    trust = Trust(anchors, lambda: revocations.lists)
    membership = open_membership(
        store, ledger, identity, group, settings, trust, context, _aliases(config), clock, revocations.revokes
    )
    membership.running.peers.name_unheard({peer.oin: peer.name for peer in config.peers.values()})
    return membership


def operator_of(
    config: Config, grounds: Grounds, store: Store, membership: Membership, owners: Owners, clock: Clock
) -> Operator:
    """The operator's side of a membership. Raises `Problem`."""
    own = config.node
    datasets = {dataset.name: dataset for dataset in grounds.datasets}
    offers = {
        one.id: make_offer(own.oin, own.alias, datasets[one.dataset], one) for one in grounds.disclosures
    }

    async def offered(alias: str) -> Sequence[Offer]:
        owners.forget(alias)  # what is signed must be what is offered now
        return (await owners.known(alias)).offers

    return open_operator(store, membership, offers, _aliases(config), offered, clock)


def _between_nodes(config: Config) -> list[AutoSign]:
    """Peers in the settings may reach this node's own API; what of it they may use, its rules and purposes say."""
    peers = tuple(peer.oin for peer in config.peers.values())
    if not peers:  # an empty list would mean anyone
        return []
    return [
        AutoSign("peers of the settings", ("GRANT_TYPE_SERVICE_CONNECTION",), ("service",), peers, (SERVICE,))
    ]


def _aliases(config: Config) -> dict[str, PeerId]:
    """What organisations are called in questions and declarations, and their Peer IDs."""
    return {name: peer.oin for name, peer in config.peers.items()} | {config.node.alias: config.node.oin}


class GroupServers:
    """The listeners of a membership: the Manager's, and those of its data plane."""

    def __init__(
        self, config: Config, membership: Membership, revocations: Revocations, node: Any, clock: Clock
    ) -> None:
        self._config, self._membership, self._revocations = config, membership, revocations
        self._door: ssl.SSLContext | None = None
        self.manager = Server(membership.running.api)
        self.plane = plane_of(config, membership, revocations, node)
        read, fsc = reader_of(membership, clock), config.fsc
        self._metrics = fsc.metrics_port and Server(MetricsApp(membership, read, self.plane.well))
        self._telemetry = fsc.otlp and open_telemetry(fsc.otlp, _resource(membership), read, clock)

    async def start(self) -> None:
        """Listen, and begin what goes on by itself. Raises `Problem`."""
        config = self._config
        manager = self._membership.running.manager
        self._door = context = listening(manager.identity, manager.group, self._revocations)
        await self.manager.listen(PeerListener(config.manager.host, config.manager.port, context))
        await self.plane.start(
            PeerListener(config.inway.host, config.inway.port, context),
            LoopbackListener(config.outway.host, config.outway.port),
        )
        if self._metrics and config.fsc.metrics_port:
            await self._metrics.listen(LoopbackListener("127.0.0.1", config.fsc.metrics_port))
        await self._membership.start()
        await self._membership.connect(_aliases(config))
        if self._telemetry:
            self._telemetry.start()

    async def stop(self) -> None:
        """Let what is in hand finish, then close. May be called twice."""
        if self._telemetry:
            await self._telemetry.stop()
        if self._metrics:
            await self._metrics.stop()
        await self.plane.stop()
        await self.manager.stop()
        await self._membership.stop()

    async def take(self, identity: Identity) -> None:
        """Show a renewed certificate from now on, without dropping a request; connections that are there stay.

        Raises `Problem`; the one before stays in use then, or not everything was signed again: to be tried once more.
        """
        group = self._membership.running.manager.group
        self._revocations.also_under(identity.chain[1:])
        outgoing, incoming = (make(identity, group, self._revocations) for make in (connecting, listening))
        await self.plane.take(identity)
        if self._door is not None:
            hand_over(self._door, incoming)
        await self._membership.renew(identity, outgoing)

    def cut_off(self) -> None:
        """Close every connection of a peer whose certificate was revoked."""
        self._membership.shown.tidy()
        self.plane.renew()
        self.manager.cut_off(self._revocations.revokes)


def _resource(membership: Membership) -> dict[str, str]:
    """What sends metrics, by the resource conventions of OpenTelemetry."""
    manager = membership.running.manager
    return {
        "service.name": "sluis",
        "service.version": __version__,
        "service.namespace": manager.group.id,
        "service.instance.id": str.__str__(manager.own.id),
    }


def listening(identity: Identity, group: Group, revocations: Revocations) -> ssl.SSLContext:
    """For listeners to which peers connect. Raises `Invalid`."""
    with identity.as_file() as file:
        return _guarded(server_context(file, file, group.anchors), group, revocations)


def connecting(identity: Identity, group: Group, revocations: Revocations) -> ssl.SSLContext:
    """For connections to peers. Raises `Invalid`."""
    with identity.as_file() as file:
        return _guarded(client_context(file, file, group.anchors), group, revocations)


def _guarded(context: ssl.SSLContext, group: Group, revocations: Revocations) -> ssl.SSLContext:
    revocations.guard(hold_to(group, context))
    return context

"""The node as a peer of its FSC group, where its settings name one: Manager, inway and outway, with their listeners."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sluis import __version__
from sluis.config import Config, read_group
from sluis.crypto import (
    Identity,
    Revocations,
    certificate_thumbprint,
    client_context,
    hand_over,
    read_certificates,
    server_context,
)
from sluis.gateway import (
    SERVICE,
    AutoSign,
    Counted,
    Delivering,
    Group,
    Judge,
    ManagerSettings,
    Membership,
    MetricsApp,
    Operator,
    Trust,
    elsewhere,
    hold_to,
    open_membership,
    open_operator,
    open_telemetry,
    reader_of,
)
from sluis.gateway import DecisionPoint as Elsewhere
from sluis.grounds import Grounds, OfferedNotice, Opened, make_offer, offered_notice
from sluis.kernel import Clock, PeerId, convert
from sluis.ledger import Ledger
from sluis.policy import DecisionPoint, Evaluation
from sluis.query import Owners
from sluis.serve.names import peer_names
from sluis.serve.planes import plane_of
from sluis.store import Store
from sluis.web import LoopbackListener, PeerListener, Server

log = logging.getLogger("sluis.manager")


def membership_of(
    config: Config,
    identity: Identity,
    store: Store,
    ledger: Ledger,
    point: DecisionPoint,
    revocations: Revocations,
    clock: Clock,
) -> Membership | None:
    """What this node is in its group; None when it is in none. Raises `Problem`."""
    if config.fsc.group is None:
        return None
    group = read_group(config.fsc.group)
    settings = ManagerSettings(
        config.manager_address,
        config.inway_address,
        config.node.test,
        (*config.fsc.auto_sign, *_between_nodes(config)),
        judge_of(config, point),
    )
    anchors = tuple(anchor for path in group.anchors for anchor in read_certificates(path))
    context = connecting(identity, group, revocations)
    trust = Trust(anchors, lambda: revocations.lists)
    membership = open_membership(
        store, ledger, identity, group, settings, trust, context, aliases(config), clock, revocations.revokes
    )
    membership.running.peers.name_unheard(peer_names(config))
    return membership


def judge_of(config: Config, point: DecisionPoint) -> Judge | None:
    """Who is asked about contracts that no rule fits: nobody, this node's own decision point, or another."""
    chosen = config.fsc.decision_point
    if chosen is None:
        return None
    if chosen != "own":
        return elsewhere(Elsewhere(chosen))

    async def judge(question: dict[str, Any]) -> bool:
        decided = await point.evaluate(convert(question, Evaluation))
        log.info(
            "the decision point says %s to a contract: %s", "yes" if decided.permit else "no", decided.rule
        )
        return decided.permit

    return judge


def operator_of(
    config: Config,
    grounds: Grounds,
    store: Store,
    membership: Membership,
    owners: Owners,
    notices: Callable[[str], Awaitable[Sequence[OfferedNotice]]],
    clock: Clock,
) -> Operator:
    """The operator's side of a membership; `notices` asks an organisation, by its alias, what it can tell of. Raises
    `Problem`."""

    async def offered(alias: str) -> Opened:
        owners.forget(alias)  # what is signed must be what is offered now
        known, told = await owners.known(alias), await notices(alias)
        return Opened({one.disclosure.id: one for one in known.offers}, {one.notice.id: one for one in told})

    return open_operator(store, membership, _opens(config, grounds), aliases(config), offered, clock)


def _opens(config: Config, grounds: Grounds) -> Opened:
    """What the files of this node open."""
    own = config.node
    datasets = {dataset.name: dataset for dataset in grounds.datasets}
    events = {event.type: event for event in grounds.events}
    return Opened(
        {one.id: make_offer(own.oin, own.alias, datasets[one.dataset], one) for one in grounds.disclosures},
        {one.id: offered_notice(own.oin, events[one.event], one) for one in grounds.notices},
    )


def _between_nodes(config: Config) -> list[AutoSign]:
    """Peers in the settings may reach this node's own API; what of it they may use, its rules and purposes say."""
    peers = tuple(peer.oin for peer in config.peers.values())
    if not peers:  # an empty list would mean anyone
        return []
    return [
        AutoSign("peers of the settings", ("GRANT_TYPE_SERVICE_CONNECTION",), ("service",), peers, (SERVICE,))
    ]


def aliases(config: Config) -> dict[str, PeerId]:
    """What organisations are called in questions and declarations, and their Peer IDs."""
    return {name: peer.oin for name, peer in config.peers.items()} | {config.node.alias: config.node.oin}


class GroupServers:
    """The listeners of a membership: the Manager's, and those of its data plane."""

    def __init__(
        self,
        config: Config,
        membership: Membership,
        revocations: Revocations,
        node: Any,
        clock: Clock,
        signed_in: Counted = dict,
        delivering: Callable[[], Delivering] = Delivering,
    ) -> None:
        self._config, self._membership, self._revocations = config, membership, revocations
        self._door: ssl.SSLContext | None = None
        self._before: Identity | None = None
        self._renewing = asyncio.Lock()  # of certificates and of lists: both make contexts
        self.manager = Server(membership.running.api)
        self.plane = plane_of(config, membership, revocations, node)
        read, fsc = reader_of(membership, clock, signed_in, delivering), config.fsc
        self._metrics = fsc.metrics_port and Server(MetricsApp(membership, read, self.plane.well))
        self._telemetry = fsc.otlp and open_telemetry(fsc.otlp, _resource(membership), read, clock)

    async def start(self) -> None:
        """Listen, and begin what goes on by itself. Raises `Problem`."""
        config = self._config
        manager = self._membership.running.manager
        self._door = door = _unguarded(manager.identity, manager.group)
        hand_over(door, listening(manager.identity, manager.group, self._revocations))
        await self.manager.listen(PeerListener(config.manager.host, config.manager.port, door))
        await self.plane.start(
            PeerListener(config.inway.host, config.inway.port, door),
            LoopbackListener(config.outway.host, config.outway.port),
        )
        if self._metrics and config.fsc.metrics_port:
            await self._metrics.listen(LoopbackListener("127.0.0.1", config.fsc.metrics_port))
        await self._membership.start()
        await self._membership.connect(aliases(config))
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
        manager = self._membership.running.manager
        self._revocations.also_under(identity.chain[1:])
        async with self._renewing:
            before = manager.identity
            outgoing, incoming = self._contexts(identity)
            await self.plane.take(identity)
            self._meet_with(incoming)
            self._before = before if before.certificate != identity.certificate else self._before
            await self._membership.renew(identity, outgoing)

    async def hold_to_lists(self) -> None:
        """Close every connection of a peer whose certificate was revoked, and begin with new contexts: OpenSSL keeps all
        lists that one was ever given. Raises `Invalid`; the ones before are held to the lists too."""
        self._membership.shown.tidy()
        self.plane.renew()
        self.manager.cut_off(self._revocations.revokes)
        async with self._renewing:
            outgoing, incoming = await asyncio.to_thread(
                self._contexts, self._membership.running.manager.identity
            )
            before = dict[str, ssl.SSLContext]()
            if not self._membership.shown.before:
                self._before = None
            if self._before is not None:
                shown = certificate_thumbprint(self._before.certificate)
                before[shown] = await asyncio.to_thread(self._outgoing, self._before)
            self._meet_with(incoming)
            self._membership.remake(outgoing, before)

    def _contexts(self, identity: Identity) -> tuple[ssl.SSLContext, ssl.SSLContext]:
        """For connections to peers, and from them."""
        group = self._membership.running.manager.group
        return self._outgoing(identity), listening(identity, group, self._revocations)

    def _outgoing(self, identity: Identity) -> ssl.SSLContext:
        return connecting(identity, self._membership.running.manager.group, self._revocations)

    def _meet_with(self, incoming: ssl.SSLContext) -> None:
        if self._door is not None:
            hand_over(self._door, incoming)


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
    return _guarded(_unguarded(identity, group), revocations)


def connecting(identity: Identity, group: Group, revocations: Revocations) -> ssl.SSLContext:
    """For connections to peers. Raises `Invalid`."""
    with identity.as_file() as file:
        return _guarded(hold_to(group, client_context(file, file, group.anchors)), revocations)


def _unguarded(identity: Identity, group: Group) -> ssl.SSLContext:
    with identity.as_file() as file:
        return hold_to(group, server_context(file, file, group.anchors))


def _guarded(context: ssl.SSLContext, revocations: Revocations) -> ssl.SSLContext:
    revocations.guard(context)
    return context

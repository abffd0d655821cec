"""A node as a peer of its group: Manager, inway, outway and their logs, put together over one store.

Nothing is decided here. `serve` gives the listeners, and starts and stops it.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import NamedTuple

import msgspec

from sluis.crypto import Identity, certificate_thumbprint, public_key_thumbprint
from sluis.gateway.applying import Applying, open_applying
from sluis.gateway.comparison import Comparison, open_comparison
from sluis.gateway.contracts import Contracts, Grant, Kept, Signature, open_contracts, state
from sluis.gateway.crossing import SERVICE, GroupLink
from sluis.gateway.documents import Connection, Declared, Metadata, Wanted
from sluis.gateway.evidence import Evidence
from sluis.gateway.forward import Target
from sluis.gateway.inway import Inway
from sluis.gateway.manager import Running, Settings, Trust, open_manager
from sluis.gateway.meter import Meter
from sluis.gateway.outway import Outway
from sluis.gateway.outwaycerts import OutwayCertificates
from sluis.gateway.peers import Group
from sluis.gateway.remote import RemoteLogs
from sluis.gateway.services import Service, Services
from sluis.gateway.streams import Streams
from sluis.gateway.tokens import Tokens
from sluis.gateway.transactions import TransactionLog, open_sealing, open_transactions
from sluis.kernel import Clock, PeerId, Place, Problem
from sluis.ledger import Ledger
from sluis.store import Store

log = logging.getLogger("sluis.gateway")


class Meters(NamedTuple):
    """What was counted of each side."""

    inway: Meter
    outway: Meter


class Membership(msgspec.Struct, frozen=True):
    """What a node is in its group. Made by `open_membership`.

    Attributes:
        running: the Manager; `running.api` is the ASGI app for its listener.
        contracts: of this peer.
        transactions: the transaction log.
        applying: what this node was told to offer and to connect to.
        inway: decides what comes in; a data plane asks it.
        outway: decides what goes out.
        meters: what the data plane counts of each.
        comparison: of transaction logs with those of peers.
        streams: the connections of this node's own requests, and of the data plane in process.
        link: the way of the node's own requests to its peers.
        shown: the certificates that the outway shows.
        token: gets a token for a connection grant of this node's outway; raises a `Problem`.
        evidence: what of all this goes into the ledger.
        clock: aware UTC.
    """

    running: Running
    contracts: Contracts
    transactions: TransactionLog
    applying: Applying
    inway: Inway
    outway: Outway
    meters: Meters
    comparison: Comparison
    streams: Streams
    link: GroupLink
    shown: OutwayCertificates
    token: Callable[[Grant], Awaitable[str]]
    evidence: Evidence
    clock: Clock

    async def start(self) -> None:
        """Begin what goes on by itself. Raises `Unkept`."""
        self.contracts.on_change(self._changed)
        self.contracts.on_change(self.evidence.signed)
        own = self.running.manager.own.id
        await self.evidence.begin(partial(self.contracts.page, own))
        await self.running.start()
        await self.applying.settle()
        self.running.each_day(self._renew_contracts)

    async def stop(self) -> None:
        """End it all; what was not delivered is kept."""
        await self.running.stop()
        await self.outway.settle()
        await self.evidence.stop()
        await self.evidence.seal()
        self.streams.close()

    async def renew(self, identity: Identity, context: ssl.SSLContext) -> None:
        """Go on with a renewed certificate, without dropping a request: sign again what was signed with the one before, and
        when the key is another, propose the contracts that name it. Done twice, the second time changes nothing.

        Args:
            identity: the certificate and its key.
            context: `crypto.client_context` with them, which does as the group says.

        Raises `Unkept`: it could not be kept, or not all was signed again.
        """
        before = self.running.manager.identity.certificate
        if identity.certificate != before:
            await self.running.renew(identity, context)
            self.streams.renew(context, certificate_thumbprint(before))
            self.shown.take(identity.certificate)
        await self.running.sign_again()
        await self._renew_contracts()

    def remake(self, context: ssl.SSLContext, before: Mapping[str, ssl.SSLContext]) -> None:
        """Connect to peers with contexts that were made anew; arguments as `Streams.remake`."""
        self.streams.remake(context, before)
        self.running.managers.remake(context, before)

    async def connect(self, peers: Mapping[str, PeerId]) -> None:
        """Have a contract without a purpose with each of these, under which nodes read each other's cards and offers.

        Args:
            peers: by the names that this node gives them.

        Raises `Unkept`.
        """
        wanted = [
            Declared(
                "Connection",
                Metadata(f"peer.{alias}"),
                Connection(Wanted(str.__str__(peer), SERVICE)),
                Place("-"),
            )
            for alias, peer in sorted(peers.items())
        ]
        await self.applying.apply(wanted, "node")

    async def compare(self) -> None:
        """Compare transaction logs with every peer; one that cannot be reached is passed over until the next time."""
        own = self.running.manager.own.id
        for known in self.running.peers.every():
            if known.id == own:
                continue
            try:
                await self.comparison.compare(known.id)
            except Problem as problem:
                log.info("transaction logs are not compared with %s: %s", known.id, problem.code)

    async def _renew_contracts(self) -> None:
        self.shown.tidy()
        await self.applying.renew()
        for before in self.shown.before:
            if count := await asyncio.to_thread(self._for_key_of_before):
                log.warning("contracts for the key of the certificate before: %d; they go on until that ends, on %s, or "
                            "this node starts again: have the next ones signed, and apply anew what has an end of its own",
                            count, before.not_valid_after_utc.date())  # fmt: skip

    def _for_key_of_before(self) -> int:
        """How many contracts are in force for this node's outway as the certificate before says it, and not the present."""
        every, now = self.contracts.every(self.running.manager.own.id), int(self.clock().timestamp())
        named = (one for one in every if any(map(self.shown.for_grant, one.content.grants)))
        return sum(state(one, now) == "valid" for one in named)

    def _changed(self, kept: Kept, signature: Signature) -> None:
        if signature.action == "accept":
            settling = asyncio.get_running_loop().create_task(self.applying.settle())
            settling.add_done_callback(_settled)


def open_membership(
    store: Store,
    ledger: Ledger,
    identity: Identity,
    group: Group,
    settings: Settings,
    trust: Trust,
    context: ssl.SSLContext,
    aliases: Mapping[str, PeerId],
    clock: Clock,
    revoked: Callable[[bytes], bool] = lambda certificate: False,
) -> Membership:
    """A node as a peer of a group, put together and not yet started. Blocks.

    Args:
        store: the node's database; this process becomes its writer.
        ledger: of the node.
        identity: the node's certificate and key.
        group: the rules of the group.
        settings: of the Manager.
        trust: the group's roots and revocation lists.
        context: `crypto.client_context` of this node, which does as the group says (`peers.hold_to`).
        aliases: names of organisations, and their Peer IDs.
        clock: aware UTC.
        revoked: whether a certificate (DER) was revoked.

    Raises `Conflict`, `Unkept`: the database; `Invalid`: what was declared before no longer fits.
    """
    own = identity.peer.id
    contracts, transactions = open_contracts(store, own, clock), open_transactions(store, clock)
    services = Services()
    running = open_manager(
        store, identity, group, settings, trust, context, contracts, transactions, services.names, clock, revoked
    )  # fmt: skip
    manager = running.manager
    own_api = Service(SERVICE, Target(False, "", 0, SERVICE))
    applying = open_applying(
        store, manager, running.peers, services, aliases,
        lambda: public_key_thumbprint(manager.identity.certificate), clock, [own_api],
    )  # fmt: skip
    streams = Streams(context, ssl.create_default_context, revoked)
    shown = OutwayCertificates(identity.certificate, revoked, clock)

    async def token(grant: Grant) -> str:
        return await running.managers.token(grant.service_peer, own, grant.hash, shown.for_grant(grant))

    tokens = Tokens(token, group.id, lambda: shown.thumbprints, lambda: clock().timestamp())
    outway = Outway(own, lambda: shown.certificates, contracts, applying.links, tokens, transactions, clock)
    inway = Inway(
        own, group.id, [settings.inway], manager.keys, services, contracts.in_force, transactions, clock, revoked
    )  # fmt: skip
    return Membership(
        running=running,
        contracts=contracts,
        transactions=transactions,
        applying=applying,
        inway=inway,
        outway=outway,
        meters=Meters(Meter(), Meter()),
        comparison=open_comparison(store, transactions, RemoteLogs(running.managers), own, clock),
        streams=streams,
        link=GroupLink(outway, contracts.connections, streams, running.peers.name, clock),
        shown=shown,
        token=token,
        evidence=Evidence(ledger, open_sealing(store), clock),
        clock=clock,
    )


def _settled(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (failure := task.exception()) is not None:
        log.error("what was replaced is not revoked yet: %s", type(failure).__name__)

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
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sluis.crypto import Identity, certificate_thumbprint, public_key_thumbprint, time_left
from sluis.gateway.applying import Applying, open_applying
from sluis.gateway.comparison import Comparison, open_comparison
from sluis.gateway.contracts import Contracts, Grant, Kept, Signature, fits_outway, open_contracts, state
from sluis.gateway.crossing import SERVICE, GroupLink
from sluis.gateway.documents import Connection, Declared, Metadata, Wanted
from sluis.gateway.evidence import Evidence
from sluis.gateway.forward import Target
from sluis.gateway.inway import Inway
from sluis.gateway.manager import Running, Settings, Trust, open_manager
from sluis.gateway.meter import Meter
from sluis.gateway.outway import Outway
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

_PAGE = 500  # contracts in memory at once


class Meters(NamedTuple):
    """What was counted of each side."""

    inway: Meter
    outway: Meter


class Shown:
    """The certificates that the outway shows: the present one, and the one before it. Tokens that are at hand are bound to
    that, and contracts may name its key until there are others for the new key.

    Attributes:
        certificates: the present one first.
        thumbprints: theirs.

    Args:
        certificate: the present one.
        revoked: whether a certificate (DER) was revoked.
        clock: aware UTC.
    """

    def __init__(self, certificate: x509.Certificate, revoked: Callable[[bytes], bool], clock: Clock) -> None:
        self._revoked, self._clock = revoked, clock
        self._keep(certificate)

    def take(self, certificate: x509.Certificate) -> None:
        """From now on this is the present one."""
        self._keep(certificate, self.certificates[0])
        self.tidy()

    def tidy(self) -> None:
        """Show the one before no longer when it has ended, or was revoked."""
        present, *before = self.certificates
        if not all(map(self._good, before)):
            self._keep(present)

    def for_grant(self, grant: Grant) -> tuple[str, ...]:
        """Which of them is shown for a connection grant, as in `Target.shows`."""
        outway, (present, *before) = grant.outway, self.certificates
        if outway is None or fits_outway(outway, present):
            return ()
        return next(((certificate_thumbprint(one),) for one in before if fits_outway(outway, one)), ())

    def _keep(self, *certificates: x509.Certificate) -> None:
        self.certificates = certificates
        self.thumbprints = frozenset(map(certificate_thumbprint, certificates))

    def _good(self, certificate: x509.Certificate) -> bool:
        ended = time_left(certificate, self._clock()).total_seconds() <= 0
        return not (ended or self._revoked(certificate.public_bytes(Encoding.DER)))


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
    shown: Shown
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
            context: `crypto.client_context` with them.

        Raises `Unkept`: it could not be kept, or not all was signed again.
        """
        before = self.running.manager.identity.certificate
        if identity.certificate != before:
            await self.running.renew(identity, context)
            self.streams.renew(context, certificate_thumbprint(before))
            self.shown.take(identity.certificate)
        await self.running.sign_again()
        await self._renew_contracts()

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
        if count := await asyncio.to_thread(self._for_key_of_before):
            ends = self.shown.certificates[-1].not_valid_after_utc.date()
            log.warning("contracts for the key of the certificate before: %d; they go on until that ends, on %s, or "
                        "this node starts again: have the next ones signed, and apply anew what has an end of its own",
                        count, ends)  # fmt: skip

    def _for_key_of_before(self) -> int:
        """How many contracts are in force for this node's outway with another key than its present one."""
        if len(set(map(public_key_thumbprint, self.shown.certificates))) == 1:
            return 0
        own, present = self.running.manager.own.id, self.shown.certificates[0]
        now, cursor, count = int(self.clock().timestamp()), "", 0
        while True:
            found, cursor = self.contracts.page(own, cursor, _PAGE)
            for one in found:
                outways = [grant.outway for grant in one.content.grants if grant.outway]
                ours = [outway for outway in outways if outway.peer_id == own]
                old = any(not fits_outway(outway, present) for outway in ours)
                count += old and state(one, now) == "valid"
            if not cursor:
                return count

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
        context: `crypto.client_context` of this node.
        aliases: names of organisations, and their Peer IDs.
        clock: aware UTC.
        revoked: whether a certificate (DER) was revoked.

    Raises `Conflict`, `Unkept`: the database; `Invalid`: what was declared before no longer fits.
    """
    own = identity.peer.id
    contracts, transactions, services = (
        open_contracts(store, own, clock),
        open_transactions(store, clock),
        Services(),
    )
    running = open_manager(
        store,
        identity,
        group,
        settings,
        trust,
        context,
        contracts,
        transactions,
        services.names,
        clock,
        revoked,
    )
    manager = running.manager
    own_api = Service(SERVICE, Target(False, "", 0, SERVICE))
    applying = open_applying(
        store,
        manager,
        running.peers,
        services,
        aliases,
        lambda: public_key_thumbprint(manager.identity.certificate),
        clock,
        [own_api],
    )
    streams = Streams(context, ssl.create_default_context, revoked)
    shown = Shown(identity.certificate, revoked, clock)

    async def fetch(grant: Grant) -> str:
        return await running.managers.token(grant.service_peer, own, grant.hash, shown.for_grant(grant))

    tokens = Tokens(fetch, group.id, lambda: shown.thumbprints, lambda: clock().timestamp())
    outway = Outway(own, lambda: shown.certificates, contracts, applying.links, tokens, transactions, clock)
    inway = Inway(
        own,
        group.id,
        [settings.inway],
        manager.keys,
        services,
        contracts.in_force,
        transactions,
        clock,
        revoked,
    )
    return Membership(
        running,
        contracts,
        transactions,
        applying,
        inway,
        outway,
        Meters(Meter(), Meter()),
        open_comparison(store, transactions, RemoteLogs(running.managers), own, clock),
        streams,
        GroupLink(outway, contracts.connections, streams, running.peers.name, clock),
        shown,
        fetch,
        Evidence(ledger, open_sealing(store)),
        clock,
    )


def _settled(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (failure := task.exception()) is not None:
        log.error("what was replaced is not revoked yet: %s", type(failure).__name__)

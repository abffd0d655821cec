"""A Manager as it runs: put together from a store and the group's rules, with all that goes on by itself.

Delivering, comparing with other Managers, announcing, signing by rule, and warning in time of what ends.
"""

import asyncio
import logging
import random
import ssl
from collections.abc import Callable, Collection, Coroutine
from typing import Any

import msgspec

from sluis.crypto import WARN_BEFORE, Identity, Peer, certificate_thumbprint, time_left
from sluis.gateway.allowance import Allowance
from sluis.gateway.contracts import Content, Contract, Contracts, Kept, Signature, waiting_for
from sluis.gateway.manager.callers import Callers
from sluis.gateway.manager.client import Managers
from sluis.gateway.manager.delivery import Delivery, Letter
from sluis.gateway.manager.directory import DirectoryClient
from sluis.gateway.manager.http import ManagerApi
from sluis.gateway.manager.model import AutoSign, Judge
from sluis.gateway.manager.reconcile import Reconciler
from sluis.gateway.manager.rules import offered_by, question, signs_itself
from sluis.gateway.manager.service import Manager, Trust
from sluis.gateway.peers import Certificates, Group, Known, Peers, open_peers
from sluis.gateway.transactions import TransactionLog
from sluis.kernel import Clock, Conflict, PeerId, Problem, cause_of
from sluis.store import Outbox, Store, open_outbox

log = logging.getLogger("sluis.manager")

SIGNED_BY_RULE = 10_000
"""Contracts of one peer that are signed without asking, at once and each day; a large one counts for more. The others
wait for a person, and of those `contracts` bounds how many there may be."""

_DAY, _SECOND = 86_400.0, 1.0  # seconds
_JUDGE_AGAIN = 600.0  # seconds between two looks at certificates without a renewed list: an anchor may end
_ANNOUNCED = (
    90 * 86_400
)  # seconds after which an announcement that did not arrive is let go; each start makes one
_COUNTS = 16 * 1024  # bytes of a contract that count for one
_UNKNOWN = 5  # parties of one contract that are looked for before a rule signs it
_AT_ONCE = 8  # contracts that are judged by rules or a decision point


class Settings(msgspec.Struct, frozen=True):
    """What a Manager is told.

    Args:
        address: where others reach it, `https://host:port`.
        inway: where others reach this peer's inway; tokens are for it.
        test: whether certificates of a test authority are accepted.
        auto_sign: rules by which it signs without asking.
        decision_point: is asked whether to sign when no rule fits.
        unsettled_seconds: between two comparisons of what waits for somebody.
        everything_seconds: between two comparisons of all contracts.
        answer_seconds: how long another Manager may take.
    """

    address: str
    inway: str
    test: bool = False
    auto_sign: tuple[AutoSign, ...] = ()
    decision_point: Judge | None = None
    unsettled_seconds: float = 30.0
    everything_seconds: float = 3600.0
    answer_seconds: float = 10.0


class Running:
    """A Manager with everything around it. Made by `open_manager`; belongs to one event loop.

    Attributes:
        manager: proposes, takes and signs.
        api: the ASGI app for its listener.
        directory: what the group's directory says.
        managers: the way to other Managers.
        peers: those that are known.
        reconciler: compares contracts with others.
        outbox: what waits to be delivered.
    """

    def __init__(
        self,
        settings: Settings,
        manager: Manager,
        api: ManagerApi,
        peers: Peers,
        managers: Managers,
        directory: DirectoryClient,
        delivery: Delivery,
        outbox: Outbox,
        clock: Clock,
    ) -> None:
        self.settings, self.manager, self.api, self.peers = settings, manager, api, peers
        self.managers, self.directory, self.outbox = managers, directory, outbox
        self._delivery, self._clock = delivery, clock
        self.reconciler = Reconciler(
            manager.own.id, manager.contracts, managers, manager.take, manager.give, directory.locate, clock
        )
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._judging: dict[str, asyncio.Task[None]] = {}  # contracts that rules are held against
        self._signing = Allowance(SIGNED_BY_RULE, SIGNED_BY_RULE / _DAY)
        self._lists: object = None  # those that certificates were held against
        self._judge_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin what goes on by itself. Raises `Unkept`."""
        manager = self.manager
        await manager.adopt(manager.identity)
        await self._know_directory()
        manager.contracts.on_change(self._changed)
        self._begin(self._delivery.run())
        await self.announce()
        self._begin(self._consider_open())
        settings = self.settings
        self._begin(self._repeat(_SECOND, self._hold_certificates, at_once=True))
        self._begin(self._repeat(settings.unsettled_seconds, self._compare_unsettled))
        self._begin(self._repeat(settings.everything_seconds, self._compare_everything))
        self.each_day(self._once_a_day)
        self.each_day(self.sign_again)  # the first time after a start with a renewed certificate

    async def stop(self) -> None:
        """End it all; what was not delivered is kept."""
        tasks, self._tasks = self._tasks, set()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self.managers.close()

    async def announce(self) -> None:
        """Tell the directory, and whoever is known, where this Manager is; until they have taken it. Raises `Unkept`."""
        if self.manager.group.directory.peer == self.manager.own.id:
            return  # where a directory is, the rules of the group say
        ends = self._now() + _ANNOUNCED
        for known in self.peers.every():
            if known.id != self.manager.own.id:
                await self._delivery.give(known.id, [Letter("announce")], ends)

    async def renew(self, identity: Identity, context: ssl.SSLContext) -> None:
        """Go on with a renewed certificate of this peer: sign and connect with it. The one before is shown to a Manager only
        where a token must be bound to it.

        Args:
            identity: the certificate and its key.
            context: `crypto.client_context` with them, which does as the group says.

        Raises `Unkept`; nothing is different then.
        """
        before = certificate_thumbprint(self.manager.identity.certificate)
        await self.manager.adopt(identity)
        self.managers.renew(context, before)

    async def sign_again(self) -> None:
        """Sign anew what was signed with an earlier certificate. Raises `Unkept`."""
        if count := await self.manager.sign_again():
            log.info("%d contracts are signed again with the certificate of now", count)

    def each_day(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Do this now, and each day while the Manager runs. What goes wrong is logged, and ends nothing."""
        self._begin(self._repeat(_DAY, work, at_once=True))

    # Signing by rule

    def _changed(self, kept: Kept, signature: Signature) -> None:
        if signature.peer != self.manager.own.id:
            self._consider(kept.contract)

    async def _consider_open(self) -> None:
        """Perhaps sign what came while nobody looked, or what a rule that is new now speaks of."""
        last, now = None, self._now()
        while page := await asyncio.to_thread(self.manager.contracts.proposed, now, last):
            last = page[-1]
            for contract in page:
                self._consider(contract)
            await asyncio.gather(*self._judging.values(), return_exceptions=True)

    def _consider(self, contract: Contract) -> None:
        """Perhaps sign a contract that waits for this peer."""
        settings = self.settings
        asked = settings.auto_sign or settings.decision_point
        hash = contract.content.hash
        if asked and self._waits(contract) and hash not in self._judging:
            self._judging[hash] = self._begin(self._judge(contract))

    def _waits(self, contract: Contract) -> bool:
        closed = contract.signed("reject") or contract.signed("revoke")
        return not closed and self.manager.own.id in waiting_for(contract, self._now())

    async def _judge(self, contract: Contract) -> None:
        hash = contract.content.hash
        try:
            async with self._room:
                rule = await self._rule_for(contract)
                if rule is None:
                    return
                if self.settings.decision_point is not None:  # that took a while
                    contract = await asyncio.to_thread(self.manager.contract, hash)
                if not self._waits(contract):
                    return
                await self.manager.sign(contract, "accept")
                log.info("contract %s is signed by rule: %s", hash, rule)
        except Conflict:
            pass  # somebody was quicker
        except Problem as problem:
            log.error("contract %s is not signed: %s", hash, problem.code)
        finally:
            self._judging.pop(hash, None)

    async def _rule_for(self, contract: Contract) -> str | None:
        own, settings = self.manager.own.id, self.settings
        rule = signs_itself(contract, own, settings.auto_sign, self.manager.offers().__contains__)
        submitter = offered_by(contract, own)
        if submitter is None:
            return None
        if rule is None and settings.decision_point is not None:
            said = await settings.decision_point(question(contract, own, submitter))
            rule = "decision point" if said else None
        if rule and await self._all_there(contract) and self._may_sign(contract, submitter):
            return rule
        return None

    async def _all_there(self, contract: Contract) -> bool:
        """Whether every party signed it, is known, or is in the directory. Of one that somebody made up this node would
        look for the address as long as the contract lasts."""
        there = {self.manager.own.id, *(one.peer for one in contract.signatures)}
        unknown = [peer for peer in contract.content.parties - there if self.peers.known(peer) is None]
        if len(unknown) <= _UNKNOWN:
            unknown = [peer for peer in unknown if not await self.directory.locate(peer)]
        if unknown:
            log.warning("contract %s waits for a person: %d of its parties are not in the directory",
                        contract.content.hash, len(unknown))  # fmt: skip
        return not unknown

    def _may_sign(self, contract: Contract, peer: PeerId) -> bool:
        """Whether this peer had not too many contracts signed by rule."""
        amount = 1 + len(contract.content.json) // _COUNTS
        if not self._signing.wait(peer, amount, asyncio.get_running_loop().time()):
            return True
        log.warning("contract %s waits for a person: too many of %s were signed by rule", contract.content.hash,
                    str.__str__(peer))  # fmt: skip
        return False

    # What recurs

    async def _compare_unsettled(self) -> None:
        await self.reconciler.unsettled()

    async def _compare_everything(self) -> None:
        await self.reconciler.everything(known.id for known in self.peers.every())

    async def _hold_certificates(self) -> None:
        """Within seconds of a renewed revocation list, what hangs on a revoked certificate is in force no longer."""
        lists, now = self.manager.lists, asyncio.get_running_loop().time()
        if lists is not self._lists or now >= self._judge_at:
            await asyncio.to_thread(self.manager.judge)
            self._lists, self._judge_at = lists, now + _JUDGE_AGAIN

    async def _once_a_day(self) -> None:
        await self.outbox.sweep()
        await self.manager.contracts.forget(self._now() - int(_DAY))
        await self._warn()

    async def _warn(self) -> None:
        """Say in the log what ends soon: it takes others to renew it."""
        left = time_left(self.manager.identity.certificate, self._clock())
        if left < WARN_BEFORE:
            log.warning("the certificate that contracts are signed with ends in %d days", left.days)
        now = self._now()
        until = now + int(WARN_BEFORE.total_seconds())
        for contract in await asyncio.to_thread(self.manager.contracts.ending, now, until):
            if self._goes_on(contract.content):
                continue
            days = (contract.content.not_after - now) // int(_DAY)
            log.warning("contract %s ends in %d days", contract.content.hash, days)
        for one in await asyncio.to_thread(self.manager.contracts.certificates, now):
            if one.peer != self.manager.own.id and now <= one.until <= until:
                days = (one.until - now) // int(_DAY)
                log.warning(
                    "the certificate that %s accepted contracts with ends in %d days",
                    str.__str__(one.peer),
                    days,
                )

    def _goes_on(self, content: Content) -> bool:
        """Whether another contract of this peer allows the same when this one has ended."""
        after, contracts = content.not_after + 1, self.manager.contracts
        published = [one.grant for one in contracts.publications(after)]
        return all(
            any(
                msgspec.structs.replace(other, hash=grant.hash) == grant
                for other in (
                    contracts.connections(grant.service_peer, grant.service_name, after)
                    if grant.outway
                    else published
                )
            )
            for grant in content.grants
        )

    async def _know_directory(self) -> None:
        directory = self.manager.group.directory
        if directory.peer != self.manager.own.id:
            name = self.peers.name(directory.peer)
            await self.peers.told(Known(directory.peer, name, directory.address, itself=False))
        await self.peers.heard(self.manager.own, self.settings.address)

    async def _repeat(
        self, seconds: float, work: Callable[[], Coroutine[Any, Any, None]], at_once: bool = False
    ) -> None:
        # Spread, so that the peers of a group that started together do not all ask at the same moment.
        if not at_once:
            await asyncio.sleep(seconds * (0.5 + random.random() / 2))  # noqa: S311
        while True:
            try:
                await work()
            except Exception as failure:  # a database that was away for a moment ends nothing either
                log.error("what recurs failed: %s", cause_of(failure))
            await asyncio.sleep(seconds * (0.75 + random.random() / 2))  # noqa: S311

    def _begin(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            log.error("what the Manager does by itself ended: %s", type(failure).__name__, exc_info=failure)

    def _now(self) -> int:
        return int(self._clock().timestamp())


def open_manager(
    store: Store,
    identity: Identity,
    group: Group,
    settings: Settings,
    trust: Trust,
    context: ssl.SSLContext,
    contracts: Contracts,
    transactions: TransactionLog,
    offers: Callable[[], Collection[str]],
    clock: Clock,
    revoked: Callable[[bytes], bool] = lambda certificate: False,
) -> Running:
    """A Manager, put together and not yet started.

    Args:
        store: this node's database; this process becomes its writer.
        identity: this node's certificate and key.
        group: the rules of the group.
        settings: of this Manager.
        trust: the group's roots and revocation lists.
        context: `crypto.client_context` of this node, which does as the group says (`peers.hold_to`).
        contracts: those of this peer, from the same store.
        transactions: the log, from the same store.
        offers: the names of the services behind this peer's inway.
        clock: aware UTC.
        revoked: whether a certificate (DER) was revoked; asked whenever another Manager is.

    Raises `Conflict`, `Unkept`: the database.
    """
    own: PeerId = identity.peer.id
    outbox, peers = open_outbox(store, clock), open_peers(store)
    managers = Managers(peers, context, settings.address, revoked, settings.answer_seconds)
    certificates = Certificates(store, managers.jwks, trust.anchors, trust.lists, clock)
    directory = DirectoryClient(own, group, peers, managers, settings.test)

    def content_of(hash: str) -> bytes | None:
        contract = contracts.get(hash)
        return contract.content.json if contract is not None else None

    delivery = Delivery(outbox, managers, content_of, directory.locate)
    manager = Manager(identity, group, contracts, certificates, delivery, trust, offers, clock)
    manager.judge()  # before anybody can ask for a token or come to the inway

    async def heard(peer: Peer, address: str) -> None:
        if peer.id != own:
            await peers.heard(peer, address)
            await delivery.back(peer.id)

    callers = Callers(clock, settings.test, trust.lists)
    api = ManagerApi(manager, peers, callers, heard, transactions, settings.inway, clock, settings.test)
    return Running(settings, manager, api, peers, managers, directory, delivery, outbox, clock)

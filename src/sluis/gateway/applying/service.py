"""`sluis apply`: making a node what documents say it is. Done twice, the second time changes nothing.

Peers, services and links are this node's own and hold at once. Publications and connections are contracts: one is
proposed when there is none for this wish, and others sign it in their own time. When a declaration changes, the
contract that it had stays until the new one is valid, and is revoked then: nobody loses a connection over it.

What was declared stays true: before a contract ends the next is proposed, without anybody asking, and when the outway has
another key a contract for that one. Only a declaration that says itself until when it counts ends then.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from sluis.crypto import canonical
from sluis.gateway.applying import sql
from sluis.gateway.applying.keeping import Declarations, digest_of
from sluis.gateway.applying.model import Applied, Change, Origin, Outcome
from sluis.gateway.applying.rules import (
    WARN_BEFORE,
    YEAR,
    connection_grant,
    for_key,
    goes_on,
    publication_grant,
    renewal_due,
    validity,
)
from sluis.gateway.clientcerts import ends_soon, read_shown
from sluis.gateway.contracts import Contract, State, state, waiting_for
from sluis.gateway.documents import (
    Connection,
    Declared,
    Group,
    Peer,
    Publication,
    missing,
    offered,
)
from sluis.gateway.manager import Manager
from sluis.gateway.peers import Known, Peers
from sluis.gateway.services import Service, Services, service_of
from sluis.kernel import Clock, Conflict, Invalid, PeerId, Problem, Text, Unkept, decode, encode, plain
from sluis.store import Store, migrate

log = logging.getLogger("sluis.gateway")

_YEAR = YEAR * 86_400  # seconds
_LEAVING = ("Link", "Connection", "Publication", "Service", "PublicService", "Peer")
"""In this order declarations are withdrawn: what names another goes before it."""

_OPEN: frozenset[State] = frozenset({"proposed", "valid"})
_OVER: tuple[State | None, ...] = (None, "expired")
"""What a declaration makes a new contract after. Files are applied again and again: that is no answer to a no."""
_ASKED_AGAIN = (*_OVER, "rejected", "revoked")
"""The same for what a person asks for there and then."""


class Applying:
    """Keeps a node what it was told to be. Made by `open_applying`; belongs to one event loop.

    Args:
        kept: what was declared.
        manager: proposes and revokes.
        peers: those that are known.
        thumbprint: of the public key that the outway shows now.
        clock: the node's clock.
    """

    def __init__(
        self, kept: Declarations, manager: Manager, peers: Peers, thumbprint: Callable[[], str], clock: Clock
    ) -> None:
        self._kept, self._manager, self._peers = kept, manager, peers
        self._thumbprint, self._clock = thumbprint, clock
        self._one_at_a_time = asyncio.Lock()

    @property
    def services(self) -> Services:
        """Those that are offered."""
        return self._kept.services

    @property
    def links(self) -> dict[str, str]:
        """Names, and the grant hashes they stand for."""
        return self._kept.links

    def declared(self) -> list[Applied]:
        """Every declaration that is kept."""
        return self._kept.every()

    def aliases(self) -> dict[str, PeerId]:
        """Names of organisations that Peer documents gave."""
        return self._kept.peers()

    async def apply(self, documents: Sequence[Declared], origin: Origin = "apply") -> list[Outcome]:
        """Make the node what documents say; gives what that took, in their order. `origin` is who declares.

        Raises:
            Invalid: a document that cannot hold here. Nothing was done.
            Problem: a contract that cannot be proposed. What stands before it was done, and may be done again.
        """
        known = self.check(documents)
        async with self._one_at_a_time:
            await self._settle()
            outcomes = dict[tuple[str, str], Outcome]()
            over = _ASKED_AGAIN if origin == "request" else _OVER
            # Organisations first: rules may name one that stands further on.
            for one in sorted(documents, key=lambda one: not isinstance(one.spec, Peer)):
                outcomes[one.key] = await self._apply(one, known, over)
                kept = self._kept.get(*one.key)
                if kept is not None and kept.origin != origin:
                    await self._kept.keep(msgspec.structs.replace(kept, origin=origin))
            return [outcomes[one.key] for one in documents]

    async def withdraw(self, keep: Collection[tuple[str, str]], check: bool = False) -> list[Outcome]:
        """Take back what documents declared and no longer do: contracts are revoked, services no longer offered.

        Args:
            keep: `Declared.key` of what they still declare.
            check: only tell what would be done.

        Returns: what was taken back, and the state of its contract before.

        Raises:
            Invalid: what stays names an organisation that would no longer be known. Nothing was done.
            Problem: a contract that cannot be revoked. What stands before it was done, and may be done again.
        """
        async with self._one_at_a_time:
            await self._settle()
            gone = [
                one
                for one in self._kept.every()
                if one.origin == "apply" and (one.kind, one.name) not in keep
            ]
            gone.sort(key=lambda one: _LEAVING.index(one.kind))
            self._kept.check_without(gone)
            return [await self._withdraw(one, check) for one in gone]

    async def _withdraw(self, one: Applied, check: bool) -> Outcome:
        kind = "Service" if one.kind == "PublicService" else one.kind
        told = Outcome(
            kind,
            one.name,
            "withdrawn",
            one.contract,
            await self._state(one.contract) if one.contract else None,
        )
        if not check:
            for contract in filter(None, (one.contract, one.before)):
                if await self._state(contract) in _OPEN:
                    await self._manager.act(contract, "revoke")
            await self._kept.forget(one)
        return told

    async def settle(self) -> None:
        """Revoke what was replaced by a contract that is valid by now. Raises `Unkept`."""
        async with self._one_at_a_time:
            await self._settle()

    async def _settle(self) -> None:
        for one in [one for one in self._kept.every() if one.before]:
            new, old = await self._contract(one.contract), await self._contract(one.before)
            if new is None or state(new, self._now()) != "valid":
                continue
            if old is not None and state(old, self._now()) in _OPEN:
                if goes_on(old.content, new.content):
                    continue  # it may run out: programs that name its grant have until then to go over
                self._kept.take_up()  # who comes by a link goes over before the old one is no more
                await self._manager.act(one.before, "revoke")
            await self._kept.keep(msgspec.structs.replace(one, before=""))
        self._kept.take_up()

    async def renew(self) -> None:
        """Propose the next contract where one ends soon, or was for another key of the outway; warn of what nobody signs,
        and of client certificates that end. To be done each day. Raises `Unkept`."""
        async with self._one_at_a_time:
            await self._settle()
            for one in self._kept.every():
                try:
                    await self._renew(one)
                except Unkept:
                    raise
                except Problem as problem:
                    log.error("the next contract for %s %s is not made: %s", one.kind, one.name, problem.code)
        self._warn_of_certificates()

    async def _renew(self, one: Applied) -> None:
        contract = await self._contract(one.contract) if one.contract else None
        if contract is None:
            return
        content, now = contract.content, self._now()
        found = state(contract, now)
        if found not in ("proposed", "valid", "expired"):
            await self._warn(one, contract, "refused")  # somebody said no: asking again each day is no answer
            return
        grant = for_key(decode(one.body, dict[str, Any]), self._manager.own.id, self._thumbprint())
        body, says_until = canonical(grant), one.digest != digest_of(one.body)
        ends = found == "expired" or (
            found == "valid" and renewal_due(content.not_before, content.not_after, now)
        )
        if says_until or not (ends or body != one.body):
            if found == "proposed":
                await self._warn(one, contract, "not signed")
            return
        await self._propose(one, found, grant, (now, now + _YEAR), body, b"")
        log.info("the next contract for %s %s is proposed", one.kind, one.name)

    async def _warn(self, one: Applied, contract: Contract, because: str) -> None:
        """Say what ends soon without a next one that counts."""
        before = await self._contract(one.before) if one.before else None
        if before is None or state(before, self._now()) != "valid":
            return
        left = before.content.not_after - self._now()
        if left < WARN_BEFORE:
            waits = ", ".join(sorted(map(str.__str__, waiting_for(contract, self._now()))))
            log.warning(
                "the contract for %s %s ends in %d days, and the next one is %s: %s (%s)",
                one.kind, one.name, left // 86_400, because, contract.content.hash, waits,
            )  # fmt: skip

    def _warn_of_certificates(self) -> None:
        """Say which client certificates towards services end soon, or are of no use any more."""
        now = self._clock()
        for service in self._kept.offered():
            if not service.certificates:
                continue
            try:
                days = ends_soon(read_shown(service.certificates, now), now)
            except Invalid as problem:
                log.error("service %s is not reached: %s", service.name, problem.why.en)
                continue
            if days is not None:
                log.warning("the client certificate for service %s ends in %d days", service.name, days)

    def check(self, documents: Sequence[Declared]) -> dict[str, PeerId]:
        """What can be seen to be impossible, before anything is done; gives every name of an organisation.

        Raises `Invalid`, `Conflict`.
        """
        known, group = self._kept.names(documents), self._manager.group
        for problem in missing(documents, known):
            raise problem
        for one in documents:
            if isinstance(one.spec, Group):
                same = (one.spec.id, one.spec.directory.peer) == (group.id, group.directory.peer)
                if not same or one.spec.directory.address != group.directory.address:
                    raise _another_group(one, group.id)
        for service in offered(documents):
            service_of(service, known)
            if service.certificates:
                read_shown(service.certificates, self._clock())
            if self._kept.stands(service.name):
                raise _taken(service.name)
        here = {service.name for service in (*self._kept.offered(), *offered(documents))}
        for one in documents:
            if isinstance(one.spec, Publication) and not (
                one.spec.service in here or self._kept.stands(one.spec.service)
            ):
                raise _not_offered(one, one.spec.service)
        return known

    async def _apply(
        self, one: Declared, known: Mapping[str, PeerId], over: Collection[State | None]
    ) -> Outcome:
        match one.spec:
            case Peer(id=peer, address=address):
                await self._peers.told(Known(peer, self._peers.name(peer), address, itself=False))
            case Publication() as wanted:
                directory = self._manager.group.directory.peer
                grant = publication_grant(wanted, self._manager.own.id, directory, known)
                return await self._agree(one, grant, validity(wanted, self._now()), b"", over)
            case Connection() as wanted:
                grant = connection_grant(wanted, self._manager.own.id, self._thumbprint(), known)
                stated = encode(wanted.valid) if wanted.valid else b""
                return await self._agree(one, grant, validity(wanted, self._now()), stated, over)
            case Group():
                return Outcome(one.kind, one.metadata.name, "unchanged")
        return await self._own(one)

    async def _own(self, one: Declared) -> Outcome:
        """What needs nobody else: it holds at once."""
        services = list(offered([one]))
        body = encode(services if services else one.spec)
        applied, before = Applied(*one.key, digest_of(body), body), self._kept.get(*one.key)
        if before is not None and before.digest == applied.digest:
            return Outcome(one.kind, applied.name, "unchanged")
        await self._kept.keep(applied)
        return Outcome(one.kind, applied.name, "changed" if before else "made")

    async def _agree(
        self,
        one: Declared,
        grant: Mapping[str, Any],
        valid: tuple[int, int],
        stated: bytes,
        over: Collection[State | None],
    ) -> Outcome:
        """A contract with this grant: the one there is for the same wish, or a new one when that is `over`."""
        body = canonical(plain(dict(grant)))
        digest, before = digest_of(body + stated), self._kept.get(*one.key)
        found = await self._state(before.contract) if before else None
        if before is not None and before.digest == digest and found not in over:
            return await self._outcome(one, before, "unchanged")
        first = before or Applied(*one.key, "", b"")
        applied = await self._propose(first, found, grant, valid, body, stated)
        return await self._outcome(one, applied, "changed" if before else "made")

    async def _propose(
        self,
        before: Applied,
        found: State | None,
        grant: Mapping[str, Any],
        valid: tuple[int, int],
        body: bytes,
        stated: bytes,
    ) -> Applied:
        """A new contract in the place of the one there was; `found` is the state of that one."""
        contract = await self._manager.propose([grant], *valid)
        replaced, over = before.contract if found in _OPEN else "", ""
        if before.before:  # of these two, the one that counts stays until the new one does
            replaced, over = before.before, before.contract
            if found == "valid":
                replaced, over = over, replaced
        if over and await self._state(over) in _OPEN:
            await self._manager.act(over, "revoke")
        applied = msgspec.structs.replace(
            before,
            digest=digest_of(body + stated),
            body=body,
            contract=contract.content.hash,
            before=replaced,
        )
        await self._kept.keep(applied)
        return applied

    async def _contract(self, content_hash: str) -> Contract | None:
        return await asyncio.to_thread(self._manager.contracts.get, content_hash)

    async def _state(self, content_hash: str) -> State | None:
        contract = await self._contract(content_hash)
        return state(contract, self._now()) if contract else None

    def _now(self) -> int:
        return int(self._clock().timestamp())

    async def _outcome(self, one: Declared, applied: Applied, change: Change) -> Outcome:
        contract = await self._contract(applied.contract)
        grants = contract.content.grants if contract else ()
        found = state(contract, self._now()) if contract else None
        return Outcome(
            one.kind, applied.name, change, applied.contract, found, grants[0].hash if grants else ""
        )


def open_applying(
    store: Store,
    manager: Manager,
    peers: Peers,
    services: Services,
    aliases: Mapping[str, PeerId],
    thumbprint: Callable[[], str],
    clock: Clock,
    standing: Sequence[Service] = (),
) -> Applying:
    """What a node was told to be, taken up again; arguments as `Applying` and `Declarations`. Blocks.

    Raises `Conflict`, `Unkept`: the database.
    """
    migrate(store, "applying", sql.MIGRATIONS)
    kept = Declarations(store, manager.contracts, services, aliases, clock, standing)
    kept.load()
    return Applying(kept, manager, peers, thumbprint, clock)


def _taken(name: str) -> Conflict:
    return Conflict(
        "service-name-taken",
        Text(f"De dienst `{name}` is van het knooppunt zelf.", f"The service `{name}` is the node's own."),
        Text("Elk knooppunt biedt zichzelf onder die naam aan.", "Every node offers itself under that name."),
        Text("Kies een andere naam.", "Choose another name."),
    )


def _not_offered(one: Declared, service: str) -> Invalid:
    return Invalid(
        "service-not-offered",
        Text(
            f"De dienst `{service}` kan niet in de directory.", f"The service `{service}` cannot be listed."
        ),
        Text(
            "Dit knooppunt biedt geen dienst met die naam aan.", "This node offers no service of that name."
        ),
        Text(
            "Controleer de naam, of zet een Service met die naam erbij.",
            "Check the name, or add a Service of that name.",
        ),
        place=one.place,
    )


def _another_group(one: Declared, group: str) -> Problem:
    return Conflict(
        "another-group",
        Text("Dit document gaat over een andere groep.", "This document is about another group."),
        Text(f"Dit knooppunt zit in `{group}`.", f"This node is in `{group}`."),
        Text(
            "Neem naam en directory over uit het groepsbestand van dit knooppunt.",
            "Take name and directory from this node's group file.",
        ),
        place=one.place,
    )

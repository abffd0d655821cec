"""What an operator does with the gateway of a node: look, sign, refuse, declare, and find out what is wrong."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256

from sqlalchemy import Connection, bindparam, text

from sluis.gateway.comparison import ALARMS
from sluis.gateway.contracts import Contract, state
from sluis.gateway.crossing import SERVICE
from sluis.gateway.documents import Connection as Desired
from sluis.gateway.documents import Declared, Metadata, Wanted, peer_named, read
from sluis.gateway.membership import Membership
from sluis.gateway.operating import sql
from sluis.gateway.operating.doctor import Doctor
from sluis.gateway.operating.model import (
    Act,
    AppliedView,
    ContractsView,
    ContractView,
    Diagnosis,
    DifferenceView,
    Documents,
    Granted,
    GroupView,
    LinesView,
    LineView,
    PeerView,
    Rest,
    ServiceView,
    Step,
    Way,
    Wish,
)
from sluis.gateway.operating.views import alternative_view, contract_view, external_view, granted_of
from sluis.gateway.transactions import Search, outcome_of
from sluis.grounds import Opened, purpose_of, purpose_properties
from sluis.kernel import Clock, Invalid, NotFound, PeerId, Place, Text
from sluis.store import Store, migrate

OffersOf = Callable[[str], Awaitable[Opened]]
"""What an organisation, by its alias, offers to this one. Raises `Upstream`."""

_PAGE = 100
_LONGEST_REASON = 2000
_SERVICE_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")  # FSC Core 2.0.0, service name


class Operator:
    """One node's gateway, for its operator. Made by `open_operator`.

    Args:
        store: where reasons are kept.
        membership: of the node.
        opens: what the node's own files open.
        aliases: names of organisations, and their Peer IDs.
        offered: what an organisation, by its alias, offers to this one.
        clock: the node's clock.

    Attributes:
        articles: those that what the node opens rests on, by how they are written in what is shown of a contract.
    """

    def __init__(
        self,
        store: Store,
        membership: Membership,
        opens: Opened,
        aliases: Mapping[str, PeerId],
        offered: OffersOf,
        clock: Clock,
    ) -> None:
        self._offered = offered
        self._store, self._membership, self._opens, self._clock = store, membership, opens, clock
        self._aliases, self._running = aliases, membership.running
        self._own = membership.running.manager.own.id
        self._doctor = Doctor(membership, clock)
        self.articles = {str(one): one for one in opens.articles}

    async def group(self) -> GroupView:
        """This node in its group."""
        manager, settings, now = self._running.manager, self._running.settings, self._now()
        contracts = await asyncio.to_thread(self._membership.contracts.proposed, now)
        undelivered = await asyncio.to_thread(self._running.outbox.waiting)
        differences = await asyncio.to_thread(self._membership.comparison.counts)
        directory = manager.group.directory
        return GroupView(
            manager.group.id,
            str.__str__(manager.own.id),
            manager.own.name,
            f"{directory.peer} {directory.address}",
            settings.address,
            settings.inway,
            sum(self._own not in one.signed("accept") for one in contracts),
            len(undelivered),
            sum(number for (_, kind), number in differences.items() if kind in ALARMS),
            sum(number for (_, kind), number in differences.items() if kind not in ALARMS),
        )

    async def peers(self, name: str = "") -> list[PeerView]:
        """Who is in the group, as the directory says. Raises `Upstream`."""
        if self._is_directory:
            found = self._running.peers.every()
        else:
            found = [one async for one in self._running.directory.peers(name)]
        return [PeerView(str.__str__(one.id), one.name, one.address) for one in found]

    async def services(self, peer: str = "", name: str = "") -> list[ServiceView]:
        """What the directory lists; of one peer, or with a name like this. Raises `Upstream`, `Invalid`."""
        wanted = str.__str__(self._peer(peer)) if peer else ""
        if self._is_directory:
            return [
                ServiceView(
                    str.__str__(one.service_peer), self._running.peers.name(one.service_peer), one.service_name,
                    one.protocol or "", one.delegator and str.__str__(one.delegator),
                    external_view(one.properties), alternative_view(one.properties, self._running.peers.name),
                )
                for one in self._running.manager.published()
                if wanted in ("", one.service_peer) and name.casefold() in one.service_name.casefold()
            ]  # fmt: skip
        return [
            ServiceView(
                one.peer.id,
                one.peer.name,
                one.name,
                one.protocol,
                one.delegator.peer_id if one.delegator else None,
                external_view(one.properties),
                alternative_view(one.properties, self._running.peers.name),
            )
            async for one in self._running.directory.services(wanted, name)
        ]

    async def contracts(self, cursor: str = "") -> ContractsView:
        """A page of this node's contracts, newest first. Raises `FscProblem` for a cursor of another's."""
        found, following = await asyncio.to_thread(self._membership.contracts.page, self._own, cursor, _PAGE)
        return ContractsView(tuple(await self._views(found)), following)

    async def granted(self) -> list[Granted]:
        """What contracts in force let others reach here, newest first; the node's own API without a purpose, by which
        peers read what is offered to them, left out."""
        found, cursor, now = list[Granted](), "", self._now()
        while True:
            page, cursor = await asyncio.to_thread(self._membership.contracts.page, self._own, cursor, _PAGE)
            for one in page:
                if state(one, now) == "valid":
                    found += granted_of(one, self._own, self._called, self._opens)
            if not cursor:
                return [one for one in found if one.purpose is not None or one.service != SERVICE]

    async def contract(self, content_hash: str) -> ContractView:
        """One contract. Raises `NotFound`."""
        contract = await asyncio.to_thread(self._running.manager.contract, content_hash)
        return (await self._views([contract]))[0]

    async def act(self, content_hash: str, act: Act) -> ContractView:
        """Accept, reject or revoke. A refusal takes a reason, which stays at this node: FSC carries none.

        Raises `Invalid` (no reason), `NotFound`, `Refused`, `Conflict`, `Unkept`.
        """
        reason = act.reason.strip()[:_LONGEST_REASON]
        if act.action != "accept" and not reason:
            raise _no_reason()
        if reason:

            def keep(connection: Connection) -> None:
                connection.execute(text(sql.KEEP), {"contract": content_hash, "reason": reason})

            await asyncio.to_thread(self._running.manager.contract, content_hash)
            await self._store.write(keep)
        contract = await self._running.manager.act(content_hash, act.action)
        return (await self._views([contract]))[0]

    async def apply(self, documents: Documents) -> AppliedView:
        """Apply YAML, or only check it. Raises `Invalid` with file and line, and what `Applying.apply` raises."""
        declared, problems = read(documents.text, documents.name)
        for problem in problems:
            raise problem
        if documents.check:
            await self._check(declared)
            return AppliedView(())
        return AppliedView(tuple(await self._membership.applying.apply(declared)))

    async def withdraw(self, rest: Rest) -> AppliedView:
        """Take back what documents declared and `rest` does not name, or only tell. Raises as `Applying.withdraw`."""
        applying, keep = self._membership.applying, {(one.kind, one.name) for one in rest.keep}
        found = await applying.withdraw(keep, check=True)
        if rest.check or not found:
            return AppliedView(tuple(found))
        reasons = [{"contract": one.contract, "reason": _NOT_DECLARED} for one in found if one.contract]

        def keep_reasons(connection: Connection) -> None:
            for values in reasons:
                connection.execute(text(sql.KEEP), values)

        await self._store.write(keep_reasons)
        return AppliedView(tuple(await applying.withdraw(keep)))

    async def _check(self, declared: Sequence[Declared]) -> None:
        await asyncio.to_thread(self._membership.applying.check, declared)

    async def offers(self, organisation: str) -> Opened:
        """What an organisation, by its alias, offers to this one now. Raises `Invalid` (nobody of that name), `Upstream`."""
        if organisation not in self._aliases:
            peer_named(organisation, self._aliases)
        return await self._offered(organisation)

    async def request(self, wish: Wish) -> AppliedView:
        """Propose a contract for all that an organisation offers for an activity; the owner still has to sign it.

        Raises `Invalid` (nobody of that name), `NotFound` (nothing is offered), `Upstream`, and what `apply` raises.
        """
        found = (await self.offers(wish.organisation)).wanted(wish.activity)
        if not found.offers and not found.notices:
            raise _nothing_offered(wish.organisation)
        name = f"{wish.organisation}.{sha256(wish.activity.encode()).hexdigest()[:12]}"
        wanted = Wanted(str.__str__(self._aliases[wish.organisation]), SERVICE)
        purpose = purpose_of(purpose_properties(wish.activity, found.offers.values(), found.notices.values()))
        return await self._desire(name, Desired(wanted, purpose=purpose))

    async def connect(self, peer: PeerId, service: str) -> AppliedView:
        """Propose a contract to use a service of a peer that is not its node's own API; it still has to sign it.

        Args:
            peer: who offers it.
            service: its name.

        Raises `Invalid` (no name of a service), and what `apply` raises.
        """
        if service == SERVICE or not _SERVICE_NAME.fullmatch(service):
            raise _no_such_service(service[:100])
        id = str.__str__(peer)
        name = f"service.{sha256(f'{id} {service}'.encode()).hexdigest()[:16]}"
        return await self._desire(name, Desired(Wanted(id, service)))

    async def _desire(self, name: str, connection: Desired) -> AppliedView:
        declared = Declared("Connection", Metadata(name), connection, Place("-"))
        return AppliedView(tuple(await self._membership.applying.apply([declared], "request")))

    def alias(self, peer: PeerId) -> str | None:
        """What the settings call a peer; None for one that is not in them, which cannot be asked what it offers."""
        return next((name for name, one in self._aliases.items() if one == peer), None)

    def named(self, peer: PeerId) -> str:
        """A peer by name and Peer ID."""
        return self._called(peer)

    async def lines(self, cursor: str = "", peer: str = "") -> LinesView:
        """A page of the transaction log, newest first; in which a peer has part, when one is named."""
        whose = self._peer(peer) if peer else self._own
        page = await self._membership.transactions.find(whose, Search(cursor=cursor, limit=_PAGE))
        return LinesView(
            tuple(
                LineView(
                    one.transaction_id, one.direction, one.crossing.grant_hash, one.crossing.service_name,
                    self._running.peers.name(one.crossing.outway_peer),
                    self._running.peers.name(one.crossing.service_peer), one.created_at,
                    outcome_of(one.crossing) or "",
                )
                for one in page.records
            ),
            page.next_cursor,
        )  # fmt: skip

    async def differences(self) -> list[DifferenceView]:
        """Where this node's transaction log and those of peers do not agree, newest first."""
        found = await asyncio.to_thread(self._membership.comparison.newest)
        return [
            DifferenceView(
                self._running.peers.name(one.peer), one.kind, one.line.transaction_id, one.line.direction,
                one.line.crossing.service_name, one.found_at,
            )
            for one in found
        ]  # fmt: skip

    async def diagnose(self, way: Way, told: Callable[[Step], None] = lambda step: None) -> Diagnosis:
        """Walk to a service of a peer; `told` hears of each step. Raises `Invalid` for an organisation that nobody knows."""
        return await self._doctor.walk(self._peer(way.peer), way.service, told)

    async def _views(self, contracts: Sequence[Contract]) -> list[ContractView]:
        hashes = [contract.content.hash for contract in contracts]
        reasons = await asyncio.to_thread(self._reasons, hashes)
        return [
            contract_view(
                contract, self._own, self._now(), self._called, self._opens,
                reasons.get(contract.content.hash, ""),
            )
            for contract in contracts
        ]  # fmt: skip

    def _called(self, peer: PeerId) -> str:
        """A peer by name and Peer ID: who signs must see who it is, and a name may be another's too."""
        own, id = self._running.manager.own, str.__str__(peer)
        name = own.name if peer == own.id else self._running.peers.name(peer)
        return id if name == id else f"{name} ({id})"

    def _reasons(self, hashes: Sequence[str]) -> dict[str, str]:
        statement = text(sql.OF).bindparams(bindparam("contracts", expanding=True))
        with self._store.read() as connection:
            return {
                row.contract: row.reason for row in connection.execute(statement, {"contracts": list(hashes)})
            }

    @property
    def _is_directory(self) -> bool:
        return self._running.manager.group.directory.peer == self._own

    def _peer(self, name: str) -> PeerId:
        return peer_named(name, {**self._aliases, **self._membership.applying.aliases()})

    def _now(self) -> int:
        return int(self._clock().timestamp())


def open_operator(
    store: Store,
    membership: Membership,
    opens: Opened,
    aliases: Mapping[str, PeerId],
    offered: OffersOf,
    clock: Clock,
) -> Operator:
    """The operator's side of a membership; arguments as `Operator`. Blocks. Raises `Conflict`, `Unkept`."""
    migrate(store, "operating", sql.MIGRATIONS)
    return Operator(store, membership, opens, aliases, offered, clock)


_NOT_DECLARED = "niet meer gedeclareerd / no longer declared"
"""Why a contract was revoked that no document declares any more."""


def _nothing_offered(name: str) -> NotFound:
    return NotFound(
        "nothing-offered",
        Text(f"{name} biedt u hiervoor niets aan.", f"{name} offers you nothing for this."),
        Text(
            "Geen verstrekking van die organisatie noemt uw organisatie en deze verwerkingsactiviteit.",
            "No disclosure of that organisation names your organisation and this processing activity.",
        ),
        Text("Vraag de bronhouder om een grondslag.", "Ask the owner for a ground."),
    )


def _no_such_service(name: str) -> Invalid:
    return Invalid(
        "service-not-to-be-requested",
        Text("Voor deze dienst is zo geen contract aan te vragen.", "No contract can be requested like this for this service."),
        Text(
            f"`{SERVICE}` is de dienst van het knooppunt zelf: daarvoor hoort een verwerkingsactiviteit bij het contract."
            if name == SERVICE
            else "Een dienst heet met letters, cijfers, punt, streepje of onderstreping, hoogstens honderd.",
            f"`{SERVICE}` is the node's own service: a contract for it names a processing activity."
            if name == SERVICE
            else "A service is named with letters, digits, dot, hyphen or underscore, at most a hundred.",
        ),
        Text("Kies een dienst uit de lijst, of een activiteit.", "Choose a service from the list, or an activity."),
    )  # fmt: skip


def _no_reason() -> Invalid:
    return Invalid(
        "reason-required",
        Text("Er staat niet bij waarom.", "It does not say why."),
        Text(
            "Wie een contract afwijst of intrekt, legt vast waarom.",
            "Whoever rejects or revokes a contract records why.",
        ),
        Text("Geef een reden mee.", "Give a reason."),
        field="reason",
    )

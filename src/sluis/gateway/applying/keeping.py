"""What this node was told to be: declarations in the store, and what of them holds at this moment.

Nothing is decided here, and nobody is asked: `service` does that.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol

import msgspec
from sqlalchemy import Connection as Database
from sqlalchemy import text

from sluis.gateway.applying import sql
from sluis.gateway.applying.model import Applied
from sluis.gateway.contracts import Contract, state
from sluis.gateway.documents import Declared, Link, Offered, Peer, names
from sluis.gateway.services import Service, Services, service_of
from sluis.kernel import Clock, PeerId, decode
from sluis.store import Store


class Agreements(Protocol):
    """What is asked of the contracts."""

    def get(self, content_hash: str) -> Contract | None:
        """The contract of this hash. Blocks."""


class Declarations:
    """Every declaration that is kept. What it changes is durable when it returns.

    Attributes:
        services: those that are offered.
        links: names, and the grant hashes they stand for.

    Args:
        store: where they are kept.
        contracts: of this peer.
        services: as above.
        aliases: names of organisations from the node's settings.
        clock: the node's clock.
        standing: services that are offered without having been declared; nobody may declare another of that name.
    """

    def __init__(
        self,
        store: Store,
        contracts: Agreements,
        services: Services,
        aliases: Mapping[str, PeerId],
        clock: Clock,
        standing: Sequence[Service] = (),
    ) -> None:
        self._store, self._contracts, self._clock = store, contracts, clock
        self._aliases, self._standing = aliases, tuple(standing)
        self.services, self.links = services, dict[str, str]()
        self._kept: dict[tuple[str, str], Applied] = {}

    def load(self) -> None:
        """Go on with what was declared before. Blocks."""
        with self._store.read() as connection:
            rows = connection.execute(text(sql.ALL)).all()
        self._kept = {
            (row.kind, row.name): Applied(
                row.kind, row.name, row.digest, bytes(row.body), row.contract, row.before, row.origin
            )
            for row in rows
        }
        self.take_up()

    def get(self, kind: str, name: str) -> Applied | None:
        """The declaration that is known so."""
        return self._kept.get((kind, name))

    def every(self) -> list[Applied]:
        """All of them."""
        return list(self._kept.values())

    async def keep(self, applied: Applied) -> None:
        """Keep a declaration in the place of the one of its kind and name. Raises `Unkept`."""
        await self._write(sql.KEEP, applied)
        self._kept[applied.kind, applied.name] = applied
        self.take_up()

    async def forget(self, applied: Applied) -> None:
        """Keep it no longer. Raises `Unkept`."""
        await self._write(sql.FORGET, applied)
        self._kept.pop((applied.kind, applied.name), None)
        self.take_up()

    def check_without(self, gone: Collection[Applied]) -> None:
        """Raises `Invalid` when what stays names an organisation that only these make known."""
        leaving = {one.name for one in gone if one.kind == "Peer"} - self._aliases.keys()
        known = {name: peer for name, peer in self.names().items() if name not in leaving}
        for one in self.offered(gone):
            service_of(one, known)

    def stands(self, name: str) -> bool:
        """Whether a service of this name is offered without having been declared."""
        return any(one.name == name for one in self._standing)

    def peers(self) -> dict[str, PeerId]:
        """Names of organisations that Peer documents gave."""
        return {one.name: decode(one.body, Peer).id for one in self._kept.values() if one.kind == "Peer"}

    def names(self, documents: Iterable[Declared] = ()) -> dict[str, PeerId]:
        """Names of organisations: of the settings, of Peer documents that were applied, and of these."""
        return names(documents, {**self._aliases, **self.peers()})

    def offered(self, without: Collection[Applied] = ()) -> list[Offered]:
        """The services that are declared."""
        return [
            one
            for applied in self._kept.values()
            if applied.kind in ("Service", "PublicService") and applied not in without
            for one in decode(applied.body, list[Offered])
        ]

    def take_up(self) -> None:
        """Offer the services, and know the links, that are declared now."""
        known = self.names()
        self.services.replace([*self._standing, *(service_of(one, known) for one in self.offered())])
        links = {}
        for applied in self._kept.values():
            if applied.kind == "Link":
                connection = self.get("Connection", decode(applied.body, Link).connection)
                if connection is not None and (grant := self._grant_of(connection)):
                    links[applied.name] = grant
        self.links.clear()
        self.links.update(links)

    def _grant_of(self, connection: Applied) -> str:
        """The grant behind a connection: what is being replaced counts until the new contract is valid."""
        contract = self._contracts.get(connection.contract)
        if connection.before:
            now = int(self._clock().timestamp())
            if contract is None or state(contract, now) != "valid":
                contract = self._contracts.get(connection.before)
        return contract.content.grants[0].hash if contract else ""

    async def _write(self, statement: str, applied: Applied) -> None:
        values = msgspec.structs.asdict(applied)

        def write(connection: Database) -> None:
            connection.execute(text(statement), values)

        await self._store.write(write)


def digest_of(body: bytes) -> str:
    """What a wish is known by: the same digest is the same wish."""
    return hashlib.sha256(body).hexdigest()

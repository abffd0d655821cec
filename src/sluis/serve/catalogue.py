"""The catalogue of a node, from its settings and files; and when it reads those of others."""

import asyncio
import logging
import random
from collections.abc import Collection, Sequence

from sluis.catalogue import Accepted, Catalogue, Finder, Harvester, Of, Trying
from sluis.config import Config
from sluis.config import Node as Loaded
from sluis.crypto import KeyStore, Vault
from sluis.gateway import SERVICE, Link, Membership
from sluis.kernel import Clock, PeerId, cause_of
from sluis.ledger import Ledger
from sluis.serve.names import all_names
from sluis.store import Store
from sluis.usage import Side, Tariff, Unit, Usage, open_usage

log = logging.getLogger("sluis.node")

_HOUR, _SOON, _OFTEN, _SELDOM = 3600.0, 2.0, 5.0, 60.0  # seconds
_FIRST = (
    120.0  # seconds during which what could not be read yet is tried often: contracts are about to be signed
)


def catalogue_of(loaded: Loaded, membership: Membership | None) -> Catalogue | None:
    """What can be found at a node; None when it has no catalogue.

    Args:
        loaded: what `config.load_node` read.
        membership: of its group; without one it offers only itself.
    """
    whole = loaded.catalogue.whole
    if whole is None:
        return None

    def services() -> Collection[str]:
        return membership.applying.services.names() if membership else ()

    of = _of(loaded.config, membership is not None)
    return Catalogue(
        whole, loaded.catalogue.descriptions, loaded.grounds, services, SERVICE, of, loaded.directory
    )


def terms_of(
    config: Config,
    store: Store,
    ledger: Ledger,
    keys: KeyStore,
    link: Link,
    catalogue: Catalogue | None,
    harvester: Harvester | None,
    clock: Clock,
) -> Accepted:
    """Which terms were accepted by this organisation and by others. Blocks."""

    async def reread(peer: PeerId) -> None:
        if harvester is not None:
            await harvester.round({peer})

    vault, own, names = Vault(keys, "terms"), config.node.oin, all_names(config)
    return Accepted(store, ledger, vault, link, catalogue, own, names, clock, reread)


def trying_of(
    loaded: Loaded, link: Link, membership: Membership | None, harvester: Harvester | None
) -> Trying:
    """Documents of services, and trying these out."""
    way = membership.link if membership else None

    def offered(peer: PeerId, service: str) -> bool:
        return harvester is not None and harvester.service(peer, service) is not None

    return Trying(loaded.catalogue.documents, link, way, loaded.config.node.test, offered)


def usage_of(
    config: Config,
    store: Store,
    ledger: Ledger,
    membership: Membership | None,
    catalogue: Catalogue | None,
    harvester: Harvester | None,
    clock: Clock,
) -> Usage:
    """What this organisation used of others, and others of it. Blocks."""

    def prices(side: Side, peer: PeerId, service: str) -> Sequence[Tariff]:
        if side == "supply":
            entries = catalogue.entries() if catalogue else ()
            cost = next((one.cost for one in entries if (one.kind, one.name) == ("service", service)), None)
            return [] if cost is None else _tariffs(cost.kind, cost.cents, cost.months, cost.vat)
        found = harvester.service(peer, service) if harvester else None
        priced = found.priced if found else None
        return [] if priced is None else _tariffs(priced.kind, priced.cents, priced.months, priced.vat)

    return open_usage(store, ledger, membership, prices, config.node.oin, all_names(config), clock)


def _tariffs(kind: str, cents: int, months: int, vat: int | None) -> list[Tariff]:
    units: dict[str, Unit] = {"call": "call", "run": "run", "subscription": "subscription"}
    return [Tariff(units[kind], cents, months, vat)] if kind in units else []


def _of(config: Config, in_group: bool) -> Of:
    """Entries are at the portal, which anybody reaches; where there is none, by the address that the node is known by."""
    address = (config.portal.address or config.node.url).rstrip("/")
    endpoint = config.inway_address if in_group else config.node.url
    return Of(
        config.node.oin, config.node.name, f"{address}/v1/catalogue", endpoint, f"{address}/v1/openapi.json"
    )


async def harvesting(harvester: Harvester, finder: Finder) -> None:
    """Read the catalogues of others as long as the node lives: soon after it started, then about every hour. Those that were never
    read are tried in between, so that a new contract is followed by a catalogue within seconds at first, and a minute later on.

    Nodes that start together do not read together: each waits a little longer or shorter.
    """
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.sleep(_SOON * random.uniform(0.5, 1.5))  # noqa: S311 (nothing secret hangs on it)
    while True:
        await _read(harvester, finder, whole=True)
        until = loop.time() + _HOUR * random.uniform(0.9, 1.1)  # noqa: S311 (the same)
        while (now := loop.time()) < until:
            await asyncio.sleep(_OFTEN if now - began < _FIRST else _SELDOM)
            if harvester.lacking():
                await _read(harvester, finder, whole=False)


async def _read(harvester: Harvester, finder: Finder, whole: bool) -> None:
    before = harvester.changes
    try:
        await harvester.round(None if whole else harvester.lacking())
        if harvester.changes != before:
            await finder.renew()
    except Exception as failure:  # the next round may succeed
        log.error("harvesting: %s", cause_of(failure))

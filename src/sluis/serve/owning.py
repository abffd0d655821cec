"""The pages of the owner of data, put together from a node's settings and rooms."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from litestar.handlers import HTTPRouteHandler

from sluis.config import Node as Loaded
from sluis.config import SourceConfig
from sluis.disclose import Discloser, Use
from sluis.gateway import Agreed, Membership, Operator
from sluis.grounds import Dataset, Disclosure, Purpose, read_directory
from sluis.kernel import Clock, PeerId, Place
from sluis.ledger import Ledger
from sluis.owning import (
    Contracts,
    Covered,
    Holding,
    Holdings,
    Sources,
    SourceSettings,
    open_history,
    page_routes,
)
from sluis.policy import DecisionPoint
from sluis.serve.names import namer
from sluis.sources import Source
from sluis.store import Store
from sluis.web import Gate

FOLDER = {Dataset: "datasets", Disclosure: "disclosures"}
NAMED = {Dataset: "name", Disclosure: "id"}
"""Where the files of datasets and disclosures are, and what names each."""


class GroupContracts:
    """The contracts of a node in its group.

    Args:
        operator: reads them.
        membership: has them in memory.
        clock: the node's.
    """

    def __init__(self, operator: Operator, membership: Membership, clock: Clock) -> None:
        self._operator, self._agreed = operator, Agreed(membership.contracts.allowed, clock)

    async def covering(self) -> Sequence[Covered]:
        """Those in force under which others reach data here."""
        found = await self._operator.granted()
        return [Covered(one.contract, one.disclosures, one.since, one.until) for one in found]

    def purposes(self, peer: PeerId) -> Iterable[Purpose]:
        """The purposes of those in force with a peer."""
        return self._agreed.purposes(peer)

    async def waiting(self) -> int:
        """How many ask for this organisation's signature."""
        return (await self._operator.group()).waiting


def holdings_of(
    loaded: Loaded,
    store: Store,
    ledger: Ledger,
    discloser: Discloser,
    use: Use,
    sources: Mapping[str, Source],
    point: DecisionPoint,
    contracts: Contracts | None,
    clock: Clock,
) -> Holdings | None:
    """The data of a node, as its owner sees it; None where nobody can see it, because there is no portal. Blocks."""
    config, grounds = loaded.config, loaded.grounds
    if config.portal.address is None:
        return None
    places = {
        (FOLDER[type(one.item)], str(getattr(one.item, NAMED[type(one.item)]))): Place(
            str(Path(one.document.file).relative_to(loaded.directory)), one.document.place((NAMED[type(one.item)],)).line
        )
        for one in read_directory(loaded.directory).written
        if type(one.item) in FOLDER
    }  # fmt: skip
    secrecy = tuple((name, column) for name, _, column in (one.partition(".") for one in config.data.secrecy))
    holding = Holding(
        config.node.oin, config.node.alias, grounds, places, config.data.preview_activity, secrecy, loaded.directory,
        {name: _settings(one) for name, one in config.sources.items()},
    )  # fmt: skip
    history = open_history(store, grounds.disclosures, clock)
    return Holdings(
        holding, use, Sources(sources, clock), history, discloser, point, ledger, contracts,
        namer(config), clock,
    )  # fmt: skip


def _settings(one: SourceConfig) -> SourceSettings:
    kind = one.url.partition("://")[0].removeprefix("openapi+")
    return SourceSettings(kind, one.timeout_seconds, one.max_rows, one.pool_size)


def owning_routes(holdings: Holdings | None, point: DecisionPoint) -> list[HTTPRouteHandler]:
    """The pages; none where nobody sees them."""
    return page_routes(holdings, Gate(point)) if holdings is not None else []

"""The catalogue of a node, from its settings and files."""

from collections.abc import Collection

from sluis.catalogue import Catalogue, Of
from sluis.config import Config
from sluis.config import Node as Loaded
from sluis.gateway import SERVICE, Membership


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


def _of(config: Config, in_group: bool) -> Of:
    """Entries are at the portal, which anybody reaches; where there is none, by the address that the node is known by."""
    address = (config.portal.address or config.node.url).rstrip("/")
    endpoint = config.inway_address if in_group else config.node.url
    return Of(
        config.node.oin, config.node.name, f"{address}/v1/catalogue", endpoint, f"{address}/v1/openapi.json"
    )

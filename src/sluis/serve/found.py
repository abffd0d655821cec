"""What of the catalogue the portal shows: finding, terms, how the catalogues of others were read, and what was used."""

from litestar.handlers import HTTPRouteHandler

from sluis import catalogue
from sluis.config import Config
from sluis.serve.parts import Parts
from sluis.usage import USAGE_NAVIGATION, usage_page_routes
from sluis.web import Entry, Gate


def found_navigation(parts: Parts) -> tuple[Entry, ...]:
    """Entries of the menu, for what is there."""
    if parts.catalogue is None and parts.harvester is None:
        return USAGE_NAVIGATION
    read = (catalogue.PEERS_NAVIGATION,) if parts.harvester else ()
    return (*catalogue.NAVIGATION, catalogue.TERMS_NAVIGATION, *read, *USAGE_NAVIGATION)


def found_routes(config: Config, parts: Parts) -> list[HTTPRouteHandler]:
    """Pages for anybody, and those for officials."""
    gate, own = Gate(parts.point), config.node.oin
    return [
        *catalogue.page_routes(parts.catalogue, parts.harvester, parts.finder, parts.terms),
        *catalogue.terms_routes(parts.terms, parts.catalogue, parts.harvester, gate, own),
        *catalogue.api_page_routes(parts.trying, parts.catalogue, parts.terms, gate, own),
        *catalogue.peer_routes(parts.harvester, parts.finder, gate, own),
        *usage_page_routes(parts.usage, gate, own, dict(parts.activities)),
    ]

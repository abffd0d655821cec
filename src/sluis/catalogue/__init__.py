"""What can be found: what a node offers, described, measured and published as DCAT-AP-NL."""

from typing import TYPE_CHECKING

from sluis.kernel import on_demand

if TYPE_CHECKING:
    from sluis.catalogue.accepting import Accepted
    from sluis.catalogue.agreeing import TERMS_NAVIGATION, terms_api_routes, terms_routes
    from sluis.catalogue.apis import api_page_routes, document_routes
    from sluis.catalogue.codes import ACCESS_RIGHTS, FREQUENCIES, LICENCES, THEMES
    from sluis.catalogue.files import (
        CATALOGUE_FILE,
        DESCRIPTIONS,
        CatalogueReading,
        advice,
        examine_catalogue,
        read_catalogue,
    )
    from sluis.catalogue.finding import Finder
    from sluis.catalogue.harvesting import Harvester, open_harvester
    from sluis.catalogue.http import harvest_routes, official_routes, routes, search_routes
    from sluis.catalogue.listing import KINDS, Count, Counts, Finds, Hit, Listed
    from sluis.catalogue.measuring import MEASUREMENTS_FILE, keep_measurements, kept_measurements, measure
    from sluis.catalogue.model import (
        FOLDERS,
        Contact,
        Cost,
        Description,
        Entry,
        Found,
        Harvest,
        Keywords,
        Measurement,
        Of,
        Prose,
        ServiceLevel,
        Terms,
        Whole,
    )
    from sluis.catalogue.pages import NAVIGATION, page_routes
    from sluis.catalogue.peers import PEERS_NAVIGATION, peer_routes
    from sluis.catalogue.search import SearchIndex
    from sluis.catalogue.service import Catalogue
    from sluis.catalogue.trying import Trying
    from sluis.catalogue.words import catalogue_schemas
else:
    __getattr__ = on_demand(__name__)

__all__ = [
    "ACCESS_RIGHTS",
    "CATALOGUE_FILE",
    "DESCRIPTIONS",
    "FOLDERS",
    "FREQUENCIES",
    "KINDS",
    "LICENCES",
    "MEASUREMENTS_FILE",
    "NAVIGATION",
    "PEERS_NAVIGATION",
    "TERMS_NAVIGATION",
    "THEMES",
    "Accepted",
    "Catalogue",
    "CatalogueReading",
    "Contact",
    "Cost",
    "Count",
    "Counts",
    "Description",
    "Entry",
    "Finder",
    "Finds",
    "Found",
    "Harvest",
    "Harvester",
    "Hit",
    "Keywords",
    "Listed",
    "Measurement",
    "Of",
    "Prose",
    "SearchIndex",
    "ServiceLevel",
    "Terms",
    "Trying",
    "Whole",
    "advice",
    "api_page_routes",
    "catalogue_schemas",
    "document_routes",
    "examine_catalogue",
    "harvest_routes",
    "keep_measurements",
    "kept_measurements",
    "measure",
    "official_routes",
    "open_harvester",
    "page_routes",
    "peer_routes",
    "read_catalogue",
    "routes",
    "search_routes",
    "terms_api_routes",
    "terms_routes",
]

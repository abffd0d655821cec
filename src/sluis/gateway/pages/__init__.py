"""The group in a browser, for who runs the node and for who decides on contracts: contracts, peers, traffic, a map, and the doctor.

Every page asks the decision point who may, says what it knows and since when, and never waits for a peer that hangs.
"""

from sluis.gateway.pages.examining import Part
from sluis.gateway.pages.peers import Own, Revoked, Shown
from sluis.gateway.pages.routes import NAVIGATION, page_routes

__all__ = ["NAVIGATION", "Own", "Part", "Revoked", "Shown", "page_routes"]

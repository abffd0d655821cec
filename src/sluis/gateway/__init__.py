"""How nodes reach each other: the link, and the signed card by which a node says what it is."""

from sluis.gateway.card import Card, read_card, sign_card
from sluis.gateway.direct import DirectLink
from sluis.gateway.http import routes
from sluis.gateway.link import Answer, Link
from sluis.gateway.manager.model import AutoSign
from sluis.gateway.peers import Group, check_group
from sluis.gateway.timestamps import TimestampAuthority
from sluis.gateway.witnesses import Witnesses, witness_name

__all__ = [
    "Answer",
    "AutoSign",
    "Card",
    "DirectLink",
    "Group",
    "Link",
    "TimestampAuthority",
    "Witnesses",
    "check_group",
    "read_card",
    "routes",
    "sign_card",
    "witness_name",
]
